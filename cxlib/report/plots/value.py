"""Charts of the chapter on customer value: cohorts, groups that stay, value by method, value for cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxlib.language import clean_text, format_value, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import (
    SERIES,
    colours,
    draw_band,
    draw_points,
    format_axis,
    label_end,
    name_rows,
    new_axes,
)


@takes_results("retention_table")
def plot_retention(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    metric: str = "customers_kept",
    most_periods: int = 13,
) -> Axes:
    """Draw a cohort triangle as a heat map: a row per cohort, a column per period since; open cells hatched.

    Parameters
    ----------
    result : pandas.DataFrame
        As `value.retention_table`. Period 0, which is 1 by definition, is not drawn.
    ax, palette, lang
        Axes to draw on; colours by role; language of the words.
    metric : str
        One of its metrics.
    most_periods : int
        Columns drawn, and cohorts: the latest.

    Returns
    -------
    matplotlib.axes.Axes
    """
    rows = result[(result["metric"] == metric) & result["period"].between(1, most_periods)]
    rows = rows.astype({"estimate": float, "period": int})
    cohorts = sorted(result["cohort"].unique())[-(most_periods + 12) :]
    rows = rows[rows["cohort"].isin(cohorts)]
    ax = new_axes(ax, figsize=(7.6, 1.6 + 0.27 * len(cohorts)))
    place = {cohort: number for number, cohort in enumerate(cohorts)}
    width = int(rows["period"].max()) if len(rows) else 1
    cells = np.full((len(cohorts), width), np.nan)
    at = (rows["cohort"].map(place).to_numpy(int), rows["period"].to_numpy(int) - 1)
    cells[at] = rows["estimate"].to_numpy()
    top = float(np.nanquantile(cells, 0.98)) if np.isfinite(cells).any() else 1.0
    ax.pcolormesh(cells, cmap="Blues", vmin=0, vmax=max(top, 1e-9), edgecolors="white", linewidth=0.6)
    for row in rows[~rows["is_mature"].astype(bool)].to_dict("records"):
        corner = (row["period"] - 1, place[row["cohort"]])
        ax.add_patch(_hatched(corner, colours(palette)["neutral"]))
    for row in rows[rows["estimate"].notna()].to_dict("records"):
        shade = "white" if row["estimate"] > 0.6 * top and row["is_mature"] else "#333333"
        share = format_value(row["estimate"], "share", lang).replace("%", "")
        middle = (row["period"] - 0.5, place[row["cohort"]] + 0.5)
        ax.annotate(share, middle, ha="center", va="center", fontsize=7, color=shade)
    ax.set(
        xticks=np.arange(width) + 0.5,
        xticklabels=range(1, width + 1),
        yticks=np.arange(len(cohorts)) + 0.5,
        yticklabels=[pd.Timestamp(cohort).strftime("%Y-%m") for cohort in cohorts],
        xlabel=text("customer_value.plot_period", lang),
        ylabel=text("customer_value.plot_cohort", lang),
    )
    ax.invert_yaxis()
    ax.grid(visible=False)
    n = int(result[(result["metric"] == metric) & (result["period"] == 0)]["n"].sum())
    ax.set_title(text("customer_value.plot_retention_title", lang, n=format_value(n, "count", lang)))
    return ax


@takes_results("survival_curve")
def plot_staying(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    by: str | None = None,
    labels: Mapping[Any, str] | None = None,
) -> Axes:
    """Draw the share still customers by days since the first purchase, a step curve per group.

    Parameters
    ----------
    result : pandas.DataFrame
        As `survival_curve`; a band is drawn for one curve alone.
    ax, palette, lang
        As `plot_retention`.
    by : str, optional
        Group column of the result.
    labels : mapping, optional
        Words for the groups.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, figsize=(7.2, 4.4))
    colour = colours(palette)
    groups = [("", result)] if by is None else list(result.groupby(by, observed=True, sort=False))
    for number, (name, curve) in enumerate(groups):
        own = colour["total"] if by is None else SERIES[number % len(SERIES)]
        known = curve[curve["estimate"].notna()].astype({"estimate": float})
        ax.step(known["time"], known["estimate"], where="post", color=own, linewidth=1.8)
        if len(groups) == 1:
            draw_band(ax, known["time"], known["conf_low"], known["conf_high"], colour=own)
        if by is not None:
            ax.lines[-1].set_label(clean_text((labels or {}).get(name, name), limit=30))
    if by is not None:
        ax.legend(loc="upper right", frameon=False, fontsize=8.5)
    ax.set(ylim=(0, 1.02), xlim=(0, None), xlabel=text("customer_value.plot_days_since", lang))
    ax.set_ylabel(text("customer_value.plot_still", lang))
    format_axis(ax.yaxis, "share", lang)
    n = sum(int(curve["n"].max()) for _, curve in groups if len(curve))
    ax.set_title(text("customer_value.plot_staying_title", lang, n=format_value(n, "count", lang)))
    return ax


@takes_results("ltv")
def plot_values(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
    currency: str | None = None,
) -> Axes:
    """Draw the lifetime value by each method as a point with its interval.

    Parameters
    ----------
    result : pandas.DataFrame
        As `value.ltv`, one row per method; those without an estimate stay empty.
    ax, palette, lang
        As `plot_retention`.
    labels : mapping, optional
        Words for the methods.
    currency : str, optional
        ISO code.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = _dots(result, "method", ax=ax, palette=palette, labels=labels)
    ax.set_xlabel(text("customer_value.plot_ltv", lang, currency=currency or ""))
    ax.locator_params(axis="x", nbins=5)
    format_axis(ax.xaxis, "currency", lang, currency=currency)
    ax.set_title(
        text("customer_value.plot_values_title", lang, n=format_value(int(result["n"].max()), "count", lang))
    )
    return ax


@takes_results("cac")
def plot_value_for_cost(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
) -> Axes:
    """Draw LTV / CAC of each channel with its interval, against the line where it pays back in time.

    Parameters
    ----------
    result : pandas.DataFrame
        Rows "ltv_to_cac" of `value.cac`; channels without a ratio stay empty.
    ax, palette, lang
        As `plot_retention`.
    labels : mapping, optional
        Words for the channels.

    Returns
    -------
    matplotlib.axes.Axes
    """
    rows = result[result["metric"] == "ltv_to_cac"]
    ax = _dots(rows, "acquisition_channel", ax=ax, palette=palette, labels=labels)
    ax.axvline(1, color=colours(palette)["neutral"], linestyle="--", linewidth=1)
    label_end(ax, 1, -0.45, text("customer_value.plot_pays", lang), colour=colours(palette)["neutral"])
    ax.set_xlabel(text("customer_value.plot_ratio", lang))
    n = int(rows["n"].dropna().sum())
    ax.set_title(text("customer_value.plot_value_for_cost_title", lang, n=format_value(n, "count", lang)))
    return ax


def _dots(
    result: pd.DataFrame,
    by: str,
    *,
    ax: Axes | None,
    palette: Mapping[str, str] | None,
    labels: Mapping[Any, str] | None,
) -> Axes:
    """Points with intervals, a row each, from 0."""
    ax = new_axes(ax, figsize=(7.2, 1.3 + 0.42 * len(result)))
    rows = result.reset_index(drop=True).astype({"estimate": float})
    draw_points(ax, list(range(len(rows))), rows, colour=colours(palette)["positive"])
    name_rows(ax, [clean_text((labels or {}).get(key, key), limit=40) for key in rows[by]])
    ax.set_xlim(left=0)
    return ax


def _hatched(corner: tuple[float, float], colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(
        corner, 1, 1, fill=True, facecolor="white", alpha=0.75, hatch="////", edgecolor=colour, linewidth=0
    )
