"""Whose contracts end sooner: each channel, or other group, against all others with the plan alike."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData, check_columns
from cxlib.stats.intervals import false_discovery
from cxlib.stats.survival.hazard_ratios import PER_FEATURE, cox_hazard_ratios
from cxlib.stats.verdicts import UNDECIDED, limits_verdict
from cxlib.value.contract_months import contract_tenure

_NAMES = ["metric", "estimate", "conf_low", "conf_high", "p_value"]


def contract_ends(
    contracts: pd.DataFrame | None,
    *,
    as_of: dt.date | str,
    by: str = "acquisition_channel",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How much faster the contracts of each group end than those of all others, with the plan alike.

    Parameters
    ----------
    contracts
        As in `contract_tenure`, with `customer_id` and the column `by`, and `plan` if known. The first
        contract of each customer counts, from its first renewal on; rows without a group take part as others.
    as_of
        Last day of observation.
    by
        Column of groups.
    conf_level
        Level of each interval, and of the false-discovery control over all groups.

    Returns
    -------
    DataFrame
        `by, metric` ("hazard_ratio")`, estimate` (chance to end at a renewal, as a multiple of the others')`,
        conf_low, conf_high, p_value` (Benjamini & Hochberg)`, n` (contracts of the group)`, verdict`
        (more_likely, less_likely, no_difference_shown), the fastest first. Groups with fewer than 10 ended
        contracts, of their own or of all others, and those that end wholly before or after the others are
        left out; no rows without two groups.

    Raises
    ------
    ParameterError, InputError
        As `contract_tenure`.

    Notes
    -----
    Cox's regression of one group after the other. The ratio is taken to be the same at every renewal: where
    customers of a group differ much among themselves it says less of later renewals than of early ones.

    References
    ----------
    Cox (1972) JRSS-B 34; Benjamini & Hochberg (1995) JRSS-B 57.

    Examples
    --------
    >>> held = pd.DataFrame({"customer_id": range(80), "started_on": pd.Timestamp("2026-01-10"),
    ...     "ended_on": pd.to_datetime(["2026-02-10", "2026-06-10"] * 40),
    ...     "acquisition_channel": ["ad", "shop"] * 40})
    >>> contract_ends(held.head(0), as_of="2026-12-31").empty
    True
    """
    columns = [by, *_NAMES, "n", "verdict"]
    if contracts is None or contracts.empty or by not in contracts:
        return pd.DataFrame(columns=columns)
    check_columns(contracts, customer_id="customer_id")
    first = contracts.sort_values("started_on", kind="stable").drop_duplicates("customer_id")
    held = contract_tenure(first, as_of=as_of)
    held = held[held["duration_months"] > 0].reset_index(drop=True)
    ended = held.loc[held["is_ended"], by].value_counts()
    others = int(held["is_ended"].sum()) - ended
    names = sorted(ended.index[(ended >= PER_FEATURE) & (others >= PER_FEATURE)], key=str)
    plans = pd.get_dummies(held["plan"], prefix="plan", dtype=float) if "plan" in held else pd.DataFrame()
    rows = []
    for name in names:
        own = (held[by] == name).astype(float)
        if own.all():
            continue
        alike = [plan for plan in plans.columns[1:] if 0 < plans.loc[own == 1, plan].mean() < 1]
        frame = held.assign(group=own, **plans[alike])
        clock: dict[str, Any] = {"duration_col": "duration_months", "event_col": "is_ended"}
        try:
            found = cox_hazard_ratios(
                frame, **clock, feature_cols=["group", *alike], conf_level=conf_level
            ).iloc[0]
        except NotEnoughData:
            continue
        if not 0 < found["conf_low"] <= found["conf_high"] < np.inf:  # all of one side end before the other's
            continue
        rows.append({by: name, **found[_NAMES], "n": int(own.sum())})
    table = pd.DataFrame(rows, columns=columns[:-1]).infer_objects()
    table["p_value"] = false_discovery(table["p_value"].to_numpy(float))
    side = limits_verdict(
        table["conf_low"],
        table["conf_high"],
        null=1.0,
        unit="ratio",
        above="more_likely",
        below="less_likely",
    )
    table["verdict"] = np.where(table["p_value"] < 1 - conf_level, side, UNDECIDED)
    return table.sort_values(["estimate", by], ascending=[False, True], ignore_index=True)


def ends_told(ends: pd.DataFrame, *, by: str = "acquisition_channel") -> list[dict[str, Any]]:
    """Say of each group whose contracts are shown to end sooner or later than the others', or that none is.

    Examples
    --------
    >>> rows = pd.DataFrame({"acquisition_channel": ["ad", "shop"], "verdict": ["more_likely", UNDECIDED]})
    >>> [row["claim"] for row in ends_told(rows)], ends_told(rows.head(0))
    (['more_likely'], [])
    """
    shown = ends[ends["verdict"].isin(["more_likely", "less_likely"])]
    told = [
        {"claim": row["verdict"]} | {str(name): held for name, held in row.items()}
        for row in shown.to_dict("records")
    ]
    looked_at = int((ends["verdict"] == UNDECIDED).sum())
    none = {"claim": "none", by: "", "verdict": UNDECIDED, "groups": looked_at}
    return told or ([none] if looked_at > 1 else [])
