"""Which parts of chapter 3 data and parameters let it show: tables, groups, drivers, what follows answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from cxlib.data.convert import among
from cxlib.data.scope import Scope, Tables
from cxlib.voice.after_answer import follow_answers, point_value
from cxlib.voice.close_loop import latest_attitudes
from cxlib.voice.standing import Standing


class SurveyTables(NamedTuple):
    """Tables that the chapter reads beside customers, None where there is none; a class to name them."""

    orders: pd.DataFrame | None
    responses: pd.DataFrame | None
    advised: pd.DataFrame | None


class Followed(NamedTuple):
    """What followed the answers, and what a point more went with; a class because both are None together."""

    answers: pd.DataFrame | None
    points: pd.DataFrame | None


def group_column(by: str | None, data_set: Tables) -> str:
    """Column by which answers are split: the one asked for, else the segment, else the kind of customer."""
    return by or ("segment" if data_set.has("orders") else "customer_type")


def survey_tables(data_set: Tables, scope: Scope) -> SurveyTables:
    """Read orders, the period's responses, and the contacts in which a customer recommended the company."""
    orders = data_set.table("orders", merged=True) if data_set.has("orders") else None
    responses = data_set.table("responses", **scope.period) if data_set.has("responses") else None
    advised = data_set.table("events", only={"stage": "recommend"}) if data_set.has("events") else None
    return SurveyTables(orders, responses, advised)


def answered_drivers(answers: pd.DataFrame, items: Sequence[str], *, outcome: str) -> list[str]:
    """Items that somebody rated who answered the outcome, too.

    Examples
    --------
    >>> answers = pd.DataFrame({"nps_score": [9, None], "driver_a": [5, 4], "driver_b": [None, 4]})
    >>> answered_drivers(answers, ["driver_a", "driver_b"], outcome="nps_score")
    ['driver_a']
    """
    judged = answers[answers[outcome].notna()]
    return [item for item in items if judged[item].notna().any()]


def present_answers(stand: Standing, answers: pd.DataFrame, *, window: str) -> pd.DataFrame:
    """Answers behind the score that is spoken of: those of now, or all where now has too few."""
    return stand.answers if window == "now" else answers


def orders_of(orders: pd.DataFrame | None, customers: pd.DataFrame) -> pd.DataFrame | None:
    """Keep the orders of these customers; None without orders.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "b"]})
    >>> len(orders_of(lines, lines.head(1))), orders_of(None, lines)
    (1, None)
    """
    return None if orders is None else orders[among(orders["customer_id"], customers["customer_id"])]


def varied_items(answers: pd.DataFrame, items: Sequence[str]) -> list[str]:
    """Items that were not rated alike by everybody.

    Examples
    --------
    >>> varied_items(pd.DataFrame({"a": [1, 2], "b": [3, 3]}), ["a", "b"])
    ['a']
    """
    return [item for item in items if answers[item].min() < answers[item].max()]


def where_known(
    is_known: object, compute: Callable[..., pd.DataFrame], *data: Any, like: pd.DataFrame, **asked: Any
) -> pd.DataFrame:
    """Compute a result where it can be told, else give no rows, which tables and sentences take for unknown.

    Parameters
    ----------
    is_known
        Whether it can: a truth, or how many there are.
    compute, *data, **asked
        The function and what it takes.
    like
        A frame with columns that others ask for; its rows do not count.

    Examples
    --------
    >>> rows = pd.DataFrame({"n": [3]})
    >>> [len(where_known(known, pd.DataFrame.copy, rows, like=rows)) for known in (2, 0)]
    [1, 0]
    """
    return compute(*data, **asked) if is_known else like.iloc[:0]


def followed_answers(
    answers: pd.DataFrame,
    purchases: pd.DataFrame | None,
    base: pd.DataFrame,
    *,
    is_circular: bool,
    as_of: date,
    referrals: pd.DataFrame | None = None,
    conf_level: float = 0.95,
) -> Followed:
    """Follow each answer (`follow_answers`, `point_value`) where somebody could be, by an unbiased choice.

    Parameters
    ----------
    answers, purchases, referrals, as_of, conf_level
        As in these.
    base
        Result of `could_answer`; nobody is followed where it has no rows.
    is_circular
        Whether customers were chosen by the very purchases that followed: then nothing is.
    """
    if purchases is None or base.empty or is_circular:
        return Followed(None, None)
    followed = follow_answers(answers, purchases, as_of=as_of, referrals=referrals)
    return Followed(followed, point_value(followed, conf_level=conf_level))


def latest_known(
    answers: pd.DataFrame, purchases: pd.DataFrame | None, base: pd.DataFrame, *, as_of: date
) -> pd.DataFrame | None:
    """Each customer's latest attitude beside sales (`latest_attitudes`); None where `base` has no rows."""
    if purchases is None or base.empty:
        return None
    return latest_attitudes(answers, purchases, as_of=as_of)


def count_of(rows: pd.DataFrame | None) -> int:
    """Count rows, of nothing none.

    Examples
    --------
    >>> count_of(None), count_of(pd.DataFrame({"a": [1, 2]}))
    (0, 2)
    """
    return 0 if rows is None else len(rows)
