"""A change of owner: whether accounts order less after it, and deals are won more slowly, than others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from cxlib.checks import ParameterError, check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.deals import deal_day, deal_spells
from cxlib.stats.event_study.staggered import att_gt
from cxlib.stats.intervals import Interval
from cxlib.stats.verdicts import limits_verdict

#: Months followed, and chance of a false alarm at which months before a change are called apart.
MONTHS, APART = 12, 0.05
#: Months before a change that must not differ from the earlier ones.
LATELY = 3
_COLUMNS = ["metric", "event_time", *Interval._fields, "n", "customers", "p_before"]


def account_months(
    deals: pd.DataFrame, orders: pd.DataFrame, *, as_of: dt.date | str, n_months: int = MONTHS
) -> pd.DataFrame:
    """One row per account and month: whether it ordered, and the month in which its owner changed.

    Parameters
    ----------
    deals
        `customer_id, created_on` and `owner_since`: a deal whose owner came later than it was handed over on
        that day, and its account with it. Earlier changes of the same deal are not in the table.
    orders
        Order lines: `customer_id, ordered_at`.
    as_of
        Last day known; only whole months up to it count.
    n_months
        Months followed.

    Returns
    -------
    DataFrame
        `customer_id, month` (number), `active` (1: ordered, else 0), `change_month` (of the first change;
        missing: none in
        these months). Accounts with a deal that had ordered before the first month, and whose owner had not
        changed before it. No rows where `owner_since` is not recorded, or nobody ordered.

    Examples
    --------
    >>> day = pd.Timestamp("2025-01-01")
    >>> deals = pd.DataFrame({"customer_id": ["a", "b"], "created_on": day,
    ...     "owner_since": [day, pd.Timestamp("2026-03-05")]})
    >>> orders = pd.DataFrame({"customer_id": ["a", "b"], "ordered_at": day})
    >>> rows = account_months(deals, orders, as_of="2026-06-30", n_months=6)
    >>> rows.groupby("customer_id")["change_month"].first().notna().tolist()
    [False, True]
    """
    check_columns(deals, customer_id="customer_id")
    names = ["customer_id", "month", "active", "change_month"]
    if orders.empty or "owner_since" not in deals or not deals["owner_since"].notna().any():
        return pd.DataFrame(columns=names)
    after = pd.Timestamp(to_date(as_of)) + pd.Timedelta(days=1)
    months = np.arange(n_months) + int(_month(pd.Series([after]))[0]) - n_months
    since, created = deal_day(deals, "owner_since"), deal_day(deals, "created_on")
    handed = deals[(since > created) & (since < after)]
    change = pd.Series(_month(since[handed.index]), index=handed["customer_id"]).groupby(level=0).min()
    own = orders[orders["customer_id"].isin(deals["customer_id"])]
    days = local_days(own["ordered_at"], "ordered_at")
    held = pd.DataFrame({"customer_id": own["customer_id"], "month": _month(days)})
    first = held.groupby("customer_id")["month"].min()
    known = first.index[first < months[0]]
    known = known[~known.isin(change.index[change < months[0]])]
    panel = pd.MultiIndex.from_product([known, months], names=names[:2]).to_frame(index=False)
    done = pd.MultiIndex.from_frame(held.drop_duplicates())
    active = pd.MultiIndex.from_frame(panel).isin(done).astype(float)
    changed = change.where(change <= months[-1])
    return panel.assign(active=active, change_month=panel["customer_id"].map(changed).astype(float))


def change_study(panel: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Event study: how many more or fewer accounts order in the months around a change of owner.

    Parameters
    ----------
    panel
        As `account_months`.
    conf_level
        Of the mean over all months after; the months' own limits hold for all of them together.

    Returns
    -------
    DataFrame
        First the mean over the months after (`metric` "active_after", without `event_time`), then a row per
        month since the change ("active_change", `event_time`; below 0: before it): `estimate, std_error,
        conf_low, conf_high` (points of the share of accounts that order in a month, against accounts
        whose owner did not change, or not yet, since the mean of the months before), `n` (accounts that
        changed in it), `customers` (all accounts), `p_before` (test that both moved alike before: the
        three months before the change against the earlier ones). No rows without accounts of both kinds.

    Notes
    -----
    Group-time effects (`att_gt`, base: mean of the months before). Accounts are not handed over by lot: who
    leaves, and which accounts are passed on, may hang together with how these were doing.

    References
    ----------
    Callaway & Sant'Anna (2021) Journal of Econometrics 225.

    Examples
    --------
    >>> active = [1.0, 1, 0, 0] * 2 + [1, 1, 1, 1, 1, 1, 0, 1]
    >>> panel = pd.DataFrame({"customer_id": np.repeat(list("abcd"), 4), "month": [1, 2, 3, 4] * 4,
    ...     "active": active, "change_month": np.repeat([3.0, 3.0, np.nan, np.nan], 4)})
    >>> change_study(panel)["estimate"].round(2).tolist()[0]
    -0.75
    """
    names: dict[str, Any] = {"outcome_col": "active", "unit_col": "customer_id", "time_col": "month"}
    how: dict[str, Any] = {"control": "not_yet", "base": "mean", "conf_level": conf_level}
    try:
        result = att_gt(panel, **names, start_col="change_month", **how)
    except ParameterError:  # nobody whose owner changed, or nobody else
        return pd.DataFrame(columns=_COLUMNS)
    by_month = result.aggregate("dynamic", band="simultaneous").iloc[1:].assign(metric="active_change")
    rows = pd.concat([result.aggregate().assign(metric="active_after"), by_month], ignore_index=True)
    p_before = _trend_before(*result.event_study())
    return rows.assign(customers=panel["customer_id"].nunique(), p_before=p_before).reindex(columns=_COLUMNS)


def _trend_before(around: pd.DataFrame, covariance: Any) -> float:
    """p-value of a difference between the last months before a change and those before them."""
    event, n = around["event_time"].to_numpy(), around["n_treated"].to_numpy(float)
    near, far = n * ((event < 0) & (event >= -LATELY)), n * (event < -LATELY)
    if not (near.any() and far.any()):
        return float("nan")
    weight = near / near.sum() - far / far.sum()
    error = float(np.sqrt(weight @ covariance @ weight))
    gap = float(weight @ around["estimate"].to_numpy())
    return float(2 * norm.sf(abs(gap) / error)) if error > 0 else float("nan")


def change_told(study: pd.DataFrame, *, min_cell: int = 10) -> dict[str, Any]:
    """Judge the months after a change of owner: fewer, more, or no difference shown.

    Parameters
    ----------
    study
        As `change_study`.
    min_cell
        Least accounts that changed, and that did not.

    Returns
    -------
    dict
        The row "active_after" with `claim` ("fewer", "more", "alike"; "apart_before" where both did not move
        alike before, so that what came after is no sign of the change) and `verdict`; a `note` where too few
        accounts changed their owner.

    Examples
    --------
    >>> row = {"metric": "active_after", "estimate": -0.2, "conf_low": -0.3, "conf_high": -0.1, "n": 40}
    >>> change_told(pd.DataFrame([row | {"customers": 200, "p_before": 0.4}]))["claim"]
    'fewer'
    """
    after = study[study["metric"] == "active_after"]
    row: dict[str, Any] = {str(name): held for name, held in after.iloc[0].items()} if len(after) else {}
    enough = bool(row) and min(row["n"], row["customers"] - row["n"]) >= min_cell
    if not enough or pd.isna(row["conf_low"]):
        return {"note": "sales.few_changes", "min_cell": min_cell}
    sides: dict[str, Any] = {"above": "more", "below": "fewer", "neither": "alike"}
    claim = limits_verdict(row["conf_low"], row["conf_high"], unit="pp", **sides)
    claim = "apart_before" if row["p_before"] < APART else claim
    verdict = {"alike": "no_difference_shown", "apart_before": "unknown"}.get(str(claim), "differ")
    return row | {"claim": claim, "verdict": verdict}


def change_months(study: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Give the months around a change of owner that enough accounts stand for; none where nothing is told.

    Examples
    --------
    >>> change_months(pd.DataFrame(columns=["metric", "event_time", "n"])).empty
    True
    """
    if "note" in change_told(study, min_cell=min_cell):
        return study.iloc[:0]
    enough = (study["n"] >= min_cell) & study["conf_low"].notna()
    return study[enough & (study["metric"] == "active_change")].reset_index(drop=True)


def handed_over(deals: pd.DataFrame, *, as_of: dt.date | str, conf_level: float = 0.95) -> pd.DataFrame:
    """Wins of deals after their owner changed, against the pace of deals of the same age that were not.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `customer_id` and `owner_since`: a deal whose owner came later than it was
        handed over on that day. Earlier changes are not in the table.
    as_of
        Last day known, inclusive.
    conf_level
        Level of the interval (exact, Poisson).

    Returns
    -------
    DataFrame
        One row: `metric` ("pace_ratio"), `estimate` (wins seen over wins expected; 1: as if nothing had been
        handed over), `conf_low, conf_high, wins, expected, n` (deals handed over), `customers`. None without a
        handed-over deal, or with fewer than two expected wins.

    Notes
    -----
    Expected: the daily chance of a win at each age among deals not (yet) handed over, added up over the days
    on which a handed-over deal was open afterwards. A deal counts as not handed over until the day it was, so
    that time before a change is not mistaken for an effect of it. Who is handed over is no lottery.

    References
    ----------
    Breslow & Day (1987) Statistical Methods in Cancer Research II, ch. 2 (observed over expected).

    Examples
    --------
    >>> days = pd.Timestamp("2026-01-01")
    >>> deals = pd.DataFrame({"customer_id": range(40), "created_on": days, "is_won": [True] * 20 + [False] * 20,
    ...     "closed_on": days + pd.Timedelta(days=20), "owner_since": [days] * 30 + [days + pd.Timedelta(days=9)] * 10})
    >>> handed_over(deals, as_of="2026-12-31")[["wins", "expected"]].round(1).to_numpy().tolist()
    [[0.0, 6.7]]
    """  # noqa: E501
    columns = ["metric", "estimate", "conf_low", "conf_high", "wins", "expected", "n", "customers"]
    none = pd.DataFrame(columns=columns)
    if "owner_since" not in deals:
        return none
    spells = deal_spells(deals, as_of=as_of)
    change = (deal_day(spells, "owner_since") - deal_day(spells, "created_on")).dt.days
    changed = ((change > 0) & (change < spells["days"])).to_numpy()
    length, won = spells["days"].to_numpy(), (spells["outcome"] == "won").to_numpy()
    before = np.where(changed, change.fillna(0), length).astype(int)
    size = int(length.max(initial=0)) + 2
    watched = np.cumsum(np.bincount(before, minlength=size)[::-1])[::-1]
    wins = np.bincount(length[won & ~changed], minlength=size)
    hazard = np.cumsum(np.divide(wins, watched, out=np.zeros(size), where=watched > 0))
    expected = float((hazard[length[changed]] - hazard[before[changed]]).sum())
    seen = int(won[changed].sum())
    if not changed.any() or expected < 2:
        return none
    tail = (1 - conf_level) / 2
    low = chi2.ppf(tail, 2 * seen) / 2 if seen else 0.0
    limits = {"conf_low": low / expected, "conf_high": chi2.ppf(1 - tail, 2 * seen + 2) / 2 / expected}
    counts = {"wins": seen, "expected": expected, "n": int(changed.sum())}
    counts["customers"] = int(spells.loc[changed, "customer_id"].nunique())
    return pd.DataFrame([{"metric": "pace_ratio", "estimate": seen / expected, **limits, **counts}])[columns]


def _month(days: pd.Series) -> Any:
    return days.to_numpy().astype("datetime64[M]").astype(np.int64)
