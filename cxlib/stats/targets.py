"""Whether a target stated before looking is met, missed, or not to be told yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any

import pandas as pd

from cxlib.data.rules.rule_files import Target
from cxlib.stats.verdicts import limits_side

#: Times the answers there are, beyond which more of them are no way to decide about a target.
WITHIN_REACH = 20


def fitting_targets(
    targets: Iterable[Target], *, survey: str, ces_scale: Sequence[float], ces_direction: str
) -> tuple[dict[str, Target], list[Target]]:
    """Choose the targets that belong to a survey, and name those whose scale or direction is another.

    Parameters
    ----------
    targets : iterable of Target
        From `load_rules("targets")`; those for other surveys, or for none, are left out.
    survey : str
        "relationship" or "transaction".
    ces_scale : two numbers
    ces_direction : {"ease", "effort"}

    Returns
    -------
    tuple of (dict of metric → Target, list of Target)
        The second are targets of the survey for effort on another scale, or for its opposite.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> asked = {"ces_scale": (1, 7), "ces_direction": "effort"}
    >>> fitting, other = fitting_targets(load_rules("targets").targets, survey="relationship", **asked)
    >>> sorted(fitting), [target.metric for target in other]
    (['csat', 'nps'], ['ces'])
    """
    own = {target.metric: target for target in targets if target.survey == survey}
    effort = own.get("ces")
    better = "higher" if ces_direction == "ease" else "lower"
    fits = effort is None or (effort.better == better and ces_scale[0] <= effort.target <= ces_scale[1])
    return own if fits else {name: one for name, one in own.items() if name != "ces"}, [
        one for one in own.values() if one is effort and not fits
    ]


def judge_target(
    row: Mapping[str, Any] | pd.Series, target: float, *, unit: str = "points", better: str = "higher"
) -> dict[str, Any]:
    """Judge an estimate with its interval against a target: met, missed, or undecided and how far from it.

    Parameters
    ----------
    row : mapping
        ``estimate, conf_low, conf_high`` and ``n`` (answers), such as a row of `nps`, `csat` or `ces`.
    target : float
        In the unit of the estimate.
    unit : str
        Unit the figures are shown in: a limit that reads like the target does not lie short of it.
    better : {"higher", "lower"}

    Returns
    -------
    dict
        ``verdict`` "target_met" (the whole interval lies at the target or on its good side), "target_missed"
        (wholly on the other side), "undecided" (the target lies inside) or "not_enough_data" (no interval),
        and ``more``: where undecided, about how many more answers of the same kind move the limit past the
        target; None where that is more than twenty times those there are, or the estimate is the target.

    Notes
    -----
    A limit comes nearer with the square root of the answers: n·(distance of limit / distance of target)².

    Examples
    --------
    >>> judge_target({"estimate": 22.0, "conf_low": 16.0, "conf_high": 28.0, "n": 700}, 20)
    {'verdict': 'undecided', 'more': 5600}
    >>> judge_target({"estimate": 30.0, "conf_low": 24.0, "conf_high": 36.0, "n": 700}, 20)["verdict"]
    'target_met'
    """
    estimate, low, high = (float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    if not low <= estimate <= high:
        return {"verdict": "not_enough_data", "more": None}
    good = 1 if better == "higher" else -1
    if min(good * low, good * high) >= good * target:
        return {"verdict": "target_met", "more": None}
    if int(limits_side(low, high, null=target, unit=unit)) == -good:
        return {"verdict": "target_missed", "more": None}
    distance, reach = abs(estimate - target), estimate - low if estimate > target else high - estimate
    n = float(row["n"])
    more = ceil(n * ((reach / distance) ** 2 - 1)) if distance > 0 else None
    is_near = more is not None and 0 < more <= WITHIN_REACH * n
    return {"verdict": "undecided", "more": more if is_near else None}
