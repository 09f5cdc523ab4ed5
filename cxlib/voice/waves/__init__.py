"""Whether the score moved between waves, beyond chance and beyond a changed mix."""
