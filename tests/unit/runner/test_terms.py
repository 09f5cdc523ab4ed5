"""The first use of a term leads to its entry: once, in prose alone, and no entry without a use."""

import re

import pytest

from cxlib.language import LANGUAGES, glossary
from cxlib.runner.sections import Arranged, Block, Section
from cxlib.runner.terms import Linker, with_terms

LINK = re.compile(r'<a class="term" href="#term-(\w+)" title="[^"<>]*">([^<]*)</a>')


def links(html, lang="en", **options):
    return LINK.findall(Linker(lang).html(html, **options))


def arranged(*blocks, lead=()):
    return Arranged("T", [*blocks], [*lead], [Section("Answer", [])], [], set())


def finding(html):
    return Block("output", html, {"kind": "finding", "key": "k"})


@pytest.mark.parametrize(
    ("lang", "html", "expected"),
    [
        (
            "en",
            "<p>Detractors and a detractor, not CSATs.</p>",
            [("detractor", "Detractors"), ("csat", "CSATs")],
        ),
        (
            "ja",
            "<p>批判者と批判者、NPSとCSAT。</p>",
            [("detractor", "批判者"), ("nps", "NPS"), ("csat", "CSAT")],
        ),
        (
            "en",
            "<p>The customer journey and its stages</p>",
            [("journey", "customer journey"), ("stage", "stages")],
        ),
        ("ja", "<p>離反予備軍の離反</p>", [("at_risk", "離反予備軍"), ("lapse", "離反")]),
        ("en", "<p>nps, the snps, NPS-like, topical, initiatives.name, a&lt;NPS&gt;</p>", []),
        ("ja", "<p>SNPS、NPSX</p>", []),
        ("en", "<p>Weather</p>", []),
    ],
)
def test_the_first_use_of_a_term_is_linked_and_no_other(lang, html, expected):
    assert links(html, lang) == expected
    assert LINK.sub(r"\2", Linker(lang).html(html)) == html


@pytest.mark.parametrize(
    "kept",
    [
        '<a href="#x">the <b>NPS</b> report</a>',
        "<code>NPS</code>",
        "<pre>NPS</pre>",
        "<h3>NPS</h3>",
        "<table><tr><td>NPS</td></tr></table>",
        '<strong class="cx-badge cx-tone-bad">▲ NPS</strong>',
        "<figure><figcaption>NPS</figcaption></figure>",
    ],
)
def test_links_code_headings_and_data_stay_as_they_are(kept):
    linker = Linker("en")
    assert linker.html(kept) == kept and linker.entries() == []
    assert links(f"{kept}<p>an NPS</p>") == [("nps", "NPS")]


def test_words_of_the_data_are_not_taken_for_ours():
    assert links("<p>“Better NPS” moved</p>", has_data=True) == []
    assert links("<p>「NPS改善」が動いた</p>", "ja", has_data=True) == []
    table = Block("output", "<p>NPS</p>", {"kind": "table", "key": "quotes"})
    assert with_terms(arranged(table, Block("code", "NPS")), "en")[1] == []


def test_hostile_text_stays_text():
    said = '<p>&lt;a href="javascript:x"&gt; &lt;b&gt; the NPS</p>'
    linked = Linker("en").html(said, has_data=True)
    assert LINK.sub(r"\2", linked) == said and linked.count("<a ") == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_entries_are_those_of_the_terms_used_in_the_order_of_the_glossary(lang):
    words = glossary()["roi"][lang], glossary()["detractor"][lang]
    page, entries = with_terms(
        arranged(finding(f"<p>{words[0]}</p>"), Block("prose", f"<p>{words[1]}</p>")), lang
    )
    assert [entry.anchor for entry in entries] == ["term-detractor", "term-roi"]
    assert [entry.word for entry in entries] == [words[1], words[0]]
    assert all("<" not in entry.meaning and entry.meaning for entry in entries)
    assert [len(LINK.findall(block.html)) for block in page.in_short] == [1, 1]


def test_a_term_is_linked_where_the_page_says_it_first():
    page, entries = with_terms(arranged(finding("<p>NPS</p>"), lead=[Block("prose", "<p>NPS</p>")]), "en")
    assert LINK.findall(page.in_short[0].html) and page.lead[0].html == "<p>NPS</p>"
    assert len(entries) == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_term_is_found_by_its_own_words(lang):
    for term, words in glossary().items():
        for word in words.get("found", {}).get(lang, [words[lang]]):
            assert links(f"<p>{word}</p>", lang) == [(term, word)], term
