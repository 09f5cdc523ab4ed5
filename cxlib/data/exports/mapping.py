"""The mapping of an import: closed verbs, no expressions, unknown keys refused."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cxlib.checks import InputError, nearest
from cxlib.data.contract import TABLES, Kind
from cxlib.data.rules.rule_files import Encoding, Settings, Zone, as_text
from cxlib.data.rules.strict_models import Closed, fault, read_yaml, to_model

SOURCES = ("from_", "const", "first_non_empty", "minus", "row_within")
Cell = Annotated[str, BeforeValidator(as_text)]
MOST_SKIPPED = 10_000


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _a_format(value: str) -> str:
    """Refuse a format that cannot read back what it writes."""
    moment = datetime(2026, 9, 30, 13, 14, 15, tzinfo=UTC)
    try:
        datetime.strptime(moment.strftime(value), value)  # noqa: DTZ007
    except (ValueError, re.error) as error:
        raise fault("no_format") from error
    return value


def _a_delimiter(sign: str) -> str:
    if not sign.isascii() or sign.isalnum() or sign in "\"'\r\n\0.-+":
        raise fault("no_delimiter")
    return sign


class Number(Closed):
    """How an export writes numbers; full-width digits and spaces are always understood."""

    thousands: str = Field(default="", max_length=1)
    decimal: str = Field(default=".", min_length=1, max_length=1)
    symbols: list[str] = Field(default_factory=list)
    negative: Literal["sign", "parentheses", "triangle"] = "sign"

    @model_validator(mode="after")
    def _two_signs(self) -> Number:
        if unicodedata.normalize("NFKC", self.thousands) == unicodedata.normalize("NFKC", self.decimal):
            raise fault("same_sign")
        return self


class Verb(Closed):
    """How one column of the contract comes about: one source, then what is done to it."""

    from_: str | None = Field(default=None, alias="from")
    const: Cell | None = None
    first_non_empty: list[str] | None = Field(default=None, min_length=1)
    minus: list[str] | None = Field(default=None, min_length=2)
    row_within: list[str] | None = None
    map: dict[Cell, Cell | None] | None = None
    otherwise: Literal["error", "keep", "empty"] = "error"
    number: Number | None = None
    format: Annotated[str, AfterValidator(_a_format)] | None = None
    timezone: Zone | None = None
    pseudonymise: Literal["exact", "ignore_case"] | None = None
    prefix: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> Verb:
        if len(self.given) != 1:
            raise fault("exactly_one", options="from, const, first_non_empty, minus, row_within")
        return self

    @property
    def given(self) -> list[str]:
        """Sources that are named; exactly one."""
        return [source for source in SOURCES if getattr(self, source) is not None]

    @property
    def kind(self) -> Kind:
        """Kind of a column beyond the contract, by the verbs that were given."""
        if self.number or self.minus:
            return "number"
        return "timestamp" if self.format or self.timezone else "text"

    @property
    def needs(self) -> list[str]:
        """Columns of the export that are read."""
        named = [self.from_] if self.from_ else []
        return [*named, *(self.first_non_empty or []), *(self.minus or []), *(self.row_within or [])]


class Reading(Closed):
    """Which file of an export, and how it is written."""

    file: str = Field(min_length=1)
    encoding: Encoding = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_a_delimiter)] = ","
    skip: int = Field(default=0, ge=0, le=MOST_SKIPPED)
    header_rows: int = Field(default=1, ge=1, le=10)

    @model_validator(mode="after")
    def _inside(self) -> Reading:
        path, drive = Path(self.file), PureWindowsPath(self.file).drive  # C:o.csv leaves the folder there
        if path.is_absolute() or drive or ".." in path.parts or "\0" in self.file or "\\" in self.file:
            raise fault("outside")
        return self


class Lookup(Reading):
    """Columns of a second file, found by a key that is unique there; rows without a match stay."""

    on: Annotated[list[str], BeforeValidator(_listed)] = Field(min_length=1)
    key: Annotated[list[str], BeforeValidator(_listed)] = Field(default_factory=list)
    columns: list[str] = Field(min_length=1)

    @property
    def right_key(self) -> list[str]:
        """Name of the key in the second file; the same as in the first unless said otherwise."""
        return self.key or self.on


class FillDown(Closed):
    """Empty cells take the value above, within rows of one key when `within` is given."""

    columns: list[str] = Field(min_length=1)
    within: list[str] = Field(default_factory=list)


class Where(Closed):
    """Rows that are kept."""

    column: str
    is_in: list[Cell] | None = None
    not_in: list[Cell] | None = None
    empty: bool | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Where:
        if [self.is_in, self.not_in, self.empty].count(None) != 2:
            raise fault("exactly_one", options="is_in, not_in, empty")
        return self


class Grain(Closed):
    """What one row of the result is; of several, the first is kept, by `order` when given.

    `same` names columns that must agree on all of them, such as an order total repeated on every line.
    """

    by: list[str] = Field(min_length=1)
    order: str | None = None
    same: list[str] = Field(default_factory=list)


class TableMapping(Reading):
    """How one table of the contract comes from one file."""

    fill_down: FillDown | None = None
    lookup: list[Lookup] = Field(default_factory=list)
    where: list[Where] = Field(default_factory=list)
    grain: Grain | None = None
    columns: dict[str, Verb]
    extra: dict[str, Verb] = Field(default_factory=dict)


class Mapping(Closed):
    """How an export becomes a data set."""

    data_set: Settings
    tables: dict[str, Annotated[list[TableMapping], BeforeValidator(_listed), Field(min_length=1)]]


def read_mapping(path: Path) -> Mapping:
    """Read the mapping of a file, its names checked against the contract.

    Raises
    ------
    InputError
        Names every unknown key, table or column with the nearest known one.
    """
    mapping = to_model(Mapping, read_yaml(path), file=path.name)
    for table, parts in mapping.tables.items():
        if table not in TABLES:
            raise InputError(
                "exports.unknown_table", file=path.name, table=table, nearest=nearest(table, TABLES)
            )
        for part in parts:
            _check_names(path.name, table, part)
    return mapping


def _check_names(file: str, table: str, part: TableMapping) -> None:
    spec = TABLES[table]
    for column in part.columns:
        if spec.column(column) is None:
            known = nearest(column, spec.columns)
            raise InputError("exports.unknown_column", file=file, table=table, column=column, nearest=known)
    for column in part.extra:
        if spec.column(column) is not None:
            raise InputError("exports.not_extra", file=file, table=table, column=column)
    for column, rule in spec.columns.items():
        if rule.required and column not in part.columns:
            raise InputError("exports.column_not_mapped", file=file, table=table, column=column)
