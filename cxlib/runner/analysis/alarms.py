"""Limits and alarms of remembered figures: the runner's door to the statistics of series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cxlib.data.rules.rule_files import load_rules
from cxlib.data.tables.data_set import open_data
from cxlib.stats.newest_value import newest_alarms, newest_limits

Rows = Iterable[Mapping[str, Any]]


def goals(data: Path | None) -> dict[str, dict[str, Any]]:
    """Target, alarm and good direction of each figure, by the rules that hold for the data."""
    targets = load_rules("targets", None if data is None else open_data(data)).targets
    return {
        one.metric: {"target": one.target, "alarm": one.alarm, "better": one.better}
        for one in reversed(targets)
    }


def limits_of(rows: Rows, *, n_series: int, conf_level: float) -> dict[str, float]:
    """Limits of the newest value of one series among `n_series`; NaN where the earlier ones say nothing."""
    return newest_limits(pd.DataFrame(list(rows)), level=1 - (1 - conf_level) / (2 * n_series))


def alarms(rows: Rows, *, conf_level: float) -> list[dict[str, Any]]:
    """Alarms of the newest day among remembered figures with their goals, as `newest_alarms` finds them."""
    points = pd.DataFrame(list(rows))
    if points.empty:
        return []
    points["as_of"] = pd.to_datetime(points["as_of"])
    names = ["estimate", "conf_low", "conf_high", "n", "conf_level", "alarm"]
    points[names] = points[names].astype(float)
    found: list[Any] = newest_alarms(points, conf_level=conf_level).to_dict("records")
    return found
