"""Which parts of the sales chapter the data let it show, and what it says of the data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData
from cxlib.data.days import to_date
from cxlib.data.deals import deal_day, deal_facts, result_flags
from cxlib.data.scope import Tables
from cxlib.sales.quarter_forecast import amounts_of, forecast
from cxlib.sales.stays_at_stages import open_stages

#: What each further table gives, by the note that says it is not there.
BESIDES = {
    "deal_stages": "sales.notes.without_history",
    "leads": "sales.notes.without_leads",
    "activities": "sales.notes.without_activities",
    "tickets": "sales.notes.without_tickets",
}
Notes = list[dict[str, Any]]


def deals_or_end(deals: pd.DataFrame, *, has_table: bool) -> pd.DataFrame:
    """Give the deals back, or end the report where there is no table of them.

    Raises
    ------
    NotEnoughData
        There is no table of deals.

    Examples
    --------
    >>> len(deals_or_end(pd.DataFrame({"deal_id": ["a"]}), has_table=True))
    1
    """
    if not has_table:
        raise NotEnoughData("sales.no_deals")
    return deals


def ways_of(data_set: Tables, deals: pd.DataFrame) -> pd.DataFrame:
    """History of the stages of the deals; without rows where there is none."""
    if not data_set.has("deal_stages"):
        none = {"deal_id": pd.Series(dtype=object), "stage": pd.Series(dtype=object)}
        return pd.DataFrame({**none, "entered_at": pd.Series(dtype="datetime64[s]")})
    ways = data_set.table("deal_stages")
    return ways[ways["deal_id"].isin(deals["deal_id"])]


def leads_of(leads: pd.DataFrame, *, is_narrowed: bool) -> pd.DataFrame:
    """Leads, customers or not yet; none where only some customers count.

    A lead without a customer is in no segment, so shares of a segment's leads would leave out those that
    never became a deal.

    Examples
    --------
    >>> leads = pd.DataFrame({"lead_id": ["a"]})
    >>> len(leads_of(leads, is_narrowed=False)), len(leads_of(leads, is_narrowed=True))
    (1, 0)
    """
    return leads.iloc[:0] if is_narrowed else leads


def part_notes(
    data_set: Tables, *, is_narrowed: bool = False, by: str | None = None, segment: str | None = None
) -> Notes:
    """Say which further tables are not there and what they would give: remarks, since the rest is whole.

    Where customers are chosen or compared by a segment, it says that segments follow from deals won.

    Examples
    --------
    >>> class Crm:
    ...     def has(self, table): return table != "leads"
    >>> [row["note"] for row in part_notes(Crm())]
    ['sales.notes.without_leads']
    """
    rows = [{"note": note, "level": "info"} for table, note in BESIDES.items() if not data_set.has(table)]
    narrowed = is_narrowed and data_set.has("leads")
    rows += [{"note": "sales.notes.leads_of_all", "level": "info"}] if narrowed else []
    segmented = by == "segment" or segment is not None
    return rows + ([{"note": "sales.notes.by_segment", "level": "warning"}] if segmented else [])


def deal_notes(
    deals: pd.DataFrame, customers: pd.DataFrame, *, as_of: dt.date | str, known_stages: Iterable[str] = ()
) -> Notes:
    """Say what of the deals can't be taken as it stands, and how often.

    Parameters
    ----------
    deals, customers
        With `customer_id`; deals as in `deal_facts`.
    as_of
        Last day known, inclusive.
    known_stages
        Stages that the rules name.

    Returns
    -------
    list of dict
        Rows for `Report.say`: deals of customers who are not in the table (they count in totals and shares of
        all), over before they were created or on an unknown day (in no clock), without an owner, won without
        an amount, open although the planned day is past, and at stages that no rule names.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": ["a", "b"], "created_on": pd.to_datetime(["2026-01-02"] * 2),
    ...     "closed_on": pd.to_datetime(["2026-01-01", None]), "is_won": [True, None], "stage": "talk"})
    >>> [row["note"] for row in deal_notes(deals, deals, as_of="2026-01-31", known_stages=["talk"])]
    ['sales.notes.ends_before', 'sales.notes.won_without_amount']
    """
    if deals.empty:
        return []
    facts = deal_facts(deals, as_of=as_of)
    won, closes_never = result_flags(deals) == 1, deals["stage"].notna() & np.isnan(result_flags(deals))
    planned = pd.to_datetime(deals["expected_close_on"]) if "expected_close_on" in deals else None
    owners = deals["owner"].isna() if "owner" in deals else pd.Series(data=False, index=deals.index)
    named = set(known_stages)
    counts = {
        "deals_of_others": ~deals["customer_id"].isin(customers["customer_id"]),
        "ends_before": facts["ended_on"] < deal_day(deals, "created_on"),
        "without_owner": owners if not owners.all() else owners & False,
        "won_without_amount": won & np.isnan(amounts_of(deals)),
        "late_plans": facts["is_open"] & (planned < pd.Timestamp(to_date(as_of)))
        if planned is not None
        else False,
        "unknown_stages": facts["is_open"] & closes_never & ~deals["stage"].isin(named),
    }
    rows = [
        {"note": f"sales.notes.{name}", "n_deals": int(np.sum(hit)), "all_deals": len(deals)}
        for name, hit in counts.items()
    ]
    return [row | {"level": "info"} for row in rows if row["n_deals"]]


def stage_order(deals: pd.DataFrame, ways: pd.DataFrame, rules: Any) -> list[str]:
    """Stages of open deals in order (`open_stages`): as the rules say where they name all of them."""
    return open_stages(deals, ways, known=[stage.id for stage in rules.stages])


def typed_chances(rules: Any) -> Mapping[str, float]:
    """Chances by stage that the rules state; of stages without one, what deals show is taken."""
    return {stage.id: stage.chance for stage in rules.stages if stage.chance is not None}


def forecast_or_none(deals: pd.DataFrame, **asked: Any) -> pd.DataFrame:
    """Give the `forecast`, or no rows where too few deals had ended."""
    try:
        return forecast(deals, **asked)
    except NotEnoughData:
        return pd.DataFrame()
