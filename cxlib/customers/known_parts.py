"""Which parts of the segmentation chapter data and parameters let it show, and of whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxlib.customers.lifecycle_states import state_transitions
from cxlib.customers.rfm_segments import summarise_customers
from cxlib.customers.rule_states import one_by_one, states_by_rules
from cxlib.customers.state_claims import lasting_states
from cxlib.data.engine.order_lines import OrderLines
from cxlib.data.rules.rule_files import RfmSegments, States, load_rules
from cxlib.data.scope import Tables

#: Columns of orders that say what a customer likes.
LIKED = ("category", "taste", "brand")


def with_first_day(people: pd.DataFrame) -> pd.DataFrame | None:
    """Return customers where the day each was first seen is known, which states need; else None.

    Examples
    --------
    >>> with_first_day(pd.DataFrame({"customer_id": ["a"]})) is None
    True
    """
    return people if "first_seen_on" in people else None


def scheme_sources(data_set: Tables, people: pd.DataFrame, *, rules: RfmSegments) -> dict[str, Any]:
    """Give `scheme_groups` what the data set holds for it: people, deals, dimensions and rules."""
    deals = data_set.table("deals") if data_set.has("deals") else None
    liked = tuple(name for name in LIKED if data_set.has("orders", name))
    own = {"lifecycle": load_rules("lifecycle", data_set), "state": load_rules("states", data_set)}
    known = {"people": with_first_day(people), "deals": deals, "dimensions": liked}
    return known | {"rules": rules, "state_rules": own}


def segment_order(rules: RfmSegments, *, segment: str | None = None) -> list[str] | None:
    """Segments in the order of the rules, to tell who nobody is in; None where only one is looked at.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> segment_order(load_rules("rfm_segments"))[0], segment_order(load_rules("rfm_segments"), segment="New")
    ('Champions', None)
    """
    return None if segment else [rule.name for rule in rules.segments]


def stakes(customers: pd.DataFrame, *, since: object) -> list[str]:
    """Columns of the money at stake: the past year's beside all, where orders reach back that far.

    Examples
    --------
    >>> people = pd.DataFrame({"first_order_on": pd.to_datetime(["2026-01-01"])})
    >>> stakes(people, since="2025-06-01"), stakes(people, since="2026-06-01")
    (['amount'], ['amount_past_year', 'amount'])
    """
    is_long = customers["first_order_on"].min() < pd.Timestamp(str(since)[:10])
    return ["amount_past_year", "amount"] if is_long else ["amount"]


def amount_name(period_start: dt.date | None) -> str:
    """Name of a customer's money: so far, or in the period.

    Examples
    --------
    >>> amount_name(None), amount_name(dt.date(2026, 1, 1))
    ('amount_so_far', 'amount_in_period')
    """
    return "amount_so_far" if period_start is None else "amount_in_period"


def broken_down(customers: pd.DataFrame, attributes: pd.DataFrame, *, by: str | None) -> pd.DataFrame:
    """Give customers their group; no rows where no breakdown was asked for, with segments as the groups.

    Parameters
    ----------
    customers
        One row each.
    attributes
        The same customers with the column `by`, which goes before one of that name.
    by
        Group column.

    Examples
    --------
    >>> people, known = pd.DataFrame({"customer_id": ["a"]}), pd.DataFrame({"customer_id": ["a"]})
    >>> known = known.assign(region="x", segment="New")
    >>> [broken_down(people.assign(segment="-"), known, by=by).shape for by in ("region", None)]
    [(1, 3), (0, 2)]
    """
    group = by or "segment"
    split = customers.drop(columns=group, errors="ignore").merge(attributes[["customer_id", group]])
    return split if by else split.iloc[:0]


def history_of(
    history: OrderLines, customers: pd.DataFrame, *, is_narrowed: bool, by: Sequence[str] = ()
) -> pd.DataFrame:
    """Give the orders of these customers where only some count, else all, guests and unknown ones too.

    From an engine they come merged, lines that differ in a column of `by` apart.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", None], "ordered_at": pd.Timestamp("2026-01-01")})
    >>> held = OrderLines(lines)
    >>> [len(history_of(held, lines.head(1), is_narrowed=flag)) for flag in (True, False)]
    [1, 2]
    """
    return (history.of(customers["customer_id"]) if is_narrowed else history).merged(by=by)


def moves_from(moves: pd.DataFrame, segment: str | None) -> pd.DataFrame:
    """Keep the moves out of one segment, or all of them where none is chosen.

    Examples
    --------
    >>> moves = pd.DataFrame({"before": ["New", "Loyal"]})
    >>> len(moves_from(moves, "New")), len(moves_from(moves, None))
    (1, 2)
    """
    return moves if segment is None else moves[moves["before"] == segment]


def moves_since(start: dt.date, segment: str | None) -> dt.date | None:
    """Day from which moves count: after a segment was made of purchases; None without one, which counts all.

    Examples
    --------
    >>> moves_since(dt.date(2026, 1, 1), None) is None
    True
    """
    return start if segment else None


def traced_days(last_day: dt.date, *, since: pd.Timestamp, every_days: int = 30, most: int = 13) -> list[Any]:
    """Days on which states are told, from the first order on, ascending; the last one always.

    Examples
    --------
    >>> [f"{day:%m-%d}" for day in traced_days(dt.date(2026, 3, 31), since=pd.Timestamp("2026-02-01"))]
    ['03-01', '03-31']
    """
    days = [last_day - dt.timedelta(days=every_days * step) for step in range(most - 1, -1, -1)]
    return [day for day in days if pd.Timestamp(day) >= since] or [last_day]


def known_states(
    people: pd.DataFrame | None,
    orders: Any,
    *,
    as_of: Any,
    deals: pd.DataFrame | None,
    rules: Mapping[str, States],
) -> dict[str, pd.DataFrame]:
    """Tell states by rules (`states_by_rules`); none without people whose first day is known."""
    return {} if people is None else states_by_rules(people, orders, as_of=as_of, deals=deals, rules=rules)


def states_over_days(
    people: pd.DataFrame | None,
    orders: Any,
    *,
    as_of: Sequence[Any],
    deals: pd.DataFrame | None,
    rules: Mapping[str, States],
    conf_level: float = 0.95,
) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Give moves between states (`state_transitions`) and stays in them (`lasting_states`), by file of rules.

    Of many customers the states on every day are large: those of one file of rules are held at a time. None
    without people whose first day is known.
    """
    if people is None:
        return {}
    found = {}
    for name, traced in one_by_one(people, orders, as_of=as_of, deals=deals, rules=rules):
        stays = lasting_states(traced, rules[name], conf_level=conf_level)
        found[name] = (state_transitions(traced, conf_level=conf_level), stays)
        del traced
    return found


def summary_of(orders: pd.DataFrame | None, *, as_of: object) -> pd.DataFrame | None:
    """Summarise customers by their orders (`summarise_customers`); None without orders.

    Examples
    --------
    >>> summary_of(None, as_of="2026-01-31") is None
    True
    """
    return None if orders is None else summarise_customers(orders, as_of=as_of)
