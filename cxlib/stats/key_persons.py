"""Key persons: the share of money that each of its holders has, and whether most of it hangs on one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval
from cxlib.stats.verdicts import limits_verdict


def held_shares(
    holders: pd.Series, amounts: pd.Series, customers: pd.Series, *, conf_level: float = 0.95
) -> pd.DataFrame:
    """Share (0–1) of an amount with each holder, customers as clusters.

    Parameters
    ----------
    holders
        Who holds each row; missing: nobody.
    amounts
        Money of each row; rows without an amount above 0 are left out.
    customers
        Customer of each row.
    conf_level
        Level of the intervals (Wilson's on the effective number).

    Returns
    -------
    DataFrame
        A row per holder as they first appear, the missing one last: `holder, metric` ("money_share")`,
        estimate, std_error, conf_low, conf_high, amount, n` (rows)`, customers`.

    Examples
    --------
    >>> held = held_shares(pd.Series(["x", "x", "y"]), pd.Series([10.0, 20.0, 70.0]), pd.Series(list("abc")))
    >>> held[["holder", "estimate"]].to_numpy().tolist()
    [['x', 0.3], ['y', 0.7]]
    """
    kept = pd.DataFrame({"holder": holders, "amount": amounts, "customer": customers})
    kept = kept[kept["amount"] > 0]
    rows: list[dict[str, Any]] = []
    for holder in [*kept["holder"].dropna().unique(), *([None] if kept["holder"].isna().any() else [])]:
        own = kept["holder"].isna() if holder is None else kept["holder"] == holder
        asked: dict[str, Any] = {"weights": kept["amount"], "conf_level": conf_level}
        share = clustered_share_interval(own, kept["customer"], **asked)
        counts = {"amount": kept.loc[own, "amount"].sum(), "n": int(own.sum())}
        counts["customers"] = kept.loc[own, "customer"].nunique()
        rows.append({"holder": holder, "metric": "money_share", **share._asdict(), **counts})
    columns = ["holder", "metric", *Interval._fields, "amount", "n", "customers"]
    return pd.DataFrame(rows, columns=columns)


def held_by_one(
    shares: pd.DataFrame, *, holder_col: str = "holder", min_cell: int = 10, large: float = 0.5
) -> pd.DataFrame:
    """Keep the holder with the largest share, and judge whether more than `large` hangs on it.

    Parameters
    ----------
    shares
        As `held_shares` gives it, of one kind of money.
    holder_col
        Column of the holder.
    min_cell
        Least customers of a holder that is told about.
    large
        Share from which on it is called much.

    Returns
    -------
    DataFrame
        One row with `claim` ("much": the whole interval lies above `large`; "open": it holds it; "less":
        below) and `verdict` (of the first two "start_here", "undecided"). None with one holder only.

    Examples
    --------
    >>> rows = pd.DataFrame({"holder": ["x", "y"], "estimate": [0.7, 0.3], "conf_low": [0.6, 0.2],
    ...     "conf_high": [0.8, 0.4], "customers": 30})
    >>> held_by_one(rows)[["holder", "claim"]].to_numpy().tolist()
    [['x', 'much']]
    """
    is_one = shares[holder_col].nunique() < 2
    known = shares[shares[holder_col].notna() & (shares["customers"] >= min_cell) & (not is_one)]
    first = known.sort_values(["estimate", holder_col], ascending=[False, True]).head(1)
    ends = first["conf_low"], first["conf_high"]
    side = limits_verdict(*ends, null=large, unit="share", above="much", below="less", neither="open")
    told = first.assign(claim=side).reset_index(drop=True)
    return told.assign(verdict=told["claim"].map({"much": "start_here", "open": "undecided"}))
