"""What the journey chapter says of its data before it answers: a row per notice, none where all is well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxlib.data.rules.rule_files import Journey
from cxlib.journey.known_parts import FeelingScale
from cxlib.journey.second_purchase.days_between import first_purchases_doubtful

Notes = list[dict[str, Any]]
#: Answers from which on a scale with one side only is thought to be another one.
ENOUGH_ANSWERS = 50
#: Share of contacts without a known stage, and of answers by one customer, from which on it matters.
MANY_UNKNOWN, ONE_CUSTOMER = 0.05, 0.2
#: How data that begin mid-life are told of, by `begins` of `settled_from` and whether the first day is given.
MID_LIFE = {
    ("burn_in", False): "journey.burn_in",
    ("burn_in", True): "journey.burn_in_given",
    ("unsettled", False): "journey.unsettled",
    ("unsettled", True): "journey.unsettled_given",
}
#: The same of some of the customers, where F2 is given: how many are older is then told with F2 alone.
MID_LIFE_OF_SOME = {False: "journey.burn_in_some", True: "journey.burn_in_given_some"}


def contact_notes(events: pd.DataFrame, rules: Journey, *, scale: FeelingScale, min_cell: int = 10) -> Notes:
    """Say what the contacts do not hold, or not as `journey.yml` and dataset.yml have it.

    Parameters
    ----------
    events
        Contacts with `customer_id, stage, valence, touchpoint`.
    rules
        Stages and touchpoints.
    scale
        Of the feelings.
    min_cell
        Smallest number of customers who answered.

    Returns
    -------
    list of dict
        A row with `note` and `level` for each: no known stage or too few answers; all answers on one side of
        the scale; contacts with an unknown stage, or at an unknown touchpoint.
    """
    scored = events[events["valence"].notna()]
    is_listed = scored["stage"].isin([stage.id for stage in rules.stages])
    answered, unknown = scored[is_listed], 1 - is_listed.mean() if len(scored) else 0.0
    few = answered["customer_id"].nunique() < min_cell
    side = answered["valence"] - scale.middle
    is_one_sided = len(answered) >= ENOUGH_ANSWERS and bool((side >= 0).all() or (side <= 0).all())
    unlisted = 1 - events["touchpoint"].isin([point.id for point in rules.touchpoints]).mean()
    many = "warning" if unknown > MANY_UNKNOWN else "info"
    low, high = scale.ends
    rows = [
        (unknown == 1, _note("journey.no_known_stage_here", "not_enough_data")),
        (few and unknown < 1, _note("journey.no_answers", "not_enough_data", min_cell=min_cell)),
        (is_one_sided, _note("journey.one_sided_scale", "warning", low=low, high=high)),
        (0 < unknown < 1, _note("journey.unknown_stages", many, share=unknown)),
        (unlisted > 0, _note("journey.unknown_touchpoints", "warning", share=unlisted)),
    ]
    return [row for holds, row in rows if holds]


def buyer_notes(
    start_of: Mapping[str, Any],
    times: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    n_first: int,
    has_answers: bool,
    is_given: bool = False,
    is_narrowed: bool = False,
    min_cell: int = 10,
) -> Notes:
    """Say what is doubtful about first purchases: too few, not the first, or the data begin mid-life.

    Parameters
    ----------
    start_of
        As `orders_begin`.
    times, customers
        As in `first_purchases_doubtful`: of all purchases in the data, and who made them.
    n_first, is_given, is_narrowed, min_cell
        As in `f2_known`.
    has_answers
        Whether the chapter has something else to tell.

    Returns
    -------
    list of dict
        A row with `note` and `level` for each.
    """
    if n_first < min_cell:
        level = "warning" if has_answers else "not_enough_data"
        return [_note("journey.no_buyers", level, min_cell=min_cell)]
    begins, guests = start_of["begins"], start_of["guest_share"]
    rows = []
    if begins:
        note, told = MID_LIFE[begins, is_given], {"from_on": start_of["observed_from"]}
        if is_narrowed and begins == "burn_in":
            note = MID_LIFE_OF_SOME[is_given]
        else:
            told |= {"older_share": start_of.get("older_share")}
        rows.append(_note(note, "warning", **told))
    elif not is_given and first_purchases_doubtful(times, customers=customers):
        rows.append(_note("journey.first_purchase_doubt", "warning"))
    return rows + ([_note("journey.guests", share=guests)] if guests > 0 else [])


def f2_of_period(first_day: dt.date | None, *, period_start: dt.date | None) -> Notes:
    """Say whose second purchases are told where a period was chosen; other reports count all buyers.

    Examples
    --------
    >>> day = dt.date(2026, 4, 1)
    >>> [len(f2_of_period(day, period_start=first)) for first in (day, None)]
    [1, 0]
    """
    is_said = period_start is not None and first_day is not None
    return [_note("journey.f2_of_period", from_on=first_day)] if is_said else []


def circular_segments(*, by: str | None, segment: str | None, period_start: dt.date | None) -> Notes:
    """Say that segments and F2 are made from the same purchases, where no period lies between them.

    Examples
    --------
    >>> [len(circular_segments(by=by, segment=None, period_start=None)) for by in ("segment", "region")]
    [1, 0]
    """
    is_circular = period_start is None and (segment is not None or by == "segment")
    return [_note("journey.segment_circular", "warning")] if is_circular else []


def busy_customer(curve: pd.DataFrame, *, min_cell: int = 10) -> Notes:
    """Say how much of a stage's answers the busiest customer gave, where that is much.

    Examples
    --------
    >>> curve = pd.DataFrame({"n": [30, 5], "largest_share": [0.25, 0.9]})
    >>> float(busy_customer(curve)[0]["share"]), busy_customer(curve.iloc[1:])
    (0.25, [])
    """
    share = curve.loc[curve["n"] >= min_cell, "largest_share"].max()
    return [_note("journey.busy_customer", "warning", share=share)] if share > ONE_CUSTOMER else []


def left_out_of_f2(f2: pd.DataFrame, daily: pd.DataFrame, *, min_cell: int = 10) -> Notes:
    """Say how many bought before the first day that counts, where F2 is shown and they are enough to count.

    Examples
    --------
    >>> daily = pd.DataFrame({"n_left_out": [0, 30]})
    >>> left_out_of_f2(daily, daily)[0]["n"], left_out_of_f2(daily.head(0), daily)
    (30, [])
    """
    n = daily["n_left_out"].max()
    return [_note("journey.left_out", n=int(n))] if len(f2) and n >= min_cell else []


def no_year(ladder: pd.DataFrame, *, min_cell: int = 10) -> Notes:
    """Say that nobody could be followed for a year, where the ladder of purchases has no estimate.

    Examples
    --------
    >>> ladder = pd.DataFrame({"estimate": [0.3, None]})
    >>> len(no_year(ladder)), len(no_year(ladder.iloc[1:])), len(no_year(ladder.iloc[:0]))
    (0, 1, 0)
    """
    is_empty = len(ladder) > 0 and ladder["estimate"].isna().all()
    return [_note("journey.empty_year", min_cell=min_cell)] if is_empty else []


def _note(key: str, level: str = "info", **values: Any) -> dict[str, Any]:
    """Row that `Report.say` turns into a notice."""
    return {"note": key, "level": level, **values}
