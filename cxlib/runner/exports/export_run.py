"""Write the exports of a run that are asked for: PDF, workbook, slides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cxlib.runner.exports.pdf import find_browser, print_pdf
from cxlib.runner.publish import check_out, replace
from cxlib.runner.run_files import read_run

WORKBOOK, SLIDES = "workbook.xlsx", "slides.pptx"


def export_run(
    place: Path,
    out: Path,
    *,
    kinds: Sequence[str],
    to: Path | None = None,
    browser: Path | None = None,
    lang: str | None = None,
) -> list[Path]:
    """Write the exports asked for beside the run's pages, or into another folder.

    Parameters
    ----------
    place, out
        The run, as `read_run` takes it.
    kinds
        "pdf" (every page), "xlsx", "slides".
    to
        Folder to write to; made if it is not there.
    browser
        Browser that prints, where the first installed is not wanted.
    lang
        Language of workbook and slides; the run's when left out.

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError
        No browser or no `python-pptx`, or the folder cannot be written.
    """
    printer = find_browser(browser) if "pdf" in kinds else ""  # before anything is written
    run = read_run(place, out)
    spoken = lang or str(run.manifest.get("lang") or "en")
    folder = run.folder if to is None else check_out(to, name="--to")
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    if "pdf" in kinds:
        pages = sorted(
            run.folder.glob("*.html"), key=lambda page: (not page.stem.startswith("summary"), page.stem)
        )
        for page in pages:
            files.append(folder / f"{page.stem}.pdf")
            print_pdf(page, files[-1], browser=printer)
    if "xlsx" in kinds:
        from cxlib.runner.exports.workbook import workbook

        files.append(folder / WORKBOOK)
        replace(files[-1], workbook(run, spoken))
    if "slides" in kinds:
        from cxlib.runner.exports.slides import slides

        files.append(folder / SLIDES)
        replace(files[-1], slides(run, spoken))
    return files
