"""Each channel against the outcome its role claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.intervals import critical_value
from cxlib.roles._panel import MIN_TOUCHED, STATE_ORDER, local_day, state_panel

_INTERVAL = ["estimate", "std_error", "conf_low", "conf_high"]


def touchpoint_roles(
    events: pd.DataFrame,
    states: pd.DataFrame,
    *,
    claims: Mapping[str, str],
    state_order: Sequence[str] = STATE_ORDER,
    score_col: str = "valence",
    window_days: int = 30,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Judge each touchpoint on what it claims to bring: conviction, warmth, or feeling at a stage.

    Parameters
    ----------
    events
        Contacts with `customer_id, touchpoint, occurred_at, stage` and a score.
    states, state_order, window_days, conf_level
        As in `state_changes`.
    claims
        Touchpoint → "conviction" (moves to a better state by the next day; share), "warmth" (mean score at
        all other touchpoints until the next day), or a stage (mean score there of customers the touchpoint
        reached before or at the answer, against those it did not; unit of the score).
    score_col
        Score of the contact.

    Returns
    -------
    DataFrame
        In the order of `claims`: `touchpoint, claim, metric` ("difference", touched − not), `estimate,
        std_error, conf_low, conf_high, touched` (mean), `untouched` (the same less the difference), `n`
        (customers), `n_touched, verdict` ("holds": interval above 0; "fails": below 0; "not_shown";
        "unknown": fewer than 5 on a side).

    Raises
    ------
    ParameterError
        Unknown column, or a claim that is neither known nor a stage of the data.

    Notes
    -----
    Opens and clicks are no outcome: a channel can be opened often and change nothing. As in `state_changes`,
    contact comes first and errors are clustered; customers are compared within the same state. Nobody was
    assigned by lot, so a claim that holds here has earned a test, not a budget.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": [*"abcdefghij"] * 2, "stage": "use",
    ...     "touchpoint": ["insert"] * 5 + ["mail"] * 15, "valence": [1.0] * 4 + [2]
    ...     + [0.0] * 4 + [1] + [None] * 10,
    ...     "occurred_at": pd.Timestamp("2026-01-15")})
    >>> states = pd.DataFrame({"as_of": pd.to_datetime([]), "customer_id": [], "state": []})
    >>> roles = touchpoint_roles(events, states, claims={"insert": "use"}, state_order=["low", "high"])
    >>> roles[["estimate", "verdict"]].round(1).to_numpy().tolist()
    [[1.0, 'holds']]
    """
    check_columns(events, score_col=score_col, **{"stage": "stage"})
    panel, contacts = state_panel(events, states, state_order, window_days)
    later = _later_scores(events, panel, score_col) if "warmth" in claims.values() else {}
    known = {"conviction", "warmth", *events["stage"].dropna().unique()}
    rows = []
    for touchpoint, claim in claims.items():
        if claim not in known and len(events):
            raise ParameterError(
                "journey.unknown_claim", argument="claims", value=claim, known=", ".join(sorted(known))
            )
        if claim in ("conviction", "warmth"):
            touched = (
                contacts[touchpoint].to_numpy() > 0 if touchpoint in contacts else np.zeros(len(panel), bool)
            )
            outcome = (
                panel["up"].to_numpy(dtype=float) if claim == "conviction" else _elsewhere(later, touchpoint)
            )
            who, stratum = panel["who"].to_numpy(), panel["rank"].to_numpy()
            if claim == "conviction":
                outcome = np.where(panel["state"] == state_order[-1], np.nan, outcome)
        else:
            outcome, touched, who = _at_stage(events, touchpoint, claim, score_col)
            stratum = np.zeros(len(who), dtype=int)
        seen = np.isfinite(outcome)
        cell = _within(outcome[seen], touched[seen], stratum[seen], who[seen])
        rows.append({"touchpoint": touchpoint, "claim": claim, "metric": "difference", **cell})
    frame = pd.DataFrame(rows)
    half = critical_value(conf_level) * frame["std_error"]
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - half, frame["estimate"] + half
    tests = [frame["estimate"].isna(), frame["conf_low"] > 0, frame["conf_high"] < 0]
    frame["verdict"] = np.select(tests, ["unknown", "holds", "fails"], default="not_shown")
    columns = [
        "touchpoint",
        "claim",
        "metric",
        *_INTERVAL,
        "touched",
        "untouched",
        "n",
        "n_touched",
        "verdict",
    ]
    return frame[columns]


def _within(
    outcome: np.ndarray, touched: np.ndarray, stratum: np.ndarray, who: np.ndarray
) -> dict[str, object]:
    """Difference touched − not within strata, by least squares with an error clustered by customer."""
    people = [np.unique(who[side]).size for side in (touched, ~touched)]
    row: dict[str, object] = {"n": np.unique(who).size, "n_touched": people[0]}
    unknown = dict.fromkeys(("estimate", "std_error", "touched", "untouched"), np.nan)
    if min(people) < MIN_TOUCHED:
        return {**row, **unknown}
    frame = pd.DataFrame({"y": outcome, "x": touched.astype(float)})
    y, x = (frame - frame.groupby(stratum).transform("mean")).to_numpy().T
    if not (x**2).sum() > 0:
        return {**row, **unknown}
    estimate = (x * y).sum() / (x**2).sum()
    summed = np.bincount(np.unique(who, return_inverse=True)[1], x * (y - estimate * x)) / (x**2).sum()
    error = np.sqrt((summed**2).sum() * summed.size / max(summed.size - 1, 1))
    level = outcome[touched].mean()
    return {**row, "estimate": estimate, "std_error": error, "touched": level, "untouched": level - estimate}


def _later_scores(events: pd.DataFrame, panel: pd.DataFrame, score_col: str) -> dict[str, np.ndarray]:
    """Sum and number of scores after each row's day until the next, overall and per touchpoint."""
    scored = events.loc[events[score_col].notna(), ["customer_id", "touchpoint", "occurred_at", score_col]]
    scored = scored.dropna().assign(day=lambda rows: local_day(rows["occurred_at"]).astype("datetime64[s]"))
    rows = panel[["customer_id", "as_of", "until"]].assign(row=np.arange(len(panel)))
    both = scored.merge(rows, on="customer_id")
    both = both[(both["day"] > both["as_of"]) & (both["day"] <= both["until"])]
    result = {}
    for name, part in [("", both), *both.groupby("touchpoint")]:
        place = part["row"].to_numpy()
        result[f"{name} total"] = np.bincount(place, part[score_col].astype(float), len(panel))
        result[f"{name} n"] = np.bincount(place, minlength=len(panel)).astype(float)
    return result


def _elsewhere(later: dict[str, np.ndarray], touchpoint: str) -> np.ndarray:
    total = later[" total"] - later.get(f"{touchpoint} total", 0)
    n = later[" n"] - later.get(f"{touchpoint} n", 0)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _at_stage(
    events: pd.DataFrame, touchpoint: str, stage: str, score_col: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each answer at the stage: score, whether the touchpoint had reached the customer by then, customer."""
    known = events[events["customer_id"].notna() & events["occurred_at"].notna()]
    first = known[known["touchpoint"] == touchpoint].groupby("customer_id")["occurred_at"].min()
    answers = known[(known["stage"] == stage) & known[score_col].notna()]
    reached = (answers["customer_id"].map(first) <= answers["occurred_at"]).to_numpy()
    who = pd.factorize(answers["customer_id"])[0]
    return answers[score_col].to_numpy(dtype=float), reached, who
