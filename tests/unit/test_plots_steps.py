"""Funnel and matrix draw what their frames hold, in both languages."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from cxlib.plots.steps import plot_funnel, plot_state_changes
from cxlib.steps import funnel


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
    cells["is_confounded"] = [False, False, True]
    ax = plot_state_changes(cells, states=["low", "high"], lang=lang)
    assert len(ax.texts) == 2
    assert len(ax.patches) == 1
    assert ax.texts[1].get_text().endswith("!")
