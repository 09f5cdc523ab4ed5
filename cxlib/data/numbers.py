"""Numbers as people and systems write them: read when they can mean one thing only, else not at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WIDE = str.maketrans(
    {chr(0xFF10 + digit): str(digit) for digit in range(10)}
    | {"，": ",", "．": ".", "－": "-", "−": "-", "＋": "+", "Ｅ": "E", "ｅ": "e", "（": "(", "）": ")"}
    | dict.fromkeys("\u00a0\u2007\u2009\u202f\u3000", " ")
    | dict.fromkeys("’＇", "'")
)
#: Signs behind a number that make it larger or smaller, as powers of ten.
POWERS = {"%": -2, "千": 3, "万": 4, "百万": 6, "億": 8, "千円": 3, "万円": 4, "百万円": 6, "億円": 8}
_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_SIGNS = {"sign": "", "parentheses": "(", "triangle": "△▲", "trailing": "-"}


def plain_number(cell: str) -> str | None:
    """Return a number written plainly, full-width digits included, as Python reads it; else None.

    Examples
    --------
    >>> plain_number(" −１２.5 "), plain_number("1,200"), plain_number("1_000"), plain_number("①")
    ('-12.5', None, None, None)
    """
    text = cell.translate(_WIDE).strip()
    return text if _PLAIN.fullmatch(text) or _INFINITE.fullmatch(text) else None


def styled_number(
    cell: str,
    *,
    thousands: str = "",
    decimal: str = ".",
    symbols: Sequence[str] = (),
    negative: str | Sequence[str] = "sign",
) -> str | None:
    """Return a number in a declared style as Python reads it; None when it is not one in that style.

    Parameters
    ----------
    cell : str
        Full-width digits and signs count as the usual ones.
    thousands : str
        Sign between groups of three digits before the decimal sign; spaces may stand there in any case.
    decimal : str
        Sign before the decimals.
    symbols : sequence of str
        What may stand before or behind the number, such as a currency sign. Those of `POWERS` count: with
        them 35% is 0.35 and 12万円 is 120000.
    negative : {"sign", "parentheses", "triangle", "trailing"} or sequence of them
        How a number below zero may be marked, besides a minus before it; one mark at a time.

    Examples
    --------
    >>> styled_number("¥1,234.50", thousands=",", symbols=["¥"])
    '1234.50'
    >>> [styled_number(cell, negative=["parentheses", "triangle"]) for cell in ("(5)", "▲5", "(▲5)")]
    ['-5.0', '-5.0', None]
    >>> styled_number("35%", symbols=["%"]), styled_number("3千万円", symbols=["円", "万", "千"])
    ('35.0e-2', '3.0e7')
    >>> styled_number("1,234-", thousands=",", negative="trailing")
    '-1234.0'
    >>> [styled_number(cell, thousands=",") for cell in ("12,50", "1,2,3", "1.234,50", "1,23,456")]
    [None, None, None, None]
    """
    point, comma = (sign.translate(_WIDE) for sign in (decimal, thousands))
    text = unicodedata.normalize("NFKC", cell).translate(_WIDE) if _harmless(cell) else cell.translate(_WIDE)
    marks = "".join(_SIGNS[kind] for kind in ([negative] if isinstance(negative, str) else negative))
    inner, is_negative, power = _unwrapped(text, [_folded(symbol) for symbol in symbols], marks)
    if inner is None:
        return None
    group = re.escape(comma) if comma.strip() else " "
    whole = rf"[1-9][0-9]{{0,2}}(?:(?:{group}[0-9]{{3}})+|(?: [0-9]{{3}})+)|[0-9]+"
    fits = re.fullmatch(rf"({whole})?(?:{re.escape(point)}([0-9]*))?([eE][+-]?[0-9]{{1,3}})?", inner)
    if fits is None or not (fits[1] or fits[2]) or (power and fits[3]):
        return None
    digits = re.sub(r"[^0-9]", "", fits[1] or "")
    exponent = f"e{power}" if power else fits[3] or ""
    return f"{'-' if is_negative else ''}{digits or '0'}.{fits[2] or '0'}{exponent}"


def _folded(sign: str) -> str:
    return unicodedata.normalize("NFKC", sign).strip()


def _harmless(cell: str) -> bool:
    """Whether compatibility forms in a cell are signs, not digits in disguise such as ① or ²."""
    return not any(
        unicodedata.normalize("NFKC", letter) != letter
        and any(map(str.isdigit, unicodedata.normalize("NFKC", letter)))
        for letter in cell
        if not "０" <= letter <= "９"
    )


def _unwrapped(text: str, symbols: Sequence[str], marks: str) -> tuple[str | None, bool, int]:
    """Text without one mark of a negative number and without symbols at its ends, and what they said."""
    text, is_negative, is_signed, power = text.strip(), False, False, 0
    while text:
        symbol = next((sign for sign in symbols if sign and text.startswith(sign)), None)
        is_marked = text[0] in "+-" or (text[0] in "△▲" and "△" in marks)
        is_behind = text[-1] == "-" and "-" in marks and len(text) > 1
        is_bracketed = text[0] == "(" and "(" in marks and text[-1] == ")"
        if symbol:
            text = text[len(symbol) :].lstrip()
        elif is_marked or is_behind or is_bracketed:
            if is_signed:
                return None, False, 0
            is_signed, is_negative = True, text[0] != "+" or is_behind
            cut = slice(1, -1) if is_bracketed else slice(1, None) if is_marked else slice(None, -1)
            text = text[cut].strip()
        elif symbol := next((sign for sign in symbols if sign and text.endswith(sign)), None):
            power += POWERS.get(symbol, 0)
            text = text[: -len(symbol)].rstrip()
        else:
            break
    return text or None, is_negative, power
