"""What a run reads from disk: hashed before the first kernel starts, watched meanwhile, hashed at the end.

A file that changed in between may have been read in either state, so no manifest could say which numbers came
from which bytes; such a run is refused.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cxlib.checks import InputError
from cxlib.data.places import HANDBOOK
from cxlib.runner.manifest import Scrubber
from cxlib.runner.plan import Plan, RunSettings

_READ = (".parquet", ".csv", ".csv.gz", ".yml", ".duckdb", ".db", ".ddb", ".wal")
_SECONDS = 0.5
_BLOCK = 1 << 20


def files_read(place: Path) -> list[Path]:
    """Files a data set can be read from: those of a folder, or a DuckDB file with those beside it; rules too.

    Hidden files and the lock files of spreadsheets (`~$…`) are nobody's table.
    """
    if place.is_dir():
        there = [*sorted(place.iterdir()), *sorted((place / "rules").glob("*.yml"))]
        found = [path for path in there if path.name.endswith(_READ) and path.is_file()]
        return [path for path in found if not path.name.startswith((".", "~$"))]
    beside = [place, place.with_name(f"{place.name}.wal"), place.with_name("dataset.yml")]
    beside += sorted(place.with_name("rules").glob("*.yml"))
    return [path for path in beside if path.is_file()]


def file_entry(path: Path) -> dict[str, Any]:
    """SHA-256, size and, of a CSV or Parquet file, rows.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    digest, size, counter = hashlib.sha256(), 0, _Lines()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
                if path.suffix == ".csv":
                    counter.add(block)
    except OSError as error:
        raise InputError("runner.unreadable_data", file=path.name[:80], reason=error.strerror) from None
    entry: dict[str, Any] = {"file": path.name, "sha256": digest.hexdigest(), "bytes": size}
    if path.suffix == ".csv":
        entry["rows"] = max(0, counter.lines() - 1)
    elif path.suffix == ".parquet":
        entry["rows"] = _parquet_rows(path)
    return entry


class _Lines:
    """Counts the records of a CSV block by block: a line break between quotes ends none.

    A class because quotes may open in one block and close in another.
    """

    def __init__(self) -> None:
        self._count, self._is_quoted, self._is_open = 0, False, False

    def add(self, block: bytes) -> None:
        for number, part in enumerate(block.split(b'"')):
            self._is_quoted ^= number > 0
            self._count += 0 if self._is_quoted else part.count(b"\n")
        self._is_open = not block.endswith(b"\n")

    def lines(self) -> int:
        return self._count + self._is_open


def _parquet_rows(path: Path) -> int | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError):
        return None


class Watch:
    """The files of one run: `with Watch(data, others) as watch: …; watch.changed()`.

    A class because it looks at the files while the run goes on, and remembers what it saw: a file that is
    changed and changed back was read in no one knows which state. A new date on the same bytes is no change.

    Parameters
    ----------
    data
        Data folder or file → what the manifest calls it.
    others
        What else the run reads, heading → files: the rules, the parameters file.
    """

    def __init__(self, data: Mapping[Path, str], others: Mapping[str, Iterable[Path]]) -> None:
        self._places = list(data)
        self._names = dict(data)
        self._others = {heading: list(files) for heading, files in others.items()}
        self._stats = {path: _stat(path) for path in self._files()}
        self._entries = {path: file_entry(path) for path in self._stats}
        self._changed: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_now_and_then, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def record(self) -> dict[str, Any]:
        """Entries for the manifest, as they were before the run: `data` by place, one list per heading."""
        data = {shown: self._listed(files_of) for shown, files_of in self._by_place().items()}
        return {"data": data, **{heading: self._listed(files) for heading, files in self._others.items()}}

    def changed(self) -> list[str]:
        """Names of the files that changed, came or went since the start; every file is hashed once more."""
        self._ended.set()
        self._thread.join()
        self._look(everything=True)
        return sorted(self._changed)

    def _by_place(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {self._names[place]: [] for place in self._places}
        for path in self._entries:
            for place in self._places:
                beside = place if place.is_dir() else place.parent
                if path.parent in (beside, beside / "rules"):
                    found[self._names[place]].append(path)
        return found

    def _listed(self, files: Iterable[Path]) -> list[dict[str, Any]]:
        return [self._entries[path] for path in files if path in self._entries]

    def _files(self) -> list[Path]:
        others = [path for files in self._others.values() for path in files if path.is_file()]
        return list(dict.fromkeys([*(path for place in self._places for path in files_read(place)), *others]))

    def _look_now_and_then(self) -> None:
        while not self._ended.wait(_SECONDS):
            self._look(everything=False)

    def _look(self, *, everything: bool) -> None:
        try:
            here = self._files()
        except OSError:  # the folder itself is gone
            here = []
        self._changed |= {path.name for path in {*here} ^ {*self._entries}}
        for path in self._entries:
            stat = _stat(path)
            if path.name in self._changed or not (everything or stat != self._stats[path]):
                continue
            self._stats[path] = stat
            try:
                is_same = file_entry(path)["sha256"] == self._entries[path]["sha256"]
            except InputError:
                is_same = False
            if not is_same:
                self._changed.add(path.name)


def _stat(path: Path) -> tuple[int, int, int, int] | None:
    """Tell cheaply whether a file is another: place on the disk, size, times; None where it is gone."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def rule_files() -> list[Path]:
    """List the handbook's own rules."""
    return sorted((HANDBOOK / "data" / "rules").rglob("*.yml"))


def watch_run(plans: list[Plan], settings: RunSettings, scrubber: Scrubber) -> Watch:
    """Watch all that the run reads: data, rules and the parameters file."""
    data = {p.data: scrubber.text(str(p.values["data"])) for p in plans if p.data is not None}
    others = {"rules": rule_files()}
    if settings.parameters_file is not None:
        others["parameters_file"] = [settings.parameters_file]
    return Watch(data, others)
