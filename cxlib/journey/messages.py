"""How many messages are too many: response and opt-out by contacts in thirty days, and leaving as an exit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.checks import InputError, ParameterError, check_columns
from cxlib.data.days import instants, local_days
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval, critical_value, share_difference_interval, share_interval
from cxlib.stats.number_columns import check_numbers

#: Difference of a class from the lowest one, in a frame of `contact_pressure`.
DIFFERENCE = ["difference", "difference_conf_low", "difference_conf_high"]
#: Columns of `contact_pressure`.
PRESSURE = ["contacts_from", "contacts_to", "metric", *Interval._fields, "n", "n_contacts", *DIFFERENCE]


def contact_pressure(
    contacts: pd.DataFrame,
    *,
    responded_col: str | None = None,
    opted_out_col: str | None = None,
    within_days: int = 30,
    edges: Sequence[int] = (1, 2, 3, 4, 6, 9),
    customer_id_col: str = "customer_id",
    time_col: str = "occurred_at",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Response and opt-out per contact (0–1), by how many contacts the customer had in 30 days.

    Parameters
    ----------
    contacts
        One row per contact sent; rows without customer or time are left out.
    responded_col, opted_out_col
        True or 1 where the customer responded to, or opted out after, this contact. Where it is missing the
        contact counts towards the number but not towards the share. At least one of them.
    within_days
        Contacts are counted in so many days up to and including this one; those at the same time all count,
        since their order is not known.
    edges
        Lowest number of contacts of each class, ascending, from 1.
    customer_id_col, time_col
        Columns of `contacts`.
    conf_level
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        `contacts_from, contacts_to` (missing for the last class), `metric` ("response", "opt_out"),
        `estimate, std_error, conf_low, conf_high, n` (customers), `n_contacts` (that the share rests on),
        `difference` from the first class with an interval that holds for all classes together
        (`difference_conf_low, difference_conf_high`).

    Raises
    ------
    ParameterError
        Unknown column, text in it, neither column given, or edges that do not ascend from 1.
    InputError
        A column that holds other numbers than 0 and 1.

    Notes
    -----
    A customer opts out once, so each contact up to then is a new trial: Wilson's interval, and Newcombe's for
    the difference. Contacts after a customer's first opt-out are not at risk and left out. Responses of one
    customer go together: errors are clustered. Differences by Bonferroni over the classes.

    Who gets many contacts was chosen for it, often because of past responses; the curve is no effect of
    writing more. A column with no "no" at all records the yes only: its shares are unknown (NaN), not 1.

    References
    ----------
    Newcombe (1998) Statistics in Medicine 17; Allison (1982) Sociological Methodology 13 (discrete hazards).

    Examples
    --------
    >>> contacts = pd.DataFrame({"customer_id": ["a"] * 2, "opened": [True, False],
    ...     "occurred_at": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    >>> contact_pressure(contacts, responded_col="opened", edges=[1, 2])["estimate"].to_list()
    [1.0, 0.0]
    """
    check_columns(contacts, customer_id_col=customer_id_col, time_col=time_col)
    check_columns(contacts, responded_col=responded_col, opted_out_col=opted_out_col)
    cuts = np.asarray(edges, dtype=int)
    if not cuts.size or cuts[0] != 1 or (np.diff(cuts) <= 0).any():
        raise ParameterError("journey.edges", argument="edges", value=repr(list(edges)))
    asked = {"response": responded_col, "opt_out": opted_out_col}
    flags = {metric: _flags(contacts, name) for metric, name in asked.items() if name is not None}
    if not flags:
        raise ParameterError("journey.no_outcome", argument="responded_col, opted_out_col")
    rows = contacts[[customer_id_col]].assign(**{time_col: instants(contacts[time_col], time_col)}, **flags)
    rows = rows.dropna(subset=[customer_id_col, time_col])
    rows = rows.sort_values(time_col, kind="stable")
    who = pd.factorize(rows[customer_id_col])[0]
    together = rows.groupby([who, rows[time_col].to_numpy()], sort=False).ngroup().to_numpy()
    number = (
        pd.Series(_recent(who, rows[time_col], within_days)).groupby(together).transform("max").to_numpy()
    )
    code = np.searchsorted(cuts, number, side="right") - 1
    frames = []
    for metric in flags:
        hit = rows[metric].to_numpy(dtype=float)
        known = np.isfinite(hit) & (hit == 0).any()
        if metric == "opt_out":
            known &= ~_left_before(who, together, hit == 1)
        parts = (hit[known], code[known], who[known])
        frame = pd.DataFrame(
            {"contacts_from": cuts, "metric": metric, **_shares(*parts, metric, cuts.size, conf_level)}
        )
        frame["contacts_to"] = np.append(cuts[1:] - 1.0, np.nan)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)[PRESSURE]


def first_exits(
    first_buyers: pd.DataFrame,
    contacts: pd.DataFrame,
    *,
    opted_out_col: str = "opted_out",
    customer_id_col: str = "customer_id",
    time_col: str = "occurred_at",
) -> pd.DataFrame:
    """Tell what came first after the first purchase: the second one, or opting out of messages.

    Parameters
    ----------
    first_buyers
        A frame of `repeat_times`: `from_on, duration_days, is_repeat` and the customer.
    contacts
        Contacts of the same customers, with the mark of those after which a customer opted out.
    opted_out_col, customer_id_col, time_col
        Columns of `contacts`.

    Returns
    -------
    DataFrame
        `first_buyers` with `duration_days` (whole days to the first of the two, or to the last day known) and
        `cause` ("bought_again", "opted_out", missing), for `cumulative_incidence`. Of two on one day the
        purchase counts. Customers who had opted out before their first purchase are left out.

    Raises
    ------
    ParameterError
        Unknown column, or text in `opted_out_col`.

    Examples
    --------
    >>> buyers = pd.DataFrame({"customer_id": ["a", "b"], "from_on": pd.Timestamp("2026-01-01"),
    ...     "duration_days": [30, 20], "is_repeat": [False, True]})
    >>> left = pd.DataFrame({"customer_id": ["a"], "occurred_at": [pd.Timestamp("2026-01-08 12:00")],
    ...     "opted_out": [True]})
    >>> first_exits(buyers, left)[["duration_days", "cause"]].to_numpy().tolist()
    [[7, 'opted_out'], [20, 'bought_again']]
    """
    check_columns(contacts, customer_id_col=customer_id_col, time_col=time_col, opted_out_col=opted_out_col)
    check_columns(first_buyers, **{name: name for name in ("from_on", "duration_days", "is_repeat")})
    left = contacts[_flags(contacts, opted_out_col) == 1]
    day = pd.Series(_days(left[time_col]), index=left.index)
    first = day.groupby(left[customer_id_col]).min()
    start = first_buyers["from_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
    wait = first_buyers[customer_id_col].map(first).to_numpy(dtype=float) - start
    days = first_buyers["duration_days"].to_numpy(dtype=float)
    bought = first_buyers["is_repeat"].to_numpy(dtype=bool)
    leaves = (wait >= 0) & ((wait < days) | ((wait == days) & ~bought))
    cause = np.select([leaves, bought], ["opted_out", "bought_again"], default="")
    result = first_buyers.assign(duration_days=np.where(leaves, wait, days).astype(int), cause=cause)
    result["cause"] = result["cause"].where(result["cause"] != "")
    return result[~(wait < 0)].reset_index(drop=True)


def _flags(data: pd.DataFrame, column: str) -> np.ndarray:
    """Yes and no as 1 and 0, missing as NaN."""
    numbers = check_numbers(data, column)
    bad = ~np.isin(numbers, (0, 1)) & ~np.isnan(numbers)
    if bad.any():
        raise InputError("journey.event_not_binary", column=column, count=int(bad.sum()), rows=len(data))
    return numbers


def _left_before(who: np.ndarray, together: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Whether the customer had opted out at an earlier time; rows sorted by time, `together` at one time."""
    marks = pd.Series(left.astype(np.int64))
    before = (marks.groupby(who).cumsum() - marks).groupby(together).transform("min")
    return (before > 0).to_numpy(dtype=bool)


def _shares(
    hit: np.ndarray, code: np.ndarray, who: np.ndarray, metric: str, n_classes: int, conf_level: float
) -> dict[str, np.ndarray]:
    """Share per class with its interval, and its difference from the first class."""
    total = np.bincount(code, minlength=n_classes)
    hits = np.bincount(code, hit, n_classes)
    n = np.array([np.unique(who[code == place]).size for place in range(n_classes)])
    compared = max(int((total[1:] > 0).sum()), 1)
    joint = 1 - (1 - conf_level) / compared
    exact = share_interval(hits, total, conf_level=conf_level)
    if metric == "opt_out":
        interval, apart = exact, share_difference_interval(hits, total, hits[0], total[0], conf_level=joint)
        ends = (apart.estimate, apart.conf_low, apart.conf_high)
    else:
        interval = clustered_share_interval(hit, who, groups=code, n_groups=n_classes, conf_level=conf_level)
        effect = interval.estimate - interval.estimate[0]
        half = critical_value(joint) * _joint_error(hit, code, who, n_classes)
        # two classes in which all contacts ended alike leave room for the customers that were seen
        people = np.where(hits > 0, n, 0)
        alike = share_difference_interval(people, n, people[0], n[0], conf_level=joint)
        low, high = (
            np.where(half > 0, effect + side * half, end)
            for side, end in ((-1, alike.conf_low), (1, alike.conf_high))
        )
        ends = (effect, low, high)
    apart_columns = {name: np.asarray(end, dtype=float) for name, end in zip(DIFFERENCE, ends, strict=True)}
    for name in DIFFERENCE:
        apart_columns[name][0] = 0.0 if total[0] else np.nan
    return {**interval._asdict(), "n": n, "n_contacts": total, **apart_columns}


def _joint_error(hit: np.ndarray, code: np.ndarray, who: np.ndarray, n_classes: int) -> np.ndarray:
    """Error of each class minus the first, with customers who are in both counted once."""
    people = int(who.max(initial=-1)) + 1
    total = np.bincount(code, minlength=n_classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(code, hit, n_classes) / total
        errors = np.full(n_classes, np.nan)
        own = [
            np.bincount(who[code == k], (hit - mean[code])[code == k], people) / total[k]
            for k in range(n_classes)
        ]
    for k in range(n_classes):
        seen = np.unique(who[(code == k) | (code == 0)]).size
        errors[k] = np.sqrt(((own[k] - own[0]) ** 2).sum() * seen / max(seen - 1, 1))
    return errors


def _days(times: pd.Series) -> np.ndarray:
    """Local calendar day of each time as a whole number."""
    return local_days(times, str(times.name)).to_numpy().astype("datetime64[D]").astype(np.int64)


def _recent(who: np.ndarray, time: pd.Series, days: int) -> np.ndarray:
    """Contacts of the same customer in the `days` up to and including each one; rows sorted by time."""
    day = _days(time)
    order = np.lexsort((np.arange(len(who)), who))
    span = int(day.max() - day.min()) + days + 2 if len(day) else 1
    key = who[order] * span + (day[order] - day.min(initial=day[0] if len(day) else 0))
    first = np.searchsorted(key, np.maximum(key - days + 1, who[order] * span), side="left")
    number = np.empty(len(who), dtype=np.int64)
    number[order] = np.arange(len(who)) - first + 1
    return number
