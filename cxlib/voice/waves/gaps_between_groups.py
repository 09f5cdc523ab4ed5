"""Each group beside everyone else: the same difference as between two waves, for many groups at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from cxlib.voice.answers import Scale, read_answers
from cxlib.voice.waves.changes import judged, measure, metric_scale
from cxlib.voice.waves.two_waves import WAVE


def group_gaps(
    data: pd.DataFrame,
    *,
    by: str,
    groups: Iterable[Any] | None = None,
    score_col: str = "nps_score",
    metric: str = "nps",
    scale: Scale | None = None,
    customer_id_col: str | None = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Score of each group minus that of everyone else, with interval, test and verdict.

    As `score_change` from `everyone_else` to the group, without copying the answers once per group.

    Parameters
    ----------
    data : DataFrame
        One row per answer; answers without a group or without a score are left out.
    by : str
        Group column.
    groups : iterable, optional
        Limits the rows to some of the groups; the others are still everyone else.
    score_col, metric, scale, customer_id_col, conf_level
        As in `score_change`.

    Returns
    -------
    DataFrame
        `by` and the columns of `score_change`, groups in order of their names: ``before`` is everyone else,
        ``after`` the group, ``verdict`` risen (above everyone else), fallen (below), no_difference_shown, or
        too_few_answers with fewer than 30 customers on one side; p-values adjusted over the groups. No rows
        with fewer than two groups: then there is nobody else.

    Raises
    ------
    ParameterError
        As `score_change`.

    Examples
    --------
    >>> data = pd.DataFrame({"g": ["a"] * 60 + ["b"] * 60, "nps_score": [9, 7, 3] * 20 + [10, 9, 8] * 20})
    >>> group_gaps(data, by="g", customer_id_col=None)[["g", "verdict"]].to_numpy().tolist()
    [['a', 'fallen'], ['b', 'risen']]
    """
    limits = metric_scale(metric, scale)
    answers = read_answers(data, score_col, limits, by=by, cluster_col=customer_id_col)
    names, n = answers.keys[by], answers.n
    known = answers.group[names.notna().to_numpy()[answers.group]]
    held = np.isin(answers.group, np.unique(known))
    asked = names[names.notna() & (n > 0)]
    asked = asked if groups is None else asked[asked.isin(list(groups))]
    if len(np.unique(known)) < 2:
        asked = asked.head(0)
    sides = answers._replace(
        keys=pd.DataFrame({WAVE: [0, 1]}), score=answers.score[held], n_missing=np.zeros(2, dtype=int)
    )
    cluster = None if answers.cluster is None else answers.cluster[held]
    parts = [
        measure(
            sides._replace(group=(answers.group[held] == code).astype(np.int64), cluster=cluster),
            metric,
            limits,
            conf_level=conf_level,
        ).assign(**{by: name})
        for code, name in asked.items()
    ]
    if not parts:
        empty = measure(
            sides._replace(group=np.zeros(len(known), dtype=np.int64), cluster=cluster),
            metric,
            limits,
            conf_level=conf_level,
        )
        parts = [empty.assign(**{by: None}).head(0)]
    return judged(pd.concat(parts, ignore_index=True), metric, [by], min_answers=30, conf_level=conf_level)
