"""Publish a run whole or not at all: lock the folder, build beside it, rename once everything is there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cxlib.checks import ParameterError
from cxlib.runner.errors import LockedError, output_error

_BUILDING = ".building-"
_LOCK = ".lock"
_ITEMS = ".items"


def check_out(out: Path, *, name: str = "--out") -> Path:
    """Return a folder to write to as an absolute path, or refuse a name no system can take.

    Raises
    ------
    ParameterError
        A NUL or other control character, or a part longer than 255 bytes; `name` is the option it came by.
    OutputError
        The place, or one it lies in, exists and is not a folder.
    """
    if any(ord(mark) < 32 for mark in str(out)):
        raise ParameterError("runner.control_character", name=name)
    if any(len(os.fsencode(part)) > 255 for part in out.parts):
        raise ParameterError("runner.too_long", name=name, limit="255")
    place = Path(os.path.abspath(out))
    try:
        nearest = next(path for path in (place, *place.parents) if path.exists() or path.is_symlink())
        if not nearest.is_dir():
            raise NotADirectoryError(20, "not a folder")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise PermissionError(13, "no permission")
    except OSError as error:
        raise output_error(error, out) from None
    return place


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the reports folder for this run; of what a killed run left, whole items are published.

    The lock is the operating system's, on an open file, so it ends with the process whatever kills it.

    Raises
    ------
    LockedError
        Another run holds it.
    OutputError
        The folder cannot be made or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out / _LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    except OSError as error:
        raise output_error(error, out) from None
    try:
        if not _take(handle):
            holder = os.read(handle, 20).decode("ascii", "replace").strip() or "?"
            raise LockedError("runner.locked", place=out.name, process=holder)
        try:
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
            for stale in out.glob(f"{_BUILDING}*"):
                if not _rescued(stale, out):
                    shutil.rmtree(stale, ignore_errors=True)
        except OSError as error:
            raise output_error(error, out) from None
        yield
    finally:
        os.close(handle)


def item_file(item: str) -> str:
    """Where a draft keeps the record of a finished item, the last of its files to be written."""
    return f"{_ITEMS}/{item}.json"


def _rescued(stale: Path, out: Path) -> bool:
    """Publish the finished items of a run that was killed; False where there are none, or not to be had."""
    held = stale / _ITEMS
    if stale.is_symlink() or not held.is_dir():
        return False
    try:
        run = json.loads((stale / "run.json").read_text(encoding="utf-8"))
        items = {
            file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(held.glob("*.json"))
        }
        if not items:
            return False
        run["status"] = "interrupted"
        run["reports"] |= {item: entry["record"] for item, entry in items.items()}
        files = {"run.json": run}
        if run.get("is_shared") is not True:
            files["results.json"] = {item: entry["results"] for item, entry in items.items()}
        for name, content in files.items():
            write_synced(stale / name, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())
        shutil.rmtree(held)
        os.rename(stale, out / stale.name.removeprefix(_BUILDING))
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def _take(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            os.lseek(handle, 1_000, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def stamp(now: datetime | None = None) -> str:
    """Name of a run: the second it started, UTC, `20260401-093000`."""
    return (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")


def free_name(out: Path, name: str) -> str:
    """Return `name`, or `name-2`, … when a run of that second is there already."""
    taken = {path.name for folder in (out, out / "failed") if folder.is_dir() for path in folder.iterdir()}
    number = 1
    while (candidate := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return candidate


class Draft:
    """A run being built in a hidden folder beside its target.

    A class because the folder must go away again unless `publish` was reached.
    """

    def __init__(self, out: Path, run: str) -> None:
        self.out, self.run = out, run
        self.folder = out / f"{_BUILDING}{run}"
        self.target, self.failed = out / run, out / "failed" / run

    def __enter__(self) -> Draft:
        with self._told():
            self.folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files, down to the disk.

        Raises
        ------
        OutputError
            Disk full or not writable; nothing of the run is published then.
        """
        with self._told():
            for name, content in files.items():
                path = self.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                write_synced(path, content)

    def take(self, files: Mapping[str, Path]) -> None:
        """Take files of an earlier run over: as links, which cost no room, or copies where a disk has none.

        Raises
        ------
        OutputError
            As `write`.
        """
        with self._told():
            for name, file in files.items():
                path = self.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(file, path)
                except OSError:
                    shutil.copyfile(file, path)

    def publish(self) -> Path:
        """Give the finished folder its name; before this nobody sees it, after this all of it is there."""
        with self._told():
            shutil.rmtree(self.folder / _ITEMS, ignore_errors=True)
            os.rename(self.folder, self.target)
        with contextlib.suppress(OSError):  # the run has its name; only how soon the disk knows is open
            _sync_folder(self.out)
        return self.target

    def keep_failed(self, files: Mapping[str, bytes]) -> Path:
        """Keep what helps to understand a failure under `failed/`, instead of the run."""
        with self._told():
            if (self.out / "failed").is_symlink():
                raise NotADirectoryError(20, "a link")
            for name, content in files.items():
                (self.failed / name).parent.mkdir(parents=True, exist_ok=True)
                write_synced(self.failed / name, content)
        return self.failed

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise output_error(error, self.out) from None


def replace(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old one or the new one, never half of it."""
    draft = path.with_name(f"{_BUILDING}{path.name}")
    try:
        draft.unlink(missing_ok=True)
        write_synced(draft, content)
        os.replace(draft, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise output_error(error, path.parent) from None


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, made where it is not there; each is the old one or the new one, never half.

    Raises
    ------
    OutputError
        The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, folder) from None
    for name, content in files.items():
        replace(folder / name, content)


def write_synced(path: Path, content: bytes) -> None:
    """Write bytes and wait until the disk has them."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
