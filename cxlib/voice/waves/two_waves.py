"""Two waves of one survey side by side: their answers, what is averaged, and variances by customer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import check_columns, check_frame
from cxlib.data.scales import satisfied_from
from cxlib.stats.arrays import Array
from cxlib.stats.sums_by_cluster import cluster_totals
from cxlib.voice.answers import Answers, Scale, read_answers
from cxlib.voice.attitudes import nps_points

Codes = NDArray[np.integer[Any]]
WAVE = "__wave__"


def two_waves(
    before: pd.DataFrame,
    after: pd.DataFrame,
    score_col: str,
    scale: Scale,
    group_cols: list[str],
    customer_id_col: str | None,
) -> Answers:
    """Check both waves and return their answers by group and wave (0 before, 1 after)."""
    columns = [score_col, *group_cols, *([customer_id_col] if customer_id_col else [])]
    for name, frame in {"before": before, "after": after}.items():
        check_frame(frame, argument=name)
        check_columns(frame, score_col=score_col, customer_id_col=customer_id_col)
        for column in group_cols:
            check_columns(frame, by=column)
    both = [frame[columns].assign(**{WAVE: side}) for side, frame in enumerate((before, after))]
    return read_answers(
        pd.concat(both, ignore_index=True),
        score_col,
        scale,
        by=[*group_cols, WAVE],
        cluster_col=customer_id_col,
    )


def score_values(answers: Answers, metric: str, scale: Scale) -> Array:
    """Return what is averaged: ±100 and 0 for the NPS, 0 and 1 for the best boxes, or the score."""
    if metric == "nps":
        return nps_points(answers.score)
    return (answers.score >= satisfied_from(scale)).astype(float) if metric == "csat" else answers.score


def customers_of(answers: Answers) -> Codes:
    """Return the code of each answer's customer; an answer without one stands alone."""
    return np.arange(len(answers.score)) if answers.cluster is None else answers.cluster


def clustered_variance(answers: Answers, influence: Array, code: Codes, n_groups: int) -> tuple[Array, Codes]:
    """Sum influences by customer within each group; return the variance and the degrees of freedom."""
    owner, _, sums = cluster_totals(influence, code, customers_of(answers), n_groups)
    count = np.bincount(owner, minlength=n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.where(count > 1, count / (count - 1), np.nan)  # of one customer nothing is known
        return scale * np.bincount(owner, sums**2, n_groups), count - 1
