"""Where the catalogue has the words for a code: by the column that holds it."""

from __future__ import annotations

from cxlib.language import has_text

#: Columns whose codes name a column or a measure: their words are those of its heading.
NAMING = ("attribute", "baseline", "by", "dimension", "feature", "method", "metric", "metrics", "scheme")
#: Columns whose codes are worded as others are.
WORDED_AS = {"verdict": "verdict", "was": "verdict", "moved": "verdict", "next_step": "verdict"}
WORDED_AS |= {"level": "level", "chapter": "tables.chapter"}


def code_key(column: str, code: object) -> str | None:
    """Entry with the words for a code in a column, if there is one.

    Of a column named like another one, as `next_segment`, those of `segment` count too.

    Examples
    --------
    >>> code_key("page", "list"), code_key("verdict", "lowers"), code_key("topic", "no such")
    ('value.page.list', 'verdict.lowers', None)
    """
    name, kin = str(code).lower().replace("-", "_").replace(" ", "_"), column.rpartition("_")[2]
    keys = [f"value.{column}.{name}", f"value.{kin}.{name}", f"value.{name}"]
    if kin in NAMING:
        keys[2] = f"column.{name}"
    elif column in WORDED_AS:
        keys = [f"{WORDED_AS[column]}.{name}"]
    return next((key for key in keys if has_text(key)), None)
