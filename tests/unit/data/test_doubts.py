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


def test_states_that_say_called_off_and_are_kept_are_named(bring):
    rows = ["1,a,2026-09-01,5,paid", "2,a,2026-09-02,5,キャンセル済み", "3,b,2026-09-02,-5,返品"]
    where = [{"column": "state", "not_in": ["キャンセル"]}]
    bring(lines(*rows, head=f"{HEAD},state"), orders=orders(where=where))
    assert told(bring)["exports.kept_returns"] == ("state", 1)
    bring(lines(*rows, head=f"{HEAD},state"), orders=orders(extra={"state": {"from": "state"}}))
    assert told(bring)["exports.kept_returns"] == ("state", 1)
    refunds = orders(columns={"line": {"const": 2}, "amount": {"const": 0, "less": ["Refunded"]}})
    files = lines(*(f"{row},0" for row in rows), head=f"{HEAD},state,Refunded")
    bring(files, orders=[orders(where=where), refunds])
    assert "exports.kept_returns" not in told(bring)


def test_one_item_of_a_list_in_a_cell_is_enough_to_leave_a_row_out(bring):
    rows = ["1,a,2026-09-01,5,vip", '2,a,2026-09-02,5,"vip, test"', "3,b,2026-09-02,5,testing"]
    where = [{"column": "tags", "not_in": ["test"], "of": ","}]
    shop = bring(lines(*rows, head=f"{HEAD},tags"), orders=orders(where=where))
    assert shop.table("orders")["order_id"].to_list() == ["1", "3"]
    assert bring.summary["left_out"].to_list() == [{"tags = test": 1}] and told(bring) == {}


def test_amounts_that_miss_what_the_export_itself_says_are_named(bring):
    rows = ["1,a,2026-09-01,5,8", "1,a,2026-09-01,3,", "2,b,2026-09-02,5,4.5", "2,b,2026-09-02,0,"]
    files = lines(*rows, head=f"{HEAD},total")
    rule = {"within": ["order"], "to": "total"}
    bring(files, orders=orders(columns={"line": {"row_within": ["order"]}}, adds_up=rule))
    (notice,) = [n for n in bring.summary.attrs["notices"] if n.key == "exports.adds_not_up"]
    assert (notice.column, notice.count) == ("total", 2) and "higher by 0.50" in notice.text("en")


def test_taking_off_what_is_below_zero_is_named_once(bring):
    files = lines("1,a,2026-09-01,5,-2", "2,b,2026-09-01,5,2", head=f"{HEAD},points")
    twice = [
        orders(columns={"line": {"const": at}, "amount": {"from": "amount", "less": ["points"]}})
        for at in (1, 2)
    ]
    bring(files, orders=twice)
    assert [n.key for n in bring.summary.attrs["notices"]].count("exports.less_below_zero") == 1


def test_a_stage_that_reads_like_an_end_but_has_no_result_is_named_and_closings_tell_the_last_day(bring):
    rows = [
        "1,a,2026-01-01,Won,2026-05-01",
        "2,a,2026-01-02,Closed Won - new,2026-06-01",
        "3,b,2026-01-03,Offer,2027-01-01",
    ]
    won = {"from": "stage", "map": {"Won": "true", "Lost": "false"}, "otherwise": "empty"}
    columns = {"deal_id": {"from": "id"}, "customer_id": {"from": "who"}, "created_on": {"from": "at"}}
    columns |= {"stage": {"from": "stage"}, "closed_on": {"from": "end"}, "is_won": won}
    deals = {"file": "o.csv", "columns": columns}
    said = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo"}
    shop = bring(lines(*rows, head="id,who,at,stage,end"), data_set=said, deals=deals)
    assert told(bring)["exports.unread_result"] == ("stage", 1)
    assert shop.settings.extracted.date().isoformat() == "2026-05-01"


def test_files_of_other_days_that_the_mapping_does_not_read_are_named(bring):
    day = lines("1,a,2026-09-01,5")["o.csv"]
    files = {"o_20260901.csv": day, "o_20260902.csv": day.replace("1,a", "2,a"), "people.csv": day}
    bring(files, orders={**orders(), "file": "o_20260901.csv"})
    (notice,) = [n for n in bring.summary.attrs["notices"] if n.key == "exports.unread_files"]
    assert "o_20260902.csv (1)" in notice.text("en")
    every = {name: value for name, value in orders().items() if name != "file"}
    bring({}, orders={**every, "files": "o_*.csv"})
    assert "exports.unread_files" not in told(bring)
