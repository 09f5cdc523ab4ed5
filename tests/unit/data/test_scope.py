"""One scope per report: which days, which customers, and what is refused before anything is computed."""

from datetime import date

import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import NotEnoughData, ParameterError, check_min_cell
from cxlib.data.attributes import having, parse_where
from cxlib.data.scope import Scope
from cxlib.report.report import Report
from cxlib.report.shared_report import SharedReport


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Twelve customers: "a" bought once in 2025, and every month from April 2026 on."""
    folder = tmp_path_factory.mktemp("shop")
    settings = "{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-09-30, is_sample: true}"
    (folder / "dataset.yml").write_text(settings)
    ids = list("abcdefghijkl")
    people = pd.DataFrame({"customer_id": ids, "first_seen_on": "2025-01-01", "customer_type": "consumer"})
    people = people.assign(
        region=["Kanto"] * 6 + ["Kansai"] * 5 + ["Oki"], birth_year=[1980.0] * 5 + [None] * 7
    )
    people.to_csv(folder / "customers.csv", index=False)
    rows = [(who, f"2025-{month:02}-10T10:00:00+09:00") for who in ids for month in range(1, 12)]
    rows = [row for row in rows if row[0] != "a" or row[1] < "2025-02"]
    rows += [("a", f"2026-{month:02}-02T10:00:00+09:00") for month in range(4, 10)]
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_at"]).assign(line=1, amount=10.0)
    orders["order_id"] = [f"o{row}" for row in range(len(orders))]
    orders.to_csv(folder / "orders.csv", index=False)
    return cx.open_data(folder)


def scope_of(shop, **asked):
    return shop.scope(segments=cx.SegmentsByDay(shop), min_cell=5, **asked)


def test_segments_are_of_the_last_day_before_the_period_or_of_the_last_day(shop):
    assert scope_of(shop).segment_day == scope_of(shop).last_day == date(2026, 9, 30)
    assert scope_of(shop, period_end="2026-06-30").segment_day == date(2026, 6, 30)
    before = scope_of(shop, period_start="2026-04-01", period_end="2026-06-30")
    assert (before.segment_day, before.last_day) == (date(2026, 3, 31), date(2026, 6, 30))
    then = before.customers.set_index("customer_id")["segment"]
    now = scope_of(shop).customers.set_index("customer_id")["segment"]
    assert then["a"] != now["a"]
    kept = scope_of(shop, segment=now["a"], period_start="2026-04-01").customers
    assert "a" not in kept["customer_id"].tolist() and set(kept["segment"]) <= {now["a"]}


def test_an_earlier_day_looks_at_nothing_later_and_a_later_one_changes_nothing(shop):
    scope = scope_of(shop, period_start="2026-04-01")
    pd.testing.assert_frame_equal(scope.customers_on("2026-08-01"), scope.customers)
    early = scope.customers_on("2025-01-31").set_index("customer_id")["segment"]
    assert early["a"] == early["b"]


def test_a_period_ends_with_the_data(shop):
    assert scope_of(shop, period_end="2030-01-01").last_day == date(2026, 9, 30)


def test_rows_are_those_of_the_period_and_history_goes_up_to_its_end(shop):
    scope = scope_of(shop, period_start="2026-05-01", period_end="2026-06-30", where="region=Kanto")
    assert scope.rows("orders")["customer_id"].tolist() == ["a", "a"]
    history = scope.rows("orders", with_history=True)
    assert set(history["customer_id"]) == set("abcdef") and history["ordered_at"].dt.month.max() == 11
    assert len(history[history["customer_id"] == "a"]) == 1 + 3


def test_what_the_first_day_does_not_bound_is_said_only_where_there_is_one(shop):
    assert scope_of(shop, period_end="2026-06-30").windows_note("sales.own_windows") == []
    [row] = scope_of(shop, period_start="2026-05-01").windows_note("sales.own_windows")
    assert (row["note"], row["first"], row["last"]) == (
        "sales.own_windows",
        date(2026, 5, 1),
        date(2026, 9, 30),
    )


def test_rows_of_nobody_known_are_kept_for_totals_only_while_everybody_counts(shop):
    people = shop.table("customers")

    class Guests:
        as_of, timezone = shop.as_of, shop.timezone
        has = staticmethod(lambda table, column=None: table in ("customers", "deals"))
        table = staticmethod(lambda name, start=None, end=None: people if name == "customers" else deals)

    deals = pd.DataFrame({"customer_id": ["a", "l", "zz"]})
    scope = Scope(Guests(), None, None, "region", None, {}, 5, 0.95, None)
    assert len(scope.rows("deals")) == 2 and len(scope.rows("deals", keep_unknown=True)) == 3
    narrowed = Scope(Guests(), None, None, "region", None, {"region": "Kanto"}, 5, 0.95, None)
    assert narrowed.rows("deals", keep_unknown=True)["region"].tolist() == ["Kanto"]


def test_an_as_of_of_the_scope_cuts_the_data(shop):
    scope = scope_of(shop, as_of="2026-05-31")
    assert scope.last_day == date(2026, 5, 31)
    assert scope.rows("orders")["ordered_at"].max() < pd.Timestamp("2026-06-01", tz="Asia/Tokyo")
    with pytest.raises(ParameterError, match="after the extraction"):
        scope_of(shop, as_of="2026-12-31")


def test_a_made_group_can_split_every_report(shop):
    assert set(scope_of(shop, by="cohort").customers["cohort"]) == {"2025-1"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"where": "region=Knato"}, "no customer has it, or fewer than 5 .* with enough customers: Kanto"),
        ({"where": "region=Oki"}, "no customer has it, or fewer than 5 .* enough customers: Kansai, Kanto"),
        ({"where": "industry=retail"}, "`industry`, which is recorded for no customer"),
        ({"where": "segment=Champions"}, "`segment` is made of orders"),
        ({"where": "regoin=Kanto"}, "Did you mean: region"),
        ({"where": "customer_id=a"}, "not an attribute"),
        ({"where": "Kanto"}, "such as `region=Kanto, gender=female`"),
        ({"where": "region=Kanto,region=Oki"}, "each once"),
        ({"by": "regoin"}, "Did you mean: region"),
        ({"segment": "Champion"}, "Champions, Loyal"),
        ({"period_start": "2026-04-02", "period_end": "2026-04-01"}, "2026-04-01"),
    ],
)
def test_what_no_customer_has_is_refused(shop, asked, said):
    with pytest.raises(ParameterError, match=said) as caught:
        scope_of(shop, **asked)
    assert caught.value.in_language("ja") != str(caught.value)


def test_nobody_is_in_a_segment_before_the_first_order(shop):
    with pytest.raises(NotEnoughData, match="2024-12-31"):
        scope_of(shop, segment="Champions", period_start="2025-01-01").customers  # noqa: B018


def test_a_segment_needs_segments(shop):
    with pytest.raises(ParameterError, match="made from orders"):
        shop.scope(segment="Champions")


def test_where_reads_numbers_and_small_letters_as_people_write_them(shop):
    assert len(scope_of(shop, where="region=kanto, birth_year=1980").customers) == 5
    assert parse_where("region=Kanto, Tokyo,gender=x") == {"region": "Kanto, Tokyo", "gender": "x"}
    assert parse_where({"region": "Kanto"}) == {"region": "Kanto"}
    unknown = pd.DataFrame({"region": ["x"] * 5 + [None]})
    assert having(unknown, {"region": "x"}, min_cell=5).tolist() == [True] * 5 + [False]


@pytest.mark.parametrize("min_cell", [4, 0, -10, 7.5, "10", True, None])
def test_a_cell_that_hides_nobody_is_refused_wherever_it_is_given(shop, min_cell):
    for given in (
        lambda: shop.scope(min_cell=min_cell),
        lambda: Report("any", shop, min_cell=min_cell),
        lambda: SharedReport("any", shop, min_cell=min_cell),
    ):
        with pytest.raises(ParameterError, match="whole number from 5"):
            given()


def test_five_is_enough_whatever_kind_of_whole_number():
    assert check_min_cell(pd.Series([5]).iloc[0]) == 5


def test_the_data_set_says_what_is_an_attribute_of_a_customer(shop):
    assert {"region", "birth_year", "gender", "first_seen_on"} <= shop.attributes
    assert not {"customer_id", "amount", "ordered_at"} & shop.attributes


def test_extra_columns_are_attributes_whatever_the_handbook_calls_so(tmp_path):
    (tmp_path / "dataset.yml").write_text("{name: X, currency: JPY, timezone: UTC, extracted_at: 2026-09-30}")
    rows = "customer_id,first_seen_on,customer_type,level,stage\n1,2025-01-01,consumer,gold,x\n"
    (tmp_path / "customers.csv").write_text(rows)
    assert {"level", "stage"} <= cx.open_data(tmp_path).attributes


def test_two_attributes_that_few_have_together_are_not_said_to_be_rare_by_themselves():
    people = pd.DataFrame({"region": ["x"] * 8 + ["y"] * 8, "kind": (["a"] * 6 + ["b"] * 2) * 2})
    people = people.assign(is_test=pd.array([False] * 16, dtype="boolean"))
    assert having(people, {"region": "x", "kind": "a"}, min_cell=5).sum() == 6
    with pytest.raises(ParameterError, match=r"region=x, kind=a: fewer than 7 .* each by itself has enough"):
        having(people, {"region": "x", "kind": "a"}, min_cell=7)
    with pytest.raises(ParameterError, match="enough customers: false"):
        having(people, {"is_test": "yes"}, min_cell=5)
