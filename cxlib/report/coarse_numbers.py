"""How coarse a number must be so that two reports side by side give no customer away.

Exact reports are safe one by one and not in pairs: what one customer bought on a day is the difference of
the totals before and after it, and who moves from one segment to another takes a whole history along. So the
step of money is larger than anything one customer ever bought; then the difference of two published sums is
nothing, or at least a quarter more than any one customer's amount.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import pandas as pd

from cxlib.report.disclosure import KEY_COLUMNS, PEOPLE

#: Columns and metrics that hold money per customer; any other money is taken for a sum, which is the coarser.
PER_CUSTOMER = frozenset(
    {"mean", "monetary_mean", "next_amount", "spend_gap", "spend", "repeat_gap_amount", "value_with_f2"}
    | {"value_without_f2", "value_referred", "value_others", "break_even_effect", "effect", "shrunk"}
)
#: Money that is one customer's own amount: the border between two groups.
BORDERS = frozenset({"lower", "upper", "median", "median_amount"})
_NOT_PEOPLE = re.compile(
    r"month|day|wave|score|rank|time|horizon|driver|group|stage|alarm|quiet|decile|lowest|highest|year|seed|start"
)
_END = re.compile(r"_?(conf_low|conf_high|low|high|std_error)$")
_PADDING = 1.25  # no difference of a step lies within a fifth of any customer's amount
_SHARE_STEP = 0.01
_RETURN_STEP = 0.1  # of a cost the company knows


@dataclass(frozen=True)
class Under:
    """What an amount too small to be shown stays under, and whether it is a loss; a class to name both."""

    limit: float
    is_negative: bool
    unit: str = "currency"


@dataclass(frozen=True)
class Coarse:
    """Steps of everything shown: a class so that one report uses the same everywhere.

    Attributes
    ----------
    base : int
        Counts of people are multiples of this.
    sum_step : float
        Sums of money are multiples of this, or of their own third digit where that is coarser; smaller than
        two steps they are not shown, so no customer holds more than half of a shown sum. 0 without money.
    share_step : float
        Shares are multiples of this, or of `base` per customer where that is coarser.
    min_cell : int
        Fewer people than this are not shown.
    """

    base: int
    sum_step: float
    share_step: float
    min_cell: int


def coarse_of(amounts: pd.Series, *, min_cell: int) -> Coarse:
    """Choose the steps of a report, from what each customer bought in all.

    Parameters
    ----------
    amounts : Series of float
        Money by customer, refunds taken off or not; missing counts as nothing.
    min_cell : int
        Smallest number of customers a shown row may stand for.

    Examples
    --------
    >>> coarse_of(pd.Series([300.0, 700.0] * 50 + [1_500.0]), min_cell=10)
    Coarse(base=5, sum_step=2000.0, share_step=0.05, min_cell=10)
    """
    known = amounts.abs().fillna(0.0)
    largest, total = float(known.max() if len(known) else 0.0), float(known.sum())
    step = step_up(_PADDING * largest)
    share = step_up(max(_SHARE_STEP, step / total if total else 0.0))
    return Coarse(max(5, min_cell // 2), step, min(share, 1.0), min_cell)


def step_up(value: float) -> float:
    """Smallest of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is not below `value`; 0 for 0.

    So the step itself tells a customer's amount to a factor of two only.

    Examples
    --------
    >>> step_up(0.03), step_up(1_719_690), step_up(200), step_up(0)
    (0.05, 2000000.0, 200.0, 0.0)
    """
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * (1 - 1e-12))


def coarse_value(raw: Any, *, name: str, unit: str, n: float | None, coarse: Coarse) -> Any:
    """One number as a shared report may show it.

    Parameters
    ----------
    raw
        The number; texts, days and missing values come back as they are.
    name, unit
        What it is: a column or placeholder, or the metric of its row, and its unit.
    n
        Customers it is made from; None where that is not known.
    coarse
        Steps.

    Returns
    -------
    The rounded number, None where it may not be shown, or an `Under`.

    Examples
    --------
    >>> steps = Coarse(base=5, sum_step=1000.0, share_step=0.02, min_cell=10)
    >>> [coarse_value(x, name="amount", unit="currency", n=40, coarse=steps) for x in (6_752_901, 1_200)]
    [6750000.0, Under(limit=2000.0, is_negative=False, unit='currency')]
    >>> coarse_value(168.2, name="mean", unit="currency", n=40, coarse=steps)
    150.0
    >>> coarse_value(0.377, name="share", unit="share", n=40, coarse=steps)
    0.4
    """
    if unit == "text" or isinstance(raw, str | bool) or not isinstance(raw, Real) or not math.isfinite(raw):
        return raw
    value = float(raw)
    if unit == "currency":
        return _money(value, name, n, coarse)
    if unit == "count":
        return _count(raw, name, coarse)
    if unit in ("share", "probability", "pp"):
        return _share(value, name, unit, n, coarse)
    if unit == "points":
        return _nearest(value, step_up(max(1.0, 100 * _per_person(coarse.base, n))))
    if unit in ("days", "months", "date", "p_value") or name in KEY_COLUMNS:
        return raw
    return _digits(value, 2)


def _per_person(base: int, n: float | None) -> float:
    return base / n if n else 0.0


def _nearest(value: float, step: float) -> float:
    return float(f"{round(value / step) * step:.12g}") if step else value


def _digits(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _count(raw: Any, name: str, coarse: Coarse) -> Any:
    if _NOT_PEOPLE.search(name):
        return raw
    is_people = name in PEOPLE or name.startswith("n_") or name in ("rows", "orders", "answers")
    if raw < coarse.min_cell:
        return None if is_people and raw > 0 else raw
    return int(_nearest(float(raw), coarse.base))


def _share(value: float, name: str, unit: str, n: float | None, coarse: Coarse) -> float | Under:
    step = _RETURN_STEP if "roi" in name else coarse.share_step / (2 if unit == "pp" else 1)
    step = step_up(max(step, _per_person(coarse.base, n)))
    found = _nearest(value, step)
    found = min(found, 1.0) if value <= 1 else found
    if found == 0 != value and not _END.search(name):  # an end of an interval may, a result not
        return Under(step, value < 0, unit)
    return found


def _money(value: float, name: str, n: float | None, coarse: Coarse) -> float | Under | None:
    own = _END.sub("", name)
    if own in BORDERS:
        return None
    is_mean = own in PER_CUSTOMER and n is not None and n > 0
    step = step_up(coarse.sum_step / n) if is_mean and n else coarse.sum_step
    if abs(value) < 2 * step:
        return Under(2 * step, value < 0)
    third = 10.0 ** (math.floor(math.log10(abs(value))) - 2) if value else 0.0
    return _nearest(value, max(step, third))


def coarse_frame(
    frame: pd.DataFrame, *, units: Mapping[str, str | Mapping[str, str]], n_col: str | None, coarse: Coarse
) -> pd.DataFrame:
    """Round every number of a result frame; an `Under` stands where an amount is too small.

    Parameters
    ----------
    frame
        A result frame; not changed.
    units
        Unit by column, or by column and `metric` of the row.
    n_col
        Column with the customers of the row, exact; None where rows do not stand for customers.
    coarse
        Steps.

    Returns
    -------
    DataFrame
        Columns and rows of `frame`, as objects. Both ends of an interval are missing where one is not shown,
        and so are standard errors.
    """
    rows = [_coarse_row(row, units, n_col, coarse) for row in frame.rename(columns=str).to_dict("records")]
    names = [str(name) for name in frame.columns]
    return pd.DataFrame(rows, index=frame.index, columns=names, dtype="object").set_axis(
        frame.columns, axis=1
    )


def _coarse_row(
    row: Mapping[Any, Any], units: Mapping[str, Any], n_col: str | None, coarse: Coarse
) -> dict[str, Any]:
    n = row.get(n_col) if n_col else None
    people = float(n) if n is not None and not pd.isna(n) else None
    metric = str(row.get("metric", ""))
    found: dict[str, Any] = {}
    for name, raw in row.items():
        unit = units.get(name, "number")
        unit = unit if isinstance(unit, str) else unit.get(metric, "number")
        known = metric if metric in PER_CUSTOMER and not name.startswith("amount") else name
        found[name] = coarse_value(raw, name=known, unit=unit, n=people, coarse=coarse)
        if name.endswith("std_error"):
            found[name] = None
    for low in [name for name in found if name.endswith("conf_low")]:
        high = low.removesuffix("conf_low") + "conf_high"
        if any(isinstance(found.get(end), Under) for end in (low, high)):
            found[low] = found[high] = None
    return found
