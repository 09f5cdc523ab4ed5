"""Charts of deals: their clock, their ages, forecasts against what came, and a change of owner."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from cxlib.language import clean_text, format_date, text
from cxlib.report.plots.guard import takes_results
from cxlib.report.plots.theme import colours, draw_band, draw_interval, format_axis, label_end, new_axes

_TONES = {
    "won": "positive",
    "lost": "negative",
    "open": "neutral",
    "open_now": "neutral",
    "won_at": "positive",
}


@takes_results("deal_outcomes")
def plot_deal_clock(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw the share of deals won, lost and open by days since they were created, with intervals.

    Parameters
    ----------
    result
        A frame of `deal_outcomes` without groups.
    ax, palette, lang
        Axes to draw on, colours by role, language of the words.
    labels
        Label by metric.

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"metric": "won", "days": [30, 60], "estimate": [0.2, 0.3], "conf_low": 0.1,
    ...     "conf_high": 0.4})
    >>> plot_deal_clock(frame).lines[0].get_ydata().tolist()
    [0.2, 0.3]
    """
    ax, roles = new_axes(ax, figsize=(7.2, 3.8)), colours(palette)
    for metric, rows in result.groupby("metric", sort=False):
        tone = roles[_TONES.get(str(metric), "total")]
        ax.plot(rows["days"], rows["estimate"], marker="o", color=tone, linewidth=1.8)
        draw_band(ax, rows["days"], rows["conf_low"], rows["conf_high"], colour=tone)
        name = (labels or {}).get(str(metric), str(metric))
        label_end(ax, rows["days"].iloc[-1], rows["estimate"].iloc[-1], name, colour=tone)
    ax.set(xlabel=text("sales.axis_days", lang), ylim=(0, 1), xticks=sorted(result["days"].unique()))
    ax.set_ylabel(text("sales.axis_deals", lang))
    format_axis(ax.yaxis, "share", lang)
    return ax


@takes_results("deal_ages")
def plot_deal_ages(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
) -> Axes:
    """Draw the ages of open deals beside the ages at which deals were won, as bars with intervals.

    Parameters
    ----------
    result
        A frame of `deal_ages`.
    ax, palette, lang, labels
        As `plot_deal_clock`.

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"metric": ["open_now", "won_at"], "age": "–30", "estimate": [0.2, 0.6],
    ...     "conf_low": 0.1, "conf_high": 0.7})
    >>> [float(bar.get_height()) for bar in plot_deal_ages(frame).patches]
    [0.2, 0.6]
    """
    ax, roles = new_axes(ax, figsize=(7.2, 3.6)), colours(palette)
    result = result[result["estimate"].notna()]
    ages = sorted(dict.fromkeys(result["age"]), key=lambda age: int(re.findall(r"\d+", age)[0]))
    metrics = list(dict.fromkeys(result["metric"]))
    for side, metric in enumerate(metrics):
        rows = result[result["metric"] == metric].set_index("age").reindex(ages)
        places = [at + (side - (len(metrics) - 1) / 2) * 0.38 for at in range(len(ages))]
        name = clean_text((labels or {}).get(str(metric), str(metric)))
        ax.bar(
            places,
            rows["estimate"].fillna(0),
            0.36,
            color=roles[_TONES.get(str(metric), "total")],
            label=name,
        )
        for place, low, high in zip(places, rows["conf_low"], rows["conf_high"], strict=True):
            draw_interval(ax, place, low, high, horizontal=False, colour=roles["total"])
    ax.set(xticks=range(len(ages)), xticklabels=ages, xlabel=text("sales.axis_age", lang))
    ax.set_ylabel(text("sales.axis_deals", lang))
    ax.grid(visible=False, axis="x")
    ax.legend(frameon=False, ncols=len(metrics), loc="lower left", bbox_to_anchor=(0, 1))
    format_axis(ax.yaxis, "share", lang)
    return ax


@takes_results("with_coming")
def plot_forecasts(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
    currency: str | None = None,
) -> Axes:
    """Draw each quarter's forecast with its interval, and what was won in it.

    Parameters
    ----------
    result
        A frame of `with_coming`: `first_day, estimate, conf_low, conf_high, actual` (missing where the
        quarter is not over).
    ax, palette, lang, currency
        Axes to draw on, colours by role, language of the words, unit of the amounts.

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"first_day": pd.to_datetime(["2026-07-01", "2026-10-01"]), "estimate": 5.0,
    ...     "conf_low": 4.0, "conf_high": 7.0, "actual": [4.5, None]})
    >>> plot_forecasts(frame, currency="JPY").lines[-1].get_xdata().tolist()
    [0]
    """
    ax, roles = new_axes(ax, figsize=(7.2, 3.8)), colours(palette)
    places = range(len(result))
    for place, row in zip(places, result.to_dict("records"), strict=True):
        draw_interval(
            ax, place, row["conf_low"], row["conf_high"], horizontal=False, colour=roles["positive"]
        )
    known = result["actual"].notna().to_numpy()
    told = text("sales.axis_told", lang)
    ax.plot(places, result["estimate"], "o", color=roles["positive"], markersize=7, label=told)
    was = [place for place, here in zip(places, known, strict=True) if here]
    ax.plot(
        was, result.loc[known, "actual"], "D", color=roles["highlight"], label=text("sales.axis_was", lang)
    )
    days = [format_date(day, lang) for day in result["first_day"]]
    ax.set(xticks=list(places), ylim=(0, None), xlabel=text("sales.axis_quarter", lang))
    ax.set_xticklabels(days, rotation=30, ha="right")
    ax.set_ylabel(text("sales.axis_amount", lang))
    ax.grid(visible=False, axis="x")
    ax.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    format_axis(ax.yaxis, "currency", lang, currency=currency)
    return ax


@takes_results("change_months")
def plot_owner_change(
    result: pd.DataFrame,
    *,
    ax: Axes | None = None,
    palette: Mapping[str, str] | None = None,
    lang: str = "en",
) -> Axes:
    """Draw how many more or fewer accounts ordered in the months around a change of their owner.

    Parameters
    ----------
    result
        A frame of `change_months`: `event_time, estimate, conf_low, conf_high`.
    ax, palette, lang
        Axes to draw on, colours by role, language of the words.

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"event_time": [-1, 0], "estimate": [0.0, -0.2], "conf_low": [-0.1, -0.3],
    ...     "conf_high": [0.1, -0.1]})
    >>> [line.get_xdata().tolist() for line in plot_owner_change(frame).lines if line.get_marker() == "o"]
    [[-1], [0]]
    """
    ax, roles = new_axes(ax, figsize=(7.2, 3.8)), colours(palette)
    for is_after, tone in ((False, roles["neutral"]), (True, roles["positive"])):
        part = result[(result["event_time"] >= 0) == is_after]
        for row in part.to_dict("records"):
            low, high = row["conf_low"], row["conf_high"]
            draw_interval(ax, row["event_time"], low, high, horizontal=False, colour=tone)
        ax.plot(part["event_time"].to_numpy(), part["estimate"].to_numpy(), "o-", color=tone, linewidth=1)
    ax.axhline(0, color=roles["total"], linewidth=1)
    ax.axvline(-0.5, color=roles["neutral"], linewidth=1, linestyle="--")
    ax.set(xticks=sorted(result["event_time"]), xlabel=text("sales.axis_since_change", lang))
    ax.set_ylabel(text("sales.axis_ordered", lang))
    format_axis(ax.yaxis, "pp", lang)
    return ax
