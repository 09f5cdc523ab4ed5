"""Time to an event while people are still under observation."""
