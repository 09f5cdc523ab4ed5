"""Sales where nothing was lost, nothing won, no amount is known, or the deals of leads are not there."""

import numpy as np
import pandas as pd
import pytest

from cxlib.sales.activities import no_next_step
from cxlib.sales.chances import open_deals
from cxlib.sales.claims import list_first, lists_to_work, most_lost, quarter_told
from cxlib.sales.leads import lead_shares
from cxlib.sales.owners import owner_shares

AS_OF = "2026-06-30"


def deals(n=60, **columns):
    """Deals of half a year: won, lost and open in turn."""
    start = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n), unit="D")
    won = pd.Series([True, False, None] * (n // 3), dtype=object)
    rows = {"deal_id": np.arange(n).astype(str), "customer_id": np.arange(n).astype(str), "amount": 10.0}
    rows |= {"created_on": start, "closed_on": pd.Series(start + pd.Timedelta(days=9)).where(won.notna())}
    return pd.DataFrame(rows | {"is_won": won, "owner": ["x", "y"] * (n // 2)} | columns)


def test_where_nothing_was_lost_that_is_the_reason():
    rows = pd.DataFrame({"stage": ["a", "b"], "estimate": 0.0, "customers": 50})
    assert most_lost(rows, pd.DataFrame()) == {"note": "sales.nothing_lost"}


@pytest.mark.parametrize("result", [False, None])
def test_no_list_comes_first_where_no_deal_was_won(result):
    known = deals()
    known["is_won"] = [None if one is None else result for one in known["is_won"]]
    now = open_deals(known, as_of=AS_OF)
    assert now["chance"].isna().all()
    counted = lists_to_work(now, {"no_next_step": now})
    assert counted["n"].item() >= 10 and np.isnan(counted["expected_amount"].item())
    assert list_first(counted) == {"note": "sales.nothing_expected"}


def test_no_list_comes_first_without_amounts():
    now = open_deals(deals(amount=np.nan), as_of=AS_OF)
    assert list_first(lists_to_work(now, {"no_next_step": now})) == {"note": "sales.nothing_expected"}
    now = open_deals(deals(), as_of=AS_OF)
    assert list_first(lists_to_work(now, {"no_next_step": now}))["list"] == "no_next_step"


def test_no_deal_lacks_a_next_step_where_nothing_tells_of_any():
    unknown = deals(next_step_on=pd.NaT)
    assert no_next_step(deals(), as_of=AS_OF).empty and no_next_step(unknown, as_of=AS_OF).empty
    known = deals(next_step_on=[pd.NaT] * 57 + [pd.Timestamp("2026-07-01")] * 3)
    assert len(no_next_step(known, as_of=AS_OF)) == 19
    plan = pd.DataFrame({"deal_id": ["2"], "occurred_at": [pd.Timestamp("2026-07-02")]})
    assert len(no_next_step(deals(), as_of=AS_OF, activities=plan)) == 19


def test_deals_without_amounts_are_no_money():
    assert owner_shares(deals(amount=np.nan), as_of=AS_OF).empty
    assert len(owner_shares(deals(), as_of=AS_OF)) == 4


def test_a_forecast_of_deals_whose_amounts_are_0_is_told_in_deals():
    part = {"won_from": ["total"], "metric": "won_amount", "conf_low": 0.0, "conf_high": 0.0, "n": 9}
    parts = pd.DataFrame({**part, "customers": 9, "first_day": "a", "last_day": "b", "estimate": 0.0})
    past = pd.DataFrame({"method": ["stage_and_age"] * 5, "is_held": True})
    accuracy = pd.DataFrame(columns=["method", "estimate", "held_share_conf_high"])
    assert quarter_told(parts, past, accuracy) == {"note": "sales.no_amounts"}
    assert quarter_told(parts.assign(estimate=9.0), past, accuracy)["claim"] == "untested"


def test_leads_whose_deals_are_not_there_are_not_lost():
    start = pd.Timestamp("2026-01-01")
    leads = pd.DataFrame({"created_on": start, "converted_on": start, "deal_id": np.arange(60).astype(str)})
    asked = {"as_of": "2026-12-31"}
    assert lead_shares(leads, deals(), **asked)["metric"].tolist() == ["lead_to_deal", "lead_to_won"]
    assert lead_shares(leads, deals().head(30), **asked)["metric"].tolist() == ["lead_to_deal"]


def test_deals_that_tell_of_no_next_step_at_all_do_not_lack_one():
    day = pd.to_datetime(["2026-01-01", "2026-01-01"])
    deals = pd.DataFrame({"deal_id": ["a", "b"], "customer_id": ["k", "l"], "is_won": [None, None]})
    deals = deals.assign(created_on=day, closed_on=pd.NaT)
    assert no_next_step(deals, as_of="2026-01-31").empty
    known = deals.assign(next_step_on=pd.to_datetime(["2026-02-02", None]))
    assert no_next_step(known, as_of="2026-01-31")["deal_id"].tolist() == ["b"]
