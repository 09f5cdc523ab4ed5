"""What is planted in tickets (waiting, failing, bots, reasons) lies in the intervals of the chapter."""

import numpy as np
import pandas as pd
import pytest

from cxlib.samples.simulate import make_company_with_truth
from cxlib.stats.intervals import critical_value
from cxlib.stats.scoring.logistic import fit_logistic
from cxlib.support.after_tickets import after_contacts, bought_after
from cxlib.support.contact_rates import reasons
from cxlib.support.settled import bot_and_person, first_contacts
from cxlib.support.tickets import read_tickets
from cxlib.support.waiting import score_by_wait

AS_OF = "2026-09-30"
KNOWN = ["is_unsettled", "by_bot", "orders_before", "recency", "tenure"]
FAR = 4.0


def failing(share, odds, again):
    """Chance that a ticket is not settled, given whether the customer orders again."""
    own = share / (1 - share) * np.where(again, odds, 1.0)
    return own / (1 + own)


def found_and_planted(seed, n=4000):
    """Estimate, error, limits and truth by what is planted, in one company."""
    tables, truth = make_company_with_truth(n_customers=n, seed=seed)
    planted = truth["tickets"]
    tickets = read_tickets(tables["tickets"], as_of=AS_OF)
    contacts, orders = first_contacts(tickets), tables["orders"]
    terms = score_by_wait(contacts, scale=(1, 5)).set_index("aspect")
    names = {"day_waited": "per_day_waited", "not_settled": "not_solved_at_once", "by_bot": "bot"}
    rows = {name: (terms.loc[name], planted["csat"][of]) for name, of in names.items()}
    followed = after_contacts(contacts, orders, as_of=AS_OF)
    fit = fit_logistic(
        followed.rename(columns={"has_bought": "outcome"}), feature_cols=KNOWN, cluster_col="customer_id"
    )
    slope, error = (value / fit.scale[0] for value in (fit.coefficients[1], np.sqrt(fit.covariance[1, 1])))
    half = critical_value(0.95) * error
    log_odds = pd.Series(
        {"estimate": slope, "std_error": error, "conf_low": slope - half, "conf_high": slope + half}
    )
    rows["log_odds"] = (log_odds, np.log(planted["repeat_odds_when_not_solved"]))
    share, odds = planted["not_solved_at_once"], planted["repeat_odds_when_not_solved"]
    chats = followed[followed["channel"].isin(["chat", "line"])] if "channel" in followed else followed
    gap = failing(share["bot"], odds, chats["has_bought"] == 1) - failing(
        share["person"], odds, chats["has_bought"] == 1
    )
    bots = bot_and_person(contacts).set_index("metric").loc["settled_gap"]
    rows["bot"] = (bots, -gap.mean())
    return rows, planted, tickets, orders, followed


def test_waiting_failing_and_bots_come_back_as_planted():
    rows, planted, tickets, orders, followed = found_and_planted(21)
    for name, (found, truth) in rows.items():
        assert abs(found["estimate"] - truth) < FAR * found["std_error"], name
    assert bought_after(followed, flag_col="is_unsettled")["claim"].tolist() == ["lower"]
    rates = reasons(tickets[~tickets["is_follow_up"]], orders, as_of=AS_OF, days=720).set_index("reason")
    named = rates.drop(["every_reason", "not_recorded"])
    shares = named["n_tickets"] / named["n_tickets"].sum()
    for reason, share in planted["reason_share"].items():
        assert abs(shares[reason] - share) < FAR * np.sqrt(share * (1 - share) / named["n_tickets"].sum())


@pytest.mark.long
def test_intervals_hold_what_is_planted_in_two_hundred_companies():
    hits = []
    for seed in range(200):
        rows = found_and_planted(1000 + seed)[0]
        hits.append(
            {k: found["conf_low"] <= truth <= found["conf_high"] for k, (found, truth) in rows.items()}
        )
    shares = pd.DataFrame(hits).mean()
    assert shares.between(0.905, 0.985).all(), shares.to_dict()
