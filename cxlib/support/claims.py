"""What the support chapter may say: waits, matters settled, parcels asked about, and where to start."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.stats.differences import interval_difference
from cxlib.stats.intervals import Interval
from cxlib.support.sides import side_told


def median_waits(clocks: pd.DataFrame) -> pd.DataFrame:
    """Median of each clock of `reply_times`, with the share that is still open; `claim` names the clock.

    Examples
    --------
    >>> rows = pd.DataFrame({"clock": ["resolution"], "metric": ["median_hours"], "estimate": [9.0]})
    >>> median_waits(rows.assign(n_tickets=20, n_open=5))[["claim", "open_share"]].to_numpy().tolist()
    [['resolution', 0.25]]
    """
    check_columns(clocks, clock="clock", metric="metric")
    medians = clocks[(clocks["metric"] == "median_hours") & clocks["estimate"].notna()]
    open_share = medians["n_open"] / medians["n_tickets"]
    return medians.assign(claim=medians["clock"], open_share=open_share).reset_index(drop=True)


def waits_told(terms: pd.DataFrame) -> pd.DataFrame:
    """Rows of `score_by_wait` with an estimate; `claim` is the term with its verdict, which word it.

    Examples
    --------
    >>> terms = pd.DataFrame({"aspect": ["by_bot"], "verdict": ["differ"], "estimate": [-0.3]})
    >>> waits_told(terms)["claim"].tolist()
    ['by_bot.differ']
    """
    known = terms[terms["estimate"].notna()]
    return known.assign(claim=known["aspect"] + "." + known["verdict"])


def late_asked_more(late: pd.DataFrame) -> pd.DataFrame:
    """Tell whether more customers with a late parcel asked where it is than of those in time.

    Parameters
    ----------
    late
        Result of `late_parcels`, small rows blanked.

    Returns
    -------
    DataFrame
        One row, none where one of the two is not known, and a note where no ticket is about parcels: `metric`
        ("difference"), `estimate, std_error, conf_low, conf_high` (late minus in time; MOVER), `n` (smaller
        group), `late_share, in_time_share` (that asked), `claim, verdict` (as `side_told`).
    """
    asked = late[late["metric"] == "where_is_it"].set_index("parcel")
    if len(late) and asked.empty:
        return pd.DataFrame([{"note": "support.no_delivery_tickets"}])
    ends = list(Interval._fields)
    asked = asked[asked[ends].notna().all(axis=1)]
    if not {"late", "in_time"} <= set(asked.index):
        return pd.DataFrame(columns=["metric", *ends, "n", "claim", "verdict"])
    one, other = (Interval(*map(float, asked.loc[name, ends])) for name in ("late", "in_time"))
    gap = interval_difference(one, other)
    row: dict[str, Any] = {"metric": "difference", **gap._asdict(), "n": int(asked["n"].min())}
    row |= {"late_share": one.estimate, "in_time_share": other.estimate}
    return pd.DataFrame([row | side_told(gap.conf_low, gap.conf_high, unit="pp")])


def first_use(events: pd.DataFrame, *, scale: tuple[float, float], stage: str = "first_use") -> pd.DataFrame:
    """Contacts at the first use with whether the customer felt it work: better than the middle.

    Parameters
    ----------
    events : DataFrame
        Contacts: `customer_id, occurred_at, stage, valence`; rows without a valence are left out.
    scale : two numbers
        Ends of the valence scale.
    stage : str
        Stage at which a product is first used.

    Returns
    -------
    DataFrame
        `customer_id, occurred_at, stage, realised` (1.0 or 0.0), for `f2_after_stage` with `neutral=1`.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": ["a", "b"], "occurred_at": pd.Timestamp("2026-01-05"),
    ...     "stage": "first_use", "valence": [1.0, 0.0]})
    >>> first_use(rows, scale=(-2, 2))["realised"].tolist()
    [1.0, 0.0]
    """
    used = events[(events["stage"] == stage) & events["valence"].notna()].reset_index(drop=True)
    realised = (used["valence"] > (scale[0] + scale[1]) / 2).astype(float)
    return used[["customer_id", "occurred_at", "stage"]].assign(realised=realised)


def realised_told(after: pd.DataFrame, *, days: int, min_cell: int = 10) -> dict[str, Any]:
    """Tell whether who did not feel it work at first use buys a second time less often.

    Parameters
    ----------
    after : DataFrame
        Result of `f2_after_stage` on `first_use`.
    days : int
        Days within which a second purchase counts.
    min_cell : int
        Least customers of each group.

    Returns
    -------
    dict
        `metric` ("difference"), `estimate, conf_low, conf_high` (not realised − realised), `n` (both groups),
        `missed_share, realised_share` (F2), `n_missed, days, claim, verdict` (as `side_told`; "unknown" where
        too few could be followed).

    Examples
    --------
    >>> after = pd.DataFrame({"metric": ["f2", "f2", "difference"], "n": 90, "estimate": [0.2, 0.4, -0.2],
    ...     "group": ["negative", "other", "negative"], "conf_low": [0.1, 0.3, -0.3],
    ...     "conf_high": [0.3, 0.5, -0.1]})
    >>> realised_told(after, days=90)["claim"]
    'lower'
    """
    found: Any = after.set_index(["metric", "group"])
    gap = found.loc[("difference", "negative")]
    missed, realised = found.loc[("f2", "negative")], found.loc[("f2", "other")]
    ends = {name: float(gap[name]) for name in ("estimate", "conf_low", "conf_high")}
    told = {"metric": "difference", **ends, "n": int(missed["n"] + realised["n"]), "days": days}
    told |= {"missed_share": missed["estimate"], "realised_share": realised["estimate"]}
    if min(missed["n"], realised["n"]) < min_cell or pd.isna(gap["conf_low"]):
        return {"metric": "difference", "days": days, "claim": "unknown", "verdict": "not_enough_data"}
    told |= {"n_missed": int(missed["n"])}
    return told | side_told(ends["conf_low"], ends["conf_high"], unit="pp")


def realised_pace(paces: pd.DataFrame, *, min_cell: int = 10) -> list[dict[str, Any]]:
    """Tell the pace of the second order of who did not feel it work, with what they began with alike.

    Parameters
    ----------
    paces : DataFrame
        Result of `f2_pace_after_stage` on `first_use`.
    min_cell : int
        Least customers behind it.

    Returns
    -------
    list of dict
        One row with `metric` ("hazard_ratio")`, estimate, conf_low, conf_high, n` and `claim, verdict` (as
        `side_told`); none where it can't be told.

    Examples
    --------
    >>> one = {"feature": "is_negative", "metric": "hazard_ratio", "conf_low": 0.5, "conf_high": 0.9, "n": 90}
    >>> realised_pace(pd.DataFrame([one | {"estimate": 0.7}]))[0]["claim"]
    'lower'
    """
    rows = paces[(paces["feature"] == "is_negative") & (paces["n"] >= min_cell)]
    names = ["metric", "estimate", "conf_low", "conf_high", "n"]
    told: list[dict[str, Any]] = [
        {str(k): v for k, v in row.items()} for row in rows[names].to_dict("records")
    ]
    return [row | side_told(row["conf_low"], row["conf_high"], unit="ratio", null=1.0) for row in told]


def start_with(
    *, unsettled: pd.DataFrame, bots: pd.DataFrame, waits: pd.DataFrame, top: pd.DataFrame
) -> dict[str, Any]:
    """Evaluate the decision rule of the chapter, stated before the numbers.

    Parameters
    ----------
    unsettled
        Result of `bought_after` on matters not settled.
    bots
        Result of `bot_and_person`.
    waits
        Result of `score_by_wait`.
    top
        Result of `top_reason`.

    Returns
    -------
    dict
        `claim`: "bot" (who is not helped at once buys again less, and bots settle fewer cases alike),
        "settle" (the first alone), "wait" (waiting goes with lower satisfaction), "reason" (one reason is
        shown to lead; `reason`), "none" or "unknown"; `verdict` ("start_here", "carry_on", "widen").

    Examples
    --------
    >>> lower = pd.DataFrame({"metric": ["settled_gap"], "claim": ["lower"]})
    >>> nothing = pd.DataFrame({"aspect": [], "claim": []})
    >>> start_with(unsettled=lower, bots=lower, waits=nothing, top=nothing)["claim"]
    'bot'
    """
    is_lost = "lower" in set(unsettled["claim"])
    by_bot = "lower" in set(bots.loc[bots["metric"] == "settled_gap", "claim"]) if len(bots) else False
    of_wait: set[str] = set(waits.loc[waits["aspect"] == "day_waited", "claim"]) if len(waits) else set()
    leads = top[top["claim"].isin(["first", "only"])]
    known = (set(unsettled["claim"]) - {"unknown"}) or len(waits) or len(top)
    if is_lost:
        claim = "bot" if by_bot else "settle"
    elif "lower" in of_wait:
        claim = "wait"
    elif len(leads):
        claim = "reason"
    else:
        claim = "none" if known else "unknown"
    verdict = {"none": "carry_on", "unknown": "widen"}.get(claim, "start_here")
    return {"claim": claim, "verdict": verdict, "reason": leads["reason"].iloc[0] if len(leads) else None}
