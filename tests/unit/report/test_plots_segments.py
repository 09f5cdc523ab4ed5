"""The charts draw what the frames hold: positions, intervals, labels, gaps, both languages."""

from __future__ import annotations

import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from cxlib.customers.decile_groups import decile_table, segment_table
from cxlib.customers.next_period_outcome import backtest
from cxlib.customers.sales_concentration import lorenz
from cxlib.report.plots.segments import plot_backtest, plot_deciles, plot_lorenz, plot_rf_map, plot_segments
from cxlib.report.plots.theme import set_theme

mpl.use("agg")


@pytest.fixture(autouse=True)
def _closed_figures():
    set_theme("ja")
    yield
    pyplot.close("all")


def customers() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    score = rng.integers(1, 6, (400, 3))
    return pd.DataFrame(
        {
            "monetary_total": rng.lognormal(8, 1, 400),
            "frequency": score[:, 1],
            "segment": np.where(score[:, 0] > 3, "New", "At risk"),
            "r_score": score[:, 0],
            "f_score": score[:, 1],
            "m_score": score[:, 2],
            "next_orders": score[:, 0] > 3,
            "next_amount": score[:, 0] * 10.0,
        }
    )


def words(ax) -> str:
    texts = [ax.get_title(loc="left"), ax.get_xlabel(), *(text.get_text() for text in ax.texts)]
    return " ".join([*texts, *(label.get_text() for label in ax.get_yticklabels())])


def test_lorenz_draws_the_curve_the_band_and_equality():
    curve = lorenz(customers())
    ax = plot_lorenz(curve)
    equality, drawn = ax.lines[:2]
    assert equality.get_xydata().tolist() == [[0, 0], [1, 1]]
    np.testing.assert_allclose(drawn.get_ydata(), curve["estimate"])
    assert len(ax.collections) == 1
    share = 1 - curve.loc[np.isclose(curve["customer_share"], 0.9), "estimate"].iloc[0]
    assert f"{share:.1%}" in ax.get_title(loc="left")
    assert "400" in ax.get_title(loc="left")


def test_lorenz_by_group_labels_each_curve():
    ax = plot_lorenz(lorenz(customers(), by="segment"), by="segment")
    assert len(ax.lines) == 3
    assert "New" in words(ax)
    assert "At risk" in words(ax)


def test_decile_bars_have_the_height_and_the_gap_of_the_table():
    table = decile_table(customers())
    table.loc[2, ["estimate", "conf_low", "conf_high"]] = np.nan
    ax = plot_deciles(table)
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(heights, table["estimate"])
    assert len(ax.lines) == 9 + 1


def test_segments_keep_the_order_of_the_frame_and_use_the_labels():
    table = segment_table(customers(), order=["New", "At risk"])
    ax = plot_segments(table, labels={"New": "新規顧客"})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["新規顧客", "At risk"]
    assert ax.yaxis_inverted()
    marks = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    np.testing.assert_allclose(marks, table["estimate"])


def test_map_leaves_suppressed_cells_blank():
    cells = segment_table(customers(), by=["r_score", "f_score"])
    cells.loc[0, "estimate"] = np.nan
    ax = plot_rf_map(cells)
    assert len(ax.texts) == 24
    assert np.isnan(ax.images[0].get_array().filled(np.nan)[0, 0])


def test_backtest_draws_one_line_per_score():
    table = backtest(customers())
    for metric, unit in (("repeat_rate", "share"), ("next_amount", "currency")):
        ax = plot_backtest(table, metric=metric, unit=unit, currency="JPY", lang="ja")
        lines = [line for line in ax.lines if line.get_marker() in ("o", "s", "^")]
        rows = table[(table["metric"] == metric) & (table["scheme"] == "r_score")]
        assert len(lines) == 3
        np.testing.assert_allclose(lines[0].get_ydata(), rows["estimate"])


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_empty_and_hostile_frames_draw_without_a_warning(lang):
    few = customers().assign(segment="<script>$x$ 価格")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_lorenz(lorenz(few.iloc[:0]), lang=lang)
        plot_deciles(decile_table(few.iloc[:3]), lang=lang)
        plot_segments(segment_table(few), lang=lang).figure.canvas.draw()
        plot_segments(segment_table(few.iloc[:0]), lang=lang)
        plot_rf_map(segment_table(few.iloc[:0], by=["r_score", "f_score"]), lang=lang)
        plot_backtest(backtest(few.iloc[:0]), lang=lang)


def test_axes_and_colours_of_the_caller_are_used():
    ax = pyplot.subplots()[1]
    assert plot_deciles(decile_table(customers()), ax=ax, palette={"positive": "#123456"}) is ax
    assert mpl.colors.to_hex(ax.patches[0].get_facecolor()) == "#123456"
