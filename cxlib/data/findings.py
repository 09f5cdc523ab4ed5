"""The list that every check of one table adds to, with the places of the rows concerned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from cxlib.checks import Problem


@dataclass
class Findings:
    """What is found in one table; a class because every check adds to the same list and row count.

    `numbers` holds the place of each row in its file, from 0, when rows have been left out since.
    `shown` says by what words a column is called whose name may itself be somebody's data.
    """

    file: str
    total: int
    problems: list[Problem] = field(default_factory=list)
    numbers: np.ndarray | None = None
    shown: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        key: str,
        level: Literal["error", "notice"],
        column: str = "",
        mask: Any = None,
        **values: object,
    ) -> None:
        """Note a finding; with a mask only when it marks any row."""
        column = self.shown.get(column, column)
        if mask is None:
            self.problems.append(Problem(key, level, self.file, column, 0, self.total, (), values))
            return
        at = np.flatnonzero(np.asarray(mask, dtype=bool))
        if len(at):
            first = at[:3] if self.numbers is None else self.numbers[at[:3]]
            rows = tuple(int(row) + 1 for row in first)
            self.problems.append(Problem(key, level, self.file, column, len(at), self.total, rows, values))

    @property
    def failed(self) -> bool:
        """Whether an error is among the findings."""
        return any(problem.level == "error" for problem in self.problems)
