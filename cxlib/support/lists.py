"""Lists to work through, with ids: customers whose last score was low, and who is likely to ask next."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.support.next_to_ask import asking_rows, days_to_score, forecast_asking, likely_reason
from cxlib.support.tickets import read_tickets
from cxlib.support.touchpoint_satisfaction import low_scores, scores_given


def low_score_list(data_set: Any) -> pd.DataFrame:
    """List customers whose last score of a contact or ticket was low, as `low_scores`; of an opened data set.

    Raises
    ------
    NotEnoughData
        There are no tickets or no orders.
    """
    last, scale = data_set.as_of, tuple(data_set.settings.csat_scale)
    tickets = read_tickets(data_set.table("tickets"), as_of=last)
    answers = data_set.table("responses") if data_set.has("responses", "csat_score") else _no_answers()
    answers = answers[answers["survey"] == "transaction"] if "survey" in answers else answers
    given = scores_given(answers, tickets, as_of=last, scale=scale)
    return low_scores(given, data_set.table("orders"), as_of=last)


def next_to_ask_list(data_set: Any) -> pd.DataFrame:
    """List customers likely to open a ticket within thirty days, the likeliest tenth, of an opened data set.

    Returns
    -------
    DataFrame
        `customer_id, probability, recency_days, product, likely_reason`; no rows where no forecast beats the
        average on days it has not seen.

    Raises
    ------
    NotEnoughData
        There are no tickets or no orders.
    """
    last, orders = data_set.as_of, data_set.table("orders")
    raw = data_set.table("tickets")
    tickets = read_tickets(raw, as_of=last)
    days = days_to_score(last, first_day=raw["opened_at"].min())
    rows = asking_rows(tickets, orders, days=days, as_of=last)
    today = forecast_asking(rows).latest
    reason = likely_reason(tickets, today) if len(today) else None
    listed = today.assign(probability=today.get("probability"), likely_reason=reason)
    columns = ["customer_id", "probability", "recency_days", "product", "likely_reason"]
    return listed[columns].head(-(-len(listed) // 10))


def _no_answers() -> pd.DataFrame:
    return pd.DataFrame({"customer_id": [], "answered_at": pd.to_datetime([]), "csat_score": []})
