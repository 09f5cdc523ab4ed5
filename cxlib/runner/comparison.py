"""The page and the JSON of a comparison, beside the runs it compares."""

from __future__ import annotations

import json
from pathlib import Path

from cxlib.runner.compare import compare, comparison_json
from cxlib.runner.compare_page import compare_pages
from cxlib.runner.notebooks import find_notebooks
from cxlib.runner.publish import check_out, write_folder
from cxlib.runner.run_files import SCORECARD, read_run


def write_comparison(
    old: Path, new: Path, *, out: Path, notebooks: Path, data: Path | None, lang: str | None, spoken: str
) -> Path:
    """Compare two runs; return the page that says it, in `lang`, the new run's language or `spoken`."""
    before, now = (read_run(place, out) for place in (old, new))
    notebook = find_notebooks(notebooks).get(SCORECARD)
    found = compare(before, now, notebook=notebook, data=data)
    files = compare_pages(found, lang or str(now.manifest.get("lang") or spoken))
    told = json.dumps(comparison_json(found), ensure_ascii=False, indent=1, allow_nan=False)
    folder = check_out(out) / "compare" / f"{found.old.name}-to-{found.new.name}"
    write_folder(folder, {**files, "compare.json": f"{told}\n".encode()})
    return folder / "compare.html"
