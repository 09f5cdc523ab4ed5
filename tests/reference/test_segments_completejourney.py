"""CTB on real households: what 2,377 of them prefer, by product category, product type and brand.

Short reading, from the chapter run on this set (`cx run` on the imported folder): the brand split is nearly
the same in every segment; few households have a category of their own, because they buy hundreds; what
followed what does not beat popularity. The segment tells who comes again, not what is bought. Expected shares
are sums of the published file (see `test_completejourney`).
"""

from pathlib import Path

import numpy as np
import pytest

from cxlib.exports import import_export
from cxlib.preferences import ctb, ctb_table, wallets
from cxlib.rules import load_rules
from cxlib.segments import assign_segments, rfm, summarise_customers
from cxlib.successors import next_purchase_hits, purchase_pairs
from cxlib.tables import open_data

pytestmark = pytest.mark.reference
MAPPING = Path(__file__).parents[2] / "data" / "mappings" / "completejourney.yml"
DIMENSIONS = ("category", "taste", "brand")
LAST = "2017-12-31"


@pytest.fixture(scope="module")
def orders(reference_dir, tmp_path_factory):
    target = tmp_path_factory.mktemp("imported") / "completejourney"
    import_export(MAPPING, reference_dir("completejourney"), target)
    return open_data(target).table("orders")


@pytest.fixture(scope="module")
def wallet(orders):
    return wallets(orders, as_of=LAST, dimensions=DIMENSIONS)


def test_shares_are_those_of_the_published_sums(wallet):
    table = ctb_table(wallet).set_index(["dimension", "value"])
    np.testing.assert_allclose(table.groupby(level="dimension")["estimate"].sum(), 1)
    assert wallet["customer_id"].unique().size == 2_377
    total = 233_935.24
    assert table.loc[("brand", "National"), "estimate"] == pytest.approx(167_798.07 / total, abs=2e-5)
    assert table.loc[("category", "SOFT DRINKS"), "estimate"] == pytest.approx(9_412.95 / total, abs=2e-5)


def test_reading_nobody_has_a_category_of_their_own(wallet):
    """Concentration beyond that of the base mix, among households with enough purchases."""
    found = ctb(wallet)
    enough = found[found["is_enough"]].groupby("dimension")
    shares = enough.size() / 2_377
    assert (shares > 0.9).all()
    base = ctb_table(wallet).groupby("dimension")["estimate"].agg(lambda share: float((share**2).sum()))
    beyond = enough["concentration"].mean() / base
    assert enough["concentration"].mean()["brand"] > 0.5
    assert enough["concentration"].mean()["category"] < 0.1
    assert beyond["brand"] < 1.3


def test_reading_segments_differ_little_in_brand(orders, wallet):
    held = assign_segments(rfm(summarise_customers(orders, as_of=LAST)), rules=load_rules("rfm_segments"))
    groups = held.set_index("customer_id")["segment"]
    table = ctb_table(wallet[wallet["dimension"] == "brand"], groups=groups).dropna(subset=["group", "value"])
    assert table.loc[table["n"] >= 30, "lift"].between(0.75, 1.33).all()


def test_reading_what_follows_what_does_not_beat_popularity(orders):
    for dimension in ("category", "taste"):
        hits = next_purchase_hits(purchase_pairs(orders, dimension=dimension), start="2017-10-02")
        assert hits.set_index("method").loc["next_value", "ahead_conf_high"] < 0.005
