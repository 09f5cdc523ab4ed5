"""The second purchase (F2) as a clock: the probability that first buyers order again by which day.

A customer who bought yesterday has not refused to come back. Kaplan–Meier counts such a customer only for the
days already seen; the usual ratio counts the same customer as lost, and so moves with acquisition alone.
"""

from cxlib.repeat._after_stage import f2_after_stage
from cxlib.repeat._burn_in import f2_burn_in, settled_from
from cxlib.repeat._curve import HORIZONS_DAYS, purchase_ladder, repeat_curve
from cxlib.repeat._lapse import lapse_after_stage
from cxlib.repeat._times import first_purchases_doubtful, repeat_times
from cxlib.repeat._value import value_by_f2

__all__ = [
    "HORIZONS_DAYS",
    "f2_after_stage",
    "f2_burn_in",
    "first_purchases_doubtful",
    "lapse_after_stage",
    "purchase_ladder",
    "repeat_curve",
    "repeat_times",
    "settled_from",
    "value_by_f2",
]
