"""The simulated company: every table of the contract, and every effect in it known."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
