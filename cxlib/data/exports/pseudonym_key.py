"""The key of pseudonyms: the one that is named, or one made once beside the data set and kept."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cxlib.checks import ParameterError, output_error
from cxlib.data.exports.mapping import Mapping
from cxlib.data.exports.write_data_set import earlier_import

KEY_VARIABLE = "CX_PSEUDONYM_KEY"
SHORTEST_KEY = 16


def needs_key(plan: Mapping) -> bool:
    """Whether a mapping pseudonymises anything."""
    parts = [part for parts in plan.blocks().values() for part in parts]
    return any(verb.pseudonymise for part in parts for verb in part.verbs.values())


def read_key(plan: Mapping, key_file: str | Path | None) -> bytes:
    """Key from a file, else from the environment; nothing where the mapping needs none.

    Raises
    ------
    ParameterError
        When a key is needed and there is none of at least 16 characters.
    """
    if not needs_key(plan):
        return b""
    text = os.environ.get(KEY_VARIABLE, "")
    if key_file:
        try:
            text = Path(key_file).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise _no_key() from error
    if len(text.strip()) < SHORTEST_KEY:
        raise _no_key()
    return text.strip().encode("utf-8", "surrogateescape")


def _no_key() -> ParameterError:
    return ParameterError("exports.no_key", variable=KEY_VARIABLE, length=SHORTEST_KEY)


def own_key(target: str | Path) -> tuple[Path | None, bool]:
    """File with the key of a data set, beside its folder, and whether it was made just now.

    Parameters
    ----------
    target : str or Path
        Folder of the data set; the key of `my_shop` is `my_shop.key`, readable by its owner only.

    Returns
    -------
    file : Path or None
        None where the environment names a key.
    is_new : bool

    Raises
    ------
    ParameterError
        When the data set was made with a key that is not there: another one would give other ids.
    OutputError
        When it cannot be written.
    """
    if os.environ.get(KEY_VARIABLE):
        return None, False
    goal = Path(os.path.abspath(target))
    file = goal.with_name(f"{goal.name}.key")
    if not file.exists() and earlier_import(goal).get("key"):
        raise _no_key()
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file, False
    except (OSError, ValueError) as error:
        raise output_error(error, file) from error
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(secrets.token_hex(32) + "\n")
    return file, True
