"""Text catalogue, safe display text and number formats of the two languages.

Nothing here reads the machine's locale: the language is always an argument.
"""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from cxlib.language.sentence_forms import fitted

LANGUAGES = ("en", "ja")

#: How each unit is written: a number pattern (babel), the factor from stored to shown, and a catalogue
#: key for the unit word or None. Shares and differences of shares (`pp`) are stored as fractions.
_PATTERNS: dict[str, tuple[str, float, str | None]] = {
    "share": ("#,##0.0%", 1.0, None),
    "set_share": ("#,##0.##%", 1.0, None),  # chosen, not measured: 10%, not 10.0%
    "probability": ("#,##0.0%", 1.0, None),
    "pp": ("+#,##0.0;-#,##0.0", 100.0, "language.unit_pp"),
    "points": ("#,##0.0", 1.0, None),
    "score": ("#,##0.00", 1.0, None),
    "valence": ("+#,##0.00;-#,##0.00", 1.0, None),
    "count": ("#,##0", 1.0, None),
    "days": ("#,##0.#", 1.0, None),
    "hours": ("#,##0.#", 1.0, "language.unit_hours"),  # by size: minutes below one, days from four days on
    "months": ("#,##0.#", 1.0, None),
    "ratio": ("#,##0.00", 1.0, None),
    "p_value": ("0.###", 1.0, None),
    "number": ("#,##0.###", 1.0, None),
}
#: Units of `hours` by size, the longest first: from how many hours on, how many of it are in an hour, word.
_SPANS = ((96.0, 1 / 24, "language.unit_days"), (59.5 / 60, 1.0, "language.unit_hours"))
_MINUTES = (0.0, 60.0, "language.unit_minutes")
UNITS = (*_PATTERNS, "currency", "date", "text")
MISSING = "–"
TEXT_LIMIT = 200


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All entries of `cxlib/text/*.yml`, as `key -> language -> template`; a key lives in one file only."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # both are safe; the one in C is ten times faster
    entries: dict[str, dict[str, str]] = {}
    # `text` is a folder, not a package: as a package it would hide the function `cx.text`
    for source in sorted(files("cxlib").joinpath("text").iterdir(), key=lambda path: path.name):
        if source.name.endswith(".yml"):
            loaded = yaml.load(
                source.read_text(encoding="utf-8"), Loader=loader
            )  # a safe loader, the faster one
            for key, templates in (loaded or {}).items():
                if key in entries:
                    raise ValueError(f"text key {key!r} stands twice; the second time in {source.name}")
                entries[key] = templates
    return entries


@cache
def glossary() -> dict[str, dict[str, Any]]:
    """Terms of the handbook in the order of `docs/glossary.yml`, read by reports, lessons and the site alike.

    Returns
    -------
    dict
        By term: `en` and `ja`, its word in either language; `meaning`, by language; and where they are not
        just that word, `found`, by language the words by which a text speaks of it. The rest is for tests.

    Examples
    --------
    >>> glossary()["nps"]["meaning"]["en"][:29], glossary()["detractor"]["ja"]
    ('share of promoters less share', '批判者')
    """
    import yaml

    package = Path(__file__).parents[
        1
    ]  # an installed one has brought the file along, as `data/places.py` says
    inside, beside = (folder / "docs" / "glossary.yml" for folder in (package / "handbook", package.parent))
    source = inside if inside.exists() else beside
    terms: dict[str, dict[str, Any]] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return terms


def text(key: str, lang: str = "en", **values: object) -> str:
    """One catalogue entry in `lang`, its placeholders filled in with `values` (already formatted text).

    Examples
    --------
    >>> text("language.list_join", "en", first="a", last="b")
    'a and b'
    >>> text("impact.groups_one_arm", count=1)[:23], text("impact.groups_one_arm", count=2)[:23]
    ('1 group is left out: al', '2 groups are left out: ')
    """
    return fitted(catalogue()[key][lang], lang, values).format(**values)


def column_word(name: str, lang: str = "en") -> str:
    """Heading of a column in `lang`; its own name where the handbook has no word for it.

    Examples
    --------
    >>> column_word("region"), column_word("shoe_size")
    ('Region', 'shoe_size')
    """
    return text(f"column.{name}", lang) if has_text(f"column.{name}") else name


def has_text(key: str) -> bool:
    """Whether the catalogue has an entry `key`."""
    return key in catalogue()


def key_for(key: str, verdict: str | None) -> str:
    """Entry of a sentence in the words of its verdict: `key.verdict` where there is one, else `key`.

    Examples
    --------
    >>> key_for("nps.moved", "no_difference_shown"), key_for("nps.moved", "risen")
    ('nps.moved.no_difference_shown', 'nps.moved')
    """
    own = f"{key}.{verdict}"
    return own if has_text(own) else key


def clean_text(value: object, *, limit: int = TEXT_LIMIT) -> str:
    r"""Text of unknown origin made safe to look at: one line, nothing invisible, at most `limit` characters.

    Line breaks and tabs become a space; zero-width, right-to-left, control, private and unassigned characters
    become the visible replacement mark, so that two texts that differ still look different. Escaping for HTML
    is left to whoever writes the HTML.

    Examples
    --------
    >>> clean_text("a\u200bb\n\u202ec")
    'a�b �c'
    >>> clean_text("x" * 300, limit=5)
    'xxxx…'
    """
    raw = str(value)
    shown = "".join(_clean_character(character) for character in raw[: limit + 1])
    return shown if len(raw) <= limit else shown[: limit - 1] + "…"


def _clean_character(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace() or category in ("Zl", "Zp"):
        return " "
    return "\ufffd" if category in ("Cc", "Cf", "Cs", "Co", "Cn") else character


def format_value(
    value: object, unit: str = "number", lang: str = "en", *, currency: str | None = None, worded: bool = True
) -> str:
    """One value as people read it, by its unit; missing is a dash.

    Parameters
    ----------
    value
        A number, date or text; missing (None, NaN, NaT) gives a dash.
    unit
        One of `UNITS`. `share` and `pp` take fractions and show percent and percentage points; `set_share`
        a share that was set, such as a parameter, as it was written;
        `probability` as `share`, but never 0 or 100 percent, which resamples cannot show; `p_value` has
        three decimals and is never 0; `points`
        (NPS), `score`, `days`, `months`, `ratio`, `count` show the bare number, the words around it name
        the unit; `hours` are told in minutes, hours or days by their size, always with the word.
    lang
        Language of the text.
    currency
        ISO code, for `unit="currency"`; decides the sign and the decimals (none for the yen).
    worded
        False leaves out the word for percentage points (for table cells whose heading has it).

    Examples
    --------
    >>> format_value(0.3642, "share"), format_value(0.021, "pp"), format_value(0.021, "pp", "ja")
    ('36.4%', '+2.1 pp', '+2.1ポイント')
    >>> format_value(1234567.4, "currency", "ja", currency="JPY"), format_value(float("nan"), "score")
    ('1,234,567円', '–')
    >>> format_value(0.17, "hours"), format_value(30, "hours"), format_value(120, "hours", "ja")
    ('10 minutes', '30 hours', '5日')
    """
    if is_missing(value):
        return MISSING
    if isinstance(value, dt.date) or unit == "date":
        return format_date(value, lang)
    if unit == "text" or isinstance(value, str | bool):
        return clean_text(value)
    number = float(value)  # type: ignore[arg-type]
    shown = _format_number(number, unit, lang, currency, worded=worded)
    return shown.replace("-", "−") if lang == "ja" else shown  # a hyphen is no minus in Japanese type


def _format_number(number: float, unit: str, lang: str, currency: str | None, *, worded: bool) -> str:
    if number in (float("inf"), float("-inf")):
        return "∞" if number > 0 else "-∞"
    if unit == "currency":
        return _format_currency(number, lang, currency)
    if unit == "hours":
        return _format_hours(number, lang, _span(number))
    return _format_pattern(number, unit, lang, worded=worded)


def shown_number(value: float, unit: str = "number", *, currency: str | None = None) -> float:
    """Round a number to what `format_value` shows of it, in the unit it is shown in (percent for a share).

    Examples
    --------
    >>> shown_number(0.00049, "pp"), shown_number(0.0006, "pp"), shown_number(0.4, "currency", currency="JPY")
    (0.0, 0.1, 0.0)
    """
    if not math.isfinite(value):
        return value
    if unit == "hours":
        span = _span(value)
        number = value * span[1]
        return round(number, 0 if span is _MINUTES and abs(number) >= 1 else 1) / span[1]
    decimals, factor = _precision(value, unit, currency)
    step = Decimal(1).scaleb(-decimals)
    shown = float(Decimal(str(value * factor)).quantize(step, rounding=ROUND_HALF_EVEN)) + 0.0
    # below the last place a number without a unit is shown as "<0.001", which is not zero
    return value if unit == "number" and shown == 0 else shown


def _precision(value: float, unit: str, currency: str | None) -> tuple[int, float]:
    """Decimals shown, and the factor from stored to shown."""
    if unit == "currency":
        from babel.numbers import get_currency_precision

        return (2 if currency is None else get_currency_precision(currency)), 1.0
    pattern, factor, _ = _PATTERNS[unit]
    if unit == "number" and abs(value) >= 10:
        return (2 if abs(value) < 100 else 1 if abs(value) < 1_000 else 0), factor
    number = pattern.split(";")[0].rstrip("%")
    return len(number.partition(".")[2]), factor * (100 if "%" in pattern else 1)


def is_missing(value: object) -> bool:
    """Whether a single value is missing: None, NaN, NaT or pandas' NA, without importing pandas."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def _format_pattern(number: float, unit: str, lang: str, *, worded: bool) -> str:
    from babel.numbers import format_decimal

    pattern, factor, word = _PATTERNS[unit]
    if unit == "p_value" and number < 0.001:
        return "<0.001"
    if unit == "number" and 0 < abs(number) < 0.001:
        return "<0.001" if number > 0 else ">-0.001"
    if unit == "probability" and not 0.0005 <= number < 0.9995:
        key, end = ("language.above", 0.999) if number > 0.5 else ("language.below", 0.001)
        return text(key, lang, value=format_decimal(end, format=pattern, locale=lang))
    if unit == "number" and abs(number) >= 10:
        pattern = "#,##0.##" if abs(number) < 100 else "#,##0.#" if abs(number) < 1_000 else "#,##0"
    shown = _positive_zero(format_decimal(number * factor, format=pattern, locale=lang))
    return text(word, lang, value=shown) if word and worded else shown


def _span(hours: float) -> tuple[float, float, str]:
    """Choose the unit in which so many hours are told; what would read as 60 minutes is an hour."""
    return next((span for span in _SPANS if abs(hours) >= span[0]), _MINUTES)


def _format_hours(hours: float, lang: str, span: tuple[float, float, str], *, worded: bool = True) -> str:
    from babel.numbers import format_decimal

    number = hours * span[1]
    pattern = "#,##0" if span is _MINUTES and abs(number) >= 1 else "#,##0.#"
    shown = _positive_zero(format_decimal(number, format=pattern, locale=lang))
    return text(span[2], lang, value=shown) if worded else shown


def _format_currency(number: float, lang: str, currency: str | None) -> str:
    from babel.numbers import format_currency, format_decimal

    if currency == "JPY" and lang == "ja":
        shown = _positive_zero(format_decimal(number, format="#,##0", locale=lang))
        return text("language.unit_yen", lang, value=shown)
    if currency is None:
        return format_decimal(number, format="#,##0.00", locale=lang)
    return _positive_zero(format_currency(number, currency, locale=lang))


def _positive_zero(shown: str) -> str:
    """Write `-0.0` and `+0.0` as `0.0`: a sign that rounding emptied says something false."""
    return shown if any(digit in shown for digit in "123456789") else shown.lstrip("+-")


def format_interval(
    low: object, high: object, unit: str = "number", lang: str = "en", *, currency: str | None = None
) -> str:
    """Both ends of an interval as text; a dash when an end is missing.

    Examples
    --------
    >>> format_interval(0.12, 0.2, "share"), format_interval(0.12, 0.2, "share", "ja")
    ('12.0% to 20.0%', '12.0%～20.0%')
    >>> format_interval(0.1, 0.2, "hours"), format_interval(0.1, 2, "hours")
    ('6 to 12 minutes', '6 minutes to 2 hours')
    """
    if is_missing(low) or is_missing(high):
        return MISSING
    if unit == "hours":
        first, last = float(low), float(high)  # type: ignore[arg-type]
        is_same = _span(first) == _span(last)
        shown = _format_hours(first, lang, _span(first), worded=not is_same)
        return text("language.interval", lang, low=shown, high=format_value(last, unit, lang))
    ends = [format_value(end, unit, lang, currency=currency, worded=False) for end in (low, high)]
    return text("language.interval", lang, low=ends[0], high=ends[1])


def format_date(value: object, lang: str = "en") -> str:
    """Write a date (or a timestamp's date, or ISO text) in the language's medium form.

    Examples
    --------
    >>> format_date("2026-10-01"), format_date("2026-10-01", "ja")
    ('Oct 1, 2026', '2026年10月1日')
    """
    from babel.dates import format_date as babel_date

    day = dt.date.fromisoformat(str(value)[:10])
    return babel_date(day, format="long" if lang == "ja" else "medium", locale=lang)


def join_list(items: Iterable[object], lang: str = "en") -> str:
    """Items joined as the language joins them.

    Examples
    --------
    >>> join_list(["a", "b", "c"]), join_list(["a", "b", "c"], "ja"), join_list([])
    ('a, b and c', 'a、b、c', '–')
    """
    words: Sequence[str] = [str(item) for item in items]
    if not words:
        return MISSING
    if len(words) == 1:
        return words[0]
    first = text("language.list_separator", lang).join(words[:-1])
    return text("language.list_join", lang, first=first, last=words[-1])


def data_words(values: Iterable[object], lang: str = "en") -> dict[object, str]:
    """Words for values of the data that the catalogue knows as `value.<value>`: gender, customer type.

    All others are left out: they are the data's own words.

    Examples
    --------
    >>> data_words(["business", True, "tea"], "ja")
    {'business': '法人', True: 'はい'}
    """
    keys = {one: f"value.{str(one).lower().replace('-', '_')}" for one in values if not is_missing(one)}
    return {value: text(key, lang) for value, key in keys.items() if has_text(key)}


def verdict_word(verdict: str, lang: str = "en") -> str:
    """Say a verdict such as `too_early` in words; `cxlib/text/verdicts.yml` has all of them."""
    return text(f"verdict.{verdict}", lang)
