"""Charts of drivers: importance with its doubt, against performance, penalty against reward; by group too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cxlib.language import clean_text, format_value, has_text, join_list, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import (
    colours,
    draw_interval,
    draw_points,
    format_axis,
    name_rows,
    new_axes,
    small_multiples,
)


@takes_results("driver_importance")
def plot_importance(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw each driver's importance as a bar with its interval; beside it how sure its first place is.

    Parameters
    ----------
    result : DataFrame
        As `driver_importance`, drawn in its order from the top.
    ax, palette, lang
        Axes to draw on; colours by role; language of the words.
    labels : mapping, optional
        Words for the drivers.

    Returns
    -------
    Axes
    """
    ax, colour = new_axes(ax, figsize=(7.6, 1.5 + 0.5 * max(len(result), 1))), colours(palette)
    names, places = _names(result["driver"], labels), list(range(len(result)))
    _draw_importance(ax, result, places, colour)
    reach = result[["importance", "conf_high"]].max(axis=1)
    for place, row, end in zip(places, result.to_dict("records"), reach, strict=True):
        if end == end:
            first = format_value(row["probability_first"], "probability", lang)
            known = row["probability_first"] == row["probability_first"]
            words = format_value(row["importance"], "share", lang)
            label = text("nps.plot_first", lang, share=words, first=first) if known else words
            ax.annotate(label, (end, place), xytext=(6, 0), textcoords="offset points", va="center")
    name_rows(ax, names)
    ax.set_xlim(0, min(1.6 * reach.max(), 1.4) if reach.max() > 0 else 1)
    ax.set_xlabel(text("nps.plot_importance", lang))
    format_axis(ax.xaxis, "share", lang)
    fit = format_value(result["r_squared"].iloc[0] if len(result) else None, "share", lang)
    ax.set_title(text("nps.plot_importance_title", lang, fit=fit))
    return ax


@takes_results("penalty_reward")
def plot_penalty_reward(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
    outcome_label: str = "",
) -> Axes:
    """Draw what falling below expectation costs to the left, what exceeding it gains to the right.

    Parameters
    ----------
    result : DataFrame
        As `penalty_reward`, drawn in its order from the top.
    ax, palette, lang
        As `plot_importance`.
    labels : mapping, optional
        Words for the drivers.
    outcome_label : str
        The outcome with its unit, in words.

    Returns
    -------
    Axes
    """
    ax, colour = new_axes(ax, figsize=(7.6, 1.8 + 0.55 * max(len(result), 1))), colours(palette)
    places = list(range(len(result)))
    _draw_penalties(ax, result, places, colour)
    words = zip(_names(result["driver"], labels), _kinds(result, lang), strict=True)
    name_rows(ax, ["\n".join(pair) for pair in words])
    ax.set_xlabel(text("nps.plot_difference", lang, outcome=_outcome_word(outcome_label, lang)))
    at: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    for name, tone, side, x in (("penalty", "negative", "left", 0), ("reward", "positive", "right", 1)):
        ax.annotate(text(f"nps.plot_{name}", lang), (x, 1), (0, 4), ha=side, color=colour[tone], **at)
    ax.set_title(_kinds_title(result, lang), pad=24)
    return ax


@takes_results("importance_performance")
def plot_importance_performance(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw the map of importance against performance, with intervals both ways and lines between quadrants.

    Parameters
    ----------
    result : DataFrame
        As `importance_performance`; drivers to fix first are highlighted.
    ax, palette, lang
        As `plot_importance`.
    labels : mapping, optional
        Words for the drivers.

    Returns
    -------
    Axes
    """
    ax, colour = new_axes(ax, figsize=(7.2, 5.2)), colours(palette)
    _draw_map(ax, result, colour)
    for name, row in zip(_names(result["driver"], labels), result.to_dict("records"), strict=True):
        spot, tone = (row["performance"], row["importance"]), _tone(row, colour)
        if spot == spot:
            ax.annotate(name, spot, xytext=(6, 6), textcoords="offset points", color=tone)
    if len(result):
        _give_room(ax, *result[["performance_line", "importance_line"]].iloc[0])
        _name_corners(ax, lang, colour)
    ax.set_xlabel(text("nps.plot_performance", lang))
    ax.set_ylabel(text("nps.plot_importance_short", lang))
    format_axis(ax.yaxis, "share", lang)
    names = _names(result.loc[result["probability_fix_first"] > 0.5, "driver"], labels)
    key = "nps.plot_map_title" if names else "nps.plot_map_none_title"
    ax.set_title(text(key, lang, drivers=join_list(names, lang)) if names else text(key, lang))
    return ax


@takes_results("driver_importance")
def plot_importance_panel(
    result: pd.DataFrame,
    *,
    by: str,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
) -> Figure:
    """Draw each driver's importance with its interval in every group, the drivers in one order for all.

    Parameters
    ----------
    result : DataFrame
        As `each_large_group` of `driver_importance`, with ``customers``; groups in its order, drivers by
        their mean importance.
    by : str
        Group column.
    palette, lang, labels
        As `plot_importance`; `labels` are words for the groups too.

    Returns
    -------
    Figure
    """
    mean = result.groupby("driver")["importance"].mean()
    colour, order = colours(palette), mean.sort_values(ascending=False, kind="stable").index.tolist()

    def draw(ax: Axes, part: pd.DataFrame) -> None:
        _draw_importance(ax, part, [order.index(name) for name in part["driver"]], colour)

    figure = _panel(result, by, draw, lang, labels, row_height=0.8 + 0.3 * len(order))
    for ax in figure.axes:
        name_rows(ax, _names(order, labels))
        ax.set_xlim(left=0)
        format_axis(ax.xaxis, "share", lang)
    figure.supxlabel(text("nps.plot_importance", lang), fontsize="medium")
    top = result.loc[result["rank"] == 1, "driver"]
    words = {"groups": result[by].nunique(), "n": int(top.value_counts().max()) if len(top) else 0}
    name = _names(top.mode().head(1), labels)
    figure.suptitle(text("nps.plot_importance_panel", lang, driver=join_list(name, lang), **words), **_TITLE)
    return figure


@takes_results("importance_performance")
def plot_importance_performance_panel(
    result: pd.DataFrame,
    *,
    by: str,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
) -> Figure:
    """Draw the map of importance against performance in every group, on the same axes.

    Parameters
    ----------
    result : DataFrame
        As `each_large_group` of `importance_performance`, with ``customers``.
    by, palette, lang, labels
        As `plot_importance_panel`.

    Returns
    -------
    Figure
    """
    colour, drivers = colours(palette), list(dict.fromkeys(result["driver"]))
    marks = {name: MARKERS[place % len(MARKERS)] for place, name in enumerate(drivers)}

    def draw(ax: Axes, part: pd.DataFrame) -> None:
        _draw_map(ax, part, colour, marks)

    figure = _panel(result, by, draw, lang, labels, row_height=2.7, columns=2)
    for ax in figure.axes:
        ax.margins(0.18)
        ax.set_ylim(bottom=0)
        format_axis(ax.yaxis, "share", lang)
        place = ax.get_subplotspec()
        if place is not None and place.is_last_row():
            ax.set_xlabel(text("nps.plot_performance", lang))
    figure.supylabel(text("nps.plot_importance_short", lang), fontsize="medium")
    keys = [
        Line2D([], [], marker=mark, linestyle="none", color=colour["total"], label=name)
        for name, mark in zip(_names(drivers, labels), marks.values(), strict=True)
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=min(len(keys), 5) or 1, frameon=False)
    found = result.loc[result["probability_fix_first"] > 0.5, "driver"].value_counts()
    counts = zip(_names(found.index, labels), found, strict=True)
    words = [text("nps.plot_map_count", lang, driver=name, n=int(n)) for name, n in counts]
    key = "nps.plot_map_panel" if words else "nps.plot_map_none_panel"
    names = {"groups": result[by].nunique()} | ({"drivers": join_list(words, lang)} if words else {})
    figure.suptitle(text(key, lang, **names), **_TITLE)
    return figure


@takes_results("penalty_reward")
def plot_penalty_reward_panel(
    result: pd.DataFrame,
    *,
    by: str,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
    outcome_label: str = "",
) -> Figure:
    """Draw what falling short costs and exceeding gains in every group, the drivers in one order for all.

    Parameters
    ----------
    result : DataFrame
        As `each_large_group` of `penalty_reward`, with ``customers``.
    by, palette, lang, labels
        As `plot_importance_panel`.
    outcome_label : str
        The outcome with its unit, in words.

    Returns
    -------
    Figure
    """
    colour, order = colours(palette), list(dict.fromkeys(result["driver"]))

    def draw(ax: Axes, part: pd.DataFrame) -> None:
        places = [order.index(name) for name in part["driver"]]
        _draw_penalties(ax, part, places, colour)
        for place, kind in zip(places, _kinds(part, lang), strict=True):
            spot = (0.01, place - 0.3)
            ax.annotate(kind, spot, xycoords=("axes fraction", "data"), size=7.5, color=colour["total"])

    figure = _panel(result, by, draw, lang, labels, row_height=0.8 + 0.45 * len(order))
    for ax in figure.axes:
        name_rows(ax, _names(order, labels), above=0.7)
    key = " · ".join(text(f"nps.plot_{name}", lang) for name in ("penalty", "reward"))
    difference = text("nps.plot_difference", lang, outcome=_outcome_word(outcome_label, lang))
    figure.supxlabel(f"{difference}\n{key}", fontsize="medium")
    figure.suptitle(_kinds_title(result, lang, is_by_group=True), **_TITLE)
    return figure


_TITLE: dict[str, Any] = {"fontsize": 11, "x": 0.0, "ha": "left"}
KINDS = ("basic", "performance", "excitement", "neutral")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
CORNER = 0.26  # least share of the width that a quadrant of the map takes


def _names(drivers: Any, labels: Mapping[str, str] | None) -> list[str]:
    return [clean_text((labels or {}).get(name, name), limit=40) for name in drivers]


def _outcome_word(outcome: str, lang: str) -> str:
    key = f"nps.outcome_{outcome}"
    return text(key, lang) if has_text(key) else outcome


def _kinds(result: pd.DataFrame, lang: str) -> list[str]:
    known = [label if isinstance(label, str) else "unknown" for label in result["label"]]
    return [text(f"value.label.{label}", lang) for label in known]


def _kinds_title(result: pd.DataFrame, lang: str, *, is_by_group: bool = False) -> str:
    """Count the drivers, or the pairs of driver and group, of every kind that occurs."""
    counts = result["label"].value_counts()
    words = [
        text("nps.plot_kind_count", lang, kind=text(f"value.label.{kind}", lang), n=int(counts[kind]))
        for kind in KINDS
        if kind in counts.index
    ]
    key = "nps.plot_kinds_panel" if is_by_group else "nps.plot_kinds_title"
    return text(key, lang, n=int(counts.sum()), kinds=join_list(words, lang))


def _panel(
    result: pd.DataFrame,
    by: str,
    draw: Callable[[Axes, pd.DataFrame], None],
    lang: str,
    labels: Mapping[Any, str] | None,
    *,
    row_height: float,
    columns: int = 3,
) -> Figure:
    """Draw every group into axes of its own, all with the same scales, and name it with its customers."""
    cells = []
    for name, part in result.groupby(by, sort=False):
        n = format_value(part["customers"].max(), "count", lang)
        word = clean_text((labels or {}).get(name, name), limit=24)
        cells.append((text("nps.plot_group", lang, group=word, n=n), part))
    return small_multiples(cells, draw, row_height=row_height, columns=columns)


def _draw_importance(ax: Axes, result: pd.DataFrame, places: list[int], colour: Mapping[str, str]) -> None:
    tones = [colour["negative"] if sign < 0 else colour["positive"] for sign in result["sign"].fillna(0)]
    ax.barh(places, result["importance"].fillna(0), color=tones, height=0.62)
    for place, row in zip(places, result.to_dict("records"), strict=True):
        draw_interval(ax, place, row["conf_low"], row["conf_high"], colour=colour["total"])


def _draw_penalties(ax: Axes, result: pd.DataFrame, places: list[int], colour: Mapping[str, str]) -> None:
    ax.axvline(0, color=colour["neutral"], linewidth=0.8)
    sides = (("penalty", "negative", -0.12, "v"), ("reward", "positive", 0.12, "^"))
    for name, tone, shift, marker in sides:
        beside = [place + shift for place in places]
        of_side: dict[str, Any] = {"middle": name, "ends": f"{name}_", "marker": marker, "size": 8}
        draw_points(ax, beside, result, colour=colour[tone], **of_side)


def _tone(row: Mapping[Any, Any], colour: Mapping[str, str]) -> str:
    return colour["negative"] if row["quadrant"] == "fix_first" else colour["total"]


def _draw_map(
    ax: Axes, result: pd.DataFrame, colour: Mapping[str, str], marks: Mapping[str, str] | None = None
) -> None:
    """Draw drivers as points with intervals both ways, and the lines between the quadrants."""
    for row in result.to_dict("records"):
        tone, x, y = _tone(row, colour), row["performance"], row["importance"]
        draw_interval(ax, y, row["performance_conf_low"], row["performance_conf_high"], colour=tone)
        ends = row["importance_conf_low"], row["importance_conf_high"]
        draw_interval(ax, x, *ends, horizontal=False, colour=tone)
        ax.plot([x], [y], (marks or {}).get(row["driver"], "o"), color=tone, markersize=7)
    for line, cut in (("performance_line", ax.axvline), ("importance_line", ax.axhline)):
        if len(result):
            cut(result[line].iloc[0], color=colour["neutral"], linestyle="--", linewidth=1.2, zorder=1.5)


def _give_room(ax: Axes, x: float, y: float) -> None:
    """Widen the axes until every quadrant is wide and high enough for its name."""
    ax.margins(0.18)
    low, high = ax.get_xlim()
    high = max(high, x + CORNER / (1 - CORNER) * (x - low))
    ax.set_xlim(min(low, x - CORNER / (1 - CORNER) * (high - x)), high)
    ax.set_ylim(0, max(ax.get_ylim()[1], y / (1 - CORNER)))


def _name_corners(ax: Axes, lang: str, colour: Mapping[str, str]) -> None:
    corners = {"fix_first": (0, 1), "keep_up": (1, 1), "low_priority": (0, 0), "possible_overkill": (1, 0)}
    for name, (right, top) in corners.items():
        ax.annotate(
            text(f"value.quadrant.{name}", lang),
            (0.02 + 0.96 * right, 0.02 + 0.96 * top),
            xycoords="axes fraction",
            ha="right" if right else "left",
            va="top" if top else "bottom",
            color=colour["neutral"],
        )
