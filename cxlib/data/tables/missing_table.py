"""What is said of a table that is not there."""

from __future__ import annotations

from cxlib.checks import NotEnoughData
from cxlib.data.contract import TABLES
from cxlib.language import text


def no_table(name: str) -> NotEnoughData:
    """Error that names a table of the contract, its required columns, and what it would give."""
    columns = ", ".join(column for column, rule in TABLES[name].columns.items() if rule.required)
    return NotEnoughData("tables.no_table", table=name, columns=columns, gives=_Use(name))


class _Use:
    """What a table would give, in the reader's language."""

    def __init__(self, table: str) -> None:
        self.table = table

    def text(self, lang: str) -> str:
        return text(f"tables.use.{self.table}", lang)
