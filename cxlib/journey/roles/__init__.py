"""Whose state a touchpoint changes, and whether a channel does its job."""
