"""Did the groups move apart before the start? The two tests a verdict listens to."""

from __future__ import annotations

import pandas as pd

from cxlib.initiatives.effect.by_month import parallel_trends
from cxlib.initiatives.study.members import placebo_effect

ALARM = 0.05  # p-value below which groups count as moved apart
ALARM_LOT = 0.005  # the same for groups drawn by lot
_COLUMNS = [
    "metric",
    "estimate",
    "conf_low",
    "conf_high",
    "conf_level",
    "months",
    "p_value",
    "limit",
    "is_alarm",
]


def drift_check(panel: pd.DataFrame, *, assignment: str, outcome_col: str = "margin") -> pd.DataFrame:
    """Test in two ways whether treatment and control moved apart before there was anything to cause it.

    Parameters
    ----------
    panel, assignment, outcome_col
        As in `evidence_ladder`.

    Returns
    -------
    DataFrame
        Rows `metric` `placebo` (`placebo_effect`: a start made up halfway through the months before) and
        `pretrend` (`parallel_trends`: all months before the start alike): `estimate, conf_low, conf_high,
        conf_level, months` (placebo only), `p_value`, `limit`, `is_alarm` (p below the limit). Empty without
        a comparison group, or where nobody assigned it; a test that cannot be made is left out.

    Notes
    -----
    Alarm: p below `ALARM` (0.05); below `ALARM_LOT` (0.005) for groups drawn by lot, because a fair lot makes
    such gaps by chance only, and the comparison adjusts for them. Fixed limits, and a placebo interval of
    95 %, whatever the level of a report: wider intervals must not silence an alarm, nor narrower ones raise
    it. Two tests at 5 % raise a false alarm in at most one study in ten; silence proves nothing (Roth 2022),
    so `drift_bounds` stands beside it.

    References
    ----------
    Roth (2022), AER: Insights 4(3).

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": list("aabb"), "arm": ["treatment"] * 2 + ["control"] * 2,
    ...                       "month": [-1, 0] * 2, "start_month": [0.0, 0.0, None, None],
    ...                       "margin": [1.0, 4.0, 1.0, 2.0]})
    >>> drift_check(panel, assignment="targeted").empty
    True
    """
    found = "found" in panel and bool(panel["found"].any())
    if assignment == "everyone" or found or panel.empty:
        return pd.DataFrame(columns=_COLUMNS)
    parts = [
        placebo_effect(panel, outcome_col=outcome_col, conf_level=1 - ALARM).assign(conf_level=1 - ALARM),
        parallel_trends(panel, outcome_col=outcome_col),
    ]
    rows = [row for part in parts for row in part.to_dict("records") if row["p_value"] == row["p_value"]]
    limit = ALARM_LOT if assignment == "randomised" else ALARM
    table = pd.DataFrame(rows, columns=[name for name in _COLUMNS if name not in ("limit", "is_alarm")])
    return table.assign(limit=limit, is_alarm=table["p_value"].astype(float) < limit)
