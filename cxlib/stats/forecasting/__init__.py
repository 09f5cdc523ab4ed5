"""Forecasts of a series of months, and what they were worth on months they had not seen."""
