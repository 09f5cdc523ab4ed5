"""Write a file for its owner only, never over another unasked."""

from __future__ import annotations

import os
from pathlib import Path

from cxlib.runner.errors import OutputError


def write_private(out: Path, content: bytes, *, force: bool) -> None:
    """Write a file that only its owner can read, whole or not at all; a link is replaced, not followed.

    Raises
    ------
    OutputError
        The folder is not there or cannot be written, or the file has come to be there meanwhile.
    """
    draft = out.with_name(f".{out.name}.{os.getpid()}") if force else out
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            draft.replace(out)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except FileExistsError as error:
        raise OutputError("runner.file_exists", file=out.name[:80]) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise OutputError("runner.file_unwritten", file=out.name[:80], reason=reason) from error
