"""Charts of chapter 4: evidence ladder, months around the start, gap to the controls, cumulative cash."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cxlib.language import format_value, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import (
    colours,
    draw_band,
    draw_interval,
    format_axis,
    label_end,
    name_rows,
    new_axes,
)

UNITS = {"margin": "currency", "amount": "currency", "orders": "number", "repeat": "share"}


@takes_results("evidence_ladder")
def plot_ladder(
    ladder: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    currency: str | None = None,
) -> Axes:
    """Draw estimate and interval of every rung, the answering one in colour (`evidence_ladder`).

    Rungs stand in the order of the frame, from the weakest at the top down to the strongest.
    """
    colour = colours(palette)
    ax = new_axes(ax, figsize=(7.2, 1.4 + 0.42 * len(ladder)))
    labels = []
    for place, row in enumerate(ladder.to_dict("records")):
        shade = colour["positive"] if row["is_answer"] else colour["neutral"]
        draw_interval(ax, place, row["conf_low"], row["conf_high"], colour=shade)
        ax.plot(row["estimate"], place, "o" if row["is_answer"] else "s", color=shade, markersize=7)
        rung = text(f"value.rung.{row['rung']}", lang)
        labels.append(text("impact.plot_rung", lang, rung=rung, months=row["months_observed"]))
    ax.axvline(0, color=colour["total"], linewidth=1)
    name_rows(ax, labels)
    outcome = _outcome(ladder)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    format_axis(ax.xaxis, UNITS.get(outcome, "number"), lang, currency=currency)
    ax.set_xlabel(text("impact.plot_effect", lang, outcome=text(f"value.outcome.{outcome}", lang)))
    return ax


@takes_results("arm_months")
def plot_arm_months(
    months: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    currency: str | None = None,
) -> Axes:
    """Draw the mean per customer and month of each arm, with intervals (`arm_months`)."""
    colour = colours(palette)
    ax = new_axes(ax)
    ends = {}
    for arm, part in months.groupby("arm", sort=False):
        shade = colour["positive"] if arm == "treatment" else colour["neutral"]
        draw_band(ax, part["month"], part["conf_low"], part["conf_high"], colour=shade)
        ax.plot(part["month"], part["estimate"], marker="o", markersize=4, color=shade)
        ends[arm] = (part.iloc[-1], shade)
    apart = 0.06 * float(np.subtract(*ax.get_ylim()[::-1]))
    lowest = -np.inf
    for arm, (last, shade) in sorted(ends.items(), key=lambda item: item[1][0]["estimate"]):
        lowest = max(float(last["estimate"]), lowest + apart)
        name = text(f"impact.arm_{arm}", lang, n=f"{int(last['n']):,}")
        label_end(ax, last["month"], lowest, name, colour=shade)
    outcome = _outcome(months)
    _month_axis(ax, colour, lang)
    _value_axis(ax, outcome, lang, currency, "impact.plot_per_customer")
    return ax


@takes_results("monthly_gap")
def plot_monthly_gap(
    gap: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    currency: str | None = None,
) -> Axes:
    """Draw treatment minus control per month around the start, with its band (`monthly_gap`)."""
    colour = colours(palette)
    ax = new_axes(ax)
    for after, shade in ((False, colour["neutral"]), (True, colour["positive"])):
        part = gap[(gap["event_time"] >= 0) == after]
        for row in part.to_dict("records"):
            draw_interval(
                ax, row["event_time"], row["conf_low"], row["conf_high"], horizontal=False, colour=shade
            )
        ax.plot(part["event_time"], part["estimate"], marker="o", color=shade, linewidth=1)
    ax.axhline(0, color=colour["total"], linewidth=1)
    outcome = _outcome(gap)
    _month_axis(ax, colour, lang)
    _value_axis(ax, outcome, lang, currency, "impact.plot_gap")
    return ax


@takes_results("cash_flows")
def plot_cumulative_cash(
    flows: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    currency: str | None = None,
) -> Axes:
    """Draw the running total of money in and out with its fan, and where it breaks even (`cash_flows`).

    The mark stands at the first month from which the total stays at least zero up to the last month shown.
    """
    colour = colours(palette)
    ax = new_axes(ax)
    draw_band(ax, flows["month"], flows["conf_low"], flows["conf_high"], colour=colour["positive"])
    ax.plot(flows["month"], flows["cumulative"], marker="o", markersize=4, color=colour["positive"])
    ax.axhline(0, color=colour["total"], linewidth=1)
    falls = (flows["cumulative"] < -1e-9)[::-1].cummax()[::-1]
    above = flows[~falls & (flows["month"] > 0)]
    if len(above):
        month, value = int(above["month"].iloc[0]), float(above["cumulative"].iloc[0])
        ax.plot(month, value, "D", color=colour["highlight"], markersize=8, zorder=5)
        words = text("impact.plot_break_even", lang, month=format_value(month, "count", lang))
        ax.annotate(words, (month, value), xytext=(0, 12), textcoords="offset points", ha="right")
    ax.set_xlabel(text("impact.plot_months_of_initiative", lang))
    ax.set_xticks(np.arange(0, int(flows["month"].max()) + 1, max(1, len(flows) // 12)))
    format_axis(ax.yaxis, "currency", lang, currency=currency)
    ax.set_ylabel(text("impact.plot_cumulative", lang))
    return ax


@takes_results("roi_tornado")
def plot_tornado(
    tornado: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes:
    """Draw how far each input moves the ROI, in the order of the frame (`roi_tornado`)."""
    colour = colours(palette)
    ax = new_axes(ax, figsize=(7.2, 1.4 + 0.42 * len(tornado)))
    width = tornado["conf_high"] - tornado["conf_low"]
    shades = [colour["positive"] if name == "effect" else colour["neutral"] for name in tornado["input"]]
    ax.barh(range(len(tornado)), width, left=tornado["conf_low"], color=shades, height=0.6)
    for value, style in ((0.0, "-"), (float(tornado["estimate"].iloc[0]), "--")):
        ax.axvline(value, color=colour["total"], linewidth=1, linestyle=style)
    ax.set_yticks(range(len(tornado)), [text(f"value.input.{name}", lang) for name in tornado["input"]])
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    format_axis(ax.xaxis, "share", lang)
    ax.set_xlabel(text("column.roi", lang))
    return ax


def _outcome(result: pd.DataFrame) -> str:
    """Outcome that a result, or an effect (`margin_effect`), is about."""
    return str(result["metric"].iloc[0]).removesuffix("_effect") if len(result) else "margin"


def _month_axis(ax: Axes, colour: Mapping[str, str], lang: str) -> None:
    ax.axvline(-0.5, color=colour["total"], linewidth=1, linestyle="--")
    ax.annotate(
        text("impact.plot_start", lang), (-0.5, 1), xycoords=("data", "axes fraction"), xytext=(4, -2),
        textcoords="offset points", va="top",
    )  # fmt: skip
    ax.set_xlabel(text("impact.plot_months_since", lang))


def _value_axis(ax: Axes, outcome: str, lang: str, currency: str | None, key: str) -> None:
    format_axis(ax.yaxis, UNITS.get(outcome, "number"), lang, currency=currency)
    ax.set_ylabel(text(key, lang, outcome=text(f"value.outcome.{outcome}", lang)))


@takes_results("rank_by_net")
def plot_register(
    register: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    currency: str | None = None,
) -> Axes:
    """Draw every initiative's effect as estimated and after shrinkage, in the order of the frame.

    Columns: `initiative`, and the estimate and limits of `shrink_effects`.
    """
    colour = colours(palette)
    ax = new_axes(ax, figsize=(7.2, 1.4 + 0.6 * len(register)))
    kinds = (
        ("estimate", "conf_low", "conf_high", "neutral", "s", "impact.plot_as_estimated"),
        ("shrunk", "shrunk_conf_low", "shrunk_conf_high", "positive", "o", "impact.plot_shrunk"),
    )
    for shift, (middle, low, high, role, mark, key) in zip((-0.13, 0.13), kinds, strict=True):
        for place, row in enumerate(register.to_dict("records")):
            draw_interval(ax, place + shift, row[low], row[high], colour=colour[role])
        places = np.arange(len(register)) + shift
        ax.plot(register[middle], places, mark, color=colour[role], markersize=7, label=text(key, lang))
    ax.axvline(0, color=colour["total"], linewidth=1)
    name_rows(ax, register["initiative"].astype(str).tolist())
    ax.legend(loc="best", frameon=False)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    format_axis(ax.xaxis, "currency", lang, currency=currency)
    ax.set_xlabel(text("impact.plot_effect", lang, outcome=text("value.outcome.margin", lang)))
    return ax
