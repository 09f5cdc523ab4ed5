"""The site: snippets run, every public name has its page, what is named exists, nothing is fetched."""

import html.parser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, unquote

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from build_site import cheat_sheets, glossary, proofs, reference, snippets
from build_site.assemble import assemble
from build_site.japanese_search import pieces
from build_site.links import anchor
from build_site.names import public_names, wings
from build_site.places import LANGUAGES, TAKEN, chapters, lessons, page_of_path

from cxlib.language import glossary as terms
from cxlib.language import text as runner_text
from cxlib.runner.cli import _parser

ROOT = Path(__file__).parents[1]
SNIPPETS = snippets.snippets()
each_language = pytest.mark.parametrize("lang", LANGUAGES)


@pytest.fixture(scope="module")
def data_set():
    return snippets.sample()


@pytest.mark.parametrize("one", SNIPPETS, ids=lambda one: f"{one.wing}-{one.key}")
def test_a_snippet_runs_and_returns_something_to_see(one, data_set):
    assert one.source.count(snippets.OPENING) == 1
    assert len(one.code.splitlines()) <= 8
    values = one.run(data_set)
    assert values and all(
        len(value) if isinstance(value, pd.DataFrame) else value is not None for value in values
    )
    plt.close("all")


def test_there_are_forty_questions_each_asked_once_in_a_group_that_is_listed():
    asked = [one.question for one in SNIPPETS]
    assert len(set(asked)) == len(asked) >= 40
    assert {one.wing for one in SNIPPETS} == set(snippets.ORDER)
    assert all(one.reading for one in SNIPPETS)


def test_a_table_shows_text_as_text_and_missing_as_a_dash():
    shown = snippets.table(
        pd.DataFrame({"who": ["<b>", None], "n": [1200, 3], "share": [0.12345, float("nan")]})
    )
    assert "&lt;b&gt;" in shown and "<b>" not in shown
    assert "1,200" in shown and "0.123" in shown and shown.count("<td>–</td>") == 2


def test_every_public_name_has_a_page_that_describes_it():
    pages = dict(reference.pages())
    for name in (name for wing in wings() for name in public_names(wing)):
        page = pages[f"{name.page}.rst"]
        assert re.search(rf"^\.\. (?:auto\w+|py:data):: {name.name}$", page, re.M), name
        assert f"<{name.path}>" in pages[f"reference/{name.wing}/index.md"], name


def test_what_an_example_draws_is_drawn(tmp_path):
    (name,) = (name for name in public_names("report") if name.name == "plot_emotion_curve")
    assert reference.picture_of(name)
    reference.draw(name, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").count("buy") >= 1


def test_each_wing_has_a_cheat_sheet_with_the_names_of_its_snippets():
    pages, called = dict(cheat_sheets.pages()), "\n".join(one.code for one in SNIPPETS)
    for wing in wings():
        names = cheat_sheets.chosen(wing)
        assert 0 < len(names) <= cheat_sheets.MOST
        assert all(f"<b>{name.short}</b>" in pages[f"cheat/{wing}.md"] for name in names)
        used = {name for name in public_names(wing) if f"{name.short}(" in called}
        assert used <= set(names)


@pytest.mark.parametrize("method", proofs.methods(), ids=lambda method: method["method"])
def test_what_proves_a_method_is_a_test_that_exists(method):
    assert set(method) <= {"method", "names", "limit", *proofs.KINDS} and method["limit"].endswith(".")
    offered = [name.name for wing in wings() for name in public_names(wing)]
    assert method["names"] and all(offered.count(name) == 1 for name in method["names"])
    found = [proof for kind in proofs.KINDS for proof in proofs.proofs(method, kind)]
    assert found and all("assert" in proofs.source(proof) for proof in found)


def test_every_file_of_published_numbers_proves_some_method():
    named = {proof.file for method in proofs.methods() for proof in proofs.proofs(method, "published")}
    there = {f"reference/{path.name}" for path in (ROOT / "tests" / "reference").glob("test_*.py")}
    assert there - named == {"reference/test_completejourney.py"}  # an import, not a method


@each_language
def test_the_glossary_has_every_term(lang):
    page = glossary.page(lang)
    for term in terms().values():
        assert f"\n{term[lang]}\n" in page and term["meaning"][lang] in page


def test_both_first_pages_show_the_same_commands_and_all_are_of_this_version():
    shown = {}
    for lang in LANGUAGES:
        text = (ROOT / "docs" / "pages" / lang / "start.md").read_text(encoding="utf-8")
        blocks = "".join(re.findall(r"```sh\n(.*?)```", text, re.S))
        found = [
            shlex.split(line, comments=True)[1:] for line in blocks.splitlines() if line.startswith("cx ")
        ]
        assert all(_parser("en").parse_args(words).command for words in found)
        shown[lang] = [[word for word in words if word not in ("--lang", "ja")] for words in found]
    assert shown["en"] == shown["ja"] and len(shown["en"]) >= 5


def test_japanese_pages_keep_to_the_words_of_the_glossary():
    for page in sorted((ROOT / "docs" / "pages" / "ja").iterdir()):
        text = page.read_text(encoding="utf-8")
        others = [word for term in terms().values() for word in term.get("not_ja", [])]
        assert not [word for word in others if re.search(word, text)], page


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder of each language's pages, but for those made of code and tests."""
    folders = {lang: tmp_path_factory.mktemp(lang) / "source" for lang in LANGUAGES}
    for lang, folder in folders.items():
        assemble(folder, lang, is_made=False)
    return folders


def _made_pages():
    yield from ("proofs.md", "want/index.md", "cheat/index.md", "reference/index.md")


@each_language
def test_every_link_of_a_page_leads_to_a_page(written, lang):
    folder, checked = written[lang], 0
    for page in [*folder.rglob("*.md"), *folder.rglob("*.ipynb")]:
        text = page.read_text(encoding="utf-8")
        if page.suffix == ".ipynb":
            cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
            text = "\n".join("".join(cell["source"]) for cell in cells)
        text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
            if "://" in target:
                continue
            there = (page.parent / unquote(target)).resolve()
            made = str(there.relative_to(folder.resolve())) in _made_pages()
            assert there.exists() or (lang == "en" and made), f"{page.name}: {target}"
            checked += 1
    assert checked > 15


@each_language
def test_chapters_and_lessons_are_pages_in_one_language_with_their_solutions_shut(written, lang):
    for path in chapters():
        page = json.loads((written[lang] / "chapters" / path.name).read_text(encoding="utf-8"))
        tags = [tag for cell in page["cells"] for tag in cell["metadata"].get("tags", [])]
        assert not any(tag.startswith("lang-") and tag != f"lang-{lang}" for tag in tags)
        text = "\n".join("".join(cell["source"]) for cell in page["cells"])
        headings = re.findall(r"^## (.*)", text, re.M)
        short, data = (runner_text(f"runner.heading_{part}", lang) for part in ("in_short", "data"))
        assert headings[0] == short and headings[-1] == data, path
        has_solution = any("solution" in cell["metadata"].get("tags", []) for cell in page["cells"])
        assert text.count("<details") == text.count("</details>") >= has_solution
    listed = (written[lang] / "chapters" / "index.md").read_text(encoding="utf-8")
    assert [listed.index(path.name) for path in chapters()] == sorted(
        listed.index(path.name) for path in chapters()
    )
    assert (written[lang] / "course").exists() == bool(lessons(lang))
    first = (written[lang] / "index.md").read_text(encoding="utf-8")
    assert ("course/index" in first) == bool(lessons(lang))


def test_pages_with_a_japanese_text_are_split(written):
    running = {lang: (written[lang] / "running.md").read_text(encoding="utf-8") for lang in LANGUAGES}
    assert not re.search(r"[ぁ-ん]", running["en"]) and running["ja"].startswith("# チームでの運用\n")
    assert set(page_of_path("en").values()) >= set(TAKEN.values())


def test_japanese_is_cut_alike_for_page_and_question():
    asked = pieces("推奨者の割合", single=False)
    assert set(asked) <= set(pieces("中立者と推奨者の割合を見る"))
    assert "谷" in pieces("判断の谷間") and pieces("谷", single=False) == ["谷"]
    assert anchor("谷は？ NPS") == "谷は-nps"


class _Assets(html.parser.HTMLParser):
    """What a page makes a browser fetch, and where its links lead."""

    def __init__(self):
        super().__init__()
        self.fetched, self.links, self.ids = [], [], set()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in ("search", "index", "next", "prev", "canonical"):
            self.fetched.append(given.get("href") or "")
        elif given.get("src"):
            self.fetched.append(given["src"])


def _read(page):
    found = _Assets()
    found.feed(page.read_text(encoding="utf-8"))
    return found


def _build(out, *options):
    """Build as `make docs` does, in a process of its own: Sphinx changes settings of the process."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "docs"), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    command = [sys.executable, "-m", "build_site", "--out", str(out), *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return out / "site"


def _outside(page, address):
    """Whether an address is fetched over a network; what is written into the page is not."""
    return bool(re.match(r"(?:[a-z]+:)?//", address)) and not address.startswith("data:")


def _check_pages(site, *, built="en ja"):
    pages = {page.resolve(): _read(page) for page in site.rglob("*.html")}
    styles = [path for path in site.rglob("*.css")]
    assert not [
        path for path in styles if re.search(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", path.read_text())
    ]
    for page, found in pages.items():
        assert not [address for address in found.fetched if _outside(page, address)], page
        for address in found.fetched:
            if not address.startswith("data:"):
                assert (page.parent / address.partition("?")[0]).exists(), f"{page}: {address}"
        for link in found.links:
            target, _, mark = link.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = (page.parent / unquote(target)).resolve() if target else page
            if built == "ja" and site.resolve() not in there.parents:  # the English site beside it
                continue
            assert there.exists(), f"{page}: {link}"
            if mark and there in pages and mark != "top":
                assert unquote(mark) in pages[there].ids, f"{page}: {link}"
    return pages


@pytest.fixture(scope="module")
def japanese_site(tmp_path_factory):
    """The Japanese site; a warning of Sphinx fails it."""
    return _build(tmp_path_factory.mktemp("ja"), "--lang", "ja", "--texts-only") / "ja"


@pytest.mark.slow
def test_the_japanese_site_fetches_nothing_and_holds_what_a_search_needs(japanese_site):
    pages = _check_pages(japanese_site, built="ja")
    chapter = (japanese_site / "chapters" / "02_journey.html").read_text(encoding="utf-8")
    first = chapter.partition(runner_text("runner.heading_in_short", "ja") + "<a")[2].partition("<h2")[0]
    assert first.count("cx-finding") >= 2
    assert {japanese_site / "start.html", japanese_site / "glossary.html"} <= set(pages)
    assert json.dumps("推奨") in (japanese_site / "searchindex.js").read_text(encoding="utf-8")
    assert "splitQuery" in (japanese_site / "_static" / "language_data.js").read_text(encoding="utf-8")


def _browser():
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium, then this test opens the site in it")
    return [found, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000"]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("推奨者", "用語集"),
        ("谷", "カスタマージャーニー"),
        ("カプラン・マイヤー", "カスタマージャーニー"),
        ("存在しない言葉", None),
    ],
)
def test_a_question_in_japanese_finds_its_pages_without_a_server(japanese_site, asked, found):
    address = f"{(japanese_site / 'search.html').as_uri()}?q={quote(asked)}"
    shown = subprocess.run(
        [*_browser(), "--dump-dom", address], capture_output=True, text=True, check=True
    ).stdout
    results = shown.partition('id="search-results"')[2]
    assert (found or "見つかりませんでした") in re.sub(r"<[^>]+>", "", results)
    assert bool(re.search(r"\d+件のページが見つかりました", results)) == bool(found)


@pytest.mark.long
def test_the_whole_site_is_built_without_a_warning_and_fetches_nothing(tmp_path):
    site = _build(tmp_path)
    pages = _check_pages(site)
    assert len(pages) > 250
    assert "ja/start.html" in pages[(site / "start.html").resolve()].links
    assert "../start.html" in pages[(site / "ja" / "start.html").resolve()].links
    assert {site / "cheat" / f"{wing}.html" for wing in wings()} <= set(pages)
    if shutil.which("pdfinfo"):
        for wing in wings():
            paper = tmp_path / f"{wing}.pdf"
            address = (site / "cheat" / f"{wing}.html").as_uri()
            printed = [*_browser(), "--no-pdf-header-footer", f"--print-to-pdf={paper}", address]
            subprocess.run(printed, capture_output=True, check=True)
            told = subprocess.run(["pdfinfo", paper], capture_output=True, text=True, check=True).stdout
            assert re.search(r"Pages:\s+1\n", told) and "A4" in told, wing
