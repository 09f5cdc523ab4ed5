"""What goes with the score: importance with its uncertainty, and where to start."""
