"""Whether the conditions are there under which a CRM pays: sound data, use in the field, decisions taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from cxlib.data.rules.rule_files import Targets
from cxlib.stats.targets import judge_target

#: Condition by what it is judged by; the target of each stands in the targets file as `<metric>_share`.
CONDITIONS = {
    "data": ("joined", "split"),
    "use": ("late", "without_next_step", "updating"),
    "decisions": (),
}
_COLUMNS = ["condition", "metric", "estimate", "conf_low", "conf_high", "n", "target", "verdict"]


def judge_readiness(measured: Iterable[pd.DataFrame], targets: Targets) -> pd.DataFrame:
    """Judge what was measured against the company's targets.

    Parameters
    ----------
    measured
        Frames whose first row is a measure of `CONDITIONS` by its `metric` (of `adoption` the last step:
        `metric` "use" counts as "updating"); empty frames are passed over.
    targets
        Targets of the company, named `joined_share` and the like; a measure without one is left out.

    Returns
    -------
    DataFrame
        `condition` ("data", "use"), `metric, estimate, conf_low, conf_high, n, target, verdict` (as
        `judge_target`).
    """
    goals = {one.metric.removesuffix("_share"): one for one in targets.targets}
    of_metric = {name: condition for condition, names in CONDITIONS.items() for name in names}
    rows = []
    for frame in measured:
        row = {str(name): held for name, held in frame.iloc[-1].items()} if len(frame) else {}
        metric = "updating" if row.get("metric") == "use" else row.get("metric")
        if metric in of_metric and metric in goals:
            goal = goals[metric]
            row["n"] = row.get("customers", row.get("n"))
            found = judge_target(row, goal.target, unit=goal.unit, better=goal.better)
            named = {"condition": of_metric[metric], "metric": metric, "target": goal.target}
            rows.append({**row, **named, "verdict": found["verdict"]})
    return pd.DataFrame(rows).reindex(columns=_COLUMNS)


def conditions(judged: pd.DataFrame, broken: pd.DataFrame) -> pd.DataFrame:
    """Come to one verdict for each of the three conditions.

    Parameters
    ----------
    judged
        From `judge_readiness`.
    broken
        From `broken_tables`: any broken table fails the condition of sound data.

    Returns
    -------
    DataFrame
        `condition`, `verdict` ("fail": a target is missed, or a table broken; "pass": all are met;
        "undecided"; "unknown": nothing was measured), `claim` (the same, or "not_recorded" for decisions),
        and `metrics` that missed or did not settle it.

    Examples
    --------
    >>> judged = pd.DataFrame({"condition": ["data"], "metric": ["joined"], "verdict": ["target_met"]})
    >>> conditions(judged, pd.DataFrame({"table": []}))["verdict"].tolist()
    ['pass', 'unknown', 'unknown']
    """
    rows = []
    for condition in CONDITIONS:
        own = judged[judged["condition"] == condition]
        failed = own.loc[own["verdict"] == "target_missed", "metric"].tolist()
        open_ = own.loc[~own["verdict"].isin(["target_met", "target_missed"]), "metric"].tolist()
        tables = broken["table"].unique().tolist() if condition == "data" else []
        verdict = _verdict(failed + tables, open_, is_measured=len(own) > 0)
        claim = "not_recorded" if condition == "decisions" else "broken" if tables else verdict
        rows.append({"condition": condition, "verdict": verdict, "claim": claim, "tables": tables})
        rows[-1] |= {"metrics": failed or open_ or own["metric"].tolist()}
    return pd.DataFrame(rows)


def _verdict(failed: list[Any], undecided: list[Any], *, is_measured: bool) -> str:
    """Tell the verdict of one condition."""
    if failed:
        return "fail"
    if not is_measured:
        return "unknown"
    return "undecided" if undecided else "pass"


def first_thing(stated: pd.DataFrame, turned: pd.DataFrame) -> dict[str, Any]:
    """Tell what comes first: mend the data, settle a choice of cleaning, bring the system into use, or go on.

    Parameters
    ----------
    stated
        From `conditions`.
    turned
        From `flips`.

    Returns
    -------
    dict
        `claim` ("data", "flips", "use", "unknown", "go_on"), `verdict`, and `metrics` whose verdicts turn.

    Examples
    --------
    >>> stated = pd.DataFrame({"condition": ["data", "use"], "verdict": ["pass", "fail"]})
    >>> first_thing(stated, pd.DataFrame({"note": ["none"]}))
    {'claim': 'use', 'verdict': 'start_here', 'metrics': []}
    """
    of = stated.set_index("condition")["verdict"]
    metrics = [] if "metric" not in turned else list(dict.fromkeys(turned["metric"]))
    if of["data"] == "fail":
        claim, verdict = "data", "repair"
    elif metrics:
        claim, verdict = "flips", "start_here"
    elif of["use"] == "fail":
        claim, verdict = "use", "start_here"
    elif "unknown" in (of["data"], of["use"]):
        claim, verdict = "unknown", "widen"
    else:
        claim, verdict = "go_on", "carry_on"
    return {"claim": claim, "verdict": verdict, "metrics": metrics}
