"""CTB on real households: what 2,377 of them prefer, by product category, product type and brand.

The short reading of what it shows stands in the chapter, in both languages; here each of its figures is found
again, so that the prose cannot go stale. Expected shares are sums of the published file (see
`test_completejourney`).
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from cxlib.customers.next_category import next_purchase_hits, next_purchases, purchase_pairs
from cxlib.customers.next_period_outcome import next_period, outcome_table
from cxlib.customers.preferences import ctb, ctb_table, wallets
from cxlib.customers.rfm_segments import assign_segments, rfm, summarise_customers
from cxlib.data.exports.convert_export import import_export
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.tables.data_set import open_data

pytestmark = pytest.mark.reference
MAPPING = Path(__file__).parents[2] / "data" / "mappings" / "completejourney.yml"
DIMENSIONS = ("category", "taste", "brand")
CHAPTER = Path(__file__).parents[2] / "notebooks" / "01_segmentation.ipynb"
LAST, START, DAYS = "2017-12-31", "2017-10-02", 90
FEWEST = 30


@pytest.fixture(scope="module")
def orders(reference_dir, tmp_path_factory):
    target = tmp_path_factory.mktemp("imported") / "completejourney"
    import_export(MAPPING, reference_dir("completejourney"), target)
    return open_data(target).table("orders")


@pytest.fixture(scope="module")
def wallet(orders):
    return wallets(orders, as_of=LAST, dimensions=DIMENSIONS)


@pytest.fixture(scope="module")
def segment(orders):
    held = assign_segments(rfm(summarise_customers(orders, as_of=LAST)), rules=load_rules("rfm_segments"))
    return held.set_index("customer_id")["segment"]


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


def test_reading_no_segment_differs_in_brand_beyond_chance(wallet, segment):
    brands = wallet[wallet["dimension"] == "brand"]
    table = ctb_table(brands, groups=segment, conf_level=1 - 0.05 / 20).dropna(subset=["group", "value"])
    table = table[table["n"] >= FEWEST]
    assert len(table) >= 16
    assert ((table["lift_conf_low"] <= 1) & (table["lift_conf_high"] >= 1)).all()


def test_reading_what_follows_what_does_not_beat_popularity(orders):
    for dimension in ("category", "taste"):
        hits = next_purchase_hits(purchase_pairs(orders, dimension=dimension), start=START)
        assert hits.set_index("method").loc["next_value", "ahead_conf_high"] < 0.005


def read_chapter(lang):
    """Numbers of the reading, outside its code, as they stand there."""
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    (source,) = ["".join(cell["source"]) for cell in cells if cell["id"] == f"real-{lang}"]
    prose = re.sub(r"```.*?```|84\.51°|CC0", "", source, flags=re.DOTALL)
    prose = prose.replace("1年間", "").replace("2回", "")
    return sorted(re.findall(r"\d[\d,]*(?:\.\d+)?", prose))


def found_again(orders, wallet, segment):
    shares = ctb_table(wallet)
    brand = shares[shares["value"] == "National"]["estimate"].item()
    groups = ctb_table(wallet[wallet["dimension"] == "brand"], groups=segment)
    groups = groups[(groups["value"] == "National") & groups["group"].notna() & (groups["n"] >= FEWEST)]
    categories = wallet[wallet["dimension"] == "category"]
    mix = categories.groupby("value", dropna=False)["purchases"].sum() / categories["purchases"].sum()
    agree = ctb(categories)["concentration"].mean()
    pairs = purchase_pairs(orders, dimension="category")
    hits = next_purchase_hits(pairs, start=START).set_index("method")["estimate"]
    moves = next_purchases(pairs).query("customers >= 10")
    baby = moves[(moves["value"] == "BABY FOODS") & (moves["next_value"] == "BABY FOODS")]["lift"].item()
    assert baby == moves["lift"].max()
    then = assign_segments(rfm(summarise_customers(orders, as_of=START)), rules=load_rules("rfm_segments"))
    again = outcome_table(next_period(then, orders, start=START, days=DAYS), by="segment")
    again = again[again["metric"] == "repeat_rate"].set_index("segment")["estimate"]
    percent = [brand, groups["estimate"].min(), groups["estimate"].max()]
    percent += [*hits[["next_value", "popular", "same_again"]], *again[["Champions", "Hibernating"]]]
    words = [f"{100 * value:.1f}" for value in percent]
    words += [f"{agree:.3f}", f"{(mix**2).sum():.3f}", f"{baby:.1f}", str(FEWEST), str(DAYS)]
    return sorted([*words, f"{wallet['customer_id'].nunique():,}"])


def test_every_figure_of_the_reading_in_the_chapter_is_found_again(orders, wallet, segment):
    found = found_again(orders, wallet, segment)
    assert read_chapter("en") == found
    assert read_chapter("ja") == found
