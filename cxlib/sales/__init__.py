"""From lead to deal to customer: stages, clocks, a forecast tried on past quarters, and what to work on."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
