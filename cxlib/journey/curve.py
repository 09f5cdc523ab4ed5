"""The emotion curve: how customers feel stage by stage, and how it changes from each stage to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, fail_option
from cxlib.data.scales import neutral_score
from cxlib.journey.stage_moments import (
    CURVES,
    StageScores,
    StageSums,
    contrast,
    critical_values,
    groups,
    known_curve,
    stage_moments,
    sums,
)
from cxlib.stats.intervals import critical_value
from cxlib.stats.stack_groups import stacked

BANDS = ("simultaneous", "pointwise")


def emotion_curve(
    events: pd.DataFrame,
    *,
    stage_order: Sequence[str],
    score_col: str = "valence",
    by: str | None = None,
    band: str = "simultaneous",
    stage_col: str = "stage",
    customer_id_col: str = "customer_id",
    neutral: float | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Mean score per stage (unit of the score), pooled and for the same customers.

    Parameters
    ----------
    events
        Contacts. Rows without a score count as seen but unanswered; rows of a stage outside `stage_order` or
        without a stage are left out (`unknown_stages` counts them). Answers without a customer count as a
        customer each.
    stage_order
        All stages in the order customers live through them.
    score_col, stage_col, customer_id_col
        Columns of `events`.
    by
        Column to compute one curve per group.
    band
        "simultaneous": `band_conf_low, band_conf_high` hold for all stages of a group together; "pointwise":
        the band equals the interval of each stage alone.
    neutral
        Score below which an answer is negative; by default the middle of the scale that the data set
        declares (`valence_scale`), and 0 for rows from elsewhere.
    conf_level
        Confidence level of interval and band.

    Returns
    -------
    DataFrame
        Group column, `metric` ("pooled" = mean of all answers; "paired" = what the same customers would give
        at every stage), `stage, stage_number` (1 = first), `estimate, std_error, conf_low, conf_high`
        (pointwise), `band_conf_low, band_conf_high, n` (customers with an answer), `n_answers, coverage`
        (answered share of the events of this stage), `share_negative` (answers below `neutral`),
        `largest_share` (of the answers given by one single customer). Unanswered stages are NaN; every stage
        of `stage_order` has its row.

    Raises
    ------
    ParameterError
        Unknown column or `band`; empty or doubled `stage_order`; stages in the data but none in
        `stage_order`; text among the scores; `by` called like a column of the result.

    Notes
    -----
    Late stages hold those who stayed. The paired curve removes this: it fits customer + stage by least
    squares, so only changes within a customer count, and is anchored at the pooled mean over all stages. It
    is NaN where customers do not link the stages. Variances are clustered by customer (pooled: jackknife);
    the band takes the critical value of the largest of the correlated t-ratios (drawn with a fixed seed,
    Monte-Carlo error about 0.01).

    References
    ----------
    Liang & Zeger (1986) Biometrika 73; Hothorn, Bretz & Westfall (2008) Biometrical Journal 50.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": ["a", "a", "b", "b"], "stage": ["buy", "wait"] * 2,
    ...     "valence": [1, -1, 2, 0]})
    >>> emotion_curve(events, stage_order=["buy", "wait"])["estimate"].round(1).to_list()
    [1.5, -0.5, 1.5, -0.5]
    """
    if band not in BANDS:
        fail_option("band", band, BANDS)
    parts, middle = [], neutral_score(events, score_col, neutral)
    for keys, group in groups(events, stage_order, score_col, by, stage_col, customer_id_col):
        scores = sums(group)
        counts = _stage_counts(group, scores, middle)
        for curve in CURVES:
            fit = stage_moments(scores, curve)
            error = np.where(fit.df > 0, np.sqrt(np.diag(fit.cov)), np.nan)
            half = critical_value(conf_level, df=fit.df) * error
            wide = half
            if band == "simultaneous":
                wide = critical_values(np.eye(len(stage_order)), fit, conf_level) * error
            part = {**keys, "metric": curve, "stage": list(stage_order)}
            part |= {"stage_number": np.arange(1, len(stage_order) + 1), "estimate": fit.mean}
            part |= {"std_error": error, "conf_low": fit.mean - half, "conf_high": fit.mean + half}
            parts.append(
                part | {"band_conf_low": fit.mean - wide, "band_conf_high": fit.mean + wide} | counts
            )
    return stacked(parts)


def stage_steps(
    events: pd.DataFrame,
    *,
    stage_order: Sequence[str],
    score_col: str = "valence",
    by: str | None = None,
    curve: str = "paired",
    stage_col: str = "stage",
    customer_id_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Change of the mean score from each stage to the next (unit of the score; negative = the curve falls).

    Parameters
    ----------
    events, stage_order, score_col, by, stage_col, customer_id_col, conf_level
        As in `emotion_curve`.
    curve
        "paired" (changes within customers) or "pooled" (difference of the stages' means).

    Returns
    -------
    DataFrame
        Group column, `metric` (the curve), `from_stage, stage, estimate, std_error, conf_low, conf_high`
        (simultaneous over all steps of a group), `n` (customers with an answer at both stages).

    Raises
    ------
    ParameterError
        As in `emotion_curve`; unknown `curve`.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": ["a", "a", "b", "b"], "stage": ["buy", "wait"] * 2,
    ...     "valence": [1, -1, 2, 0]})
    >>> stage_steps(events, stage_order=["buy", "wait"])["estimate"].round(1).to_list()
    [-2.0]
    """
    stages, parts = list(stage_order), []
    contrasts = np.eye(len(stages))[1:] - np.eye(len(stages))[:-1]
    for keys, group in groups(events, stages, score_col, by, stage_col, customer_id_col):
        scores = sums(group)
        fit = stage_moments(scores, known_curve(curve))
        effect, error, wide = contrast(contrasts, fit, conf_level)
        seen = scores.n > 0
        parts.append(
            {
                **keys,
                "metric": curve,
                "from_stage": stages[:-1],
                "stage": stages[1:],
                "estimate": effect,
                "std_error": error,
                "conf_low": effect - wide,
                "conf_high": effect + wide,
                "n": (seen[:, 1:] & seen[:, :-1]).sum(0),
            }
        )
    return stacked(parts)


def unknown_stages(
    events: pd.DataFrame, *, stage_order: Sequence[str], stage_col: str = "stage"
) -> pd.DataFrame:
    """Count contacts that no curve holds, because their stage is missing or not in `stage_order`.

    Parameters
    ----------
    events, stage_order, stage_col
        As in `emotion_curve`.

    Returns
    -------
    DataFrame
        One row: `metric` ("left_out"), `estimate` (share of all contacts, 0–1; NaN without any), `n`
        (contacts), `n_unknown_stage` (of them with a stage that is not listed), `n_missing_stage`.

    Raises
    ------
    ParameterError
        Unknown column.

    Examples
    --------
    >>> events = pd.DataFrame({"stage": ["buy", "byu", None, "wait"]})
    >>> unknown_stages(events, stage_order=["buy", "wait"])["n_unknown_stage"].item()
    1
    """
    check_columns(events, stage_col=stage_col)
    missing = int(events[stage_col].isna().sum())
    unknown = int((~events[stage_col].isin(list(stage_order))).sum()) - missing
    n = len(events)
    row = {"metric": "left_out", "estimate": (unknown + missing) / n if n else np.nan, "n": n}
    return pd.DataFrame([{**row, "n_unknown_stage": unknown, "n_missing_stage": missing}])


def _stage_counts(group: StageScores, scores: StageSums, neutral: float) -> dict[str, np.ndarray]:
    seen = np.bincount(group.stage, minlength=group.n_stages)
    negative = np.bincount(group.stage[group.score < neutral], minlength=group.n_stages)
    answers = scores.n.sum(0)
    some = np.where(answers > 0, answers, np.nan)
    return {
        "n": (scores.n > 0).sum(0),
        "n_answers": answers,
        "coverage": answers / np.where(seen > 0, seen, np.nan),
        "share_negative": negative / some,
        "largest_share": scores.n.max(0, initial=0) / some,
    }
