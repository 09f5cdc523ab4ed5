"""Put a mapping into the names a file uses: variants, names that hold a phrase, optional columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cxlib.checks import InputError
from cxlib.data.exports.column_models import Verb
from cxlib.data.exports.mapping import TableMapping
from cxlib.data.exports.sheets import place_of


def fitted(part: TableMapping, names: Sequence[str], file: str) -> TableMapping:
    """Return the mapping in the names a file uses; optional columns that are not there are left out.

    Parameters
    ----------
    part : TableMapping
    names : sequence of str
        Columns of the file.
    file : str
        Its name, for messages.

    Raises
    ------
    InputError
        When two names of one column are there, or none or several hold its phrase.
    """
    brought = [column for lookup in part.lookup for column in lookup.columns]
    there = [*names, *brought]

    def fit(verbs: dict[str, Verb]) -> dict[str, Verb]:
        own = {name: _in_names(verb, name, there, file) for name, verb in verbs.items()}
        return {name: verb for name, verb in own.items() if not verb.optional or _is_there(verb, there, file)}

    return part.model_copy(update={"columns": fit(part.columns), "extra": fit(part.extra)})


def _in_names(verb: Verb, column: str, names: Sequence[str], file: str) -> Verb:
    if verb.name_holds:
        found = _holding(verb, names)
        if len(found) > 1 or not (found or verb.optional):
            phrases = ", ".join(verb.name_holds)
            values = {"file": file, "column": column, "phrases": phrases, "count": f"{len(found):,}"}
            raise InputError("exports.name_holds", **values)
        return verb.model_copy(update={"from_": found[0], "name_holds": None}) if found else verb
    found = list(dict.fromkeys(name for name in (verb.from_ or "", *verb.also_called) if name in names))
    if verb.also_called and len(found) > 1:
        raise InputError("exports.called_twice", file=file, column=found[0], other=found[1])
    return verb.model_copy(update={"from_": found[0]}) if verb.also_called and found else verb


def _holding(verb: Verb, names: Sequence[str]) -> list[str]:
    return [name for name in names if any(phrase in name for phrase in verb.name_holds or ())]


def _is_there(verb: Verb, names: Sequence[str], file: str) -> bool:
    return bool(verb.needs or verb.const) and all(
        place_of(name, names, file) is not None for name in verb.needs
    )


def required_columns(part: TableMapping, names: Sequence[str], file: str) -> Iterator[tuple[str, str | None]]:
    """Columns that a file must have for a mapping, each with the name it has there, or None.

    Raises
    ------
    InputError
        When a name that is needed stands twice.
    """
    brought = {column for lookup in part.lookup for column in lookup.columns}
    rows_only = part.model_copy(update={"columns": {}, "extra": {}})
    for name in [*rows_only.needs, *part.known_by]:
        yield name, name if place_of(name, names, file) is not None else None
    for verb in part.verbs.values():
        if verb.optional:
            continue
        if verb.name_holds:
            found = _holding(verb, names)
            yield " / ".join(verb.name_holds), found[0] if len(found) == 1 else None
        for name in verb.needs:
            if name not in brought:
                options = (name, *verb.also_called) if name == verb.from_ else (name,)
                yield name, next((one for one in options if place_of(one, names, file) is not None), None)
