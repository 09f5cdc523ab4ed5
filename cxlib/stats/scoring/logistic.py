"""A logistic regression on what is known of each row: coefficients per standard deviation, gaps marked."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, check_frame
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import critical_value
from cxlib.stats.number_columns import check_numbers, cluster_codes
from cxlib.stats.verdicts import limits_verdict

#: Fewest rows of the rarer outcome per coefficient (Peduzzi et al. 1996).
LEAST_EVENTS = 10
#: Largest coefficient per standard deviation: beyond it the outcomes are told apart (nearly) perfectly.
LARGEST = 8.0
#: What a feature's name is followed by where the coefficient is that of not knowing it.
UNKNOWN = "_unknown"


class Logistic(NamedTuple):
    """A fitted score; a class because what was learnt on some rows is applied to others.

    `features` are the columns read; `terms` what has a coefficient (a feature, or that it is unknown);
    `status` says of each term ok, constant or collinear. `note` is None, "few_events" (the base rate alone
    is used) or "separated" (no probability is given).
    """

    features: tuple[str, ...]
    terms: tuple[str, ...]
    status: tuple[str, ...]
    centre: Array
    scale: Array
    coefficients: Array
    covariance: Array
    base_rate: float
    n: int
    events: int
    note: str | None

    def contributions(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Log-odds that each feature adds to a row's, against a row with average features."""
        columns = _columns(rows, self.features).to_numpy()
        design = np.nan_to_num((columns - self.centre) / self.scale)
        each = pd.DataFrame(design * self.coefficients[1:], columns=list(self.terms), index=rows.index)
        for name in self.features:
            each[name] += each.pop(name + UNKNOWN)
        return each

    def probability(self, rows: pd.DataFrame) -> Array:
        """Probability (0–1) of the outcome of each row; NaN where the outcomes were separated."""
        log_odds = self.coefficients[0] + self.contributions(rows).to_numpy().sum(axis=1)
        return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -700, 700))), dtype=float)


def check_outcome(rows: pd.DataFrame, outcome_col: str) -> Array:
    """Return the outcome as 0, 1 or NaN (not known yet).

    Raises
    ------
    ParameterError
        If it holds anything else.
    """
    check_columns(rows, outcome_col=outcome_col)
    outcome = check_numbers(rows, outcome_col)
    bad = ~(np.isnan(outcome) | (outcome == 0) | (outcome == 1))
    if bad.any():
        found = ", ".join(f"{value:g}" for value in np.unique(outcome[bad])[:3])
        counts = {"n": f"{bad.sum():,}", "total": f"{len(rows):,}", "first": f"{bad.argmax() + 1:,}"}
        raise ParameterError("scoring.outcome", column=outcome_col, found=found, **counts)
    return outcome


def fit_logistic(
    rows: pd.DataFrame,
    *,
    feature_cols: Sequence[str],
    outcome_col: str = "outcome",
    cluster_col: str | None = None,
) -> Logistic:
    """Fit the probability of an outcome to features known before it.

    Parameters
    ----------
    rows : DataFrame
        One row per customer (or lead) and day; rows without an outcome are left out.
    feature_cols : sequence of str
        Numbers or true/false. A missing value counts as the average, and whether it is missing as a feature
        of its own.
    outcome_col : str
        1 where it happened, 0 where it did not.
    cluster_col : str, optional
        Customer, for errors that know of several rows of one.

    Returns
    -------
    Logistic

    Raises
    ------
    ParameterError
        A column is missing, a feature is text or infinite, or an outcome is neither 0 nor 1.

    Notes
    -----
    Maximum likelihood (statsmodels) on features less their mean over their standard deviation. Columns that
    do not vary or that others already say take no part; with fewer than ten rows of the rarer outcome per
    coefficient nothing but the base rate is used.

    References
    ----------
    Peduzzi et al. (1996) Journal of Clinical Epidemiology 49, 1373–1379.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> people = pd.DataFrame({"recency_days": rng.integers(1, 300, 2_000)})
    >>> people["outcome"] = rng.random(2_000) < 1 / (1 + np.exp(-0.01 * (150 - people["recency_days"])))
    >>> score = fit_logistic(people, feature_cols=["recency_days"])
    >>> score.probability(pd.DataFrame({"recency_days": [10, 150]})).round(1).tolist()
    [0.8, 0.5]
    """
    check_frame(rows, argument="rows")
    for name in feature_cols:
        check_columns(rows, feature_cols=name)
    check_columns(rows, cluster_col=cluster_col)
    outcome = check_outcome(rows, outcome_col)
    known = np.isfinite(outcome)
    features, y = tuple(feature_cols), outcome[known]
    columns = _columns(rows[known], features)
    centre, scale = _centre_and_scale(columns.to_numpy())
    design = np.c_[np.ones(len(y)), np.nan_to_num((columns.to_numpy() - centre) / scale)]
    status = _status(design)
    used = np.array([True, *(each == "ok" for each in status)])
    clusters = None if cluster_col is None else cluster_codes(rows[cluster_col])[known]
    rarer = min(y.sum(), len(y) - y.sum())
    few = rarer < LEAST_EVENTS * max(used.sum() - 1, 1)
    kept = np.arange(len(used)) == 0 if few else used
    beta, covariance, note = np.zeros(len(used)), np.zeros((len(used),) * 2), "few_events" if few else None
    if few and rarer == 0:
        beta[0] = np.nan
    else:
        beta[kept], covariance[np.ix_(kept, kept)], failed = _newton(y, design[:, kept], clusters)
        note = "separated" if failed else note
    if note == "separated":
        beta[:] = np.nan
    return Logistic(
        features,
        tuple(map(str, columns)),
        status,
        centre,
        scale,
        beta,
        covariance,
        base_rate=float(y.mean()) if len(y) else np.nan,
        n=len(y),
        events=int(y.sum()),
        note=note,
    )


def _columns(rows: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """Give each feature as numbers, missing as NaN, and beside it 1 where it is missing."""
    numbers = {name: check_numbers(rows, name) for name in features}
    unknown = {name + UNKNOWN: np.isnan(values).astype(float) for name, values in numbers.items()}
    return pd.DataFrame(numbers | unknown, index=rows.index)


def _centre_and_scale(columns: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of what is known of each column; an infinite one where nothing varies."""
    known = np.isfinite(columns)
    n = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, columns, 0).sum(axis=0) / n
    spread = np.sqrt((np.where(known, columns - centre, 0) ** 2).sum(axis=0) / n)
    return centre, np.where(spread > 1e-9 * (1 + np.abs(centre)), spread, np.inf)


def _status(design: Array) -> tuple[str, ...]:
    """Say of each column but the first whether it varies and is not said by the columns before it."""
    status = []
    basis = design[:, :1] / np.sqrt(max(len(design), 1))
    for column in design[:, 1:].T:
        length = np.linalg.norm(column)
        rest = column - basis @ (basis.T @ column)
        if length == 0:
            status.append("constant")
        elif np.linalg.norm(rest) < 1e-5 * length:
            status.append("collinear")
        else:
            rest -= basis @ (basis.T @ rest)
            basis = np.c_[basis, rest / np.linalg.norm(rest)]
            status.append("ok")
    return tuple(status)


def _newton(y: Array, design: Array, clusters: Any) -> tuple[Array, Array, bool]:
    """Maximum likelihood, its covariance, and whether it failed for outcomes told apart perfectly."""
    from statsmodels.discrete.discrete_model import Logit

    kind = {} if clusters is None else {"cov_type": "cluster", "cov_kwds": {"groups": clusters}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they warn of is looked for below
        try:
            fit = Logit(y, design).fit(disp=0, maxiter=30, warn_convergence=False, **kind)
        except np.linalg.LinAlgError:
            return np.full(design.shape[1], np.nan), np.zeros((design.shape[1],) * 2), True
    beta, covariance = np.asarray(fit.params), np.asarray(fit.cov_params())
    sound = (
        fit.mle_retvals["converged"]
        and np.isfinite(covariance).all()
        and np.abs(beta[1:]).max(initial=0) < LARGEST
    )
    return beta, covariance, not sound


def odds_ratios(
    rows: pd.DataFrame,
    *,
    feature_cols: Sequence[str],
    outcome_col: str = "outcome",
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tell how the odds of an outcome go with each feature, the others equal: the reasons of a score.

    Parameters
    ----------
    rows, feature_cols, outcome_col, cluster_col
        As `fit_logistic`.
    conf_level : float
        Level at which all limits hold together (Bonferroni).

    Returns
    -------
    DataFrame
        A row per feature in the order given, then one per feature that is missing somewhere ("…_unknown"):
        ``feature``, ``metric`` "odds_ratio", ``estimate`` (odds times this for one standard deviation more;
        1: no relation), ``std_error`` (of its logarithm), ``conf_low, conf_high, n, events``, ``one_step``
        (the standard deviation, in the unit of the feature), ``verdict`` more_likely, less_likely,
        no_difference_shown or not_enough_data, and ``note``: constant, collinear (said by those before it),
        few_events, separated or missing. A relation, no effect.

    Raises
    ------
    ParameterError
        As `fit_logistic`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> people = pd.DataFrame({"frequency": rng.poisson(3, 2_000), "noise": rng.normal(size=2_000)})
    >>> people["outcome"] = rng.random(2_000) < 0.1 + 0.08 * people["frequency"].clip(upper=10)
    >>> odds_ratios(people, feature_cols=["frequency", "noise"])["verdict"].tolist()
    ['more_likely', 'no_difference_shown']
    """
    fit = fit_logistic(rows, feature_cols=feature_cols, outcome_col=outcome_col, cluster_col=cluster_col)
    is_shown = np.array(
        [not name.endswith(UNKNOWN) or s != "constant" for name, s in zip(fit.terms, fit.status, strict=True)]
    )
    ok = np.array([s == "ok" for s in fit.status], dtype=bool) & (fit.note is None)
    level = 1 - (1 - conf_level) / max(int(ok.sum()), 1)
    half = critical_value(level)
    log_odds = np.where(ok, fit.coefficients[1:], np.nan)
    error = np.where(ok, np.sqrt(fit.covariance.diagonal()[1:]), np.nan)
    with np.errstate(over="ignore"):
        estimate, low, high = (np.exp(log_odds + k * half * error) for k in (0, -1, 1))
    verdict = limits_verdict(low, high, null=1.0, unit="ratio", above="more_likely", below="less_likely")
    table = pd.DataFrame({"feature": fit.terms, "metric": "odds_ratio", "estimate": estimate})
    table = table.assign(std_error=error, conf_low=low, conf_high=high, n=fit.n, events=fit.events)
    table["one_step"] = np.where(np.isfinite(fit.scale), fit.scale, np.nan)
    table["verdict"] = np.where(ok, verdict, "not_enough_data")
    table["note"] = [s if s != "ok" else fit.note for s in fit.status]
    return table[is_shown].reset_index(drop=True)
