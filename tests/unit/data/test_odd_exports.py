"""Exports that are odd in ways no listed one is: each is read right, or said to be doubtful."""

import re

import pandas as pd
import pytest

from cxlib.checks import InputError, TableError
from cxlib.data.ids import NOBODY
from cxlib.data.tables.data_set import open_data
from cxlib.voice.scores import csat

SHOP = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01T00:00"}
COLUMNS = {"order_id": {"from": "o"}, "line": {"const": 1}, "customer_id": {"from": "c"}}
COLUMNS |= {"ordered_at": {"from": "d"}, "amount": {"from": "a"}}


def keys(bring):
    return {notice.key: notice for notice in bring.summary.attrs["notices"]}


def test_a_return_with_both_signs_is_a_return(bring):
    text = (
        "o,c,d,p,q\n1,x,2026-09-01,500,2\n1,x,2026-09-03,-500,-2\n2,y,2026-09-02,-10,3\n3,y,2026-09-02,,-3\n"
    )
    columns = COLUMNS | {"line": {"row_within": ["o"]}, "amount": {"product": ["p", "q"]}}
    text = text.replace("3,y,2026-09-02,,-3\n", "3,y,2026-09-02,0,-3\n")
    orders = bring({"o.csv": text}, orders={"file": "o.csv", "columns": columns}).table("orders")
    assert orders["amount"].tolist() == [1000, -1000, -30, 0]
    assert keys(bring)["exports.both_below_zero"].count == 1


def test_the_tenth_file_comes_after_the_ninth(bring):
    files = {f"o_{at}.csv": f"o,c,d,a\n1,x,2026-09-01,{at}\n" for at in (2, 9, 10)}
    files["o_１１.csv"] = "o,c,d,a\n2,x,2026-09-01,5\n"
    part = {"files": "o_*.csv", "latest": ["o"], "columns": COLUMNS}
    orders = bring(files, orders=part).table("orders").set_index("order_id")
    assert orders["amount"].to_dict() == {"1": 10, "2": 5}


def test_returns_that_a_column_nobody_reads_tells_of_are_named(bring):
    rows = [
        f"{at},c{at % 7},2026-09-{at % 28 + 1:02},100,{'返品' if at % 10 == 0 else '販売'}"
        for at in range(60)
    ]
    text = "o,c,d,a,区分\n" + "\n".join(rows) + "\n"
    part = {"file": "o.csv", "columns": COLUMNS}
    bring({"o.csv": text}, orders=part)
    told = keys(bring)["exports.unread_returns"]
    assert (told.column, told.count) == ("区分", 6) and "返品" in told.text()


@pytest.mark.parametrize(
    ("heading", "states", "amounts"),
    [
        ("区分", ("返品", "販売"), ("-100", "100")),  # signed already
        (
            "状態",
            ("キャンセル可", "キャンセル不可"),
            ("100", "100"),
        ),  # all hold the word: it tells of a right
        ("メモ", None, ("100", "100")),  # free text
    ],
)
def test_other_columns_with_such_words_are_left_alone(bring, heading, states, amounts):
    said = [states[at % 2] if states else f"返品 {at}" for at in range(60)]
    rows = [f"{at},c{at % 7},2026-09-{at % 28 + 1:02},{amounts[at % 2]},{said[at]}" for at in range(60)]
    bring(
        {"o.csv": f"o,c,d,a,{heading}\n" + "\n".join(rows) + "\n"},
        orders={"file": "o.csv", "columns": COLUMNS},
    )
    assert "exports.unread_returns" not in keys(bring)


def orders(**columns):
    held = {
        "order_id": [f"o{at}" for at in range(40)],
        "line": 1,
        "customer_id": [f"c{at % 5}" for at in range(40)],
    }
    days = pd.date_range("2026-08-20", periods=40).strftime("%Y-%m-%d")
    return pd.DataFrame(held | {"ordered_at": days, "amount": 1000.0} | columns)


def noticed(**tables):
    shop = open_data(tables, **SHOP)
    for name in shop.tables:
        shop.load(name)
    return {notice.key: notice for notice in shop.notices}


def test_pieces_below_zero_beside_an_amount_above_are_named():
    told = noticed(orders=orders(quantity=[-1.0 if at % 8 == 0 else 1.0 for at in range(40)]))
    assert told["tables.returned_as_sold"].count == 5
    signed = [-1.0 if at % 8 == 0 else 1.0 for at in range(40)]
    right = orders(quantity=signed).assign(amount=[1000.0 * sign for sign in signed])
    assert "tables.returned_as_sold" not in noticed(orders=right)


@pytest.mark.parametrize(
    ("margin", "is_rate"), [(0.35, True), (350.0, False), (0.0, False), ([0.3, 300.0] * 20, False)]
)
def test_a_rate_in_the_place_of_a_margin_is_named(margin, is_rate):
    assert ("tables.margin_as_rate" in noticed(orders=orders(margin=margin))) == is_rate


def test_small_amounts_may_have_margins_below_one():
    assert "tables.margin_as_rate" not in noticed(orders=orders(margin=0.8).assign(amount=3.0))


def test_one_region_in_several_spellings_is_named():
    people = pd.DataFrame({"customer_id": [f"c{at}" for at in range(80)], "first_seen_on": "2026-01-01"})
    people = people.assign(customer_type="consumer")
    told = noticed(customers=people.assign(region=["Kanto", "kanto ", "Ｋanto", "Kansai"] * 20))
    assert (told["tables.value_spelling"].column, told["tables.value_spelling"].count) == ("region", 60)
    assert "Kanto" not in told["tables.value_spelling"].text()
    assert "tables.value_spelling" not in noticed(customers=people.assign(region=["Kanto", "Kansai"] * 40))


@pytest.mark.parametrize("word", ["ゲスト", "ゲスト購入", "未登録", "会員登録なし", "GUEST"])
def test_words_for_nobody_are_guests(word):
    assert word in NOBODY
    shop = open_data({"orders": orders(customer_id=[word, "a"] * 20)}, **SHOP)
    assert shop.table("orders")["customer_id"].isna().sum() == 20


def test_thumbs_up_and_down_are_a_scale():
    answers = pd.DataFrame({"csat_score": [1] * 30 + [0] * 10})
    row = csat(answers, scale=(0, 1)).iloc[0]
    assert (row["estimate"], row["n"], row["best_boxes"]) == (0.75, 40, 1)


@pytest.mark.parametrize("is_hidden", [False, True])
def test_what_ids_hold_is_told_also_where_they_become_pseudonyms(bring, monkeypatch, is_hidden):
    cells = ["A1;A2", "A1", "1001.0", "1001", "guest", "", "2-Mar"]
    rows = "".join(f"{at},{cell},2026-09-0{at},100\n" for at, cell in enumerate(cells, 1))
    monkeypatch.setenv("CX_PSEUDONYM_KEY", "a key of some length, for tests only")
    verb = {"from": "c", "prefix": "p-"} | ({"pseudonymise": "ignore_case"} if is_hidden else {})
    orders = bring(
        {"o.csv": f"o,c,d,a\n{rows}"},
        orders={"file": "o.csv", "columns": COLUMNS | {"customer_id": verb}},
    ).table("orders")
    told = keys(bring)["tables.id_several"]
    assert (told.count, told.rows) == (1, (1,)) and '{item: 1, of: ";"}' in told.text()
    assert {"tables.id_date", "tables.id_decimals", "tables.id_nobody"} <= set(keys(bring))
    assert len(keys(bring)) == len(bring.summary.attrs["notices"])
    ids = orders.set_index("order_id")["customer_id"]
    assert ids[["5", "6"]].isna().all() and ids["3"] == ids["4"]


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ({"skip": 3}, "`skip: 3` passes over every line"),
        ({"skip": 100}, "`skip: 100` passes over every line"),
        ({"header_rows": 5}, "`header_rows: 5` asks for more lines than the file has; found 3"),
    ],
)
def test_a_mapping_that_passes_over_all_of_a_file_is_told_so(bring, reading, said):
    text = "o,c,d,a\n1,x,2026-09-01,500\n2,y,2026-09-02,70\n"
    with pytest.raises(TableError, match=said):
        bring({"o.csv": text}, orders={"file": "o.csv", "columns": COLUMNS, **reading})
    with pytest.raises(TableError, match="The file is empty"):
        bring({"o.csv": ""}, orders={"file": "o.csv", "columns": COLUMNS, **reading})


def test_a_footer_that_begins_with_the_first_row_is_named(bring):
    text = "o,c,d,a\n1,x,2026-09-01,500\n1a,y,2026-09-02,70\n"
    bring({"o.csv": text}, orders={"file": "o.csv", "columns": COLUMNS, "footer": {"starts_with": ["1"]}})
    assert "leaves out all 2 rows" in keys(bring)["exports.footer_leaves_nothing"].text()


EVENT = {"event_id": {"from": "id"}, "customer_id": {"from": "u"}, "occurred_at": {"from": "t"}}
EVENT |= {"touchpoint": {"const": "web"}}


@pytest.mark.parametrize(
    ("cells", "path", "key", "count", "said"),
    [
        (['{"veiw":{"p":"/a"}}'] * 2, ["view", "p"], "in_vain", 0, "no `view` .*: veiw"),
        (['{"a":{"b":"x"}}'] * 2, ["a.b"], "in_vain", 0, "such as"),
        (['{"p":"/a"}', '{"P":"/b"}', "", '{"q":1}'], ["p"], "otherwise", 1, "capitals only"),
        (['{"p":["/a","/b"]}', '{"p":"/c"}'], ["p"], "to_more", 1, "a list or an object"),
    ],
)
def test_a_json_path_that_leads_nowhere_or_not_to_the_end_is_named(bring, cells, path, key, count, said):
    quoted = [cell.replace('"', '""') for cell in cells]
    rows = "".join(f'{at},c,2026-09-01T10:00,"{cell}"\n' for at, cell in enumerate(quoted))
    columns = EVENT | {"page": {"from": "v", "path": path}}
    bring({"e.csv": "id,u,t,v\n" + rows}, events={"file": "e.csv", "columns": columns})
    told = {at: notice for at, notice in keys(bring).items() if "path" in at}
    assert list(told) == [f"exports.path_{key}"]
    assert told[f"exports.path_{key}"].count == count
    assert re.search(said, told[f"exports.path_{key}"].text())


def test_a_json_path_of_some_kinds_of_events_only_says_nothing(bring):
    rows = '1,c,2026-09-01T10:00,"{""p"":null}"\n2,c,2026-09-01T10:00,"{""q"":1}"\n'
    columns = EVENT | {"page": {"from": "v", "path": ["p"]}}
    bring({"e.csv": "id,u,t,v\n" + rows}, events={"file": "e.csv", "columns": columns})
    assert not [key for key in keys(bring) if "path" in key]


ANSWER = {"response_id": {"from": "r"}, "customer_id": {"from": "u"}, "answered_at": {"from": "t"}}
ANSWER |= {"survey": {"const": "relationship"}, "nps_score": {"from": "nps"}}
LONG = "r,u,t,q,v\n1,a,2026-09-01,nps,9\n2,b,2026-09-01,nps,3\n"


def long_answers(bring, rows, by=("r", "u", "t"), columns=ANSWER):
    part = {"file": "r.csv", "pivot": {"by": list(by), "name": "q", "value": "v"}, "columns": columns}
    return bring({"r.csv": LONG + rows}, responses=part).table("responses")


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ("3,c,2026-09-02,NPS,7\n", "question_otherwise"),
        ("3,c,2026-09-02,ｎｐｓ,7\n", "question_otherwise"),
        ("3,c,2026-09-02,,7\n", "answer_to_nothing"),
        ("3,c,2026-09-02,u,7\n", "question_as_column"),
    ],
)
def test_answers_of_a_long_table_that_no_column_takes_are_counted(bring, rows, key):
    assert len(long_answers(bring, rows)) == 3
    assert (keys(bring)[f"exports.{key}"].rows, keys(bring)[f"exports.{key}"].count) == ((3,), 1)


def test_answers_of_people_whom_nothing_tells_apart_are_noticed(bring):
    columns = ANSWER | {"response_id": {"join": ["u", "t"], "between": "/"}}
    long_answers(bring, ",,2026-09-01,nps,1\n,,2026-09-01,x,1\n", by=("u", "t"), columns=columns)
    told = keys(bring)["exports.joined_unknown"]
    assert told.count == 2 and "Add to `by`" in told.text()
    long_answers(bring, ",,2026-09-02,x,1\n".replace(",,", "3,,"))
    assert "exports.joined_unknown" not in keys(bring)  # `r` tells them apart


def test_an_empty_answer_beside_a_filled_one_is_none(bring):
    answers = long_answers(bring, "1,a,2026-09-01,nps,\n3,c,2026-09-02,nps,\n")
    assert answers["nps_score"].tolist()[:2] == [9, 3] and len(answers) == 3


def test_a_question_that_nobody_was_asked_is_called_a_question(bring):
    with pytest.raises(InputError, match=r"no row of `q` holds the question `npss`\. .* nearly so: nps"):
        long_answers(bring, "", columns=ANSWER | {"nps_score": {"from": "npss"}})


FOLLOW = COLUMNS | {"customer_id": {"from": "c", "follow": {"file": "m.csv", "from": "old", "to": "new"}}}


def merged(bring, pairs, cells="AB", **tables):
    rows = "".join(f"{at},{cell},2026-09-0{at},100\n" for at, cell in enumerate(cells, 1))
    files = {"o.csv": "o,c,d,a\n" + rows, "m.csv": "old,new\n" + pairs}
    return bring(files, orders={"file": "o.csv", "columns": FOLLOW}, **tables).table("orders")


def test_an_id_merged_twice_is_followed_where_both_ways_end_in_one(bring):
    assert merged(bring, "A,B\nA,C\nB,C\n")["customer_id"].tolist() == ["C", "C"]
    with pytest.raises(InputError, match=r"ids in `old` were merged into two .*\(1 of them\)"):
        merged(bring, "A,B\nA,C\n")


@pytest.mark.parametrize(
    ("pairs", "cells", "key", "rows"),
    [
        ("a,X\nB,X\n", "AB", "follow_otherwise", (1,)),
        ("1,X\nB,X\n", ["1.0", "B", "001"], "follow_otherwise", (1, 3)),
        ("Z,X\n", "AB", "follow_in_vain", ()),
        ("A,X\nB,\n", "AB", "merged_half", (2,)),
    ],
)
def test_what_a_list_of_merged_ids_does_not_reach_is_noticed(bring, pairs, cells, key, rows):
    merged(bring, pairs, cells)
    told = {key: notice.rows for key, notice in keys(bring).items() if "follow" in key or "merged" in key}
    assert told == {f"exports.{key}": rows}


def test_a_table_that_does_not_follow_what_another_does_is_noticed(bring):
    columns = {
        "customer_id": {"from": "c"},
        "first_seen_on": {"from": "d"},
        "customer_type": {"const": "consumer"},
    }
    merged(bring, "A,B\n", customers={"file": "o.csv", "columns": columns})
    assert keys(bring)["exports.follow_in_part"].rows == (1,)
