"""What customers say matters to them, beside what goes with their score; never averaged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.stats.intervals import clustered_mean_interval
from cxlib.stats.number_columns import check_numbers, cluster_codes
from cxlib.voice.drivers.importance import driver_importance


def stated_derived(
    data: pd.DataFrame,
    *,
    outcome_col: str,
    stated: Mapping[str, str],
    cluster_col: str | None = None,
    n_boot: int = 500,
    seed: int = 0,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Set stated importance (mean rating, its own scale) beside derived importance (share of R², 0–1).

    Parameters
    ----------
    data : DataFrame
        One row per answer.
    outcome_col : str
        Outcome, a number.
    stated : mapping of driver column → column with its stated importance
        Numbers, higher is more important; missing ones are left out.
    cluster_col, n_boot, seed, conf_level
        As `driver_importance`.

    Returns
    -------
    DataFrame
        In order of derived importance: ``driver, importance`` with ``_conf_low, _conf_high, _rank``,
        ``stated`` with the same, ``is_hidden`` (its derived rank interval lies wholly above its stated
        rank: it matters more than customers say), ``n`` answers with both. Collinear drivers have no stated
        value.

    Raises
    ------
    ParameterError
        As `driver_importance`, or for a missing stated column.

    References
    ----------
    Martilla & James (1977) Journal of Marketing 41; Oliver (2010) Satisfaction.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> answers = pd.DataFrame(rng.normal(size=(400, 2)), columns=["quality", "price"])
    >>> answers["score"] = 3 * answers["quality"] + answers["price"] + rng.normal(size=400)
    >>> answers["says_quality"], answers["says_price"] = np.tile([3, 4], 200), 5
    >>> stated = {"quality": "says_quality", "price": "says_price"}
    >>> stated_derived(answers, outcome_col="score", stated=stated, n_boot=50)["is_hidden"].tolist()
    [True, False]
    """
    for driver, column in stated.items():
        check_columns(data, **{f"stated[{driver!r}]": column})
    derived = driver_importance(
        data,
        outcome_col=outcome_col,
        driver_cols=list(stated),
        cluster_col=cluster_col,
        n_boot=n_boot,
        seed=seed,
        conf_level=conf_level,
    )
    rows = []
    for driver, column in stated.items():
        values = check_numbers(data, column)
        known = np.isfinite(values)
        cluster = np.arange(len(data)) if cluster_col is None else cluster_codes(data[cluster_col])
        mean = clustered_mean_interval(values[known], cluster[known], conf_level=conf_level)
        ends = [float(np.ravel(each)[0]) for each in (mean.estimate, mean.conf_low, mean.conf_high)]
        rows.append((driver, *ends, int((known & data[driver].notna().to_numpy()).sum())))
    says = pd.DataFrame(rows, columns=["driver", "stated", "stated_conf_low", "stated_conf_high", "n"])
    says["stated_rank"] = says["stated"].rank(ascending=False, method="min")
    names = {name: f"importance_{name}" for name in ("conf_low", "conf_high", "rank")}
    frame = derived[["driver", "importance", "conf_low", "conf_high", "rank", "rank_high"]]
    frame = frame.rename(columns=names).merge(says, on="driver", how="left")
    frame["is_hidden"] = frame["rank_high"] < frame["stated_rank"]
    return frame.drop(columns="rank_high").astype({"n": "Int64"}).reset_index(drop=True)
