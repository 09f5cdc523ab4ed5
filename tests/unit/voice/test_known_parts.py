"""What chapter 3 reads and can follow: with the table and without, known and unknown."""

import numpy as np
import pandas as pd

from cxlib.voice import known_parts
from cxlib.voice.standing import Standing


class Shop:
    """Has some tables."""

    def __init__(self, *names):
        self.names = names

    def has(self, table):
        return table in self.names

    def table(self, name, *, only=None, **how):
        rows = pd.DataFrame({"stage": ["recommend", "use"], "name": name})
        return rows if only is None else rows[rows["stage"] == only["stage"]]


class Period:
    """A scope of everything."""

    period = {"start": None, "end": None}  # noqa: RUF012


def test_answers_are_split_by_the_segment_where_there_are_orders():
    assert known_parts.group_column("region", Shop()) == "region"
    assert known_parts.group_column(None, Shop("orders")) == "segment"
    assert known_parts.group_column(None, Shop()) == "customer_type"


def test_a_table_that_is_not_there_is_none():
    assert known_parts.survey_tables(Shop(), Period()) == (None, None, None)
    tables = known_parts.survey_tables(Shop("orders", "responses", "events"), Period())
    assert len(tables.advised) == 1 and len(tables.orders) == 2


def test_the_score_rests_on_the_answers_of_its_window():
    now, whole = pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [1, 2]})
    stand = Standing(now, None, None, None)
    assert known_parts.present_answers(stand, whole, window="now") is now
    assert known_parts.present_answers(stand, whole, window="all") is whole


def followable(n=60):
    rng = np.random.default_rng(1)
    ids = [f"c{i}" for i in range(n)]
    answers = pd.DataFrame({"customer_id": ids, "nps_score": rng.integers(0, 11, n)})
    answers = answers.assign(answered_at=pd.Timestamp("2025-01-10"))
    orders = pd.DataFrame({"customer_id": ids, "order_id": [str(i) for i in range(n)], "amount": 9.0})
    return answers, orders.assign(ordered_at=pd.Timestamp("2025-01-02"))


def test_answers_are_followed_by_an_unbiased_choice_only():
    answers, orders = followable()
    asked = {"as_of": "2026-12-31"}
    found = known_parts.followed_answers(answers, orders, orders, is_circular=False, **asked)
    assert len(found.answers) == 60 and set(found.points["metric"]) >= {"spend", "repeat"}
    for part in ((orders, True), (None, False)):
        none = known_parts.followed_answers(answers, part[0], orders, is_circular=part[1], **asked)
        assert none == (None, None)
    assert known_parts.followed_answers(answers, orders, orders[:0], is_circular=False, **asked)[0] is None


def test_attitudes_are_known_beside_orders_only():
    answers, orders = followable()
    assert len(known_parts.latest_known(answers, orders, orders, as_of="2026-12-31")) == 60
    assert known_parts.latest_known(answers, None, orders, as_of="2026-12-31") is None
    assert known_parts.latest_known(answers, orders, orders[:0], as_of="2026-12-31") is None
