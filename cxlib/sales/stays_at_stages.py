"""Deals as visits to stages: in which order stages stand, and when each deal came and went."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.deals import deal_day, deal_spells, result_flags

#: How deals end: no open deal stays there, whatever a table says.
ENDS = ("won", "lost")
_VISITS = ["deal_id", "customer_id", "stage", "entered", "left", "next", "visit"]


def open_stages(deals: pd.DataFrame, deal_stages: pd.DataFrame, *, known: Sequence[str] = ()) -> list[str]:
    """Stages of open deals in their order, without those that only say how a deal ended.

    Parameters
    ----------
    deals
        With `deal_id, stage, is_won` and, if known, `closed_on`.
    deal_stages
        With `deal_id, stage, entered_at`; without rows the stages of the deals are taken as they are.
    known
        Stages whose order a rule states. Where it names all of them it decides; otherwise deals do: a stage
        stands where deals enter it, by the mean of its places on their ways.

    Returns
    -------
    list of str
        A stage ends deals, and is left out, where every deal at it is over and most were over when they
        entered it (without `closed_on`: most that entered it went nowhere else).

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a", "b"], "stage": ["won", "talk"], "is_won": [True, None]})
    >>> ways = pd.DataFrame({"deal_id": ["a", "a", "a", "b"], "stage": ["talk", "quote", "won", "talk"],
    ...     "entered_at": pd.date_range("2026-01-01", periods=4)})
    >>> open_stages(deals, ways), open_stages(deals, ways.head(0))
    (['talk', 'quote'], ['talk'])
    """
    check_columns(deals, deal_id="deal_id", stage="stage")
    over = pd.Series(~np.isnan(result_flags(deals)), index=deals.index)
    ways = deal_stages.sort_values(["deal_id", "entered_at"], kind="stable")
    of_deal = ways.groupby("deal_id")["stage"]
    at = of_deal.cumcount() / (of_deal.transform("size") - 1).clip(lower=1)
    ends_deals = of_deal.shift(-1).isna()
    if "closed_on" in deals:
        ended = deal_day(deals, "closed_on").where(over).set_axis(deals["deal_id"])
        day = local_days(ways["entered_at"], "entered_at").to_numpy()
        until = ended[~ended.index.duplicated()].reindex(ways["deal_id"]).to_numpy()
        ends_deals = pd.Series(day >= until, index=ways.index).where(~np.isnat(until))
    still = set(deals.loc[~over, "stage"].dropna())
    names = sorted({*ways["stage"].dropna(), *still})
    mean = at.groupby(ways["stage"]).mean()
    ending = ends_deals.astype(float).groupby(ways["stage"]).mean()
    found = [name for name in names if name in still or not ending.get(name, np.nan) >= 0.5]
    found = [name for name in found if name not in ENDS]
    if set(found) <= set(known):
        return [name for name in known if name in found]
    return sorted(found, key=lambda name: (mean.get(name, 0.0), name))


def stage_visits(
    deals: pd.DataFrame, deal_stages: pd.DataFrame, *, as_of: dt.date | str, stages: Sequence[str]
) -> pd.DataFrame:
    """List each deal's stays at a stage, as known on a day.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `deal_id` and `customer_id`.
    deal_stages
        With `deal_id, stage, entered_at`.
    as_of
        Last day known, inclusive: what was entered or ended later is not looked at.
    stages
        Stages that count (`open_stages`); others, such as "won", say nothing of where a deal stays.

    Returns
    -------
    DataFrame
        `deal_id, customer_id, stage, entered, left` (days since the deal was created; a stay goes on until
        the next one, the end of the deal or `as_of`), `next` (the stage after it, "won", "lost", or missing
        while the deal is there) and `visit` (1 for the first of the deal). Entries before the deal was
        created count from its creation, entries after its end are left out; of entries of one stage in a row
        the first counts. A deal opened again was open throughout: its last result counts.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a"], "customer_id": ["k"], "is_won": [True],
    ...     "created_on": pd.to_datetime(["2026-01-01"]), "closed_on": pd.to_datetime(["2026-01-21"])})
    >>> ways = pd.DataFrame({"deal_id": ["a", "a"], "stage": ["talk", "quote"],
    ...     "entered_at": pd.to_datetime(["2026-01-01", "2026-01-11"])})
    >>> stays = stage_visits(deals, ways, as_of="2026-03-31", stages=["talk", "quote"])
    >>> stays[["stage", "entered", "left", "next"]].to_numpy().tolist()
    [['talk', 0, 10, 'quote'], ['quote', 10, 20, 'won']]
    """
    spells = deal_spells(deals, as_of=as_of)
    names = ["deal_id", "customer_id", "created_on", "days", "outcome"]
    spells = spells.assign(created_on=deal_day(spells, "created_on"))[names]
    ways = deal_stages.assign(day=local_days(deal_stages["entered_at"], "entered_at"))
    ways = ways[ways["stage"].isin(list(stages)) & (ways["day"] <= pd.Timestamp(to_date(as_of)))]
    ways = ways.sort_values(["deal_id", "entered_at"], kind="stable")[["deal_id", "stage", "day"]]
    stays = ways.merge(spells, on="deal_id", how="inner")
    stays["entered"] = (stays["day"] - stays["created_on"]).dt.days.clip(lower=0)
    stays = stays[stays["entered"] <= stays["days"]]
    stays = stays[stays["stage"] != stays.groupby("deal_id")["stage"].shift()]
    of_deal = stays.groupby("deal_id")
    following, until = of_deal["stage"].shift(-1), of_deal["entered"].shift(-1)
    stays["next"] = following.astype(object).where(following.notna(), stays["outcome"])
    stays["left"] = until.fillna(stays["days"]).astype(int)
    stays["visit"] = of_deal.cumcount() + 1
    return stays[_VISITS].astype({"entered": int}).reset_index(drop=True)


def history_notes(
    deals: pd.DataFrame, deal_stages: pd.DataFrame, *, as_of: dt.date | str, stages: Sequence[str]
) -> list[dict[str, Any]]:
    """Say where the history of stages and the deals contradict each other: rows for `Report.say`.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a"], "stage": ["talk"], "is_won": [None],
    ...     "created_on": pd.to_datetime(["2026-01-01"]), "closed_on": pd.to_datetime([None])})
    >>> ways = pd.DataFrame({"deal_id": ["a"], "stage": ["quote"], "entered_at": pd.to_datetime(["2026-01-02"])})
    >>> [row["note"] for row in history_notes(deals, ways, as_of="2026-03-31", stages=["talk", "quote"])]
    ['sales.notes.other_stage']
    """  # noqa: E501
    spells = deal_spells(deals, as_of=as_of)
    ways = deal_stages.assign(day=local_days(deal_stages["entered_at"], "entered_at"))
    ways = ways[ways["day"] <= pd.Timestamp(to_date(as_of))].sort_values(
        ["deal_id", "entered_at"], kind="stable"
    )
    ended = spells.set_index("deal_id")["ended_on"].reindex(ways["deal_id"]).to_numpy()
    late = ways.loc[(ways["day"].to_numpy() > ended) & ways["stage"].isin(list(stages)), "deal_id"].nunique()
    still = spells[spells["is_open"] & spells["stage"].isin(list(stages))].set_index("deal_id")["stage"]
    last = ways.groupby("deal_id")["stage"].last().reindex(still.index)
    other = int((last.notna() & (last != still)).sum())
    unknown = int((~spells["deal_id"].isin(ways["deal_id"])).sum())
    told = [
        ("sales.notes.other_stage", other),
        ("sales.notes.after_end", late),
        ("sales.notes.no_history", unknown),
    ]
    return [
        {"note": note, "level": "warning", "n_deals": n, "all_deals": len(spells)} for note, n in told if n
    ]
