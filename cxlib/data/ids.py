"""What spreadsheets do to ids, read off the ids: decimals, powers of ten, dates, lost zeros, spellings."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.checks.near_names import MAIL

_MONTHS = (
    "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mrz|Mär|Mai|Okt|Dez"
    "|January|February|March|April|June|July|August|September|October|November|December"
    "|janv|févr|mars|avr|juin|juil|août|déc"
)
PROTECTED = r'^="(.*)"$'
WHOLE = r"^([0-9]+)\.0+$"
SHAPES = {
    #: Digits that are gone: 1.23457E+12, 1,2E+12, full-width ones too.
    "scientific": r"^[0-9０-９][.,．，]?[0-9０-９]*[eEｅＥ][+＋][0-9０-９]+$|^[0-9][.,][0-9]+[eE]-?[0-9]+$",
    "fraction": r"^[0-9０-９]+[.．][0-9０-９]*[1-9１-９][0-9０-９]*$",
    "date": "|".join(
        (
            rf"^[0-9]{{1,2}}[- ](?i:{_MONTHS})\.?(?:[- ][0-9]{{2,4}})?$",
            rf"^(?:{_MONTHS})\.?(?:-[0-9]{{2}}| [0-9]{{1,2}}(?:, ?[0-9]{{4}})?)$",
            r"^(?:(?:昭和|平成|令和)?(?:[0-9]{1,4}|元)年)?[0-9]{1,2}月(?:[0-9]{1,2}日)?$|^[0-9]{4}年$",
            r"^[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}(?:[ T].*)?$",
            r"^[0-9]{1,2}[/.][0-9]{1,2}[/.](?:[0-9]{2}|[0-9]{4})(?: .*)?$",
            r"^[0-9]{1,2}/[0-9]{1,2}$|^[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?$",
        )
    ),
    #: A number as people write it: 1,001, 1'001, 12,5 or 1.001,00; an id that begins with 0 is none.
    "written_number": (
        r"^[1-9１-９][0-9０-９]{0,2}(?:[,，.．'’\x{00A0}\x{202F}][0-9０-９]{3})+(?:[.,．，][0-9０-９]*)?$"
        r"|^[1-9][0-9]*(?:[.,]|[,，][0-9]{1,2})$"
    ),
    "power": r"^[0-9]+[eE][0-9]+$",
    "broken": r"^#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|GETTING_DATA|SPILL!|###+)$",
    "mail": MAIL,
    "several_lines": r"[\r\n]",
}
#: Words that stand for "nobody"; as an id they make one customer of many people.
NOBODY: tuple[str, ...] = ("NA", "N/A", "n/a", "NULL", "Null", "null", "NaN", "nan", "None", "none", "nil")
NOBODY += ("undefined", "unknown", "-", "--", "?", "不明", "なし", "非会員", "guest", "Guest", "anonymous")
NOBODY += (
    "GUEST",
    "ゲスト",
    "ゲスト購入",
    "ゲスト会員",
    "未登録",
    "未会員",
    "会員外",
    "匿名",
    "会員登録なし",
    "ー",
    "―",
)
#: Signs between several ids of one cell: hardly ever part of an id, and those that some ids hold.
LIST_SIGNS, OTHER_SIGNS = ";；、", ",，|｜/／&+"
SIGN = f"[{LIST_SIGNS}{OTHER_SIGNS}]"
_INVISIBLE = "[\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad]"


def cleaned(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids without surrounding spaces and byte order marks, out of the `="007"` that guards their zeros."""
    bare = pc.replace_substring(pc.utf8_trim_whitespace(values), "\ufeff", "")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(bare, PROTECTED, r"\1"))


def plain_id(cell: str) -> str:
    """One id without spaces around, the guard of its zeros and the decimals of a whole number.

    Examples
    --------
    >>> plain_id('="007"'), plain_id("1001.0"), plain_id(" a.0 ")
    ('007', '1001', 'a.0')
    """
    return re.sub(WHOLE, r"\1", re.sub(PROTECTED, r"\1", cell.strip()).strip())


def is_nobody(cell: str) -> bool:
    """Whether one cell is empty, a word for nobody, or an error of a sheet."""
    return cell in ("", *NOBODY) or re.match(SHAPES["broken"], cell) is not None


def shaped(values: pa.ChunkedArray, shape: str) -> Any:
    """Mask of the ids of one of `SHAPES`, missing ones not among them."""
    return pc.fill_null(pc.match_substring_regex(values, SHAPES[shape]), fill_value=False)


def folded(values: Any) -> Any:
    """Ids as one spelling: without case, width and invisible signs."""
    wide = values if _all(pc.string_is_ascii(values)) else pc.utf8_normalize(values, form="NFKC")
    plain = wide if wide is values else pc.replace_substring_regex(wide, _INVISIBLE, "")
    return pc.utf8_lower(pc.utf8_trim_whitespace(plain))


def spelled_otherwise(values: pa.ChunkedArray) -> Any | None:
    """Mask of ids that another id equals but for case, width or invisible signs; None when there are none."""
    known = pc.unique(values).drop_null()
    table = pa.table({"folded": folded(known), "id": known})
    counts = table.group_by("folded").aggregate([("id", "count")])
    twice = counts.filter(pc.greater(counts["id_count"], 1))["folded"]
    if not len(twice):
        return None
    again = table.filter(pc.is_in(table["folded"], value_set=twice.combine_chunks()))["id"]
    return pc.is_in(values, value_set=again.combine_chunks())


def zeros_in_part(values: pa.ChunkedArray) -> Any | None:
    """Mask of whole numbers shorter than all those that begin with 0; None when there are none.

    Where some ids are padded with zeros to one width, a shorter one has lost its own.
    """
    padded = values.filter(pc.match_substring_regex(values, "^0[0-9]+$"))
    widths = pc.unique(pc.utf8_length(padded))
    if len(widths) != 1:
        return None
    digits = pc.match_substring_regex(values, "^[1-9][0-9]*$")
    short = pc.fill_null(pc.and_(digits, pc.less(pc.utf8_length(values), widths[0])), fill_value=False)
    return short if pc.any(short).as_py() else None


def powers_of_ten(some: pa.ChunkedArray, ids: pa.ChunkedArray) -> Any:
    """Mask of ids such as 1E5 where others are of digits and none has letters: no code, but a number."""
    mask = shaped(some, "power")
    if not pc.any(mask).as_py():
        return mask
    others = ids.filter(pc.invert(shaped(ids, "power"))).drop_null()
    digits, letters = (
        pc.any(pc.match_substring_regex(others, f"^{one}")) for one in ("[0-9]+$", ".*[A-Za-z]")
    )
    return pc.and_(mask, bool(digits.as_py()) and not letters.as_py())


def several_in_one(some: pa.ChunkedArray, ids: pa.ChunkedArray) -> tuple[pa.BooleanArray, str]:
    """Mask of cells that hold several ids, and the sign between the first of them; "" where none does.

    A semicolon or 、 is no part of an id. A comma, slash or bar may be: with it, each part has to look
    like the ids that stand alone, and to be one of them where the cell may be a number, too (12,34).

    Examples
    --------
    >>> cells = pa.chunked_array([["A1", "A2;A3", "A4,A5", "A6/b"]])
    >>> mask, sign = several_in_one(cells, cells)
    >>> mask.to_pylist(), sign
    ([False, True, True, False], ';')
    """
    found = np.zeros(len(some), dtype=bool)
    maybe = np.flatnonzero(pc.fill_null(pc.match_substring_regex(some, SIGN), fill_value=False))
    if not len(maybe):
        return pa.array(found), ""
    cells = pc.replace_substring_regex(some.take(pa.array(maybe)), r"[\[\](){}'\"\s]", "")
    alone = pc.unique(ids.filter(pc.invert(pc.match_substring_regex(ids, SIGN))))
    forms = set(_form(alone).to_pylist())
    of_cell = _form(cells).combine_chunks().dictionary_encode()
    fits = [_are_several(form, forms) for form in of_cell.dictionary.to_pylist()]
    found[maybe] = np.array(fits)[of_cell.indices.to_numpy()]
    known = set(alone.to_pylist())
    for at in np.flatnonzero(found & shaped(some, "written_number").to_numpy()):
        found[at] = _are_several(some[int(at)].as_py(), known)
    first = some[int(found.argmax())].as_py() if found.any() else ""
    return pa.array(found), _sign_in(first)


def _sign_in(cell: str) -> str:
    return next((sign for sign in LIST_SIGNS + OTHER_SIGNS if sign in cell), "")


def _are_several(cell: str, known: Collection[str]) -> bool:
    """Whether a cell has parts that are ids, by what ids are known."""
    sign = _sign_in(cell)
    parts = [part for part in cell.split(sign) if part] if sign else []
    return len(parts) > 1 and (sign in LIST_SIGNS or all(part in known for part in parts))


def _form(ids: Any) -> Any:
    """Ids with every letter as a and every digit as 9."""
    return pc.replace_substring_regex(pc.replace_substring_regex(ids, "[A-Za-z]", "a"), "[0-9]", "9")


def _all(mask: Any) -> bool:
    return pc.all(mask).as_py() is not False
