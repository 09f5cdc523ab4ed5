"""Every sentence code can say exists in both languages, is used, and gets the values it names."""

import ast
import functools
import json
import re
import string
from pathlib import Path

import pytest
import yaml

from cxlib.language import LANGUAGES, catalogue, text

ROOT = Path(__file__).parents[1]
TEXTS = ROOT / "cxlib" / "text"
KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
#: Looked up by a name that only the data or the caller knows.
BY_NAME = ("column.", "report.", "tone.", "value.", "verdict.")
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def _python_sources():
    yield from (
        (path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in ROOT.glob("cxlib/**/*.py")
    )
    for path in sorted(ROOT.glob("notebooks/*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        yield (
            path.name,
            "\n".join(line for cell in code for line in cell.splitlines() if not line.startswith("%")),
        )


@functools.cache
def _trees():
    return [(name, ast.parse(source)) for name, source in _python_sources()]


def _called(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _spoken_key(call):
    """Catalogue keys a call names by a literal: `text("a.b")`, `SomeError("a.b")`, `report.notice("a.b")`."""
    name = _called(call)
    if not (call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)):
        return []
    key = call.args[0].value
    if name == "say" and getattr(getattr(call.func, "value", None), "id", "") == "report":
        return [key] if key in catalogue() else []
    if name == "say":
        return [f"runner.{key}"]
    if (
        name in ("figure", "draw")
        and isinstance(call.func, ast.Attribute)
        and getattr(call.func.value, "id", "") == "report"
    ):
        return [f"figure.{key}", f"figure.{key}.alt"]
    speaks = name in ("text", "notice", "finding", "Problem") or name.endswith(("Error", "Failed"))
    return [key] if speaks and KEY.fullmatch(key) else []


@functools.cache
def _calls():
    """All calls that name a key, as `(file and line, key, call)`."""
    return [
        (f"{name}:{node.lineno}", key, node)
        for name, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for key in _spoken_key(node)
    ]


@functools.cache
def _mentioned():
    """Every literal, and the fixed beginning of every f-string, in code, notebooks and templates."""
    literals, beginnings = {key for _, key, _ in _calls()}, set()
    for _, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
    for path in ROOT.glob("cxlib/**/*.j2"):
        source = path.read_text(encoding="utf-8")
        literals |= {f"runner.{key}" for key in re.findall(r"say\(\s*\"([\w.]+)\"", source)}
        beginnings |= {f"runner.{key}" for key in re.findall(r"say\(\s*\"([\w.]+)\"\s*~", source)}
    return literals, tuple(beginning for beginning in beginnings if "." in beginning)


def _placeholders(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def _speaks_runner(key):
    """`say(f"x_{y}")` in the runner names `runner.x_…`."""
    return any(
        isinstance(node, ast.JoinedStr)
        and isinstance(node.values[0], ast.Constant)
        and len(node.values) > 1
        and key.startswith(f"runner.{node.values[0].value}")
        for name, tree in _trees()
        if "runner/" in name
        for node in ast.walk(tree)
    )


def test_each_text_stands_in_both_languages_with_the_same_placeholders():
    for key, templates in catalogue().items():
        assert KEY.fullmatch(key)
        assert set(templates) == set(LANGUAGES), key
        for words in templates.values():
            assert isinstance(words, str) and words.strip() and words.strip("\n") == words, key
        assert _placeholders(templates["en"]) == _placeholders(templates["ja"]), key
        assert all(name.isidentifier() for name in _placeholders(templates["en"])), key
        assert not JAPANESE.search(re.sub("`[^`]*`", "", templates["en"])), key


def test_keys_named_in_code_exist():
    missing = [f"{place} {key}" for place, key, _ in _calls() if key not in catalogue()]
    assert missing == []


def test_beginnings_of_keys_lead_somewhere():
    areas = {key.split(".")[0] for key in catalogue()}
    begun = [
        b for b in _mentioned()[1] if re.fullmatch(r"[a-z_]+\.[a-z0-9_.]*", b) and b.split(".")[0] in areas
    ]
    assert [b for b in begun if not any(key.startswith(b) for key in catalogue())] == []


def test_calls_bring_the_values_their_text_names():
    lacking = []
    for place, key, call in _calls():
        given = {keyword.arg for keyword in call.keywords}
        if None in given or key not in catalogue() or _called(call) in ("Problem", "ReportFailed"):
            continue
        needed = _placeholders(catalogue()[key]["en"])
        needed -= {"level"} if _called(call) == "draw" else set()  # the report knows it
        if needed - given and _called(call) != "say":  # its row fills them, or `say` raises
            lacking.append(f"{place} {key} needs {sorted(needed - given)}")
    assert lacking == []


def _said_of_rows():
    """Beginnings that `report.say` words by the row: `key.<claim>`, `key.<verdict>`, `key.<note>`."""
    calls = [node for _, tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    ours = [call for call in calls if _called(call) == "say" and call.args]
    of_report = [call for call in ours if getattr(getattr(call.func, "value", None), "id", "") == "report"]
    return {call.args[0].value for call in of_report if isinstance(call.args[0], ast.Constant)}


def test_what_is_said_of_rows_has_words():
    told = _said_of_rows()
    assert told
    assert [key for key in sorted(told) if not any(held.startswith(key) for held in catalogue())] == []


def test_no_sentence_points_at_a_place_of_the_page():
    """A page lifts what decides to its top and moves remarks to its end; figures stay by their table."""
    told = {key: one["en"] for key, one in catalogue().items() if not key.startswith("figure.")}
    pointing = re.compile(r"\b(?:further|stands?|out|as|table) (?:above|below)\b")
    assert {key for key, sentence in told.items() if pointing.search(sentence)} == set()


def test_no_text_is_left_over():
    literals, beginnings = _mentioned()
    said = {name for name in literals if "." in name} | _said_of_rows()
    left = [
        key
        for key in catalogue()
        for own in [key.rpartition(".")[0]]  # a sentence in the words of its claim, verdict or note
        for both in [own.rpartition(".")[0]]  # or of its claim and verdict
        if not (
            {own, both} & said
            or key in literals
            or key.startswith((*BY_NAME, *beginnings))
            or _speaks_runner(key)
        )
    ]
    assert left == []


def test_column_words_are_in_order():
    keys = list(yaml.safe_load((TEXTS / "columns.yml").read_text(encoding="utf-8")))
    assert keys == sorted(keys)


@pytest.mark.parametrize("path", sorted(TEXTS.glob("*.yml")), ids=lambda path: path.name)
def test_a_key_stands_once_in_its_file(path):
    lines = re.findall(r"^([\w.]+):", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == len(set(lines))


def _calls_of(name):
    """Calls of `….name(...)` in the package and the chapters, with the first argument where it is a key."""
    for source, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and first.value in catalogue():
                    yield source, first.value


def test_no_sentence_has_a_placeholder_that_its_caller_cannot_fill():
    own = {"notice": {"key", "level", "only_here", "subject", "wording"}}
    own["say"] = {"key", "verdict", "subject", "units", "wording"}  # what `say` hands to `finding` besides
    told = [("notice", source, key) for source, key in _calls_of("notice")]
    said = tuple(_said_of_rows())
    told += [("say", "a chapter", key) for key in catalogue() if key.startswith(said)]
    assert len(told) > 100
    clashes = {
        (source, key)
        for name, source, key in told
        for _, field, _, _ in string.Formatter().parse(catalogue()[key]["en"])
        if field in own[name]
    }
    assert not clashes


def test_a_note_on_the_level_is_filled_by_the_function_that_gives_it():
    from cxlib.initiatives.claims import level_notes

    for key in ("impact.note_level", "journey.low_level", "segmentation.low_level"):
        (note,) = level_notes(0.8, key=key)
        for lang in LANGUAGES:
            fields = {field for _, field, _, _ in string.Formatter().parse(catalogue()[key][lang]) if field}
            assert fields == note.keys() - {"key", "level"}


LIMITS = re.compile(r"(^|_)(conf_low|conf_high|low|high)$")


def _is_limit(node):
    """A limit by name, as a column or an attribute; what stands inside a call is that function's affair."""
    name = node.slice if isinstance(node, ast.Subscript) else None
    word = name.value if isinstance(name, ast.Constant) else getattr(node, "attr", None)
    return isinstance(word, str) and bool(LIMITS.search(word))


def test_no_chapter_compares_a_limit_by_itself():
    raw = [
        (path.name, cell["id"], ast.unparse(node))
        for path in sorted(ROOT.glob("notebooks/*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
        and not {"teach", "exercise", "solution"} & set(cell["metadata"].get("tags", []))
        for node in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.Lt | ast.Gt | ast.LtE | ast.GtE)
        and any(_is_limit(side) for side in (node.left, *node.comparators))
    ]
    assert not raw  # `limits_side` counts them as they are shown


#: What follows a placeholder and ends in s, but is nothing counted that may be one.
NOT_COUNTED = (
    {"as", "cases", "claims", "comes", "decimals", "does", "errors", "goes", "has", "ids", "intervals", "is"}
    | {"its", "leaves", "lies", "names", "needs", "others", "points", "sales", "takes", "theirs", "times"}
    | {"was", "works", "surveys"}
)


def test_one_of_what_is_counted_takes_the_singular():
    unknown = set()
    for key, templates in catalogue().items():
        for name, noun in re.findall(r"(?<!\} of )\{(\w+)\}(?: [a-z]+)? ([a-z]+s)\b", templates["en"]):
            names = {part[1] for part in string.Formatter().parse(templates["en"]) if part[1]}
            plural = re.search(
                rf"\b1(?: [a-z]+)? {noun}\b", text(key, **dict.fromkeys(names, "7") | {name: "1"})
            )
            unknown |= {(key, noun)} if plural and noun not in NOT_COUNTED else set()
    assert unknown == set()
    assert text("impact.groups_one_arm", count=1).startswith("1 group is left out")
    assert text("impact.groups_one_arm", count=21).startswith("21 groups are left out")
    assert text("segmentation.uncounted.reasons.free", n="1").startswith("1 free order (")


@pytest.mark.parametrize(
    "source", ["differences", "impact", "intervals", "journey", "money", "nps", "segmentation", "sharing"]
)
def test_japanese_sentences_of_reports_have_no_space_within_japanese_or_beside_a_number(source):
    entries = yaml.safe_load((TEXTS / f"{source}.yml").read_text(encoding="utf-8"))
    wide = r"[\u3001-\u3011\u3040-\u30ff\u3400-\u9fff\uff01-\uff5e]"
    stray = re.compile(rf"(?<=[}}0-9%]) +(?={wide})|(?<={wide}) +(?=[{{0-9]|{wide})")
    assert {key for key, templates in entries.items() if stray.search(templates["ja"])} == set()
