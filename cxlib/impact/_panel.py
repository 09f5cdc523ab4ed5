"""From order lines and enrolments to one row per customer and month around an initiative's start."""

from __future__ import annotations

from datetime import date, timedelta
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import InputError, ParameterError, check_columns, fail_option

Array = npt.NDArray[np.float64]
ASSIGNMENTS = ("randomised", "staggered", "targeted", "everyone")
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
    ParameterError
        No such initiative; the message lists those that exist.
    InputError
        A cost is negative, the start is missing, or `assignment` is not one of the four kinds.

    Examples
    --------
    >>> table = pd.DataFrame({"initiative_id": ["I1"], "name": ["Mail"], "started_on": [date(2025, 1, 1)],
    ...                       "one_time_cost": [100.0], "monthly_cost": [5.0], "assignment": ["randomised"]})
    >>> choose_initiative(table, "I1")["assignment"]
    'randomised'
    """
    known = initiatives["initiative_id"].astype(str)
    rows = initiatives.head(1) if initiative is None else initiatives[known == str(initiative)]
    if rows.empty:
        raise ParameterError(
            "impact.unknown_initiative", found=repr(initiative), options=", ".join(sorted(known)) or "–"
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
        start; missing for the never treated), `exposed` (a control that was enrolled all the same).

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
    known_before = dates(customers["first_seen_on"]) < start
    own = (
        None if enrolments is None else enrolments[enrolments["initiative_id"].astype(str) == str(initiative)]
    )
    if own is None or own.empty:
        ids = customers.loc[known_before, "customer_id"].to_numpy()
        return pd.DataFrame({"customer_id": ids, "arm": "treatment", "start_month": 0.0, "exposed": False})
    twice = own["customer_id"].duplicated(keep=False)
    if twice.any():
        raise InputError("impact.enrolled_twice", count=f"{own.loc[twice, 'customer_id'].nunique():,}")
    allowed = (
        customers.loc[known_before, "customer_id"] if assignment == "everyone" else customers["customer_id"]
    )
    own = own[own["customer_id"].isin(allowed)].sort_values("customer_id", ignore_index=True)
    enrolled_on = dates(own["enrolled_on"])
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
            "arm": arm.astype(str),
            "start_month": start_month.where(arm == "treatment").astype("float64"),
            "exposed": (arm == "control") & enrolled_on.notna(),
        }
    )


def study_panel(
    orders: pd.DataFrame,
    members: pd.DataFrame,
    *,
    started_on: date | str | pd.Timestamp,
    as_of: date | str | pd.Timestamp,
    contribution_margin_rate: float = 0.3,
) -> pd.DataFrame:
    """Sum up what each customer of the study brought in per month around the start, zeros included.

    Month 0 begins on the start date and ends the day before the same day of the next month; month −1 is the
    one before. Only months that lie wholly between the first order in the data and the end of `as_of` count,
    at most 12 of them before the start. Days are those of the time zone that `ordered_at` carries.

    Parameters
    ----------
    orders : DataFrame
        Contract table (order lines): `order_id, customer_id, ordered_at, amount`, `margin` where known. Lines
        without a customer or an amount are left out.
    members : DataFrame
        Result of `study_members`.
    started_on, as_of : date
        First day of the initiative; last day of the data.
    contribution_margin_rate : float
        Share of the amount that is margin, 0 to 1, for lines whose `margin` is missing.

    Returns
    -------
    DataFrame
        `customer_id, arm, start_month, month` and the outcomes per customer and month: `margin` and `amount`
        in the currency of the data, `orders` (distinct orders with a positive line). Sorted by customer and
        month; empty when the data hold no whole month, or do not reach back to the start.

    Examples
    --------
    >>> lines = pd.DataFrame({"order_id": ["1", "2"], "customer_id": "a", "amount": [100.0, 50.0],
    ...                       "ordered_at": pd.to_datetime(["2025-01-01", "2025-02-03"])})
    >>> people = pd.DataFrame({"customer_id": ["a"], "arm": "treatment", "start_month": 0.0})
    >>> study_panel(lines, people, started_on="2025-02-01", as_of="2025-02-28")["margin"].tolist()
    [30.0, 15.0]
    """
    check_columns(
        orders, order_id="order_id", customer_id="customer_id", ordered_at="ordered_at", amount="amount"
    )
    start, last_day = pd.Timestamp(started_on), pd.Timestamp(as_of)
    day = dates(orders["ordered_at"])
    first_month, months = _window(day, start, last_day)
    people = members.sort_values("customer_id", ignore_index=True)
    n, width = len(people), len(months)
    person = pd.Index(people["customer_id"]).get_indexer(pd.Index(orders["customer_id"]))
    column = month_index(day, start) - first_month
    inside = (person >= 0) & (column >= 0) & (column < width) & orders["amount"].notna().to_numpy()
    cell = (person[inside] * width + column[inside]).astype(np.int64)
    lines = orders[inside]
    amount = lines["amount"].to_numpy(dtype="float64")
    margin = amount * contribution_margin_rate
    if "margin" in lines:
        recorded = lines["margin"].to_numpy(dtype="float64", na_value=np.nan)
        margin = np.where(np.isnan(recorded), margin, recorded)
    counted = ((amount > 0) & ~lines["order_id"].where(amount > 0).duplicated().to_numpy()).astype("float64")
    sums = {
        name: np.bincount(cell, weights=values, minlength=n * width)
        for name, values in {"margin": margin, "amount": amount, "orders": counted}.items()
    }
    frame = people[["customer_id", "arm", "start_month"]].loc[np.repeat(np.arange(n), width)]
    return frame.reset_index(drop=True).assign(month=np.tile(months, n), **sums)


def months_observed(started_on: date | str | pd.Timestamp, as_of: date | str | pd.Timestamp) -> int:
    """Whole months from the start to the end of `as_of`; 0 before the start.

    Examples
    --------
    >>> months_observed("2025-01-01", "2025-07-31"), months_observed("2025-01-01", "2025-07-30")
    (7, 6)
    """
    after_last = pd.Series([pd.Timestamp(as_of) + timedelta(days=1)])
    return max(0, int(month_index(after_last, pd.Timestamp(started_on))[0]))


def month_index(days: pd.Series, start: pd.Timestamp) -> Array:
    """Whole months from `start` to each day (negative before it); NaN for a missing day."""
    turn = np.minimum(start.day, days.dt.days_in_month)
    index = (days.dt.year - start.year) * 12 + days.dt.month - start.month - (days.dt.day < turn)
    return index.where(days.notna()).to_numpy(dtype="float64", na_value=np.nan)


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


def dates(values: pd.Series) -> pd.Series:
    """Midnight of each local day, without a time zone, whatever the column held."""
    stamps = values if pd.api.types.is_datetime64_any_dtype(values) else pd.to_datetime(values)
    return (stamps if stamps.dt.tz is None else stamps.dt.tz_localize(None)).dt.normalize()
