"""Questionnaires: drivers that hang together, answers that depend on satisfaction, comments."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from cxlib.samples.columns import Calendar, daytime, ids, pick, words
from cxlib.samples.comments import Said, comment_texts, draw_comments
from cxlib.samples.people import VALLEY_MOOD, People
from cxlib.samples.settings import ACQUISITION_CHANNELS, DRIVERS, Truth

INVITED_SHARE = 0.6
NPS_LEVEL, NPS_NOISE = 6.0, 1.3
THRESHOLDS = np.array([-1.9, -1.0, 0.0, 1.1])  # of the five answers to a driver item
ITEM_LEVEL = np.array([0.35, 0.25, 0.10, 0.15, -0.20])
RATIONAL = np.array([False, True, True, False, True])
SOURCES = ("survey", "review", "social", "ticket")
SOURCE_SHARES = (0.7, 0.15, 0.05, 0.10)  # of answers about a contact; the others come from the survey
MISSING_ITEM, EMPTY_ANSWER = 0.06, 0.015
TRUTH_BATCHES = 10
TRANSACTION_TOUCHPOINTS = ("delivery", "support_chat", "store_visit", "checkout")


def survey_answers(
    rng: np.random.Generator, mood: np.ndarray, channel: np.ndarray, truth: Truth
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return driver items (1-5), 0-10 answers and who answers at all, for invited customers."""
    weights = np.array([truth.driver_weights[name] for name in DRIVERS])
    by_channel = np.array([truth.channel_nps[name] for name in ACQUISITION_CHANNELS])
    return _answers(rng, mood, by_channel[channel], weights)


def _answers(
    rng: np.random.Generator, mood: np.ndarray, extra: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answer the questionnaire; the more satisfied, the likelier an answer at all.

    The mood is the customer's lasting satisfaction; rational items (ease, delivery, price) and emotional ones
    (quality, support) each share a feeling of the day.
    """
    n = len(mood)
    rational, emotional = rng.normal(size=(2, n))
    shared = np.where(RATIONAL, rational[:, None], emotional[:, None])
    latent = ITEM_LEVEL + 0.55 * mood[:, None] + 0.45 * shared + 0.70 * rng.normal(size=(n, len(DRIVERS)))
    items = 1 + np.searchsorted(THRESHOLDS, latent.ravel()).reshape(n, len(DRIVERS))
    score = NPS_LEVEL + (items - 3) @ weights + extra + rng.normal(0, NPS_NOISE, n)
    nps_score = np.rint(score).clip(0, 10).astype(int)
    answers = rng.random(n) < 1 / (1 + np.exp(1.0 - 0.16 * (nps_score - 6)))
    return items, nps_score, answers


def responses_table(
    rng: np.random.Generator,
    text_rng: np.random.Generator,
    people: People,
    calendar: Calendar,
    truth: Truth,
) -> tuple[pd.DataFrame, pd.DataFrame, Said]:
    """Return the contract's responses, per wave and channel how many were invited, and what comments say.

    `text_rng` is a stream of its own, so that words and sources change no answer.
    """
    frames, invited = [], []
    for first, last in zip(calendar.month_starts[2::3], calendar.month_starts[3::3], strict=False):
        frame, counts = _relationship_wave(rng, int(first) + 9, int(last), people, calendar, truth)
        frames.append(frame)
        invited.append(counts)
    frames.append(_transaction_answers(rng, people, calendar, truth))
    joined = pd.concat(frames, ignore_index=True)
    joined = joined[joined["answered"] < calendar.n_days * 86_400]
    joined = joined.sort_values("answered", kind="stable", ignore_index=True)
    responses, said = _response_columns(rng, text_rng, joined, calendar, truth)
    return responses, pd.concat(invited, ignore_index=True), said


def _wave_name(day: int, calendar: Calendar) -> str:
    month = (calendar.first_day + np.timedelta64(day, "D")).astype("M8[M]").astype(int)
    return f"{1970 + month // 12}Q{month % 12 // 3 + 1}"


def _relationship_wave(
    rng: np.random.Generator, day: int, last: int, people: People, calendar: Calendar, truth: Truth
) -> tuple[pd.DataFrame, pd.DataFrame]:
    known = np.flatnonzero(people.buys & (people.first_day < day - 14))
    who = known[rng.random(len(known)) < INVITED_SHARE]
    items, nps_score, answers = survey_answers(rng, people.mood[who], people.acquisition[who], truth)
    wave = _wave_name(day, calendar)
    counts = np.bincount(people.acquisition[who], minlength=len(ACQUISITION_CHANNELS))
    invited = pd.DataFrame({"wave": wave, "channel": range(len(counts)), "n_invited": counts})
    who, items, nps_score = who[answers], items[answers], nps_score[answers]
    n = len(who)
    invited_second = np.full(n, day * 86_400 + 36_000)
    wait = np.minimum(rng.exponential(4.5 * 86_400, n), (last - day) * 86_400 - 40_000).astype(int)
    satisfied = 3.2 + (nps_score - 6) / 2.4 + rng.normal(0, 0.6, n)
    easy = 1.15 * items[:, 1] + 0.9 + rng.normal(0, 0.8, n)
    frame = pd.DataFrame(
        {
            "customer": who,
            "invited": invited_second,
            "answered": invited_second + 60 + wait,
            "survey": 0,
            "wave": wave,
            "touchpoint": -1,
            "nps_score": nps_score,
            "csat_score": np.rint(satisfied).clip(1, 5),
            "ces_score": np.rint(easy).clip(1, 7),
        }
    )
    frame[list(DRIVERS)] = items
    return frame, invited


def _transaction_answers(
    rng: np.random.Generator, people: People, calendar: Calendar, truth: Truth
) -> pd.DataFrame:
    """Short questionnaires after a contact: CSAT and effort, sometimes the 0-10 question."""
    buyers = np.flatnonzero(people.buys)
    who = buyers[rng.random(len(buyers)) < 0.45]
    n = len(who)
    touchpoint = pick(rng, (0.4, 0.2, 0.2, 0.2), n)
    trouble = np.array([0.3, 0.6, 0.0, 0.1])[touchpoint]
    satisfied = 3.6 - trouble + 0.55 * people.mood[who] + rng.normal(0, 0.8, n)
    day = people.first_day[who] + rng.integers(1, 40, n)
    invited = day * 86_400 + daytime(rng, n)
    return pd.DataFrame(
        {
            "customer": who,
            "invited": invited,
            "answered": invited + (rng.exponential(2 * 86_400, n)).astype(int),
            "survey": 1,
            "wave": None,
            "touchpoint": touchpoint,
            "nps_score": np.where(
                rng.random(n) < 0.5, np.rint(1.9 * satisfied - 0.2 + rng.normal(0, 1, n)).clip(0, 10), np.nan
            ),
            "csat_score": np.rint(satisfied).clip(1, 5),
            "ces_score": np.rint(1.3 * satisfied + 0.3 + rng.normal(0, 0.9, n)).clip(1, 7),
        }
    )


def _response_columns(
    rng: np.random.Generator,
    text_rng: np.random.Generator,
    joined: pd.DataFrame,
    calendar: Calendar,
    truth: Truth,
) -> tuple[pd.DataFrame, Said]:
    n = len(joined)
    asked = ["nps_score", "csat_score", "ces_score", *DRIVERS]
    answers = joined[asked].to_numpy(dtype=float)
    said = draw_comments(rng, answers, truth)
    empty = rng.random(n) < EMPTY_ANSWER
    said = replace(said, is_comment=said.is_comment & ~empty)
    answers[:, 3:][rng.random((n, len(DRIVERS))) < MISSING_ITEM] = np.nan
    answers[:, 1:3][rng.random((n, 2)) < 0.03] = np.nan
    answers[empty] = np.nan
    customer = np.where(rng.random(n) < 0.01, -1, joined["customer"] + 1)
    waves = sorted(joined["wave"].dropna().unique())
    wave = np.where(joined["wave"].isna(), -1, np.searchsorted(waves, joined["wave"].fillna("")))
    frame = pd.DataFrame(
        {
            "response_id": ids("R", np.arange(1, n + 1)),
            "customer_id": ids("C", customer),
            "invited_at": calendar.moments(joined["invited"].to_numpy()),
            "answered_at": calendar.moments(joined["answered"].to_numpy()),
            "survey": words(("relationship", "transaction"), joined["survey"].to_numpy()),
            "wave": words(waves, wave),
            "touchpoint": words(TRANSACTION_TOUCHPOINTS, joined["touchpoint"].to_numpy()),
            "source": words(SOURCES, pick(text_rng, SOURCE_SHARES, n) * joined["survey"].to_numpy()),
        }
    )
    frame[asked] = answers
    english = joined["customer"].to_numpy() * 7 % 10 == 0
    frame["comment"] = comment_texts(text_rng, said, english)
    frame["weight"] = 1.0
    return frame, said


def survey_truth(invited: pd.DataFrame, truth: Truth) -> dict[str, dict[str, Any]]:
    """Shares of the drivers, and NPS of all invited and of those who answer, weighted by who was invited."""
    shares, error, channels = _simulated_survey(
        tuple(truth.driver_weights[name] for name in DRIVERS),
        tuple(truth.channel_nps[name] for name in ACQUISITION_CHANNELS),
        truth.share_in_valley,
    )
    rows = invited.join(pd.DataFrame(channels), on="channel")
    rows["answers"] = rows["n_invited"] * rows["answer_share"]
    rows["points"] = rows["answers"] * rows["respondents"]
    waves = rows.groupby("wave")[["points", "answers"]].sum()
    by_wave = waves["points"] / waves["answers"]
    return {
        "drivers": {
            "outcome": "nps_score",
            "importance": dict(zip(DRIVERS, shares, strict=True)),
            "simulation_error": error,
        },
        "nps": {
            "survey": "relationship",
            "all_invited": float((rows["n_invited"] * rows["everyone"]).sum() / rows["n_invited"].sum()),
            "respondents": float(rows["points"].sum() / rows["answers"].sum()),
            "by_acquisition_channel": dict(zip(ACQUISITION_CHANNELS, channels["respondents"], strict=True)),
            "by_wave": {str(wave): float(value) for wave, value in by_wave.items()},
        },
    }


@cache
def _simulated_survey(
    weights: tuple[float, ...], by_channel: tuple[float, ...], share: float
) -> tuple[list[float], float, dict[str, list[float]]]:
    """Driver shares with their simulation error, and per channel the NPS and the share that answers.

    One large simulation of the same questionnaire with a seed of its own: the truth does not move with the
    company's seed. Channels come in equal numbers.
    """
    rng = np.random.default_rng(20_261_001)
    size, n_drivers, n_channels = 200_000, len(weights), len(by_channel)
    moments = np.zeros((TRUTH_BATCHES, n_drivers + 2, n_drivers + 2))
    totals = np.zeros((4, n_channels))
    for batch in range(TRUTH_BATCHES):
        mood = rng.normal(size=size) - VALLEY_MOOD * ((rng.random(size) < share) - share)
        channel = np.arange(size) % n_channels
        items, nps_score, answers = _answers(rng, mood, np.array(by_channel)[channel], np.array(weights))
        points = 100.0 * ((nps_score >= 9).astype(int) - (nps_score <= 6))
        for row, values in enumerate((np.ones(size), points, answers, answers * points)):
            totals[row] += np.bincount(channel, weights=values, minlength=n_channels)
        columns = np.column_stack([np.ones(size), items - 3, nps_score - 7])[answers]
        moments[batch] = columns.T @ columns
    each = [_shares_from_moments(batch) for batch in moments]
    channels = {
        "everyone": totals[1] / totals[0],
        "answer_share": totals[2] / totals[0],
        "respondents": totals[3] / totals[2],
    }
    error = float(np.std(each, axis=0).max() / np.sqrt(TRUTH_BATCHES))
    shares = _shares_from_moments(moments.sum(axis=0))
    return shares.tolist(), error, {name: values.tolist() for name, values in channels.items()}


def _shares_from_moments(moments: np.ndarray) -> np.ndarray:
    """Shapley shares of R² by all subsets of drivers; the first column is constant, the last the outcome."""
    mean = moments[0, 1:] / moments[0, 0]
    cov = moments[1:, 1:] / moments[0, 0] - np.outer(mean, mean)
    p = len(cov) - 1

    def explained(chosen: tuple[int, ...]) -> float:
        inner, outer = cov[np.ix_(chosen, chosen)], cov[chosen, p]
        return float(outer @ np.linalg.solve(inner, outer)) if chosen else 0.0

    values = np.zeros(p)
    for driver in range(p):
        others = [other for other in range(p) if other != driver]
        for size in range(p):
            weight = factorial(size) * factorial(p - size - 1) / factorial(p)
            for chosen in combinations(others, size):
                values[driver] += weight * (explained((*chosen, driver)) - explained(chosen))
    return values / values.sum()
