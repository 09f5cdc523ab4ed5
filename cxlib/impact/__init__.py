"""What an initiative changed: panel, before/after, difference-in-differences, staggered effects, the ladder.

A package of private parts, because the rung that answers is chosen among all of them by how the initiative
was assigned.
"""

from cxlib.impact._compare import adjusted_difference, before_after, did
from cxlib.impact._ladder import (
    answer_rung,
    arm_months,
    evidence_ladder,
    f2_effect,
    has_comparison,
    monthly_effects,
    monthly_gap,
    observed_months,
    parallel_trends,
)
from cxlib.impact._panel import choose_initiative, months_observed, study_members, study_panel
from cxlib.impact._plan import detectable_effect, regression_to_mean
from cxlib.impact._staggered import AttResult, att_gt
from cxlib.impact._study import drop_small_arms, effect_by_group, placebo_effect, study_notes

__all__ = [
    "AttResult",
    "adjusted_difference",
    "answer_rung",
    "arm_months",
    "att_gt",
    "before_after",
    "choose_initiative",
    "detectable_effect",
    "did",
    "drop_small_arms",
    "effect_by_group",
    "evidence_ladder",
    "f2_effect",
    "has_comparison",
    "monthly_effects",
    "monthly_gap",
    "months_observed",
    "observed_months",
    "parallel_trends",
    "placebo_effect",
    "regression_to_mean",
    "study_members",
    "study_notes",
    "study_panel",
]
