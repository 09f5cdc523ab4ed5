"""What the chapter on customer value may say of staying and leaving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlib.data.purchases import purchase_lines
from cxlib.stats.intervals import share_interval
from cxlib.stats.survival.kaplan_meier import logrank, rmst
from cxlib.stats.verdicts import UNDECIDED
from cxlib.value.claims import UNSETTLED, rows_of

#: Fewest customers of a group whose time as a customer is told.
LEAST_IN_GROUP = 30


def threshold_told(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Say the threshold with what it calls lapsed and who came back, or what of it is not known.

    Examples
    --------
    >>> rows = pd.DataFrame({"quantile": 0.9, "threshold_days": 100.0, "estimate": [0.3, 0.2], "n": 50,
    ...     "note": "", "metric": ["lapsed_share", "reactivated_share"], "conf_low": 0.1, "conf_high": 0.4})
    >>> threshold_told(rows)[0]["back_share"]
    0.2
    """
    lapsed, back = rows_of(rows.head(2))
    if lapsed["note"]:
        return [{"note": lapsed["note"], "n": lapsed["n"]}]
    names = {"back_share": "estimate", "back_share_conf_low": "conf_low", "back_share_conf_high": "conf_high"}
    told = {name: back[end] for name, end in names.items()}
    quantiles = {"quantile_share": lapsed["quantile"], "threshold_days": int(lapsed["threshold_days"])}
    if pd.isna(back["conf_low"]):
        return [lapsed | quantiles | {"claim": "not_followed"}]
    return [lapsed | told | quantiles]


def kept_told(kept: pd.DataFrame, *, months: Sequence[int] = (1, 6, 12)) -> list[dict[str, Any]]:
    """Say the share of customers who bought in some months after their first purchase.

    Examples
    --------
    >>> rows = pd.DataFrame({"period": [0, 1], "metric": "customers_kept", "estimate": [1, 0.2],
    ...     "conf_low": [1, 0.1], "conf_high": [1, 0.3], "n": [50, 40], "n_cohorts": [3, 2]})
    >>> [row["period"] for row in kept_told(rows)]
    [1]
    """
    rows = kept[kept["period"].isin(months) & kept["conf_low"].notna()]
    if kept.empty:
        return [{"note": "no_customers"}]
    if UNSETTLED in set(kept.get("note", [])):
        return [{"note": UNSETTLED, "n": int(kept["n"].max())}]
    return rows_of(rows.assign(note="")) or [{"note": "one_cohort", "n": int(kept["n"].max())}]


def group_stays(
    lapses: pd.DataFrame, *, by: str, horizon_days: int, conf_level: float = 0.95
) -> pd.DataFrame:
    """Compare how long groups of customers stay: active time within a horizon, and whether the groups differ.

    Parameters
    ----------
    lapses
        Result of `lapse_times` with a column of groups; those without one take no part.
    by
        That column.
    horizon_days
        Days up to which active time is counted.
    conf_level
        Confidence level of the limits.

    Returns
    -------
    DataFrame
        `attribute` (the column's name)`, group, metric` ("active_days")`, estimate, std_error, conf_low,
        conf_high, n, p_value` (log-rank test of all groups)`, verdict`; groups with fewer than 30 customers
        are left out.

    Examples
    --------
    >>> lapses = pd.DataFrame({"duration_days": [10, 90] * 60, "is_lapsed": [True, False] * 60,
    ...     "region": ["a", "b"] * 60})
    >>> group_stays(lapses, by="region", horizon_days=60)["verdict"].unique().tolist()
    ['differ']
    """
    sizes = lapses[by].value_counts()
    rows = lapses[lapses[by].isin(sizes.index[sizes >= LEAST_IN_GROUP])]
    clock = {"duration_col": "duration_days", "event_col": "is_lapsed"}
    columns = [
        "attribute",
        "group",
        "metric",
        "estimate",
        "std_error",
        "conf_low",
        "conf_high",
        "n",
        "p_value",
    ]
    if rows[by].nunique() < 2:
        return pd.DataFrame(columns=[*columns, "verdict"])
    found = rmst(rows, by=by, horizon=horizon_days, min_at_risk=10, conf_level=conf_level, **clock)
    found = found[found["metric"] == "rmst"].rename(columns={by: "group"})
    p_value = logrank(rows, by=by, **clock)["p_value"].item()
    verdict = "differ" if p_value < 1 - conf_level else UNDECIDED
    told = found.assign(attribute=by, metric="active_days", p_value=p_value, verdict=verdict)
    return told.sort_values("estimate", ascending=False, ignore_index=True)[[*columns, "verdict"]]


def stays_told(stays: pd.DataFrame) -> list[dict[str, Any]]:
    """Say whether the groups of each attribute differ in how long they stay, and which stay longest.

    Examples
    --------
    >>> rows = pd.DataFrame({"attribute": "region", "group": ["b", "a"], "estimate": [60.0, 10.0],
    ...     "n": [60, 60], "verdict": "differ"})
    >>> told = stays_told(rows)[0]
    >>> told["longest_group"], told["shortest_group"]
    ('b', 'a')
    """
    told = []
    for attribute, rows in stays.groupby("attribute", sort=False):
        known = rows.dropna(subset="estimate")
        if len(known) > 1:
            ends = {"longest_group": known["group"].iloc[0], "shortest_group": known["group"].iloc[-1]}
            days = {"longest_days": known["estimate"].iloc[0], "shortest_days": known["estimate"].iloc[-1]}
            row = {"attribute": attribute, "verdict": rows["verdict"].iloc[0], "n": int(rows["n"].sum())}
            told.append(row | ends | days)
    return told


def first_products(orders: pd.DataFrame, *, product_col: str = "category") -> pd.DataFrame:
    """Name what each customer bought first: the largest line of the first purchase.

    Parameters
    ----------
    orders
        Order lines with `customer_id, ordered_at, amount`.
    product_col
        Column of what was bought; without it nobody has a first product.

    Returns
    -------
    DataFrame
        `customer_id, first_product`.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "a"], "ordered_at": pd.to_datetime(["2026-01-01"] * 2),
    ...     "amount": [5.0, 9.0], "category": ["mask", "cream"]})
    >>> first_products(lines).values.tolist()
    [['a', 'cream']]
    """
    if product_col not in orders:
        return pd.DataFrame({"customer_id": [], "first_product": []}, dtype=object)
    bought = orders[purchase_lines(orders) & orders["customer_id"].notna().to_numpy()]
    ranked = bought.assign(at=bought["ordered_at"], product=bought[product_col].astype(object))
    order = {"customer_id": True, "at": True, "amount": False, "product": True}
    ranked = ranked.sort_values(list(order), ascending=list(order.values()))
    first = ranked.drop_duplicates("customer_id")
    return (
        first[["customer_id", "product"]].rename(columns={"product": "first_product"}).reset_index(drop=True)
    )


def renewals_told(survivors: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Tell the share of contracts lost at the first renewal and at later ones; it falls as they differ.

    Parameters
    ----------
    survivors
        Result of `contract_survivors`.

    Returns
    -------
    DataFrame
        Rows `renewal` ("first", "2 to 6", "7 and later")`, metric` ("contract_churn")`, estimate, std_error,
        conf_low, conf_high, n` (renewals looked at); periods nobody reached are left out.

    Examples
    --------
    >>> rows = pd.DataFrame({"period": [1, 2], "n_at_risk": [100, 50], "n": [80, 45]})
    >>> renewals_told(rows)["estimate"].to_list()
    [0.2, 0.1]
    """
    names = pd.cut(survivors["period"], [0, 1, 6, 10_000], labels=["first", "second_to_sixth", "later"])
    sums = survivors.groupby(names, observed=True)[["n_at_risk", "n"]].sum()
    rows = sums.rename_axis("renewal").reset_index()
    ends = share_interval(rows["n_at_risk"] - rows["n"], rows["n_at_risk"], conf_level=conf_level)
    found = rows.assign(metric="contract_churn", renewal=rows["renewal"].astype(str), **ends._asdict())
    columns = ["renewal", "metric", "estimate", "std_error", "conf_low", "conf_high", "n"]
    return found.assign(n=rows["n_at_risk"])[columns]
