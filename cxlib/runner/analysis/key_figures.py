"""Key figures of any day, and their change between two, computed from the data as the scorecard does.

The chapter's own cells say how each figure is computed: they are run up to its table of figures, so that a
figure that joins the chapter is compared and remembered too.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cxlib.data.days import local_days
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.tables.data_set import open_data
from cxlib.runner.notebooks import prepare, read_notebook
from cxlib.scorecard.kpi_rows import judge_kpis, measure_kpis

#: Call that turns the chapter's measures into its table; nothing from there on is run.
TABLE = "measure_kpis("


def key_figures(notebook: Path, values: Mapping[str, Any]) -> pd.DataFrame:
    """Key figures on one day, as the scorecard with these parameters has them.

    Parameters
    ----------
    notebook
        The scorecard's chapter.
    values
        Its parameters; `data` an absolute path, days as text.

    Returns
    -------
    DataFrame
        `metric, estimate, conf_low, conf_high, n, unit, target, alarm, better`; figures of fewer than
        `min_cell` customers are left out.

    Raises
    ------
    InputError
        The data do not fit, or lack a table the chapter needs.
    """
    held = _chapter(notebook, values)
    alone = {name: one._replace(before=None) for name, one in held["measures"].items()}
    last, earlier = held["days"]
    measured = measure_kpis(alone, last_day=last, earlier=earlier, conf_level=held["conf_level"])
    return _judged(measured, held).drop(columns=["verdict", "moved"])


def key_changes(notebook: Path, latest: Mapping[str, Any], before: Mapping[str, Any]) -> pd.DataFrame:
    """Change of each key figure between two days, with limits that allow for the same customers behind both.

    Parameters
    ----------
    notebook
        The scorecard's chapter.
    latest, before
        Parameters of the later and the earlier day.

    Returns
    -------
    DataFrame
        As `judge_kpis`: `metric, estimate, …, before, change, change_conf_low, change_conf_high, n_both,
        moved`.

    Notes
    -----
    The later day's rule computes both, from the rows known on either day; limits as in `measure_kpis`.
    """
    new, old = _chapter(notebook, latest), _chapter(notebook, before)
    both = {
        name: one._replace(before=None if one.before is None else old["measures"][name].latest)
        for name, one in new["measures"].items()
        if name in old["measures"]
    }
    (last, _), (earlier, _) = new["days"], old["days"]
    return _judged(measure_kpis(both, last_day=last, earlier=earlier, conf_level=new["conf_level"]), new)


def definitions(data: Path | None) -> dict[str, dict[str, Any]]:
    """Definition, unit and source of each key figure, by the rules that hold for the data."""
    kpis = load_rules("kpis", None if data is None else open_data(data)).kpis
    told = ("id", "definition", "unit", "system", "figure")
    return {one.id: {name: held for name, held in one.model_dump().items() if name in told} for one in kpis}


def names(data: Path | None) -> dict[str, dict[str, str]]:
    """Words of each key figure by language, by the rules that hold for the data."""
    kpis = load_rules("kpis", None if data is None else open_data(data)).kpis
    return {one.id: one.label.model_dump() for one in kpis}


def is_sample(data: Path) -> bool:
    """Whether the customers of the data are simulated."""
    return bool(open_data(data).is_sample)


def starts(data: Path) -> list[tuple[dt.date, str]]:
    """First day and name of each initiative of the data, in order."""
    data_set = open_data(data)
    if not data_set.has("initiatives"):
        return []
    rows = data_set.table("initiatives").dropna(subset=["started_on"])
    days = local_days(rows["started_on"], "started_on")
    return sorted((day.date(), str(name)) for day, name in zip(days, rows["name"], strict=True))


def _judged(measured: pd.DataFrame, held: Mapping[str, Any]) -> pd.DataFrame:
    """Figures with unit, target and alarm; without those of too few customers."""
    data_set = held["data_set"]
    targets = load_rules("targets", data_set).targets
    kpis = load_rules("kpis", data_set).kpis
    judged = judge_kpis(measured, kpis=kpis, targets=targets, currency=data_set.currency)
    better = {one.metric: one.better for one in reversed(targets)}
    judged["better"] = judged["metric"].map(better)
    return judged[judged["n"] >= held["min_cell"]].reset_index(drop=True)


def _chapter(notebook: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Names that the chapter's cells have made by the time its figures are measured."""
    names: dict[str, Any] = {}
    for cell in prepare(read_notebook(notebook), form="report", lang="en")["cells"]:
        if cell["cell_type"] != "code":
            continue
        if TABLE in cell["source"]:
            break
        with contextlib.redirect_stdout(io.StringIO()):  # what the cells show is not looked at
            exec(compile(cell["source"], notebook.name, "exec"), names)  # the handbook's own cells
        if "parameters" in cell["metadata"]["tags"]:
            names |= {name: _day(value) for name, value in values.items() if name in names}
    return names


def _day(value: object) -> object:
    """Turn a day written as text into one; anything else stays."""
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else value
    except ValueError:
        return value
