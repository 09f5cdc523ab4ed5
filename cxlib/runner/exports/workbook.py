"""A run's tables as a workbook: a sheet each, labels in the language, and no text is a formula."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from cxlib.language import LANGUAGES, has_text, text
from cxlib.runner.collect import guarded
from cxlib.runner.run_files import Run

_LONGEST = 31  # characters of a sheet's name
_UNFIT = re.compile(r"[\[\]:*?/\\']")
#: What XML, and so a workbook, can't hold.
_UNHELD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ENDS = ("conf_low", "conf_high", "std_error")
_FORMATS = {
    "share": "0.0%",
    "probability": "0.0%",
    "pp": "+0.0%;-0.0%;0.0%",
    "points": "+0.0;-0.0;0.0",
    "score": "0.00",
    "valence": "+0.00;-0.00;0.00",
    "ratio": "0.00",
    "number": "#,##0.00",
    "count": "#,##0",
    "days": "#,##0",
    "months": "#,##0",
    "p_value": "0.000",
    "date": "yyyy-mm-dd",
}


def workbook(run: Run, lang: str) -> bytes:
    """Return the workbook: a contents sheet, then every table of every report in order.

    A row hidden for standing for too few customers is said to be hidden; a difference of shares is written
    in percent, its column's heading says points of percent (pp).
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill

    book = Workbook()
    contents = book.active
    contents.title = text("export.contents", lang)
    names = _sheet_names(run, contents.title)
    bold, fill = Font(bold=True), PatternFill("solid", fgColor="EEF1F4")
    about = _about(run, lang)
    for row, line in enumerate(about, start=1):
        _put(contents, row, [line])
    for row, ((report, key), name) in enumerate(names.items(), start=len(about) + 2):
        table = run.results[report]["tables"][key]
        _put(contents, row, [name, _title(run, report, lang), str(len(table["rows"]))])
        contents.cell(row, 1).hyperlink = f"#'{name}'!A1"
        sheet = book.create_sheet(name)
        heads = [heading(column, table["units"].get(column), lang) for column in table["columns"]]
        _put(sheet, 1, heads)
        for place, held in enumerate(_rows(table, lang), start=2):
            _put(sheet, place, [cell for cell, _ in held])
            for number, (_, shown) in enumerate(held, start=1):
                sheet.cell(place, number).number_format = shown or "General"
        for number, cell in enumerate(sheet[1], start=1):
            cell.font, cell.fill, cell.alignment = bold, fill, Alignment(wrap_text=True, vertical="top")
            widest = max((len(str(one.value or "")) for one in list(sheet.columns)[number - 1]), default=8)
            sheet.column_dimensions[cell.column_letter].width = min(max(10, widest + 2), 48)
        sheet.freeze_panes = "B2"
    contents.column_dimensions["A"].width, contents.column_dimensions["B"].width = 34, 60
    contents.cell(1, 1).font = bold
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def heading(column: str, unit: object, lang: str) -> str:
    """Heading of a column in words, with points of percent said where the numbers are such."""
    label = text(f"column.{column}", lang) if has_text(f"column.{column}") else column
    end = next((one for one in _ENDS if column.endswith(one)), None)
    if label == column and end is not None:
        of = column.removesuffix(end).rstrip("_")
        named = text(f"column.{of}", lang) if has_text(f"column.{of}") else of
        label = text(f"export.{end}", lang) + (f" ({named})" if named else "")
    return f"{label} [pp]" if unit == "pp" else label


def _about(run: Run, lang: str) -> list[str]:
    header = run.header
    lines = [str(header.get("data_set")), text("export.as_of", lang, day=header.get("as_of")), run.name]
    sample = [text("runner.sample_banner", lang)] if header.get("is_sample") else []
    return [*lines, *sample]


def _title(run: Run, report: str, lang: str) -> str:
    """Title of a report; in a language in which it was not made, the chapter's name in that one."""
    entry = run.manifest["reports"].get(report, {})
    titles = {str(run.manifest.get("lang")): entry.get("title")} | (entry.get("titles") or {})
    title = str(titles.get(lang) or entry.get("title") or report)
    key = f"report.{entry.get('report', report)}"
    if lang in titles or not has_text(key):
        return title
    own = next((name for name in (text(key, one) for one in LANGUAGES) if title.startswith(name)), None)
    return title if own is None else text(key, lang) + title.removeprefix(own)


def _sheet_names(run: Run, *taken: str) -> dict[tuple[str, str], str]:
    """Name every table's sheet: by its key, short, each its own whatever the capitals."""
    used, names = {name.lower() for name in taken}, {}
    for report, held in run.results.items():
        for key in held["tables"]:
            stem = _UNFIT.sub("_", _UNHELD.sub("", f"{report}.{key}"))[:_LONGEST].strip() or "_"
            name, number = stem, 1
            while name.lower() in used:
                number += 1
                name = f"{stem[: _LONGEST - len(str(number)) - 1]}-{number}"
            used.add(name.lower())
            names[report, key] = name
    return names


def _rows(table: Mapping[str, Any], lang: str) -> Iterator[list[tuple[object, str | None]]]:
    hidden, words = set(table["suppressed"]), table.get("words", {})
    for place, row in enumerate(table["rows"]):
        cells: list[tuple[object, str | None]] = []
        for column in table["columns"]:
            value = row.get(column)
            unit = table["units"].get(column)
            unit = unit.get(str(row.get("metric")), "number") if isinstance(unit, Mapping) else unit
            said = words.get(column, {}).get(str(value), {}).get(lang)
            if place in hidden and value is None:
                cells.append((text("export.hidden", lang), None))
            elif said is not None:
                cells.append((said, None))
            else:
                cells.append(_cell(value, str(unit)))
        yield cells


def _cell(value: object, unit: str) -> tuple[object, str | None]:
    if isinstance(value, bool):
        return value, None
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return None, None
        whole = unit == "currency" or (unit == "number" and isinstance(value, int))
        return value, "#,##0" if whole else _FORMATS.get(unit, "General")
    if isinstance(value, str) and unit == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return date.fromisoformat(value), _FORMATS["date"]
    if isinstance(value, list):
        return ", ".join(map(str, value)), None
    return value, None


def _put(sheet: Any, row: int, cells: list[Any]) -> None:
    """Write cells; text is text, whatever it begins with."""
    for number, value in enumerate(cells, start=1):
        cell = sheet.cell(row, number)
        if isinstance(value, str):
            cell.value = guarded(_UNHELD.sub("", value)[:32_000])
            cell.data_type = "s"
        else:
            cell.value = value
