"""Recognise exports by their headers, whatever their files are called, and bind ready mappings to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Named
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxlib.checks import InputError, ParameterError, nearest
from cxlib.data.exports.file_headers import Headers
from cxlib.data.exports.fit_columns import required_columns
from cxlib.data.exports.mapping import Derived, Mapping, TableMapping, read_mapping
from cxlib.data.exports.row_models import Lookup
from cxlib.data.exports.sheets import place_of
from cxlib.data.places import HANDBOOK
from cxlib.language import text

READY = HANDBOOK / "data" / "mappings"
#: Encodings tried after those of a mapping: a file saved once more by a spreadsheet changes its own.
ENCODINGS = ("utf-8", "cp932", "utf-16")
#: Share of the columns a mapping needs from which on a file is said to be near to it.
NEAR = 0.5
MOST_SHOWN = 10


@dataclass(frozen=True)
class Near:
    """A file that a mapping nearly fits and the columns it lacks; a class because it is worded later."""

    file: str
    mapping: str
    columns: tuple[str, ...]

    def text(self, lang: str = "en") -> str:
        """Return the sentence."""
        columns = ", ".join(f"`{column}`" for column in self.columns[:MOST_SHOWN])
        return text("exports.near", lang, file=self.file, mapping=self.mapping, columns=columns)


@dataclass(frozen=True)
class Recognised:
    """Mappings that fit the files of a folder, bound to them as one; a class because all of it is said.

    `taken` names the files of each mapping; `unknown` those that none fits, `near` what some of them lack.
    """

    plan: Mapping
    taken: dict[str, list[str]]
    unknown: tuple[str, ...]
    near: tuple[Near, ...]


@dataclass(frozen=True)
class _Source:
    """One file as a mapping names it, and what is read from it; a class because files are held against it."""

    mapping: str
    name: str
    parts: tuple[TableMapping | Lookup, ...]


def ready_mappings(names: Iterable[str] = ()) -> dict[str, Mapping]:
    """Read the mappings of the handbook by name, all of them or those asked for.

    Raises
    ------
    ParameterError
        For a name that none has.
    """
    files = {path.stem: path for path in sorted(READY.glob("*.yml"))}
    for name in names:
        if name not in files:
            raise ParameterError("exports.no_mapping", name=name[:80], nearest=nearest(name, files))
    return {name: read_mapping(files[name]) for name in names or files}


def recognise(folder: str | Path, names: Iterable[str] = ()) -> Recognised:
    """Find which ready mappings fit the files of a folder.

    Parameters
    ----------
    folder : str or Path
        Folder of exports; files may have any name.
    names : iterable of str
        Ready mappings to choose from, by default all.

    Returns
    -------
    Recognised
        One mapping of all that fit, each block bound to its files.

    Raises
    ------
    InputError
        When no mapping fits any file, two fit one equally, one lacks a file that it looks columns up in, or
        two that fit describe the data set differently.
    ParameterError
        For a name that no mapping has.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputError("exports.no_folder", folder=place.name[:80])
    known = ready_mappings(names)
    sources = [source for name, mapping in known.items() for source in _sources(name, mapping)]
    bound: dict[tuple[str, str], list[str]] = {}
    unknown: list[str] = []
    near: list[Near] = []
    for file in _files(place):
        headers = Headers(place, file)
        held = [(source, _needed(headers, source)) for source in sources]
        fitting = _best(file, [(source, found) for source, found in held if None not in found.values()])
        for source in fitting:
            bound.setdefault((source.mapping, source.name), []).append(file)
        if not fitting:
            unknown.append(file)
            near += _nearest(file, held)
    bound_to = {name: _bind(name, mapping, bound) for name, mapping in known.items()}
    plans = {name: plan for name, plan in bound_to.items() if plan.tables}
    if not plans:
        raise InputError(
            "exports.not_recognised", files=", ".join(unknown[:MOST_SHOWN]) or "–", near=_Lines(near)
        )
    taken: dict[str, list[str]] = {name: [] for name in plans}
    for (name, _), files in bound.items():
        taken[name] = sorted({*taken[name], *files})
    return Recognised(_joined(plans), taken, tuple(unknown), tuple(near))


class _Lines:
    """Sentences one below the other; a class because they are worded when the language is known."""

    def __init__(self, sentences: list[Near]) -> None:
        self.sentences = sentences

    def text(self, lang: str) -> str:
        return "".join(f"\n{sentence.text(lang)}" for sentence in self.sentences)


def _files(folder: Path) -> list[str]:
    """Files of a folder and those below it, by name; hidden ones are no exports."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))


def _sources(name: str, mapping: Mapping) -> Iterator[_Source]:
    """Files that a mapping names, each with all that is read from it."""
    parts: dict[str, list[TableMapping | Lookup]] = {}
    for block in (block for blocks in mapping.blocks().values() for block in blocks):
        read: tuple[TableMapping | Lookup, ...] = (block, *block.lookup)
        for reading in read:
            parts.setdefault(reading.name, []).append(reading)
    for file, readings in parts.items():
        yield _Source(name, file, tuple(readings))


def _needed(headers: Headers, source: _Source) -> dict[str, str | None]:
    """Columns that a source needs, each with the name it has in a file, or None where it is not there."""
    needed: dict[str, str | None] = {}
    for part in source.parts:
        names = headers.names(_read_anyhow(part))
        try:
            if isinstance(part, TableMapping):
                needed |= dict(required_columns(part, names, headers.file))
            else:
                wanted = [*part.right_key, *part.columns]
                there = {name: place_of(name, names, headers.file) for name in wanted}
                needed |= {name: None if place is None else name for name, place in there.items()}
        except InputError:  # a name that stands twice
            return {"": None}
    return needed


def _read_anyhow(part: Any) -> Any:
    """Return a reading that tries further encodings."""
    return part.model_copy(update={"encoding": list(dict.fromkeys([*part.encoding, *ENCODINGS]))})


def _best(file: str, fitting: list[tuple[_Source, dict[str, str | None]]]) -> list[_Source]:
    """Choose the sources whose columns no other one has and more; two mappings are no answer.

    Raises
    ------
    InputError
        Names the mappings that fit equally.
    """
    own = [(source, set(found.values())) for source, found in fitting]
    best = [source for source, found in own if not any(found < other for _, other in own)]
    mappings = sorted({source.mapping for source in best})
    if len(mappings) > 1:
        raise InputError("exports.fit_equally", file=file, mappings=", ".join(mappings))
    return best


def _nearest(file: str, held: list[tuple[_Source, dict[str, str | None]]]) -> list[Near]:
    """Name the mapping of whose columns a file has most, if it has at least half of them."""

    def share(found: dict[str, str | None]) -> float:
        return sum(name is not None for name in found.values()) / max(len(found), 1)

    source, found = max(held, key=lambda one: share(one[1]))
    if share(found) < NEAR:
        return []
    return [Near(file, source.mapping, tuple(name for name, there in found.items() if there is None))]


def _bind(name: str, mapping: Mapping, bound: Named[tuple[str, str], list[str]]) -> Mapping:
    """Return the mapping with the blocks whose files are there, each bound to them.

    Raises
    ------
    InputError
        When a file in which columns are looked up is not there, or there are several.
    """
    tables: dict[str, list[Any]] = {}
    for table, blocks in mapping.blocks().items():
        for block in (block for block in blocks if (name, block.name) in bound):
            lookups = [_to_files(lookup, name, block.name, bound) for lookup in block.lookup]
            made = _to_files(block, name, block.name, bound).model_copy(update={"lookup": lookups})
            tables.setdefault(table, []).append(made)
    for rule in (block for block in mapping.tables.get("customers", []) if isinstance(block, Derived)):
        if there := [table for table in rule.derive if table in tables]:
            tables.setdefault("customers", []).append(rule.model_copy(update={"derive": there}))
    return mapping.model_copy(update={"tables": tables})


def _to_files(reading: Any, mapping: str, source: str, bound: Named[tuple[str, str], list[str]]) -> Any:
    files = bound.get((mapping, reading.name), [])
    if isinstance(reading, Lookup) and len(files) != 1:
        values = {
            "mapping": mapping,
            "file": reading.name,
            "columns": ", ".join([*reading.right_key, *reading.columns]),
        }
        raise InputError("exports.lacks_file", **values, count=f"{len(files):,}")
    return _read_anyhow(reading).model_copy(update={"file": None, "files": files})


def _joined(plans: Named[str, Mapping]) -> Mapping:
    """All mappings as one.

    Raises
    ------
    InputError
        When two of them describe the data set differently.
    """
    tables: dict[str, list[Any]] = {}
    said: dict[str, Any] = {}
    for plan in plans.values():
        for table, blocks in plan.tables.items():
            tables.setdefault(table, []).extend(blocks)
        own = plan.data_set.model_dump(exclude_unset=True)
        for key in (key for key in own.keys() & said.keys() if key != "name" and own[key] != said[key]):
            raise InputError("exports.described_twice", setting=key, mappings=", ".join(plans))
        said |= own
    first = next(iter(plans.values()))
    said["name"] = " + ".join(str(plan.data_set.name) for plan in plans.values())
    derived_last = sorted(tables.get("customers", []), key=lambda block: isinstance(block, Derived))
    tables |= {"customers": derived_last} if derived_last else {}
    settings = type(first.data_set)(**said)
    return first.model_copy(update={"data_set": settings, "tables": tables})
