"""What an initiative changed and what it was worth: study, effect, doubt about it, money, the register."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
