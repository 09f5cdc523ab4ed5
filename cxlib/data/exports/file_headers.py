"""Names of the columns of a file without reading its rows: many files are held against many mappings."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import zlib
from pathlib import Path

import pyarrow as pa

from cxlib.checks import InputError
from cxlib.data.exports.reading_models import Reading
from cxlib.data.exports.sheets import Sheet, names_of
from cxlib.data.exports.source_files import MOST_OF_A_HEADER, delimiter_of, encodings_of, read_sheets
from cxlib.data.file_kinds import kind_in_gzip, kind_of

LOOKED_AT = 1 << 20


class Headers:
    """Names of the columns of one file, read once for each way of reading it.

    A class because dozens of mappings ask for them, most in the same way, and a workbook opens slowly.
    """

    def __init__(self, folder: Path, file: str) -> None:
        self.folder, self.file = folder, file
        self._found: dict[str, list[str]] = {}

    def names(self, reading: Reading) -> list[str]:
        """Names as a mapping reads them, whatever it calls the file; none where it can't be read so."""
        own = reading.model_copy(update={"file": self.file, "files": None, "footer": None})
        way = repr([getattr(own, field) for field in Reading.model_fields])
        if way not in self._found:
            self._found[way] = _names(self.folder, self.file, own)
        return self._found[way]


def _names(folder: Path, file: str, reading: Reading) -> list[str]:
    try:
        kind = kind_of(folder / file)
        if kind == "text" or (kind == "gz" and kind_in_gzip(folder / file) == "text"):
            rows = _first_rows(folder / file, reading, is_folded=kind == "gz")
            return names_of(Sheet(file, rows, pa.table({})), reading.header) if rows else []
        if kind == "parquet":
            import pyarrow.parquet as pq

            return list(map(str, pq.read_schema(folder / file).names))
        return names_of(read_sheets(folder, reading)[0], reading.header)
    except (InputError, OSError, EOFError, zlib.error, pa.ArrowException, csv.Error, UnicodeError):
        return []


def _first_rows(path: Path, reading: Reading, *, is_folded: bool) -> list[list[str]]:
    """Header rows of a text in the first encoding that fits its beginning, all of one width."""
    with gzip.open(path) if is_folded else path.open("rb") as file:
        start = file.read(LOOKED_AT)
    for encoding in encodings_of(start, reading):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(start).removeprefix("\ufeff")
        except UnicodeError:
            continue
        delimiter = delimiter_of(start[:MOST_OF_A_HEADER], encoding, path.name, reading)
        lines = io.StringIO(text, newline="")
        for _ in range(reading.skip):
            lines.readline()
        rows = list(itertools.islice(csv.reader(lines, delimiter=delimiter), reading.header_rows))
        return rows if len({len(row) for row in rows}) == 1 else []
    return []
