"""Survey statistics against what people do without them: loops over regressions and resamples per group."""

import itertools
import json
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from cxlib.stats.proportional_odds.model import ordinal_drivers
from cxlib.stats.r_squared import shapley_parts
from cxlib.voice.drivers.importance import driver_importance
from cxlib.voice.scores import nps

pytestmark = pytest.mark.benchmark


def seconds(function, repeats=3):
    """Processor seconds: other work on the machine does not count."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        taken.append(time.process_time() - start)
    return min(taken)


def make_answers(n=10_000, p=12):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, p + 1)) + rng.normal(size=(n, 1))
    return pd.DataFrame(x, columns=[*(f"d{i}" for i in range(p)), "y"])


def solve_every_subset(matrix):
    """R² of all subsets, one solve each, as a loop over regressions on the correlation matrix does."""
    p = len(matrix) - 1
    for size in range(1, p + 1):
        for subset in itertools.combinations(range(p), size):
            rows = list(subset)
            matrix[rows, -1] @ np.linalg.solve(matrix[np.ix_(rows, rows)], matrix[rows, -1])


def test_shapley_of_twelve_drivers_is_fifty_times_a_loop():
    matrix = make_answers().corr().to_numpy()
    units = [[i] for i in range(12)]
    loop, ours = (
        seconds(lambda: solve_every_subset(matrix)),
        seconds(lambda: shapley_parts(matrix[None], units)),
    )
    assert loop / ours > 50, (loop, ours)


PINGOUIN = """
import json, sys, time
import pandas as pd
import pingouin
data = pd.read_csv(sys.argv[1])
drivers = list(data.columns[:12])
start = time.process_time()
fit = pingouin.linear_regression(data[drivers], data["y"], relimp=True)
seconds = time.process_time() - start
print(json.dumps({"seconds": seconds, "parts": fit.set_index("names")["relimp"].drop("Intercept").to_dict()}))
"""


def test_importance_of_twelve_drivers_is_fifty_times_pingouin(tmp_path):
    """pingouin may live elsewhere: CX_PINGOUIN_PYTHON names the Python that has it."""
    python = os.environ.get("CX_PINGOUIN_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import pingouin"], capture_output=True, check=False).returncode:
        pytest.skip("pingouin is not installed for the Python in CX_PINGOUIN_PYTHON")
    data = make_answers(1000)
    drivers = list(data.columns[:12])
    data.to_csv(tmp_path / "answers.csv", index=False)
    run = [python, "-c", PINGOUIN, str(tmp_path / "answers.csv")]
    theirs = json.loads(subprocess.run(run, capture_output=True, check=True, text=True).stdout)
    ours = seconds(lambda: driver_importance(data, outcome_col="y", driver_cols=drivers), 20)
    parts = driver_importance(data, outcome_col="y", driver_cols=drivers).set_index("driver")
    assert (parts["r_squared_part"] - pd.Series(theirs["parts"])).abs().max() < 1e-9
    print(f"driver_importance: {ours:.4f} s, pingouin {theirs['seconds']:.2f} s")
    assert theirs["seconds"] / ours > 50, (theirs["seconds"], ours)


def test_twenty_drivers_exactly_in_two_seconds():
    matrix = make_answers(400, 20).corr().to_numpy()[None]
    taken = seconds(lambda: shapley_parts(matrix, [[i] for i in range(20)]), 2)
    assert taken < 2


def test_thousand_resamples_in_three_seconds():
    data = make_answers()
    drivers = list(data.columns[:12])
    taken = seconds(lambda: driver_importance(data, outcome_col="y", driver_cols=drivers, n_boot=1000), 2)
    assert taken < 3


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_ordinal_model_on_hundred_thousand_answers_in_five_seconds(missing):
    """With a fifth of all items missing, the completions count too."""
    rng = np.random.default_rng(0)
    x = rng.integers(1, 6, (100_000, 6)).astype(float)
    latent = x @ np.array([0.5, 0.4, 0.3, 0.2, 0.1, 0]) + 2 + rng.logistic(size=100_000)
    x[rng.random(x.shape) < missing] = np.nan
    data = pd.DataFrame(x, columns=list("abcdef")).assign(y=latent.round().clip(0, 10))
    taken = seconds(lambda: ordinal_drivers(data, outcome_col="y", driver_cols=list("abcdef")), 2)
    assert taken < 5, taken


def test_nps_of_ten_thousand_segments_is_a_thousand_times_a_bootstrap_each():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"nps_score": rng.integers(0, 11, 300_000), "g": rng.integers(0, 10_000, 300_000)})
    ours = seconds(lambda: nps(data, by="g"))
    groups = [part["nps_score"].to_numpy() for _, part in data[data["g"] < 20].groupby("g")]

    def bootstrap(scores):
        points = np.where(scores >= 9, 100, np.where(scores <= 6, -100, 0))
        return np.quantile([rng.choice(points, len(points)).mean() for _ in range(1000)], [0.025, 0.975])

    each = seconds(lambda: [bootstrap(scores) for scores in groups], 1) / len(groups)
    assert 10_000 * each / ours > 1000
