"""What an initiative changed and what it was worth: study, effect, doubt about it, money, the register."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
