"""The forecast that the test allows, for the rows of today, with what speaks for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData, check_columns, check_frame, fail_option
from cxlib.stats.scoring.logistic import fit_logistic
from cxlib.stats.scoring.out_of_time import FORECASTS


def score_now(
    rows: pd.DataFrame,
    now: pd.DataFrame,
    *,
    forecast: str,
    feature_cols: Sequence[str],
    outcome_col: str = "outcome",
    baseline_col: str = "recency_days",
    reasons: int = 3,
) -> pd.DataFrame:
    """Give today's rows a probability by the forecast that won its test, and the features that raise it.

    Parameters
    ----------
    rows : DataFrame
        All rows with a known outcome; the forecast is fitted on them.
    now : DataFrame
        Rows with the same features, known today.
    forecast : {"score", "simple", "base"}
        What `score_told` says is `used`: a score that did not beat a simpler forecast is not used.
    feature_cols, outcome_col, baseline_col
        As `score_out_of_time`.
    reasons : int
        Most features to name per row.

    Returns
    -------
    DataFrame
        The rows of `now`, in their order, with ``probability`` (0–1) and ``reason_1`` … (the features that
        raise it most above that of a row with average features, largest first; missing where none does).

    Raises
    ------
    ParameterError
        Unknown forecast or column.
    NotEnoughData
        The forecast cannot be fitted.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> people = pd.DataFrame({"recency_days": rng.integers(1, 300, 2_000)})
    >>> people["outcome"] = rng.random(2_000) < people["recency_days"] / 300
    >>> today = pd.DataFrame({"customer_id": ["a", "b"], "recency_days": [290, 3]})
    >>> listed = score_now(people, today, forecast="simple", feature_cols=["recency_days"])
    >>> listed["probability"].round(1).tolist(), listed["reason_1"].tolist()
    ([0.9, 0.1], ['recency_days', None])
    """
    if forecast not in FORECASTS:
        fail_option("forecast", forecast, FORECASTS)
    check_frame(now, argument="now")
    used = {"score": list(feature_cols), "simple": [baseline_col], "base": []}[forecast]
    for name in used:
        check_columns(now, feature_cols=name)
    fit = fit_logistic(rows, feature_cols=used, outcome_col=outcome_col)
    probability = fit.probability(now) if used else np.full(len(now), fit.base_rate)
    if (fit.note is not None and used) or np.isnan(probability).any():
        raise NotEnoughData("scoring.no_fit", events=f"{fit.events:,}", n=f"{fit.n:,}", features=len(used))
    pull = fit.contributions(now) if used else pd.DataFrame(index=now.index)
    values = np.c_[pull.to_numpy(float), np.zeros((len(now), reasons))]
    names = np.array([*pull.columns, *[None] * reasons], dtype=object)
    order = np.argsort(-values, axis=1, kind="stable")[:, :reasons]
    named = names[order]
    named[np.take_along_axis(values, order, axis=1) <= 0] = None
    listed = {f"reason_{k + 1}": pd.Series(named[:, k], now.index, object) for k in range(reasons)}
    return now.assign(probability=probability, **listed)
