"""What chapter 3 may say of groups and touchpoints: which differ from everyone else, and in what.

Each function takes results and returns the rows that `report.say` words; a row with a `note` is a notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxlib.voice.answers import Scale
from cxlib.voice.scores import ces, csat, nps
from cxlib.voice.waves.claims import COMPUTED
from cxlib.voice.waves.gaps_between_groups import group_gaps

Rows = list[dict[str, Any]]
#: What a verdict on a group against everyone else is called in a sentence.
SIDES: Mapping[str, str] = {"risen": "higher", "fallen": "lower"}


def shown_groups(frame: pd.DataFrame, by: str) -> list[Any]:
    """Name the groups of a suppressed frame whose numbers may be shown."""
    return frame.loc[~frame["is_suppressed"] & frame[by].notna(), by].tolist()


def groups_that_differ(gaps: pd.DataFrame, *, by: str) -> Rows:
    """Tell which groups lie above or below everyone else, or that none is shown to.

    Parameters
    ----------
    gaps
        Result of `group_gaps`.
    by
        Its group column.

    Returns
    -------
    list of dict
        Rows with `claim` "above", "below" (`groups` by name) or "alike" (`groups` counted) and `verdict`.

    Examples
    --------
    >>> gaps = pd.DataFrame({"g": ["a", "b"], "verdict": ["risen", "no_difference_shown"]})
    >>> groups_that_differ(gaps, by="g")
    [{'claim': 'above', 'groups': ['a'], 'verdict': 'differ'}]
    """
    named = {"above": "risen", "below": "fallen"}
    found = {claim: gaps.loc[gaps["verdict"] == verdict, by].tolist() for claim, verdict in named.items()}
    told: Rows = [
        {"claim": claim, "groups": groups, "verdict": "differ"} for claim, groups in found.items() if groups
    ]
    alike = {"claim": "alike", "groups": len(gaps), "verdict": "no_difference_shown"}
    return told or ([alike] if len(gaps) else [])


def measure_gaps(
    data: pd.DataFrame, shown: pd.DataFrame, *, by: str, scales: Mapping[str, Scale], conf_level: float
) -> dict[str, pd.DataFrame]:
    """Compare each shown group with everyone else, measure by measure.

    Parameters
    ----------
    data
        Answers.
    shown
        Scores by `metric` and group after small groups were blanked (`is_suppressed`).
    by
        Group column.
    scales
        Scale by measure, "csat" and "ces".

    Returns
    -------
    dict of measure → DataFrame
        As `group_gaps`.
    """
    found = {}
    for measure, part in shown.groupby("metric", sort=False) if len(shown) else ():
        how: Any = {"score_col": f"{measure}_score", "scale": scales.get(str(measure))}
        how |= {"metric": COMPUTED[str(measure)]}
        groups = shown_groups(part[part["estimate"].notna()], by)
        found[str(measure)] = group_gaps(data, by=by, groups=groups, **how, conf_level=conf_level)
    return found


def measures_together(*parts: pd.DataFrame) -> pd.DataFrame:
    """Put the groups with a score of several measures one below the other, told apart by `metric`."""
    return pd.concat([part[part["estimate"].notna()] for part in parts], ignore_index=True)


def most_groups(shown: pd.DataFrame) -> int:
    """Count the groups shown for the measure that has most of them."""
    known = shown[shown["estimate"].notna()] if len(shown) else shown
    return int(known.groupby("metric").size().max()) if len(known) else 0


def measures_that_differ(gaps: Mapping[str, pd.DataFrame], *, by: str, n_groups: int) -> Rows:
    """Tell which groups differ from everyone else in satisfaction or effort, or that none is shown to.

    Parameters
    ----------
    gaps
        Result of `group_gaps` by measure, "csat" and "ces".
    by
        Their group column.
    n_groups
        Groups looked at; with one there is nothing to tell apart.
    """
    told: Rows = []
    for measure, gap in gaps.items():
        for verdict, side in SIDES.items():
            groups = gap.loc[gap["verdict"] == verdict, by].tolist()
            told += [{"claim": f"{measure}_{side}", "groups": groups, "verdict": "differ"}] if groups else []
    alike = [{"claim": "alike", "verdict": "no_difference_shown"}] if n_groups > 1 else []
    return told or alike


def at_touchpoints(
    contact: pd.DataFrame, *, scales: Mapping[str, Scale], direction: str, with_nps: bool, **intervals: Any
) -> pd.DataFrame:
    """Compute satisfaction, effort and, if asked, the NPS at each touchpoint, for the measures answered.

    Parameters
    ----------
    contact
        Answers given just after a contact, with ``touchpoint``.
    scales
        Scale by measure, "csat" and "ces".
    direction
        What a high effort score means, "ease" or "effort".
    with_nps
        Whether the NPS is among the measures.
    **intervals
        As the scores.

    Returns
    -------
    DataFrame
        ``touchpoint, metric, estimate, conf_low, conf_high, n, customers``; no rows without answers.
    """
    effort = {"scale": scales["ces"], "direction": direction}
    ways: dict[str, tuple[Any, dict[str, Any]]] = {
        "csat": (csat, {"scale": scales["csat"]}),
        "ces": (ces, effort),
    }
    ways |= {"nps": (nps, {})} if with_nps else {}
    parts = [
        compute(contact, by="touchpoint", **how, **intervals)
        for measure, (compute, how) in ways.items()
        if contact[f"{measure}_score"].notna().any()
    ]
    columns = ["touchpoint", "metric", "estimate", "conf_low", "conf_high", "n", "customers"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def touchpoints_that_differ(gaps: Mapping[str, pd.DataFrame], *, n_touchpoints: int, is_asked: bool) -> Rows:
    """Tell which touchpoints differ from the others, and in what.

    Parameters
    ----------
    gaps
        Result of `group_gaps` by touchpoint, by measure.
    n_touchpoints
        Largest number of touchpoints shown for a measure.
    is_asked
        Whether there are answers to any survey: then a missing comparison is said.
    """
    apart = [
        {"touchpoint": row["touchpoint"], "measure_metric": measure, "side": SIDES[row["verdict"]]}
        for measure, gap in gaps.items()
        for row in gap[gap["verdict"].isin(list(SIDES))].to_dict("records")
    ]
    if apart:
        return [{"claim": "differ", "groups": apart, "verdict": "differ"}]
    if n_touchpoints > 1:
        return [{"claim": "alike", "verdict": "no_difference_shown"}]
    return [{"note": "nps.no_touchpoints", "level": "info"}] if is_asked else []


def pooled_touchpoints(at_each: pd.DataFrame) -> Rows:
    """Warn that an NPS pools several touchpoints, and give it for each; from `at_touchpoints` as shown."""
    shown = at_each[at_each["estimate"].notna() & (at_each["metric"] == "nps")]
    parts = shown[["touchpoint", "metric", "estimate"]].to_dict("records")
    note = {"note": "nps.pooled_touchpoints", "level": "warning", "touchpoints": len(parts), "parts": parts}
    return [note] if len(parts) > 1 else []
