"""How long customers wait for the first reply and until a ticket is closed; those still open count so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, fail_option
from cxlib.stats.intervals import Interval
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.stats.survival.known_days import enough_at_risk

#: Clock by its columns in `read_tickets`.
CLOCKS = {"first_reply": ("reply_hours", "is_replied"), "resolution": ("resolve_hours", "is_resolved")}
_COLUMNS = ["clock", "metric", "within_hours", *Interval._fields, "n", "n_tickets", "n_open"]


def reply_times(
    tickets: pd.DataFrame,
    *,
    clocks: Sequence[str] = ("first_reply", "resolution"),
    by: str | None = None,
    within_hours: Sequence[float] = (24, 72),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Median hours to first reply and to resolution, and the share reached within some hours.

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`.
    clocks : sequence of {"first_reply", "resolution"}
    by : str, optional
        Column to split by; a missing value is a group.
    within_hours : sequence of float
    conf_level : float

    Returns
    -------
    DataFrame
        Per group and clock: `by, clock, metric` ("median_hours", once, and "within_share"), `within_hours`
        (of the share), `estimate, std_error, conf_low, conf_high`, `n` (customers), `n_tickets`, `n_open`
        (not reached by the end of the data: they count for the hours they were watched). Missing where too
        few were still watched at that hour, or where half have not got there yet.

    Raises
    ------
    ParameterError
        Unknown clock or column.

    Notes
    -----
    Kaplan–Meier. The median of closed tickets alone is too short: those that take long are still open. The
    interval of the median is where the log-log band of the curve crosses one half. Tickets of one customer
    count as independent.

    References
    ----------
    Kaplan & Meier (1958) JASA 53; Brookmeyer & Crowley (1982) Biometrics 38.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": list("abcd"), "resolve_hours": [1.0, 2, 3, 50]})
    >>> rows = rows.assign(is_resolved=[True, True, True, False])
    >>> reply_times(rows, clocks=["resolution"], within_hours=[24])["estimate"].tolist()
    [2.0, 0.75]
    """
    parts = []
    for clock in clocks:
        if clock not in CLOCKS:
            fail_option("clocks", clock, tuple(CLOCKS))
        duration, event = CLOCKS[clock]
        check_columns(tickets, customer_id="customer_id", duration=duration, event=event, by=by)
        timed = tickets[tickets[duration].notna()]
        groups = [((), timed)] if by is None else timed.groupby([by], dropna=False, observed=True)
        for key, rows in groups:
            if rows.empty:
                continue
            how: dict[str, Any] = {"duration_col": duration, "event_col": event, "conf_level": conf_level}
            curve = enough_at_risk(survival_curve(rows, **how))
            at = enough_at_risk(survival_curve(rows, times=list(within_hours), **how))
            swapped = {"estimate": 1 - at["estimate"], "conf_low": 1 - at["conf_high"]}
            shares = at.assign(**swapped, conf_high=1 - at["conf_low"], metric="within_share")
            shares = shares.rename(columns={"time": "within_hours"})
            part = pd.concat([_median(curve), shares], ignore_index=True)
            part = part.assign(clock=clock, n=rows["customer_id"].nunique(), n_tickets=len(rows))
            part["n_open"] = int((~rows[event].astype(bool)).sum())
            own: dict[str, Any] = {} if by is None else {by: key[0]}
            parts.append(part.assign(**own))
    names = [*([] if by is None else [by]), *_COLUMNS]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def _median(curve: pd.DataFrame) -> pd.DataFrame:
    """Hours at which the curve, and either end of its band, crosses one half."""
    ends = {"estimate": "estimate", "conf_low": "conf_low", "conf_high": "conf_high"}
    crossed = {
        name: curve.loc[curve[end] <= 0.5, "time"].min() for name, end in ends.items()
    }  # missing where it never does
    row = {"metric": "median_hours", "within_hours": np.nan, "std_error": np.nan, **crossed}
    return pd.DataFrame([row])
