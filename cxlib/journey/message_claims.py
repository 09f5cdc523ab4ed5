"""What may be said of messages: their response and opt-outs, the cap they suggest, what leaves first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.journey.messages import DIFFERENCE, PRESSURE, contact_pressure, first_exits
from cxlib.stats.survival.competing_exits import cumulative_incidence
from cxlib.stats.survival.known_days import enough_at_risk
from cxlib.stats.verdicts import UNDECIDED, limits_side

#: Channels of messages that the brand sends.
CHANNELS = ("mail", "line")
_FLAGS = {"responded_col": "responded", "opted_out_col": "opted_out"}


def contact_cap(pressure: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Most contacts in 30 days before opt-out rises beyond noise, or none where that is not shown.

    Parameters
    ----------
    pressure
        A frame of `contact_pressure` with opt-outs.
    min_cell
        Classes of fewer customers decide nothing.

    Returns
    -------
    DataFrame
        One row, none where no two classes are known: `metric` ("difference"), `estimate, conf_low, conf_high`
        (opt-out of the first class above the cap − that of the lowest), `n, opt_out_rate, contacts_from` (of
        that class), `cap` (contacts), `highest` (where the highest class compared begins), `claim` ("cap",
        "no_cap": none is shown, and those before are missing) and `verdict` ("no_difference_shown" then).

    Notes
    -----
    The rule, stated before looking: the cap lies below the first class whose opt-out is above that of the
    lowest class with its whole interval, all classes compared. Nobody was assigned a number of contacts, so
    the cap is where to test a lower number first, not proof that it would keep customers.

    Examples
    --------
    >>> pressure = pd.DataFrame({"contacts_from": [1, 2], "metric": "opt_out", "estimate": [0.01, 0.1],
    ...     "difference": [0.0, 0.09], "difference_conf_low": [0.0, 0.02], "difference_conf_high": [0.0, 0.2],
    ...     "n": [500, 90]})
    >>> contact_cap(pressure)[["cap", "claim"]].to_numpy().tolist()
    [[1, 'cap']]
    """
    facts = ["contacts_from", "estimate", *DIFFERENCE, "n"]
    check_columns(pressure, **{name: name for name in ("metric", *facts)})
    rows = pressure[(pressure["metric"] == "opt_out") & (pressure["n"] >= min_cell)]
    rows = rows[rows["difference"].notna()].sort_values("contacts_from", kind="stable")
    side = limits_side(rows["difference_conf_low"], rows["difference_conf_high"], unit="pp")
    above = rows[(side > 0) & (rows["contacts_from"] > 1)]
    highest = {"metric": "difference", "highest": rows["contacts_from"].max()}
    if above.empty:
        none = highest | {"claim": "no_cap", "verdict": UNDECIDED}
        return pd.DataFrame([none] if len(rows) > 1 else [], columns=list(none))
    first = above.iloc[0]
    ends = dict(zip(["estimate", "conf_low", "conf_high"], first[DIFFERENCE], strict=True))
    of_class = {"n": first["n"], "opt_out_rate": first["estimate"], "contacts_from": first["contacts_from"]}
    cap = {"cap": int(first["contacts_from"]) - 1, "claim": "cap", "verdict": None}
    return pd.DataFrame([highest | ends | of_class | cap])


def message_flags(events: pd.DataFrame, *, channels: Sequence[str] = CHANNELS) -> pd.DataFrame:
    """Say which marks the messages lack: `columns` and `note`, no row where both are there.

    Where no contact is of these channels, the note says that: no mark would help.

    Examples
    --------
    >>> message_flags(pd.DataFrame({"channel": ["mail", "line"], "opted_out": [0, 1]}))["columns"].item()
    ['`responded`']
    """
    sent = events[events["channel"].isin(channels)]
    if sent.empty and events["channel"].notna().any():
        return pd.DataFrame(
            [
                {
                    "channels": [f"`{name}`" for name in channels],
                    "note": "journey.no_messages",
                    "level": "warning",
                }
            ]
        )
    lacking = [f"`{name}`" for name in _FLAGS.values() if not is_marked(sent, name)]
    row = {"columns": lacking, "note": "journey.pressure_missing", "level": "warning"}
    return pd.DataFrame([row] if lacking else [], columns=list(row))


def message_pressure(
    events: pd.DataFrame, *, channels: Sequence[str] = CHANNELS, conf_level: float = 0.95, min_cell: int = 10
) -> pd.DataFrame:
    """Response and opt-out by messages in 30 days, of the marks that are there.

    Parameters
    ----------
    events
        Contacts with `customer_id, channel`; `responded` and `opted_out` where they are known.
    channels
        Channels of messages that the brand sends.
    conf_level
        Confidence level of the intervals.
    min_cell
        Smallest number of customers with a message.

    Returns
    -------
    DataFrame
        As `contact_pressure`, without classes that nobody is in, and without limits for the difference of the
        lowest class from itself; no row without a mark or with too few customers.

    Examples
    --------
    >>> len(message_pressure(pd.DataFrame({"customer_id": ["a"], "channel": ["mail"], "opted_out": [0]})))
    0
    """
    sent = events[events["channel"].isin(channels)]
    asked: dict[str, Any] = {argument: name for argument, name in _FLAGS.items() if is_marked(sent, name)}
    if not asked or sent["customer_id"].nunique() < min_cell:
        return pd.DataFrame(columns=PRESSURE, dtype=float)
    pressure = contact_pressure(sent, conf_level=conf_level, **asked).query("n > 0").reset_index(drop=True)
    ends = DIFFERENCE[1:]
    pressure[ends] = pressure[ends].where(pressure["contacts_from"] > 1)
    return pressure


def first_exit_shares(
    first_buyers: pd.DataFrame,
    contacts: pd.DataFrame,
    *,
    times: Sequence[int],
    conf_level: float = 0.95,
    min_cell: int = 10,
) -> pd.DataFrame:
    """Shares (0–1) of first buyers who by then had bought again, or opted out, first.

    Parameters
    ----------
    first_buyers, contacts
        As in `first_exits`; contacts without the mark `opted_out` tell nothing.
    times
        Days after the first purchase.
    conf_level, min_cell
        Level of the intervals, and smallest number of customers still followed.

    Returns
    -------
    DataFrame
        Known rows of `cumulative_incidence`: `cause` ("bought_again", "opted_out"), `time, estimate,
        std_error, conf_low, conf_high, n_at_risk, n_events, n, n_not_reached`; none without marks.

    Examples
    --------
    >>> len(first_exit_shares(pd.DataFrame(), pd.DataFrame({"opted_out": [0, 0]}), times=[30]))
    0
    """
    if first_buyers.empty or not is_marked(contacts, "opted_out"):
        return pd.DataFrame(columns=["cause", "time", "estimate"])
    exits = first_exits(first_buyers, contacts)
    shares = cumulative_incidence(
        exits, duration_col="duration_days", cause_col="cause", times=times, conf_level=conf_level
    )
    return enough_at_risk(shares, min_at_risk=min_cell).dropna(subset="estimate").reset_index(drop=True)


def is_marked(messages: pd.DataFrame, name: str) -> bool:
    """Tell whether a mark is there and says yes of some messages, no of others.

    Examples
    --------
    >>> is_marked(pd.DataFrame({"opted_out": [0, 1, None]}), "opted_out")
    True
    """
    return name in messages and len(messages[name].dropna().unique()) > 1
