"""Pages as PDF, printed by a browser that is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cxlib.checks import OutputError

#: Commands by which Chromium and its kin are installed; the first found prints.
BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "msedge", "chrome.exe", "msedge.exe"),
)
_SECONDS = 180


def find_browser(browser: Path | None = None) -> str:
    """Return the command of a browser that can print.

    Raises
    ------
    OutputError
        None is installed, or the one named is not there.
    """
    names = BROWSERS if browser is None else [str(browser)]
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise OutputError("runs.no_browser", looked=", ".join(names))
    return found


def print_pdf(page: Path, target: Path, *, browser: str) -> None:
    """Print one page, without header and footer of the browser's own; nothing is left of a failure.

    Raises
    ------
    OutputError
        The browser does not answer in time, or prints nothing.
    """
    options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", "--disable-extensions"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        options.append("--no-sandbox")  # a browser refuses its sandbox to the administrator
    with tempfile.TemporaryDirectory() as place:
        sheet = Path(place) / "page.pdf"
        command = [browser, *options, f"--user-data-dir={place}/profile", f"--print-to-pdf={sheet}"]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            page_address = page.resolve().as_uri()
            subprocess.run([*command, page_address], capture_output=True, timeout=_SECONDS, check=False)
        if not sheet.is_file() or not sheet.read_bytes().startswith(b"%PDF"):
            raise OutputError("runs.not_printed", page=page.name, browser=Path(browser).name)
        shutil.copyfile(sheet, target)
