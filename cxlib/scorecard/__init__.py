"""Figures for who decides: each against its target and an earlier day, and the chain that joins them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
