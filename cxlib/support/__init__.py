"""What customers ask support, how long they wait, whether it is settled at once, and what goes with that."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
