import base64
import re
from pathlib import Path

import nbformat
import pytest

from cxlib.runner.collect import collect
from cxlib.runner.inert import MAX_TEXT, clean_html, clean_text, output_html
from cxlib.runner.notebooks import prepare, read_notebook
from cxlib.runner.parameters import Parameter, read_parameters
from cxlib.runner.render import _css_string, render

PLAIN = Path(__file__).parents[2] / "notebooks" / "plain"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def output(html="", **record):
    data = {"text/html": html, "text/plain": "plain"} if html else {"text/plain": "plain"}
    metadata = {"cx": record} if record else {}
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata)


def page(*outputs, lang="en", source="", stamp="20260401-093000", chosen=(), more=(), **options):
    raw = read_notebook(PLAIN / "01_plain.ipynb")
    form = options.get("form", "report")
    notebook = nbformat.from_dict(prepare(raw, form=form, lang=lang))
    notebook.cells.append(nbformat.v4.new_code_cell(source="print('code of a cell')", outputs=list(outputs)))
    if source:
        notebook.cells.append(nbformat.v4.new_markdown_cell(source=source))
    declared, chosen = read_parameters(raw, "plain"), dict(chosen)
    return render(
        notebook,
        report="plain",
        lang=lang,
        results=collect(notebook),
        parameters=[(p, chosen.get(p.name, p.default)) for p in [*declared, *more]],
        stamp=stamp,
        **options,
    )


def test_a_folded_glossary_at_the_end_holds_the_terms_the_page_links_to():
    html = page(source="## More\n\nThe NPS of a customer journey.", lang="en")
    fold = re.search(r'<details class="glossary">.*?</details>', html, re.S)[0]
    linked = re.findall(r'<a class="term" href="#([\w-]+)"', html.replace(fold, ""))
    assert (
        sorted(re.findall(r'id="([\w-]+)"', fold))
        == sorted(linked)
        == sorted({"term-journey", "term-nps", *linked})
    )
    assert html.index(fold) > html.index('class="appendix"') and " open" not in fold
    assert 'class="glossary"' not in early_page()


HEADER = {"kind": "header", "key": "plain", "title": "T", "is_sample": True}


def test_the_page_is_one_file_without_script_or_outside_address():
    html = page(output("<p>Tiny</p>", **HEADER))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert not re.search(r"<(script|link|iframe|object|embed|base|form)\b", html, re.I)
    assert not re.search(r"(src|href)=[\"']?(https?:|//)|url\(|@import", html, re.I)
    assert len(html) < 100_000


@pytest.mark.parametrize(("lang", "words"), [("en", "Data quality"), ("ja", "データ品質")])
def test_the_page_speaks_the_language_of_the_report(lang, words):
    html = page(lang=lang)
    assert f'<html lang="{lang}">' in html and words in html
    assert ("素朴なレポート" in html) == (lang == "ja")
    assert 'name="viewport"' in html


def test_the_sample_banner_shows_for_sample_data_only():
    assert "SAMPLE DATA" in page(output("<p>x</p>", **HEADER))
    assert "SAMPLE DATA" not in page(output("<p>x</p>", **HEADER | {"is_sample": False}))
    assert "SAMPLE DATA" not in page()


def test_the_header_stands_at_the_top_once():
    html = page(output('<p class="cx-title">T</p><p class="cx-sample">S</p><p>Tiny Shop</p>', **HEADER))
    assert html.count("Tiny Shop") == 1 and html.index("Tiny Shop") < html.index('id="quality"')
    assert "cx-title" not in html.split("</style>")[1]


def test_contents_link_to_every_section_and_the_title_is_the_only_h1():
    html = page(source="## Second\n\n### Under it\n\n## Third")
    links = re.findall(r'<a href="#(s\d+)">([^<]*)</a>', html)
    assert [words for _, words in links] == ["Answer", "Chart", "Second", "Third"]
    assert all(f'id="{anchor}"' in html for anchor, _ in links)
    assert html.index(">Third</h2>") < html.index('id="data"') < html.index('id="parameters"')
    assert html.count("<h1") == 1 and "¶" not in html


def early_page(*outputs, more=(), **options):
    """Page of a notebook whose first cell shows `outputs`, before the answer."""
    cells = [nbformat.v4.new_code_cell(source="setup", outputs=list(outputs))]
    cells += [nbformat.v4.new_markdown_cell(source="## Answer")]
    cells += [nbformat.v4.new_code_cell(source="answer", outputs=list(more))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    results = collect(notebook)
    results["notices"] |= options.pop("said", {})
    return render(notebook, report="r", lang="en", results=results, parameters=[], stamp="s", **options)


def test_the_quality_box_gathers_what_was_noticed_before_the_answer_gravest_first_and_once():
    record = {"kind": "notice", "key": "a", "level": "info", "text": "Told <b>once</b>"}
    grave = {"kind": "notice", "key": "b", "level": "warning", "text": "Doubtful"}
    html = early_page(
        output("<p>Told once</p>", **record),
        output("<p>Told once</p>", **record),
        output("<p>Doubtful</p>", **grave),
        nbformat.v4.new_output("stream", name="stderr", text="UserWarning"),
        more=[output("<p>Of the method</p>", kind="notice", key="c", level="info", text="Of the method")],
    )
    box = re.search(r'<section[^>]*class="quality".*?</section>', html, re.S)[0]
    assert box.count("Told &lt;b&gt;once&lt;/b&gt;") == 1 and html.count("Told") == 1
    assert box.index("Doubtful") < box.index("Told") and html.count("Doubtful") == 1
    assert html.count("Of the method") == 1 and "Of the method" not in box
    assert "technical warnings (1)" in box and "UserWarning" not in html
    assert "Nothing to report" in page()
    assert html.index(">Answer</h2>") < html.index('class="quality"')


def test_a_caution_on_the_data_is_pointed_to_under_the_title():
    caution = {"kind": "notice", "key": "b", "level": "warning", "text": "Doubtful"}
    masthead = early_page(output("<p>x</p>", **caution)).split("</header>")[0]
    assert '<a href="#quality">' in masthead and "Data quality: 1 to mind" in masthead
    assert 'href="#quality"' not in early_page(output("<p>x</p>", **caution | {"level": "info"}))


def test_what_the_runner_itself_says_stands_under_the_title_and_not_in_the_box():
    said = {"runner.near_run": {"level": "warning", "text": "Differs by few"}}
    html = early_page(said=said)
    assert html.count("Differs by few") == 1 and "Differs by few" in html.split("</header>")[0]


def test_the_coverage_table_leaves_the_title_for_the_data():
    coverage = (
        '<div class="cx-table-box"><table><tr><td>orders</td></tr></table><p class="cx-note">a</p></div>'
    )
    html = page(output(f'<div class="cx-header"><p>Tiny Shop</p>{coverage}</div>', **HEADER))
    masthead, rest = html.split("</header>")
    assert "Tiny Shop" in masthead and "orders" not in masthead
    assert rest.count("<td>orders</td>") == 1 and rest.index("<td>orders</td>") > rest.index('id="data"')


def test_a_report_answers_first():
    told = {"kind": "finding", "key": "a.b", "text": "Found", "verdict": "met"}
    html = early_page(more=[output("<p>Found</p>", **told)])
    assert html.index('id="in-short"') < html.index("Found") < html.index('id="contents"')
    assert html.count("<p>Found</p>") == 2 and "● good · ◐ undecided · ▲ bad · ■ alarm" in html
    assert 'id="in-short"' not in early_page(more=[output("<p>Found</p>", **told)], form="lesson")


def test_print_names_the_report_counts_pages_and_says_what_it_leaves_out():
    html = page(source='# Plain "x" </style>\\ 報告')
    css = html.split("<style>")[1].split("</style>")[0]
    assert 'content: counter(page) " / " counter(pages)' in css
    assert re.search(r'@bottom-left \{ content: "A\\20 plain\\20 report"', css)
    assert "left out of print" in html
    assert _css_string('a"</style>報') == r"a\22 \3c \2f style\3e 報"


@pytest.mark.parametrize(("size", "least"), [("0.1", "370px"), ("0.08", "463px"), ("1", None)])
def test_a_figure_is_never_drawn_so_small_that_its_letters_cannot_be_read(size, least):
    svg = f'<svg width="411.6pt" height="300pt"><g transform="translate(1 2) scale({size} -{size})"/></svg>'
    picture = base64.b64encode(svg.encode()).decode()
    html = output_html(
        output(f'<figure><img src="data:image/svg+xml;base64,{picture}"></figure>', kind="figure", key="g")
    )
    assert (f'style="--least: {least}"' in html) if least else "style=" not in html
    assert re.search(r"\.picture img \{[^}]*min-width: var\(--least", page())


def test_a_figure_has_its_description_caption_and_source_line():
    record = {"kind": "figure", "key": "g", "alt": 'A "bar"', "caption": "Cap", "source": "Source: Shop"}
    picture = base64.b64encode(SVG.encode()).decode()
    html = output_html(output(f'<figure><img src="data:image/svg+xml;base64,{picture}"></figure>', **record))
    assert 'alt="A &quot;bar&quot;"' in html and "<figcaption>Cap" in html and "Source: Shop</span>" in html
    assert html.count("<img") == 1 and "alert" not in html


def test_parameters_and_values_are_printed():
    html = page()
    assert "<code>conf_level</code>" in html and "confidence level of every interval" in html
    assert "信頼水準" in page(lang="ja") and ">なし<" in page(lang="ja")


def test_code_is_hidden_unless_asked_for():
    words = "code of a cell"
    assert words not in page()
    assert words in page(with_code=True) and 'id="code"' in page(with_code=True)
    assert words in page(form="lesson") and 'id="code"' not in page(form="lesson")


def test_two_equal_runs_differ_in_the_stamp_only():
    first, second = page(stamp="20260401-093000"), page(stamp="20260402-120000")
    assert first != second and first.count("20260401-093000") == 1
    assert first.replace("20260401-093000", "20260402-120000") == second


def test_harmless_html_stays_and_the_rest_becomes_text():
    table = '<table class="cx-table"><tr><td class="cx-number" colspan="2">1 &lt; 2</td></tr></table>'
    assert clean_html(table).replace("<tbody>", "").replace("</tbody>", "") == table
    hostile = clean_html(
        '<img src=x onerror=alert(1)><a href="javascript:alert(1)">a</a><svg onload=alert(1)></svg>'
        '<p style="background:url(//x)" onclick="x()">b</p><img src="http://x/y.png">'
        '<iframe src="//x"></iframe><meta http-equiv="refresh" content="0;url=//x"><style>p{}</style>'
        '<img src="data:text/html;base64,AAAA">'
    )
    assert not re.search(r"<[^>]*(onerror|onload|onclick|javascript:|style=|src=)", hostile)
    assert not re.search(r"<(svg|iframe|meta|style|script)", hostile)
    assert "<p>b</p>" in hostile and "&lt;iframe" in hostile


def test_hidden_and_reordering_characters_become_visible_and_long_text_short():
    assert clean_text("a\u202eb\u200bc\x07") == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+0007⟩"
    assert clean_html("<p>a\u2066b</p>") == "<p>a⟨U+2066⟩b</p>"
    assert len(clean_text("x" * 100_000)) < MAX_TEXT + 10
    assert len(clean_html(f"<td>{'&lt;' * 50_000}</td>")) < MAX_TEXT + 50
    assert clean_text("👨\u200d👩\u200d👧") == "👨\u200d👩\u200d👧", "joined emoji stay"


def shown_data(**data):
    return nbformat.v4.new_output("display_data", data=data)


def stream(name, text):
    return nbformat.v4.new_output("stream", name=name, text=text)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (stream("stdout", "<b>\x1b[31mred"), "<pre>&lt;b&gt;red</pre>"),
        (stream("stderr", "x"), ""),
        (shown_data(**{"application/javascript": "x", "text/plain": "y"}), ""),
        (shown_data(**{"text/markdown": "[a](javascript:x)"}), "<pre>[a](javascript:x)</pre>"),
        (shown_data(**{"text/latex": r"$\href{x}$"}), r"<pre>$\href{x}$</pre>"),
        (shown_data(**{"image/png": "aGk=\n"}), 'src="data:image/png;base64,aGk="'),
        (shown_data(**{"image/png": '"><script>'}), ""),
        (shown_data(**{"image/svg+xml": SVG}), "data:image/svg+xml;base64,"),
        (nbformat.v4.new_output("error", ename="KeyError", evalue="secret", traceback=[]), "KeyError</pre>"),
    ],
)
def test_every_kind_of_output_is_shown_inert(made, expected):
    html = output_html(made)
    assert expected in html if expected else html == ""
    assert "<script" not in html and "secret" not in html


SPLIT = [Parameter("by", "str", None, is_optional=True), Parameter("segment", "str", None, is_optional=True)]
SPLIT += [Parameter(name, "date", None, is_optional=True) for name in ("as_of",)]


@pytest.mark.parametrize(
    ("chosen", "english", "japanese"),
    [
        (
            {"segment": "Champions", "by": "region"},
            "Only customers of segment: Champions · Broken down by: Region",
            "セグメント「Champions」の顧客のみ・内訳：地域",
        ),
        (
            {"period_start": "2026-01-01", "period_end": "2026-03-31"},
            "From Jan 1, 2026 to Mar 31, 2026",
            "2026年1月1日 から 2026年3月31日 まで",
        ),
        ({"period_end": "2026-03-31"}, "Up to Mar 31, 2026", "2026年3月31日 まで"),
        ({"period_start": "2026-01-01"}, "From Jan 1, 2026 on", "2026年1月1日 以降"),
        ({"as_of": "2026-03-31"}, "As known on Mar 31, 2026", "2026年3月31日 時点"),
        ({"by": "<b>x"}, "Broken down by: &lt;b&gt;x", "内訳：&lt;b&gt;x"),
    ],
)
def test_what_a_report_is_restricted_to_stands_under_its_title(chosen, english, japanese):
    for lang, words in (("en", english), ("ja", japanese)):
        masthead = page(lang=lang, chosen=chosen, more=SPLIT).split('id="quality"')[0]
        assert words in masthead.split("</h1>")[1]


def test_a_report_of_everything_says_nothing_about_restrictions():
    html = page(chosen={"lang": "ja", "n_rows": 7}, more=SPLIT)
    assert 'class="scope"' not in html


@pytest.mark.parametrize(
    "sentence", ['Use `a` or `it\'s "so" & more`.', "See `" + "long_name " * 9 + "`."], ids=["signs", "long"]
)
def test_code_in_the_quality_box_looks_as_in_the_text(sentence):
    html = early_page(output("<p>x</p>", kind="notice", key="k", level="info", text=sentence))
    box = html.split('class="quality"')[1].split("</section>")[0]
    assert "<code>" in box and "`" not in box


def test_print_lets_wide_tables_wrap():
    css = page().split("@media print")[1].split("</style>")[0]
    assert "white-space: normal; min-width: 0" in css
    assert "table { font-size: 8pt;" in css and not re.search(r"font(-size)?: [0-7](\.\d+)?pt", css)


def test_print_cuts_neither_figures_nor_rows():
    css = page().split("@media print")[1].split("</style>")[0]
    kept = re.search(r"([^{}]*)\{ break-inside: avoid; \}", css)[1].replace(",", " ").split()
    assert {"figure", "tr", ".cx-finding", "details:not([open])"} <= set(kept)
