"""Expectation and experience against buying again, as a surface instead of a difference."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.purchases import earlier_buyers, purchase_lines
from cxlib.stats.few_clusters import cluster_fit
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.number_columns import check_numbers

_TERMS = ["level", "expectation", "experience", "expectation_squared", "product", "experience_squared"]
#: Slope and bend along expectation = experience, and across it per point of experience − expectation.
_LINES = {
    "agreement_slope": [0, 1, 1, 0, 0, 0],
    "agreement_bend": [0, 0, 0, 1, 1, 1],
    "gap_slope": [0, -0.5, 0.5, 0, 0, 0],
    "gap_bend": [0, 0, 0, 0.25, -0.25, 0.25],
}
#: What must be zero for a bare difference experience − expectation to say it all.
_DIFFERENCE = np.array([[0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]])
_COLUMNS = ["metric", "term", "expectation", "experience", *Interval._fields]


def gap_surface(
    events: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    horizon_days: int = 90,
    observed_from: dt.date | str | None = None,
    expectation_col: str = "expectation",
    experience_col: str = "experience",
    customer_id_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) that buys within `horizon_days` of a contact, as a surface over both ratings.

    Parameters
    ----------
    events
        Contacts with `occurred_at` and both ratings; rows without them or without customer are left out, as
        are contacts after which fewer than `horizon_days` have been observed.
    orders
        Order lines with `ordered_at`; free and refunded orders are no purchases.
    as_of
        Last day of observation, inclusive.
    horizon_days
        Days after the day of the contact in which a purchase counts.
    observed_from
        As in `repeat_times`: customers who bought before it are left out.
    expectation_col, experience_col, customer_id_col
        Columns; ratings on one common scale.
    conf_level
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        `metric, term, expectation, experience, estimate, std_error, conf_low, conf_high, p_value, n`
        (contacts), `n_customers, largest_share` (of the contacts, by one single customer). "surface" rows:
        the fitted share at each pair of ratings seen, with the contacts there; "line" rows: slope and bend
        along agreement, and across it ("gap_slope" > 0: the more experience exceeds expectation, the more buy
        again); "test" row: `p_value` that the difference of the two ratings says it all. NaN with fewer than
        20 customers, or ratings that do not vary enough.

    Raises
    ------
    ParameterError
        Unknown column, or text among the ratings.
    InputError
        `occurred_at` or `ordered_at` does not hold timestamps.

    Notes
    -----
    share = b0 + b1 X + b2 Y + b3 X² + b4 XY + b5 Y², both ratings centred at the middle of those seen. Every
    customer weighs 1, shared out among his or her contacts, so that a busy one (or a bot) counts once. Errors
    are clustered by customer and corrected for few of them (CR2), t and F with the degrees of freedom that
    the leverage of the customers leaves. The difference Y − X forces b1 = −b2 and b3 = b4 = b5 = 0; the test
    asks whether the data contradict that. Customers rate after they have formed both, and were not assigned
    to either: an association.

    References
    ----------
    Edwards & Parry (1993) Academy of Management Journal 36; Edwards (1994) OBHDP 58; Bell & McCaffrey (2002)
    Survey Methodology 28; Pustejovsky & Tipton (2018) JBES 36 (the tests of R's clubSandwich).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> events = pd.DataFrame({"customer_id": [str(i) for i in range(400)],
    ...     "occurred_at": pd.Timestamp("2026-01-05"), "expectation": rng.integers(1, 6, 400),
    ...     "experience": rng.integers(1, 6, 400)})
    >>> happy = events[events["experience"] > events["expectation"]]
    >>> orders = pd.DataFrame({"customer_id": happy["customer_id"], "ordered_at": pd.Timestamp("2026-02-01")})
    >>> surface = gap_surface(events, orders, as_of="2026-06-30").set_index("term")
    >>> bool(surface.loc["gap_slope", "conf_low"] > 0), bool(surface.loc["difference", "p_value"] < 0.05)
    (True, True)
    """
    names = {"expectation_col": expectation_col, "experience_col": experience_col}
    check_columns(events, **names, customer_id_col=customer_id_col, occurred_at="occurred_at")
    begin = None if observed_from is None else to_date(observed_from, argument="observed_from")
    days = begin, pd.Timestamp(to_date(as_of))
    rated = _rated(events, orders, days, horizon_days, names, customer_id_col)
    x, y = rated["x"].to_numpy(), rated["y"].to_numpy()
    cells = rated.groupby(["x", "y"]).size().rename("n").reset_index()
    middle = (min(x.min(), y.min()) + max(x.max(), y.max())) / 2 if len(rated) else 0.0
    fit = cluster_fit(_design(x - middle, y - middle), rated["bought"].to_numpy(), rated["who"].to_numpy())
    at = _design(cells["x"].to_numpy() - middle, cells["y"].to_numpy() - middle)
    rows = [
        *(("surface", "share", *cell) for cell in cells[["x", "y"]].to_numpy()),
        *(("line", name, np.nan, np.nan) for name in _LINES),
    ]
    estimate, error, df = fit.lines(np.vstack([at, np.array(list(_LINES.values()), dtype=float)]))
    frame = pd.DataFrame(rows, columns=_COLUMNS[:4]).assign(estimate=estimate, std_error=error)
    half = critical_value(conf_level, df=df) * np.where(error > 0, error, np.nan)
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - half, frame["estimate"] + half
    t = (frame["estimate"] / frame["std_error"].where(frame["std_error"] > 0)).abs()
    frame["p_value"] = np.where(frame["metric"] == "line", 2 * stats.t.sf(t, df), np.nan)
    frame["n"] = [*cells["n"], *[len(rated)] * len(_LINES)]
    test = {"metric": "test", "term": "difference", "p_value": fit.wald(_DIFFERENCE), "n": len(rated)}
    frame = pd.concat([frame, pd.DataFrame([test])], ignore_index=True)
    contacts = rated["who"].value_counts()
    frame["n_customers"], frame["largest_share"] = len(contacts), contacts.max() / max(len(rated), 1)
    return frame[[*_COLUMNS, "p_value", "n", "n_customers", "largest_share"]]


def _rated(
    events: pd.DataFrame,
    orders: pd.DataFrame,
    days: tuple[dt.date | None, pd.Timestamp],
    horizon: int,
    names: dict[str, str],
    customer_id_col: str,
) -> pd.DataFrame:
    """Contacts with both ratings, observed for the full horizon, and whether a purchase followed."""
    check_columns(orders, customer_id_col=customer_id_col, ordered_at="ordered_at")
    begin, last = days
    customer = events[customer_id_col]
    rated = pd.DataFrame({"who": pd.factorize(customer)[0], "customer": customer}).assign(
        day=local_days(events["occurred_at"], "occurred_at"),
        x=check_numbers(events, names["expectation_col"]),
        y=check_numbers(events, names["experience_col"]),
    )
    rated = rated.dropna()
    rated = rated[(last - rated["day"]).dt.days >= horizon].sort_values("day", kind="stable")
    ordered_on = local_days(orders["ordered_at"], "ordered_at")
    bought = pd.DataFrame({"customer": orders[customer_id_col], "bought_on": ordered_on})
    bought = bought[
        purchase_lines(orders, known=(ordered_on <= last).to_numpy(), customer_id_col=customer_id_col)
    ]
    bought = bought.dropna().sort_values("bought_on")
    earlier = earlier_buyers(bought["customer"], bought["bought_on"], begin)
    rated = rated[~rated["customer"].isin(earlier)]
    if rated.empty or bought.empty:
        return rated.assign(bought=0.0)
    both = pd.merge_asof(
        rated,
        bought,
        left_on="day",
        right_on="bought_on",
        by="customer",
        direction="forward",
        allow_exact_matches=False,
    )
    wait = (both["bought_on"] - both["day"]).dt.days
    return both.assign(bought=(wait <= horizon).astype(float))


def _design(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones_like(x), x, y, x**2, x * y, y**2])
