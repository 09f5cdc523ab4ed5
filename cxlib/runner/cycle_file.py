"""`cycle.yml`: what a team makes every month, read and refused where it does not fit."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cxlib.checks import InputError
from cxlib.data.rules.plain_yaml import MOST_BYTES, NotYaml, plain_yaml
from cxlib.data.rules.strict_models import Closed, fault, to_model
from cxlib.runner.parameters import Plain
from cxlib.runner.run_files import SCORECARD

ALL = "all"
NAMED_DAYS = ("month_end", "quarter_end", "extraction")


class Entry(Closed):
    """Reports of a cycle and what they share; `each` makes one of every value of a parameter or attribute."""

    report: list[str] = Field(min_length=1)
    id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")
    each: dict[str, Literal["all"] | list[str]] = Field(default_factory=dict)
    parameters: dict[str, Plain] = Field(default_factory=dict)

    @field_validator("report", mode="before")
    @classmethod
    def _one_or_more(cls, found: Any) -> Any:
        return [found] if isinstance(found, str) else found

    @field_validator("each", mode="before")
    @classmethod
    def _as_text(cls, found: Any) -> Any:
        if not isinstance(found, dict):
            return found
        return {name: _texts(values) for name, values in found.items()}


class Cycle(Closed):
    """One cycle: data, last day, languages, reports, and what becomes of them."""

    name: str = Field(default="", max_length=80)
    data: str = Field(min_length=1)
    as_of: str = "month_end"
    languages: list[Literal["en", "ja"]] = Field(default=["en"], min_length=1, max_length=2)
    parameters: dict[str, Plain] = Field(default_factory=dict)
    reports: list[Entry] = Field(min_length=1)
    compare: Literal["last_run", "off"] = "off"
    history: bool = False
    alerts: Literal["new", "all", "off"] = "off"
    shared: bool = False
    deliver: list[str] = Field(default_factory=list)
    accept: list[Literal["not_enough_data"]] = Field(default_factory=list)
    limit: int = Field(default=100, ge=1)

    @field_validator("reports", mode="before")
    @classmethod
    def _named_alone(cls, found: Any) -> Any:
        return (
            [{"report": one} if isinstance(one, str) else one for one in found]
            if isinstance(found, list)
            else found
        )

    @field_validator("as_of")
    @classmethod
    def _a_day(cls, found: str) -> str:
        try:
            if found not in NAMED_DAYS and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", found):
                raise ValueError
            _ = found in NAMED_DAYS or date.fromisoformat(found)
        except ValueError:
            raise fault("cycle_day", options=", ".join(NAMED_DAYS)) from None
        return found

    @field_validator("compare", "alerts", mode="before")
    @classmethod
    def _as_word(cls, found: Any) -> Any:
        return "off" if found is False else found

    @model_validator(mode="after")
    def _exact_scorecard(self) -> Cycle:
        """Refuse steps that need the exact key figures of a run that will not have them."""
        steps = {"compare": self.compare != "off", "history": self.history, "alerts": self.alerts != "off"}
        asked = ", ".join(name for name, is_asked in steps.items() if is_asked)
        if asked and self.shared:
            raise fault("cycle_shared", steps=asked)
        if (self.history or self.alerts != "off") and all(
            SCORECARD not in one.report for one in self.reports
        ):
            raise fault("cycle_scorecard", steps=asked.removeprefix("compare, "), report=SCORECARD)
        return self

    @field_validator("languages")
    @classmethod
    def _once(cls, found: list[str]) -> list[str]:
        return list(dict.fromkeys(found))


def _texts(values: Any) -> Any:
    is_list = isinstance(values, list)
    return (
        [str(one) if isinstance(one, int | float) and not isinstance(one, bool) else one for one in values]
        if is_list
        else values
    )


def read_cycle(path: Path) -> Cycle:
    """Read a cycle's file.

    Raises
    ------
    InputError
        It is missing, no YAML, or an entry does not fit; names it and the nearest key.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("rules.too_long", file=path.name[:80], limit=f"{MOST_BYTES:,}")
        content = plain_yaml(path.read_text(encoding="utf-8-sig"), with_numbers=True)
    except NotYaml as error:
        raise InputError("rules.no_yaml", file=path.name[:80], line=error.line or "?") from None
    except UnicodeDecodeError:
        raise InputError("rules.not_utf8", file=path.name[:80]) from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("rules.no_file", file=path.name[:80]) from None
    cycle = to_model(Cycle, content, file=path.name)
    return cycle if cycle.name else cycle.model_copy(update={"name": path.stem})
