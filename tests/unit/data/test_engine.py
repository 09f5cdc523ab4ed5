"""The order reduction gives the same frame on every engine, whatever they quietly differ in."""

from __future__ import annotations

import decimal
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.customers.decile_groups import deciles
from cxlib.customers.rfm_segments import rfm, rfm_cuts, summarise_customers
from cxlib.data.days import to_date
from cxlib.data.engine.adjacent_lines import sum_runs
from cxlib.data.engine.order_lines import OrderLines
from cxlib.data.engine.order_totals import count_lines, count_orders, reduce_on_days, reduce_orders
from cxlib.data.purchases import purchase_lines

pl = pytest.importorskip("polars")
duckdb = pytest.importorskip("duckdb")

AS_OF = "2026-06-30"


def order_lines(n=4000, seed=3) -> pd.DataFrame:
    """Awkward lines: guests, missing amounts, refunds with and without an order of their own, month ends."""
    rng = np.random.default_rng(seed)
    order = rng.integers(0, n // 2, n)
    frame = pd.DataFrame(
        {
            "order_id": [f"{value:05d}" for value in order],
            "customer_id": [f"{value % 400:04d}" for value in order],
            "ordered_at": pd.Timestamp("2026-01-01T14:30", tz="UTC")
            + pd.to_timedelta(order * 97, unit="min"),
            "amount": np.round(rng.lognormal(3, 1, n), 2),
            "brand": rng.choice(["A", "B", "C"], n),
        }
    )
    frame["ordered_at"] = frame["ordered_at"].dt.as_unit("us")  # Ibis reads no nanoseconds with a zone
    frame.loc[frame.index % 11 == 0, "amount"] *= -1
    frame.loc[frame.index % 13 == 0, "amount"] = np.nan
    frame.loc[order % 17 == 0, "customer_id"] = None
    frame.loc[order % 19 == 0, "order_id"] = None
    frame.loc[frame.index % 7 == 0, "brand"] = None
    return frame


def duckdb_abroad():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'America/New_York'")
    return connection


OPENERS = {
    "polars": lambda path, spark: pl.read_parquet(path),
    "polars lazy": lambda path, spark: pl.scan_parquet(path),
    "duckdb frame": lambda path, spark: duckdb_abroad().from_df(pd.read_parquet(path)),
    "duckdb": lambda path, spark: duckdb_abroad().read_parquet(path),
    "arrow": lambda path, spark: pyarrow.parquet.read_table(path),
    "path": lambda path, spark: Path(path),
    "ibis": lambda path, spark: pytest.importorskip("ibis").duckdb.connect().read_parquet(path),
    "ibis on polars": lambda path, spark: pytest.importorskip("ibis").polars.connect().read_parquet(path),
    "pyspark": lambda path, spark: spark().read.parquet(path),
}


def summed_once(orders, timezone="Asia/Tokyo"):
    """What `OrderLines` gives after one pass, for days, parts of the period and further keys."""
    held = OrderLines(orders, timezone=timezone)
    part = held.between("2026-02-10", "2026-05-20")
    return {
        **{f"until {day}": reduce_orders(held, as_of=day) for day in (AS_OF, "2026-02-28")},
        "part": reduce_orders(part, as_of=AS_OF),
        "brands of a part": reduce_orders(part, as_of="2026-04-30", by=["brand"]),
        "kinds of a part": count_orders(part, as_of=AS_OF).to_frame(),
        "days of a part": reduce_on_days(part, days=[AS_OF, "2026-03-15"]),
    }


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC+05:30", "UTC"])
def test_lines_summed_once_give_what_each_sum_gives(zone):
    lines = order_lines()
    lines["amount"] += (np.arange(len(lines)) % 23 == 0) * 9e9
    day = lines["ordered_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    part = lines[day.between("2026-02-10", "2026-05-20")]
    settings = {"timezone": zone}
    expected = {
        **{f"until {day}": reduce_orders(lines, as_of=day, **settings) for day in (AS_OF, "2026-02-28")},
        "part": reduce_orders(part, as_of=AS_OF, **settings),
        "brands of a part": reduce_orders(part, as_of="2026-04-30", by=["brand"], **settings),
        "kinds of a part": count_orders(part, as_of=AS_OF, **settings).to_frame(),
    }
    for given in (lines, duckdb_abroad().from_df(lines)):
        found = summed_once(given, zone)
        for name, frame in expected.items():
            pd.testing.assert_frame_equal(found[name], frame, check_exact=True, obj=name)
        days = found["days of a part"]
        late = days[days["as_of"] == AS_OF].drop(columns="as_of").reset_index(drop=True)
        pd.testing.assert_frame_equal(late, expected["part"], check_exact=True)


def test_sums_outlive_the_rows_which_are_asked_for_again_where_they_are_needed():
    lines, asked = order_lines(), []

    def rows():
        asked.append(1)
        return lines

    held, own = OrderLines(rows, timezone="Asia/Tokyo"), OrderLines(lines, timezone="Asia/Tokyo")
    for day in (AS_OF, "2026-03-15"):
        pd.testing.assert_frame_equal(held.until(day), own.until(day))
    pd.testing.assert_frame_equal(
        held.between("2026-02-01").until(AS_OF, by=["brand"]),
        own.between("2026-02-01").until(AS_OF, by=["brand"]),
    )
    assert len(asked) == 2  # once without further keys and once by brand
    held.forget()
    pd.testing.assert_frame_equal(held.until(AS_OF), own.until(AS_OF))
    assert len(asked) == 2
    pd.testing.assert_frame_equal(held.until(AS_OF, by=["brand"]), own.until(AS_OF, by=["brand"]))
    assert len(asked) == 3


@pytest.mark.parametrize("at_once", [100, 1_500, 10_000])
def test_customers_summed_in_turns_are_summed_as_at_once(monkeypatch, at_once):
    lines = order_lines()
    whole = summed_once(lines, "Asia/Tokyo")
    monkeypatch.setattr("cxlib.data.engine.order_lines.AT_ONCE", at_once)
    for name, frame in summed_once(lines, "Asia/Tokyo").items():
        pd.testing.assert_frame_equal(frame, whole[name], check_exact=True, obj=name)
    none = OrderLines(lines.head(0), timezone="Asia/Tokyo").until(AS_OF)
    assert none.empty


def test_sums_too_large_for_half_the_memory_are_held_in_full():
    lines = order_lines()
    lines["amount"] += (np.arange(len(lines)) % 23 == 0) * 9e9
    held = OrderLines(lines, timezone="Asia/Tokyo")
    pd.testing.assert_frame_equal(
        held.until(AS_OF), reduce_orders(lines, as_of=AS_OF, timezone="Asia/Tokyo"), check_exact=True
    )
    kinds = held._kept[()].whole.dtypes.astype(str).to_dict()
    assert (kinds["key"], kinds["coarse"]) == ("int32", "float64")


@pytest.mark.parametrize("through", [lambda frame: frame, lambda frame: duckdb_abroad().from_df(frame)])
def test_orders_on_several_days_are_judged_by_what_was_known_of_them(through):
    lines = order_lines()
    lines["ordered_at"] += pd.to_timedelta((np.arange(len(lines)) % 5) * 29, unit="h")
    held = OrderLines(through(lines), timezone="UTC")
    for day in pd.date_range("2026-01-02", "2026-06-30", periods=9).strftime("%Y-%m-%d"):
        for by in ([], ["brand"]):
            expected = reduce_orders(lines, as_of=day, timezone="UTC", by=by)
            pd.testing.assert_frame_equal(held.until(day, by=by), expected, check_exact=True)
    some = pd.Series(["0001", "0007", "nobody"])
    own = lines[lines["customer_id"].isin(some)]
    found = held.of(some)
    pd.testing.assert_frame_equal(reduce_orders(found, as_of=AS_OF), reduce_orders(own, as_of=AS_OF))
    assert len(found.fetch_rows()) == len(own) and count_orders(found, as_of=AS_OF)["orders"] > 5


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ibis", "ignore::FutureWarning:pyspark")
@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=(pytest.mark.spark, pytest.mark.long) * (name == "pyspark"))
        for name in OPENERS
    ],
)
def test_every_engine_gives_the_identical_numbers_scores_and_deciles(tmp_path, request, engine):
    lines, path = order_lines(), str(tmp_path / "orders.parquet")
    lines.loc[lines.index % 29 == 0, "amount"] = 987_654_321_098.7
    lines.to_parquet(path)
    table = OPENERS[engine](path, lambda: request.getfixturevalue("spark_in")("America/New_York"))

    def results(orders):
        summary = summarise_customers(orders, as_of=AS_OF, timezone="Asia/Tokyo")
        return {
            "brands": reduce_orders(orders, as_of=AS_OF, timezone="Asia/Tokyo", by=["brand"]),
            "days": reduce_on_days(orders, days=[AS_OF, "2026-02-28"], timezone="Asia/Tokyo"),
            "scores": rfm(summary),
            "cuts": rfm_cuts(summary),
            "deciles": deciles(summary),
            "lines": count_lines(orders).to_frame(),
            "orders": count_orders(orders, as_of=AS_OF, timezone="Asia/Tokyo").to_frame(),
            **summed_once(orders),
        }

    expected = results(lines)
    assert len(expected["scores"]) > 300
    for name, found in results(table).items():
        pd.testing.assert_frame_equal(found, expected[name], check_exact=True, obj=name)


@pytest.mark.parametrize("many", [0, 10**9])
def test_the_reduction_equals_a_plain_loop(monkeypatch, many):
    monkeypatch.setattr("cxlib.data.engine.lazy_lines.MANY_LINES", many)
    lines = order_lines(600)
    result = reduce_orders(lines, as_of=AS_OF, timezone="Asia/Tokyo").set_index("customer_id")
    local = lines.assign(day=lines["ordered_at"].dt.tz_convert("Asia/Tokyo").dt.date)
    for customer, rows in local.dropna(subset="customer_id").groupby("customer_id"):
        paid = rows["amount"].isna() | (rows["amount"] > 0)
        kept = {
            None if pd.isna(order) else order
            for order, lines in rows.assign(paid=paid).groupby("order_id", dropna=False)
            if round(lines["amount"].sum(), 6) > 0
            or (round(lines["amount"].sum(), 6) == 0 and lines["amount"].isna().any())
        }
        stands = np.array([order in kept or (pd.isna(order) and None in kept) for order in rows["order_id"]])
        sales = rows[paid & stands]
        assert result.loc[customer, "frequency"] == len(kept)
        assert result.loc[customer, "amount"] == pytest.approx(rows["amount"].sum(), abs=1e-9)
        if len(sales):
            assert result.loc[customer, "last_order_on"].date() == sales["day"].max()
        else:
            assert pd.isna(result.loc[customer, "last_order_on"])


@pytest.mark.parametrize("many", [0, 10**9])
@pytest.mark.parametrize("typed", ["text", "whole numbers", "days"])
def test_one_pass_over_several_days_equals_one_for_each(monkeypatch, typed, many):
    monkeypatch.setattr("cxlib.data.engine.lazy_lines.MANY_LINES", many)
    lines = order_lines().assign(
        order_id=lambda table: table["order_id"].str[:2]
    )  # orders that last for weeks
    lines["amount"] = lines["amount"].where(~(lines["customer_id"] < "0010"), -1.0)
    lines.loc[lines.index % 23 == 0, "ordered_at"] = pd.NaT
    lines = TYPED[typed](lines)
    days = ["2026-05-31", "2025-12-31", "2026-01-01", "2026-02-10", "2026-02-11", "2026-05-31"]
    parts = [
        reduce_orders(lines, as_of=day, timezone=None if typed == "days" else "Asia/Tokyo").assign(
            as_of=pd.Timestamp(day)
        )
        for day in sorted(set(days))
    ]
    assert parts[0].empty and (parts[-1]["frequency"] > 1).any() and parts[-1]["last_order_on"].isna().any()
    expected = pd.concat(parts[1:], ignore_index=True)
    found = reduce_on_days(lines, days=days, timezone=None if typed == "days" else "Asia/Tokyo")
    pd.testing.assert_frame_equal(found, expected[found.columns], check_dtype=False)
    with pytest.raises(InputError, match="finite"):
        reduce_on_days(order_lines().assign(amount=np.inf), days=days)


@pytest.mark.parametrize("many", [0, 10**9])
@pytest.mark.parametrize("orders", [["1"] * 60, [f"{place:02d}" for place in range(60)]])
def test_money_that_floats_would_lose_is_summed_exactly_and_may_cancel(monkeypatch, many, orders):
    monkeypatch.setattr("cxlib.data.engine.lazy_lines.MANY_LINES", many)
    lines = order_lines().iloc[[1] * 60].assign(amount=[987_654_321_098.7, -987_654_321_098.7, 0.1] * 20)
    assert lines["amount"].cumsum().iloc[-1] != pytest.approx(2, abs=1e-6)
    assert reduce_orders(lines.assign(order_id=orders), as_of=AS_OF)["amount"].tolist() == [2.0]


def by_first_column(lines):
    """One of several ways in which the lines of an order stand together."""
    return lines.sort_values(lines.columns[0], kind="stable", ignore_index=True)


ARRANGED = {
    "ids rise": by_first_column,
    "orders come back": lambda lines: pd.concat(
        [by_first_column(lines.iloc[::2]), by_first_column(lines.iloc[1::2])]
    ),
    "ids fall": lambda lines: by_first_column(lines).iloc[::-1],
    "one line each": lambda lines: by_first_column(lines.drop_duplicates("order_id")),
    "shuffled": lambda lines: lines,
}
TYPED = {
    "text": lambda lines: lines,
    "objects": lambda lines: lines.astype({"customer_id": object, "order_id": object, "brand": object}),
    "categories": lambda lines: lines.astype(
        {"customer_id": "category", "order_id": "category", "brand": "category"}
    ),
    "whole numbers": lambda lines: lines.dropna(subset=["customer_id", "order_id"]).astype(
        {"customer_id": "int64", "order_id": "int64"}
    ),
    "days": lambda lines: lines.assign(ordered_at=lines["ordered_at"].dt.date),
    "whole amounts": lambda lines: lines.assign(amount=lines["amount"].round().astype("Int64")),
    "decimals": lambda lines: lines.assign(
        amount=[None if pd.isna(value) else decimal.Decimal(f"{value:.2f}") for value in lines["amount"]]
    ),
}


@pytest.mark.parametrize("arranged", ARRANGED)
@pytest.mark.parametrize("typed", TYPED)
def test_lines_that_stand_together_are_summed_up_to_the_same_numbers(monkeypatch, arranged, typed):
    lines = TYPED[typed](ARRANGED[arranged](order_lines()))
    found = {}
    for many in (0, 10**9):
        monkeypatch.setattr("cxlib.data.engine.lazy_lines.MANY_LINES", many)
        found[many] = [reduce_orders(lines, as_of="2026-05-31", by=by) for by in ([], ["brand"])]
    for passed, grouped in zip(*found.values(), strict=True):
        pd.testing.assert_frame_equal(passed, grouped, check_exact=True)


@pytest.mark.parametrize(
    ("orders", "runs", "are_orders"),
    [([1, 1, 2, 3], 3, True), ([1, 2, 3, 4], 4, True), ([1, 1, 2, 1], 3, False), ([2, 2, 1, 1], 2, False)],
)
def test_rows_are_whole_orders_only_where_ids_rise(orders, runs, are_orders):
    lines = pa.table({"c": ["a"] * 4, "o": orders, "at": [date(2026, 1, 1)] * 4, "x": [1.0, 2.0, 4.0, -8.0]})
    found = sum_runs(lines, keys=["c", "o"], time_col="at", amount_col="x", before=date(2026, 1, 2))
    assert (len(found.table), found.are_orders) == (runs, are_orders)
    coarse, fine = (sum(found.table[part].to_pylist()) for part in ("coarse", "fine"))
    assert coarse * 2**20 + fine == -1_000_000


@pytest.mark.parametrize(("orders", "named"), [("xxyy", [0, 0, 1]), ("yyxx", ["y", "y", "x"])])
def test_orders_that_stand_together_are_numbered_where_other_keys_part_them(orders, named):
    lines = {"c": ["a"] * 4, "o": list(orders), "b": list("ABAA"), "at": [date(2026, 1, 1)] * 4}
    settings = {"keys": ["c", "o", "b"], "time_col": "at", "amount_col": "x", "before": date(2026, 1, 2)}
    found = sum_runs(pa.table(lines | {"x": [1.0, 2.0, 4.0, 8.0]}), **settings)
    assert found.table["o"].to_pylist() == named and not found.are_orders
    assert found.table["b"].to_pylist() == list("ABA")


def test_an_order_of_two_customers_is_one_order_of_each():
    lines = pa.table({"c": ["a", "b"] * 2, "o": [1, 1, 2, 2], "at": [date(2026, 1, 1)] * 4, "x": [1.0] * 4})
    assert sum_runs(lines, keys=["c", "o"], time_col="at", amount_col="x", before=date(2026, 1, 2)) is None


def test_row_order_extra_columns_and_input_do_not_matter():
    lines = order_lines(500)
    before = lines.copy()
    shuffled = lines.assign(extra=1).sample(frac=1, random_state=1).rename(columns={"amount": "金額(円)"})
    pd.testing.assert_frame_equal(
        reduce_orders(lines, as_of=AS_OF), reduce_orders(shuffled, as_of=AS_OF, amount_col="金額(円)")
    )
    pd.testing.assert_frame_equal(lines, before)


def test_the_last_day_is_counted_whole_in_the_timezone_of_the_data_set():
    lines = pd.DataFrame(
        {
            "customer_id": "a",
            "order_id": ["1", "2"],
            "amount": 1.0,
            "ordered_at": pd.to_datetime(["2026-06-30T14:59:59", "2026-06-30T15:00:00"], utc=True),
        }
    )
    counted = reduce_orders(lines, as_of=AS_OF, timezone="Asia/Tokyo")
    assert counted["frequency"].tolist() == [1]
    assert counted["last_order_on"].tolist() == [pd.Timestamp("2026-06-30")]
    assert reduce_orders(lines, as_of=AS_OF, timezone="UTC")["frequency"].tolist() == [2]


def test_dates_naive_times_and_whole_number_ids_are_taken():
    lines = pd.DataFrame(
        {
            "customer_id": [7, 7],
            "order_id": [1, 2],
            "amount": [1, 2],
            "ordered_at": ["2026-01-31", "2026-02-28"],
        }
    ).assign(ordered_at=lambda table: pd.to_datetime(table["ordered_at"]))
    for table in (lines, pl.from_pandas(lines).with_columns(pl.col("ordered_at").cast(pl.Date))):
        result = reduce_orders(table, as_of=date(2026, 2, 28))
        assert result[["customer_id", "frequency", "amount"]].to_numpy().tolist() == [["7", 2, 3.0]]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("many", [0, 10**9])
def test_times_of_any_unit_fall_on_the_same_day(tmp_path, monkeypatch, unit, zone, many):
    monkeypatch.setattr("cxlib.data.engine.lazy_lines.MANY_LINES", many)
    at = pd.to_datetime(["2026-01-31 20:00:00"]).tz_localize(zone).as_unit(unit)
    lines = pd.DataFrame({"customer_id": "a", "order_id": "1", "amount": 1, "ordered_at": at})
    path = tmp_path / "orders.parquet"
    lines.to_parquet(path)
    timezone = "Asia/Tokyo" if zone else None
    expected = pd.Timestamp("2026-02-01" if zone == "UTC" else "2026-01-31")
    lent = pd.read_parquet(path, dtype_backend="pyarrow")
    for table in (lines, lent, path, duckdb_abroad().read_parquet(str(path)), pl.read_parquet(path)):
        last = reduce_orders(table, as_of="2026-03-01", timezone=timezone)["last_order_on"]
        assert last.tolist() == [expected]


@pytest.mark.parametrize("many", [0, 10**9])
def test_dates_ids_of_mixed_type_and_categories_are_taken_from_pandas(monkeypatch, many):
    monkeypatch.setattr("cxlib.data.engine.lazy_lines.MANY_LINES", many)
    lines = pd.DataFrame(
        {
            "customer_id": pd.Series([1, "a", None], dtype=object),
            "order_id": pd.Categorical(["1", "2", "3"]),
            "amount": [decimal.Decimal("1.10"), decimal.Decimal("2.20"), None],
            "ordered_at": [date(2026, 1, 1), date(2026, 1, 5), None],
        }
    )
    result = reduce_orders(lines, as_of="2026-01-31")
    assert result[["customer_id", "frequency", "amount"]].to_numpy().tolist() == [
        ["1", 1, 1.1],
        ["a", 1, 2.2],
    ]
    assert count_lines(lines)["guest_lines"] == 1


def test_a_path_without_a_file_is_named_but_not_its_folder(tmp_path):
    with pytest.raises(InputError, match=r"orders\.parquet") as raised:
        reduce_orders(tmp_path / "orders.parquet", as_of=AS_OF)
    assert str(tmp_path) not in str(raised.value)


def test_a_million_small_sums_are_exact():
    lines = pd.DataFrame(
        {
            "customer_id": "a",
            "order_id": "1",
            "amount": np.full(100_001, 0.1),
            "ordered_at": pd.Timestamp(AS_OF),
        }
    )
    assert reduce_orders(lines, as_of=AS_OF)["amount"].tolist() == [10000.1]


@pytest.mark.parametrize("many", [0, 10**9])
@pytest.mark.parametrize("through", [lambda frame: frame, lambda frame: duckdb_abroad().from_df(frame)])
def test_a_column_of_objects_that_holds_nothing_is_one_of_missing_values(monkeypatch, through, many):
    monkeypatch.setattr("cxlib.data.engine.lazy_lines.MANY_LINES", many)
    lines = order_lines(60).dropna(subset=["customer_id"])
    nothing = pd.Series(None, lines.index, dtype=object)
    for column in ("order_id", "brand", "amount"):
        empty = through(lines.assign(**{column: nothing}))
        known = lines.assign(**{column: nothing.astype(lines[column].dtype)})
        found = reduce_orders(empty, as_of=AS_OF, timezone="UTC", by=["brand"])
        expected = reduce_orders(known, as_of=AS_OF, timezone="UTC", by=["brand"])
        pd.testing.assert_frame_equal(found, expected, check_dtype=column != "brand")
    guests = through(lines.assign(customer_id=nothing))
    assert reduce_orders(guests, as_of=AS_OF).empty
    assert count_lines(guests)["guest_lines"] == len(lines)


def test_no_lines_give_no_rows():
    assert reduce_orders(order_lines().iloc[:0], as_of=AS_OF).empty
    assert count_lines(order_lines().iloc[:0])["lines"] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"customer_id": [1.0, np.nan]}, "text or whole numbers"),
        ({"ordered_at": ["2026-01-01", "yesterday"]}, "timestamps or dates"),
        ({"amount": ["12", "many"]}, "must hold numbers"),
    ],
)
def test_a_type_that_cannot_be_read_safely_is_refused(change, words):
    lines = order_lines().iloc[:2].assign(**change)
    with pytest.raises(ParameterError, match=words):
        reduce_orders(lines, as_of=AS_OF)


def test_infinite_money_missing_columns_and_impossible_days_are_refused():
    with pytest.raises(InputError, match="finite"):
        reduce_orders(order_lines().iloc[1:3].assign(amount=[np.inf, 1.0]), as_of=AS_OF)
    with pytest.raises(InputError, match="finite"):
        reduce_orders(order_lines().iloc[1:3].assign(amount=[2e12, 1.0]), as_of=AS_OF)
    many = order_lines().iloc[[1] * 10].assign(amount=1e12)
    with pytest.raises(InputError, match="finite"):
        reduce_orders(many, as_of=AS_OF)
    with pytest.raises(InputError, match="finite"):
        reduce_orders(duckdb_abroad().from_df(many), as_of=AS_OF)
    with pytest.raises(InputError, match="2 order lines"):
        count_lines(order_lines().iloc[1:5].assign(amount=[np.inf, 1.0, -2e12, 3.0]))
    with pytest.raises(ParameterError, match="amount"):
        reduce_orders(order_lines().rename(columns={"amount": "amonut"}), as_of=AS_OF)
    with pytest.raises(ParameterError, match="calendar"):
        to_date("2026-02-30")


def test_a_zone_with_an_underscore_counts_its_own_days():
    lines = order_lines(600)
    shop = lines.assign(ordered_at=lines["ordered_at"].dt.tz_convert("America/New_York"))
    expected = reduce_orders(lines, as_of=AS_OF, timezone="America/New_York")
    pd.testing.assert_frame_equal(reduce_orders(shop, as_of=AS_OF), expected)


def bought(rows, **columns):
    """Lines of customer "a": order, day of January 2026, amount."""
    order, day, amount = zip(*rows, strict=True)
    at = pd.Timestamp("2026-01-01T10:00") + pd.to_timedelta(np.array(day) - 1, unit="D")
    amount = pd.array(amount, dtype="Float64").to_numpy(float, na_value=np.nan)
    return pd.DataFrame(
        {"customer_id": "a", "order_id": order, "ordered_at": at, "amount": amount, **columns}
    )


PURCHASES = {
    "sale": ([("1", 1, 9)], 1, 1),
    "free": ([("1", 1, 0)], 0, None),
    "free beside a sale": ([("1", 1, 9), ("2", 5, 0)], 1, 1),
    "free line of a sale": ([("1", 1, 9), ("1", 5, 0)], 1, 1),
    "refunded in full": ([("1", 1, 9), ("1", 2, -9)], 0, None),
    "refunded in tenths": ([("1", 1, 0.1), ("1", 1, 0.2), ("1", 2, -0.3)], 0, None),
    "refunded in part": ([("1", 1, 9), ("1", 2, -8.99)], 1, 1),
    "refunded later": ([("1", 1, 9), ("1", 40, -9)], 1, 1),
    "refund under its own number": ([("1", 1, 9), ("2", 2, -9)], 1, 1),
    "refund alone": ([("1", 1, -9)], 0, None),
    "refunded, then bought": ([("1", 1, 9), ("1", 2, -9), ("2", 20, 5)], 1, 20),
    "amount unknown": ([("1", 1, None)], 1, 1),
    "unknown and refunded": ([("1", 1, None), ("1", 2, -9)], 0, None),
    "unknown and free": ([("1", 1, None), ("1", 2, 0)], 1, 1),
}


@pytest.mark.parametrize("many", [0, 10**9])
@pytest.mark.parametrize("case", PURCHASES)
def test_a_purchase_is_an_order_that_nets_above_zero_by_the_day_asked_for(monkeypatch, case, many):
    monkeypatch.setattr("cxlib.data.engine.lazy_lines.MANY_LINES", many)
    rows, orders, day = PURCHASES[case]
    lines = bought(rows)
    first = pd.NaT if day is None else pd.Timestamp(2026, 1, day)
    for table in (lines, pl.from_pandas(lines)):
        for found in (reduce_orders(table, as_of="2026-01-31"), reduce_on_days(table, days=["2026-01-31"])):
            assert found["frequency"].tolist() == [orders]
            assert (found["first_order_on"].tolist() == [first]) or (
                day is None and found["first_order_on"].isna().all()
            )
    seen = lines[lines["ordered_at"] < "2026-02-01"].reset_index(drop=True)
    dated = seen[purchase_lines(seen)]
    assert dated["order_id"].nunique() == orders and (day is None or dated["ordered_at"].min().day == day)


def test_an_order_refunded_later_is_a_purchase_until_then():
    lines = bought([("1", 1, 9), ("1", 20, -9), ("2", 25, 5)])
    days = reduce_on_days(lines, days=["2026-01-10", "2026-01-20", "2026-01-31"])
    assert days["frequency"].tolist() == [1, 0, 1]
    assert days["last_order_on"].dt.day.tolist()[::2] == [1, 25] and days["last_order_on"].isna()[1]
    assert days["amount"].tolist() == [9, 0, 5]


def test_with_further_keys_the_lines_of_each_value_are_judged_apart():
    lines = bought([("1", 1, 9), ("1", 1, 0), ("2", 2, 4)], brand=["A", "B", "B"])
    assert reduce_orders(lines, as_of=AS_OF, by=["brand"])["frequency"].tolist() == [1, 1]


def test_orders_that_are_no_purchases_are_counted_by_reason():
    lines = bought(
        [
            ("1", 1, 9),
            ("2", 1, 0),
            ("3", 1, 5),
            ("3", 2, -5),
            ("4", 3, -7),
            ("5", 4, None),
            ("6", 4, 5),
            ("6", 9, -4),
        ]
    )
    for table in (lines, pl.from_pandas(lines)):
        assert count_orders(table, as_of=AS_OF).to_dict() == {
            "orders": 6, "purchases": 3, "free": 1, "refunded": 1, "refund_alone": 1,
        }  # fmt: skip
