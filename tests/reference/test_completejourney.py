"""The real shop data arrive whole through `cx import`.

Expected numbers: counts and sums of the published files (R package completejourney, CC0) computed with an
independent program; the sums are those of `sales_value`, by line.
"""

import json
import re
from pathlib import Path

import pytest

from cxlib.data.exports.convert_export import import_export
from cxlib.data.tables.coverage import check_folder
from cxlib.data.tables.data_set import open_data

pytestmark = pytest.mark.reference
MAPPING = Path(__file__).parents[2] / "data" / "mappings" / "completejourney.yml"


@pytest.fixture(scope="module")
def imported(reference_dir, tmp_path_factory):
    target = tmp_path_factory.mktemp("imported") / "completejourney"
    summary = import_export(MAPPING, reference_dir("completejourney"), target)
    return summary, open_data(target), target


@pytest.fixture(scope="module")
def orders(imported):
    return imported[1].table("orders")


def test_every_line_household_and_dollar_arrives(imported, orders):
    summary, data_set, _ = imported
    assert len(orders) == 75_000
    assert orders["customer_id"].nunique() == 2_377
    assert orders["amount"].sum() == pytest.approx(233_935.24, abs=0.005)
    assert summary.set_index("table").loc["orders", "amount_total"] == pytest.approx(233_935.24, abs=0.005)
    assert len(data_set.table("customers")) == 2_377
    assert orders["order_id"].nunique() == 47_243


def test_brands_and_categories_are_those_of_the_products(orders):
    joined = orders.dropna(subset=["brand"])
    assert len(joined) == 74_778
    by_brand = joined.groupby("brand")["amount"].sum()
    assert by_brand.to_dict() == pytest.approx({"National": 167_798.07, "Private": 66_132.50}, abs=0.005)
    top = orders.groupby("category")["amount"].sum().nlargest(5)
    assert top.to_dict() == pytest.approx(
        {
            "COUPON/MISC ITEMS": 19_398.37,
            "SOFT DRINKS": 9_412.95,
            "BEEF": 8_799.53,
            "FLUID MILK PRODUCTS": 5_992.60,
            "CHEESE": 5_350.34,
        },
        abs=0.005,
    )
    assert list(top.index[:2]) == ["COUPON/MISC ITEMS", "SOFT DRINKS"]


def test_times_are_those_of_the_shops(orders):
    """Read as UTC the year 2017 is whole, and few people shop between two and five at night."""
    local = orders["ordered_at"]
    assert (str(local.min()), str(local.max())) == ("2017-01-01 07:30:27-05:00", "2017-12-31 22:47:38-05:00")
    assert local.dt.hour.between(2, 4).mean() < 0.02


def test_campaigns_are_initiatives_with_their_households(imported):
    data_set = imported[1]
    initiatives, enrolments = data_set.table("initiatives"), data_set.table("enrolments")
    assert len(initiatives) == 27
    assert set(initiatives["assignment"]) == {"targeted"}
    assert initiatives["one_time_cost"].isna().all()
    assert len(enrolments) == 6_589
    assert enrolments["customer_id"].nunique() == 1_559


def test_what_is_noticed_and_what_the_data_carry(imported):
    problems, coverage = check_folder(imported[2])
    assert {problem.key: problem.count for problem in problems} == {
        "exports.lookup_missed": 222,
        "tables.cost_missing": 27,
        "tables.zero_amount": 528,
        "tables.unknown_customer": 2,
    }
    assert {line.chapter: line.state for line in coverage} == {
        "segmentation": "partial",
        "journey": "partial",
        "nps_drivers": "missing",
        "initiative_roi": "partial",
        "initiative_register": "partial",
        "support": "missing",
        "customer_value": "partial",
        "sales": "missing",
        "voice": "missing",
    }


def test_rows_are_accounted_for(imported):
    summary = imported[0].set_index("table")
    left_out = summary["rows_left_out_by_where"] + summary["rows_left_out_by_grain"]
    assert (summary["rows_read"] - left_out == summary["rows_written"]).all()
    assert summary.loc["orders", "rows_without_match"] == 222


@pytest.fixture(scope="module")
def campaign(imported):
    """Campaign 8, from May 2017, through the function behind chapter 4."""
    import cxlib as cx

    data_set = imported[1]
    tables = {name: data_set.table(name) for name in ("orders", "customers", "enrolments")}
    return cx.evaluate_initiative(
        cx.choose_initiative(data_set.table("initiatives"), "8"), **tables, selected=tables["customers"],
        as_of="2017-12-31", terms=cx.Terms(horizon_months=6),
    )  # fmt: skip


def test_one_campaign_goes_up_the_ladder_and_stops_below_a_verdict(campaign):
    rungs = campaign.ladder[campaign.ladder["horizon_months"] == 6]
    assert {"before_after", "interrupted_series", "did_found"} <= set(rungs["rung"])
    assert not rungs["is_answer"].any()
    assert campaign.decision[["verdict", "reason"]].iloc[0].tolist() == ["not_shown", "found"]
    assert campaign.state == "nothing"
    assert campaign.money is None


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_reading_in_chapter_4_says_what_comes_out(campaign, lang):
    """The figures are read from the lesson's own cell, so that it cannot say what is no longer so."""
    chapter = Path(__file__).parents[2] / "notebooks" / "04_initiative_roi.ipynb"
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(chapter.read_text("utf-8"))["cells"]}
    source = cells[f"teach-journey-{lang}"]
    table = [line.split("|")[2:4] for line in source.splitlines() if line.startswith("| ")][1:]
    printed = [[float(number) for number in re.findall(r"-?\d+\.\d+", "|".join(row))] for row in table]
    found = campaign.ladder[campaign.ladder["horizon_months"] == 6].set_index("rung")
    rows = found.loc[
        ["before_after", "interrupted_series", "did_found"], ["estimate", "conf_low", "conf_high"]
    ]
    assert [pytest.approx(row, abs=0.0051) for row in rows.to_numpy()] == printed
    sizes = campaign.members["arm"].value_counts()
    notes = {note["key"].removeprefix("impact.note_"): note for note in campaign.notes}
    for number in (f"{sizes['treatment']:,}", f"{sizes['control']}", f"{notes['contaminated']['treatment']}"):
        assert number in source
    assert (notes["margin_rate"]["missing"], notes["contaminated"]["control"]) == (100, 0)
