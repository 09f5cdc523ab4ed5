"""Answers of the first hour: whom a figure speaks of, by what it was divided, and how sure a ratio is."""

import cxlib as cx


def right_1(shop):
    answered = shop["responses"]["customer_id"].nunique()
    return answered / len(shop["customers"])


def wrong_1_answers(shop):
    return len(shop["responses"]) / len(shop["customers"])


def wrong_1_buyers(shop):
    buyers = shop["orders"]["customer_id"].dropna().unique()
    return shop["responses"]["customer_id"].dropna().unique().size / buyers.size


def right_2(shop):
    events = shop["events"]
    return events.groupby("stage")["valence"].mean().idxmin()


def wrong_2_fewest(shop):
    return shop["events"].groupby("stage")["valence"].count().idxmin()


def wrong_2_most(shop):
    return shop["events"]["stage"].value_counts().idxmax()


def _customers(shop):
    return cx.summarise_customers(shop["orders"], as_of=shop.as_of)


def right_3(shop):
    customers = cx.summarise_customers(shop["orders"], as_of=shop.as_of)
    return customers["monetary_total"].sum() / customers["frequency"].sum()


def wrong_3_mean_of_means(shop):
    return _customers(shop)["monetary_mean"].mean()


def wrong_3_lines(shop):
    return shop["orders"].dropna(subset="customer_id")["amount"].mean()


def wrong_3_per_customer(shop):
    return _customers(shop)["monetary_total"].mean()


STARTED = "2025-10-01"


def _f2(shop):
    about = {"initiative": "I1", "started_on": STARTED, "assignment": "randomised"}
    members = cx.study_members(shop["enrolments"], shop["customers"], **about)
    f2 = cx.f2_effect(shop["orders"], members, started_on=STARTED, as_of=shop.as_of, horizon_months=[6])
    return f2.set_index("arm")


def right_4(shop):
    about = {"initiative": "I1", "started_on": "2025-10-01", "assignment": "randomised"}
    members = cx.study_members(shop["enrolments"], shop["customers"], **about)
    when = {"started_on": "2025-10-01", "as_of": shop.as_of, "horizon_months": [6]}
    f2 = cx.f2_effect(shop["orders"], members, **when)
    return cx.share_ratio(f2)["conf_low"].item()


def wrong_4_middle(shop):
    f2 = _f2(shop)["estimate"]
    return f2["treatment"] / f2["control"]


def wrong_4_of_limits(shop):
    f2 = _f2(shop)
    return f2["conf_low"]["treatment"] / f2["conf_high"]["control"]


def wrong_4_difference(shop):
    return _f2(shop)["conf_low"]["difference"]


def right_5(shop):
    return cx.split_identities(shop["customers"])["estimate"].item()


def wrong_5_mail_alone(shop):
    return cx.split_identities(shop["customers"].drop(columns="match_key_phone"))["estimate"].item()


def wrong_5_first_ids(shop):
    people = shop["customers"]
    found = cx.inventory.same_person(people)
    return len(set(found["customer_id"]) | set(found["first_id"])) / len(people)


def wrong_5_blanks(shop):
    return shop["customers"].duplicated("match_key_phone").mean()
