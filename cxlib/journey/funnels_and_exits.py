"""How far people get, and where they leave: funnels with both denominators, and exits against a fair base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, check_columns, check_group_names, check_times, fail_option
from cxlib.checks.near_names import near_names
from cxlib.checks.occurring import check_occurs
from cxlib.data.text_type import TEXT
from cxlib.stats.differences import interval_difference
from cxlib.stats.intervals import Interval, critical_value, false_discovery, share_interval
from cxlib.stats.verdicts import limits_side

ORDERS = ("strict", "any")
_GAP = np.timedelta64(30, "m")
_LAST_VIEW = 50
_LEAST_EXPECTED = 5
_EXIT_COLUMNS = ["n", "n_exits", "base", "difference", "difference_conf_low", "difference_conf_high"]
_EXIT_COLUMNS += ["p_value", "q_value", "is_excessive", "n_tied"]
_ERRORS = ["base_error", "correlation", "p_value"]
_SHARES = ("share_of_first", "share_of_previous")
_FUNNEL_COLUMNS = ["step_number", "step", "n", "n_low"]
_FUNNEL_COLUMNS += [f"{share}{end}" for share in _SHARES for end in ("", "_conf_low", "_conf_high")]


def funnel(
    events: pd.DataFrame,
    *,
    steps: Sequence[str],
    order: str = "strict",
    unit_col: str = "customer_id",
    step_col: str = "touchpoint",
    time_col: str = "occurred_at",
    within_days: float | None = None,
    by: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Count customers (or sessions) per step, with shares (0–1) of the first step and of the one before.

    Parameters
    ----------
    events
        Contacts. Rows without unit, step or time are left out.
    steps
        The steps in order, at least two.
    order
        "strict": each step must come after the one before, other steps may lie between; "any": having the
        step counts, whenever.
    unit_col, step_col, time_col
        Columns of `events`. Of steps at the same time (systems that record whole seconds have many) the order
        is not known; see `n` and `n_low`.
    within_days
        All steps must lie within so many days of the unit's first first step ("strict" only).
    by
        Column to split by; a unit belongs to the value of its first row (of several at the same time the
        lowest value), and without one to no group.
    conf_level
        Confidence level of the intervals (Wilson).

    Returns
    -------
    DataFrame
        Group column, `step_number` (1 = first), `step, n` (units that reach it), `n_low` (units that reach it
        if of steps at the same time none counts as after another; in `n` each does that can), and
        `share_of_first, share_of_previous` of `n` with `_conf_low, _conf_high`; with "any" these are the
        shares of the units with the first, and with the previous, step that have this one as well.

    Raises
    ------
    ParameterError
        Unknown column or `order`, fewer than two steps, a step named twice or that no event has,
        `within_days` with "any" or not above 0, or `by` called like a column of the result.
    InputError
        `time_col` does not hold timestamps.

    Notes
    -----
    Units are counted, not events. "any" is never below "strict"; the difference are units that went another
    way round.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("aabb"), "touchpoint": ["cart", "pay", "pay", "cart"],
    ...     "occurred_at": pd.date_range("2026-01-01", periods=4)})
    >>> funnel(events, steps=["cart", "pay"])["n"].to_list()
    [2, 1]
    """
    if order not in ORDERS:
        fail_option("order", order, ORDERS)
    _check_steps(list(steps), order, within_days)
    check_columns(events, unit_col=unit_col, step_col=step_col, time_col=time_col, by=by)
    check_group_names(by, _FUNNEL_COLUMNS)
    check_times(events, time_col)
    check_occurs(events, steps, argument="steps", column=step_col)
    complete = events[[unit_col, step_col, time_col]].notna().all(axis=1)
    rows = events[complete].sort_values(time_col, kind="stable")
    frames = []
    for keys, group in _split(rows, unit_col, time_col, by):
        how = (list(steps), unit_col, step_col, time_col, order, within_days)
        reached, least = (_reached(group, *how, in_order=best) for best in (True, False))
        frames.append(_funnel_rows(reached, least, list(steps), conf_level).assign(**keys))
    columns = [*([] if by is None else [by]), *_FUNNEL_COLUMNS]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def _check_steps(steps: list[str], order: str, within_days: float | None) -> None:
    if len(steps) < 2 or (order == "any" and within_days is not None):
        raise ParameterError("journey.funnel_arguments", count=len(steps))
    if within_days is not None and not within_days > 0:
        raise ParameterError("journey.horizon_not_positive", argument="within_days", value=within_days)
    twice = sorted({step for step in steps if steps.count(step) > 1})
    if twice:
        raise ParameterError("journey.steps_repeated", argument="steps", found=", ".join(map(str, twice)))


def _split(
    rows: pd.DataFrame, unit_col: str, time_col: str, by: str | None
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    if by is None:
        yield {}, rows
        return
    lowest = pd.factorize(rows[by], sort=True)[0]
    lowest = np.where(lowest < 0, len(rows), lowest)  # a missing value goes last
    first = rows.iloc[np.lexsort((lowest, rows[time_col]))].drop_duplicates(unit_col)
    own = rows[unit_col].map(first.set_index(unit_col)[by])
    for name in pd.factorize(own, sort=True)[1]:
        yield {by: name}, rows[own == name]


def _reached(
    rows: pd.DataFrame,
    steps: list[str],
    unit_col: str,
    step_col: str,
    time_col: str,
    order: str,
    within_days: float | None,
    *,
    in_order: bool,
) -> np.ndarray:
    """One row per unit, one column per step: whether the unit reached it; `in_order` settles equal times."""
    place_of = pd.Index(steps).get_indexer(pd.Index(rows[step_col]))
    rows = rows.iloc[np.lexsort((place_of if in_order else -place_of, rows[time_col]))]
    unit, labels = pd.factorize(rows[unit_col])
    step = pd.Index(steps).get_indexer(pd.Index(rows[step_col]))
    reached = np.zeros((len(labels), len(steps)), dtype=bool)
    if order == "any":
        reached[unit[step >= 0], step[step >= 0]] = True
        return reached
    time = rows[time_col].to_numpy(dtype="datetime64[ns]")
    place = np.full(len(labels), -1)
    begun = np.full(len(labels), np.datetime64("NaT", "ns"))
    for number in range(len(steps)):
        rows_of = np.flatnonzero(step == number)
        rows_of = rows_of[
            (rows_of > place[unit[rows_of]]) & (reached[unit[rows_of], number - 1] | (number == 0))
        ]
        if number and within_days is not None:
            late = (time[rows_of] - begun[unit[rows_of]]) / np.timedelta64(1, "D") > within_days
            rows_of = rows_of[~late]
        first_units, first = np.unique(unit[rows_of], return_index=True)
        reached[first_units, number] = True
        place[first_units] = rows_of[first]
        if number == 0:
            begun[first_units] = time[rows_of[first]]
    return reached


def _funnel_rows(reached: np.ndarray, least: np.ndarray, steps: list[str], conf_level: float) -> pd.DataFrame:
    frame = pd.DataFrame({"step_number": np.arange(1, len(steps) + 1), "step": steps, "n": reached.sum(0)})
    frame["n_low"] = least.sum(0)
    for name, base in zip(_SHARES, (reached[:, [0] * len(steps)], np.roll(reached, 1, axis=1)), strict=True):
        both, of = (reached & base).sum(0), base.sum(0)
        if name == "share_of_previous":
            both[0] = of[0] = 0
        frame[name], _, frame[f"{name}_conf_low"], frame[f"{name}_conf_high"] = share_interval(
            both, of, conf_level=conf_level
        )
    return frame


def exit_rates(
    events: pd.DataFrame,
    *,
    goal: str | None = None,
    among: str | None = None,
    end_pages: Sequence[str] = (),
    session_col: str | None = "session_id",
    page_col: str = "page",
    time_col: str = "occurred_at",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of exits per page (0–1) against the base, false discoveries controlled, most excessive first.

    Parameters
    ----------
    events
        Page views; rows without session, page or time are left out. Of views at the same time the goal counts
        as the last, the others by their name, since their order is not known; `n_tied` counts them.
    goal
        With a goal page, a session exits at a page if it does not reach the goal after its first view of the
        page, wherever it is lost in between; views after the goal do not count. What is lost from one step to
        the next `funnel` says. Without a goal, a view is an exit if it is the session's last.
    among
        Count only from the first view of this page on, so that a late page is compared with sessions that
        came as far.
    end_pages
        Natural ends, such as the thank-you page; left out, like `among`.
    session_col
        Session; None makes sessions of one `customer_id` by gaps of more than 30 minutes.
    page_col, time_col
        Columns of `events`.
    conf_level
        Confidence level; 1 − `conf_level` is also the false-discovery rate accepted.

    Returns
    -------
    DataFrame
        `page, metric` ("exit"), `estimate, std_error, conf_low, conf_high` (Wilson), `n` (views; with a goal,
        sessions that first saw the page when others were at another page), `n_exits, base` (exit rate to
        compare with; see Notes), `difference, difference_conf_low, difference_conf_high, p_value` (of no more
        exits than the base, one-sided), `q_value, is_excessive` (`q_value` ≤ 1 − `conf_level` and the
        interval of the difference above 0), `n_tied` (views of the page with another page of the session at
        the same time). A page nobody can be compared with, such as one that starts every
        session, keeps all its sessions and has no base.

    Raises
    ------
    ParameterError
        Unknown column; a goal, `among` or end page that is no page of the data.

    Notes
    -----
    Without a goal the base is the exit rate of all other pages; the p-value is Fisher's, exact for any n, and
    the interval Newcombe's. With a goal it compares like with like: for each session that saw the page, the
    exit rate of the sessions at another page at the same view number (since `among`), averaged; so long
    sessions, which contain more of every page, do not make every page look harmful. The error knows that the
    base is estimated and that one session takes part in many pages (clusters), with the page's own spread as
    it is without a difference; skewness by Edgeworth. With fewer than 5 exits or stays expected p is unknown.
    False discoveries by Benjamini and Hochberg. Pages are not assigned by chance: who sees an error page may
    have been about to leave.

    References
    ----------
    Suissa (2008) American Journal of Epidemiology 167 (time at risk); Zou & Donner (2008) Statistics in
    Medicine 27 (interval of the difference); Benjamini & Hochberg (1995) JRSS-B 57.

    Examples
    --------
    >>> views = pd.DataFrame({"session_id": list("aabb"), "page": ["home", "cart", "home", "home"],
    ...     "occurred_at": pd.date_range("2026-01-01", periods=4)})
    >>> exit_rates(views).set_index("page")["estimate"].to_dict()
    {'cart': 1.0, 'home': 0.3333333333333333}
    """
    check_columns(events, session_col=session_col, page_col=page_col, time_col=time_col)
    known = events[[page_col, time_col, session_col or "customer_id"]].notna().all(axis=1)
    check_times(events, time_col)
    views = events[known]
    names = pd.factorize(views[page_col], sort=True)[0]
    views = views.iloc[np.lexsort((names, views[page_col] == goal, views[time_col]))]
    session = views[session_col] if session_col else _sessions(views, time_col)
    views = pd.DataFrame({"session": pd.factorize(session)[0], "page": views[page_col].to_numpy()}).assign(
        tied=_tied(pd.factorize(session)[0], views[time_col], views[page_col])
    )
    for argument, page in (("goal", goal), ("among", among)):
        if page is not None and not (views["page"] == page).any():
            near = near_names(str(page), views["page"].astype(TEXT).unique())
            raise ParameterError("journey.unknown_page", argument=argument, value=repr(page), nearest=near)
    check_occurs(views, end_pages, argument="end_pages", column="page")
    if among is not None:
        views = views[(views["page"] == among).groupby(views["session"]).cummax()]
    views["view"] = views.groupby("session").cumcount().clip(upper=_LAST_VIEW)
    if goal is None:
        views["left"] = ~views["session"].duplicated(keep="last")
    else:
        views = views[~(views["page"] == goal).groupby(views["session"]).cummax()].assign(
            left=lambda rows: ~rows["session"].isin(views.loc[views["page"] == goal, "session"])
        )
    left_out = [*end_pages, among]
    pages = _against_others(views, left_out) if goal is None else _at_same_view(views, left_out)
    ties = views.groupby("page", observed=True)["tied"].sum().reindex(pages["page"]).to_numpy()
    return _exit_rows(pages.assign(n_tied=ties), conf_level)


def _tied(session: np.ndarray, time: pd.Series, page: pd.Series) -> np.ndarray:
    """Whether the session has a view of another page at the very same time."""
    views = pd.DataFrame({"session": session, "time": time.to_numpy(), "page": page.to_numpy()})
    return (views.groupby(["session", "time"])["page"].transform("nunique") > 1).to_numpy()


def _sessions(views: pd.DataFrame, time_col: str) -> pd.Series:
    """Sessions of a customer, parted where more than 30 minutes pass without a view."""
    check_columns(views, session_col="customer_id")
    new = ~(views.groupby("customer_id")[time_col].diff() <= _GAP)
    return views["customer_id"].astype(TEXT) + " " + new.groupby(views["customer_id"]).cumsum().astype(TEXT)


def _against_others(views: pd.DataFrame, left_out: Sequence[str | None]) -> pd.DataFrame:
    """Count exits among the views of each page and of all others; p-value exact given both totals."""
    rows = views[~views["page"].isin(left_out)]
    left = rows.groupby("page", observed=True)["left"]
    pages = pd.DataFrame({"n": left.size(), "n_exits": left.sum()}).reset_index()
    n, exits = pages["n"].to_numpy(), pages["n_exits"].to_numpy()
    pages["n_base"], pages["base_exits"] = n.sum() - n, exits.sum() - exits
    pages["p_value"] = stats.hypergeom.sf(exits - 1, n.sum(), exits.sum(), n)
    return pages.assign(p_value=pages["p_value"].where(pages["n_base"] > 0))


def _at_same_view(views: pd.DataFrame, left_out: Sequence[str | None]) -> pd.DataFrame:
    """First view of each page per session, against sessions at another page at the same view number."""
    page, names = pd.factorize(views["page"], sort=True)
    session, view, left = (views[name].to_numpy() for name in ("session", "view", "left"))
    shape = (len(names), _LAST_VIEW + 1)
    cell = page * shape[1] + view
    seen = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    gone = np.bincount(cell, weights=left, minlength=shape[0] * shape[1]).reshape(shape)
    others = seen.sum(0) - seen
    base = (gone.sum(0) - gone) / np.where(others > 0, others, np.nan)
    first = ~views.duplicated(["session", "page"]).to_numpy()
    rows = []
    for number in np.flatnonzero(~names.isin(left_out)):
        own = np.flatnonzero(first & (page == number))
        compared = own[others[number, view[own]] > 0]
        own = compared if compared.size else own
        weight = np.bincount(view[own], minlength=shape[1]) / np.maximum(others[number], 1) / own.size
        rest = np.flatnonzero((page != number) & (weight[view] > 0))
        expected = base[number, view[own]]
        mine = (left[own] - expected) / own.size
        theirs = np.bincount(
            session[rest],
            weights=weight[view[rest]] * (left[rest] - base[number, view[rest]]),
            minlength=session.max() + 1,
        )
        row = {
            "page": names[int(number)],
            "n": own.size,
            "n_exits": int(left[own].sum()),
            "base": expected.mean(),
        }
        rows.append(row | _influence(mine, theirs, session[own], expected))
    return pd.DataFrame(rows, columns=["page", "n", "n_exits", "base", *_ERRORS])


def _influence(
    mine: np.ndarray, theirs: np.ndarray, own: np.ndarray, expected: np.ndarray
) -> dict[str, float]:
    """Error of the base, its correlation with the page's own rate, and the p-value of no excess.

    Sessions are the clusters. The page's own part is scaled to the spread it has where there is no difference
    (a handful of sessions that all left show none), and its skewness is allowed for (Edgeworth).
    """
    squares, base_squares, cross = (mine**2).sum(), (theirs**2).sum(), (mine * theirs[own]).sum()
    row = {"base_error": base_squares**0.5, "correlation": 0.0, "p_value": np.nan}
    spread = expected * (1 - expected)
    if not spread.sum() > 0 or min(expected.sum(), (1 - expected).sum()) < _LEAST_EXPECTED:
        return row
    own_variance = spread.sum() / expected.size**2
    error = (max(squares + base_squares - 2 * cross, 0) * own_variance / squares) ** 0.5
    if not error > 0:
        return row
    skewness = (spread * (1 - 2 * expected)).sum() / expected.size**3 / error**3
    z = mine.sum() / error
    row["correlation"] = cross / (squares * base_squares) ** 0.5 if base_squares > 0 else 0.0
    return row | {"p_value": stats.norm.sf(z - skewness / 6 * (z**2 - 1))}


def _exit_rows(pages: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    own = share_interval(pages["n_exits"].to_numpy(), pages["n"].to_numpy(), conf_level=conf_level)
    correlation = np.zeros(len(pages))
    if "base_exits" in pages:
        base = share_interval(
            pages["base_exits"].to_numpy(), pages["n_base"].to_numpy(), conf_level=conf_level
        )
    else:
        rate, error = pages["base"].to_numpy(dtype=float), pages["base_error"].to_numpy(dtype=float)
        half, correlation = critical_value(conf_level) * error, pages["correlation"].to_numpy(dtype=float)
        base = Interval(rate, error, np.maximum(rate - half, 0), np.minimum(rate + half, 1))
    gap = interval_difference(own, base, correlation=correlation)
    frame = pages.assign(metric="exit", base=base.estimate, **own._asdict(), difference=gap.estimate)
    frame["difference_conf_low"], frame["difference_conf_high"] = gap.conf_low, gap.conf_high
    frame["q_value"] = false_discovery(frame["p_value"])
    frame["is_excessive"] = (frame["q_value"] <= 1 - conf_level) & (
        limits_side(gap.conf_low, gap.conf_high, unit="pp") > 0
    )
    frame = frame.sort_values(["difference", "page"], ascending=[False, True], ignore_index=True)
    return frame[["page", "metric", *Interval._fields, *_EXIT_COLUMNS]]
