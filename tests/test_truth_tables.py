"""What is planted in contracts, deliveries, comments, costs and identities is found by plain computations."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import betaln
from scipy.stats import chi2

from cxlib.language import catalogue
from cxlib.samples.settings import TOPICS, Truth
from cxlib.samples.simulate import make_company, make_company_with_truth

END = pd.Timestamp("2026-10-01")
FAR = 4  # standard errors; what no seed of the ones tried should reach by chance


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.long)])
def company(request):
    return make_company_with_truth(n_customers=20_000, seed=request.param)


def _renewals(contracts):
    """Renewals each contract outlived, and whether it ended at the next one."""
    ended = contracts["ended_on"].notna()
    last = contracts["ended_on"].fillna(END - pd.Timedelta(days=1))
    began = contracts["started_on"]
    months = (last.dt.year - began.dt.year) * 12 + last.dt.month - began.dt.month
    months -= last.dt.day < began.dt.day
    return (months - ended).to_numpy(), ended.to_numpy()


def _log_likelihood(shape, kept, ended):
    """Shifted-beta-geometric: a contract ends at renewal t + 1, or outlives t renewals."""
    alpha, beta = shape
    each = np.where(ended, betaln(alpha + 1, beta + kept), betaln(alpha, beta + kept))
    return float((each - betaln(alpha, beta)).sum())


def test_churn_of_contracts_differs_by_channel_as_planted(company):
    tables, truth = company
    contracts = tables["contracts"].merge(tables["customers"], on="customer_id")
    found = {}
    for channel, planted in truth["contracts"]["by_acquisition_channel"].items():
        kept, ended = _renewals(contracts[contracts["acquisition_channel"] == channel])
        fit = minimize(
            lambda logs, kept=kept, ended=ended: -_log_likelihood(np.exp(logs), kept, ended),
            np.zeros(2), method="Nelder-Mead",
        )  # fmt: skip
        shape = (planted["alpha"], planted["beta"])
        apart = 2 * (-fit.fun - _log_likelihood(shape, kept, ended))
        assert apart < chi2.ppf(0.999, 2), channel
        alpha, beta = np.exp(fit.x)
        found[channel] = np.exp(betaln(alpha, beta + np.arange(12)) - betaln(alpha, beta)).sum()
    assert max(found, key=found.get) == "search_ad"
    assert min(found, key=found.get) == "line"


def test_each_contract_runs_whole_months(company):
    contracts = company[0]["contracts"].dropna(subset=["ended_on"])
    assert (contracts["ended_on"].dt.day == contracts["started_on"].dt.day).all()
    assert (contracts["ended_on"] > contracts["started_on"]).all()


def test_the_dearest_channel_brings_the_best_contracts_and_a_cheap_one_the_worst(company):
    tables, truth = company
    came = tables["customers"]["acquisition_channel"].value_counts()
    spent = tables["spend"].groupby("acquisition_channel")["amount"].sum()
    planted = pd.Series(truth["acquisition_cost"]["full"])
    cost = spent / (came / 0.97)  # the channel of 3 % is not known
    assert np.allclose(cost[planted.index], planted, rtol=0.1)
    media = tables["spend"].query("cost_line == 'media'").groupby("acquisition_channel")["amount"].sum()
    expected = pd.Series(truth["acquisition_cost"]["media"]) / planted
    assert np.allclose((media / spent)[planted.index], expected, rtol=0.01)
    value = {
        name: row["amount_in_12_months"] for name, row in truth["contracts"]["by_acquisition_channel"].items()
    }
    assert planted.idxmax() == max(value, key=value.get) == "search_ad"
    assert min(value, key=value.get) == "line"
    assert planted["line"] < planted.median()


def _first_lines(tables):
    """Online lines: whether the parcel was late, the shelf empty, and an order followed within 90 days."""
    orders = tables["orders"].query("amount > 0").dropna(subset=["customer_id"])
    orders = orders.assign(day=orders["ordered_at"].dt.tz_localize(None).dt.normalize())
    lines = orders[orders["channel"] == "ec"]
    lines = lines.assign(late=lines["delivered_on"] > lines["promised_on"])
    placed = orders.drop_duplicates("order_id")[["order_id", "customer_id", "day"]]
    pairs = placed.merge(placed, on="customer_id", suffixes=("", "_next"))
    ahead = (pairs["day_next"] - pairs["day"]).dt.days
    again = set(pairs.loc[(ahead > 0) & (ahead <= 90), "order_id"])
    lines["again"] = lines["order_id"].isin(again)
    empty = tables["stock"].query("on_hand == 0")[["day", "product"]].assign(is_empty=True)
    lines = lines.merge(empty, on=["day", "product"], how="left")
    return lines[lines["day"] < END - pd.Timedelta(days=90)]


def test_late_parcels_go_with_fewer_repeats_and_empty_shelves_with_late_parcels(company):
    tables, truth = company
    lines = _first_lines(tables)
    assert lines[["promised_on", "delivered_on"]].notna().all(axis=None)
    whole = lines[lines["is_empty"].isna()].drop_duplicates("order_id")
    counts = pd.crosstab(whole["late"], whole["again"]).to_numpy()
    log_odds = np.log(counts[1, 1] * counts[0, 0] / (counts[1, 0] * counts[0, 1]))
    planted = np.log(truth["deliveries"]["late_repeat_odds"])
    assert abs(log_odds - planted) < FAR * np.sqrt((1 / counts).sum())
    share = counts[1, 0] / counts[:, 0].sum()
    error = np.sqrt(share * (1 - share) / counts[:, 0].sum())
    assert abs(share - truth["deliveries"]["late_share"]) < FAR * error + 0.01
    assert lines.loc[lines["is_empty"].notna(), "late"].mean() > 0.5


def test_nothing_is_promised_for_what_is_taken_home_or_given_back(company):
    orders = company[0]["orders"]
    no_parcel = (orders["channel"] == "store") | (orders["amount"] < 0)
    assert orders.loc[no_parcel, ["promised_on", "delivered_on"]].isna().all(axis=None)
    assert orders.loc[~no_parcel, "promised_on"].notna().all()


def test_stock_is_out_on_the_days_stated(company):
    tables, truth = company
    out = (tables["stock"]["on_hand"] == 0).groupby(tables["stock"]["product"]).mean()
    assert out.to_dict() == pytest.approx(truth["deliveries"]["days_out_of_stock"])
    assert 0.01 < out.mean() < 0.15
    assert set(tables["products"]["product"]) == set(tables["orders"]["product"])
    margin = 1 - tables["products"]["unit_cost"] / tables["products"]["price"]
    assert margin.between(0.4, 0.7).all()


def _mentions(comments):
    """Topics whose words a comment holds, by the catalogue's own sentences without their first words."""
    found = {}
    for topic in TOPICS:
        told = [text for key, text in catalogue().items() if key.startswith(f"samples.comment.{topic}_")]
        parts = [text[lang][2:] for text in told for lang in ("en", "ja")]
        found[topic] = np.logical_or.reduce([comments.str.contains(part, regex=False) for part in parts])
    return pd.DataFrame(found, index=comments.index)


def test_topics_of_comments_differ_by_recommendation_as_planted(company):
    tables, truth = company
    answers = tables["responses"].dropna(subset=["comment", "nps_score"])
    group = pd.cut(answers["nps_score"], [-1, 6, 8, 10], labels=["detractor", "passive", "promoter"])
    shares = _mentions(answers["comment"]).groupby(group, observed=True).mean()
    for name, planted in truth["comments"]["topic_share_by_group"].items():
        for topic, share in planted.items():
            error = np.sqrt(share * (1 - share) / (group == name).sum())
            lost = 0.08 * share  # slips may hit the very words
            assert share - lost - FAR * error < shares.loc[name, topic] < share + FAR * error, (name, topic)


def test_the_nps_of_a_topic_follows(company):
    tables, truth = company
    answers = tables["responses"].dropna(subset=["comment", "nps_score"])
    mentions = _mentions(answers["comment"])
    points = 100 * ((answers["nps_score"] >= 9).astype(int) - (answers["nps_score"] <= 6))
    for topic, planted in truth["comments"]["nps_by_topic"].items():
        those = points[mentions[topic]]
        assert abs(those.mean() - planted) < FAR * those.std() / np.sqrt(len(those)), topic


def _alpha(marks):
    """Krippendorff's alpha of two coders of a yes and no, by its definition on coincidences."""
    values = marks.to_numpy()
    observed = (values[:, 0] != values[:, 1]).mean()
    yes, n = values.mean(), values.size
    return 1 - observed / (2 * yes * (1 - yes) * n / (n - 1))


def test_two_coders_agree_as_far_as_planted():
    tables, truth = make_company_with_truth(n_customers=4000, seed=3)
    codings = tables["codings"]
    assert codings["response_id"].isin(tables["responses"].dropna(subset=["comment"])["response_id"]).all()
    assert codings.groupby("coder")["response_id"].nunique().to_dict() == {"A": 300, "B": 300}
    rng = np.random.default_rng(0)
    for topic, planted in truth["comments"]["coder_agreement"].items():
        is_topic = codings["topic"] == topic
        marks = pd.crosstab(codings["response_id"], codings["coder"], is_topic, aggfunc="any")
        drawn = [_alpha(marks.iloc[rng.integers(0, len(marks), len(marks))]) for _ in range(300)]
        assert abs(_alpha(marks) - planted) < FAR * np.std(drawn) + 0.02, topic


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_in_a_hundred_records_are_the_second_of_one_person(seed):
    tables, truth = make_company_with_truth(n_customers=4000, seed=seed)
    customers = tables["customers"]
    again = pd.Series(data=False, index=customers.index)
    for key in ("match_key_mail", "match_key_phone"):
        again |= customers[key].notna() & customers[key].duplicated()
    assert again.mean() == pytest.approx(truth["identities"]["split_identities"], abs=0.005)
    assert again.sum() == truth["identities"]["n_second_records"]
    assert customers["is_test"].sum() == truth["identities"]["n_test_accounts"] > 0


def test_the_two_records_of_a_person_agree_and_understate_repeat_buying():
    tables = make_company(n_customers=20_000, seed=5)
    customers, orders = tables["customers"], tables["orders"].dropna(subset=["customer_id"])
    pairs = customers.merge(customers, on="match_key_mail", suffixes=("_first", ""))
    pairs = pairs[pairs["customer_id_first"] < pairs["customer_id"]]
    assert len(pairs) > 200
    assert (pairs["region"] == pairs["region_first"]).all()
    person = customers["customer_id"].replace(pairs.set_index("customer_id")["customer_id_first"])
    owner = orders["customer_id"].map(dict(zip(customers["customer_id"], person, strict=True)))
    number = {
        name: orders.groupby(key)["order_id"].nunique()
        for name, key in (("apart", "customer_id"), ("one", owner))
    }
    assert (number["one"] > 1).mean() > (number["apart"] > 1).mean()


def test_nothing_planted_can_be_taken_out():
    none = Truth(split_identities=0.0, test_accounts=0.0, late_repeat_odds=1.0)
    customers = make_company(n_customers=400, seed=1, truth=none)["customers"]
    assert not customers["match_key_mail"].duplicated().any()
    assert not customers["is_test"].any()
