"""How one column comes about, as a mapping says it: one source, then closed verbs in a fixed order."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cxlib.data.contract import Kind
from cxlib.data.exports.reading_models import Cell, Reading, listed
from cxlib.data.numbers import POWERS
from cxlib.data.rules.settings import Zone
from cxlib.data.rules.strict_models import Closed, fault

SOURCES = ("from_", "name_holds", "const", "first_non_empty", "minus", "product", "join", "row_within")
PARTS = ("before", "after", "leading_number", "item")
#: Ways of writing a time that no format of strptime describes.
NAMED_FORMATS = ("epoch_s", "epoch_ms", "epoch_us", "excel_serial", "era", "google_forms_ja")
Sign = Literal["sign", "parentheses", "triangle", "trailing"]


def _a_format(value: str) -> str:
    """Refuse a format that cannot read back what it writes."""
    if value in NAMED_FORMATS:
        return value
    if "%" not in value:
        raise fault("no_format")
    moment = datetime(2026, 9, 30, 13, 14, 15, tzinfo=UTC)
    try:
        datetime.strptime(moment.strftime(value), value)  # noqa: DTZ007
    except (ValueError, re.error) as error:
        raise fault("no_format") from error
    return value


class Number(Closed):
    """How an export writes numbers; full-width digits and spaces are always understood.

    `times` is what one of them stands for: 1000 where a column holds thousands.
    """

    thousands: str = Field(default="", max_length=1)
    decimal: str = Field(default=".", min_length=1, max_length=1)
    symbols: list[str] = Field(default_factory=list)
    negative: Annotated[list[Sign], BeforeValidator(listed), Field(min_length=1)] = Field(
        default_factory=lambda: list[Sign](["sign"])
    )
    times: int = Field(default=1, ge=1, le=1_000_000_000)

    @property
    def counts(self) -> bool:
        """Whether it says in which unit the numbers are."""
        return self.times > 1 or bool(set(self.symbols) & set(POWERS))

    @model_validator(mode="after")
    def _two_signs(self) -> Number:
        if unicodedata.normalize("NFKC", self.thousands) == unicodedata.normalize("NFKC", self.decimal):
            raise fault("same_sign")
        return self


class Part(Closed):
    """Which part of a text is kept: before a sign, after a prefix, the number it starts with, or one item."""

    before: str | None = Field(default=None, min_length=1)
    after: str | None = Field(default=None, min_length=1)
    leading_number: Literal[True] | None = None
    item: int | None = Field(default=None, ge=1)
    of: str = Field(default=";", min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {value: True} if value == "leading_number" else value

    @model_validator(mode="after")
    def _one_part(self) -> Part:
        if sum(getattr(self, part) is not None for part in PARTS) != 1:
            raise fault("exactly_one", options=", ".join(PARTS))
        return self


class Follow(Reading):
    """Ids that were merged: each is followed through pairs of a second file to the end of its chain."""

    old: str = Field(alias="from")
    new: str = Field(alias="to")


class Add(Closed):
    """A duration in another column, added to a time."""

    column: str
    unit: Literal["seconds", "minutes", "hours", "days", "clock"]


class Verb(Closed):
    """How one column of the contract comes about: one source, then what is done to it."""

    from_: str | None = Field(default=None, alias="from")
    also_called: list[str] = Field(default_factory=list)
    optional: bool = False
    name_holds: Annotated[list[str], BeforeValidator(listed), Field(min_length=1)] | None = None
    const: Cell | None = None
    first_non_empty: list[str] | None = Field(default=None, min_length=1)
    minus: list[str] | None = Field(default=None, min_length=2)
    product: list[str] | None = Field(default=None, min_length=2, max_length=2)
    join: list[str] | None = Field(default=None, min_length=2)
    row_within: list[str] | None = None
    between: str = " "
    zero_pad: int = Field(default=0, ge=0, le=30)
    path: Annotated[list[Cell], BeforeValidator(listed), Field(min_length=1)] | None = None
    part: Part | None = None
    follow: Follow | None = None
    map: dict[Cell, Cell | None] | None = None
    otherwise: Literal["error", "keep", "empty"] = "error"
    number: Number | None = None
    less: Annotated[list[str], BeforeValidator(listed), Field(min_length=1)] | None = None
    format: Annotated[list[Annotated[str, AfterValidator(_a_format)]], BeforeValidator(listed)] | None = None
    timezone: Zone | None = None
    add: Add | None = None
    pseudonymise: Literal["exact", "ignore_case", "phone"] | None = None
    prefix: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> Verb:
        if len(self.given) != 1:
            raise fault("exactly_one", options=", ".join(SOURCES).replace("from_", "from"))
        if self.also_called and self.from_ is None:
            raise fault("exactly_one", options="from")
        return self

    @property
    def given(self) -> list[str]:
        """Sources that are named; exactly one."""
        return [source for source in SOURCES if getattr(self, source) is not None]

    @property
    def kind(self) -> Kind:
        """Kind of a column beyond the contract, by the verbs that were given."""
        if self.number or self.minus or self.product or self.less:
            return "number"
        return "timestamp" if self.format or self.timezone or self.add else "text"

    @property
    def needs(self) -> list[str]:
        """Columns of the export that are read."""
        several = (self.first_non_empty, self.minus, self.product, self.join, self.row_within, self.less)
        named = [*([self.from_] if self.from_ else []), *(name for names in several for name in names or [])]
        return [*named, *([self.add.column] if self.add else [])]
