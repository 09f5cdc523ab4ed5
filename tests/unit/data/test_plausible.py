"""Plausible rows that are wrong as a whole are said, and do not become figures."""

import numpy as np
import pandas as pd
import pytest

from cxlib.data.tables.data_set import open_data
from cxlib.data.tables.plausible import of_one_for_many, prices_for_amounts

SHOP = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01T00:00"}


def orders(customers, last="2026-09-30", **columns):
    """One order of one line a day for each customer of a list, up to a day."""
    days = pd.date_range(end=last, periods=len(customers)).strftime("%Y-%m-%d")
    ids = [f"o{n}" for n in range(len(customers))]
    held = {"order_id": ids, "line": 1, "customer_id": customers, "ordered_at": days, "amount": 100.0}
    return pd.DataFrame(held | columns)


def opened(as_of=None, settings=(), **tables):
    return open_data(tables, as_of, **SHOP | dict(settings))


def keys(data_set):
    for name in data_set.tables:
        data_set.load(name)
    return [notice.key for notice in data_set.notices]


def test_an_id_per_order_makes_guests_unless_customers_buy_once():
    once = orders([f"c{n}" for n in range(60)])
    shop = opened(orders=once)
    assert keys(shop) == ["tables.id_per_order"]
    assert shop.table("orders")["customer_id"].isna().all()
    assert "60 orders belong to 60 customers" in shop.notices[0].text()
    weddings = opened(orders=once, settings={"one_order_per_customer": True})
    assert keys(weddings) == []
    assert weddings.table("orders")["customer_id"].notna().all()
    assert keys(opened(orders=orders([f"c{n // 2}" for n in range(60)]))) == []
    assert keys(opened(orders=orders([f"c{n}" for n in range(49)]))) == []


def test_one_id_for_all_guests_is_named_and_words_for_nobody_are_guests():
    many = orders(["0"] * 30 + [f"c{n // 2}" for n in range(60)])
    assert keys(opened(orders=many)) == ["tables.one_for_many"]
    shop = opened(orders=orders(["guest"] * 30 + [f"c{n // 2}" for n in range(60)]))
    assert shop.table("orders")["customer_id"].isna().sum() == 30
    even = pd.Series([f"c{n // 10}" for n in range(100)])
    assert not of_one_for_many(even).any()
    assert not of_one_for_many(pd.Series(["a"] * 100)).any()


@pytest.mark.parametrize("product", [["tea", "pot"] * 10, [None] * 20])
def test_a_price_in_place_of_an_amount_is_told_from_a_product_of_both(product):
    quantity = np.arange(20) // 2 % 4 + 1.0
    lines = pd.DataFrame({"product": product, "quantity": quantity, "amount": [910.0, 2370.0] * 10})
    assert prices_for_amounts(lines).sum() == (quantity > 1).sum()
    assert not prices_for_amounts(lines.assign(amount=lines["amount"] * quantity)).any()
    assert not prices_for_amounts(lines.assign(quantity=1.0)).any()
    assert not prices_for_amounts(lines.assign(quantity=np.nan)).any()


def test_customers_are_seen_from_their_first_order_on():
    people = pd.DataFrame({"customer_id": ["a", "b", "c"], "first_seen_on": "2026-09-20"})
    shop = opened(
        "2026-09-12", customers=people.assign(customer_type="consumer"), orders=orders(["a", "b"] * 10)
    )
    assert keys(shop) == ["tables.seen_after_order"]
    assert shop.notices[0].count == 2
    seen = shop.table("customers")  # c, whom nobody had seen on the day, is not among them
    assert seen["first_seen_on"].dt.day.to_list() == [11, 12]


def test_reports_end_with_the_data_that_fell_silent():
    old = orders(["a", "b"] * 20, last="2026-05-31")
    shop = opened(orders=old)
    assert keys(shop) == ["tables.stale"]
    assert (str(shop.as_of), shop.silent_days) == ("2026-05-31", 122)
    asked = opened("2026-09-30", orders=old)
    assert (str(asked.as_of), asked.silent_days) == ("2026-09-30", 0)
    answers = pd.DataFrame({"response_id": ["r"], "answered_at": ["2026-09-20"], "survey": "relationship"})
    assert opened(orders=old, responses=answers).silent_days == 0


def test_orders_that_end_weeks_before_the_events_are_told(tmp_path):
    days = pd.date_range("2026-01-01", "2026-09-30")
    events = pd.DataFrame({"event_id": range(len(days)), "customer_id": "a", "occurred_at": days})
    events = events.assign(touchpoint="shop")
    old = orders(["a", "b"] * 60, last="2026-09-12")
    shop = opened(orders=old, events=events)
    assert keys(shop) == ["tables.stale"] and "18 days" in shop.notices[0].text()
    assert str(shop.as_of) == "2026-09-30", "the other tables go on"
    fresh = orders(["a", "b"] * 60, last="2026-09-22")
    assert keys(opened(orders=fresh, events=events)) == []
    closed = old[old["ordered_at"].str[:7] != "2026-08"]  # a month of pause is longer than these 18 days
    assert keys(opened(orders=closed, events=events)) == []
    answers = pd.DataFrame({"response_id": range(30), "answered_at": days[:30] + pd.Timedelta(days=220)})
    answers = answers.assign(survey="relationship", nps_score=9)  # one wave, over for weeks
    assert keys(opened(events=events, responses=answers)) == []


def test_a_silent_parquet_file_ends_where_a_table_of_text_does(tmp_path):
    (tmp_path / "dataset.yml").write_text("{name: S, currency: JPY, timezone: UTC, extracted_at: 2026-10-01}")
    for last, silent in (("2026-05-31", 123), ("2026-09-05", 0)):
        old = orders(["a", "b"] * 20, last=last)
        old.assign(ordered_at=pd.to_datetime(old["ordered_at"])).to_parquet(tmp_path / "orders.parquet")
        shop = open_data(tmp_path)
        shop.table("orders")
        assert shop.silent_days == silent


def test_answers_given_again_are_left_out_and_those_that_differ_are_noticed():
    at = ["2026-09-01 10:00:01"] * 3 + ["2026-09-02"] * 2
    held = {"response_id": list("12345"), "customer_id": "a", "answered_at": at, "survey": "relationship"}
    held |= {"wave": ["aug", "sep", "sep", "aug", "sep"], "nps_score": [9, 9, 8, 7, 7]}
    shop = opened(responses=pd.DataFrame(held))
    told = [(notice.key, notice.count) for notice in shop.load("responses")]
    assert told == [("tables.answered_alike", 1), ("tables.answered_twice", 1)]
    assert shop.table("responses")["response_id"].to_list() == ["1", "3", "4", "5"]
    anonymous = pd.DataFrame(held).assign(customer_id=None)
    assert opened(responses=anonymous).load("responses") == []


def test_customers_whom_no_table_lists_are_those_that_are_named():
    shop = opened(orders=orders(["b", "a", None, "b"]))
    assert shop.table("customers")["customer_id"].to_list() == ["a", "b"]
    assert not shop.has("customers")
    assert shop.scope().customers["first_seen_on"].dt.day.to_list() == [28, 27]
    anonymous = {"response_id": ["r"], "answered_at": ["2026-09-20"], "survey": "relationship"}
    assert opened(responses=pd.DataFrame(anonymous)).scope().customers.empty


def test_an_attribute_that_never_varies_is_noticed():
    people = pd.DataFrame({"customer_id": [f"c{n}" for n in range(20)], "first_seen_on": "2026-01-01"})
    shop = opened(customers=people.assign(customer_type="consumer", region="Kanto", shop=["a", "b"] * 10))
    assert [(notice.key, notice.column) for notice in shop.load("customers")] == [
        ("tables.one_value", "region")
    ]


def test_the_currency_is_the_same_in_small_letters():
    own = orders(["a", "b"], currency=["jpy", "JPY"])
    assert keys(opened(orders=own)) == []
    assert opened(orders=own.assign(currency=["jpy", "usd"])).load("orders")[0].count == 1


def test_years_of_birth_that_nobody_has_and_those_of_a_form_are_named():
    born = [*range(1950, 2000), 1900, 2030, 62] + [1980] * 40
    people = pd.DataFrame({"customer_id": [f"c{n}" for n in range(len(born))], "birth_year": born})
    shop = opened(customers=people.assign(customer_type="consumer", first_seen_on="2026-01-01"))
    told = {notice.key: notice for notice in shop.load("customers")}
    assert {key: notice.count for key, notice in told.items()} == {
        "tables.birth_year_odd": 3,
        "tables.birth_year_alike": 41,
    }
    assert "outside 1916 to 2026" in told["tables.birth_year_odd"].text("en")
    assert "1916～2026年の範囲外" in told["tables.birth_year_odd"].text("ja")
    assert shop.table("customers")["birth_year"].to_list() == born, "kept"


def test_years_of_birth_of_a_class_of_students_are_not_doubted():
    people = pd.DataFrame({"customer_id": [f"c{n}" for n in range(200)], "birth_year": [2004, 2005] * 100})
    shop = opened(customers=people.assign(customer_type="consumer", first_seen_on="2026-01-01"))
    assert shop.load("customers") == []
    unknown = people.assign(customer_type="consumer", first_seen_on="2026-01-01", birth_year=None)
    assert opened(customers=unknown).load("customers") == []


@pytest.mark.parametrize(
    ("margin", "count"),
    [([30.0] * 60, 0), ([None] * 60, 0), ([30.0] * 59 + [None], 1), ([30.0] * 20 + [None] * 40, 40)],
)
def test_a_margin_known_for_a_part_of_the_lines_is_named(margin, count):
    held = orders([f"c{n // 2}" for n in range(60)], margin=margin)
    told = [(notice.key, notice.count) for notice in opened(orders=held).load("orders")]
    assert told == ([("tables.margin_in_part", count)] if count else [])
    free = held.assign(amount=np.where(pd.isna(held["margin"]), 0.0, 100.0))
    assert "tables.margin_in_part" not in keys(opened(orders=free)), "what costs nothing needs none"


def test_what_is_said_of_rows_is_said_by_the_import_too(bring):
    rows = [
        f"{n},c{n},2026-09-0{n % 9 + 1},100,{'' if n % 3 else 30},{1900 if n < 2 else 1950 + n}"
        for n in range(30)
    ]
    head = "order,customer,at,amount,margin,born"
    columns = {"order_id": {"from": "order"}, "line": {"const": 1}, "customer_id": {"from": "customer"}}
    columns |= {"ordered_at": {"from": "at"}, "amount": {"from": "amount"}, "margin": {"from": "margin"}}
    people = {"customer_id": {"from": "customer"}, "first_seen_on": {"from": "at"}}
    people |= {"customer_type": {"const": "consumer"}, "birth_year": {"from": "born"}}
    shop = bring(
        {"o.csv": "\n".join([head, *rows]) + "\n"},
        orders={"file": "o.csv", "columns": columns},
        customers={"file": "o.csv", "columns": people},
    )
    expected = {"tables.margin_in_part": 20, "tables.birth_year_odd": 2}
    said = {notice.key: notice.count for notice in bring.summary.attrs["notices"]}
    assert expected.items() <= said.items()
    _ = keys(shop)
    assert expected.items() <= {notice.key: notice.count for notice in shop.notices}.items()
