"""What would have to be true for an effect to be wrong."""
