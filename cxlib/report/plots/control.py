"""Control charts side by side: figures month by month within the limits of chance."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cxlib.language import clean_text, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import colours, draw_band, format_axis
from cxlib.report.units import of_estimate

ACROSS = 3


@takes_results("control_limits")
def plot_control_panel(
    result: pd.DataFrame,
    *,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
    currency: str | None = None,
) -> Figure:
    """Draw each figure month by month within its limits; months outside are highlighted.

    Parameters
    ----------
    result
        Rows of `control_limits`; with "stage", one chart per metric and stage.
    palette, lang, currency
        Colours by role; language of the words; ISO code.
    labels
        Words for metrics and stages.

    Returns
    -------
    Figure
        One axes per chart, each with a scale of its own.
    """
    from matplotlib import pyplot

    named, colour = labels or {}, colours(palette)
    keys = ["metric", *(["stage"] if "stage" in result else [])]
    charts: list[Any] = list(result.groupby(keys, sort=False, dropna=False))
    across = max(min(len(charts), ACROSS), 1)
    down = max(-(-len(charts) // across), 1)
    figure, axes = pyplot.subplots(
        down, across, figsize=(8.4, 0.4 + 1.7 * down), squeeze=False, layout="constrained"
    )
    for spare in axes.flat[len(charts) :]:
        spare.remove()
    for ax, (names, rows) in zip(axes.flat, charts, strict=False):
        month, outside = rows["month"], rows[rows["is_signal"].astype(bool)]
        draw_band(ax, month, rows["limit_low"], rows["limit_high"], colour=colour["neutral"])
        ax.plot(month, rows["usual"], color=colour["neutral"], linestyle="--", linewidth=1)
        ax.plot(month, rows["estimate"], color=colour["total"], linewidth=1.4)
        ax.plot(outside["month"], outside["estimate"], "o", color=colour["negative"], markersize=6)
        title = " · ".join(clean_text(named.get(one, one), limit=48) for one in names if one == one)
        ax.set_title(fill(title, 18 if max(title, default="") > "⺀" else 38), fontsize=8)
        ax.tick_params(labelsize=7)
        ax.set_xticks([month.iloc[0], month.iloc[-1]], [f"{one:%Y-%m}" for one in month.iloc[[0, -1]]])
        ax.grid(visible=False, axis="x")
        unit = "share" if rows["chart"].iloc[0] == "p" else of_estimate(names[0])
        format_axis(ax.yaxis, unit, lang, currency=currency)
    figure.supylabel(text("scorecard.plot_control", lang), fontsize=8)
    return figure
