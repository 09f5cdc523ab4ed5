"""Exports of a run: PDF, workbook and slides, each by a module of its own."""
