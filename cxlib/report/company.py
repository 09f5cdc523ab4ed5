"""What a report asks of a company's tables and of a scope: types only, so that neither is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

import pandas as pd

#: A day as parameters give it; None where the data's own end is meant.
Day = date | str | None


class Company(Protocol):
    """Tables of a company; a class because type checkers ask for one. `DataSet` is one.

    What may be missing is read where it is used: `ends`, `notices`, `attributes`, `silent_days`.
    """

    @property
    def name(self) -> str:
        """Name of the data set."""

    @property
    def currency(self) -> str:
        """Currency of its amounts."""

    @property
    def timezone(self) -> str:
        """Zone of its days."""

    @property
    def as_of(self) -> date:
        """Last day known."""

    @property
    def is_sample(self) -> bool:
        """Whether it is simulated."""

    @property
    def tables(self) -> Sequence[str]:
        """Names of its tables."""

    def table(self, name: str, start: Day = None, end: Day = None, /) -> pd.DataFrame:
        """Rows of a table from one day to another."""


class Chosen(Protocol):
    """Days and customers of a report; a class because type checkers ask for one. `Scope` is one."""

    @property
    def period_start(self) -> date | None:
        """First day."""

    @property
    def period_end(self) -> date | None:
        """Last day."""

    @property
    def by(self) -> str | None:
        """What results are broken down by."""

    @property
    def segment(self) -> str | None:
        """Segment asked for."""

    @property
    def where(self) -> Mapping[str, str]:
        """Attributes asked for."""

    @property
    def min_cell(self) -> int:
        """Smallest number of customers shown."""

    @property
    def conf_level(self) -> float:
        """Confidence level."""

    @property
    def segment_day(self) -> date:
        """Day as of which customers have their segment."""
