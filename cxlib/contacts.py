"""How alike one customer's contacts feel, and how many contacts are too many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.intervals import clustered_mean_interval

_INTERVAL = ["estimate", "std_error", "conf_low", "conf_high"]


def consistency(
    events: pd.DataFrame,
    *,
    score_col: str = "valence",
    by: str | None = None,
    touchpoint_col: str = "touchpoint",
    customer_col: str = "customer_id",
    wide: float = 2.0,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Spread of one customer's scores between touchpoints (unit of the score; 0 = everywhere alike).

    Parameters
    ----------
    events
        Contacts; rows without score, touchpoint or customer are left out, as are customers with scores at
        fewer than two touchpoints.
    score_col, touchpoint_col, customer_col
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
        Unknown column.

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
        events, score_col=score_col, touchpoint_col=touchpoint_col, customer_col=customer_col, by=by
    )
    names = [] if by is None else [by]
    rows = events[[*names, customer_col, touchpoint_col, score_col]].dropna()
    frames = []
    parts: Any = [((None,), rows)] if by is None else rows.groupby(names, sort=True, observed=True)
    for key, group in parts:
        means = group.groupby([customer_col, touchpoint_col])[score_col].mean().astype(float)
        centred = means - means.groupby(level=1).transform("mean")
        own = centred.groupby(level=0)
        several = own.size() > 1
        variance, distance = own.var()[several].to_numpy(), (own.max() - own.min())[several].to_numpy()
        part = _spread_rows(variance, distance >= wide, conf_level)
        frames.append(part if by is None else part.assign(**{by: key[0]}))
    columns = [*names, "metric", *_INTERVAL, "n"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def contact_pressure(
    contacts: pd.DataFrame,
    *,
    responded_col: str,
    opted_out_col: str | None = None,
    window_days: int = 30,
    edges: Sequence[int] = (1, 2, 3, 4, 6, 9),
    customer_col: str = "customer_id",
    time_col: str = "occurred_at",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Response and opt-out per contact (0–1), by how many contacts the customer had in 30 days.

    Parameters
    ----------
    contacts
        One row per contact sent; rows without customer or time are left out.
    responded_col, opted_out_col
        True or 1 where the customer responded to, or opted out after, this contact; missing = no.
    window_days
        Contacts are counted in so many days up to and including this one.
    edges
        Lowest number of contacts of each class, ascending, from 1.
    customer_col, time_col
        Columns of `contacts`.
    conf_level
        Confidence level of the intervals (clustered by customer).

    Returns
    -------
    DataFrame
        `contacts_from, contacts_to` (missing for the last class), `metric` ("response", "opt_out"),
        `estimate, std_error, conf_low, conf_high, n` (customers), `n_contacts`. Without `opted_out_col` there
        are no opt-out rows.

    Raises
    ------
    ParameterError
        Unknown column, or edges that do not ascend from 1.

    Notes
    -----
    Who gets many contacts was chosen for it, often because of past responses; the curve is no effect of
    writing more. A fall with the number in spite of that choice is the more telling.

    Examples
    --------
    >>> contacts = pd.DataFrame({"customer_id": ["a"] * 2, "opened": [True, False],
    ...     "occurred_at": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    >>> contact_pressure(contacts, responded_col="opened", edges=[1, 2])["estimate"].to_list()
    [1.0, 0.0]
    """
    check_columns(contacts, responded_col=responded_col, customer_col=customer_col, time_col=time_col)
    check_columns(contacts, opted_out_col=opted_out_col)
    cuts = np.asarray(edges, dtype=int)
    if not cuts.size or cuts[0] != 1 or (np.diff(cuts) <= 0).any():
        raise ParameterError("journey.edges", argument="edges", value=repr(list(edges)))
    rows = contacts.dropna(subset=[customer_col, time_col]).sort_values(time_col, kind="stable")
    number = _recent(rows[customer_col], rows[time_col], window_days)
    code = np.searchsorted(cuts, number, side="right") - 1
    who = pd.factorize(rows[customer_col])[0]
    frames = []
    for metric, column in (("response", responded_col), ("opt_out", opted_out_col)):
        if column is None:
            continue
        hit = rows[column].astype("boolean").fillna(value=False).to_numpy(dtype=float)
        interval = clustered_mean_interval(hit, who, groups=code, n_groups=cuts.size, conf_level=conf_level)
        pairs = pd.DataFrame({"code": code, "who": who}).drop_duplicates()
        frame = pd.DataFrame({"contacts_from": cuts, "metric": metric, **interval._asdict()})
        frame["contacts_to"] = np.append(cuts[1:] - 1.0, np.nan)
        frame["n"] = np.bincount(pairs["code"], minlength=cuts.size)
        frame["n_contacts"] = np.bincount(code, minlength=cuts.size)
        for end in ("conf_low", "conf_high"):
            frame[end] = frame[end].clip(0, 1)
        frames.append(frame)
    columns = ["contacts_from", "contacts_to", "metric", *_INTERVAL, "n", "n_contacts"]
    return pd.concat(frames, ignore_index=True)[columns]


def _spread_rows(variance: np.ndarray, uneven: np.ndarray, conf_level: float) -> pd.DataFrame:
    n = len(variance)
    empty = np.full(4, np.nan)
    rows = [("spread", *empty, n), ("share_uneven", *empty, n)]
    if n > 1:
        mean = clustered_mean_interval(variance, np.arange(n), conf_level=conf_level)
        root = np.sqrt(np.maximum([mean.estimate, mean.conf_low, mean.conf_high], 0))
        error = mean.std_error / (2 * root[0]) if root[0] > 0 else 0.0
        share = clustered_mean_interval(uneven.astype(float), np.arange(n), conf_level=conf_level)
        ends = np.clip([share.conf_low, share.conf_high], 0, 1)
        rows = [("spread", root[0], error, root[1], root[2], n)]
        rows += [("share_uneven", share.estimate, share.std_error, *ends, n)]
    return pd.DataFrame(rows, columns=["metric", *_INTERVAL, "n"])


def _recent(customer: pd.Series, time: pd.Series, days: int) -> np.ndarray:
    """Contacts of the same customer in the `days` up to and including each one; rows sorted by time."""
    who = pd.factorize(customer)[0].astype(np.int64)
    naive = time.dt.tz_localize(None) if isinstance(time.dtype, pd.DatetimeTZDtype) else time
    day = naive.to_numpy().astype("datetime64[D]").astype(np.int64)
    order = np.lexsort((np.arange(len(who)), who))
    span = int(day.max() - day.min()) + days + 2 if len(day) else 1
    key = who[order] * span + (day[order] - day.min(initial=day[0] if len(day) else 0))
    first = np.searchsorted(key, np.maximum(key - days + 1, who[order] * span), side="left")
    number = np.empty(len(who), dtype=np.int64)
    number[order] = np.arange(len(who)) - first + 1
    return number
