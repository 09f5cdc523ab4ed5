"""What of a result about drivers is shown: pairs with enough customers, the first of each group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from cxlib.data.scales import satisfied_from


def known_drivers(importance: pd.DataFrame) -> pd.DataFrame:
    """Give the result of `driver_importance`, or no rows where no driver could be weighed."""
    return importance if importance["importance"].notna().any() else importance.head(0)


def first_of_each(each: pd.DataFrame) -> pd.DataFrame:
    """Give the most important driver of every group of `each_large_group`, or no rows."""
    return each[each["rank"] == 1] if "rank" in each else each.head(0)


def group_sizes(each: pd.DataFrame, *, by: str) -> pd.Series:
    """Count the customers of every group with drivers of its own, largest first."""
    counted = each if "customers" in each else each.assign(customers=0)
    return counted.groupby(by)["customers"].max().sort_values(ascending=False)


def shown_pairs(each: pd.DataFrame, *, min_cell: int, counted: pd.DataFrame | None = None) -> pd.DataFrame:
    """Give the pairs of group and driver with enough customers and, for `penalty_reward`, with a kind.

    Parameters
    ----------
    each
        Result of `each_large_group`, or of one of its functions.
    min_cell
        Smallest number of customers.
    counted
        Result with the ``customers`` of each pair, where `each` has none.
    """
    if counted is not None and len(each):
        each = each.merge(counted[[*each.columns[:2], "customers"]])
    if "customers" not in each:
        return each.head(0)
    held = each["customers"] >= min_cell
    return each[held & each["label"].notna()] if "label" in each else each[held]


def drivers_in_groups(drivers: Sequence[str], groups: Iterable[Any]) -> dict[str, str]:
    """Sort drivers into the groups of the rules, the others by themselves; empty if that splits nothing.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> drivers_in_groups(["a", "b", "c"], [SimpleNamespace(id="g", drivers=["a", "b"])])
    {'a': 'g', 'b': 'g', 'c': 'c'}
    """
    group_of = {name: name for name in drivers}
    group_of |= {name: group.id for group in groups for name in group.drivers if name in drivers}
    is_split = sum(name != group for name, group in group_of.items()) > 1 and len(set(group_of.values())) > 1
    return group_of if is_split else {}


def stated_items(drivers: Sequence[str], columns: Iterable[str]) -> dict[str, str]:
    """Pair each driver with the column that says what matters to the customer, where there is one."""
    says = {name: f"stated_{name.removeprefix('driver_')}" for name in drivers}
    held = set(columns)
    return {name: column for name, column in says.items() if column in held}


def outcome_cuts(outcome: str, csat_scale: Sequence[int]) -> tuple[int, ...]:
    """Give the borders between the worst, middle and best answers: of the NPS, or of the boxes.

    Examples
    --------
    >>> outcome_cuts("nps_score", (1, 5)), outcome_cuts("csat_score", (1, 5))
    ((7, 9), (3, 4))
    >>> outcome_cuts("csat_score", (0, 2)), outcome_cuts("csat_score", (1, 10))
    ((1, 2), (3, 8))
    """
    lowest, highest = csat_scale
    boxes = {max(lowest + 1, min(lowest + 2, highest - 2)), int(satisfied_from(csat_scale))}
    return (7, 9) if outcome == "nps_score" else tuple(sorted(boxes))


def one_point(fit: pd.DataFrame, *, outcome: str, n: int) -> pd.DataFrame:
    """Give what one point more of each driver goes with, named for the outcome; no rows if nothing is known.

    Parameters
    ----------
    fit
        Result of `ordinal_drivers`.
    outcome
        "nps_score", or "csat_score": then the columns speak of boxes, not of promoters.
    n
        Customers who judged.
    """
    rows = fit[fit["metric"] == "coefficient"]
    sides = {"promoter_change": "best_boxes_change", "detractor_change": "worst_boxes_change"}
    ends = [f"{side}{end}" for side in sides for end in ("", "_conf_low", "_conf_high")]
    found = rows[["driver", *ends, "p_parallel"]].assign(customers=n)
    if outcome == "csat_score":
        boxes = [f"{side}{end}" for side in sides.values() for end in ("", "_conf_low", "_conf_high")]
        found = found.rename(columns=dict(zip(ends, boxes, strict=True)))
    return found if rows["estimate"].notna().any() else found.head(0)


def middle_of(scale: Sequence[float]) -> dict[str, float]:
    """Give the limits below and above which an answer falls short of, or exceeds, the middle of its scale.

    Examples
    --------
    >>> middle_of((1, 5)), middle_of((1, 4))
    ({'low': 2.5, 'high': 3.5}, {'low': 1.5, 'high': 3.5})
    """
    middle, half = (scale[0] + scale[1]) / 2, 0.5 if (scale[1] - scale[0]) % 2 == 0 else 1.0
    return {"low": middle - half, "high": middle + half}


def beside_other(importance: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Put importance beside that of relative weights, with both ranks."""
    held = importance[["driver", "importance", "rank", "customers"]].rename(columns={"importance": "shapley"})
    names = {"importance": "relative_weights", "rank": "rank_other"}
    return held.merge(other[["driver", "importance", "rank"]].rename(columns=names), on="driver")
