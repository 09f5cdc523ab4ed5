"""Did the score move: differences between waves, limits of chance, mix against rate, answers needed."""

from cxlib.change._mix import mix_rate
from cxlib.change._waves import (
    everyone_else,
    last_waves,
    paired_change,
    sample_size,
    score_change,
    wave_chart,
)

__all__ = [
    "everyone_else",
    "last_waves",
    "mix_rate",
    "paired_change",
    "sample_size",
    "score_change",
    "wave_chart",
]
