"""The change of chosen customers taken apart: what comes back by itself, what everybody did, what is left."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.checks import check_columns
from cxlib.data.convert import among
from cxlib.initiatives.effect.two_periods import period_means
from cxlib.initiatives.study.rollout import Codes, cluster_of
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval


def regression_part(
    panel: pd.DataFrame,
    population: pd.DataFrame | None = None,
    *,
    outcome_col: str = "margin",
    unit_col: str = "customer_id",
    time_col: str = "month",
    start_col: str = "start_month",
    horizon_months: int = 12,
    months_before: int = 6,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Take before/after of the treated apart: regression to the mean + trend + the rest.

    Parameters
    ----------
    panel : DataFrame
        Result of `study_panel`; those with a start are the treated, who must all share it.
    population : DataFrame, optional
        Panel of the customers among whom the treated were picked, whose members `same_rollout` gave their
        groups (starts do not matter, and the treated may be in it). None: the untreated of `panel`, which
        tells nothing about a pick that controls went through as well.
    outcome_col, unit_col, time_col, start_col, horizon_months, months_before, conf_level
        As in `before_after`.

    Returns
    -------
    DataFrame
        One row per `metric`: `before_after`, and the three that add up to it: `trend` (change of the average
        customer without the initiative), `regression_to_mean` (how much more untreated customers with such a
        value before changed), `rest`; each with `estimate, std_error, conf_low, conf_high, n` (customers it
        rests on) and `correlation` (before with after, among the untreated). Empty without treated, with
        fewer than three untreated or none that vary, or where the treated started in different months.

    Notes
    -----
    Among the untreated the change is regressed on the value before: change = trend + b·(before − mean), the
    mean being that of treated and untreated together. The part due to regression is b·(mean of the treated −
    mean): the distance times 1 − correlation, where both periods have the same spread. Choosing by the value
    before does not bias b. For purchases that follow a Poisson process with gamma habits the line is exact
    (Goodhardt & Ehrenberg 1967); errors are robust (HC2), clustered on `rollout_group` where the panel has
    one, with one degree of freedom less than groups. The rest is an effect only if those picked differ from
    others with the same value in nothing else.

    References
    ----------
    Davis (1976), American Journal of Epidemiology 104(5); Vickers & Altman (2001), BMJ 323; Goodhardt &
    Ehrenberg (1967), Journal of Marketing Research 4(2).

    Examples
    --------
    >>> months = pd.DataFrame({"month": [-1, 0] * 4, "customer_id": list("aabbccdd"),
    ...                        "start_month": [0.0] * 2 + [None] * 6, "margin": [0.0, 5, 4, 6, 8, 8, 6, 7]})
    >>> regression_part(months, horizon_months=1)[["metric", "estimate"]].to_numpy().tolist()
    [['before_after', 5.0], ['trend', 1.75], ['regression_to_mean', 2.25], ['rest', 1.0]]
    """
    names = {"outcome_col": outcome_col, "unit_col": unit_col, "time_col": time_col}
    check_columns(panel, **names, start_col=start_col)
    columns = ["metric", *Interval._fields, "n", "correlation"]
    treated = panel[panel[start_col].notna()]
    others = panel if population is None else population
    check_columns(others, **names)
    others = others[~among(others[unit_col], treated[unit_col])]
    starts = treated[start_col].unique()
    if len(starts) != 1:
        return pd.DataFrame(columns=columns)
    spans = ((-months_before, -1), (0, horizon_months - 1))
    (own, own_group), (rest, rest_group) = (
        _two_periods(part[unit_col], part[time_col] - starts[0], part[outcome_col], spans, cluster_of(part))
        for part in (treated, others)
    )
    if not len(own) or len(rest) < 3 or np.ptp(rest[:, 0]) <= 0:
        return pd.DataFrame(columns=columns)
    estimates, errors = _parts(own, rest, own_group, rest_group)
    errors = np.where(errors > 1e-12 * np.abs(estimates).max(), errors, np.nan)
    counts = [len(own), len(rest), len(rest), len(own) + len(rest)]
    groups = [int(group.max()) + 1 for group in (own_group, rest_group)]
    df = np.maximum(np.array([groups[0], groups[1], groups[1], min(groups)]) - 1, 1)
    half = stats.t.ppf((1 + conf_level) / 2, df) * errors
    frame = pd.DataFrame(
        {
            "metric": ["before_after", "trend", "regression_to_mean", "rest"], "estimate": estimates,
            "std_error": errors, "conf_low": estimates - half, "conf_high": estimates + half, "n": counts,
        }
    )  # fmt: skip
    varies = np.ptp(rest[:, 1]) > 0
    correlation = float(np.asarray(np.corrcoef(rest.T))[0, 1]) if varies else np.nan
    return frame.assign(correlation=correlation)[columns]


def _two_periods(
    unit: pd.Series,
    since: pd.Series,
    value: pd.Series,
    spans: tuple[tuple[int, int], tuple[int, int]],
    group: pd.Series | None,
) -> tuple[Array, Codes]:
    """Mean before and mean after of each unit that has both, and its group (itself without one)."""
    code, _ = pd.factorize(unit)
    size = int(code.max(initial=-1)) + 1
    values = value.to_numpy(float, na_value=np.nan)
    means = [period_means(code, values, size, since.between(*span).to_numpy()) for span in spans]
    both = np.column_stack(means)
    known = np.isfinite(both).all(axis=1)
    own = np.arange(size)
    if group is not None:
        own[code] = pd.factorize(group)[0]
    return both[known], pd.factorize(own[known])[0]


def _parts(own: Array, rest: Array, own_group: Codes, rest_group: Codes) -> tuple[Array, Array]:
    """Change of the treated, trend, regression and rest, with errors; rows of both are before and after."""
    everybody = np.r_[own[:, 0], rest[:, 0]]
    all_groups = np.r_[own_group, own_group.max() + 1 + rest_group]
    before, change = rest[:, 0] - rest[:, 0].mean(), rest[:, 1] - rest[:, 0]
    n, square = len(rest), float(before @ before)
    level, slope = float(change.mean()), float(before @ change) / square
    residual = change - level - slope * before
    pull = np.column_stack([np.full(n, 1 / n), before / square])
    score = pull * (residual / np.sqrt(np.clip(1 - 1 / n - before**2 / square, 1e-12, None)))[:, None]
    summed = np.column_stack([np.bincount(rest_group, column) for column in score.T])
    groups = len(summed)
    joint = summed.T @ summed * (groups / max(groups - 1, 1) if groups < n else 1.0)
    average = np.array([1.0, everybody.mean() - rest[:, 0].mean()])
    picked = np.array([1.0, own[:, 0].mean() - rest[:, 0].mean()])
    moved = own[:, 1] - own[:, 0]
    left = moved - level - slope * (own[:, 0] - rest[:, 0].mean())
    error = [_of_mean(v, own_group) for v in (moved, left, own[:, 0])] + [_of_mean(everybody, all_groups)]
    trend, drawn = level + slope * average[1], slope * (picked[1] - average[1])
    variances = [
        error[0], average @ joint @ average + slope**2 * error[3],
        (picked[1] - average[1]) ** 2 * joint[1, 1] + slope**2 * (error[2] + error[3]),
        error[1] + picked @ joint @ picked,
    ]  # fmt: skip
    estimates = np.array([moved.mean(), trend, drawn, moved.mean() - trend - drawn])
    return estimates, np.sqrt(np.array(variances))


def _of_mean(values: Array, group: Codes) -> float:
    """Variance of a mean whose values vary together within groups."""
    sums = np.bincount(group, values - values.mean())
    g = len(sums)
    return float(sums @ sums) / len(values) ** 2 * g / (g - 1) if g > 1 else np.nan
