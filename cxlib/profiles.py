"""Who the customers of a segment are: attributes by segment, with what stands out beyond chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import check_columns
from cxlib.intervals import Interval, false_discovery, share_interval

Array = NDArray[np.float64]
FEWEST_EXPECTED = 1.0


def segment_profile(
    customers: pd.DataFrame,
    *,
    attributes: Sequence[str],
    by: str = "segment",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tabulate attributes by segment: shares (0–1), standardised residuals and Cramér's V (0–1).

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer; customers without a group are left out, a missing attribute is a value of its
        own.
    attributes : sequence of str
        Columns with few different values.
    by : str
        Group column.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        Per attribute a row with `metric` cramers_v (strength of the association, bias-corrected), then rows
        with `metric` share: `attribute`, group, `value` (missing where unknown)`, metric, estimate` (share of
        the group's customers with the value)`, std_error, conf_low, conf_high, n` (customers in the cell; of
        the attribute for cramers_v)`, of` (group)`, expected_n, residual` (adjusted standardised; beyond ±2
        is unusual for one cell)`, p_value, p_adjusted` (for all cells, or all attributes, of the call). V is
        missing where an attribute or the group has one value only.

    Raises
    ------
    ParameterError
        If a column is missing.

    Notes
    -----
    V by Bergsma; its limits come from the non-central χ² distribution, valid for weak to moderate association
    (V up to about .5); the test of V is Pearson's. Residuals (n - e)/√(e(1 - row)(1 - column)) by Haberman;
    cells with an expectation below 1 have none. p-values are adjusted by Benjamini–Hochberg, over all cells
    looked at.

    References
    ----------
    Bergsma (2013) Journal of the Korean Statistical Society 42, 323–328; Haberman (1973) Biometrics 29,
    205–220; Smithson (2003) Confidence Intervals, ch. 5.

    Examples
    --------
    >>> base = pd.DataFrame({"segment": ["A"] * 20 + ["B"] * 20, "region": ["x"] * 15 + ["y"] * 25})
    >>> table = segment_profile(base, attributes=["region"])
    >>> table[["metric", "value", "estimate", "n"]].head(2).round(3).values.tolist()
    [['cramers_v', nan, 0.768, 40], ['share', 'x', 0.75, 15]]
    """
    check_columns(customers, by=by, **{f"attributes[{i}]": name for i, name in enumerate(attributes)})
    data = customers[customers[by].notna()]
    parts = [_cells(data, name, by, conf_level) for name in attributes if name != by and len(data)]
    columns = ["attribute", by, "value", "metric", *Interval._fields, "n", "of", "expected_n", "residual"]
    columns += ["p_value", "p_adjusted"]
    if not parts:
        return pd.DataFrame(columns=columns).astype(dict.fromkeys(columns[4:], "float64"))
    table = pd.concat(parts, ignore_index=True)
    table["p_adjusted"] = np.nan
    for _, rows in table.groupby("metric"):
        table.loc[rows.index, "p_adjusted"] = false_discovery(rows["p_value"].to_numpy(dtype=float))
    return table[columns].astype({"n": "int64", "of": "int64"})


def _cells(data: pd.DataFrame, attribute: str, by: str, conf_level: float) -> pd.DataFrame:
    from scipy.special import ndtr

    values = data[attribute].astype("str")
    counts = pd.crosstab(data[by], values.fillna(""))
    observed = counts.to_numpy(dtype=float)
    n, row, column = observed.sum(), observed.sum(axis=1, keepdims=True), observed.sum(axis=0)
    expected = row * column / n
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = (observed - expected) / np.sqrt(expected * (1 - row / n) * (1 - column / n))
    residual[(expected < FEWEST_EXPECTED) | ~np.isfinite(residual)] = np.nan
    of = np.repeat(row.ravel(), len(counts.columns))
    cells = pd.DataFrame(
        {
            "attribute": attribute,
            by: np.repeat(counts.index.to_numpy(), len(counts.columns)),
            "value": pd.Series(np.tile(counts.columns.to_numpy(), len(counts))).astype("str"),
            "metric": "share",
            **share_interval(observed.ravel(), of, conf_level=conf_level)._asdict(),
            "n": observed.ravel(),
            "of": of,
            "expected_n": expected.ravel(),
            "residual": residual.ravel(),
            "p_value": 2 * ndtr(-np.abs(residual.ravel())),
        }
    )
    cells["value"] = cells["value"].where(cells["value"] != "")
    whole = {"attribute": attribute, "metric": "cramers_v", "n": n, "of": n}
    return pd.concat([pd.DataFrame([whole | cramers_v(observed, conf_level=conf_level)]), cells])


def cramers_v(counts: Array, *, conf_level: float = 0.95) -> dict[str, float]:
    """Measure the association of a two-way table of counts: bias-corrected Cramér's V (0–1) with limits.

    Parameters
    ----------
    counts : array of shape (groups, values)
        Rows and columns without anybody are left out.
    conf_level : float

    Returns
    -------
    dict
        `estimate, conf_low, conf_high, p_value`; missing where one row or column is left.

    Notes
    -----
    See `segment_profile`. The lower limit is 0 where χ² is no larger than independence would give.

    Examples
    --------
    >>> {name: round(value, 3) for name, value in cramers_v([[30, 10], [10, 30]]).items()}
    {'estimate': 0.49, 'conf_low': 0.281, 'conf_high': 0.719, 'p_value': 0.0}
    """
    from scipy.stats import chi2

    table = np.asarray(counts, dtype=float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    rows, columns = table.shape
    n = table.sum()
    if min(rows, columns) < 2 or n < 2:
        return dict.fromkeys(("estimate", "conf_low", "conf_high", "p_value"), np.nan)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    statistic = float(((table - expected) ** 2 / expected).sum())
    df = (rows - 1) * (columns - 1)
    effect = max(statistic / n - df / (n - 1), 0.0)
    fewer = min(size - (size - 1) ** 2 / (n - 1) for size in (rows, columns))
    tail = (1 - conf_level) / 2
    limits = [_noncentrality(statistic, df, level) for level in (1 - tail, tail)]
    most = min(rows, columns) - 1
    low, high = (min(float(np.sqrt(limit / n / most)), 1.0) for limit in limits)
    estimate = min(np.sqrt(effect / (fewer - 1)), 1.0) if fewer > 1 else np.nan
    p_value = float(chi2.sf(statistic, df))
    return {"estimate": float(estimate), "conf_low": low, "conf_high": high, "p_value": p_value}


def _noncentrality(statistic: float, df: int, level: float) -> float:
    """Non-centrality at which the statistic is the `level` quantile of its distribution; 0 if none is."""
    from scipy.optimize import brentq
    from scipy.special import chndtr

    if chndtr(statistic, df, 0.0) <= level:
        return 0.0
    top = max(4 * statistic, 50.0)
    return float(brentq(lambda shift: chndtr(statistic, df, shift) - level, 0.0, top))
