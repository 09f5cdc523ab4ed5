"""Charts of moves and preferences: what is drawn is what the frames hold, and small cells stay out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.patches import PathPatch, Rectangle

from cxlib.customers.preferences import ctb_table
from cxlib.customers.sales_growth import segment_growth
from cxlib.customers.schemes import migration
from cxlib.data.text_type import TEXT
from cxlib.report.plots.moves import FLOWS, plot_ctb_map_panel, plot_growth, plot_migration
from cxlib.report.plots.theme import set_theme


@pytest.fixture(autouse=True)
def _closed():
    set_theme("ja")
    yield
    pyplot.close("all")


def moves() -> pd.DataFrame:
    one = pd.DataFrame({"customer_id": range(100), "segment": ["A"] * 60 + ["B"] * 40})
    two = one.assign(segment=["A"] * 40 + ["B"] * 45 + ["A"] * 15)
    return migration(one, two, by="segment", order=["B", "A"])


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_band_for_every_move_that_may_be_shown(lang):
    result = moves()
    assert result["before"].tolist() == ["B", "B", "A", "A"]
    result["n"] = result["n"].astype(float).mask(result["n"] < 20)
    ax = plot_migration(result, lang=lang, labels={"A": "Alpha"})
    bands = [patch for patch in ax.patches if isinstance(patch, PathPatch)]
    assert len(bands) == 3
    heights = [patch.get_height() for patch in ax.patches if isinstance(patch, Rectangle)]
    assert sum(heights) == pytest.approx(2)
    words = [item.get_text() for item in ax.texts]
    assert "Alpha  60" in words
    # a number of customers shown would give those not shown away; how many there are stands in the source
    assert ax.get_title(loc="left") and not any(sign.isdigit() for sign in ax.get_title(loc="left"))


def test_no_move_to_show_gives_an_empty_chart():
    ax = plot_migration(moves().assign(n=np.nan))
    assert not [patch for patch in ax.patches if isinstance(patch, PathPatch)]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_bars_are_the_changes(lang):
    one = pd.DataFrame({"customer_id": range(40), "segment": ["A", "B"] * 20, "next_amount": 10.0})
    two = one.assign(next_amount=np.where(one["segment"] == "A", 15.0, 7.0) + np.arange(40) / 100)
    result = segment_growth(one, two)
    ax = plot_growth(result, currency="JPY", lang=lang)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(result["estimate"].tolist())
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["A", "B"]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_map_states_shares_frames_what_stands_out_and_leaves_gaps(lang):
    rng = np.random.default_rng(1)
    wallet = pd.DataFrame(
        {
            "customer_id": np.repeat(range(300), 2),
            "dimension": "category",
            "value": pd.array(["tea", None] * 300, dtype=TEXT),
            "purchases": 1,
            "amount": rng.gamma(2, 10, 600) * np.where(np.arange(600) % 4 == 0, 4, 1),
        }
    )
    groups = pd.Series(np.where(np.arange(300) % 2 == 0, "A", "B"), index=range(300))
    result = ctb_table(wallet, groups=groups)
    figure = plot_ctb_map_panel(result, lang=lang, labels={"A": "Alpha"})
    (ax,) = figure.axes
    assert len(ax.texts) == 4
    assert sum(isinstance(patch, Rectangle) for patch in ax.patches) == 4
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["Alpha", "B"]
    fewer = result.drop(index=result.index[result["group"] == "B"][:1])
    assert len(plot_ctb_map_panel(fewer, lang=lang).axes[0].texts) == 3


def test_a_flow_labels_every_group_with_its_own_number_not_with_what_is_drawn():
    result = moves()
    totals = {side: result.groupby(side)["n"].sum() for side in ("before", "after")}
    result["n"] = result["n"].astype(float).mask(result["n"] < 20)
    words = [item.get_text() for item in plot_migration(result, totals=totals).texts]
    assert {"A  60", "B  40", "A  55", "B  45"} <= set(words)
    few = {side: held.drop("B") for side, held in totals.items()}
    words = [item.get_text() for item in plot_migration(result, totals=few).texts]
    assert words.count("B") == 2 and {"A  60", "A  55"} <= set(words)


def test_no_two_groups_of_a_flow_share_a_colour():
    assert len(set(FLOWS)) == len(FLOWS) >= 12
