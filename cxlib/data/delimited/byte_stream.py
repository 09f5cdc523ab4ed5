"""Bytes of a text file as UTF-8, unfolded and decoded piece by piece, within bounds."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import os.path
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from cxlib.data.file_kinds import LOOKED_AT, FileKind, kind_of, kind_of_bytes

PIECE = 1 << 24
MOST_BYTES = 16 << 30
MOST_COLUMNS = 2_000
LONGEST_LINE = 1 << 24
#: How many times its size a gzip file may unfold to, once it is more than a few megabytes.
MOST_UNFOLDED = 100
SURELY_FINE = 50 << 20
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Unfit(Exception):
    """Why a file is no text within bounds; a class because the caller knows the words for it."""

    def __init__(self, kind: str, **values: object) -> None:
        self.kind, self.values = kind, values
        super().__init__(kind)


def pieces(path: Path, encoding: str, skip: int = 0) -> Iterator[bytes]:
    """UTF-8 pieces of a file without its first `skip` lines and without byte order mark.

    Raises
    ------
    Unfit
        `wrong_kind` (no text at all), `unreadable`, `encoding`, `no_text` (NUL characters), `unfolds`,
        `too_large`.
    """
    raw = _without_lines(_raw(path), skip) if _keeps_ascii(encoding) else _raw(path)
    texts = _decoded(raw, encoding)
    if not _keeps_ascii(encoding):
        texts = _without_lines(texts, skip)
    is_first = True
    for piece in texts:
        text = piece.removeprefix(codecs.BOM_UTF8) if is_first else piece
        if is_first and text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise Unfit("encoding", declared=encoding, likely="utf-16")
        is_first = False
        if b"\0" in text:
            raise Unfit("no_text", **as_wide(text, encoding))
        yield text


def _keeps_ascii(encoding: str) -> bool:
    """Whether line ends are single bytes: not so in UTF-16 and UTF-32."""
    return not codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def as_wide(text: bytes, encoding: str) -> dict[str, object]:
    """Say which UTF-16 a text with a NUL beside every letter is likely to be."""
    start = text[:4096]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return {"declared": encoding, "likely": "utf-16"}
    if start.count(0) * 3 < len(start):
        return {}
    likely = "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    return {"declared": encoding, "likely": likely}


def _raw(path: Path) -> Iterator[bytes]:
    total, size = 0, os.path.getsize(path)
    try:
        with path.open("rb") as file:
            kind = kind_of_bytes(file.read(LOOKED_AT))
            file.seek(0)
            is_folded = kind == "gz"
            if not is_folded and kind != "text":
                raise Unfit("wrong_kind", what=FileKind(kind_of(path)))
            opened: IO[bytes] = gzip.GzipFile(fileobj=file) if is_folded else file  # type: ignore[assignment]
            while piece := opened.read(PIECE):
                total += len(piece)
                if is_folded and total == len(piece) and (kind := kind_of_bytes(piece[:LOOKED_AT])) != "text":
                    raise Unfit("wrong_kind", what=FileKind(kind))
                if is_folded and total > max(SURELY_FINE, MOST_UNFOLDED * size):
                    raise Unfit("unfolds", times=f"{MOST_UNFOLDED:,}")
                if total > MOST_BYTES:
                    raise Unfit("too_large", limit=f"{MOST_BYTES >> 30} GB")
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise Unfit("unreadable") from error


def _decoded(raw: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Pieces as UTF-8; those that are it already are checked, so that no reader meets a broken letter."""
    decoder = None
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    try:
        for piece in raw:
            if decoder is None:
                decoder = codecs.getincrementaldecoder(_with_byte_order(piece, encoding))()
            text = decoder.decode(piece)
            yield piece if is_utf8 else text.encode("utf-8")
        if decoder is not None:
            rest = decoder.decode(b"", final=True)
            yield b"" if is_utf8 else rest.encode("utf-8")
    except UnicodeError as error:
        raise Unfit("encoding", declared=encoding) from error


def _with_byte_order(start: bytes, encoding: str) -> str:
    """UTF-16 and UTF-32 without a mark are read as the machine writes them; look which it is instead."""
    name = codecs.lookup(encoding).name
    if name not in ("utf-16", "utf-32") or start.startswith(tuple(mark for mark, _ in _BYTE_ORDER_MARKS[1:])):
        return encoding
    width = 2 if name == "utf-16" else 4
    zeros = [start[at:4096:width].count(0) for at in range(width)]
    if sum(zeros) * 3 < len(start[:4096]):
        raise Unfit("encoding", declared=encoding)
    return f"{name}-le" if zeros[-1] > zeros[0] else f"{name}-be"


def _without_lines(texts: Iterator[bytes], skip: int) -> Iterator[bytes]:
    """Pieces after the first lines; a line ends at LF, CR LF or CR."""
    rest = b""
    for piece in texts:
        if not skip:
            yield piece
            continue
        rest += piece
        lines = rest.splitlines(keepends=True)
        done = [line for line in lines[:-1] if line[-1:] in b"\r\n"]
        if len(done) >= skip:
            yield b"".join(lines[skip:])
            rest, skip = b"", 0
        elif len(rest) > LONGEST_LINE * 4:
            raise Unfit("long_line", limit=f"{LONGEST_LINE >> 20} MB")
    if skip:
        yield b"".join(rest.splitlines(keepends=True)[skip:])


class Watched(io.RawIOBase):
    """Pieces as a file object that shows each one to watchers on its way.

    A class because pyarrow reads from file objects only. `failure` keeps what stopped the pieces.
    """

    def __init__(self, texts: Iterator[bytes], watchers: Sequence[Watcher]) -> None:
        self._texts, self._watchers = texts, watchers
        self._rest = memoryview(b"")
        self.failure: Unfit | None = None

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with the next bytes."""
        view = memoryview(buffer).cast("B")
        while not self._rest:
            piece = self._next()
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        n = min(len(view), len(self._rest))
        view[:n], self._rest = self._rest[:n], self._rest[n:]
        return n

    def _next(self) -> bytes | None:
        try:
            piece = next(self._texts, None)
            for watcher in self._watchers if piece is not None else ():
                watcher.feed(piece)  # type: ignore[arg-type]
        except Unfit as error:
            self.failure = error
            raise OSError from error
        return piece

    def drain(self) -> None:
        """Show the rest to the watchers, wherever the reader stopped."""
        with contextlib.suppress(OSError):
            while self._next() is not None:
                pass


class Watcher(Protocol):
    """What sees the pieces of a text."""

    def feed(self, text: bytes) -> None:
        """Look at the next piece."""
