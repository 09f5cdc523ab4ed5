"""The purchase experience in three questions: not marked down, hesitation answered, conviction gained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.intervals import share_interval

#: Question → (largest or smallest value that passes, the value).
LIMITS: Mapping[str, tuple[str, float]] = {
    "not_marked_down": ("at_most", 0.25),
    "hesitation_answered": ("at_least", 0.5),
    "leads_to_conviction": ("at_least", 0.4),
}
_INTERVAL = ["estimate", "std_error", "conf_low", "conf_high"]


def hesitation_answered(
    events: pd.DataFrame,
    *,
    stage: str,
    within_days: int = 30,
    score_col: str = "valence",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of customers who felt negative at a stage and had a better contact soon after.

    Parameters
    ----------
    events
        Contacts with `customer_id, stage, occurred_at` and a score.
    stage
        The stage of hesitation.
    within_days
        Days after a customer's first negative answer there in which a contact with a score of 0 or more
        counts. Customers observed for less are left out: the last contact of the data is the last day known.
    score_col
        Score, negative below 0.
    conf_level
        Confidence level of the interval (Wilson).

    Returns
    -------
    DataFrame
        One row: `metric` ("answered"), `estimate, std_error, conf_low, conf_high, n` (customers).

    Raises
    ------
    ParameterError
        Unknown column.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("aabc"), "stage": ["decide", "repeat", "decide", "buy"],
    ...     "valence": [-1, 1, -2, 0], "occurred_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-05", "2026-01-01", "2026-03-01"])})
    >>> hesitation_answered(events, stage="decide")[["estimate", "n"]].to_numpy().tolist()
    [[0.5, 2.0]]
    """
    check_columns(
        events, score_col=score_col, customer_id="customer_id", stage="stage", occurred_at="occurred_at"
    )
    rows = events[["customer_id", "stage", "occurred_at", score_col]].dropna(
        subset=["customer_id", "occurred_at", score_col]
    )
    doubt = rows[(rows["stage"] == stage) & (rows[score_col] < 0)]
    first = doubt.groupby("customer_id")["occurred_at"].min()
    first = first[events["occurred_at"].max() - first >= pd.Timedelta(days=within_days)]
    after = rows[rows[score_col] >= 0].assign(since=lambda part: first.reindex(part["customer_id"]).array)
    wait = after["occurred_at"] - after["since"]
    good = after[(wait > pd.Timedelta(0)) & (wait <= pd.Timedelta(days=within_days))]["customer_id"].nunique()
    share = share_interval(good, len(first), conf_level=conf_level)._asdict()
    return pd.DataFrame([{"metric": "answered", **share, "n": len(first)}])


def purchase_checklist(
    measured: Mapping[str, pd.Series | Mapping[str, float]],
    *,
    limits: Mapping[str, tuple[str, float]] = LIMITS,
    min_n: int = 10,
) -> pd.DataFrame:
    """Answer each question of the purchase-experience checklist by a metric and a limit.

    Parameters
    ----------
    measured
        Question → row with `estimate, conf_low, conf_high, n`. The handbook's questions: "not_marked_down"
        (share of rated contacts below expectation), "hesitation_answered" (see `hesitation_answered`),
        "leads_to_conviction" (F2: share who buy a second time). A question without a row is unknown.
    limits
        Question → ("at_most" or "at_least", value), stated before looking.
    min_n
        Fewer customers than this answer nothing.

    Returns
    -------
    DataFrame
        In the order of `limits`: `question, metric` ("checklist"), `estimate, conf_low, conf_high, n, limit`
        (the value), `side, verdict`: "pass" or "fail" if the whole interval lies on that side of the limit,
        otherwise "unknown".

    Raises
    ------
    ParameterError
        A question without limit, or a side that is neither "at_most" nor "at_least".

    Examples
    --------
    >>> row = {"estimate": 0.1, "conf_low": 0.05, "conf_high": 0.2, "n": 200}
    >>> purchase_checklist({"not_marked_down": row})["verdict"].to_list()
    ['pass', 'unknown', 'unknown']
    """
    for question in measured:
        if question not in limits:
            raise ParameterError("journey.question", value=question, known=", ".join(limits))
    rows = []
    for question, (side, limit) in limits.items():
        if side not in ("at_most", "at_least"):
            raise ParameterError("journey.question", value=side, known="at_most, at_least")
        row = {"estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan, "n": 0}
        row |= {name: measured[question][name] for name in row} if question in measured else {}
        sign = 1 if side == "at_least" else -1
        low, high = sorted((sign * (row["conf_low"] - limit), sign * (row["conf_high"] - limit)))
        enough = row["n"] >= min_n
        verdict = "pass" if enough and low >= 0 else "fail" if enough and high < 0 else "unknown"
        rows.append({"question": question, "metric": "checklist", **row, "limit": limit, "side": side})
        rows[-1]["verdict"] = verdict
    return pd.DataFrame(rows)
