"""What is entered and when, by whom; from a licence to entries of one's own."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from cxlib.inventory.entry_discipline import adoption, entries, late_entries, without_next_step

AS_OF = date(2026, 6, 30)


def tables(n=120):
    """Two owners: one enters on the day, one a fortnight later; every third open deal has a next step."""
    place = np.arange(n)
    deals = pd.DataFrame({"deal_id": place.astype(str), "customer_id": [f"C{at % 60}" for at in place]})
    deals["owner"] = np.where(place % 4 == 0, "late", "prompt")
    deals["created_on"] = pd.Timestamp("2026-03-02") + pd.to_timedelta(place % 60, unit="D")
    lag = np.where(deals["owner"] == "late", 14, 0)
    deals["recorded_at"] = deals["created_on"] + pd.to_timedelta(lag, unit="D") + pd.Timedelta(hours=9)
    deals["closed_on"] = pd.NaT
    deals["is_won"] = pd.array([None] * n, dtype="boolean")
    ahead = np.where(place % 3 == 0, pd.Timestamp("2026-07-05"), pd.Timestamp("2026-06-01"))
    deals["next_step_on"] = pd.to_datetime(ahead)
    calls = pd.DataFrame({"customer_id": ["C1"] * 5, "owner": "prompt"})
    calls["occurred_at"] = pd.Timestamp("2026-06-25 10:00")
    calls["recorded_at"] = [pd.Timestamp("2026-06-25 23:00"), *[pd.NaT] * 4]
    return {"deals": deals, "activities": calls, "customers": pd.DataFrame()}


def test_owners_are_numbers_and_no_name_is_in_what_is_shown():
    entered = entries(tables(), as_of=AS_OF)
    assert len(entered) == 125
    assert entered.groupby("owner")["owner_number"].first().to_dict() == {"late": "2", "prompt": "1"}
    shown = late_entries(entered, late_days=7, by="owner_number")
    assert not shown.astype(str).isin(["late_owner", "prompt"]).any(axis=None)


def test_late_is_told_by_owner_and_by_month():
    entered = entries(tables(), as_of=AS_OF)
    whole = late_entries(entered, late_days=7).iloc[0]
    assert whole["entries"] == 121  # four calls do not say when they were entered
    assert whole["estimate"] == pytest.approx(30 / 121)
    assert whole["conf_low"] < 30 / 121 < whole["conf_high"]
    by_owner = late_entries(entered, late_days=7, by="owner_number").set_index("owner_number")
    assert by_owner["estimate"].to_dict() == {"1": 0.0, "2": 1.0}
    assert by_owner["median_days"].to_dict() == {"1": 0.0, "2": 14.0}
    months = late_entries(entered, late_days=7, by="month")
    assert months["month"].tolist() == ["2026-03", "2026-04", "2026-06"]
    assert months["entries"].sum() == 121
    assert late_entries(entered, late_days=14)["estimate"].item() == 0


def test_a_next_step_counts_while_it_lies_ahead():
    entered = entries(tables(), as_of=AS_OF)
    open_deals = without_next_step(entered).iloc[0]
    assert (open_deals["estimate"], open_deals["entries"], open_deals["n"]) == (pytest.approx(2 / 3), 120, 60)
    later = entries(tables(), as_of=date(2026, 7, 6))
    assert without_next_step(later)["estimate"].item() == 1


def test_closed_deals_need_no_next_step():
    changed = tables()
    changed["deals"] = changed["deals"].assign(is_won=True, closed_on=pd.Timestamp("2026-05-20"))
    assert without_next_step(entries(changed, as_of=AS_OF)).empty


@pytest.mark.parametrize("kept", [(), ("recorded_at",), ("next_step_on",)])
def test_what_is_not_recorded_is_not_told(kept):
    deals = tables()["deals"]
    gone = {"recorded_at", "next_step_on"} - set(kept)
    entered = entries({"deals": deals.drop(columns=list(gone))}, as_of=AS_OF)
    assert late_entries(entered, late_days=7).empty == ("recorded_at" not in kept)
    assert without_next_step(entered).empty == ("next_step_on" not in kept)
    assert late_entries(entered, late_days=7, by="month").columns.tolist()[0] == "month"


def test_nothing_entered_at_all():
    entered = entries({}, as_of=AS_OF)
    assert entered.empty and late_entries(entered, late_days=7).empty and without_next_step(entered).empty


def users(n=40):
    """40 users: half seen lately, of them 12 enter something; four were licensed after the day."""
    made = pd.DataFrame({"owner": [f"u{at}" for at in range(n)], "team": ["Osaka", "Tokyo"] * (n // 2)})
    made["licensed_on"] = pd.Timestamp("2026-01-10")
    made.loc[n - 4 :, "licensed_on"] = pd.Timestamp("2026-07-02")
    made["last_active_on"] = pd.Timestamp("2026-02-01")
    made.loc[: n // 2 - 1, "last_active_on"] = pd.Timestamp("2026-06-20")
    return made


def test_the_funnel_of_adoption():
    made = pd.DataFrame({"owner": [f"u{at}" for at in range(12)], "recorded_on": pd.Timestamp("2026-06-10")})
    old = made.assign(owner="u15", recorded_on=pd.Timestamp("2026-05-01"))
    steps = adoption(users(), pd.concat([made, old]), as_of=AS_OF, active_days=30)
    assert steps["n_reached"].tolist() == [36, 20, 12]
    assert steps["estimate"].tolist() == [1.0, pytest.approx(20 / 36), pytest.approx(12 / 36)]
    assert (steps["n"] == 36).all()
    teams = adoption(users(), made, as_of=AS_OF, active_days=30, by="team")
    assert teams.groupby("step")["n_reached"].sum().to_dict() == {
        "licensed": 36,
        "active": 20,
        "updating": 12,
    }


def test_who_enters_something_was_active_whatever_the_log_says():
    made = pd.DataFrame({"owner": ["u30"], "recorded_on": [pd.Timestamp("2026-06-29")]})
    steps = adoption(users(), made, as_of=AS_OF, active_days=30).set_index("step")["n_reached"]
    assert steps.to_dict() == {"licensed": 36, "active": 21, "updating": 1}


def test_no_users_no_rows():
    assert adoption(pd.DataFrame({"owner": []}), pd.DataFrame(), as_of=AS_OF, active_days=30).empty


def test_an_open_deal_from_before_the_period_is_open_all_the_same():
    """It was not entered in the period, so that its lag does not count."""
    whole = tables()
    is_older = whole["deals"]["created_on"] < pd.Timestamp("2026-04-01")
    within = whole | {"deals": whole["deals"][~is_older]}
    entered = entries(within, as_of=AS_OF, older=whole["deals"][is_older])
    pd.testing.assert_frame_equal(without_next_step(entered), without_next_step(entries(whole, as_of=AS_OF)))
    late = [
        late_entries(made, late_days=7)["entries"].item() for made in (entered, entries(within, as_of=AS_OF))
    ]
    assert late[0] == late[1] < late_entries(entries(whole, as_of=AS_OF), late_days=7)["entries"].item()


def test_an_older_deal_lacks_a_step_though_no_older_one_tells_of_any():
    whole = tables()
    is_older = whole["deals"]["created_on"] < pd.Timestamp("2026-04-01")
    deals = whole["deals"].assign(next_step_on=lambda held: held["next_step_on"].mask(is_older))
    entered = entries({"deals": deals[~is_older]}, as_of=AS_OF, older=deals[is_older])
    assert without_next_step(entered)["entries"].item() == len(deals)
