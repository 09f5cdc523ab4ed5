"""The mapping of an import: closed verbs, no expressions, unknown keys refused."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from cxlib.checks import InputError, nearest
from cxlib.data.contract import TABLES
from cxlib.data.exports.column_models import Verb
from cxlib.data.exports.reading_models import Names, Reading, listed
from cxlib.data.exports.row_models import AddsUp, FillDown, Grain, Lookup, Pivot, Where
from cxlib.data.rules.settings import Currency, Settings, Zone
from cxlib.data.rules.strict_models import Closed, read_yaml, to_model


class TableMapping(Reading):
    """How one table of the contract comes from one file, or from files written alike."""

    known_by: list[str] = Field(default_factory=list)
    fill_down: FillDown | None = None
    pivot: Pivot | None = None
    lookup: list[Lookup] = Field(default_factory=list)
    latest: Names | None = None
    where: list[Where] = Field(default_factory=list)
    grain: Grain | None = None
    adds_up: AddsUp | None = None
    columns: dict[str, Verb]
    extra: dict[str, Verb] = Field(default_factory=dict)

    @property
    def verbs(self) -> dict[str, Verb]:
        """Columns of the contract and of your own."""
        return {**self.columns, **self.extra}

    @property
    def needs(self) -> list[str]:
        """Columns of the export that anything reads, without those a lookup brings."""
        grain, pivot, fill = self.grain, self.pivot, self.fill_down
        named: list[Iterable[str]] = [verb.needs for verb in self.verbs.values()]
        named += [
            [where.column, where.differs_from] if where.differs_from else [where.column]
            for where in self.where
        ]
        named += [self.latest or [], self.known_by]
        named += [lookup.on for lookup in self.lookup]
        named += [[*fill.columns, *fill.within]] if fill else []
        named += [[*pivot.by, pivot.name, pivot.value]] if pivot else []
        named += [[*self.adds_up.within, self.adds_up.to]] if self.adds_up else []
        named += [[*grain.by, *grain.same, *([grain.order] if grain.order else [])]] if grain else []
        brought = {column for lookup in self.lookup for column in lookup.columns}
        return [
            name for name in dict.fromkeys(name for names in named for name in names) if name not in brought
        ]


class Derived(Closed):
    """Customers made from the ids of other tables, as far as no block above names them."""

    derive: Names
    type: Literal["consumer", "business"] = "consumer"


def _model_of(block: Any) -> str:
    is_derived = isinstance(block, Derived) or (isinstance(block, dict) and "derive" in block)
    return "Derived" if is_derived else "TableMapping"


Block = Annotated[
    Annotated[TableMapping, Tag("TableMapping")] | Annotated[Derived, Tag("Derived")],
    Discriminator(_model_of),
]


class Described(Settings):
    """What a mapping says about the data set; what it leaves out, the import is told or finds."""

    name: str | None = None  # type: ignore[assignment]
    currency: Currency | None = None  # type: ignore[assignment]
    timezone: Zone | None = None  # type: ignore[assignment]
    extracted_at: datetime | None = None  # type: ignore[assignment]


class Mapping(Closed):
    """How an export becomes a data set."""

    data_set: Described = Field(default_factory=Described)
    tables: dict[str, Annotated[list[Block], BeforeValidator(listed), Field(min_length=1)]]

    def blocks(self) -> dict[str, list[TableMapping]]:
        """Blocks that read files, by table."""
        return {
            table: [part for part in parts if isinstance(part, TableMapping)]
            for table, parts in self.tables.items()
        }


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
            if isinstance(part, TableMapping):
                _check_names(path.name, table, part)
            else:
                _check_derived(path.name, table, part, mapping)
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


def _check_derived(file: str, table: str, part: Derived, mapping: Mapping) -> None:
    """Only customers are derived, from tables that are mapped with their customer_id."""
    blocks = mapping.blocks()
    able = [
        name
        for name, parts in blocks.items()
        if name != "customers" and name in TABLES and any("customer_id" in part.columns for part in parts)
    ]
    for source in part.derive:
        if table != "customers" or source not in able or TABLES[source].time is None:
            options = nearest(source, able) or "–"
            raise InputError("exports.not_derived", file=file, table=table, source=source, nearest=options)
