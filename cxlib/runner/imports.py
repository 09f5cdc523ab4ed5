"""`cx import` and `cx mapping`: from the export of another system to a data set."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxlib.runner.errors import OutputError
from cxlib.runner.words import say

SETTINGS = ("name", "currency", "timezone", "extracted_at")


def add_import(command: Callable[[str, Any], argparse.ArgumentParser], lang: str) -> None:
    """Register both commands."""
    added = command("import", _import)
    added.add_argument("mapping", nargs="?", metavar="MAPPING", help=say("help_import_mapping", lang))
    added.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="DIR", help=say("help_from", lang)
    )
    added.add_argument(
        "--to", dest="target", type=Path, required=True, metavar="DIR", help=say("help_to", lang)
    )
    added.add_argument("--key-file", type=Path, metavar="FILE", help=say("help_key_file", lang))
    for name in SETTINGS:
        added.add_argument(
            f"--{name.replace('_', '-')}", metavar=name.upper(), help=say(f"help_{name}", lang)
        )
    added.set_defaults(place="target")
    drafted = command("mapping", _mapping)
    drafted.add_argument("action", choices=("new",), help=say("help_mapping_new", lang))
    drafted.add_argument("file", type=Path, metavar="FILE", help=say("help_mapping_file", lang))
    drafted.add_argument("--out", type=Path, metavar="MAPPING", help=say("help_mapping_out", lang))


def _import(options: argparse.Namespace, lang: str) -> int:
    from cxlib.data.exports.convert_export import import_export
    from cxlib.data.exports.pseudonym_key import needs_key, own_key
    from cxlib.runner.publish import check_out

    check_out(options.target, name="--to")
    plan = _plan(options, lang)
    key_file = options.key_file
    if needs_key(plan) and key_file is None:
        key_file, is_new = own_key(options.target)
        if key_file is not None:
            print(say("key_made" if is_new else "key_used", lang, file=key_file))  # noqa: T201
    given = {name: getattr(options, name) for name in SETTINGS}
    summary = import_export(plan, options.source, options.target, key_file=key_file, **given)
    for row in summary.itertuples():
        print(say("imported_table", lang, table=row.table, read=row.rows_read, written=row.rows_written))  # noqa: T201
        if left_out := _left_out(row.left_out):
            print(say("imported_left_out", lang, conditions=left_out))  # noqa: T201
    if summary.attrs["sums"]:
        print(_sums(summary.attrs["sums"], lang))  # noqa: T201
    for notice in summary.attrs["notices"]:
        print(notice.text(lang))  # noqa: T201
    print(say("imported", lang, folder=options.target))  # noqa: T201
    return 0


def _left_out(counts: Any) -> str:
    """Say which values a filter left out; where a value never occurs, there is a notice."""
    said = (f"{condition.rstrip()} ({count:,})" for condition, count in counts.items() if count)
    return "; ".join(one.replace("= (", "= “” (") for one in said)


def _sums(sums: dict[str, Any], lang: str) -> str:
    """Say what the orders add up to; values that are not known as –."""
    form = {int: "{:,}", float: "{:,.2f}", str: "{}"}
    told = {name: "–" if value is None else form[type(value)].format(value) for name, value in sums.items()}
    if (share := sums["repeat_share"]) is not None:
        told["repeat_share"] = f"{share:.1%}"
    return say("imported_sums", lang, **told)


def _plan(options: argparse.Namespace, lang: str) -> Any:
    """Return the mapping of a file, or what was recognised, which is said."""
    from cxlib.data.exports.mapping import read_mapping
    from cxlib.data.exports.recognise import recognise

    named = options.mapping
    if named is not None and (Path(named).suffix or os.path.isfile(named)):
        return read_mapping(Path(named))
    found = recognise(options.source, [named] if named else [])
    for name, files in found.taken.items():
        print(say("mapping_taken", lang, mapping=name, files=", ".join(files)))  # noqa: T201
    if found.unknown:
        print(say("not_understood", lang, files=", ".join(found.unknown)))  # noqa: T201
    for near in found.near:
        print(near.text(lang))  # noqa: T201
    return found.plan


def _mapping(options: argparse.Namespace, lang: str) -> int:
    from cxlib.data.exports.draft import draft_mapping

    text = draft_mapping(options.file, lang=lang)
    if options.out is None:
        print(text, end="")  # noqa: T201
        return 0
    try:
        with options.out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise OutputError("runner.draft_exists", file=options.out.name[:80]) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise OutputError("runner.file_unwritten", file=options.out.name[:80], reason=reason) from error
    print(say("draft_written", lang, file=options.out))  # noqa: T201
    return 0
