"""Who the customers are: segments, states, concentration of sales, preferences, and what they do next."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
