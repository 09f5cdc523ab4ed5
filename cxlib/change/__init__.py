"""Did the score move: differences between waves, limits of chance, mix against rate, answers needed."""

from cxlib.change._chart import last_waves, wave_chart, wave_order
from cxlib.change._gaps import group_gaps
from cxlib.change._mix import mix_rate
from cxlib.change._waves import everyone_else, paired_change, sample_size, score_change

__all__ = [
    "everyone_else",
    "group_gaps",
    "last_waves",
    "mix_rate",
    "paired_change",
    "sample_size",
    "score_change",
    "wave_chart",
    "wave_order",
]
