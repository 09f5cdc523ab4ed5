"""What a file is, told by its first bytes: a workbook that is called `orders.csv` is named as a workbook."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from cxlib.language import text

#: Kinds whose first bytes nothing else has.
_SIGNATURES = {
    b"PAR1": "parquet",
    b"%PDF": "pdf",
    b"\x1f\x8b": "gz",
    b"\xd0\xcf\x11\xe0": "old_workbook",
    b"SQLite format 3": "database",
    b"\xfd7zXZ": "archive",
    b"BZh": "archive",
    b"\x28\xb5\x2f\xfd": "archive",
    b"7z\xbc\xaf": "archive",
    b"Rar!": "archive",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"GIF8": "picture",
}
_MARKS = re.compile(rb"^(?:\xef\xbb\xbf)?\s*")
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body|table|meta)\b", re.IGNORECASE)
_XML = re.compile(rb"<\?xml\b")
_JSON = re.compile(rb"\[\s*[\[{]|\[\s*\]\s*$|\{\s*(?:\"|\}\s*$)")
_LINES = re.compile(rb"\{\s*(?:\"[^\n]*)?\}\s*(?:\n|$)")
LOOKED_AT = 1 << 16
#: What is inside a zip file that is a document of its own.
_INSIDE = {"xl/workbook.xml": "workbook", "xl/workbook.bin": "old_workbook", "content.xml": "open_document"}
_INSIDE |= {"word/document.xml": "document", "ppt/presentation.xml": "document"}


@dataclass(frozen=True)
class FileKind:
    """The kind of a file; a class because messages word it in the reader's language."""

    name: str

    def text(self, lang: str) -> str:
        """Return the kind in words."""
        return text(f"tables.kind.{self.name}", lang)


def kind_of_bytes(start: bytes) -> str:
    """Return the kind of what begins so; `text` where nothing speaks against it.

    Examples
    --------
    >>> [kind_of_bytes(start) for start in (b"%PDF-1.7", b"<!doctype html>", b'[{"id": 1}]', b"id,amount")]
    ['pdf', 'page', 'json', 'text']
    >>> kind_of_bytes(b'{"id": 1}' + bytes([10]) + b'{"id": 2}')
    'json_lines'
    """
    for signature, kind in _SIGNATURES.items():
        if start.startswith(signature):
            return kind
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if start[257:262] == b"ustar":
        return "archive"
    bare = _MARKS.sub(b"", start, count=1)
    if _PAGE.match(bare):
        return "page"
    if _XML.match(bare):
        return "page" if b"<html" in bare.lower() else "xml"
    if _JSON.match(bare):
        return "json_lines" if _LINES.match(bare) else "json"
    return "text"


def kind_of(path: Path) -> str:
    """Return the kind of a file; a zip that is a document of its own is called by what it is.

    A file that cannot be read counts as text: whoever reads it says what is wrong.
    """
    try:
        with path.open("rb") as file:
            kind = kind_of_bytes(file.read(LOOKED_AT))
        if kind != "zip":
            return kind
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except OSError:
        return "text"
    except (zipfile.BadZipFile, ValueError):
        return "zip"
    return next((kind for name, kind in _INSIDE.items() if name in names), "zip")


def kind_in_gzip(path: Path) -> str:
    """Return the kind of what a gzip file holds; `text` where it is too damaged to tell."""
    try:
        with gzip.open(path, "rb") as file:
            return kind_of_bytes(file.read(LOOKED_AT))
    except (OSError, EOFError, zlib.error):
        return "text"
