"""Who wins more: deals by industry, size, source, owner and product, small groups drawn to the mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxlib.sales.won_and_lost import win_rates
from cxlib.stats.differences import apart_told, groups_apart
from cxlib.stats.drawn_to_mean import shrunken_shares
from cxlib.stats.intervals import Interval

#: Columns by which deals are compared where they are there.
ATTRIBUTES = ("industry", "company_size", "source", "owner", "product")
#: What orders make of customers, and orders follow a deal that was won: groups by the outcome itself.
OF_BUYERS = ("cohort", "first_channel", "segment")
_COLUMNS = ["attribute", "group", "metric", *Interval._fields, "drawn", "n", "customers"]


def deal_attributes(deals: pd.DataFrame, customers: pd.DataFrame, *, by: str | None = None) -> pd.DataFrame:
    """Give deals their customers' attributes to compare by; a deal of an unknown customer keeps its row.

    Parameters
    ----------
    deals, customers
        With `customer_id`.
    by
        A further attribute of customers.

    Examples
    --------
    >>> deals, people = pd.DataFrame({"customer_id": ["a", "x"]}), pd.DataFrame({"customer_id": ["a"]})
    >>> deal_attributes(deals, people.assign(industry="spa"))["industry"].fillna("").tolist()
    ['spa', '']
    """
    wanted = [name for name in (*ATTRIBUTES, by) if name in customers and name not in deals]
    known = customers[["customer_id", *dict.fromkeys(wanted)]].drop_duplicates("customer_id")
    return deals.merge(known, on="customer_id", how="left")


def compared_by(deals: pd.DataFrame, *, by: str | None = None, min_cell: int = 10) -> list[str]:
    """Name the columns that part deals into two groups or more that are large enough.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": range(40), "owner": ["A", "B"] * 20, "source": "web"})
    >>> compared_by(deals)
    ['owner']
    """
    found = []
    for name in dict.fromkeys([*ATTRIBUTES, *([by] if by and by not in OF_BUYERS else [])]):
        if name in deals:
            sizes = deals.groupby(name, observed=True)["customer_id"].nunique()
            found += [name] if (sizes >= min_cell).sum() > 1 and len(sizes) <= 30 else []
    return found


def win_rates_by(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    attributes: Sequence[str],
    mature_days: int | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of mature deals won, by each of several attributes, with small groups drawn to the mean.

    Parameters
    ----------
    deals, as_of, mature_days, conf_level
        As in `win_rates`.
    attributes
        Columns of `deals` (`compared_by`); deals without a value are left out.

    Returns
    -------
    DataFrame
        By `attribute` and `group`: `metric` ("won"), `estimate, std_error, conf_low, conf_high` as observed
        (by account), `drawn` (to the mean of the groups: `shrunken_shares`), `n` (deals), `customers`.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": list("abcd"), "created_on": pd.Timestamp("2026-01-01"),
    ...     "closed_on": pd.Timestamp("2026-01-11"), "is_won": [True] * 3 + [False], "owner": list("xxyy")})
    >>> rates = win_rates_by(deals, as_of="2026-03-31", attributes=["owner"])
    >>> rates[["group", "estimate"]].to_numpy().tolist()
    [['x', 1.0], ['y', 0.5]]
    """
    parts = []
    for name in attributes:
        asked: dict[str, Any] = {"as_of": as_of, "mature_days": mature_days, "conf_level": conf_level}
        rates = win_rates(deals, by=name, **asked).query("metric == 'won'").rename(columns={name: "group"})
        drawn = shrunken_shares(rates["estimate"] * rates["n"], rates["n"])["drawn"].to_numpy()
        parts.append(rates.assign(attribute=name, drawn=drawn, group=rates["group"].astype(str)))
    return pd.concat(parts, ignore_index=True)[_COLUMNS] if parts else pd.DataFrame(columns=_COLUMNS)


def who_wins_more(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    attributes: Sequence[str],
    mature_days: int | None = None,
    min_cell: int = 10,
    conf_level: float = 0.95,
) -> list[dict[str, Any]]:
    """Tell, attribute by attribute, which groups win more or fewer deals: rows for `Report.say`.

    Parameters
    ----------
    deals, as_of, attributes, mature_days
        As in `win_rates_by`.
    min_cell
        Least customers of a group that takes part.
    conf_level
        1 less the chance that anything at all is named where no attribute makes a difference.

    Returns
    -------
    list of dict
        One row per attribute as `apart_told`; all looks at all attributes are paid for (Bonferroni over the
        attributes, in `p_value` too; `groups_apart` within each).
    """
    level = 1 - (1 - conf_level) / max(len(attributes), 1)
    asked: dict[str, Any] = {"as_of": as_of, "mature_days": mature_days, "conf_level": level}
    rates = win_rates_by(deals, attributes=attributes, **asked)
    told = []
    for name in attributes:
        own = rates[(rates["attribute"] == name) & (rates["customers"] >= min_cell)]
        own = own.rename(columns={"group": name}).assign(df=own["customers"] - 1)
        if len(own):
            apart = groups_apart(own.assign(n=own["n"]), by=name, conf_level=level)
            row = apart_told(apart, by=name, measure="win_rate")
            told.append(row | {"p_value": min(1.0, row["p_value"] * len(attributes))})
    return told


def owner_numbers(deals: pd.DataFrame) -> Mapping[str, str]:
    """Give owners numbers by how many deals they have, the most first: a report needs no names.

    Examples
    --------
    >>> owner_numbers(pd.DataFrame({"owner": ["x", "y", "y"]}))
    {'y': 'No. 1', 'x': 'No. 2'}
    """
    order = deals["owner"].dropna().value_counts() if "owner" in deals else pd.Series(dtype=int)
    ranked = sorted(order.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return {str(owner): f"No. {at}" for at, (owner, _) in enumerate(ranked, 1)}


def with_owner_numbers(deals: pd.DataFrame) -> pd.DataFrame:
    """Deals whose owners are numbers (`owner_numbers`), for tables that name nobody.

    Examples
    --------
    >>> with_owner_numbers(pd.DataFrame({"owner": ["x", "y", "y"]}))["owner"].tolist()
    ['No. 2', 'No. 1', 'No. 1']
    """
    if "owner" not in deals:
        return deals
    return deals.assign(owner=deals["owner"].astype(object).map(owner_numbers(deals)))
