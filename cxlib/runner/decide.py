"""What a run proposes goes into `decisions.yml`, below what the team wrote and never over it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from cxlib.checks import InputError, ParameterError, nearest
from cxlib.data.rules.decisions import FILE, Decision, decisions_file, decisions_of, read_decisions
from cxlib.data.rules.plain_yaml import NotYaml, plain_yaml
from cxlib.runner.board import Board, can_have_board
from cxlib.runner.publish import replace
from cxlib.runner.run_files import Run

_HEAD = """# What the team decided. Change it freely; `cx decide` adds rows below and never changes yours.
# チームの決定事項です。自由に変更できます。`cx decide` は下に行を追加するだけで、既存の行は変えません。
# state: open, done (with done_on), dropped
decisions:
"""
_ITEM = re.compile(r"^( *)-(?= |$)", re.MULTILINE)


def proposals(run: Run, lang: str) -> list[Decision]:
    """Acts that the rules of a run's scorecard ask for, in words.

    Raises
    ------
    InputError
        The run has no scorecard.
    """
    if not can_have_board(run.results):
        raise InputError("runs.no_scorecard", run=run.name)
    board = Board(run.results, lang)
    return [
        Decision(
            id=row["id"],
            what=board.sentence(board.finding(f"act[id={row['id']}]")),
            who=str(row["words"]["who"]),
            by=date.fromisoformat(row["due_on"]),
        )
        for row in board.rows("decide")
    ]


def add_proposals(data: Path, proposed: Sequence[Decision]) -> list[Decision]:
    """Write what is not in `decisions.yml` yet below what is there; return what was added.

    Raises
    ------
    InputError
        The file does not fit, or is written in a way that no row can be put below it.
    OutputError
        It cannot be written.
    """
    held = {one.id for one in read_decisions(data)}
    new = [one for one in proposed if one.id not in held]
    if new:
        file = decisions_file(data)
        _write(file, _below(_read(file), new), [*read_decisions(data), *new])
    return new


def mark_done(data: Path, names: Iterable[str], day: date) -> None:
    """Set decisions to done on a day, leaving every other line of the file as it is.

    Raises
    ------
    ParameterError
        There is no decision of that name; gives the nearest.
    InputError
        Its entry is not written with a key on each line.
    """
    for name in names:
        held = read_decisions(data)
        known = [one.id for one in held]
        if name not in known:
            raise ParameterError("runs.no_decision", found=name[:80], options=nearest(name, known) or "–")
        done = [
            one.model_copy(update={"state": "done", "done_on": day}) if one.id == name else one
            for one in held
        ]
        file = decisions_file(data)
        _write(file, _marked(_read(file), known.index(name), day), done)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig") if file.is_file() else _HEAD


def _below(text: str, new: Sequence[Decision]) -> str:
    begun = re.sub(r"^decisions: *\[ *\] *$", "decisions:", text, flags=re.MULTILINE)
    if not re.search(r"^decisions:", begun, re.MULTILINE):
        begun = begun.rstrip("\n") + "\ndecisions:\n"
    first = _ITEM.search(begun)
    indent = first[1] if first else "  "
    return begun.rstrip("\n") + "\n" + "".join(_entry(one, indent) for one in new)


def _entry(one: Decision, indent: str) -> str:
    lines = [("id", _quoted(one.id)), ("what", _quoted(one.what)), ("who", _quoted(one.who))]
    lines += [("by", str(one.by)), ("state", one.state)]
    return "".join(
        f"{indent}{'- ' if place == 0 else '  '}{key}: {held}\n" for place, (key, held) in enumerate(lines)
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _marked(text: str, place: int, day: date) -> str:
    """Replace state and day within the entry at that place."""
    items = list(_ITEM.finditer(text))
    if place >= len(items):
        return text
    start = items[place].start()
    end = items[place + 1].start() if place + 1 < len(items) else len(text)
    lead = items[place][1] + "  "
    kept = [
        line
        for line in text[start:end].rstrip("\n").split("\n")
        if not re.match(rf"{lead}(?:state|done_on) *:", line)
    ]
    marked = [f"{lead}state: done", f"{lead}done_on: {day}"]
    return text[:start] + "\n".join([*kept, *marked]) + "\n" + text[end:]


def _write(file: Path, text: str, expected: Sequence[Decision]) -> None:
    """Write the file where it reads as expected, else say that it has to be done by hand."""
    try:
        content: Any = plain_yaml(text)
        reads = decisions_of(content)
    except (NotYaml, InputError):
        reads = []
    if reads != list(expected):
        missing = "\n".join(_entry(one, "  ") for one in expected)
        raise InputError("runs.decisions_by_hand", file=FILE, rows=missing)
    replace(file, text.encode())


def states(held: Iterable[Decision], results: Mapping[str, Any], lang: str) -> list[tuple[str, str]]:
    """Decisions with their state in words: open, overdue, done and from when the effect can be judged."""
    board = Board(results, lang)
    return [(one.what or one.id, board.state(one)) for one in held]
