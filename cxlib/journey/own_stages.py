"""Stages of a journey that no rules name: those of the contacts, as customers come to them."""

from __future__ import annotations

from typing import Any

from cxlib.data.rules.rule_files import Journey, Label, Stage, load_rules
from cxlib.data.scope import Tables

#: Fewest and most values that can be stages; more are texts of another kind.
FEWEST, MOST = 2, 15


def journey_rules(data_set: Tables) -> Journey:
    """Rules of a data set's journey; where its contacts name none of their stages, with the stages they name.

    Parameters
    ----------
    data_set
        With events that name a `stage`, or without.

    Returns
    -------
    Journey
        As `load_rules("journey", data_set)`. Stages that the contacts name are ordered by the mean place at
        which customers first come to them, those at one place by name.

    Examples
    --------
    >>> class Shop:
    ...     def has(self, table, column=None): return False
    >>> journey_rules(Shop()) == load_rules("journey")
    True
    """
    rules: Journey = load_rules("journey", data_set)
    if not data_set.has("events", "stage"):
        return rules
    contacts = data_set.table("events")[["customer_id", "stage", "occurred_at"]].dropna()
    named = sorted(contacts["stage"].unique())
    if {stage.id for stage in rules.stages} & set(named) or not FEWEST <= len(named) <= MOST:
        return rules
    first = contacts.groupby(["customer_id", "stage"])["occurred_at"].min()
    place = first.groupby("customer_id").rank().groupby("stage").mean()
    order = place.sort_values(kind="stable").index
    stages = [Stage(id=name, label=Label(en=name, ja=name)) for name in order]
    return rules.model_copy(update={"stages": stages})


def stages_note(rules: Journey, data_set: Tables | None) -> list[dict[str, Any]]:
    """Say that the order of the stages was read off the contacts; nothing where rules name them.

    Examples
    --------
    >>> stages_note(load_rules("journey"), None)
    []
    """
    if rules == load_rules("journey", data_set):
        return []
    return [{"note": "journey.stages_of_contacts", "level": "warning", "count": len(rules.stages)}]
