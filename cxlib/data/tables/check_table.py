"""Checks of one table against its declaration: columns, ranges, keys, and what looks odd."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from cxlib.checks import Problem
from cxlib.checks.near_names import looks_like_data, near_names
from cxlib.data.contract import TABLES, Column, Table
from cxlib.data.convert import among, convert, is_readable, matches, missing_column
from cxlib.data.days import local_days
from cxlib.data.delimited.mixed_encodings import misread
from cxlib.data.findings import Findings
from cxlib.data.header_names import shown_names
from cxlib.data.personal_columns import holds_contacts, is_personal
from cxlib.data.rules.settings import Settings
from cxlib.data.scale_ends import LEAST, doubted_ends
from cxlib.data.tables.end_of_data import notice_silence
from cxlib.data.tables.one_table import OWN_CHECKS
from cxlib.data.tables.plausible import not_repeated, notice_doubts, with_guests
from cxlib.data.text_type import TEXT

FREE_TEXT = ("comment",)
COMPARED_ROWS = 100_000
OUTLIER_TIMES = 1_000
CHANCE = 3  # standard errors of a correlation that chance does not reach
SHOWN = 100
#: Days that systems write for "not known".
DEFAULT_DAYS = ("1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01")
#: Columns besides its own that a notice rests on.
DEPENDS = {
    "tables.planned_close": ("is_won",),
    "tables.undated_end": ("is_won",),
    "tables.stale": tuple(str(table.time) for table in TABLES.values()),
}
REVERSED = 0.2  # correlation against the expected direction from which on a scale looks turned


def check_names(names: list[str], table: str, findings: Findings) -> bool:
    """Whether any column of the contract is there; note required ones that are not, by names alone.

    Where none is, the first line holds data or another table's names, and nothing of it is repeated.
    """
    spec = TABLES[table]
    required = [column for column, rule in spec.columns.items() if rule.required]
    extra = [name for name in names if spec.column(name) is None]
    if len(extra) == len(names):
        key = "tables.data_for_names" if looks_like_data(names) else "tables.other_names"
        near = [near_names(column, names) for column in required]
        findings.add(
            key,
            "error",
            columns=", ".join(required),
            nearest=", ".join(dict.fromkeys(name for name in near if name != "–")) or "–",
        )
        return False
    findings.shown = shown_names(names, [name for name in names if name not in extra])
    for column in required:
        if column not in names:
            findings.add("tables.missing_column", "error", column, nearest=near_names(column, extra))
    return True


def build(table: pa.Table, name: str, settings: Settings, findings: Findings) -> pd.DataFrame:
    """Give the table the contract's types, every row of the file still there, and note findings."""
    spec = TABLES[name]
    zone = settings.timezone
    series: dict[str, pd.Series] = {}
    for column in table.column_names:
        rule = spec.column(column)
        if rule is None and is_personal(table[column], column):
            findings.add("tables.personal", "notice", column)
            continue
        if rule is None and not is_readable(table[column]):
            findings.add("tables.extra_type", "notice", column, found=str(table[column].type))
            continue
        kind = None if rule is None else rule.kind
        values = table[column]
        if kind == "text" and column not in FREE_TEXT and holds_contacts(values):
            findings.add("tables.personal_values", "notice", column)
            values = pa.chunked_array([pa.nulls(len(values), pa.string())])
        series[column] = convert(values, kind, column=column, zone=zone, findings=findings)
        if series[column].dtype == TEXT:
            findings.add("tables.misread", "notice", column, misread(series[column]))
            if kind == "text" and column not in FREE_TEXT:
                lines = matches(series[column], r"[\r\n]")
                findings.add("tables.line_break_value", "notice", column, lines)
        if rule is not None:
            _check_values(series[column], rule, column, settings, findings)
    for column, rule in spec.columns.items():
        if column not in series:
            series[column] = missing_column(rule.kind, table.num_rows, zone)
    order = [*spec.columns, *(column for column in series if column not in spec.columns)]
    return pd.DataFrame({column: series[column] for column in order})


def _check_values(
    values: pd.Series, rule: Column, column: str, settings: Settings, findings: Findings
) -> None:
    broken = {problem.column for problem in findings.problems if problem.level == "error"}
    if rule.required and column not in broken:
        findings.add("tables.missing_value", "error", column, values.isna())
    if rule.options:
        strange = values.notna() & ~values.isin(rule.options)
        findings.add("tables.unknown_option", "error", column, strange, options=", ".join(rule.options))
    if rule.kind in ("number", "whole"):
        _check_numbers(values, rule, column, settings, findings)


def _check_numbers(
    values: pd.Series, rule: Column, column: str, settings: Settings, findings: Findings
) -> None:
    findings.add("tables.infinite", "error", column, np.isinf(values))
    low, high = getattr(settings, rule.scale) if rule.scale else (rule.low, rule.high)
    outside = np.zeros(len(values), dtype=bool)
    if low is not None:
        outside |= values < low
    if high is not None:
        outside |= values > high
    if outside.any():
        found = _few(values[outside])
        expected = f"{low:g}–{high:g}" if high is not None else f"≥ {low:g}"
        key = "tables.off_scale" if high is not None else "tables.too_low"
        findings.add(key, "error", column, outside, expected=expected, found=found)
    if rule.above is not None:
        findings.add("tables.not_above", "error", column, values <= rule.above, limit=f"{rule.above:g}")


def _few(numbers: pd.Series) -> str:
    """Up to four numbers near a scale; longer ones may be somebody's number and are not repeated."""
    some = numbers.unique()
    near = sorted(number for number in some if abs(number) <= SHOWN and round(number, 1) == number)
    shown = [f"{number:g}" for number in near[:4]]
    return ", ".join(shown if len(near) == len(some) else [*shown, "…"])


def _check_scale_ends(frame: pd.DataFrame, spec: Table, settings: Settings, findings: Findings) -> None:
    """Notice an end of a scale that nobody chose although answers stop short at it: 1–10, not 0–10.

    Survey by survey: another questionnaire may have used another scale.
    """
    surveys = [part for _, part in frame.groupby("survey")] if "survey" in frame else [frame]
    for column, rule in spec.columns.items():
        scale = getattr(settings, rule.scale) if rule.scale else (0, 10) if column == "nps_score" else None
        if scale is None or column not in frame or not frame[column].dropna().between(*scale).all():
            continue
        seen = {
            (end, most): None
            for part in surveys
            for end, most, doubted in zip(
                scale,
                (part[column].min(), part[column].max()),
                doubted_ends(part[column], scale),
                strict=True,
            )
            if doubted
        }
        for end, most in seen:
            findings.add("tables.scale_end", "notice", column, end=f"{end:g}", seen=f"{most:g}")


def check_rows(frame: pd.DataFrame, name: str, settings: Settings, findings: Findings) -> pd.DataFrame:
    """Frame without repeated and future rows, after the checks that look at several columns at once."""
    spec = TABLES[name]
    told = list(findings.problems)
    keep = _check_key(frame, spec, findings)
    if name in ("orders", "deals", "spend"):
        _check_money(frame, settings, findings)
    if name == "orders":
        _check_refunds(frame, findings)
    if name == "responses":
        _check_directions(frame, settings, findings)
        keep &= not_repeated(frame, findings)
    _check_scale_ends(frame, spec, settings, findings)
    if name in OWN_CHECKS:
        OWN_CHECKS[name](frame, findings)
    _check_defaults(frame, spec, findings)
    if name == "deals":
        frame = _plan_open_deals(frame, findings)
    if name == "contracts":
        keep &= _has_begun(frame, findings)
    notice_doubts(frame, name, settings, findings)
    frame = with_guests(frame, name, settings, findings)
    frame = _check_order_of_times(frame, spec, findings)
    frame, past = _check_future(frame, spec, settings.extracted, findings)
    kept = rows_where(frame, keep & past)
    notice_silence(kept, name, settings.extracted, findings)
    findings.problems[len(told) :] = _not_of_unread(findings.problems[len(told) :], told)
    if "line" in spec.columns and not findings.failed:
        kept["line"] = kept["line"].astype("int64")
    return kept


def _not_of_unread(added: list[Problem], told: list[Problem]) -> list[Problem]:
    """Leave out notices on columns with values that could not be read: they take those for missing."""
    unread = {problem.column for problem in told if problem.level == "error"}
    return [
        problem
        for problem in added
        if problem.level == "error" or not unread & {problem.column, *DEPENDS.get(problem.key, ())}
    ]


def _check_key(frame: pd.DataFrame, spec: Table, findings: Findings) -> np.ndarray:
    key = list(spec.key)
    keep = np.ones(len(frame), dtype=bool)
    filled = frame[[name for name in key if spec.columns[name].required]].notna().all(axis=1)
    at = np.flatnonzero(frame.duplicated(key, keep=False) & filled)
    if not len(at):
        return keep
    repeated = frame.iloc[at]
    copies = repeated.duplicated(keep="first").to_numpy()
    conflicts = np.zeros(len(frame), dtype=bool)
    conflicts[at[~copies]] = repeated[~copies].duplicated(key, keep=False)
    again = np.zeros(len(frame), dtype=bool)
    again[at[copies]] = True
    in_conflict = "arm" in frame and frame[conflicts].groupby(key)["arm"].nunique().gt(1).any()
    findings.add(
        "tables.both_arms" if in_conflict else "tables.key_conflict",
        "error",
        key[-1],
        conflicts,
        unique=" + ".join(key),
    )
    findings.add("tables.repeated_rows", "notice", key[-1], again, unique=" + ".join(key))
    return keep & ~again


def _check_money(frame: pd.DataFrame, settings: Settings, findings: Findings) -> None:
    if "currency" in frame:
        other = frame["currency"].notna() & (frame["currency"].str.upper() != settings.currency)
        findings.add("tables.other_currency", "error", "currency", other, currency=settings.currency)
    sizes = frame["amount"].abs()
    usual = sizes[sizes > 0].median()
    findings.add(
        "tables.outlier", "notice", "amount", sizes / OUTLIER_TIMES > usual, times=f"{OUTLIER_TIMES:,}"
    )


def _check_refunds(frame: pd.DataFrame, findings: Findings) -> None:
    findings.add("tables.zero_amount", "notice", "amount", frame["amount"] == 0)
    with_refund = among(frame["order_id"], frame.loc[frame["amount"] < 0, "order_id"])
    if not with_refund.any():
        return
    some = frame[with_refund]
    sold = some["amount"].clip(lower=0).groupby(some["order_id"]).sum()
    total = some["amount"].groupby(some["order_id"]).sum()
    above = total.index[(sold > 0) & (total < -1e-9)]
    alone = sold.index[(sold == 0) & (total < 0)]
    unsold = among(frame["order_id"], alone.to_series()) & (frame["amount"] < 0)
    findings.add("tables.no_refund_sale", "notice", "amount", unsold)
    findings.add(
        "tables.refund_above_sale",
        "notice",
        "amount",
        among(frame["order_id"], above.to_series()) & (frame["amount"] < 0),
    )


def _check_directions(frame: pd.DataFrame, settings: Settings, findings: Findings) -> None:
    """Notice scores that run against the recommendation score of the same answers: a reversed scale.

    Where most of them do, at least two, the recommendation score itself is the likely culprit: it is named
    once, and the others are judged as if it were turned.
    """
    some = frame.iloc[:: max(1, len(frame) // COMPARED_ROWS)]
    drivers = [column for column in map(str, frame) if column.startswith("driver_")]
    turned = {"ces_score": -1} if settings.ces_direction == "effort" else {}
    found = {
        column: turned.get(column, 1) * _correlation(some["nps_score"], some[column])
        for column in ["csat_score", "ces_score", *drivers]
    }
    against = [column for column, value in found.items() if value < -REVERSED]
    alike = [column for column, value in found.items() if value > REVERSED]
    if len(against) > max(1, len(alike)):
        findings.add("tables.reversed_nps", "notice", "nps_score", others=f"{len(against):,}")
        against = alike
    for column in against:
        findings.add("tables.reversed", "notice", column)


def _correlation(first: pd.Series, second: pd.Series) -> float:
    """Correlation of the rows that have both values; 0 when they are few or alike, or it may be chance."""
    both = (first.notna() & second.notna()).to_numpy()
    if both.sum() < LEAST:
        return 0.0
    x, y = first.to_numpy()[both], second.to_numpy()[both]
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    found = float(x @ y / size) if size > 0 else 0.0
    return found if abs(found) > CHANCE / np.sqrt(both.sum()) else 0.0


def _check_defaults(frame: pd.DataFrame, spec: Table, findings: Findings) -> None:
    for column in map(str, frame.columns):
        if frame[column].dtype.kind == "M":
            empty = local_days(frame[column], column).isin(pd.to_datetime(list(DEFAULT_DAYS)))
            findings.add("tables.default_date", "notice", column, empty)


def _plan_open_deals(frame: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Take the day of closing of a deal without a result as planned: exports keep the expected day there."""
    planned = frame["closed_on"].notna() & frame["is_won"].isna()
    findings.add("tables.planned_close", "notice", "closed_on", planned)
    undated = frame["closed_on"].isna() & frame["is_won"].notna()
    findings.add("tables.undated_end", "notice", "closed_on", undated)
    if not planned.any():
        return frame
    expected = frame["expected_close_on"].fillna(frame["closed_on"].where(planned))
    return frame.assign(expected_close_on=expected, closed_on=frame["closed_on"].mask(planned))


def _has_begun(frame: pd.DataFrame, findings: Findings) -> np.ndarray:
    """Mark contracts that did not end before they began; without an end the others would seem to run on."""
    void = frame["ended_on"] < frame["started_on"]
    findings.add("tables.never_begun", "notice", "ended_on", void)
    return ~void.to_numpy()


def _check_order_of_times(frame: pd.DataFrame, spec: Table, findings: Findings) -> pd.DataFrame:
    for column in map(str, frame.columns):
        rule = spec.column(column)
        if rule is None or rule.after is None or rule.after not in frame:
            continue
        early = _earlier(frame[column], frame[rule.after])
        findings.add("tables.too_early", "notice", column, early, after=rule.after)
        if early.any() and not rule.required:
            frame = frame.assign(**{column: frame[column].mask(early)})
    return frame


def _earlier(times: pd.Series, others: pd.Series) -> pd.Series:
    """Whether each time is before the other; where one of the two is a day, by their days."""
    if (times.dt.tz is None) != (others.dt.tz is None):
        times, others = (local_days(values, str(values.name)) for values in (times, others))
    return times < others


def _check_future(
    frame: pd.DataFrame, spec: Table, extracted: datetime, findings: Findings
) -> tuple[pd.DataFrame, np.ndarray]:
    past = np.ones(len(frame), dtype=bool)
    for column in map(str, frame.columns):
        rule = spec.column(column)
        if rule is None or rule.kind not in ("timestamp", "date", "month"):
            continue
        future = later_than(frame[column], extracted)
        if column == spec.time:
            findings.add("tables.future_row", "notice", column, future)
            past &= ~future.to_numpy()
        elif not rule.planned and column != "enrolled_on":
            findings.add("tables.future_value", "notice", column, future)
            if future.any():
                frame = frame.assign(**{column: frame[column].mask(future)})
    return frame, past


def rows_where(frame: pd.DataFrame, is_kept: np.ndarray | pd.Series) -> pd.DataFrame:
    """Return the rows for which it holds, renumbered; the frame itself, uncopied, where it holds for all."""
    return frame if is_kept.all() else frame[is_kept].reset_index(drop=True)


def later_than(times: pd.Series, moment: datetime) -> pd.Series:
    """Whether each instant is after the moment, or each day after the moment's day."""
    if times.dt.tz is None:
        return times > pd.Timestamp(moment.date())
    return times > pd.Timestamp(moment)
