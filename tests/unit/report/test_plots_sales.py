"""Charts of sales: what they draw comes from the frame, in the words of the language."""

import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

import cxlib as cx
from cxlib.checks import ParameterError
from cxlib.report.plots.theme import ROLES

MONTHS = pd.DataFrame(
    {
        "event_time": [-2, -1, 0, 1],
        "estimate": [0.02, -0.02, -0.2, -0.25],
        "conf_low": [-0.1, -0.14, -0.32, -0.4],
        "conf_high": [0.14, 0.1, -0.08, -0.1],
    }
)


@pytest.fixture(autouse=True)
def _close():
    yield
    pyplot.close("all")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_months_around_a_change_of_owner_are_drawn_before_and_after(lang):
    cx.set_theme(lang)
    ax = cx.plot_owner_change(MONTHS, lang=lang)
    before, after = (line for line in ax.lines if line.get_marker() == "o")
    assert before.get_ydata().tolist() == [0.02, -0.02] and after.get_ydata().tolist() == [-0.2, -0.25]
    assert to_hex(after.get_color()) == ROLES["positive"].lower() != to_hex(before.get_color())
    ends = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) == 2]
    assert [-0.4, -0.1] in [list(end) for end in ends]
    assert ("変更" if lang == "ja" else "change of owner") in ax.get_xlabel()
    assert ax.get_ylabel()


def test_another_frame_is_told():
    with pytest.raises(ParameterError, match="change_months"):
        cx.plot_owner_change(MONTHS.drop(columns="event_time"))
