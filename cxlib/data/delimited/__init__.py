"""Delimited text as it lies in a file: every cell a text, or a stop that names the row."""
