"""Lists to work through, with ids: no publications, so nothing is left out for being few.

The one door between the runner and the analysis: it asks for a list by name and writes what comes back.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.checks import fail_option
from cxlib.customers.action_rules import list_customers
from cxlib.customers.rfm_segments import assign_segments, rfm, summarise_customers
from cxlib.data.deals import deal_spells
from cxlib.data.rules.rule_files import load_rules
from cxlib.journey.quotes import overdue_quotes
from cxlib.journey.won_and_lost import usual_age

#: Lists of deals; those of customers are named by the actions of `actions.yml`.
DEAL_LISTS = ("overdue_quotes", "stalled_deals")


def worklist_names() -> list[str]:
    """Names of all lists: of deals, and one per action of `actions.yml`.

    Examples
    --------
    >>> worklist_names()[:3]
    ['overdue_quotes', 'stalled_deals', 'bundle']
    """
    return [*DEAL_LISTS, *(rule.id for rule in load_rules("actions").actions)]


def worklist(data_set: Any, name: str) -> pd.DataFrame:
    """List the deals or customers one piece of work is for, in full and with ids.

    Parameters
    ----------
    data_set
        The opened data set; lists are as of its last day.
    name
        "overdue_quotes" (open quotes without a follow-up after seven days, the longest waiting first),
        "stalled_deals" (open deals older than nine in ten get, the oldest first), or an action of
        `actions.yml` (its customers with the measures of the rule, by `customer_id`).

    Returns
    -------
    DataFrame
        Rows with ids, for people allowed to see them. Nothing is suppressed, so it may not be published.

    Raises
    ------
    ParameterError
        No such list (all names are given), or a measure of the rule that the data do not have.
    NotEnoughData
        The table the list is made from is not there.

    Examples
    --------
    >>> class Shop:
    ...     as_of = "2026-01-31"
    ...     def table(self, name):
    ...         never = pd.to_datetime([None])
    ...         return pd.DataFrame({"deal_id": ["1"], "quoted_on": pd.to_datetime(["2026-01-01"]),
    ...             "followed_up_on": never, "closed_on": never, "is_won": [None]})
    >>> worklist(Shop(), "overdue_quotes")["overdue_days"].to_list()
    [23]
    """
    if name not in worklist_names():
        fail_option("name", name, worklist_names())
    if name == "overdue_quotes":
        return overdue_quotes(data_set.table("deals"), as_of=data_set.as_of)
    if name == "stalled_deals":
        deals = data_set.table("deals")
        spells = deal_spells(deals, as_of=data_set.as_of).rename(columns={"days": "age_days"})
        late = spells[spells["is_open"] & (spells["age_days"] > usual_age(deals, as_of=data_set.as_of))]
        late = late.sort_values(["age_days", "deal_id"], ascending=[False, True], ignore_index=True)
        return late.drop(columns=["is_open", "ended_on", "outcome", "is_undated"])
    return list_customers(_measures(data_set), name).sort_values("customer_id", ignore_index=True)


def _measures(data_set: Any) -> pd.DataFrame:
    """Give every customer with scores, segment and latest recommendation score, as that report does."""
    scored = rfm(summarise_customers(data_set.table("orders"), as_of=data_set.as_of))
    held = assign_segments(scored, rules=load_rules("rfm_segments"))
    if data_set.has("customers"):  # who never ordered may still have given a low score
        held = held.merge(data_set.table("customers")[["customer_id"]], on="customer_id", how="outer")
    if data_set.has("responses", "nps_score"):
        answers = data_set.table("responses").dropna(subset=["customer_id", "nps_score"])
        lowest_last = ["answered_at", "nps_score"]  # of two at one time the lower one speaks
        answers = answers.sort_values(lowest_last, ascending=[True, False])
        held["nps_score"] = held["customer_id"].map(answers.groupby("customer_id")["nps_score"].last())
    return held
