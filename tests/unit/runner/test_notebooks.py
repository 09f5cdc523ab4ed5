import ast
import json
from pathlib import Path

import nbformat
import pytest

from cxlib.checks import ParameterError
from cxlib.runner.execute import inject
from cxlib.runner.notebooks import choose, find_notebooks, heading_before, prepare, read_notebook, title

PLAIN = Path(__file__).parents[2] / "notebooks" / "plain"
NOTEBOOK = read_notebook(PLAIN / "01_plain.ipynb")


def tags(notebook):
    return {tag for cell in notebook["cells"] for tag in cell["metadata"].get("tags", [])}


def test_a_report_is_called_by_its_file_name_without_the_number():
    assert list(find_notebooks(PLAIN)) == ["plain", "small"]


def test_reports_come_once_and_in_chapter_order():
    assert list(choose(find_notebooks(PLAIN), ["small", "plain", "small"])) == ["plain", "small"]
    assert list(choose(find_notebooks(PLAIN), [])) == ["plain", "small"]


@pytest.mark.parametrize("name", ["smal", "../../x", "/etc/passwd", "x\0y", "n" * 300, "01_plain"])
def test_an_unknown_report_is_refused_with_the_nearest_name(name):
    with pytest.raises(ParameterError) as caught:
        choose(find_notebooks(PLAIN), [name])
    assert caught.value.key == "runner.unknown_report"
    message = str(caught.value)
    assert "plain" in message or "small" in message
    assert "\0" not in message and len(message) < 300


def test_an_empty_folder_and_a_broken_notebook_say_so(tmp_path):
    with pytest.raises(ParameterError, match="--notebooks"):
        choose(find_notebooks(tmp_path), [])
    for text in ("{", "[]", '{"cells": 3}'):
        (tmp_path / "01_x.ipynb").write_text(text)
        with pytest.raises(ParameterError, match=r"01_x\.ipynb"):
            read_notebook(tmp_path / "01_x.ipynb")


def test_the_title_follows_the_language():
    assert title(NOTEBOOK, "en") == "A plain report"
    assert title(NOTEBOOK, "ja") == "素朴なレポート"


def test_forms_drop_their_cells_and_the_other_language():
    report = prepare(NOTEBOOK, form="report", lang="ja")
    assert not {"teach", "exercise", "solution", "lang-en"} & tags(report)
    lesson = prepare(NOTEBOOK, form="lesson", lang="en")
    assert {"teach", "exercise"} <= tags(lesson) and not {"solution", "lang-ja"} & tags(lesson)
    full = prepare(NOTEBOOK, form="full", lang="en")
    assert {"teach", "exercise", "solution", "lang-en", "lang-ja"} <= tags(full)


def test_values_follow_the_parameters_cell_and_stored_outputs_are_gone():
    stored = json.loads(json.dumps(NOTEBOOK))
    for cell in stored["cells"]:
        if cell["cell_type"] == "code":
            cell |= {
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "old"}],
                "execution_count": 9,
            }
    prepared = inject(
        nbformat.from_dict(prepare(stored, form="report", lang="en")), {"label": "it's", "n_rows": 3}
    )
    names = ["".join(cell["metadata"]["tags"]) for cell in prepared["cells"]]
    injected = prepared["cells"][names.index("parameters") + 1]
    assert injected["id"] == "injected-parameters"
    assert ast.literal_eval(injected["source"].splitlines()[-2].split(" = ")[1]) == "it's"
    assert injected["source"].splitlines()[-1] == "n_rows = 3"
    assert all(not cell.get("outputs") for cell in prepared["cells"])
    assert prepared["metadata"]["kernelspec"]["name"] == "python3"
    assert [cell for cell in stored["cells"] if cell.get("outputs")], "the source is left as it was"


def test_a_place_is_named_by_the_heading_above():
    prepared = prepare(NOTEBOOK, form="report", lang="en")
    assert heading_before(prepared, len(prepared["cells"]) - 1) == "Chart"
    assert heading_before({"cells": []}, 0) == ""
