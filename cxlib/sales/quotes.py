"""Following up quotes in time: how often it happens, and who wins, without mistaking time for effect."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import to_date
from cxlib.data.deals import deal_day, deal_facts
from cxlib.stats.differences import interval_difference
from cxlib.stats.intervals import Interval, share_interval
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.stats.survival.known_days import enough_at_risk


def follow_up(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    within_days: int = 7,
    horizon_days: int = 90,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of quotes followed up in time (0–1), and win rate (0–1) by follow-up from a landmark on.

    Parameters
    ----------
    deals
        Deals with `quoted_on`, `followed_up_on`, `closed_on`, `is_won`; those without a quote, or over on an
        unknown day, are left out, and a contact before the quote is no follow-up. A deal without a result is
        open whatever its `closed_on` (`deal_facts`).
    as_of
        Last day known, inclusive.
    within_days
        Days after the quote by which the follow-up is due; also the landmark.
    horizon_days
        Days after the landmark within which a win counts.
    conf_level
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        `metric, group, estimate, std_error, conf_low, conf_high, n` (deals): "compliance" (of the quotes
        whose window has passed, without those closed in it before any follow-up), "win_rate" of the groups
        "followed_up" and "not_followed_up", their "difference" (limits from those of both groups), and
        "naive_difference" (share won among closed deals ever followed up − never), shown because it is wrong.
        A win rate is missing where fewer than 10 deals could be followed to the horizon (`enough_at_risk`).

    Raises
    ------
    ParameterError
        Unknown column, or `as_of` is no date.

    Notes
    -----
    Deals that close at once cannot be followed up any more, so those followed up are the slow ones and look
    worse without any effect. The landmark looks only at deals still open `within_days` after the quote and
    counts wins from there on. Lost deals stay in the denominator until `as_of` (Aalen–Johansen by keeping the
    time each was observable). Not randomised: an association still.

    References
    ----------
    Suissa (2008) American Journal of Epidemiology 167; van Houwelingen (2007) Scand. J. Statistics 34.

    Examples
    --------
    >>> deals = pd.DataFrame({"quoted_on": pd.to_datetime(["2026-01-01"] * 2), "is_won": [True, None],
    ...     "followed_up_on": pd.to_datetime(["2026-01-03", None]),
    ...     "closed_on": pd.to_datetime(["2026-01-20", None])})
    >>> follow_up(deals, as_of="2026-06-30").set_index(["metric", "group"])["estimate"].to_dict()
    ... # doctest: +NORMALIZE_WHITESPACE
    {('compliance', 'all'): 0.5, ('win_rate', 'followed_up'): 1.0, ('win_rate', 'not_followed_up'): 0.0,
     ('difference', 'followed_up'): 1.0, ('naive_difference', 'followed_up'): nan}
    """
    names = ("quoted_on", "followed_up_on", "closed_on", "is_won")
    check_columns(deals, **{name: name for name in names})
    last, facts = pd.Timestamp(to_date(as_of)), deal_facts(deals, as_of=as_of)
    quoted = deal_day(deals, "quoted_on")
    frame = pd.DataFrame(
        {
            "followed_up_on": (deal_day(deals, "followed_up_on") - quoted).dt.days,
            "closed_on": (facts["ended_on"] - quoted).dt.days,
            "observed": (last - quoted).dt.days,
            "won": facts["outcome"] == "won",
        }
    )
    frame = frame[(frame["observed"] >= 0) & ~facts["is_undated"]]
    frame["followed_up_on"] = frame["followed_up_on"].where(frame["followed_up_on"] <= frame["observed"])
    in_time = frame["followed_up_on"].between(0, within_days)  # a contact before the quote follows nothing up
    closed = frame["closed_on"] <= within_days
    due = frame["observed"] >= within_days
    counted = due & (in_time | ~closed)
    rows = [_share("compliance", "all", int((in_time & due).sum()), int(counted.sum()), conf_level)]
    waiting = frame[due & ~closed].assign(followed=in_time)
    for group, followed in (("followed_up", True), ("not_followed_up", False)):
        rows.append(
            _win_rate(waiting[waiting["followed"] == followed], group, within_days, horizon_days, conf_level)
        )
    rows.append(_difference("difference", rows[1], rows[2], conf_level))
    ended = frame[frame["closed_on"].notna()]
    ever = [ended[(ended["followed_up_on"] >= 0) == followed]["won"] for followed in (True, False)]
    naive = [_share("", "followed_up", int(won.sum()), len(won), conf_level) for won in ever]
    rows.append(_difference("naive_difference", naive[0], naive[1], conf_level))
    return pd.DataFrame(rows)


def overdue_quotes(deals: pd.DataFrame, *, as_of: dt.date | str, within_days: int = 7) -> pd.DataFrame:
    """List open quotes whose follow-up is overdue, the longest waiting first; count them for a report.

    Parameters
    ----------
    deals, as_of, within_days
        As in `follow_up`.

    Returns
    -------
    DataFrame
        The rows of `deals` concerned, with `overdue_days` (> 0); of those waiting equally long by `deal_id`.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["1"], "quoted_on": pd.to_datetime(["2026-01-01"]),
    ...     "followed_up_on": pd.to_datetime([None]), "closed_on": pd.to_datetime([None])})
    >>> overdue_quotes(deals, as_of="2026-01-11")["overdue_days"].to_list()
    [3]
    """
    check_columns(deals, **{name: name for name in ("quoted_on", "followed_up_on", "closed_on")})
    last, quoted = pd.Timestamp(to_date(as_of)), deal_day(deals, "quoted_on")
    waiting = (last - quoted).dt.days - within_days
    followed = deal_day(deals, "followed_up_on").between(quoted, last)
    open_now = ~followed & deal_facts(deals, as_of=as_of)["is_open"] & (waiting > 0)
    listed = deals[open_now].assign(overdue_days=waiting[open_now].astype(int))
    ties = [name for name in ("deal_id", "quoted_on") if name in listed]
    order = {"ascending": [False] + [True] * len(ties), "kind": "stable", "ignore_index": True}
    return listed.sort_values(["overdue_days", *ties], **order)


def _win_rate(
    deals: pd.DataFrame, group: str, landmark: int, horizon: int, conf_level: float
) -> dict[str, object]:
    """Probability of a win by the horizon; lost deals stay at risk as long as they could be observed."""
    end = deals["closed_on"].where(deals["won"] & deals["closed_on"].notna(), deals["observed"])
    spells = pd.DataFrame({"days": end - landmark, "won": deals["won"] & deals["closed_on"].notna()})
    curve = survival_curve(
        spells, duration_col="days", event_col="won", times=[horizon], conf_level=conf_level
    )
    point = enough_at_risk(curve).iloc[0]
    row = {
        "metric": "win_rate",
        "group": group,
        "estimate": 1 - point["estimate"],
        "std_error": point["std_error"],
    }
    return {**row, "conf_low": 1 - point["conf_high"], "conf_high": 1 - point["conf_low"], "n": len(deals)}


def _share(metric: str, group: str, successes: int, n: int, conf_level: float) -> dict[str, object]:
    share = share_interval(successes, n, conf_level=conf_level)
    return {"metric": metric, "group": group, **share._asdict(), "n": n}


def _difference(metric: str, one: dict, other: dict, conf_level: float) -> dict[str, object]:
    """Difference of two independent rows, its sign that of the first minus the second."""
    gap = interval_difference(*(Interval(*(side[end] for end in Interval._fields)) for side in (one, other)))
    row = {"metric": metric, "group": one["group"], **gap._asdict()}
    return {**row, "n": min(one["n"], other["n"])}
