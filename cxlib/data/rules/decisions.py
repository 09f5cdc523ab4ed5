"""What the team decided: `decisions.yml` beside the data, read for the one page and extended on request."""

from __future__ import annotations

import calendar
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from cxlib.data.rules.strict_models import Closed, fault, read_yaml, to_model

FILE = "decisions.yml"
#: Months after which an act's effect can be judged, at the earliest.
MONTHS_TO_JUDGE = 6


class Decision(Closed):
    """One decision: what a run proposed under this `id`, and what the team made of it."""

    id: str = Field(min_length=1)
    what: str = ""
    who: str = ""
    by: date | None = None
    state: Literal["open", "done", "dropped"] = "open"
    done_on: date | None = None

    @property
    def judged_from(self) -> date | None:
        """First day on which its effect can be judged, where it is said when it was done."""
        if self.done_on is None:
            return None
        later = self.done_on.month - 1 + MONTHS_TO_JUDGE
        year, month = self.done_on.year + later // 12, later % 12 + 1
        return date(year, month, min(self.done_on.day, calendar.monthrange(year, month)[1]))


class Decisions(Closed):
    """All decisions of a team, each once."""

    decisions: list[Decision] = Field(default_factory=list)

    @model_validator(mode="after")
    def _once(self) -> Decisions:
        ids = [one.id for one in self.decisions]
        if repeated := sorted({one for one in ids if ids.count(one) > 1}):
            raise fault("named_twice", what="decisions", names=", ".join(repeated))
        return self


def decisions_file(data: Path) -> Path:
    """Where the decisions on a data set stand: in its folder, or beside the file it is."""
    return (data if data.is_dir() else data.parent) / FILE


def read_decisions(data: Path | None) -> list[Decision]:
    """Decisions beside a data set; none where there is no such file.

    Raises
    ------
    InputError
        The file does not fit; names the entry and the nearest key.
    """
    if data is None:
        return []
    file = decisions_file(data)
    return decisions_of(read_yaml(file)) if file.is_file() else []


def decisions_of(content: Any) -> list[Decision]:
    """Decisions that the content of a file holds; an empty file, or an empty list, holds none.

    Raises
    ------
    InputError
        As `read_decisions`.
    """
    is_empty = content is None or content == {"decisions": None}
    return list(to_model(Decisions, {} if is_empty else content, file=FILE).decisions)


def team_decisions(data_set: Any) -> list[Decision]:
    """Decisions beside the tables of an opened data set; none for frames.

    Examples
    --------
    >>> class Frames:
    ...     rule_folders = []
    >>> team_decisions(Frames())
    []
    """
    beside = [folder.parent for folder in data_set.rule_folders if folder.name == "rules"]
    return [one for folder in beside if folder.is_dir() for one in read_decisions(folder)]
