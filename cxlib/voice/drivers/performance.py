"""What to fix first: importance against performance, with the doubt on both axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import ParameterError
from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import bootstrap_interval
from cxlib.stats.number_columns import cluster_codes
from cxlib.voice.answers import Scale, check_scale
from cxlib.voice.drivers.importance import (
    check_resampling,
    driver_importance,
    driver_units,
    parts_of_r_squared,
    read_drivers,
    shares_with_ranks,
)
from cxlib.voice.drivers.resampled_moments import ResampledMoments

#: Important or not, then performing or not; in the order of the probabilities' columns.
QUADRANTS = ("fix_first", "keep_up", "low_priority", "possible_overkill")


def importance_performance(
    data: pd.DataFrame,
    *,
    outcome_col: str,
    driver_cols: Sequence[str],
    scale: Scale = (1, 5),
    goal: float | None = None,
    weight_col: str | None = None,
    cluster_col: str | None = None,
    n_boot: int = 1000,
    seed: int = 0,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Place each driver by importance (share, 0–1) and performance (0–100), and say how sure the place is.

    Parameters
    ----------
    data : DataFrame
        One row per answer; rows without outcome are left out, a missing item only leaves out its pairs.
    outcome_col : str
        Outcome, a number.
    driver_cols : sequence of str
        Driver items on `scale`.
    scale : tuple of two numbers
        Lowest and highest answer: performance 0 and 100.
    goal : float, optional
        Performance that counts as good; without it the mean over the drivers.
    weight_col : str, optional
        Weights above 0; an answer without a weight is left out.
    cluster_col : str, optional
        Customer: the bootstrap draws customers instead of answers.
    n_boot : int
    seed : int
    conf_level : float

    Returns
    -------
    DataFrame
        Most important first: ``driver, importance, importance_conf_low, importance_conf_high, performance,
        performance_std_error, performance_conf_low, performance_conf_high, importance_line`` (one over the
        number of drivers), ``performance_line``, ``quadrant`` (fix_first, keep_up, low_priority,
        possible_overkill), ``quadrant_probability`` (share of resamples in that quadrant),
        ``probability_fix_first`` (important, not yet good, and a better rating goes with a better outcome),
        ``n, sign`` (of the correlation with the outcome) and ``runs_against`` (important, but a better rating
        goes with a worse outcome: no quadrant; if all run against it, suspect a reversed scale). Collinear
        drivers are one row with their mean performance.

    Raises
    ------
    ParameterError
        As `driver_importance`; or an answer off the scale.

    References
    ----------
    Martilla & James (1977) Journal of Marketing 41.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> answers = pd.DataFrame(rng.integers(1, 6, (400, 2)), columns=["quality", "price"])
    >>> answers["score"] = 2 * answers["quality"] + rng.normal(size=400)
    >>> place = importance_performance(
    ...     answers, outcome_col="score", driver_cols=["quality", "price"], n_boot=50, goal=80
    ... )
    >>> place[["driver", "quadrant"]].to_numpy().tolist()
    [['quality', 'fix_first'], ['price', 'low_priority']]
    """
    check_scale(scale)
    drivers = list(driver_cols)
    check_resampling(data, cluster_col, n_boot, conf_level)
    frame = driver_importance(
        data,
        outcome_col=outcome_col,
        driver_cols=drivers,
        weight_col=weight_col,
        cluster_col=cluster_col,
        conf_level=conf_level,
    )
    values, weight = read_drivers(data, outcome_col, drivers, weight_col)
    keep = np.isfinite(values[:, -1]) & np.isfinite(weight)
    values, weight = values[keep], weight[keep]
    if ((values[:, :-1] < scale[0]) | (values[:, :-1] > scale[1])).any():
        raise ParameterError("nps.off_scale", low=f"{scale[0]:g}", high=f"{scale[1]:g}")
    clusters = None if cluster_col is None else cluster_codes(data[cluster_col])[keep]
    moments = ResampledMoments(values, weight)
    whole_sums = moments.all_answers()
    whole = moments.correlations(whole_sums)
    units = driver_units(whole[0], len(values))
    names = [" + ".join(drivers[column] for column in unit) for unit in units]
    drawn = moments.resampled(n_boot=n_boot, seed=seed, clusters=clusters)
    ways = moments.correlations(drawn)
    found = parts_of_r_squared(ways, units, "shapley", None, seed)[0]
    levels, signs = _ratings(moments.means(drawn), scale, units), ways[:, [unit[0] for unit in units], -1]
    if not n_boot:
        found, levels, signs = (np.full((1, len(units)), np.nan) for _ in range(3))
    asked = [bool(np.isfinite(values[:, unit[0]]).any()) or not len(values) for unit in units]
    equal = 1 / max(sum(asked), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = found / found.sum(axis=1, keepdims=True)
    limits = shares_with_ranks(
        parts_of_r_squared(whole, units, "shapley", None, seed)[0][0], found, conf_level
    )
    for name in ("std_error", "conf_low", "conf_high"):
        of_driver = frame["driver"].map(dict(zip(names, limits[name], strict=True)))
        frame[name] = of_driver.where(frame["importance"].notna())
    now = _ratings(moments.means(whole_sums), scale, units)[0]
    std_error, low, high = bootstrap_interval(levels, conf_level=conf_level)
    line = levels[:, asked].mean(axis=1, keepdims=True) if goal is None else goal
    helps = signs > 0
    chance = _quadrant_shares(shares > equal, levels >= line)
    fix = (shares > equal) & (levels < line) & helps
    place = pd.DataFrame(
        {"driver": names, "performance": now, "performance_std_error": std_error, "performance_conf_low": low}
        | {"performance_conf_high": high, "performance_line": now[asked].mean() if goal is None else goal}
    ).merge(frame, on="driver")
    at = [names.index(name) for name in place["driver"]]
    important = place["importance"] > equal
    code = np.where(important, 0, 2) + (place["performance"] >= place["performance_line"])
    against = important & (place["sign"] < 0)
    known = place["importance"].notna() & place["performance"].notna()
    place = place.rename(columns={"conf_low": "importance_conf_low", "conf_high": "importance_conf_high"})
    place = place.assign(
        importance_line=equal,
        quadrant=pd.Series([QUADRANTS[each] for each in code], dtype="object").where(known & ~against, None),
        quadrant_probability=np.where(known & ~against, chance[at, code], np.nan),
        probability_fix_first=np.where(known, fix.mean(axis=0)[at], np.nan),
        runs_against=known & against,
    )
    columns = [f"{axis}{end}" for axis in ("importance", "performance") for end in ENDS]
    last = ["importance_line", "performance_line", "quadrant", "quadrant_probability"]
    kept = ["driver", *(name for name in columns if name in place), *last, "probability_fix_first", "n"]
    kept += ["sign", "runs_against"]
    return place.sort_values("rank", kind="stable")[kept].reset_index(drop=True)


ENDS = ("", "_std_error", "_conf_low", "_conf_high")


def _ratings(means: Array, scale: Scale, units: Sequence[Sequence[int]]) -> Array:
    """Return the mean rating (0–100) of each unit in each resample, from the means of drivers and outcome."""
    rated = 100 * (means - scale[0]) / (scale[1] - scale[0])
    return np.stack([rated[:, list(unit)].mean(axis=1) for unit in units], axis=1)


def _quadrant_shares(important: NDArray[np.bool_], performing: NDArray[np.bool_]) -> Array:
    """Return the share of resamples in which each unit fell into each quadrant."""
    code = np.where(important, 0, 2) + performing
    return np.stack([(code == each).mean(axis=0) for each in range(4)], axis=1)
