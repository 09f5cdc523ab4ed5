"""Initiatives whose 6- or 12-month date is near or past: what was promised against what is measured.

A door between the runner and the analysis: `cx followup` asks, and words what comes back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from cxlib.checks import ParameterError
from cxlib.data.tables.data_set import DataSet, open_data
from cxlib.initiatives.evaluate import Terms
from cxlib.initiatives.register import evaluate_register, register_rows
from cxlib.stats.targets import judge_target

#: Months after which an initiative is followed up.
HORIZONS = (6, 12)
PROMISED = "promised_effect"


def followup(data: Path, *, as_of: str | None = None, near_days: int = 31) -> list[dict[str, Any]]:
    """Measure every initiative at the last date of its follow-up that is near or past.

    Parameters
    ----------
    data : Path
        Folder of customer tables; `initiatives` may hold `promised_effect` (gain per customer and month, in
        the data set's currency).
    as_of : str, optional
        Last day known; the extraction's when left out.
    near_days : int
        Days ahead within which a date counts as near, from 0.

    Returns
    -------
    list of dict
        By date: `initiative, horizon_months, due_on, state` ("past" or "near"), `promised`, `estimate,
        conf_low, conf_high` (margin per customer and month), `n` (customers × months), `verdict` (of the
        register, over that horizon), `kept` ("target_met", "target_missed", "undecided", "not_enough_data",
        or None where nothing was promised) and `currency`. Missing numbers are None. Empty without
        initiatives.

    Raises
    ------
    ParameterError
        `near_days` below 0.
    """
    if near_days < 0:
        raise ParameterError("runner.usage", message="--days ≥ 0")
    data_set = open_data(data, as_of)
    if not (data_set.has("initiatives") and data_set.has("orders")):
        return []
    due = due_dates(data_set.table("initiatives"), last_day=data_set.as_of, near_days=near_days)
    found = [
        row for months, part in due.groupby("horizon_months") for row in _measured(data_set, part, months)
    ]
    return sorted(found, key=lambda row: (row["due_on"], row["initiative"]))


def due_dates(initiatives: pd.DataFrame, *, last_day: object, near_days: int) -> pd.DataFrame:
    """Dates of follow-up that are near or past; of an initiative the last one past, and those near.

    Examples
    --------
    >>> register = pd.DataFrame({"initiative_id": ["a"], "name": ["Mail"],
    ...     "started_on": pd.to_datetime(["2025-10-15"])})
    >>> due_dates(register, last_day="2026-09-30", near_days=31)[["horizon_months", "state"]].values.tolist()
    [[6, 'past'], [12, 'near']]
    """
    last, rows = pd.Timestamp(str(last_day)), []
    for row in initiatives.to_dict("records"):
        dates = {months: row["started_on"] + pd.DateOffset(months=months) for months in HORIZONS}
        past = [months for months, day in dates.items() if day <= last][-1:]
        near = [months for months, day in dates.items() if last < day <= last + pd.Timedelta(days=near_days)]
        for months in [*past, *near]:
            state = "past" if months in past else "near"
            own = {"initiative_id": str(row["initiative_id"]), "promised": row.get(PROMISED)}
            rows.append(own | {"horizon_months": months, "due_on": dates[months], "state": state})
    columns = ["initiative_id", "promised", "horizon_months", "due_on", "state"]
    return pd.DataFrame(rows, columns=columns)


def _measured(data_set: DataSet, due: pd.DataFrame, months: Any) -> list[dict[str, Any]]:
    terms = Terms(horizon_months=int(months), currency=data_set.currency)
    chosen_of, found_of = evaluate_register(data_set, data_set.scope(), terms)
    register = register_rows(chosen_of, found_of).assign(initiative_id=list(chosen_of))
    rows = []
    for row in due.merge(register, on="initiative_id").to_dict("records"):
        promised = _number(row["promised"])
        kept = None if promised is None else _against(row, promised, int(months))
        rows.append(
            {
                "initiative": str(row["initiative"]),
                "horizon_months": int(months),
                "due_on": str(row["due_on"].date()),
                "state": str(row["state"]),
                "promised": promised,
                **{name: _number(row[name]) for name in ("estimate", "conf_low", "conf_high")},
                "n": _number(row["customer_months"]),
                "verdict": str(row["verdict"]),
                "kept": kept,
                "currency": data_set.currency,
            }
        )
    return rows


def _against(row: dict[Any, Any], promised: float, months: int) -> str:
    """Judge the limits by the promise; before the months are over nothing is judged, whatever is measured."""
    ends = ("estimate", "conf_low", "conf_high")
    is_over = row["months_observed"] >= months
    measured = {name: row[name] if is_over else float("nan") for name in ends}
    return str(judge_target(measured | {"n": row["customer_months"]}, promised, unit="currency")["verdict"])


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
