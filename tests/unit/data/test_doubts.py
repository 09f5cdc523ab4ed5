"""What a mapping overlooks is said, and what an import adds up to."""

import json

import pandas as pd
import pytest

from cxlib.data.tables.reconcile import order_sums

HEAD = "order,customer,at,amount"


def orders(**changes):
    columns = {name: {"from": name} for name in ("order", "customer", "at")}
    columns = {"order_id": {"from": "order"}, "line": {"const": 1}, "customer_id": {"from": "customer"}}
    columns |= {"ordered_at": {"from": "at"}, "amount": {"from": "amount"}} | changes.pop("columns", {})
    return {"file": "o.csv", "columns": columns, **changes}


def lines(*rows, head=HEAD):
    return {"o.csv": "\n".join([head, *rows]) + "\n"}


def told(bring):
    return {
        n.key: (n.column, n.count) for n in bring.summary.attrs["notices"] if n.key.startswith("exports.")
    }


def test_a_column_of_currencies_that_nobody_reads_is_named_unless_it_is_the_own(bring):
    rows = ["1,a,2026-09-01,5,jpy", "2,a,2026-09-02,5,usd", "3,b,2026-09-02,5,"]
    bring(lines(*rows, head=f"{HEAD},money"), orders=orders())
    assert told(bring) == {"exports.unread_currency": ("money", 1)}
    bring(lines(rows[0], head=f"{HEAD},money"), orders=orders())
    assert told(bring) == {}
    bring(lines("1,a,2026-09-01,5,abc", head=f"{HEAD},shop"), orders=orders())
    assert told(bring) == {}


def test_pieces_dates_of_merging_and_a_second_id_that_nobody_reads_are_named(bring):
    head = "order,customer,at,単価,個数,会員ID,統合日"
    rows = ["1,a,2026-09-01,5,2,m1,", "2,b,2026-09-02,5,1,m1,2026-08-01", "3,c,2026-09-02,5,3,m2,"]
    bring(lines(*rows, head=head), orders=orders(columns={"amount": {"from": "単価"}}))
    assert told(bring) == {
        "exports.unread_quantity": ("個数", 2),
        "exports.unread_id": ("会員ID", 2),
        "exports.unread_merge": ("統合日", 1),
    }
    read = {"amount": {"product": ["単価", "個数"]}, "customer_id": {"from": "会員ID"}}
    bring(lines(*rows, head=head), orders=orders(columns=read, extra={"merged": {"from": "統合日"}}))
    assert told(bring) == {}


@pytest.mark.parametrize(
    ("named", "in_vain"), [(["cancelled"], True), (["paid", "Pending"], True), (["paid", "refused"], False)]
)
def test_filters_and_maps_in_vain_are_named(bring, named, in_vain):
    rows = ["1,a,2026-09-01,5,paid", "2,a,2026-09-02,5,pending", "3,b,2026-09-02,5,shipped"]
    files = lines(*rows, head=f"{HEAD},state")
    bring(files, orders=orders(where=[{"column": "state", "not_in": named}]))
    assert ("exports.where_in_vain" in told(bring)) == in_vain
    verb = {"from": "state", "map": dict.fromkeys(named, "x"), "otherwise": "keep"}
    bring(files, orders=orders(extra={"state": verb}))
    assert ("exports.map_in_vain" in told(bring)) == in_vain


def test_an_import_says_what_it_left_out_and_adds_up_to(bring, tmp_path):
    rows = [
        "1,a,2026-09-01,5,x",
        "1,a,2026-09-01,5,x",
        "2,a,2026-09-05,7,x",
        "3,b,2026-09-02,4,x",
        "4,b,2026-09-02,9,y",
    ]
    files = lines(*rows, "5,a,2026-09-06,-2,x", head=f"{HEAD},state")
    bring(files, orders=orders(where=[{"column": "state", "not_in": ["y", "z"]}]))
    assert bring.summary["left_out"].to_list() == [{"state = y": 1, "state = z": 0}]
    sums = json.loads((tmp_path / "shop" / "import.json").read_text())["sums"]
    assert sums == bring.summary.attrs["sums"]
    assert (sums["orders"], sums["customers"], sums["repeat_share"]) == (4, 2, 0.5)
    assert (sums["gross_sales"], sums["refunds"], sums["net_sales"]) == (16, -2, 14)
    assert (sums["first_day"], sums["last_day"]) == ("2026-09-01", "2026-09-06")


def test_nothing_adds_up_to_nothing():
    none = {"order_id": [], "customer_id": [], "amount": []}
    empty = pd.DataFrame(none).astype({"amount": float}).assign(ordered_at=pd.to_datetime([]))
    assert (order_sums(empty)["net_sales"], order_sums(empty)["first_day"]) == (0, None)
