"""Charts of the days ahead: probabilities against what happened, and sales by month with their forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator

from cxlib.language import clean_text, format_value, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import SERIES, colours, draw_band, draw_interval, format_axis, new_axes


@takes_results("calibration_curve")
def plot_calibration(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes:
    """Draw the share observed against the probability told, a point with its interval per group of rows.

    Parameters
    ----------
    result : pandas.DataFrame
        As `calibration_curve`.
    ax, palette, lang
        Axes to draw on; colours by role; language of the words.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, figsize=(5.4, 5.0))
    colour = colours(palette)
    ax.plot([0, 1], [0, 1], color=colour["neutral"], linestyle="--", linewidth=1.2)
    for row in result.to_dict("records"):
        draw_interval(
            ax, row["predicted"], row["conf_low"], row["conf_high"], horizontal=False, colour=colour["total"]
        )
    ax.plot(result["predicted"], result["estimate"], "o", color=colour["positive"], markersize=6)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_xlabel(text("value_score.plot_predicted", lang))
    ax.set_ylabel(text("value_score.plot_observed", lang))
    for axis in (ax.xaxis, ax.yaxis):
        format_axis(axis, "share", lang)
    n = format_value(int(result["n"].sum()), "count", lang)
    ax.set_title(text("value_score.plot_calibration_title", lang, n=n))
    return ax


@takes_results("next_months")
def plot_sales_ahead(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
    currency: str | None = None,
) -> Axes:
    """Draw sales by month, and each method's forecasts of the months after with their intervals.

    Parameters
    ----------
    result : pandas.DataFrame
        `method, month, estimate, conf_low, conf_high`; the method "actual" is what was sold.
    ax, palette, lang
        As `plot_calibration`.
    labels : mapping, optional
        Words for the methods.
    currency : str, optional
        ISO code.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, figsize=(7.6, 4.2))
    number = 0
    for method, rows in result.groupby("method", sort=False):
        is_past = method == "actual"
        own = colours(palette)["total"] if is_past else SERIES[number]
        ax.plot(rows["month"], rows["estimate"], "-" if is_past else "o-", color=own, linewidth=1.8)
        ax.lines[-1].set_label(clean_text((labels or {}).get(method, str(method)), limit=40))
        if not is_past:
            draw_band(ax, rows["month"], rows["conf_low"], rows["conf_high"], colour=own)
            number += 1
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(AutoDateLocator(maxticks=7))
    format_axis(ax.yaxis, "currency", lang, currency=currency)
    ax.set_ylabel(text("value_score.plot_sales", lang, currency=currency or ""))
    ax.set_xlabel(text("value_score.plot_month", lang))
    ax.legend(loc="lower left", frameon=False, fontsize=8.5)
    n = format_value(int((result["method"] == "actual").sum()), "count", lang)
    ax.set_title(text("value_score.plot_sales_title", lang, n=n))
    return ax
