"""Parts of the chapter on customer value that may lack data: cost by channel, groups that stay, renewals."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from cxlib.data.scope import Scope
from cxlib.stats.intervals import false_discovery
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.stats.survival.known_days import enough_at_risk
from cxlib.stats.verdicts import UNDECIDED
from cxlib.value.acquisition_cost import COLUMNS, cac, cac_by_cohort
from cxlib.value.contract_months import contract_survivors
from cxlib.value.days_of_purchase import DAYS_PER_MONTH
from cxlib.value.known_parts import followed_from
from cxlib.value.stay_claims import group_stays, renewals_told

#: Days before the last day on which segments are taken to compare how long their customers stay.
SEGMENT_DAYS = 365
#: Threshold where no times between purchases were seen to take one from.
NO_THRESHOLD = 365


def acquisition(spend: pd.DataFrame | None, customers: pd.DataFrame, **how: Any) -> pd.DataFrame:
    """Give `cac`, without rows where there is no spend.

    Examples
    --------
    >>> acquisition(None, pd.DataFrame()).empty
    True
    """
    return pd.DataFrame(columns=COLUMNS) if spend is None or spend.empty else cac(spend, customers, **how)


def acquisition_by_cohort(spend: pd.DataFrame | None, customers: pd.DataFrame, **how: Any) -> pd.DataFrame:
    """Give `cac_by_cohort`, without rows where there is no spend.

    Examples
    --------
    >>> acquisition_by_cohort(None, pd.DataFrame()).empty
    True
    """
    names = ["cohort", *COLUMNS[1:]]
    return (
        pd.DataFrame(columns=names)
        if spend is None or spend.empty
        else cac_by_cohort(spend, customers, **how)
    )


def cost_table(costs: pd.DataFrame, *, by: str = "acquisition_channel") -> pd.DataFrame:
    """Lay cost, value for cost and payback of each channel, or cohort, side by side.

    Parameters
    ----------
    costs
        Result of `cac`, or of `cac_by_cohort`, with purchases.
    by
        Column that names the rows.

    Returns
    -------
    DataFrame
        The column `by` (a cohort, told by its first day, as `cohort_from`), for `cac, ltv, ltv_to_cac` and
        `payback_months` the estimate and its limits, `n, spend_amount`.

    Examples
    --------
    >>> rows = pd.DataFrame({"acquisition_channel": "ad", "metric": ["cac", "ltv"], "estimate": [9.0, 20.0],
    ...     "conf_low": [8.0, 15.0], "conf_high": [10.0, 25.0], "n": 50, "spend_amount": 450.0})
    >>> cost_table(rows)[["cac", "ltv"]].values.tolist()
    [[9.0, 20.0]]
    """
    base = costs.drop_duplicates(by)[[by, "n", "spend_amount"]]
    for metric in ("cac", "ltv", "ltv_to_cac", "payback_months"):
        names = {"estimate": metric, "conf_low": f"{metric}_conf_low", "conf_high": f"{metric}_conf_high"}
        own = costs[costs["metric"] == metric].rename(columns=names)
        base = base.merge(own[[by, *names.values()]], on=by, how="left")
    order = [name for name in base if name not in ("n", "spend_amount")]
    return base[[*order, "n", "spend_amount"]].rename(columns={"cohort": "cohort_from"})


def threshold_of(silence: pd.DataFrame) -> int:
    """Days of the chosen threshold; a year where there is none.

    Examples
    --------
    >>> threshold_of(pd.DataFrame({"threshold_days": [90.0]}))
    90
    """
    days = silence["threshold_days"].iloc[0]
    return NO_THRESHOLD if pd.isna(days) else max(int(days), 1)


def stays_by_group(
    lapses: pd.DataFrame,
    told: pd.DataFrame,
    scope: Scope,
    *,
    by: str | None,
    horizon_months: int,
    conf_level: float,
    **_: Any,
) -> pd.DataFrame:
    """Compare how long customers stay by channel, by first product, by `by`, and by segment a year before.

    Parameters
    ----------
    lapses
        Result of `lapse_times` with the attributes of `new_customers`.
    told
        Result of `lapse_times` dated as "told": segments are followed by it from a year before the last day.
    scope
        Of the report: it knows segments on an earlier day.
    by
        A further attribute.
    horizon_months, conf_level
        As in `group_stays`.

    Returns
    -------
    DataFrame
        Rows of `group_stays` for each attribute that there is; `p_value` and `verdict` are those of all its
        tests together (Benjamini & Hochberg).
    """
    horizon: dict[str, Any] = {"horizon_days": int(horizon_months * DAYS_PER_MONTH), "conf_level": conf_level}
    names = dict.fromkeys(["acquisition_channel", "first_product", *([by] if by else [])])
    parts = [
        group_stays(lapses, by=name, **horizon) for name in names if name in lapses and name != "segment"
    ]
    day = scope.last_day - dt.timedelta(days=SEGMENT_DAYS)
    later = followed_from(told, day)
    then = scope.customers_on(day)[["customer_id", "segment"]].dropna()
    parts.append(group_stays(later.merge(then, on="customer_id"), by="segment", **horizon))
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    tests = found.drop_duplicates("attribute").set_index("attribute")["p_value"].astype(float)
    held = pd.Series(false_discovery(tests.to_numpy()), tests.index)
    p_value = found["attribute"].map(held)
    differ = (p_value < 1 - conf_level).map({True: "differ", False: UNDECIDED})
    return found.assign(p_value=p_value, verdict=differ)


def staying_curves(
    lapses: pd.DataFrame, stays: pd.DataFrame, *, by: str = "acquisition_channel", conf_level: float = 0.95
) -> pd.DataFrame:
    """Give the curves of the groups that were compared, as far as enough customers are observed.

    Examples
    --------
    >>> lapses = pd.DataFrame({"duration_days": [10, 90] * 60, "is_lapsed": [True, False] * 60,
    ...     "acquisition_channel": ["a", "b"] * 60})
    >>> stays = pd.DataFrame({"attribute": "acquisition_channel", "group": ["a"]})
    >>> staying_curves(lapses, stays)["acquisition_channel"].unique().tolist()
    ['a']
    """
    groups = stays.loc[stays["attribute"] == by, "group"].tolist()
    rows = lapses[lapses[by].isin(groups)]
    clock: dict[str, Any] = {"duration_col": "duration_days", "event_col": "is_lapsed"}
    return enough_at_risk(survival_curve(rows, by=by, conf_level=conf_level, **clock))


def contract_renewals(
    contracts: pd.DataFrame | None, *, as_of: dt.date, conf_level: float = 0.95
) -> pd.DataFrame:
    """Give `renewals_told` of contracts, without rows where there are none.

    Examples
    --------
    >>> contract_renewals(None, as_of=dt.date(2026, 1, 1)).empty
    True
    """
    if contracts is None or contracts.empty:
        return pd.DataFrame(columns=["renewal", "metric", "estimate", "conf_low", "conf_high", "n"])
    return renewals_told(contract_survivors(contracts, as_of=as_of), conf_level=conf_level)


def a_year_before(days: pd.DataFrame, last_day: dt.date) -> dt.date:
    """Day a year before the last one, or half-way to the first purchase where the data are younger.

    Examples
    --------
    >>> a_year_before(pd.DataFrame({"day": pd.to_datetime(["2026-01-01"])}), dt.date(2026, 1, 11))
    datetime.date(2026, 1, 6)
    """
    reach = (pd.Timestamp(last_day) - days["day"].min()).days if len(days) else 0
    return last_day - dt.timedelta(days=365 if reach > 2 * 365 - 30 else reach // 2)
