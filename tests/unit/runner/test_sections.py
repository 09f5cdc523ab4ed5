import re

import pytest

from cxlib.runner.sections import FEWEST, MOST, MOST_DECISIONS, MOST_ROWS, Block, arrange, with_folds

TITLE = Block("prose", "<h1>Title</h1><p>The question.</p>")


def prose(words, level=2, rest=""):
    return Block("prose", f"<h{level}>{words}</h{level}>{rest}")


def finding(key, verdict=None):
    return Block("output", f"<p>{key}</p>", {"kind": "finding", "key": key, "verdict": verdict, "text": key})


def notice(text, level="info", **record):
    return Block(
        "output", f"<p>{text}</p>", {"kind": "notice", "key": "n", "level": level, "text": text, **record}
    )


def table(n_rows, heads=("Group", "n")):
    head = "".join(f"<th>{name}</th>" for name in heads)
    rows = "<tr><td>a</td></tr>" * n_rows
    html = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return Block("output", html, {"kind": "table", "key": "t"})


def words(sections):
    return [section.words for section in sections]


def shown(blocks):
    return [re.sub("<[^>]+>", "", block.html) for block in blocks]


def test_a_report_is_read_from_the_answer_to_the_data():
    cells = [TITLE, prose("Period"), prose("Data"), prose("Answer"), prose("Step by step"), prose("Limits")]
    found = arrange(cells)
    assert found.title == "Title" and shown(found.lead) == ["The question."]
    assert words(found.body) == ["Answer", "Step by step", "Limits"]
    assert words(found.about_data) == ["Period", "Data"]


@pytest.mark.parametrize("heading", ["Answer", "現状"])
def test_the_answer_is_known_in_both_languages(heading):
    assert words(arrange([TITLE, prose("X"), prose(heading)]).about_data) == ["X"]


def test_a_lesson_keeps_its_order_and_its_notices_but_lifts_what_is_in_short():
    cells = [TITLE, prose("Data"), notice("few"), prose("Answer"), prose("In short"), finding("a.b")]
    found = arrange(cells, is_report=False)
    assert words(found.body) == ["Data", "Answer"] and not found.about_data
    assert shown(found.body[0].blocks) == ["few"] and shown(found.in_short) == ["a.b"]


@pytest.mark.parametrize("heading", ["In short", "要約"])
def test_a_section_in_short_is_lifted_whole_wherever_it_stands(heading):
    own = [prose(heading, rest="<p>Read this.</p>"), finding("a.first"), finding("a.second", "met")]
    for cells in ([TITLE, *own, prose("Answer"), finding("a.x", "met")], [TITLE, prose("Answer"), *own]):
        found = arrange(cells)
        assert shown(found.in_short) == ["Read this.", "a.first", "a.second"]
        assert words(found.body) == ["Answer"]


def test_what_to_do_goes_before_the_rest_of_the_answer_wherever_it_stands():
    steps = [finding(f"a.next[reason={number}]", "stop") for number in range(3)]
    told = [finding(f"a.next_{number}", "met") for number in range(4)]  # of what comes next, not what to do
    found = arrange([prose("Title", 1), prose("Answer"), *told, *steps])
    assert shown(found.in_short)[:3] == [f"a.next[reason={number}]" for number in range(3)]
    assert len(found.in_short) == 6


def test_without_one_the_decision_and_the_verdicts_of_the_answer_stand_in_short():
    cells = [TITLE, prose("Answer"), finding("a.plain"), finding("a.told", "risen")]
    cells += [prose("Sub", 3), finding("a.under", "fallen"), prose("Limits"), finding("a.decision_x", "met")]
    cells += [
        prose("Step by step"),
        finding("a.step", "differ"),
        prose("Decision rule"),
        finding("a.rule", "met"),
    ]
    found = arrange(cells)
    assert shown(found.in_short) == ["a.decision_x", "a.rule", "a.told", "a.under"]
    everywhere = [text for section in found.body for text in shown(section.blocks)]
    assert {"a.told", "a.rule", "a.plain"} <= set(everywhere), "they also stay where they are explained"


def test_in_short_are_three_to_six_findings():
    many = [finding(f"a.{n}", "met") for n in range(9)]
    cells = [TITLE, prose("Answer"), *many, prose("判断"), *many]
    assert len(arrange(cells).in_short) == MOST
    assert shown(arrange(cells).in_short)[: MOST_DECISIONS + 1] == ["a.0", "a.1", "a.2", "a.3", "a.0"]
    few = [finding("a.told", "met"), *[finding(f"a.plain{n}") for n in range(5)]]
    assert shown(arrange([TITLE, prose("Answer"), *few]).in_short) == ["a.told", "a.plain0", "a.plain1"]
    assert FEWEST == 3 and arrange([TITLE, prose("Answer")]).in_short == []


def test_where_nothing_was_found_the_reason_stands_in_short_and_once():
    lacking = notice("No answers.", "not_enough_data")
    found = arrange([TITLE, notice("Small."), lacking, prose("Answer"), lacking])
    assert shown(found.in_short) == ["No answers."] and found.body[0].blocks == []
    assert found.lead == [Block("prose", "<p>The question.</p>")], "remarks are left to the box"


def test_a_notice_stands_once_and_those_about_the_data_are_left_to_the_box():
    own = notice("why no chart", only_here=True)
    cells = [TITLE, notice("setup", "warning"), prose("Data"), notice("guests"), own, finding("a.b")]
    found = arrange([*cells, prose("Answer"), notice("method"), notice("method"), notice("guests")])
    assert shown(found.body[0].blocks) == ["method", "guests"]
    assert shown(found.about_data[0].blocks) == ["why no chart", "a.b"]
    assert found.told == {"method", "guests", "why no chart"}


def test_long_tables_are_folded_under_their_heading_rows_and_columns():
    cells = [
        TITLE,
        prose("Answer"),
        table(MOST_ROWS),
        prose("Sub", 3),
        table(MOST_ROWS + 1, ("A", "B", "C", "D")),
    ]
    short, _, fold = with_folds(arrange(cells), "en").body[0].blocks
    assert "<details>" not in short.html
    assert "<summary>Table: Sub (13 rows: A, B, C, …)</summary>" in fold.html
    assert fold.html.count("<tr>") == MOST_ROWS + 2, "nothing of it is lost"
    (_, _, fold) = with_folds(arrange(cells), "ja").body[0].blocks
    assert "<summary>表：Sub（13行：A・B・C など）</summary>" in fold.html


@pytest.mark.parametrize("heading", ["For analysts", "分析者向け"])
def test_what_is_for_analysts_is_folded_up_to_the_next_heading(heading):
    cells = [TITLE, prose("Answer"), finding("a.b", "met"), prose(heading, 4, "<p>By bootstrap.</p>")]
    cells += [finding("a.method"), table(20), prose("Next", 3), finding("a.c")]
    before, fold, heading, after = with_folds(arrange(cells), "en").body[0].blocks
    assert "<details>" not in before.html + heading.html + after.html
    assert fold.html.startswith("<details><summary>For analysts</summary>")
    assert "By bootstrap." in fold.html and "a.method" in fold.html and fold.html.count("<details>") == 1


def test_headings_about_the_data_go_one_level_lower():
    cells = [TITLE, prose("Data"), prose("Period", 3), prose("Answer"), prose("Sub", 3)]
    found = with_folds(arrange(cells), "en")
    assert found.about_data[0].blocks[0].html.startswith("<h4>")
    assert found.body[0].blocks[0].html.startswith("<h3>")
