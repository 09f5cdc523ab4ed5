"""Response and opt-out by contacts in thirty days: counting, planted hazards, caps, leaving as an exit."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.journey.message_claims import contact_cap
from cxlib.journey.messages import contact_pressure, first_exits
from cxlib.samples.settings import Truth
from cxlib.samples.simulate import make_company
from cxlib.stats.survival.competing_exits import cumulative_incidence

PLANTED = Truth()
BOTH = {"responded_col": "responded", "opted_out_col": "opted_out"}


def messages(seed, n=4000, opt_out=(0.004, 0.005, 0.06), response=(0.3, 0.25, 0.1), edges=(1, 2, 3)):
    """Customers with one to five messages within thirty days each, who may leave; eager and lazy halves."""
    rng = np.random.default_rng(seed)
    size = rng.choice([1, 2, 3, 5], n, p=[0.6, 0.25, 0.1, 0.05])
    who = np.repeat(np.arange(n), size)
    number = np.arange(len(who)) - np.repeat(np.cumsum(size) - size, size) + 1
    place = np.minimum(number, 3) - 1
    leaves = rng.random(len(who)) < np.array(opt_out)[place]
    lean = np.where(rng.random(n) < 0.5, 1.4, 0.6)[who]
    responds = rng.random(len(who)) < lean * np.array(response)[place]
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta(number * 3, unit="D")
    sent = pd.DataFrame({"customer_id": who, "occurred_at": when, "opted_out": leaves, "responded": responds})
    gone = sent.groupby("customer_id")["opted_out"].cumsum() - sent["opted_out"] > 0
    sent[["opted_out", "responded"]] = sent[["opted_out", "responded"]].astype("boolean").mask(gone)
    return contact_pressure(sent, **BOTH, edges=edges)


def test_pressure_counts_the_thirty_days_up_to_the_contact():
    sent = pd.DataFrame({"customer_id": list("aaab"), "opened": [1, 0, None, 1], "left": [0, 0, 1, 0]})
    sent["occurred_at"] = pd.to_datetime(["2026-01-01", "2026-01-30", "2026-01-31", "2026-01-01"])
    result = contact_pressure(sent, responded_col="opened", opted_out_col="left", edges=[1, 2, 3])
    assert result["n_contacts"].to_list() == [2, 1, 0, 2, 2, 0]
    assert result["estimate"].to_list()[:2] == [1.0, 0.0]
    assert result["estimate"].to_list()[3:5] == [0.0, 0.5]
    assert contact_pressure(sent.iloc[:0], responded_col="opened")["n"].sum() == 0
    with pytest.raises(ParameterError, match="edges"):
        contact_pressure(sent, responded_col="opened", edges=[2, 3])
    with pytest.raises(ParameterError, match="responded_col"):
        contact_pressure(sent)


def test_a_contact_whose_answer_is_unknown_is_counted_but_not_as_a_no():
    sent = pd.DataFrame({"customer_id": ["a"] * 3 + ["b"], "opened": [None, True, False, True]})
    sent["occurred_at"] = pd.date_range("2026-01-01", periods=4)
    rows = contact_pressure(sent, responded_col="opened", edges=[1, 2, 3])
    assert rows["n_contacts"].to_list() == [1, 1, 1]
    assert rows["estimate"].to_list() == [1.0, 1.0, 0.0]
    only_yes = contact_pressure(
        sent.assign(opened=sent["opened"].where(sent["opened"] == 1)), responded_col="opened"
    )
    assert only_yes["estimate"].isna().all()


def test_after_opting_out_nobody_is_at_risk():
    sent = pd.DataFrame({"customer_id": ["a"] * 4 + ["b"], "left": [0, 1, 0, 0, 0]})
    sent["occurred_at"] = pd.date_range("2026-01-01", periods=5)
    rows = contact_pressure(sent, opted_out_col="left", edges=[1, 2, 3])
    assert rows["n_contacts"].to_list() == [2, 1, 0]


@pytest.mark.parametrize("metric", ["response", "opt_out"])
def test_intervals_hold_what_is_planted(metric):
    truth = {"opt_out": (0.004, 0.005, 0.06), "response": (0.3, 0.25, 0.1)}[metric]
    found = [frame[frame["metric"] == metric] for frame in map(messages, range(60))]
    for place, planted in enumerate(truth):
        rows = pd.DataFrame([frame.iloc[place] for frame in found])
        assert np.mean((rows["conf_low"] <= planted) & (planted <= rows["conf_high"])) >= 0.9
        assert abs(rows["estimate"].mean() - planted) < 4 * rows["estimate"].astype(float).sem()


def test_the_cap_is_found_where_it_is_planted_and_nowhere_without_effect():
    found = pd.concat([contact_cap(messages(seed)) for seed in range(40)])
    assert (found["cap"] == 2).mean() >= 0.9
    none = pd.concat(
        [contact_cap(messages(seed, opt_out=(0.006,) * 3, edges=(1, 2, 3, 4, 5))) for seed in range(120)]
    )
    assert len(none) == 120
    assert (none["claim"] == "cap").mean() <= 0.08  # of 120 draws at a true rate of 5 %, 19 times in 20


@pytest.mark.slow
@pytest.mark.parametrize("column", ["responded", pytest.param("opted_out", marks=pytest.mark.long)])
def test_the_simulated_company_is_recovered_over_seeds(column):
    name, planted = {
        "responded": ("response", PLANTED.response_by_messages),
        "opted_out": ("opt_out", PLANTED.opt_out_by_messages),
    }[column]
    holds = []
    for seed in range(20):
        events = make_company(n_customers=1500, seed=seed)["events"]
        sent = events[events["channel"].isin(["mail", "line"])]
        rows = contact_pressure(sent, **BOTH, edges=[1, 2, 3])
        rows = rows[rows["metric"] == name]
        truth = rows["contacts_from"].map(planted)
        holds += ((rows["conf_low"] <= truth) & (truth <= rows["conf_high"])).to_list()
    assert np.mean(holds) >= 0.9


def test_what_comes_first_after_the_purchase_by_hand():
    buyers = pd.DataFrame({"customer_id": list("abcde"), "from_on": pd.Timestamp("2026-01-01")})
    buyers = buyers.assign(duration_days=[10, 20, 30, 30, 30], is_repeat=[True, True, False, False, False])
    left = pd.DataFrame({"customer_id": list("abcd"), "opted_out": [True, True, True, False]})
    left["occurred_at"] = pd.to_datetime(["2026-01-11", "2026-01-06", "2025-12-30", "2026-01-05"])
    exits = first_exits(buyers, left)
    assert exits["customer_id"].to_list() == ["a", "b", "d", "e"]
    assert exits["duration_days"].to_list() == [10, 5, 30, 30]
    assert exits["cause"].fillna("none").to_list() == ["bought_again", "opted_out", "none", "none"]
    ends = cumulative_incidence(exits, duration_col="duration_days", cause_col="cause", times=[30])
    assert ends.set_index("cause")["estimate"].to_dict() == {"bought_again": 0.25, "opted_out": 0.25}


def test_competing_exits_of_the_simulated_company_add_up():
    from cxlib.journey.second_purchase.days_between import repeat_times

    tables = make_company(n_customers=1500, seed=3)
    buyers = repeat_times(tables["orders"], as_of="2026-09-30")
    exits = first_exits(buyers, tables["events"])
    times = [30, 180, 365]
    apart = cumulative_incidence(exits, duration_col="duration_days", cause_col="cause", times=times)
    either = exits.assign(cause=exits["cause"].where(exits["cause"].isna(), "either"))
    together = cumulative_incidence(either, duration_col="duration_days", cause_col="cause", times=times)
    summed = apart.groupby("time")["estimate"].sum()
    assert summed.to_numpy() == pytest.approx(together["estimate"].to_numpy())
    assert apart.groupby("cause")["estimate"].max().gt(0).all()


def test_text_and_other_numbers_are_named():
    sent = pd.DataFrame({"customer_id": ["a", "b"], "r": ["yes", "no"], "two": [2.0, 0.0]})
    sent["occurred_at"] = pd.date_range("2026-01-01", periods=2)
    with pytest.raises(ParameterError, match="'r'"):
        contact_pressure(sent, responded_col="r")
    with pytest.raises(InputError, match="`two`"):
        contact_pressure(sent, responded_col="two")
