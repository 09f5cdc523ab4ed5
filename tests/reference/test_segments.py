"""Segmentation on published and public data sets: RFM table cell by cell, CDNOW deciles, textbook Gini."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from cxlib.customers.decile_groups import decile_table
from cxlib.customers.rfm_segments import assign_segments, rfm, rfm_cuts, summarise_customers
from cxlib.customers.sales_concentration import concentration, lorenz
from cxlib.data.rules.rule_files import RfmSegments
from cxlib.data.text_type import TEXT

pytestmark = pytest.mark.reference

#: Published cut points are the smallest value of the *next* group; ours are the largest of the group below,
#: so in whole days, orders and currency they are one less (fractions are not observed values).
PUBLISHED = {
    "recency_days": [115, 181, 297.4, 482],
    "frequency": [4, 5, 6, 8],
    "monetary_total": [255.8, 382, 506.4, 666],
}
#: Ranges of the package's introduction (rfm 0.3.0), in its order.
RANGES = {
    "Champions": ((5, 5), (5, 5), (5, 5)),
    "Potential Loyalist": ((3, 5), (3, 5), (2, 5)),
    "Loyal Customers": ((2, 4), (2, 4), (2, 4)),
    "Promising": ((3, 4), (1, 3), (3, 5)),
    "New Customers": ((4, 5), (1, 3), (1, 5)),
    "Can't Lose Them": ((1, 2), (3, 4), (4, 5)),
    "At Risk": ((1, 2), (2, 5), (4, 5)),
    "Need Attention": ((1, 3), (3, 5), (3, 5)),
    "About To Sleep": ((2, 3), (1, 3), (1, 4)),
    "Lost": ((1, 1), (1, 5), (1, 5)),
}


@pytest.fixture(scope="module")
def numbers(reference_dir):
    rows = json.loads((reference_dir("rfm").parent / "reference.json").read_text(encoding="utf-8"))
    return {(row["dataset"], row["quantity"]): row["value"] for row in rows}


@pytest.fixture(scope="module")
def rfm_customers(reference_dir):
    lines = pd.read_csv(reference_dir("rfm") / "rfm_data_orders.csv", dtype={"customer_id": TEXT})
    lines = lines.assign(
        order_id=[str(row) for row in range(len(lines))], order_date=pd.to_datetime(lines["order_date"])
    )
    base = summarise_customers(lines, as_of="2006-12-31", time_col="order_date", amount_col="revenue")
    cuts = {name: [int(np.ceil(cut)) - 1 for cut in upper] for name, upper in PUBLISHED.items()}
    label = {"en": "x", "ja": "x"}
    ranges = [{"name": n, "label": label, "r": r, "f": f, "m": m} for n, (r, f, m) in RANGES.items()]
    rules = RfmSegments.model_validate({"segments": ranges, "others": label})
    return assign_segments(rfm(base, cuts=cuts), rules=rules)


def test_rfm_table_comes_out_cell_by_cell(rfm_customers, numbers):
    assert len(rfm_customers) == numbers["rfm", "customers"] == 995
    table = rfm_customers.groupby("segment").agg(
        customers=("frequency", "size"), orders=("frequency", "sum"), revenue=("monetary_total", "sum")
    )
    assert set(table.index) == set(RANGES)
    for segment, row in table.iterrows():
        for column in ("customers", "orders", "revenue"):
            assert row[column] == numbers["rfm", f"segment[{segment}].{column}"], (segment, column)
        published = numbers["rfm", f"segment[{segment}].aov"]
        digits = 0.6 if published >= 100 else 0.06  # three digits are printed
        assert row["revenue"] / row["orders"] == pytest.approx(published, abs=digits)


def test_own_cut_points_are_the_published_ones(rfm_customers, numbers):
    """Published ones are quantile + 1; ours are the largest observed value not above the quantile, or it."""
    name = "quantile cut points recency/frequency/monetary (upper edges; value+1 rule)"
    cuts = rfm_cuts(rfm_customers).groupby("metric", sort=False)["upper"].agg(list)
    assert list(PUBLISHED.values()) == numbers["rfm", name]
    for metric, published in PUBLISHED.items():
        ordered = np.sort(rfm_customers[metric].to_numpy(dtype=float))
        for own, quantile in zip(cuts[metric], np.array(published) - 1, strict=True):
            assert own == ordered[ordered <= quantile + 1e-9].max(), metric


def test_rfm_score_sizes_and_one_published_customer(rfm_customers):
    sizes = {
        name: rfm_customers[name].value_counts().sort_index().tolist()
        for name in ("r_score", "f_score", "m_score")
    }
    assert sizes == {
        "r_score": [197, 200, 199, 199, 200],
        "f_score": [268, 187, 176, 244, 120],
        "m_score": [200, 200, 198, 202, 195],
    }
    one = rfm_customers.set_index("customer_id").loc[
        "Abbey O'Reilly" if "Abbey O'Reilly" in set(rfm_customers["customer_id"]) else "Abbey O’Reilly"
    ]
    assert one[["recency_days", "frequency", "monetary_total", "r_score", "f_score", "m_score"]].tolist() == [
        205,
        6,
        472,
        3,
        4,
        3,
    ]


def test_rfm_concentration(rfm_customers):
    assert concentration(rfm_customers)["estimate"].iloc[0] == pytest.approx(0.28960, abs=5e-6)
    curve = lorenz(rfm_customers, points=996).set_index("customer_share")["estimate"].to_numpy()
    ends = np.floor(np.linspace(0, 995, 11)).astype(int)
    shares = -np.diff(curve[::-1][ends])
    published = [19.99, 15.64, 13.23, 11.70, 9.96, 8.82, 7.50, 6.19, 4.67, 2.30]
    np.testing.assert_allclose(shares * 100, published, atol=0.005)


def test_rfm_deciles_by_amount_differ_from_row_by_row_ones_only_by_ties(rfm_customers):
    row_by_row = [44, 55, 61, 70, 77, 85, 99, 114, 139, 251]
    sizes = decile_table(rfm_customers, scheme="amount")["n"].to_numpy()
    assert np.abs(sizes - row_by_row).max() <= 2
    assert sizes.sum() == 995


def test_cdnow_shares_of_the_tenths(reference_dir, numbers):
    lines = pd.read_csv(
        reference_dir("cdnow") / "CDNOW_master.txt",
        sep=r"\s+",
        skiprows=1,
        dtype={0: TEXT},
        names=["customer_id", "day", "cds", "amount"],
    )
    lines = lines.assign(
        order_id=[str(row) for row in range(len(lines))], ordered_at=pd.to_datetime(lines["day"].astype(str))
    )
    base = summarise_customers(lines, as_of="1998-06-30")
    total, free = numbers["cdnow", "total revenue; customers with zero revenue"]
    assert base["monetary_total"].sum() == pytest.approx(total, abs=0.01)
    assert (base["monetary_total"] == 0).sum() == free
    assert (len(lines), len(base)) == (69_659, 23_570)
    expected = numbers[
        "cdnow", "revenue share of deciles 1..10 (23,570/10 = 2,357 each, dollar_value, sorted desc)"
    ]
    everybody = np.append(np.zeros(free), np.sort(base.loc[base["monetary_total"] > 0, "monetary_total"]))
    tenths = everybody[::-1].reshape(10, -1).sum(axis=1) / total
    np.testing.assert_allclose(tenths, expected, atol=0.0005)
    table = decile_table(base)
    assert table["note"].iloc[-1] == "net_not_positive"
    assert table["n"].iloc[-1] == free
    # Ours rank buyers only and keep equal ones together: on the same line through the Lorenz curve.
    held = np.append(0, np.cumsum(everybody[::-1])) / total
    through = table["n"].iloc[:10].cumsum().to_numpy()
    np.testing.assert_allclose(table["cumulative_share"].iloc[:10], held[through], atol=1e-9)
    spread = decile_table(base.assign(monetary_total=base["monetary_total"] + 1e-9 + base.index * 1e-9))
    np.testing.assert_allclose(spread["amount_share"].iloc[:10], expected, atol=0.0005)


def test_textbook_gini():
    income = [541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261]
    gini = concentration(pd.DataFrame({"monetary_total": income})).iloc[0]
    assert gini["estimate"] == pytest.approx(0.4620911, abs=5e-8)
    assert gini["estimate_unbiased"] == pytest.approx(0.4620911 * 10 / 9, abs=1e-7)
