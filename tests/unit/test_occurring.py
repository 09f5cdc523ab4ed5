"""Names that occur nowhere in the data are said to, with those that are called nearly so."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib import support, voice
from cxlib.checks import ParameterError
from cxlib.checks.occurring import check_occurs

DAYS = pd.date_range("2026-01-01", periods=4, tz="Asia/Tokyo")
VIEWS = pd.DataFrame({"customer_id": list("aabb"), "session_id": list("aabb"), "occurred_at": DAYS})
VIEWS = VIEWS.assign(page=["home", "cart", "home", "done"], stage="decide", valence=-1.0)
ORDERS = pd.DataFrame({"customer_id": list("ab"), "ordered_at": DAYS[:2], "amount": 10.0})
AFTER = {"stage": "decid", "as_of": "2026-06-30"}


@pytest.mark.parametrize(
    ("call", "argument", "near"),
    [
        (lambda: cx.funnel(VIEWS, steps=["home", "crat"], step_col="page"), "steps", "cart"),
        (lambda: cx.exit_rates(VIEWS, end_pages=["dnoe"]), "end_pages", "done"),
        (lambda: cx.f2_after_stage(VIEWS, ORDERS, **AFTER), "stage", "decide"),
        (lambda: cx.lapse_after_stage(VIEWS, ORDERS, **AFTER), "stage", "decide"),
        (lambda: cx.hesitation_answered(VIEWS, stage="decid"), "stage", "decide"),
        (lambda: voice.topic_share(VIEWS, topic="delivry"), "topic", "delivery"),
    ],
)
def test_a_misspelt_name_is_refused_with_what_is_called_nearly_so(call, argument, near):
    with pytest.raises(ParameterError, match=f"`{argument}` asks for .*, which no row .*: {near}"):
        call()


def test_what_may_be_missing_from_a_part_of_the_data_is_no_slip_of_the_pen():
    for name in ("first_use", "decidE_2"):  # of another kind, and one of a row of names
        check_occurs(VIEWS.assign(stage="decidE_1"), name, argument="stage", column="stage", slips_only=True)
    assert cx.funnel(VIEWS.head(0), steps=["home", "pay"], step_col="page")["n"].tolist() == [0, 0]
    check_occurs(VIEWS, None, argument="stage", column="stage")
    way = {"unit_col": "session_id", "conf_level": 0.95, "min_cell": 1}
    assert cx.visit_funnel(VIEWS, ["home", "pay"], **way)["n"].tolist() == [2, 0]  # the chapter notes it


def test_where_no_ticket_is_about_parcels_nothing_is_said_of_who_asks():
    sent = pd.DataFrame({"customer_id": list("ab"), "late_days": [0, 2], "order_id": list("xy")})
    sent = sent.assign(
        **dict.fromkeys(("ordered_on", "promised_on", "delivered_on"), pd.Timestamp("2026-01-02"))
    )
    asked = pd.DataFrame({"customer_id": ["a"], "opened_at": [pd.Timestamp("2026-01-03")], "reason": "配送"})
    late = support.late_parcels(sent, asked)
    assert late["metric"].tolist() == ["late_parcels"]
    assert support.late_asked_more(late)["note"].item() == "support.no_delivery_tickets"
    asked["reason"] = "delivery"
    assert "where_is_it" in set(support.late_parcels(sent, asked)["metric"])


def test_messages_of_other_channels_are_named_and_no_mark_is_asked_for():
    sent = pd.DataFrame({"channel": ["email", "email"], "responded": [0, 1], "opted_out": [0, 1]})
    assert cx.message_flags(sent)["note"].tolist() == ["journey.no_messages"]
    assert cx.message_flags(sent.assign(channel="mail")).empty
