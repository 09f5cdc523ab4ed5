"""How alike one customer's contacts feel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.stats.intervals import Interval, clustered_mean_interval, share_interval
from cxlib.stats.number_columns import check_numbers


def consistency(
    events: pd.DataFrame,
    *,
    score_col: str = "valence",
    by: str | None = None,
    touchpoint_col: str = "touchpoint",
    customer_id_col: str = "customer_id",
    wide: float = 2.0,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Spread of one customer's scores between touchpoints (unit of the score; 0 = everywhere alike).

    Parameters
    ----------
    events
        Contacts; rows without score, touchpoint or customer are left out, as are customers with scores at
        fewer than two touchpoints.
    score_col, touchpoint_col, customer_id_col
        Columns of `events`.
    by
        Column to compute it per group.
    wide
        A range of scores between touchpoints from which on a customer counts as treated unevenly.
    conf_level
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        Group column, `metric` ("spread", "share_uneven"), `estimate, std_error, conf_low, conf_high, n`
        (customers). "spread" is the standard deviation between the touchpoints of a customer; "share_uneven"
        the share (0–1) whose means differ by at least `wide`.

    Raises
    ------
    ParameterError
        Unknown column, or scores that are no numbers.

    Notes
    -----
    Each customer's mean per touchpoint, less the touchpoint's mean over all customers, so that customers who
    meet better touchpoints do not look inconsistent; root of the mean variance within customers, error by the
    delta method. Includes the noise of single answers: compare groups and periods, do not read it as zero.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("aabb"), "touchpoint": ["web", "shop"] * 2,
    ...     "valence": [2, -2, -2, 2]})
    >>> consistency(events)["estimate"].round(2).to_list()
    [2.83, 1.0]
    """
    check_columns(
        events, score_col=score_col, touchpoint_col=touchpoint_col, customer_id_col=customer_id_col, by=by
    )
    names = [] if by is None else [by]
    rows = (
        events[[*names, customer_id_col, touchpoint_col]]
        .assign(**{score_col: check_numbers(events, score_col)})
        .dropna()
    )
    frames = []
    parts: Any = [((None,), rows)] if by is None else rows.groupby(names, sort=True, observed=True)
    for key, group in parts:
        means = group.groupby([customer_id_col, touchpoint_col])[score_col].mean().astype(float)
        centred = means - means.groupby(level=1).transform("mean")
        own = centred.groupby(level=0)
        several = own.size() > 1
        variance, distance = own.var()[several].to_numpy(), (own.max() - own.min())[several].to_numpy()
        part = _spread_rows(variance, distance >= wide, conf_level)
        frames.append(part if by is None else part.assign(**{by: key[0]}))
    columns = [*names, "metric", *Interval._fields, "n"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def _spread_rows(variance: np.ndarray, uneven: np.ndarray, conf_level: float) -> pd.DataFrame:
    n = len(variance)
    empty = np.full(4, np.nan)
    rows = [("spread", *empty, n), ("share_uneven", *empty, n)]
    if n > 1:
        mean = clustered_mean_interval(variance, np.arange(n), conf_level=conf_level)
        root = np.sqrt(np.maximum([mean.estimate, mean.conf_low, mean.conf_high], 0))
        error = mean.std_error / (2 * root[0]) if root[0] > 0 else 0.0
        share = share_interval(int(uneven.sum()), n, conf_level=conf_level)
        rows = [("spread", root[0], error, root[1], root[2], n)]
        rows += [("share_uneven", share.estimate, share.std_error, share.conf_low, share.conf_high, n)]
    return pd.DataFrame(rows, columns=["metric", *Interval._fields, "n"])
