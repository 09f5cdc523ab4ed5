"""Times as exports write them, cell by cell in the first declared format that fits."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cxlib.data.convert import localise, matches, read_times
from cxlib.data.findings import Findings
from cxlib.data.text_type import TEXT

WIDE = "[０-９／：．－　㍻㋿]"
#: A day of the week in brackets, which says nothing more; a zone's name in a text and in a format.
_WEEKDAY = r"\s*[(（][月火水木金土日](?:曜日?)?[)）]"
_ZONE_IN_FORMAT = re.compile(r"(?<![%A-Za-z])(?:UTC|GMT|JST)$|%Z|(?<=%S)Z$")
_ZONES = {"UTC": "+0000", "GMT": "+0000", "Z": "+0000", "JST": "+0900"}
_MARKER = r"(?i)(午前|午後|a\.?m\.?|p\.?m\.?)"
_AFTERNOON = r"(?i)^(?:午後|p)"
_OFFSET = r"GMT([+-])([0-9]{1,2})(?::?([0-9]{2}))?$"
_ISO_LIKE = re.compile(r"%Y([-/.])%m\1%d(?:[ T]%H:%M(?::%S)?(?: ?%z)?)?")
#: First day of each era, by its name and its letter; the year it begins in is its first.
_ERAS = {
    "令和": "2019-05-01",
    "平成": "1989-01-08",
    "昭和": "1926-12-25",
    "大正": "1912-07-30",
    "明治": "1868-01-25",
}
_ERAS |= dict(zip("RHSTM", list(_ERAS.values()), strict=True))
_ERA = (
    r"(?i)^(?P<era>令和|平成|昭和|大正|明治|[RHSTM])\s*(?P<year>元|[0-9]{1,2})[年./-]\s*"
    r"(?P<month>[0-9]{1,2})[月./-]\s*(?P<day>[0-9]{1,2})日?\s*(?P<rest>.*)$"
)
_CLOCK = r"^(?P<hour>[0-9]{1,2})(?:時|:)(?:(?P<minute>[0-9]{1,2})分?)?(?::?(?P<second>[0-9]{1,2})秒?)?$"
#: Years in which a count of seconds or days is taken for a time: a wrong unit leaves them.
YEARS = (1980, 2100)
#: Fewest digits of such a count, and microseconds in one of its units.
_EPOCHS = {"epoch_s": (9, 1_000_000), "epoch_ms": (12, 1_000), "epoch_us": (15, 1)}
DAY_SECONDS = 86_400
_SHEET_ZERO = pd.Timestamp("1899-12-30")


def plain(cells: pd.Series) -> pd.Series:
    """Cells with full-width digits and signs as the usual ones, without days of the week in brackets."""
    named = matches(cells, _WEEKDAY)
    if named.any():
        cells = cells.mask(named, cells[named].str.replace(_WEEKDAY, "", regex=True)).astype(TEXT)
    wide = matches(cells, WIDE)
    if not wide.any():
        return cells
    folded = cells[wide].map(lambda cell: unicodedata.normalize("NFKC", cell).strip())
    return cells.where(~wide, folded.reindex(cells.index)).astype(TEXT)


def moments(
    cells: pd.Series, formats: Sequence[str], name: str, zone: str, findings: Findings
) -> tuple[pd.Series, pd.Series]:
    """Instants of cells in the first format that fits each, and the mask of filled cells that fit none.

    Times without an offset were taken in `zone`. A cell that a later format would read as another day is
    noticed.
    """
    texts = plain(cells)
    rest, twice = cells != "", np.zeros(len(cells), dtype=bool)
    found = pd.Series(pd.NaT, cells.index, dtype="datetime64[us, UTC]")
    orders = {tuple(re.findall("%[dmyY]", form)) for form in formats if "%d" in form}
    for form in formats:
        parsed = _once(texts[cells != ""] if len(orders) > 1 else texts[rest], form)
        if parsed.dt.tz is None:
            own = findings if rest.any() else Findings("", 0)
            parsed = localise(parsed.reindex(cells.index), name, zone, own)
        parsed = parsed.reindex(cells.index).dt.tz_convert("UTC").astype("datetime64[us, UTC]")
        twice |= ((parsed - found).abs() >= pd.Timedelta(days=1)).to_numpy()
        found = found.fillna(parsed)
        rest = rest & parsed.isna()
    findings.add("exports.two_readings", "notice", name, twice)
    return found, rest


def _once(texts: pd.Series, form: str) -> pd.Series:
    """Read each different text once; times repeat on the lines of an order."""
    codes, different = pd.factorize(texts)
    read = _NAMED.get(form) or functools.partial(_formatted, form=form)
    return read(pd.Series(different, dtype=TEXT)).take(codes).set_axis(texts.index)


def _formatted(texts: pd.Series, form: str) -> pd.Series:
    """Read by a format of strptime; 午前/午後 and AM/PM may stand anywhere in a text whose format has %p."""
    form = unicodedata.normalize("NFKC", form)
    if _ZONE_IN_FORMAT.search(form):
        form = _ZONE_IN_FORMAT.sub("%z", form)
        texts = texts.str.replace(r"(UTC|GMT|JST|(?<=[0-9])Z)$", lambda name: _ZONES[name[0]], regex=True)
    if _ISO_LIKE.fullmatch(form):
        return _iso_like(texts, form)
    if "%p" not in form:
        return read_times(texts, form, utc="%z" in form)
    marked = matches(texts, _MARKER)
    markers = texts.str.extract(_MARKER)[0]
    bare = texts.str.replace(_MARKER, " ", regex=True).str.replace(r"\s+", " ", regex=True).str.strip()
    form = " ".join(form.replace("%p", " ").replace("%I", "%H").split())
    parsed = read_times(bare.where(marked), form, utc="%z" in form)
    return _half_days(parsed, matches(markers.fillna(""), _AFTERNOON))


def _iso_like(texts: pd.Series, form: str) -> pd.Series:
    """Read padded figures in the order of ISO by its parser, which is ten times as fast."""
    digits = {"%Y": "[0-9]{4}", "%z": r"[+-][0-9]{2}:?[0-9]{2}", ".": r"\."}
    pattern = re.sub(r"%.|\.", lambda part: digits.get(part[0], "[0-9]{2}"), form)
    padded = matches(texts, f"^{pattern}$")
    days = texts.str.slice(0, 10).str.replace(form[2], "-", regex=False)
    iso = days + texts.str.slice(10).str.replace(" +", "+", regex=False).str.replace(" -", "-", regex=False)
    found = read_times(iso.where(padded), "ISO8601", utc="%z" in form)
    return found if padded.all() else found.fillna(read_times(texts.where(~padded), form, utc="%z" in form))


def _half_days(parsed: pd.Series, afternoon: pd.Series) -> pd.Series:
    """Count the hours of a clock of twelve: 12 is 0, and 0 to 11 in the afternoon are 12 to 23."""
    hours = parsed.dt.hour
    shift = np.where(hours == 12, -12, 0) + np.where(afternoon, 12, 0)
    return (parsed + pd.to_timedelta(shift, unit="h").astype("timedelta64[us]")).where(hours <= 12)


def _epoch(texts: pd.Series, form: str) -> pd.Series:
    """Instants counted since 1970 in the unit of the format, decimals included."""
    digits, micros = _EPOCHS[form]
    parts = texts.str.extract(rf"^([0-9]{{{digits},{digits + 1}}})(\.[0-9]+)?$")
    whole = pd.to_numeric(parts[0]).astype("Int64") * micros
    rest = (pd.to_numeric(parts[1].fillna("0")) * micros).round().astype("Int64")
    return _within_years(pd.to_datetime(whole + rest, unit="us", utc=True))


def _excel_serial(texts: pd.Series) -> pd.Series:
    """Days since the end of 1899, as a sheet counts them; parts of a day to the second."""
    days = pd.to_numeric(texts.where(matches(texts, r"^[0-9]{1,6}(?:\.[0-9]+)?$")), errors="coerce")
    seconds = (days * DAY_SECONDS).round()
    return _within_years(_SHEET_ZERO + pd.to_timedelta(seconds, unit="s").astype("timedelta64[us]"))


def _within_years(found: pd.Series) -> pd.Series:
    found = found.astype("datetime64[us, UTC]" if found.dt.tz else "datetime64[us]")
    return found.where(found.dt.year.between(*YEARS))


def _era(texts: pd.Series) -> pd.Series:
    """Days of a Japanese era, with or without a time behind them."""
    parts = texts.str.extract(_ERA)
    starts = pd.to_datetime(parts["era"].str.upper().map(_ERAS).astype(TEXT)).astype("datetime64[us]")
    years = pd.to_numeric(parts["year"].replace("元", "1"), errors="coerce") + starts.dt.year - 1
    written = years.astype("Int64").astype(TEXT) + "-" + parts["month"] + "-" + parts["day"]
    days = read_times(written, "%Y-%m-%d")
    markers = parts["rest"].str.extract(_MARKER)[0]
    clock = parts["rest"].str.replace(_MARKER, "", regex=True).str.strip()
    times = clock.str.extract(_CLOCK).apply(pd.to_numeric, errors="coerce")
    has_time = clock.fillna("") != ""
    seconds = times["hour"] * 3600 + times["minute"].fillna(0) * 60 + times["second"].fillna(0)
    valid = (times["hour"] < 24) & ~(times["minute"] >= 60) & ~(times["second"] >= 60)
    found = days + pd.to_timedelta(seconds.where(has_time, 0), unit="s").astype("timedelta64[us]")
    halved = _half_days(found, matches(markers.fillna(""), _AFTERNOON))
    found = found.where(markers.isna(), halved)
    return found.where((days >= starts) & (valid | ~has_time))


def _google_forms_ja(texts: pd.Series) -> pd.Series:
    """`2026/08/22 3:50:00 午後 GMT+9`, as Google Forms writes its CSV in Japanese."""
    parts = texts.str.extract(_OFFSET)
    local = _formatted(texts.str.replace(_OFFSET, "", regex=True).str.strip(), "%Y/%m/%d %I:%M:%S %p")
    minutes = pd.to_numeric(parts[1]) * 60 + pd.to_numeric(parts[2]).fillna(0)
    offset = minutes.where(parts[0] != "-", -minutes)
    return (local - pd.to_timedelta(offset, unit="m").astype("timedelta64[us]")).dt.tz_localize("UTC")


_NAMED: dict[str, Callable[[pd.Series], pd.Series]] = {
    **{form: functools.partial(_epoch, form=form) for form in _EPOCHS},
    "excel_serial": _excel_serial,
    "era": _era,
    "google_forms_ja": _google_forms_ja,
}
