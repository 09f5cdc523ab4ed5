"""What the segmentation chapter may say: sentence and verdict of a result, from the same limits."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.customers.sales_concentration import error_df
from cxlib.data.engine.order_totals import count_orders
from cxlib.language import text
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.money_means import TRIM, middle_mean_interval
from cxlib.stats.verdicts import UNDECIDED, limits_side, limits_verdict

YEAR = 365


def scheme_lead(judged: pd.DataFrame, *, metric: str) -> dict[str, Any]:
    """Say whether one scheme foretells best, several cannot be told apart, or none foretells anything.

    Parameters
    ----------
    judged : pandas.DataFrame
        As `compare_schemes`.
    metric : str
        One of its measures that are shares, such as repeat_explained.

    Returns
    -------
    dict
        `claim` ("best", "tied", "none") with `verdict` (leads, no_difference_shown); `scheme, share, low,
        high, n` of the highest; `tied`: the schemes that cannot be told from it, best first, itself at the
        head; `second, ahead, ahead_low, ahead_high`: its lead over the next, or the first it cannot be told
        from.

    Examples
    --------
    >>> rows = pd.DataFrame({"metric": "share", "scheme": ["a", "b"], "estimate": [0.2, 0.1], "n": 90,
    ...     "conf_low": [0.1, 0.0], "conf_high": 0.3, "behind": [0, 0.1]})
    >>> rows = rows.assign(behind_conf_low=[None, -0.02], behind_conf_high=[None, 0.22])
    >>> found = scheme_lead(rows, metric="share")
    >>> found["claim"], found["tied"], found["verdict"]
    ('tied', ['a', 'b'], 'no_difference_shown')
    """
    rows = judged[judged["metric"] == metric].reset_index(drop=True)
    best, rest = rows.iloc[0], rows.iloc[1:]
    ends = (rest[name].to_numpy(dtype=float) for name in ("behind_conf_low", "behind_conf_high"))
    tied = [best["scheme"], *rest["scheme"][limits_side(*ends, unit="pp") <= 0]]
    foretells = limits_side(best["conf_low"], best["conf_high"], unit="share") > 0
    claim = "none" if not foretells else "tied" if len(tied) > 1 else "best"
    found: dict[str, Any] = {"claim": claim, "verdict": "leads" if claim == "best" else UNDECIDED}
    found |= {"tied": tied, "scheme": best["scheme"], "share": best["estimate"], "n": int(best["n"])}
    found |= {"low": best["conf_low"], "high": best["conf_high"]}
    near = rest[rest["scheme"].isin(tied)] if len(tied) > 1 else rest  # the one the claim rests on
    for row in near.head(1).to_dict("records"):
        found |= {"second": row["scheme"], "ahead": row["behind"]}
        found |= {"ahead_low": row["behind_conf_low"], "ahead_high": row["behind_conf_high"]}
    return found


def score_rule(gaps: pd.DataFrame) -> dict[str, Any]:
    """Apply "sort lists by the score that separates most": met, not told apart, or no gap shown.

    Parameters
    ----------
    gaps : pandas.DataFrame
        As `backtest_gap`, widest gap first, at least one row.

    Returns
    -------
    dict
        `claim` ("met", "tied": the gap is shown, its lead over another score is not, "none": no gap is shown,
        "only": shown, and no other score could be compared) with `verdict` (met, not_met); `score, n, gap,
        gap_low, gap_high`, and of the nearest other score `ahead, ahead_low, ahead_high`; `tied`: the scores
        that cannot be told from the first, itself at the head.

    Examples
    --------
    >>> gaps = pd.DataFrame({"scheme": ["f_score"], "estimate": 0.3, "conf_low": 0.2, "conf_high": 0.4})
    >>> gaps = gaps.assign(n=9, behind=0.0, behind_conf_low=None, behind_conf_high=None)
    >>> score_rule(gaps)["claim"]
    'only'
    """
    first, rest = gaps.iloc[0], gaps.iloc[1:]
    ends = (rest[name].to_numpy(dtype=float) for name in ("behind_conf_low", "behind_conf_high"))
    tied = [first["scheme"], *rest["scheme"][limits_side(*ends, unit="pp") <= 0]]
    shown = limits_side(first["conf_low"], first["conf_high"], unit="pp") > 0
    claim = "none" if not shown else "only" if rest.empty else "tied" if len(tied) > 1 else "met"
    found: dict[str, Any] = {"claim": claim, "verdict": "met" if claim in ("met", "only") else "not_met"}
    found |= {"tied": tied, "score": first["scheme"], "n": int(first["n"]), "gap": first["estimate"]}
    found |= {"gap_low": first["conf_low"], "gap_high": first["conf_high"]}
    near = rest[rest["scheme"].isin(tied)] if len(tied) > 1 else rest
    for row in near.head(1).to_dict("records"):
        ahead = [row["behind"], row["behind_conf_low"], row["behind_conf_high"]]
        found |= dict(zip(["ahead", "ahead_low", "ahead_high"], ahead, strict=True))
    return found


def group_lead(
    customers: pd.DataFrame,
    *,
    by: str = "segment",
    value_col: str = "monetary_total",
    conf_level: float = 0.95,
) -> dict[str, Any]:
    """Say whether the group with the largest share of sales carries more than every other group.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer; groups without positive net sales and customers without a group are left out.
    by, value_col : str
        Group column, and money.
    conf_level : float
        Of all pairs of groups together: the leader was found by looking at all of them.

    Returns
    -------
    dict
        `claim` ("leads", "tied") with `verdict` (leads, no_difference_shown), `group`, `second, ahead,
        ahead_low, ahead_high` (difference to the next share, or to the first that cannot be told, -1…1),
        `tied` (groups that cannot be told from the first, itself at the head), `groups` (number looked at).
        Empty with fewer than two groups.

    Notes
    -----
    Difference of two shares of one total, groups taken as given: Σ(x·1₁ - x·1₂ - d·x)/Σx, limits by Student's
    t with degrees of freedom from the kurtosis of these influences (`concentration`), Bonferroni over pairs.

    Examples
    --------
    >>> base = pd.DataFrame({"segment": ["A", "B"] * 50, "monetary_total": [9.0, 1, 8, 2] * 25})
    >>> found = group_lead(base)
    >>> found["claim"], found["group"], round(float(found["ahead"]), 2)
    ('leads', 'A', 0.7)
    """
    check_columns(customers, by=by, value_col=value_col)
    known = customers.dropna(subset=[by])
    sums = known.groupby(by, observed=True)[value_col].sum()
    sums = sums[sums > 0].sort_index().sort_values(ascending=False, kind="stable")
    if len(sums) < 2:
        return {}
    known = known[known[by].isin(sums.index)]
    x, group = known[value_col].to_numpy(dtype=float), known[by].to_numpy()
    pairs = len(list(combinations(sums.index, 2)))
    rows = []
    for other in sums.index[1:]:
        ahead = (sums.iloc[0] - sums[other]) / sums.sum()
        influence = x * ((group == sums.index[0]).astype(float) - (group == other) - ahead) / sums.sum()
        spread = np.sqrt((influence**2).sum())
        half = critical_value(1 - (1 - conf_level) / pairs, df=error_df(influence)) * spread
        rows.append((other, ahead, ahead - half, ahead + half))
    names, ahead, low, high = zip(*rows, strict=True)
    behind = limits_side(low, high, unit="pp") > 0
    tied = [sums.index[0], *(name for name, clear in zip(names, behind, strict=True) if not clear)]
    claim = "tied" if len(tied) > 1 else "leads"
    found = {"claim": claim, "verdict": "leads" if claim == "leads" else UNDECIDED, "group": sums.index[0]}
    place = names.index(tied[1]) if len(tied) > 1 else 0
    found |= {"second": names[place], "ahead": ahead[place], "ahead_low": low[place]}
    found |= {"ahead_high": high[place]}
    return found | {"tied": tied, "groups": len(sums)}


def growth_told(change: Any, *, in_season: bool, currency: str) -> dict[str, Any]:
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


def empty_scores(
    customers: pd.DataFrame, scores: tuple[str, ...] = ("r_score", "f_score", "m_score")
) -> dict:
    """Scores from 1 to the highest that nobody holds, by score column: too many customers are alike for them.

    Parameters
    ----------
    customers : pandas.DataFrame
        As `rfm`.
    scores : tuple of str

    Returns
    -------
    dict
        Column to the list of empty scores; columns without any are left out.

    Examples
    --------
    >>> empty_scores(pd.DataFrame({"f_score": [1, 1, 3]}), scores=("f_score",))
    {'f_score': [2]}
    """
    found: dict[str, list[int]] = {}
    for column in scores:
        held = set(customers[column].dropna().astype(int))
        missing = [score for score in range(1, max(held, default=0) + 1) if score not in held]
        found |= {column: missing} if missing else {}
    return found


def middle_by_group(
    customers: pd.DataFrame, *, by: str, value_col: str = "monetary_total", conf_level: float = 0.95
) -> pd.DataFrame:
    """Give the mean sales of the middle half of each group's customers, which few large buyers cannot move.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer; who has no group or no amount is left out.
    by, value_col : str
        Group column, and money.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        Group, `metric` (middle_mean)`, estimate, std_error, conf_low, conf_high, n` (customers)`, df`, by
        group; as `middle_mean_interval`.

    Examples
    --------
    >>> base = pd.DataFrame({"region": ["x"] * 100, "monetary_total": [*range(99), 10_000]})
    >>> middle_by_group(base, by="region")["estimate"].tolist()
    [49.5]
    """
    check_columns(customers, by=by, value_col=value_col)
    rows = []
    for name, part in customers.dropna(subset=[value_col]).groupby(by, observed=True):
        own = middle_mean_interval(part[value_col].to_numpy(dtype=float), conf_level=conf_level)
        middle = len(part) - 2 * int(TRIM * len(part))
        row = {by: name, "metric": "middle_mean", **own._asdict(), "n": len(part), "df": max(middle - 1, 1)}
        rows.append(row)
    return pd.DataFrame(rows, columns=[by, "metric", *Interval._fields, "n", "df"])


def uncounted_orders(orders: Any, *, as_of: object, min_cell: int, lang: str) -> list[str]:
    """Say which orders are no purchases, and how many: free, refunded in full, refunds without their sale.

    Parameters
    ----------
    orders : frame of any engine narwhals knows
        Order lines, as `count_orders`.
    as_of : date, str or Timestamp
        Last day counted.
    min_cell : int
        Fewer than this are not counted out.
    lang : str

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "b"], "order_id": ["1", "2"], "amount": [0.0, 5.0],
    ...     "ordered_at": pd.Timestamp("2026-01-05")})
    >>> uncounted_orders(lines, as_of="2026-01-31", min_cell=10, lang="en")
    ['fewer than 10 free orders (every amount 0)']
    """
    counted = count_orders(orders, as_of=as_of)
    few = text("segmentation.fewer_than", lang, n=min_cell)
    return [
        text(f"segmentation.uncounted_{kind}", lang, n=f"{n:,}" if n >= min_cell else few)
        for kind in ("free", "refunded", "refund_alone")
        if (n := int(counted[kind]))
    ]
