"""Every chart given the wrong table says so in a sentence that names what belongs there."""

import inspect

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import ParameterError

CHARTS = sorted(name for name in dir(cx) if name.startswith("plot_"))
ASKED = {"by": "region", "currency": "JPY", "states": ("a", "b")}


def draw(name, table):
    chart = getattr(cx, name)
    parts = inspect.signature(chart).parameters.values()
    tables = [table for part in parts if part.kind is part.POSITIONAL_OR_KEYWORD]
    asked = {part.name: ASKED[part.name] for part in parts if part.name in ASKED}
    try:
        return chart(*tables, **asked)
    finally:
        plt.close("all")


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_names_the_column_that_is_missing_and_the_result_it_draws(name):
    message = rf"`{name}`: `\w+` has no column `\w+`. Pass the result of `\w+"
    with pytest.raises(ParameterError, match=message):
        draw(name, pd.DataFrame({"customer_id": ["a", "b"], "something": [1.0, 2.0]}))


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_of_something_else_than_a_table_is_refused(name):
    with pytest.raises(ParameterError, match=r"`\w+` must be a pandas DataFrame; found builtins.tuple"):
        draw(name, (1, 2))


def test_an_error_of_the_chart_itself_stays_what_it_is():
    from cxlib.report.plots.guard import takes_results

    @takes_results("nothing")
    def broken(result):
        return {"a": 1}[str(result.columns[0])]

    with pytest.raises(KeyError):
        broken(pd.DataFrame({"b": [1]}))
