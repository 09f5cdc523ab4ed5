"""Which parts of the chapter on customer value the data let it show, and what it says of the data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlib.data.scope import Scope, Tables
from cxlib.language import text
from cxlib.stats.intervals import Interval
from cxlib.value.claims import UNSETTLED
from cxlib.value.days_of_purchase import Outcome, line_values
from cxlib.value.stay_claims import first_products


@dataclass(frozen=True)
class ValueTables:
    """Order lines, contracts and spend of one report; None where a table is missing or can't be split.

    A class because they go together, and because why there is no spend is told from it.
    """

    orders: pd.DataFrame
    contracts: pd.DataFrame | None
    spend: pd.DataFrame | None
    is_narrowed: bool
    segment: str | None = None


def value_tables(data_set: Tables, scope: Scope) -> ValueTables:
    """Take what the chapter reads: orders up to the last day, contracts, and spend of the period.

    Spend is not split by customer: it is left out where only some customers count.

    Raises
    ------
    NotEnoughData
        If there is no table of orders.
    """
    data_set.table("orders")
    orders = scope.rows("orders", with_history=True)
    contracts = spend = None
    if data_set.has("contracts"):
        held = data_set.table("contracts")
        held = held.merge(scope.customers, on="customer_id", suffixes=("", "_customer"))
        contracts = held[~(held["ended_on"] < held["started_on"])]
    if data_set.has("spend") and not scope.is_narrowed:
        spend = data_set.table("spend", **scope.period)
    return ValueTables(orders, contracts, spend, scope.is_narrowed, scope.segment)


def about_value(outcome: Outcome, horizon_months: int, *, lang: str) -> list[str]:
    """Line of the header on what counts as value.

    Examples
    --------
    >>> about_value("margin", 12, lang="en")
    ['What counts: margin, within 12 months of the first purchase']
    """
    word = text(f"value.outcome.{outcome}", lang)
    return [text("customer_value.header", lang, outcome=word, months=f"{horizon_months}")]


def new_customers(days: pd.DataFrame, customers: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """Lay beside each buyer the day of the first purchase, the attributes and the first product.

    Examples
    --------
    >>> days = pd.DataFrame({"customer_id": ["a"], "day": pd.to_datetime(["2026-01-01"]),
    ...     "first_day": pd.to_datetime(["2026-01-01"]), "value": [1.0]})
    >>> lines = days.rename(columns={"day": "ordered_at", "value": "amount"})
    >>> new_customers(days, pd.DataFrame({"customer_id": ["a"]}), lines).columns.to_list()
    ['customer_id', 'first_day', 'first_product', 'acquisition_channel']
    """
    first = days.groupby("customer_id", as_index=False)["first_day"].first()
    rows = first.merge(customers, on="customer_id", how="left").merge(
        first_products(orders), on="customer_id", how="left"
    )
    return rows if "acquisition_channel" in rows else rows.assign(acquisition_channel=None)


def value_notes(
    tables: ValueTables,
    customers: pd.DataFrame,
    *,
    outcome: Outcome,
    contribution_margin_rate: float,
    min_cell: int = 10,
) -> list[dict[str, Any]]:
    """Say what is to be known of the data: assumed margins, unknown channels, missing tables and months.

    Fewer than `min_cell` customers are not counted out.

    Examples
    --------
    >>> lines = pd.DataFrame({"amount": [10.0], "margin": [None]})
    >>> tables = ValueTables(lines, None, None, False)
    >>> people = pd.DataFrame({"acquisition_channel": ["ad"]})
    >>> notes = value_notes(tables, people, outcome="margin", contribution_margin_rate=0.3)
    >>> [note["note"].partition(".")[2] for note in notes]
    ['margin_assumed', 'no_spend_table', 'no_contracts_table']
    """
    told: list[dict[str, Any]] = []
    how = {"outcome": outcome, "contribution_margin_rate": contribution_margin_rate}
    _, assumed = line_values(tables.orders, **how)  # type: ignore[arg-type]
    if assumed > 0:
        shares = {"assumed_share": assumed, "rate_share": contribution_margin_rate}
        told.append({"note": "customer_value.margin_assumed", "level": "warning", **shares})
    unknown = int(customers["acquisition_channel"].isna().sum())
    if 0 < unknown < len(customers):
        is_few = unknown < min_cell
        note = f"customer_value.{'few_without_channel' if is_few else 'no_channel'}"
        told.append({"note": note, "level": "info", **({"least": min_cell} if is_few else {"n": unknown})})
    if tables.spend is None:
        told.append({"note": f"customer_value.{'narrowed' if tables.is_narrowed else 'no_spend_table'}"})
    elif gaps := missing_months(tables.spend):
        told.append({"note": "customer_value.months_missing", "level": "warning", "count": gaps})
    if tables.segment is not None:
        told.append({"note": "customer_value.one_segment", "level": "warning"})
    if tables.contracts is None:
        told.append({"note": "customer_value.no_contracts_table", "level": "info"})
    return told


def missing_months(spend: pd.DataFrame) -> int:
    """Count the months between the first and the last of `spend` that it has no row of.

    Examples
    --------
    >>> missing_months(pd.DataFrame({"month": pd.to_datetime(["2026-01-01", "2026-04-01"])}))
    2
    """
    months = np.unique(pd.to_datetime(spend["month"]).to_numpy().astype("datetime64[M]").astype(int))
    return int(np.ptp(months)) + 1 - len(months) if len(months) else 0


def begin_notes(start_of: Mapping[str, Any], *, is_given: bool = False) -> list[dict[str, Any]]:
    """Say what of new customers is not told, or leans towards old ones, because the data begin mid-life.

    Parameters
    ----------
    start_of
        As `settled_from`.
    is_given
        Whether the reader chose the first day, who then answers for it.

    Examples
    --------
    >>> begin_notes({"begins": "unsettled", "observed_from": None})[0]["note"], begin_notes({"begins": ""})
    ('customer_value.unsettled', [])
    """
    if not start_of["begins"]:
        return []
    note = f"customer_value.{start_of['begins']}{'_given' if is_given else ''}"
    told = {"from_on": start_of["observed_from"], "older_share": start_of.get("older_share")}
    return [{"note": note, "level": "warning", **told}]


def first_seen(days: pd.DataFrame, start_of: Mapping[str, Any]) -> pd.DataFrame:
    """Keep the purchase days of customers whose first purchase counts as one, by `settled_from`.

    Examples
    --------
    >>> days = pd.DataFrame({"customer_id": ["a", "b"], "first_day": pd.to_datetime(["2026-01-01", "2026-03-01"])})
    >>> first_seen(days, {"observed_from": dt.date(2026, 2, 1)})["customer_id"].tolist()
    ['b']
    """  # noqa: E501
    since = start_of["observed_from"]
    return days if since is None else days[days["first_day"] >= pd.Timestamp(since)].reset_index(drop=True)


def spend_known_from(start_of: Mapping[str, Any]) -> dt.date | None:
    """First day whose new customers are known, to set spend against: that of the data, or a later one.

    The month in which the data begin counts as known.

    Examples
    --------
    >>> spend_known_from({"observed_from": None, "begins_on": dt.date(2026, 1, 9)})
    datetime.date(2026, 1, 1)
    """
    begins_on = start_of.get("begins_on")
    return start_of["observed_from"] or (None if begins_on is None else begins_on.replace(day=1))


def if_first_known(rows: pd.DataFrame, start_of: Mapping[str, Any]) -> pd.DataFrame:
    """Blank figures of new customers (`note` "unsettled") where first purchases can't be told from others.

    Parameters
    ----------
    rows
        Result of `ltv` (contracts stay), `cac`, `cac_by_cohort` or `kept_by_period`.
    start_of
        As `settled_from`; a first day the reader chose is kept to.

    Examples
    --------
    >>> rows = pd.DataFrame({"estimate": [9.0], "conf_low": [8.0], "note": [""]})
    >>> if_first_known(rows, {"begins": "unsettled", "observed_from": None}).values.tolist()
    [[nan, nan, 'unsettled']]
    """
    if start_of["begins"] != UNSETTLED or start_of["observed_from"] is not None:
        return rows
    hit = rows["estimate"].notna()
    if "method" in rows:
        hit &= rows["method"] != "sbg"
    ends = {name: rows[name].mask(hit) for name in Interval._fields if name in rows}
    before = rows["note"] if "note" in rows else pd.Series("", index=rows.index)
    return rows.assign(**ends, note=before.mask(hit, UNSETTLED))


def names_of(listed: str) -> list[str]:
    """Names in a text such as "organic, referral".

    Examples
    --------
    >>> names_of("organic, referral"), names_of("")
    (['organic', 'referral'], [])
    """
    return [name.strip() for name in listed.split(",") if name.strip()]


def followed_from(lapses: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Count times to a lapse from a day, of those who were customers then and had not lapsed.

    Groups known on that day can be compared by them; groups made of what came later could not.

    Examples
    --------
    >>> lapses = pd.DataFrame({"customer_id": ["a", "b"], "first_day": pd.to_datetime(["2026-01-01"] * 2),
    ...     "duration_days": [100, 10], "is_lapsed": [True, True]})
    >>> followed_from(lapses, dt.date(2026, 1, 31))["duration_days"].to_list()
    [70]
    """
    before = (pd.Timestamp(day) - lapses["first_day"]).dt.days
    kept = (before >= 0) & (lapses["duration_days"] > before)
    return lapses.assign(duration_days=lapses["duration_days"] - before)[kept]
