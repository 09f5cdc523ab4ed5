"""`history.html`: every key figure over time as a small picture, in one language."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

from cxlib.language import clean_text, format_date, format_value, text
from cxlib.runner.history import Row, latest_rows
from cxlib.runner.history_pictures import series_picture
from cxlib.runner.inert import POLICY
from cxlib.runner.words import say

#: Values by one definition from which on there are limits: the newest and five before it.
NEEDED = 6
#: Probability that no picture shows a value out of its limits when nothing has changed.
CONF_LEVEL = 0.95


def history_html(
    rows: Sequence[Row],
    lang: str,
    *,
    names: Mapping[str, Mapping[str, str]],
    goals: Mapping[str, Mapping[str, Any]],
    starts: Sequence[tuple[dt.date, str]] = (),
    is_sample: bool = False,
) -> str:
    """Return the page.

    Parameters
    ----------
    rows
        The history.
    lang
        Language of the page.
    names
        Words of each figure by language.
    goals
        Target and alarm of each figure, as `goals` gives them.
    starts
        First day and name of each initiative.
    is_sample
        Whether the customers are simulated.
    """
    held = [row for row in latest_rows(rows) if row["estimate"] is not None or row["conf_low"] is not None]
    days = sorted({row["as_of"] for row in held})
    starts = [one for one in starts if days[0] <= one[0].isoformat() <= days[-1]]
    order = {metric: at for at, metric in enumerate(names)}
    figures = sorted(
        series_of(held),
        key=lambda one: (one[0]["data_set"], one[0]["scope"], order.get(one[0]["metric"], len(order))),
    )
    told = partial(_figure, lang=lang, names=names, goals=goals, starts=starts, n_series=len(figures))
    groups = [
        {"scope": _scope(place, lang), "figures": [told(one) for one in same]}
        for place, same in groupby(figures, key=lambda one: (one[0]["data_set"], one[0]["scope"]))
    ]
    about = _say(
        "about", lang, first=format_date(days[0], lang), last=format_date(days[-1], lang), days=len(days)
    )
    said = {"title": _say("title", lang), "about": about, "legend": _say("legend", lang), "groups": groups}
    sample = f"{say('sample_banner', lang)} {say('sample_explained', lang)}" if is_sample else ""
    said |= {"sample": sample, "starts_heading": _say("starts", lang)}
    said |= {"starts": [f"{format_date(day, lang)} {clean_text(name)}" for day, name in starts]}
    return str(_template().render(lang=lang, policy=POLICY, **said))


def _scope(place: tuple[str, str], lang: str) -> str:
    data_set, scope = place
    return f"{clean_text(data_set)} · {clean_text(scope) if scope else text('board.everybody', lang)}"


def series_of(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows of each figure of each group of customers, in order of time, as `latest_rows` sorts them."""
    return [
        list(same) for _, same in groupby(rows, key=lambda row: (row["data_set"], row["scope"], row["key"]))
    ]


def same_definition(rows: Sequence[Row]) -> list[Row]:
    """Rows at the end that share the newest one's definition, and have a number."""
    newest = rows[-1]["definition"]
    changed = max((at for at, row in enumerate(rows) if row["definition"] != newest), default=-1)
    return [row for row in rows[changed + 1 :] if row["estimate"] is not None]


def _figure(
    rows: Sequence[Row],
    *,
    lang: str,
    names: Mapping[str, Mapping[str, str]],
    goals: Mapping[str, Mapping[str, Any]],
    starts: Sequence[tuple[dt.date, str]],
    n_series: int,
) -> dict[str, Any]:
    from cxlib.runner.analysis.alarms import limits_of

    last = rows[-1]
    unit, currency, metric = last["unit"], last["currency"], last["metric"]

    def number(value: object) -> str:
        return format_value(value, unit, lang, currency=currency, worded=False)

    alike = same_definition(rows)
    none = {"limit_low": math.nan, "limit_high": math.nan}
    limits = limits_of(alike, n_series=n_series, conf_level=CONF_LEVEL) if alike else none
    goal = goals.get(metric, {})
    picture = series_picture(
        rows,
        limits=limits,
        since=alike[0]["as_of"] if alike else "",
        goal=goal,
        starts=[day for day, _ in starts],
        number=number,
        day=lambda day: format_date(day, lang),
    )
    now = number(last["estimate"])
    if last["estimate"] is None:
        now = f"{number(last['conf_low'])}–{number(last['conf_high'])}"
    return {"name": names.get(metric, {}).get(lang, metric), "now": now, "picture": picture} | {
        "note": _note(rows, alike, limits, goal, number, lang)
    }


def _note(
    rows: Sequence[Row],
    alike: Sequence[Row],
    limits: Mapping[str, float],
    goal: Mapping[str, Any],
    number: Any,
    lang: str,
) -> str:
    """Target and limits in words, and what can't be told."""
    said = []
    if goal.get("target") is not None:
        said.append(_say("target", lang, target=number(goal["target"]), alarm=number(goal["alarm"])))
    if not math.isnan(limits["limit_low"]):
        said.append(_say("limits", lang, low=number(limits["limit_low"]), high=number(limits["limit_high"])))
    elif rows[-1]["conf_low"] is None or rows[-1]["estimate"] is None:
        said.append(_say("no_interval", lang))
    else:
        said.append(_say("too_few", lang, count=len(alike), needed=NEEDED))
    if len({row["definition"] for row in rows}) > 1:
        said.append(_say("redefined", lang))
    return " ".join(said)


def _say(key: str, lang: str, **values: object) -> str:
    return text(f"history.{key}", lang, **values)


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader

    folder = Path(__file__).parent / "template"
    return Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True).get_template(
        "history.html.j2"
    )
