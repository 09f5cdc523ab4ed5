"""Lines that systems write below the rows, such as a total or small print: the rows end before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

#: Cells that a line of a footer holds at most: a row that was cut off in a download holds more.
MOST_CELLS = 2


@dataclass(frozen=True, order=True)
class Misfit:
    """A line whose cells do not fit the header; a class because the parser tells three things of it."""

    row: int
    cells: int
    text: str = ""


@dataclass(frozen=True)
class FooterForm:
    """How a footer is told: shorter lines, or what its first cell starts with."""

    shorter: bool = False
    starts_with: tuple[str, ...] = ()

    def fits(self, line: Misfit, columns: int, delimiter: str) -> bool:
        """Whether a line that does not fit the header begins the footer."""
        cells = [cell.strip(' "') for cell in line.text.split(delimiter)]
        if self.starts_with and cells[0].startswith(self.starts_with):
            return True
        return self.shorter and line.cells < columns and sum(map(bool, cells)) <= MOST_CELLS


def without_footer(
    cells: pa.Table, misfits: Sequence[Misfit], footer: FooterForm, delimiter: str
) -> tuple[pa.Table, list[Misfit]]:
    """Rows, and lines that do not fit, before the footer; `misfits` in the order of the file.

    A row of the table stands after those misfits whose place in the file comes before its own: the k-th
    misfit, in row r, follows r − k rows that fit.
    """
    before = [line.row - 1 - at for at, line in enumerate(misfits)]
    ends = [at for at, line in enumerate(misfits) if footer.fits(line, cells.num_columns, delimiter)]
    end, n_misfits = (before[ends[0]], ends[0]) if ends else (cells.num_rows, len(misfits))
    for start in footer.starts_with:
        found = pc.index(pc.starts_with(pc.utf8_trim_whitespace(cells.column(0)), start), True).as_py()
        if 0 <= found < end:
            end, n_misfits = found, sum(place <= found for place in before[:n_misfits])
    return cells.slice(0, end), list(misfits[:n_misfits])
