"""What happens to the rows of an export before they become columns, as a mapping says it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from cxlib.data.exports.reading_models import Cell, Names, Reading, listed
from cxlib.data.rules.strict_models import Closed, fault


class FillDown(Closed):
    """Empty cells take the value above, within rows of one key when `within` is given."""

    columns: list[str] = Field(min_length=1)
    within: list[str] = Field(default_factory=list)


class Pivot(Closed):
    """Long rows, one for each answer, become one row for each `by` with a column for each `name`."""

    by: Names
    name: str
    value: str


class Lookup(Reading):
    """Columns of a second file, found by a key that is unique there; rows without a match stay."""

    on: Names
    key: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    columns: list[str] = Field(min_length=1)

    @property
    def right_key(self) -> list[str]:
        """Name of the key in the second file; the same as in the first unless said otherwise."""
        return self.key or self.on


class Where(Closed):
    """Rows that are kept; with `of`, a cell is a list of items, of which one is enough."""

    column: str
    of: Annotated[str, Field(min_length=1)] | None = None
    is_in: list[Cell] | None = None
    not_in: list[Cell] | None = None
    empty: bool | None = None
    differs_from: str | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Where:
        if [self.is_in, self.not_in, self.empty, self.differs_from].count(None) != 3:
            raise fault("exactly_one", options="is_in, not_in, empty, differs_from")
        if self.of is not None and self.is_in is None and self.not_in is None:
            raise fault("at_least_one", options="is_in, not_in")
        return self


class Grain(Closed):
    """What one row of the result is; of several, the first is kept, by `order` when given.

    `same` names columns that must agree on all of them, such as an order total repeated on every line.
    """

    by: Names
    order: str | None = None
    same: list[str] = Field(default_factory=list)


class AddsUp(Closed):
    """What the amounts of the rows that share `within` come to in the words of the export."""

    within: Names
    to: str
