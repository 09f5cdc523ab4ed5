"""Tables that name each other's rows, plans that lie ahead, and keys that may be empty in part."""

import pandas as pd
import pytest

from cxlib.checks import TableError
from cxlib.data.contract import TABLES
from cxlib.data.tables.data_set import open_data

SETTINGS = "{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01T00:00:00}"
CUSTOMERS = "customer_id,first_seen_on,customer_type\n007,2026-01-01,consumer\n008,2026-02-28,business\n"
DEALS = "deal_id,customer_id,created_on,stage\nD1,007,2026-03-01,quoted\nD2,008,2026-04-01,quoted\n"
RESPONSES = "response_id,answered_at,survey\nR1,2026-05-01,relationship\n"
TEXTS = {
    "contracts": "customer_id,plan,started_on,monthly_amount\n007,basic,2026-02-01,980\n",
    "leads": "lead_id,created_on,status\nL1,2026-02-01,open\n",
    "deal_stages": "deal_id,stage,entered_at\nD1,proposed,2026-03-02\n",
    "activities": "activity_id,occurred_at,kind\nA1,2026-03-02T10:00,call\n",
    "codings": "response_id,coder,topic\nR1,a,price\nR1,b,\n",
    "products": "product\nLotion\n",
    "stock": "day,product,on_hand\n2026-03-01,Lotion,12\n",
    "users": "owner\nS01\n",
}


@pytest.fixture
def shop(tmp_path):
    """Write a data set of CSV texts and give, for one table, what is found in it."""

    def write(**tables):
        (tmp_path / "dataset.yml").write_text(SETTINGS)
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text)
        return open_data(tmp_path)

    return write


def _told(data_set, table):
    return {problem.key: problem for problem in data_set.load(table)}


@pytest.mark.parametrize("table", TEXTS)
def test_a_table_of_what_is_required_alone_is_read_and_gains_the_rest_as_missing(shop, table):
    data_set = shop(**{table: TEXTS[table]})
    frame = data_set.table(table)
    assert list(frame) == list(TABLES[table].columns)
    assert data_set.problems == []
    empty = [name for name, rule in TABLES[table].columns.items() if not rule.required]
    assert frame[[name for name in empty if name != "topic"]].isna().all(axis=None)
    assert list(data_set.lazy(table).collect().to_native().column_names) == list(frame)


@pytest.mark.parametrize(
    ("table", "text", "listing", "level"),
    [
        ("deal_stages", "deal_id,stage,entered_at\nX,won,2026-05-01\nD1,won,2026-05-01\n", "deals", "notice"),
        ("deal_stages", "deal_id,stage,entered_at\nX,won,2026-05-01\n", "deals", "error"),
        (
            "activities",
            "activity_id,deal_id,occurred_at,kind\nA1,X,2026-05-01,call\nA2,,2026-05-01,call\n",
            "deals",
            "notice",
        ),
        ("activities", "activity_id,owner,occurred_at,kind\nA1,S09,2026-05-01,call\n", "users", "notice"),
        (
            "leads",
            "lead_id,created_on,status,deal_id\nL1,2026-01-01,won,X\nL2,2026-01-01,won,D1\n",
            "deals",
            "notice",
        ),
        ("codings", "response_id,coder\nX,a\n", "responses", "error"),
        ("stock", "day,product,on_hand\n2026-03-01,Lotion,1\n2026-03-01,Soap,2\n", "products", "notice"),
    ],
)
def test_what_another_table_should_list_is_looked_up_there(shop, table, text, listing, level):
    lists = {"deals": DEALS, "responses": RESPONSES, "products": TEXTS["products"], "users": TEXTS["users"]}
    data_set = shop(**{listing: lists[listing], table: text})
    found = _told(data_set, table)["tables.not_listed"]
    assert (found.level, found.count) == (level, 1)
    for lang in ("en", "ja"):
        assert listing in found.text(lang)
        assert "{" not in found.text(lang)
    if level == "error":
        with pytest.raises(TableError):
            data_set.table(table)
    else:
        assert len(data_set.table(table)) == text.count("\n") - 1


def test_rows_yet_to_come_on_an_earlier_day_are_not_unknown(shop, tmp_path):
    shop(customers=CUSTOMERS, deals=DEALS, deal_stages="deal_id,stage,entered_at\nD2,quoted,2026-04-02\n")
    earlier = open_data(tmp_path, as_of="2026-03-15")
    assert earlier.table("deal_stages").empty
    assert earlier.problems == []


def test_a_stage_before_its_deal_is_noticed_and_the_day_of_creation_is_not(shop):
    stages = "deal_id,stage,entered_at\nD1,proposed,2026-03-01T08:00\nD2,proposed,2026-03-31T23:59\n"
    data_set = shop(deals=DEALS, deal_stages=stages)
    assert _told(data_set, "deal_stages")["tables.stage_before_deal"].rows == (2,)
    assert len(data_set.table("deal_stages")) == 2


def test_a_day_before_the_order_is_no_delivery_but_a_promise_may_lie_ahead(shop):
    orders = (
        "order_id,line,ordered_at,amount,promised_on,delivered_on\n"
        "1,1,2026-09-02T08:00,10,2026-09-01,2026-09-01\n"
        "2,1,2026-09-30T08:00,10,2026-12-24,\n"
        "3,1,2026-09-02T23:00,10,2026-09-02,2026-09-02\n"
    )
    data_set = shop(orders=orders)
    found = data_set.table("orders")
    assert found["delivered_on"].dt.day.tolist()[2] == 2
    assert found[["promised_on", "delivered_on"]].isna().sum().tolist() == [1, 2]
    assert found["promised_on"].dt.month[1] == 12
    assert [problem.column for problem in data_set.problems] == ["promised_on", "delivered_on"]
    assert {problem.key for problem in data_set.problems} == {"tables.too_early"}


def test_a_contract_that_ended_before_it_began_is_left_out_instead_of_running_for_ever(shop):
    text = (
        "customer_id,plan,started_on,ended_on,monthly_amount\n"
        "007,basic,2026-02-01,2026-01-31,980\n007,basic,2026-03-01,2026-03-01,980\n"
        "007,pro,2026-03-01,,1980\n007,basic,2026-04-01,2027-03-31,980\n"
    )
    data_set = shop(customers=CUSTOMERS, contracts=text)
    assert _told(data_set, "contracts")["tables.never_begun"].count == 1
    assert _told(data_set, "contracts")["tables.future_value"].count == 1  # an end to come is none yet
    assert data_set.table("contracts")["ended_on"].isna().tolist() == [False, True, True]


def test_who_has_a_deal_now_is_not_who_had_it_before(shop, tmp_path):
    shop(
        deals="deal_id,customer_id,created_on,stage,owner,owner_since,expected_close_on,next_step_on\n"
        "D1,007,2026-03-01,quoted,S02,2026-08-01,2026-12-31,2026-10-05\n"
    )
    assert open_data(tmp_path).table("deals")["owner"].tolist() == ["S02"]
    earlier = open_data(tmp_path, as_of="2026-07-31").table("deals")
    assert earlier[["owner", "owner_since"]].isna().all(axis=None)
    assert earlier[["expected_close_on", "next_step_on"]].notna().all(axis=None)


def test_spend_may_have_one_row_a_month_or_one_for_each_cost_line(shop):
    rows = "2026-09,ad,{0},5\n2026-09,ad,{1},6\n"
    header = "month,acquisition_channel,cost_line,amount\n"
    assert len(shop(spend=header + rows.format("media", "people")).table("spend")) == 2
    assert len(shop(spend=header + rows.format("media", "")).table("spend")) == 2
    assert "tables.key_conflict" in _told(shop(spend=header + rows.format("", "")), "spend")
    assert "tables.key_conflict" in _told(shop(spend=header + rows.format("media", "media")), "spend")
    strange = _told(shop(spend=header + rows.format("media", "tools")), "spend")["tables.unknown_option"]
    assert "media, people, agency" in strange.text("en")


def test_test_accounts_are_counted_and_kept_and_keys_for_matching_are_no_attributes(shop):
    customers = (
        "customer_id,first_seen_on,customer_type,is_test,match_key_mail,tier\n"
        "007,2026-01-01,consumer,true,0a1b,gold\n008,2026-01-01,consumer,,0a1b,\n"
    )
    data_set = shop(customers=customers)
    assert data_set.table("customers")["is_test"].isna().tolist() == [False, True]
    assert [(p.key, p.level, p.count) for p in data_set.problems] == [("tables.test_accounts", "notice", 1)]
    assert {"is_test", "tier"} <= data_set.attributes
    assert "match_key_mail" not in data_set.attributes


def test_a_mail_address_is_no_key_for_matching(shop):
    customers = "customer_id,first_seen_on,customer_type,match_key\n1,2026-01-01,consumer,a@example.com\n"
    assert _told(shop(customers=customers), "customers")["tables.id_personal"].level == "error"


def test_old_data_stay_as_they_are(shop):
    """Columns that came later are all missing where a file lacks them, and say nothing."""
    data_set = shop(
        customers=CUSTOMERS, deals=DEALS, responses=RESPONSES, spend="month,acquisition_channel,amount\n"
        "2026-09,ad,5\n"
    )  # fmt: skip
    for name in data_set.tables:
        assert isinstance(data_set.table(name), pd.DataFrame)
    assert data_set.problems == []
