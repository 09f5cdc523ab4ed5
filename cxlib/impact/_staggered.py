"""Staggered roll-outs: group-time effects after Callaway & Sant'Anna and what is summed up from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, check_columns, fail_option
from cxlib.impact._cells import cell, wide
from cxlib.impact._spread import Spread, by_cluster, by_unit, freedom, hotelling, wald, without

Array = npt.NDArray[np.float64]
Kind = Literal["simple", "dynamic", "group", "calendar"]
#: An aggregate: its estimate, weights of the effects, weights of the groups' shares.
Part = tuple[float, Array, Array]
BAND_DRAWS = 50_000


@dataclass(frozen=True)
class AttResult:
    """Effects ATT(g, t) with what is needed to add them up.

    A class because every aggregate, band and test needs how the effects vary together, which no tidy frame
    can carry.

    Attributes
    ----------
    estimates : DataFrame
        `metric` (att), `start, time, event_time, estimate, std_error, conf_low, conf_high, n, n_treatment,
        n_control`, sorted by `start` and `time`. Effects before the start are there to be looked at: they
        should be near zero.
    covariance : array
        Joint covariance of the effects.
    starts, sizes : array
        The groups (infinite: never treated) and their numbers of units.
    spread : Spread
        The covariance by independent part, and how it goes together with the estimated sizes of the groups.
    conf_level : float
        Level of the intervals.
    """

    estimates: pd.DataFrame
    covariance: Array
    starts: Array
    sizes: Array
    spread: Spread
    conf_level: float

    def aggregate(
        self,
        kind: Kind = "simple",
        *,
        band: Literal["simultaneous"] | None = None,
        horizon_months: int | None = None,
        seed: int = 7,
    ) -> pd.DataFrame:
        """Weighted means of the effects after the start.

        Parameters
        ----------
        kind : str
            `simple` all effects after the start, weighted by group size · `dynamic` by time since the start,
            the overall row being the plain mean from time 0 on · `group` by start · `calendar` by period.
        band : str or None
            "simultaneous" widens the rows' intervals so that all of them hold at once.
        horizon_months : int or None
            Only with `dynamic`: periods 0 to horizon−1 after the start, from groups that were observed that
            long, so that every row means the same customers.
        seed : int
            Of the draws behind the simultaneous band.

        Returns
        -------
        DataFrame
            First the overall row (`metric` att_overall), then, but for `simple`, one per `event_time`,
            `start` or `time` (`metric` att): `estimate, std_error, conf_low, conf_high, critical_value, n`
            (units treated in it). Empty rows are left out; the overall estimate is NaN where nothing is left.

        Examples
        --------
        >>> panel = pd.DataFrame({"u": list("aabbcc"), "t": [1, 2] * 3, "y": [0.0, 3, 1, 4, 0, 1],
        ...                       "g": [2.0, 2, 2, 2, None, None]})
        >>> att_gt(panel, outcome_col="y", unit_col="u", time_col="t", start_col="g").aggregate()[
        ...     "estimate"].tolist()
        [2.0]
        """
        if kind not in ("simple", "dynamic", "group", "calendar"):
            fail_option("kind", kind, ("simple", "dynamic", "group", "calendar"))
        columns = {name: self.estimates[name].to_numpy(float) for name in ("start", "time", "event_time")}
        after = columns["event_time"] >= 0
        keep = self._observed(horizon_months) if kind == "dynamic" else after
        label = {"dynamic": "event_time", "group": "start", "calendar": "time", "simple": ""}[kind]
        values = np.unique(columns[label][keep]) if label else np.empty(0)
        chosen = [keep & (columns[label] == value) for value in values]
        parts = [self._mean(mask) for mask in chosen]
        size = dict(zip(self.starts, self.sizes, strict=True))
        groups = [np.unique(columns["start"][mask]) for mask in [keep & after, *chosen]]
        n = [int(sum(size[start] for start in each)) for each in groups]
        table = self._table([self._overall(kind, keep, values, parts), *parts], np.array(n))
        table.insert(0, "metric", ["att_overall"] + ["att"] * len(parts))
        if label:
            table[label] = [np.nan, *values]
        table["n"] = n
        if band is not None and parts:
            table.loc[1:, "critical_value"] = self._critical(parts, seed)
            table["conf_low"] = table["estimate"] - table["critical_value"] * table["std_error"]
            table["conf_high"] = table["estimate"] + table["critical_value"] * table["std_error"]
        return table

    def pretrend(self, *, small_sample: bool = False) -> pd.DataFrame:
        """Test that all effects before the start are zero (one row).

        Parameters
        ----------
        small_sample : bool
            False: Wald statistic against χ², as R's `did` prints it. True: Hotelling's T² for groups of
            unequal spread against F (Krishnamoorthy & Yu 2004). χ² takes the covariance for known; with
            dozens of customers and a dozen months it raises many a false alarm, so warnings rest on F.

        Returns
        -------
        DataFrame
            `metric` (pretrend), `statistic` (W, or F), `df` (effects tested), `df_residual` (of F; infinite
            for χ²), `p_value`. NaN with no period before the start, or fewer units than such effects.

        Notes
        -----
        Passing it does not prove parallel trends: with few customers it hardly ever fails (Roth 2022).
        """
        before = (self.estimates["event_time"] < 0).to_numpy()
        test = hotelling if small_sample else wald
        row: dict[str, float] = {"statistic": np.nan, "df": 0, "df_residual": np.nan, "p_value": np.nan}
        if before.any():
            row = test(self.spread, self.estimates["estimate"].to_numpy(float), before)
        return pd.DataFrame([{"metric": "pretrend", **row}])

    def event_study(self, horizon_months: int | None = None) -> tuple[pd.DataFrame, Array]:
        """Effect by time since the start, and the joint covariance of these estimates.

        Returns
        -------
        DataFrame, array
            `event_time, estimate, std_error, n_treated`, and the covariance. With `horizon_months` only the
            periods 0 to horizon−1 from groups observed that long, as in `aggregate`; group sizes count as
            known then, because it is these customers whose money is counted.
        """
        event = self.estimates["event_time"].to_numpy(float)
        keep = self._observed(horizon_months) & ((event >= 0) | (horizon_months is None))
        events = np.unique(event[keep])
        size = self.estimates["n_treatment"].to_numpy(float)
        weights = np.where(keep & (event == events[:, None]), size, 0.0)
        treated = weights.sum(axis=1)
        shares = weights / treated[:, None]
        covariance = shares @ self.covariance @ shares.T
        lone = (treated < 2) | (self.estimates["n_control"].max() < 2)
        lone |= (shares[:, self.spread.alone] != 0).any(axis=1)
        error = np.sqrt(np.diag(covariance))
        frame = pd.DataFrame(
            {
                "event_time": events,
                "estimate": shares @ self.estimates["estimate"].to_numpy(),
                "std_error": np.where(lone | (error == 0), np.nan, error),
                "n_treated": treated.astype(int),
            }
        )
        return frame, covariance

    def _observed(self, horizon_months: int | None) -> npt.NDArray[np.bool_]:
        """Effects before the horizon, of the groups observed that long; all of them without a horizon."""
        start, event = (self.estimates[name].to_numpy(float) for name in ("start", "event_time"))
        if horizon_months is None:
            return np.ones(len(event), dtype=bool)
        return np.isin(start, start[event >= horizon_months - 1]) & (event < horizon_months)

    def _overall(self, kind: Kind, keep: npt.NDArray[np.bool_], values: Array, parts: list[Part]) -> Part:
        if kind == "simple":
            return self._mean(keep)
        chosen = [part for value, part in zip(values, parts, strict=True) if kind != "dynamic" or value >= 0]
        if not chosen:
            return self._mean(np.zeros(len(keep), dtype=bool))
        if kind == "group":
            return self._mix(values, chosen)
        estimate = float(np.mean([part[0] for part in chosen]))
        effects, shares = np.array([part[1] for part in chosen]), np.array([part[2] for part in chosen])
        return estimate, effects.mean(axis=0), shares.mean(axis=0)

    def _mean(self, keep: npt.NDArray[np.bool_]) -> Part:
        """Mean of some effects, weighted by the size of their groups."""
        estimates = self.estimates["estimate"].to_numpy()
        single = np.eye(len(keep))[keep]
        nothing = np.zeros(len(self.starts))
        parts = [
            (float(estimates[i]), row, nothing) for i, row in zip(np.flatnonzero(keep), single, strict=True)
        ]
        return self._mix(self.estimates["start"].to_numpy(float)[keep], parts)

    def _mix(self, starts: Array, parts: list[Part]) -> Part:
        """Mean weighted by group size, with weights of the effects and of the groups' estimated shares."""
        if not parts:
            return np.nan, np.full(len(self.estimates), np.nan), np.zeros(len(self.starts))
        n = self.sizes.sum()
        share = self.sizes[np.searchsorted(self.starts, starts)] / n
        weight = share / share.sum()
        estimates = np.array([part[0] for part in parts])
        estimate = float(weight @ estimates)
        pull = (estimates - estimate) / share.sum()
        member = self.starts[:, None] == starts[None, :]
        sampled = (member - share) @ pull / n
        inner = np.sum([w * part[2] for w, part in zip(weight, parts, strict=True)], axis=0)
        return (
            estimate,
            np.sum([w * part[1] for w, part in zip(weight, parts, strict=True)], axis=0),
            sampled + inner,
        )

    def _joint(self, parts: list[Part]) -> Array:
        """Covariance of aggregates: from the effects, from the estimated shares, and between the two."""
        effects, shares = np.array([part[1] for part in parts]), np.array([part[2] for part in parts])
        cross = shares @ self.spread.group_sums @ effects.T
        sampled = shares @ self.spread.share_products @ shares.T
        return effects @ self.covariance @ effects.T + cross + cross.T + sampled

    def _table(self, parts: list[Part], n: Array) -> pd.DataFrame:
        """Estimates with intervals; no error where a group or all controls are a single unit."""
        lone = (n < 2) | (self.estimates["n_control"].max() < 2)
        error = np.sqrt([self._joint([part])[0, 0] for part in parts])
        alone = np.array([bool((part[1][self.spread.alone] != 0).any()) for part in parts])
        error = np.where(lone | alone | (error == 0), np.nan, error)
        estimate = np.array([part[0] for part in parts])
        df = np.array([freedom(self.spread, part[1]) for part in parts])
        needed = stats.t.ppf((1 + self.conf_level) / 2, df)
        return pd.DataFrame(
            {
                "estimate": estimate,
                "std_error": error,
                "conf_low": estimate - needed * error,
                "conf_high": estimate + needed * error,
                "critical_value": needed,
            }
        )

    def _critical(self, parts: list[Part], seed: int) -> float:
        """Quantile of the largest |t| among the rows (Montiel Olea & Plagborg-Møller 2019)."""
        joint = self._joint(parts)
        spread = np.sqrt(np.diag(joint))
        real = spread > 0
        if not real.any():
            return float("nan")
        values, vectors = np.linalg.eigh(joint[np.ix_(real, real)] / np.outer(spread[real], spread[real]))
        root = vectors * np.sqrt(np.clip(values, 0, None))
        rng = np.random.default_rng(seed)
        draws = rng.standard_normal((BAND_DRAWS, len(values))) @ root.T
        df = np.nanmin([freedom(self.spread, part[1]) for part in parts])
        if np.isfinite(df):
            draws /= np.sqrt(rng.chisquare(df, (BAND_DRAWS, 1)) / df)
        return float(np.quantile(np.abs(draws).max(axis=1), self.conf_level))


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
        one of them. Needed where whole clusters were assigned. An effect of which one side is a single
        cluster gets no error: nobody can tell its shock from the effect.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    AttResult
        `.estimates`, `.aggregate(kind)`, `.pretrend()`.

    Raises
    ------
    ParameterError
        A column is missing, an option is unknown, or no treated or no control unit is left.

    Notes
    -----
    ATT(g, t) = mean change of group g − mean change of the controls, since its base. Two-way fixed effects
    would use units treated earlier as controls, and turn growing effects into bias. Errors come from the
    influence functions, summed up by unit, or by cluster with the factor J/(J − 1) of each group's J clusters
    and Student's t with Satterthwaite degrees of freedom. An outcome that never varies gets no error. Assumes
    that the groups' changes would have been parallel.

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
    if cluster_col is not None:
        check_columns(panel, cluster_col=cluster_col)
        panel = panel.assign(**{_CLUSTER: pd.factorize(panel[cluster_col])[0].astype(float)})
        names.append(_CLUSTER)
    times, start, blocks = wide(panel, names, unit_col, time_col, start_col)
    start = np.where(start > times[-1], np.inf, start) if len(times) else start
    late = start > times[0] if len(times) else np.zeros(0, dtype=bool)
    order = np.flatnonzero(late)[np.argsort(start[late], kind="stable")]
    start, blocks = start[order], [np.asfortranarray(block[order]) for block in blocks]
    cluster = np.unique(blocks.pop()[:, :1], return_inverse=True)[1].ravel() if cluster_col else None
    groups = np.unique(start[np.isfinite(start)])
    if not len(groups) or (control == "never" and np.isfinite(start).all()):
        raise ParameterError("impact.no_controls" if len(groups) else "impact.no_treated", argument=start_col)
    first = 1 if base == "previous" else 0
    rows: list[dict[str, float]] = []
    influence: Array = np.zeros((len(start), len(groups) * (len(times) - first)), order="F")
    for group in groups:
        for place in range(first, len(times)):
            row = cell(group, place, times, start, blocks, control, base, influence[:, len(rows)])
            rows += [row] if row else []
    if not rows:
        raise ParameterError("impact.no_controls", argument=start_col)
    floor = 1e-12 * float(np.abs(blocks[0]).max())
    return _result(rows, influence[:, : len(rows)], start, cluster, floor, conf_level)


_CLUSTER = "__cluster"


def _result(
    rows: list[dict[str, float]],
    influence: Array,
    start: Array,
    cluster: npt.NDArray[np.intp] | None,
    floor: float,
    conf_level: float,
) -> AttResult:
    cells = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    starts, begins, sizes = np.unique(start, return_index=True, return_counts=True)
    if cluster is None:
        spread = by_unit(influence, begins, sizes)
    else:
        own = np.searchsorted(starts, cells["start"])
        spread = by_cluster(influence, np.repeat(np.arange(len(starts)), sizes), own, cluster)
    flat = np.sqrt(np.diag(spread.parts.sum(axis=0))) <= floor
    spread = without(spread, flat) if flat.any() else spread
    covariance = spread.parts.sum(axis=0)
    lone = (cells["n_treatment"] < 2) | (cells["n_control"] < 2) | flat | spread.alone
    error = np.where(lone, np.nan, np.sqrt(np.diag(covariance)))
    df = np.array([freedom(spread, weights) for weights in np.eye(len(flat))])
    half = stats.t.ppf((1 + conf_level) / 2, df) * error
    cells |= {
        "event_time": cells["time"] - cells["start"], "n": cells["n_treatment"] + cells["n_control"],
        "std_error": error, "conf_low": cells["estimate"] - half, "conf_high": cells["estimate"] + half,
    }  # fmt: skip
    columns = ["start", "time", "event_time", "estimate", "std_error", "conf_low", "conf_high", "n"]
    columns += ["n_treatment", "n_control"]
    frame = pd.DataFrame({"metric": "att", **{name: cells[name] for name in columns}})
    return AttResult(frame, covariance, starts, sizes.astype(float), spread, conf_level)
