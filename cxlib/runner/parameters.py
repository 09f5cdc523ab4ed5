"""Parameters of a chapter: read from its parameters cell, and refused before a kernel starts.

The cell is parsed with `ast`, never run: annotated assignments of plain values, each with a comment
`[min, max] English meaning | Japanese meaning`. A value that gets through is a plain str, int, float, bool,
None or list of str for a name the notebook declares, so what reaches the kernel can only be data.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from cxlib.checks import ParameterError, nearest

MAX_TEXT = 10_000
_RANGE = re.compile(r"^\[\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)\s*\]\s*")
_SECRET = re.compile(r"passw|passphrase|^pwd|secret|token|api_?key|access_?key|private_?key|credential", re.I)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TRUE, _FALSE, _NONE = {"true", "yes"}, {"false", "no"}, {"none", "null"}

_PLAIN = (str, int, float, bool, type(None))
Plain = str | int | float | bool | list[str] | None


class Parameter(NamedTuple):
    """One line of a parameters cell."""

    name: str
    kind: str
    default: Plain
    options: tuple[Any, ...] = ()
    is_optional: bool = False
    low: float | None = None
    high: float | None = None
    meaning: Mapping[str, str] = {}

    @property
    def type_text(self) -> str:
        """The type as a reader knows it: `int`, `date | none`, `en | ja`."""
        text = " | ".join(map(str, self.options)) or {"list": "list of text"}.get(self.kind, self.kind)
        return f"{text} | none" if self.is_optional else text

    @property
    def range_text(self) -> str:
        """The allowed range, or nothing."""
        return "" if self.low is None else f"{self.low:,.10g} … {self.high:,.10g}"


def read_parameters(notebook: Mapping[str, Any], report: str) -> list[Parameter]:
    """Return the parameters a notebook declares, in its order; none when it has no parameters cell."""
    for cell in notebook["cells"]:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            return parse_cell("".join(cell["source"]), report)
    return []


def parse_cell(source: str, report: str = "") -> list[Parameter]:
    """Read the source of a parameters cell.

    Examples
    --------
    >>> parse_cell("n: int | None = 5  # [1, 9] how many # at most | 個数")[0][:7]
    ('n', 'int', 5, (), True, 1.0, 9.0)
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise ParameterError("runner.bad_cell", report=report, line=error.lineno or 1) from None
    lines = source.splitlines()
    found = []
    for node in statements:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        try:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                raise ValueError
            found.append(_declaration(node, _comment(lines, node) or _comment(lines, node.value)))
        except (ValueError, TypeError, SyntaxError):
            raise ParameterError("runner.bad_cell", report=report, line=node.lineno) from None
    return found


def _comment(lines: list[str], node: ast.expr | ast.stmt | None) -> str:
    """Text behind a node on its last line; a formatter may have folded the line behind the value."""
    if node is None or node.end_lineno is None:
        return ""
    rest = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode().strip()
    return rest.removeprefix("#").strip()


def _declaration(node: ast.AnnAssign, comment: str) -> Parameter:
    kind, options, is_optional = _type(node.annotation)
    low = high = None
    if match := _RANGE.match(comment):
        low, high = float(match[1]), float(match[2])
        comment = comment[match.end() :]
    english, _, japanese = comment.partition(" | ")
    meaning = {"en": english.strip(), "ja": japanese.strip() or english.strip()}
    parameter = Parameter(
        node.target.id,  # type: ignore[union-attr]
        kind,
        _default(node.value),
        options,
        is_optional,
        low,
        high,
        meaning,
    )
    check_value(parameter, parameter.default)
    return parameter


def _type(node: ast.expr) -> tuple[str, tuple[Any, ...], bool]:
    """Kind, options and whether None is allowed, of `int`, `Literal["a"]`, `list[str]`, `X | None`."""
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            kind, options, _ = _type(left)
            return kind, options, True
        case ast.Name(id="str" | "int" | "float" | "bool" | "date" as kind):
            return kind, (), False
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            options = ast.literal_eval(choices)
            return "option", options if isinstance(options, tuple) else (options,), False
        case ast.Subscript(value=ast.Name(id="list"), slice=ast.Name(id="str")):
            return "list", (), False
    raise ValueError


def _default(node: ast.expr | None) -> Plain:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "date":
        return date(*(ast.literal_eval(part) for part in node.args)).isoformat()
    if node is None:
        raise ValueError
    return ast.literal_eval(node)


def shown(value: object) -> str:
    """Return a value as a message may show it: short, with nothing in it that moves a terminal."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def check_name(name: object, known: Iterable[str]) -> None:
    """Raise for what is not a name at all, looks like a secret, or is not declared.

    Raises
    ------
    ParameterError
        Names the nearest declared parameters; a secret's name is refused whether it is declared or not.
    """
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 100:
        raise ParameterError("runner.unsafe_name", found=shown(name))
    if _SECRET.search(name):
        raise ParameterError("runner.secret_name", name=name)
    options = sorted(set(known))
    if name not in options:
        raise ParameterError("runner.unknown_parameter", name=name, nearest=nearest(name, options) or "–")


def check_value(parameter: Parameter, value: object, *, is_typed: bool = True) -> Plain:
    """Return `value` as the plain value the parameter declares, or raise.

    Parameters
    ----------
    parameter
        The declaration.
    value
        What was given: from a file with its own type, or as text from the command line.
    is_typed
        False for text from the command line, which is then read as the declared type; `007` stays text for a
        text parameter.

    Raises
    ------
    ParameterError
        Wrong type, out of range, no such day, not one of the options, too long, or not a plain value.
    """
    if type(value) is list and parameter.kind != "list" and all(type(part) in _PLAIN for part in value):
        raise _wrong(parameter, value)
    plain = _checked_plain(parameter.name, value)
    if isinstance(plain, str) and (not is_typed or parameter.kind == "bool"):
        plain = _from_text(parameter, plain)
    if plain is None:
        if parameter.is_optional:
            return None
        raise _wrong(parameter, value)
    if not _fits(parameter, plain):
        raise _wrong(parameter, value)
    if parameter.kind == "date":
        _check_day(parameter, str(plain))
    if parameter.kind == "float":
        plain = float(plain)  # type: ignore[arg-type]
    if parameter.low is not None and not parameter.low <= plain <= parameter.high:  # type: ignore[operator]
        raise ParameterError(
            "runner.out_of_range", name=parameter.name, found=shown(plain), allowed=parameter.range_text
        )
    return plain


def _checked_plain(name: str, value: object) -> Plain:
    if type(value) is date:
        return value.isoformat()
    parts = value if type(value) is list else [value]
    for part in parts:
        if type(part) is str:
            if len(part.encode("utf-8", "surrogatepass")) > MAX_TEXT:
                raise ParameterError("runner.too_long", name=name, limit=f"{MAX_TEXT:,}")
            if any(ord(mark) < 32 or 0xD800 <= ord(mark) < 0xE000 for mark in part):
                raise ParameterError("runner.control_character", name=name)
        elif part is value and type(part) in (int, float, bool, type(None)):
            if isinstance(part, float) and not math.isfinite(part):
                raise ParameterError("runner.not_finite", name=name, found=shown(part))
        elif type(value) is list and type(part) in _PLAIN:
            raise ParameterError("runner.expected_texts", name=name, found=shown(part))
        else:
            raise ParameterError("runner.not_plain", name=name, kind=type(part).__name__)
    return value  # type: ignore[return-value]


def _from_text(parameter: Parameter, text: str) -> Plain:
    """Text of the command line as the declared type; unchanged (and then refused) when it is none."""
    word = text.strip().lower()
    if parameter.is_optional and word in _NONE:
        return None
    kind = parameter.kind
    if kind == "int" and _WHOLE.fullmatch(word):
        return int(word)
    if kind == "float" and _NUMBER.fullmatch(word):
        return _checked_plain(parameter.name, float(word))
    if kind == "float" and word.lstrip("+-") in {"nan", "inf", "infinity"}:
        raise ParameterError("runner.not_finite", name=parameter.name, found=shown(text))
    if kind == "bool" and word in _TRUE | _FALSE:
        return word in _TRUE
    if kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "option":
        return next((option for option in parameter.options if str(option) == text), text)
    return text


def _fits(parameter: Parameter, value: Plain) -> bool:
    kinds = {
        "str": (str,),
        "int": (int,),
        "float": (int, float),
        "bool": (bool,),
        "date": (str,),
        "list": (list,),
    }
    if parameter.kind == "option":
        return any(type(value) is type(option) and value == option for option in parameter.options)
    return type(value) in kinds[parameter.kind]


def _check_day(parameter: Parameter, text: str) -> None:
    if not _DAY.fullmatch(text):
        raise _wrong(parameter, text)
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ParameterError("runner.no_such_day", name=parameter.name, found=shown(text)) from None


def _wrong(parameter: Parameter, value: object) -> ParameterError:
    kind = "one" if isinstance(value, list) and parameter.kind != "list" else parameter.kind
    return ParameterError(
        f"runner.expected_{kind}",
        name=parameter.name,
        found=shown(value),
        options=", ".join(map(str, parameter.options)),
    )


def check_together(values: Mapping[str, Plain]) -> None:
    """Raise when a `…_end` day lies before its `…_start` day."""
    for name, start in values.items():
        end = values.get(f"{name[:-5]}end") if name.endswith("_start") else None
        if isinstance(start, str) and isinstance(end, str) and _DAY.fullmatch(start) and end < start:
            raise ParameterError(
                "runner.end_before_start", start_name=name, start=start, end_name=f"{name[:-5]}end", end=end
            )


def read_file(text: str) -> dict[Any, Any]:
    """Values of a parameters file (YAML); days and codes stay text, anything but plain data is refused.

    Raises
    ------
    ParameterError
        Not YAML, not `name: value` pairs, a name that stands twice, or over 100 kB.
    """
    from cxlib.data.rules.plain_yaml import NotYaml, plain_yaml

    if len(text) > 10 * MAX_TEXT:
        raise ParameterError("runner.file_too_long", limit=f"{10 * MAX_TEXT:,}")
    try:
        values = plain_yaml(text, with_numbers=True)
    except NotYaml as error:
        raise ParameterError("runner.bad_file", line=error.line or "?") from None
    if not isinstance(values or {}, dict):
        raise ParameterError("runner.bad_file", line=1)
    return values or {}


def settle(
    declared: Mapping[str, list[Parameter]],
    *,
    from_file: Mapping[Any, Any],
    from_command: Iterable[tuple[str, str]],
    every_report: Iterable[str],
) -> dict[str, dict[str, Plain]]:
    """Give each report its values: its defaults, then the file, then the command line.

    A value given for all reports must be declared by at least one of those that run, and goes to those that
    declare it; a value in a report's own section of the file must be declared by that report.

    Parameters
    ----------
    declared
        Report → its parameters, for the reports that run.
    from_file
        The parameters file: `name: value` for every report, `report: {name: value}` for one.
    from_command
        `name, text` pairs.
    every_report
        Names of all reports of the handbook; a section of one that does not run now is skipped.
    """
    settled = {report: {p.name: p.default for p in parameters} for report, parameters in declared.items()}
    everywhere = [p for parameters in declared.values() for p in parameters]
    shared, sections = _split_file(from_file, set(every_report))
    given: list[tuple[str | None, Any, object, bool]] = [
        (None, n, value, True) for n, value in shared.items()
    ]
    given += [(r, n, value, True) for r in declared for n, value in sections.get(r, {}).items()]
    given += [(None, name, text, False) for name, text in from_command]
    for section, name, value, is_typed in given:
        check_name(name, [p.name for p in (declared[section] if section else everywhere)])
        for report in [section] if section else declared:
            for parameter in declared[report]:
                if parameter.name == name:
                    settled[report][name] = check_value(parameter, value, is_typed=is_typed)
    for values in settled.values():
        check_together(values)
    return settled


def _split_file(
    values: Mapping[Any, Any], reports: set[str]
) -> tuple[dict[Any, Any], dict[str, dict[Any, Any]]]:
    """Shared values and sections of a parameters file."""
    shared: dict[Any, Any] = {}
    sections: dict[str, dict[Any, Any]] = {}
    for name, value in values.items():
        if name in reports and (value is None or isinstance(value, dict)):
            sections[name] = value or {}
        elif name in reports:
            raise ParameterError("runner.not_plain", name=name, kind=type(value).__name__)
        elif isinstance(value, dict):
            raise ParameterError(
                "runner.unknown_section", name=shown(name), nearest=nearest(str(name), reports)
            )
        else:
            shared[name] = value
    return shared, sections
