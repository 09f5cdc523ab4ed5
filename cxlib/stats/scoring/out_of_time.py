"""Scores for days that the fit has not seen, beside the simplest forecasts of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData, ParameterError, check_columns, check_frame
from cxlib.data.days import local_days, to_date
from cxlib.stats.scoring.logistic import check_outcome, fit_logistic

#: Forecasts compared, simplest first, and the columns that hold their probabilities.
FORECASTS = {"base": "p_base", "simple": "p_simple", "score": "p_score"}


def score_out_of_time(
    rows: pd.DataFrame,
    *,
    feature_cols: Sequence[str],
    outcome_col: str = "outcome",
    period_col: str = "cut_on",
    next_days: int = 90,
    test_from: object = None,
    baseline_col: str = "recency_days",
    cluster_col: str | None = None,
) -> pd.DataFrame:
    """Fit a score on early days and apply it to later ones, with a simple score and the base rate beside it.

    Parameters
    ----------
    rows : DataFrame
        One row per customer (or lead) and cut day: features known at the end of that day, and what happened
        in the `next_days` after it. Rows whose outcome is not known yet are left out.
    feature_cols : sequence of str
        As `fit_logistic`.
    outcome_col : str
        1 where it happened, 0 where it did not.
    period_col : str
        Cut day.
    next_days : int
        Days the outcome looks ahead, from 1. Rows whose outcome was not known on the first day of the test
        take no part in the fit.
    test_from : date or str, optional
        First cut day of the test; by default the one on which the last third of the rows begins.
    baseline_col : str
        Feature of the simple score.
    cluster_col : str, optional
        Customer, for the fit's errors; it does not change a probability.

    Returns
    -------
    DataFrame
        The rows of the test with ``p_base, p_simple, p_score`` (probabilities 0–1; missing where it could not
        be fitted), ``n_train, events_train`` and ``note`` (few_events: the score is no more than the base
        rate; separated: there is none; else missing).

    Raises
    ------
    ParameterError
        A column is missing, an outcome is neither 0 nor 1, or `next_days` is below 1.
    NotEnoughData
        No row is left for the fit, or none for the test.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> days = pd.to_datetime(["2026-01-31", "2026-04-30", "2026-07-31"])
    >>> people = pd.DataFrame({"cut_on": np.repeat(days, 400), "recency_days": rng.integers(1, 300, 1_200)})
    >>> people["outcome"] = rng.random(1_200) < 1 / (1 + np.exp(-0.02 * (99 - people["recency_days"])))
    >>> scored = score_out_of_time(people, feature_cols=["recency_days"], next_days=89)
    >>> len(scored), scored["n_train"].iloc[0]
    (400, np.int64(800))
    """
    check_frame(rows, argument="rows")
    check_columns(rows, period_col=period_col, baseline_col=baseline_col)
    if next_days < 1:
        raise ParameterError("segmentation.days", found=next_days)
    known = rows[np.isfinite(check_outcome(rows, outcome_col))]
    day = local_days(known[period_col], period_col)
    first = _first_test_day(day, test_from)
    train, test = known[day + pd.Timedelta(days=next_days) <= first], known[day >= first]
    if train.empty or test.empty:
        raise NotEnoughData(
            "scoring.one_period", n=f"{len(known):,}", days=int(day.nunique()), ahead=next_days
        )
    named: dict[str, Any] = {"outcome_col": outcome_col, "cluster_col": cluster_col}
    full = fit_logistic(train, feature_cols=feature_cols, **named)
    simple = fit_logistic(train, feature_cols=[baseline_col], **named)
    return test.assign(
        p_base=full.base_rate,
        p_simple=simple.probability(test),
        p_score=full.probability(test),
        n_train=full.n,
        events_train=full.events,
        note=full.note,
    ).reset_index(drop=True)


def _first_test_day(day: pd.Series, test_from: object) -> pd.Timestamp:
    if test_from is not None:
        return pd.Timestamp(to_date(test_from, argument="test_from"))
    if day.empty:
        return pd.Timestamp(date.min)
    return pd.Timestamp(np.sort(day.to_numpy())[2 * len(day) // 3])
