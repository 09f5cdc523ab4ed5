"""Roll-outs by whole regions, shops or owners: which attribute decided, and how many values it has by arm.

Customers of one value share shocks that no count of customers averages out. `study_members` writes down the
attribute that decided, and everything downstream clusters its errors on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cxlib.stats.event_study.staggered import GROUP

BY = "rollout_by"
COLUMNS = (GROUP, BY)
LEAST = 4  # groups an arm needs before a verdict may rest on them
LEAST_EFFECTIVE = 3.0  # the same, counted as groups of equal size
NEARLY_WHOLE = 0.75  # share of the arms' variance that lies between the values
CHANCE = 0.001  # below it, customers drawn one by one would hardly ever sort so well
#: Values of a column that only says yes or no of a customer: a rule for picking, no place they share.
FLAGS = frozenset({"true", "false", "yes", "no", "1", "0", "1.0", "0.0"})
Codes = npt.NDArray[np.intp]


class Groups(NamedTuple):
    """Values of the deciding attribute by arm; a class because counts and rule go together."""

    attribute: str
    n_treatment: int
    n_control: int
    is_few: bool


def with_rollout(members: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Add `rollout_group` and `rollout_by` where an attribute of the customers decided who was treated.

    Parameters
    ----------
    members : DataFrame
        `customer_id, arm, start_month`.
    customers : DataFrame
        `customer_id` and any attributes; the order of rows does not matter.

    Returns
    -------
    DataFrame
        The members, with `rollout_group` (a number per value; customers without a value stand alone) and
        `rollout_by` (the attribute's name) if there is such an attribute, else as they are.

    Notes
    -----
    An attribute decided where, among values that two or more members share, three quarters or more of the
    variance of the arm (or of the wave) lie between the values, chance taken off, and customers drawn one by
    one would sort so well less than once in a thousand times (Light & Margolin's C). A missing value is
    left out, or taken as one more value, whichever sorts better. Of several such attributes the one with the
    fewest groups counts: regions, not the shops in them. A column that only says yes or no of a customer (may
    be mailed, took part) is a rule by which customers were picked, not a place whose shocks they share.
    """
    arm = (members["arm"] == "treatment").to_numpy().astype(np.intp)
    wave = pd.factorize(members["start_month"].fillna(np.inf), sort=True)[0]
    place = pd.Index(customers["customer_id"]).get_indexer(pd.Index(members["customer_id"]))
    best: tuple[float, str, Codes] | None = None
    for name in customers.columns.drop("customer_id"):
        values = customers[name].take(np.maximum(place, 0))
        if set(values.dropna().astype(str).str.lower().unique()[: len(FLAGS) + 1]) <= FLAGS:
            continue
        code = pd.factorize(values.where(place >= 0).to_numpy(), sort=False)[0]
        if any(_decides(code, side) or _decides(_filled(code), side) for side in (arm, wave)):
            own = _alone(code)
            count = min(_effective(own[arm == side]) for side in np.unique(arm))
            if best is None or count < best[0] - 1e-9:
                best = count, str(name), own
    return members if best is None else members.assign(rollout_group=best[2], rollout_by=best[1])


def same_rollout(members: pd.DataFrame, customers: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    """Give other members the groups of the attribute by which `panel` was rolled out, if there is one.

    Parameters
    ----------
    members : DataFrame
        `customer_id`; not changed.
    customers : DataFrame
        `customer_id` and the attributes.
    panel : DataFrame
        Result of `study_panel`.

    Examples
    --------
    >>> who = pd.DataFrame({"customer_id": ["a", "b"], "region": ["north", "south"]})
    >>> panel = pd.DataFrame({"rollout_by": ["region"]})
    >>> same_rollout(who[["customer_id"]], who, panel)["rollout_group"].tolist()
    [0, 1]
    """
    if BY not in panel or panel.empty:
        return members
    by = str(panel[BY].iloc[0])
    place = pd.Index(customers["customer_id"]).get_indexer(pd.Index(members["customer_id"]))
    values = customers[by].take(np.maximum(place, 0)).where(place >= 0)
    return members.assign(rollout_group=_alone(pd.factorize(values.to_numpy())[0]), rollout_by=by)


def rollout_groups(frame: pd.DataFrame) -> Groups | None:
    """Count the groups of each arm in members or a panel; None where no attribute decided.

    A group of both arms counts for the arm of most of its customers; customers who stand alone count where
    they are most of an arm. `is_few`: an arm has fewer than four
    groups, or is made up of so few large ones that they count for fewer than three of equal size.
    """
    if GROUP not in frame or frame.empty:
        return None
    each = frame.drop_duplicates("customer_id")
    treated = (each["arm"] == "treatment").to_numpy()
    code = pd.factorize(each[GROUP])[0]
    mostly = (np.bincount(code, weights=treated) >= np.bincount(code) / 2)[code]
    arms = [code[mostly], code[~mostly]]
    counts = [_count(own) for own in arms]
    is_few = min(counts) < LEAST or min(map(_effective, arms)) < LEAST_EFFECTIVE
    return Groups(str(each[BY].iloc[0]), counts[0], counts[1], is_few)


def rollout_note(groups: Groups | None) -> list[dict[str, Any]]:
    """List what the reader must know of it, as the arguments of `Report.notice`."""
    if groups is None:
        return []
    key = "impact.note_rollout_few" if groups.is_few else "impact.note_rollout"
    counts = {"treatment": groups.n_treatment, "control": groups.n_control}
    return [
        {"key": key, "level": "warning" if groups.is_few else "info", "attribute": groups.attribute, **counts}
    ]


def cluster_of(panel: pd.DataFrame) -> pd.Series | None:
    """Get the column to cluster errors on, where the panel has one."""
    return panel.get(GROUP)


def _decides(code: Codes, side: Codes) -> bool:
    kept = code >= 0
    sizes = np.bincount(code[kept], minlength=1)
    kept &= sizes[code] >= 2
    if not kept.any():
        return False
    value, arm = (np.unique(part[kept], return_inverse=True)[1] for part in (code, side))
    values, arms, n = int(value.max()) + 1, int(arm.max()) + 1, len(value)
    if arms < 2 or values < 2:
        return False
    table = np.bincount(value * arms + arm, minlength=values * arms).reshape(values, arms).astype(float)
    within = 1 - (table**2 / table.sum(axis=1, keepdims=True)).sum() / n
    sorted_out = 1 - within / (1 - ((table.sum(axis=0) / n) ** 2).sum())
    adjusted = 1 - (1 - sorted_out) * (n - 1) / (n - values)
    chance = stats.chi2.sf((n - 1) * (arms - 1) * sorted_out, (values - 1) * (arms - 1))
    return bool(adjusted >= NEARLY_WHOLE and chance < CHANCE)


def _filled(code: Codes) -> Codes:
    return np.where(code < 0, code.max(initial=-1) + 1, code)


def _alone(code: Codes) -> Codes:
    """Codes in which every customer without a value is a group of its own."""
    own = code.copy()
    own[code < 0] = code.max(initial=-1) + 1 + np.arange(int((code < 0).sum()))
    return own


def _count(code: Codes) -> int:
    """Count the groups that customers share, where these hold half of the arm or more; else all of them."""
    sizes = np.unique(code, return_counts=True)[1]
    shared = sizes >= 2
    return int(shared.sum()) if 2 * sizes[shared].sum() >= len(code) else len(sizes)


def _effective(code: Codes) -> float:
    """Count the groups of equal size that would average shocks out as well as these do."""
    share = np.unique(code, return_counts=True)[1] / max(len(code), 1)
    return float(1 / (share**2).sum()) if len(code) else 0.0
