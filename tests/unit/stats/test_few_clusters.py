"""Errors over few clusters against formulas known in closed form."""

import numpy as np
import pytest
from scipy import stats

from cxlib.stats.few_clusters import cluster_fit


def two_groups(seed=0, sizes=(9, 21)):
    rng = np.random.default_rng(seed)
    group = np.repeat([0.0, 1.0], sizes)
    return group, rng.normal(0, 1 + group)


def test_two_means_have_the_error_of_welch_and_its_degrees_of_freedom_under_equal_spread():
    group, y = two_groups()
    fit = cluster_fit(np.column_stack([np.ones(30), group]), y, np.arange(30))
    estimate, error, df = fit.lines(np.array([[0, 1]]))
    one, two = y[group == 0], y[group == 1]
    assert estimate[0] == pytest.approx(two.mean() - one.mean())
    assert error[0] == pytest.approx(np.sqrt(one.var(ddof=1) / 9 + two.var(ddof=1) / 21))
    expected = (1 / 9 + 1 / 21) ** 2 / (1 / (9**2 * 8) + 1 / (21**2 * 20))  # Bell & McCaffrey (2002)
    assert df[0] == pytest.approx(expected)
    t = estimate[0] / error[0]
    assert fit.wald(np.array([[0, 1]])) == pytest.approx(2 * stats.t.sf(abs(t), expected))


def test_clusters_of_equal_answers_are_one_answer_each():
    group, y = two_groups(1)
    design = np.column_stack([np.ones(30), group])
    alone = cluster_fit(design, y, np.arange(30)).lines(np.eye(2))
    often = np.repeat(np.arange(30), np.arange(30) % 4 + 1)
    again = cluster_fit(design[often], y[often], often).lines(np.eye(2))
    for ours, theirs in zip(again, alone, strict=True):
        assert ours == pytest.approx(theirs)


def test_the_variance_is_unbiased_and_several_contrasts_keep_their_size():
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(22), 3)
    design = np.column_stack([np.ones(66), rng.normal(0, 1, (66, 3)) ** 3])
    fits = [cluster_fit(design, rng.normal(0, 1, 66), cluster) for _ in range(2000)]
    lines = [fit.lines(np.eye(4)) for fit in fits]
    spread = np.std([estimate for estimate, _, _ in lines], axis=0)
    assert np.sqrt(np.mean([error**2 for _, error, _ in lines], axis=0)) == pytest.approx(spread, rel=0.06)
    assert np.mean([fit.wald(np.eye(4)[1:]) < 0.05 for fit in fits]) <= 0.065


def test_too_few_clusters_or_columns_that_depend_on_each_other_are_unknown():
    group, y = two_groups()
    few = cluster_fit(np.column_stack([np.ones(30), group]), y, np.arange(30) % 19)
    twice = cluster_fit(np.column_stack([group, group]), y, np.arange(30))
    for fit in (few, twice):
        assert np.isnan(np.concatenate(fit.lines(np.eye(2)))).all()
        assert np.isnan(fit.wald(np.eye(2)))
