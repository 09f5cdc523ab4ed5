"""What would have to be true for a result to be wrong: drift of the groups, a hidden cause."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError
from cxlib.initiatives.doubt.bounds import MOST_BLOCKS, breakdown, interval
from cxlib.stats import hidden_cause as hidden
from cxlib.stats.arrays import Array
from cxlib.stats.event_study.aggregates import AttResult
from cxlib.stats.joint_bands import joint_critical_value
from cxlib.stats.two_arms import check_counts


def relative_magnitudes(
    result: AttResult,
    *,
    horizon_months: int = 12,
    block_months: int | None = None,
    m_bars: Sequence[float] = (0.0, 0.5, 1.0, 1.5, 2.0),
    conf_level: float = 0.95,
    seed: int = 7,
) -> pd.DataFrame:
    """Bound the effect when groups may drift apart after the start M̄ times as fast as they did before.

    Parameters
    ----------
    result : AttResult
        Result of `att_gt` with at least two blocks of periods before the start.
    horizon_months : int
        Periods after the start over which the effect is averaged.
    block_months : int, optional
        Periods averaged into one step; none: as many as make two steps before the start. Single months of
        spending are noise, and their largest jump would swamp any effect.
    m_bars : sequence of float
        How many times the largest step before the start a step afterwards may measure, at least 0.
    conf_level, seed
        Level of the intervals; seed of the draws behind their critical value.

    Returns
    -------
    DataFrame
        One row per `m_bar`: `metric` (relative_magnitudes), `estimate` (mean after the start against the last
        block before), `std_error, lowest_estimate, highest_estimate` (what the estimates allow, noise aside),
        `conf_low, conf_high` (noise included), `n` (steps before), and `breakdown` (the same in every row):
        the M̄ up to which the interval leaves out zero, 0 where it never does. Empty with fewer than two
        blocks.

    Notes
    -----
    The restriction is Rambachan & Roth's relative magnitudes: |δ(k+1) − δ(k)| ≤ M̄ · the largest such step
    before. The interval is their conditional/least-favourable hybrid (C-LF), for a mean over blocks after the
    start. With more than six such blocks, or where nothing varies, it is a projection instead: estimate and
    steps before all lie inside a joint band with probability `conf_level`, and the worst case inside it is
    taken. That holds its level and is wider, so its `breakdown` is on the safe side.

    References
    ----------
    Rambachan & Roth (2023), Review of Economic Studies 90(5); Roth (2022), AER: Insights 4(3). Checked
    against R's `HonestDiD` on the Medicaid expansion.

    Examples
    --------
    >>> from cxlib.stats.event_study.staggered import att_gt
    >>> panel = pd.DataFrame({"u": list("aaabbb"), "t": [0, 1, 2] * 2, "y": [0.0, 1, 6, 0, 0, 0],
    ...                       "g": [2.0] * 3 + [None] * 3})
    >>> result = att_gt(panel, outcome_col="y", unit_col="u", time_col="t", start_col="g", base="mean")
    >>> bounds = relative_magnitudes(result, horizon_months=1)
    >>> bounds[["lowest_estimate", "highest_estimate"]].to_numpy().tolist()[2]
    [4.0, 6.0]
    """
    if min(m_bars) < 0:
        raise ParameterError("impact.not_between", argument="m_bars", found="-", low="0", high="∞")
    frame, covariance = result.event_study()
    event = frame["event_time"].to_numpy(float)
    after, before = (event >= 0) & (event < horizon_months), int((event < 0).sum())
    size = block_months or max(before // 2, 1)
    count = before // size
    columns = ["m_bar", "metric", "estimate", "std_error", "lowest_estimate", "highest_estimate"]
    columns += ["conf_low", "conf_high"]
    if count < 2 or not after.any():
        return pd.DataFrame(columns=[*columns, "n", "breakdown"])
    blocks = [_mean((event < -size * k) & (event >= -size * (k + 1))) for k in range(count)]
    rows = np.array([_mean(after) - blocks[0], *(new - old for new, old in pairwise(blocks))])
    values = rows @ frame["estimate"].to_numpy()
    joint = rows @ covariance @ rows.T
    error = np.sqrt(np.diag(joint))
    wide = np.nan_to_num(joint_critical_value(joint, conf_level=conf_level, seed=seed))
    steps = np.ceil((event[after] + 1) / size)
    reach = float(steps.mean()) * np.abs(values[1:]).max()
    unsure = float(steps.mean()) * float((np.abs(values[1:]) + wide * error[1:]).max())
    slack = abs(values[0]) - wide * error[0]
    m = np.asarray(m_bars, dtype=float)
    wide = wide if error[0] > 0 else np.nan
    table = pd.DataFrame(
        {
            "m_bar": m, "metric": "relative_magnitudes", "estimate": values[0], "std_error": error[0],
            "lowest_estimate": values[0] - m * reach, "highest_estimate": values[0] + m * reach,
            "conf_low": values[0] - wide * error[0] - m * unsure,
            "conf_high": values[0] + wide * error[0] + m * unsure,
            "n": count - 1, "breakdown": max(slack, 0.0) / unsure if unsure > 0 else np.nan,
        }
    )  # fmt: skip
    sizes = np.bincount((event[after] // size).astype(int))
    if len(sizes) > MOST_BLOCKS or not (error > 0).all():
        return table
    later = [_mean(after & (event // size == k)) - blocks[0] for k in range(len(sizes))]
    rows = np.array([*(block - blocks[0] for block in blocks[:0:-1]), *later])
    study = (rows @ frame["estimate"].to_numpy(), rows @ covariance @ rows.T, count - 1, sizes / sizes.sum())
    if not (np.diag(study[1]) > 0).all():
        return table
    ends = [interval(*study, each, conf_level=conf_level, seed=seed) for each in m]
    table[["conf_low", "conf_high"]] = np.array(ends).reshape(-1, 2)
    return table.assign(breakdown=breakdown(*study, conf_level=conf_level, seed=seed))


def e_value(ratio: float, conf_low: float | None = None, conf_high: float | None = None) -> pd.DataFrame:
    """How strong a hidden cause would have to be to explain a ratio away altogether.

    Parameters
    ----------
    ratio : float
        Risk ratio, above 0 (1: no difference).
    conf_low, conf_high : float, optional
        Its interval.

    Returns
    -------
    DataFrame
        One row: `metric` (e_value), `estimate`, and `limit`: the same for the end of the interval nearest
        to 1 (1 where the interval holds 1, NaN where none was given), and `ratio`.

    Notes
    -----
    RR + √(RR·(RR − 1)), of 1/RR below 1: the cause would have to multiply both the chance of being treated
    and the chance of the outcome by that much.

    References
    ----------
    VanderWeele & Ding (2017), Annals of Internal Medicine 167(4).

    Examples
    --------
    >>> e_value(3.9, 1.8, 8.7)[["estimate", "limit"]].round(2).to_numpy().tolist()
    [[7.26, 3.0]]
    """
    if not ratio > 0:
        raise ParameterError("impact.not_between", argument="ratio", found=f"{ratio:g}", low="0", high="∞")
    near = conf_low if ratio >= 1 else conf_high
    limit = np.nan
    if near is not None and np.isfinite(near):
        limit = 1.0 if (near <= 1) == (ratio >= 1) else hidden.e_value(near)
    needed = hidden.e_value(ratio)
    return pd.DataFrame([{"metric": "e_value", "estimate": needed, "limit": limit, "ratio": ratio}])


def risk_ratio(
    hits: tuple[float, float], sizes: tuple[float, float], *, conf_level: float = 0.95
) -> pd.DataFrame:
    """Ratio of two shares, first over second, with Katz's interval.

    Parameters
    ----------
    hits, sizes : pair of counts
        Of each group: those it happened to, and all.
    conf_level : float
        Level of the interval.

    Returns
    -------
    DataFrame
        One row: `metric, estimate, conf_low, conf_high, n`; NaN where either group has no hit, and no
        interval where everybody in both was hit.

    Raises
    ------
    ParameterError
        A count is negative, or more were hit than there are.

    References
    ----------
    Katz et al. (1978), Biometrics 34(3).

    Examples
    --------
    >>> risk_ratio((40, 20), (200, 200))[["estimate", "conf_low", "conf_high"]].round(2).to_numpy().tolist()
    [[2.0, 1.21, 3.3]]
    """
    check_counts(hits, sizes)
    known = min(*hits, *sizes) > 0
    log = np.log(hits[0] / sizes[0]) - np.log(hits[1] / sizes[1]) if known else np.nan
    spread = sum(1 / h - 1 / s for h, s in zip(hits, sizes, strict=True)) if known else np.nan
    half = stats.norm.ppf((1 + conf_level) / 2) * np.sqrt(spread if spread > 0 else np.nan)
    low, high = np.exp(log - half), np.exp(log + half)
    row = {"metric": "risk_ratio", "estimate": np.exp(log), "conf_low": low, "conf_high": high}
    return pd.DataFrame([{**row, "n": sum(sizes)}])


def _mean(chosen: npt.NDArray[np.bool_]) -> Array:
    return chosen / max(int(chosen.sum()), 1)
