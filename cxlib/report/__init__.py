"""What people see: tables, figures and sentences of a report, and what is too small to show."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
