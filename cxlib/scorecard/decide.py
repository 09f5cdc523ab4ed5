"""What to decide now: at most five acts from the rules that this month's figures meet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from cxlib.data.days import to_date

MOST = 5


class Act(NamedTuple):
    """Who carries an act out, and within how many days; a class because neither is told alone."""

    who: str
    within_days: int


#: Acts by urgency: what brings or burns money first, then alarms, then what takes longer.
ACTS: Mapping[str, Act] = {
    "fund": Act("crm", 30),
    "stop": Act("crm", 15),
    "call": Act("care", 10),
    "answer": Act("ma", 45),
    "follow_up": Act("sales", 15),
    "rework": Act("crm", 30),
    "run_again": Act("cx", 90),
    "redesign": Act("cx", 90),
    "mend": Act("cx", 60),
}

#: Steps of the register's rule by the act they ask for; those that ask to go on or wait are no decision.
OF_STEP = {"fund": "fund", "stop": "stop", "rework": "rework", "run_again": "run_again"}

#: Figures whose alarm asks for an act.
OF_ALARM = {"hesitation_answered_30": "answer", "follow_up_share": "follow_up"}


def decide_now(
    *,
    steps: pd.DataFrame,
    judged: pd.DataFrame,
    redesign: Mapping[str, Any],
    risk: Sequence[Mapping[str, Any]],
    drivers: Sequence[str],
    as_of: dt.date | str,
) -> pd.DataFrame:
    """Choose the acts that evaluated rules ask for, the most urgent first.

    Parameters
    ----------
    steps : DataFrame
        Result of `next_steps`: `verdict` (the step), `reason`, `names`.
    judged : DataFrame
        Result of `judge_kpis`.
    redesign : mapping
        Result of `rework_first`: `verdict, stage`.
    risk : sequence of mapping
        Result of `at_risk`: `n_top` customers who buy most and gave a low score.
    drivers : sequence of str
        Drivers to fix first.
    as_of : date

    Returns
    -------
    DataFrame
        At most five rows: `claim` (the act), `who, due_on, reason`, and what the words need: `names, stage`,
        `n, drivers, kpi`; `id` is the same next month for the same act on the same thing.

    Examples
    --------
    >>> steps = pd.DataFrame({"verdict": ["stop"], "reason": ["below_zero"], "names": [["Mail"]]})
    >>> none = pd.DataFrame({"metric": [], "verdict": []})
    >>> acts = decide_now(steps=steps, judged=none, redesign={"verdict": "not_met"}, risk=[], drivers=[],
    ...     as_of="2026-09-30")
    >>> acts[["id", "who", "due_on"]].astype(str).to_numpy().tolist()
    [['stop Mail', 'crm', '2026-10-15']]
    """
    found: list[dict[str, Any]] = [
        {"claim": OF_STEP[row["verdict"]], "reason": row["reason"], "names": [name]}
        for row in steps.to_dict("records")
        if row["verdict"] in OF_STEP
        for name in row["names"]
    ]
    alarms = judged.loc[judged["verdict"] == "alarm", "metric"]
    found += [{"claim": OF_ALARM[kpi], "reason": "alarm", "kpi": kpi} for kpi in alarms if kpi in OF_ALARM]
    found += [dict(row) | {"claim": "call", "reason": "at_stake", "n": row["n_top"]} for row in risk]
    if redesign["verdict"] == "met":
        found.append({"claim": "redesign", "reason": "rule_met", "stage": redesign["stage"]})
    if drivers:
        found.append({"claim": "mend", "reason": "rule_met", "drivers": list(drivers)})
    order = list(ACTS)
    chosen = sorted(found, key=lambda row: order.index(row["claim"]))[:MOST]
    day = to_date(as_of)
    rows = [row | _when(row, day) for row in chosen]
    columns = ["id", "claim", "who", "due_on", "reason", "names", "stage"]
    columns += ["n", "estimate", "metric", "drivers", "kpi"]
    return pd.DataFrame(rows, columns=columns)


def _when(row: Mapping[str, Any], day: dt.date) -> dict[str, Any]:
    act = ACTS[row["claim"]]
    on = " ".join([row["claim"], *row.get("names", []), *filter(None, [row.get("stage")])])
    return {"id": on, "who": act.who, "due_on": pd.Timestamp(day + dt.timedelta(days=act.within_days))}
