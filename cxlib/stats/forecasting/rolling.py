"""Forecasts made on one month after the other and held against what came: which beats the year before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData, ParameterError, check_columns, check_frame
from cxlib.stats.arrays import Array
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.forecasting.methods import LEAST_SEASONS, exponential_smoothing, seasonal_naive
from cxlib.stats.intervals import Interval, clustered_mean_interval
from cxlib.stats.number_columns import check_numbers
from cxlib.stats.verdicts import limits_verdict

#: Forecasts of a series by its first months: position of the first month ahead, months ahead, level.
Method = Callable[[int, int, float], Interval]
NAIVE = "seasonal_naive"
#: Fewest months known before a forecast, and differences to a year ago before one is tested.
LEAST_MONTHS, LEAST_CHANGES = 8, 3


def _methods(values: Array, season: int, more: Mapping[str, Method]) -> dict[str, Method]:
    def naive(start: int, horizon: int, level: float) -> Interval:
        return seasonal_naive(values[:start], horizon, season=season, level=level)

    def smoothing(start: int, horizon: int, level: float) -> Interval:
        return exponential_smoothing(values[:start], horizon, season=season, level=level)

    return {NAIVE: naive, "smoothing": smoothing, **more}


def _read(sales: pd.DataFrame, amount_col: str, month_col: str, horizon: int, known: int) -> Array:
    check_frame(sales, argument="sales")
    check_columns(sales, month_col=month_col, amount_col=amount_col)
    values = check_numbers(sales, amount_col)
    if horizon < 1:
        raise ParameterError("forecast.horizon", found=horizon)
    if np.isnan(values).any():
        raise ParameterError("forecast.gap", column=amount_col, n=int(np.isnan(values).sum()))
    if len(values) < known + horizon:
        raise NotEnoughData("forecast.too_short", n=len(values), least=known + horizon)
    return values


def next_months(
    sales: pd.DataFrame,
    *,
    horizon_months: int = 3,
    season_months: int = 12,
    level: float = 0.8,
    more: Mapping[str, Method] | None = None,
    amount_col: str = "amount",
    month_col: str = "month",
) -> pd.DataFrame:
    """Forecast the months after the last one by every method.

    Parameters
    ----------
    sales : DataFrame
        One row per month without a gap, oldest first: `month` (its first day) and the amount.
    horizon_months, season_months : int
        Months ahead, and in a year.
    level : float
        Level of the intervals.
    more : mapping, optional
        Further methods by name: callables that take the position of the first month ahead, the months ahead
        and the level, and return an `Interval` of arrays.
    amount_col, month_col : str

    Returns
    -------
    DataFrame
        ``method`` (seasonal_naive, smoothing, and those of `more`)``, month, metric`` "sales"``, estimate,
        std_error, conf_low, conf_high`` in the unit of the amount, ``n`` (months known).

    Raises
    ------
    ParameterError
        A column is missing, an amount is missing or text, or no month ahead is asked for.
    NotEnoughData
        Fewer than eight months besides those ahead.

    Examples
    --------
    >>> months = pd.date_range("2025-01-01", periods=14, freq="MS")
    >>> sales = pd.DataFrame({"month": months, "amount": [100.0] * 12 + [110.0, 120.0]})
    >>> ahead = next_months(sales, horizon_months=1)
    >>> ahead[["method", "estimate"]].head(1).values.tolist()
    [['seasonal_naive', 100.0]]
    """
    values = _read(sales, amount_col, month_col, horizon_months, LEAST_MONTHS)
    last = pd.Timestamp(sales[month_col].iloc[-1])
    months = [last + pd.DateOffset(months=ahead) for ahead in range(1, horizon_months + 1)]
    parts = [
        pd.DataFrame({"method": name, "month": months, "metric": "sales"}).assign(
            **method(len(values), horizon_months, level)._asdict()
        )
        for name, method in _methods(values, season_months, more or {}).items()
    ]
    return pd.concat(parts, ignore_index=True).assign(n=len(values))


def roll_forecasts(
    sales: pd.DataFrame,
    *,
    horizon_months: int = 3,
    season_months: int = 12,
    level: float = 0.8,
    more: Mapping[str, Method] | None = None,
    amount_col: str = "amount",
    month_col: str = "month",
) -> pd.DataFrame:
    """Forecast from one month after the other as if it were the last one known, beside what came.

    Parameters
    ----------
    sales, horizon_months, season_months, level, more, amount_col, month_col
        As `next_months`. The first forecast is made once there are a year and three months: before, there is
        no same month a year ago to beat.

    Returns
    -------
    DataFrame
        ``method, origin`` (first month ahead)``, step`` (1: the first month)``, month, actual, estimate,
        conf_low, conf_high`` and ``scale`` (mean size of the change to a year ago in the months known then).

    Raises
    ------
    ParameterError
        As `next_months`.
    NotEnoughData
        Fewer months than a year and three besides those ahead.

    Examples
    --------
    >>> months = pd.date_range("2024-01-01", periods=24, freq="MS")
    >>> sales = pd.DataFrame({"month": months, "amount": np.arange(24.0) + 100})
    >>> rolled = roll_forecasts(sales)
    >>> rolled["origin"].nunique(), len(rolled)
    (7, 42)
    """
    first = season_months + LEAST_CHANGES
    values = _read(sales, amount_col, month_col, horizon_months, first)
    months = pd.to_datetime(sales[month_col]).reset_index(drop=True)
    methods, parts = _methods(values, season_months, more or {}), []
    for start in range(first, len(values) - horizon_months + 1):
        places = slice(start, start + horizon_months)
        about = {
            "origin": months[start],
            "step": np.arange(1, horizon_months + 1),
            "month": months[places].to_numpy(),
            "actual": values[places],
            "scale": float(np.abs(values[season_months:start] - values[: start - season_months]).mean()),
        }
        for name, method in methods.items():
            found = method(start, horizon_months, level)
            limits = {"estimate": found.estimate, "conf_low": found.conf_low, "conf_high": found.conf_high}
            parts.append(pd.DataFrame({"method": name} | about | limits))
    return pd.concat(parts, ignore_index=True)


def forecast_quality(
    rolled: pd.DataFrame, *, level: float = 0.8, conf_level: float = 0.95, baseline: str = NAIVE
) -> pd.DataFrame:
    """Judge forecasts by what came: error, bias, coverage, and whether they beat the same month a year ago.

    Parameters
    ----------
    rolled : DataFrame
        Result of `roll_forecasts`.
    level : float
        Level of its intervals.
    conf_level : float
        Level of the limits here; those of the gains hold for all methods together (Bonferroni).
    baseline : str
        Method that the others must beat.

    Returns
    -------
    DataFrame
        ``method, metric, estimate, std_error, conf_low, conf_high, n`` (origins)``, verdict``. Metrics: wape
        (sum of absolute errors over sum of amounts), mase (absolute error over the mean change to a year ago
        known at the origin; below 1: better than that), bias (sum of forecast less amount over sum of
        amounts), coverage (share of amounts inside their interval; verdict off where its limits leave out
        `level`), wape_gain (part of the baseline's error that is saved; verdict ahead, behind,
        no_difference_shown, or not_enough_data with fewer than three blocks of origins).

    Raises
    ------
    ParameterError
        A column or the baseline is missing.

    Notes
    -----
    Forecasts of following origins share months, so errors are taken by blocks of as many origins as months
    ahead, with Student's t. Of two methods as good as each other one is called ahead in 2–3 of 100 series,
    for 7 to 30 origins of three months.

    References
    ----------
    Hyndman & Koehler (2006) International Journal of Forecasting 22, 679–688 (MASE).

    Examples
    --------
    >>> months = pd.date_range("2024-01-01", periods=24, freq="MS")
    >>> sales = pd.DataFrame({"month": months, "amount": 1e3 + 9e2 * np.sin(np.arange(24.0) / 10)})
    >>> judged = forecast_quality(roll_forecasts(sales))
    >>> judged[judged["metric"] == "wape_gain"][["method", "verdict"]].values.tolist()
    [['smoothing', 'no_difference_shown']]
    """
    columns = ("method", "origin", "step", "actual", "estimate", "conf_low", "conf_high", "scale")
    check_columns(rolled, **{name: name for name in columns})
    held = rolled.sort_values(["origin", "step"], kind="stable").groupby("method")
    names = sorted(map(str, held.groups), key=lambda name: (name != baseline, name))
    if baseline not in names:
        raise ParameterError("forecast.baseline", found=baseline, methods=", ".join(names))
    base = held.get_group(baseline).reset_index(drop=True)
    origin = pd.factorize(base["origin"], sort=True)[0]
    block = origin // int(base["step"].max())
    each = 1 - (1 - conf_level) / max(len(names) - 1, 1)
    found: list[tuple[Any, ...]] = []
    for name in names:
        rows = held.get_group(name).reset_index(drop=True)
        error, actual = (rows["estimate"] - rows["actual"]).to_numpy(), rows["actual"].to_numpy()
        size = float(np.abs(actual).mean()) or np.nan  # months without sales have no relative error
        inside = ((rows["conf_low"] <= actual) & (actual <= rows["conf_high"])).to_numpy(float)
        share = clustered_share_interval(inside, block, conf_level=conf_level)
        if rows["conf_low"].isna().all():
            share = Interval(*[np.nan] * 4)
        found += [
            (name, "wape", _blocked(np.abs(error) / size, block, conf_level)),
            (
                name,
                "mase",
                _blocked(np.abs(error) / rows["scale"].where(rows["scale"] > 0), block, conf_level),
            ),
            (name, "bias", _blocked(error / size, block, conf_level)),
            (name, "coverage", share),
        ]
        if name != baseline:
            other = np.abs((base["estimate"] - base["actual"]).to_numpy())
            gain = (other - np.abs(error)) / other.mean() if other.mean() > 0 else other * np.nan
            found.append((name, "wape_gain", _blocked(gain, block, each)))
    table = pd.DataFrame([row[:2] for row in found], columns=["method", "metric"])
    table = table.assign(**Interval(*np.array([row[2] for row in found], dtype=float).T)._asdict())
    is_error = table["metric"].isin(["wape", "mase"])
    table["conf_low"] = table["conf_low"].mask(
        is_error, table["conf_low"].clip(lower=0)
    )  # no error is below 0
    is_gain = table["metric"] == "wape_gain"
    table["conf_high"] = table["conf_high"].mask(is_gain, table["conf_high"].clip(upper=1))
    blocks = len(np.unique(block))
    table["n"] = len(np.unique(origin))
    table["verdict"] = [_verdict(row, level, blocks) for row in table.itertuples()]
    return table


def _blocked(values: Any, block: Any, conf_level: float) -> Interval:
    if not np.isfinite(values).all():
        return Interval(*[np.nan] * 4)
    return clustered_mean_interval(values, block, conf_level=conf_level)


def _verdict(row: Any, level: float, blocks: int) -> str | None:
    if row.metric == "coverage" and np.isfinite(row.conf_low):
        return str(
            limits_verdict(row.conf_low, row.conf_high, null=level, unit="share", above="off", below="off")
        )
    if row.metric != "wape_gain":
        return None
    if blocks < 3 or not np.isfinite(row.conf_low):
        return "not_enough_data"
    return str(limits_verdict(row.conf_low, row.conf_high, unit="share", above="ahead", below="behind"))


def forecast_told(quality: pd.DataFrame, *, months: int, season_months: int = 12) -> dict[str, Any]:
    """Name the forecast to go by: one that beats the same month a year ago, or else that.

    Parameters
    ----------
    quality : DataFrame
        Result of `forecast_quality`.
    months : int
        Months of sales known.
    season_months : int

    Returns
    -------
    dict
        `claim` "ahead", "naive" or "untested" (no gain has limits); `method` (to go by)`, verdict` (ahead,
        no_difference_shown, behind, not_enough_data)`, wape, wape_naive, coverage, n, months`; for "ahead"
        `estimate, conf_low, conf_high` (part of the error saved), else those of the method nearest to it;
        `is_season_known` (three years).

    Examples
    --------
    >>> rows = pd.DataFrame({"method": ["seasonal_naive", "smoothing", "smoothing"],
    ...     "metric": ["wape", "wape", "wape_gain"], "estimate": [0.1, 0.05, 0.5], "conf_low": 0.2,
    ...     "conf_high": 0.7, "n": 20, "verdict": [None, None, "ahead"]})
    >>> told = forecast_told(rows, months=40)
    >>> told["claim"], told["method"], told["is_season_known"]
    ('ahead', 'smoothing', True)
    """
    wape = quality[quality["metric"] == "wape"].set_index("method")["estimate"]
    cover = quality[quality["metric"] == "coverage"].set_index("method")["estimate"]
    gains = quality[quality["metric"] == "wape_gain"].sort_values("estimate", ascending=False, kind="stable")
    ahead = gains[gains["verdict"] == "ahead"]
    judged = gains[gains["verdict"] != "not_enough_data"]
    best = (ahead if len(ahead) else judged if len(judged) else gains).iloc[0]
    method = str(best["method"]) if len(ahead) else NAIVE
    told = {name: best[name] for name in ("estimate", "conf_low", "conf_high", "n", "verdict")}
    return told | {
        "claim": "ahead" if len(ahead) else "naive" if len(judged) else "untested",
        "method": method,
        "rival": str(best["method"]),
        "wape": float(wape[method]),
        "wape_naive": float(wape[NAIVE]),
        "coverage": float(cover[method]) if method in cover else np.nan,
        "months": months,
        "is_season_known": months >= LEAST_SEASONS * season_months,
    }
