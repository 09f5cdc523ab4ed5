"""The net around the command: whatever fails ends in a sentence and an exit code, never in a traceback.

Details for whoever mends it go to a file: where it happened, line by line, without messages, arguments or
local values, any of which may hold customer values.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cxlib.checks import CxError
from cxlib.runner.errors import OutputError, output_error
from cxlib.runner.words import say

EXIT_UNEXPECTED = 1
EXIT_INTERRUPTED = 130
_DEEPEST = 60  # frames kept from either end of a traceback
_MODULE = re.compile(r"[\w.]{1,60}")


def caught(command: Callable[[], int], lang: str, *, place: Path | None = None) -> int:
    """Run a command and return its exit code, or that of what stopped it after saying so on stderr.

    Parameters
    ----------
    command
        What to run; returns an exit code.
    lang
        Language of the sentence.
    place
        What the command writes to, for sentences about the disk.

    Notes
    -----
    Output that nobody can take, because the disk behind a redirected stdout is full, is an error too, and is
    noticed here rather than by the interpreter at its end. A closed pipe is none.
    """
    try:
        with contextlib.redirect_stdout(_Checked(sys.stdout)):
            try:
                return command()
            finally:
                sys.stdout.flush()
    except SystemExit:  # argparse after --help, which was printed
        raise
    except BrokenPipeError:
        _drop_output()
        return 0
    except BaseException as error:
        code, sentence = _explained(error, lang, place)
        _say(sentence)
        return code


class _Checked:
    """Standard output whose failed writes are told from failures of files.

    A class because print and argparse write to a stream, and argparse swallows an OSError.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._told():
            return self._stream.write(text)

    def flush(self) -> None:
        with self._told():
            self._stream.flush()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (BrokenPipeError, CxError):
            raise
        except (OSError, ValueError) as error:
            _drop_output()
            raise OutputError("runner.no_stdout", reason=getattr(error, "strerror", None) or "–") from None


def _drop_output() -> None:
    """Send what stdout still holds nowhere, or the interpreter would complain about it at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(sentence, file=sys.stderr, flush=True)  # noqa: T201


def _explained(error: BaseException, lang: str, place: Path | None) -> tuple[int, str]:
    """Exit code and sentence of whatever was raised."""
    if isinstance(error, KeyboardInterrupt):
        return EXIT_INTERRUPTED, say("interrupted", lang)
    if isinstance(error, CxError):
        return error.exit_code, f"cx: {error.in_language(lang)}"
    if not _has_folder():
        return 2, f"cx: {say('no_working_directory', lang)}"
    if isinstance(error, OSError) and (error.errno == errno.ENOSPC or place is not None):
        return 6, f"cx: {output_error(error, place or Path(tempfile.gettempdir())).in_language(lang)}"
    code = EXIT_UNEXPECTED
    values: dict[str, object] = {}
    if isinstance(error, OSError):
        code, key, values = 3, "system_refused", {"reason": error.strerror or type(error).__name__}
    elif isinstance(error, MemoryError):
        key = "cause_memory"
    elif isinstance(error, ModuleNotFoundError) and _MODULE.fullmatch(error.name or ""):
        key, values = "cause_module", {"module": error.name}
    else:
        key, values = "unexpected", {"ename": type(error).__name__[:80]}
    kept = _keep(error)
    where = say("details_in", lang, file=kept) if kept else say("details_nowhere", lang)
    return code, f"cx: {say(key, lang, **values)} {where}"


def _has_folder() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _keep(error: BaseException) -> Path | None:
    """Write the details to a new file of the temporary folder that only its owner can read."""
    try:
        handle, name = tempfile.mkstemp(prefix="cx-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(details(error))
    except (OSError, MemoryError, RecursionError):
        return None
    return Path(name)


def details(error: BaseException) -> str:
    """Where it happened and what kind it was, of an error and of those before it; no value, no message."""
    lines = [f"Python {platform.python_version()} on {sys.platform}"]
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < 10:
        seen.add(id(current))
        frames = [
            f"  {_short(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
            for frame, line in traceback.walk_tb(current.__traceback__)
        ]
        if len(frames) > 2 * _DEEPEST:
            frames = [*frames[:_DEEPEST], "  …", *frames[-_DEEPEST:]]
        kind = type(current)
        lines += [f"{kind.__module__}.{kind.__qualname__}", *frames]
        current = current.__cause__ or current.__context__
    return "\n".join(lines) + "\n"


def _short(file: str) -> str:
    """Say a source file from its package on, without the folders of the machine."""
    parts = Path(file).parts
    for root in ("site-packages", "cxlib"):
        if root in parts:
            at = len(parts) - 1 - parts[::-1].index(root)
            return "/".join(parts[at + (root == "site-packages") :])
    return "/".join(parts[-2:])


def open_streams() -> None:
    """Give a process that was started without stdin, stdout or stderr a silent one in its place.

    Otherwise the first file it opens would take that number, and what libraries print would land in it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        with contextlib.suppress(OSError, ValueError):
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (lives as long as we)
