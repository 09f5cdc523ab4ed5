"""What an import says in `dataset.yml`: the mapping's words, the options', and for the day the files'."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cxlib.checks import InputError, Problem
from cxlib.data.contract import TABLES
from cxlib.data.exports.mapping import Described
from cxlib.data.rules.settings import Settings
from cxlib.data.rules.strict_models import to_model

#: Settings without which no value can be read, and the options that say them.
NEEDED = {"currency": "--currency", "timezone": "--timezone"}


def describe(described: Described, given: Mapping[str, str | None], *, target: str) -> Described:
    """Join what a mapping says and what is said instead of it; the target gives its name where none is said.

    Raises
    ------
    InputError
        When a setting does not fit, or the currency or timezone is nowhere said.
    """
    said = described.model_dump(exclude_unset=True)
    content = {"name": target} | said | {name: value for name, value in given.items() if value is not None}
    missing = [option for name, option in NEEDED.items() if content.get(name) is None]
    if missing:
        raise InputError("exports.no_setting", options=", ".join(missing))
    return to_model(Described, content, file="dataset.yml")


def settle(described: Described, tables: Mapping[str, pd.DataFrame], problems: list[Problem]) -> Settings:
    """Take the last day in the files as day of extraction where nobody said it, and notice that.

    Raises
    ------
    InputError
        When no table holds a time.
    """
    content = described.model_dump(exclude_unset=True)
    if described.extracted_at is None:
        times = [
            frame[name]
            for table, frame in tables.items()
            for name, rule in TABLES[table].columns.items()
            if name in frame and (name == TABLES[table].time or rule.kind == "timestamp")
        ]
        if "is_won" in (deals := tables.get("deals", pd.DataFrame())) and "closed_on" in deals:
            times.append(deals["closed_on"].where(deals["is_won"].notna()))  # of others it is a plan
        days = [last.date() for values in times if not pd.isna(last := values.max())]
        if not days:
            raise InputError("exports.no_setting", options="--extracted-at")
        content["extracted_at"] = max(days).isoformat()
        day = {"day": max(days).isoformat()}
        problems.append(Problem("exports.last_day", "notice", "dataset.yml", values=day))
    return to_model(Settings, content, file="dataset.yml")
