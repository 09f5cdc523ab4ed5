"""The course: a company of one's own, exercises and quizzes, and an examiner that knows the truth."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
