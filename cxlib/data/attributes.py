"""Choosing customers by their attributes: what `where` says, and who has all of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from cxlib.checks import ParameterError
from cxlib.checks.near_names import near_names
from cxlib.data.text_type import TEXT

#: Groups made of customers' purchases; the others are columns of the customers table.
MADE = ("segment", "cohort", "first_channel")


def parse_where(where: str | Mapping[str, str] | None) -> dict[str, str]:
    """Attributes and the values they must have, of text such as "region=Kanto, gender=female".

    Raises
    ------
    ParameterError
        If it is neither that nor a mapping, or names an attribute twice.

    Examples
    --------
    >>> parse_where("region=Kanto, gender=female"), parse_where(None)
    ({'region': 'Kanto', 'gender': 'female'}, {})
    """
    if isinstance(where, Mapping):
        return {str(name): str(value) for name, value in where.items()}
    pairs = [part.partition("=") for part in re.split(r",(?=[^,=]+=)", where)] if where is not None else []
    found = {name.strip(): value.strip() for name, _, value in pairs}
    if len(found) < len(pairs) or not all(name and value for name, value in found.items()):
        raise ParameterError("tables.where_form", found=repr(where)[:60])
    return found


def having(people: pd.DataFrame, where: Mapping[str, str], *, min_cell: int) -> pd.Series:
    """Tell which customers have every attribute asked for.

    Raises
    ------
    ParameterError
        If there is no such column, nobody has a value in it, or fewer than `min_cell` customers have one of
        them, or all together. Few and nobody are refused alike, so that nobody learns whether a few have, and
        only values that many share are named.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": list("abcdef"), "region": list("xxxxxy")})
    >>> int(having(people, {"region": "x"}, min_cell=5).sum())
    5
    """
    kept = pd.Series(data=True, index=people.index)
    options = [str(name) for name in people.columns if name != "customer_id"]
    for name, value in where.items():
        if name in MADE and name not in options:
            raise ParameterError("tables.where_made", column=name)
        if name not in options:
            raise ParameterError("tables.where_column", column=name, nearest=near_names(name, options))
        words = people[name].astype(TEXT).str.replace(r"\.0$", "", regex=True)  # 1980 for 1980.0
        if len(words) and not words.notna().any():
            raise ParameterError("tables.where_empty", column=name)
        has = words.str.casefold() == value.casefold()
        if has.sum() < min_cell:
            sizes = words.value_counts()
            shared = sorted(sizes.index[sizes >= min_cell])
            near = near_names(value, shared)
            near = ", ".join(shared[:12]) or "–" if near == "–" else near
            near = near.lower() if isinstance(people[name].dtype, pd.BooleanDtype) else near
            raise ParameterError(
                "tables.where_value", column=name, value=value, nearest=near, min_cell=min_cell
            )
        kept &= has
    if where and kept.sum() < min_cell:
        asked = ", ".join(f"{name}={value}" for name, value in where.items())
        raise ParameterError("tables.where_together", asked=asked, min_cell=min_cell)
    return kept.astype(bool)
