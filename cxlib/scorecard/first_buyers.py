"""Figures that rest on first purchases, where the data begin in the middle of customers' lives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from cxlib.data.days import local_days
from cxlib.data.purchases import earlier_buyers, purchase_lines
from cxlib.data.rules.rule_files import Figure, Kpi
from cxlib.scorecard.kpi_rows import Measure


def of_first_buyers(
    measures: Mapping[str, Measure],
    kpis: Iterable[Kpi],
    *,
    start_of: Mapping[str, Any],
    allowing: Mapping[str, Callable[..., pd.DataFrame]],
    conf_level: float = 0.95,
) -> dict[str, Measure]:
    """Measure of those who are first buyers what `kpis.yml` says rests on them (`of_first`).

    Parameters
    ----------
    measures, kpis
        As `kpi_measures` makes and takes them.
    start_of
        Whether the data begin mid-life, and from which day on a first purchase counts: `settled_from`.
    allowing
        Function of `kpis.yml` to the one that stands for it and allows for old customers among those who
        seem new; it takes all rows, `as_of`, the options of the figure and `conf_level`.
    conf_level

    Returns
    -------
    dict of metric to Measure
        None where all first purchases are known. Else without the customers who bought before the day; with
        no rows where no day is known from which on first purchases are told from later ones. A figure of
        `allowing` has no earlier value and no months: what it allows for is known of all the data only.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> rows = pd.DataFrame({"customer_id": ["a", "a", "b"], "amount": 9.0,
    ...     "ordered_at": pd.to_datetime(["2026-01-01", "2026-03-01", "2026-03-02"])})
    >>> held = dict.fromkeys(("value_12", "nps"), Measure(lambda rows, day: rows, rows))
    >>> start_of = {"begins": "burn_in", "observed_from": dt.date(2026, 2, 1)}
    >>> made = of_first_buyers(held, load_rules("kpis").kpis, start_of=start_of, allowing={})
    >>> {metric: one.latest["customer_id"].tolist() for metric, one in made.items()}
    {'value_12': ['b']}
    """
    since, begins = start_of["observed_from"], start_of["begins"]
    if since is None and not begins:
        return {}
    made = {}
    for kpi in kpis:
        if kpi.figure is None or not kpi.figure.of_first or kpi.id not in measures:
            continue
        one = measures[kpi.id]
        if since is None:
            made[kpi.id] = one._replace(latest=one.latest.iloc[:0], before=None)
        elif begins and kpi.figure.function in allowing:
            of = _computed(allowing[kpi.figure.function], kpi.figure, conf_level)
            made[kpi.id] = one._replace(of=of, before=None, is_monthly=False)
        else:
            before = None if one.before is None else _first_known(one.before, since)
            made[kpi.id] = one._replace(latest=_first_known(one.latest, since), before=before)
    return made


def first_buyer_notes(start_of: Mapping[str, Any], *, is_given: bool) -> list[dict[str, Any]]:
    """Say that the data begin mid-life, and what the figures of first buyers rest on.

    Parameters
    ----------
    start_of
        As in `of_first_buyers`.
    is_given
        Whether the reader chose the first day, who then answers for it.

    Examples
    --------
    >>> first_buyer_notes({"begins": "unsettled", "observed_from": None}, is_given=False)[0]["note"]
    'scorecard.unsettled'
    >>> first_buyer_notes({"begins": "", "observed_from": None}, is_given=False)
    []
    """
    if not start_of["begins"]:
        return []
    note = f"scorecard.{start_of['begins']}{'_given' if is_given else ''}"
    return [{"note": note, "level": "warning", "from_on": start_of["observed_from"]}]


def _computed(
    of: Callable[..., pd.DataFrame], figure: Figure, conf_level: float
) -> Callable[[pd.DataFrame, dt.date], pd.DataFrame]:
    return lambda rows, day: of(rows, as_of=day, conf_level=conf_level, **figure.options)


def _first_known(orders: pd.DataFrame, since: dt.date) -> pd.DataFrame:
    """Rows of customers who made no purchase before a day."""
    bought = purchase_lines(orders)
    day = local_days(orders["ordered_at"], "ordered_at")
    early = earlier_buyers(orders["customer_id"][bought], day[bought], since)
    return orders[~orders["customer_id"].isin(early)]
