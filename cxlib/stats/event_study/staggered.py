"""Staggered roll-outs: group-time effects after Callaway & Sant'Anna."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, check_columns, fail_option
from cxlib.stats.arrays import Array
from cxlib.stats.event_study.aggregates import AttResult
from cxlib.stats.event_study.covariance import Influence, by_cluster, by_unit, pooled_freedom
from cxlib.stats.event_study.group_time_cells import (
    GroupTimeCells,
    adjusted_contrasts_by_cell,
    plain_contrasts,
    plan_cells,
    wide,
)

#: Column of a panel that says which units were treated together.
GROUP = "rollout_group"


def att_gt(
    panel: pd.DataFrame,
    *,
    outcome_col: str,
    unit_col: str,
    time_col: str,
    start_col: str,
    control: Literal["never", "not_yet"] = "never",
    covariates: Sequence[str] | None = None,
    base: Literal["previous", "mean"] = "previous",
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> AttResult:
    """Effect of a staggered roll-out per group (start) and period, against controls that are not treated yet.

    Parameters
    ----------
    panel : DataFrame
        One row per unit and period. Units without an outcome in every period are left out, and so are those
        treated from the first period on.
    outcome_col, unit_col, time_col, start_col : str
        Outcome; unit; numeric period; the unit's first treated period (missing: never).
    control : str
        "never": only units never treated in the panel · "not_yet": these and all not treated yet.
    covariates : sequence of str, optional
        Numeric columns, read at the last period before the start: the controls' change is predicted from them
        (outcome regression).
    base : str
        What a period is compared with. "previous": the last period before the start (before the start: the
        period before). "mean": the mean of all periods before the start, less noisy for monthly spending,
        where most customers buy nothing in any single month.
    cluster_col : str, optional
        Groups of units that share shocks (region, shop), read at the unit's first period; missing values are
        one of them. Needed where whole clusters were assigned. None: `rollout_group`, where the panel has it
        (`study_members`). An effect of which one side is a single cluster gets no error: nobody can tell its
        shock from the effect.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    AttResult
        `.estimates`, `.aggregate(kind)`, `.pretrend()`.

    Raises
    ------
    ParameterError
        A column is missing, an option is unknown, no treated or no control unit is left, or 0 stands for
        "never treated".

    Notes
    -----
    ATT(g, t) = mean change of group g − mean change of the controls, since its base. Two-way fixed effects
    would use units treated earlier as controls, and turn growing effects into bias. Errors come from the
    influence functions, summed up by unit, or by cluster with Student's t and Satterthwaite degrees of
    freedom: where clusters lie within groups each weighs 1/(1 − its share of the group), as in CR2, else all
    of J clusters J/(J − 1). No error where the outcome never varies on one of the two sides. Assumes that the
    groups' changes would have been parallel.

    References
    ----------
    Callaway & Sant'Anna (2021), Journal of Econometrics 225(2); Goodman-Bacon (2021), same issue. Checked
    against R's `did` on county employment (mpdta).

    Examples
    --------
    >>> panel = pd.DataFrame({"u": list("aabbcc"), "t": [1, 2] * 3, "y": [0.0, 3, 1, 4, 0, 1],
    ...                       "g": [2.0, 2, 2, 2, None, None]})
    >>> result = att_gt(panel, outcome_col="y", unit_col="u", time_col="t", start_col="g")
    >>> result.estimates[["start", "time", "estimate"]].to_numpy().tolist()
    [[2.0, 2.0, 2.0]]
    """
    check_columns(panel, outcome_col=outcome_col, unit_col=unit_col, time_col=time_col, start_col=start_col)
    if control not in ("never", "not_yet"):
        fail_option("control", control, ("never", "not_yet"))
    if base not in ("previous", "mean"):
        fail_option("base", base, ("previous", "mean"))
    names = [outcome_col, *(covariates or ())]
    check_columns(panel, **{f"covariates[{i}]": name for i, name in enumerate(names[1:])})
    cluster_col = GROUP if cluster_col is None and GROUP in panel else cluster_col
    if cluster_col is not None:
        check_columns(panel, cluster_col=cluster_col)
        panel = panel.assign(**{_CLUSTER: pd.factorize(panel[cluster_col])[0].astype(float)})
        names.append(_CLUSTER)
    times, start, blocks = wide(panel, names, unit_col, time_col, start_col)
    start = np.where(start > times[-1], np.inf, start) if len(times) else start
    late = start > times[0] if len(times) else np.zeros(0, dtype=bool)
    early = int((~late).sum())
    order = np.flatnonzero(late)[np.argsort(start[late], kind="stable")]
    start, blocks = start[order], [block[order] for block in blocks]
    cluster = np.unique(blocks.pop()[:, :1], return_inverse=True)[1].ravel() if cluster_col else None
    if not np.isfinite(start).any() or (control == "never" and np.isfinite(start).all()):
        if not np.isfinite(start).any():
            raise ParameterError("impact.no_treated", argument=start_col)
        key = "impact.no_controls_early" if early else "impact.no_controls"
        raise ParameterError(key, argument=start_col, count=f"{early:,}")
    cells = plan_cells(times, np.unique(start), control=control, base=base)
    if not len(cells.group):
        raise ParameterError("impact.no_controls", argument=start_col)
    return _result(cells, times, start, blocks, cluster, base=base, conf_level=conf_level)


_CLUSTER = "__cluster"


def _result(
    cells: GroupTimeCells,
    times: Array,
    start: Array,
    blocks: list[Array],
    cluster: npt.NDArray[np.intp] | None,
    *,
    base: str,
    conf_level: float,
) -> AttResult:
    _, begins, group, sizes = np.unique(start, return_index=True, return_inverse=True, return_counts=True)
    if len(blocks) > 1:
        estimate, values = adjusted_contrasts_by_cell(cells, blocks, begins, sizes, base=base)
        influence = Influence(values, None, group)
    else:
        means = np.add.reduceat(blocks[0], begins, axis=0) / sizes[:, None]
        contrasts = plain_contrasts(cells, means, sizes, base=base)
        estimate = contrasts.estimate
        around = blocks[0] - means[group]
        influence = Influence(np.column_stack([around, np.ones(len(group))]), contrasts, group)
    own, rest = cells.members()
    spread = by_unit(influence, sizes) if cluster is None else by_cluster(influence, own, rest, cluster)
    error = np.sqrt(spread.each().sum(axis=0))
    flat = error <= 1e-12 * float(np.abs(blocks[0]).max())
    spread = spread.without(flat) if flat.any() else spread
    n_treatment, n_control = own.T @ sizes, rest.T @ sizes
    lone = (n_treatment < 2) | (n_control < 2) | flat | spread.alone
    error = np.where(lone, np.nan, error)
    df = np.full(len(flat), np.inf)
    if spread.is_clustered:
        df = pooled_freedom(spread.each(), spread.units)
    half = stats.t.ppf((1 + conf_level) / 2, df) * error
    first, time = cells.starts[cells.group], times[cells.place]
    frame = pd.DataFrame(
        {
            "metric": "att", "start": first, "time": time, "event_time": time - first, "estimate": estimate,
            "std_error": error, "conf_low": estimate - half, "conf_high": estimate + half,
            "n": n_treatment + n_control, "n_treatment": n_treatment, "n_control": n_control,
        }
    )  # fmt: skip
    return AttResult(frame, cells.starts, sizes.astype(float), spread, conf_level)
