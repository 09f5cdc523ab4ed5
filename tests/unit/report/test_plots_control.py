"""Control charts: limits, signals and words as the frame has them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.report.plots.control import plot_control_panel
from cxlib.scorecard import control_limits

MONTHS = pd.date_range("2025-01-01", periods=12, freq="MS")


def limited(**changes):
    values = np.where(np.arange(12) == 7, 60.0, 10.0 + np.arange(12) % 3)
    rows = pd.DataFrame({"metric": "nps", "month": MONTHS, "estimate": values, "std_error": np.nan})
    rows = rows.assign(n=50, customers=50, stage=None)
    return control_limits(
        pd.concat([rows, rows.assign(metric="pooled", stage="buy")]), by=["stage"], **changes
    )


def title_of(axes):
    """Title of a chart, in the middle or, in the handbook's own style, on the left."""
    return axes.get_title() or axes.get_title(loc="left")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_each_chart_draws_values_limits_and_signals(lang):
    frame = limited()
    figure = plot_control_panel(frame, lang=lang, labels={"nps": "NPS", "buy": "Purchase"})
    first, second = figure.axes
    usual, values, signals = first.lines
    assert values.get_ydata().tolist() == frame["estimate"].head(12).tolist()
    assert usual.get_ydata()[0] == pytest.approx(frame["usual"].iloc[0])
    assert 60.0 in signals.get_ydata()
    assert title_of(first) == "NPS"
    assert title_of(second).endswith("Purchase")
    plt.close(figure)


def test_nothing_to_draw_is_an_empty_figure_and_a_wrong_table_is_named():
    plt.close(plot_control_panel(limited().head(0)))
    with pytest.raises(ParameterError, match="control_limits"):
        plot_control_panel(pd.DataFrame({"metric": ["nps"]}))
