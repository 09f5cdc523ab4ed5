"""Charts of drivers: importance with its doubt, penalty against reward."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from cxlib.language import clean_text, format_value, text
from cxlib.plots.theme import colours, draw_interval, format_axis, new_axes


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
    names = [clean_text((labels or {}).get(name, name), limit=40) for name in result["driver"]]
    places = list(range(len(result)))
    tones = [colour["negative"] if sign < 0 else colour["positive"] for sign in result["sign"].fillna(0)]
    ax.barh(places, result["importance"].fillna(0), color=tones, height=0.62)
    reach = result[["importance", "conf_high"]].max(axis=1)
    for place, row, end in zip(places, result.to_dict("records"), reach, strict=True):
        draw_interval(ax, place, row["conf_low"], row["conf_high"], colour=colour["total"])
        if end == end:
            first = format_value(row["probability_first"], "probability", lang)
            known = row["probability_first"] == row["probability_first"]
            words = format_value(row["importance"], "share", lang)
            label = text("nps.plot_first", lang, share=words, first=first) if known else words
            ax.annotate(label, (end, place), xytext=(6, 0), textcoords="offset points", va="center")
    ax.set(yticks=places, yticklabels=names, ylim=(len(places) - 0.4, -0.6))
    ax.set_xlim(0, min(1.6 * reach.max(), 1.4) if reach.max() > 0 else 1)
    ax.set_xlabel(text("nps.plot_importance", lang))
    ax.grid(visible=False, axis="y")
    format_axis(ax.xaxis, "share", lang)
    fit = format_value(result["r_squared"].iloc[0] if len(result) else None, "share", lang)
    ax.set_title(text("nps.plot_importance_title", lang, fit=fit))
    return ax


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
    ax, colour = new_axes(ax, figsize=(7.6, 1.5 + 0.55 * max(len(result), 1))), colours(palette)
    ax.axvline(0, color=colour["neutral"], linewidth=0.8)
    ticks = []
    for place, row in enumerate(result.to_dict("records")):
        for name, tone, shift in (("penalty", "negative", -0.12), ("reward", "positive", 0.12)):
            low, high = row[f"{name}_conf_low"], row[f"{name}_conf_high"]
            draw_interval(ax, place + shift, low, high, colour=colour[tone])
            marker = "v" if name == "penalty" else "^"
            ax.plot([row[name]], [place + shift], marker, color=colour[tone], markersize=8)
        word = clean_text((labels or {}).get(row["driver"], row["driver"]), limit=40)
        kind = row["label"] if isinstance(row["label"], str) else "unknown"
        ticks.append(f"{word}\n{text(f'nps.label_{kind}', lang)}")
    ax.set(yticks=range(len(ticks)), yticklabels=ticks, ylim=(len(ticks) - 0.4, -0.6))
    ax.set_xlabel(text("nps.plot_difference", lang, outcome=outcome_label))
    ax.grid(visible=False, axis="y")
    for name, tone, side, align in (
        ("penalty", "negative", 0.0, "left"),
        ("reward", "positive", 1.0, "right"),
    ):
        ax.annotate(
            text(f"nps.plot_{name}", lang),
            (side, 1.02),
            xycoords="axes fraction",
            ha=align,
            color=colour[tone],
        )
    return ax


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
    ax, colour = new_axes(ax, figsize=(7.2, 5.0)), colours(palette)
    for row in result.to_dict("records"):
        tone = colour["negative"] if row["quadrant"] == "fix_first" else colour["total"]
        x, y = row["performance"], row["importance"]
        draw_interval(ax, y, row["performance_conf_low"], row["performance_conf_high"], colour=tone)
        ends = row["importance_conf_low"], row["importance_conf_high"]
        draw_interval(ax, x, *ends, horizontal=False, colour=tone)
        ax.plot([x], [y], "o", color=tone, markersize=7)
        name = clean_text((labels or {}).get(row["driver"], row["driver"]), limit=40)
        ax.annotate(name, (x, y), xytext=(7, 7), textcoords="offset points", color=tone)
    for line, draw in (("performance_line", ax.axvline), ("importance_line", ax.axhline)):
        if len(result):
            draw(result[line].iloc[0], color=colour["neutral"], linestyle="--", linewidth=1.2, zorder=1.5)
    corners = {"fix_first": (0, 1), "keep_up": (1, 1), "low_priority": (0, 0), "possible_overkill": (1, 0)}
    for name, (right, top) in corners.items():
        ax.annotate(
            text(f"nps.quadrant_{name}", lang),
            (0.02 + 0.96 * right, 0.02 + 0.96 * top),
            xycoords="axes fraction",
            ha="right" if right else "left",
            va="top" if top else "bottom",
            color=colour["neutral"],
        )
    ax.set_xlabel(text("nps.plot_performance", lang))
    ax.set_ylabel(text("nps.plot_importance_short", lang))
    ax.set_ylim(0, None)
    ax.margins(0.18)
    ax.set_ylim(bottom=0)
    format_axis(ax.yaxis, "share", lang)
    return ax
