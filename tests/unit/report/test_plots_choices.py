"""The chart of KPIs under choices of cleaning."""

import matplotlib
import pandas as pd
import pytest
from matplotlib import pyplot

from cxlib.checks import ParameterError
from cxlib.report.plots.choices import plot_choices_panel
from cxlib.report.plots.theme import ROLES, set_theme

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def rows():
    parts = []
    for metric, target in (("f2", 0.35), ("nps", 20.0), ("csat", None), ("win_rate", None)):
        part = pd.DataFrame({"metric": metric, "choice": ["as_it_is", "guests"], "estimate": [0.4, 0.3]})
        part = part.assign(
            conf_low=[0.37, 0.27], conf_high=[0.43, 0.33], target=target, is_flip=[False, True]
        )
        parts.append(part if metric != "nps" else part.head(1))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_each_kpi_has_its_points_its_target_and_its_flips(lang):
    set_theme(lang)
    figure = plot_choices_panel(rows(), lang=lang, labels={"f2": "F2", "guests": "Guests"})
    figure.canvas.draw()
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["F2", "nps", "csat", "win_rate"]
    f2, nps, csat, _ = figure.axes
    points = [line for line in f2.lines if line.get_marker() in ("o", "D")]
    assert [(point.get_xdata()[0], point.get_ydata()[0]) for point in points] == [(0.4, 0), (0.3, 1)]
    assert [point.get_marker() for point in points] == ["o", "D"]
    assert points[1].get_color() == ROLES["highlight"]
    assert [line.get_xdata()[0] for line in f2.lines if line.get_linestyle() == "--"] == [0.35, 0.35]
    assert not [line for line in csat.lines if line.get_linestyle() == "--"]
    assert len([line for line in nps.lines if line.get_marker() == "o"]) == 1
    assert [label.get_text() for label in f2.get_yticklabels()] == ["as_it_is", "Guests"]


def test_another_table_is_refused_in_a_sentence():
    with pytest.raises(ParameterError, match="kpis_by_choice"):
        plot_choices_panel(pd.DataFrame({"metric": ["nps"]}))
