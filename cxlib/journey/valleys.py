"""Where the emotion curve falls and rises again, with the search paid for, and its other features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.journey.stage_moments import (
    StageMeans,
    StageSums,
    contrast,
    critical_values,
    groups,
    known_curve,
    stage_moments,
    sums,
)
from cxlib.stats.intervals import critical_value
from cxlib.stats.stack_groups import stacked
from cxlib.stats.verdicts import limits_side

_VALLEY_COLUMNS = [
    "metric",
    "stage",
    "depth",
    "conf_low",
    "conf_high",
    "share_of_customers",
    "is_valley",
    "n",
    "n_around",
]


def find_valleys(
    events: pd.DataFrame,
    *,
    stage_order: Sequence[str],
    score_col: str = "valence",
    by: str | None = None,
    curve: str = "pooled",
    stage_col: str = "stage",
    customer_id_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Depth of the curve at each inner stage, and whether it is a valley after paying for the search.

    Parameters
    ----------
    events, stage_order, score_col, by, stage_col, customer_id_col, conf_level
        As in `emotion_curve`.
    curve
        "pooled" or "paired"; see `emotion_curve`.

    Returns
    -------
    DataFrame
        Group column, `metric` (the curve), `stage, depth` (the smaller of the drop into the stage and the
        recovery out of it, unit of the score; 0 where the stage is no local minimum), `conf_low, conf_high`
        (simultaneous), `share_of_customers` (of the `n_around` customers who answered before, at and after
        the stage: whose own lowest answer lies there; a tie counts in parts), `is_valley` (`conf_low` > 0 as
        shown), `n` (customers who answered at the stage, on whom the depth rests), `n_around`.

    Raises
    ------
    ParameterError
        As in `emotion_curve`; unknown `curve`.

    Notes
    -----
    Choosing the lowest of many means makes it look lower than it is. Here the differences between all pairs
    of stages get one joint interval, and a stage is a valley only if some earlier and some later stage lie
    above it in that joint sense. With a flat or monotone curve the probability of naming any valley is below
    1 − `conf_level`. Drop and recovery are measured from the nearest stage that clearly lies above, so that a
    valley may be several stages wide; where none does, from the stage next to it.

    References
    ----------
    Hsu (1996) Multiple Comparisons; Hothorn, Bretz & Westfall (2008) Biometrical Journal 50.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("aaabbbccc"), "stage": ["buy", "wait", "use"] * 3,
    ...     "valence": [1, -1, 1, 2, 0, 1, 1, -1, 2]})
    >>> valleys = find_valleys(events, stage_order=["buy", "wait", "use"])
    >>> valleys[["stage", "share_of_customers"]].to_numpy().tolist()
    [['wait', 1.0]]
    """
    stages, parts = list(stage_order), []
    for keys, group in groups(events, stages, score_col, by, stage_col, customer_id_col):
        scores = sums(group)
        fit = stage_moments(scores, known_curve(curve))
        depth, low, high = _prominence(fit, conf_level)
        share, n_around = _own_minimum(scores)
        is_valley = limits_side(low, high, unit="score") > 0
        columns = (stages, depth, low, high, share, is_valley, (scores.n > 0).sum(0), n_around)
        inner = {name: held[1:-1] for name, held in zip(_VALLEY_COLUMNS[1:], columns, strict=True)}
        parts.append({**keys, "metric": curve, **inner})
    return stacked(parts)


def depth_at(events: pd.DataFrame, *, stage: str | None, **asked: Any) -> pd.DataFrame:
    """Depth of the pooled curve at one stage, the row of `find_valleys` with `estimate`; no row without it.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("aab"), "stage": ["buy", "wait", "use"],
    ...     "valence": [1, 0, 1]})
    >>> depth_at(events, stage="wait", stage_order=["buy", "wait", "use"])["n"].tolist()
    [1]
    """
    found = find_valleys(events, **asked).rename(columns={"depth": "estimate"})
    return found[found["stage"] == stage].reset_index(drop=True)


def name_valley(pooled: pd.DataFrame, paired: pd.DataFrame) -> pd.DataFrame:
    """Name the deepest valley of each group, and say how far it can be trusted.

    Parameters
    ----------
    pooled, paired
        Frames of `find_valleys` for the same events with `curve="pooled"` and `curve="paired"`.

    Returns
    -------
    DataFrame
        One row per group: group column, `metric` ("depth"), `stage, estimate, conf_low, conf_high,
        share_of_customers, n` (customers who answered at the stage), `n_around, verdict`.
        Verdict "valley" (in both curves), "unconfirmed" (not for the same customers: who answered may have
        made it), "no_valley" (no stage is one), "not_enough_data" (fewer than three stages with answers);
        for the last two `n` is the largest of the group, and the rest is missing.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("aab"), "stage": ["buy", "wait", "use"],
    ...     "valence": [1, 0, 1]})
    >>> order = ["buy", "wait", "use"]
    >>> curves = [find_valleys(events, stage_order=order, curve=curve) for curve in ("pooled", "paired")]
    >>> name_valley(*curves)["verdict"].to_list()
    ['no_valley']
    """
    by = [] if pooled.columns[0] == "metric" else [str(pooled.columns[0])]
    both = pooled.assign(confirmed=paired["is_valley"].to_numpy())
    group = both.groupby(by, sort=False, dropna=False).ngroup() if by else both["n"] * 0
    valleys = both[both["is_valley"]].sort_values("depth", ascending=False, kind="stable")
    best = valleys.set_axis(group[valleys.index])
    best = best[~best.index.duplicated()]
    best = best.assign(verdict=np.where(best["confirmed"], "valley", "unconfirmed"))
    rest = both.groupby(group).agg(n=("n", "max"), any_depth=("depth", "count"))
    rest[by] = both.loc[~group.duplicated(), by].to_numpy()
    rest = rest.assign(verdict=np.where(rest["any_depth"] > 0, "no_valley", "not_enough_data")).drop(
        index=best.index
    )
    columns = [
        *by,
        "metric",
        "stage",
        "estimate",
        "conf_low",
        "conf_high",
        "share_of_customers",
        "n",
        "n_around",
        "verdict",
    ]
    rows = [part for part in (best, rest) if len(part)]
    named = pd.concat(rows).sort_index().reset_index(drop=True).assign(metric="depth")
    return named.rename(columns={"depth": "estimate"}).reindex(columns=columns)


def curve_features(
    events: pd.DataFrame,
    *,
    stage_order: Sequence[str],
    score_col: str = "valence",
    by: str | None = None,
    curve: str = "pooled",
    stage_col: str = "stage",
    customer_id_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Peak, trough, end, slope, area and peak-end of the curve (unit of the score; slope per stage).

    Parameters
    ----------
    events, stage_order, score_col, by, curve, stage_col, customer_id_col, conf_level
        As in `find_valleys`.

    Returns
    -------
    DataFrame
        Group column, `metric, stage` (where it lies, missing for slope and area), `estimate, conf_low,
        conf_high, n` (customers with an answer). NaN with fewer than two answered stages.

    Raises
    ------
    ParameterError
        As in `find_valleys`.

    Notes
    -----
    Peak and trough take the extreme of the simultaneous band's ends, so that their interval knows they were
    searched for. Peak-end = (peak + end) / 2, what people remember best of an experience; area =
    trapezoid over stages one apart; slope by least squares over stage numbers.

    References
    ----------
    Kahneman, Fredrickson, Schreiber & Redelmeier (1993) Psychological Science 4.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("aabbcc"), "stage": ["buy", "wait"] * 3,
    ...     "valence": [1, 0, 2, 0, 1, -1]})
    >>> features = curve_features(events, stage_order=["buy", "wait"])
    >>> features.loc[features["metric"] == "end", "estimate"].round(2).to_list()
    [-0.33]
    """
    stages, parts = np.array(list(stage_order)), []
    for keys, group in groups(events, stage_order, score_col, by, stage_col, customer_id_col):
        scores = sums(group)
        fit = stage_moments(scores, known_curve(curve))
        parts.append({**keys, **_features(fit, stages, conf_level), "n": len(scores.n)})
    return stacked(parts)


def _prominence(fit: StageMeans, conf_level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth of every stage below its shoulders, with the interval that pays for all pairs of stages."""
    mean, k = fit.mean, len(fit.mean)
    first, second = np.triu_indices(k, 1)
    contrasts = np.eye(k)[first] - np.eye(k)[second]
    effect, _, wide = contrast(contrasts, fit, conf_level)
    gap, half = np.full((k, k), np.nan), np.full((k, k), np.nan)
    gap[first, second], gap[second, first] = effect, -effect
    half[first, second] = half[second, first] = wide
    depth, low, high = np.full(k, np.nan), np.full(k, np.nan), np.full(k, np.nan)
    answered = np.flatnonzero(np.isfinite(mean))
    for place, stage in enumerate(answered[1:-1], start=1):
        sides = (answered[:place][::-1], answered[place + 1 :])
        shoulders = [side[: np.argmax(np.append(mean[side] < mean[stage], True))] for side in sides]
        depth[stage] = 0
        if all(side.size and gap[side, stage].max() > 0 for side in shoulders):
            clear = [gap[side, stage] - half[side, stage] > 0 for side in shoulders]
            ends = [side[np.argmax(above)] for side, above in zip(shoulders, clear, strict=True)]
            depth[stage] = gap[ends, stage].min()
            low[stage] = (gap[ends, stage] - half[ends, stage]).min()
            high[stage] = (gap[ends, stage] + half[ends, stage]).min()
    return depth, low, high


def _own_minimum(scores: StageSums) -> tuple[np.ndarray, np.ndarray]:
    """Share of customers whose own lowest stage it is, among those who answered before, at and after it."""
    seen = scores.n > 0
    own = np.where(seen, scores.total / np.maximum(scores.n, 1), np.nan)
    before = np.cumsum(seen, axis=1) - seen > 0
    after = np.cumsum(seen[:, ::-1], axis=1)[:, ::-1] - seen > 0
    eligible = seen & before & after
    lowest = np.fmin.reduce(own, axis=1, initial=np.inf)[:, None] if own.size else np.empty((0, 1))
    tied = own == lowest
    part = tied / np.maximum(tied.sum(1, keepdims=True), 1)
    n = eligible.sum(0)
    return (part * eligible).sum(0) / np.where(n > 0, n, np.nan), n


def _features(fit: StageMeans, stages: np.ndarray, conf_level: float) -> dict[str, Any]:
    used = np.flatnonzero(np.isfinite(fit.mean))
    names = ["peak", "trough", "end", "slope", "area", "peak_end"]
    if used.size < 2:
        unknown = np.full(len(names), np.nan)
        numbers = dict.fromkeys(("estimate", "conf_low", "conf_high"), unknown)
        return {"metric": names, "stage": [None] * len(names), **numbers}
    mean = fit.mean[used]
    place = used - used.mean()
    linear = np.zeros((3, len(stages)))
    linear[0, used[-1]] = 1
    linear[1, used] = place / (place**2).sum()
    steps = np.diff(used) / 2
    linear[2, used] = np.append(steps, 0) + np.append(0, steps)
    effect, error, _ = contrast(linear, fit, conf_level)
    half = critical_value(conf_level, df=np.nanmin(fit.df[used])) * error
    wide = (critical_values(np.eye(len(stages)), fit, conf_level) * np.sqrt(np.diag(fit.cov)))[used]
    ends = [(edge.max(), edge.min()) for edge in (mean, mean - wide, mean + wide)]
    linear_rows = [(effect[i], effect[i] - half[i], effect[i] + half[i]) for i in range(3)]
    rows = [tuple(edge[0] for edge in ends), tuple(edge[1] for edge in ends), *linear_rows]
    rows.append(
        tuple((ends[i][0] + (mean[-1], mean[-1] - wide[-1], mean[-1] + wide[-1])[i]) / 2 for i in range(3))
    )
    where = [stages[used[mean.argmax()]], stages[used[mean.argmin()]], stages[used[-1]], None, None, None]
    estimate, low, high = np.array(rows).T
    return {"metric": names, "stage": where, "estimate": estimate, "conf_low": low, "conf_high": high}
