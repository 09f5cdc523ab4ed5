"""Charts of the segmentation chapter: Lorenz curve, deciles, segments, R×F map, back-test."""

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
    draw_interval,
    draw_points,
    format_axis,
    label_end,
    name_rows,
    new_axes,
)


@takes_results("lorenz")
def plot_lorenz(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    by: str | None = None,
    labels: Mapping[Any, str] | None = None,
) -> Axes:
    """Draw the share of sales that the smallest share of customers bring, against equality, with its band.

    Parameters
    ----------
    result : pandas.DataFrame
        As `lorenz`; one curve per value of `by`, without bands when there are several.
    ax, palette, lang
        Axes to draw on; colours by role; language of the words.
    by : str, optional
        Group column of the result.
    labels : mapping of value to str, optional
        Words for the groups.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, figsize=(5.6, 5.2))
    colour = colours(palette)
    ax.plot([0, 1], [0, 1], color=colour["neutral"], linestyle="--", linewidth=1)
    ax.annotate(
        text("segmentation.plot_equality", lang),
        (0.34, 0.36),
        color=colour["neutral"],
        rotation=45,
        rotation_mode="anchor",
        transform_rotates_text=True,
    )
    numbers = ["customer_share", "estimate", "conf_low", "conf_high"]
    result = result.astype(dict.fromkeys(numbers, float))
    curves = [("", result)] if by is None else list(result.groupby(by, observed=True, sort=True))
    for place, (name, curve) in enumerate(curves):
        own = colour["total"] if by is None else SERIES[place % len(SERIES)]
        ax.plot(curve["customer_share"], curve["estimate"], color=own, linewidth=2)
        if len(curves) == 1:
            draw_band(ax, curve["customer_share"], curve["conf_low"], curve["conf_high"], colour=own)
        if by is not None:
            at = curve.iloc[int(len(curve) * (0.55 + 0.3 * place / max(len(curves), 1)))]
            label_end(
                ax, at["customer_share"], at["estimate"], str((labels or {}).get(name, name)), colour=own
            )
            ax.texts[-1].set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.6})
    ax.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel=text("segmentation.plot_customers_from_smallest", lang),
        ylabel=text("segmentation.plot_share_of_sales", lang),
    )
    for axis in (ax.xaxis, ax.yaxis):
        format_axis(axis, "share", lang)
    groups = result.groupby(by, observed=True) if by else [(None, result)]
    n = sum(int(curve["n"].iloc[0]) for _, curve in groups if len(curve))
    top = result[np.isclose(result["customer_share"], 0.9)] if by is None else result[:0]
    values = {"n": format_value(n, "count", lang)}
    if len(top):
        values["share"] = format_value(1 - float(top["estimate"].iloc[0]), "share", lang)
    key = "segmentation.plot_lorenz_top_title" if len(top) else "segmentation.plot_lorenz_title"
    ax.set_title(text(key, lang, **values))
    return ax


@takes_results("decile_table")
def plot_deciles(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes:
    """Draw each decile's share of sales as a bar with its interval, beside the tenth that equality gives.

    Parameters
    ----------
    result : pandas.DataFrame
        As `decile_table(scheme="count")`; rows without a decile are not drawn, suppressed ones leave a gap.
    ax, palette, lang
        As `plot_lorenz`.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    colour = colours(palette)
    rows = result[result["decile"].notna()].astype({"decile": int, "estimate": float})
    ax.bar(rows["decile"], rows["estimate"], color=colour["positive"], width=0.75)
    for row in rows.to_dict("records"):
        low, high, estimate = row["conf_low"], row["conf_high"], row["estimate"]
        draw_interval(ax, row["decile"], low, high, horizontal=False, colour=colour["total"])
        if estimate == estimate:
            ax.annotate(
                format_value(estimate, "share", lang),
                (row["decile"], high if high == high else estimate),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8.5,
            )
    ax.axhline(0.1, color=colour["neutral"], linestyle="--", linewidth=1)
    label_end(ax, 9.2, 0.117, text("segmentation.plot_equal_tenth", lang), colour=colour["neutral"])
    ax.set(
        xlabel=text("segmentation.plot_decile", lang),
        ylabel=text("segmentation.plot_share_of_sales", lang),
        xticks=range(1, 11),
    )
    ax.grid(visible=False, axis="x")
    format_axis(ax.yaxis, "share", lang)
    total = format_value(rows["n"].sum(), "count", lang)
    ax.set_title(text("segmentation.plot_deciles_title", lang, n=total))
    return ax


@takes_results("segment_table")
def plot_segments(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    by: str = "segment",
    labels: Mapping[Any, str] | None = None,
) -> Axes:
    """Draw each group's share of customers and share of sales on one line, with their intervals.

    Parameters
    ----------
    result : pandas.DataFrame
        As `segment_table`, one row per group, drawn in its order from the top.
    ax, palette, lang
        As `plot_lorenz`.
    by : str
        Group column of the result.
    labels : mapping, optional
        Words for the groups.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, figsize=(7.2, 1.2 + 0.42 * len(result)))
    colour = colours(palette)
    names = [clean_text((labels or {}).get(key, key), limit=40) for key in result[by]]
    rows = result.reset_index(drop=True).astype({"estimate": float, "customer_share": float})
    ax.hlines(rows.index, rows["customer_share"], rows["estimate"], color="#dddddd", linewidth=5, zorder=1)
    for middle, ends, role, shift, marker, key in (
        ("customer_share", "customer_share_", "neutral", 0.09, "s", "share_of_customers"),
        ("estimate", "", "positive", -0.09, "o", "share_of_sales"),
    ):
        beside = [place + shift for place in range(len(rows))]
        draw_points(ax, beside, rows, colour=colour[role], middle=middle, ends=ends, marker=marker)
        label = text(f"segmentation.plot_{key}", lang)
        ax.plot([], [], color=colour[role], marker=marker, linestyle="none", label=label)
    ax.legend(loc="lower right", frameon=False)
    name_rows(ax, names)
    ax.set_xlabel(text("segmentation.plot_share", lang))
    ax.set_xlim(left=0)
    format_axis(ax.xaxis, "share", lang)
    total = format_value(rows["n"].sum(), "count", lang)
    ax.set_title(text("segmentation.plot_segments_title", lang, n=total))
    return ax


@takes_results("rfm")
def plot_rf_map(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    lang: str = "en",
    value_col: str = "estimate",
    unit: str = "share",
    title: str = "segmentation.plot_rf_title",
) -> Axes:
    """Draw a map of R score by F score: darker and labelled is more; suppressed and empty cells stay blank.

    Parameters
    ----------
    result : pandas.DataFrame
        One row per `r_score` and `f_score` with the value to show.
    ax, lang
        As `plot_lorenz`.
    value_col, unit : str
        Column shown, and its unit.
    title : str
        Catalogue key of the title.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, figsize=(6.2, 5.0))
    rows = result.dropna(subset=["r_score", "f_score"]).astype({value_col: float})
    size = int(max(rows["r_score"].max(), rows["f_score"].max(), 1)) if len(rows) else 1
    grid = np.full((size, size), np.nan)
    grid[rows["r_score"].astype(int) - 1, rows["f_score"].astype(int) - 1] = rows[value_col]
    most = np.nanmax(grid) if np.isfinite(grid).any() else 1.0
    ax.imshow(grid, cmap="Blues", vmin=0, vmax=most or 1.0, origin="lower", aspect="auto")
    for (r, f), shown in np.ndenumerate(grid):
        if np.isfinite(shown):
            ax.text(
                f,
                r,
                format_value(shown, unit, lang),
                ha="center",
                va="center",
                fontsize=9,
                color="white" if shown > 0.55 * most else "#222222",
            )
    scores = range(1, size + 1)
    ax.set_xticks(range(size), [str(score) for score in scores])
    ax.set_yticks(range(size), [str(score) for score in scores])
    ax.set(xlabel=text("segmentation.plot_f_score", lang), ylabel=text("segmentation.plot_r_score", lang))
    ax.grid(visible=False)
    ax.set_title(text(title, lang))
    return ax


@takes_results("backtest")
def plot_backtest(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    lang: str = "en",
    metric: str = "repeat_rate",
    unit: str = "share",
    currency: str | None = None,
) -> Axes:
    """Draw what each score group did in the next period, one line per score, with intervals.

    Parameters
    ----------
    result : pandas.DataFrame
        As `backtest` by `r_score`, `f_score`, `m_score`.
    ax, lang
        As `plot_lorenz`.
    metric, unit, currency : str
        Which of the measures, its unit, and the currency of money.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    rows = result[result["metric"] == metric].astype({"estimate": float, "group": float})
    schemes = list(dict.fromkeys(rows["scheme"]))
    for place, (scheme, marker) in enumerate(zip(schemes, "os^Dv", strict=False)):
        line = rows[rows["scheme"] == scheme].sort_values("group")
        x = line["group"] + 0.08 * (place - (len(schemes) - 1) / 2)
        ax.plot(x, line["estimate"], color=SERIES[place], marker=marker, label=text(f"column.{scheme}", lang))
        for at, (_, row) in zip(x, line.iterrows(), strict=True):
            draw_interval(ax, at, row["conf_low"], row["conf_high"], horizontal=False, colour=SERIES[place])
    if schemes:
        ax.legend(loc="upper left", frameon=False)
    ax.set(xlabel=text("segmentation.plot_score", lang), ylabel=text(f"segmentation.plot_{metric}", lang))
    ax.set_xticks(range(1, 6))
    ax.set_xlim(0.6, 5.4)
    ax.set_ylim(bottom=0)
    format_axis(ax.yaxis, unit, lang, currency=currency)
    ax.set_title(text(f"segmentation.plot_{metric}_title", lang))
    return ax
