"""Helper package of the CX Handbook: `import cxlib as cx`.

Names are looked up on first use, so that importing the package costs nothing.
"""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
