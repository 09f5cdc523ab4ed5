"""Touchpoint by state: who moves up after a contact, and which states get none."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.journey.roles.customer_days import (
    MIN_TOUCHED,
    MOST_EXPOSURE,
    STATE_ORDER,
    difference_within,
    error_of_shares,
    exposure_ratio,
    history_strata,
    state_panel,
)
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval, critical_value, false_discovery
from cxlib.stats.verdicts import limits_side

_CHANGE_COLUMNS = ["touchpoint", "state", "metric", *Interval._fields, "p_value", "q_value", "is_shown"]
_CHANGE_COLUMNS += ["share_touched", "share_untouched", "adjusted", "adjusted_conf_low", "adjusted_conf_high"]
_CHANGE_COLUMNS += ["n", "n_touched", "reach"]
_CHANGE_COLUMNS += ["exposure_ratio", "is_confounded"]


def state_changes(
    events: pd.DataFrame,
    states: pd.DataFrame,
    *,
    state_order: Sequence[str] = STATE_ORDER,
    within_days: int = 30,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """P(moves up | touched) − P(moves up | not touched), for every touchpoint and state (−1 to 1).

    Parameters
    ----------
    events
        Contacts with `customer_id, touchpoint, occurred_at`; rows with one of them missing are left out.
    states
        A frame of `attitude_states` on at least two days, about equally far apart; best with `frequency,
        recency_days, tenure_days, first_seen_on, customer_type` kept, for `adjusted`.
    state_order
        The states from worst to best. Up is a better state on the next day; in the best state, staying.
    within_days
        A customer is touched if a contact falls into so many days up to and including the day of the state.
    conf_level
        Confidence level of the intervals; 1 − `conf_level` is also the accepted rate of false discoveries.

    Returns
    -------
    DataFrame
        `touchpoint, state, metric` ("difference"), `estimate, std_error, conf_low, conf_high, p_value,
        q_value, is_shown` (interval above zero after the search through all cells is paid for, that of
        `adjusted` as well, and not confounded), `share_touched, share_untouched` (that moved up), `adjusted`
        (difference within customers of equally many contacts elsewhere and alike orders or time in the state,
        with `adjusted_conf_low, adjusted_conf_high`), `n` (customers in the state), `n_touched` (of them
        touched there), `reach` (share of the customer-days in the state that were touched), `exposure_ratio`
        (contacts elsewhere, touched ÷ not; infinite where only the touched have any), `is_confounded` (above
        1.5). With fewer than 5 customers touched or not, NaN.

    Raises
    ------
    ParameterError
        Unknown column or a state that is not in `state_order`.

    Notes
    -----
    Contact first, then the move: contacts after the day count for the next one, so that a purchase cannot
    cause its own checkout. Errors are clustered by customer, where all or nobody moved up those of Agresti
    and Caffo; q-values by Benjamini and Hochberg. Who is touched was not drawn by lot: those with many
    contacts anywhere are the active ones, and would have moved up more often without this touchpoint too.
    And contacts follow purchases: who has just bought is contacted, and moves by the calendar. `adjusted`
    removes what the number of other contacts and the orders so far show of both, no more.

    References
    ----------
    van Houwelingen (2007) Scandinavian Journal of Statistics 34 (landmarks); Benjamini & Hochberg (1995).

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-31", "2026-02-28"])
    >>> states = pd.DataFrame({"as_of": np.repeat(days, 20), "customer_id": [*"abcdefghijklmnopqrst"] * 2,
    ...     "state": ["low"] * 20 + ["high"] * 10 + ["low"] * 10})
    >>> events = pd.DataFrame({"customer_id": list("abcdefghij"), "touchpoint": "mail",
    ...     "occurred_at": pd.Timestamp("2026-01-15")})
    >>> state_changes(events, states, state_order=["low", "high"])["estimate"].to_list()[0]
    1.0
    """
    panel, contacts = state_panel(events, states, state_order, within_days)
    everything, history = contacts.sum(axis=1), history_strata(panel)
    rows = []
    for touchpoint in contacts:
        number = contacts[touchpoint].to_numpy()
        for state in state_order:
            here = np.flatnonzero((panel["state"] == state).to_numpy())
            others = (everything.to_numpy() - number)[here]
            up, who = panel["up"].to_numpy()[here], panel["who"].to_numpy()[here]
            cell = _cell(up, number[here] > 0, others, who, history[here])
            rows.append({"touchpoint": touchpoint, "state": state, "metric": "difference", **cell})
    early = [name for name in _CHANGE_COLUMNS if name not in _LATER]
    frame = pd.DataFrame(rows, columns=[*early, "adjusted_error"])
    z = critical_value(conf_level)
    frame["conf_low"], frame["conf_high"] = (
        frame["estimate"] + side * z * frame["std_error"] for side in (-1, 1)
    )
    ratio = frame["estimate"] / frame["std_error"].where(frame["std_error"] > 0)
    frame["p_value"] = 2 * stats.norm.sf(ratio.astype(float).abs())
    frame["q_value"] = false_discovery(frame["p_value"])
    for end, side in (("adjusted_conf_low", -1), ("adjusted_conf_high", 1)):
        frame[end] = frame["adjusted"] + side * z * frame["adjusted_error"]
    frame["is_confounded"] = frame["exposure_ratio"] > MOST_EXPOSURE
    beyond = (frame["q_value"] <= 1 - conf_level) & (frame["estimate"] > 0)
    adjusted = limits_side(frame["adjusted_conf_low"], frame["adjusted_conf_high"], unit="pp")
    frame["is_shown"] = beyond & (adjusted > 0) & ~frame["is_confounded"]
    return frame[_CHANGE_COLUMNS]


_LATER = ["conf_low", "conf_high", "p_value", "q_value", "is_shown", "is_confounded"]
_LATER += ["adjusted_conf_low", "adjusted_conf_high"]


def state_care(
    events: pd.DataFrame,
    states: pd.DataFrame,
    *,
    state_order: Sequence[str] = STATE_ORDER,
    touchpoints: Collection[str] | None = None,
    within_days: int = 30,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of customer-days in each state with any contact at all, the least looked after first.

    Parameters
    ----------
    events, states, state_order, within_days, conf_level
        As in `state_changes`; the last day counts too.
    touchpoints
        Count only these, such as those at which the company gets in touch: a customer's own visit to the shop
        is nobody's care. None counts all.

    Returns
    -------
    DataFrame
        `state, metric` ("in_touch"), `estimate, std_error, conf_low, conf_high, n` (customers ever in the
        state). States nobody is in come last, with NaN.

    Raises
    ------
    ParameterError
        As in `state_changes`.

    Examples
    --------
    >>> states = pd.DataFrame({"as_of": pd.Timestamp("2026-01-31"), "customer_id": list("abc"),
    ...     "state": ["low", "high", "high"]})
    >>> events = pd.DataFrame({"customer_id": ["b"], "touchpoint": "mail",
    ...     "occurred_at": pd.Timestamp("2026-01-15")})
    >>> state_care(events, states, state_order=["low", "high"])[["state", "estimate"]].to_numpy().tolist()
    [['low', 0.0], ['high', 0.5]]
    """
    panel, contacts = state_panel(events, states, state_order, within_days, with_next=False)
    code = pd.Index(state_order).get_indexer(pd.Index(panel["state"]))
    counted = [name for name in contacts if touchpoints is None or name in touchpoints]
    touched = (contacts[counted].sum(axis=1) > 0).to_numpy(dtype=float)
    interval = clustered_share_interval(
        touched, panel["who"].to_numpy(), groups=code, n_groups=len(state_order), conf_level=conf_level
    )
    n = panel.groupby(code)["who"].nunique().reindex(range(len(state_order)), fill_value=0).to_numpy()
    frame = pd.DataFrame({"state": list(state_order), "metric": "in_touch", **interval._asdict(), "n": n})
    return frame.sort_values("estimate", kind="stable", ignore_index=True)


def _cell(
    up: np.ndarray, touched: np.ndarray, others: np.ndarray, who: np.ndarray, history: np.ndarray
) -> dict[str, object]:
    """Difference of two shares with an error clustered by customer, and how alike the two sides are."""
    people = [np.unique(who[side]).size for side in (touched, ~touched)]
    row: dict[str, object] = {"n": np.unique(who).size, "n_touched": people[0]}
    row["reach"] = float(touched.mean()) if touched.size else np.nan
    if min(people) < MIN_TOUCHED:
        names = ["estimate", "std_error", "share_touched", "share_untouched", "exposure_ratio"]
        names += ["adjusted", "adjusted_error"]
        return {**row, **dict.fromkeys(names, np.nan)}
    one, other = up[touched].mean(), up[~touched].mean()
    part = np.where(touched, (up - one) / touched.sum(), -(up - other) / (~touched).sum())
    _, code = np.unique(who, return_inverse=True)
    summed = np.bincount(code, part)
    error = np.sqrt((summed**2).sum() * summed.size / max(summed.size - 1, 1))
    if up.dtype == bool:
        error = max(error, error_of_shares(up, touched))
    row |= {"estimate": one - other, "std_error": error, "share_touched": one, "share_untouched": other}
    adjusted, own_error = difference_within(up, touched, history * 4 + np.minimum(others, 3), who)
    row |= {"adjusted": adjusted, "adjusted_error": own_error}
    return {**row, "exposure_ratio": exposure_ratio(others, touched)}
