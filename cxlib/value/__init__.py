"""What a customer is worth and costs, how long customers stay, and who is leaving."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
