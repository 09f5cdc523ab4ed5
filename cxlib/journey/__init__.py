"""How customers get on: the emotion curve, touchpoints, funnels, the second purchase, whose state changes."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
