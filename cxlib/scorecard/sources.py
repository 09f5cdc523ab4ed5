"""Figures that `kpis.yml` says how to compute: a chapter's own function on the rows of one table."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

from cxlib.checks import InputError, nearest
from cxlib.data.contract import TABLES
from cxlib.data.rules.rule_files import Figure, Kpi, load_rules
from cxlib.scorecard.kpi_rows import Measure


def kpi_measures(
    kpis: Iterable[Kpi], *, functions: Any, scopes: Sequence[Any], conf_level: float = 0.95
) -> dict[str, Measure]:
    """Make a measure of each figure that names its function and table.

    Parameters
    ----------
    kpis : iterable of Kpi
        From `load_rules("kpis")`; those without `figure` are left out.
    functions : module
        Where the functions are looked for: `cxlib`, so that `value.retained` is `cxlib.value.retained`.
    scopes : sequence of Scope
        Of the last day, and of the earlier one.
    conf_level : float

    Returns
    -------
    dict of metric to Measure

    Raises
    ------
    InputError
        A function or table that there is not, or a function that takes no `conf_level`; names the nearest.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> class Days:
    ...     def rows(self, table, **kept):
    ...         return pd.DataFrame({"customer_id": ["a"]})
    >>> def won(rows, *, as_of, conf_level):
    ...     return pd.DataFrame({"estimate": [1.0], "conf_low": 0.2, "conf_high": 1.0, "n": 1})
    >>> kpis = [one for one in load_rules("kpis").kpis if one.id == "win_rate"]
    >>> made = kpi_measures(kpis, functions=SimpleNamespace(win_rates=won), scopes=[Days(), Days()])
    >>> made["win_rate"].of(made["win_rate"].latest, dt.date(2026, 9, 30))["estimate"].tolist()
    [1.0]
    """
    made: dict[str, Measure] = {}
    rules: dict[str, Any] = {}
    for kpi in kpis:
        if kpi.figure is not None:
            of = _function(kpi, kpi.figure, functions)
            kinds: dict[str, Any] = {"is_cohort": kpi.figure.is_cohort, "is_monthly": kpi.figure.is_monthly}
            latest, before = (_rows(kpi.figure, scope) for scope in scopes)
            computed = _computed(kpi.figure, of, conf_level, _beside(kpi.figure, scopes[0], rules))
            if kpi.figure.reads is not None:
                kinds["read"] = _told_day(_public(kpi, kpi.figure.reads, functions))
            compared = before if kpi.figure.is_compared else None
            made[kpi.id] = Measure(computed, latest, compared, **kinds)
    return made


def _beside(figure: Figure, scope: Any, rules: dict[str, Any]) -> dict[str, Any]:
    """Further tables up to the last day, none in a report of some customers, and rules, read once for all."""
    if not (figure.beside or figure.rules):
        return {}
    data_set = scope.data_set
    rules |= {name: load_rules(name, data_set) for name in figure.rules if name not in rules}
    held = {name: rules[name] for name in figure.rules}
    for name in figure.beside:
        is_known = data_set.has(name) and not scope.is_narrowed
        held[name] = data_set.table(name, end=scope.last_day) if is_known else None
    return held


def _rows(figure: Figure, scope: Any) -> pd.DataFrame:
    rows: pd.DataFrame = scope.rows(
        figure.table, with_history=figure.with_history, keep_unknown=figure.keep_unknown
    )
    return rows.iloc[:0] if figure.of_all and scope.is_narrowed else rows


def _public(kpi: Kpi, name: str, functions: Any) -> Any:
    found: Any = functions
    for part in name.split("."):
        known = getattr(found, "__all__", None) or dir(found)
        if part.startswith("_") or part not in known:
            options = nearest(part, [name for name in known if not name.startswith("_")])
            raise InputError("scorecard.no_function", kpi=kpi.id, found=name, options=options)
        found = getattr(found, part)
    return found


def _function(kpi: Kpi, figure: Figure, functions: Any) -> Any:
    found = _public(kpi, figure.function, functions)
    if not callable(found) or "conf_level" not in inspect.signature(found).parameters:
        raise InputError("scorecard.no_figure", kpi=kpi.id, found=figure.function)
    for table in (figure.table, *figure.beside):
        if table not in TABLES:
            options = nearest(table, list(TABLES))
            raise InputError("scorecard.no_table", kpi=kpi.id, found=table, options=options)
    return found


def _computed(
    figure: Figure, of: Callable[..., pd.DataFrame], conf_level: float, beside: dict[str, Any]
) -> Callable[[pd.DataFrame, dt.date], pd.DataFrame]:
    options: dict[str, Any] = {**figure.options, **beside, "conf_level": conf_level}
    told_day = _told_day(of)

    def compute(rows: pd.DataFrame, day: dt.date) -> pd.DataFrame:
        found = told_day(rows, day, **options)
        return found if figure.metric is None else found[found["metric"] == figure.metric]

    return compute


def _told_day(of: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Hand a function the day if it asks for it."""
    asks = "as_of" in inspect.signature(of).parameters
    return lambda rows, day, **options: of(rows, **options, **({"as_of": day} if asks else {}))
