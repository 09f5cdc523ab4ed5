"""Sales of the months ahead by customers: nothing after the origin, and intervals that hold."""

import numpy as np
import pandas as pd
import pytest

from cxlib.value.sales_ahead import customer_forecast, monthly_sales

FIRST = pd.Timestamp("2024-01-01")


def company(seed, *, per_month=40, months=24):
    """Order lines of a company: customers come evenly, buy at their own pace, leave after an order."""
    rng, rows = np.random.default_rng(seed), []
    days = (FIRST + pd.DateOffset(months=months) - FIRST).days
    count = rng.poisson(per_month * months)
    for buyer, (day, pace, gone) in enumerate(
        zip(rng.uniform(0, days, count), rng.gamma(1, 1 / 45, count), rng.beta(1, 4, count), strict=True)
    ):
        while day < days:
            rows.append((f"C{buyer:05}", day))
            if rng.random() < gone:
                break
            day += rng.exponential(1 / max(pace, 1e-6))
    lines = pd.DataFrame(rows, columns=["customer_id", "day"])
    lines["ordered_at"] = FIRST + pd.to_timedelta(lines.pop("day").astype(int), "D")
    lines["amount"] = rng.lognormal(8, 0.5, len(lines)).round()
    return lines.assign(order_id=[f"O{k:06}" for k in range(len(lines))])


def rolled(lines, months=24, starts=(15, 18, 21)):
    """Forecasts by customers of the three months after each of some, with what came."""
    sales = monthly_sales(lines, as_of=FIRST + pd.DateOffset(months=months) - pd.Timedelta(days=1))
    method, parts = customer_forecast(lines, sales), []
    for start in starts:
        found = pd.DataFrame(method(start, 3, 0.8)._asdict())
        parts.append(found.assign(start=start, actual=sales["amount"].to_numpy()[start : start + 3]))
    return pd.concat(parts, ignore_index=True)


def coverage(seeds):
    found = pd.concat([rolled(company(seed)) for seed in seeds])
    return ((found["conf_low"] <= found["actual"]) & (found["actual"] <= found["conf_high"])).mean(), found


def test_the_customers_are_foretold_about_right():
    inside, found = coverage([1])
    assert 0.6 <= inside <= 0.98
    assert abs(found["estimate"].sum() / found["actual"].sum() - 1) < 0.1


@pytest.mark.long
def test_the_intervals_by_customers_cover_four_in_five():
    inside, found = coverage(range(10, 90))
    assert len(found) >= 500 and 0.75 <= inside <= 0.85


def test_nothing_after_the_origin_is_looked_at():
    lines = company(3)
    later = lines["ordered_at"] >= "2025-07-01"
    richer = lines.assign(amount=lines["amount"].where(~later, lines["amount"] * 50))
    one, two = rolled(lines), rolled(richer)
    early = one["start"] <= 18
    pd.testing.assert_series_equal(one["estimate"][early], two["estimate"][early])
    pd.testing.assert_series_equal(one["conf_low"][early], two["conf_low"][early])


def test_guests_count_in_proportion():
    lines = company(4)
    guests = lines.assign(customer_id=None, order_id="G" + lines["order_id"])
    both = pd.concat([lines, guests], ignore_index=True)
    one, two = (rolled(each, starts=(18,)) for each in (lines, both))
    np.testing.assert_allclose(two["estimate"], 2 * one["estimate"])


@pytest.mark.parametrize(
    ("first", "as_of", "months"),
    [("2026-01-07", "2026-03-31", 3), ("2026-01-08", "2026-03-31", 2), ("2026-01-01", "2026-03-30", 2)],
)
def test_only_whole_months_count(first, as_of, months):
    lines = pd.DataFrame({"ordered_at": pd.to_datetime([first, "2026-03-20"]), "amount": 1.0})
    assert len(monthly_sales(lines, as_of=as_of)) == months


def test_no_repeat_purchase_gives_no_forecast_by_customers():
    lines = company(5, months=12).groupby("customer_id", as_index=False).first()
    assert rolled(lines, months=12, starts=(8,))["estimate"].isna().all()


def test_no_orders_at_all_are_no_months():
    lines = pd.DataFrame({"ordered_at": pd.to_datetime([]), "amount": np.array([], dtype=float)})
    assert monthly_sales(lines, as_of="2026-01-31").empty
