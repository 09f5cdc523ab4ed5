"""What is summed up from the effects of a staggered roll-out: means, bands, the test before the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cxlib.checks import fail_option
from cxlib.stats.arrays import Array
from cxlib.stats.event_study.covariance import Spread, freedom, hotelling, wald
from cxlib.stats.joint_bands import joint_critical_value

Kind = Literal["simple", "dynamic", "group", "calendar"]
#: An aggregate: its estimate, weights of the effects, weights of the groups' shares.
Part = tuple[float, Array, Array]


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
    starts, sizes : array
        The groups (infinite: never treated) and their numbers of units.
    spread : Spread
        The covariance by independent part, and how it goes together with the estimated sizes of the groups.
    conf_level : float
        Level of the intervals.
    """

    estimates: pd.DataFrame
    starts: Array
    sizes: Array
    spread: Spread
    conf_level: float

    @property
    def covariance(self) -> Array:
        """Joint covariance of the effects, laid out when asked for."""
        return self.spread.covariance()

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
        >>> from cxlib.stats.event_study.staggered import att_gt
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
            `event_time, estimate, std_error, df` (of Student's t; infinite without clusters), `n_treated`;
            and the covariance. With `horizon_months` only the
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
        covariance = self.spread.joint(shares)
        lone = (treated < 2) | (self.estimates["n_control"].max() < 2)
        lone |= (shares[:, self.spread.alone] != 0).any(axis=1) | self._flat(shares)
        error = np.sqrt(np.diag(covariance))
        frame = pd.DataFrame(
            {
                "event_time": events,
                "estimate": shares @ self.estimates["estimate"].to_numpy(),
                "std_error": np.where(lone | (error == 0), np.nan, error),
                "df": freedom(self.spread, shares),
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
        weight, sampled = self._weights(self.estimates["start"].to_numpy(float)[keep])
        if not len(weight):
            return np.nan, np.full(len(self.estimates), np.nan), np.zeros(len(self.starts))
        estimates, effects = self.estimates["estimate"].to_numpy()[keep], np.zeros(len(keep))
        effects[keep] = weight
        estimate = float(weight @ estimates)
        return estimate, effects, sampled @ (estimates - estimate)

    def _mix(self, starts: Array, parts: list[Part]) -> Part:
        """Mean of groups' means weighted by group size, with weights of the effects and of the shares."""
        weight, sampled = self._weights(starts)
        estimates = np.array([part[0] for part in parts])
        estimate = float(weight @ estimates)
        inner = weight @ np.array([part[2] for part in parts])
        effects = weight @ np.array([part[1] for part in parts])
        return estimate, effects, sampled @ (estimates - estimate) + inner

    def _weights(self, starts: Array) -> tuple[Array, Array]:
        """Weights by group size, and how the groups' estimated shares move a mean with such weights."""
        n = self.sizes.sum()
        share = self.sizes[np.searchsorted(self.starts, starts)] / n
        member = self.starts[:, None] == starts[None, :]
        return share / share.sum(), (member - share) / (share.sum() * n)

    def _joint(self, parts: list[Part]) -> Array:
        """Covariance of aggregates: from the effects, from the estimated shares, and between the two."""
        effects, shares = np.array([part[1] for part in parts]), np.array([part[2] for part in parts])
        cross = shares @ self.spread.group_sums @ effects.T
        sampled = shares @ self.spread.share_products @ shares.T
        return self.spread.joint(effects) + cross + cross.T + sampled

    def _table(self, parts: list[Part], n: Array) -> pd.DataFrame:
        """Estimates with intervals; no error where a group or all controls are one unit, or never vary."""
        effects = np.array([part[1] for part in parts])
        lone = (n < 2) | (self.estimates["n_control"].max() < 2) | self._flat(effects)
        error = np.sqrt(np.diag(self._joint(parts)))
        alone = (effects[:, self.spread.alone] != 0).any(axis=1)
        error = np.where(lone | alone | (error == 0), np.nan, error)
        estimate = np.array([part[0] for part in parts])
        needed = stats.t.ppf((1 + self.conf_level) / 2, freedom(self.spread, effects))
        return pd.DataFrame(
            {
                "estimate": estimate,
                "std_error": error,
                "conf_low": estimate - needed * error,
                "conf_high": estimate + needed * error,
                "critical_value": needed,
            }
        )

    def _flat(self, effects: Array) -> npt.NDArray[np.bool_]:
        """Weighted effects with one side that never varies: what is left is no error of the difference."""
        if len(self.spread.roots) < len(self.starts):
            return np.zeros(len(effects), dtype=bool)
        parts = self.spread.variances(effects)
        return (parts > 1e-18 * parts.sum(axis=0)).sum(axis=0) < 2

    def _critical(self, parts: list[Part], seed: int) -> float:
        """Quantile of the largest |t| among the rows."""
        known = freedom(self.spread, np.array([part[1] for part in parts]))
        df = float(known[np.isfinite(known)].min(initial=np.inf))
        return joint_critical_value(self._joint(parts), conf_level=self.conf_level, seed=seed, df=df)
