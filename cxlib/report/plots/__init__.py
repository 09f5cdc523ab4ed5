"""Charts: `plot_…(result) -> Axes`. They draw result frames and never compute an estimate."""
