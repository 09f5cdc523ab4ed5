"""The one declared port from the runner to the analysis."""
