"""Parcels: how many are late, who asks where theirs is, what is sent back, and how that feels."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.data.days import local_days, to_date
from cxlib.data.joined import joined
from cxlib.data.purchases import purchase_lines
from cxlib.stats.arrays import Array
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval, clustered_mean_interval

#: Days late, by the first day of their classes.
LATE = (1, 3)
_EXCHANGED = (("exchanged", "exchange_days", "exchanged_on"),)
_COLUMNS = ["metric", *Interval._fields, "n"]


def parcels(orders: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """One row per order whose promised day is over: when it was ordered, promised, delivered, days late.

    Parameters
    ----------
    orders : DataFrame
        Order lines with `customer_id, order_id, ordered_at, promised_on, delivered_on`; without the last two
        there are no parcels.
    as_of : date

    Returns
    -------
    DataFrame
        `customer_id, ordered_on, delivered_on` (last line; missing while under way), `late_days` (delivered,
        or today for those under way, minus promised; 0 and less is in time).
    """
    columns = ["customer_id", "order_id", "ordered_on", "promised_on", "delivered_on", "late_days"]
    if not {"promised_on", "delivered_on"} <= set(orders):
        return pd.DataFrame(columns=columns)
    last = pd.Timestamp(to_date(as_of))
    sold = orders[purchase_lines(orders) & orders["promised_on"].notna()]
    if sold.empty:
        return pd.DataFrame(columns=columns)
    days = {name: local_days(sold[name], name) for name in ("promised_on", "delivered_on")}
    sold = sold.assign(ordered_on=local_days(sold["ordered_at"], "ordered_at"), **days)
    sold = sold[sold["promised_on"] <= last]
    under_way = sold.groupby("order_id")["delivered_on"].transform(lambda days: days.isna().any())
    sold = sold.assign(delivered_on=sold["delivered_on"].where(~under_way.astype(bool)))
    held = sold.groupby("order_id", sort=False).agg(
        customer_id=("customer_id", "first"), ordered_on=("ordered_on", "min"),
        promised_on=("promised_on", "max"), delivered_on=("delivered_on", "max"),
    ).reset_index()  # fmt: skip
    held["late_days"] = (held["delivered_on"].fillna(last) - held["promised_on"]).dt.days
    return held[columns]


def late_parcels(
    sent: pd.DataFrame,
    tickets: pd.DataFrame,
    *,
    reason: str = "delivery",
    after_days: int = 7,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of parcels late, and of parcels in time and late whose customer asked where it is (0–1).

    Parameters
    ----------
    sent : DataFrame
        From `parcels`.
    tickets : DataFrame
        From `read_tickets`.
    reason : str
        Reason that asks about a parcel.
    after_days : int
        Days after delivery within which a ticket still counts as about that parcel.
    conf_level : float

    Returns
    -------
    DataFrame
        `metric` ("late_parcels", "where_is_it"), `parcel` ("all", "in_time", "late"), `estimate, std_error,
        conf_low, conf_high` (Wilson on the effective number, customers as clusters), `n` (customers),
        `n_parcels`. No rows without parcels, and none of "where_is_it" where no ticket has that reason: in
        other words nobody asked, or the reason is called otherwise.
    """
    if sent.empty:
        return pd.DataFrame(columns=["metric", "parcel", *Interval._fields, "n", "n_parcels"])
    is_about = tickets["reason"] == reason
    asked = tickets.loc[is_about, ["customer_id", "opened_at"]].dropna()
    numbered = sent.assign(place=np.arange(len(sent)))
    pairs = joined(numbered, asked)
    until = pairs["delivered_on"].fillna(pairs["promised_on"]) + pd.Timedelta(days=after_days + 1)
    pairs = pairs[(pairs["opened_at"] >= pairs["ordered_on"]) & (pairs["opened_at"] < until)]
    hit, late = np.isin(np.arange(len(sent)), pairs["place"]), (sent["late_days"] > 0).to_numpy()
    whole = np.ones(len(sent), bool)
    rows = []
    for metric, parcel, values, own in (
        ("late_parcels", "all", late, whole),
        ("where_is_it", "all", hit, whole),
        ("where_is_it", "in_time", hit, ~late),
        ("where_is_it", "late", hit, late),
    ):
        if metric == "where_is_it" and not is_about.any():
            continue
        who = sent.loc[own, "customer_id"]
        interval = clustered_share_interval(values[own], who, conf_level=conf_level)
        counts = {"n": who.nunique(), "n_parcels": int(own.sum())}
        rows.append({"metric": metric, "parcel": parcel, **interval._asdict(), **counts})
    return pd.DataFrame(rows)


def feeling_by_lateness(
    sent: pd.DataFrame, events: pd.DataFrame, *, touchpoint: str = "delivery", after_days: int = 14,
    scale: tuple[float, float] = (-2, 2), conf_level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Mean valence at the contact of delivery by how late the parcel was.

    Parameters
    ----------
    sent : DataFrame
        From `parcels`.
    events : DataFrame
        Contacts: `customer_id, occurred_at, touchpoint, valence`; each belongs to the last parcel sent within
        `after_days` before it.
    touchpoint, after_days, scale, conf_level

    Returns
    -------
    DataFrame
        `late_from` (0: in time; 1, 3: days late, from), `metric` ("wait_valence"), `estimate, std_error,
        conf_low, conf_high, n` (customers). No rows where no contact belongs to a parcel.
    """
    felt = events[(events["touchpoint"] == touchpoint) & events["valence"].notna()]
    felt = felt.assign(day=local_days(felt["occurred_at"], "occurred_at"))[["customer_id", "day", "valence"]]
    if felt.empty or sent.empty:
        return pd.DataFrame(columns=["late_from", *_COLUMNS])
    pairs = joined(felt.assign(contact=np.arange(len(felt))), sent)
    age = (pairs["day"] - pairs["ordered_on"]).dt.days
    pairs = pairs[(age >= 0) & (age <= after_days)].sort_values(["ordered_on", "order_id"])
    pairs = pairs.drop_duplicates("contact", keep="last")
    group = np.array([0, *LATE])[np.searchsorted(LATE, pairs["late_days"], side="right")]
    return means_by(pairs, "valence", group, "late_from", "wait_valence", scale, conf_level)


def sent_back(orders: pd.DataFrame, *, as_of: dt.date | str, conf_level: float = 0.95) -> pd.DataFrame:
    """Share of orders of which something was refunded or exchanged (0–1), and days from delivery until then.

    Parameters
    ----------
    orders : DataFrame
        Order lines: `customer_id, order_id, amount` (a refund below 0), and as far as known `delivered_on`,
        `refunded_on` and `exchanged_on` (day on which the replacement came).
    as_of : date
    conf_level : float

    Returns
    -------
    DataFrame
        `metric` ("refunded", and "refund_days" where both days are known: mean; "exchanged" and
        "exchange_days" likewise where exchanges are recorded), `estimate, std_error, conf_low, conf_high`
        (customers as clusters), `n` (customers). Orders of the last thirty days are left out: their refunds
        may still come.
    """
    last = pd.Timestamp(to_date(as_of))
    day = local_days(orders["ordered_at"], "ordered_at")
    held = orders[(day <= last - pd.Timedelta(days=30)) & orders["order_id"].notna()]
    held = held.assign(is_back=held["amount"] < 0)
    each = held.groupby("order_id", sort=False).agg(
        customer_id=("customer_id", "first"), is_back=("is_back", "max")
    )
    if each.empty:
        return pd.DataFrame(columns=_COLUMNS)
    rows = []
    for metric, name, on in (("refunded", "refund_days", "refunded_on"), *_EXCHANGED):
        is_dated = _holds_days(held, on)
        if metric == "exchanged" and not is_dated:
            continue
        what = each["is_back"] if metric == "refunded" else held[on].notna().groupby(held["order_id"]).max()
        share = clustered_share_interval(what.reindex(each.index), each["customer_id"], conf_level=conf_level)
        rows.append({"metric": metric, **share._asdict(), "n": each["customer_id"].nunique()})
        if is_dated and _holds_days(held, "delivered_on"):
            dated = {column: local_days(held[column], column) for column in ("delivered_on", on)}
            days = held.assign(**dated).groupby("order_id", sort=False)[list(dated)].max()
            took = (days[on] - days["delivered_on"]).dt.days.dropna()
            took = took[took >= 0]
            if len(took):
                who = each.loc[took.index, "customer_id"]
                mean = clustered_mean_interval(took, who, conf_level=conf_level)
                rows.append({"metric": name, **mean._asdict(), "n": who.nunique()})
    return pd.DataFrame(rows, columns=_COLUMNS)


def _holds_days(held: pd.DataFrame, column: str) -> bool:
    """Whether a column holds days, be they Python's own; text is left out."""
    kinds = ("date", "datetime", "datetime64")
    return column in held and pd.api.types.infer_dtype(held[column], skipna=True) in kinds


def means_by(
    rows: pd.DataFrame, column: str, group: Array, name: str, metric: str, bounds: Any, conf_level: float
) -> pd.DataFrame:
    """Mean of a column in each group, customers as clusters."""
    of, code = np.unique(group, return_inverse=True)
    if not len(of):
        return pd.DataFrame(columns=[name, *_COLUMNS])
    how: dict[str, Any] = {"groups": code, "n_groups": len(of), "conf_level": conf_level, "bounds": bounds}
    interval = clustered_mean_interval(rows[column].to_numpy(dtype=float), rows["customer_id"], **how)
    n = rows.groupby(code)["customer_id"].nunique().to_numpy()
    return pd.DataFrame({name: of, "metric": metric, **interval._asdict(), "n": n})
