"""The customer tables: their contract, how they are read and converted, and what one row of them means."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
