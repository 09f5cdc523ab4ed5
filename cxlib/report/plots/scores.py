"""Charts of survey scores: NPS by group, the eleven scores, waves within their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxlib.language import clean_text, format_value, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import (
    colours,
    draw_band,
    draw_interval,
    draw_points,
    format_axis,
    label_end,
    name_rows,
    new_axes,
)


@takes_results("nps")
def plot_nps(
    result: pd.DataFrame,
    *,
    by: str | None = None,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
    total: float | None = None,
) -> Axes:
    """Draw the NPS of every group as a point with its interval, the answers beside the name.

    Parameters
    ----------
    result : DataFrame
        As `nps`, one row per group, drawn in its order from the top; a suppressed row keeps its name only.
    by : str, optional
        Group column.
    ax, palette, lang
        Axes to draw on; colours by role; language of the words.
    labels : mapping, optional
        Words for the groups.
    total : float, optional
        NPS of all answers, as a dashed line.

    Returns
    -------
    Axes
    """
    names = [text("nps.everyone", lang)] * len(result) if by is None else result[by].tolist()
    ax, colour = new_axes(ax, figsize=(7.2, 1.6 + 0.42 * max(len(result), 1))), colours(palette)
    if total is not None and total == total:
        ax.axvline(total, color=colour["neutral"], linestyle="--", linewidth=1, zorder=0)
    ax.axvline(0, color=colour["neutral"], linewidth=0.8, zorder=0)
    draw_points(ax, range(len(result)), result, colour=colour["positive"], interval_colour=colour["total"])
    words = _groups(names, labels, lang, limit=40)
    counts = [format_value(n, "count", lang) for n in result["n"]]
    name_rows(ax, [f"{word}\nn = {n}" for word, n in zip(words, counts, strict=True)])
    ax.set(xlim=(-100, 100), xlabel=text("nps.plot_points", lang))
    ax.set_title(text("nps.plot_nps_title", lang, n=format_value(result["n"].sum(), "count", lang)))
    return ax


@takes_results("score_distribution")
def plot_score_distribution(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes:
    """Draw the share of answers at each score 0–10, coloured detractor, passive, promoter.

    Parameters
    ----------
    result : DataFrame
        As `score_distribution`: one bar a row, joined scores as one wide bar whose area is their share.
    ax, palette, lang
        As `plot_nps`.

    Returns
    -------
    Axes
    """
    ax, colour = new_axes(ax, figsize=(7.2, 3.4)), colours(palette)
    width = result["score_to"] - result["score"] + 1
    height = result["estimate"].astype(float).fillna(0) / width
    for role, low, high in (("detractor", 0, 6), ("passive", 7, 8), ("promoter", 9, 10)):
        mine = result["score"].between(low, high)
        centre = (result["score"] + result["score_to"]) / 2
        ax.bar(centre[mine], height[mine], color=colour[role], width=width[mine] - 0.2)
        share = format_value(result.loc[mine, "estimate"].sum(), "share", lang)
        ax.annotate(
            text(f"nps.plot_{role}", lang, share=share),
            ((low + high) / 2, 0.97),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="top",
            color=colour[role],
        )
    for place, wide, tall in zip(result["score"], width, height, strict=True):
        if wide > 1:
            words = text("nps.plot_joined", lang, low=place, high=place + wide - 1)
            ax.annotate(
                words,
                (place + (wide - 1) / 2, tall),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                color=colour["total"],
            )
    ax.set(xticks=range(11), xlabel=text("nps.plot_score", lang), ylabel=text("nps.plot_answers", lang))
    ax.set_ylim(0, 1.35 * height.max() if height.max() > 0 else 1)
    ax.grid(visible=False, axis="x")
    format_axis(ax.yaxis, "share", lang)
    n = format_value(result["n"].sum(), "count", lang)
    ax.set_title(text("nps.plot_distribution_title", lang, n=n))
    return ax


@takes_results("wave_chart")
def plot_waves(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes:
    """Draw the NPS wave by wave with intervals, inside the limits of chance; waves outside are highlighted.

    Parameters
    ----------
    result : DataFrame
        As `wave_chart`.
    ax, palette, lang
        As `plot_nps`.

    Returns
    -------
    Axes
    """
    ax, colour = new_axes(ax, figsize=(8.0, 4.0)), colours(palette)
    x = list(range(len(result)))
    draw_band(ax, x, result["limit_low"], result["limit_high"], colour=colour["neutral"])
    if x:
        ax.plot(x, result["centre"], color=colour["neutral"], linestyle="--", linewidth=1)
        label_end(
            ax, x[-1], result["centre"].iloc[-1], text("nps.plot_centre", lang), colour=colour["neutral"]
        )
    ax.plot(x, result["estimate"], color=colour["total"], marker="o", linewidth=1.8)
    for place, row in zip(x, result.to_dict("records"), strict=True):
        tone = colour["negative"] if row["is_signal"] is True else colour["total"]
        draw_interval(ax, place, row["conf_low"], row["conf_high"], horizontal=False, colour=tone)
        if row["is_signal"] is True:
            ax.plot([place], [row["estimate"]], "o", color=tone, markersize=9)
    n = [format_value(count, "count", lang) for count in result["n"]]
    ticks = [f"{clean_text(wave)}\nn = {count}" for wave, count in zip(result["wave"], n, strict=True)]
    ax.set(xticks=x, xticklabels=ticks, ylabel=text("nps.plot_points", lang))
    ax.set_xlabel(text("nps.plot_wave", lang))
    ax.grid(visible=False, axis="x")
    judged = result["is_signal"].dropna().astype(bool)
    words = {"waves": len(judged) or len(result)} | ({"signals": int(judged.sum())} if judged.any() else {})
    kind = "signal" if judged.any() else "calm" if len(judged) else "few"
    ax.set_title(text(f"nps.plot_waves_{kind}_title", lang, **words))
    return ax


@takes_results("csat` / `ces")
def plot_satisfaction_panel(
    result: pd.DataFrame,
    *,
    by: str,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
) -> Figure:
    """Draw satisfaction and effort of every group as points with intervals, side by side.

    Parameters
    ----------
    result : DataFrame
        Rows of `csat` and `ces` with `by`, told apart by ``metric``; a measure without any estimate is not
        drawn. Groups stand in the order of the first that is drawn.
    by : str
        Group column.
    palette, lang, labels
        As `plot_nps`.

    Returns
    -------
    Figure
    """
    from matplotlib import pyplot

    parts = [(name, result[result["metric"] == name]) for name in ("csat", "ces")]
    drawn = [(name, part) for name, part in parts if part["estimate"].notna().any()]
    keys = [part[by].astype("object").where(part[by].notna(), None).tolist() for _, part in drawn]
    order = list(dict.fromkeys(key for group in keys for key in group))
    colour, size = colours(palette), (7.6, 1.6 + 0.36 * max(len(order), 1))
    figure, axes = pyplot.subplots(
        1, max(len(drawn), 1), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for ax, (name, part), groups in zip(axes.flat, drawn, keys, strict=False):
        tones = {"colour": colour["positive"], "interval_colour": colour["total"]}
        draw_points(ax, [order.index(group) for group in groups], part, size=6, **tones)
        ax.set_xlabel(text(f"nps.plot_{name}", lang))
        ax.grid(visible=False, axis="y")
        n = format_value(part["n"].sum(), "count", lang)
        ax.set_title(text(f"nps.plot_{name}_title", lang, n=n))
        if name == "csat":
            format_axis(ax.xaxis, "share", lang)
    name_rows(axes[0, 0], _groups(order, labels, lang, limit=30))
    return figure


@takes_results("mix_rate")
def plot_mix_rate(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes:
    """Draw what changed scores and a changed mix contribute to the change of the NPS, with intervals.

    Parameters
    ----------
    result : DataFrame
        As `mix_rate`.
    ax, palette, lang
        As `plot_nps`.

    Returns
    -------
    Axes
    """
    ax, colour = new_axes(ax, figsize=(7.2, 2.4)), colours(palette)
    ax.axvline(0, color=colour["neutral"], linewidth=0.8, zorder=0)
    tones, places = (
        [colour["total" if name == "total" else "positive"] for name in result["metric"]],
        range(len(result)),
    )
    ax.barh(places, result["estimate"], color=tones, height=0.5, alpha=0.35)
    draw_points(ax, places, result, colour=tones)
    name_rows(ax, [text(f"nps.plot_{name}", lang) for name in result["metric"]])
    ax.set_xlabel(text("nps.plot_change", lang))
    n = format_value(result["n"].max(), "count", lang)
    ax.set_title(text("nps.plot_mix_rate_title", lang, n=n))
    return ax


@takes_results("behaviour_by_attitude")
def plot_behaviour(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes:
    """Draw the shares of customers who did something after their answer, by attitude, adjusted and as seen.

    Parameters
    ----------
    result : DataFrame
        As `behaviour_by_attitude`, without the rows in currency.
    ax, palette, lang
        As `plot_nps`.

    Returns
    -------
    Axes
    """
    ax, colour = new_axes(ax, figsize=(7.2, 1.4 + 0.34 * max(len(result), 1))), colours(palette)
    ticks = []
    for place, row in enumerate(result.to_dict("records")):
        tone = colour[row["attitude"]]
        known = row["adjusted"] == row["adjusted"]
        name = "adjusted_" if known else ""
        draw_interval(ax, place, row[f"{name}conf_low"], row[f"{name}conf_high"], colour=tone)
        ax.plot([row["estimate"]], [place], "o", color=tone, markersize=6, fillstyle="none")
        if known:
            ax.plot([row["adjusted"]], [place], "o", color=tone, markersize=7)
        behaviour, group = (
            text(f"value.behaviours.{row['metric']}", lang),
            text(f"value.{row['attitude']}", lang),
        )
        ticks.append(f"{behaviour} · {group} (n = {format_value(row['n'], 'count', lang)})")
    name_rows(ax, ticks)
    ax.set_xlim(left=0)
    ax.set_xlabel(text("nps.plot_behaviour", lang))
    format_axis(ax.xaxis, "share", lang)
    ax.set_title(text("nps.plot_behaviour_title", lang))
    return ax


def _groups(names: Sequence[Any], labels: Mapping[Any, str] | None, lang: str, *, limit: int) -> list[str]:
    """Words for groups, those without a name included."""
    words = [
        text("nps.no_group", lang) if pd.isna(name) else (labels or {}).get(name, name) for name in names
    ]
    return [clean_text(word, limit=limit) for word in words]
