"""The customer tables: their contract, how they are read and converted, and what one row of them means."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
