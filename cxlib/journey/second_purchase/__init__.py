"""The second purchase (F2) as a clock, what it follows and what it is worth."""
