"""Forecast probabilities held against what happened: by height, by fifth, and month after month."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from cxlib.checks import check_columns, fail_option
from cxlib.data.days import local_days
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.differences import groups_apart
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.scoring.logistic import check_outcome
from cxlib.stats.scoring.out_of_time import FORECASTS
from cxlib.stats.scoring.quality import auc_interval, mean_of_rows, read_scored, spread
from cxlib.stats.verdicts import limits_verdict


def _groups(p: np.ndarray, count: int) -> np.ndarray:
    """Group rows by their probability, 1 (highest) to `count`, 0 without one; tied rows stay together."""
    known, number = np.isfinite(p), np.zeros(len(p), dtype=int)
    from_top = (rankdata(-p[known]) - 0.5) / max(int(known.sum()), 1)
    number[known] = np.minimum((from_top * count).astype(int) + 1, count)
    return number


def calibration_curve(
    scored: pd.DataFrame,
    *,
    forecast: str = "score",
    groups: int = 10,
    outcome_col: str = "outcome",
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share observed (0–1) beside the mean probability, for rows grouped by their probability.

    Parameters
    ----------
    scored : DataFrame
        Result of `score_out_of_time`.
    forecast : {"score", "simple", "base"}
    groups : int
        Groups of about equal size, from 1; tied rows stay together, so there may be fewer.
    outcome_col : str
    cluster_col : str, optional
    conf_level : float

    Returns
    -------
    DataFrame
        ``forecast, group`` (1: highest)``, metric`` "observed_share", ``predicted`` (mean probability)``,
        estimate, std_error, conf_low, conf_high`` (Wilson's, by customers)``, n``. No row where there is no
        forecast.

    Raises
    ------
    ParameterError
        As `score_quality`, or an unknown forecast.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"p_score": rng.choice([0.1, 0.6], 2_000), "p_simple": 0.35, "p_base": 0.35})
    >>> rows["outcome"] = rng.random(2_000) < rows["p_score"]
    >>> calibration_curve(rows)[["predicted", "estimate"]].round(1).values.tolist()
    [[0.6, 0.6], [0.1, 0.1]]
    """
    if forecast not in FORECASTS:
        fail_option("forecast", forecast, FORECASTS)
    judged = read_scored(scored, outcome_col=outcome_col, cluster_col=cluster_col)
    p = judged.forecasts[forecast]
    is_there = np.isfinite(p)
    number = _groups(p[is_there], groups)
    names, code = np.unique(number, return_inverse=True)
    hits, who = judged.outcome[is_there], judged.clusters[is_there]
    if not len(names):
        return pd.DataFrame(columns=["forecast", "group", "metric", "predicted", *Interval._fields, "n"])
    share = clustered_share_interval(hits, who, groups=code, n_groups=len(names), conf_level=conf_level)
    n = np.bincount(code)
    table = pd.DataFrame({"forecast": forecast, "group": names, "metric": "observed_share"})
    return table.assign(predicted=np.bincount(code, p[is_there]) / n, **share._asdict(), n=n)


def score_lift(
    scored: pd.DataFrame,
    *,
    outcome_col: str = "outcome",
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How many times as often it happened in each fifth of the score as over all, for score and simple score.

    Parameters
    ----------
    scored, outcome_col, cluster_col, conf_level
        As `score_quality`.

    Returns
    -------
    DataFrame
        ``forecast`` (score, simple)``, fifth`` (1: highest)``, metric`` "lift"``, estimate`` (ratio)``,
        std_error, conf_low, conf_high, n, predicted_share`` (mean probability)``, share`` (observed)``,
        event_share`` (part of all events in the fifth)``, verdict``: ahead, behind or no_difference_shown
        (against 1).

    Raises
    ------
    ParameterError
        As `score_quality`.

    Notes
    -----
    Delta method on the logarithm, by customers; the share over all includes the fifth.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"p_score": rng.random(5_000), "p_simple": 0.5, "p_base": 0.5})
    >>> rows["outcome"] = rng.random(5_000) < rows["p_score"]
    >>> score_lift(rows)["estimate"].round(1).tolist()
    [1.8, 1.4, 1.0, 0.6, 0.2, 1.0]
    """
    judged = read_scored(scored, outcome_col=outcome_col, cluster_col=cluster_col)
    y, half, rows = judged.outcome, critical_value(conf_level), []
    for name in ("score", "simple"):
        p = judged.forecasts[name]
        number = _groups(p, 5)
        for fifth in np.unique(number[number > 0]):
            inside = number == fifth
            n, share, over_all = int(inside.sum()), float(y[inside].mean()), float(y.mean())
            row = {"forecast": name, "fifth": int(fifth), "metric": "lift", "estimate": np.nan}
            row |= {"std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan, "n": n, "share": share}
            row |= {"predicted_share": float(p[inside].mean())}
            row |= {"event_share": y[inside].sum() / y.sum() if y.sum() else np.nan}
            if over_all > 0:
                lift = share / over_all
                row["estimate"] = lift
                if judged.is_enough and share > 0:
                    pull = inside * (y - share) / n / share - (y - over_all) / len(y) / over_all
                    error = spread(pull, judged.clusters)
                    ends = lift * np.exp(np.array([-half, half]) * error) if error > 0 else [np.nan] * 2
                    row |= {"std_error": lift * error, "conf_low": ends[0], "conf_high": ends[1]}
            rows.append(row)
    columns = [
        "forecast",
        "fifth",
        "metric",
        *Interval._fields,
        "n",
        "predicted_share",
        "share",
        "event_share",
    ]
    table = pd.DataFrame(rows, columns=columns)
    found = limits_verdict(
        table["conf_low"], table["conf_high"], null=1.0, unit="ratio", above="ahead", below="behind"
    )
    return table.assign(verdict=np.where(table["conf_low"].isna(), "not_enough_data", found))


def score_drift(
    scored: pd.DataFrame,
    *,
    period_col: str = "cut_on",
    outcome_col: str = "outcome",
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Say month by month how the score ranks and how far it is off, and whether the months differ.

    Parameters
    ----------
    scored : DataFrame
        Result of `score_out_of_time`.
    period_col : str
        Cut day; months are those of the calendar.
    outcome_col, cluster_col, conf_level
        As `score_quality`.

    Returns
    -------
    DataFrame
        ``month`` (YYYY-MM)``, metric`` (auc; calibration_gap: mean probability less share observed)``,
        estimate, std_error, conf_low, conf_high, n, verdict`` (as `score_quality`); the last row, without a
        month, says whether the gaps of the months differ from each other: differ, no_difference_shown or
        not_enough_data (one month).

    Raises
    ------
    ParameterError
        As `score_quality`.

    Notes
    -----
    Months are tested as if they were of different customers; those of the same ones are more alike, so that
    drift is claimed less often than said, never more.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"cut_on": np.repeat(pd.to_datetime(["2026-01-31", "2026-02-28"]), 2_000)})
    >>> rows = rows.assign(p_score=rng.random(4_000), p_simple=0.5, p_base=0.5)
    >>> rows["outcome"] = rng.random(4_000) < rows["p_score"] * np.repeat([1, 0.7], 2_000)
    >>> score_drift(rows)["verdict"].iloc[-1]
    'differ'
    """
    check_columns(scored, period_col=period_col)
    judged = read_scored(scored, outcome_col=outcome_col, cluster_col=cluster_col)
    known = scored[np.isfinite(check_outcome(scored, outcome_col))]
    month = local_days(known[period_col], period_col).dt.strftime("%Y-%m").to_numpy()
    p, half, rows = judged.forecasts["score"], critical_value(conf_level), []
    for name in np.unique(month[np.isfinite(p)]):
        here = month == name
        y, who = judged.outcome[here], judged.clusters[here]
        gaps = mean_of_rows(p[here] - y, who, half)
        ranked = auc_interval(p[here], y, who, conf_level=conf_level)
        rows += [
            {"month": name, "metric": metric, **each._asdict(), "n": len(y)}
            for metric, each in (("auc", ranked), ("calibration_gap", gaps))
        ]
    table = pd.DataFrame(rows, columns=["month", "metric", *Interval._fields, "n"])
    apart = groups_apart(table[table["metric"] == "calibration_gap"], by="month", conf_level=conf_level)
    ranks = table["metric"] == "auc"
    low, high = table["conf_low"], table["conf_high"]
    rank = limits_verdict(low, high, null=0.5, unit="ratio", above="ahead", below="behind")
    gap = limits_verdict(low, high, unit="pp", above="off", below="off")
    table["verdict"] = np.where(low.isna(), "not_enough_data", np.where(ranks, rank, gap))
    last = {"month": None, "metric": "calibration_gap", "n": len(judged.outcome)}
    table.loc[len(table)] = pd.Series(last | {"verdict": apart["verdict"].iloc[-1]})
    return table
