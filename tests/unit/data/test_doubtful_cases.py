"""Exports that are plausible and wrong are said to be so, and give right figures where these can be known.

The inputs lie beside the checkout in `shared/cases`; each kind has a second input in the other tests.
"""

from pathlib import Path

import pytest

import cxlib as cx
from cxlib.checks import InputError
from cxlib.data.exports.convert_export import import_export
from cxlib.data.tables.data_set import open_data

CASES = Path(__file__).parents[4] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the inputs are not beside this checkout")


@pytest.fixture
def brought(tmp_path, monkeypatch):
    """`brought(name, mapping)` gives the data set of a case, and every notice by its key."""
    monkeypatch.setenv("CX_PSEUDONYM_KEY", "a key long enough to be one")

    def run(name, mapping):
        told = import_export(CASES / name / f"{mapping}.yml", CASES / name / "export", tmp_path / "shop")
        run.sums = told.attrs["sums"]
        return open_data(tmp_path / "shop"), {notice.key: notice for notice in told.attrs["notices"]}

    return run


def test_masked_addresses_of_each_order_are_guests(brought):
    shop, notices = brought("masked-email-per-order", "map1")
    assert "300 orders belong to 300 customers" in notices["tables.id_per_order"].text()
    assert (brought.sums["customers"], brought.sums["orders"]) == (0, 300)
    assert shop.scope().customers.empty


def test_customers_of_a_moved_system_are_seen_from_their_first_order(brought):
    shop, notices = brought("migrated-created-date", "map1")
    first = (
        shop.table("orders").groupby("customer_id")["ordered_at"].min().dt.tz_localize(None).dt.normalize()
    )
    seen = shop.table("customers").set_index("customer_id")["first_seen_on"]
    assert notices["tables.seen_after_order"].count == 85
    assert (seen.reindex(first.index) <= first).all()


def test_a_currency_that_nobody_reads_and_one_in_small_letters(brought):
    _, notices = brought("multi-currency", "map1")
    assert (notices["exports.unread_currency"].column, notices["exports.unread_currency"].count) == ("cur", 2)
    with pytest.raises(InputError, match="2 of 4 rows"):
        brought("multi-currency", "map2")


def test_a_stale_export_ends_the_report_with_the_data(brought):
    shop, notices = brought("stale-export", "map1")
    assert "122 days" in notices["tables.stale"].text()
    assert (str(shop.as_of), str(shop.scope().last_day)) == ("2026-05-31", "2026-05-31")


def test_feelings_from_one_to_five_are_negative_below_three(brought):
    shop, _ = brought("likert-valence", "map2")
    curve = cx.emotion_curve(shop.table("events"), stage_order=["discover", "buy", "wait"])
    pooled = curve[curve["metric"] == "pooled"].set_index("stage")["share_negative"]
    assert pooled.to_dict() == pytest.approx({"discover": 0.3625, "buy": 0.4, "wait": 0.825})


@pytest.mark.parametrize(
    ("name", "mapping", "rows"),
    [("cumulative-survey-exports", "map1", 130), ("google-forms-sheet", "map7", 130)],
)
def test_answers_that_come_twice_count_once(brought, name, mapping, rows):
    shop, notices = brought(name, mapping)
    answers = shop.table("responses")
    score = cx.nps(answers).iloc[0]
    assert "tables.answered_alike" in notices
    assert (len(answers), score["n"], round(score["estimate"], 2)) == (rows, 120, -11.67)


def test_anonymous_answers_alone_have_a_score(brought):
    shop, _ = brought("qualtrics-anonymous", "map1")
    answers = cx.survey_answers(shop.table("responses"), shop.scope().customers)
    score = cx.nps(answers, cluster_col="customer_id").iloc[0]
    assert (score["n"], round(score["estimate"], 2), score["customers"]) == (135, -8.15, 135)


def test_deals_with_a_planned_day_stay_open(brought):
    shop, notices = brought("hubspot-deals", "map2")
    assert notices["tables.planned_close"].count == 45
    deals = shop.table("deals")
    still = deals[cx.deal_facts(deals, as_of=shop.as_of)["is_open"]]
    held = still.groupby("stage")["amount"].agg(["size", "sum"]).to_dict("index")
    assert held["Contract Sent"] == {"size": 27, "sum": 6_150_000}
    assert held["Appointment Scheduled"] == {"size": 18, "sum": 3_980_000}


def test_the_price_of_lines_is_no_amount_and_the_total_of_orders_is(brought):
    _, notices = brought("shopify-orders", "map4")
    assert notices["tables.price_for_amount"].count == 176
    assert brought.sums["net_sales"] == 321_100
    _, notices = brought("shopify-orders", "map1")
    assert "tables.price_for_amount" not in notices
    assert brought.sums["net_sales"] == 697_300
