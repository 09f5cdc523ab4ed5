"""The catalogue of figures: what each is, where it comes from, who answers for it, how old its data are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from cxlib.checks import nearest
from cxlib.data.days import local_days
from cxlib.data.rules.rule_files import Kpi, Target
from cxlib.language import LANGUAGES
from cxlib.scorecard.control import time_column
from cxlib.scorecard.kpi_rows import Measure


def kpi_catalogue(kpis: Iterable[Kpi], *, measures: Mapping[str, Measure], last_day: dt.date) -> pd.DataFrame:
    """List every figure with definition, system of record, viewpoint, kind, owner and age of its data.

    Parameters
    ----------
    kpis : iterable of Kpi
        From `load_rules("kpis")`.
    measures : mapping of metric to Measure
        Those computed; the others have no age.
    last_day : date

    Returns
    -------
    DataFrame
        `kpi, definition` (both the id, to be worded), `system, viewpoint, kind, owner, report`,
        `age_days` (from the newest row the figure can rest on to `last_day`).

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> rows = kpi_catalogue(load_rules("kpis").kpis, measures={}, last_day=dt.date(2026, 9, 30))
    >>> rows.loc[rows["kpi"] == "nps", ["system", "viewpoint", "kind"]].to_numpy().tolist()
    [['survey', 'customer', 'qualitative']]
    """
    rows = [
        {
            "kpi": kpi.id,
            "definition": kpi.id,
            "system": kpi.system,
            "viewpoint": kpi.viewpoint,
            "kind": kpi.kind,
            "owner": None if kpi.owner is None else kpi.id,
            "age_days": _age(measures.get(kpi.id), last_day),
        }
        for kpi in kpis
    ]
    return pd.DataFrame(rows).astype({"age_days": "Int64"})


def catalogue_words(kpis: Iterable[Kpi]) -> dict[str, dict[str, dict[str, str]]]:
    """Words of the catalogue's columns by figure, for `Report.name_words`.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> catalogue_words(load_rules("kpis").kpis)["owner"]["nps"]["en"]
    'CX manager'
    """
    held = list(kpis)
    of = {name: [(kpi.id, getattr(kpi, name)) for kpi in held] for name in ("definition", "owner")}
    return {
        name: {one: {lang: getattr(label, lang) for lang in LANGUAGES} for one, label in pairs if label}
        for name, pairs in of.items()
    }


def target_notes(targets: Iterable[Target], *, kpis: Iterable[Kpi]) -> list[dict[str, Any]]:
    """Say what is amiss with the targets: there are none, one is of no known figure, or of nobody's.

    Parameters
    ----------
    targets, kpis
        From `load_rules`.

    Returns
    -------
    list of dict
        For `Report.notices`: `key, level` and what the words need.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> target_notes([], kpis=load_rules("kpis").kpis)
    [{'key': 'scorecard.no_targets', 'level': 'warning'}]
    """
    named, owned = list(dict.fromkeys(one.metric for one in targets)), {kpi.id: kpi.owner for kpi in kpis}
    if not named:
        return [{"key": "scorecard.no_targets", "level": "warning"}]
    unknown = [one for one in named if one not in owned]
    notes: list[dict[str, Any]] = [
        {"key": "scorecard.unknown_target", "level": "warning", "subject": one, "found": one}
        | {"options": nearest(one, list(owned))}
        for one in unknown
    ]
    orphans = [one for one in named if one in owned and owned[one] is None]
    return notes + [
        {"key": "scorecard.no_owner", "level": "warning", "subject": one, "found": one} for one in orphans
    ]


def _age(one: Measure | None, last_day: dt.date) -> int | None:
    column = None if one is None else time_column(one.latest)
    if one is None or column is None or one.latest.empty:
        return None
    newest = local_days(one.latest[column], column).max()
    return None if pd.isna(newest) else (pd.Timestamp(last_day) - newest).days
