"""Tables and columns as they are, broken ones too, and what one more column would add."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib.data.contract import TABLES
from cxlib.data.tables.coverage import CHAPTERS, READ_BESIDES, UNREAD, sections
from cxlib.inventory.what_is_there import (
    broken_tables,
    broken_told,
    chapters_ready,
    column_profile,
    joined_customers,
    lowest_join,
    one_more,
    unread_columns,
)
from cxlib.language import has_text

ABOUT = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}


def people(n=40):
    ids = [f"C{number:02d}" for number in range(n)]
    return pd.DataFrame({"customer_id": ids, "first_seen_on": "2026-01-01", "customer_type": "consumer"})


def lines(ids, **more):
    rows = {"order_id": [f"O{number}" for number in range(len(ids))], "line": 1, "customer_id": ids}
    return pd.DataFrame({**rows, "ordered_at": "2026-02-03 10:00:00", "amount": 100.0, **more})


def shop(**frames):
    return cx.open_data(frames, **ABOUT)


def test_a_broken_table_is_a_row_and_the_rest_goes_on():
    orders = lines(["C01", "C02"] * 10).assign(amount="plenty")
    data_set = shop(customers=people(), orders=orders)
    broken = broken_tables(data_set, lang="en")
    assert set(broken["table"]) == {"orders"}
    assert broken["caution"].str.contains("amount").any()
    assert not broken["caution"].str.contains("plenty|C01").any()
    assert broken_tables(data_set, lang="ja")["caution"].iloc[0] != broken["caution"].iloc[0]
    assert broken_told(broken)["names"] == ["orders"]
    assert broken_told(broken.head(0))["note"] == "none"
    usable = cx.usable_tables(data_set)
    assert usable.tables == ["customers"] and data_set.tables == ["customers", "orders"]
    assert not [problem for problem in usable.problems if problem.level == "error"]
    assert len(usable.table("customers")) == 40


def test_a_broken_table_is_described_as_far_as_it_was_read():
    orders = lines(["C01", None] * 20).assign(amount="plenty")
    profile = column_profile(shop(customers=people(), orders=orders), min_cell=1).set_index("column")
    assert profile.loc["orders.customer_id", "fill_share"] == 0.5
    assert profile.loc["orders.amount", "fill_share"] == 0
    assert profile.loc["orders.ordered_at", "newest_on"] == pd.Timestamp("2026-02-03")


def test_a_file_that_can_not_be_read_at_all_ends_nothing(tmp_path):
    (tmp_path / "dataset.yml").write_text("\n".join(f"{name}: {held}" for name, held in ABOUT.items()))
    (tmp_path / "orders.parquet").write_bytes(b"PAR1 no more")
    data_set = cx.open_data(tmp_path)
    assert broken_tables(data_set, lang="en")["table"].tolist() == ["orders"]
    assert column_profile(data_set).empty
    assert joined_customers(data_set).empty
    found = sections(data_set)
    reads_orders = found.groupby("chapter")["is_broken"].transform("any")
    assert set(found.loc[reads_orders, "status"]) == {"broken"}
    assert set(found.loc[~reads_orders, "chapter"]) == {"voice"}  # from answers, whatever the orders are


def test_columns_of_few_customers_are_named_without_figures():
    own = people().assign(region=["Kanto"] * 40, shoe_size=[*["x"] * 9, *[None] * 31])
    profile = column_profile(shop(customers=own), min_cell=10).set_index("column")
    assert profile.loc["customers.region", ["fill_share", "distinct", "status"]].tolist() == [1, 1, "known"]
    assert profile.loc["customers.shoe_size", ["fill_share", "distinct"]].isna().all()
    assert profile.loc["customers.shoe_size", "status"] == "extra"
    assert "customers.gender" not in profile.index


def test_a_name_of_a_column_that_may_be_somebodys_is_not_repeated():
    hostile = people().assign(**{"03-1234-5678": 1.0, "<script>alert(1)</script>": "x", "Yamada Taro": "y"})
    names = column_profile(shop(customers=hostile))["column"].tolist()
    assert not [name for name in names if "1234" in name or "script" in name or "Yamada" in name]
    assert {"customers.#1", "customers.#2"} <= set(names)


def test_what_nobody_reads_is_named_by_table():
    orders = lines(["C01"] * 20, quantity=1.0, shelf="a")
    told = unread_columns(column_profile(shop(customers=people(), orders=orders), min_cell=1))
    assert told["names"].tolist() == [["orders.quantity", "orders.shelf"]]
    assert unread_columns(column_profile(shop(customers=people()))).empty


def test_the_lists_of_what_is_read_name_columns_that_there_are():
    for table, columns in UNREAD.items():
        assert set(columns) <= set(TABLES[table].columns)
        assert not {table}.isdisjoint(need.table for needs in CHAPTERS.values() for need in needs)
        assert not any(TABLES[table].columns[name].required for name in columns)
    assert all(TABLES[table].column(name) is None for table, names in READ_BESIDES.items() for name in names)


def test_customers_are_followed_from_table_to_table():
    """40 customers; 30 order, 20 of them answer; two lines are a guest's and two of somebody unknown."""
    ids = people()["customer_id"].tolist()
    orders = lines([*ids[:30], None, None, "C98", "C99"])
    answers = pd.DataFrame({"response_id": [f"R{number}" for number in range(25)], "customer_id": ids[10:35]})
    answers = answers.assign(answered_at="2026-03-01 10:00:00", survey="relationship", nps_score=9)
    found = joined_customers(shop(customers=people(), orders=orders, responses=answers), min_cell=5)
    found = found.set_index("table")
    assert found["customers"].to_dict() == {"customers": 40, "orders": 30, "responses": 25}
    assert found["kept"].to_dict() == {"customers": 40, "orders": 30, "responses": 20}
    assert found.loc["orders", ["named_share", "estimate"]].tolist() == pytest.approx([32 / 34, 30 / 32])
    assert found.loc["responses", "reach_share"] == pytest.approx(25 / 40)
    assert lowest_join(found.reset_index())["table"].tolist() == ["orders"]


def test_who_is_yet_to_come_to_an_initiative_of_later_is_no_unknown_customer():
    ids = [*people()["customer_id"], "C98"]
    studies = {"initiative_id": ["I1", "I2"], "name": "a", "one_time_cost": 0.0, "monthly_cost": 0.0}
    studies = pd.DataFrame(studies).assign(started_on=["2026-02-01", "2027-01-01"], assignment="everyone")
    enrolled = pd.DataFrame({"initiative_id": "I1", "customer_id": ids[:40]})
    enrolled = pd.concat([enrolled, enrolled.assign(initiative_id="I2", customer_id=ids[1:])])
    data_set = shop(customers=people(), initiatives=studies, enrolments=enrolled)
    found = joined_customers(data_set, min_cell=5).set_index("table")
    assert found.loc["enrolments", ["n_rows", "estimate"]].tolist() == [40, 1.0]


def test_a_step_that_loses_few_customers_is_not_told():
    ids = people()["customer_id"].tolist()
    found = joined_customers(shop(customers=people(), orders=lines(ids[:37])), min_cell=5)
    assert found["kept"].isna().tolist() == [False, True]


def test_one_more_column_is_told_with_what_it_alone_would_bring():
    data_set = shop(customers=people(), orders=lines(people()["customer_id"].tolist()))
    more = one_more(sections(data_set), lang="en").set_index("adds")
    assert more.loc["orders.margin", "n_sections"] == 1  # chapters on initiatives lack their table
    assert more.loc["orders.category", "brought"] == "Segmentation: preferences by category"
    assert more.loc["responses.nps_score", "n_sections"] == 4  # NPS with what it needs, and an action
    assert more["n_sections"].is_monotonic_decreasing
    assert one_more(sections(data_set), lang="ja")["brought"].str.contains("好み").any()
    ready = chapters_ready(sections(data_set)).iloc[0]
    assert ready["claim"] == "none_of" and "nps_drivers" in ready["chapter"]


def test_every_section_has_its_word():
    keys = {need.key for needs in CHAPTERS.values() for need in needs}
    assert [key for key in keys if not has_text(f"value.section.{key}")] == []
