"""Charts of chapter 4: what is drawn is what the frames say, in both languages."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

import cxlib as cx
from cxlib.report.plots.theme import ROLES

LADDER = pd.DataFrame(
    {
        "horizon_months": 12,
        "rung": ["before_after", "did"],
        "metric": "margin",
        "estimate": [260.0, -100.0],
        "conf_low": [200.0, -230.0],
        "conf_high": [320.0, 30.0],
        "n": [400, 650],
        "months_observed": 12,
        "is_answer": [False, True],
    }
)
FLOWS = pd.DataFrame(
    {
        "month": [0, 1, 2],
        "cumulative": [-10.0, -2.0, 6.0],
        "conf_low": [-10.0, -9.0, -4.0],
        "conf_high": [-10.0, 5, 16],
    }
)
GAP = pd.DataFrame(
    {
        "event_time": [-2, -1, 0, 1],
        "metric": "margin",
        "estimate": [1.0, -1.0, 5.0, 6.0],
        "conf_low": [-1.0, -3.0, 3.0, np.nan],
        "conf_high": [3.0, 1.0, 7.0, np.nan],
    }
)
MONTHS = pd.DataFrame(
    {
        "arm": ["treatment"] * 2 + ["control"] * 2,
        "month": [-1, 0] * 2,
        "metric": "margin",
        "estimate": [10.0, 14.0, 10.0, 14.01],
        "conf_low": 9.0,
        "conf_high": 15.0,
        "n": 50,
    }
)
TORNADO = pd.DataFrame(
    {
        "input": ["effect", "n_treated"],
        "metric": "roi",
        "estimate": 0.5,
        "conf_low": [-0.2, 0.2],
        "conf_high": [1.2, 0.8],
    }
)
DRAWN = {
    "ladder": (cx.plot_ladder, LADDER),
    "months": (cx.plot_arm_months, MONTHS),
    "gap": (cx.plot_monthly_gap, GAP),
    "cash": (cx.plot_cumulative_cash, FLOWS),
}


@pytest.fixture(autouse=True)
def _close():
    yield
    pyplot.close("all")


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_draws_on_the_axes_given_in_both_languages_and_touches_no_settings(name, lang):
    draw, frame = DRAWN[name]
    cx.set_theme(lang)
    before, kept = dict(mpl.rcParams), frame.copy()
    ax = pyplot.subplots()[1]
    assert draw(frame, ax=ax, lang=lang, currency="JPY") is ax
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(frame, kept)
    ax.get_figure().canvas.draw()
    words = ax.get_xlabel() + ax.get_ylabel() + "".join(label.get_text() for label in ax.get_yticklabels())
    assert words
    assert (lang == "ja") == any("\u3040" <= letter <= "\u9fff" for letter in words)


def test_ladder_shows_estimates_in_order_and_colours_the_answer():
    ax = cx.plot_ladder(LADDER, lang="en", currency="JPY")
    dots = [line for line in ax.lines if line.get_marker() in ("o", "s")]
    assert [dot.get_xdata()[0] for dot in dots] == [260.0, -100.0]
    assert [to_hex(dot.get_color()) for dot in dots] == [ROLES["neutral"].lower(), ROLES["positive"].lower()]
    ends = [
        line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2 and line.get_marker() == "None"
    ]
    assert [200.0, 320.0] in [list(end) for end in ends]
    assert "12 months" in ax.get_yticklabels()[1].get_text()
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_palette_replaces_a_role():
    ax = cx.plot_ladder(LADDER, palette={"positive": "#123456"})
    assert "#123456" in [to_hex(line.get_color()) for line in ax.lines]


def test_gap_draws_no_interval_where_there_is_none():
    ax = cx.plot_monthly_gap(GAP)
    upright = [line for line in ax.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2]
    assert sorted(line.get_xdata()[0] for line in upright) == [-2, -1, -0.5, 0]


def test_cash_marks_the_month_it_breaks_even_only_if_it_does():
    marks = [line for line in cx.plot_cumulative_cash(FLOWS).lines if line.get_marker() == "D"]
    assert [(mark.get_xdata()[0], mark.get_ydata()[0]) for mark in marks] == [(2, 6.0)]
    for totals in ([-10.0, -11.0, -12.0], [-10.0, 1.0, -12.0]):
        sunk = FLOWS.assign(cumulative=totals)
        assert not [line for line in cx.plot_cumulative_cash(sunk).lines if line.get_marker() == "D"]


def test_names_of_the_arms_do_not_lie_on_each_other():
    ax = cx.plot_arm_months(MONTHS)
    places = sorted(text.xy[1] for text in ax.texts if "50" in text.get_text())
    low, high = ax.get_ylim()
    assert places[1] - places[0] > 0.04 * (high - low)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_tornado_bars_reach_from_low_to_high_the_widest_on_top(lang):
    cx.set_theme(lang)
    ax = cx.plot_tornado(TORNADO, lang=lang)
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert np.allclose(ends, [(-0.2, 1.2), (0.2, 0.8)])
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert sorted(line.get_xdata()[0] for line in ax.lines) == [0.0, 0.5]
    ax.get_figure().canvas.draw()
