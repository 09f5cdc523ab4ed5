"""Ways out that shut each other off, where several of the spells belong to one: deals to an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, check_group_names
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.stack_groups import stacked
from cxlib.stats.survival.people_at_risk import at_risk_at, names_of, people_of

_MARK, _CODE, _CLUSTER = "cx has left", "cx cause code", "cx cluster code"
_COLUMNS = ["cause", "time", *Interval._fields, "n_at_risk", "n_events", "n", "n_not_reached", "n_clusters"]


def clustered_incidence(
    data: pd.DataFrame,
    *,
    duration_col: str,
    cause_col: str,
    cluster_col: str,
    times: Sequence[float],
    by: str | list[str] | None = None,
    entry_col: str | None = None,
    causes: Sequence[str] | None = None,
    still: str = "open",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Aalen–Johansen probability (0–1) of each way out, and of none yet, with errors clustered.

    Parameters
    ----------
    data, duration_col, cause_col, entry_col, by
        As in `cumulative_incidence`.
    cluster_col
        To whom a row belongs; a missing one stands for itself.
    times
        Report at these times.
    causes
        Ways out to report, also where nobody left by them; those seen by default. Others may not occur.
    still
        Name under which the probability of no exit yet is reported.
    conf_level
        Confidence level of the pointwise interval (log-log, Student's t with clusters − 1).

    Returns
    -------
    DataFrame
        Group columns, `cause` (each way out, and `still`), `time, estimate, std_error, conf_low, conf_high,
        n_at_risk, n_events, n, n_not_reached` (as `cumulative_incidence`) and `n_clusters`. At any time the
        estimates add up to 1.

    Raises
    ------
    ParameterError, InputError
        As in `cumulative_incidence`.

    Notes
    -----
    The estimates are those of `cumulative_incidence`. Each row's influence on them is Σ S(u−) dM_k / Y − Σ
    (F_k(t) − F_k(u)) dM / (Y (1 − ΔΛ)) with martingale residuals M; the variance is the sum over clusters of
    their squared sums, times G/(G − 1) (infinitesimal jackknife). Where nobody or everybody left by a way,
    the exact limit for as many independent clusters as are followed to that time, or left before it.

    References
    ----------
    Andersen & Klein (2007) Scand. J. Statistics 34; Ying & Wei (1994) J. Multivariate Analysis 50.

    Examples
    --------
    >>> deals = pd.DataFrame({"days": [1, 2, 3, 4], "exit": ["won", "lost", "won", None], "account": list("aabc")})
    >>> asked = {"duration_col": "days", "cause_col": "exit", "cluster_col": "account", "times": [3]}
    >>> clustered_incidence(deals, **asked)[["cause", "estimate", "n_clusters"]].to_numpy().tolist()
    [['lost', 0.25, 3], ['won', 0.5, 3], ['open', 0.25, 3]]
    """  # noqa: E501
    check_columns(data, duration_col=duration_col, cause_col=cause_col, cluster_col=cluster_col)
    check_group_names(by, _COLUMNS)
    if min(times, default=0) < 0:
        raise ParameterError("journey.negative_times", argument="times", value=f"{min(times):g}")
    names = sorted(data[cause_col].dropna().unique()) if causes is None else list(causes)
    cause = pd.Index(names, dtype=object).get_indexer(pd.Index(data[cause_col].astype(object)))
    cluster = pd.factorize(data[cluster_col])[0]
    cluster = np.where(cluster < 0, cluster.max(initial=0) + 1 + np.arange(len(cluster)), cluster)
    both = cause + (len(names) + 1) * cluster  # one column has to carry both through the grouping
    coded = data.assign(**{_MARK: cause >= 0, _CODE: both})
    parts = []
    for keys, people in people_of(coded, duration_col, _MARK, entry_col, by, keep=_CODE):
        kept = np.asarray(people.kept)
        own_cluster = (kept + 1) // (len(names) + 1)
        own_cause = kept - (len(names) + 1) * own_cluster
        wanted = np.sort(np.asarray(times, dtype=float))
        found = [_at(people, own_cause, own_cluster, k, wanted) for k in range(len(names))]
        facts = _facts(people, own_cluster, wanted)
        left = {"estimate": np.ones(len(wanted)), "spread": np.zeros((len(wanted), facts.pop("codes")))}
        for name, one in zip(names, found, strict=True):
            left = {each: left[each] - one[each] for each in left}
            parts.append({**keys, "cause": name, "time": wanted, **_limits(one, facts, conf_level)})
        gone = {"n_events": sum((one["n_events"] for one in found), np.zeros(len(wanted), int))}
        parts.append({**keys, "cause": still, "time": wanted, **_limits(left | gone, facts, conf_level)})
    return stacked(parts, [*names_of(by), *_COLUMNS])


def _at(people: Any, cause: Array, cluster: Array, code: int, wanted: Array) -> dict[str, Array]:
    """Incidence of one cause at each time, and the summed influence of each cluster on it."""
    grid = np.unique(people.duration[people.event]).astype(float)
    y = at_risk_at(people, grid).astype(float)
    places = np.searchsorted(grid, people.duration)
    own = np.bincount(places[cause == code], minlength=grid.size)[: grid.size]
    gone = np.bincount(places[people.event], minlength=grid.size)[: grid.size]
    with np.errstate(divide="ignore", invalid="ignore"):
        before = np.append(1.0, np.cumprod(1 - gone / y))[:-1]
        pull = np.where(gone < y, 1 / (y - gone), 0.0)
    reached = np.append(0.0, np.cumsum(before * own / y))
    starts = np.zeros(len(people.duration), int)
    if people.entry is not None:
        starts = np.searchsorted(grid, people.entry, side="right")
    estimate = reached[np.searchsorted(grid, wanted, side="right")]
    size = int(cluster.max(initial=-1)) + 1
    spread = np.zeros((len(wanted), size))
    events = np.zeros(len(wanted), int)
    for row, until in enumerate(np.searchsorted(grid, wanted, side="right")):
        to_go = (reached[until] - reached[1:]) * pull
        expected = before * own / y**2 - to_go * gone / y
        paid = np.append(0.0, np.cumsum(expected[:until]))
        seen = np.minimum(np.searchsorted(grid, people.duration, side="right"), until)
        influence = -(paid[seen] - paid[np.minimum(starts, seen)])
        happened = people.event & (places < until)
        at = places[happened]
        influence[happened] += np.where(cause[happened] == code, (before / y)[at], 0.0) - to_go[at]
        spread[row] = np.bincount(cluster, influence, size)
        events[row] = int((happened & (cause == code)).sum())
    return {"estimate": estimate, "spread": spread, "n_events": events}


def _facts(people: Any, cluster: Array, wanted: Array) -> dict[str, Any]:
    """Count the group at each time; `codes` is how many cluster codes there are."""
    grid = np.sort(people.duration[people.event]).astype(float)
    n_at_risk = at_risk_at(people, wanted)
    n = np.full(wanted.size, people.duration.size)
    gone = np.searchsorted(grid, wanted, side="left")
    size = int(cluster.max(initial=-1)) + 1
    held = np.array(
        [len(np.unique(cluster[(people.duration >= t) | people.event])) for t in wanted], dtype=float
    )
    last = people.duration.max(initial=0)
    return {
        "n_at_risk": n_at_risk,
        "n": n,
        "n_not_reached": n - n_at_risk - gone,
        "n_clusters": np.full(wanted.size, len(np.unique(cluster))),
        "held": held,
        "unseen": wanted > last,
        "codes": size,
    }


def _limits(one: dict[str, Array], facts: dict[str, Any], conf_level: float) -> dict[str, Array]:
    """Log-log limits by Student's t; exact ones where nothing, or everything, happened."""
    clusters, held = facts["n_clusters"], np.maximum(facts["held"], 1)
    estimate = np.clip(one["estimate"], 0, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(clusters > 1, clusters / (clusters - 1), np.nan)  # of one cluster nothing is known
        error = np.sqrt((one["spread"] ** 2).sum(axis=1) * scale)
        log = np.log(estimate)
        half = critical_value(conf_level, df=clusters - 1) * error / np.abs(estimate * log)
        low, high = np.exp(log * np.exp(half)), np.exp(log / np.exp(half))
    exact = ((1 - conf_level) / 2) ** (1 / held)
    none, all_of = estimate <= 1e-12, estimate >= 1 - 1e-12
    low, high = np.where(none, 0.0, low), np.where(none, 1 - exact, high)
    low, high = np.where(all_of, exact, low), np.where(all_of, 1.0, high)
    unseen = facts["unseen"] & (facts["n_not_reached"] > 0)
    known = {"estimate": estimate, "std_error": error, "conf_low": low, "conf_high": high}
    counts = {name: facts[name] for name in ("n_at_risk", "n", "n_not_reached", "n_clusters")}
    shown = {name: np.where(unseen, np.nan, held_) for name, held_ in known.items()}
    return shown | {"n_events": one["n_events"], **counts}
