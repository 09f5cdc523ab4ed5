"""F2 where data begin in the middle of a shop's life, on companies whose truth is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.journey.data_notes import buyer_notes
from cxlib.journey.known_parts import f2_known
from cxlib.journey.second_purchase import burn_in as _burn_in
from cxlib.journey.second_purchase.burn_in import f2_of_some
from cxlib.journey.second_purchase.days_between import first_purchases_doubtful

YEAR, YEARS = 365, 8
NOTEBOOKS = Path(__file__).parents[3] / "notebooks"


def shop(seed, *, growth=1.0, leave_after=700.0, is_young=False, gap=60.0, launch=1.0):
    """One year of orders: 30 % loyal (one every `gap` days until they leave), 14 % of the rest once more.

    `growth`: how many times more newcomers a day at the end than at the start of all years; `launch`: how
    many times more on the first day, fading over two months.
    """
    rng = np.random.default_rng(seed)
    days = YEAR if is_young else YEARS * YEAR
    rate = np.exp(np.linspace(0, np.log(growth), days)) * (1 + (launch - 1) * np.exp(-np.arange(days) / 60))
    born = np.repeat(np.arange(days), rng.poisson(2.5 * rate / rate[-YEAR:].mean()))
    loyal = rng.random(born.size) < 0.3
    gone = born + np.where(loyal, rng.exponential(leave_after, born.size), np.inf)
    who, at = np.arange(born.size), born.astype(float)
    rows = [(who, born)]
    while who.size:
        quick = np.where(rng.random(who.size) < 0.14, rng.exponential(60, who.size), np.inf)
        at = at + np.maximum(np.where(loyal[who], rng.exponential(gap, who.size), quick), 1)
        stays = (at < days) & (at < gone[who])
        who, at = who[stays], at[stays]
        rows.append((who, at.astype(int)))
    who, day = (np.concatenate(part) for part in zip(*rows, strict=True))
    kept = day >= days - YEAR
    day = pd.to_timedelta(day[kept] - (days - YEAR), unit="D")
    return pd.DataFrame(
        {"customer_id": who[kept], "ordered_at": pd.Timestamp("2025-01-01") + day, "amount": 9.0}
    )


def truth(horizon, *, leave_after=700.0, gap=60.0):
    """F2 by hand: the loyal come by `horizon` unless they leave before, the others once in 14 %."""
    rate = 1 / gap + (1 / leave_after if np.isfinite(leave_after) else 0)
    return 0.3 / gap / rate * (1 - np.exp(-rate * horizon)) + 0.7 * 0.14 * (1 - np.exp(-horizon / 60))


def settled(orders, **more):
    return cx.f2_burn_in(orders, as_of="2025-12-31", horizons_days=[180], **more).iloc[0]


OLD = {"constant": {}, "growing": {"growth": 8.0}, "never leave": {"leave_after": np.inf}}


@pytest.mark.parametrize("kind", OLD)
def test_an_old_shop_gets_a_later_figure_that_holds_or_none(kind):
    found = settled(shop(8_001, **OLD[kind]))
    right = truth(180, **{k: v for k, v in OLD[kind].items() if k != "growth"})
    assert found["plain"] > right + 0.1 and found["note"] in ("burn_in", "unsettled")
    if found["note"] == "burn_in":
        assert found["conf_low"] <= right <= found["conf_high"] and found["burn_in_days"] > 0
        assert found["observed_from"] == pd.Timestamp("2025-01-01") + pd.Timedelta(days=found["burn_in_days"])
    else:
        assert np.isnan(found[["estimate", "conf_low", "conf_high"]].to_numpy(float)).all()


def test_where_too_many_of_the_new_buyers_are_old_ones_there_is_no_figure():
    """Two fifths of those who seem new in eight months of this shop had bought before."""
    orders = shop(8_002)
    late = orders[orders["ordered_at"] >= pd.Timestamp("2025-12-31") - pd.Timedelta(days=250)]
    found = settled(late)
    assert found["note"] == "unsettled" and np.isnan(found["estimate"])


def test_a_figure_with_a_larger_error_than_allowed_is_not_given(monkeypatch):
    orders = shop(8_001)
    error = settled(orders)["std_error"]
    monkeypatch.setattr(_burn_in, "MOST_ERROR", 0.99 * error)
    assert settled(orders)["note"] == "unsettled"
    monkeypatch.setattr(_burn_in, "MOST_ERROR", 1.01 * error)
    assert settled(orders)["note"] == "burn_in"


def test_a_young_shop_keeps_its_plain_figure():
    found = settled(shop(2, is_young=True))
    assert found["note"] == "" and found["estimate"] == found["plain"] and found["burn_in_days"] == 0
    assert found["conf_low"] <= truth(180) <= found["conf_high"]


@pytest.mark.parametrize("seed", range(8_010, 8_014))
def test_a_launch_that_falls_off_is_no_start_mid_life(seed):
    found = settled(shop(seed, is_young=True, launch=5.0))
    assert found["note"] == "" and found["conf_low"] <= truth(180) <= found["conf_high"]


def test_a_crowd_whose_gaps_outlast_the_data_gets_no_figure():
    found = settled(shop(8_020, gap=400.0, leave_after=3000.0))
    assert found["note"] == "unsettled" and np.isnan(found["estimate"])


def test_the_day_proposed_gives_the_same_figure_when_it_is_set():
    orders = shop(8_001)
    proposed = cx.settled_from(orders, as_of="2025-12-31")
    assert proposed["begins"] == "burn_in"
    again = cx.settled_from(orders, as_of="2025-12-31", observed_from=proposed["observed_from"])
    same = ["estimate", "conf_low", "conf_high", "older_share", "n", "observed_from"]
    assert [again[name] for name in same] == [proposed[name] for name in same]


def test_a_young_shop_is_proposed_no_day_and_a_given_one_stays():
    orders = shop(2, is_young=True)
    found = cx.settled_from(orders, as_of="2025-12-31")
    assert found["begins"] == "" and found["observed_from"] is None
    assert str(cx.settled_from(orders, as_of="2025-12-31", observed_from="2025-03-01")["observed_from"]) == (
        "2025-03-01"
    )
    given = settled(orders, observed_from="2025-03-01")
    assert given["n"] == (orders.groupby("customer_id")["ordered_at"].min() >= "2025-03-01").sum()


def test_both_chapters_ask_the_same_of_all_orders():
    called = {
        "01_segmentation": "cx.settled_from(history.merged()",
        "02_journey": "journey.orders_begin(data_set",
    }
    for name, call in called.items():
        source = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
        assert source.count(call) == 1 and f"{call}, as_of=last_day" in source


def test_first_purchases_of_an_old_shop_are_doubtful_and_those_of_a_young_one_are_not():
    old, young = (cx.repeat_times(shop(3, is_young=young), as_of="2025-12-31") for young in (False, True))
    assert first_purchases_doubtful(old) and not first_purchases_doubtful(young)


def test_without_amounts_the_note_says_that_refunds_cannot_be_told():
    found = settled(shop(4, is_young=True).drop(columns="amount"))
    assert found["note"] == "refunds_unknown"


@pytest.mark.long
@pytest.mark.parametrize("kind", OLD)
def test_where_a_figure_is_given_it_holds_in_nine_of_ten_of_200_old_shops(kind):
    right = truth(180, **{k: v for k, v in OLD[kind].items() if k != "growth"})
    found = pd.DataFrame([settled(shop(seed, **OLD[kind])) for seed in range(920_000, 920_200)])
    given = found[found["note"] == "burn_in"]
    holds = (given["conf_low"] <= right) & (given["conf_high"] >= right)
    assert (found["note"] != "").all() and (given.empty or holds.mean() >= 0.9)


@pytest.mark.long
@pytest.mark.parametrize("kind", [{}, {"growth": 2.0}, {"launch": 5.0}])
def test_of_200_young_shops_at_most_one_in_ten_is_taken_for_old(kind):
    found = [settled(shop(seed, is_young=True, **kind)) for seed in range(920_000, 920_200)]
    assert (pd.DataFrame(found)["note"] != "").mean() <= 0.1


def of_two_kinds(seed):
    """An old shop's year, and customers of a region that opened half a year before its end."""
    orders = shop(seed)
    first = orders.groupby("customer_id")["ordered_at"].transform("min")
    late = orders[first >= "2025-07-01"].assign(customer_id=lambda d: "late" + d["customer_id"].astype(str))
    return orders.assign(customer_id=orders["customer_id"].astype(str)), late


def test_that_data_begin_mid_life_is_told_of_all_customers_where_the_report_is_on_some():
    shops = [shop(8_001 + k).assign(region=k) for k in range(6)]
    orders = pd.concat(shops).assign(
        customer_id=lambda d: d["region"].astype(str) + d["customer_id"].astype(str)
    )
    start_of = cx.settled_from(orders, as_of="2025-12-31")
    assert start_of["begins"] == "burn_in" and str(start_of["begins_on"]) == "2025-01-01"
    asked = {"as_of": "2025-12-31", "horizons_days": [180], "observed_from": start_of["observed_from"]}
    asked |= {"begins_on": start_of["begins_on"]}
    told = f2_of_some(orders[orders["region"] < 4], **asked).iloc[0]
    assert told["note"] == "burn_in" and 0 < told["older_share"] != start_of["older_share"]
    assert told["conf_low"] <= truth(180) <= told["conf_high"]
    everybody = f2_of_some(orders, **asked).iloc[0]
    same = ["estimate", "conf_low", "conf_high", "older_share", "n"]
    assert everybody[same].tolist() == [start_of[name] for name in same]


def test_too_few_of_the_customers_get_no_figure_rather_than_one_for_new_customers():
    orders, _ = of_two_kinds(8_001)
    start_of = cx.settled_from(orders, as_of="2025-12-31")
    asked = {"as_of": "2025-12-31", "horizons_days": [180], "observed_from": start_of["observed_from"]}
    few = orders[orders["customer_id"].str.endswith("1")]
    told = f2_of_some(few, begins_on=start_of["begins_on"], **asked)
    assert told["note"].item() == "unsettled" and told["estimate"].isna().all()
    row = cx.f2_level(told, days=180, n_first=90, begins="burn_in", is_narrowed=True)
    assert row["note"].item() == "journey.unsettled_some"


def test_customers_who_came_with_a_late_start_are_not_taken_for_older_than_the_data():
    orders, late = of_two_kinds(8_001)
    start_of = cx.settled_from(orders, as_of="2025-12-31")
    asked = {"as_of": "2025-12-31", "horizons_days": [60], "observed_from": start_of["observed_from"]}
    told = f2_of_some(late, begins_on=start_of["begins_on"], **asked).iloc[0]
    assert told["note"] == "burn_in" and told["older_share"] == 0
    assert told["estimate"] == pytest.approx(told["plain"])


def test_a_report_on_some_customers_says_whose_orders_tell_where_the_data_begin():
    start_of = {
        "begins": "burn_in",
        "observed_from": "2025-05-01",
        "begins_on": "2025-01-01",
        "guest_share": 0,
    }
    start_of |= {"older_share": 0.2}
    of_all, of_some = (
        buyer_notes(start_of, None, None, n_first=90, has_answers=True, is_narrowed=narrowed)[0]
        for narrowed in (False, True)
    )
    assert (of_all["note"], of_some["note"]) == ("journey.burn_in", "journey.burn_in_some")
    assert of_all["older_share"] == 0.2 and "older_share" not in of_some
    assert f2_known(start_of, n_first=90, is_narrowed=True).begins_on == "2025-01-01"
    assert f2_known(start_of, n_first=90).begins_on is None
