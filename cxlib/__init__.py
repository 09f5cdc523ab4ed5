"""Helper package of the CX Handbook: `import cxlib as cx`.

Names are looked up on first use, so that importing the package costs nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
