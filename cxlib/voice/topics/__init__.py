"""What comments are about: coding by rule, how far people agree with it, and what topics go with."""
