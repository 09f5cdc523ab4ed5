"""What is worth telling of the newest key figures: alarms of targets and limits crossed beyond noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cxlib.language import clean_text, text
from cxlib.report.prose import told_value
from cxlib.runner.history import Row, latest_rows
from cxlib.runner.history_page import CONF_LEVEL, NEEDED, same_definition, series_of

COLUMNS = ["series", "metric", "scope", "as_of", "kind", "estimate", "conf_low", "conf_high", "n", "limit"]
COLUMNS += ["unit", "is_new", "words"]


class Alerts(NamedTuple):
    """Alarms of the newest day and how much was looked at; a class because none of it is told alone."""

    rows: list[dict[str, Any]]
    n_series: int
    without_limits: int


def find_alerts(
    rows: Sequence[Row],
    *,
    goals: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, Mapping[str, str]],
    lang: str,
) -> Alerts:
    """Find the alarms of the newest day among remembered figures.

    Parameters
    ----------
    rows
        The history, the newest run's rows included.
    goals
        Target and alarm of each figure.
    names
        Words of each figure by language.
    lang
        Language of the sentences.

    Returns
    -------
    Alerts
        `rows` with `COLUMNS`; `is_new` where the same was not so on the day before, looked at in the same
        way.

    Notes
    -----
    Only values by the newest definition of a figure are held against each other. All series are looked at
    together: the chance of any false alarm is at most 5 %.
    """
    from cxlib.runner.analysis.alarms import alarms

    series = {
        f"{held[0]['data_set']} · {held[0]['scope']} · {held[0]['key']}": held
        for held in series_of(latest_rows(rows))
    }
    newest = max((held[-1]["as_of"] for held in series.values()), default="")
    series = {name: held for name, held in series.items() if held[-1]["as_of"] == newest}
    found = alarms(_points(series, goals), conf_level=CONF_LEVEL)
    before = {name: held[:-1] for name, held in series.items() if len(held) > 1}
    standing = {
        (name, alarm["kind"])
        for name, held in before.items()
        for alarm in alarms(_points({name: held}, goals), conf_level=_alone(len(series)))
    }
    told = [_told(one, series[one["series"]][-1], standing, names, lang) for one in found]
    short = sum(
        len(same_definition(held)) < NEEDED or held[-1]["conf_low"] is None for held in series.values()
    )
    return Alerts(told, len(series), short)


def _alone(n_series: int) -> float:
    """Level at which one series looked at alone is judged as it is among all."""
    return 1 - (1 - CONF_LEVEL) / n_series


def _points(
    series: Mapping[str, Sequence[Row]], goals: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Rows to be judged: those by the newest definition; one known between bounds only stands alone."""
    points = []
    for name, held in series.items():
        goal = goals.get(held[-1]["metric"], {})
        rows = same_definition(held) if held[-1]["estimate"] is not None else [held[-1]]
        told = {"series": name, "alarm": goal.get("alarm"), "better": goal.get("better")}
        points += [{**row, **told} for row in rows]
    return points


def _told(
    alarm: Mapping[str, Any],
    row: Row,
    standing: set[tuple[str, str]],
    names: Mapping[str, Mapping[str, str]],
    lang: str,
) -> dict[str, Any]:
    unit, currency = row["unit"], row["currency"]
    shown = {
        name: told_value(alarm[name], unit, lang, currency=currency)
        for name in ("estimate", "conf_low", "conf_high", "limit")
    }
    name = names.get(row["metric"], {}).get(lang, row["metric"])
    scope = text("history.of_scope", lang, scope=clean_text(row["scope"])) if row["scope"] else ""
    low, high = shown.pop("conf_low"), shown.pop("conf_high")
    said = text(f"history.{alarm['kind']}", lang, name=name, scope=scope, low=low, high=high, **shown)
    is_new = (alarm["series"], alarm["kind"]) not in standing
    numbers = {
        name: None if isinstance(value := alarm[name], float) and math.isnan(value) else value
        for name in ("estimate", "conf_low", "conf_high", "n", "limit")
    }
    told = {"series": row["key"], "metric": row["metric"], "scope": row["scope"], "as_of": row["as_of"]}
    return told | {"kind": alarm["kind"], **numbers, "unit": unit, "is_new": is_new, "words": said}
