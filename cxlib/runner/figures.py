"""Every number of a run by a stable key: with interval, n, verdict, unit and the place it is explained at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cxlib.language import format_interval, format_value, is_missing
from cxlib.runner.run_files import Run
from cxlib.runner.sections import anchor

#: Texts of a row that say what was found, not what the row is about.
FOUND = {"verdict", "moved", "note", "reason", "claim", "rule", "method", "who", "severity", "is_joined"}
_ENDS = ("conf_low", "conf_high", "std_error")


class Figure(NamedTuple):
    """One number of a run; a class because all that is said of it belongs together.

    `key` is `report/key` for the estimate of a finding or row, `report/key#name` for its other numbers; a row
    is told by the texts it holds, `scorecard/kpis[metric=nps]`.
    """

    key: str
    report: str
    estimate: float | None
    conf_low: float | None
    conf_high: float | None
    n: float | None
    unit: str
    verdict: str | None
    anchor: str

    def shown(self, lang: str, currency: str | None = None) -> str:
        """Write the number as the report does; its limits where it has no estimate."""
        if self.estimate is None:
            return format_interval(self.conf_low, self.conf_high, self.unit, lang, currency=currency)
        return format_value(self.estimate, self.unit, lang, currency=currency)


def run_figures(run: Run) -> list[Figure]:
    """All figures of a run, in the order of its reports; rows hidden for being few are left out."""
    return [
        one
        for report, held in run.results.items()
        for one in (*_findings(report, held), *_rows(report, held))
    ]


def figures_json(run: Run) -> dict[str, Any]:
    """Return what `cx figures RUN --json` prints."""
    header = run.header
    told = {name: header.get(name) for name in ("data_set", "as_of", "currency", "conf_level")}
    return {"run": run.name, **told, "figures": [one._asdict() for one in run_figures(run)]}


def figure_lines(run: Run, lang: str) -> list[list[str]]:
    """Return what `cx figures RUN` prints: key, number, interval and verdict, a line each."""
    currency = run.header.get("currency")
    return [
        [one.key, one.shown(lang, currency), _interval(one, lang, currency), one.verdict or ""]
        for one in run_figures(run)
    ]


def _interval(one: Figure, lang: str, currency: str | None) -> str:
    shown = format_interval(one.conf_low, one.conf_high, one.unit, lang, currency=currency)
    return "" if is_missing(one.conf_low) or one.estimate is None else shown


def _findings(report: str, held: Mapping[str, Any]) -> Iterator[Figure]:
    for key, finding in held["findings"].items():
        place = f"{report}.html#{anchor(key)}"
        values, units = finding.get("values", {}), finding.get("units", {})
        yield from _figures(f"{report}/{key}", report, values, units, place, finding.get("verdict"))


def _rows(report: str, held: Mapping[str, Any]) -> Iterator[Figure]:
    for key, table in held["tables"].items():
        place, units, hidden = f"{report}.html#{anchor(key)}", table["units"], set(table["suppressed"])
        seen: Counter[str] = Counter()
        for number, row in enumerate(table["rows"]):
            names = _names(row, units)
            name = f"{report}/{key}" + (f"[{', '.join(names)}]" if names else "")
            seen[name] += 1
            name += f"~{seen[name]}" if seen[name] > 1 else ""
            if number not in hidden:
                of_row = {column: _unit(unit, row.get("metric")) for column, unit in units.items()}
                yield from _figures(name, report, row, of_row, place, row.get("verdict"))


def _names(row: Mapping[str, Any], units: Mapping[str, Any]) -> list[str]:
    named = {column: value for column, value in row.items() if isinstance(value, str) and column not in FOUND}
    return [f"{column}={value}" for column, value in named.items() if column[-3:] != "_on" or len(named) == 1]


def _unit(unit: object, metric: object) -> str:
    return str(unit.get(str(metric), "number")) if isinstance(unit, Mapping) else str(unit)


def _figures(
    key: str,
    report: str,
    values: Mapping[str, Any],
    units: Mapping[str, Any],
    place: str,
    verdict: object,
) -> Iterator[Figure]:
    """Figures of one finding or row: the estimate first, then each number with limits of its own or none."""
    n = _number(values.get("n"))
    is_counted = all(
        _number(values.get(one)) is None for one in ("estimate", "conf_low")
    )  # n is what it tells
    for name in ["estimate", *(one for one in values if one != "estimate")]:
        low, high = (_number(values.get(f"{_prefix(name)}{end}")) for end in _ENDS[:2])
        estimate = _number(values.get(name))
        is_part = name.endswith(_ENDS) or (name == "n" and not is_counted)
        if is_part or (estimate is None and (name != "estimate" or low is None)):
            continue
        said = verdict if name == "estimate" else values.get("moved") if name == "change" else None
        own = key if name == "estimate" else f"{key}#{name}"
        unit = str(units.get(name, "number"))
        unit = unit if unit != "text" else "number"
        yield Figure(
            own, report, estimate, low, high, n, unit, said if isinstance(said, str) else None, place
        )


def _prefix(name: str) -> str:
    return "" if name == "estimate" else f"{name}_"


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and not is_missing(value) else None  # type: ignore[arg-type]
