"""What customers ask, per 100 orders and not as counts, and whether that changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.purchases import purchase_lines
from cxlib.stats.arrays import Array
from cxlib.stats.first_place import leading
from cxlib.stats.intervals import critical_value
from cxlib.stats.number_columns import cluster_codes
from cxlib.stats.verdicts import limits_verdict

EVERY, UNKNOWN = "every_reason", "not_recorded"
_CHANGE = ["before", "change", "change_std_error", "change_conf_low", "change_conf_high"]
_COLUMNS = ["metric", "estimate", "std_error", "conf_low", "conf_high", "n", "n_tickets", "n_orders"]
_COLUMNS += ["share", "cumulative_share", *_CHANGE, "verdict", "days"]


def reasons(
    tickets: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    days: int = 180,
    by: str = "reason",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tickets per 100 orders of the last `days`, by reason, and the change against the `days` before.

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`; a missing reason is one of its own, "not_recorded".
    orders : DataFrame
        Order lines: `customer_id, order_id, ordered_at, amount`. Purchases are counted (`purchase_lines`).
    as_of : date
    days : int
        Length of both windows.
    by : str
        Column of `tickets` to split by.
    conf_level : float
        Of the figures; the changes hold together at this level.

    Returns
    -------
    DataFrame
        First all tickets (`by` "every_reason"), then the reasons, the most frequent first: `by, metric`
        ("per_100_orders"), `estimate, std_error, conf_low, conf_high`, `n` (customers who asked), `n_tickets,
        n_orders` (of the window), `share` (of the tickets), `cumulative_share`, `before`, `change` (now −
        before), its error and limits, `verdict` ("worse" for more tickets, "better" for fewer,
        "no_difference_shown"; missing, as the change is, where orders or tickets begin more than a quarter of
        the window after its first day), `days` (of the last window, as far as anything is known). Without
        orders no rows.

    Raises
    ------
    ParameterError
        Unknown column.

    Notes
    -----
    Σ tickets ÷ Σ orders with the error of a ratio, customers as clusters, who may have orders and tickets in
    both windows; limits of a rate on the log scale. Where nobody asked, the exact limit of a count of 0
    widens the change's (Zou and Donner). Who orders more asks more: a count says how many orders there are, a
    rate how often one leads to a question.

    References
    ----------
    Cochran (1977) *Sampling Techniques*, ch. 6. Zou and Donner (2008), Statistics in Medicine 27, 1693–1702.

    Examples
    --------
    >>> day = pd.to_datetime(["2026-03-01"] * 200)
    >>> orders = pd.DataFrame({"customer_id": range(200), "order_id": range(200), "ordered_at": day})
    >>> asked = pd.DataFrame({"customer_id": range(10), "opened_at": day[:10], "reason": "late"})
    >>> reasons(asked, orders, as_of="2026-03-31", days=90)["estimate"].tolist()
    [5.0, 5.0]
    """
    check_columns(tickets, customer_id="customer_id", opened_at="opened_at", by=by)
    check_columns(orders, **{name: name for name in ("customer_id", "order_id", "ordered_at")})
    end = pd.Timestamp(to_date(as_of))
    bought = orders[purchase_lines(orders)].drop_duplicates(["customer_id", "order_id"])
    people = cluster_codes(pd.concat([tickets["customer_id"], bought["customer_id"]], ignore_index=True))
    asked_by, bought_by = people[: len(tickets)], people[len(tickets) :]
    ages = [
        (end - local_days(table[name], name)).dt.days
        for table, name in ((tickets, "opened_at"), (bought, "ordered_at"))
    ]
    windows = [[((age >= start) & (age < start + days)).to_numpy() for age in ages] for start in (0, days)]
    size = int(people.max(initial=-1)) + 1
    exposed = [np.bincount(bought_by[placed], minlength=size) for _, placed in windows]
    if not exposed[0].sum():
        return pd.DataFrame(columns=[by, *_COLUMNS])
    label = tickets[by].astype(object).fillna(UNKNOWN)
    names = label[windows[0][0]].value_counts().sort_index().sort_values(ascending=False)
    family = 1 - (1 - conf_level) / (len(names) + 1)
    rows = []
    for name in [EVERY, *names.index]:
        own = np.ones(len(label), bool) if name is EVERY else (label == name).to_numpy(dtype=bool)
        asked = [np.bincount(asked_by[own & opened], minlength=size) for opened, _ in windows]
        rows.append({by: name, **_rate(asked, exposed, conf_level, family)})
    found = pd.DataFrame(rows)
    if min(age.max() if len(age) else 0 for age in ages) < 2 * days - 1 - days // 4:
        found[_CHANGE] = np.nan
    share = found["n_tickets"] / max(int(found["n_tickets"].iloc[0]), 1)
    cumulative = share.iloc[1:].cumsum().reindex(share.index)
    known = min(days, 1 + int(max(age.max() for age in ages if len(age))))
    found = found.assign(metric="per_100_orders", share=share, cumulative_share=cumulative, days=known)
    said = limits_verdict(found["change_conf_low"], found["change_conf_high"], above="worse", below="better")
    found["verdict"] = pd.Series(said, dtype=object).where(found["change"].notna(), None)
    return found[[by, *_COLUMNS]]


def rates_by_group(
    tickets: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    by: str | None,
    days: int = 180,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Give the tickets per 100 orders of each group of customers: the first row of `reasons` for each.

    Parameters
    ----------
    tickets, orders
        As `reasons`, both with the column `by`.
    as_of, days, conf_level
        As `reasons`.
    by : str or None
        A missing value is a group; no rows without a column.

    Returns
    -------
    DataFrame
        `by, metric, estimate, std_error, conf_low, conf_high, n, n_tickets, n_orders`.
    """
    if by is None:
        return pd.DataFrame(columns=_COLUMNS[:8])
    check_columns(tickets, by=by)
    check_columns(orders, by=by)
    rows = []
    groups: Any = orders.groupby([by], dropna=False, observed=True)
    for (name,), bought in groups:
        own = tickets[tickets[by].isna() if pd.isna(name) else tickets[by] == name]
        found = reasons(own, bought, as_of=as_of, days=days, conf_level=conf_level).head(1)
        rows += [{by: name, **row} for row in found[_COLUMNS[:8]].to_dict("records")]
    return pd.DataFrame(rows, columns=[by, *_COLUMNS[:8]])


def circular_rates(by: str | None) -> list[dict[str, Any]]:
    """Say that segments are made from the orders that tickets are counted per, where they are the groups.

    Examples
    --------
    >>> [len(circular_rates(by)) for by in ("segment", "region", None)]
    [1, 0, 0]
    """
    note = {"note": "support.segment_circular", "note_level": "warning", "only_here": True}
    return [note] if by == "segment" else []


def _rate(asked: list[Any], exposed: list[Any], conf_level: float, family: float) -> dict[str, Any]:
    """Rate of the last window with its limits, and its change from the window before."""
    total = [int(each.sum()) for each in exposed]
    rate = [100 * a.sum() / t if t else np.nan for a, t in zip(asked, total, strict=True)]
    pull = [
        (100 * a - r * e) / t if t else np.full(len(a), np.nan)
        for a, e, t, r in zip(asked, exposed, total, rate, strict=True)
    ]
    seen = int(((asked[0] > 0) | (exposed[0] > 0)).sum())
    error = _error(pull[0], seen)
    t = critical_value(conf_level, df=max(seen - 1, 1))
    low, high = (rate[0] * np.exp(side * t * error / rate[0]) if rate[0] else np.nan for side in (-1, 1))
    if not rate[0]:
        low, high = 0.0, _limit_of_none(conf_level, total[0])
    apart = _error(pull[0] - pull[1], int(((asked[1] > 0) | (exposed[1] > 0) | (exposed[0] > 0)).sum()))
    reach = critical_value(family) * apart
    none = [0.0 if r != 0 else _limit_of_none(family, t) for r, t in zip(rate, total, strict=True)]
    up, down = (np.hypot(reach if any(rate) else 0.0, limit) for limit in none)
    change = rate[0] - rate[1]
    row = {"estimate": rate[0], "std_error": error, "conf_low": low, "conf_high": high}
    row |= {"n": int((asked[0] > 0).sum()), "n_tickets": int(asked[0].sum()), "n_orders": total[0]}
    return row | dict(zip(_CHANGE, (rate[1], change, apart, change - down, change + up), strict=True))


def _limit_of_none(level: float, orders: int) -> float:
    """Exact upper limit of a rate per 100 orders of which none led to a ticket."""
    return float(-100 * np.log((1 - level) / 2) / orders)


def _error(pull: Array, n: int) -> float:
    spread = float(np.sqrt((pull**2).sum() * n / (n - 1))) if n > 1 else np.nan
    return spread if spread > 0 else np.nan


def top_reason(rates: pd.DataFrame, *, by: str = "reason") -> pd.DataFrame:
    """Tell which reason is asked most often, and whether it is shown to be ahead of the next.

    Parameters
    ----------
    rates
        Result of `reasons`, small rows blanked.
    by
        Its column of reasons.

    Returns
    -------
    DataFrame
        One row, none without an estimate: the reason's row, `second_reason`, and `claim` ("first", "among",
        "only"); `verdict` ("leads" where it is first).

    Examples
    --------
    >>> rates = pd.DataFrame({"reason": ["every_reason", "late", "use"], "estimate": [5.0, 3, 2],
    ...     "conf_low": [4.0, 2.6, 1.6], "conf_high": [6.0, 3.4, 2.4]})
    >>> top_reason(rates)[["reason", "second_reason", "claim"]].to_numpy().tolist()
    [['late', 'use', 'first']]
    """
    own = rates[~rates[by].isin([EVERY, UNKNOWN])]
    leads = leading(own, name_col=by, unit="score")
    first = own[(own[by] == leads["first"]) & own["estimate"].notna()].head(1).reset_index(drop=True)
    verdict = "leads" if leads["rank"] == "first" else None  # the limits are the reason's own, not the lead's
    return first.assign(second_reason=leads["second"], claim=leads["rank"], verdict=verdict)


def changed_reasons(rates: pd.DataFrame, *, by: str = "reason") -> pd.DataFrame:
    """Rows of `reasons` whose change is shown, the total first; one row that says so where none is, or known.

    Examples
    --------
    >>> rates = pd.DataFrame({"reason": ["late"], "estimate": 1.0, "change": 0.0})
    >>> changed_reasons(rates.assign(verdict="no_difference_shown"))["verdict"][0]
    'no_difference_shown'
    """
    moved = rates[rates["verdict"].isin(["worse", "better"])].reset_index(drop=True)
    if rates["estimate"].notna().any() and rates["change"].isna().all():
        return pd.DataFrame([{by: EVERY, "note": "not_told", "note_level": "info"}])
    if len(moved) or rates["verdict"].isna().all():
        return moved
    return pd.DataFrame([{by: EVERY, "verdict": "no_difference_shown"}])
