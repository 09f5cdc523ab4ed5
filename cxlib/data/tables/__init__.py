"""A folder or a database of customer tables, opened as named and checked frames."""
