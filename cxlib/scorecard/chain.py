"""The chain segment → valley → driver → initiative: which joins the data show, and the page's headline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxlib.data.rules.rule_files import DriverGroups, Journey

#: Badge by claim of the headline.
VERDICTS = dict.fromkeys(("aimed", "elsewhere", "proven"), "fund") | {
    "valley": "valley",
    "alarm": "alarm",
    "quiet": "wait",
}


def chain_joins(
    *,
    valley: str | None,
    valley_of_segment: str | None,
    drivers: Sequence[str],
    initiative: Mapping[str, Any] | None,
    journey: Journey,
    driver_rules: DriverGroups,
) -> pd.DataFrame:
    """Tell which neighbours of the chain are joined by the data, and why not where they are not.

    Parameters
    ----------
    valley : str, optional
        Stage of the valley of all customers.
    valley_of_segment : str, optional
        Stage of the valley of the segment that carries the sales, alone.
    drivers : sequence of str
        Drivers to fix first, the most important first.
    initiative : mapping, optional
        The best initiative shown to pay: `touchpoint` and `target_state` of the register, `is_priced`.
    journey, driver_rules
        `load_rules("journey")` and `load_rules("drivers")`.

    Returns
    -------
    DataFrame
        One row per join, in order: `from_link, to_link`, `is_joined`, `reason`: "same_customers",
        "other_customers", "same_stage", "other_stage", "same_touchpoint", "other_touchpoint", "same_study",
        "no_return", or "missing" where a link is not there.

    Notes
    -----
    Segment and valley: the customers of the segment have the same valley by themselves. Valley and driver: a
    touchpoint at which a driver is felt (`drivers.yml`) belongs to the valley's stage. Driver and initiative:
    the initiative runs at such a touchpoint, or is aimed at the valley. Initiative and return: one study.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> rules = {"journey": load_rules("journey"), "driver_rules": load_rules("drivers")}
    >>> best = {"touchpoint": "line_message", "target_state": None, "is_priced": True}
    >>> joins = chain_joins(valley="decide", valley_of_segment="decide", drivers=["driver_support"],
    ...     initiative=best, **rules)
    >>> joins["reason"].tolist()
    ['same_customers', 'same_stage', 'same_stage', 'same_study']
    """
    stage_of = {point.id: point.stage for point in journey.touchpoints}
    felt_at = [point for driver in drivers for point in driver_rules.touchpoints.get(driver, [])]
    at_valley = any(stage_of.get(point) == valley for point in felt_at)
    is_same = valley_of_segment == valley
    way = "same_stage" if is_aimed(initiative, valley, journey) else "other_touchpoint"
    if initiative is not None and initiative["touchpoint"] in felt_at:
        way = "same_touchpoint"
    is_priced = initiative is not None and initiative["is_priced"]
    found = [
        ("segment", "valley", "same_customers" if is_same else "other_customers"),
        ("valley", "driver", "same_stage" if at_valley else "other_stage"),
        ("driver", "initiative", way),
        ("initiative", "roi", "same_study" if is_priced else "no_return"),
    ]
    has_valley, has_driver, has_initiative = valley is not None, bool(drivers), initiative is not None
    there = (
        has_valley and valley_of_segment is not None,
        has_valley and has_driver,
        has_driver and has_initiative,
        has_initiative,
    )
    rows = [
        {"from_link": start, "to_link": end, "reason": reason if is_there else "missing"}
        for (start, end, reason), is_there in zip(found, there, strict=True)
    ]
    joins = pd.DataFrame(rows)
    return joins.assign(is_joined=joins["reason"].str.startswith("same"))


def is_aimed(initiative: Mapping[str, Any] | None, stage: str | None, journey: Journey) -> bool:
    """Whether an initiative runs at a touchpoint of the stage, or for customers in the stage's state.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> is_aimed({"touchpoint": None, "target_state": "wondering"}, "decide", load_rules("journey"))
    True
    """
    if initiative is None or stage is None:
        return False
    stage_of = {point.id: point.stage for point in journey.touchpoints}
    state_of = {one.id: one.state for one in journey.stages if one.state is not None}
    at_stage = stage_of.get(initiative["touchpoint"]) == stage
    return at_stage or (stage in state_of and initiative["target_state"] == state_of[stage])


def headline(
    *, valley: str | None, initiative: Mapping[str, Any] | None, aimed: bool, judged: pd.DataFrame
) -> dict[str, Any]:
    """Choose the page's one sentence: the best proven initiative and the worst alarm of the chain.

    Parameters
    ----------
    valley : str, optional
        Stage of the valley.
    initiative : mapping, optional
        The best initiative shown to pay; `name`.
    aimed : bool
        Whether it is aimed at the valley.
    judged : DataFrame
        Result of `judge_kpis`.

    Returns
    -------
    dict
        `claim` "aimed" (proven, and aimed at the valley), "elsewhere" (proven, not aimed at it), "proven" (no
        valley), "valley" (nothing proven), "alarm" (neither, but a figure in alarm) or "quiet"; `name`,
        `stage`, and `kpi`, the first figure in alarm; `verdict`, the badge that goes with the claim.

    Examples
    --------
    >>> judged = pd.DataFrame({"metric": ["nps"], "verdict": ["target_met"]})
    >>> headline(valley=None, initiative=None, aimed=False, judged=judged)["claim"]
    'quiet'
    """
    alarms = judged.loc[judged["verdict"] == "alarm", "metric"].tolist()
    if initiative is not None:
        claim = "proven" if valley is None else "aimed" if aimed else "elsewhere"
    else:
        claim = "valley" if valley is not None else "alarm" if alarms else "quiet"
    name = "" if initiative is None else str(initiative["name"])
    return {
        "claim": claim,
        "verdict": VERDICTS[claim],
        "name": name,
        "stage": valley,
        "kpi": alarms[0] if alarms else None,
    }
