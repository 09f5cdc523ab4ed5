"""How fast customers lapse after a stage of the journey."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, check_columns
from cxlib.checks.occurring import check_occurs
from cxlib.data.days import local_days, to_date
from cxlib.data.purchases import NO_AMOUNTS, earlier_buyers, purchase_lines
from cxlib.data.scales import neutral_score
from cxlib.stats.intervals import critical_value

_MONTH = 365.25 / 12


def lapse_after_stage(
    events: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    stage: str,
    as_of: dt.date | str,
    lapse_days: int = 180,
    observed_from: dt.date | str | None = None,
    score_col: str = "valence",
    customer_id_col: str = "customer_id",
    amount_col: str = "amount",
    neutral: float | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Lapses per customer-month after a stage, of customers who felt negative there against the others.

    Parameters
    ----------
    events, orders, stage, as_of, observed_from, score_col, customer_id_col, amount_col, neutral, conf_level
        As in `f2_after_stage`.
    lapse_days
        A customer lapses on the day on which the last purchase lies so many days back.

    Returns
    -------
    DataFrame
        `metric, group, estimate, std_error, conf_low, conf_high, n, n_events, customer_months`: "lapse_rate"
        (per customer-month) of the groups "negative" and "other", and "rate_ratio" (negative ÷ other; its
        `std_error` is that of the logarithm). NaN without a lapse on a side. `note` as in `repeat_curve`.

    Raises
    ------
    ParameterError
        Unknown column, `lapse_days` below 1, or a misspelt stage: another one is called nearly so.

    Notes
    -----
    The clock starts at the first answer at the stage after a purchase, for customers not lapsed by then, and
    stops at the lapse or on the last day. Rate = lapses ÷ time observed, exact Poisson interval; ratio by its
    logarithm. In the first weeks nobody can lapse, on either side. Not randomised: an association.

    References
    ----------
    Breslow & Day (1987) Statistical Methods in Cancer Research II, ch. 2 (rates and their ratio).

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": list("abb"), "ordered_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-01", "2026-02-15"])})
    >>> events = pd.DataFrame({"customer_id": list("ab"), "stage": "decide", "valence": [-1, 1],
    ...     "occurred_at": pd.Timestamp("2026-01-05")})
    >>> lapses = lapse_after_stage(events, orders, stage="decide", as_of="2026-03-31", lapse_days=60)
    >>> lapses["n_events"].to_list()
    [1, 0, 1]
    """
    if lapse_days < 1:
        raise ParameterError("journey.horizons", argument="lapse_days", value=repr(lapse_days))
    check_columns(
        events, score_col=score_col, customer_id_col=customer_id_col, stage="stage", occurred_at="occurred_at"
    )
    last = pd.Timestamp(to_date(as_of))
    bought = _purchase_days(orders, customer_id_col, amount_col, last)
    begin = None if observed_from is None else to_date(observed_from, argument="observed_from")
    earlier = earlier_buyers(bought[customer_id_col], bought["day"], begin)
    bought = bought[~bought[customer_id_col].isin(earlier)]
    start = _answers(events, stage, score_col, customer_id_col, last, bought, lapse_days)
    start["negative"] = start.pop("score") < neutral_score(events, score_col, neutral)
    after = bought.merge(start, on=customer_id_col)
    after["ends"] = after.groupby(customer_id_col)["day"].shift(-1)
    gone = after["day"] + pd.Timedelta(days=lapse_days)
    after["lapsed_on"] = gone.where((after["ends"].isna() | (after["ends"] > gone)) & (gone > after["start"]))
    first = after.groupby(customer_id_col)["lapsed_on"].min()
    start = start.assign(lapsed_on=first.reindex(start[customer_id_col]).to_numpy())
    lapsed = start["lapsed_on"] <= last
    months = (start["lapsed_on"].where(lapsed, last) - start["start"]).dt.days / _MONTH
    rows = []
    for group, side in (("negative", start["negative"]), ("other", ~start["negative"])):
        rows.append(
            _rate(group, int(lapsed[side].sum()), float(months[side].sum()), int(side.sum()), conf_level)
        )
    frame = pd.DataFrame([*rows, _ratio(rows[0], rows[1], conf_level)])
    return frame.assign(note="" if amount_col in orders.columns else NO_AMOUNTS)


def _purchase_days(
    orders: pd.DataFrame, customer_id_col: str, amount_col: str, last: pd.Timestamp
) -> pd.DataFrame:
    check_columns(orders, customer_id_col=customer_id_col, ordered_at="ordered_at")
    rows = orders[[customer_id_col]].assign(day=local_days(orders["ordered_at"], "ordered_at"))
    known = (rows["day"] <= last).to_numpy()
    kept = purchase_lines(orders, known=known, customer_id_col=customer_id_col, amount_col=amount_col)
    return rows[kept].dropna().drop_duplicates().sort_values([customer_id_col, "day"], ignore_index=True)


def _answers(
    events: pd.DataFrame,
    stage: str,
    score_col: str,
    customer_id_col: str,
    last: pd.Timestamp,
    bought: pd.DataFrame,
    lapse_days: int,
) -> pd.DataFrame:
    """First answer of each customer at the stage while an active buyer, and its score."""
    check_occurs(events, stage, argument="stage", column="stage", slips_only=True)
    rows = events.loc[(events["stage"] == stage) & events[score_col].notna(), [customer_id_col, score_col]]
    rows["start"] = local_days(events.loc[rows.index, "occurred_at"], "occurred_at")
    rows = (
        rows[rows["start"] <= last]
        .dropna(subset=[customer_id_col, "start"])
        .sort_values(["start", score_col], kind="stable")
    )
    bought = bought.rename(columns={"day": "bought_on"}).sort_values("bought_on")
    if rows.empty or bought.empty:
        latest = rows.assign(bought_on=pd.Timestamp("NaT"))
    else:
        latest = pd.merge_asof(rows, bought, left_on="start", right_on="bought_on", by=customer_id_col)
    active = (latest["start"] - latest["bought_on"]).dt.days < lapse_days
    first = latest[active].drop_duplicates(customer_id_col)
    return first[[customer_id_col, "start"]].assign(score=first[score_col]).reset_index(drop=True)


def _rate(group: str, events: int, months: float, n: int, conf_level: float) -> dict[str, object]:
    tail = (1 - conf_level) / 2
    known = months > 0
    low = stats.gamma.ppf(tail, events) / months if known and events else 0.0
    high = stats.gamma.ppf(1 - tail, events + 1) / months if known else np.nan
    return {
        "metric": "lapse_rate",
        "group": group,
        "estimate": events / months if known else np.nan,
        "std_error": events**0.5 / months if known else np.nan,
        "conf_low": low if known else np.nan,
        "conf_high": high,
        "n": n,
        "n_events": events,
        "customer_months": months,
    }


def _ratio(one: dict, other: dict, conf_level: float) -> dict[str, object]:
    both = min(one["n_events"], other["n_events"]) > 0
    ratio = one["estimate"] / other["estimate"] if both else np.nan
    error = (1 / one["n_events"] + 1 / other["n_events"]) ** 0.5 if both else np.nan
    width = np.exp(critical_value(conf_level) * error)
    row = {"metric": "rate_ratio", "group": "negative", "estimate": ratio, "std_error": error}
    row |= {"conf_low": ratio / width, "conf_high": ratio * width, "n": one["n"] + other["n"]}
    months = one["customer_months"] + other["customer_months"]
    return {**row, "n_events": one["n_events"] + other["n_events"], "customer_months": months}
