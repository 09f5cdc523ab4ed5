"""Lorenz curve, Gini coefficient and the share of the top customers, each with its interval.

Only customers with a positive net amount can hold a share of sales. Intervals treat the customers as a sample
of customers like these: they say how far another such base could differ by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.stack_groups import stacked

FEWEST, FEWEST_STEPS = 10, 4


def lorenz(
    customers: pd.DataFrame,
    *,
    value_col: str = "monetary_total",
    by: str | None = None,
    points: int = 101,
    min_step: int = 1,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Lorenz curve: the share of sales that the smallest `customer_share` of customers bring.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer; values missing or not above zero are left out.
    value_col, by : str
        Money, and an optional group column (a missing group is left out).
    points : int
        Equally spaced shares of customers from 0 to 1, at most.
    min_step : int
        Fewest customers between two points; fewer points where the group is too small for all of them, no
        curve below four steps.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        Group, `customer_share, metric, estimate, std_error, conf_low, conf_high, n`; pointwise limits. Groups
        with fewer than two customers are left out.

    Raises
    ------
    ParameterError
        If a column is unknown.

    Notes
    -----
    L(p) = ∫₀ᵖ Q(t)dt / μ, linear between customers; error by the influence function.

    References
    ----------
    Beach & Davidson (1983); Gastwirth (1972) Review of Economics and Statistics 54, 306–316.

    Examples
    --------
    >>> lorenz(pd.DataFrame({"monetary_total": [1, 3]}), points=3)["estimate"].tolist()
    [0.0, 0.25, 1.0]
    """
    parts = []
    for group, x in _groups(customers, value_col, by):
        share = np.linspace(0, 1, min(points, len(x) // min_step + 1))
        if len(x) >= 2 and len(x) // min_step >= min(FEWEST_STEPS, len(x)):
            curve = share_limits(lorenz_at(x, share), _lorenz_error(x, share)[0], conf_level)
            part = {**group, "customer_share": share, "metric": "lorenz"}
            parts.append({**part, **curve._asdict(), "n": len(x)})
    return stacked(parts, [*([by] if by else []), "customer_share", "metric", *Interval._fields, "n"])


def concentration(
    customers: pd.DataFrame,
    *,
    value_col: str = "monetary_total",
    by: str | None = None,
    top: Sequence[float] = (0.1, 0.2),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Gini coefficient (0–1) and the share of sales that the top customers bring, with intervals.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer; values missing or not above zero are left out.
    value_col, by : str
        Money, and an optional group column (a missing group is left out).
    top : sequence of float
        Shares of customers, each between 0 and 1.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        Group, `metric` (gini or top_share), `top` (share of customers; missing for the Gini), `estimate,
        std_error, conf_low, conf_high, n, estimate_unbiased` (Gini times n/(n-1))`, largest_share` (of the
        customer with most sales: beyond a half, the rest is told better without that customer)`, n_top`
        (whole customers in the top, at least one: the share is theirs; missing for the Gini). The top cannot
        hold less than its own share of customers: no limit lies below `top`. Error and limits are
        missing below ten customers, and where everybody is equal.

    Raises
    ------
    ParameterError
        If a column is unknown or a share of `top` is not between 0 and 1.

    Notes
    -----
    G = 2Σi·x₍ᵢ₎/(n²μ) - (n+1)/n; its error is Davidson's, the limits are on the logit scale around the
    unbiased value. The few largest customers decide the error itself, so the limits use Student's t with
    n/(2(κ - 1)) degrees of freedom, κ the kurtosis of the influences: half of what Satterthwaite's rule for
    an estimated variance gives, set by simulation. Coverage of the 95 % interval then is 94–97 % with 100
    or more customers and a log-normal spread of σ ≤ 1 and with 300 at σ = 1.5 (Gini .71; 86 % with the
    normal), 90 % with 100 at σ = 1.5 and with 300 at σ = 2 (Gini .84), 88–90 % for a Pareto tail of 1.5.

    References
    ----------
    Davidson (2009) Journal of Econometrics 150, 30–40; Gastwirth (1972).

    Examples
    --------
    >>> income = [541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261]
    >>> concentration(pd.DataFrame({"monetary_total": income}))["estimate"].round(7).tolist()
    [0.4620911, 0.3343195, 0.5130958]
    """
    if not all(0 < share < 1 for share in top):
        raise ParameterError("segmentation.top", found=", ".join(map(str, top)))
    parts = []
    for group, x in _groups(customers, value_col, by):
        gini, unbiased, error, df = _gini(x)
        whole = np.maximum(np.floor(np.array(top) * len(x) + 1e-9), 1)
        rest = 1 - whole / max(len(x), 1)
        estimate = np.append(unbiased, 1 - lorenz_at(x, rest) if len(x) else rest * np.nan)
        top_error, top_df = _lorenz_error(x, rest)
        std_error = np.append(error, top_error)
        if len(x) < FEWEST or np.ptp(x) == 0:
            std_error = std_error * np.nan
        limits = share_limits(estimate, std_error, conf_level, df=np.append(df, top_df))
        limits = limits._replace(
            estimate=np.append(gini, limits.estimate[1:]),
            conf_low=np.maximum(limits.conf_low, np.append(0.0, 1 - rest)),
        )
        part = {**group, "metric": ["gini"] + ["top_share"] * len(top), "top": np.append(np.nan, top)}
        part |= {**limits._asdict(), "n": len(x), "estimate_unbiased": np.append(unbiased, rest * np.nan)}
        part |= {"largest_share": x[-1] / x.sum() if len(x) else np.nan}
        parts.append(part | {"n_top": np.append(np.nan, np.minimum(whole, len(x)))})
    own = ["metric", "top", *Interval._fields, "n", "estimate_unbiased", "largest_share", "n_top"]
    return stacked(parts, [*([by] if by else []), *own])


def lorenz_at(x: Array, share: Array) -> Array:
    """L at the shares of customers, linear between customers; `x` sorted ascending."""
    total = np.append(0.0, np.cumsum(x))
    return cast(Array, np.interp(share * len(x), np.arange(len(x) + 1), total / total[-1]))


def share_limits(estimate: Any, std_error: Any, conf_level: float, *, df: Any = None) -> Interval:
    """Limits on the logit scale; missing where the share is 0 or 1 or its error is 0 or unknown."""
    share, error = np.asarray(estimate, dtype=float), np.asarray(std_error, dtype=float)
    inside = (share > 0) & (share < 1) & (error > 0)
    safe = np.where(inside, share, 0.5)
    logit, half = np.log(safe / (1 - safe)), critical_value(conf_level, df=df) * error / (safe * (1 - safe))
    low, high = (np.where(inside, 1 / (1 + np.exp(-(logit + s * half))), np.nan) for s in (-1, 1))
    return Interval(share, np.where(inside, error, np.nan), low, high)


def _groups(
    customers: pd.DataFrame, value_col: str, by: str | None
) -> Iterator[tuple[dict[str, Any], Array]]:
    """Yield each group's key by its column and its positive values, sorted ascending."""
    check_columns(customers, value_col=value_col, by=by)
    pieces: Any = [(None, customers)] if by is None else customers.groupby(by, observed=True)
    for key, piece in pieces:
        values = piece[value_col].to_numpy(dtype=float, na_value=np.nan)
        yield {by: key} if by else {}, np.sort(values[values > 0])


def _lorenz_error(x: Array, share: Array) -> tuple[Array, Array]:
    """Return the error of L at the shares, of ((x-q)⁻ - L·x)/μ over √n, and its degrees of freedom."""
    n, errors, df = len(x), np.full(len(share), np.nan), np.full(len(share), np.nan)
    if n < 2:
        return errors, df
    for i, (p, ordinate) in enumerate(zip(share, lorenz_at(x, share), strict=True)):
        q = x[min(max(int(np.ceil(p * n - 1e-9)) - 1, 0), n - 1)]
        influence = np.minimum(x - q, 0) * (p > 0) - ordinate * x if p < 1 else np.zeros(n)
        errors[i] = influence.std() / x.mean() / np.sqrt(n)
        df[i] = error_df(influence)
    return errors, df


def _gini(x: Array) -> tuple[float, float, float, float]:
    """Gini, its unbiased value, Davidson's standard error of it and that error's degrees of freedom.

    `x` is sorted ascending.
    """
    n = len(x)
    if n < 2 or x[0] == x[-1]:
        return (0.0 if n else np.nan), (0.0 if n > 1 else np.nan), np.nan, np.nan
    i, mean = np.arange(1, n + 1), x.mean()
    gini = 2 * (i * x).sum() / (n * n * mean) - (n + 1) / n
    z = -(gini + 1) * x + (2 * i - 1) / n * x - 2 / n * x.cumsum()
    scale = n / (n - 1)
    return float(gini), float(gini * scale), float(z.std() / mean / np.sqrt(n) * scale), error_df(z)


def error_df(influence: Array) -> float:
    """Degrees of freedom of an error from influences with heavy tails; see `concentration`.

    Examples
    --------
    >>> error_df(np.array([-1.0, 1.0] * 10 + [9.0]))
    1.5
    """
    centred = influence - influence.mean()
    square = float((centred**2).mean())
    if square <= 0:
        return np.nan
    return float(df_of_kurtosis(len(centred), float((centred**4).mean()) / square**2))


def df_of_kurtosis(n: Any, kurtosis: Any) -> Any:
    """Degrees of freedom of an error of `n` influences with that kurtosis, at least 1.5.

    Examples
    --------
    >>> float(df_of_kurtosis(100, 3.0))
    25.0
    """
    return np.maximum(n / 2 / np.maximum(np.asarray(kurtosis) - 1, 0.1), 1.5)
