"""What the segmentation chapter may say of growth: of all, and of the segments that moved most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.customers.rfm_segments import CAME, NO_ORDERS
from cxlib.customers.sales_growth import segment_growth
from cxlib.stats.verdicts import UNDECIDED, limits_side, limits_verdict

YEAR = 365


def growth_told(change: Any, *, in_season: bool, currency: str | None) -> dict[str, Any]:
    """Say what a change of sales between two periods allows: risen, fallen, neither, or nothing at all.

    Parameters
    ----------
    change : mapping
        A row of `segment_growth`: `estimate, conf_low, conf_high`.
    in_season : bool
        Whether the two periods lie a year apart (`a_year_apart`). Otherwise the season is inside the change,
        which no interval of customers knows of, and there is no verdict.
    currency : str
        ISO code: limits count as they are shown.

    Returns
    -------
    dict
        `claim` ("clear", "unclear", "season") and `verdict` (risen, fallen, no_difference_shown; None with
        the season inside).

    Examples
    --------
    >>> row = {"estimate": 900.0, "conf_low": 500.0, "conf_high": 1300.0}
    >>> growth_told(row, in_season=True, currency="JPY")
    {'claim': 'clear', 'verdict': 'risen'}
    >>> growth_told(row, in_season=False, currency="JPY")
    {'claim': 'season', 'verdict': None}
    """
    if not in_season:
        return {"claim": "season", "verdict": None}
    limits = (change["conf_low"], change["conf_high"])
    verdict = limits_verdict(*limits, unit="currency", currency=currency, above="risen", below="fallen")
    return {"claim": "unclear" if verdict == UNDECIDED else "clear", "verdict": verdict}


def a_year_apart(periods: pd.DataFrame) -> bool:
    """Whether the two periods of `like_periods` lie a year apart, so that a change holds no season.

    Examples
    --------
    >>> import datetime as dt
    >>> days = [dt.date(2025, 7, 2), dt.date(2026, 7, 2)]
    >>> a_year_apart(pd.DataFrame({"period": [1, 2], "start": days}))
    True
    """
    starts = pd.to_datetime(periods["start"]).drop_duplicates().sort_values()
    return len(starts) == 2 and abs((starts.iloc[1] - starts.iloc[0]).days - YEAR) <= 1


def growth_by_segment(
    periods: pd.DataFrame,
    *,
    order: Sequence[object] | None = None,
    segment: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Split the change of sales between two like periods by segment, or that of one segment only.

    Parameters
    ----------
    periods : pandas.DataFrame
        As `like_periods`.
    order : sequence, optional
        Order of the segments.
    segment : str, optional
        Only this one.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        As `segment_growth`; who had no orders before a period is "New or returning".

    Examples
    --------
    >>> periods = pd.DataFrame({"customer_id": ["a", "a"], "segment": ["No orders", "Loyal"]})
    >>> growth_by_segment(periods.assign(period=[1, 2], next_amount=[5.0, 9.0]))["segment"].tolist()
    ['Loyal', 'New or returning']
    """
    rows = segment_growth(*_halves(periods), order=order, conf_level=conf_level)
    rows = rows if segment is None else rows[rows["segment"] == segment].reset_index(drop=True)
    return rows.assign(segment=rows["segment"].replace(NO_ORDERS, CAME))


def growth_total(
    periods: pd.DataFrame,
    *,
    days: int,
    segment: str | None = None,
    currency: str | None = None,
    conf_level: float = 0.95,
) -> list[dict[str, Any]]:
    """Tell the change of all sales between two like periods.

    Parameters
    ----------
    periods : pandas.DataFrame
        As `like_periods`.
    days : int
        Length of a period.
    segment : str, optional
        In a report on one segment nothing is told of all.
    currency, conf_level
        As `growth_told` and `segment_growth`.

    Returns
    -------
    list of dict
        The row of `segment_growth` for everybody, with `start, start_before` (last days before the periods),
        `days, history_days, claim, verdict`; nothing without two periods.

    Examples
    --------
    >>> growth_total(pd.DataFrame({"period": []}), days=90, currency="JPY")
    []
    """
    if periods.empty or segment is not None:
        return []
    before, after = _halves(periods.assign(segment="all"))
    dated = {"start": after["start"].iloc[0], "start_before": before["start"].iloc[0], "days": days}
    dated |= {"history_days": int(after["history_days"].iloc[0])}
    in_season = a_year_apart(periods)
    [row] = segment_growth(before, after, conf_level=conf_level).to_dict("records")
    told = growth_told(row, in_season=in_season, currency=currency)
    return [{str(name): held for name, held in row.items()} | dated | told]


def growth_extremes(
    periods: pd.DataFrame,
    *,
    shown: pd.DataFrame,
    segment: str | None = None,
    currency: str | None = None,
    conf_level: float = 0.95,
) -> list[dict[str, Any]]:
    """Tell the largest gain and the largest loss among the segments, or the change of the one looked at.

    Parameters
    ----------
    periods : pandas.DataFrame
        As `like_periods`.
    shown : pandas.DataFrame
        As `growth_by_segment`, small segments blanked: those are not told. All of them were looked at.
    segment : str, optional
        The only segment looked at.
    currency, conf_level
        As `growth_told`; the level is that of all segments together.

    Returns
    -------
    list of dict
        By `kind` ("gain", "loss", or "own" for a chosen segment) the row of `segment_growth` with `groups`
        (number looked at), `claim` (the kind, with "_unclear" or "_season" where so) and `verdict`; a `note`
        where no segment gained, or none lost. One beyond chance goes before a larger one that is not; with
        the season inside the change nothing is beyond chance, and the largest goes first.

    Examples
    --------
    >>> none = pd.DataFrame({"customer_id": [], "period": [], "segment": [], "next_amount": [], "start": []})
    >>> growth_extremes(none, shown=growth_by_segment(none))
    []
    """
    groups = max(len(shown), 1) if segment is None else 1
    careful = growth_by_segment(periods, conf_level=1 - (1 - conf_level) / groups)
    order = shown.dropna(subset=["estimate"])[["segment"]]
    careful = order.merge(careful, on="segment")
    is_clear = limits_side(careful["conf_low"], careful["conf_high"], unit="currency", currency=currency) != 0
    sign = np.sign(careful["estimate"].to_numpy(dtype=float))
    kind = pd.Series(sign, index=careful.index).map({1.0: "gain", -1.0: "loss"})
    careful = careful.assign(is_clear=is_clear, kind=kind if segment is None else "own", groups=groups)
    in_season = periods.empty or a_year_apart(periods)
    largest_first = ["is_clear", "estimate"] if in_season else ["estimate"]
    careful = careful.sort_values(largest_first, ascending=False, key=abs)
    told: list[dict[str, Any]] = []
    for one in ("gain", "loss") if segment is None else ("own",):
        rows = careful[careful["kind"] == one]
        if rows.empty and len(careful):
            told.append({"kind": one, "note": f"segmentation.no_{one}"})
        for row in rows.head(1).to_dict("records"):
            said = growth_told(row, in_season=in_season, currency=currency)
            claim = one if said["claim"] == "clear" else f"{one}_{said['claim']}"
            told.append({str(name): held for name, held in row.items()} | said | {"claim": claim})
    return told


def growth_lacking(periods: pd.DataFrame, shown: pd.DataFrame, *, days: int) -> dict[str, Any]:
    """Say why no growth by segment is shown; empty where some is.

    Examples
    --------
    >>> shown = pd.DataFrame({"estimate": [None]})
    >>> growth_lacking(shown, shown, days=90), growth_lacking(shown, shown.fillna(1), days=90)
    ({'days': 90, 'note': 'segmentation.few_in_groups'}, {})
    """
    if shown["estimate"].notna().any():
        return {}
    return {"days": days, "note": "segmentation.no_growth" if periods.empty else "segmentation.few_in_groups"}


def _halves(periods: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the earlier period from the later one."""
    return periods[periods["period"] == 1], periods[periods["period"] == 2]
