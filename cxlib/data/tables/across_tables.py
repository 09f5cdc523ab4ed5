"""Checks that need two tables: unknown customers, deals and the like, and what happened before it could."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.data.contract import TABLES, Column
from cxlib.data.convert import among
from cxlib.data.days import local_days
from cxlib.data.findings import Findings
from cxlib.data.ids import folded


def check_across(
    name: str,
    frame: pd.DataFrame,
    findings: Findings,
    *,
    listed: Callable[[str], pd.Series | None],
    rows: Callable[[str], pd.DataFrame | None],
) -> None:
    """Check a table against the others; `listed` and `rows` give their ids and rows, None where unusable."""
    if name != "customers" and "customer_id" in frame and (ids := listed("customers")) is not None:
        check_customers(frame, ids, findings)
    for column, rule in TABLES[name].columns.items():
        if rule.found_in and (ids := listed(rule.found_in)) is not None:
            check_listed(frame, column, rule, ids, findings)
    if name == "deal_stages" and (deals := rows("deals")) is not None:
        check_stage_times(frame, deals, findings)
    if name == "enrolments" and (initiatives := rows("initiatives")) is not None:
        check_enrolments(frame, initiatives, findings)


def check_customers(frame: pd.DataFrame, customer_ids: pd.Series, findings: Findings) -> None:
    """Share of rows whose customer is known; ids that differ only by lost zeros stop the run.

    `customer_ids` are those of the whole file: at an earlier `as_of` some of them are not customers yet.
    """
    unknown = frame["customer_id"].notna() & ~among(frame["customer_id"], customer_ids)
    if not unknown.any():
        return
    shortened = frame.loc[unknown, "customer_id"].str.lstrip("0")
    if among(shortened, customer_ids.str.lstrip("0")).mean() > 0.5:
        findings.add("tables.zeros_lost", "error", "customer_id", unknown)
        return
    spelled = folded(pa.array(frame.loc[unknown, "customer_id"], pa.string()))
    if pc.mean(pc.is_in(spelled, value_set=folded(pa.array(customer_ids, pa.string())))).as_py() > 0.5:
        findings.add("tables.id_spelled_otherwise", "error", "customer_id", unknown)
        return
    level: Literal["error", "notice"] = "error" if unknown.equals(frame["customer_id"].notna()) else "notice"
    known = _share_known(frame["customer_id"], unknown)
    findings.add("tables.unknown_customer", level, "customer_id", unknown, known=known)


def check_listed(
    frame: pd.DataFrame, column: str, rule: Column, listed: pd.Series, findings: Findings
) -> None:
    """Share of values that the table listing them has; with none of a required one the run stops."""
    unknown = frame[column].notna() & ~among(frame[column], listed)
    if not unknown.any():
        return
    stops = rule.required and unknown.equals(frame[column].notna())
    known = _share_known(frame[column], unknown)
    findings.add(
        "tables.not_listed", "error" if stops else "notice", column, unknown, table=rule.found_in, known=known
    )


def _share_known(values: pd.Series, unknown: pd.Series) -> str:
    """Share of known values, rounded down, so that not all is never called all."""
    return f"{math.floor((1 - unknown.sum() / values.notna().sum()) * 1e4) / 1e4:.2%}"


def check_stage_times(frame: pd.DataFrame, deals: pd.DataFrame, findings: Findings) -> None:
    """Notice stages entered on a day before the deal was created."""
    created = deals.set_index("deal_id")["created_on"].reindex(frame["deal_id"]).set_axis(frame.index)
    early = local_days(frame["entered_at"], "entered_at") < created
    findings.add("tables.stage_before_deal", "notice", "entered_at", early)


def check_enrolments(frame: pd.DataFrame, initiatives: pd.DataFrame, findings: Findings) -> None:
    """Enrolments name known initiatives, never before their start, and controls stay without a date."""
    starts = initiatives.set_index("initiative_id")["started_on"]
    started = starts.reindex(frame["initiative_id"]).set_axis(frame.index)
    findings.add("tables.unknown_initiative", "error", "initiative_id", started.isna())
    findings.add("tables.before_start", "error", "enrolled_on", frame["enrolled_on"] < started)
    exposed = (frame["arm"] == "control") & frame["enrolled_on"].notna()
    findings.add("tables.control_exposed", "notice", "arm", exposed)
