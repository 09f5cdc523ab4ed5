"""What the chapter says of the days ahead: only as far as tested, and nothing where it can't be."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.language import catalogue
from cxlib.value import chapter_ahead

spec = importlib.util.spec_from_file_location("lines", Path(__file__).with_name("test_known_at_cut.py"))
lines = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lines)


class Bare:
    """A data set with nothing but orders; a class because tables are asked of it."""

    def has(self, *_):
        return False


@pytest.fixture(scope="module")
def leaving():
    return cx.value.leaving_score(Bare(), lines.lines_of(11, n=800), as_of=lines.LAST)


def test_the_score_is_told_with_the_test_that_would_make_it_an_effect(leaving):
    assert leaving.told["claim"] in ("score", "simple") and "note" not in leaving.told
    asked = leaving.effect_test
    spread = sum(share * (1 - share) for share in (asked["share"], asked["less_share"]))
    needed = (1.959964 + 0.841621) ** 2 * spread / (asked["share"] - asked["less_share"]) ** 2
    assert asked["per_group"] == pytest.approx(needed, abs=1)
    assert leaving.caveat == {} or leaving.caveat["verdict"] == "off"


def test_a_test_of_more_customers_than_there_are_is_not_asked_for():
    ask = {n: chapter_ahead._effect_test(0.8, n) for n in (100, 100_000)}
    assert [asked.get("claim") for asked in ask.values()] == ["too_few", None]
    assert {asked["per_group"] for asked in ask.values()} == {1_091}
    assert all(f"{{{name}}}" in catalogue()["value_score.effect_test.too_few"]["ja"] for name in
               ("share", "less_share", "per_group", "n_listed"))  # fmt: skip


def test_groups_and_reasons_say_how_many_customers_they_rest_on(leaving):
    assert {"customers"} <= set(leaving.quality) & set(leaving.reasons)
    assert leaving.quality["customers"].max() <= 800 and len(leaving.curve) == 10


def test_too_short_a_history_says_so_and_shows_nothing():
    young = lines.lines_of(12, n=50)
    short = young[young["ordered_at"] >= lines.LAST - pd.Timedelta(days=60)]
    found = cx.value.leaving_score(Bare(), short, as_of=lines.LAST)
    assert found.told["note"] == "too_short" and found.quality.empty
    assert found.effect_test == {} and found.caveat == {}
    outlook = cx.value.sales_outlook(short, as_of=lines.LAST)
    assert outlook.told["note"] == "too_short" and outlook.season == {} and outlook.ahead.empty


def test_the_calibration_chart_has_a_point_per_group(leaving):
    ax = cx.plot_calibration(leaving.curve, lang="ja")
    assert ax.lines[-1].get_xdata().tolist() == pytest.approx(leaving.curve["predicted"].tolist())
    assert ax.get_xlabel() and ax.get_ylabel()


def test_the_sales_chart_has_a_line_per_method():
    months = pd.date_range("2026-01-01", periods=4, freq="MS")
    rows = pd.DataFrame({"method": ["actual", "actual", "smoothing", "smoothing"], "month": months})
    rows = rows.assign(
        estimate=[1.0, 2, 2, 2], conf_low=[np.nan, np.nan, 1, 1], conf_high=[np.nan, np.nan, 3, 4]
    )
    ax = cx.plot_sales_ahead(rows, labels={"actual": "sold"}, currency="JPY")
    assert [line.get_label() for line in ax.lines] == ["sold", "smoothing"]


@pytest.mark.parametrize(
    ("told", "lacking"),
    [({"note": "too_short"}, "value_score.no_score"), ({"used": "simple"}, "value_score.few_in_part")],
)
def test_no_score_is_the_reason_only_where_there_is_none(told, lacking):
    n = pd.DataFrame()
    assert chapter_ahead.LeavingScore(told, n, n, n, n, n, {}).lacking == lacking
