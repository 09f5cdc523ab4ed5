"""Charts of what customers move to and prefer: migration flow, growth by segment, CTB map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from cxlib.language import clean_text, format_value, shown_number, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import SERIES, colours, draw_interval, format_axis, name_rows, new_axes

BAR, GAP = 0.06, 0.025
#: A flow has more groups than other charts; the last four are from Tol's muted palette.
FLOWS = (*SERIES, "#882255", "#332288", "#999933", "#117733")


@takes_results("migration")
def plot_migration(
    result: pd.DataFrame,
    *,
    totals: Mapping[str, Mapping[Any, float]] | None = None,
    ax: Axes | None = None,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
) -> Axes:
    """Draw a flow from the groups of one date (left) to those of another (right); width is customers.

    Parameters
    ----------
    result : pandas.DataFrame
        As `migration`; moves whose `n` is missing (too few to show) are not drawn.
    totals : mapping, optional
        Customers by group under "before" and "after", moves too few to draw included; a group without one
        has no number. The sums of what is drawn otherwise. A bar is as high as its total, so undrawn moves
        leave a pale rest.
    ax, lang
        Axes to draw on; language of the words.
    labels : mapping, optional
        Words for the groups.

    Returns
    -------
    matplotlib.axes.Axes
    """
    names = list(dict.fromkeys([*result["before"], *result["after"]]))
    ax = new_axes(ax, figsize=(7.4, 1.2 + 0.52 * max(len(names), 1)))
    rows = result.dropna(subset=["n"]).astype({"n": float})
    rows = rows[rows["n"] > 0]
    place = {name: index for index, name in enumerate(names)}
    grid = np.zeros((len(names), len(names)))
    np.add.at(
        grid, (rows["before"].map(place).to_numpy(int), rows["after"].map(place).to_numpy(int)), rows["n"]
    )
    sides = [
        np.maximum(drawn, [float((totals or {}).get(side, {}).get(name, 0)) for name in names])
        for side, drawn in (("before", grid.sum(axis=1)), ("after", grid.sum(axis=0)))
    ]
    total = float(max(held.sum() for held in sides)) or 1.0
    left, right = (_tops(held / total) for held in sides)
    out, into = left.copy(), right.copy()
    for i, j in np.ndindex(grid.shape):
        if (width := grid[i, j] / total) > 0:
            ax.add_patch(_ribbon(out[i], into[j], width, _flow_colour(i), 0.25 if i == j else 0.5))
            out[i] -= width
            into[j] -= width
    places = (("before", 0.0, left, sides[0], out), ("after", 1.0 - BAR, right, sides[1], into))
    for kind, side, tops, held, drawn in places:
        for i, name in enumerate(names):
            height, shown = held[i] / total, tops[i] - drawn[i]
            for low, part, strength in ((drawn[i], shown, 1.0), (tops[i] - height, height - shown, 0.35)):
                bar = Rectangle((side, low), BAR, part, color=_flow_colour(i), alpha=strength, linewidth=0)
                ax.add_patch(bar)
            if height > 0:
                word = clean_text((labels or {}).get(name, name), limit=30)
                is_known = totals is None or name in totals[kind]
                number = f"  {format_value(round(held[i]), 'count', lang)}" if is_known else ""
                ax.text(
                    -0.015 if side == 0 else 1.015,
                    tops[i] - height / 2,
                    f"{word}{number}",
                    ha="right" if side == 0 else "left",
                    va="center",
                    fontsize=8.5,
                )
    for x, key in ((0.0, "plot_before"), (1.0, "plot_after")):
        ax.text(x, 1.02, text(f"segmentation.{key}", lang), ha="left" if x == 0 else "right", va="bottom")
    ax.set(xlim=(-0.45, 1.45), ylim=(min(0.0, -GAP * len(names)), 1.08))
    ax.axis("off")
    ax.set_title(text("segmentation.plot_migration_title", lang))
    return ax


@takes_results("segment_growth")
def plot_growth(
    result: pd.DataFrame,
    *,
    currency: str,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    by: str = "segment",
    labels: Mapping[Any, str] | None = None,
) -> Axes:
    """Draw the change of sales of each group between two periods as a bar with its interval.

    Parameters
    ----------
    result : pandas.DataFrame
        As `segment_growth`, drawn in its order from the top.
    currency : str
        Of the money.
    ax, palette, lang
        Axes to draw on; colours by role; language of the words.
    by : str
        Group column.
    labels : mapping, optional
        Words for the groups.

    Returns
    -------
    matplotlib.axes.Axes
    """
    rows = result.dropna(subset=["estimate"]).astype({"estimate": float}).reset_index(drop=True)
    ax = new_axes(ax, figsize=(7.2, 1.2 + 0.4 * len(rows)))
    colour = colours(palette)
    for place, row in enumerate(rows.to_dict("records")):
        role = "positive" if row["estimate"] >= 0 else "negative"
        ax.barh(place, row["estimate"], color=colour[role], height=0.6)
        draw_interval(ax, place, row["conf_low"], row["conf_high"], colour=colour["total"])
    names = [clean_text((labels or {}).get(name, name), limit=40) for name in rows[by]]
    ax.axvline(0, color=colour["neutral"], linewidth=1)
    name_rows(ax, names)
    ax.set_xlabel(text("segmentation.plot_growth", lang))
    ax.locator_params(axis="x", nbins=5)
    format_axis(ax.xaxis, "currency", lang, currency=currency)
    ax.set_title(text("segmentation.plot_growth_title", lang))
    return ax


@takes_results("ctb_table")
def plot_ctb_map_panel(
    result: pd.DataFrame,
    *,
    lang: str = "en",
    labels: Mapping[Any, str] | None = None,
    dimensions: Sequence[str] | None = None,
    most: int = 8,
) -> Figure:
    """Draw one map per dimension: what each group buys beyond (orange) or below (purple) everybody's share.

    Parameters
    ----------
    result : pandas.DataFrame
        As `ctb_table` by group; cells with a missing `lift` stay blank. Each cell states its share of the
        group's sales, framed where the interval of the lift leaves 1 out.
    lang : str
        Language of the words.
    labels : mapping, optional
        Words for the groups.
    dimensions : sequence of str, optional
        Those to draw, in order; all of the result otherwise.
    most : int
        Values shown per dimension, those with the highest sales of everybody.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot

    shown = list(dimensions or dict.fromkeys(result["dimension"]))
    groups = list(dict.fromkeys(result["group"].dropna()))
    unknown = text("segmentation.plot_unknown", lang)
    rows = result.assign(value=result["value"].astype("object").fillna(unknown))
    size = (7.8, len(shown) * (1.5 + 0.36 * max(len(groups), 1)))
    figure, axes = pyplot.subplots(len(shown), 1, figsize=size, squeeze=False, layout="constrained")
    for ax, dimension in zip(axes[:, 0], shown, strict=True):
        own = rows[rows["dimension"] == dimension]
        base = own[own["group"].isna()].sort_values("amount", ascending=False, kind="stable")
        _ctb_map(ax, own, groups, list(base["value"])[:most], lang)
        ax.set_yticks(
            range(len(groups)), [clean_text((labels or {}).get(name, name), limit=30) for name in groups]
        )
        ax.set_title(text(f"column.{dimension}", lang))
    figure.suptitle(text("segmentation.plot_ctb_title", lang), fontsize=11)
    return figure


def _ctb_map(ax: Axes, rows: pd.DataFrame, groups: list[Any], values: list[Any], lang: str) -> None:
    cells = rows.set_index(["group", "value"])
    grid = np.full((max(len(groups), 1), max(len(values), 1)), np.nan)
    for (i, group), (j, value) in (
        (one, two)
        for one in enumerate(groups)
        for two in enumerate(values)
        if (one[1], two[1]) in cells.index
    ):
        cell = cells.loc[(group, value)]
        lift, share = float(cell["lift"]), float(cell["estimate"])
        if not lift > 0 or share != share:
            continue
        grid[i, j] = np.clip(np.log2(lift), -1, 1)
        low, high = (shown_number(float(cell[f"lift_conf_{end}"]), "ratio") for end in ("low", "high"))
        stands_out = cell["conf_low"] == cell["conf_low"] and not low <= 1 <= high
        ax.text(
            j,
            i,
            format_value(share, "share", lang),
            ha="center",
            va="center",
            fontsize=8.5,
            color="white" if abs(grid[i, j]) > 0.85 else "#222222",
        )
        if stands_out:
            ax.add_patch(
                Rectangle((j - 0.47, i - 0.44), 0.94, 0.88, fill=False, color="#111111", linewidth=1.8)
            )
    # beyond the largest value, so that the darkest cell still lets its number and its frame be seen
    ax.imshow(grid, cmap="PuOr_r", vmin=-1.45, vmax=1.45, aspect="auto")
    ax.set_xticks(range(len(values)), [clean_text(value, limit=12) for value in values], fontsize=8.5)
    ax.grid(visible=False)


def _flow_colour(place: int) -> str:
    return FLOWS[place % len(FLOWS)]


def _tops(held: Any) -> Any:
    """Upper ends of stacked bars with a gap between them, from the top down."""
    before = np.concatenate([[0.0], held.cumsum()[:-1]])
    return 1.0 - before - GAP * np.arange(len(held))


def _ribbon(left: Any, right: Any, width: Any, colour: str, strength: float) -> PathPatch:
    one, two = BAR, 1.0 - BAR
    middle = (one + two) / 2
    points = [(one, left), (middle, left), (middle, right), (two, right), (two, right - width)]
    points += [(middle, right - width), (middle, left - width), (one, left - width), (one, left)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(Path(points, codes), facecolor=colour, alpha=strength, linewidth=0)
