"""Whether one initiative may be put first, and in which of them the groups differ: rows for `report.say`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlib.initiatives.claims import HERE
from cxlib.initiatives.money.ranking import rank_by_net
from cxlib.initiatives.register import ROI
from cxlib.stats.differences import groups_apart, interval_difference
from cxlib.stats.intervals import Interval
from cxlib.stats.verdicts import limits_side

Row = dict[str, Any]


def rank_register(rows: pd.DataFrame, *, cannibalised_share: float, conf_level: float) -> pd.DataFrame:
    """Rank the initiatives that may be ranked (`rank_by_net`), best first."""
    kept = {"cannibalised_share": cannibalised_share, "conf_level": conf_level}
    return rank_by_net(rows[rows["is_ranked"].astype(bool)], **kept)


def ranking_shown(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return the ranking where anything in it is ranked, else none of its rows."""
    return ranked if ranked["net_shrunk"].notna().any() else ranked.head(0)


def first_place(ranked: pd.DataFrame, *, months_observed: int = 1, currency: str | None = None) -> Row:
    """Say whether an initiative comes first: only where the numbers carry it.

    Parameters
    ----------
    ranked : DataFrame
        Result of `rank_register`.
    months_observed : int
        Most months any initiative of the register was observed; with 0 the data are lacking.
    currency : str
        ISO code, as limits count as they are shown.

    Returns
    -------
    dict
        `claim` "best": effective, its whole net above zero, and its lead over the next above zero with its
        whole interval (the two taken as independent). "leads": as far, but not told apart from the next.
        "single": one study alone, with its own ROI. Otherwise `note` says why there is no first place:
        `none, noise, no_costs`.

    Notes
    -----
    After shrinkage the best needs no further correction for having been picked: what luck gave it has been
    taken back.
    """
    priced = _priced(ranked)
    why = _why_none(ranked, priced)
    if why == "single":
        return _alone(ranked[ranked["roi"].notna()].iloc[0])
    shown: Any = {"unit": "currency", "currency": currency}
    is_left = limits_side(priced["net_shrunk_conf_low"], priced["net_shrunk_conf_high"], **shown) > 0
    winners = priced[(priced["verdict"] == "effective") & is_left]
    if why or winners.empty:
        level = "info" if months_observed else "not_enough_data"
        return {"note": why or "none", "note_level": level, "n_initiatives": len(ranked)}
    best, second = winners.iloc[0], priced.drop(index=winners.index[0]).iloc[0]
    lead = interval_difference(_net(best), _net(second))
    is_apart = limits_side(lead.conf_low, lead.conf_high, **shown) > 0
    ends = {"lead_estimate": lead.estimate, "lead_conf_low": lead.conf_low, "lead_conf_high": lead.conf_high}
    claim = {"claim": "best", "verdict": best["verdict"]} if is_apart else {"claim": "leads"}
    return _place(best) | claim | ends | {"next_initiative": str(second["initiative"])}


def best_proven(rows: pd.DataFrame, chosen_of: Mapping[str, pd.Series], place: Row) -> Row | None:
    """Name the initiative put first, or the only one shown to pay, with where and at whom it is aimed.

    Parameters
    ----------
    rows, chosen_of
        Result of `register_rows`, and what it was made from.
    place : dict
        Result of `first_place`.

    Returns
    -------
    dict or None
        `name, touchpoint, target_state` (None where the register has none), `is_priced` (a return is known);
        None where no initiative is shown to pay, or several are and none comes first.

    Examples
    --------
    >>> rows = pd.DataFrame({"initiative": ["A"], "next_step": ["fund"], "roi": [0.5]})
    >>> best_proven(rows, {"1": pd.Series({"name": "A"})}, {"note": "single"})
    {'name': 'A', 'touchpoint': None, 'target_state': None, 'is_priced': True}
    """
    paying = rows.loc[rows["next_step"] == "fund"] if len(rows) else rows
    if place.get("claim") == "best":
        paying = paying[paying["initiative"] == place["initiative"]]
    if len(paying) != 1:
        return None
    name = str(paying["initiative"].iloc[0])
    chosen = next(one for one in chosen_of.values() if str(one["name"]) == name)
    aim = {of: None if pd.isna(chosen.get(of)) else str(chosen[of]) for of in ("touchpoint", "target_state")}
    return {"name": name, **aim, "is_priced": bool(paying["roi"].notna().all())}


def nearest(ranked: pd.DataFrame, *, currency: str | None = None) -> pd.DataFrame:
    """Describe the initiative nearest to leaving money over, where several are ranked and none is first."""
    priced = _priced(ranked)
    is_open = first_place(ranked, currency=currency).get("note") == "none" and len(priced) > 1
    rows = [_place(row) | {"verdict": row["verdict"]} for _, row in priced.head(1).iterrows()]
    return pd.DataFrame(rows if is_open else [])


def split_known(split: pd.DataFrame) -> pd.DataFrame:
    """Keep the groups of initiatives of which at least one group has an estimate."""
    of = split["initiative"] if "initiative" in split else pd.Series(0, index=split.index)
    is_known = split["estimate"].notna().groupby(of).transform("any")
    return split[is_known.astype(bool)].reset_index(drop=True)


def split_told(split: pd.DataFrame, *, by: str | None, conf_level: float) -> pd.DataFrame:
    """Say in which initiatives the groups differ: one test each (`groups_apart`), the search paid for.

    Parameters
    ----------
    split : DataFrame
        Result of `split_known`.
    by : str, optional
        Column of the groups; without it nothing is said.
    conf_level : float

    Returns
    -------
    DataFrame
        One row: `verdict` "differ" or "no_difference_shown", `names` (those in which groups differ),
        `n_initiatives` tested, `p_value` (the smallest); or a note where there is nothing to show. No row
        where no initiative has two groups to compare.
    """
    if by is None or split.empty:
        note = {"note": "impact.none_split", **HERE}
        return pd.DataFrame([] if by is None else [note])
    p_values = {}
    for name, part in split.groupby("initiative", sort=False):
        p_value = groups_apart(part.reset_index(drop=True), by=by, conf_level=conf_level)["p_value"].iloc[-1]
        if not np.isnan(p_value):
            p_values[str(name)] = float(p_value)
    p_values = {name: min(1.0, p_value * len(p_values)) for name, p_value in p_values.items()}
    apart = [name for name, p_value in p_values.items() if p_value <= 1 - conf_level]
    said: Row = {"verdict": "differ" if apart else "no_difference_shown", "names": apart}
    said |= {"n_initiatives": len(p_values), "p_value": min(p_values.values(), default=np.nan)}
    return pd.DataFrame([said] if p_values else [])


def _why_none(ranked: pd.DataFrame, priced: pd.DataFrame) -> str | None:
    if ranked.empty:
        return "none"
    if ranked["cost"].isna().all():
        return "no_costs"
    if ranked["cost"].notna().sum() == 1 or len(ranked) == 1:
        return "single" if ranked["roi"].notna().any() else "none"
    return "noise" if priced.empty else None


def _priced(ranked: pd.DataFrame) -> pd.DataFrame:
    return ranked[ranked["net_shrunk"].notna() & ranked["net_shrunk_conf_low"].notna()]


def _net(row: pd.Series) -> Interval:
    low, high = float(row["net_shrunk_conf_low"]), float(row["net_shrunk_conf_high"])
    return Interval(float(row["net_shrunk"]), np.nan, low, high)


def _place(row: pd.Series) -> Row:
    """Tell what one initiative leaves over, with its ROI before and after luck is taken back."""
    net = _net(row)
    ends = {"estimate": net.estimate, "conf_low": net.conf_low, "conf_high": net.conf_high}
    told = {"metric": "net_shrunk", "initiative": str(row["initiative"]), **ends}
    return told | {name: row[name] for name in (*ROI, "roi_shrunk")}


def _alone(row: pd.Series) -> Row:
    names = zip(("estimate", "conf_low", "conf_high"), ROI, strict=True)
    return {"metric": "roi", "claim": "single", "initiative": str(row["initiative"])} | {
        name: row[column] for name, column in names
    }
