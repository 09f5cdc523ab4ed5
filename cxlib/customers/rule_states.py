"""States by rules, on days: one reduction of the orders for all files of rules and all the days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.deals import deal_day, deal_facts
from cxlib.data.engine.order_totals import numbered_on_days
from cxlib.data.rules.conditions import holds, implies
from cxlib.data.rules.rule_files import States
from cxlib.data.text_type import TEXT


def states_by_rules(
    customers: pd.DataFrame,
    orders: Any,
    *,
    as_of: Any,
    rules: Mapping[str, States],
    deals: pd.DataFrame | None = None,
    timezone: str | None = None,
    keep: Sequence[str] = (),
) -> dict[str, pd.DataFrame]:
    """Tell the states of several files of rules on the same days, from one reduction of the orders.

    Parameters
    ----------
    customers, orders, as_of, deals, timezone, keep
        As `attitude_states`.
    rules : mapping of str to States

    Returns
    -------
    dict of str to DataFrame
        As `attitude_states`, by the keys of `rules`.

    Raises
    ------
    ParameterError
        As `attitude_states`.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": ["a"], "first_seen_on": pd.to_datetime(["2026-01-01"])})
    >>> lines = pd.DataFrame({"customer_id": ["a"], "order_id": ["1"], "amount": [9.0],
    ...                       "ordered_at": pd.to_datetime(["2026-01-05"])})
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> both = {name: load_rules(name) for name in ("lifecycle", "states")}
    >>> told = states_by_rules(people, lines, as_of="2026-01-31", rules=both)
    >>> [(name, one["state"].item()) for name, one in told.items()]
    [('lifecycle', 'customer'), ('states', 'not_yet_convinced')]
    """
    check_columns(customers, customer_id_col="customer_id", first_seen_on_col="first_seen_on")
    days = as_of if isinstance(as_of, Sequence | pd.Index) and not isinstance(as_of, str) else [as_of]
    days = [pd.Timestamp(to_date(day)) for day in days]
    held = numbered_on_days(orders, days=days, timezone=timezone).rename(columns={"amount": "monetary_total"})
    people = customers.sort_values("customer_id", kind="stable", ignore_index=True)
    people = people.rename(columns={name: f"{name}_attribute" for name in people if name in held.columns[1:]})
    first_day = local_days(people["first_seen_on"], "first_seen_on")
    number = held["customer_id"].cat.categories.get_indexer(pd.Index(people["customer_id"]))
    base = []
    told: dict[str, list[tuple[Any, Any]]] = {name: [] for name in rules}
    for day in sorted(days):
        is_seen = (first_day <= day).to_numpy()
        own = _on_that_day(held[held["as_of"] == day], number[is_seen])
        measures = _measures(people[is_seen].reset_index(drop=True), own, day, deals)
        check_columns(measures, **{f"keep={name!r}": name for name in keep})
        base.append(measures[["customer_id", *keep]].assign(as_of=day))
        for name, ruled in rules.items():
            told[name].append(_claimed(measures, ruled))
    rows = pd.concat(base, ignore_index=True)
    found = {}
    for name, parts in told.items():
        winner, claims = (np.concatenate(each) for each in zip(*parts, strict=True))
        states = pd.Series([state.id for state in rules[name].states], dtype=TEXT)
        state = states.take(winner).reset_index(drop=True)
        found[name] = rows.assign(state=state, claims=claims)[
            ["as_of", "customer_id", "state", "claims", *keep]
        ]
    return found


def _on_that_day(held: pd.DataFrame, number: NDArray[np.intp]) -> pd.DataFrame:
    """Give the rows of a day for customers by their number, in their order; -1 has no number, and no row."""
    codes = held["customer_id"].cat
    place = np.full(len(codes.categories) + 1, -1)
    place[codes.codes] = np.arange(len(held))
    return held.drop(columns=["customer_id", "as_of"]).reset_index(drop=True).reindex(place[number])


def _measures(
    seen: pd.DataFrame, held: pd.DataFrame, day: pd.Timestamp, deals: pd.DataFrame | None
) -> pd.DataFrame:
    """Measure what the rules ask of each customer seen by a day."""
    measures = seen.assign(**{str(name): held[name].to_numpy() for name in held})
    measures["frequency"] = measures["frequency"].fillna(0)
    measures["monetary_total"] = measures["monetary_total"].fillna(0.0)
    measures["recency_days"] = (day - measures["last_order_on"]).dt.days
    measures["tenure_days"] = (day - measures["first_order_on"]).dt.days
    return measures.assign(open_deals=measures["customer_id"].map(_open_deals(deals, day)).fillna(0))


def _claimed(measures: pd.DataFrame, rules: States) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Tell which state wins each customer, and how many rules would have claimed the customer."""
    ruled = rules.states[:-1]
    claims = np.array([holds(measures, state.when) for state in ruled], dtype=bool)
    claims = claims.reshape(len(ruled), len(measures))
    winner = np.vstack([claims, np.ones(len(measures), dtype=bool)]).argmax(axis=0)
    # a rule that the winner implies claims nobody of its own: rules are written from narrow to wide
    asks = np.ones((len(ruled) + 1, len(ruled)), dtype=bool)
    for i, j in np.ndindex(len(ruled), len(ruled)):
        asks[i, j] = i == j or not implies(ruled[i].when, ruled[j].when)
    return winner, (claims & asks[winner].T).sum(axis=0, dtype="int64")


def _open_deals(deals: pd.DataFrame | None, day: pd.Timestamp) -> pd.Series:
    if deals is None:
        return pd.Series(dtype="float64")
    check_columns(deals, **{f"{c}_col": c for c in ("customer_id", "created_on", "closed_on")})
    is_open = deal_facts(deals, as_of=day.date())["is_open"]
    return deals[is_open & (deal_day(deals, "created_on") <= day)].groupby("customer_id").size()
