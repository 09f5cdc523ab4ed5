"""What one table alone is looked at for, after its ranges and keys."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from cxlib.data.convert import among
from cxlib.data.findings import Findings

BUSY_EVENTS = 1_000


def _check_busy(frame: pd.DataFrame, findings: Findings) -> None:
    contacts = frame["customer_id"].value_counts()
    if contacts.empty:
        return
    busy = contacts.index[contacts > max(BUSY_EVENTS, 100 * contacts.median())].to_series()
    findings.add(
        "tables.busy", "notice", "customer_id", among(frame["customer_id"], busy), customers=f"{len(busy):,}"
    )


def _check_costs(frame: pd.DataFrame, findings: Findings) -> None:
    for column in ("one_time_cost", "monthly_cost"):
        findings.add("tables.cost_missing", "notice", column, frame[column].isna())


def _check_test_accounts(frame: pd.DataFrame, findings: Findings) -> None:
    findings.add("tables.test_accounts", "notice", "is_test", frame["is_test"].fillna(value=False))


def _check_leads(frame: pd.DataFrame, findings: Findings) -> None:
    undated = frame["deal_id"].notna() & frame["converted_on"].isna()
    findings.add("tables.undated_lead", "notice", "converted_on", undated)


OWN_CHECKS: dict[str, Callable[[pd.DataFrame, Findings], None]] = {
    "customers": _check_test_accounts,
    "events": _check_busy,
    "initiatives": _check_costs,
    "leads": _check_leads,
}
