"""Time to an event while people are still under observation: Kaplan–Meier, restricted mean, competing exits.

Durations in whole days are counted per day instead of sorted, so a million customers take a fraction of a
second. Checked against statsmodels' `SurvfuncRight`, `survdiff` and `CumIncidenceRight` (unit tests) and
against the published figures of Freireich (1963), waltons, dd, rossi and telco (reference tests).
"""

from cxlib.survival._curve import logrank, rmst, survival_curve
from cxlib.survival._incidence import cumulative_incidence
from cxlib.survival._known import MIN_AT_RISK, enough_at_risk

__all__ = ["MIN_AT_RISK", "cumulative_incidence", "enough_at_risk", "logrank", "rmst", "survival_curve"]
