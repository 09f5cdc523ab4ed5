"""Who is likely to ask next, as known on some days, and whether reaching them first meant fewer questions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData, check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.joined import joined
from cxlib.data.purchases import purchase_lines
from cxlib.stats.intervals import Interval
from cxlib.stats.scoring.by_group import calibration_curve
from cxlib.stats.scoring.now import score_now
from cxlib.stats.scoring.out_of_time import score_out_of_time
from cxlib.stats.scoring.quality import score_quality, score_told
from cxlib.support.after_tickets import ABOUT_DAYS

FEATURES = ("bought_7", "bought_30", "orders_90", "is_first", "asked_before", "product_rate")
#: Days between two days of which the list is made, how many of them, and days of orders that count.
EVERY, MOST_DAYS, MEMORY = 30, 12, 365


class Forecast(NamedTuple):
    """Who is likely to ask: what the test says, how it fared, and the list; a class to name the three."""

    told: list[dict[str, Any]]
    fifths: pd.DataFrame
    latest: pd.DataFrame


_ROWS = ["customer_id", "cut_on", "recency_days", *FEATURES, "product", "outcome"]


def days_to_score(last_day: dt.date | str, *, first_day: Any, next_days: int = 30) -> list[dt.date]:
    """Give days, thirty apart and the latest last, on which the list could have been made; `last_day` is one.

    No day where `first_day`, the first day of tickets, is missing, and none of the ninety days after it.

    Examples
    --------
    >>> [str(day) for day in days_to_score("2026-09-30", first_day="2026-05-01")]
    ['2026-08-01', '2026-08-31', '2026-09-30']
    """
    if pd.isna(first_day):
        return []
    last, first = to_date(last_day), to_date(first_day) + dt.timedelta(days=90)
    days = [last - dt.timedelta(days=EVERY * place) for place in range(MOST_DAYS + next_days // EVERY)]
    return sorted(day for day in days if day >= first)


def asking_rows(
    tickets: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    days: Iterable[dt.date],
    as_of: dt.date | str,
    next_days: int = 30,
    product_col: str = "category",
) -> pd.DataFrame:
    """One row per customer and day: what was known at its end, and whether the customer asked after it.

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`.
    orders : DataFrame
        Order lines: `customer_id, order_id, ordered_at, amount` and `product_col`.
    days : iterable of date
        From `days_to_score`.
    as_of : date
        Last day that is known; `outcome` is missing for days whose `next_days` are not over.
    next_days : int
    product_col : str
        What was bought; where there is no such column all is one product.

    Returns
    -------
    DataFrame
        Customers who bought within a year: `customer_id, cut_on, recency_days, bought_7, bought_30` (0, 1),
        `orders_90, is_first` (one purchase so far), `asked_before` (tickets of a year), `product_rate` (of
        earlier orders of the product last bought, those that a ticket followed within thirty days),
        `product`, `outcome` (a ticket within `next_days`: 0, 1 or missing).
    """
    check_columns(orders, **{name: name for name in ("customer_id", "order_id", "ordered_at")})
    sold = orders[purchase_lines(orders) & orders["customer_id"].notna()]
    bought = sold[["customer_id", "order_id"]].assign(
        day=local_days(sold["ordered_at"], "ordered_at"),
        product=sold[product_col].astype(object) if product_col in sold else None,
    )
    order = ["day", "order_id", "product"]
    bought = bought.assign(product=bought["product"].fillna("")).sort_values(order, kind="stable")
    bought = bought.drop_duplicates(["customer_id", "order_id"], ignore_index=True)
    asked = tickets.loc[tickets["customer_id"].notna(), ["customer_id", "opened_at"]]
    asked = asked.assign(day=asked["opened_at"].dt.normalize())
    bought = bought.assign(led=_led_to_ticket(bought, asked))
    last = pd.Timestamp(to_date(as_of))
    parts = [_rows_of(pd.Timestamp(day), bought, asked, last, next_days) for day in days]
    held = [part for part in parts if len(part)]
    return pd.concat(held, ignore_index=True)[_ROWS] if held else pd.DataFrame(columns=_ROWS)


def _led_to_ticket(bought: pd.DataFrame, asked: pd.DataFrame) -> pd.Series:
    """Whether a ticket of the customer followed each order within thirty days."""
    pairs = joined(bought.reset_index(names="place")[["place", "customer_id", "day"]], asked)
    after = (pairs["day_y"] - pairs["day_x"]).dt.days
    return bought.index.to_series().isin(pairs.loc[(after >= 0) & (after <= ABOUT_DAYS), "place"])


def _rows_of(
    day: pd.Timestamp, bought: pd.DataFrame, asked: pd.DataFrame, last: pd.Timestamp, next_days: int
) -> pd.DataFrame:
    """Rows of one day, from what was known at its end."""
    known = bought[bought["day"] <= day]
    age = (day - known["day"]).dt.days
    old = known[age > ABOUT_DAYS]
    rate = old.groupby("product")["led"].mean()
    usual = float(old["led"].mean()) if len(old) else 0.0
    recent = known[age <= MEMORY]
    if recent.empty:
        return pd.DataFrame(columns=_ROWS)
    of = recent.groupby("customer_id", sort=True)
    latest = recent.drop_duplicates("customer_id", keep="last").set_index("customer_id")
    rows = pd.DataFrame({"recency_days": (day - of["day"].max()).dt.days.astype(float)})
    rows["bought_7"] = (rows["recency_days"] < 7).astype(float)
    rows["bought_30"] = (rows["recency_days"] < 30).astype(float)
    rows["orders_90"] = recent[age[recent.index] < 90].groupby("customer_id").size()
    rows["is_first"] = (known["customer_id"].value_counts().reindex(rows.index) == 1).astype(float)
    gone = (day - asked["day"]).dt.days
    rows["asked_before"] = asked[(gone >= 0) & (gone <= MEMORY)].groupby("customer_id").size()
    rows["product"] = latest["product"].reindex(rows.index)
    rows["product_rate"] = rows["product"].map(rate).astype(float).fillna(usual)
    soon = asked.loc[(gone < 0) & (gone >= -next_days), "customer_id"]
    rows["outcome"] = rows.index.isin(soon).astype(float)
    rows = rows.fillna({"orders_90": 0.0, "asked_before": 0.0})
    if day + pd.Timedelta(days=next_days) > last:
        rows["outcome"] = np.nan
    return rows.assign(cut_on=day).rename_axis("customer_id").reset_index()


def likely_reason(tickets: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Reason that customers who last bought the same product gave most often; missing where none did.

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`.
    rows : DataFrame
        From `asking_rows`.

    Returns
    -------
    Series
        A reason for each row of `rows`.
    """
    latest = rows.sort_values("cut_on", kind="stable").drop_duplicates("customer_id", keep="last")
    known = tickets.dropna(subset=["customer_id", "reason"]).merge(
        latest[["customer_id", "product"]], on="customer_id"
    )
    counts = known.groupby(["product", "reason"]).size().rename("n").reset_index()
    counts = counts.sort_values(["n", "reason"], ascending=[False, True]).drop_duplicates("product")
    return rows["product"].map(counts.set_index("product")["reason"])


def forecast_asking(rows: pd.DataFrame, *, next_days: int = 30, conf_level: float = 0.95) -> Forecast:
    """Hold the forecast of who asks against days it has not seen, and apply the one that won to today.

    Parameters
    ----------
    rows : DataFrame
        From `asking_rows`; those of the last day have no outcome yet.
    next_days : int
        As for `asking_rows`.
    conf_level : float

    Returns
    -------
    Forecast
        `told`: what the test lets one use (`score_told`, with `next_days`); a row with a `note` where it
        can't be tested. `fifths`: share observed beside the mean probability, by fifth of the forecast.
        `latest`: the rows of the last day with `probability`, the likeliest first; none without a forecast.

    Notes
    -----
    Fitted on days whose outcome was known by the first day of the test. Who is likely to ask is no effect of
    reaching them: leave some out by lot and compare (`asked_by_arm`).
    """
    nothing = pd.DataFrame(columns=["fifth", "metric", "predicted_share", *Interval._fields, "n"])
    given: dict[str, Any] = {"feature_cols": list(FEATURES), "baseline_col": "recency_days"}
    try:
        scored = score_out_of_time(rows, next_days=next_days, cluster_col="customer_id", **given)
    except NotEnoughData:
        return Forecast([{"note": "untested"}], nothing, rows.head(0))
    told = score_told(score_quality(scored, cluster_col="customer_id", conf_level=conf_level))
    told |= {"next_days": next_days, "note": None}
    used = told["used"]
    if used == "base":
        return Forecast([told], nothing, rows.head(0))
    how: dict[str, Any] = {"groups": 5, "cluster_col": "customer_id", "conf_level": conf_level}
    fifths = calibration_curve(scored, forecast=used, **how)
    latest = rows[(rows["cut_on"] == rows["cut_on"].max()) & rows["outcome"].isna()]
    today = latest.head(0)
    if len(latest):
        today = score_now(rows, latest, forecast=used, **given)
        today = today.sort_values(["probability", "customer_id"], ascending=[False, True], ignore_index=True)
    fifths = fifths.rename(columns={"group": "fifth", "predicted": "predicted_share"})
    return Forecast([told], fifths.drop(columns="forecast"), today)
