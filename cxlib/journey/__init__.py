"""The emotion curve with evidence: stage means, steps, valleys and features."""

from cxlib.journey.curve import emotion_curve, stage_steps, unknown_stages
from cxlib.journey.valleys import curve_features, find_valleys, name_valley

__all__ = ["curve_features", "emotion_curve", "find_valleys", "name_valley", "stage_steps", "unknown_stages"]
