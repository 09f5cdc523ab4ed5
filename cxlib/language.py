"""Text catalogue, number formats and fonts of the two languages.

Nothing here reads the machine's locale: the language is always an argument.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "ja")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All entries of `cxlib/text/*.yml`, as `key -> language -> template`; a key lives in one file only."""
    import yaml

    entries: dict[str, dict[str, str]] = {}
    for source in sorted(files("cxlib.text").iterdir(), key=lambda path: path.name):
        if source.name.endswith(".yml"):
            for key, templates in (yaml.safe_load(source.read_text(encoding="utf-8")) or {}).items():
                if key in entries:
                    raise ValueError(f"text key {key!r} stands twice; the second time in {source.name}")
                entries[key] = templates
    return entries


def text(key: str, lang: str = "en", **values: object) -> str:
    """One catalogue entry in `lang`, its placeholders filled in with `values` (already formatted text).

    Examples
    --------
    >>> text("language.list_join", "en", first="a", last="b")
    'a and b'
    """
    return catalogue()[key][lang].format(**values)
