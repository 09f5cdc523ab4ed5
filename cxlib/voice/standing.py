"""Where do we stand: the answers that speak of now, and whether a target is met, missed or undecided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from cxlib.checks import check_columns, check_frame
from cxlib.data.days import local_days, to_date
from cxlib.language import LANGUAGES, format_value, text
from cxlib.voice.waves.control_chart import wave_order

#: Customers below which the latest wave gives way to the one before, where that had twice as many.
FEWEST = 30
MONTHS = 3
#: Days of a year, and days by which two waves of the same season may differ.
YEAR, NEAR = 365, 31


class Standing(NamedTuple):
    """Answers that speak of now and what they are called; a class because a sentence needs both.

    Attributes
    ----------
    answers : DataFrame
        Rows of the data; empty when nothing was answered in the window.
    wave : object
        Name of the wave, or None: the last three months.
    first_on, last_on : date or None
        First and last answer; without waves first and last day of the window.
    begun : object
        Name of a later wave that has only begun (too few answers as yet), or None.
    n_begun : int
        Customers who answered in it.
    """

    answers: pd.DataFrame
    wave: Any
    first_on: date | None
    last_on: date | None
    begun: Any = None
    n_begun: int = 0


def standing_answers(
    data: pd.DataFrame,
    *,
    last_day: object,
    score_col: str = "nps_score",
    wave_col: str = "wave",
    named_col: str | None = "is_named_wave",
    time_col: str = "answered_at",
    customer_id_col: str = "customer_id",
) -> Standing:
    """Choose the answers that say where things stand now: the latest wave, or the last three months.

    Parameters
    ----------
    data : DataFrame
        Answers of one survey, with times; those without `score_col` are left out.
    last_day : date, str or Timestamp
        Day that counts as now, such as `last_day` of the period.
    score_col, wave_col, time_col, customer_id_col : str
    named_col : str, optional
        Column that is true where the survey itself names the wave (`survey_answers`). Where it is true for
        none, or there is no such wave column at all, the three months up to `last_day` are taken.

    Returns
    -------
    Standing

    Raises
    ------
    ParameterError
        For a missing column.

    Notes
    -----
    The latest wave is the last in `wave_order`. If it has fewer than half of the customers of the wave before
    and either fewer than 30 or not run as long as that wave did, it has only begun: the wave before is taken.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-03-01", "2026-06-01", "2026-06-02"])
    >>> data = pd.DataFrame({"customer_id": list("abc"), "nps_score": [1, 9, 9], "answered_at": days})
    >>> now = standing_answers(data.assign(wave=["b", "a", "a"]), last_day="2026-06-30", named_col=None)
    >>> now.wave, len(now.answers)
    ('a', 2)
    >>> len(standing_answers(data, last_day="2026-06-30").answers)
    2
    """
    check_frame(data)
    check_columns(data, score_col=score_col, time_col=time_col, customer_id_col=customer_id_col)
    end = to_date(last_day, argument="last_day")
    held = data[data[score_col].notna() & data[time_col].notna()]
    day = local_days(held[time_col], time_col)
    held, day = held[day <= pd.Timestamp(end)], day[day <= pd.Timestamp(end)]
    named = wave_col in held and (held[named_col].any() if named_col in held else named_col is None)
    if not named:
        start = pd.Timestamp(end) - pd.DateOffset(months=MONTHS) + pd.Timedelta(days=1)
        return Standing(held[day >= start], None, start.date(), end)
    waves = wave_order(held, wave_col=wave_col, time_col=time_col)[-2:]
    of = {wave: (held[wave_col] == wave).to_numpy() for wave in waves}
    people = [held.loc[of[wave], customer_id_col].nunique() for wave in waves]
    begun = None
    if len(waves) == 2 and 2 * people[1] < people[0]:
        first, last = (day[of[wave]] for wave in waves)
        is_running = pd.Timestamp(end) - last.min() < first.max() - first.min()
        begun = waves[1] if is_running or people[1] < FEWEST else None
    wave = waves[0] if begun is not None else waves[-1]
    days = day[of[wave]]
    counted = people[1] if begun is not None else 0
    return Standing(held[of[wave]], wave, days.min().date(), days.max().date(), begun, counted)


def now_and_whole(
    compute: Callable[..., pd.DataFrame], standing: Standing, data: pd.DataFrame, **options: Any
) -> pd.DataFrame:
    """Compute a score for the present answers and for all of the period, one row below the other.

    Parameters
    ----------
    compute : callable
        `nps`, or `csat` or `ces` with their scale in `options`.
    standing : Standing
        From `standing_answers`.
    data : DataFrame
        All answers of the period.
    **options
        Passed to `compute`; no `by`.

    Returns
    -------
    DataFrame
        ``window`` ("now", "whole_period") and the columns of `compute`. Without "whole_period" where the
        present answers are all there are, without "now" where there are none.

    Examples
    --------
    >>> from cxlib.voice.scores import nps
    >>> days = pd.to_datetime(["2026-01-01", "2026-06-01"])
    >>> data = pd.DataFrame({"customer_id": ["a", "b"], "nps_score": [0, 9], "answered_at": days})
    >>> now = standing_answers(data, last_day="2026-06-30")
    >>> now_and_whole(nps, now, data)[["window", "estimate"]].to_numpy().tolist()
    [['now', 100.0], ['whole_period', 0.0]]
    """
    rows = {"now": compute(standing.answers, **options), "whole_period": compute(data, **options)}
    n = {name: int(row["n"].iloc[0]) for name, row in rows.items()}
    if n["now"] == n["whole_period"] or not n["now"]:
        rows.pop("whole_period" if n["now"] else "now")
    parts = [row.assign(window=name) for name, row in rows.items()]
    found = pd.concat(parts, ignore_index=True)
    return found[["window", *(name for name in found if name != "window")]]


def season(
    verdict: str, before: pd.DataFrame, after: pd.DataFrame, *, history: pd.DataFrame
) -> dict[str, Any]:
    """Say whether the season is inside a change between two waves, and take the verdict back if it has to be.

    Parameters
    ----------
    verdict : str
        Of the change, as `score_change`.
    before, after : DataFrame
        Answers of the two waves, with ``answered_at``.
    history : DataFrame
        All answers of the same question: a change is judged only where they reach over a year.

    Returns
    -------
    dict
        ``verdict`` (None where a change is shown but a year of history is missing) and ``season``, what the
        sentence adds so that it claims no more than the verdict: "" (nothing), "inside" or "unknown".

    Examples
    --------
    >>> days = pd.to_datetime(["2026-03-02", "2026-06-02", "2026-06-09"])
    >>> data = pd.DataFrame({"answered_at": days})
    >>> season("risen", data[:1], data[1:], history=data)
    {'verdict': None, 'season': 'unknown'}
    """
    days = [local_days(wave["answered_at"].dropna(), "answered_at") for wave in (before, after, history)]
    if verdict not in ("risen", "fallen") or min(len(part) for part in days) == 0:
        return {"verdict": verdict, "season": ""}
    apart = (days[1].min() - days[0].min()).days
    if abs(apart - YEAR * round(apart / YEAR)) <= NEAR and apart > YEAR / 2:
        return {"verdict": verdict, "season": ""}
    is_known = (days[2].max() - days[2].min()).days >= YEAR
    return {"verdict": verdict if is_known else None, "season": "inside" if is_known else "unknown"}


def window_names(standing: Standing, data: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Name the windows of `now_and_whole` in words of every language, with their first and last day.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-03-01", "2026-06-01"])
    >>> data = pd.DataFrame({"customer_id": list("ab"), "nps_score": [1, 9], "answered_at": days})
    >>> window_names(standing_answers(data, last_day="2026-06-30"), data)["now"]["en"]
    'the last three months (Mar 31, 2026 to Jun 30, 2026)'
    """
    days = local_days(data["answered_at"].dropna(), "answered_at")
    key = "nps.window_months" if standing.wave is None else "nps.window_wave"
    named = {"now": (key, standing.first_on, standing.last_on)}
    if len(days):
        named["whole_period"] = ("nps.window_whole", days.min().date(), days.max().date())
    return {
        window: {lang: _window_words(entry, first, last, str(standing.wave), lang) for lang in LANGUAGES}
        for window, (entry, first, last) in named.items()
    }


def _window_words(entry: str, first: object, last: object, wave: str, lang: str) -> str:
    ends = {"first": format_value(first, "date", lang), "last": format_value(last, "date", lang)}
    return text(entry, lang, wave=wave, **ends)
