"""What the data hold, how far they can be trusted, and what they would change: before any other chapter."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
