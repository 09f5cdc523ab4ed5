import io
import math
import re

import pyarrow.parquet as pq
import pytest

from cxlib.runner.collect import collect, file_name, file_names, is_not_enough, to_csv, to_parquet


def notebook(*records):
    return {"cells": [{"outputs": [{"metadata": {"cx": record}} for record in records]}, {}]}


def test_records_are_gathered_by_kind_and_key_at_full_precision():
    table = {"kind": "table", "key": "shares", "columns": ["x"], "units": {}, "rows": [{"x": 0.1 + 0.2}]}
    found = collect(
        notebook(
            {"kind": "header", "key": "a", "title": "T"},
            table,
            {"kind": "finding", "key": "f", "text": "s", "values": {"x": math.nan, "y": [math.inf, 1]}},
            {"kind": "figure", "key": "g", "alt": "a"},
            {"kind": "notice", "key": "n", "level": "info", "text": "t"},
            {"kind": "unknown", "key": "n"},
            "nonsense",
        )
    )
    assert found["header"] == {"title": "T"}
    assert found["tables"]["shares"]["rows"] == [{"x": 0.1 + 0.2}]
    assert found["findings"]["f"]["values"] == {"x": None, "y": [None, 1]}
    assert list(found["figures"]) == ["g"] and list(found["notices"]) == ["n"]
    assert not is_not_enough(found)


def test_a_key_shown_again_is_numbered():
    record = {"kind": "finding", "key": "f", "text": "s"}
    assert list(collect(notebook(record, record, record))["findings"]) == ["f", "f-2", "f-3"]


def test_not_enough_data_is_seen_unless_it_is_a_matter_of_one_section():
    notice = {"kind": "notice", "key": "n", "level": "not_enough_data", "text": ""}
    assert is_not_enough(collect(notebook(notice)))
    assert not is_not_enough(collect(notebook(notice | {"only_here": True})))


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x"),
        *(" =1+1", "a\n=1+1", "a\r @x", "\u3000=1", "\u00a0-1", "\ufeff=1", "\u200b+1", "  ＝1"),
    ],
)
def test_text_that_a_spreadsheet_would_calculate_is_guarded_in_csv_and_raw_in_parquet(text):
    table = {"columns": ["name", text], "rows": [{"name": text, text: -1.5}]}
    lines = to_csv(table).decode("utf-8-sig")
    assert f"'{text}" in lines and "-1.5" in lines and "'-1.5" not in lines
    assert pq.read_table(io.BytesIO(to_parquet(table))).to_pylist() == [{"name": text, text: -1.5}]


def test_numbers_stay_numbers_and_missing_stays_missing():
    table = {
        "columns": ["n", "x", "mixed"],
        "rows": [{"n": 1, "x": None, "mixed": 1}, {"n": 2, "x": 0.5, "mixed": "a"}],
    }
    read = pq.read_table(io.BytesIO(to_parquet(table)))
    assert [str(field.type) for field in read.schema] == ["int64", "double", "string"]
    assert to_csv(table).decode("utf-8-sig").splitlines()[1] == "1,,1"


@pytest.mark.parametrize("key", ["../../x", "/abs", "a\0b", "k" * 300, "価格(円)", "a b"])
def test_a_key_is_a_safe_file_name(key):
    name = file_name(key)
    assert name and len(name) <= 80 and not set(name) & set("/\\.\0 ")


def test_a_notice_that_says_the_same_again_is_kept_once_and_another_one_is_numbered():
    same = {"kind": "notice", "key": "n", "level": "info", "text": "t"}
    found = collect(notebook(same, same, same | {"text": "u"}, same))
    assert {key: notice["text"] for key, notice in found["notices"].items()} == {"n": "t", "n-2": "u"}


@pytest.mark.parametrize("keys", [["表", "図"], ["a/b", "a:b", "A_b"], ["CON", "con", "nul"], ["", "…", "—"]])
def test_no_two_tables_share_a_file_and_no_name_is_a_device(keys):
    names = file_names(keys)
    assert len({name.lower() for name in names.values()}) == len(keys)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in names.values())
    assert not {name.lower() for name in names.values()} & {"con", "nul", "aux", "prn"}
