"""The dictionary: every stage, touchpoint and state with its rule, who owns it and how many it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from cxlib.data.rules.rule_files import Journey, States
from cxlib.language import column_word, text

_COLUMNS = ["kind", "entry", "rule", "department", "customers"]


def dictionary(
    journey: Journey, states: Mapping[str, States], held: Mapping[str, pd.DataFrame], *, lang: str
) -> pd.DataFrame:
    """List what the company calls things: the same words for marketing, shops, sales and support.

    Parameters
    ----------
    journey
        Stages and touchpoints.
    states
        Rules of states by kind ("state", "lifecycle").
    held
        By kind ("stage", "touchpoint", "state", "lifecycle") rows with `customer_id` and a column of that
        name, to count the customers.
    lang
        Language of names and rules.

    Returns
    -------
    DataFrame
        `kind, entry` (its name), `rule` (in words; of a touchpoint the role it claims), `department` (empty
        where nobody is named), `customers` (0 where none is recorded).

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> states = {"state": load_rules("states")}
    >>> dictionary(load_rules("journey"), states, {}, lang="en")["kind"].unique().tolist()
    ['stage', 'touchpoint', 'state']
    """
    rows = [
        ["stage", one.id, getattr(one.label, lang), *_of_stage(journey, one.id, lang)]
        for one in journey.stages
    ]
    rows += [
        ["touchpoint", one.id, getattr(one.label, lang), getattr(one.role, lang), one.owner]
        for one in journey.touchpoints
    ]
    rows += [
        [kind, one.id, getattr(one.label, lang), _in_words(one.when, lang), one.owner or ""]
        for kind, ruled in states.items()
        for one in ruled.states
    ]
    counts = {kind: of.groupby(kind)["customer_id"].nunique() for kind, of in held.items()}
    customers = [int(counts[kind].get(code, 0)) if kind in counts else 0 for kind, code, *_ in rows]
    found = pd.DataFrame([[kind, *named] for kind, _, *named in rows], columns=_COLUMNS[:-1])
    return found.assign(customers=customers)


def customers_held(
    tables: Mapping[str, pd.DataFrame],
    rules: Mapping[str, States],
    *,
    states: Callable[..., Mapping[str, pd.DataFrame]],
    as_of: date,
) -> dict[str, pd.DataFrame]:
    """Give the rows by which `dictionary` counts: contacts by stage and touchpoint, customers by state.

    Parameters
    ----------
    tables
        By name, as `chosen_tables` gives them.
    rules
        Rules of states by kind.
    states
        Tells the states of customers by several rules: `states_by_rules`.
    as_of
        Day of the states.
    """
    contacts = tables.get("events", pd.DataFrame())
    held = {name: contacts[["customer_id", name]] for name in ("stage", "touchpoint") if name in contacts}
    people, deals = tables["customers"], tables.get("deals")
    if "orders" in tables and "first_seen_on" in people:
        told = states(people, tables["orders"], as_of=as_of, rules=rules, deals=deals)
        held |= {kind: of.rename(columns={"state": kind}) for kind, of in told.items()}
    return held


def without_owner(found: pd.DataFrame) -> pd.DataFrame:
    """Name the entries of the dictionary that nobody owns, a row per kind: `kind, names, n_named`.

    Examples
    --------
    >>> found = pd.DataFrame({"kind": "state", "entry": ["New", "Lapsed"], "department": ["CRM", ""]})
    >>> without_owner(found).to_numpy().tolist()
    [['state', ['Lapsed'], 1]]
    """
    lacking = found[found["department"] == ""].groupby("kind", sort=False)["entry"].agg(list)
    return lacking.rename("names").reset_index().assign(n_named=lambda rows: rows["names"].str.len())


def _of_stage(journey: Journey, stage: str, lang: str) -> tuple[str, str]:
    """Touchpoints of a stage in words, and their owners."""
    points = [one for one in journey.touchpoints if one.stage == stage]
    join = text("inventory.join", lang)
    return (
        join.join(getattr(one.label, lang) for one in points),
        join.join(dict.fromkeys(one.owner for one in points)),
    )


def _in_words(conditions: Any, lang: str) -> str:
    """Say the conditions of a state; without any, it is everybody else's."""
    if not conditions:
        return text("inventory.everybody_else", lang)
    return text("inventory.and", lang).join(_condition(one, lang) for one in conditions)


def _condition(one: Any, lang: str) -> str:
    """Say what one measure must be."""
    said = []
    if one.at_least is not None:
        said.append(f"≥ {one.at_least:g}")
    if one.at_most is not None:
        said.append(f"≤ {one.at_most:g}")
    if one.is_in:
        said.append(text("inventory.join", lang).join(one.is_in))
    if one.is_missing is not None:
        said.append(text("inventory.is_missing" if one.is_missing else "inventory.is_there", lang))
    return f"{column_word(one.measure, lang)} {text('inventory.join', lang).join(said)}"
