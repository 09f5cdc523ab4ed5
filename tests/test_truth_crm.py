"""What is planted in deals, leads, activities and tickets is found by plain computations."""

import numpy as np
import pandas as pd
import pytest

from cxlib.samples.pipeline import DEAL_STAGES
from cxlib.samples.settings import Truth
from cxlib.samples.simulate import make_company_with_truth

END = pd.Timestamp("2026-10-01")
FAR = 4  # standard errors; what no seed of the ones tried should reach by chance
MATURE = END - pd.Timedelta(days=400)  # every deal created by then is over, but for one in a thousand


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.long)])
def company(request):
    return make_company_with_truth(n_customers=40_000, seed=request.param)


def _near(successes, share):
    """Whether a share lies within chance of the planted one."""
    return abs(successes.mean() - share) < FAR * np.sqrt(share * (1 - share) / len(successes))


def _mature(tables):
    deals = tables["deals"].merge(tables["customers"][["customer_id", "industry"]], on="customer_id")
    deals = deals[deals["created_on"] < MATURE]
    return deals.assign(won=deals["is_won"].fillna(value=False).astype(bool))


def test_who_wins_depends_on_owner_and_industry_as_planted(company):
    tables, truth = company
    deals = _mature(tables)
    assert _near(deals["won"], truth["deals"]["win_share"])
    for column in ("owner", "industry"):
        for name, share in truth["deals"][f"win_share_by_{column}"].items():
            assert _near(deals.loc[deals[column] == name, "won"], share), name


def test_deals_of_every_month_are_won_as_often(company):
    deals = _mature(company[0])
    by_month = deals.groupby(deals["created_on"].dt.strftime("%Y-%m"))["won"].agg(["mean", "count"])
    share = deals["won"].mean()
    z = (by_month["mean"] - share) / np.sqrt(share * (1 - share) / by_month["count"])
    assert (z**2).sum() < 3 * len(z)


def test_most_deals_are_lost_after_the_quote(company):
    tables, truth = company
    stages = tables["deal_stages"]
    stages = stages[stages["deal_id"].isin(_mature(tables)["deal_id"])]
    reached = {stage: set(stages.loc[stages["stage"] == stage, "deal_id"]) for stage in DEAL_STAGES}
    for (stage, share), following in zip(
        truth["deals"]["stage_conversion"].items(), DEAL_STAGES[1:5], strict=True
    ):
        goes_on = pd.Series([deal in reached[following] for deal in sorted(reached[stage])])
        assert _near(goes_on, share), stage
    assert min(truth["deals"]["stage_conversion"], key=truth["deals"]["stage_conversion"].get) == "quoted"


def test_stages_and_deals_tell_one_story(company):
    tables, _ = company
    deals, stages = tables["deals"].set_index("deal_id"), tables["deal_stages"]
    assert stages.groupby("deal_id")["stage"].last().equals(deals["stage"].rename_axis("deal_id"))
    day = stages.assign(day=stages["entered_at"].dt.tz_localize(None).dt.normalize())
    for stage, column in (("contacted", "created_on"), ("quoted", "quoted_on")):
        entered = day[day["stage"] == stage].set_index("deal_id")["day"]
        assert (deals[column].dropna() == entered.reindex(deals[column].dropna().index)).all()
    ended = day[day["stage"].isin(["won", "lost"])].set_index("deal_id")["day"]
    assert (deals["closed_on"].dropna() == ended.reindex(deals["closed_on"].dropna().index)).all()
    assert (deals["is_won"].isna() == deals["closed_on"].isna()).all()
    assert deals.loc[deals["lost_reason"].notna(), "is_won"].eq(other=False).all()
    assert deals.loc[deals["next_step_on"].notna(), "is_won"].isna().all()


def test_a_salons_first_order_is_the_deal_it_won(company):
    tables, _ = company
    business = tables["customers"].query("customer_type == 'business'")["customer_id"]
    won = tables["deals"].query("is_won == True").groupby("customer_id")["closed_on"].min()
    orders = tables["orders"][tables["orders"]["customer_id"].isin(business)]
    first = orders.groupby("customer_id")["ordered_at"].min().dt.tz_localize(None).dt.normalize()
    both = pd.concat([won, first], axis=1, join="inner")
    assert set(won.index) <= set(first.index)
    assert (both["closed_on"] == both["ordered_at"]).mean() > 0.9  # the others began before the data did


def test_leads_become_deals_by_source_as_planted(company):
    tables, truth = company
    leads = tables["leads"]
    leads = leads[leads["created_on"] < END - pd.Timedelta(days=200)]
    for source, share in truth["crm"]["lead_share_by_source"].items():
        assert _near(leads.loc[leads["source"] == source, "deal_id"].notna(), share), source
    converted = tables["leads"].dropna(subset=["deal_id"]).merge(tables["deals"], on="deal_id")
    assert (converted["converted_on"] == converted["created_on_y"]).all()
    assert (converted["source_x"] == converted["source_y"]).all()


def test_owners_enter_what_they_did_as_late_as_planted(company):
    tables, truth = company
    done = tables["activities"].assign(
        lag=lambda rows: (rows["recorded_at"] - rows["occurred_at"]).dt.total_seconds() / 86_400
    )
    done = done[done["occurred_at"] < (END - pd.Timedelta(days=160)).tz_localize("Asia/Tokyo")]
    for owner, days in truth["deals"]["entry_lag_days"].items():
        lag = done.loc[done["owner"] == owner, "lag"]
        assert abs(lag.mean() - days) < FAR * days / np.sqrt(len(lag)) + 0.001, owner


def test_one_owner_has_fallen_silent_and_some_users_never_came(company):
    tables, truth = company
    users = tables["users"].set_index("owner")
    silent, days = truth["crm"]["silent_owner"], truth["crm"]["silent_days"]
    since = tables["activities"].groupby("owner")["recorded_at"].max()[silent].tz_localize(None)
    assert END - pd.Timedelta(days=days) >= since
    assert silent in set(tables["deals"].loc[tables["deals"]["is_won"].isna(), "owner"])
    assert (END - users["last_active_on"]).dt.days.le(31).sum() == truth["crm"]["users_active"]
    assert len(users) == truth["crm"]["users"]
    assert users["last_active_on"].isna().sum() == 4


def _first_contacts(tables):
    """Tickets that follow no other of a customer on a matter, whether they failed, and orders after them."""
    tickets = tables["tickets"].dropna(subset=["customer_id", "reason"]).sort_values("opened_at")
    matter = tickets.groupby(["customer_id", "reason"])["opened_at"]
    week = pd.Timedelta(days=7)
    comes_back = matter.shift(-1) - tickets["opened_at"] < week
    follows = tickets["opened_at"] - matter.shift(1) < week
    failed = (tickets["reopened_count"] > 0) | comes_back
    tickets = tickets.assign(failed=failed.astype(bool), day=tickets["opened_at"].dt.normalize())[~follows]
    placed = tables["orders"].query("amount > 0")[["customer_id", "order_id", "ordered_at"]].drop_duplicates()
    pairs = tickets.merge(placed, on="customer_id")
    ahead = (pairs["ordered_at"].dt.normalize() - pairs["day"]).dt.days
    again = set(pairs.loc[(ahead > 0) & (ahead <= 90), "ticket_id"])
    tickets = tickets.assign(again=tickets["ticket_id"].isin(again))
    return tickets[tickets["opened_at"] < (END - pd.Timedelta(days=91)).tz_localize("Asia/Tokyo")]


def test_who_is_not_helped_at_once_orders_less_and_bots_help_less(company):
    tables, truth = company
    tickets, planted = _first_contacts(tables), truth["tickets"]
    log_odds, weights = [], []
    for handler, share in planted["not_solved_at_once"].items():
        those = tickets[tickets["handled_by"] == handler]
        counts = pd.crosstab(those["failed"], those["again"]).to_numpy()
        log_odds.append(np.log(counts[1, 1] * counts[0, 0] / (counts[1, 0] * counts[0, 1])))
        weights.append(1 / (1 / counts).sum())
        failed = those.loc[~those["again"], "failed"]
        assert abs(failed.mean() - share) < FAR * np.sqrt(share * (1 - share) / len(failed)) + 0.02, handler
    pooled = np.average(log_odds, weights=weights)
    assert abs(pooled - np.log(planted["repeat_odds_when_not_solved"])) < FAR / np.sqrt(sum(weights)) + 0.05


def test_reasons_come_in_the_planted_shares(company):
    tables, truth = company
    found = _first_contacts(tables)["reason"]
    for reason, share in truth["tickets"]["reason_share"].items():
        assert _near(found == reason, share), reason


def test_waiting_failing_and_bots_cost_satisfaction(company):
    tables, truth = company
    tickets = _first_contacts(tables).dropna(subset=["csat_score"])
    days = (tickets["first_replied_at"] - tickets["opened_at"]).dt.total_seconds() / 86_400
    near = days < 1.0  # beyond, the scale ends
    causes = np.column_stack([np.ones(near.sum()), days[near], tickets["failed"][near],
                              tickets["handled_by"][near] == "bot"]).astype(float)  # fmt: skip
    found = np.linalg.lstsq(causes, tickets["csat_score"][near].to_numpy(dtype=float), rcond=None)[0][1:]
    assert found == pytest.approx(np.array(list(truth["tickets"]["csat"].values())), rel=0.35, abs=0.05)


def test_without_differences_nobody_wins_more_often():
    alike = Truth(owner_win_odds=dict.fromkeys(("S01", "S02", "S03", "S04"), 1.0), win_share=0.4)
    tables, truth = make_company_with_truth(n_customers=20_000, seed=4, truth=alike)
    shares = truth["deals"]["win_share_by_owner"]
    assert max(shares.values()) == pytest.approx(min(shares.values()))
    for _, rows in _mature(tables).groupby("owner"):
        assert _near(rows["won"], truth["deals"]["win_share"])
