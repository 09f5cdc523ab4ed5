"""Charts of how far customers get, and of whose state a touchpoint changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from cxlib.language import clean_text, format_value, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import colours, draw_interval, format_axis, name_rows, new_axes


@takes_results("funnel")
def plot_funnel(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw a funnel: share of those at the first step, with its interval, counts and the step rate.

    Parameters
    ----------
    result
        A frame of `funnel` without groups.
    ax, palette, lang
        Axes to draw on, colours by role, language of the words.
    labels
        Label by step.

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"step": ["cart", "pay"], "n": [4, 2], "share_of_first": [1.0, 0.5],
    ...     "share_of_first_conf_low": [0.5, 0.2], "share_of_first_conf_high": [1.0, 0.8],
    ...     "share_of_previous": [None, 0.5]})
    >>> [float(bar.get_width()) for bar in plot_funnel(frame).patches]
    [1.0, 0.5]
    """
    ax, roles = new_axes(ax, figsize=(7.6, 1.2 + 0.42 * len(result))), colours(palette)
    names = [clean_text((labels or {}).get(step, step), limit=30) for step in result["step"]]
    ax.barh(range(len(result)), result["share_of_first"].fillna(0), color=roles["positive"], height=0.6)
    for place, row in enumerate(result.to_dict("records")):
        low, high = row["share_of_first_conf_low"], row["share_of_first_conf_high"]
        draw_interval(ax, place, low, high, colour=roles["total"])
        words = [f"n = {format_value(row['n'], 'count', lang)}"]
        if pd.notna(row["share_of_previous"]):
            of_previous = format_value(row["share_of_previous"], "share", lang)
            words.append(text("journey.of_previous", lang, share=of_previous))
        ends = [value for value in (row["share_of_first"], high, 0.0) if pd.notna(value)]
        ax.annotate(
            "  ".join(words), (max(ends), place), xytext=(6, 0), textcoords="offset points", va="center"
        )
    name_rows(ax, names)
    ax.set(xlim=(0, 1.45), xticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set_xlabel(text("journey.axis_of_first", lang))
    format_axis(ax.xaxis, "share", lang)
    return ax


@takes_results("state_changes")
def plot_state_changes(
    result: pd.DataFrame,
    *,
    states: Sequence[str],
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw the touchpoint × state matrix: how much more often customers move up when touched.

    Parameters
    ----------
    result
        A frame of `state_changes`. Cells without estimate stay empty; below the raw difference stands the
        adjusted one; framed: shown beyond noise and not confounded; "!": the touched are busier elsewhere.
    states
        States of the columns, in order.
    ax, palette, lang
        Axes to draw on, colours by role, language of the words.
    labels
        Label by touchpoint and by state.

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"touchpoint": ["mail"], "state": ["lapsed"], "estimate": [0.25],
    ...     "adjusted": [0.02], "is_shown": [True], "is_confounded": [False]})
    >>> [cell.get_text() for cell in plot_state_changes(frame, states=["lapsed"]).texts]
    ['+25.0 pp', 'alike: +2.0 pp']
    """
    words, roles = labels or {}, colours(palette)
    touchpoints = list(dict.fromkeys(result["touchpoint"]))
    size = (2.0 + 1.08 * len(states), 1.6 + 0.44 * max(len(touchpoints), 1))
    ax = new_axes(ax, figsize=size)
    cells = pd.MultiIndex.from_product([touchpoints, list(states)])
    estimates = result.set_index(["touchpoint", "state"])["estimate"].reindex(cells)
    grid = estimates.to_numpy(dtype=float).reshape(len(touchpoints), len(states))
    reach = float(np.nanmax(np.abs(grid), initial=0.01))
    tones = LinearSegmentedColormap.from_list("change", [roles["negative"], "#ffffff", roles["positive"]])
    ax.pcolormesh(np.nan_to_num(grid), cmap=tones, vmin=-reach, vmax=reach, edgecolor="#e5e5e5")
    for row in result.to_dict("records"):
        if row["state"] not in states or pd.isna(row["estimate"]):
            continue
        label = format_value(row["estimate"], "pp", lang) + (" !" if row["is_confounded"] else "")
        x, y = list(states).index(row["state"]), touchpoints.index(row["touchpoint"])
        tone = "#ffffff" if abs(row["estimate"]) > 0.6 * reach else roles["total"]
        like = text("journey.adjusted", lang, gap=format_value(row["adjusted"], "pp", lang))
        for word, down, size_of in ((label, 0.3, 9), (like, 0.72, 7.5)):
            ax.text(x + 0.5, y + down, word, ha="center", va="center", fontsize=size_of, color=tone)
        if row["is_shown"] and not row["is_confounded"]:
            ax.add_patch(
                Rectangle((x + 0.03, y + 0.06), 0.94, 0.88, fill=False, edgecolor=roles["total"], lw=1.6)
            )
    ax.set_yticks(np.arange(len(touchpoints)) + 0.5)
    ax.set_yticklabels([clean_text(words.get(name, name), limit=24) for name in touchpoints], fontsize=8)
    ax.set_xticks(np.arange(len(states)) + 0.5)
    ax.set_xticklabels([_wrapped(words.get(name, name), lang) for name in states], fontsize=8)
    ax.grid(visible=False)
    ax.invert_yaxis()
    ax.xaxis.tick_top()
    return ax


def _wrapped(label: str, lang: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(clean_text(label, limit=40), 8 if lang == "ja" else 14))
