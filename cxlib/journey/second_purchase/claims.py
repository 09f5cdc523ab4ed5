"""What may be said of the second purchase: one row per sentence, or a note why there is none."""

from __future__ import annotations

import datetime as dt

import pandas as pd

_COLUMNS = ["metric", "estimate", "conf_low", "conf_high", "n"]


def f2_level(
    f2: pd.DataFrame,
    *,
    days: int,
    n_first: int,
    begins: str = "",
    plain: pd.DataFrame | None = None,
    observed_from: dt.date | None = None,
    is_narrowed: bool = False,
    min_cell: int = 10,
) -> pd.DataFrame:
    """Tell how many first buyers order again, and what else would be said without care.

    Parameters
    ----------
    f2
        Result of `repeat_curve`, or of `f2_burn_in` where the data begin in the middle of customers' lives.
    days
        Days within which a second purchase counts.
    n_first
        First buyers that F2 may speak of; 0 where they cannot be told from old customers.
    begins
        `begins` of `settled_from`: "burn_in" where F2 allows for old customers.
    plain
        Result of `repeat_curve` on everybody who seems new, for "burn_in".
    observed_from
        First day on which a first purchase counts.
    is_narrowed
        Whether these are some of the customers only.
    min_cell
        Smallest number of first buyers.

    Returns
    -------
    DataFrame
        One row, none with too few first buyers: `metric` ("f2"), `estimate, conf_low, conf_high, n, days`;
        `naive` and `naive_gap` (naive − estimate), or with "burn_in" `older_share, plain` and
        `observed_from`; `claim` ("naive_low": the naive ratio says too little; "naive_same"; "settled":
        old customers are allowed for; "since": earlier ones are left out) and `note` (why F2 is not known).

    Examples
    --------
    >>> f2 = pd.DataFrame({"metric": ["f2"], "days": [180], "estimate": [0.4], "conf_low": [0.3],
    ...     "conf_high": [0.5], "n": [200], "naive": [0.3]})
    >>> f2_level(f2, days=180, n_first=200)["claim"].item()
    'naive_low'
    """
    at = f2[f2["days"] == days].dropna(subset="estimate").head(1).reset_index(drop=True)
    is_old = begins == "burn_in"
    if n_first < min_cell:
        return pd.DataFrame(columns=[*_COLUMNS, "claim", "note"])
    if at.empty:
        note = ("journey.unsettled_some" if is_narrowed else "journey.unsettled") if is_old else "unknown"
        about = {"days": days, "min_cell": min_cell, "note": note, "level": "warning"}
        return pd.DataFrame([{"metric": "f2", **about}])
    row = at[_COLUMNS].assign(days=days, observed_from=observed_from, note="")
    if not is_old:
        gap = at["naive"] - at["estimate"]
        claim = "naive_low" if gap.item() < -0.0005 else "naive_same"
        return row.assign(naive=at["naive"], naive_gap=gap, claim=claim)
    if at["note"].item() != "burn_in" or plain is None:
        return row.assign(claim="since")
    everybody = plain.loc[plain["days"] == days, "estimate"].item()
    return row.assign(older_share=at["older_share"], plain=everybody, claim="settled")


def value_of_f2(value: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Tell how much of the first year's value comes from the second purchase on.

    Parameters
    ----------
    value
        Result of `value_by_f2`.
    min_cell
        Smallest number of customers behind each figure.

    Returns
    -------
    DataFrame
        One row, none with too few customers: `metric` ("share_of_value"), `estimate, conf_low, conf_high, n,
        explained_share` (of the spread between customers) and `claim` ("few_carry" where a few customers
        carry the sums, so that no interval holds; else "shown").

    Examples
    --------
    >>> value = pd.DataFrame({"metric": ["share_of_value", "variance_explained"], "estimate": [0.6, 0.1],
    ...     "std_error": [float("nan")] * 2, "conf_low": None, "conf_high": None, "n": 90})
    >>> value_of_f2(value)["claim"].item()
    'few_carry'
    """
    explained = value.loc[value["metric"] == "variance_explained", "estimate"].sum()
    part = value[(value["metric"] == "share_of_value") & (value["n"].min() >= min_cell)]
    claims = ["shown" if error > 0 else "few_carry" for error in part["std_error"]]
    return part[_COLUMNS].assign(explained_share=explained, claim=claims).reset_index(drop=True)
