"""States by rules, on days: one reduction of the orders for all files of rules and all the days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.deals import deal_day, deal_facts
from cxlib.data.engine.order_lines import OrderLines
from cxlib.data.rules.conditions import holds, implies
from cxlib.data.rules.rule_files import States
from cxlib.data.text_type import TEXT

#: Measures that a day's sums of orders hold, and those made of them.
HELD = ("as_of", "first_order_on", "last_order_on", "frequency", "monetary_total")
MADE = ("recency_days", "tenure_days", "open_deals")


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
    asked: dict[str, Any] = {"as_of": as_of, "deals": deals, "timezone": timezone, "keep": keep}
    return dict(one_by_one(customers, orders, rules=rules, **asked))


def one_by_one(
    customers: pd.DataFrame,
    orders: Any,
    *,
    as_of: Any,
    rules: Mapping[str, States],
    deals: pd.DataFrame | None = None,
    timezone: str | None = None,
    keep: Sequence[str] = (),
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give what `states_by_rules` does one after the other: of many customers on many days each is large."""
    check_columns(customers, customer_id_col="customer_id", first_seen_on_col="first_seen_on")
    days = as_of if isinstance(as_of, Sequence | pd.Index) and not isinstance(as_of, str) else [as_of]
    days = sorted(to_date(day) for day in days)
    is_summed = isinstance(orders, OrderLines) and timezone in (None, orders.timezone)
    lines = orders if is_summed else OrderLines(orders, timezone=timezone)
    people = _asked_of(customers, rules, keep).sort_values("customer_id", kind="stable", ignore_index=True)
    first_day, ids = local_days(people["first_seen_on"], "first_seen_on"), pd.Index(people["customer_id"])
    number, parts = None, []
    told: dict[str, list[tuple[Any, Any]]] = {name: [] for name in rules}
    for day, held in zip(map(pd.Timestamp, days), lines.day_by_day(days), strict=True):
        if number is None:
            number = held["customer_id"].cat.categories.get_indexer(ids)
        seen = np.flatnonzero(first_day <= day)
        measures = _measures(people.iloc[seen], _on_that_day(held, number[seen]), day, deals)
        check_columns(measures, **{f"keep={name!r}": name for name in keep})
        parts.append((seen, np.full(len(seen), np.datetime64(day, "s")), measures[[*keep]]))
        for name, ruled in rules.items():
            told[name].append(_claimed(measures, ruled))
    place, at = (np.concatenate(each) for each in list(zip(*parts, strict=True))[:2])
    rows = pd.DataFrame({"as_of": at, "customer_id": ids.take(place)})
    kept = pd.concat([part for *_, part in parts], ignore_index=True)
    for name, each in told.items():
        yield name, pd.concat([rows.assign(**_named(each, rules[name])), kept], axis=1)


def _named(claimed: Sequence[tuple[Any, Any]], rules: States) -> dict[str, Any]:
    """Name the state that won each customer on each day, beside how many rules claimed the customer."""
    winner, claims = (np.concatenate(of_days) for of_days in zip(*claimed, strict=True))
    states = pd.Series([state.id for state in rules.states], dtype=TEXT).array
    return {"state": states.take(winner), "claims": claims.astype("int64")}


def _asked_of(customers: pd.DataFrame, rules: Mapping[str, States], keep: Sequence[str]) -> pd.DataFrame:
    """Keep what the rules ask of customers, under names that hide no measure; all where one is unknown."""
    asked = {one.measure for own in rules.values() for state in own.states for one in state.when} | {*keep}
    people = customers.rename(columns={name: f"{name}_attribute" for name in HELD if name in customers})
    if not asked <= {*people.columns, *HELD, *MADE}:
        return people
    return people.filter(["customer_id", "first_seen_on", *sorted(asked - {"customer_id", "first_seen_on"})])


def _on_that_day(held: pd.DataFrame, number: NDArray[np.intp]) -> pd.DataFrame:
    """Give the rows of a day for customers by their number, in their order; -1 has no number, and no row."""
    codes = held["customer_id"].cat
    place = np.full(len(codes.categories) + 1, -1)
    place[codes.codes] = np.arange(len(held))
    held = held.drop(columns=["customer_id", "as_of"]).rename(columns={"amount": "monetary_total"})
    return held.reset_index(drop=True).reindex(place[number])


def _measures(
    seen: pd.DataFrame, held: pd.DataFrame, day: pd.Timestamp, deals: pd.DataFrame | None
) -> pd.DataFrame:
    """Measure what the rules ask of each customer seen by a day."""
    measures = seen.reset_index(drop=True).assign(**{str(name): held[name].to_numpy() for name in held})
    measures["frequency"] = measures["frequency"].fillna(0)
    measures["monetary_total"] = measures["monetary_total"].fillna(0.0)
    measures["recency_days"] = (day - measures["last_order_on"]).dt.days
    measures["tenure_days"] = (day - measures["first_order_on"]).dt.days
    return measures.assign(open_deals=measures["customer_id"].map(_open_deals(deals, day)).fillna(0))


def _claimed(measures: pd.DataFrame, rules: States) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Tell which state wins each customer, and how many rules would have claimed the customer."""
    ruled = rules.states[:-1]
    claims = np.array([holds(measures, state.when) for state in ruled], dtype=bool)
    claims = claims.reshape(len(ruled), len(measures))
    winner = np.vstack([claims, np.ones(len(measures), dtype=bool)]).argmax(axis=0)
    # a rule that the winner implies claims nobody of its own: rules are written from narrow to wide
    asks = np.ones((len(ruled) + 1, len(ruled)), dtype=bool)
    for i, j in np.ndindex(len(ruled), len(ruled)):
        asks[i, j] = i == j or not implies(ruled[i].when, ruled[j].when)
    return winner.astype(np.int16), (claims & asks[winner].T).sum(axis=0, dtype=np.int16)


def _open_deals(deals: pd.DataFrame | None, day: pd.Timestamp) -> pd.Series:
    if deals is None:
        return pd.Series(dtype="float64")
    check_columns(deals, **{f"{c}_col": c for c in ("customer_id", "created_on", "closed_on")})
    is_open = deal_facts(deals, as_of=day.date())["is_open"]
    return deals[is_open & (deal_day(deals, "created_on") <= day)].groupby("customer_id").size()
