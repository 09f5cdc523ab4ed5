"""What chapter 3 claims of scores, changes, groups and touchpoints: both signs, undecided, too few."""

import numpy as np
import pandas as pd
import pytest

from cxlib.voice import group_claims, score_claims
from cxlib.voice.standing import Standing
from cxlib.voice.waves import claims as wave_claims

SCORES = pd.DataFrame(
    {"window": ["now", "whole_period"], "metric": "nps", "estimate": [20.0, 10.0], "n": [40, 90]}
).assign(conf_low=5.0, conf_high=30.0, customers=[40, 80], promoter_share=0.4, note=[None, "lowest_unused"])


def standing(wave="B", begun=None):
    return Standing(
        SCORES, wave, pd.Timestamp("2026-04-01").date(), pd.Timestamp("2026-06-30").date(), begun, 0
    )


def gaps(*verdicts):
    return pd.DataFrame({"g": list("abcdef")[: len(verdicts)], "verdict": verdicts})


def wave(name, start, n, score=9):
    who = [f"{name}{place}" for place in range(n)]
    at = pd.Timestamp(start) + pd.to_timedelta(range(n), unit="h")
    return pd.DataFrame({"customer_id": who, "answered_at": at, "wave": name, "nps_score": float(score)})


def change(verdict, estimate):
    ends = {"before": 10.0, "after": 10.0 + estimate, "estimate": estimate}
    ends |= {"conf_low": estimate - 5, "conf_high": estimate + 5, "verdict": verdict}
    return pd.DataFrame([ends])


def test_both_windows_are_said_and_shares_only_where_shown():
    told = score_claims.standing_rows(SCORES, SCORES)
    assert [row["claim"] for row in told] == ["now", "whole_period"]
    assert [row["note"] for row in told] == ["", ""]  # an unused end of the scale is no reason to be silent
    blanked = SCORES.assign(promoter_share=np.nan)
    assert [row["claim"] for row in score_claims.standing_rows(SCORES, blanked)] == [
        "now_short",
        "whole_period",
    ]
    assert score_claims.standing_rows(SCORES.assign(n=0), SCORES) == []


@pytest.mark.parametrize(
    ("stand", "overall", "expected"),
    [
        (standing(), SCORES, []),
        (standing(wave=None), SCORES, ["quarters"]),
        (standing(begun="C"), SCORES, ["wave_begun"]),
        (standing(wave=None), SCORES.tail(1), ["none_now", "quarters"]),
        (standing(wave=None), SCORES.assign(n=0), []),
    ],
)
def test_what_to_know_of_the_present_answers(stand, overall, expected):
    assert [row["note"] for row in score_claims.standing_notes(stand, overall)] == expected


def test_no_answers_no_scores_no_table_and_a_low_level_are_said():
    def notes(scores, known=("a", "b"), **options):
        given = {"has_table": True, "conf_level": 0.95} | options
        answers = pd.DataFrame({"customer_id": list("ab")[: len(scores)], "nps_score": scores})
        customers = pd.DataFrame({"customer_id": known})
        return [row["note"] for row in score_claims.answers_notes(answers, customers, **given)]

    assert notes([9.0, 3.0], known=["a"]) == ["nps.answers_of_others"]
    assert notes([9.0]) == []
    assert notes([np.nan]) == ["nps.no_scores"] and notes([]) == ["nps.no_answers"]
    assert notes([], has_table=False) == ["nps.no_table"]
    assert notes([9.0], conf_level=0.89) == ["nps.low_level"] and notes([9.0], conf_level=0.9) == []


def test_a_distribution_needs_shares_that_may_be_shown():
    scores = pd.DataFrame({"score": [1]})
    assert len(score_claims.shown_distribution(scores, SCORES)) == 1
    none = score_claims.shown_distribution(scores, SCORES.assign(promoter_share=np.nan))
    assert none.empty and score_claims.no_distribution(none, SCORES, min_cell=10)
    assert score_claims.no_distribution(none, SCORES, min_cell=41) == []
    assert score_claims.no_distribution(scores, SCORES, min_cell=10) == []


def test_weights_are_said_only_where_the_survey_has_them():
    row = SCORES.iloc[0].to_dict() | {"n_effective": 20.0}
    plain = SCORES.head(1).assign(estimate=4.0)
    notice, cost = score_claims.weight_cost(row, plain, "weight")
    assert notice["note"] == "nps.weighted" and (cost["unweighted"], cost["design_effect"]) == (4.0, 2.0)
    assert (
        score_claims.weight_cost(row, plain, None)
        == score_claims.weight_cost(row | {"n": 0}, plain, "w")
        == []
    )


def test_the_present_row_carries_the_ends_of_its_scale():
    [row] = score_claims.present_row(SCORES, (1, 7))
    assert (row["lowest"], row["highest"], row["note"]) == (1, 7, "")
    assert score_claims.present_row(SCORES.assign(n=0), (1, 7)) == []


def test_a_frame_without_anything_in_it_is_not_shown():
    assert len(score_claims.if_any(SCORES)) == 2 and score_claims.if_any(SCORES.assign(estimate=np.nan)).empty
    assert len(score_claims.if_any(SCORES, "n")) == 2 and score_claims.if_any(SCORES.assign(n=0), "n").empty


@pytest.mark.parametrize(
    ("target", "better", "claim"),
    [
        (5.0, "higher", "target_met"),
        (31.0, "higher", "target_missed"),
        (25.0, "higher", "undecided"),
        (20.0, "higher", "undecided_far"),
        (31.0, "lower", "target_met"),
        (4.0, "lower", "target_missed"),
    ],
)
def test_targets_are_judged_on_the_present_score(target, better, claim):
    [row] = score_claims.targets_judged({"nps": SCORES.iloc[0]}, {"nps": (target, better)})
    assert (row["claim"], row["measure"], row["n"]) == (claim, "nps", 40)
    assert row["verdict"] == claim.removesuffix("_far")


def test_what_does_not_speak_of_now_is_not_judged():
    goals = {"nps": (20.0, "higher")}
    assert score_claims.targets_judged({"nps": SCORES.iloc[1]}, goals) == []
    assert score_claims.targets_judged({"csat": SCORES.iloc[0]}, goals) == []
    assert (
        score_claims.goals_of({}, 30.0) == {"nps": (30.0, "higher")} and score_claims.goals_of({}, None) == {}
    )
    notes = score_claims.target_notes({}, ["ces"], survey="transaction", is_asked=True)
    assert [row["note"] for row in notes] == ["nps.unfit_target", "nps.no_target"]
    assert score_claims.target_notes(goals, [], survey="transaction", is_asked=True) == []


@pytest.mark.parametrize(
    ("verdict", "estimate", "expected", "season"),
    [
        ("risen", 12.0, None, "unknown"),  # neighbours within a year: no verdict
        ("fallen", -12.0, None, "unknown"),
        ("no_difference_shown", 1.0, "no_difference_shown", ""),
        ("too_few_answers", 1.0, "too_few_answers", ""),
    ],
)
def test_a_change_is_told_with_its_season(verdict, estimate, expected, season):
    before, after = wave("A", "2026-01-10", 40), wave("B", "2026-04-10", 30)
    history = pd.concat([before, after])
    [row] = wave_claims.moved(change(verdict, estimate), before, after, history=history)
    assert (row["verdict"], row["season"], row["n"]) == (expected, season, 30)
    assert (row["before_wave"], row["after_wave"], row["metric"]) == ("A", "B", "nps_change")
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_a_change_over_a_year_of_answers_keeps_its_verdict():
    before, after = wave("B", "2026-01-10", 40), wave("C", "2026-04-10", 40)
    history = pd.concat([wave("A", "2025-01-10", 40), before, after])
    for verdict in ("risen", "fallen"):
        [row] = wave_claims.moved(change(verdict, 9.0), before, after, history=history)
        assert (row["verdict"], row["season"]) == (verdict, "inside")


def test_one_wave_says_so_and_none_says_nothing():
    none, some = wave("A", "2026-01-10", 0), wave("B", "2026-01-10", 5)
    assert wave_claims.moved(change("risen", 1.0), none, none, history=some) == [{"note": "nps.one_wave"}]
    assert wave_claims.moved(change("risen", 1.0), none, none, history=none) == []


def test_those_who_answered_twice_are_told_of_if_there_are_enough():
    before, after = wave("A", "2026-01-10", 40, score=9), wave("A", "2026-04-10", 40, score=3)
    asked = {"history": pd.concat([before, after]), "conf_level": 0.95}
    [row] = wave_claims.moved_same(before, after, min_cell=40, **asked)
    assert (row["estimate"], row["n"]) == (-200.0, 40)
    assert wave_claims.moved_same(before, after, min_cell=41, **asked) == []


def test_satisfaction_and_effort_move_on_their_own_scales():
    waves = [wave("A", "2026-01-10", 60), wave("B", "2026-04-10", 60), wave("C", "2026-06-10", 60)]
    answers = pd.concat(waves).assign(csat_score=4.0, ces_score=np.nan)
    scales = {"csat": (1, 5), "ces": (1, 7)}
    stand = standing(wave="B", begun="C")
    [row] = wave_claims.measures_moved(answers, stand, scales=scales, direction="ease", conf_level=0.95)
    assert (row["measure"], row["before_wave"], row["after_wave"]) == ("csat", "A", "B")
    assert row["direction"] == "ease" and row["verdict"] == "no_difference_shown"


@pytest.mark.parametrize(("direction", "verdict"), [("ease", "risen"), ("effort", "worse")])
def test_more_effort_is_worse_and_more_ease_has_risen(direction, verdict):
    spread = np.resize([1, 2, 3], 60)
    waves = [wave("A", "2025-01-10", 60), wave("B", "2026-01-10", 60)]
    answers = pd.concat([rows.assign(ces_score=spread + 4 * i) for i, rows in enumerate(waves)])
    asked = {"scales": {"ces": (1, 7)}, "direction": direction, "conf_level": 0.95}
    [row] = wave_claims.measures_moved(answers, standing(wave="B"), **asked)
    assert row["estimate"] == 4.0 and row["verdict"] == verdict


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("risen", "no_difference_shown", "fallen"), [("above", ["a"]), ("below", ["c"])]),
        (("no_difference_shown", "too_few_answers"), [("alike", 2)]),
        ((), []),
    ],
)
def test_groups_differ_or_can_not_be_told_apart(verdicts, expected):
    told = group_claims.groups_that_differ(gaps(*verdicts), by="g")
    assert [(row["claim"], row["groups"]) for row in told] == expected
    assert {row["verdict"] for row in told} <= {
        "differ" if verdicts[:1] == ("risen",) else "no_difference_shown"
    }


@pytest.mark.parametrize(
    ("verdicts", "hidden", "expected"),
    [
        (("risen", "fallen"), (False, False), {"claim": "moved", "groups": ["a", "b"]}),
        (("risen", "fallen"), (False, True), {"claim": "moved", "groups": ["a"]}),
        (("no_difference_shown", "too_few_answers"), (False, False), {"claim": "not_moved", "groups": 1}),
        (("too_few_answers", "risen"), (False, True), {"note": "nps.groups_change_few"}),
    ],
)
def test_groups_that_moved_are_judged_with_enough_answers_only(verdicts, hidden, expected):
    turns = gaps(*verdicts).assign(is_suppressed=hidden)
    assert wave_claims.groups_that_moved(turns, by="g") == [expected]
    assert wave_claims.groups_that_moved(turns.head(0), by="g") == []


def test_measures_say_which_side_and_in_what():
    found = {"csat": gaps("fallen", "risen"), "ces": gaps("no_difference_shown", "risen")}
    told = group_claims.measures_that_differ(found, by="g", n_groups=2)
    assert {row["claim"]: row["groups"] for row in told} == {
        "csat_higher": ["b"],
        "csat_lower": ["a"],
        "ces_higher": ["b"],
    }
    calm = {"csat": gaps("no_difference_shown")}
    [alike] = group_claims.measures_that_differ(calm, by="g", n_groups=2)
    assert (alike["claim"], alike["verdict"]) == ("alike", "no_difference_shown")
    assert group_claims.measures_that_differ(calm, by="g", n_groups=1) == []


def test_touchpoints_are_told_apart_or_why_not():
    found = {"csat": gaps("fallen", "risen").rename(columns={"g": "touchpoint"})}
    [told] = group_claims.touchpoints_that_differ(found, n_touchpoints=2, is_asked=True)
    assert [(row["touchpoint"], row["side"]) for row in told["groups"]] == [("a", "lower"), ("b", "higher")]
    calm = {"csat": gaps("no_difference_shown").rename(columns={"g": "touchpoint"})}
    claims = [
        group_claims.touchpoints_that_differ(calm, n_touchpoints=n, is_asked=asked)
        for n, asked in ((2, True), (1, True), (1, False))
    ]
    assert [row.get("claim") or row["note"] for told in claims for row in told] == [
        "alike",
        "nps.no_touchpoints",
    ]


def test_an_nps_over_several_touchpoints_is_warned_of():
    at_each = pd.DataFrame(
        {"touchpoint": ["shop", "chat", "mail"], "metric": "nps", "estimate": [1.0, 2.0, np.nan]}
    )
    [note] = group_claims.pooled_touchpoints(at_each)
    assert note["touchpoints"] == 2 and [part["estimate"] for part in note["parts"]] == [1.0, 2.0]
    assert group_claims.pooled_touchpoints(at_each.head(1)) == []
    assert group_claims.pooled_touchpoints(at_each.assign(metric="csat")) == []


def test_scores_at_touchpoints_and_their_gaps_come_by_measure():
    rng = np.random.default_rng(0)
    contact = pd.DataFrame({"touchpoint": ["shop"] * 60 + ["chat"] * 60, "customer_id": range(120)})
    scores = {"csat_score": rng.integers(4, 6, 120), "ces_score": np.nan, "nps_score": 9.0}
    contact = contact.assign(**scores)
    contact.loc[contact["touchpoint"] == "chat", "csat_score"] = 1
    scales = {"csat": (1, 5), "ces": (1, 7)}
    asked = {"scales": scales, "direction": "ease", "cluster_col": "customer_id"}
    at_each = group_claims.at_touchpoints(contact, with_nps=True, **asked)
    assert at_each["metric"].unique().tolist() == ["csat", "nps"]
    assert set(group_claims.at_touchpoints(contact, with_nps=False, **asked)["metric"]) == {"csat"}
    shown = at_each.assign(is_suppressed=False)
    assert group_claims.most_groups(shown) == 2 and group_claims.most_groups(shown.head(0)) == 0
    found = group_claims.measure_gaps(contact, shown, by="touchpoint", scales=scales, conf_level=0.95)
    assert found["csat"].set_index("touchpoint")["verdict"].to_dict() == {"shop": "risen", "chat": "fallen"}
    hidden = shown.assign(is_suppressed=[True, *[False] * 3])
    few = group_claims.measure_gaps(contact, hidden, by="touchpoint", scales=scales, conf_level=0.95)
    assert len(few["csat"]) == 1 and len(few["nps"]) == 2


def test_waves_beyond_chance_are_named_and_a_chart_needs_two():
    waves = pd.DataFrame({"wave": list("abcd"), "estimate": [1.0, 2, 3, np.nan]})
    waves["is_signal"] = pd.array([False, True, False, pd.NA], dtype="boolean")
    assert wave_claims.waves_beyond_chance(waves) == [{"claim": "signals", "names": ["b"]}]
    calm = waves.assign(is_signal=waves["is_signal"] & False)
    assert wave_claims.waves_beyond_chance(calm) == [{"claim": "none", "waves": 3}]
    assert wave_claims.waves_beyond_chance(waves.assign(is_signal=pd.NA)) == []
    assert len(wave_claims.waves_to_draw(waves)) == 3 and wave_claims.waves_to_draw(waves.head(1)).empty


def test_a_change_is_split_only_where_it_has_a_spread():
    parts = pd.DataFrame({"metric": ["rate", "mix", "total"], "estimate": [4.0, -1.0, 3.0], "std_error": 1.0})
    parts = parts.assign(conf_low=2.0, conf_high=6.0)
    [row] = wave_claims.split_of_change(parts, n=50)
    assert (row["estimate"], row["mix_points"], row["total_points"], row["n"]) == (4.0, -1.0, 3.0, 50)
    assert row["verdict"] == "differ"
    [row] = wave_claims.split_of_change(parts.assign(conf_low=-2.0), n=50)
    assert row["verdict"] == "no_difference_shown"
    assert wave_claims.split_of_change(parts.assign(std_error=np.nan), n=50) == []
    assert wave_claims.split_of_change(parts.head(0), n=50) == []


def test_a_target_that_takes_more_answers_than_there_are_customers_cannot_be_told():
    goals = {"nps": (25.0, "higher")}
    judge = {most: score_claims.targets_judged({"nps": SCORES.iloc[0]}, goals, most=most)[0]
             for most in (0, 50, 10_000)}  # fmt: skip
    assert {most: row["claim"] for most, row in judge.items()} == {
        0: "undecided",
        50: "undecided_all",
        10_000: "undecided",
    }
    beyond = judge[50]
    assert (beyond["needed"], beyond["most"]) == (40 + beyond["more"], 50)
    assert beyond["verdict"] == "undecided"
