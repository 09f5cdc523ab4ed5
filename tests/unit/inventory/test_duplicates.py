"""Who is there twice: what the keys show, what they miss, and whom they must not join."""

import numpy as np
import pandas as pd
import pytest

from cxlib.inventory.duplicates import same_person, split_identities

SEEDS = range(30)


def company(seed, *, n=4_000, share=0.03, keys=(0.85, 0.7)):
    """Make people of whom a share holds two ids; each id has each key by a chance of its own."""
    rng = np.random.default_rng(seed)
    further = round(share * n)
    person = np.concatenate([np.arange(n - further), rng.choice(n - further, further, replace=False)])
    made = pd.DataFrame({"customer_id": [f"C{number:05d}" for number in range(n)]})
    made["birth_year"] = (1940 + person * 7919 % 66).astype(float)
    for place, filled in enumerate(keys):
        key = pd.Series([f"k{place}-{who}" for who in person])
        made[f"match_key_{place}"] = key.where(rng.random(n) < filled)
    return made, further / n


@pytest.mark.parametrize("seed", SEEDS)
def test_three_percent_planted_are_found_within_half_a_point(seed):
    people, planted = company(seed)
    found = split_identities(people)
    assert abs(found["estimate"].item() - planted) <= 0.005
    assert found["conf_low"].item() <= planted <= found["conf_high"].item()
    assert found["found_share"].item() < planted


@pytest.mark.parametrize("seed", SEEDS)
def test_one_key_is_enough_where_nearly_everybody_gave_it(seed):
    people, planted = company(seed, keys=(0.9,))
    found = split_identities(people)
    assert abs(found["estimate"].item() - planted) <= 0.005


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [80, pytest.param(200, marks=pytest.mark.long)])
def test_the_interval_holds_the_truth_as_often_as_it_says(rounds):
    held = []
    for seed in range(rounds):
        people, planted = company(1_000 + seed, n=1_500, keys=(0.75, 0.7))
        row = split_identities(people).iloc[0]
        held.append(row["conf_low"] <= planted <= row["conf_high"])
    assert np.mean(held) >= 0.93  # the share of people is fixed here, so a little more than 95 %


def test_keys_that_hardly_agree_tell_only_the_least_there_are():
    """Who comes back with another mail address is seen by telephone, and the other way round."""
    people, planted = company(5, keys=(1.0, 1.0))
    further = np.flatnonzero(people["match_key_0"].duplicated())
    people.loc[further[::2], "match_key_0"] = "other mail " + people["customer_id"]
    people.loc[further[1::2], "match_key_1"] = "other phone " + people["customer_id"]
    found = split_identities(people)
    assert found["claim"].item() == "at_least"
    assert found["estimate"].item() == planted
    assert found["conf_low"].item() < planted < found["conf_high"].item()


def test_chains_are_one_person_and_the_first_row_stands_for_them():
    people = pd.DataFrame(
        {
            "customer_id": list("abcd"),
            "match_key_mail": ["x", "x", "y", "z"],
            "match_key_phone": [None, "p", "p", "q"],
        }
    )
    found = same_person(people)
    assert found[["customer_id", "first_id"]].to_numpy().tolist() == [["b", "a"], ["c", "a"]]
    assert found[["match_key_mail", "match_key_phone"]].to_numpy().tolist() == [[True, False], [False, True]]


def test_a_key_that_many_share_joins_nobody():
    people = pd.DataFrame({"customer_id": list("abcdef"), "match_key": ["shop@"] * 4 + ["u", "u"]})
    assert same_person(people)["customer_id"].tolist() == ["f"]


def test_a_mother_and_her_son_with_one_telephone_stay_two():
    people = pd.DataFrame({"customer_id": list("abc"), "match_key": ["p"] * 3})
    people["birth_year"], people["gender"] = [1960.0, 1995.0, None], ["female", "female", "female"]
    assert same_person(people)["customer_id"].tolist() == ["c"]
    people["birth_year"], people["gender"] = [1960.0, 1961.0, 1960.0], ["female", None, "male"]
    assert same_person(people)["customer_id"].tolist() == ["b"]


def test_without_keys_there_is_nothing_to_tell():
    people = pd.DataFrame({"customer_id": ["a"], "match_key": [None]})
    assert split_identities(people).empty
    assert same_person(people).empty


def test_groups_are_judged_by_where_the_further_id_is():
    people, _ = company(1, n=400, share=0.1, keys=(1.0,))
    people["channel"] = np.where(people.index < 360, "ec", None)
    found = split_identities(people, by="channel").set_index("channel", drop=False)
    assert found["estimate"].tolist() == [0.0, 1.0]  # the planted ones stand last
    assert found["n"].tolist() == [360, 40]


def test_the_order_of_rows_changes_no_estimate():
    people, _ = company(2, n=600)
    shuffled = people.sample(frac=1, random_state=3)
    columns = ["estimate", "conf_low", "conf_high", "n_found"]
    pd.testing.assert_frame_equal(split_identities(people)[columns], split_identities(shuffled)[columns])


def test_an_unknown_year_of_birth_contradicts_nothing_whatever_its_type():
    people = pd.DataFrame({"customer_id": list("abc"), "match_key": "x", "birth_year": [1980, None, 2010]})
    for kind in ("float64", "Int64"):
        assert same_person(people.astype({"birth_year": kind}))["customer_id"].tolist() == ["b"]
