"""Chart of topics: how the score would move without the comments on each, with its doubt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from cxlib.language import clean_text, format_value, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import colours, draw_points, name_rows, new_axes

TONES = {"lifts": "positive", "lowers": "negative"}


@takes_results("topic_impact")
def plot_topic_impact(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
) -> Axes:
    """Draw each topic's impact as a point with its interval; coloured only where it carries a finding.

    Parameters
    ----------
    result : DataFrame
        Rows of one metric of `topic_impact` in points, drawn in their order from the top.
    ax, palette, lang
        Axes to draw on; colours by role; language of the words.
    labels : mapping, optional
        Words for the topics.

    Returns
    -------
    Axes
    """
    ax, colour = new_axes(ax, figsize=(7.2, 1.6 + 0.42 * max(len(result), 1))), colours(palette)
    ax.axvline(0, color=colour["neutral"], linewidth=0.8, zorder=0)
    tones = [colour[TONES.get(str(verdict), "neutral")] for verdict in result["verdict"]]
    draw_points(ax, range(len(result)), result, colour=tones)
    names = [clean_text((labels or {}).get(topic, topic), limit=40) for topic in result["topic"]]
    counts = [format_value(n, "count", lang) for n in result["n"]]
    name_rows(ax, [f"{name}\nn = {n}" for name, n in zip(names, counts, strict=True)])
    ax.set_xlabel(text("voice.plot_impact", lang))
    ax.set_title(text("voice.plot_impact_title", lang))
    return ax
