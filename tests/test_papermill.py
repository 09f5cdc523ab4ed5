"""A chapter is a plain notebook: papermill alone runs it, without the handbook's own command."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.mark.slow
def test_papermill_alone_runs_a_chapter_with_a_parameter(tmp_path):
    done = tmp_path / "journey.ipynb"
    chapter = NOTEBOOKS / "02_journey.ipynb"
    words = [
        chapter,
        done,
        "--cwd",
        NOTEBOOKS,
        "-p",
        "f2_days",
        "90",
        "--kernel",
        "python3",
        "--no-progress-bar",
    ]
    subprocess.run([sys.executable, "-m", "papermill", *map(str, words)], check=True, capture_output=True)
    outputs = [out for cell in nbformat.read(done, 4).cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.output_type == "error"]
    records = [out.metadata.get("cx", {}) for out in outputs if "metadata" in out]
    assert any("90 days" in record.get("text", "") for record in records)
