"""Drivers of an outcome: importance with its uncertainty, against performance, and whether items differ."""

from cxlib.drivers._by_group import each_large_group
from cxlib.drivers._group_shares import group_importance
from cxlib.drivers._importance import METHODS, driver_importance, driver_labels
from cxlib.drivers._performance import QUADRANTS, importance_performance
from cxlib.drivers._reliability import scale_reliability
from cxlib.drivers._start import first_step
from cxlib.drivers._stated import stated_derived

__all__ = [
    "METHODS",
    "QUADRANTS",
    "driver_importance",
    "driver_labels",
    "each_large_group",
    "first_step",
    "group_importance",
    "importance_performance",
    "scale_reliability",
    "stated_derived",
]
