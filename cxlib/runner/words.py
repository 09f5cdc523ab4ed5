"""The runner's own sentences, read without the YAML library.

`cx show` has 0.15 s; loading the whole catalogue with YAML costs more than that alone. So every entry of
`text/runner.yml` stands on one line, `runner.key: {en: "…", ja: "…"}`, and three lines read it. A test
compares the result with the YAML library's.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

_ENTRY = re.compile(r'^(runner\.[\w.]+): \{en: ("(?:[^"\\]|\\.)*"), ja: ("(?:[^"\\]|\\.)*")\}$', re.MULTILINE)


@cache
def entries() -> dict[str, dict[str, str]]:
    """All sentences of the runner: `key -> language -> template`."""
    source = Path(__file__).parents[1].joinpath("text", "runner.yml").read_text(encoding="utf-8")
    return {key: {"en": json.loads(en), "ja": json.loads(ja)} for key, en, ja in _ENTRY.findall(source)}


def say(key: str, lang: str, **values: object) -> str:
    """One sentence of the runner in `lang`; `say("title", "ja")` reads `runner.title`."""
    return entries()[f"runner.{key}"][lang].format(**values)
