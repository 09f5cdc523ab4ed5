"""Whether parameters fit the data they are for, before a report starts: day, whom, groups, initiative."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxlib.checks import InputError, fail_option
from cxlib.customers.rfm_segments import segment_names
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.scope import MADE, fail_by, having, parse_where
from cxlib.data.tables.data_set import open_data
from cxlib.initiatives.study.panel import choose_initiative


def check_possible(parameters: Mapping[str, Any], data: Path) -> None:
    """Refuse values that no customer of the data has, in the words a report would use minutes later.

    Parameters
    ----------
    parameters
        Values of one report: `as_of`, `by`, `segment`, `where`, `min_cell`, `initiative`; others are not
        looked at.
    data
        Folder or DuckDB file. Where it or a table cannot be read, nothing is said: the report says it better.

    Raises
    ------
    ParameterError
        Names the parameter, what was given and what there is.
    """
    segment = parameters.get("segment")
    if segment is not None and segment not in (names := segment_names(load_rules("rfm_segments"))):
        fail_option("segment", segment, names)
    where = parse_where(parameters.get("where"))
    try:
        data_set = open_data(data, as_of=parameters.get("as_of"))
        by, initiative = parameters.get("by"), parameters.get("initiative")
        if by is not None and by not in MADE and data_set.has("customers"):
            _check_by(by, data_set)
        if where and data_set.has("customers"):
            having(data_set.table("customers"), where, min_cell=parameters.get("min_cell") or 10)
        if initiative is not None and data_set.has("initiatives"):
            choose_initiative(data_set.table("initiatives"), initiative)
    except InputError:
        return


def _check_by(by: str, data_set: Any) -> None:
    options = [name for name in data_set.table("customers").columns if name != "customer_id"]
    if by not in options:
        fail_by(by, options)
