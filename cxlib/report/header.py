"""The lines under a report's title: which customers and days it is about, and what else was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cxlib.checks import fail_option
from cxlib.language import LANGUAGES, clean_text, data_words, format_date, format_value, has_text, text
from cxlib.report.company import Chosen, Company, Day
from cxlib.report.layout import format_level, safe_text

#: Tables a report reads; others are neither counted in its header nor checked for it.
TABLES_OF: Mapping[str, tuple[str, ...]] = {
    "segmentation": ("customers", "orders"),
    "journey": ("customers", "orders", "events"),
    "nps_drivers": ("customers", "responses"),
    "initiative_roi": ("customers", "orders", "initiatives", "enrolments"),
    "initiative_register": ("customers", "orders", "initiatives", "enrolments"),
    "support": ("customers", "orders", "tickets", "responses", "events", "initiatives", "enrolments"),
    "customer_value": ("customers", "orders", "contracts", "spend", "tickets"),
    "sales": ("customers", "deals", "deal_stages", "leads", "activities", "tickets"),
    "voice": ("customers", "responses", "codings"),
    "scorecard": ("customers", "orders", "events", "responses", "deals", "initiatives", "enrolments"),
}

#: Columns that may hold segments: that of them, and those of groups.
OF_GROUPS = ("segment", "group", "groups", "higher", "lower", "reference")
#: Reports on studies, whose customers are chosen by what was known before the start.
STUDIES = ("initiative_roi", "initiative_register")

#: Default and unit of the chapters' own parameters; a test holds them to the notebooks.
ASKED: Mapping[str, tuple[object, str]] = {
    "active_days": (30, "count"),
    "ask_days": (30, "count"),
    "cannibalised_share": (0.0, "share"),
    "conf_level": (0.95, "level"),
    "compared_with": (None, "date"),
    "contribution_margin_rate": (0.3, "share"),
    "deals_by": (None, "column"),
    "discount_rate_annual": (0.05, "share"),
    "f2_days": (180, "count"),
    "follow_days": (90, "count"),
    "follow_up_days": (7, "count"),
    "forecast_level": (0.8, "level"),
    "good_rating": (75.0, "number"),
    "late_days": (7, "count"),
    "horizon_months": (12, "count"),
    "min_cell": (10, "count"),
    "min_effect": (0.0, "number"),
    "n_boot": (1000, "count"),
    "needed_certainty": (0.975, "share"),
    "next_days": (90, "count"),
    "observed_from": (None, "date"),
    "outcome": ("nps_score", "option"),
    "people_cost_monthly": (0.0, "currency"),
    "purpose": ("grow", "option"),
    "rate_days": (180, "count"),
    "quotes": (False, "option"),
    "seed": (1, "number"),
    "service_above": (0.3, "share"),
    "silent_after": (30, "count"),
    "survey": ("relationship", "option"),
    "target_nps": (None, "points"),
    "spend_lag_months": (0, "count"),
    "threshold_quantile": (0.9, "share"),
    "top_share": (0.1, "share"),
    "unpaid_channels": ("organic", "text"),
    "web_steps": ("home, list, product, cart, payment, done", "text"),
}


def data_record(data_set: Company, period_start: Day, period_end: Day) -> dict[str, Any]:
    """Record of a report's data set and period."""
    return {
        "data_set": clean_text(data_set.name),
        "is_sample": bool(data_set.is_sample),
        "currency": data_set.currency,
        "timezone": str(data_set.timezone),
        "as_of": str(data_set.as_of),
        "period_start": None if period_start is None else str(period_start)[:10],
        "period_end": None if period_end is None else str(period_end)[:10],
    }


def period_line(start: Day, end: Day, *, as_of: date | str, lang: str) -> str:
    """Say the period in words; a bound that was not chosen is the data's own.

    Examples
    --------
    >>> period_line(None, None, as_of="2026-09-30", lang="en")
    'Period: everything in the data'
    """
    if start is None and end is None:
        return text("display.header_period_all", lang)
    first = text("display.header_first", lang) if start is None else format_date(start, lang)
    return text(
        "display.header_period", lang, start=first, end=format_date(as_of if end is None else end, lang)
    )


def scope_lines(scope: Chosen | None, lang: str, *, is_study: bool = False) -> list[str]:
    """Say which customers a scope keeps, as of which day, what results are broken down by, where data end.

    Parameters
    ----------
    scope
        A `Scope`, or None where a report has none.
    lang
        Language of the lines.
    is_study
        Whether segments are at the latest of the day before an initiative's start.
    """
    if scope is None:
        return []
    lines, day = [], format_date(scope.segment_day, lang)
    day = text("asked.study_day" if is_study else "asked.day", lang, day=day)
    if scope.segment is not None:
        name = _segment_names(scope, lang).get(scope.segment, scope.segment)
        lines.append(text("asked.segment", lang, value=safe_text(name, lang), day=day))
    for name, value in scope.where.items():
        word = safe_text(data_words([value], lang).get(value, value), lang)
        lines.append(text("asked.where", lang, column=_column(name, lang), value=word))
    if lines:
        lines.append(text("asked.narrowed", lang))
    if scope.by is not None:
        key = "asked.by_segment" if scope.by == "segment" else "asked.by"
        lines.append(text(key, lang, value=_column(scope.by, lang), day=day))
    data_set = getattr(scope, "data_set", None)
    if data_set and (silent := getattr(data_set, "silent_days", 0)):
        ends = {"as_of": format_date(data_set.as_of, lang), "days": format_value(silent, "count", lang)}
        lines.insert(0, text("display.header_silent", lang, **ends))
    return lines


def asked_lines(asked: Mapping[str, object], lang: str, *, currency: str | None = None) -> list[str]:
    """Say in words what was asked for otherwise than by default; nothing for the rest.

    Parameters
    ----------
    asked
        Value by name of a parameter (`ASKED`).
    lang
        Language of the lines.
    currency
        Currency of amounts.

    Raises
    ------
    ParameterError
        No such parameter.

    Examples
    --------
    >>> asked_lines({"f2_days": 90, "min_cell": 10}, "en")
    ['Second purchase within 90 days']
    """
    lines = []
    for name, value in asked.items():
        if name not in ASKED:
            fail_option("asked", name, ASKED)
        default, unit = ASKED[name]
        if value == default:
            continue
        if unit == "option":
            lines.append(text(f"asked.{name}.{str(value).lower()}", lang))
        else:
            lines.append(text(f"asked.{name}", lang, value=_value(value, unit, lang, currency)))
    return lines


def _value(value: Any, unit: str, lang: str, currency: str | None) -> str:
    if unit == "level":
        return format_level(value, lang)
    if unit == "column":
        return _column(value, lang)
    if unit == "text":
        return safe_text(value, lang)
    return format_value(value, unit, lang, currency=currency)


def _column(name: str, lang: str) -> str:
    """Name of a column in the report's language, where the catalogue has one."""
    return text(f"column.{name}", lang) if has_text(f"column.{name}") else safe_text(name, lang)


def segment_words(scope: Chosen | None) -> dict[str, dict[Any, Mapping[str, str]]]:
    """Words of the segments by column, so that no chapter has to think of them where one is asked for.

    Lists and columns of groups are named only where the report is broken down by segment: another attribute
    may have a value of the same name.
    """
    names = {lang: _segment_names(scope, lang) for lang in LANGUAGES}
    words = {code: {lang: names[lang][code] for lang in LANGUAGES} for code in names[LANGUAGES[0]]}
    columns = OF_GROUPS if getattr(scope, "by", None) == "segment" else OF_GROUPS[:1]
    return {column: dict(words) for column in columns if words}


def _segment_names(scope: Chosen | None, lang: str) -> Mapping[str, str]:
    """Names of the segments in a language; none where the scope knows of no segments."""
    names: Mapping[str, str] = getattr(getattr(scope, "segments", None), "names", lambda lang: {})(lang)
    return names


def asked_texts(
    scope: Chosen | None, asked: Mapping[str, object], *, is_study: bool, currency: str | None
) -> dict[str, list[str]]:
    """Lines on the scope and on parameters that differ from their defaults, in every language."""
    return {
        lang: scope_lines(scope, lang, is_study=is_study) + asked_lines(asked, lang, currency=currency)
        for lang in LANGUAGES
    }


def problem_text(problem: object, lang: str) -> str:
    """Say a data set's problem (`checks.Problem`, or an error) in a language."""
    say = getattr(problem, "text", None) or getattr(problem, "in_language", None)
    return safe_text(say(lang) if say else problem, lang, limit=1_000)


def table_word(table: object, lang: str, *, with_code: bool = False) -> str:
    """Name of a table in words; `with_code` keeps the data's own name beside it.

    Examples
    --------
    >>> table_word("orders", "ja"), table_word("orders", "ja", with_code=True), table_word("orders", "en")
    ('注文', '注文（orders）', 'orders')
    """
    code = safe_text(table, lang)
    key = f"value.table.{table}"
    word = text(key, lang) if has_text(key) else code
    return text("display.table_code", lang, word=word, code=code) if with_code and word != code else word


def source_words(data_set: Company, tables: Sequence[str], lang: str) -> dict[str, str]:
    """`source` (data set and tables) and `date` (last day) of what a figure was drawn from."""
    names = [clean_text(data_set.name), *(table_word(table, lang) for table in tables)]
    source = text("language.list_separator", lang).join(names)
    return {"source": source, "date": format_date(data_set.as_of, lang)}
