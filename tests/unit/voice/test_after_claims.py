"""What chapter 3 claims of the silent, of what followed an answer, of low scores and of referrals."""

import numpy as np
import pandas as pd
import pytest

from cxlib.data.rules.rule_files import States
from cxlib.voice import after_claims, silence_claims

YEN = {"currency": "JPY"}
POINTS = pd.DataFrame({"metric": ["repeat", "spend"], "estimate": [0.01, 900.0], "conf_low": [0.001, 200.0]})
POINTS = POINTS.assign(conf_high=[0.02, 1600.0], p_value=[0.01, 0.02], n=[300, 280], status="ok")
RISK = pd.DataFrame({"band": ["top_fifth", "other_buyers", "no_purchase"], "estimate": [90.0, 10.0, 0.0]})
RISK = RISK.assign(amount_share=[0.2, 0.1, 0.0], n=[20, 30, 12])


def shop(n=60):
    """Return `n` buyers, of whom the first half answered."""
    people = [f"c{place}" for place in range(n)]
    days = pd.Timestamp("2025-06-01") + pd.to_timedelta(range(n), unit="D")
    orders = pd.DataFrame({"customer_id": people, "order_id": people, "ordered_at": days, "amount": 100.0})
    base = pd.DataFrame(
        {"customer_id": people, "recency_days": range(n), "frequency": 1, "monetary_total": 100.0}
    )
    base["customer_type"] = ["business", "consumer"] * (n // 2)
    score = [9.0, 3.0, 8.0] * (n // 6)
    answers = pd.DataFrame(
        {"customer_id": people[: n // 2], "answered_at": days[: n // 2], "nps_score": score}
    )
    return base, orders, answers


def silent(low, high):
    return pd.DataFrame({"metric": ["frequency"], "conf_low": low, "conf_high": high, "n": [50]})


@pytest.mark.parametrize(
    ("low", "high", "claim", "metrics"),
    [
        (0.1, 0.3, "differ", ["frequency"]),
        (-0.3, -0.1, "differ", ["frequency"]),
        (-0.1, 0.1, "alike", []),
        (0.004, 0.3, "alike", []),  # reads 0.00
    ],
)
def test_the_silent_differ_where_the_limits_say_so(low, high, claim, metrics):
    [row] = silence_claims.silence(silent(low, high))
    assert (row["claim"], row["metrics"], row["n"]) == (claim, metrics, 50)


def test_without_orders_nobody_is_known_to_be_silent():
    _, orders, answers = shop()
    asked = {"as_of": "2025-12-31", "known_until": "2026-12-31"}
    base = silence_claims.could_answer(None, orders, answers, **asked)
    assert base.empty and silence_claims.compare_silent(base, conf_level=0.95).empty
    assert silence_claims.silence(base) == [{"note": "nps.none_silent"}]
    assert silence_claims.silence(base, is_asked=False) == []
    assert silence_claims.no_weights(base, is_asked=True) == [{"note": "nps.none_weights"}]
    given = {"min_cell": 10, "conf_level": 0.95}
    assert silence_claims.unheard(answers, base, until="2025-12-31", **given) == []
    assert silence_claims.raked(answers, base, answers, **given) == []


def test_who_answered_is_compared_with_who_could_have():
    summary, orders, answers = shop()
    base = silence_claims.could_answer(summary, orders, answers, as_of="2025-12-31", known_until="2026-12-31")
    assert base["answered"].sum() == 30 and not silence_claims.no_weights(base, is_asked=True)
    assert "recency_days" in silence_claims.compare_silent(base, conf_level=0.95)["metric"].tolist()
    given = {"until": "2025-12-31", "conf_level": 0.95}
    [row] = silence_claims.unheard(answers, base, min_cell=30, **given)
    assert (row["n_answered"], row["n"], row["estimate"]) == (30, 60, 0.0)
    assert (row["low_points"], row["high_points"], row["answered_share"]) == (-50.0, 50.0, 0.5)
    assert silence_claims.unheard(answers, base, min_cell=31, **given) == []
    nobody = answers.assign(nps_score=np.nan)
    assert silence_claims.could_answer(
        summary, orders, nobody, as_of="2025-12-31", known_until="2026-12-31"
    ).empty


def test_who_has_lapsed_goes_by_the_companys_own_rules():
    summary, orders, answers = shop()
    days = {"as_of": "2025-12-31", "known_until": "2026-12-31"}

    def lapsed(*conditions):
        label = {"en": "x", "ja": "x"}
        states = [{"id": "active", "label": label, "when": list(conditions)}, {"id": "gone", "label": label}]
        rules = States.model_validate({"states": states})
        return silence_claims.could_answer(summary, orders, answers, **days, rules=rules)

    usual = silence_claims.could_answer(summary, orders, answers, **days)
    assert lapsed({"measure": "recency_days", "at_most": 0})["lapsed"].sum() > usual["lapsed"].sum() == 0
    unknown = lapsed({"measure": "visits", "at_least": 1})
    assert unknown["lapsed"].isna().all()
    assert "lapsed" not in silence_claims.compare_silent(unknown, conf_level=0.95)["metric"].tolist()


def test_weights_for_the_silent_are_told_or_that_none_were_found():
    summary, orders, answers = shop()
    summary["recency_days"] = [0, 1] * 30
    people = summary[["customer_id", "customer_type"]]  # without a channel: matched on what there is
    summary = summary.drop(columns="customer_type")
    base = silence_claims.could_answer(summary, orders, answers, as_of="2025-12-31", known_until="2026-12-31")
    given = {"min_cell": 10, "conf_level": 0.95}
    [row] = silence_claims.raked(answers, base, people, **given)
    assert row["n"] == 30 and row["conf_low"] < row["estimate"] < row["conf_high"]
    assert silence_claims.raked(answers, base, people, **given | {"min_cell": 31}) == []
    torn = people.assign(customer_type=["business", "consumer"] * 15 + ["business"] * 30)
    late = base.assign(
        recency_days=[0, 1] * 15 + [1] * 30
    )  # with the type among those who answered, else against it
    [note] = silence_claims.raked(answers, late, torn, **given)
    assert note["note"] == "nps.not_raked" and note["gap_share"] > 0


@pytest.mark.parametrize(
    ("low", "high", "claim"),
    [
        (200.0, 1600.0, "shown"),
        (-1600.0, -200.0, "shown"),
        (-200.0, 1600.0, "not_shown"),
        (0.4, 900.0, "not_shown"),
    ],
)
def test_a_point_has_a_worth_only_beyond_zero_as_it_reads(low, high, claim):
    points = POINTS.assign(conf_low=low, conf_high=high)
    [row] = after_claims.worth(points, is_circular=False, **YEN)
    assert (row["claim"], row["n"], row["metric"]) == (claim, 280, "spend")


def test_a_point_without_a_worth_says_why():
    few, carry = POINTS.assign(status="too_few"), POINTS.assign(status="few_carry")
    [told] = after_claims.worth(carry, is_circular=False, **YEN)
    assert told["note"] == "nps.worth_few_carry" and told["only_here"]
    for points in (None, few):
        assert after_claims.worth(points, is_circular=False, **YEN) == [{"note": "nps.worth_too_few"}]
        assert after_claims.worth(points, is_circular=True, **YEN)[0]["note"] == "nps.worth_circular"
        assert after_claims.worth(points, is_circular=False, is_asked=False, **YEN) == []
        asked = {"is_circular": False, "is_asked": True}
        assert after_claims.none_followed(points, **asked) == [{"note": "nps.none_after"}]
        [note] = after_claims.none_followed(points, **asked | {"is_circular": True})
        assert note == {"note": "nps.none_after_segment"}
        assert after_claims.linked(points, conf_level=0.95) == []
    assert after_claims.none_followed(carry, is_circular=False, is_asked=True) == []


def test_behaviour_is_linked_after_adjusting_for_its_kinds():
    [row] = after_claims.linked(POINTS, conf_level=0.95)
    assert (row["claim"], row["behaviours"], row["n"]) == ("some", ["repeat", "spend"], 280)
    [none] = after_claims.linked(POINTS.assign(p_value=[0.04, 0.9]), conf_level=0.95)
    assert (none["claim"], none["behaviours"]) == ("none", [])


def test_a_hidden_trait_is_told_only_for_a_difference_that_is_shown():
    behaviour = pd.DataFrame({"metric": "repeat", "attitude": ["promoter", "detractor"], "n": [90, 80]})
    behaviour = behaviour.assign(adjusted=[0.6, 0.3], adjusted_std_error=0.03)
    [row] = after_claims.hidden_trait(behaviour, conf_level=0.95)
    assert (row["estimate"], row["n"]) == (2.0, 80) and row["e_value_limit"] > 1
    assert after_claims.hidden_trait(behaviour.assign(adjusted=[0.32, 0.3]), conf_level=0.95) == []
    assert after_claims.hidden_trait(behaviour.head(0), conf_level=0.95) == []


def test_quadrants_are_told_where_none_is_hidden():
    rows = [("promoter", "low", 0.3, 90.0, 0.1, 30), ("detractor", "high", 0.2, 400.0, 0.5, 20)]
    names = ["attitude", "spend_level", "estimate", "amount", "amount_share", "n"]
    quadrants = pd.DataFrame(rows, columns=names).assign(is_suppressed=False)
    [row] = after_claims.quadrants_split(quadrants, n_all=100, until="2026-01-31")
    assert (row["amount"], row["n"], row["n_at_risk"], row["at_risk_share"]) == (3.0, 30, 20, 0.5)
    hidden = quadrants.assign(is_suppressed=[False, True])
    assert after_claims.quadrants_split(hidden, n_all=100, until="2026-01-31") == []
    assert after_claims.quadrants_split(quadrants.head(0), n_all=0, until="2026-01-31") == []


def test_low_scores_are_counted_where_every_band_has_enough():
    [row] = after_claims.at_risk(RISK, n_all=100, until="2026-01-31", min_cell=12)
    assert (row["estimate"], row["n"], row["n_top"]) == (100.0, 62, 20)
    assert row["amount_share"] == pytest.approx(0.3)
    assert after_claims.at_risk(RISK, n_all=100, until="2026-01-31", min_cell=13) == []
    assert after_claims.at_risk(RISK.head(0), n_all=0, until="2026-01-31", min_cell=10) == []


def test_recovery_stands_beside_the_promoters_lost():
    moves = pd.DataFrame({"before": ["detractor", "promoter"], "after": ["detractor", "promoter"]})
    moves = moves.assign(estimate=[0.4, 0.7], conf_low=[0.3, 0.6], conf_high=[0.5, 0.8])
    moves = moves.assign(n=[40, 70], n_before=[100, 100])
    [row] = after_claims.recovered(moves, min_cell=30)
    ends = [row[name] for name in ("estimate", "conf_low", "conf_high", "fallen_share")]
    assert ends == pytest.approx([0.6, 0.5, 0.7, 0.3]) and row["n"] == 100
    assert after_claims.recovered(moves, min_cell=31) == []  # 30 promoters were lost
    assert after_claims.recovered(moves.head(0), min_cell=10) == []


def came(low, high, status="ok"):
    names = ["referred_share", "amount_referred", "amount_others", "amount_gap"]
    names += ["middle_referred", "middle_others", "middle_gap"]
    rows = pd.DataFrame({"metric": names, "estimate": [0.2, 8.0, 5.0, 3.0, 8.0, 5.0, 3.0], "n": 100})
    rows = rows.assign(conf_low=low, conf_high=high, status="")
    rows.loc[rows["metric"] == "middle_gap", "status"] = status
    return rows


@pytest.mark.parametrize(
    ("low", "high", "status", "claim", "verdict"),
    [
        (1.0, 5.0, "ok", "differ", "differ"),
        (-5.0, -1.0, "ok", "differ", "differ"),
        (-1.0, 5.0, "ok", "alike", "no_difference_shown"),
        (np.nan, np.nan, "too_few", "too_few", "not_enough_data"),
        (np.nan, np.nan, "no_spread", "no_spread", "not_enough_data"),
    ],
)
def test_referred_customers_buy_for_more_less_or_can_not_be_told(low, high, status, claim, verdict):
    [row] = after_claims.referred_spend(came(low, high, status), **YEN)
    assert (row["claim"], row["verdict"], row["referred_amount"]) == (claim, verdict, 8.0)


def test_a_mean_that_few_carry_is_said_so():
    rows = came(1.0, 5.0)
    rows.loc[rows["metric"] == "amount_gap", "status"] = "few_carry"
    assert after_claims.referred_spend(rows, **YEN)[1]["note"] == "nps.few_carry_gap"


def test_referrals_need_enough_customers_on_either_side():
    assert len(after_claims.shown_referrals(came(1.0, 5.0), min_cell=20)) == 7
    assert after_claims.shown_referrals(came(1.0, 5.0), min_cell=21).empty
    most = came(1.0, 5.0).assign(estimate=0.9)
    assert after_claims.shown_referrals(most, min_cell=11).empty
    none = after_claims.shown_referrals(pd.DataFrame(), min_cell=10)
    assert after_claims.referred(none, until="2026-01-31") == [{"note": "nps.no_referrals"}]
    assert after_claims.referred_spend(none, **YEN) == []
    [row] = after_claims.referred(came(0.1, 0.3), until="2026-01-31")
    assert (row["metric"], row["estimate"], row["n"]) == ("referred_share", 0.2, 100)


def test_who_carries_the_money_of_a_shared_table():
    latest = pd.DataFrame({"attitude": ["promoter", "detractor"], "band": "top_fifth", "amount": [5.0, 7.0]})
    own = after_claims.carried(latest, ["band"], attitude="detractor")
    assert own["amount"].tolist() == [7.0] and own.index.tolist() == ["top_fifth"]
    assert after_claims.carried(latest, ["attitude"]).index.tolist() == ["promoter", "detractor"]
    assert after_claims.carried(None, ["band"]) is None and after_claims.own_amounts(None) is None
    assert after_claims.no_loop(None, is_asked=True) == [{"note": "nps.none_loop"}]
    assert after_claims.no_loop(latest, is_asked=True) == after_claims.no_loop(None, is_asked=False) == []
    followed = pd.DataFrame({"attitude": ["promoter"], "amount_after": [3.0]})
    assert after_claims.own_amounts(followed)["spend"].tolist() == [3.0]
    done = pd.DataFrame({"metric": ["repeat", "repeat", "lapse"], "n": [30, 20, 40]})
    assert after_claims.counted_customers(done) == 50 and after_claims.counted_customers(done.head(0)) is None
