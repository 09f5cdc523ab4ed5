"""What chapter 1 may claim: words and verdict from the same limits, season and ties included."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.customers.claims import empty_scores
from cxlib.customers.foretelling_claims import scheme_lead, score_rule
from cxlib.customers.growth_claims import growth_told
from cxlib.customers.sales_claims import group_lead
from cxlib.language import catalogue


def judged(*behind, low=0.2):
    """The first leads the others by `behind`, ± two points each."""
    names = ["first", "second", "third"][: len(behind) + 1]
    gaps = np.array([0.0, *behind])
    half = np.where(gaps == 0, np.nan, 0.02)
    rows = pd.DataFrame({"metric": "share", "scheme": names, "estimate": 0.3 - gaps, "n": 99, "behind": gaps})
    rows = rows.assign(conf_low=low, conf_high=0.4)
    return rows.assign(behind_conf_low=gaps - half, behind_conf_high=gaps + half)


def lead(rows):
    [told] = scheme_lead(rows, metrics=["share"])
    return told


def test_a_scheme_is_best_only_if_its_lead_over_every_other_is_shown():
    assert lead(judged(0.05, 0.06))["claim"] == "best_share"
    tied = lead(judged(0.01, 0.06))
    assert (tied["claim"], tied["tied_scheme"]) == ("tied_share", ["first", "second"])
    both = lead(judged(0.01, 0.015))
    assert both["tied_scheme"] == ["first", "second", "third"]
    assert lead(judged().head(0)) == {"note": "segmentation.no_schemes"}


def test_a_scheme_without_limits_neither_leads_nor_denies():
    alone = judged(0.05, 0.06).assign(conf_low=[np.nan, 0.2, 0.2])
    assert lead(alone)["scheme"] == "second"
    assert lead(alone.assign(conf_low=np.nan))["note"] == "segmentation.no_schemes"


def test_a_lead_whose_limit_is_shown_as_zero_is_no_lead():
    """The limit is +0.03 points: shown as +0.0."""
    found = lead(judged(0.0203, 0.06))
    assert (found["claim"], found["verdict"]) == ("tied_share", "no_difference_shown")


def test_nothing_is_best_where_the_best_foretells_nothing():
    found = lead(judged(0.05, 0.06, low=0.0004))
    assert (found["claim"], found["verdict"]) == ("none_share", "no_difference_shown")


def gaps(*behind, low=0.2):
    return judged(*behind, low=low).assign(metric="repeat_gap")


@pytest.mark.parametrize(
    ("rows", "claim", "verdict"),
    [
        (gaps(0.05, 0.06), "met", "met"),
        (gaps(0.01), "tied", "not_met"),
        (gaps(0.05, low=0.0), "none", "not_met"),
        (gaps(), "only", "met"),
    ],
)
def test_the_rule_on_scores_says_why_it_is_not_met(rows, claim, verdict):
    found = score_rule(rows)
    assert (found["claim"], found["verdict"]) == (claim, verdict)


def company(share_of_first, seed=2, n=400):
    rng = np.random.default_rng(seed)
    money = np.r_[rng.gamma(4, share_of_first, n), rng.gamma(4, 1 - share_of_first, n), rng.gamma(4, 0.1, n)]
    return pd.DataFrame({"segment": np.repeat(["a", "b", "c"], n), "monetary_total": money})


def test_a_segment_carries_the_most_where_the_difference_to_every_other_is_shown():
    clear, close = group_lead(company(0.7)), group_lead(company(0.505))
    assert (clear["claim"], clear["segment"], clear["next_segment"]) == ("leads", "a", "b")
    assert clear["ahead_conf_low"] < 0.38 < clear["ahead_conf_high"]  # (0.7 - 0.3)/(0.7 + 0.3 + 0.1) = 0.36
    assert (close["claim"], set(close["tied_segment"])) == ("tied", {"a", "b"})
    assert group_lead(company(0.7).query("segment == 'a'")) == {}


def test_three_groups_that_do_not_differ_are_rarely_told_apart():
    rng, wrong = np.random.default_rng(4), 0
    for _ in range(200):
        spent = {"segment": rng.choice(["a", "b", "c"], 600), "monetary_total": rng.lognormal(3, 1, 600)}
        wrong += group_lead(pd.DataFrame(spent))["claim"] == "leads"
    assert wrong <= 12  # 6 % of 200; the sizes of the groups vary, too


def test_growth_has_a_verdict_only_beside_the_same_season():
    up = {"estimate": 900.0, "conf_low": 0.3, "conf_high": 1300.0}
    assert growth_told(up, in_season=True, currency="JPY")["claim"] == "unclear"  # shown as ¥0
    assert growth_told(up, in_season=True, currency="EUR")["verdict"] == "risen"
    down = {"estimate": -900.0, "conf_low": -1300.0, "conf_high": -500.0}
    assert growth_told(down, in_season=True, currency="JPY")["verdict"] == "fallen"
    assert growth_told(down, in_season=False, currency="JPY") == {"claim": "season", "verdict": None}


@pytest.mark.parametrize(("months", "expected"), [(24, True), (9, False)])
def test_periods_lie_a_year_apart_where_the_data_reach_back_a_year(months, expected):
    days = pd.date_range("2026-06-30", periods=months * 30, freq="-1D")
    lines = pd.DataFrame(
        {"customer_id": "a", "order_id": days.astype(str), "amount": 9.0, "ordered_at": days}
    )
    periods = cx.like_periods(lines, as_of="2026-06-30", days=60)
    assert cx.a_year_apart(periods) is expected


def test_scores_nobody_holds_are_named():
    people = pd.DataFrame({"recency_days": range(10), "frequency": [1] * 6 + [2, 3, 4, 5]})
    scored = cx.rfm(people.assign(monetary_total=range(1, 11)))
    [told] = empty_scores(scored)
    assert (told["scheme"], told["empty_score"]) == ("f_score", ["2", "3"])
    assert empty_scores(scored, least=11) == []


def test_the_middle_half_of_a_group_is_not_moved_by_its_largest_buyer():
    money = [*range(1, 100), 1_000_000]
    base = pd.DataFrame({"region": ["x"] * 100 + ["y"] * 100, "monetary_total": [*money, *range(1, 101)]})
    middle = cx.middle_by_group(base, by="region")
    assert middle["estimate"].tolist() == [50.5, 50.5]
    assert cx.groups_apart(middle, by="region")["verdict"].iloc[-1] == "no_difference_shown"


def test_orders_that_are_no_purchases_are_said_with_few_of_a_kind_hidden():
    amounts = [0.0] * 12 + [-3.0] * 2 + [5.0] * 30
    lines = pd.DataFrame(
        {"amount": amounts, "order_id": range(44), "customer_id": [f"c{i}" for i in range(44)]}
    )
    lines = lines.astype({"order_id": str}).assign(ordered_at=pd.Timestamp("2026-01-05"))
    about = {"as_of": "2026-01-31", "min_cell": 10}
    said = cx.uncounted_orders(lines, **about)["reasons"]
    assert said == [{"claim": "free", "n": 12}, {"claim": "refund_alone_few", "n": 10}]
    assert cx.uncounted_orders(lines[14:], **about) == {} == cx.uncounted_orders(lines.head(0), **about)
    assert cx.uncounted_orders(lines.drop(columns="amount"), **about) == {}


def test_a_lead_that_may_be_anything_names_no_segments():
    base = pd.DataFrame({"segment": list("aabb"), "monetary_total": [1.0, 900, 2, 800]})
    told = group_lead(base)
    assert (told["ahead_conf_low"], told["ahead_conf_high"]) == (-1, 1)
    assert (told["claim"], told["verdict"]) == ("too_few", "not_enough_data")
    for lang in ("en", "ja"):
        words = catalogue()["segmentation.carrier.too_few"][lang]
        assert "{tied_segment}" not in words and "{ahead" not in words


def test_customers_of_the_growth_say_who_they_are():
    for lang, later, all_of_them in (
        ("en", "later period", "had ordered"),
        ("ja", "後の期間", "終わりまでに"),
    ):
        assert later in catalogue()["figure.growth"][lang]
        for key in ("", ".season", ".unclear"):
            assert all_of_them in catalogue()[f"segmentation.growth_total{key}"][lang]
