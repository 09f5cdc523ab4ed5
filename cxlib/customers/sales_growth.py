"""Which segment carries the growth or the loss: sales of two like periods, by the groups before each."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cxlib.checks import check_columns
from cxlib.stats.intervals import Interval, critical_value

#: Groups without a bound: all who could have come belong to them, so only who came is counted.
OPEN_GROUPS = ("No orders",)


def segment_growth(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    by: str = "segment",
    value_col: str = "next_amount",
    order: Sequence[object] | None = None,
    buyers_only: Sequence[object] = OPEN_GROUPS,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Split the change of sales between two like periods by the groups customers were in before each.

    Parameters
    ----------
    before, after : pandas.DataFrame
        A row per customer: `customer_id`, the group as it stood when the period began, by the same rules and
        a history of the same length, and the money of the period. A missing group is a group of its own.
    by, value_col : str
        Group column, and money in the data set's currency (missing counts 0).
    order : sequence, optional
        Order of the groups; those not named follow by name. Groups nobody is in are left out.
    buyers_only : sequence
        Groups in which only customers who moved money in the period are counted: those new or returning have
        no number before they come.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        Group, `metric` (amount_change), `estimate, std_error, conf_low, conf_high` (money after minus
        before), `n_before, n` (customers in the group before and after), `amount_before, amount_after,
        number_effect` (more or fewer customers, at the mean of both spends), `spend_effect` (each brings more
        or less, at the mean of both numbers). Effects sum to the estimate, and estimates to the change of the
        total.

    Raises
    ------
    ParameterError
        If a column is missing.

    Notes
    -----
    Groups are made before the period whose sales they split, so nobody is sorted by the outcome; both periods
    are treated alike, so falling from the top by chance happens in both. Customers are the unit: with dᵢ what
    a customer adds to the group's change, the variance is Σ(dᵢ - mean)², limits by the normal.

    Examples
    --------
    >>> one = pd.DataFrame({"customer_id": ["a", "b"], "segment": ["x", "y"], "next_amount": [5.0, 1.0]})
    >>> two = pd.DataFrame({"customer_id": ["a", "b"], "segment": ["x", "x"], "next_amount": [5.0, 4.0]})
    >>> segment_growth(one, two)[["segment", "estimate", "number_effect"]].values.tolist()
    [['x', 4.0, 4.75], ['y', -1.0, -1.0]]
    >>> idle = two.assign(segment="No orders", next_amount=[0.0, 4.0])
    >>> segment_growth(idle, idle)[["n_before", "n"]].values.tolist()
    [[1, 1]]
    """
    for argument, frame in (("before", before), ("after", after)):
        columns = {f"{argument}.customer_id_col": "customer_id", f"{argument}.by": by}
        check_columns(frame, **columns, **{f"{argument}.value_col": value_col})
    periods = [frame.assign(_money=frame[value_col].fillna(0.0)) for frame in (before, after)]
    both = pd.concat(
        [frame.assign(_change=sign * frame["_money"]) for sign, frame in zip((-1, 1), periods, strict=True)]
    )
    n_all = both["customer_id"].nunique()
    periods = [frame[~frame[by].isin(list(buyers_only)) | (frame["_money"] != 0)] for frame in periods]
    own = both.groupby([by, "customer_id"], dropna=False, observed=True)["_change"].sum()
    changes = pd.DataFrame({"estimate": own, "square": own**2})
    rows: pd.DataFrame = changes.groupby(level=0, dropna=False).sum()
    for suffix, frame in zip(("_before", "_after"), periods, strict=True):
        held = frame.groupby(by, dropna=False, observed=True)["_money"]
        rows[f"n{suffix}"], rows[f"amount{suffix}"] = held.size(), held.sum()
    rows = rows.fillna(0.0).rename(columns={"n_after": "n"})
    known = [group for group in order or () if group in rows.index]
    rows = rows.reindex([*known, *(group for group in rows.index if group not in set(known))])
    rows.index.name = by
    shown = [by, "metric", *Interval._fields, "n_before", "n", "amount_before", "amount_after"]
    shown += ["number_effect", "spend_effect"]
    return _with_effects(rows, n_all, conf_level).reset_index()[shown]


def _with_effects(rows: pd.DataFrame, n_all: int, conf_level: float) -> pd.DataFrame:
    change = rows["estimate"]
    error = (rows["square"] - change**2 / max(n_all, 1)).clip(lower=0) ** 0.5
    error = error.where(error > 0)
    half = critical_value(conf_level) * error
    mean_before = (rows["amount_before"] / rows["n_before"]).where(rows["n_before"] > 0)
    mean_after = (rows["amount_after"] / rows["n"]).where(rows["n"] > 0)
    typical = (mean_before.fillna(mean_after) + mean_after.fillna(mean_before)) / 2
    number = (rows["n"] - rows["n_before"]) * typical
    return rows.astype({"n": "int64", "n_before": "int64"}).assign(
        metric="amount_change",
        std_error=error,
        conf_low=change - half,
        conf_high=change + half,
        number_effect=number,
        spend_effect=change - number,
    )
