"""What chapters 4 and 5 read for a study, and what they say of the scope before anything is computed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from cxlib.data.scope import Scope, Tables


def study_tables(data_set: Tables, scope: Scope) -> dict[str, pd.DataFrame | None]:
    """Read `orders` of the period (merged), `customers` and `enrolments` (None where there are none)."""
    enrolments = data_set.table("enrolments") if data_set.has("enrolments") else None
    orders = data_set.table("orders", **scope.period, merged=True)
    return {"orders": orders, "customers": data_set.table("customers"), "enrolments": enrolments}


def study_answers(data_set: Tables, *, start: date | None, end: date) -> pd.DataFrame | None:
    """Read the answers of surveys from one day to another; None where there are none."""
    return data_set.table("responses", start=start, end=end) if data_set.has("responses") else None


def scope_notes(scope: Scope, *, is_studied: object = None) -> list[dict[str, Any]]:
    """Say of which day segments are, and that a period bounds the months before a start.

    Parameters
    ----------
    scope
        Of the report.
    is_studied
        Whether something is computed that needs these months; where segments are told, if not given.

    Returns
    -------
    list of dict
        A row with `note` and `level` for each.
    """
    by_segment = scope.segment is not None or scope.by == "segment"
    segment = {"note": "impact.note_segment", "level": "info", "day": scope.segment_day}
    period = {"note": "impact.period_history", "level": "info", "period_start": scope.period_start}
    is_cut = scope.period_start is not None and (by_segment if is_studied is None else is_studied)
    return [row for row, holds in ((segment, by_segment), (period, is_cut)) if holds]
