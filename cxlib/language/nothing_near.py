"""Messages that propose names, where nothing is called nearly so: the proposal is left out."""

from __future__ import annotations

import re

_PROPOSAL = re.compile(
    r"(?:[;；] ?|（|(?<=[.?。])\s?)[^.;?。；（]*\{nearest\}[^.;?。；）]*(?:[）?。]|\.(?= |$)|$)"
)


def without_proposal(template: str) -> str:
    """Leave out the sentence, or part of one, on `{nearest}`.

    Examples
    --------
    >>> without_proposal("No file {file}. Did you mean: {nearest}?")
    'No file {file}.'
    """
    return _PROPOSAL.sub(_end, template)


def _end(found: re.Match[str]) -> str:
    """Keep the full stop of a sentence of which only the last part goes."""
    return "." if found[0].startswith(";") and found[0].endswith(".") else ""
