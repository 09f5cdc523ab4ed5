"""Charts of support: tickets per 100 orders by reason, and satisfaction by the wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxlib.language import clean_text, format_value, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import colours, draw_points, format_axis, name_rows, new_axes


@takes_results("reasons")
def plot_reasons(
    result: pd.DataFrame,
    *,
    by: str = "reason",
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
) -> Axes:
    """Draw the tickets per 100 orders of each reason with its interval, and as a ring what it was before.

    Parameters
    ----------
    result : DataFrame
        As `reasons`, drawn in its order from the top; the row of all tickets is left out.
    by : str
        Its column of reasons.
    ax, palette, lang, labels
        Axes, colours by role, language, words for the reasons.

    Returns
    -------
    Axes
    """
    shown = result[result[by] != "every_reason"]
    words, colour = labels or {}, colours(palette)
    ax = new_axes(ax, figsize=(7.2, 1.4 + 0.42 * max(len(shown), 1)))
    places = range(len(shown))
    draw_points(ax, places, shown, colour=colour["highlight"], interval_colour=colour["total"])
    ax.plot(shown["before"], list(places), "o", color=colour["neutral"], fillstyle="none", markersize=9)
    name_rows(ax, [clean_text(words.get(name, name), limit=40) for name in shown[by]])
    ax.set(xlabel=text("support.plot_rate", lang))
    ax.set_xlim(left=0)
    ax.set_title(text("support.plot_before", lang), fontsize=9, loc="right")
    format_axis(ax.xaxis, "number", lang)
    return ax


@takes_results("csat_by_wait")
def plot_csat_by_wait(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes:
    """Draw mean satisfaction with its interval by the hours until the first reply, the shortest on top.

    Parameters
    ----------
    result : DataFrame
        As `csat_by_wait`.
    ax, palette, lang
        Axes, colours by role, language.

    Returns
    -------
    Axes
    """
    colour = colours(palette)
    ax = new_axes(ax, figsize=(7.2, 1.4 + 0.42 * max(len(result), 1)))
    draw_points(ax, range(len(result)), result, colour=colour["highlight"], interval_colour=colour["total"])
    names = [
        text("support.plot_waited", lang, wait=format_value(hours, "hours", lang))
        if np.isfinite(hours)
        else text("support.plot_longer", lang)
        for hours in result["waited_hours"]
    ]
    counts = [format_value(n, "count", lang) for n in result["n"]]
    name_rows(ax, [f"{name} (n = {n})" for name, n in zip(names, counts, strict=True)])
    ax.set(xlabel=text("support.plot_csat", lang))
    return ax
