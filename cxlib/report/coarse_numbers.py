"""How coarse a number must be so that two reports side by side give no customer away.

Exact reports are safe one by one and not in pairs: what one customer bought on a day is the difference of
the totals before and after it, and who moves from one segment to another takes a whole history along. So
money is rounded to a step larger than what the customer bought; then the difference of two published sums is
nothing, or at least a quarter more than the customer's amount. All but the largest hundredth of customers
share one step; what each larger size of customer brings is rounded apart, by the step of that size, so that
a few large customers do not make coarse what others bought. Where only a sum is known and not who carries
it, the step is that of the largest customer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from cxlib.language import is_missing
from cxlib.report.disclosure import KEY_COLUMNS, PEOPLE, cover, row_labels

#: Columns and metrics that hold money per customer; any other money is taken for a sum, which is the coarser.
PER_CUSTOMER = frozenset(
    {
        "mean_amount",
        "monetary_mean",
        "next_amount",
        "spend_gap",
        "spend",
        "repeat_gap_amount",
        "value_with_f2",
    }
    | {"value_without_f2", "value_referred", "value_others", "break_even_effect", "effect", "shrunk"}
    | {"amount_referred", "amount_others", "amount_gap", "middle_referred", "middle_others", "middle_gap"}
)
#: Shares that count customers, whatever these bought; any other share may be one of money.
OF_CUSTOMERS = frozenset({"customer_share", "repeat_rate", "repeat", "lapse", "referral", "referred_share"})
#: Parts of a whole that is shown beside them: left out where the amount itself is.
_OF_MONEY = frozenset({"share", "cumulative_share", "amount_share", "sales_share"})
#: Money that is one customer's own amount: the border between two groups.
BORDERS = frozenset({"lower_amount", "upper_amount", "upper", "median", "median_amount"})
_NOT_PEOPLE = re.compile(
    r"month|day|wave|score|rank|time|horizon|driver|group|stage|alarm|quiet|decile|lowest|highest|year|seed|start"
)
_END = re.compile(r"_?(conf_low|conf_high|low|high|std_error)$")
_PADDING = 1.25  # no difference of a step lies within a fifth of any customer's amount
_USUAL = 0.99  # part of the customers whose money shares one step
_LARGEST_PART = 3  # steps of its largest customer a sum holds at least: no customer carries more than 27 %
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
        Step of what all but the largest hundredth of customers bring; 0 without money.
    whole_step : float
        Step of a sum of which only the size is known: larger than any customer. Sums are rounded to their own
        third digit where that is coarser; smaller than two steps they are not shown, so no customer holds
        more than half of one.
    share_step : float
        Shares are multiples of this, or of `base` per customer where that is coarser.
    min_cell : int
        Fewer people than this are not shown.
    """

    base: int
    sum_step: float
    whole_step: float
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
    >>> coarse_of(pd.Series([300.0, 700.0] * 100 + [1_500.0]), min_cell=10)
    Coarse(base=5, sum_step=1000.0, whole_step=2000.0, share_step=0.02, min_cell=10)
    """
    known = amounts[amounts != 0].abs().dropna()
    usual, largest = (float(known.quantile(part, "higher")) if len(known) else 0.0 for part in (_USUAL, 1.0))
    share = step_up(max(_SHARE_STEP, _PADDING * largest / known.sum() if largest else 0.0))
    step, whole = (step_up(_PADDING * amount) for amount in (usual, largest))
    return Coarse(max(5, min_cell // 2), step, whole, min(share, 1.0), min_cell)


def coarse_sum(parts: pd.Series, *, coarse: Coarse) -> float | Under | None:
    """Round what customers bring together, each size of customer by a step larger than any of that size.

    Parameters
    ----------
    parts : Series of float
        What each customer brings; missing counts as nothing.
    coarse
        Steps.

    Returns
    -------
    The rounded sum; an `Under` where it is below two steps, None where the largest customer may carry more
    than a quarter of it.

    Examples
    --------
    >>> steps = Coarse(base=5, sum_step=1_000.0, whole_step=20_000.0, share_step=0.02, min_cell=10)
    >>> coarse_sum(pd.Series([400.0] * 60 + [3_000.0]), coarse=steps)  # 24,000, and one of 3,000 to 5,000
    29000.0
    >>> coarse_sum(pd.Series([400.0] * 20 + [3_000.0]), coarse=steps) is None
    True
    """
    money = np.nan_to_num(parts.to_numpy(dtype="float64", na_value=np.nan))
    steps = np.full(len(money), coarse.sum_step)
    is_large = _PADDING * np.abs(money) > coarse.sum_step
    steps[is_large] = [step_up(_PADDING * amount) for amount in np.abs(money[is_large])]
    sizes, size = np.unique(steps, return_inverse=True)
    total = sum(map(_nearest, np.bincount(size, money).tolist(), sizes.tolist()))
    exact = float(money.sum())
    if is_large.any() and abs(exact) < _LARGEST_PART * sizes[-1]:
        return None
    if abs(exact) < 2 * coarse.sum_step:
        return Under(2 * coarse.sum_step, exact < 0)
    return _digits(total, 3)


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
    >>> steps = Coarse(base=5, sum_step=1000.0, whole_step=1000.0, share_step=0.02, min_cell=10)
    >>> [coarse_value(x, name="amount", unit="currency", n=40, coarse=steps) for x in (6_752_901, 1_200)]
    [6750000.0, Under(limit=2000.0, is_negative=False, unit='currency')]
    >>> coarse_value(168.2, name="mean_amount", unit="currency", n=40, coarse=steps)
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
        return _on_grid(value, step_up(max(1.0, 100 * _per_person(coarse.base, n))), name)
    if unit in ("days", "months", "date", "p_value") or name in KEY_COLUMNS:
        return raw
    return _digits(value, 2)


def _per_person(base: int, n: float | None) -> float:
    return base / n if n else 0.0


def _nearest(value: float, step: float) -> float:
    return float(f"{round(value / step) * step:.12g}") if step else value


def _on_grid(value: float, step: float, name: str) -> float:
    """Round a result to the nearest step, and an interval outwards, so that it keeps a width and holds."""
    ends = {"low": math.floor, "high": math.ceil}
    to_whole = next((way for end, way in ends.items() if name.endswith(end)), round)
    return float(f"{to_whole(value / step) * step:.12g}") if step else value


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
    own = _SHARE_STEP if _END.sub("", name) in OF_CUSTOMERS else coarse.share_step
    step = _RETURN_STEP if "roi" in name else own / (2 if unit == "pp" else 1)
    step = step_up(max(step, _per_person(coarse.base, n)))
    found = _on_grid(value, step, name)
    found = min(found, 1.0) if value <= 1 else found
    if found == 0 != value and not _END.search(name):  # an end of an interval may, a result not
        return Under(step, value < 0, unit)
    return found


def _money(value: float, name: str, n: float | None, coarse: Coarse) -> float | Under | None:
    own = _END.sub("", name)
    if own in BORDERS:
        return None
    is_mean = own in PER_CUSTOMER and n is not None and n > 0
    step = step_up(coarse.whole_step / n) if is_mean and n else coarse.whole_step
    if abs(value) < 2 * step:
        return Under(2 * step, value < 0)
    third = 10.0 ** (math.floor(math.log10(abs(value))) - 2) if value else 0.0
    return _on_grid(value, max(step, third), name)


def coarse_frame(
    frame: pd.DataFrame,
    *,
    units: Mapping[str, str | Mapping[str, str]],
    n_col: str | None,
    coarse: Coarse,
    people: pd.DataFrame | None = None,
    metric: str | None = None,
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
    people
        Who carries the money: a row per customer and row of `frame`, with what the customer brings to an
        amount or a mean under the name of its column or `metric`. The index holds what names the row, under
        the names of `frame`.
    metric
        Metric of every row, where `frame` has no such column.

    Returns
    -------
    DataFrame
        Columns and rows of `frame`, as objects. Both ends of an interval are missing where one is not shown,
        and so are standard errors.
    """
    every = {} if metric is None else {"metric": metric}
    exact = [every | row for row in frame.rename(columns=str).to_dict("records")]
    rows = [_coarse_row(row, units, n_col, coarse) for row in exact]
    if people is not None and rows:
        carriers = _carriers(exact, people)
        told = [_carried(row, own, coarse) for row, own in zip(exact, carriers, strict=True)]
        named = [name for name in ("metric", *people.index.names) if name in exact[0]]
        _cover_left_out(told, pd.DataFrame(exact)[list(dict.fromkeys(named))], carriers, coarse)
        rows = [row | carried for row, carried in zip(rows, told, strict=True)]
    names = [str(name) for name in frame.columns]
    found = pd.DataFrame(rows, index=frame.index, columns=names, dtype="object")
    return found.set_axis(frame.columns, axis=1)


def _carriers(rows: Iterable[Mapping[Any, Any]], people: pd.DataFrame) -> list[pd.DataFrame]:
    """Find those of `people` who belong to each row; nobody where the row is not one of theirs."""
    keys = [str(name) for name in people.index.names]
    groups = people.groupby(level=keys, dropna=False, observed=True, sort=False)
    parts = {_named(own if isinstance(own, tuple) else (own,)): part for own, part in groups}
    return [parts.get(_named(row[key] for key in keys), people.head(0)) for row in rows]


def _named(key: Iterable[object]) -> tuple[object, ...]:
    """Key of a row that finds its like whether a missing value is NaN or None."""
    return tuple(None if is_missing(part) else part for part in key)


def _carried(row: Mapping[Any, Any], people: pd.DataFrame, coarse: Coarse) -> dict[str, Any]:
    """Round the sums of a row, and the means made from them, that `people` carry; blanked ones stay blank."""
    found = {}
    for name in people.columns if len(people) else ():
        column = "estimate" if row.get("metric") == name else str(name)
        if not is_missing(row.get(column)):
            parts = people[name].dropna()
            total = coarse_sum(parts, coarse=coarse)
            found[column] = _mean(total, len(parts), coarse) if name in PER_CUSTOMER else total
            found |= _parts_of_whole(row, column, total, len(parts), coarse)
    return found


def _parts_of_whole(
    row: Mapping[Any, Any], column: str, total: float | Under | None, n: int, coarse: Coarse
) -> dict[str, Any]:
    """Make the shares of a known whole from the rounded sum: a share of the exact one tells it again."""
    names = _OF_MONEY & row.keys()
    if total is None:
        return dict.fromkeys(names)
    exact = row.get(column)
    if column in PER_CUSTOMER or isinstance(total, Under) or not exact:
        return {}
    known = [name for name in names - {"cumulative_share"} if not is_missing(row[name])]
    return {name: _share(row[name] * total / exact, name, "share", n, coarse) for name in known}


def _cover_left_out(
    told: list[dict[str, Any]], keys: pd.DataFrame, carriers: list[pd.DataFrame], coarse: Coarse
) -> None:
    """Leave out a second row of a total where one customer carries a row: the rest of it would tell."""
    metric: list[Hashable] = [name for name in ("metric",) if name in keys.columns]
    for column in sorted({name for row in told for name in row} - _OF_MONEY):
        at = np.array([place for place, row in enumerate(told) if column in row])
        hidden = np.array([told[place][column] is None for place in at])
        of_column = keys.iloc[at]
        crossed = [[*metric, name] for name in keys.columns if name not in metric]
        dimensions = [metric, *(names for names in crossed if of_column.duplicated(names).any())]
        margins = [row_labels(of_column, names) for names in dimensions]
        counts = np.array([float(len(carriers[place])) for place in at])
        for place in at[cover(hidden, counts, margins, min_cell=coarse.min_cell)]:
            told[place] |= dict.fromkeys({column, *(_OF_MONEY & told[place].keys())})


def _mean(total: float | Under | None, n: int, coarse: Coarse) -> float | Under | None:
    people = max(_nearest(n, coarse.base), coarse.base)
    if isinstance(total, Under):
        return Under(_digits(total.limit / people, 2), total.is_negative)
    return None if total is None else _digits(total / people, 4)  # times n it is the sum, to the third digit


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
        is_named = metric in PER_CUSTOMER | OF_CUSTOMERS and not name.startswith("amount")
        known = f"{metric}_{name}" if is_named and _END.fullmatch(name) else metric if is_named else name
        found[name] = coarse_value(raw, name=known, unit=unit, n=people, coarse=coarse)
        if name.endswith("std_error"):
            found[name] = None
    for low in [name for name in found if name.endswith("conf_low")]:
        high = low.removesuffix("conf_low") + "conf_high"
        if any(isinstance(found.get(end), Under) for end in (low, high)):
            found[low] = found[high] = None
    return found
