"""What spreadsheets do to ids, read off the ids: decimals, powers of ten, dates, lost zeros, spellings."""

from __future__ import annotations

from typing import Any

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
_INVISIBLE = "[\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad]"


def cleaned(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids without surrounding spaces and byte order marks, out of the `="007"` that guards their zeros."""
    bare = pc.replace_substring(pc.utf8_trim_whitespace(values), "\ufeff", "")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(bare, PROTECTED, r"\1"))


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


def _all(mask: Any) -> bool:
    return pc.all(mask).as_py() is not False
