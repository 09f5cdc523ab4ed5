"""The items of a cycle: every report with every value it is made for, checked and named."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from cxlib.checks import InputError
from cxlib.runner.analysis.cycle_values import Values, all_values, last_day, narrowed
from cxlib.runner.analysis.possible_values import Opened
from cxlib.runner.cycle_file import ALL, Cycle, Entry
from cxlib.runner.notebooks import choose, find_notebooks, read_notebook
from cxlib.runner.parameters import Parameter, Plain, check_name, read_parameters, settle
from cxlib.runner.plan import Plan, RunSettings, data_of, relative

_LONGEST = 40  # characters of a value in a name


class Items:
    """Plans of a cycle's items; a class because they share data, chapters and what was left out.

    Attributes
    ----------
    plans
        One for each item.
    as_of, last_day
        Last day of the reports, None for the data's own; and that day whatever it was told by.
    left_out
        Attribute → how many of its values are left out, as too few customers have them.
    """

    def __init__(self, cycle: Cycle, settings: RunSettings, base: Path) -> None:
        """Read chapters and data; `base` is the folder that the cycle's file lies in."""
        self._cycle, self._settings = cycle, settings
        self._way = relative(base / cycle.data, settings.notebooks)
        self._data = data_of(self._way, settings.notebooks)
        self._opened = Opened()
        self._notebooks = find_notebooks(settings.notebooks)
        names = [report for entry in cycle.reports for report in entry.report]
        self._chosen = choose(self._notebooks, names)
        self._contents = {name: read_notebook(path) for name, path in self._chosen.items()}
        self._declared = {name: read_parameters(held, name) for name, held in self._contents.items()}
        for name in cycle.parameters:
            check_name(name, [p.name for declared in self._declared.values() for p in declared])
        self.left_out: dict[str, int] = {}
        data_set = self._opened.at(self._data)
        self.as_of = last_day(data_set, cycle.as_of)
        self.last_day = self.as_of or data_set.as_of
        self.plans = [one for entry in cycle.reports for one in self._of(entry)]
        self._name_apart()

    def _of(self, entry: Entry) -> Iterator[Plan]:
        for report in dict.fromkeys(entry.report):
            values = self._settled(report, entry)
            choices = {name: self._values(name, report, found, values) for name, found in entry.each.items()}
            for chosen in product(*choices.values()):
                yield self._plan(report, entry, values, dict(zip(choices, chosen, strict=True)))

    def _settled(self, report: str, entry: Entry) -> dict[str, Plain]:
        declared = self._declared[report]
        names = {p.name for p in declared}
        given: dict[Any, Any] = {n: v for n, v in self._cycle.parameters.items() if n in names}
        given |= {"data": self._way} if "data" in names else {}
        given |= {"as_of": str(self.as_of)} if "as_of" in names and self.as_of is not None else {}
        given |= {"lang": self._cycle.languages[0]} if "lang" in names else {}
        how: Any = {
            "from_file": given | entry.parameters,
            "from_command": (),
            "every_report": self._notebooks,
        }
        return settle({report: declared}, **how)[report]

    def _values(
        self, name: str, report: str, asked: str | list[str], values: Mapping[str, Plain]
    ) -> list[str]:
        if asked != ALL:
            return list(dict.fromkeys(asked))
        parameter = next((p for p in self._declared[report] if p.name == name), None)
        if parameter is not None and parameter.options:
            return [str(option) for option in parameter.options]
        least = values.get("min_cell")
        day = values.get("as_of")
        found: Values = all_values(
            self._opened.at(self._data, day), name, min_cell=least if isinstance(least, int) else 10
        )
        if found.left_out:
            self.left_out[name] = found.left_out
        return found.values

    def _plan(
        self, report: str, entry: Entry, values: Mapping[str, Plain], chosen: Mapping[str, str]
    ) -> Plan:
        declared = self._declared[report]
        own = {name: value for name, value in chosen.items() if _is_declared(name, declared)}
        filters = {name: value for name, value in chosen.items() if name not in own}
        given: dict[Any, Any] = dict(values)
        if filters:
            check_name("where", [p.name for p in declared])
            where = values.get("where")
            given["where"] = narrowed(where if isinstance(where, str) else None, filters.items())
        how: Any = {"from_file": given, "from_command": own.items(), "every_report": self._notebooks}
        settled = settle({report: declared}, **how)[report]
        languages = tuple(self._cycle.languages)
        return Plan(
            report,
            self._chosen[report],
            self._contents[report],
            declared,
            settled,
            languages[0],
            self._data if "data" in settled else None,
            item="-".join([entry.id or report, *map(in_file_name, chosen.values())]),
            title=" · ".join(filters.values()),
            languages=languages,
        )

    def _name_apart(self) -> None:
        """Tell names apart that a disk without capitals would take for one; refuse an item named twice."""
        folded = Counter(one.item.casefold() for one in self.plans)
        for one in self.plans:
            if folded[one.item.casefold()] > 1 and one.title:
                one.item += f"-{_digest(one.title)}"
        twice = [
            name for name, times in Counter(one.item.casefold() for one in self.plans).items() if times > 1
        ]
        if twice:
            raise InputError("runner.cycle_twice", names=", ".join(twice[:5]))

    def pairs(self) -> Iterator[tuple[Mapping[str, Plain], Path | None]]:
        """Values and data of every item, as `check_in_data` takes them."""
        return ((one.values, one.data) for one in self.plans)


def _is_declared(name: str, declared: list[Parameter]) -> bool:
    return any(p.name == name for p in declared)


def in_file_name(value: str) -> str:
    """Return a value as part of a file name that is safe anywhere; letters of any script stay.

    What is changed or cut is told from other values by a digest.

    Examples
    --------
    >>> in_file_name("Kanto"), in_file_name("関東"), in_file_name("Tokyo/Osaka"), in_file_name("../x")
    ('Kanto', '関東', 'Tokyo_Osaka-45ef', 'x-d6b9')
    """
    kept = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", value)).strip("_-")[:_LONGEST]
    return kept if kept == value else "-".join(filter(None, (kept, _digest(value))))


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:4]
