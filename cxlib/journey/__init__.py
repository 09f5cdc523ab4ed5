"""How customers get on: the emotion curve, touchpoints, funnels, the second purchase, whose state changes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
