"""Drivers of an ordered outcome, with missing items and the assumption tested."""
