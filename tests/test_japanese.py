"""Japanese type as a business paper sets it: catalogue, rules, chapters, lessons, pages, a report."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

from cxlib.language import catalogue
from cxlib.runner.cli import main

ROOT = Path(__file__).parents[1]
KANA = "\u3040-\u30ff\u4e00-\u9fff"
UNITS = "円|万円|ポイント|件|人|か月|日間|時間|個|倍|種類|文字|グループ"
#: What is never set so, and how it is set instead.
FAULTS = {
    "a hyphen for a minus (−)": re.compile(r"(?<![\w.\-/:}`])-(?=\d)"),
    "a space before a unit": re.compile(rf"(?:\d|\{{(?:n|count|estimate|days)\}}) (?:{UNITS})"),
    "a space within Japanese text": re.compile(r"(?<=[ぁ-んァ-ヶ]) (?=[、。）])|(?<=[、。（]) (?=[ぁ-ん])"),
    "half-width parentheses around Japanese": re.compile(rf"(?<![\w\]=])\([^()\n]*[{KANA}][^()\n]*\)(?!\])"),
    "a full-width percent sign": re.compile("％"),
    "two spellings of one word": re.compile(r"(?:パラメータ|ユーザ|カテゴリ|サーバ|クラスタ|フィルタ)(?!ー)"),
    "stiff words": re.compile(
        "くじ引き|くじの|差の差|旅路|手を差し伸べ|一丸|丸の月数|離反予備客|失えない|お金に換える|山の後の落ち込み|"
        "時計を動か|時計は.{0,12}動き|等しい重み|順を追って"
    ),
}
#: Not said by us in prose: code, placeholders' formats, addresses.
NO_PROSE = re.compile(r"`[^`]*`|```.*?```|\$[^$]*\$|\]\([^)]*\)|https?://\S+", re.DOTALL)
#: Italics slant letters that have no slanted form.
ITALICS = re.compile(rf"(?<!\*)\*(?![*\s])[^*\n]*[{KANA}][^*\n]*\*(?!\*)")

PAGES = ["README.ja.md", "reports/README.md"]
PAGES += [
    f"{folder}/{path.name}"
    for folder, kind in (("docs", "*.md"), ("data/rules", "*.yml"))
    for path in sorted(ROOT.joinpath(folder).glob(kind))
]
TAUGHT = ["notebooks/course/frame.yml", "notebooks/course/concepts.yml"]
TAUGHT += [
    str(path.relative_to(ROOT))
    for pages in ("notebooks/course/lessons/*/*.*", "docs/pages/ja/**/*")
    for path in sorted(ROOT.glob(pages))
    if path.suffix in (".md", ".yml", ".inc")
]


def _found(text):
    prose = NO_PROSE.sub("X", text)
    return [(fault, match[0]) for fault, rule in FAULTS.items() for match in rule.finditer(prose)]


def _cells(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "lang-ja" in tags and not {"teach", "exercise", "solution"} & set(tags):
            yield cell["id"], "".join(cell["source"])


@pytest.mark.parametrize("area", sorted({key.split(".")[0] for key in catalogue()}))
def test_sentences_of_code_are_set_as_japanese(area):
    said = {key: words["ja"] for key, words in catalogue().items() if key.startswith(f"{area}.")}
    assert {key: faults for key, words in said.items() if (faults := _found(words))} == {}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")), ids=lambda path: path.stem
)
def test_chapters_are_set_as_japanese(path):
    faults = {cell: _found(source) + ITALICS.findall(source) for cell, source in _cells(path)}
    assert {cell: found for cell, found in faults.items() if found} == {}


@pytest.mark.parametrize("name", [*PAGES, *TAUGHT])
def test_pages_rules_and_lessons_are_set_as_japanese(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if re.search("[ぁ-ん]", line)]
    if name.endswith("topics.yml"):  # patterns of comments are no prose of ours
        told = [line for line in told if "label" in line]
    assert [(line, faults) for line in told if (faults := _found(line) + ITALICS.findall(line))] == []


@pytest.mark.slow
def test_a_rendered_report_is_set_as_japanese(tmp_path):
    done = main(
        [
            "run",
            "initiative_register",
            "--lang",
            "ja",
            "--data",
            str(ROOT / "data" / "sample"),
            "--out",
            str(tmp_path),
        ]
    )
    assert done == 0
    [page] = tmp_path.glob("2*/initiative_register.html")
    body = page.read_text(encoding="utf-8").split("</style>")[1]
    body = re.sub(r"<code>.*?</code>|<pre.*?</pre>|<img[^>]*>|<footer>.*", "X", body, flags=re.DOTALL)
    text = unescape(re.sub(r"<[^>]+>", "\n", body))
    assert "万円" in text and "−" in text and "\n現状\n" in text
    assert _found(text) == []
