"""Quotes that do not close, encodings and sizes: each stops with its row, and what is right still reads."""

import gzip
import time

import pytest

from cxlib.checks import InputError, TableError
from cxlib.data.delimited import byte_stream as _stream
from cxlib.data.delimited.mixed_encodings import misread
from cxlib.data.delimited.read_text import Form, read_cells
from cxlib.data.exports.convert_export import import_export
from cxlib.data.tables.coverage import check_folder
from cxlib.data.tables.data_set import open_data

HEADER = "order_id,line,customer_id,ordered_at,amount,product\n"
SETTINGS = "{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01, encoding: %s}"
MAPPING = """
data_set: {name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01}
tables:
  orders:
    file: %s
    encoding: %s
    delimiter: "%s"
    columns: {order_id: {from: order_id}, line: {from: line}, customer_id: {from: customer_id},
              ordered_at: {from: ordered_at}, amount: {from: amount}, product: {from: product}}
"""


def row(n, product):
    return f"O{n},1,C{n},2026-09-0{n},100,{product}\n"


#: A file, the kind of fault, and the rows of data that are named.
FAULTS = {
    "opened in the last cell, a later cell quoted": (
        row(1, '"abc') + row(2, "x") + row(3, '"y"') + row(4, "z"),
        "swallowed",
        (1,),
    ),
    "opened in a later row": (row(1, "a") + row(2, '"abc') + row(3, "x") + row(4, '"y"'), "swallowed", (2,)),
    "closed at the end of the next row": (row(1, '"abc') + row(2, 'x"') + row(3, "z"), "swallowed", (1,)),
    "closed three rows below": (row(1, '"abc') + row(2, "x") + row(3, "x") + row(4, 'x"'), "swallowed", (1,)),
    "closed in the middle of the next row": (
        'O1,1,"C1,2026-09-01,100,x\nO2,1,C2",2026-09-02,100,y\n' + row(3, "z"),
        "swallowed",
        (1,),
    ),
    "opened in the first cell": ('"O1,1,C1,2026-09-01,100,x\nO2",1,C2,2026-09-02,9,y\n', "swallowed", (1,)),
    "with empty quoted cells below": (row(1, '"abc') + row(2, '""') + row(3, '"q"'), "swallowed", (1,)),
    "twice": (row(1, '"a') + row(2, 'b"') + row(3, '"c') + row(4, 'd"') + row(5, "e"), "swallowed", (1, 3)),
    "never closed": (row(1, "a") + row(2, '"abc'), "unclosed", (2,)),
    "never closed, a quote doubled": (row(1, "a") + row(2, '"ab""c'), "unclosed", (2,)),
    "closed before further text": (row(1, '"abc"d') + row(2, "x"), "after_quote", (1,)),
    "doubled outside quotes": (row(1, "x") + row(2, '""abc""'), "after_quote", (2,)),
    "escaped by a backslash": (row(1, '"5\\" pipe"'), "after_quote", (1,)),
}


@pytest.fixture
def shop(tmp_path):
    """`shop(bytes, name)` writes a data set, checks, imports and reads it lazily: the problems of each."""

    def read(content, name="orders.csv", encoding="utf-8", delimiter=","):
        folder = tmp_path / f"d{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / name).write_bytes(content)
        (folder / "dataset.yml").write_text(SETTINGS % encoding)
        (folder / "m.yaml").write_text(MAPPING % (name, encoding, delimiter))
        told = []
        if delimiter == ",":
            told.append([problem for problem in check_folder(folder)[0] if problem.file == name])
            with pytest.raises(TableError) as lazy:
                open_data(folder).lazy("orders")
            told.append(lazy.value.problems)
        with pytest.raises(TableError) as imported:
            import_export(folder / "m.yaml", folder, folder / "out")
        assert not (folder / "out").exists()
        return [*told, imported.value.problems]

    return read


@pytest.mark.parametrize("case", FAULTS)
def test_a_quote_that_does_not_close_stops_with_its_row(shop, case):
    rows, kind, numbers = FAULTS[case]
    for problems in shop((HEADER + rows).encode()):
        assert [(problem.key, problem.rows) for problem in problems if problem.level == "error"] == [
            (f"tables.quote_{kind}", numbers)
        ]


@pytest.mark.parametrize("form", ["crlf", "cr", "gz", "cp932", "utf-16", "semicolon", "tab"])
def test_a_quote_is_followed_in_every_form_of_file(shop, form):
    text = HEADER + row(1, '"石鹸') + row(2, "x") + row(3, '"y"') + row(4, "z")
    text = text.replace("\n", {"crlf": "\r\n", "cr": "\r"}.get(form, "\n"))
    delimiter = {"semicolon": ";", "tab": "\t"}.get(form, ",")
    encoding = form if form in ("cp932", "utf-16") else "utf-8"
    content = text.replace(",", delimiter).encode(encoding)
    name = "orders.csv.gz" if form == "gz" else "orders.csv"
    for problems in shop(gzip.compress(content) if form == "gz" else content, name, encoding, delimiter):
        assert [(problem.key, problem.rows) for problem in problems] == [("tables.quote_swallowed", (1,))]


def test_quotes_are_followed_across_pieces(tmp_path, monkeypatch):
    """The same answers whatever the size of the pieces a file is read in."""
    file = tmp_path / "orders.csv"
    for rows, kind, numbers in FAULTS.values():
        file.write_bytes((HEADER + rows).replace("\n", "\r\n").encode())
        for size in (1, 2, 3, 7, 64):
            monkeypatch.setattr(_stream, "PIECE", size)
            with pytest.raises(TableError) as told:
                read_cells(file, Form("orders.csv"))
            assert [(p.key, p.rows) for p in told.value.problems] == [(f"tables.quote_{kind}", numbers)]


@pytest.mark.parametrize(
    "cell",
    [
        '"two\nlines"',
        '"a comment, with, five, more, commas, in\nit, and, again, five, 5, 6\n"',
        '"1,2\n3,4"',
        '"said ""yes"""',
        '""""',
        '""',
        '"a, b"',
        '5" pipe',
        "it's",
        'a "quoted" word',
        '"ends with blank" ',
        '"\n\n\n"',
        '"O9,1,C9,not a day,100,x\nO9,1"',
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_cells_that_spreadsheets_write_read_as_one(tmp_path, cell, ends):
    file = tmp_path / "orders.csv"
    text = (HEADER + row(1, "a") + row(2, cell) + row(3, "b")).replace("\n", ends)
    file.write_bytes(text.encode())
    cells, _ = read_cells(file, Form("orders.csv"))
    assert cells.num_rows == 4
    found = cells["f5"].to_pylist()[1:]
    inside = cell.replace("\n", ends)
    expected = inside.strip()[1:-1].replace('""', '"') + inside[len(inside.rstrip(" ")) :]
    assert found == ["a", expected if inside.startswith('"') else inside, "b"]


def test_more_line_breaks_than_rows_are_noticed(tmp_path):
    file = tmp_path / "r.csv"
    file.write_text('id,comment\n1,"a\n\n\nb"\n2,c\n')
    _, notices = read_cells(file, Form("r.csv"))
    assert [(notice.key, notice.count, notice.total, notice.rows) for notice in notices] == [
        ("tables.line_breaks", 1, 2, (1,))
    ]


def test_line_breaks_in_several_rows_of_names_are_no_rows(tmp_path):
    file, names = tmp_path / "r.csv", 'id,comment\n"id of\nanswer","why,\nsay?"\n'
    file.write_text(f'{names}1,"a\nb"\n2,c\n')
    assert read_cells(file, Form("r.csv", header_rows=2))[1] == []
    file.write_text(f'{names}1,"a\n\n\n\nb"\n2,c\n')
    (notice,) = read_cells(file, Form("r.csv", header_rows=2))[1]
    assert (notice.count, notice.total, notice.rows) == (1, 2, (1,))


@pytest.mark.parametrize(
    ("content", "encoding", "key", "rows", "likely"),
    [
        ("石鹸", "cp932", "tables.encoding", (), "cp932"),
        ("石鹸", "euc_jp", "tables.encoding", (), "euc_jp"),
        ("Käse", "cp1252", "tables.encoding", (), "cp1252"),
        ("石鹸", "utf-16", "tables.encoding", (), "utf-16"),
        ("石鹸", "utf-16-le", "tables.encoding", (), "utf-16-le"),
        ("x", "utf-16-be", "tables.encoding", (), "utf-16-be"),
    ],
)
def test_another_encoding_than_declared_is_named(shop, content, encoding, key, rows, likely):
    for problems in shop((HEADER + row(1, content) + row(2, content)).encode(encoding)):
        (problem,) = problems
        assert problem.key in (key, key.replace("tables", "exports"))
        assert problem.rows == rows
        assert f"looks like {likely}." in problem.text()


@pytest.mark.parametrize("foreign", ["cp932", "latin-1", "euc_jp"])
def test_lines_of_a_second_encoding_stop_with_their_rows(shop, foreign):
    word = "Käse" if foreign == "latin-1" else "石鹸"
    lines = [row(n, "石鹸").encode() for n in range(1, 8)]
    lines[3] = row(4, word).encode(foreign)
    for problems in shop(HEADER.encode() + b"".join(lines)):
        (problem,) = problems
        assert (problem.key, problem.count, problem.total, problem.rows) == (
            "tables.mixed_encoding",
            1,
            7,
            (4,),
        )


@pytest.mark.parametrize("declared", ["utf-16", "utf-32", "cp932"])
def test_a_declared_encoding_that_is_not_the_files_is_a_sentence(shop, declared):
    content = (HEADER + row(1, "x") + row(2, "y")).encode() if declared != "cp932" else b"\x81,\xff\n"
    for problems in shop(content, encoding=declared):
        asked = ("tables.unreadable",) if declared == "cp932" else ("tables.encoding", "exports.encoding")
        assert problems[0].key in asked, "what fits no encoding is not told to be in its own"


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp932", "UTF8"]
)
def test_declared_encodings_read(tmp_path, encoding):
    file = tmp_path / "orders.csv"
    file.write_bytes((HEADER + row(1, "石鹸") + row(2, '"a\nb"')).encode(encoding))
    cells, _ = read_cells(file, Form("orders.csv", encoding))
    assert cells["f0"].to_pylist() == ["order_id", "O1", "O2"]
    assert cells["f5"].to_pylist()[1:] == ["石鹸", "a\nb"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read_by_its_zeros(tmp_path, encoding):
    file = tmp_path / "orders.csv"
    file.write_bytes((HEADER + row(1, "x")).encode(encoding))
    assert read_cells(file, Form("orders.csv", "utf-16"))[0]["f5"].to_pylist() == ["product", "x"]


@pytest.mark.parametrize("word", ["鈴木", "石けん", "カタログ", "東京都", "お茶（大）"])
@pytest.mark.parametrize("wrong", ["cp932", "cp1252", "latin-1"])
def test_utf_8_taken_for_another_encoding_is_seen(word, wrong):
    import pandas as pd

    try:
        garbled = word.encode().decode(wrong)
    except UnicodeDecodeError:
        pytest.skip("no such misreading: the reader would have stopped")
    assert misread(pd.Series(["ok", word, garbled, None])).tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    "cell", ["Ã¤", "MÃ¼ller", "CafÃ©", "驤ｴ譛ｨ", "\ufffd", "a\ufffdb", "ƒJƒ^ƒƒO", "\x81\x82"]
)
def test_letters_that_were_lost_are_seen(cell):
    import pandas as pd

    assert misread(pd.Series([cell])).tolist() == [True]


@pytest.mark.parametrize(
    "cell",
    [
        "Müller",
        "São Paulo",
        "Ærø",
        "naïve",
        "ÀÉÎ",
        "鈴木",
        "ｻﾄｳ ﾀﾛｳ",
        "髙橋",
        "①②",
        "Straße",
        "“quoted”",
        "50 €",
        "ü",
        "綺麗",
    ],
)
def test_letters_of_many_languages_are_right(cell):
    import pandas as pd

    assert misread(pd.Series([cell])).tolist() == [False]


def test_misread_lines_inside_a_cp932_file_are_noticed(tmp_path):
    lines = [row(n, "鈴木").encode("cp932") for n in range(1, 6)]
    lines[2] = row(3, "鈴木").encode()
    (tmp_path / "orders.csv").write_bytes(HEADER.encode() + b"".join(lines))
    (tmp_path / "dataset.yml").write_text(SETTINGS % "cp932")
    data_set = open_data(tmp_path)
    (notice,) = data_set.load("orders")
    assert (notice.key, notice.column, notice.count, notice.rows) == ("tables.misread", "product", 1, (3,))
    (tmp_path / "m.yaml").write_text(MAPPING % ("orders.csv", "cp932", ","))
    notices = import_export(tmp_path / "m.yaml", tmp_path, tmp_path / "out").attrs["notices"]
    assert [(found.key, found.count, found.rows) for found in notices] == [("tables.misread", 1, (3,))]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "tables.empty"),
        (b"\n\n", "tables.empty"),
        (b"\x1f\x8b broken", "tables.unreadable"),
        (gzip.compress(HEADER.encode(), mtime=0)[:-6], "tables.unreadable"),
        (b"PK\x03\x04 zip", "tables.wrong_kind"),
        (gzip.compress(b"PK\x03\x04 zip", mtime=0), "tables.wrong_kind"),
        (b"\xfd7zXZ\x00", "tables.wrong_kind"),
        (b"BZh91AY", "tables.wrong_kind"),
        (b"\x28\xb5\x2f\xfd zst", "tables.wrong_kind"),
        (b"x" * 257 + b"ustar", "tables.wrong_kind"),
        (b"\xd0\xcf\x11\xe0 xls", "tables.wrong_kind"),
        (HEADER.encode() + b"O1,1,C\0,2026-09-01,1,x\n", "tables.no_text"),
        (b",".join(b"c%d" % n for n in range(2_001)) + b"\n", "tables.too_many_columns"),
        (gzip.compress(HEADER.encode() + row(1, "x").encode() * 200_000, mtime=0), "tables.unfolds"),
        (HEADER.encode() + b"O1,1,C1,2026-09-01,1," + b"x" * (17 << 20) + b"\n", "tables.long_line"),
        (HEADER.encode() + b'O1,1,C1,2026-09-01,1,"' + b"x\n" * (1 << 20), "tables.quote_unclosed"),
    ],
)
def test_what_is_no_text_of_a_bounded_size_stops_soon(tmp_path, monkeypatch, content, key):
    monkeypatch.setattr(_stream, "SURELY_FINE", 1 << 20)
    file = tmp_path / "orders.csv"
    file.write_bytes(content)
    began = time.process_time()
    with pytest.raises(TableError) as told:
        read_cells(file, Form("orders.csv"))
    assert [problem.key for problem in told.value.problems] == [key]
    assert all(problem.text(lang) for problem in told.value.problems for lang in ("en", "ja"))
    assert time.process_time() - began < 10


def test_rows_with_too_few_or_many_cells_are_numbered_and_counted(shop):
    for rows, number, found in (
        (row(1, "a") + "O2,0000,C2,2026-09-02,40", 2, 5),
        (row(1, "a") + row(2, "Tea, large") + row(3, "a"), 2, 7),
        (row(1, "a") + "Confidential Information - Do Not Distribute\n", 2, 1),
    ):
        for problems in shop((HEADER + rows).encode()):
            (problem,) = problems
            assert problem.key.endswith(".ragged")
            assert (problem.count, problem.rows) == (1, (number,))
            assert f" {found})" in problem.text()


@pytest.mark.parametrize("skip", [0, 1, 3])
def test_lines_before_the_header_are_skipped_in_every_form(tmp_path, skip):
    file = tmp_path / "orders.csv"
    for ends in ("\n", "\r\n", "\r"):
        for encoding in ("utf-8", "utf-16", "cp932"):
            text = "表,1\n" * skip + HEADER + row(1, "a")
            file.write_bytes(text.replace("\n", ends).encode(encoding))
            cells, _ = read_cells(file, Form("orders.csv", encoding, skip=skip))
            assert cells["f0"].to_pylist() == ["order_id", "O1"]


@pytest.mark.parametrize(("key", "value"), [("skip", 20_000_000), ("skip", -1), ("header_rows", 99)])
def test_lines_to_skip_are_bounded(tmp_path, key, value):
    mapping = tmp_path / "m.yaml"
    text = (MAPPING % ("o.csv", "utf-8", ",")).replace("encoding", f"{key}: {value}\n    encoding")
    mapping.write_text(text)
    with pytest.raises(InputError, match=key):
        import_export(mapping, tmp_path, tmp_path / "out")


@pytest.mark.parametrize("delimiter", ["\\n", "\\r", '\\"', "'", "a", "1", "\\0", "、", ";;", "", ".", "-"])
def test_delimiters_that_cannot_separate_are_refused(tmp_path, delimiter):
    mapping = tmp_path / "m.yaml"
    mapping.write_text(MAPPING % ("o.csv", "utf-8", delimiter))
    with pytest.raises(InputError, match="delimiter"):
        import_export(mapping, tmp_path, tmp_path / "out")
