"""What customers say: scores, waves, drivers, comments, who did not answer, and what answers led to."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
