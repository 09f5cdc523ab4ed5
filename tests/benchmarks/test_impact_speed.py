"""Speed of chapter 4: staggered effects against the peers' times, two arms against a pooled regression."""

import os
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

pytestmark = pytest.mark.benchmark

NAMES = {"outcome_col": "margin", "unit_col": "customer_id", "time_col": "month"}


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(0)
    n, months = 100_000, 12
    start = rng.choice([3, 5, 7, 9, 11, np.nan], n)
    values = rng.normal(size=(n, months)) + rng.normal(size=(n, 1))
    frame = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n), months),
            "month": np.tile(np.arange(months), n),
            "start_month": np.repeat(start, months),
            "margin": values.ravel(),
        }
    )
    return frame.assign(treated=frame["start_month"].notna(), post=frame["month"] >= 6)


def best(work, rounds=5):
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def test_two_by_two_is_four_times_as_fast_as_the_pooled_regression(panel):
    import statsmodels.api as sm

    def pooled():
        treated, post = panel["treated"].to_numpy(float), panel["post"].to_numpy(float)
        design = np.column_stack([np.ones(len(panel)), treated, post, treated * post])
        groups = panel["customer_id"].to_numpy()
        fit = sm.OLS(panel["margin"].to_numpy(), design)
        return fit.fit(cov_type="cluster", cov_kwds={"groups": groups})

    ours = best(lambda: cx.did(panel, **NAMES, treated_col="treated", post_col="post"))
    theirs = best(pooled, rounds=3)
    print(f"2x2: {ours:.3f} s, pooled regression {theirs:.3f} s, ratio {theirs / ours:.1f}")
    assert theirs / ours >= 4


def bare_numpy(panel):
    """ATT(g, t), influence, covariance: what any implementation must at least compute on the wide panel."""
    wide = panel["margin"].to_numpy().reshape(-1, 12)
    start = panel["start_month"].to_numpy().reshape(-1, 12)[:, 0]
    never = np.isnan(start)
    influence = np.zeros((55, len(wide)))
    for place, (group, at) in enumerate((g, t) for g in (3, 5, 7, 9, 11) for t in range(1, 12)):
        change = wide[:, at] - wide[:, group - 1 if at >= group else at - 1]
        for rows, sign in ((start == group, 1), (never, -1)):
            influence[place, rows] = sign * (change[rows] - change[rows].mean()) / rows.sum()
    return influence @ influence.T


@pytest.fixture(scope="module")
def floor(panel):
    return best(lambda: bare_numpy(panel))


def test_staggered_effects_with_errors_and_four_aggregates(panel, floor):
    """Bare numpy took 0.1 s where csdid took 0.9 and differences 11.7: 4 times as fast is 2.25 times numpy.

    Measured as a ratio in one run, because a busy machine slows both.
    """

    def everything():
        result = cx.att_gt(panel, **NAMES, start_col="start_month")
        return [result.aggregate(kind) for kind in ("simple", "dynamic", "group", "calendar")]

    ours = best(everything)
    print(f"att_gt and four aggregates: {ours:.3f} s; bare numpy {floor:.3f} s, ratio {ours / floor:.2f}")
    assert ours < 2.25 * floor or ours < 0.9 / 4


def test_the_simultaneous_band_stays_ahead_of_both_peers(panel, floor):
    def banded():
        result = cx.att_gt(panel, **NAMES, start_col="start_month")
        return result.aggregate("dynamic", band="simultaneous")

    ours = best(banded)
    print(f"with simultaneous band: {ours:.3f} s, ratio to bare numpy {ours / floor:.2f}")
    assert ours < 9 * floor or ours < 0.9


def test_staggered_effects_stay_under_half_a_gigabyte(panel):
    tracemalloc.start()
    cx.att_gt(panel, **NAMES, start_col="start_month").aggregate("dynamic", band="simultaneous")
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(f"peak of att_gt: {peak:.0f} MB")
    assert peak < 500


def test_dozens_of_starts_over_years_cost_a_few_group_means(floor):
    """8,000 units, 72 months, 40 starts: errors, aggregates, band and test before the start.

    Bare numpy takes 0.1 s for the 55 effects of the panel above, on a quiet machine.
    """
    rng = np.random.default_rng(1)
    n, months = 8_000, 72
    start = rng.choice([*np.linspace(6, 66, 40).astype(int), *[np.nan] * 10], n)
    frame = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n), months),
            "month": np.tile(np.arange(months), n),
            "start_month": np.repeat(start, months),
            "margin": rng.normal(size=n * months),
        }
    )

    def everything():
        result = cx.att_gt(frame, **NAMES, start_col="start_month", base="mean")
        for kind in ("simple", "dynamic", "group", "calendar"):
            result.aggregate(kind)
        return result.aggregate("dynamic", band="simultaneous"), result.pretrend(small_sample=True)

    ours = best(everything, rounds=3)
    print(
        f"40 starts over 72 months: {ours:.2f} s, ratio to bare numpy of the small panel {ours / floor:.1f}"
    )
    assert ours < 5 or ours < 20 * floor


CSDID = """
import sys, time
import numpy as np, pandas as pd
from csdid.att_gt import ATTgt
data = pd.DataFrame(dict(np.load(sys.argv[1])))
begun = time.perf_counter()
fit = ATTgt(yname="margin", tname="t", idname="customer_id", gname="g", data=data).fit(bstrap=False)
for kind in ("simple", "dynamic", "group", "calendar"):
    fit.aggte(typec=kind, bstrap=False)
print("seconds", time.perf_counter() - begun)
"""
DIFFERENCES = """
import sys, time
import numpy as np, pandas as pd
from differences import ATTgt
data = pd.DataFrame(dict(np.load(sys.argv[1])))
data["g"] = data["g"].where(data["g"] > 0)
data = data.set_index(["customer_id", "t"])
begun = time.perf_counter()
fit = ATTgt(data=data, cohort_column="g")
fit.fit("margin", progress_bar=False)
for kind in ("simple", "event", "cohort", "time"):
    fit.aggregate(kind)
print("seconds", time.perf_counter() - begun)
"""


@pytest.mark.parametrize(("name", "script", "times"), [("csdid", CSDID, 4), ("differences", DIFFERENCES, 40)])
def test_against_the_peers(panel, tmp_path, name, script, times):
    """They may live elsewhere: CX_CSDID_PYTHON and CX_DIFFERENCES_PYTHON name the Python that has them."""
    python = os.environ.get(f"CX_{name.upper()}_PYTHON", sys.executable)
    if subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False).returncode:
        pytest.skip(f"{name} is not installed for the Python in CX_{name.upper()}_PYTHON")
    data = {"g": panel["start_month"].fillna(-1) + 1, "t": panel["month"] + 1}
    data |= {"customer_id": panel["customer_id"], "margin": panel["margin"]}
    np.savez(tmp_path / "panel.npz", **data)
    run = subprocess.run(
        [python, "-c", script, str(tmp_path / "panel.npz")], capture_output=True, check=True, text=True
    )
    theirs = float(run.stdout.split("seconds")[-1])

    def everything():
        result = cx.att_gt(panel, **NAMES, start_col="start_month")
        return [result.aggregate(kind) for kind in ("simple", "dynamic", "group", "calendar")]

    ours = best(everything)
    print(f"att_gt and four aggregates: {ours:.3f} s, {name} {theirs:.2f} s, ratio {theirs / ours:.1f}")
    assert theirs / ours >= times


def test_draws_of_cash_flows():
    effects = pd.DataFrame({"estimate": np.ones(12), "std_error": 0.5, "n_treated": 1000})
    ours = best(lambda: cx.cash_flows(effects, one_time_cost=1, monthly_cost=1, draws=100_000))
    rng = np.random.default_rng(0)
    floor = best(
        lambda: np.quantile(rng.standard_normal((100_000, 12)).cumsum(axis=1), [0.025, 0.975], axis=0)
    )
    print(f"100,000 joint draws: {ours:.3f} s, bare numpy {floor:.3f} s, ratio {ours / floor:.2f}")
    assert ours < 0.2 or ours < 4 * floor
