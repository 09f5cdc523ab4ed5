"""What customers say: scores, waves, drivers, who did not answer, and what answers were followed by."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
