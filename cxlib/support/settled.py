"""Whether a matter is settled at once: who comes back within days, what is reopened, bot against person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.stats.arrays import Array
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval, clustered_mean_interval, critical_value
from cxlib.stats.number_columns import cluster_codes
from cxlib.support.sides import side_told
from cxlib.support.tickets import SAME_MATTER_DAYS

HANDLERS = ("bot", "person")
#: Customers of a side below which two sides are not compared.
FEWEST_A_SIDE = 10
OUTCOMES = {"settled": "pp", "csat_score": "score"}
_COLUMNS = ["metric", *Interval._fields, "n", "n_tickets", "n_immature"]
_COMPARED = ["metric", *Interval._fields, "n", "naive_estimate", "compared_share", "claim", "verdict"]


def first_contacts(tickets: pd.DataFrame, *, within_days: int = SAME_MATTER_DAYS) -> pd.DataFrame:
    """Keep tickets that follow no other on their matter, and are old enough to tell if each was settled.

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`; without a customer nobody knows who came back, so these are left out.
    within_days : int
        Days for which a matter has to stay settled.

    Returns
    -------
    DataFrame
        The rows with `came_back` (another ticket on the same matter within those days), `reopened` and
        `settled` (0, 1): closed, not reopened, and not followed; the last two missing while the ticket is
        still open, as reopening cannot be known yet, and where nothing is recorded of reopening.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": ["a", "b"], "is_follow_up": False, "next_days": [3.0, np.inf]})
    >>> rows = rows.assign(seen_days=40.0, is_resolved=True, reopened_count=0.0)
    >>> first_contacts(rows)["settled"].tolist()
    [0.0, 1.0]
    """
    kept = tickets[tickets["customer_id"].notna() & ~tickets["is_follow_up"]]
    kept = kept[kept["seen_days"] >= within_days]
    came_back = (kept["next_days"] <= within_days).astype(float)
    count = kept["reopened_count"].astype(float)
    count = count.fillna(0.0) if not count.notna().any() else count
    reopened = (count > 0).astype(float).where(kept["is_resolved"].astype(bool) & count.notna())
    settled = ((came_back == 0) & (reopened == 0)).astype(float).where(reopened.notna())
    return kept.assign(came_back=came_back, reopened=reopened, settled=settled)


def settled_at_once(
    tickets: pd.DataFrame, *, by: str | None = None, days: Sequence[int] = (7, 30), conf_level: float = 0.95
) -> pd.DataFrame:
    """Share of matters that came back within days, were reopened, or were settled at once (0–1).

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`.
    by : str, optional
        Column to split by; a missing value is a group.
    days : sequence of int
        Days within which another ticket on the matter counts.
    conf_level : float

    Returns
    -------
    DataFrame
        Per group: `by, metric` ("came_back_7", "came_back_30", "reopened", "settled"), `estimate, std_error,
        conf_low, conf_high`, `n` (customers), `n_tickets`, `n_immature` (left out: opened too late to
        tell). Tickets that follow another within 7 days are the same matter and no new one.

    Notes
    -----
    A ticket opened yesterday has had no week to come back: counted as settled it flatters. So each share
    rests on tickets old enough for it. Wilson's interval on the effective number, customers as clusters.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": list("abcd"), "is_follow_up": False, "is_resolved": True})
    >>> rows = rows.assign(next_days=[3.0, 20.0, np.inf, np.inf], seen_days=[40.0, 40, 40, 5])
    >>> settled_at_once(rows.assign(reopened_count=0.0))[["metric", "estimate", "n_immature"]].round(
    ...     2).to_numpy().tolist()
    [['came_back_7', 0.33, 1], ['came_back_30', 0.67, 1], ['reopened', 0.0, 1], ['settled', 0.67, 1]]
    """
    check_columns(tickets, customer_id="customer_id", next_days="next_days", by=by)
    groups = [((), tickets)] if by is None else tickets.groupby([by], dropna=False, observed=True)
    rows = []
    for key, part in groups:
        own = {} if by is None else {by: key[0]}
        one_each = part[part["customer_id"].notna() & ~part["is_follow_up"]]
        for metric, within in [*((f"came_back_{d}", d) for d in days), ("reopened", None), ("settled", None)]:
            mature = first_contacts(part, within_days=within or SAME_MATTER_DAYS)
            held = mature[mature["came_back" if within else metric].notna()]
            values, who = held["came_back" if within else metric], held["customer_id"]
            interval = clustered_share_interval(values, who, conf_level=conf_level)
            counts = {
                "n": who.nunique(),
                "n_tickets": len(values),
                "n_immature": len(one_each) - len(mature),
            }
            rows.append({**own, "metric": metric, **interval._asdict(), **counts})
    return pd.DataFrame(rows, columns=[*([] if by is None else [by]), *_COLUMNS])


def bot_shares(tickets: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Containment and escalation: what becomes of the matters that a bot answers first (shares, 0–1).

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`.
    conf_level : float

    Returns
    -------
    DataFrame
        `metric` ("containment": closed, not reopened, not followed within 7 days; "escalation": followed
        within 7 days by a ticket on the matter that a person answers), `estimate, std_error, conf_low,
        conf_high`, `n` (customers), `n_tickets`. No rows without tickets of a bot.
    """
    read = tickets.sort_values("opened_at", kind="stable")
    next_by = read["handled_by"].groupby(read["customer_id"]).shift(-1)
    mature = first_contacts(read.assign(next_by=next_by))
    mature = mature[mature["handled_by"] == "bot"]
    passed_on = ((mature["came_back"] == 1) & (mature["next_by"] == "person")).astype(float)
    rows = []
    is_known = mature["settled"].notna()
    for metric, values, who in (
        ("containment", mature.loc[is_known, "settled"], mature.loc[is_known, "customer_id"]),
        ("escalation", passed_on, mature["customer_id"]),
    ):
        interval = clustered_share_interval(values, who, conf_level=conf_level)
        rows.append({"metric": metric, **interval._asdict(), "n": who.nunique(), "n_tickets": len(values)})
    columns = [name for name in _COLUMNS if name != "n_immature"]
    return pd.DataFrame(rows if len(mature) else [], columns=columns)


def bot_and_person(
    tickets: pd.DataFrame, *, alike: Sequence[str] = ("channel", "reason"), conf_level: float = 0.95
) -> pd.DataFrame:
    """Bot minus person on cases alike: matters settled at once (points of percent) and satisfaction (points).

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`.
    alike : sequence of str
        Columns that make a case; only cases that both answered are compared.
    conf_level : float

    Returns
    -------
    DataFrame
        `metric` ("settled_gap", "csat_gap"), `estimate, std_error, conf_low, conf_high` (standardised), `n`
        (customers compared), `naive_estimate` (all bots minus all persons), `compared_share` (of the tickets
        known, those in cases both answered), `claim, verdict` (as `side_told`; "few" and none, without
        limits, where one side answered fewer than ten customers of them). No rows where no case was answered
        by both.

    Notes
    -----
    Mean difference over cases, weighted by their tickets (direct standardisation), customers as clusters.
    Bots get the easy channels, so the bare difference compares chat with telephone.

    References
    ----------
    Kitagawa (1955) JASA 50.
    """
    mature = first_contacts(tickets)
    mature = mature[mature["handled_by"].isin(HANDLERS)]
    rows = gaps_alike(mature, mature["handled_by"] == "bot", alike=alike, conf_level=conf_level)
    return rows[_COMPARED]


def gaps_alike(
    contacts: pd.DataFrame, is_one: pd.Series, *, alike: Sequence[str], conf_level: float = 0.95
) -> pd.DataFrame:
    """Difference of one side to the other in matters settled and satisfaction, on cases alike.

    Parameters
    ----------
    contacts : DataFrame
        From `first_contacts`.
    is_one : Series of bool
        Which rows are of the one side.
    alike, conf_level
        As in `bot_and_person`.

    Returns
    -------
    DataFrame
        As `bot_and_person`.
    """
    rows = []
    for outcome, unit in OUTCOMES.items():
        is_known = contacts[outcome].notna()
        known, one = contacts[is_known], is_one[is_known].to_numpy(dtype=float)
        case = pd.factorize(pd.MultiIndex.from_frame(known[list(alike)].astype(object).fillna("")))[0]
        by_both: Any = _in_both(case, one)
        if not by_both.any():
            continue
        value = known[outcome].to_numpy(dtype=float)
        plain = value[one == 1].mean() - value[one == 0].mean()
        row: dict[str, Any] = {"metric": outcome.removesuffix("_score") + "_gap"}
        row |= _standardised(
            value[by_both], one[by_both], case[by_both], known.loc[by_both, "customer_id"], conf_level
        )
        row |= {"n": known.loc[by_both, "customer_id"].nunique(), "naive_estimate": plain}
        row |= {"compared_share": by_both.mean()}
        sides = known[by_both].groupby(one[by_both])["customer_id"].nunique()
        if sides.min() < FEWEST_A_SIDE:
            row |= dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), np.nan)
            rows.append(row | {"claim": "few", "verdict": None})
            continue
        if unit == "pp":
            row |= {end: float(np.clip(row[end], -1, 1)) for end in ("conf_low", "conf_high")}
        rows.append(row | side_told(row["conf_low"], row["conf_high"], unit=unit))
    return pd.DataFrame(rows, columns=_COMPARED)


def _in_both(case: Any, bot: Any) -> Any:
    size = int(case.max(initial=-1)) + 1
    by_bot, all_ = np.bincount(case, bot, size), np.bincount(case, minlength=size)
    return np.asarray(((by_bot > 0) & (by_bot < all_))[case], dtype=bool)


def _standardised(
    value: Array, bot: Array, case: Any, customer: pd.Series, conf_level: float
) -> dict[str, float]:
    """Difference over cases by direct standardisation, and its error from what each customer adds to it."""
    case = np.unique(case, return_inverse=True)[1]
    weight = np.bincount(case) / len(case)
    gap = np.zeros(len(weight))
    pull = np.zeros(len(value))
    for side, own in ((1, bot == 1), (-1, bot == 0)):
        n = np.bincount(case[own], minlength=len(weight))
        mean = np.bincount(case[own], value[own], len(weight)) / n
        gap += side * mean
        pull[own] += side * (weight / n)[case[own]] * (value[own] - mean[case[own]])
    pull += (gap[case] - weight @ gap) / len(value)
    who = cluster_codes(customer)
    n_who = int(who.max()) + 1
    error = float(np.sqrt((np.bincount(who, pull) ** 2).sum() * n_who / max(n_who - 1, 1)))
    half = critical_value(conf_level, df=max(n_who - 1, 1)) * (error if error > 0 else np.nan)
    estimate = float(weight @ gap)
    return dict(zip(Interval._fields, (estimate, error, estimate - half, estimate + half), strict=True))


def satisfaction(
    tickets: pd.DataFrame,
    *,
    by: str | None = None,
    scale: tuple[float, float] = (1, 5),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Mean satisfaction with the answer (on its scale), customers as clusters.

    Returns
    -------
    DataFrame
        `by, metric` ("ticket_csat"), `estimate, std_error, conf_low, conf_high`, `n` (customers),
        `n_tickets`.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": list("abc"), "csat_score": [3.0, 5.0, None], "channel": "mail"})
    >>> satisfaction(rows, by="channel")[["estimate", "n_tickets"]].to_numpy().tolist()
    [[4.0, 2.0]]
    """
    known = tickets[tickets["csat_score"].notna()]
    if not known["csat_score"].astype(float).between(*scale).all():
        raise ParameterError("support.score_off_scale", low=f"{scale[0]:g}", high=f"{scale[1]:g}")
    groups = [((), known)] if by is None else known.groupby([by], dropna=False, observed=True)
    rows = []
    for key, part in groups:
        interval = clustered_mean_interval(
            part["csat_score"], part["customer_id"], conf_level=conf_level, bounds=scale
        )
        own = {} if by is None else {by: key[0]}
        counts = {"n": part["customer_id"].nunique(), "n_tickets": len(part)}
        rows.append({**own, "metric": "ticket_csat", **interval._asdict(), **counts})
    columns = [name for name in _COLUMNS if name != "n_immature"]
    return pd.DataFrame(rows, columns=[*([] if by is None else [by]), *columns])
