"""Why deals were lost, and what became of the deals created in each quarter."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from cxlib.data.days import to_date
from cxlib.data.deals import deal_day, deal_spells
from cxlib.sales.quarter_forecast import amounts_of, quarter_of
from cxlib.sales.won_and_lost import MATURE_DAYS, usual_age
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.first_place import leading
from cxlib.stats.intervals import Interval

#: Reason of few customers together, and where none is recorded.
OTHER, UNKNOWN = "other", "not_recorded"
_REASONS = ["reason", "metric", *Interval._fields, "lost_amount", "n", "customers"]
_QUARTERS = [
    "quarter_from",
    "metric",
    *Interval._fields,
    "n",
    "customers",
    "open_deals",
    "within_days",
    "note",
]


def lost_reasons(
    deals: pd.DataFrame, *, as_of: dt.date | str, min_cell: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """Share (0–1) of lost deals by the reason recorded, the most frequent first.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `customer_id, lost_reason` (missing: not recorded) and as far as known
        `amount`.
    as_of
        Last day known, inclusive.
    min_cell
        Reasons of fewer customers are "other" together: somebody may have typed a name.
    conf_level
        Level of the intervals (Wilson's on the effective number, by account).

    Returns
    -------
    DataFrame
        `reason` ("other" and "not_recorded" last), `metric` ("reason_share"), `estimate, std_error,
        conf_low, conf_high` (of all lost deals), `lost_amount` (currency; missing where no lost deal has
        one), `n` (deals), `customers`. No rows without a lost deal, or where no reason is recorded at all.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": range(40), "created_on": pd.Timestamp("2026-01-01"),
    ...     "closed_on": pd.Timestamp("2026-01-11"), "is_won": False, "lost_reason": ["price"] * 30 + [None] * 10})
    >>> lost_reasons(deals, as_of="2026-03-31")[["reason", "estimate"]].to_numpy().tolist()
    [['price', 0.75], ['not_recorded', 0.25]]
    """  # noqa: E501
    spells = deal_spells(deals, as_of=as_of)
    lost = spells[spells["outcome"] == "lost"]
    if "lost_reason" not in lost or not lost["lost_reason"].notna().any():
        return pd.DataFrame(columns=_REASONS)
    words = lost["lost_reason"].astype(object).where(lost["lost_reason"].notna(), UNKNOWN)
    people = lost.groupby(words)["customer_id"].nunique()
    few = people.index[(people < min_cell) & (people.index != UNKNOWN)]
    words = words.mask(words.isin(few), OTHER)
    amounts = pd.Series(amounts_of(lost), index=lost.index)
    rows: list[dict[str, Any]] = []
    for word, own in lost.groupby(words):
        share = clustered_share_interval(words == word, lost["customer_id"], conf_level=conf_level)
        counts = {"lost_amount": amounts[own.index].sum(min_count=1), "n": len(own)}
        counts["customers"] = own["customer_id"].nunique()
        rows.append({"reason": word, "metric": "reason_share", **share._asdict(), **counts})
    table = pd.DataFrame(rows, columns=_REASONS)
    last = table["reason"].map({OTHER: 1, UNKNOWN: 2}).fillna(0)
    ordered = table.assign(last=last).sort_values(["last", "n", "reason"], ascending=[True, False, True])
    return ordered.drop(columns="last").reset_index(drop=True)


def first_lost_reason(reasons: pd.DataFrame, *, min_cell: int = 10) -> dict[str, Any]:
    """Name the reason most lost deals have, and whether it leads the next beyond doubt.

    Examples
    --------
    >>> rows = pd.DataFrame({"reason": ["price", "timing"], "metric": "reason_share", "n": 40,
    ...     "estimate": [0.6, 0.2], "conf_low": [0.5, 0.1], "conf_high": [0.7, 0.3], "customers": 40})
    >>> told = first_lost_reason(rows)
    >>> told["claim"], told["reason"], told["second_reason"]
    ('first', 'price', 'timing')
    """
    known = reasons[~reasons["reason"].isin([OTHER, UNKNOWN]) & (reasons["customers"] >= min_cell)]
    if known.empty:
        return {"note": "sales.no_reasons", "min_cell": min_cell}
    place = leading(known, name_col="reason", unit="share")
    row = known[known["reason"] == place["first"]].iloc[0]
    told = {str(name): held for name, held in row.items()} | {"second_reason": place["second"]}
    unknown = reasons.loc[reasons["reason"] == UNKNOWN, "estimate"].sum()
    return told | {"claim": place["rank"], "unknown_share": float(unknown)}


def won_by_quarter(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    fiscal_year_start: int = 1,
    within_days: int | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of the deals created in each quarter that were won within the same number of days.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `customer_id`.
    as_of
        Last day known, inclusive.
    fiscal_year_start
        Month in which the fiscal year begins; quarters follow it.
    within_days
        Days from the creation; `usual_age` by default, 90 where that is not known.
    conf_level
        Level of the intervals (by account).

    Returns
    -------
    DataFrame
        In order: `quarter_from` (its first day), `metric` ("won_within"), `estimate, std_error, conf_low,
        conf_high, n` (deals), `customers, open_deals` (now), `within_days, note` ("immature": its last deals
        are younger than that, so that it has no share yet).

    Notes
    -----
    Every quarter is given the same time; the plain share won so far would be lower for each later quarter.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": list("abcd"), "is_won": [True, False, True, None],
    ...     "created_on": pd.to_datetime(["2026-01-05", "2026-02-05", "2026-04-05", "2026-05-05"]),
    ...     "closed_on": pd.to_datetime(["2026-01-25", "2026-02-25", "2026-04-25", None])})
    >>> rows = won_by_quarter(deals, as_of="2026-06-30", within_days=60)
    >>> rows[["n", "estimate", "note"]].to_numpy().tolist()
    [[2, 0.5, ''], [2, nan, 'immature']]
    """
    spells = deal_spells(deals, as_of=as_of)
    usual = usual_age(deals, as_of=as_of) if within_days is None else float(within_days)
    age = int(usual if usual == usual else MATURE_DAYS)
    created = deal_day(spells, "created_on")
    quarters = {day: quarter_of(day.date(), fiscal_year_start=fiscal_year_start) for day in created.unique()}
    rows: list[dict[str, Any]] = []
    for quarter, own in spells.groupby(created.map(quarters).astype(object), sort=True):
        is_over = pd.Timestamp(quarter.last_day) + pd.Timedelta(days=age) <= pd.Timestamp(to_date(as_of))
        won = (own["outcome"] == "won") & (own["days"] <= age)
        share = clustered_share_interval(won, own["customer_id"], conf_level=conf_level)
        ends = dict.fromkeys(Interval._fields, float("nan")) if not is_over else share._asdict()
        about = {"quarter_from": pd.Timestamp(quarter.first_day), "metric": "won_within"}
        counts = {"n": len(own), "customers": own["customer_id"].nunique()}
        counts |= {"open_deals": int(own["is_open"].sum()), "within_days": age}
        rows.append({**about, **ends, **counts, "note": "" if is_over else "immature"})
    return pd.DataFrame(rows, columns=_QUARTERS)
