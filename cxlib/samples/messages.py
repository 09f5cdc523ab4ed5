"""What customers do with a message: respond, or opt out, by how many they had in thirty days."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlib.samples.settings import Truth

MESSAGE_CHANNELS = ("mail", "line")
WINDOW_DAYS = 30
EAGERNESS = 0.4  # one half of the customers responds so much more often than stated, the other so much less


def answers_to_messages(
    rng: np.random.Generator, customer: np.ndarray, second: np.ndarray, is_message: np.ndarray, truth: Truth
) -> tuple[pd.Series, pd.Series]:
    """`responded` and `opted_out` of every contact; missing where no message, or after the customer left.

    Parameters
    ----------
    rng : numpy.random.Generator
        A stream of its own, so that these columns change no other.
    customer, second : array
        Customer code and second since the first day, sorted by second.
    is_message : array of bool
        Mail and LINE contacts.
    truth : Truth
        Probabilities by number of messages in the thirty days up to and including the day of this one.
    """
    place = np.flatnonzero(is_message)
    place = place[np.argsort(customer[place], kind="stable")]
    who, day = customer[place].astype(np.int64), second[place] // 86_400
    number = messages_so_far(who, day)
    eager = rng.random(int(customer.max(initial=-1)) + 1) < 0.5
    lean = 1 + EAGERNESS * np.where(eager[who], 1, -1)
    responds = rng.random(len(who)) < lean * _by_number(truth.response_by_messages, number)
    leaves = rng.random(len(who)) < _by_number(truth.opt_out_by_messages, number)
    so_far: np.ndarray = np.cumsum(leaves) - leaves
    first = np.searchsorted(who, who, side="left")
    gone: np.ndarray = so_far > so_far[first]
    columns = []
    for values in (responds, leaves):
        column = pd.array([pd.NA], dtype="boolean").repeat(len(customer))
        column[place[~gone]] = values[~gone]
        columns.append(pd.Series(column))
    return columns[0], columns[1]


def messages_so_far(who: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Messages of the same customer in the thirty days up to this one; sorted by customer, then time."""
    span = int(day.max(initial=0)) + WINDOW_DAYS + 1
    key = who * span + day
    earliest = np.searchsorted(key, np.maximum(key - WINDOW_DAYS + 1, who * span), side="left")
    return np.arange(len(who)) - earliest + 1


def message_truth(truth: Truth) -> dict[str, object]:
    """Return what truth.json says about messages; the last number stands for itself and more."""
    parts = {"response": truth.response_by_messages, "opt_out": truth.opt_out_by_messages}
    held = {
        name: {str(number): values[number] for number in sorted(values)} for name, values in parts.items()
    }
    return {"channels": list(MESSAGE_CHANNELS), "window_days": WINDOW_DAYS, **held}


def _by_number(shares: Mapping[int, float], number: np.ndarray) -> np.ndarray:
    steps = sorted(shares)
    held = np.array([shares[step] for step in steps])
    return held[np.searchsorted(steps, number, side="right") - 1]
