"""Rules that turn measures of customers into lists for action, with the evidence behind each rule."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.rules.conditions import holds
from cxlib.data.rules.rule_files import Action, Actions, load_rules
from cxlib.data.tables.data_set import DataSet
from cxlib.stats.intervals import Interval, share_difference_interval
from cxlib.stats.money_means import money_difference


def actions(
    customers: pd.DataFrame,
    *,
    tested: pd.DataFrame | None = None,
    rules: Actions | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tabulate each action's customers, the money at stake, and what such customers did next.

    Parameters
    ----------
    customers : pandas.DataFrame
        As they stand now, with `monetary_total` and the measures that the rules name; with
        `amount_past_year` (money of the past 365 days) that is summed too.
    tested : pandas.DataFrame, optional
        Customers as they stood earlier, with the same measures and `next_orders, next_amount` (as
        `next_period`): the evidence.
    rules : Actions, optional
        Default: the handbook's `actions`.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `action, metric` (repeat_gap: repeat rate of customers the rule chose earlier minus that of the rest,
        -1…1)`, estimate, std_error, conf_low, conf_high, n` (customers now)`, amount_past_year` (what they
        bring in a year as it is: at stake where customers still buy)`, amount` (their sales so far: at stake
        where they stopped)`, n_tested` (chosen earlier)`, repeat_rate, next_amount` (mean money of the chosen
        in the next period)`, spend_gap, spend_gap_conf_low, spend_gap_conf_high` (that minus the mean of the
        rest)`, note`, in the order of the rules. `note` is "measure_missing" where the data lack a measure; a
        customer may stand in several lists.

    Raises
    ------
    ParameterError
        If `monetary_total` (or `next_orders`, `next_amount` of `tested`) is missing.

    Notes
    -----
    The gap says whether the rule finds customers who behave differently, not what acting on them would
    change: that takes a control group. Difference of shares with Newcombe's interval, of means with
    Welch's unless a few customers carry it (`money_difference`).

    Examples
    --------
    >>> base = pd.DataFrame({"r_score": [5, 1], "f_score": [5, 4], "m_score": [1, 5], "frequency": [4, 5]})
    >>> base = base.assign(monetary_total=[3.0, 9.0], recency_days=[3, 300])
    >>> actions(base)[["action", "n", "amount"]].head(3).values.tolist()
    [['bundle', 1, 3.0], ['special_service', 0, 0.0], ['win_back', 1, 9.0]]
    """
    check_columns(customers, monetary_total_col="monetary_total")
    if tested is not None:
        check_columns(tested, next_orders_col="next_orders", next_amount_col="next_amount")
    rows = [
        _row(action, customers, tested, conf_level) for action in (rules or load_rules("actions")).actions
    ]
    spend = ["next_amount", "spend_gap", "spend_gap_conf_low", "spend_gap_conf_high"]
    numbers = [*Interval._fields, "amount_past_year", "amount", "repeat_rate", *spend]
    columns = ["action", "metric", *Interval._fields, "n", "amount_past_year", "amount", "n_tested"]
    table = pd.DataFrame(rows, columns=[*columns, "repeat_rate", *spend, "note"])
    return table.astype({"n": "Int64", "n_tested": "Int64"} | dict.fromkeys(numbers, "float64"))


def list_customers(customers: pd.DataFrame, action: str, *, rules: Actions | None = None) -> pd.DataFrame:
    """List the customers one action is for: the working list behind `actions`, for people allowed to see ids.

    Parameters
    ----------
    customers : pandas.DataFrame
        With the measures that the rule names.
    action : str
        Id of the action.
    rules : Actions, optional
        Default: the handbook's `actions`.

    Returns
    -------
    pandas.DataFrame
        Their rows of the table, in its order.

    Raises
    ------
    ParameterError
        If the action does not exist (all that do are listed), or a measure is missing.

    Examples
    --------
    >>> base = pd.DataFrame({"customer_id": ["a", "b"], "f_score": [5, 1], "m_score": [1, 1]})
    >>> list_customers(base, "bundle")["customer_id"].tolist()
    ['a']
    """
    known = {rule.id: rule for rule in (rules or load_rules("actions")).actions}
    if action not in known:
        from cxlib.checks import fail_option

        fail_option("action", action, known)
    return customers[holds(customers, known[action].when)].reset_index(drop=True)


def customers_by_action(
    customers: pd.DataFrame, names: Iterable[str], *, rules: Actions | None = None
) -> pd.DataFrame:
    """Put `list_customers` of several actions below one another, the action as the index.

    Examples
    --------
    >>> base = pd.DataFrame({"customer_id": ["a", "b"], "f_score": [5, 1], "m_score": [1, 1]})
    >>> customers_by_action(base, ["bundle"])["customer_id"].to_dict()
    {'bundle': 'a'}
    """
    lists = {name: list_customers(customers, name, rules=rules) for name in names}
    if not lists:
        return customers.head(0).rename_axis(index="action")
    return pd.concat(lists, names=["action"]).droplevel(1)


def with_last_score(customers: pd.DataFrame, data_set: DataSet, *, day: date) -> pd.DataFrame:
    """Add each customer's latest `nps_score` up to a day; nothing where the data set holds none.

    Parameters
    ----------
    customers : pandas.DataFrame
        With `customer_id`.
    data_set : DataSet
        Its table `responses` is read.
    day : date
        Last day of the answers.
    """
    if not data_set.has("responses", "nps_score"):
        return customers
    answers = data_set.table("responses", end=day).dropna(subset=["customer_id", "nps_score"])
    latest = answers.sort_values("answered_at", kind="stable").groupby("customer_id")["nps_score"].last()
    return customers.assign(nps_score=customers["customer_id"].map(latest))


def _row(
    action: Action, customers: pd.DataFrame, tested: pd.DataFrame | None, conf_level: float
) -> dict[str, Any]:
    measures = {condition.measure for condition in action.when}
    if not measures <= set(customers.columns):
        return {"action": action.id, "metric": "repeat_gap", "note": "measure_missing"}
    chosen = holds(customers, action.when)
    row: dict[str, Any] = {"action": action.id, "metric": "repeat_gap", "n": int(chosen.sum()), "note": ""}
    row["amount"] = float(customers.loc[chosen, "monetary_total"].sum())
    if "amount_past_year" in customers.columns:
        row["amount_past_year"] = float(customers.loc[chosen, "amount_past_year"].sum())
    if tested is None or not measures <= set(tested.columns):
        return row
    return row | _evidence(tested, holds(tested, action.when).to_numpy(), conf_level)


def _evidence(tested: pd.DataFrame, then: np.ndarray, conf_level: float) -> dict[str, Any]:
    """Compare what the customers chosen earlier did next with what the rest did: orders and money."""
    again, money = (tested["next_orders"] > 0).to_numpy(), tested["next_amount"].to_numpy(dtype=float)
    counts = [int(np.sum(again & then)), int(then.sum()), int(np.sum(again & ~then)), int((~then).sum())]
    gap = share_difference_interval(*counts, conf_level=conf_level)
    has_chosen = counts[1] > 0
    return gap._asdict() | {
        "n_tested": counts[1],
        "repeat_rate": counts[0] / counts[1] if has_chosen else np.nan,
        "next_amount": float(money[then].mean()) if has_chosen else np.nan,
        **_spend_gap(money[then], money[~then], conf_level),
    }


def _spend_gap(chosen: np.ndarray, rest: np.ndarray, conf_level: float) -> dict[str, float]:
    """Difference of mean money, its limits missing where a few customers carry it; nothing without a rest."""
    if min(len(chosen), len(rest)) < 2:
        return {}
    gap = money_difference(chosen, rest, conf_level=conf_level).iloc[0]
    return {
        "spend_gap": float(gap["estimate"]),
        "spend_gap_conf_low": float(gap["conf_low"]),
        "spend_gap_conf_high": float(gap["conf_high"]),
    }
