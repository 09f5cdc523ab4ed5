"""The pages on adding a metric, a chapter and a mapping: what they tell to write is put together and run."""

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import yaml

import cxlib as cx
from cxlib.language import LANGUAGES, catalogue
from cxlib.report import report as display
from cxlib.report.units import METRICS, Metric
from cxlib.runner.cli import main

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "pages" / "en" / "extend"
_BLOCK = re.compile(r"(?:^\*([^*\n]+)\*\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, *kinds):
    """`(tag, code)` of a page's blocks of some kinds, in order."""
    found = _BLOCK.findall((PAGES / page).read_text(encoding="utf-8"))
    return [(tag, code) for tag, kind, code in found if kind in kinds]


@pytest.fixture
def in_catalogue(monkeypatch):
    """`in_catalogue(page)`: the page's sentences stand in the catalogue, in both languages."""

    def _in(page):
        ((_, text),) = blocks(page, "yaml")
        words = yaml.safe_load(text)
        assert all(set(entry) == set(LANGUAGES) for entry in words.values())
        assert not set(words) & set(catalogue())
        for key, entry in words.items():
            monkeypatch.setitem(catalogue(), key, entry)
        return words

    return _in


@pytest.fixture
def said(monkeypatch):
    """Sentences that reports say."""
    found = []
    monkeypatch.setattr(display, "_send", lambda data, raw, metadata: found.append(metadata["cx"]))
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_metric_of_the_page_is_computed_measured_worded_and_proven(lang, in_catalogue, said, monkeypatch):
    compute, measure, tell, prove = (code for _, code in blocks("metric.md", "python"))
    names, units = {}, {}
    exec(compute, names)
    exec(measure, {"METRICS": units, "Metric": Metric})
    monkeypatch.setattr("cxlib.report.units.METRICS", {**METRICS, **units})
    monkeypatch.setattr("cxlib.report.rows.METRICS", {**METRICS, **units})
    words = in_catalogue("metric.md")
    exec(prove, names)
    names["test_by_hand"]()
    names["test_none_is_said_to_be_unknown"]()
    names |= {"data_set": (data_set := cx.open_data(ROOT / "data" / "sample"))}
    names["report"] = cx.Report("segmentation", data_set, lang=lang)
    exec(tell, names)
    (finding,) = (one for one in said if one["kind"] == "finding")
    assert re.search(r"\d+\.\d%", finding["text"])
    assert words[f"segmentation.several.{finding['verdict']}"][lang][:10] == finding["text"][:10]
    assert [one["key"] for one in said if one["kind"] == "table"] == ["several_products"]


def test_the_sentences_of_the_metric_cover_both_signs_doubt_and_nothing(in_catalogue):
    names = {}
    exec(blocks("metric.md", "python")[0][1], names)
    words = in_catalogue("metric.md")
    for products, verdict in ((2, "more"), (1, "fewer")):
        lines = [(f"c{i}", f"o{i}", f"p{j}") for i in range(60) for j in range(products)]
        orders = pd.DataFrame(lines, columns=["customer_id", "order_id", "product"])
        assert names["several_products"](orders)["verdict"].tolist() == [verdict]
        assert f"segmentation.several.{verdict}" in words


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_chapter_of_the_page_runs(lang, in_catalogue, run_chapter, tmp_path):
    in_catalogue("chapter.md")
    cells = [
        {
            "cell_type": "markdown" if tag.startswith("lang-") else "code",
            "id": f"cell-{place}",
            "metadata": {"tags": [] if tag == "no tag" else [tag]},
            "source": code,
        }
        for place, (tag, code) in enumerate(blocks("chapter.md", "markdown", "python"))
    ]
    tags = [tag for cell in cells for tag in cell["metadata"]["tags"]]
    assert tags.count("lang-en") == tags.count("lang-ja") == 2 and tags.count("parameters") == 1
    assert all(len(cell["source"].splitlines()) <= 5 for cell in cells if cell["cell_type"] == "code")
    path = tmp_path / "11_baskets.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    pieces = run_chapter(path, data=str(ROOT / "data" / "sample"), lang=lang)
    assert list(pieces["finding"]) == ["baskets.several"] and list(pieces["header"]) == ["baskets"]
    assert pieces["header"]["baskets"]["title"] == catalogue()["report.baskets"][lang]


def test_the_mapping_of_the_page_imports_the_export_of_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (_, export), (_, mapping) = blocks("mapping.md", "text")[0], blocks("mapping.md", "yaml")[0]
    (tmp_path / "my_export").mkdir()
    (tmp_path / "my_export" / "sales_2026.csv").write_text(export, encoding="utf-8")
    commands = [shlex.split(line)[1:] for _, code in blocks("mapping.md", "sh") for line in code.splitlines()]
    assert [words[0] for words in commands] == ["mapping", "import", "check"]
    assert main(commands[0]) == 0
    (tmp_path / "shop.yml").write_text(mapping, encoding="utf-8")
    assert main(commands[1]) == 0
    assert main(commands[2]) in (0, 4), capsys.readouterr()
    orders = cx.open_data(tmp_path / "my_shop").table("orders")
    assert sorted(orders["order_id"]) == ["R-001", "R-001", "R-003", "R-004"]
    assert orders["amount"].sum() == 6900 and orders["customer_id"].isna().sum() == 1
    assert sorted(orders["line"].astype(int)) == [1, 1, 1, 2]
