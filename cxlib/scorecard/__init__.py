"""Figures for who decides: each against its target and an earlier day, and the chain that joins them."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
