import numpy as np
import pytest
from scipy import stats

from cxlib.stats.joint_bands import joint_critical_value, largest_ratio


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_independent_estimates_take_the_closed_form_whatever_their_scale(k, level):
    covariance = np.diag(np.r_[0.0, 10.0 ** np.arange(k)])
    wanted = stats.norm.ppf((1 + level ** (1 / k)) / 2)
    assert joint_critical_value(covariance, conf_level=level, seed=3) == pytest.approx(wanted, abs=0.05)


def test_one_estimate_told_twice_is_one():
    found = joint_critical_value(np.ones((3, 3)), conf_level=0.95, seed=3)
    assert found == pytest.approx(joint_critical_value(np.eye(1), conf_level=0.95, seed=3), abs=0.06)


def test_few_degrees_of_freedom_widen_to_student():
    found = joint_critical_value(np.eye(1), conf_level=0.95, seed=3, df=4)
    assert found == pytest.approx(stats.t.ppf(0.975, 4), abs=0.06)


def test_nothing_varies_nothing_is_known():
    assert np.isnan(joint_critical_value(np.zeros((2, 2)), conf_level=0.95, seed=3))


def test_the_shared_draws_stay_as_they_were():
    first = largest_ratio(np.eye(2), conf_level=0.9, draws=1_000, seed=5, df=6)
    assert largest_ratio(np.eye(2), conf_level=0.9, draws=1_000, seed=5, df=6) == first
