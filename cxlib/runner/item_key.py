"""What an item was made from, as one key: notebook, package, versions, parameters, data and rules.

Equal keys mean equal reports, so an item that is there already need not be made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cxlib.data.rules.decisions import FILE as DECISIONS
from cxlib.runner.manifest import versions
from cxlib.runner.plan import Plan, RunSettings

_PACKAGE = Path(__file__).parents[1]
_SOURCES = ("*.py", "*.yml", "*.j2", "*.css")


def item_key(one: Plan, settings: RunSettings, files: Mapping[str, Any]) -> str:
    """Return the key of an item.

    Parameters
    ----------
    one
        The item; where its data lie is no part of the key, what they hold is.
    settings
        How it is run, of which the form and the appendix count.
    files
        What the run reads, from `Watch.record`.
    """
    cells = [
        [cell["cell_type"], cell["source"], cell.get("metadata", {}).get("tags")]
        for cell in one.notebook["cells"]
    ]
    values = {name: value for name, value in one.values.items() if name not in ("data", "lang")}
    parts = [one.report, cells, values, one.languages, settings.form, settings.with_code]
    return digest([*parts, made_by(), files_digest(files)])


def files_digest(files: Mapping[str, Any]) -> str:
    """Digest of data and rules by their bytes; the team's decisions change no report."""
    data = [entry for entries in files["data"].values() for entry in entries if entry["file"] != DECISIONS]
    return digest([[entry["file"], entry["sha256"]] for entry in [*data, *files["rules"]]])


@cache
def made_by() -> str:
    """Digest of this package's sources and of the libraries a number may depend on."""
    found = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    for path in sorted(path for kind in _SOURCES for path in _PACKAGE.rglob(kind)):
        found.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def digest(value: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=True, sort_keys=True).encode()).hexdigest()
