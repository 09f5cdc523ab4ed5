"""What the segmentation chapter says besides: empty scores, middle means, orders that are no purchases."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.customers.next_period_outcome import outcome_table
from cxlib.customers.rfm_segments import segment_names
from cxlib.data.engine.order_totals import count_orders
from cxlib.data.rules.rule_files import RfmSegments, load_rules
from cxlib.language import data_words
from cxlib.stats.intervals import Interval
from cxlib.stats.money_means import TRIM, middle_mean_interval


def empty_scores(
    customers: pd.DataFrame, scores: tuple[str, ...] = ("r_score", "f_score", "m_score"), *, least: int = 1
) -> list[dict[str, Any]]:
    """Scores from 1 to the highest that nobody holds, by score column: too many customers are alike for them.

    Parameters
    ----------
    customers : pandas.DataFrame
        As `rfm`.
    scores : tuple of str
    least : int
        With fewer customers who have scores nothing is told.

    Returns
    -------
    list of dict
        `scheme` (the column)`, empty_score` (as texts)`, note`; columns without any are left out.

    Examples
    --------
    >>> scored = pd.DataFrame({"f_score": [1, 1, 3]})
    >>> [row["empty_score"] for row in empty_scores(scored, scores=("f_score",))]
    [['2']]
    """
    told = []
    for column in scores:
        held = customers[column].dropna().astype(int)
        empty = sorted(set(range(1, int(held.max()) + 1)) - set(held)) if len(held) >= least else []
        if empty:
            row = {"scheme": column, "empty_score": [str(score) for score in empty]}
            told.append(row | {"note": "segmentation.empty_scores"})
    return told


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


def group_measures(
    customers: pd.DataFrame,
    tested: pd.DataFrame,
    then: pd.DataFrame,
    *,
    by: str | None,
    uneven: pd.DataFrame,
    conf_level: float = 0.95,
) -> dict[str, pd.DataFrame]:
    """Measures by which the groups of a breakdown are compared, each with an interval of its own.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer, with the group.
    tested, then : pandas.DataFrame
        As `next_period`, and the groups of the same customers on its first day.
    by : str, optional
        Group column; nothing is compared without. Segments are made from orders and money, so that only what
        they do later is.
    uneven : pandas.DataFrame
        As `concentration` by group.
    conf_level : float

    Returns
    -------
    dict of str to DataFrame
        "again" (share that ordered again), "top" (share of sales of the top), "middle" (mean money).
    """
    if by is None:
        return {}
    later = tested.drop(columns=by, errors="ignore").merge(then[["customer_id", by]])
    again = outcome_table(later, by=by, conf_level=conf_level)
    measures = {"again": again[again["metric"] == "repeat_rate"]}
    if by == "segment":
        return measures
    middle = middle_by_group(customers, by=by, conf_level=conf_level)
    return measures | {"top": uneven[uneven["metric"] == "top_share"], "middle": middle}


def group_names(
    customers: pd.DataFrame, *, by: str | None, lang: str, rules: RfmSegments | None = None
) -> dict[Any, str]:
    """Say what the groups of a breakdown are called in the reader's language: segments, words, yes and no.

    `rules` are the company's segments; the handbook's by default.

    Examples
    --------
    >>> group_names(pd.DataFrame({"segment": ["Loyal"]}), by="segment", lang="ja")["Loyal"]
    '優良顧客'
    >>> group_names(pd.DataFrame(), by=None, lang="en")
    {}
    """
    if by is None:
        return {}
    names: dict[Any, str] = data_words(customers[by].unique(), lang)
    return names | (segment_names(rules or load_rules("rfm_segments"), lang) if by == "segment" else {})


def uncounted_orders(orders: Any, *, as_of: object, min_cell: int) -> dict[str, Any]:
    """Say which orders are no purchases, and how many: free, refunded in full, refunds without their sale.

    Parameters
    ----------
    orders : pandas.DataFrame or OrderLines
        Order lines, as `count_orders`; without amounts nothing is told.
    as_of : date, str or Timestamp
        Last day counted.
    min_cell : int
        Fewer than this are not counted out.

    Returns
    -------
    dict
        `reasons` (a row for each kind: `claim, n`) and `note`; empty where there are none.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "b"], "order_id": ["1", "2"], "amount": [0.0, 5.0],
    ...     "ordered_at": pd.Timestamp("2026-01-05")})
    >>> uncounted_orders(lines, as_of="2026-01-31", min_cell=10)["reasons"]
    [{'claim': 'free_few', 'n': 10}]
    """
    if isinstance(orders, pd.DataFrame) and ("amount" not in orders or orders.empty):
        return {}
    counted = count_orders(orders, as_of=as_of)
    reasons = [
        {"claim": kind if n >= min_cell else f"{kind}_few", "n": max(n, min_cell)}
        for kind in ("free", "refunded", "refund_alone")
        if (n := int(counted[kind]))
    ]
    return {"reasons": reasons, "note": "segmentation.uncounted", "level": "info"} if reasons else {}
