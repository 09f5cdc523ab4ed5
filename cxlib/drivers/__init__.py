"""Drivers of an outcome: their importance with its uncertainty, and importance against performance."""

from cxlib.drivers._importance import METHODS, driver_importance, driver_labels
from cxlib.drivers._performance import QUADRANTS, importance_performance

__all__ = ["METHODS", "QUADRANTS", "driver_importance", "driver_labels", "importance_performance"]
