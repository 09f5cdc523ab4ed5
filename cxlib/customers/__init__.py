"""Who the customers are: segments, states, concentration of sales, preferences, and what they do next."""

from cxlib.checks.own_frames import face

__getattr__, __dir__, __all__ = face(__name__, __file__)
