"""Letters that were read in another encoding than they were written in, told by their look."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

#: Sure signs: the letter that stands for a lost one, and control characters no text holds.
_SURE = "[\ufffd\u0080-\u0084\u0086-\u009f]"
_CONTINUED = range(0x80, 0xC0)
MANY = 3


def misread(texts: pd.Series) -> np.ndarray:
    """Mask of the cells whose letters were lost or misread.

    Looked for: the replacement sign; UTF-8 taken for cp932 (`驤ｴ譛ｨ` for 鈴木) or for a Western encoding
    (`Ã¤` for ä); cp932 taken for a Western encoding (`ƒJƒi`).
    """
    cells = pa.array(texts, pa.string())
    if pc.all(pc.string_is_ascii(cells)).as_py() is not False:
        return np.zeros(len(texts), dtype=bool)
    sure = _fits(cells, _SURE)
    at = np.flatnonzero(_fits(cells, _suspect()) & ~sure)
    read = {cell: _is_misread(cell) for cell in {cells[int(row)].as_py() for row in at}}
    sure[at] = [read[cells[int(row)].as_py()] for row in at]
    return sure


def _fits(cells: pa.Array, pattern: str) -> np.ndarray:
    found = pc.fill_null(pc.match_substring_regex(cells, pattern), fill_value=False)
    return np.array(found.to_numpy(zero_copy_only=False), dtype=bool)


@functools.cache
def _suspect() -> str:
    """Pairs of letters that two bytes of UTF-8 become in another encoding."""
    tails = "".join(sorted(_single("cp1252") | {chr(code) for code in _CONTINUED}))
    tails = "".join(f"\\{sign}" if sign in "^-]\\" else sign for sign in tails)
    kanji = "".join(sorted(_kanji()))
    return f"[{kanji}]|[\uff82-\uff9f][\uff61-\uff7f]|[\u00c2-\u00f4][{tails}]|[\u201a\u0192].[\u201a\u0192]"


def _single(encoding: str) -> set[str]:
    """Letters of the bytes that continue a letter of UTF-8."""
    return {bytes([code]).decode(encoding) for code in _CONTINUED if bytes([code]).decode(encoding, "ignore")}


@functools.cache
def _kanji() -> frozenset[str]:
    """Rare kanji that the first two bytes of a Japanese letter in UTF-8 become in cp932."""
    pairs = (
        bytes([lead, tail]).decode("cp932", "ignore") for lead in range(0xE2, 0xEA) for tail in _CONTINUED
    )
    return frozenset(letter for letter in pairs if len(letter) == 1)


def _is_misread(cell: str) -> bool:
    japanese = _again(cell, "cp932", "utf-8")
    if japanese is not None and any(ord(letter) >= 0x800 for letter in japanese):
        return True
    for encoding in ("cp1252", "latin-1"):
        western = _again(cell, encoding, "utf-8")
        if western is not None and not western.isascii():
            return True
        if cell.count("\u0192") + cell.count("\u201a") >= MANY - 1:
            shifted = _again(cell, encoding, "cp932")
            if shifted is not None and any("\u3040" <= letter <= "\u9fff" for letter in shifted):
                return True
    rare = sum(letter in _kanji() for letter in cell)
    return rare >= MANY and rare * MANY >= sum(not letter.isascii() for letter in cell)


def _again(cell: str, written: str, read: str) -> str | None:
    try:
        return cell.encode(written).decode(read)
    except UnicodeError:
        return None
