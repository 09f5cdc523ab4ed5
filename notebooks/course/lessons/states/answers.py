"""Answers on attitude states: who is in one, where they go next, and which way a share is read."""

import pandas as pd

import cxlib as cx

MONTH_ENDS = pd.date_range("2025-10-31", "2026-09-30", freq="ME")


def _today(shop):
    return cx.attitude_states(shop["customers"], shop["orders"], as_of=shop.as_of)


def right_1(shop):
    states = cx.attitude_states(shop["customers"], shop["orders"], as_of=shop.as_of)
    return states["state"].eq("wondering").mean()


def wrong_1_buyers(shop):
    state = _today(shop)["state"]
    return state.eq("wondering").sum() / state.ne("interested").sum()


def wrong_1_rule_alone(shop):
    customers = cx.summarise_customers(shop["orders"], as_of=shop.as_of)
    holds = customers["frequency"].between(1, 2) & customers["recency_days"].le(364)
    return holds.sum() / len(shop["customers"])


def _monthly(shop):
    states = cx.attitude_states(shop["customers"], shop["orders"], as_of=list(MONTH_ENDS))
    return cx.state_transitions(states)


def right_2(shop):
    days = list(pd.date_range("2025-10-31", "2026-09-30", freq="ME"))
    states = cx.attitude_states(shop["customers"], shop["orders"], as_of=days)
    moves = cx.state_transitions(states)
    return moves.query("state == 'wondering' and next_state == 'convinced'")["estimate"].item()


def wrong_2_backwards(shop):
    moves = _monthly(shop).query("next_state == 'convinced' and state != 'convinced'").set_index("state")["n"]
    return moves["wondering"] / moves.sum()


def wrong_2_per_customer(shop):
    states = cx.attitude_states(shop["customers"], shop["orders"], as_of=list(MONTH_ENDS))
    moves = cx.state_transitions(states).query("state == 'wondering' and next_state == 'convinced'")
    return moves["customers"].item() / states.query("state == 'wondering'")["customer_id"].nunique()


def wrong_2_leavers_only(shop):
    moves = _monthly(shop).query("state == 'wondering' and next_state != state").set_index("next_state")["n"]
    return moves["convinced"] / moves.sum()


def _both(shop):
    stages = cx.lifecycle_stages(shop["customers"], shop["orders"], as_of=shop.as_of)
    return stages.rename(columns={"state": "stage"}).merge(_today(shop)[["customer_id", "state"]])


def right_3(shop):
    stages = cx.lifecycle_stages(shop["customers"], shop["orders"], as_of=shop.as_of)
    states = cx.attitude_states(shop["customers"], shop["orders"], as_of=shop.as_of)
    both = stages.rename(columns={"state": "stage"}).merge(states[["customer_id", "state"]])
    repeaters = both[both["stage"] == "repeater"]
    return repeaters["state"].eq("wondering").mean()


def wrong_3_other_way(shop):
    both = _both(shop)
    return both.loc[both["state"] == "wondering", "stage"].eq("repeater").mean()


def wrong_3_of_everybody(shop):
    both = _both(shop)
    return (both["stage"].eq("repeater") & both["state"].eq("wondering")).mean()
