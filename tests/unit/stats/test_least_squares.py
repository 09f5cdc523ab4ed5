import numpy as np
import pytest
import statsmodels.api as sm

from cxlib.stats.least_squares import least_squares

RNG = np.random.default_rng(11)
DESIGN = np.column_stack([np.ones(40), RNG.normal(size=(40, 2))])
OUTCOME = DESIGN @ [1.0, 2.0, -1.0] + RNG.normal(size=40) * (1 + DESIGN[:, 1] ** 2)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_errors_are_those_of_statsmodels(kind):
    fit = least_squares(DESIGN, OUTCOME)
    influence = fit.pull * fit.errors(kind)[:, None]
    wanted = sm.OLS(OUTCOME, DESIGN).fit(cov_type=kind)
    np.testing.assert_allclose(fit.coefficients, wanted.params, rtol=1e-9)
    np.testing.assert_allclose(influence.T @ influence, wanted.cov_params(), rtol=1e-9)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_several_outcomes_are_each_their_own_fit(kind):
    both = least_squares(DESIGN, np.column_stack([OUTCOME, -OUTCOME]))
    one = least_squares(DESIGN, OUTCOME)
    np.testing.assert_allclose(both.coefficients, np.column_stack([one.coefficients, -one.coefficients]))
    np.testing.assert_allclose(both.errors(kind)[:, 1], -one.errors(kind))


def test_columns_that_say_the_same_share_the_coefficient():
    twice = least_squares(np.column_stack([DESIGN, DESIGN[:, 2]]), OUTCOME, rcond=1e-10)
    one = least_squares(DESIGN, OUTCOME)
    np.testing.assert_allclose(twice.coefficients[2:], one.coefficients[2] / 2)
    np.testing.assert_allclose(twice.residual, one.residual, atol=1e-9)
