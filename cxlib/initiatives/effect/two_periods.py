"""Two-period comparisons: before/after, difference-in-differences, randomised groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, check_columns
from cxlib.initiatives.study.rollout import GROUP, cluster_of
from cxlib.stats.arrays import Array
from cxlib.stats.few_clusters import cluster_contrasts
from cxlib.stats.two_arms import flags
from cxlib.stats.welch import welch_df


def before_after(
    panel: pd.DataFrame,
    *,
    outcome_col: str = "margin",
    unit_col: str = "customer_id",
    time_col: str = "month",
    start_col: str = "start_month",
    horizon_months: int = 12,
    months_before: int = 6,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Change of the treated from the months before to the months after their start: the lowest rung.

    Parameters
    ----------
    panel : DataFrame
        One row per unit and month (`study_panel`). Units with a missing `start_col` were never treated and
        are not used. Errors are clustered on `rollout_group`, where the panel has it.
    outcome_col, unit_col, time_col, start_col : str
        Outcome per month; unit; month number; the unit's first treated month.
    horizon_months : int
        Months after the start, counted for each unit from its own start.
    months_before : int
        Months before it, or as many as there are: half a year, as such comparisons are usually made.
    conf_level : float
        Level of the interval.

    Returns
    -------
    DataFrame
        One row per `metric`: `before`, `after` (means per unit and month), `before_after` (their paired
        difference) and `same_months_last_year` (after minus the same months one year earlier), each with
        `estimate, std_error, conf_low, conf_high, n, months_before, months_after`. NaN where the months asked
        for are not in the panel.

    Notes
    -----
    Student's t on one difference per unit (or CR2, see `did`); no interval where nothing varies. It is the
    effect of the initiative only if nothing else would have changed: no trend, no season, no other campaign,
    and nobody chosen for an extreme value, because the next value of those picked for a low one is higher by
    itself (`regression_to_mean`).

    References
    ----------
    Shadish, Cook & Campbell (2002), *Experimental and Quasi-Experimental Designs*, ch. 4.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": ["a", "a", "b", "b"], "month": [-1, 0, -1, 0],
    ...                       "start_month": 0.0, "margin": [1.0, 4.0, 3.0, 4.0]})
    >>> before_after(panel, horizon_months=1)["estimate"].tolist()
    [2.0, 4.0, 2.0, nan]
    """
    check_columns(panel, outcome_col=outcome_col, unit_col=unit_col, time_col=time_col, start_col=start_col)
    start = panel[start_col].to_numpy(float, na_value=np.nan)
    treated = ~np.isnan(start)
    since = panel[time_col].to_numpy(float)[treated] - start[treated]
    windows = {
        "before": (since >= -months_before) & (since <= -1),
        "after": (since >= 0) & (since <= horizon_months - 1),
        "last_year": (since >= -12) & (since <= horizon_months - 13) & (horizon_months <= 12),
    }
    unit, ids = pd.factorize(panel[unit_col][treated])
    value = panel[outcome_col].to_numpy(float, na_value=np.nan)[treated]
    means = {name: period_means(unit, value, len(ids), inside) for name, inside in windows.items()}
    months = {name: len(np.unique(since[inside])) for name, inside in windows.items()}
    if months["last_year"] < horizon_months:
        means["last_year"] = np.full(len(ids), np.nan)
    groups = cluster_of(panel)
    cluster = None
    if groups is not None:
        cluster = np.zeros(len(ids), dtype=np.intp)
        cluster[unit] = pd.factorize(groups[treated])[0]
    series = {
        "before": means["before"],
        "after": means["after"],
        "before_after": means["after"] - means["before"],
        "same_months_last_year": means["after"] - means["last_year"],
    }
    lengths = {"months_before": months["before"], "months_after": months["after"]}
    return pd.DataFrame(
        [
            {"metric": name, **_mean_row(values, cluster, conf_level), **lengths}
            for name, values in series.items()
        ]
    )


def did(
    panel: pd.DataFrame,
    *,
    outcome_col: str,
    unit_col: str | None,
    time_col: str,
    treated_col: str,
    post_col: str,
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Difference-in-differences of two groups and two periods: change of the treated minus that of controls.

    Parameters
    ----------
    panel : DataFrame
        One row per unit and period. Rows without an outcome are left out, units without a value before and
        after as well.
    outcome_col, time_col : str
        Outcome; period (only its presence is needed: periods are averaged before and after).
    unit_col : str or None
        Unit that is followed. None: different units before and after (repeated cross-sections).
    treated_col, post_col : str
        True/false or 0/1: the unit belongs to the treated group; the period lies after the start. Rows where
        either is missing are left out.
    cluster_col : str or None
        Groups of units that share shocks (region, shop); needs at least two treated and two control clusters.
        A missing value is a cluster of its own. None: `rollout_group`, where the panel has it
        (`study_members`), else every unit for itself.
    conf_level : float
        Level of the interval.

    Returns
    -------
    DataFrame
        One row: `metric` (did), `estimate, std_error, conf_low, conf_high, statistic, df, p_value, n`,
        `n_treatment, n_control, n_left_out` (units; rows, where there are none) and the four means
        `treatment_before, treatment_after, control_before, control_after`. Error and interval are NaN where a
        group has a single unit, or the change never varies in one of the two: a group in which nobody ever
        bought has an error, though none that can be measured.

    Raises
    ------
    ParameterError
        A column is missing, `treated_col` or `post_col` holds something else than true/false or 0/1, or one
        of the four cells is empty.

    Notes
    -----
    Each unit is collapsed to one difference, mean after minus mean before, so that repeated months of a unit
    cannot pose as independent evidence (Bertrand, Duflo & Mullainathan 2004); error and degrees of freedom
    are Welch's. With `cluster_col`: the bias-reduced error CR2 with Satterthwaite degrees of freedom (Bell &
    McCaffrey 2002), which fall towards 1 where an arm has few clusters: with two of them the interval is so
    wide that it says little, and that is the truth. Repeated cross-sections: least squares on the four cells
    with a common variance. Assumes that without the initiative both groups would have changed by the same
    amount, and that controls were not affected.

    References
    ----------
    Card & Krueger (1994), AER 84(4); Bertrand, Duflo & Mullainathan (2004), QJE 119(1); Bell & McCaffrey
    (2002), Survey Methodology 28(2); Imbens & Kolesár (2016), Review of Economics and Statistics 98(4).

    Examples
    --------
    >>> panel = pd.DataFrame({"shop": ["A", "A", "B", "B"], "year": [0, 1, 0, 1], "sales": [10.0, 16, 8, 11],
    ...                       "treated": [1, 1, 0, 0], "post": [0, 1, 0, 1]})
    >>> did(panel, outcome_col="sales", unit_col="shop", time_col="year", treated_col="treated",
    ...     post_col="post")["estimate"].item()
    3.0
    """
    cluster_col = GROUP if cluster_col is None and GROUP in panel else cluster_col
    check_columns(
        panel, outcome_col=outcome_col, unit_col=unit_col, time_col=time_col, treated_col=treated_col,
        post_col=post_col, cluster_col=cluster_col,
    )  # fmt: skip
    value = panel[outcome_col].to_numpy(float, na_value=np.nan)
    (treated, has_group), (post, has_period) = (
        flags(panel, argument, name)
        for argument, name in (("treated_col", treated_col), ("post_col", post_col))
    )
    known = np.isfinite(value) & has_group & has_period
    value, treated, post = value[known], treated[known], post[known]
    if unit_col is None:
        cells = {(a, b): value[(treated == a) & (post == b)] for a, b in _CELLS}
        check_cells({cell: values.size for cell, values in cells.items()})
        means = {cell: float(values.mean()) for cell, values in cells.items()}
        row = tidy_row(_cross_sections(cells), means, conf_level)
        return pd.DataFrame([row | {"n_left_out": int((~known).sum())}])
    unit, ids = pd.factorize(panel[unit_col][known])
    key, size = 2 * unit + treated, 2 * len(ids)  # a unit that changes sides counts as two
    sides = [period_means(key, value, size, inside) for inside in (~post, post)]
    arms = np.tile([False, True], size // 2)
    compared = np.isfinite(sides[0]) & np.isfinite(sides[1])
    changing = int((np.bincount(np.unique(key) // 2, minlength=len(ids)) > 1).sum())
    if changing and not (compared[arms].any() and compared[~arms].any()):
        raise ParameterError("impact.changes_sides", argument="treated_col", count=f"{changing:,}")
    cluster = None
    if cluster_col is not None:
        cluster = np.zeros(size, dtype=np.intp)
        cluster[key] = pd.factorize(panel[cluster_col][known])[0]
    row = change_contrast(sides[0], sides[1], arms, cluster, conf_level=conf_level)
    left_out = panel[unit_col].nunique() - int(compared.reshape(-1, 2).any(axis=1).sum())
    return pd.DataFrame([row | {"n_left_out": left_out}])


def change_contrast(
    before: Array,
    after: Array,
    arm: npt.NDArray[np.bool_],
    cluster: npt.NDArray[np.intp] | None = None,
    *,
    conf_level: float,
) -> dict[str, Any]:
    """Row of `did` from each unit's mean before and after; units that lack one of them are left out."""
    whole = np.isfinite(before) & np.isfinite(after)
    before, after, arm = before[whole], after[whole], arm[whole]
    check_cells({(True, True): int(arm.sum()), (False, True): int((~arm).sum())})
    change = after - before
    fit = _welch(change[arm], change[~arm])
    if cluster is not None and fit["std_error"] == fit["std_error"]:
        fit |= _clustered(change, arm, pd.factorize(cluster[whole])[0])
    means = {(a, b): float((after if b else before)[arm == a].mean()) for a, b in _CELLS}
    return tidy_row(fit, means, conf_level)


_CELLS = ((True, False), (True, True), (False, False), (False, True))


def period_means(unit: npt.NDArray[np.intp], value: Array, size: int, inside: npt.NDArray[np.bool_]) -> Array:
    """Mean of each unit's known values among the rows `inside`; NaN for a unit without any."""
    kept = inside & np.isfinite(value)
    count = np.bincount(unit[kept], minlength=size)
    total = np.bincount(unit[kept], weights=value[kept], minlength=size)
    return np.divide(total, count, out=np.full(size, np.nan), where=count > 0)


def mean_row(values: Array, conf_level: float) -> dict[str, float]:
    """Mean with Student's t interval, as the columns of a result frame; no interval where nothing varies."""
    n = len(values)
    mean = float(values.mean()) if n else np.nan
    error = float(values.std(ddof=1) / np.sqrt(n)) if varies(values) else np.nan
    half = error * float(stats.t.ppf((1 + conf_level) / 2, max(n - 1, 1)))
    return {
        "estimate": mean, "std_error": error, "conf_low": mean - half, "conf_high": mean + half, "n": n,
    }  # fmt: skip


def _mean_row(values: Array, cluster: npt.NDArray[np.intp] | None, conf_level: float) -> dict[str, float]:
    """`mean_row` of the known values, with the error CR2 where there are clusters."""
    known = ~np.isnan(values)
    values, n = values[known], int(known.sum())
    row = mean_row(values, conf_level)
    if cluster is None or not n:
        return row
    covered = cluster_contrasts(np.ones((n, 1)), values[:, None], cluster[known], np.ones(1))
    error = float(np.sqrt(covered[1][0, 0])) if varies(values) else np.nan
    half = error * float(stats.t.ppf((1 + conf_level) / 2, covered[2]))
    return {
        **row,
        "std_error": error,
        "conf_low": row["estimate"] - half,
        "conf_high": row["estimate"] + half,
    }


def varies(values: Array) -> bool:
    """Whether values differ by more than rounding: only then have they an error to measure."""
    return len(values) > 1 and bool(np.ptp(values) > 1e-12 * np.abs(values).max())


def check_cells(sizes: dict[tuple[bool, bool], int]) -> None:
    """Raise unless each arm has rows in each period."""
    if min(sizes.values()) == 0:
        raise ParameterError("impact.empty_cell")


def _welch(treatment: Array, control: Array) -> dict[str, float]:
    n1, n0 = len(treatment), len(control)
    estimate = float(treatment.mean() - control.mean())
    counts = {"n_treatment": n1, "n_control": n0, "estimate": estimate}
    if not (varies(treatment) and varies(control)):
        return {**counts, "std_error": np.nan, "df": np.nan}
    parts = np.array([treatment.var(ddof=1) / n1, control.var(ddof=1) / n0])
    df = welch_df(parts, np.array([n1 - 1, n0 - 1]))
    return {**counts, "std_error": float(np.sqrt(parts.sum())), "df": float(df)}


def _clustered(change: Array, arm: npt.NDArray[np.bool_], cluster: npt.NDArray[np.intp]) -> dict[str, float]:
    """Bell & McCaffrey's CR2 error and degrees of freedom, in closed form for two means."""
    clusters = int(cluster.max()) + 1
    sums, own, pulls = np.zeros(clusters), np.zeros(clusters), []
    for group, sign in ((arm, 1.0), (~arm, -1.0)):
        size = np.bincount(cluster[group], minlength=clusters).astype(float)
        total = size.sum()
        if (size > 0).sum() < 2:
            return {"std_error": np.nan, "df": np.nan}
        weight = sign / (total * np.sqrt(1 - size / total))
        residual = change[group] - change[group].mean()
        sums += weight * np.bincount(cluster[group], weights=residual, minlength=clusters)
        own += size * weight**2
        pulls.append(size * weight / np.sqrt(total))
    pull = np.array(pulls)
    trace = (own - (pull**2).sum(axis=0)).sum()
    square = (own**2 - 2 * own * (pull**2).sum(axis=0)).sum() + ((pull @ pull.T) ** 2).sum()
    return {"std_error": float(np.sqrt((sums**2).sum())), "df": float(trace**2 / square)}


def _cross_sections(cells: dict[tuple[bool, bool], Array]) -> dict[str, float]:
    means = {cell: values.mean() for cell, values in cells.items()}
    n = sum(values.size for values in cells.values())
    squares = sum(((values - means[cell]) ** 2).sum() for cell, values in cells.items())
    df = n - 4
    spread = df > 0 and any(varies(values) for values in cells.values())
    variance = squares / df * sum(1 / v.size for v in cells.values()) if spread else np.nan
    change = {arm: means[arm, True] - means[arm, False] for arm in (True, False)}
    return {
        "estimate": float(change[True] - change[False]),
        "std_error": float(np.sqrt(variance)),
        "df": float(df),
        "n_treatment": cells[True, False].size + cells[True, True].size,
        "n_control": cells[False, False].size + cells[False, True].size,
    }  # fmt: skip


def tidy_row(
    fit: dict[str, float], means: dict[tuple[bool, bool], float], conf_level: float, metric: str = "did"
) -> dict[str, Any]:
    """Row of a result from a fit and its four means, with the t interval of its degrees of freedom."""
    estimate, error, df = fit["estimate"], fit["std_error"], fit["df"]
    statistic = estimate / error if error > 0 else np.nan
    half = error * float(stats.t.ppf((1 + conf_level) / 2, df)) if error > 0 else np.nan
    row = {
        "metric": metric, "estimate": estimate, "std_error": error,
        "conf_low": estimate - half, "conf_high": estimate + half, "statistic": statistic, "df": df,
        "p_value": float(2 * stats.t.sf(abs(statistic), df)) if error > 0 else np.nan,
        "n": int(fit["n_treatment"] + fit["n_control"]),
        "n_treatment": int(fit["n_treatment"]), "n_control": int(fit["n_control"]),
    }  # fmt: skip
    names = {
        f"{'treatment' if arm else 'control'}_{'after' if post else 'before'}": value
        for (arm, post), value in means.items()
    }
    return {**row, **names}
