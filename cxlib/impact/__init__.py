"""What an initiative changed: panel, before/after, difference-in-differences, staggered effects, the ladder.

A package of private parts, because the rung that answers is chosen among all of them by how the initiative
was assigned.
"""

from cxlib.impact._adjusted import adjusted_difference
from cxlib.impact._aggregate import AttResult
from cxlib.impact._compare import before_after, did
from cxlib.impact._drift import drift_check
from cxlib.impact._ladder import (
    answer_rung,
    evidence_ladder,
    has_comparison,
    observed_months,
    treated_series,
)
from cxlib.impact._months import arm_months, drift_bounds, monthly_effects, monthly_gap, parallel_trends
from cxlib.impact._outcomes import churn_effect, f2_effect, score_effect, share_ratio
from cxlib.impact._panel import choose_initiative, months_observed, study_members, study_panel
from cxlib.impact._plan import detectable_effect, power_of_study, regression_to_mean, share_plan
from cxlib.impact._regression import regression_part
from cxlib.impact._rollout import rollout_groups
from cxlib.impact._sensitivity import e_value, relative_magnitudes, risk_ratio
from cxlib.impact._series import interrupted_series, placebo_starts
from cxlib.impact._staggered import att_gt
from cxlib.impact._study import drop_small_arms, effect_by_group, enrolment_notes, placebo_effect, study_notes
from cxlib.impact._twoway import twoway_weights

__all__ = [
    "AttResult",
    "adjusted_difference",
    "answer_rung",
    "arm_months",
    "att_gt",
    "before_after",
    "choose_initiative",
    "churn_effect",
    "detectable_effect",
    "did",
    "drift_bounds",
    "drift_check",
    "drop_small_arms",
    "e_value",
    "effect_by_group",
    "enrolment_notes",
    "evidence_ladder",
    "f2_effect",
    "has_comparison",
    "interrupted_series",
    "monthly_effects",
    "monthly_gap",
    "months_observed",
    "observed_months",
    "parallel_trends",
    "placebo_effect",
    "placebo_starts",
    "power_of_study",
    "regression_part",
    "regression_to_mean",
    "relative_magnitudes",
    "risk_ratio",
    "rollout_groups",
    "score_effect",
    "share_plan",
    "share_ratio",
    "study_members",
    "study_notes",
    "study_panel",
    "treated_series",
    "twoway_weights",
]
