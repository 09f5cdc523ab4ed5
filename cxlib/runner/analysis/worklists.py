"""Lists to work through, with ids: no publications, so nothing is left out for being few.

The one door between the runner and the analysis: it asks for a list by name and writes what comes back.
"""

from __future__ import annotations

import pandas as pd

from cxlib.checks import fail_option
from cxlib.customers.action_rules import list_customers
from cxlib.customers.rfm_segments import assign_segments, rfm, summarise_customers
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.tables.data_set import DataSet
from cxlib.sales.activities import no_next_step
from cxlib.sales.ageing import stalled_deals
from cxlib.sales.lead_score import hot_leads
from cxlib.sales.quotes import overdue_quotes
from cxlib.support.lists import low_score_list, next_to_ask_list
from cxlib.value.known_at_cut import cut_days, known_at_cuts
from cxlib.value.likely_to_leave import at_risk
from cxlib.voice.topics.lists import against_list, phrases_list

#: Lists of deals; those of customers are `at_risk` and named by the actions of `actions.yml`.
DEAL_LISTS = ("overdue_quotes", "stalled_deals", "no_next_step", "hot_leads")
#: Customers by how likely they are to leave.
AT_RISK = "at_risk"
#: Lists of the support chapter.
SUPPORT_LISTS = {"low_scores": low_score_list, "next_to_ask": next_to_ask_list}
#: Lists of the chapter on comments.
VOICE_LISTS = {"scores_against_words": against_list, "uncoded_phrases": phrases_list}
#: Lists that a function of their own makes of the data set.
OWN_LISTS = {**SUPPORT_LISTS, **VOICE_LISTS}


def worklist_names(data_set: DataSet | None = None) -> list[str]:
    """Names of all lists: of deals, at risk, of support and comments, and one per action of `actions.yml`.

    Examples
    --------
    >>> worklist_names()[:5]
    ['overdue_quotes', 'stalled_deals', 'no_next_step', 'hot_leads', 'at_risk']
    """
    named = [rule.id for rule in load_rules("actions", data_set).actions]
    return [*DEAL_LISTS, AT_RISK, *OWN_LISTS, *named]


def worklist(data_set: DataSet, name: str) -> pd.DataFrame:
    """List the deals or customers one piece of work is for, in full and with ids.

    Parameters
    ----------
    data_set
        The opened data set; lists are as of its last day.
    name
        "overdue_quotes" (open quotes without a follow-up after seven days, the longest waiting first),
        "stalled_deals" (open deals older than nine in ten get, the oldest first), "no_next_step" (open deals
        without a next step ahead, the longest without an activity first), "hot_leads" (open leads
        likelier than most to become a deal, the likeliest first), "at_risk" (active customers
        likely to buy nothing in the next 90 days, with reasons, the most value first), "low_scores"
        (customers whose last score was low, most at stake first), "next_to_ask" (likely to open a ticket, the
        likeliest first), "scores_against_words" (answers whose words seem to say the opposite of their score,
        without their text), "uncoded_phrases" (what many say in comments without a topic), or an action of
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
    if name not in (names := worklist_names(data_set)):
        fail_option("name", name, names)
    if name == "overdue_quotes":
        return overdue_quotes(data_set.table("deals"), as_of=data_set.as_of)
    if name == "stalled_deals":
        return stalled_deals(data_set.table("deals"), as_of=data_set.as_of)
    if name == "no_next_step":
        done = data_set.table("activities") if data_set.has("activities") else None
        return no_next_step(data_set.table("deals"), as_of=data_set.as_of, activities=done)
    if name == "hot_leads":
        return hot_leads(data_set.table("leads"), as_of=data_set.as_of)
    if name == AT_RISK:
        return _at_risk(data_set)
    if name in OWN_LISTS:
        return OWN_LISTS[name](data_set)
    return list_customers(_measures(data_set), name, rules=load_rules("actions", data_set)).sort_values(
        "customer_id", ignore_index=True
    )


def _at_risk(data_set: DataSet) -> pd.DataFrame:
    """List customers at risk by all that the data say of them."""
    orders = data_set.table("orders")
    rows = known_at_cuts(
        orders,
        cuts=cut_days(orders["ordered_at"].min(), data_set.as_of),
        as_of=data_set.as_of,
        tickets=data_set.table("tickets") if data_set.has("tickets", "customer_id") else None,
        contracts=data_set.table("contracts") if data_set.has("contracts") else None,
    )
    return at_risk(rows)


def _measures(data_set: DataSet) -> pd.DataFrame:
    """Give every customer with scores, segment and latest recommendation score, as that report does."""
    scored = rfm(summarise_customers(data_set.table("orders"), as_of=data_set.as_of))
    held = assign_segments(scored, rules=load_rules("rfm_segments", data_set))
    if data_set.has("customers"):  # who never ordered may still have given a low score
        held = held.merge(data_set.table("customers")[["customer_id"]], on="customer_id", how="outer")
    if data_set.has("responses", "nps_score"):
        answers = data_set.table("responses").dropna(subset=["customer_id", "nps_score"])
        lowest_last = ["answered_at", "nps_score"]  # of two at one time the lower one speaks
        answers = answers.sort_values(lowest_last, ascending=[True, False])
        held["nps_score"] = held["customer_id"].map(answers.groupby("customer_id")["nps_score"].last())
    return held
