"""Numbers as sentences have them, where these write them otherwise than tables do."""

from __future__ import annotations

from cxlib.language import format_value, is_missing, text

#: Yen from which on a Japanese sentence counts in units of 10,000.
TEN_THOUSANDS_FROM = 100_000


def told_value(value: object, unit: str, lang: str, *, currency: str | None, worded: bool = True) -> str:
    """One value as `format_value` writes it, but yen in Japanese from 100,000 on in units of 10,000 (万円).

    Examples
    --------
    >>> told_value(-1234567.4, "currency", "ja", currency="JPY"), told_value(0.5, "share", "ja", currency="")
    ('−123万円', '50.0%')
    """
    if unit == "currency" and (lang, currency) == ("ja", "JPY") and not is_missing(value):
        yen = float(value)  # type: ignore[arg-type]
        if TEN_THOUSANDS_FROM <= abs(yen) < float("inf"):
            return text(
                "language.unit_yen", lang, value=f"{'−' if yen < 0 else ''}{_ten_thousands(abs(yen))}"
            )
    return format_value(value, unit, lang, currency=currency, worded=worded)


def _ten_thousands(yen: float) -> str:
    """Yen in units of 10,000 and of 100 million: 12.3万, 2,142万, 1億2,060万."""
    if yen < 999_500:
        return f"{yen / 10_000:.1f}万"
    whole, rest = divmod(round(yen / 10_000), 10_000)
    return (f"{whole:,}億" if whole else "") + (f"{rest:,}万" if rest else "")
