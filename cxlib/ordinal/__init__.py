"""Drivers of an ordered outcome: proportional odds, the assumption tested, effects as changed shares."""

from cxlib.ordinal._model import ordinal_drivers

__all__ = ["ordinal_drivers"]
