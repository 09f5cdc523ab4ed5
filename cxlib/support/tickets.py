"""Tickets as every figure of support counts them: reasons in one spelling, clocks, and what came back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, check_frame
from cxlib.data.days import local_times, to_date

#: Days within which another ticket on the same matter is the same matter, not settled.
SAME_MATTER_DAYS = 7
#: Share of all tickets from which one customer decides every figure.
BUSY_SHARE = 0.2
_KEPT = ("channel", "reason", "handled_by", "reopened_count", "csat_score")
_HOUR: Any = pd.Timedelta(hours=1)
_DAY: Any = pd.Timedelta(days=1)


def read_tickets(tickets: pd.DataFrame, *, as_of: dt.date | str, by: str | None = None) -> pd.DataFrame:
    """Give each ticket its clocks, its reason in one spelling, and when the same matter came back.

    Parameters
    ----------
    tickets : DataFrame
        The contract's tickets: `customer_id, opened_at`, and as far as known `first_replied_at, resolved_at,
        channel, reason, handled_by, reopened_count, csat_score`. Tickets without a time of opening, or opened
        after `as_of`, are left out.
    as_of : date
        Last day that is known.
    by : str, optional
        A column to keep, for results by group.

    Returns
    -------
    DataFrame
        In order of opening: `customer_id, opened_at` (local time), `seen_days` (from opening to the end of
        `as_of`), the columns named above (missing where there are none), `reply_hours, is_replied,
        resolve_hours, is_resolved` (the time until then, or until the data end where it is false; missing
        where reply or closing lies before the opening), `next_days` (until the customer's next ticket on the
        same matter; infinite without one, missing without a customer), `is_follow_up` (it follows one within
        7 days).

    Raises
    ------
    ParameterError
        A missing column, or text for a score or a count.

    Notes
    -----
    Reasons that differ in case, width, blanks, hyphens or underscores are one, written as most tickets have
    it. Same matter: the same reason, or one of the two not recorded. A ticket closed without a reply was
    replied to when it was closed, at the latest.

    Examples
    --------
    >>> times = pd.to_datetime(["2026-01-01 09:00", "2026-01-03 09:00"])
    >>> tickets = pd.DataFrame({"customer_id": "a", "opened_at": times, "reason": ["Late", "late "]})
    >>> read_tickets(tickets.assign(resolved_at=times + pd.Timedelta(hours=2)), as_of="2026-01-31")[
    ...     ["reason", "resolve_hours", "next_days", "is_follow_up"]].to_numpy().tolist()
    [['Late', 2.0, 2.0, False], ['Late', 2.0, inf, True]]
    """
    check_frame(tickets, argument="n_tickets")
    check_columns(tickets, customer_id="customer_id", opened_at="opened_at")
    held = tickets.assign(**{name: np.nan for name in _KEPT if name not in tickets})
    numbers = {name: _numbers(held[name]) for name in ("reopened_count", "csat_score")}
    held = held.assign(opened_at=local_times(held["opened_at"], "opened_at"), **numbers)
    end = pd.Timestamp(to_date(as_of)) + _DAY
    order = ["opened_at", *(name for name in ("ticket_id",) if name in held)]
    held = held[held["opened_at"] < end].sort_values(order, kind="stable", ignore_index=True)
    columns = dict.fromkeys(["customer_id", "opened_at", *_KEPT, *([] if by is None else [by])])
    read = held[list(columns)].assign(
        seen_days=(end - held["opened_at"]) / _DAY, reason=one_spelling(held["reason"])
    )
    resolved = _times(held, "resolved_at")
    replied = _times(held, "first_replied_at")
    for name, at in (("reply", replied.fillna(resolved)), ("resolve", resolved)):
        is_over = (at < end).to_numpy()
        hours = (at.where(is_over, end) - held["opened_at"]) / _HOUR
        read[f"{name}_hours"] = hours.where(hours >= 0)
        read[f"is_{'replied' if name == 'reply' else 'resolved'}"] = is_over
    return read.assign(next_days=_gap(read, ahead=1), is_follow_up=_gap(read, ahead=-1) <= SAME_MATTER_DAYS)


def one_spelling(reasons: pd.Series) -> pd.Series:
    """Write each reason as most of its rows do, whatever the case, width, blanks, hyphens or underscores.

    Examples
    --------
    >>> one_spelling(pd.Series(["late parcel", "Late_Parcel", "late parcel", None])).tolist()[:2]
    ['late parcel', 'late parcel']
    """
    if not reasons.notna().any():
        return reasons.astype(object)
    words = reasons.astype(object)
    words = words.where(words.isna(), words.astype(str).str.strip())
    folded = _folded(words)
    counts = pd.DataFrame({"folded": folded, "word": words}).value_counts().reset_index()
    counts = counts.sort_values(["count", "word"], ascending=[False, True]).drop_duplicates("folded")
    return folded.map(counts.set_index("folded")["word"])


def _folded(words: pd.Series) -> pd.Series:
    plain = words.where(words.isna(), words.astype(str).str.normalize("NFKC").str.casefold())
    return plain.str.strip().str.replace(r"[\s_\-‐-―]+", " ", regex=True)


def common_words(tickets: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Call reasons and channels of fewer than `min_cell` customers "other": somebody may have typed a name.

    Examples
    --------
    >>> tickets = pd.DataFrame({"customer_id": list("abc"), "reason": ["late", "late", "Ms. A"]})
    >>> common_words(tickets.assign(channel="mail"), min_cell=2)["reason"].tolist()
    ['late', 'late', 'other']
    """
    names = {}
    for name in ("reason", "channel"):
        people = tickets["customer_id"].groupby(tickets[name]).nunique()
        is_rare = tickets[name].isin(people.index[people < min_cell])
        names[name] = tickets[name].astype(object).mask(is_rare, "other")
    return tickets.assign(**names)


def _times(held: pd.DataFrame, column: str) -> pd.Series:
    if column in held:
        return local_times(held[column], column)
    return pd.Series(pd.NaT, index=held.index, dtype=held["opened_at"].dtype)


def _numbers(column: pd.Series) -> pd.Series:
    """Give a column as numbers; text that is none is refused."""
    number = pd.to_numeric(column, errors="coerce")
    if bad := int((number.isna() & column.notna()).sum() + np.isinf(number.astype(float)).sum()):
        raise ParameterError("support.no_numbers", column=str(column.name), n=bad, total=len(column))
    return number


def _gap(read: pd.DataFrame, *, ahead: int) -> pd.Series:
    """Days to the next (1) or from the last (-1) ticket of the customer on the same matter."""
    of, opened, unknown = read["customer_id"], read["opened_at"], read["reason"].isna()
    any_other = opened.groupby(of).shift(-ahead)
    same = opened.groupby([of, read["reason"]]).shift(-ahead)
    of_unnamed = opened.where(unknown).groupby(of).shift(-ahead).groupby(of)
    unnamed = of_unnamed.bfill() if ahead > 0 else of_unnamed.ffill()
    gaps = pd.DataFrame({"same": same.where(~unknown, any_other), "unnamed": unnamed})
    days = gaps.sub(opened, axis=0).abs().min(axis=1) / _DAY
    return days.fillna(np.inf).where(of.notna())


def ticket_notes(tickets: pd.DataFrame, read: pd.DataFrame, *, min_cell: int = 10) -> list[dict[str, Any]]:
    """Say what of the tickets limits what can be told: rows for `Report.say` with a `note`.

    Parameters
    ----------
    tickets
        As they came.
    read
        The same, from `read_tickets`.
    min_cell
        Fewer customers with a ticket than this, and nothing is told.

    Examples
    --------
    >>> tickets = pd.DataFrame({"customer_id": ["a"], "opened_at": pd.to_datetime(["2026-01-01"])})
    >>> [row["note"] for row in ticket_notes(tickets, read_tickets(tickets, as_of="2026-01-31"))]
    ['few_tickets', 'no_reasons']
    """
    notes: list[dict[str, Any]] = []
    customers = read["customer_id"].nunique()
    if customers < min_cell:
        notes.append({"note": "few_tickets", "min_cell": min_cell, "level": "not_enough_data"})
    nameless = int(read["customer_id"].isna().sum())
    if nameless:
        notes.append({"note": "no_customer", "share": nameless / len(read), "metric": "share"})
    largest = read["customer_id"].value_counts().max() if customers else 0
    if customers >= min_cell and largest > BUSY_SHARE * len(read):
        notes.append({"note": "busy_customer", "share": largest / len(read), "metric": "share"})
    if len(read) and read["reason"].isna().all():
        notes.append({"note": "no_reasons"})
    words = tickets["reason"].dropna() if "reason" in tickets else pd.Series(dtype=object)
    spelled = words.astype(str).str.strip().nunique() - one_spelling(words).nunique()
    if spelled > 0:
        notes.append({"note": "spellings", "n_spellings": spelled})
    backwards = int(read[["reply_hours", "resolve_hours"]].isna().any(axis=1).sum())
    if backwards:
        notes.append({"note": "backwards", "share": backwards / len(read), "metric": "share"})
    return [{"level": "warning"} | row for row in notes]
