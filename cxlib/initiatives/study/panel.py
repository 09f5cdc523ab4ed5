"""From order lines and enrolments to one row per customer and month around an initiative's start."""

from __future__ import annotations

from datetime import date
from difflib import get_close_matches
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import InputError, NotEnoughData, ParameterError, check_columns, fail_option
from cxlib.data.convert import among
from cxlib.data.days import local_days
from cxlib.data.text_type import TEXT
from cxlib.initiatives.study.order_lines import plain_lines
from cxlib.initiatives.study.rollout import COLUMNS, with_rollout
from cxlib.stats.arrays import Array

ASSIGNMENTS = ("randomised", "staggered", "targeted", "everyone")
MOST_NAMED = 3  # nearest ids that a message about an unknown one names, where there are more than a handful
HANDFUL = 5
MONTHS_BEFORE = 12  # a full year, so that before and after hold the same seasons


def choose_initiative(initiatives: pd.DataFrame, initiative: str | None = None) -> pd.Series:
    """One row of the table `initiatives`, checked for what an evaluation needs.

    Parameters
    ----------
    initiatives : DataFrame
        Contract table: `initiative_id, name, started_on, one_time_cost, monthly_cost, assignment`.
    initiative : str, optional
        The `initiative_id` wanted; None: the first row.

    Returns
    -------
    Series
        That row, and `day_before` (the day before the start, ISO text). Missing costs stay missing: then no
        ROI can be computed, and the report says so.

    Raises
    ------
    NotEnoughData
        The table has no rows.
    ParameterError
        No such initiative; the message names the few whose ids are nearest.
    InputError
        A cost is negative, the start is missing, or `assignment` is not one of the four kinds.

    Examples
    --------
    >>> table = pd.DataFrame({"initiative_id": ["I1"], "name": ["Mail"], "started_on": [date(2025, 1, 1)],
    ...                       "one_time_cost": [100.0], "monthly_cost": [5.0], "assignment": ["randomised"]})
    >>> choose_initiative(table, "I1")["assignment"]
    'randomised'
    """
    if initiatives.empty:
        raise NotEnoughData("impact.no_initiatives")
    known = initiatives["initiative_id"].astype(TEXT)
    rows = initiatives.head(1) if initiative is None else initiatives[known == str(initiative)]
    if rows.empty:
        raise ParameterError(
            "impact.unknown_initiative", found=repr(initiative), options=_nearest_ids(str(initiative), known)
        )
    row = rows.iloc[0].copy()
    initiative = str(row["initiative_id"])
    for column in ("one_time_cost", "monthly_cost"):
        if pd.notna(row.get(column)) and float(row[column]) < 0:
            raise InputError("impact.negative_cost", column=column, initiative=initiative)
    if pd.isna(row["started_on"]) or row["assignment"] not in ASSIGNMENTS:
        raise InputError(
            "impact.incomplete_initiative", initiative=initiative, options=", ".join(ASSIGNMENTS)
        )
    row["started_on"] = pd.Timestamp(row["started_on"])
    row["day_before"] = (row["started_on"] - pd.Timedelta(days=1)).date().isoformat()
    return row


def _nearest_ids(wanted: str, known: pd.Series) -> str:
    names = sorted(set(known))
    near = names if len(names) <= HANDFUL else get_close_matches(wanted, names, n=MOST_NAMED, cutoff=0.0)
    return ", ".join(sorted(near)) + (", …" if len(names) > len(near) else "") if near else "–"


def study_members(
    enrolments: pd.DataFrame | None,
    customers: pd.DataFrame,
    *,
    initiative: str,
    started_on: date | str | pd.Timestamp,
    assignment: str,
) -> pd.DataFrame:
    """Who was treated and who serves as comparison: one row per customer of the study.

    Parameters
    ----------
    enrolments : DataFrame or None
        Contract table; None (no such table) or no row for this initiative means that there is no comparison
        group: every customer seen before the start counts as treated.
    customers : DataFrame
        `customer_id, first_seen_on`; only these customers take part, so a segment is chosen here.
    initiative, started_on, assignment
        As in the table `initiatives`. Randomised and targeted groups are compared as they were assigned
        (`arm`; missing: enrolled = treatment), whatever happened later; staggered groups by `enrolled_on`.

    Returns
    -------
    DataFrame
        `customer_id, arm` (treatment, control), `start_month` (months from the start to the customer's own
        start; missing for the never treated), `exposed` (a control that was enrolled all the same),
        `first_month` (months from the start to the day the customer was first seen), `found` (a control that
        nobody assigned). Where an attribute of the customers decided who was treated, so that its values
        hold one arm (or wave) each, also `rollout_by` (its name) and `rollout_group` (a number for each
        value): all errors are clustered on it from there on.

    Notes
    -----
    Where a targeted initiative lists no control, customers seen before the start and never treated by any
    initiative are taken in their place and marked `found`. They were passed over for a reason, so they are a
    weaker comparison, and never lead to a verdict.

    Raises
    ------
    InputError
        A customer stands in the study twice, for instance in both arms.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": ["a", "b"], "first_seen_on": pd.Timestamp("2024-01-01")})
    >>> joined = pd.DataFrame({"initiative_id": "I1", "customer_id": ["a", "b"],
    ...                        "enrolled_on": pd.to_datetime(["2025-01-01", None]), "arm": None})
    >>> study_members(joined, people, initiative="I1", started_on="2025-01-01", assignment="staggered")[
    ...     "arm"].tolist()
    ['treatment', 'control']
    """
    check_columns(customers, customer_id="customer_id", first_seen_on="first_seen_on")
    if assignment not in ASSIGNMENTS:
        fail_option("assignment", assignment, ASSIGNMENTS)
    start = pd.Timestamp(started_on)
    first_seen = local_days(customers["first_seen_on"], "first_seen_on")
    known_before = customers.loc[first_seen < start, "customer_id"]
    own = (
        None
        if enrolments is None
        else enrolments[enrolments["initiative_id"].astype(TEXT) == str(initiative)]
    )
    if own is None or own.empty:
        members = pd.DataFrame({"customer_id": known_before.to_numpy(), "arm": "treatment"})
        members = members.assign(start_month=0.0, exposed=False)
    else:
        allowed = known_before if assignment == "everyone" else customers["customer_id"]
        members = _enrolled(own, allowed, assignment, start)
    members["found"] = False
    if assignment == "targeted" and enrolments is not None and (members["arm"] == "treatment").all():
        treated = enrolments.loc[enrolments["enrolled_on"].notna(), "customer_id"]
        ids = known_before[~among(known_before, treated)].sort_values().to_numpy()
        others = pd.DataFrame({"customer_id": ids, "arm": "control", "start_month": np.nan, "exposed": False})
        members = pd.concat([members, others.assign(found=True)], ignore_index=True)
    members = members.sort_values("customer_id", ignore_index=True)
    place = pd.Index(customers["customer_id"]).get_indexer(pd.Index(members["customer_id"]))
    return with_rollout(members.assign(first_month=month_index(first_seen, start)[place]), customers)


def _enrolled(own: pd.DataFrame, allowed: pd.Series, assignment: str, start: pd.Timestamp) -> pd.DataFrame:
    twice = own["customer_id"].duplicated(keep=False)
    if twice.any():
        raise InputError(
            "impact.enrolled_twice", initiative=str(own["initiative_id"].iloc[0]),
            count=f"{own.loc[twice, 'customer_id'].nunique():,}",
        )  # fmt: skip
    own = own[among(own["customer_id"], allowed)].sort_values("customer_id", ignore_index=True)
    enrolled_on = local_days(own["enrolled_on"], "enrolled_on")
    by_date = pd.Series(np.where(enrolled_on.notna(), "treatment", "control"), index=own.index)
    arm = (
        by_date
        if "arm" not in own or assignment == "staggered"
        else own["arm"].astype(object).fillna(by_date)
    )
    month = pd.Series(month_index(enrolled_on, start), index=own.index)
    start_month = month if assignment == "staggered" else pd.Series(0.0, index=own.index)
    return pd.DataFrame(
        {
            "customer_id": own["customer_id"],
            "arm": arm.astype(TEXT),
            "start_month": start_month.where(arm == "treatment").astype("float64"),
            "exposed": (arm == "control") & enrolled_on.notna(),
        }
    )


def study_panel(
    orders: Any,
    members: pd.DataFrame,
    *,
    started_on: date | str | pd.Timestamp,
    as_of: date | str | pd.Timestamp,
    contribution_margin_rate: float = 0.3,
    timezone: str | None = None,
) -> pd.DataFrame:
    """Sum up what each customer of the study brought in per month around the start, zeros included.

    Month 0 begins on the start date and ends the day before the same day of the next month; month −1 is the
    one before. Only months that lie wholly between the first order in the data and the end of `as_of` count,
    at most 12 of them before the start. Days are those of the time zone that `ordered_at` carries.

    Parameters
    ----------
    orders : frame of any engine narwhals knows (eager or lazy)
        Contract table (order lines): `order_id, customer_id, ordered_at, amount`, `margin` where known. Lines
        without a customer or an amount are left out. Other engines than pandas add up orders themselves.
    members : DataFrame
        Result of `study_members`.
    started_on, as_of : date
        First day of the initiative; last day of the data.
    contribution_margin_rate : float
        Share of the amount that is margin, 0 to 1, for lines whose `margin` is missing.
    timezone : str, optional
        IANA name in which instants become days, for engines whose timestamps carry another zone.

    Returns
    -------
    DataFrame
        `customer_id, arm, start_month, month` (`first_month, found, rollout_group, rollout_by` where members
        have them) and the outcomes per customer and month: `margin` and `amount` in the currency of the data,
        `orders` (distinct orders with a positive line), `repeat` (1 in months with an order, else 0). Sorted
        by customer and month; empty when the data hold no whole month, or do not reach back to the start.

    Examples
    --------
    >>> lines = pd.DataFrame({"order_id": ["1", "2"], "customer_id": "a", "amount": [100.0, 50.0],
    ...                       "ordered_at": pd.to_datetime(["2025-01-01", "2025-02-03"])})
    >>> people = pd.DataFrame({"customer_id": ["a"], "arm": "treatment", "start_month": 0.0})
    >>> study_panel(lines, people, started_on="2025-02-01", as_of="2025-02-28")["margin"].tolist()
    [30.0, 15.0]
    """
    start, last_day = pd.Timestamp(started_on), pd.Timestamp(as_of)
    lines = plain_lines(orders, contribution_margin_rate, timezone)
    day = lines["day"]
    first_month, months = _window(day, start, last_day)
    people = members.sort_values("customer_id", ignore_index=True)
    n, width = len(people), len(months)
    person = pd.Index(people["customer_id"]).get_indexer(pd.Index(lines["customer_id"]))
    column = month_index(day, start) - first_month
    inside = (person >= 0) & (column >= 0) & (column < width)
    cell = (person[inside] * width + column[inside]).astype(np.int64)
    sums = {
        name: np.bincount(cell, weights=lines[source].to_numpy()[inside], minlength=n * width)
        for name, source in {"margin": "margin", "amount": "amount", "orders": "counts"}.items()
    }
    kept = [name for name in ("first_month", "found", *COLUMNS) if name in people]
    frame = people[["customer_id", "arm", "start_month", *kept]].loc[np.repeat(np.arange(n), width)]
    sums["repeat"] = (sums["orders"] > 0).astype("float64")
    return frame.reset_index(drop=True).assign(month=np.tile(months, n), **sums)


def month_index(days: pd.Series, start: pd.Timestamp) -> Array:
    """Whole months from `start` to each day (negative before it); NaN for a missing day.

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2025-07-31", "2025-08-01"]))
    >>> month_index(days, pd.Timestamp("2025-01-01")).tolist()
    [6.0, 7.0]
    """
    day = days.to_numpy("datetime64[D]")
    month = day.astype("datetime64[M]")
    first, following = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")
    turn = np.minimum(start.day, (following - first).astype(int))
    whole = (month - start.to_datetime64().astype("datetime64[M]")).astype(float)
    return np.where(np.isnat(day), np.nan, whole - ((day - first).astype(int) + 1 < turn))


def _window(day: pd.Series, start: pd.Timestamp, last_day: pd.Timestamp) -> tuple[int, npt.NDArray[np.int64]]:
    if day.notna().sum() == 0:
        return 0, np.arange(0)
    first = cast("pd.Timestamp", day.min())
    index = int(month_index(pd.Series([first]), start)[0])
    begins = start + pd.DateOffset(months=index)
    first_month = max(-MONTHS_BEFORE, index + int(begins < first))
    if first_month > 0:
        return 0, np.arange(0)
    after = int(month_index(pd.Series([last_day + pd.Timedelta(days=1)]), start)[0])
    return first_month, np.arange(first_month, max(after, first_month))
