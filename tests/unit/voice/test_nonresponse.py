"""Respondents against the silent, bounds, raking."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.customers.lifecycle_states import lifecycle_stages
from cxlib.customers.rfm_segments import summarise_customers
from cxlib.samples.simulate import make_company
from cxlib.voice.nonresponse import (
    churned,
    compare_respondents,
    customer_weights,
    rake,
    response_bounds,
)


def test_only_those_who_had_ordered_by_the_end_of_the_period_could_answer():
    orders = pd.DataFrame({"customer_id": list("aabc"), "order_id": list("1234"), "amount": 10.0})
    days = ["2025-01-05", "2025-06-01", "2025-03-31 23:00", "2025-04-01"]
    orders["ordered_at"] = pd.to_datetime(pd.Series(days), format="mixed").dt.tz_localize("Asia/Tokyo")
    base = summarise_customers(orders, as_of="2025-03-31").set_index("customer_id")
    assert base["recency_days"].to_dict() == {"a": 85, "b": 0}
    assert base["frequency"].to_dict() == {"a": 1, "b": 1}
    everybody = summarise_customers(orders, as_of="2026-10-01")
    assert everybody["customer_id"].tolist() == list("abc")


def test_difference_is_in_standard_deviations_and_signed():
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"answered": np.arange(2000) % 2 == 0, "frequency": rng.normal(size=2000)})
    people.loc[people["answered"], "frequency"] += 0.5
    row = compare_respondents(people, value_cols=["frequency"]).iloc[0]
    assert row["estimate"] == pytest.approx(0.5, abs=0.1) and row["conf_low"] > 0.3
    assert (row["n_answered"], row["n_silent"]) == (1000, 1000)


def test_nobody_answered_or_all_alike():
    people = pd.DataFrame({"answered": [False] * 5, "frequency": [1.0, 2, 3, 4, 5]})
    assert np.isnan(compare_respondents(people, value_cols=["frequency"])["estimate"][0])
    same = pd.DataFrame({"answered": [True, True, False, False], "frequency": 1})
    assert compare_respondents(same, value_cols=["frequency"])["estimate"][0] == 0


def test_bounds_close_when_everybody_answers():
    people = pd.DataFrame({"customer_id": list("abcde")})
    answers = people.assign(nps_score=[10, 10, 8, 8, 3])
    whole = response_bounds(answers, people).set_index("metric")
    assert whole.loc["nps_bounds", ["conf_low", "conf_high"]].tolist() == [20, 20]
    none = response_bounds(answers.head(0), people).set_index("metric")
    assert none.loc["response_rate", "estimate"] == 0 and np.isnan(none.loc["nps_bounds", "conf_low"])


def test_bounds_count_each_customer_once_with_the_last_score():
    """Ten answers of one promoter are one of ten customers: 0.2 x 0 ± 80."""
    people = pd.DataFrame({"customer_id": [f"c{i}" for i in range(10)]})
    days = pd.date_range("2026-01-01", periods=12)[::-1]
    answers = pd.DataFrame({"customer_id": ["c0"] * 10 + ["c1", "?"], "answered_at": days})
    answers["nps_score"] = [10] + [9] * 9 + [0, 10]
    found = response_bounds(answers, people).set_index("metric")
    assert found.loc["nps_heard", "estimate"] == 0 and found["n_answered"].unique().tolist() == [2]
    assert found.loc["nps_bounds", ["conf_low", "conf_high"]].tolist() == pytest.approx([-80, 80])


def test_raking_says_what_it_could_not_meet_and_refuses_bad_shares():
    data = pd.DataFrame({"r": list("ab") * 50, "k": list("xy") * 50})
    apart = rake(data, margins={"r": {"a": 0.5, "b": 0.5}, "k": {"x": 0.9, "y": 0.1}})
    assert apart["largest_gap"].iloc[0] == pytest.approx(0.4) and not apart["is_matched"].any()
    for bad in (0, -1, np.nan):
        with pytest.raises(ParameterError, match=r"margins\['r'\].*above 0"):
            rake(data, margins={"r": {"a": bad, "b": 2}})


def test_the_silent_may_have_lapsed_more():
    people = pd.DataFrame({"answered": [True] * 100 + [False] * 100})
    people["has_lapsed"] = [False] * 80 + [True] * 20 + [False] * 40 + [True] * 60
    row = compare_respondents(people, value_cols=["has_lapsed"]).iloc[0]
    assert (row["answered"], row["silent"]) == (0.2, 0.6) and row["conf_high"] < 0


def test_raking_matches_margins():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"region": rng.choice(list("abc"), 500), "kind": rng.choice(list("xy"), 500, p=[0.8, 0.2])}
    )
    margins = {"region": {"a": 0.2, "b": 0.3, "c": 0.5}, "kind": {"x": 0.5, "y": 0.5}}
    result = rake(data, margins=margins)
    for column, shares in margins.items():
        matched = result["weight"].groupby(data[column]).sum() / 500
        assert matched.to_dict() == pytest.approx(shares, abs=1e-8)
    assert result["weight"].mean() == pytest.approx(1) and result["n_effective"][0] < 500
    assert result["largest_gap"].max() < 1e-8 and result["is_matched"].all()


def test_raking_needs_the_same_groups():
    data = pd.DataFrame({"region": list("aab")})
    for shares in ({"a": 1.0}, {"a": 0.4, "b": 0.3, "c": 0.3}):
        with pytest.raises(ParameterError, match=r"margins\['region'\]"):
            rake(data, margins={"region": shares})


def test_weights_repair_what_is_known():
    """Heavy buyers answer more and score better: the weighted NPS is that of all, the plain one is not."""
    rng = np.random.default_rng(2)
    orders = rng.integers(1, 9, 4000)
    people = pd.DataFrame({"customer_id": np.arange(4000).astype(str), "frequency": orders})
    promotes = rng.random(4000) < orders / 10
    answered = rng.random(4000) < orders / 10
    answers = people[["customer_id"]].assign(nps_score=np.where(promotes, 10, 0))[answered]
    weighted = customer_weights(answers, people, value_cols=["frequency"], bands=8)
    truth, plain = 200 * promotes.mean() - 100, 200 * promotes[answered].mean() - 100
    points = np.where(weighted["nps_score"] == 10, 100, -100)
    assert plain - truth > 15
    assert np.average(points, weights=weighted["weight"]) == pytest.approx(truth, abs=4)
    assert weighted["n_effective"][0] < len(weighted)


def test_weights_match_groups_and_bands_without_answers():
    people = pd.DataFrame({"customer_id": list("abcdef"), "frequency": [1, 2, 3, 4, 5, 6]})
    people["region"] = ["x", "x", "y", "y", None, "z"]
    answers = pd.DataFrame({"customer_id": ["a", "c", "e", "e", "?"], "nps_score": 9})
    weighted = customer_weights(answers, people, value_cols=["frequency"], group_cols=["region"], bands=3)
    assert weighted["customer_id"].tolist() == ["a", "c", "e"]
    assert weighted["weight"].tolist() == pytest.approx([1.2, 1.2, 0.6])
    empty = customer_weights(answers.head(0), people, value_cols=["frequency"])
    assert empty.empty and "weight" in empty


def test_churn_by_the_rule_and_by_what_followed():
    days = {"a": ["2024-01-02"], "b": ["2024-01-01"], "c": ["2024-06-01", "2025-12-31"], "d": ["2025-01-01"]}
    days["e"] = ["2024-12-31 23:00", "2026-01-01"]
    rows = [(name, f"{name}{i}", 10.0, day) for name, each in days.items() for i, day in enumerate(each)]
    rows.append(("a", "refund", -10.0, "2025-02-01"))
    orders = pd.DataFrame(rows, columns=["customer_id", "order_id", "amount", "ordered_at"])
    stamps = pd.to_datetime(orders["ordered_at"], format="mixed")
    orders["ordered_at"] = stamps.dt.tz_localize("Asia/Tokyo")
    found = churned(orders, as_of="2024-12-31", known_until="2026-06-30").set_index("customer_id")
    assert found["lapsed"].to_dict() == {"a": 0, "b": 1, "c": 0, "e": 0}  # 364 days are not a year, 365 are
    assert found["churned"].to_dict() == {"a": 1, "b": 1, "c": 0, "e": 1}  # e came back a day too late
    for until in (None, "2024-12-31", "2025-12-30"):
        early = churned(orders, as_of="2024-12-31", known_until=until)
        assert early["churned"].isna().all() and early["lapsed"].tolist() == [0, 1, 0, 0]
    with pytest.raises(ParameterError, match="follow_days"):
        churned(orders, as_of="2024-12-31", follow_days=0)


def test_lapsed_is_the_lifecycle_state_and_shares_are_compared():
    company = make_company(n_customers=2000, seed=3)
    day, orders, customers = "2026-03-31", company["orders"], company["customers"]
    found = churned(orders, as_of=day, known_until="2026-09-30", follow_days=180)
    stages = lifecycle_stages(customers, orders, as_of=day).set_index("customer_id")["state"]
    assert (found["customer_id"].map(stages) == "lapsed").tolist() == (found["lapsed"] == 1).tolist()
    assert 0 < found["lapsed"].mean() < 1 and 0 < found["churned"].mean() < 1
    answers = company["responses"].query("survey == 'relationship'")
    answers = answers[answers["answered_at"].dt.strftime("%Y-%m-%d") <= day]
    found["answered"] = found["customer_id"].isin(answers["customer_id"])
    rows = compare_respondents(found, value_cols=["lapsed", "churned"]).set_index("metric")
    share = found.groupby("answered")[["lapsed", "churned"]].mean()
    assert rows["answered"].tolist() == share.loc[True].tolist()
    assert rows["silent"].tolist() == share.loc[False].tolist()
