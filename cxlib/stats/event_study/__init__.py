"""Effects of what begins at different times for different customers: by group and period, and added up."""
