"""Statistics that several subjects share: intervals, differences, few clusters, survival, verdicts."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
