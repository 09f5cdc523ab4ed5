"""One word per idea and one name per section, in both languages (`docs/glossary.yml`, `runner.heading_…`)."""

import json
import re
from pathlib import Path

import pytest

from cxlib.language import LANGUAGES, catalogue, glossary

ROOT = Path(__file__).parents[1]
GLOSSARY = glossary()
TAUGHT_IN = ("notebooks/course", "cxlib/learn", "docs")
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
#: Lessons, their exercises and the pages of docs; the glossary itself names the words that are not used.
TAUGHT = [path for folder in TAUGHT_IN for path in sorted(ROOT.joinpath(folder).rglob("*"))]
MADE = ROOT / "notebooks" / "course" / "README.md"  # of words that stand among these, two languages to a line
TAUGHT = [path for path in TAUGHT if "_build" not in path.parts and path != MADE]
NOTEBOOKS = [*CHAPTERS, *(path for path in TAUGHT if path.suffix == ".ipynb")]
WRITTEN = [*sorted((ROOT / "data" / "rules").glob("*.yml")), ROOT / "README.ja.md"]
WRITTEN += [path for path in TAUGHT if path.suffix in (".md", ".yml") and path.name != "glossary.yml"]
SECTIONS = {
    tuple(words[lang] for lang in LANGUAGES)
    for key, words in catalogue().items()
    if key.startswith("runner.heading_")
}
#: The order in which a notebook holds the sections of its report.
ORDER = ["data", "answer", "steps", "sensitivity", "limits", "decision"]
#: Braces of a rule file hold labels, not placeholders.
FLOWS = str.maketrans("{}", "  ")
#: No words of ours: code, placeholders, titles of pages linked to.
NOT_WORDS = re.compile(r"`[^`]*`|\{[^}]*\}|\]\([^)]*\)")
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
each_term = pytest.mark.parametrize("term", GLOSSARY)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def _prose(path, lang):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown" and f"lang-{lang}" in tags:
            yield cell["id"], tags, "".join(cell["source"])


def _japanese():
    """Everything in Japanese that a reader meets, by where it stands; not what simulated customers write."""
    said = {key: words for key, words in catalogue().items() if not key.startswith("samples.comment.")}
    yield from ((key, words["ja"]) for key, words in said.items())
    for path in WRITTEN:
        text = path.read_text(encoding="utf-8")
        if path.name == "topics.yml":  # patterns are the words of customers
            text = re.sub(r"^ *- .*$", "", text, flags=re.MULTILINE)
        lines = re.split(r"[\n|]", text)  # a line of a table may have a cell in each language
        is_rule = path.parent.name == "rules"
        told = [line.translate(FLOWS) if is_rule else line for line in lines if JAPANESE.search(line)]
        yield path.name, "\n".join(told)
    for path in NOTEBOOKS:
        yield from ((f"{path.stem} {cell}", source) for cell, _, source in _prose(path, "ja"))


@each_term
def test_a_term_has_one_word_and_a_meaning_in_each_language(term):
    entry = GLOSSARY[term]
    assert set(entry) <= {"en", "ja", "not_ja", "is_said", "found", "meaning"}
    assert set(entry["meaning"]) == set(LANGUAGES)
    assert all("\n" not in line and line for line in entry["meaning"].values())
    others = [GLOSSARY[other]["ja"] for other in GLOSSARY if other != term]
    assert entry["ja"] not in others
    assert not set(entry.get("not_ja", [])) & {entry["ja"], *others}


@each_term
def test_no_second_japanese_word_stands_for_a_term(term):
    for word in GLOSSARY[term].get("not_ja", []):
        found = [place for place, text in _japanese() if re.search(word, NOT_WORDS.sub("", text))]
        assert found == [], word


@pytest.mark.parametrize("term", [term for term in GLOSSARY if GLOSSARY[term].get("is_said")])
def test_a_sentence_says_the_term_in_both_languages(term):
    word = re.compile(rf"\b{GLOSSARY[term]['en']}s?\b", re.IGNORECASE)
    said = {key: words for key, words in catalogue().items() if word.search(NOT_WORDS.sub("", words["en"]))}
    assert said, "nobody says it"
    assert [key for key, words in said.items() if GLOSSARY[term]["ja"] not in words["ja"]] == []


def _headings(path, lang, is_teaching):
    found = []
    for _, tags, source in _prose(path, lang):
        if ("teach" in tags) == is_teaching:
            found += re.findall(r"^## (.+)$", source, re.MULTILINE)
    return found


@each_chapter
def test_sections_have_one_name_in_all_chapters(path):
    named = list(zip(*(_headings(path, lang, is_teaching=False) for lang in LANGUAGES), strict=True))
    assert named and set(named) <= SECTIONS
    taught = zip(*(_headings(path, lang, is_teaching=True) for lang in LANGUAGES), strict=True)
    words = {word for section in SECTIONS for word in section}
    assert {pair for pair in taught if words & set(pair)} <= SECTIONS


@each_chapter
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_report_has_the_same_sections_in_the_same_order(path, lang):
    order = [catalogue()[f"runner.heading_{name}"][lang] for name in ORDER]
    assert [name for name in _headings(path, lang, is_teaching=False) if name in order] == order
