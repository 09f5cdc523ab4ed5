"""Are the figures of two runs the same? Lists what differs, is missing or new in `results.json`.

    python tests/compare_results.py reports/20261001-080000 reports/20261002-080000
    python tests/compare_results.py old.json new.json --tolerance 1e-9

A number is the same within the tolerance of its size, or of 1 where it is smaller; everything else, sentences
included, has to be equal. Exit code 1 where anything is listed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

ABSENT = object()


def differences(old, new, *, tolerance=1e-12, place=""):
    """Yield a line for each figure of two results that differs, is missing in the new ones or new in them."""
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = [(name, old.get(name, ABSENT), new.get(name, ABSENT)) for name in old | new]
    elif isinstance(old, list) and isinstance(new, list):
        longest = range(max(len(old), len(new)))
        pairs = [(at, *(part[at] if at < len(part) else ABSENT for part in (old, new))) for at in longest]
    else:
        pairs = []
        if not _same(old, new, tolerance):
            yield f"{place} differs: {old!r}, now {new!r}"
    for name, before, after in pairs:
        where = f"{place}/{name}".removeprefix("/")
        if after is ABSENT:
            yield f"{where} is missing; it was {_short(before)}"
        elif before is ABSENT:
            yield f"{where} is new: {_short(after)}"
        else:
            yield from differences(before, after, tolerance=tolerance, place=where)


def _same(old, new, tolerance):
    if _is_number(old) and _is_number(new):
        return old == new or math.isclose(old, new, rel_tol=tolerance, abs_tol=tolerance)
    return type(old) is type(new) and old == new


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value):
    return f"{type(value).__name__} of {len(value)}" if isinstance(value, dict | list) else repr(value)


def count_numbers(results):
    """Count the numbers among the results."""
    parts = results.values() if isinstance(results, dict) else results if isinstance(results, list) else ()
    return _is_number(results) + sum(count_numbers(part) for part in parts)


def read(path):
    """Read the results of a run: the file, its folder, or a folder of reports that holds one run."""
    path = Path(path)
    found = [path] if path.is_file() else list(path.glob("results.json")) or list(path.rglob("results.json"))
    if len(found) != 1:
        raise argparse.ArgumentTypeError(f"{path} holds {len(found)} files results.json; name one run")
    return json.loads(found[0].read_text(encoding="utf-8"))


def main(given=None):
    """Compare two runs and print what is not the same."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("old", type=read, help="results.json, or the folder of a run")
    arguments.add_argument("new", type=read)
    arguments.add_argument("--tolerance", type=float, default=1e-12)
    asked = arguments.parse_args(given)
    found = list(differences(asked.old, asked.new, tolerance=asked.tolerance))
    sys.stdout.write(
        "\n".join([*found, f"{count_numbers(asked.old):,} numbers; {len(found):,} differences", ""])
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
