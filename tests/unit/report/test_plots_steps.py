"""Funnel and matrix draw what their frames hold, in both languages."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from cxlib.journey.funnels_and_exits import funnel
from cxlib.report.plots.steps import plot_funnel, plot_state_changes


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_funnel_draws_shares_counts_and_step_rates():
    events = pd.DataFrame({"customer_id": list("abcab"), "touchpoint": ["cart"] * 3 + ["pay"] * 2})
    events["occurred_at"] = pd.date_range("2026-01-01", periods=5)
    ax = plot_funnel(funnel(events, steps=["cart", "pay"]), labels={"pay": "Payment"})
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([1, 2 / 3])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cart", "Payment"]
    assert ax.texts[1].get_text() == "n = 2  66.7% of the step before"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_matrix_leaves_unknown_cells_empty_and_frames_the_shown(lang):
    cells = pd.DataFrame({"touchpoint": ["mail", "mail", "shop"], "state": ["low", "high", "low"]})
    cells = cells.assign(estimate=[0.1, None, -0.2], is_shown=[True, False, False])
    cells["is_confounded"], cells["adjusted"] = [False, False, True], [0.08, None, None]
    ax = plot_state_changes(cells, states=["low", "high"], lang=lang)
    assert len(ax.texts) == 4
    assert len(ax.patches) == 1
    assert "+8" in ax.texts[1].get_text()
    assert ax.texts[2].get_text().endswith("!")


def test_matrix_never_frames_customers_who_are_busier_anyhow():
    cells = pd.DataFrame({"touchpoint": ["mail"], "state": ["low"], "estimate": [0.8], "adjusted": [0.02]})
    assert not plot_state_changes(cells.assign(is_shown=True, is_confounded=True), states=["low"]).patches
