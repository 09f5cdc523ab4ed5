"""Speed of a score, its test out of time and its list, beside the bare fit of the same rows."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from statsmodels.discrete.discrete_model import Logit

import cxlib as cx

pytestmark = pytest.mark.benchmark

FEATURES = [f"feature_{k}" for k in range(10)]
#: Rows: 50,000 customers on six days.
CUSTOMERS, DAYS = 50_000, 6


def _seconds(function):
    start = time.process_time()
    found = function()
    return time.process_time() - start, found


def _rows():
    rng = np.random.default_rng(11)
    n = CUSTOMERS * DAYS
    rows = pd.DataFrame(rng.normal(size=(n, len(FEATURES))), columns=FEATURES)
    cuts = pd.date_range("2025-01-31", periods=DAYS, freq="90D")
    rows = rows.assign(customer_id=np.tile(np.arange(CUSTOMERS), DAYS), cut_on=np.repeat(cuts, CUSTOMERS))
    log_odds = rows[FEATURES].to_numpy() @ np.linspace(-0.5, 0.5, len(FEATURES)) - 1
    return rows.assign(outcome=(rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float))


def test_a_score_and_its_test_take_no_more_than_a_few_bare_fits():
    """Measured: 4.1 times the bare fit of statsmodels, 300,000 rows with ten features."""
    rows = _rows()
    asked = {"feature_cols": FEATURES, "baseline_col": FEATURES[0]}
    bare, _ = _seconds(lambda: Logit(rows["outcome"], rows[FEATURES].assign(one=1.0)).fit(disp=0))
    scoring, scored = _seconds(lambda: cx.score_out_of_time(rows, **asked, cluster_col="customer_id"))
    judging, _ = _seconds(lambda: cx.score_quality(scored, cluster_col="customer_id"))
    listing, _ = _seconds(lambda: cx.score_now(rows, rows.tail(CUSTOMERS), forecast="score", **asked))
    whole = scoring + judging + listing
    print(
        f"score of {len(rows):,} rows: fit and forecasts {scoring:.1f} s, test {judging:.1f} s, list "
        f"{listing:.1f} s; {whole / bare:.1f} times the bare fit ({bare:.2f} s)"
    )
    assert whole < 6 * bare
