"""What chapter 3 may say of drivers: which come first, which weigh unevenly, and where to start.

Each function takes results and returns the rows that `report.say` words; a row with a `note` is a notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from cxlib.stats.intervals import false_discovery
from cxlib.voice.drivers.where_to_start import PER_DRIVER, first_step

Rows = list[dict[str, Any]]
#: Kinds of `penalty_reward` that a sentence names.
KINDS = ("basic", "excitement", "performance")


def top_driver(
    importance: pd.DataFrame, *, has_outcome: bool, is_asked: bool = True, needed: float = 0.975
) -> Rows:
    """Tell which driver goes with the outcome most, or why none can be named.

    Parameters
    ----------
    importance
        Result of `driver_importance` with resamples, most important first.
    has_outcome, is_asked
        Whether anybody answered the question behind the outcome, or any question at all.
    needed
        Share of the resamples in which a driver has to come first to be named.

    Returns
    -------
    list of dict
        The first row with an importance, `n` counting customers, `claim` ("first" or "open"), `needed_share`;
        a note where there is none.

    Examples
    --------
    >>> rows = pd.DataFrame({"driver": ["a"], "importance": [0.6], "customers": [80]})
    >>> rows = rows.assign(probability_first=0.4)
    >>> top_driver(rows, has_outcome=True)[0]["claim"]
    'open'
    """
    known = importance[importance["importance"].notna()].head(1)
    if known.empty:
        return [{"note": "nps.no_drivers" if has_outcome else "nps.no_outcome"}] if is_asked else []
    claim = "first" if known["probability_first"].item() >= needed else "open"
    found: Any = known.assign(n=known["customers"], claim=claim, needed_share=needed).to_dict("records")
    return list(found)


def no_group_drivers(top: pd.DataFrame, known: pd.DataFrame) -> Rows:
    """Say that no group is large enough for drivers of its own, where all customers together are."""
    return [{"note": "nps.no_group_drivers"}] if top.empty and len(known) else []


def no_driver_groups(group_of: Mapping[str, str], known: pd.DataFrame) -> Rows:
    """Say that the rules sort none of the drivers into groups."""
    return [{"note": "nps.no_driver_groups", "level": "info"}] if len(known) and not group_of else []


def no_asymmetry(contrast: pd.DataFrame, scale: Sequence[int], *, is_asked: bool) -> Rows:
    """Say that no driver has answers on every side of the middle, where outcome and drivers were asked."""
    ends = {"low": scale[0], "high": scale[1]}
    return [{"note": "nps.no_asymmetry", **ends}] if is_asked and contrast.empty else []


def unanswered(items: Sequence[str], drivers: Sequence[str]) -> Rows:
    """Warn of the items that nobody answered, where others were answered."""
    empty = [name for name in items if name not in drivers]
    return (
        [{"note": "nps.unanswered_drivers", "level": "warning", "drivers": empty}]
        if empty and drivers
        else []
    )


def fix_first(places: pd.DataFrame, *, needed: float, n: int) -> Rows:
    """Tell which drivers are surely important and not yet good, and which run against the score.

    Parameters
    ----------
    places
        Result of `importance_performance`; nothing is said of no rows.
    needed
        Share of resamples that makes sure.
    n
        Customers who judged.

    Examples
    --------
    >>> places = pd.DataFrame({"driver": ["a"], "probability_fix_first": [0.99], "runs_against": [False]})
    >>> fix_first(places, needed=0.975, n=90)
    [{'claim': 'some', 'drivers': ['a'], 'needed_share': 0.975, 'n': 90}]
    """
    if places.empty:
        return []
    sure = places.loc[places["probability_fix_first"] >= needed, "driver"].tolist()
    against = places.loc[places["runs_against"].astype(bool), "driver"].tolist()
    told: Rows = [{"claim": "some" if sure else "none", "drivers": sure, "needed_share": needed, "n": n}]
    return told + ([{"note": "nps.runs_against", "level": "warning", "drivers": against}] if against else [])


def first_by_group(top: pd.DataFrame, *, by: str, probability: str, needed: float) -> Rows:
    """Tell in which groups one driver stands out in the required share of resamples.

    Parameters
    ----------
    top
        Rows of `each_large_group`, one per group and driver that may be named; nothing is said of no rows.
    by, probability
        Group column, and column with the share of resamples.
    needed
        Share that is required.

    Returns
    -------
    list of dict
        One row: `claim` "some" (`groups`, each with its driver) or "none", `needed_share`, and `miss_share`,
        the share of groups in which two like drivers are told apart by mistake.

    Examples
    --------
    >>> top = pd.DataFrame({"g": ["x"], "driver": ["a"], "p": [0.99]})
    >>> first_by_group(top, by="g", probability="p", needed=0.975)[0]["groups"]
    [{'group': 'x', 'driver': 'a'}]
    """
    if top.empty:
        return []
    sure = top[top[probability] >= needed]
    pairs = [{"group": row[by], "driver": row["driver"]} for row in sure.to_dict("records")]
    error = {"needed_share": needed, "miss_share": 2 * (1 - needed)}
    return [{"claim": "some", "groups": pairs, **error} if pairs else {"claim": "none", **error}]


def groups_left_out(large: Iterable[Any], sizes: pd.Series, *, most: int) -> Rows:
    """Say which groups are in the table only, and which are too small for drivers of their own.

    Parameters
    ----------
    large
        Groups that are shown at all.
    sizes
        Customers by group with drivers of its own, largest first; nothing is said of none.
    most
        Groups a figure holds.
    """
    rest, small = list(sizes.index[most:]), [name for name in large if name not in sizes.index]
    notes: Rows = []
    if rest:
        notes += [{"note": "nps.groups_not_drawn", "level": "info", "groups": rest, "most": most}]
    if small and len(sizes):
        notes += [{"note": "nps.groups_too_small", "level": "info", "groups": small}]
    return notes


def driver_notes(importance: pd.DataFrame, *, n_drivers: int) -> Rows:
    """Warn of drivers that say the same, and of too few answers per driver."""
    together = importance.loc[importance["status"] == "collinear", "driver"].tolist()
    notes: Rows = []
    if together:
        notes += [{"note": "nps.collinear", "level": "warning", "drivers": together}]
    least, needed = fewest_answers(importance), PER_DRIVER * n_drivers
    if importance["importance"].notna().any() and least < needed:
        counts = {"answers": least, "needed": needed}
        notes += [{"note": "nps.few_per_driver", "level": "warning", **counts}]
    return notes


def fewest_answers(importance: pd.DataFrame) -> int:
    """Count the answers of the least answered driver."""
    return int(importance["n"].min()) if len(importance) else 0


def shares_of_groups(parted: pd.DataFrame) -> Rows:
    """Tell how what the drivers explain divides among groups of them; `parted` is `group_importance`."""
    if parted.empty:
        return []
    parts = parted[["group", "importance", "conf_low", "conf_high"]]
    return [{"shares": parts.to_dict("records"), "n": int(parted["customers"].min())}]


def halo(battery: pd.DataFrame) -> Rows:
    """Tell how much the items agree; `battery` is `scale_reliability`."""
    held: Any = battery.set_index("metric") if len(battery) else battery
    if battery.empty or pd.isna(held.loc["alpha", "estimate"]):
        return []
    ends = held.loc["alpha", ["estimate", "conf_low", "conf_high"]].to_dict()
    one = held.loc["first_factor"]
    told = {"omega": held.loc["omega", "estimate"], "first_factor_share": one["estimate"]}
    return [{"metric": "alpha", **ends, **told, "n": int(one["customers"])}]


def hidden_drivers(beside: pd.DataFrame, known: pd.DataFrame, *, n: int) -> Rows:
    """Tell which drivers go with the score more than customers say, or that nobody asked what matters.

    Parameters
    ----------
    beside
        Result of `stated_derived`; no rows where it was not asked.
    known
        Result of `known_drivers`.
    n
        Customers who judged.
    """
    if beside.empty:
        return [{"note": "nps.not_stated", "level": "info"}] if len(known) else []
    hidden = beside.loc[beside["is_hidden"].astype(bool), "driver"].tolist()
    return [{"claim": "some" if hidden else "none", "drivers": hidden, "n": n}]


def not_parallel(fit: pd.DataFrame, *, conf_level: float, n: int, is_asked: bool) -> Rows:
    """Tell for which drivers one figure does not fit both borders of the outcome.

    Parameters
    ----------
    fit
        Result of `ordinal_drivers`.
    conf_level
        One minus the share of drivers named by mistake.
    n
        Customers who judged.
    is_asked
        Whether outcome and drivers were asked: then a missing result is said.
    """
    rows = fit[fit["metric"] == "coefficient"]
    doubtful = rows.loc[false_discovery(rows["p_parallel"]) <= 1 - conf_level, "driver"].tolist()
    if doubtful:
        return [{"drivers": doubtful, "n": n}]
    return [{"note": "nps.no_one_point"}] if is_asked and not rows["estimate"].notna().any() else []


def kinds_of_drivers(contrast: pd.DataFrame, *, n: int) -> Rows:
    """Tell which drivers cost more than they gain, gain more, or show no difference; `contrast` as shown.

    Examples
    --------
    >>> kinds_of_drivers(pd.DataFrame({"driver": ["a"], "label": ["basic"]}), n=90)
    [{'claim': 'basic', 'drivers': ['a'], 'n': 90}]
    """
    if contrast.empty:
        return []
    found = {kind: contrast.loc[contrast["label"] == kind, "driver"].tolist() for kind in KINDS}
    return [{"claim": kind, "drivers": drivers, "n": n} for kind, drivers in found.items() if drivers]


def uneven_by_group(each: pd.DataFrame, *, by: str, conf_level: float) -> Rows:
    """Tell which pairs of group and driver weigh falling short and exceeding unlike, all pairs considered.

    A pair of which neither is shown to count by itself is left out: its word would say that nothing weighs.

    Parameters
    ----------
    each
        Rows of `penalty_reward` by group, as shown; nothing is said of no rows.
    by
        Group column.
    conf_level
        One minus the share of pairs named by mistake.
    """
    if each.empty:
        return []
    is_uneven = false_discovery(each["asymmetry_p_value"]) <= 1 - conf_level
    uneven = each[is_uneven & (each["label"] != "neutral")]
    pairs = [
        {"group": row[by], "driver": row["driver"], "label": row["label"]}
        for row in uneven.to_dict("records")
    ]
    return [{"claim": "some", "groups": pairs} if pairs else {"claim": "none"}]


def order_agrees(both: pd.DataFrame, *, n: int) -> Rows:
    """Tell whether two ways of dividing put the drivers in one order; `both` is `beside_other`."""
    if both["shapley"].isna().all():
        return []
    differ = both.loc[both["rank"] != both["rank_other"], "driver"].tolist()
    return [{"claim": "differs" if differ else "agrees", "drivers": differ, "n": n}]


def start(importance: pd.DataFrame, places: pd.DataFrame, *, needed: float, n_drivers: int, n: int) -> Rows:
    """Word `first_step`: where to start, and how often this rule errs where the first is one of several.

    Returns
    -------
    list of dict
        One row: `claim` "here", "only", "several", "none" or "too_few", `verdict`, `drivers, then, top`,
        `probability_first, needed_share, answers, least, miss_share, n`; nothing without drivers.
    """
    if not importance["importance"].notna().any():
        return []
    step: Mapping[str, Any] = first_step(importance, places, needed=needed, n_drivers=n_drivers)
    claim = {"start_here": "here" if step["then"] else "only", "not_enough_data": "too_few"}
    verdict = {"several": "undecided", "none": "not_met"}
    found = step["verdict"]
    counts = {"answers": fewest_answers(importance), "least": PER_DRIVER * n_drivers, "n": n}
    shares = {"needed_share": needed, "miss_share": 2 * (1 - needed), "probability_first": step["top_first"]}
    named = {name: step[name] for name in ("drivers", "then", "top")}
    return [
        {"claim": claim.get(found, found), "verdict": verdict.get(found, found), **named, **shares, **counts}
    ]


def rule_error(told: Rows) -> Rows:
    """Keep the rows of `start` whose first driver is one of several: there the rule can err."""
    return [{name: row[name] for name in ("miss_share", "n")} for row in told if row.get("claim") == "here"]
