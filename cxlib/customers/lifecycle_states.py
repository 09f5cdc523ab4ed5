"""Lifecycle stages and attitude states from rule files, dated: who is in which, who moves, what to do.

Rules are read in order and the first whose conditions all hold wins, so every customer is in one state on a
day. How many further rules would have claimed the customer is kept, because an overlap is a question to the
rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import check_columns
from cxlib.customers.rule_states import states_by_rules
from cxlib.data.rules.conditions import bounds
from cxlib.data.rules.rule_files import Condition, States, load_rules
from cxlib.stats.intervals import Interval, share_interval


def lifecycle_stages(
    customers: pd.DataFrame,
    orders: Any,
    *,
    as_of: object | Sequence[object],
    deals: pd.DataFrame | None = None,
    timezone: str | None = None,
    rules: States | None = None,
) -> pd.DataFrame:
    """Tell each customer's lifecycle stage (new lead, negotiation, customer, repeater, lapsed) on given days.

    Parameters
    ----------
    customers : pandas.DataFrame
        With `customer_id` and `first_seen_on`; who was not seen by a day has no stage on it.
    orders : frame of any engine narwhals knows
        Order lines.
    as_of : date, str or Timestamp, or a sequence of them
        Days at whose end the stage is told.
    deals : pandas.DataFrame, optional
        With `customer_id, created_on, closed_on` and `is_won` if known, for `open_deals` (as in
        `deal_facts`); without them it is 0 for everybody.
    timezone : str, optional
        As `summarise_customers`.
    rules : States, optional
        Default: the handbook's `lifecycle`.

    Returns
    -------
    pandas.DataFrame
        `as_of, customer_id, state, claims` (rules that would claim the customer, without the catch-all and
        without rules that the winning one implies: they were written for those it leaves), by day and
        customer.

    Raises
    ------
    ParameterError
        If a column or a measure that the rules name is missing (nearest names).

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": ["a", "b"], "first_seen_on": pd.Timestamp("2026-01-01")})
    >>> lines = pd.DataFrame({"customer_id": ["a"], "order_id": ["1"], "amount": [9.0],
    ...                       "ordered_at": pd.to_datetime(["2026-01-05"])})
    >>> lifecycle_stages(people, lines, as_of=["2026-01-03", "2026-01-31"])["state"].tolist()
    ['new_lead', 'new_lead', 'customer', 'new_lead']
    """
    known = {"lifecycle": rules or load_rules("lifecycle")}
    settings: dict[str, Any] = {"as_of": as_of, "deals": deals, "timezone": timezone}
    return states_by_rules(customers, orders, rules=known, **settings)["lifecycle"]


def attitude_states(
    customers: pd.DataFrame,
    orders: Any,
    *,
    as_of: object | Sequence[object],
    deals: pd.DataFrame | None = None,
    timezone: str | None = None,
    rules: States | None = None,
    keep: Sequence[str] = (),
) -> pd.DataFrame:
    """Tell each customer's attitude state (interested, unconvinced, wondering, convinced, lapsed) on days.

    Parameters
    ----------
    customers, orders, as_of, deals, timezone
        As `lifecycle_stages`.
    rules : States, optional
        Default: the handbook's `states`.
    keep : sequence of str
        Measures of the day to keep beside the state, such as `frequency, recency_days, tenure_days` (missing
        before the first order).

    Returns
    -------
    pandas.DataFrame
        As `lifecycle_stages`, with the columns kept. The state is what the orders suggest, not what the
        customer said.

    Raises
    ------
    ParameterError
        As `lifecycle_stages`.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": ["a"], "first_seen_on": pd.to_datetime(["2026-01-01"])})
    >>> lines = pd.DataFrame({"customer_id": ["a"], "order_id": ["1"], "amount": [9.0],
    ...                       "ordered_at": pd.to_datetime(["2026-01-05"])})
    >>> attitude_states(people, lines, as_of=["2026-01-31", "2026-05-31"])["state"].tolist()
    ['not_yet_convinced', 'wondering']
    """
    known = {"state": rules or load_rules("states")}
    settings: dict[str, Any] = {"as_of": as_of, "deals": deals, "timezone": timezone, "keep": keep}
    return states_by_rules(customers, orders, rules=known, **settings)["state"]


def state_table(states: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Tabulate how many customers are in each state on each day, as a share (0–1) with Wilson's interval.

    Parameters
    ----------
    states : pandas.DataFrame
        As `lifecycle_stages` or `attitude_states`.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `as_of, state, metric` (prevalence), `estimate, std_error, conf_low, conf_high, n` (in the state),
        `of` (seen by that day), `contested` (of n, claimed by more than one rule).

    Raises
    ------
    ParameterError
        If a column is missing.

    Examples
    --------
    >>> day = pd.Timestamp("2026-01-31")
    >>> states = pd.DataFrame({"as_of": day, "customer_id": ["a", "b"], "state": ["x", "y"], "claims": 1})
    >>> state_table(states)["n"].tolist()
    [1, 1]
    """
    check_columns(states, **{f"{c}_col": c for c in ("as_of", "customer_id", "state", "claims")})
    held = states.assign(contested=states["claims"] > 1).groupby(["as_of", "state"], sort=True)
    rows = held.agg(n=("customer_id", "size"), contested=("contested", "sum")).reset_index()
    rows["of"] = rows.groupby("as_of")["n"].transform("sum")
    interval = share_interval(rows["n"].to_numpy(dtype=float), rows["of"].to_numpy(), conf_level=conf_level)
    rows = rows.assign(metric="prevalence", **interval._asdict())
    return rows[["as_of", "state", "metric", *Interval._fields, "n", "of", "contested"]]


def state_transitions(states: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Tabulate moves between consecutive days: probability (0–1) of each next state, given the present one.

    Parameters
    ----------
    states : pandas.DataFrame
        As `lifecycle_stages` or `attitude_states`, on at least two days.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `state, next_state, metric` (transition), `estimate, std_error, conf_low, conf_high, n` (moves), `of`
        (times somebody was in the state with a next day). Rows of a state sum to 1.

    Raises
    ------
    ParameterError
        If a column is missing.

    Notes
    -----
    Pooled over the days and read per step: the days should be equally far apart. Wilson's interval treats
    moves as independent; with several steps per customer it is somewhat too narrow.

    References
    ----------
    Anderson & Goodman (1957) Annals of Mathematical Statistics 28, 89–110.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-31", "2026-02-28"])
    >>> states = pd.DataFrame({"as_of": days, "customer_id": "a", "state": ["x", "y"]})
    >>> state_transitions(states)["next_state"].tolist()
    ['y']
    """
    check_columns(states, **{f"{c}_col": c for c in ("as_of", "customer_id", "state")})
    who, order, _ = _by_customer(states)
    code, names = pd.factorize(states["state"], sort=True)
    code = code[order]
    moved = np.append(who[1:] == who[:-1], False)[: len(who)]
    moved &= (code >= 0) & (np.append(code[1:], -1)[: len(code)] >= 0)
    place = np.flatnonzero(moved)
    pair = code[place] * len(names) + code[place + 1]
    times = np.bincount(pair, minlength=len(names) ** 2)
    made, found = np.unique(who[place] * times.size + pair), np.flatnonzero(times)
    people = np.bincount(made % max(times.size, 1), minlength=times.size)
    ends = np.divmod(found, max(len(names), 1))
    rows = pd.DataFrame(
        {name: names.take(at) for name, at in zip(("state", "next_state"), ends, strict=True)}
    )
    rows = rows.assign(n=times[found], customers=people[found])
    rows["of"] = rows.groupby("state")["n"].transform("sum")
    interval = share_interval(rows["n"].to_numpy(dtype=float), rows["of"].to_numpy(), conf_level=conf_level)
    rows = rows.assign(metric="transition", **interval._asdict())
    return rows[["state", "next_state", "metric", *Interval._fields, "n", "of", "customers"]]


def state_spells(states: pd.DataFrame) -> pd.DataFrame:
    """Give each stay in a state: days from the day it was first seen to the day it was left, or so far.

    Parameters
    ----------
    states : pandas.DataFrame
        As `lifecycle_stages` or `attitude_states`, on several days.

    Returns
    -------
    pandas.DataFrame
        `customer_id, state, entered_on, time_days, is_left` (False: still in it on the last day), ready for a
        survival curve. Stays already under way on the first day are left out: their beginning is unknown.

    Raises
    ------
    ParameterError
        If a column is missing.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-31", "2026-02-28", "2026-03-31"])
    >>> spells = state_spells(pd.DataFrame({"as_of": days, "customer_id": "a", "state": ["x", "y", "z"]}))
    >>> spells[["state", "time_days", "is_left"]].values.tolist()
    [['y', 31, True], ['z', 0, False]]
    """
    check_columns(states, **{f"{c}_col": c for c in ("as_of", "customer_id", "state")})
    who, order, ids = _by_customer(states)
    code, names = pd.factorize(states["state"].iloc[order])
    day = states["as_of"].to_numpy()[order]
    begins = np.flatnonzero((np.diff(who, prepend=-1) != 0) | (np.diff(code, prepend=-1) != 0))
    ends = np.append(begins[1:], len(who))[: len(begins)]  # of nobody there is no stay
    entered, last = day[begins], day[ends - 1]
    is_left = np.append(who[begins[1:]] == who[begins[:-1]], False)[: len(begins)]
    left = np.where(is_left, np.append(entered[1:], entered[:1]), last)
    held = pd.DataFrame(
        {
            "customer_id": pd.Series(ids).take(who[begins]).array,
            "state": pd.Series(names).take(code[begins]).array,
            "entered_on": entered,
            "time_days": (left - entered).astype("timedelta64[D]").astype("int64"),
            "is_left": is_left,
        }
    )
    known = held["entered_on"] > states["as_of"].min() if len(states) else held["is_left"]
    return held.loc[known, ["customer_id", "state", "entered_on", "time_days", "is_left"]].reset_index(
        drop=True
    )


def stay_limits(rules: States) -> pd.DataFrame:
    """Tell how long a stay lasts by the rules alone: what a survival curve cannot find out about customers.

    Parameters
    ----------
    rules : States
        As `load_rules("states")` or `load_rules("lifecycle")`.

    Returns
    -------
    pandas.DataFrame
        `state, at_least_days, at_most_days, since_days`, in the order of the rules. A stay begun by an order
        cannot end sooner than `at_least_days` after that order, whatever the customer does; no stay is longer
        than `at_most_days`. 0 and infinite where the rules leave it open. `since_days`: days without an order
        from which on the state begins (for the last, once every rule with a limit of days has let go).

    Notes
    -----
    A state that further orders cannot end (no upper bound of `frequency`, and every rule before it wants
    fewer orders) ends only when `recency_days` passes its bound. A state with an upper bound of both ends
    when its orders are used up, each of which can keep it for as long as the bound of `recency_days`.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import Condition, States, load_rules
    >>> limits = stay_limits(load_rules("states"))
    >>> limits.loc[limits["state"] == "convinced", "at_least_days"].tolist()
    [365.0]
    """
    rows, limit = [], [_bound(one.when, "recency_days")[1] for one in rules.states[:-1]]
    left = max((days + 1 for days in limit if np.isfinite(days)), default=0.0)
    for place, state in enumerate(rules.states):
        since = left if place == len(limit) else _bound(state.when, "recency_days")[0]
        fewest, most = _bound(state.when, "frequency")
        days = _bound(state.when, "recency_days")[1] + 1
        earlier = [_bound(one.when, "frequency")[1] for one in rules.states[:place]]
        is_open = {one.measure for one in state.when} <= {"frequency", "recency_days"}
        lasts = is_open and np.isinf(most) and max(earlier, default=-np.inf) < fewest
        rows.append(
            {
                "state": state.id,
                "at_least_days": days if lasts and np.isfinite(days) else 0.0,
                "since_days": max(since, 0.0),
                "at_most_days": days * (most - max(fewest, 1) + 1) if np.isfinite(days + most) else np.inf,
            }
        )
    return pd.DataFrame(rows)


def _bound(conditions: Sequence[Condition], measure: str) -> tuple[float, float]:
    """Lowest and highest value of a measure that all conditions on it allow."""
    held = [bounds(one) for one in conditions if one.measure == measure]
    return max((low for low, _ in held), default=-np.inf), min((high for _, high in held), default=np.inf)


def _by_customer(states: pd.DataFrame) -> tuple[NDArray[np.intp], NDArray[np.intp], Any]:
    """Give the customer's number and the place of each row, by customer and day, and the sorted ids."""
    who, ids = pd.factorize(states["customer_id"], sort=True)
    order = np.lexsort([states["as_of"].to_numpy(), who])
    return who[order], order, ids
