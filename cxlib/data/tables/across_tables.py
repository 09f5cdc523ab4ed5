"""Checks that need two tables: unknown customers, unknown initiatives, enrolments before the start."""

from __future__ import annotations

import math

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.data.convert import among
from cxlib.data.findings import Findings
from cxlib.data.ids import folded


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
    known = 1 - unknown.sum() / frame["customer_id"].notna().sum()
    findings.add(
        "tables.unknown_customer",
        "error" if known == 0 else "notice",
        "customer_id",
        unknown,
        known=f"{math.floor(known * 1e4) / 1e4:.2%}",
    )


def check_enrolments(frame: pd.DataFrame, initiatives: pd.DataFrame, findings: Findings) -> None:
    """Enrolments name known initiatives, never before their start, and controls stay without a date."""
    starts = initiatives.set_index("initiative_id")["started_on"]
    started = starts.reindex(frame["initiative_id"]).set_axis(frame.index)
    findings.add("tables.unknown_initiative", "error", "initiative_id", started.isna())
    findings.add("tables.before_start", "error", "enrolled_on", frame["enrolled_on"] < started)
    exposed = (frame["arm"] == "control") & frame["enrolled_on"].notna()
    findings.add("tables.control_exposed", "notice", "arm", exposed)
