"""Answers on penalty, reward and the expectation gap."""

import cxlib as cx


def right_1(shop):
    rated = shop["events"].query("touchpoint == 'delivery'").dropna(subset=["expectation", "experience"])
    return (rated["experience"] < rated["expectation"]).mean()


def wrong_1_of_contacts(shop):
    contacts = shop["events"].query("touchpoint == 'delivery'")
    return (contacts["experience"] < contacts["expectation"]).mean()


def wrong_1_met_too(shop):
    rated = shop["events"].query("touchpoint == 'delivery'").dropna(subset=["expectation", "experience"])
    return (rated["experience"] <= rated["expectation"]).mean()


def wrong_1_mean_gap(shop):
    contacts = shop["events"].query("touchpoint == 'delivery'")
    return (contacts["experience"] - contacts["expectation"]).mean()


def _rated(shop):
    rated = shop["events"].query("touchpoint == 'support_chat'")
    rated = rated.dropna(subset=["expectation", "experience", "valence"])
    return rated.assign(gap=rated["experience"] - rated["expectation"])


def right_2(shop):
    rated = cx.journey.gaps_by_touchpoint(shop["events"])[["valence", "support_chat"]].dropna()
    below, met = rated["support_chat"] < 0, rated["support_chat"] == 0
    return rated.loc[below, "valence"].mean() - rated.loc[met, "valence"].mean()


def wrong_2_against_above(shop):
    rated = _rated(shop)
    return rated.query("gap < 0")["valence"].mean() - rated.query("gap > 0")["valence"].mean()


def wrong_2_against_all_others(shop):
    rated = _rated(shop)
    return rated.query("gap < 0")["valence"].mean() - rated.query("gap >= 0")["valence"].mean()


def wrong_2_level(shop):
    return _rated(shop).query("gap < 0")["valence"].mean()


def _penalties(shop):
    rated = cx.journey.gaps_by_touchpoint(shop["events"])
    return cx.penalty_reward(
        rated,
        outcome_col="valence",
        driver_cols=["web_product", "checkout", "delivery", "support_chat"],
        low=-1,
        high=1,
    )


def right_3(shop):
    rated = cx.journey.gaps_by_touchpoint(shop["events"])
    places = ["web_product", "checkout", "delivery", "support_chat"]
    found = cx.penalty_reward(rated, outcome_col="valence", driver_cols=places, low=-1, high=1)
    losses = cx.touchpoint_scores(shop["events"], penalties=found)
    return losses["touchpoint"].iloc[0]


def wrong_3_most_often_below(shop):
    losses = cx.touchpoint_scores(shop["events"], penalties=_penalties(shop))
    return losses.dropna(subset="estimate").set_index("touchpoint")["share_below"].idxmax()


def right_4(shop):
    rated = cx.journey.gaps_by_touchpoint(shop["events"])
    places = ["delivery", "checkout", "parcel_insert", "line_message", "loyalty_club"]
    found = cx.penalty_reward(rated, outcome_col="valence", driver_cols=places, low=-1, high=1)
    return set(found.loc[found["reward"] > -found["penalty"], "driver"])


def wrong_4_above_on_average(shop):
    rated = cx.journey.gaps_by_touchpoint(shop["events"])
    places = ["delivery", "checkout", "parcel_insert", "line_message", "loyalty_club"]
    return set(rated[places].mean().loc[lambda gap: gap > 0].index)
