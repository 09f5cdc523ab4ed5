"""The simulated company: every table of the contract, and every effect in it known."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
