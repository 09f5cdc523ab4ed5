"""Charts of the journey: the emotion curve with its band, and the second purchase as a curve over days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxlib.language import clean_text, format_value, shown_number, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import (
    SERIES,
    colours,
    draw_band,
    draw_interval,
    format_axis,
    label_end,
    new_axes,
    small_multiples,
)

#: More curves than this are drawn without bands, which would hide each other.
MOST_BANDS = 3
#: More groups than this are drawn into axes of their own, each with the others in grey behind it.
MOST_LINES = 5
_BARE = {"marker": ""}  # of the curves behind
AT_RISK_DAYS = (0, 30, 60, 90, 180, 365)


@takes_results("emotion_curve")
def plot_emotion_curve(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
    valleys: Sequence[str] = (),
    scale: tuple[float, float] = (-2, 2),
) -> Axes | Figure:
    r"""Draw the emotion curve: pooled with its band, the same customers dashed, answers under each stage.

    Parameters
    ----------
    result
        A frame of `emotion_curve`; with a group column, one pooled curve per group, and no counts under the
        stages. A line ends where a group's stage is missing.
    ax, palette, lang
        Axes to draw on, colours by role, language of the words.
    labels
        Stage label by stage; the stage itself otherwise.
    valleys
        Stages to mark, as `find_valleys` named them.
    scale
        Lowest and highest score that could be given, named on the axis.

    Returns
    -------
    Axes, or without `ax` and with more than five groups a Figure of small multiples, a band in each.

    Examples
    --------
    >>> from cxlib.journey.curve import emotion_curve
    >>> events = pd.DataFrame({"customer_id": list("aabbcc"), "stage": ["buy", "wait"] * 3,
    ...     "valence": [1, 0, 2, 0, 1, -1]})
    >>> ax = plot_emotion_curve(emotion_curve(events, stage_order=["buy", "wait"]))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['buy\nn = 3', 'wait\nn = 3']
    """
    pooled, by, roles = result[result["metric"] == "pooled"], _group_column(result), colours(palette)
    curves = _curves(pooled, by, roles, text("journey.curve_pooled", lang))
    low, high = (f"{end:g}".replace("-", "−") for end in scale)
    axis = text("journey.axis_valence", lang, low=low, high=high)
    first = pooled.drop_duplicates("stage_number")
    if ax is None and len(curves) > MOST_LINES:
        curves = [
            (name, _with_gaps(rows, sorted(set(first["stage_number"]))), "") for name, rows, _ in curves
        ]
        figure = _one_each(curves, roles, lang, x="stage_number", n="n", band="band_", marker="o")
        names = [clean_text((labels or {}).get(stage, stage), limit=20) for stage in first["stage"]]
        for place in figure.axes:
            place.axhline(0, color=roles["neutral"], linewidth=0.8, zorder=0)
            place.set_xticks(first["stage_number"].to_numpy(), names, fontsize=8, rotation=90)
        figure.supylabel(axis, fontsize=9)
        return figure
    ax = new_axes(ax, figsize=(7.6, 4.4))
    ax.axhline(0, color=roles["neutral"], linewidth=0.8, zorder=0)
    ends = []
    places = sorted(set(pooled["stage_number"].dropna()))
    for number, (name, rows, colour) in enumerate(curves):
        curve = rows if by is None else _with_gaps(rows, places)
        x = curve["stage_number"].to_numpy() + 0.06 * (number - (len(curves) - 1) / 2)
        if len(curves) <= MOST_BANDS:
            draw_band(ax, x, curve["band_conf_low"], curve["band_conf_high"], colour=colour)
        ax.plot(x, curve["estimate"], color=colour, marker="o", linewidth=2, markersize=5)
        for place, low, high in zip(x, curve["conf_low"], curve["conf_high"], strict=True):
            draw_interval(ax, place, low, high, horizontal=False, colour=colour)
        ends.append((curve, name, colour))
    if by is None:
        paired = result[result["metric"] == "paired"]
        ax.plot(
            paired["stage_number"],
            paired["estimate"],
            color=roles["positive"],
            marker="s",
            ms=4,
            linestyle="--",
        )
        ends.append((paired, text("journey.curve_paired", lang), roles["positive"]))
    _label_apart(ax, ends, beside=0.03 * (len(curves) - 1))
    for place in first.loc[first["stage"].isin(valleys), "stage_number"]:
        ax.axvspan(place - 0.4, place + 0.4, color=roles["highlight"], alpha=0.25, zorder=0)
    counts = pooled.set_index("stage_number")["n"] if by is None else None
    ticks = [_stage_tick(row, counts, labels or {}, lang) for row in first.itertuples()]
    ax.set_xticks(first["stage_number"].to_numpy(), ticks, fontsize=8)
    ax.grid(visible=False, axis="x")
    ax.set_ylabel(axis)
    return ax


@takes_results("repeat_curve")
def plot_repeat_curve(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes | Figure:
    """Draw F2 by days since the first purchase, with interval, the naive ratio and the numbers at risk.

    Parameters
    ----------
    result
        A frame of `repeat_curve`, best with many horizons (`range(1, 366)`); with a group column, one curve
        per group and no naive ratio.
    ax, palette, lang
        Axes to draw on, colours by role, language of the words.

    Returns
    -------
    Axes, or without `ax` and with more than five groups a Figure of small multiples, each group with its
    interval and without the numbers at risk.

    Examples
    --------
    >>> from cxlib.journey.second_purchase.f2_curve import repeat_curve
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-11", "2026-01-05"])})
    >>> ax = plot_repeat_curve(repeat_curve(orders, as_of="2026-01-31", horizons_days=range(1, 27)))
    >>> float(ax.lines[0].get_ydata()[-1])
    0.5
    """
    roles, by = colours(palette), _group_column(result)
    curves = _curves(result, by, roles, text("journey.f2_kaplan_meier", lang))
    if ax is None and len(curves) > MOST_LINES:
        figure = _one_each(curves, roles, lang, x="days", n="n_at_risk", drawstyle="steps-post")
        figure.axes[0].set_ylim(bottom=0)
        format_axis(figure.axes[0].yaxis, "share", lang)
        figure.supxlabel(text("journey.axis_days", lang), fontsize=9)
        figure.supylabel(text("journey.axis_f2", lang), fontsize=9)
        return figure
    ax = new_axes(ax, figsize=(8.4, 4.8))
    ends = []
    for name, curve, colour in curves:
        ax.step(curve["days"], curve["estimate"], where="post", color=colour, linewidth=2)
        if len(curves) <= MOST_BANDS:
            band: dict[str, Any] = {"step": "post", "color": colour, "alpha": 0.18, "linewidth": 0}
            ax.fill_between(curve["days"], curve["conf_low"], curve["conf_high"], **band)
        ends.append((curve, name, colour))
    if by is None:
        ax.step(result["days"], result["naive"], where="post", color=roles["negative"], linestyle="--")
        ends.append(
            (result.assign(estimate=result["naive"]), text("journey.f2_naive", lang), roles["negative"])
        )
    _label_apart(ax, ends, x="days")
    days = [day for day in AT_RISK_DAYS if day in set(result["days"])]
    ax.set_xticks(days)
    ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
    format_axis(ax.yaxis, "share", lang)
    ax.set_xlabel(text("journey.axis_days", lang))
    ax.set_ylabel(text("journey.axis_f2", lang))
    _numbers_at_risk(ax, curves if by else [("", result, "")], days, lang)
    return ax


@takes_results("touchpoint_scores")
def plot_touchpoint_losses(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw what falling below expectation costs at each touchpoint, in the order of the frame.

    Parameters
    ----------
    result
        A frame of `touchpoint_scores`; touchpoints without an estimate are not drawn.
    ax, palette, lang
        Axes to draw on, colours by role, language of the words.
    labels
        Label by touchpoint.

    Returns
    -------
    Axes

    Examples
    --------
    >>> from cxlib.journey.touchpoints import touchpoint_scores
    >>> events = pd.DataFrame({"customer_id": list("abcd"), "touchpoint": ["ad", "delivery"] * 2,
    ...     "expectation": 3, "experience": [3, 2, 3, 2]})
    >>> ax = plot_touchpoint_losses(touchpoint_scores(events))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['delivery', 'ad']
    """
    shown, roles = result[result["estimate"].notna()], colours(palette)
    ax = new_axes(ax, figsize=(7.2, 1.2 + 0.28 * len(shown)))
    names = [clean_text((labels or {}).get(name, name), limit=30) for name in shown.iloc[:, 0]]
    rows = shown[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)
    for place, (estimate, low, high) in enumerate(rows):
        colour = roles["negative"] if shown_number(low, "score") > 0 else roles["neutral"]
        draw_interval(ax, place, low, high, colour=colour)
        ax.plot(estimate, place, marker="o", color=colour)
    ax.axvline(0, color=roles["total"], linewidth=0.8)
    ax.set_yticks(range(len(shown)), names)
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(text("journey.axis_loss", lang))
    return ax


def _curves(
    result: pd.DataFrame, by: str | None, roles: Mapping[str, str], alone: str
) -> list[tuple[str, pd.DataFrame, str]]:
    """Name, rows and colour of each curve with a known point; groups beyond the palette share grey."""
    if by is None:
        return [(alone, result, roles["total"])]
    groups = [
        (name, rows)
        for name, rows in result.groupby(by, sort=False, observed=True)
        if rows["estimate"].notna().any()
    ]
    colours_of = [*SERIES[: len(groups)], *[roles["neutral"]] * (len(groups) - len(SERIES))]
    return [
        (clean_text(name, limit=20), rows, colour)
        for (name, rows), colour in zip(groups, colours_of, strict=True)
    ]


def _one_each(
    curves: list[tuple[str, pd.DataFrame, str]],
    roles: Mapping[str, str],
    lang: str,
    *,
    x: str,
    n: str,
    band: str = "",
    **style: Any,
) -> Figure:
    """Draw each curve with its band into axes of its own, the others in grey behind; name its largest n."""

    def draw(ax: Axes, own: pd.DataFrame) -> None:
        for _, other, _ in curves:
            ax.plot(
                other[x], other["estimate"], color=roles["neutral"], linewidth=0.7, zorder=1, **style | _BARE
            )
        low, high = own[f"{band}conf_low"], own[f"{band}conf_high"]
        draw_band(ax, own[x], low, high, colour=roles["total"])
        ax.plot(own[x], own["estimate"], color=roles["total"], linewidth=2, markersize=4, **style)

    cells = [(f"{name} (n = {format_value(rows[n].max(), 'count', lang)})", rows) for name, rows, _ in curves]
    return small_multiples(cells, draw, row_height=2.2, columns=2)


def _numbers_at_risk(
    ax: Axes, curves: list[tuple[str, pd.DataFrame, str]], days: list[int], lang: str
) -> None:
    """Write how many customers each curve still rests on, under the axis."""
    names = [clean_text(name, limit=14) for name, _, _ in curves if name]
    lines = [text("journey.at_risk", lang), *names]
    offset = 1 if len(lines) > 1 else 0
    for line, label in enumerate(lines):
        place = ("axes fraction", "axes fraction")
        ax.annotate(
            label, (0, -0.2 - 0.065 * line), xycoords=place, ha="right", fontsize=8, annotation_clip=False
        )
    for line, (_, curve, _) in enumerate(curves):
        held = curve.set_index("days")["n_at_risk"]
        for day in days:
            if day in held.index:
                ax.annotate(
                    format_value(held[day], "count", lang),
                    (day, -0.2 - 0.065 * (line + offset)),
                    xycoords=("data", "axes fraction"),
                    ha="center",
                    fontsize=8,
                    annotation_clip=False,
                )


def _label_apart(
    ax: Axes, ends: list[tuple[pd.DataFrame, str, str]], *, x: str = "stage_number", beside: float = 0.0
) -> None:
    """Write each curve's name beside its last point, pushed apart where two would cover each other."""
    known = [(curve[curve["estimate"].notna()], name, colour) for curve, name, colour in ends]
    last = [(curve.iloc[-1], name, colour) for curve, name, colour in known if len(curve)]
    if not last:
        return
    low, high = ax.get_ylim()
    gap = (high - low) * 0.06
    last = sorted(last, key=lambda end: end[0]["estimate"])
    heights = [float(row["estimate"]) for row, _, _ in last]
    places = np.maximum.accumulate(np.array(heights) - gap * np.arange(len(last))) + gap * np.arange(
        len(last)
    )
    right = max(float(row[x]) for row, _, _ in last) + beside
    for (_, name, colour), place in zip(last, places - (places - heights).mean(), strict=True):
        label_end(ax, right, place, name, colour=colour)


def _stage_tick(row: Any, counts: Any, labels: Mapping[str, str], lang: str) -> str:
    label = _wrapped(clean_text(labels.get(row.stage, row.stage), limit=40), 7 if lang == "ja" else 11, lang)
    if counts is None:
        return label
    return f"{label}\nn = {format_value(counts.get(row.stage_number, np.nan), 'count', lang)}"


def _with_gaps(rows: pd.DataFrame, places: list[int]) -> pd.DataFrame:
    """One row per stage; a stage blanked or never seen is missing, so that no line runs across it."""
    known = rows[rows["estimate"].notna()].set_index("stage_number")
    return known.reindex(places).rename_axis("stage_number").reset_index()


def _wrapped(label: str, width: int, lang: str) -> str:
    if lang == "ja":
        return "\n".join(label[start : start + width] for start in range(0, len(label), width))
    lines = [""]
    for word in label.split():
        joined = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], joined] if len(joined) <= width or not lines[-1] else [*lines, word]
    return "\n".join(lines)


def _group_column(result: pd.DataFrame) -> str | None:
    return None if result.columns[0] == "metric" else str(result.columns[0])
