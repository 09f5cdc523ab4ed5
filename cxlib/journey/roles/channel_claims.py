"""Each channel against the outcome its role claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.data.days import local_days
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
from cxlib.stats.intervals import critical_value
from cxlib.stats.number_columns import check_numbers
from cxlib.stats.verdicts import limits_side

_VERDICTS = ["not_enough_data", "confounded", "holds", "fails"]
_INTERVAL = ["estimate", "std_error", "conf_low", "conf_high"]


def touchpoint_roles(
    events: pd.DataFrame,
    states: pd.DataFrame,
    *,
    claims: Mapping[str, str],
    state_order: Sequence[str] = STATE_ORDER,
    score_col: str = "valence",
    within_days: int = 30,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Judge each touchpoint on what it claims to bring: conviction, warmth, or feeling at a stage.

    Parameters
    ----------
    events
        Contacts with `customer_id, touchpoint, occurred_at, stage` and a score.
    states, state_order, within_days, conf_level
        As in `state_changes`.
    claims
        Touchpoint → "conviction" (moves to a better state by the next day; share), "warmth" (mean score at
        all other touchpoints until the next day), or a stage (mean score there, at other touchpoints, of
        customers the touchpoint reached before the answer, against those it did not; unit of the score).
        Scores count as their distance from the mean of their touchpoint.
    score_col
        Score of the contact.

    Returns
    -------
    DataFrame
        In the order of `claims`: `touchpoint, role` (its claim), `metric` (touched − not: "difference" of
        shares, "score_difference"), `estimate, std_error, conf_low, conf_high, touched` (mean), `untouched`
        (the same less the difference), `n` (customers), `n_touched, exposure_ratio` (contacts elsewhere,
        touched ÷ not, within the strata), `is_confounded` (above 1.5), `verdict` ("holds": interval above 0;
        "fails": below 0; "not_shown"; "confounded": no verdict, since the touched are busier customers;
        "not_enough_data": fewer than 5 on a side).

    Raises
    ------
    ParameterError
        Unknown column, scores that are no numbers, or a claim that is neither known nor a stage of the data.

    Notes
    -----
    Opens and clicks are no outcome: a channel can be opened often and change nothing. As in `state_changes`,
    contact comes first and errors are clustered (t with as many degrees of freedom as the smaller side has
    customers, less one). Customers are compared within the same state and with alike orders (`frequency,
    recency_days, tenure_days, first_seen_on, customer_type` of `states`, where kept) or time in the state:
    messages follow purchases by the calendar, and so do the next purchases. A touchpoint's own answers do not
    speak for it. Nobody was assigned by lot, so a claim that holds here has earned a test, not a budget.

    Examples
    --------
    >>> insert = pd.DataFrame({"customer_id": [*"abcdefghij"], "stage": "use", "touchpoint": "insert",
    ...     "valence": float("nan"), "occurred_at": pd.Timestamp("2026-01-10")})
    >>> mail = pd.DataFrame({"customer_id": [*"abcdefghijklmnopqrst"], "stage": "use", "touchpoint": "mail",
    ...     "valence": [1.0] * 9 + [2] + [0.0] * 9 + [1], "occurred_at": pd.Timestamp("2026-01-15")})
    >>> states = pd.DataFrame({"as_of": pd.to_datetime([]), "customer_id": [], "state": []})
    >>> claims = {"insert": "use"}
    >>> both = pd.concat([insert, mail])
    >>> roles = touchpoint_roles(both, states, claims=claims, state_order=["low", "high"])
    >>> roles[["estimate", "verdict"]].round(1).to_numpy().tolist()
    [[1.0, 'holds']]
    """
    check_columns(events, score_col=score_col, **{"stage": "stage"})
    scored = events.assign(**{score_col: _from_touchpoint_mean(events, score_col)})
    panel, contacts = state_panel(scored, states, state_order, within_days)
    later = _later_scores(scored, panel, score_col) if "warmth" in claims.values() else {}
    known = {"conviction", "warmth", *events["stage"].dropna().unique()}
    rows = []
    for touchpoint, claim in claims.items():
        if claim not in known and len(events):
            raise ParameterError(
                "journey.unknown_claim", argument="claims", value=claim, known=", ".join(sorted(known))
            )
        if claim in ("conviction", "warmth"):
            number = contacts[touchpoint] if touchpoint in contacts else pd.Series(0, index=panel.index)
            touched = number.to_numpy() > 0
            others = (contacts.sum(axis=1) - number).to_numpy(dtype=float)
            outcome = _elsewhere(later, touchpoint) if claim == "warmth" else _moves_up(panel, state_order)
            sides = (outcome, touched, others, history_strata(panel), panel["who"].to_numpy())
        else:
            sides = _at_stage(scored, touchpoint, claim, score_col)
        seen = np.isfinite(sides[0])
        cell = _within(*(side[seen] for side in sides), conf_level=conf_level)
        metric = "difference" if claim == "conviction" else "score_difference"
        rows.append({"touchpoint": touchpoint, "role": claim, "metric": metric, **cell})
    columns = ["touchpoint", "role", "metric", *_INTERVAL, "touched", "untouched", "n", "n_touched"]
    frame = pd.DataFrame(rows, columns=[*columns, "exposure_ratio"])
    frame["is_confounded"] = frame["exposure_ratio"] > MOST_EXPOSURE
    units = ["pp" if claim == "conviction" else "score" for claim in frame["role"]]
    ends = zip(frame["conf_low"], frame["conf_high"], units, strict=True)
    side = np.array([limits_side(low, high, unit=unit) for low, high, unit in ends])
    unknown = frame["estimate"].isna() | frame["conf_low"].isna()
    tests = [unknown.to_numpy(), frame["is_confounded"].to_numpy(), side > 0, side < 0]
    frame["verdict"] = np.select(tests, _VERDICTS, default="not_shown")
    return frame[[*columns, "exposure_ratio", "is_confounded", "verdict"]]


def _moves_up(panel: pd.DataFrame, state_order: Sequence[str]) -> np.ndarray:
    """Whether the customer moves to a better state; missing in the best one."""
    return np.where(panel["state"] == state_order[-1], np.nan, panel["up"].to_numpy(dtype=float))


def _from_touchpoint_mean(events: pd.DataFrame, score_col: str) -> pd.Series:
    """Scores less the mean of their touchpoint: who is asked where is no feeling, but moves the mean."""
    scores = pd.Series(check_numbers(events, score_col), index=events.index)
    return scores - scores.groupby(events["touchpoint"]).transform("mean")


def _within(
    outcome: np.ndarray,
    touched: np.ndarray,
    others: np.ndarray,
    stratum: np.ndarray,
    who: np.ndarray,
    *,
    conf_level: float,
) -> dict[str, object]:
    """Difference touched − not within strata, with its interval, and how much busier the touched are."""
    people = [np.unique(who[side]).size for side in (touched, ~touched)]
    row: dict[str, object] = {"n": np.unique(who).size, "n_touched": people[0]}
    names = [*_INTERVAL, "touched", "untouched", "exposure_ratio"]
    if min(people) < MIN_TOUCHED:
        return {**row, **dict.fromkeys(names, np.nan)}
    both = pd.Series(touched).groupby(stratum).transform("nunique").to_numpy() > 1
    outcome, touched, others, stratum, who = (side[both] for side in (outcome, touched, others, stratum, who))
    people = [np.unique(who[side]).size for side in (touched, ~touched)]
    if min(people) < MIN_TOUCHED:
        return {**row, **dict.fromkeys(names, np.nan)}
    estimate, error = difference_within(outcome, touched, stratum, who)
    if np.isin(outcome, (0, 1)).all():
        error = max(error, error_of_shares(outcome == 1, touched))
    half = critical_value(conf_level, df=min(people) - 1) * (error if error > 0 else np.nan)
    level = outcome[touched].mean()
    row |= {
        "estimate": estimate,
        "std_error": error,
        "conf_low": estimate - half,
        "conf_high": estimate + half,
    }
    row |= {"touched": level, "untouched": level - estimate}
    return {**row, "exposure_ratio": exposure_ratio(others, touched, stratum)}


def _later_scores(events: pd.DataFrame, panel: pd.DataFrame, score_col: str) -> dict[str, np.ndarray]:
    """Sum and number of scores after each row's day until the next, overall and per touchpoint."""
    scored = events.loc[events[score_col].notna(), ["customer_id", "touchpoint", "occurred_at", score_col]]
    scored = scored.dropna().assign(day=lambda rows: local_days(rows["occurred_at"], "occurred_at"))
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
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Answers at the stage elsewhere: score, reached by the touchpoint before, other contacts, customer."""
    known = events[events["customer_id"].notna() & events["occurred_at"].notna()]
    known = known.sort_values("occurred_at", kind="stable", ignore_index=True)
    own = known["touchpoint"] == touchpoint
    elsewhere = (~own).astype(int)
    before = elsewhere.groupby(known["customer_id"]).cumsum() - elsewhere
    at_once = [known["customer_id"], known["occurred_at"]]
    before = before.groupby(at_once).transform("min")  # of contacts at the same time none comes before
    first = known[own].groupby("customer_id")["occurred_at"].min()
    answers = known[(known["stage"] == stage) & known[score_col].notna() & ~own]
    reached = (answers["customer_id"].map(first) <= answers["occurred_at"]).to_numpy()
    others = before[answers.index].to_numpy(dtype=float)
    who = pd.factorize(answers["customer_id"])[0]
    same = np.zeros(len(who), dtype=int)
    return answers[score_col].to_numpy(dtype=float), reached, others, same, who
