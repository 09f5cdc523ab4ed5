"""Open a folder or a database of customer tables as named, checked tables."""

from cxlib.tables._coverage import Coverage, check_folder, coverage
from cxlib.tables._dataset import DataSet, open_data

__all__ = ["Coverage", "DataSet", "check_folder", "coverage", "open_data"]
