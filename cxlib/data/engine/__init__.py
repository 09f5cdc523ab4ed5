"""Sums of order lines, made where the table lies: pandas, Polars, DuckDB, PySpark, Ibis."""
