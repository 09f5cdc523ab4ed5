"""Each KPI under every choice of cleaning, and the choices that turn what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import pandas as pd

from cxlib.data.contract import TABLES
from cxlib.data.days import local_days
from cxlib.data.rules.rule_files import Target, Targets
from cxlib.data.rules.settings import Settings
from cxlib.data.scope import Scope
from cxlib.data.tables.unlisted_customers import NAMING
from cxlib.data.text_type import TEXT
from cxlib.inventory.duplicates import key_columns, same_person
from cxlib.stats.targets import fitting_targets, judge_target

Tables = Mapping[str, pd.DataFrame]
#: What a KPI is made from, and how: the table it reads, and tables → a frame whose first row is the KPI.
Kpi = tuple[str, Callable[[Tables], pd.DataFrame]]
AS_IT_IS, ALL = "as_it_is", "all"
CHOICES = ("test_accounts", "duplicates", "refunds", "guests", "late_rows")
_READ = ("orders", "events", "responses", "deals", "activities")
_COLUMNS = [
    "metric",
    "choice",
    "estimate",
    "conf_low",
    "conf_high",
    "n",
    "target",
    "verdict",
    "was",
    "is_flip",
]


def chosen_tables(scope: Scope, *, survey: str = "relationship") -> dict[str, pd.DataFrame]:
    """Rows of the tables that KPIs are made from, in the period and for the customers who count.

    Guests and rows of nobody known stay as long as everybody counts; answers are those of one survey. Always
    there, if without rows: `customers`, where no table says who they are, and `users`, who are nobody's.
    """
    has, read = scope.data_set.has, scope.data_set.table
    held = [name for name in _READ if name in TABLES and has(name)]
    if any(has(name) for name in ("customers", *NAMING)):
        rows = {name: scope.rows(name, keep_unknown=True) for name in held}
        rows["customers"] = scope.customers
    else:
        rows = {name: read(name, **scope.period) for name in held}
        rows["customers"] = pd.DataFrame({"customer_id": pd.Series(dtype=TEXT)})
    if "responses" in rows:
        rows["responses"] = rows["responses"].query("survey == @survey")
    rows["users"] = read("users") if "users" in TABLES and has("users") else pd.DataFrame({"owner": []})
    return rows


def older_deals(scope: Scope) -> pd.DataFrame:
    """Deals created before the period, which may still be open on its last day; no rows without a period."""
    has = scope.data_set.has
    if scope.period_start is None or not (has("deals") and any(map(has, ("customers", *NAMING)))):
        return pd.DataFrame({"deal_id": []})
    every = scope.rows("deals", with_history=True, keep_unknown=True)
    return every[~every["deal_id"].isin(scope.rows("deals", keep_unknown=True)["deal_id"])]


def narrowed(scope: Scope) -> list[dict[str, str]]:
    """Say what a narrower scope narrows: the arguments of `Report.notice`."""
    is_whole = scope.period_start is None and scope.period_end is None and not scope.is_narrowed
    return [] if is_whole else [{"key": "inventory.narrowed"}]


def cleaned(tables: Tables, *, late_days: int, min_cell: int = 10) -> dict[str, Tables]:
    """Make the tables anew under every choice of cleaning that changes enough, alone and all together.

    Parameters
    ----------
    tables
        By name, as `chosen_tables` gives them; not changed. Those without `customer_id` are left out.
    late_days
        Days after which an entry is late.
    min_cell
        A choice that changes the rows of fewer customers is left out: the difference would be theirs.

    Returns
    -------
    dict
        "as_it_is", then as far as they change enough: "duplicates" (who is one person by `match_key…` becomes
        one customer), "refunds" (lines below zero left out instead of netted), "guests" (an order without a
        customer counts as one of its own), "test_accounts" (customers with `is_test`, and their rows, left
        out), "late_rows" (rows recorded more than `late_days` after their day left out); and "all".

    Examples
    --------
    >>> lines = pd.DataFrame({"order_id": ["1", "2"], "customer_id": ["a", None], "amount": [9.0, 5.0]})
    >>> made = cleaned({"orders": lines}, late_days=7, min_cell=1)
    >>> list(made), made["guests"]["orders"]["customer_id"].tolist()
    (['as_it_is', 'guests', 'all'], ['a', 'guest 2'])
    """
    choices: dict[str, Callable[[Tables], Tables]] = {
        "test_accounts": _without_tests,
        "duplicates": _one_by_person,
        "refunds": _without_refunds,
        "guests": _guests_as_customers,
        "late_rows": lambda held: _without_late(held, late_days),
    }
    tables = {name: held for name, held in tables.items() if "customer_id" in held}
    alone = {name: choice(tables) for name, choice in choices.items()}
    enough = {name: held for name, held in alone.items() if _changed(tables, held) >= min_cell}
    made = {AS_IT_IS: tables, **enough}
    if enough:
        made[ALL] = reduce(lambda held, name: choices[name](held), list(made)[1:], tables)
    return made


def _changed(before: Tables, after: Tables) -> int:
    """Count the customers, by their ids before or after, whose number of rows is another one."""
    who: set[object] = set()
    for name in before:
        if after[name] is not before[name]:
            counts = (held[name]["customer_id"].value_counts() for held in (before, after))
            difference = next(counts).sub(next(counts), fill_value=0)
            who |= set(difference.index[difference != 0])
    return len(who)


def _one_by_person(tables: Tables) -> Tables:
    """Give every row the first id of its person."""
    if "customers" not in tables or not key_columns(tables["customers"]):
        return tables
    first = same_person(tables["customers"]).set_index("customer_id")["first_id"]
    if first.empty:
        return tables
    mapped = {
        name: held.assign(customer_id=held["customer_id"].map(first).fillna(held["customer_id"]))
        for name, held in tables.items()
    }
    return {**mapped, "customers": mapped["customers"].drop_duplicates("customer_id", ignore_index=True)}


def _without_refunds(tables: Tables) -> Tables:
    return _only(tables, {"orders": lambda held: ~(held["amount"] < 0)})


def _guests_as_customers(tables: Tables) -> Tables:
    """Let every order of nobody known be that of a customer of its own."""
    if "orders" not in tables or not (is_guest := tables["orders"]["customer_id"].isna()).any():
        return tables
    lines = tables["orders"]
    own = lines["customer_id"].mask(is_guest, "guest " + lines["order_id"].astype(str))
    return {**tables, "orders": lines.assign(customer_id=own)}


def _without_tests(tables: Tables) -> Tables:
    if "is_test" not in tables.get("customers", ()):
        return tables
    people = tables["customers"]
    tests = people.loc[people["is_test"].fillna(value=False).astype(bool), "customer_id"]
    return _only(tables, {name: lambda held: ~held["customer_id"].isin(tests) for name in tables})


def _without_late(tables: Tables, late_days: int) -> Tables:
    timed = {name: TABLES[name].time for name, held in tables.items() if "recorded_at" in held}
    return _only(
        tables,
        {
            name: partial(_is_in_time, time_col=time, late_days=late_days)
            for name, time in timed.items()
            if time is not None
        },
    )


def _is_in_time(rows: pd.DataFrame, *, time_col: str, late_days: int) -> pd.Series:
    return ~(lag_days(rows, time_col=time_col) > late_days)


def _only(tables: Tables, kept: Mapping[str, Callable[[pd.DataFrame], pd.Series]]) -> Tables:
    """Keep some rows of some tables; the same tables where that leaves none out."""
    rows = {name: keep(tables[name]) for name, keep in kept.items() if name in tables}
    fewer = {name: tables[name][keep].reset_index(drop=True) for name, keep in rows.items() if not keep.all()}
    return {**tables, **fewer} if fewer else tables


def lag_days(rows: pd.DataFrame, *, time_col: str, recorded_col: str = "recorded_at") -> pd.Series:
    """Whole days from what happened to its entry; 0 where it was entered before, missing where unknown.

    Examples
    --------
    >>> rows = pd.DataFrame({"created_on": pd.to_datetime(["2026-01-05"]),
    ...                      "recorded_at": pd.to_datetime(["2026-01-08 09:00"])})
    >>> lag_days(rows, time_col="created_on").tolist()
    [3.0]
    """
    happened, recorded = (local_days(rows[name], name) for name in (time_col, recorded_col))
    return (recorded - happened).dt.days.clip(lower=0).astype("float64")


def kpis_by_choice(
    made: Mapping[str, Tables],
    kpis: Mapping[str, Kpi],
    *,
    targets: Mapping[str, Target],
    min_cell: int = 10,
) -> pd.DataFrame:
    """Compute every KPI under every choice, and judge it against its target each time.

    Parameters
    ----------
    made
        Tables by choice, from `cleaned`.
    kpis
        By metric (as in `report.units`) the table a KPI reads and how it is made from the tables; a KPI whose
        table is not there or empty, or that comes to no number, is left out, and so is a choice that leaves
        its table as it is.
    targets
        By metric; without one there is no verdict.
    min_cell
        A KPI of fewer customers is left out.

    Returns
    -------
    DataFrame
        A row per KPI and choice: `metric, choice, estimate, conf_low, conf_high, n, target, verdict` (as
        `judge_target`), `was` (the verdict as the data are), `is_flip`.
    """
    rows = []
    for metric, (table, kpi) in kpis.items():
        held_as = {name: held for name, held in made.items() if len(held.get(table, ()))}
        as_is = held_as.get(AS_IT_IS, {}).get(table)
        of_choice = {
            name: kpi(held) for name, held in held_as.items() if name == AS_IT_IS or held[table] is not as_is
        }
        judged = {
            name: _judged(result, targets.get(metric))
            for name, result in of_choice.items()
            if result["estimate"].head(1).notna().any()
        }
        judged = {name: row for name, row in judged.items() if row["n"] >= min_cell}
        was = judged.get(AS_IT_IS, {}).get("verdict")
        for choice, row in judged.items() if AS_IT_IS in judged else ():
            is_flip = row["verdict"] != was
            rows.append({"metric": metric, "choice": choice, **row, "was": was, "is_flip": is_flip})
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"is_flip": bool})


def _judged(result: pd.DataFrame, goal: Target | None) -> dict[str, Any]:
    """Take the first row, and judge it where there is a target."""
    first = result.iloc[0]
    row = {name: first[name] for name in ("estimate", "conf_low", "conf_high")}
    row["n"] = first.get("customers", first["n"])
    if goal is None:
        return {**row, "target": None, "verdict": None}
    found = judge_target(row, goal.target, unit=goal.unit, better=goal.better)
    return {**row, "target": goal.target, "verdict": found["verdict"]}


def kpi_targets(targets: Targets, settings: Settings, *, f2_days: int) -> dict[str, Target]:
    """Find the targets of NPS, CSAT and CES of the relationship survey, and of F2 within `f2_days`."""
    scale, direction = settings.ces_scale, settings.ces_direction
    own, _ = fitting_targets(targets.targets, survey="relationship", ces_scale=scale, ces_direction=direction)
    of_f2 = [one for one in targets.targets if one.metric == f"f2_{f2_days}"]
    return own | ({"f2": of_f2[0]} if of_f2 else {})


def known_kpis(kpis: Mapping[str, Kpi], start_of: Mapping[str, Any]) -> dict[str, Kpi]:
    """Leave out F2 where the data begin in the middle of customers' lives: all who seem new would count.

    Parameters
    ----------
    kpis
        As in `kpis_by_choice`.
    start_of
        Whether they do so, as `settled_from` tells.

    Examples
    --------
    >>> list(known_kpis({"f2": ("orders", len), "nps": ("responses", len)}, {"begins": "burn_in"}))
    ['nps']
    """
    return {name: kpi for name, kpi in kpis.items() if name != "f2" or not start_of["begins"]}


def not_compared(made: Mapping[str, Tables], start_of: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name the choices that `cleaned` left out, and F2 where `known_kpis` did, as notes.

    Examples
    --------
    >>> not_compared(dict.fromkeys(["as_it_is", "guests", "refunds", "all"]), {"begins": ""})[0]["choice"]
    ['test_accounts', 'duplicates', 'late_rows']
    """
    choices = [name for name in CHOICES if name not in made]
    notes = [{"choice": choices, "note": "inventory.unchanged", "level": "info"}] if choices else []
    return notes + [{"note": "inventory.no_f2", "level": "info"}] * bool(start_of["begins"])


def flips(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `kpis_by_choice` whose verdict is another one than as the data are, to be said.

    Returns
    -------
    DataFrame
        With `was_estimate`, `flip` (metric and choice) and `metrics`; where no verdict turns, one row with
        the `note` "none", or "nothing_judged" where no KPI has a target.

    Examples
    --------
    >>> rows = pd.DataFrame({"metric": "nps", "choice": ["as_it_is", "all"], "estimate": [25.0, 21.0],
    ...     "verdict": ["target_met", "undecided"], "was": "target_met", "is_flip": [False, True], "n": 90})
    >>> flips(rows)[["flip", "was_estimate", "was", "verdict"]].to_numpy().tolist()
    [['nps all', 25.0, 'target_met', 'undecided']]
    """
    if not rows["is_flip"].any():
        choices = sorted(set(rows["choice"]) - {AS_IT_IS, ALL})
        judged = rows.loc[rows["verdict"].notna(), "metric"]
        note = "none" if len(judged) and choices else "nothing_judged"
        return pd.DataFrame([{"note": note, "choice": choices, "metrics": list(dict.fromkeys(judged))}])
    as_is = rows[rows["choice"] == AS_IT_IS].set_index("metric")["estimate"]
    turned = rows[rows["is_flip"]]
    named = turned["metric"] + " " + turned["choice"]
    said = {
        "was_estimate": turned["metric"].map(as_is),
        "flip": named,
        "metrics": turned["metric"].map(lambda one: [one]),
    }
    return turned.assign(**said, note="").reset_index(drop=True)
