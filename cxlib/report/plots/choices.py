"""Chart of KPIs under choices of cleaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cxlib.language import clean_text, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import colours, draw_interval, format_axis
from cxlib.report.units import of_estimate

#: Axes side by side.
ACROSS = 3


@takes_results("kpis_by_choice")
def plot_choices_panel(
    result: pd.DataFrame,
    *,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
) -> Figure:
    """Draw each KPI as a point with its interval per choice of cleaning, and its target as a dashed line.

    Parameters
    ----------
    result
        Rows of `kpis_by_choice`; highlighted where the choice turns the verdict.
    palette, lang
        Colours by role; language of the words.
    labels
        Words for metrics and choices.

    Returns
    -------
    Figure
        One axes per metric, side by side.
    """
    from matplotlib import pyplot

    named, colour = labels or {}, colours(palette)
    metrics = result["metric"].unique().tolist()
    choices = sorted(result["choice"].unique(), key=lambda one: one == "all")
    across = min(len(metrics), ACROSS)
    down = -(-len(metrics) // across)
    size = (7.6, 0.6 + down * (0.9 + 0.3 * len(choices)))
    figure, axes = pyplot.subplots(
        down, across, figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for spare in axes.flat[len(metrics) :]:
        spare.remove()
    for ax, metric in zip(axes.flat, metrics, strict=False):
        for row in result[result["metric"] == metric].to_dict("records"):
            place = choices.index(row["choice"])
            tone = colour["highlight" if row["is_flip"] else "total"]
            draw_interval(ax, place, row["conf_low"], row["conf_high"], colour=tone)
            ax.plot([row["estimate"]], [place], "D" if row["is_flip"] else "o", color=tone, markersize=6)
            if row["target"] is not None and row["target"] == row["target"]:
                ax.axvline(row["target"], color=colour["neutral"], linestyle="--", linewidth=1)
        ax.set_title(clean_text(named.get(metric, metric), limit=24), fontsize=9)
        ax.grid(visible=False, axis="y")
        ax.locator_params(axis="x", nbins=3)
        format_axis(ax.xaxis, of_estimate(metric), lang)
    ticks = [clean_text(named.get(choice, choice), limit=30) for choice in choices]
    axes[0, 0].set(yticks=range(len(choices)), yticklabels=ticks, ylim=(len(choices) - 0.4, -0.6))
    figure.supxlabel(text("inventory.plot_choices", lang), fontsize=9)
    return figure
