"""Charts of support: every reason and wait at its rate, with its interval and in words."""

import numpy as np
import pandas as pd

from cxlib.report.plots.support import plot_csat_by_wait, plot_reasons


def points(ax):
    return [
        line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1
    ]


def test_reasons_stand_at_their_rates_without_the_total():
    rates = pd.DataFrame({"reason": ["every_reason", "delivery", "other"], "estimate": [5.0, 3, 2]})
    rates = rates.assign(conf_low=[4.0, 2, 1], conf_high=[6.0, 4, 3], before=[5.0, 2.5, 2])
    ax = plot_reasons(rates, labels={"delivery": "Delivery"})
    assert points(ax) == [3.0, 2.0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Delivery", "other"]
    assert ax.get_xlabel() == "Tickets per 100 orders"
    assert any(list(line.get_xdata()) == [2.0, 4.0] for line in ax.lines)


def test_waits_are_named_with_their_customers_in_both_languages():
    waits = pd.DataFrame({"waited_hours": [0.25, np.inf], "estimate": [3.5, 2.5], "n": [200, 45]})
    waits = waits.assign(conf_low=[3.4, 2.2], conf_high=[3.6, 2.9])
    ax = plot_csat_by_wait(waits)
    assert points(ax) == [3.5, 2.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "up to 15 minutes (n = 200)",
        "longer (n = 45)",
    ]
    assert plot_csat_by_wait(waits, lang="ja").get_xlabel() == "対応への満足度（平均）"
