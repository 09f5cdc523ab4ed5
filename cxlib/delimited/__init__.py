"""Delimited text as it lies in a file, every cell a text, or a stop that names the row."""

from cxlib.delimited._mixed import misread
from cxlib.delimited._read import HEADER_ROWS, Form, read_cells
from cxlib.delimited._stream import MOST_BYTES, MOST_COLUMNS

__all__ = ["HEADER_ROWS", "MOST_BYTES", "MOST_COLUMNS", "Form", "misread", "read_cells"]
