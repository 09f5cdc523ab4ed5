"""What people see: tables, figures and sentences of a report, and what is too small to show."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
