"""Who took part, when, and against whom: the panel an effect is read off."""
