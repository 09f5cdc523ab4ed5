"""What is done with each initiative, and when one of them comes first."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.initiatives.claims import both_arms, left_out
from cxlib.initiatives.ranking_claims import first_place, nearest, ranking_shown, split_known, split_told
from cxlib.initiatives.register import STEPS, cautions, grave_cautions, next_steps, verdict_counts
from cxlib.language import catalogue


def studies(**columns):
    """Two initiatives of equal size and cost, known well: 100 and 40 a customer and month."""
    table = pd.DataFrame({"initiative": ["A", "B"], "estimate": [100.0, 40.0], "std_error": 5.0})
    table = table.assign(customer_months=1000.0, cost=20_000.0, verdict="effective", roi=[4.0, 1.0])
    return table.assign(roi_conf_low=0.5, roi_conf_high=5.0, **columns)


def place(table):
    told = first_place(cx.rank_by_net(table))
    assert f"impact.first_place.{told.get('claim') or told['note']}" in catalogue()
    return told


def test_first_place_needs_a_lead_beyond_doubt():
    best = place(studies())
    assert (best["claim"], best["initiative"], best["next_initiative"]) == ("best", "A", "B")
    assert best["lead_conf_low"] > 0 and best["verdict"] == "effective"
    close = place(studies(std_error=40.0, estimate=[100.0, 90.0]).assign(cost=1.0))
    assert close.get("claim", close.get("note")) in ("leads", "none")
    near = place(studies(std_error=20.0, estimate=[100.0, 95.0]))
    assert near["claim"] == "leads" and "verdict" not in near
    assert near["lead_conf_low"] <= 0 <= near["lead_conf_high"]


def test_first_place_needs_money_left_over_with_its_whole_interval():
    table = studies(estimate=[24.0, 2.0])  # 24,000 against a cost of 20,000, error 5,000
    found = place(table)
    assert found["note"] == "none"
    assert nearest(cx.rank_by_net(table))["conf_low"].item() < 0
    assert nearest(cx.rank_by_net(studies())).empty
    assert place(studies(verdict="pay_open"))["note"] == "none"


def test_one_study_is_no_ranking():
    alone = studies().head(1)
    assert place(alone)["claim"] == "single"
    assert cx.rank_by_net(alone)[["net_shrunk", "net_shrunk_conf_low", "rank"]].isna().all(axis=None)
    assert nearest(cx.rank_by_net(alone)).empty
    unpriced = studies().assign(cost=[20_000.0, np.nan], roi=[4.0, np.nan])
    assert (place(unpriced)["claim"], place(unpriced)["initiative"]) == ("single", "A")
    assert place(unpriced)["estimate"] == 4.0
    assert place(studies().assign(cost=np.nan))["note"] == "no_costs"
    assert place(studies().head(0))["note"] == "none"


def test_effects_within_their_noise_are_no_loss_of_the_whole_cost():
    table = studies(estimate=[3.0, -2.0])
    assert (place(table)["note"], place(table)["n_initiatives"]) == ("noise", 2)
    ranked = cx.rank_by_net(table)
    assert ranked["factor"].eq(0).all()
    assert ranked[["net_shrunk", "net_shrunk_conf_low", "roi_shrunk"]].isna().all(axis=None)
    assert ranking_shown(ranked).empty and len(ranking_shown(cx.rank_by_net(studies()))) == 2


def test_every_initiative_gets_one_step_by_name():
    reasons = list(STEPS)
    rows = pd.DataFrame({"initiative": [f"N{place}" for place in range(len(reasons))], "reason": reasons})
    twice = pd.concat([rows, rows.assign(initiative="twin")])
    said = next_steps(twice, horizon_months=12, min_cell=10).to_dict("records")
    assert sorted(name for words in said for name in words["names"] if name != "twin") == sorted(
        rows["initiative"]
    )
    for words in said:
        assert f"impact.next.{words['claim']}" in catalogue()
        assert f"verdict.{words['verdict']}" in catalogue()
        assert len(words["names"]) == 2
    assert STEPS["below_needed"] == STEPS["below_zero"] == "stop"
    assert STEPS["at_loss"] != "fund" != STEPS["pay_open"]
    assert all(f"value.reason.{reason}" in catalogue() for reason in reasons)


@pytest.mark.parametrize(
    ("gap", "verdict"), [(1.0, "no_difference_shown"), (9.0, "differ"), (-9.0, "differ")]
)
def test_groups_within_initiatives_are_told_apart_by_one_test_each(gap, verdict):
    part = pd.DataFrame({"region": list("abc"), "estimate": [10.0, 10.0, 10.0 + gap], "n": 200})
    part = part.assign(std_error=1.0, initiative="second")
    split = pd.concat([part.assign(estimate=10.0, initiative="first"), part])
    words = split_told(split, by="region", conf_level=0.95).squeeze()
    assert words["verdict"] == verdict and f"impact.split.{verdict}" in catalogue()
    assert words["names"] == (["second"] if verdict == "differ" else [])
    assert words["n_initiatives"] == 2
    assert split_told(part.head(1), by="region", conf_level=0.95).empty


def test_without_groups_to_show_the_reader_is_told_so_where_groups_were_asked_for():
    none = pd.DataFrame({"initiative": ["A", "B"], "estimate": np.nan, "n": 0})
    assert split_known(none).empty
    known = split_known(pd.concat([none, none.assign(estimate=[1.0, np.nan])]))
    assert known["initiative"].tolist() == ["A", "A"]
    assert split_told(none.head(0), by="region", conf_level=0.9)["note"].tolist() == ["impact.none_split"]
    assert split_told(none.head(0), by=None, conf_level=0.9).empty


def test_groups_that_lack_an_arm_are_left_out_and_said_and_small_ones_are_not_named():
    sizes = {"n": [0, 0, 20], "n_treatment": [0, 4, 20], "n_control": [30, 0, 25]}
    split = pd.DataFrame({"initiative": ["A", "A", "B"], **sizes})
    assert both_arms(split, min_cell=10)["n_treatment"].tolist() == [4, 20]
    assert left_out(split, min_cell=10)["names"].tolist() == [["A"]]
    (alone,) = left_out(split.drop(columns="initiative"), min_cell=10).to_dict("records")
    assert (alone["note"], alone["count"]) == ("impact.groups_one_arm", 1)
    assert left_out(split.tail(1), min_cell=10).empty


def test_verdicts_are_counted_with_their_reasons():
    rows = pd.DataFrame({"verdict": ["not_shown", "effective", "not_shown"], "reason": ["a", "b", "c"]})
    told = verdict_counts(rows).set_index("verdict")
    assert told.loc["not_shown", ["n_found", "n_initiatives", "reason"]].tolist() == [2, 3, ["a", "c"]]


def test_only_warnings_are_called_cautions():
    notes = [
        {"key": "impact.note_targeted", "level": "warning"},
        {"key": "impact.note_spill", "level": "info"},
    ]
    chosen = {name: pd.Series({"name": f"The {name}"}) for name in ("A", "B")}
    found = {"A": SimpleNamespace(notes=notes[1:], observed=3), "B": SimpleNamespace(notes=notes, observed=3)}
    told = cautions(chosen, found, lang="en")
    assert told["level"].tolist() == ["info", "warning", "info"]
    assert told["caution"].str.len().min() > 20
    assert grave_cautions(told)["names"].tolist() == [["The B"]]
    assert grave_cautions(told.head(1)).empty and grave_cautions(cautions({}, {}, lang="en")).empty


def test_no_warning_applies_where_nothing_is_computed():
    notes = [
        {"key": "impact.note_no_members", "level": "not_enough_data"},
        {"key": "impact.note_everyone", "level": "warning"},
    ]
    chosen = {"A": pd.Series({"name": "The A"})}
    told = {months: cautions(chosen, {"A": SimpleNamespace(notes=notes, observed=months)}, lang="en")
            for months in (0, 1)}  # fmt: skip
    assert grave_cautions(told[0]).empty and len(told[0]) == 2
    assert grave_cautions(told[1])["names"].tolist() == [["The A"]]


def test_nothing_observed_is_a_lack_of_data():
    nobody = studies().head(0)
    levels = [first_place(cx.rank_by_net(nobody), months_observed=n)["note_level"] for n in (0, 3)]
    assert levels == ["not_enough_data", "info"]


def test_first_place_counts_limits_as_they_are_shown():
    ranked = cx.rank_by_net(studies())
    ends = {"net_shrunk": 9.0, "net_shrunk_conf_low": 0.4, "net_shrunk_conf_high": 20.0}
    assert first_place(ranked.assign(**ends), currency="JPY")["note"] == "none"
    assert first_place(ranked.assign(**ends), currency="USD")["claim"] == "leads"
