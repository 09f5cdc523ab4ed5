"""`cx followup` in words: a line per initiative and date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cxlib.language import format_date, format_interval, format_value, text

_HEADS = ("initiative", "horizon_months", "due_on", "state", "promised", "estimate", "verdict", "kept")


def followup_lines(rows: Sequence[Mapping[str, Any]], lang: str) -> list[list[str]]:
    """Heads and a line per row of `analysis.followup`."""
    return [[text(f"followup.{name}", lang) for name in _HEADS], *(_line(row, lang) for row in rows)]


def _line(row: Mapping[str, Any], lang: str) -> list[str]:
    def money(value: object) -> str:
        return format_value(value, "currency", lang, currency=row["currency"], worded=False)

    ends = (row["conf_low"], row["conf_high"])
    shown = "–" if row["estimate"] is None else money(row["estimate"])
    if None not in (row["estimate"], *ends):
        shown += f" ({format_interval(*ends, 'currency', lang, currency=row['currency'])})"
    return [
        row["initiative"],
        str(row["horizon_months"]),
        format_date(date.fromisoformat(row["due_on"]), lang),
        text(f"followup.state.{row['state']}", lang),
        "–" if row["promised"] is None else money(row["promised"]),
        shown,
        text(f"verdict.{row['verdict']}", lang),
        "–" if row["kept"] is None else text(f"verdict.{row['kept']}", lang),
    ]
