"""Pareto/NBD, Gamma–Gamma, sBG and what is expected of a customer: planted truth, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from cxlib.checks import InputError, ParameterError
from cxlib.value.contract_months import contract_survivors, contract_tenure
from cxlib.value.expected_orders import expected_purchases
from cxlib.value.leave_after_order import bg_nbd
from cxlib.value.leave_any_day import log_parts, pareto_nbd
from cxlib.value.planted_histories import draw_histories
from cxlib.value.renewals_survived import sbg
from cxlib.value.spend_per_order import gamma_gamma, mean_values

NEW = pd.DataFrame({"x": [0], "t_x": [0.0], "age": [0.0]})


def _rows(**values):
    return pd.DataFrame({"parameter": list(values), "estimate": list(values.values())})


def _gone_as_published(r, alpha, s, beta, x, t_x, age):
    """Fader & Hardie (2005), with the hypergeometric function and its two cases."""
    large, small, b = (alpha, beta, s + 1) if alpha >= beta else (beta, alpha, r + x)
    power = r + s + x
    ends = [
        hyp2f1(power, b, power + 1, (large - small) / (large + t)) / (large + t) ** power for t in (t_x, age)
    ]
    return np.log(s / power * (ends[0] - ends[1]))


@pytest.mark.parametrize(
    "parameters", [(0.55, 10.6, 0.6, 11.7), (2.0, 3.0, 1.4, 40.0), (0.3, 20.0, 0.2, 1.0)]
)
def test_the_integral_of_pareto_nbd_is_the_published_function(parameters):
    x, t_x, age = (np.array(part, float) for part in ([0, 2, 12], [0, 30.4, 35], [39, 38.9, 38]))
    published = _gone_as_published(*parameters, x, t_x, age)
    assert log_parts(np.array(parameters), x, t_x, age)[1] == pytest.approx(published, rel=1e-6)


def test_a_search_ends_alike_where_a_machine_rounds_otherwise():
    rng = np.random.default_rng(1)
    rows = draw_histories(rng.gamma(0.8, 1 / 6, 800), rng.beta(0.8, 2.4, 800), age=52, seed=2)
    other = rows.assign(t_x=rows["t_x"] * (1 + 1e-12), age=rows["age"] * (1 + 1e-12))
    found = [pareto_nbd(each)["estimate"].to_numpy() for each in (rows, other)]
    assert found[1] == pytest.approx(found[0], rel=2e-8)


def test_planted_risk_of_leaving_lies_in_its_limits():
    rng = np.random.default_rng(14)
    pace, stay = rng.gamma(0.8, 1 / 6, 4_000), rng.exponential(1 / rng.gamma(0.9, 1 / 20, 4_000))
    until = np.minimum(stay, 78)
    held = draw_histories(pace, 0.0, age=np.maximum(until, 1e-9), seed=114).assign(age=78.0)
    rows = pareto_nbd(held).set_index("parameter")
    for name, planted in {"r": 0.8, "alpha": 6, "s": 0.9, "beta": 20}.items():
        assert rows.loc[name, "conf_low"] < planted < rows.loc[name, "conf_high"], name


def test_expected_orders_are_those_drawn():
    rng = np.random.default_rng(5)
    n, truth = 40_000, _rows(r=0.8, alpha=6.0, a=0.8, b=2.4)
    pace, drop = rng.gamma(0.8, 1 / 6, n), rng.beta(0.8, 2.4, n)
    later = draw_histories(pace, drop, age=104, seed=1_005)
    expected = expected_purchases(NEW, truth, periods=104)["estimate"].item()
    assert abs(later["x"].mean() - expected) < 4 * later["x"].std() / n**0.5
    alive = expected_purchases(later.drop(columns="is_alive"), truth, periods=1)["p_alive"]
    error = np.sqrt((alive * (1 - alive)).mean() / n)
    assert abs(alive.mean() - later["is_alive"].mean()) < 4 * error


def test_no_chance_of_being_there_is_told_where_leaving_can_not():
    held = draw_histories(np.random.default_rng(6).gamma(0.8, 1 / 6, 2_000), 0.2, age=78, seed=1_006)
    rows = bg_nbd(held)
    found = expected_purchases(held, rows, periods=26)
    assert found["p_alive"].isna().all()
    assert found["estimate"].notna().all()


def test_expectation_has_no_pole_where_the_formula_has_one():
    ends = [
        expected_purchases(NEW, _rows(r=0.5, alpha=5.0, a=a, b=2.0), periods=52)["estimate"].item()
        for a in (0.9999, 1.0, 1.0001)
    ]
    assert ends[0] > ends[1] > ends[2]
    assert ends[0] == pytest.approx(ends[2], rel=1e-3)


def test_rows_of_another_model_are_refused():
    with pytest.raises(ParameterError, match="r, alpha, a, b"):
        expected_purchases(NEW, _rows(p=1.0, q=2.0, v=3.0), periods=4)
    with pytest.raises(ParameterError, match="`periods`"):
        expected_purchases(NEW, _rows(r=1.0, alpha=1.0, a=1.0, b=1.0), periods=-1)


def _spend(seed, n=2_000, q=4.0, link=0.0):
    rng = np.random.default_rng(seed)
    x = 1 + rng.poisson(2, n)
    nu = rng.gamma(q, 1 / 15, n) / np.exp(link * (x - x.mean()))
    return pd.DataFrame({"x": x, "mean_value": rng.gamma(6 * x, 1 / nu) / x})


def test_planted_spend_lies_in_its_limits():
    rows = gamma_gamma(_spend(7)).set_index("parameter")
    for name, planted in {"p": 6, "q": 4, "v": 15}.items():
        assert rows.loc[name, "conf_low"] < planted < rows.loc[name, "conf_high"], name
    assert set(rows["note"]) == {""}


@pytest.mark.parametrize(
    ("how", "note"), [({"q": 0.7}, "no_mean"), ({"link": 0.3}, "correlated"), ({"n": 40}, "too_few_repeat")]
)
def test_spend_that_the_model_can_not_tell_is_refused(how, note):
    spend = _spend(8, **how)
    rows = gamma_gamma(spend)
    assert set(rows["note"]) == {note}
    if note != "correlated":
        assert mean_values(spend, rows).isna().all()


def test_negative_and_missing_values_take_no_part():
    spend = _spend(9, n=200)
    held = pd.concat([spend, pd.DataFrame({"x": [0, 2, 3], "mean_value": [np.nan, -4.0, np.nan]})])
    assert set(gamma_gamma(held)["n"]) == {200}


def test_contracts_count_their_renewals():
    held = pd.DataFrame(
        {
            "started_on": pd.to_datetime(
                ["2026-01-10", "2026-01-10", "2026-01-31", "2026-03-01", "2026-06-01"]
            ),
            "ended_on": pd.to_datetime(["2026-03-10", None, "2026-02-28", "2026-03-15", None]),
        }
    )
    tenure = contract_tenure(held, as_of="2026-05-09")
    assert tenure["duration_months"].to_list() == [2, 3, 1, 1]
    assert tenure["is_ended"].to_list() == [True, False, True, True]
    counted = contract_survivors(held, as_of="2026-05-09")
    assert counted.to_numpy().tolist() == [[1, 4, 2], [2, 2, 1], [3, 1, 1]]


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2026-02-01", "2026-01-01", "before `started_on` in 1 of 1"),
        (None, None, "`started_on` is missing in 1 of 1"),
    ],
)
def test_contracts_that_can_not_be_are_refused(start, end, told):
    held = pd.DataFrame({"started_on": pd.to_datetime([start]), "ended_on": pd.to_datetime([end])})
    with pytest.raises(InputError, match=told):
        contract_tenure(held, as_of="2026-05-09")


def test_contracts_of_different_age_tell_the_same_as_one_cohort():
    """The chance at each renewal is what counts, whoever came up for it."""
    whole = pd.DataFrame({"period": range(8), "n": [1000, 869, 743, 653, 593, 551, 517, 491]})
    parts = pd.DataFrame(
        {"period": range(1, 8), "n_at_risk": whole["n"][:-1], "n": whole["n"][1:].to_numpy()}
    )
    assert sbg(whole)["estimate"].to_numpy() == pytest.approx(sbg(parts)["estimate"].to_numpy())


def test_survivors_that_rise_are_refused():
    with pytest.raises(InputError, match="never rise; found otherwise in 1 of 3"):
        sbg(pd.DataFrame({"period": [0, 1, 2], "n": [10, 5, 6]}))
    with pytest.raises(InputError, match="`n` is missing"):
        sbg(pd.DataFrame({"period": [0, 1]}))


def test_one_rate_of_leaving_is_said_to_be_at_the_boundary():
    rows = sbg(pd.DataFrame({"period": range(6), "n": [32000, 16000, 8000, 4000, 2000, 1000]}))
    assert set(rows["note"]) == {"boundary"}
    assert set(sbg(pd.DataFrame({"period": range(3), "n": [5, 4, 4]}))["note"]) == {"too_few_repeat"}
