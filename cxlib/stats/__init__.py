"""Statistics that several subjects share: intervals, differences, few clusters, survival, verdicts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
