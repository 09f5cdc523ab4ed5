"""Figures of the scorecard: now and on an earlier day, whether each moved, and meets its target."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.data.days import local_days
from cxlib.data.rules.rule_files import Kpi, Target
from cxlib.stats.intervals import critical_value
from cxlib.stats.targets import judge_target
from cxlib.stats.verdicts import limits_side, limits_verdict

LIMITS = ["estimate", "conf_low", "conf_high", "n"]
MOVES = ["before", "change", "change_std_error", "change_conf_low", "change_conf_high", "n_both"]
#: Verdict of a figure whose whole interval lies beyond the value from which on it is alarming.
ALARM = "alarm"


class Measure(NamedTuple):
    """How a figure is computed and from what; a class because a figure of two days is one idea.

    `of(rows, day)` makes a frame whose first row holds `estimate, conf_low, conf_high, n` from `latest` or
    `before`: a row for each answer, order or contact as known on that day, with `customer_id`. Without
    `before` there is no change. `is_cohort`: month by month, the rows of customers who began in the month;
    `is_monthly` false: no month by itself, since each needs all that was before. `read` makes what `of` gets
    of the rows: some of them, each customer's by themselves, under their index, so that it is done once
    however many customers are left out. `is_total`: a count of what happened, of which the earlier value is
    told and the difference, which no limits judge: it holds the season.
    """

    of: Callable[[pd.DataFrame, dt.date], pd.DataFrame]
    latest: pd.DataFrame
    before: pd.DataFrame | None = None
    is_cohort: bool = False
    is_monthly: bool = True
    read: Callable[[pd.DataFrame, dt.date], pd.DataFrame] = lambda rows, day: rows
    is_total: bool = False

    def figure(self, rows: pd.DataFrame, day: dt.date) -> pd.DataFrame:
        """Compute the figure from rows as they came."""
        return self.of(self.read(rows, day), day)


def total(rows: pd.DataFrame, *, value_col: str = "amount") -> pd.DataFrame:
    """Add up a column (its own unit): a count of what happened, not an estimate, so it has no interval.

    Examples
    --------
    >>> total(pd.DataFrame({"amount": [2.0, 3.0], "customer_id": ["a", "a"]}))["estimate"].tolist()
    [5.0]
    """
    n = rows["customer_id"].nunique()
    nothing = {"conf_low": np.nan, "conf_high": np.nan}
    return pd.DataFrame([{"estimate": float(rows[value_col].sum()), **nothing, "n": n}])


def last_days(rows: pd.DataFrame, day: dt.date, *, days: int, time_col: str = "ordered_at") -> pd.DataFrame:
    """Rows of the last `days` days up to `day`, the day included.

    Examples
    --------
    >>> rows = pd.DataFrame({"ordered_at": pd.to_datetime(["2026-07-02", "2026-07-03", "2026-09-30"])})
    >>> len(last_days(rows, dt.date(2026, 9, 30), days=90))
    2
    """
    on = local_days(rows[time_col], time_col)
    return rows[(on <= pd.Timestamp(day)) & (on > pd.Timestamp(day) - pd.Timedelta(days=days))]


def reaches_back(rows: pd.DataFrame, day: dt.date, *, days: int, time_col: str = "ordered_at") -> bool:
    """Whether rows reach back to the first of the last `days` days up to `day`, so that a sum is of them all.

    Examples
    --------
    >>> rows = pd.DataFrame({"ordered_at": pd.to_datetime(["2026-07-03", "2026-09-30"])})
    >>> [reaches_back(rows, dt.date(2026, 9, 30), days=days) for days in (90, 91)]
    [True, False]
    """
    first = local_days(rows[time_col], time_col).min()
    return bool(first <= pd.Timestamp(day) - pd.Timedelta(days=days - 1))


def told(rows: Any, *, note: str) -> list[dict[str, Any]]:
    """Rows of a result to say, or a note of that name where there are none.

    Examples
    --------
    >>> told(pd.DataFrame({"estimate": []}), note="unknown")
    [{'note': 'unknown'}]
    """
    held: list[Any] = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else list(rows)
    return held or [{"note": note}]


def listed(rows: Sequence[Mapping[str, Any]], column: str) -> list[Any]:
    """List that the first row holds in a column; empty where there is no row.

    Examples
    --------
    >>> listed([{"drivers": ["a"]}], "drivers"), listed([], "drivers")
    (['a'], [])
    """
    return list(rows[0][column]) if rows else []


def measure_kpis(
    measures: Mapping[str, Measure],
    *,
    last_day: dt.date,
    earlier: dt.date,
    n_groups: int = 20,
    conf_level: float = 0.95,
    customer_id_col: str = "customer_id",
) -> pd.DataFrame:
    """Give each figure now and before, with limits of its change.

    Parameters
    ----------
    measures : mapping of metric to Measure
        Any unit. A frame without rows gives a row without numbers.
    last_day, earlier : date
        The two days, handed to `Measure.of`.
    n_groups : int
        Groups of customers left out in turn, at least 5.
    conf_level : float
        Of the figures; the changes hold together at this level.
    customer_id_col : str
        Rows without a customer are each a customer of their own.

    Returns
    -------
    DataFrame
        One row per metric, in the order given: `metric, estimate, conf_low, conf_high, n` (now), `customers`
        (the most that can stand behind it: `n` may count deals or answers), `before`, `change` (now −
        before), `change_std_error, change_conf_low, change_conf_high`, `n_both` (customers of either day).

    Raises
    ------
    ParameterError
        `n_groups` below 5, or a frame without the column of customers.

    Notes
    -----
    The days overlap and customers answer, order and visit more than once, so the two figures are not
    independent. Customers are divided into groups, each is left out of both days at once, and the spread of
    the change over the groups gives its error (delete-a-group jackknife, Student's t with `n_groups` − 1
    degrees of freedom). The limits are Bonferroni's over the changes in the table, so that with nothing
    changed the chance of any false move is at most 1 − `conf_level`. Which group a customer is in follows
    from the customers' ids alone.

    References
    ----------
    Kott (2001) Journal of Official Statistics 17(4); Shao & Tu (1995) The Jackknife and Bootstrap.

    Examples
    --------
    >>> def share(rows, day):
    ...     return pd.DataFrame({"estimate": [rows["hit"].mean()], "conf_low": 0, "conf_high": 1, "n": 200})
    >>> people = pd.DataFrame({"customer_id": [str(i) for i in range(200)]})
    >>> latest, before = (people.assign(hit=[i % k == 0 for i in range(200)]) for k in (2, 4))
    >>> days = {"last_day": dt.date(2026, 9, 30), "earlier": dt.date(2026, 6, 30)}
    >>> hits = measure_kpis({"hits": Measure(share, latest, before)}, **days)
    >>> hits[["estimate", "before", "change"]].to_numpy().tolist()
    [[0.5, 0.25, 0.25]]
    """
    if n_groups < 5:
        raise ParameterError("scorecard.n_groups", found=n_groups)
    compared = sum(one.before is not None and not one.is_total for one in measures.values())
    level = 1 - (1 - conf_level) / max(compared, 1)
    rows = []
    for metric, one in measures.items():
        for frame in (one.latest, *([] if one.before is None else [one.before])):
            check_columns(frame, customer_id_col=customer_id_col)
        row = {"metric": metric} | _first_row(one.figure, one.latest, last_day)
        row["customers"] = min(row["n"], len(np.unique(_who(one.latest, customer_id_col))))
        rows.append(row | _change(one, (last_day, earlier), n_groups, level, customer_id_col))
    return pd.DataFrame(rows, columns=["metric", *LIMITS, "customers", *MOVES])


def judge_kpis(
    rows: pd.DataFrame, *, kpis: Iterable[Kpi], targets: Iterable[Target], currency: str | None = None
) -> pd.DataFrame:
    """Judge each figure against its target and alarm, and say whether it moved.

    Parameters
    ----------
    rows : DataFrame
        Result of `measure_kpis`.
    kpis : iterable of Kpi
        From `load_rules("kpis")`: which figures, in which order; those without a row are left out.
    targets : iterable of Target
        From `load_rules("targets")`; a figure's own is the first of its metric.
    currency : str, optional
        ISO code, for money.

    Returns
    -------
    DataFrame
        One row per KPI: the columns of `rows`, `target, alarm, unit, report, verdict` ("target_met",
        "target_missed", "alarm" where the whole interval lies beyond the alarm, "undecided",
        "not_enough_data", or none without a target) and `moved` ("risen", "fallen", "no_difference_shown", or
        none without an earlier figure).

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> rows = pd.DataFrame({"metric": ["valley_depth"], "estimate": [0.99], "conf_low": [0.9],
    ...     "conf_high": [1.1], "n": [500], "before": [1.0], "change": [-0.01], "change_conf_low": [-0.1],
    ...     "change_conf_high": [0.1], "n_both": [900]})
    >>> rules = {"kpis": load_rules("kpis").kpis, "targets": load_rules("targets").targets}
    >>> judge_kpis(rows, **rules)[["verdict", "moved"]].to_numpy().tolist()
    [['alarm', 'no_difference_shown']]
    """
    goals: dict[str, Target] = {}
    for one in targets:
        goals.setdefault(one.metric, one)
    found = rows.set_index("metric")
    judged = []
    for kpi in kpis:
        if kpi.id in found.index:
            row: Any = found.loc[kpi.id].to_dict()
            own = {"unit": kpi.unit, "report": kpi.report, "moved": _moved(row, kpi.unit, currency)}
            judged.append({"metric": kpi.id} | row | own | _against(row, goals.get(kpi.id), kpi.unit))
    columns = [
        "metric",
        *LIMITS,
        "customers",
        *MOVES,
        "unit",
        "report",
        "target",
        "alarm",
        "verdict",
        "moved",
    ]
    return pd.DataFrame(judged, columns=columns)


def changes_alone(
    judged: pd.DataFrame, *, n_groups: int = 20, conf_level: float = 0.95, currency: str | None = None
) -> pd.DataFrame:
    """Judge each change as if it were the only one looked at: how much the correction for many decides.

    Parameters
    ----------
    judged : DataFrame
        Result of `judge_kpis`; figures without an earlier one are left out.
    n_groups, conf_level, currency
        As in `measure_kpis` and `judge_kpis`.

    Returns
    -------
    DataFrame
        `metric, change, change_conf_low, change_conf_high, n` (customers behind either day), `moved`.

    Examples
    --------
    >>> rows = pd.DataFrame({"metric": ["nps"], "change": [5.0], "change_std_error": [2.0], "unit": "points",
    ...     "n_both": [800]})
    >>> changes_alone(rows)["moved"].tolist()
    ['risen']
    """
    rows: Any = judged[judged["change_std_error"].notna()].reset_index(drop=True)
    rows = rows.assign(
        n=rows["n_both"], **_limits(rows["change"], rows["change_std_error"], n_groups, conf_level)
    )
    moved: list[Any] = [_moved(row, row["unit"], currency) for row in rows.to_dict("records")]
    columns = ["metric", "change", "change_conf_low", "change_conf_high", "n"]
    return rows[columns].assign(moved=moved)


def for_purpose(judged: pd.DataFrame, *, kpis: Iterable[Kpi], purpose: str) -> pd.DataFrame:
    """Figures that stand on the page of an aim ("grow" sales, or "keep" customers)."""
    chosen = [kpi.id for kpi in kpis if purpose in kpi.purpose]
    return judged[judged["metric"].isin(chosen)].reset_index(drop=True)


def verdict_tally(judged: pd.DataFrame) -> dict[str, str]:
    """Count how many figures met, missed or left open their target, and how many are in alarm; as text.

    Figures are counted, not customers: nothing here is to be rounded or hidden for being few.

    Examples
    --------
    >>> verdict_tally(pd.DataFrame({"verdict": ["alarm", "target_met", None, "alarm"]}))
    {'met': '1', 'undecided': '0', 'missed': '0', 'alarm': '2'}
    """
    held = judged["verdict"].value_counts()
    counts = (held.get(verdict, 0) for verdict in ("target_met", "undecided", "target_missed", ALARM))
    return dict(zip(("met", "undecided", "missed", "alarm"), map(str, counts), strict=True))


def _first_row(
    of: Callable[[pd.DataFrame, dt.date], pd.DataFrame], frame: pd.DataFrame, day: dt.date
) -> dict[str, float]:
    found = of(frame, day) if len(frame) else pd.DataFrame()
    empty = dict.fromkeys(LIMITS, np.nan) | {"n": 0}
    return empty if found.empty else {name: found[name].iloc[0] for name in LIMITS}


def _change(
    one: Measure, days: tuple[dt.date, dt.date], n_groups: int, level: float, customer_id_col: str
) -> dict[str, Any]:
    """Difference between the days, and its limits by leaving out one group of customers after the other."""
    if one.before is None:
        return dict.fromkeys(MOVES, np.nan)
    frames = (one.latest, one.before)
    estimate, before = (
        _first_row(one.figure, frame, day)["estimate"] for frame, day in zip(frames, days, strict=True)
    )
    if one.is_total:
        return dict.fromkeys(MOVES, np.nan) | {"before": before, "change": estimate - before}
    people = [_who(frame, customer_id_col) for frame in frames]
    distinct = np.unique(np.concatenate(people))
    told = {"before": before, "change": estimate - before, "n_both": len(distinct)}
    nothing = told | dict.fromkeys(("change_std_error", "change_conf_low", "change_conf_high"), np.nan)
    if np.isnan(estimate - before) or len(distinct) < 2 * n_groups:
        return nothing
    named = [frame[customer_id_col].notna().to_numpy() for frame in frames]
    known = np.unique(np.concatenate([ids[has] for ids, has in zip(people, named, strict=True)]))
    groups = [  # hashes are in no order of theirs; rows of nobody known leave the places of customers alone
        np.where(has, np.searchsorted(known, ids).astype(ids.dtype), ids) % n_groups
        for ids, has in zip(people, named, strict=True)
    ]
    without = []
    for frame, group, day in zip(frames, groups, days, strict=True):
        read = one.read(frame.reset_index(drop=True), day)
        own = group[read.index.to_numpy()]
        each = (_first_row(one.of, read[own != left_out], day) for left_out in range(n_groups))
        without.append(np.array([row["estimate"] for row in each]))
    latest_without, before_without = without
    error = float(np.sqrt((n_groups - 1) * np.var(latest_without - before_without)))
    if not error > 0:  # not a number where leaving a group out leaves nothing
        return nothing
    return told | {"change_std_error": error} | _limits(estimate - before, error, n_groups, level)


def _limits(change: Any, std_error: Any, n_groups: int, level: float) -> dict[str, Any]:
    reach = critical_value(level, df=n_groups - 1) * std_error
    return {"change_conf_low": change - reach, "change_conf_high": change + reach}


def _who(frame: pd.DataFrame, customer_id_col: str) -> Any:
    """Hash of each row's customer; of the whole row where it has none."""
    ids = frame[customer_id_col].astype(object)
    hashes = pd.util.hash_array(ids.where(ids.notna(), "").to_numpy(), categorize=True)
    unknown = ids.isna().to_numpy()
    if unknown.any():
        rows = frame.loc[unknown].astype(str)
        hashes[unknown] = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    return hashes


def _against(row: Mapping[str, Any], goal: Target | None, unit: str) -> dict[str, Any]:
    if goal is None:
        return {"target": np.nan, "alarm": np.nan, "verdict": None}
    bounded = dict(row)
    if np.isnan(row["estimate"]) and not np.isnan(row["conf_low"]):  # known between two bounds only
        bounded["estimate"] = (row["conf_low"] + row["conf_high"]) / 2
    verdict = judge_target(bounded, goal.target, unit=unit, better=goal.better)["verdict"]
    side = int(limits_side(row["conf_low"], row["conf_high"], null=goal.alarm, unit=unit))
    if verdict == "target_missed" and side == (-1 if goal.better == "higher" else 1):
        verdict = ALARM
    return {"target": goal.target, "alarm": goal.alarm, "verdict": verdict}


def _moved(row: Mapping[str, Any], unit: str, currency: str | None) -> str | None:
    low, high = row["change_conf_low"], row["change_conf_high"]
    if np.isnan(low):
        return None
    of_change = {"share": "pp"}.get(unit, unit)
    said = {"above": "risen", "below": "fallen"}
    return str(limits_verdict(low, high, unit=of_change, currency=currency, **said))
