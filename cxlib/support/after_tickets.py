"""What tickets go with: buying again and next year's amount, with and without, customers alike before."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_days
from cxlib.data.joined import joined
from cxlib.data.orders_around import orders_around
from cxlib.data.purchases import purchase_lines
from cxlib.stats.alike_before import adjusted_slopes, known_before
from cxlib.stats.hidden_cause import e_value
from cxlib.stats.intervals import critical_value
from cxlib.stats.money_means import tails_hold
from cxlib.stats.number_columns import cluster_codes
from cxlib.support.sides import side_told

#: Result by the column of `orders_around` it comes from, with the unit of its difference.
OUTCOMES = {"repeat_gap": ("has_bought", "pp"), "orders_gap": ("orders_after", "score")}
OUTCOMES |= {"amount_apart": ("amount_after", "currency")}
#: Rows per number that is adjusted for, and rows in either group.
PER_COVARIATE, LEAST = 10, 10
#: Days after an order in which a ticket counts as about it.
ABOUT_DAYS = 30
_DAY: Any = pd.Timedelta(days=1)
_COLUMNS = ["metric", "estimate", "std_error", "conf_low", "conf_high", "n", "with_mean", "without_mean"]
_COLUMNS += ["naive_estimate", "e_value", "e_value_limit", "claim", "verdict"]


def after_contacts(
    contacts: pd.DataFrame, orders: pd.DataFrame, *, as_of: dt.date | str, within_days: int = 90
) -> pd.DataFrame:
    """Set beside each matter whether it was left unsettled, and what its customer bought before and after.

    Parameters
    ----------
    contacts : DataFrame
        From `first_contacts`; those of which it is not known whether they were settled are left out.
    orders : DataFrame
        Order lines.
    as_of : date
    within_days : int
        Only matters that long ago count; the clock starts at the end of the day the ticket was opened.

    Returns
    -------
    DataFrame
        The columns of `orders_around`, `is_unsettled` (0, 1) and `by_bot` (0, 1).
    """
    known = contacts[contacts["settled"].notna() & bool(len(orders))].reset_index(drop=True)
    moments = known[["customer_id"]].assign(at=known["opened_at"].dt.normalize() + _DAY)
    moments = moments.assign(
        is_unsettled=1 - known["settled"], by_bot=(known["handled_by"] == "bot").astype(float)
    )
    return orders_around(moments, orders, as_of=as_of, within_days=within_days)


def after_orders(
    tickets: pd.DataFrame, orders: pd.DataFrame, *, as_of: dt.date | str, within_days: int = 90
) -> pd.DataFrame:
    """Set beside each order that is old enough whether a ticket followed it, and what was bought then.

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`.
    orders, as_of, within_days
        As `after_contacts`; the clock starts thirty days after the order, for those with and without alike.

    Returns
    -------
    DataFrame
        The columns of `orders_around` and `has_asked` (0, 1): a ticket within the thirty days.

    Notes
    -----
    To start the clock at the ticket for some and at the order for the others would give those who asked a
    customer's later, quieter days. Each order counts: the last one of a customer, by itself, would be one
    that nothing followed.
    """
    check_columns(orders, **{name: name for name in ("customer_id", "order_id", "ordered_at", "amount")})
    sold = orders[purchase_lines(orders) & orders["customer_id"].notna()]
    day = local_days(sold["ordered_at"], "ordered_at") + (ABOUT_DAYS + 1) * _DAY
    moments = sold[["customer_id"]].assign(at=day).drop_duplicates().sort_values(["customer_id", "at"])
    moments = moments.reset_index(drop=True)
    asked = tickets.loc[tickets["customer_id"].notna(), ["customer_id", "opened_at"]]
    pairs = joined(moments.reset_index(names="moment"), asked)
    age = pairs["at"] - pairs["opened_at"]
    near = pairs.loc[(age > 0 * _DAY) & (age <= (ABOUT_DAYS + 1) * _DAY), "moment"]
    moments["has_asked"] = moments.index.isin(near).astype(float)
    return orders_around(moments, orders, as_of=as_of, within_days=within_days)


def bought_after(
    followed: pd.DataFrame, *, flag_col: str, metric: str = "repeat_gap", conf_level: float = 0.95
) -> pd.DataFrame:
    """Give the difference after a ticket in buying again, orders or amount, customers alike before.

    Parameters
    ----------
    followed : DataFrame
        From `after_contacts` or `after_orders`.
    flag_col : str
        "is_unsettled" (against settled) or "has_asked" (against not).
    metric : {"repeat_gap", "orders_gap", "amount_apart"}
        Bought again (points of percent), number of orders, or net amount (currency).
    conf_level : float

    Returns
    -------
    DataFrame
        One row: `metric, estimate, std_error, conf_low, conf_high` (with minus without, adjusted), `n`
        (customers of the smaller group), `with_mean, without_mean` (as they were), `naive_estimate`,
        `e_value, e_value_limit` (of buying again: how strongly a hidden cause would have to go with both),
        `claim, verdict` (as `side_told`; "unknown" and "not_enough_data" without limits). No limits where
        there are fewer than 10 rows per number adjusted for or in a group, or where a few customers carry
        the amount.

    Notes
    -----
    Least squares on the flag, orders, amount, recency and tenure before, and who answered (HC1, summed by
    customer). An association: who is in trouble may have been leaving anyway. To make it an effect, draw by
    lot whose tickets get the better answer, and compare.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> people = pd.DataFrame({"customer_id": range(900), "is_unsettled": np.tile([0.0, 1, 1], 300)})
    >>> people[["orders_before", "amount_before", "recency", "tenure"]] = rng.random((900, 4))
    >>> people["has_bought"] = (rng.random(900) < 0.6 - 0.3 * people["is_unsettled"]).astype(float)
    >>> bought_after(people, flag_col="is_unsettled")["claim"].tolist()
    ['lower']
    """
    column, unit = OUTCOMES[metric]
    check_columns(followed, flag_col=flag_col, outcome=column)
    flag, outcome = (followed[name].to_numpy(dtype=float) for name in (flag_col, column))
    groups = [followed.loc[flag == side, "customer_id"].nunique() for side in (1, 0)]
    row: dict[str, Any] = {"metric": metric, "n": min(groups)}
    row |= {"claim": "unknown", "verdict": "not_enough_data"}
    if min((flag == 1).sum(), (flag == 0).sum()):
        means = [float(outcome[flag == side].mean()) for side in (1, 0)]
        row |= {"with_mean": means[0], "without_mean": means[1], "naive_estimate": means[0] - means[1]}
    known = known_before(followed)
    if "by_bot" in followed and np.ptp(followed["by_bot"]) > 0:
        known = np.column_stack([known, followed["by_bot"]])
    is_enough = min(groups) >= LEAST and len(followed) >= PER_COVARIATE * (known.shape[1] + 2)
    if is_enough:
        slopes, influence = adjusted_slopes(np.column_stack([np.ones(len(flag)), flag, known]), outcome)
        pull = np.bincount(cluster_codes(followed["customer_id"]), influence[:, 1])
        error = float(np.sqrt((pull**2).sum()))
        row["estimate"] = slopes[1]
        if error > 0 and (unit != "currency" or tails_hold(pull)):
            half = critical_value(conf_level) * error
            row |= {"std_error": error, "conf_low": slopes[1] - half, "conf_high": slopes[1] + half}
            row |= side_told(row["conf_low"], row["conf_high"], unit=unit)
    if unit == "pp" and "conf_low" in row:
        row |= _hidden_cause(row)
    return pd.DataFrame([row]).reindex(columns=_COLUMNS)


def _hidden_cause(row: dict[str, Any]) -> dict[str, float]:
    """Give E-values of the ratio that the adjusted difference means for the group without."""
    base = row["without_mean"]
    ratio, low, high = ((base + row[end]) / base for end in ("estimate", "conf_low", "conf_high"))
    near = 1.0 if low <= 1 <= high else high if ratio < 1 else low
    return {"e_value": e_value(ratio), "e_value_limit": e_value(near)}


def year_after(
    contacts: pd.DataFrame, orders: pd.DataFrame, *, as_of: dt.date | str, conf_level: float = 0.95
) -> pd.DataFrame:
    """Give the difference in orders and in amount of the year after matters left open (`bought_after`).

    Parameters
    ----------
    contacts, orders, as_of
        As `after_contacts`.
    conf_level : float

    Returns
    -------
    DataFrame
        Rows "orders_gap" and "amount_apart" of `bought_after`.
    """
    followed = after_contacts(contacts, orders, as_of=as_of, within_days=365)
    how: dict[str, Any] = {"flag_col": "is_unsettled", "conf_level": conf_level}
    rows = [bought_after(followed, metric=metric, **how) for metric in ("orders_gap", "amount_apart")]
    return pd.DataFrame([row.iloc[0].to_dict() for row in rows], columns=_COLUMNS)
