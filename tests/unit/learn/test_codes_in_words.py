"""Codes in words: which are worded, by what, where they stand, and that the result is not changed."""

import pandas as pd
import pytest

from cxlib.data.rules.rule_files import load_rules
from cxlib.learn.codes_in_words import in_words, words

RULES = {"stage": "journey.stages", "touchpoint": "journey.touchpoints", "topic": "topics.topics"}
RULES |= {"next_state": "states.states", "from_stage": "sales.stages", "driver": "journey.touchpoints"}


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("column", RULES)
def test_every_code_of_the_rules_is_worded_as_there(column, lang):
    name, _, part = RULES[column].partition(".")
    items = getattr(load_rules(name), part)
    told = words(pd.DataFrame({column: [item.id for item in items]}), lang=lang)
    assert told == {item.id: getattr(item.label, lang) for item in items}


def test_a_code_is_worded_by_its_column():
    both = pd.DataFrame(
        {"page": ["list"], "step": ["list"], "topic": ["quality"], "driver": ["driver_quality"]}
    )
    assert in_words(both, lang="ja").iloc[0].tolist() == ["商品一覧", "商品一覧", "商品の品質", "品質"]


def test_names_of_rows_and_columns_are_worded_where_they_say_what_they_are():
    rows = pd.MultiIndex.from_tuples([("buy", "checkout")], names=["stage", "touchpoint"])
    columns = pd.Index(["lapsed", "unheard_of"], name="state")
    shown = in_words(pd.DataFrame([[1, 2]], index=rows, columns=columns), lang="ja")
    assert shown.index.tolist() == [("買う", "ウェブでの購入手続き")]
    assert shown.columns.tolist() == ["離反", "unheard_of"]
    nameless = pd.Series([1.5], index=["citrus"])
    assert in_words(nameless, lang="ja").index.tolist() == ["citrus"]
    assert in_words(nameless.rename_axis("taste"), lang="ja").index.tolist() == ["シトラス"]


def test_numbers_missing_values_and_the_result_itself_stay():
    result = pd.DataFrame({"verdict": ["lowers", None, 3], "estimate": [0.5, None, 1.0], "is_valley": True})
    before = result.copy(deep=True)
    shown = in_words(result, lang="ja")
    assert shown["verdict"].tolist() == ["低い点数と結びつく", None, 3]
    pd.testing.assert_frame_equal(shown[["estimate", "is_valley"]], result[["estimate", "is_valley"]])
    pd.testing.assert_frame_equal(result, before)


def test_categories_are_worded_too():
    states = pd.Series(["lapsed", "convinced"], dtype="category", name="state")
    assert in_words(states, lang="ja").tolist() == ["離反", "納得して使い続けている"]
