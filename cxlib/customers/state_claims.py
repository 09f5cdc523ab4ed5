"""What the segmentation chapter may say of stages, states, clusters and moves between groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxlib.customers.growth_claims import a_year_apart
from cxlib.customers.late_start import settled_shares, short_of_history
from cxlib.customers.lifecycle_states import state_spells, state_table, stay_limits
from cxlib.data.rules.rule_files import States
from cxlib.stats.intervals import share_interval
from cxlib.stats.survival.kaplan_meier import survival_curve

#: How far apart, in days, states are looked at: a stay is seen up to as many days after it began.
STEP = 30
STAYS = (60, 120, 240)
NOTES = {"burn_in": "segmentation.burn_in", "unsettled": "segmentation.unsettled"}


def states_today(states: pd.DataFrame, *, min_cell: int = 10, conf_level: float = 0.95) -> pd.DataFrame:
    """Tabulate the states of one day; a few customers claimed by several rules are not counted out.

    Examples
    --------
    >>> states = pd.DataFrame({"as_of": "2026-01-01", "customer_id": range(40), "state": "new", "claims": 1})
    >>> states_today(states)[["state", "n", "contested"]].values.tolist()
    [['new', 40, 0]]
    """
    today = state_table(states, conf_level=conf_level)
    few = (today["contested"] > 0) & (today["contested"] < min_cell)
    return today.assign(contested=today["contested"].mask(few)).drop(columns=["as_of", "of"])


def late_states(rules: States, *, history_days: int) -> dict[str, Any]:
    """Name the states that nobody, or not everybody, can be in because the data begin too late.

    Returns
    -------
    dict
        `short_state, since_days` (days without an order from which on each begins)`, history_days, note`;
        empty where there are none.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> late_states(load_rules("lifecycle"), history_days=330)["since_days"], late_states(
    ...     load_rules("lifecycle"), history_days=3_000)
    ([365], {})
    """
    late = short_of_history(stay_limits(rules), history_days=history_days)
    if late.empty:
        return {}
    told = {"short_state": late["state"].tolist(), "since_days": late["since_days"].astype(int).tolist()}
    return told | {"history_days": history_days, "note": "segmentation.short_history"}


def late_by_scheme(rules: Mapping[str, States], *, history_days: int) -> list[dict[str, Any]]:
    """Name the late states (`late_states`) of several files of rules, each with its `scheme`.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> [row["scheme"] for row in late_by_scheme({"lifecycle": load_rules("lifecycle")}, history_days=330)]
    ['lifecycle']
    """
    told = {scheme: late_states(own, history_days=history_days) for scheme, own in rules.items()}
    return [row | {"scheme": scheme} for scheme, row in told.items() if row]


def middle_of_lives(start_of: Mapping[str, Any], *, is_told: bool = True) -> dict[str, Any]:
    """Tell that the data begin in the middle of customers' lives; empty where they do not.

    Parameters
    ----------
    start_of : mapping
        As `settled_from`.
    is_told : bool
        Whether any states are; of none nothing is said.

    Examples
    --------
    >>> middle_of_lives({"begins": ""})
    {}
    >>> middle_of_lives({"begins": "unsettled", "observed_from": None})["note"]
    'segmentation.unsettled'
    """
    if not start_of["begins"] or not is_told:
        return {}
    told = {
        name: start_of.get(name) for name in ("metric", "estimate", "conf_low", "conf_high", "older_share")
    }
    told |= {"plain_share": start_of.get("plain"), "from_on": start_of["observed_from"]}
    return told | {"note": NOTES[start_of["begins"]]}


def states_since(
    states: pd.DataFrame, first_orders: pd.Series, *, from_on: object, conf_level: float = 0.95
) -> list[dict[str, Any]]:
    """Tell which states' shares differ among buyers whose first order is sure to be the first.

    Parameters
    ----------
    states, first_orders, from_on, conf_level
        As `settled_shares`; nothing is told where `from_on` is None.

    Returns
    -------
    list of dict
        `state, metric` (difference: of buyers before less those since)`, estimate, conf_low, conf_high, n`
        (buyers since)`, all_share, settled_share, early_share, from_on`, largest difference first.

    Examples
    --------
    >>> day = pd.Series(pd.to_datetime(["2026-01-01"] * 40 + ["2026-06-01"] * 40), index=range(80))
    >>> states = pd.DataFrame({"customer_id": range(80), "state": ["old"] * 40 + ["new"] * 40})
    >>> [row["state"] for row in states_since(states, day, from_on="2026-04-01")]
    ['new', 'old']
    """
    if from_on is None:
        return []
    shares = settled_shares(states, first_orders, from_on=from_on, conf_level=conf_level)
    rows = shares[shares["is_apart"]].sort_values("difference", key=abs, ascending=False)
    names = {"estimate": "all_share", "settled": "settled_share", "early": "early_share"}
    rows = rows.rename(columns=names | {"difference": "estimate"})
    own = {"metric": "difference", "from_on": from_on}
    return [{str(name): held for name, held in row.items()} | own for row in rows.to_dict("records")]


def traced_told(
    people: pd.DataFrame | None,
    *,
    segment: str | None,
    start: object,
    min_cell: int = 10,
    few: str | None = None,
) -> dict[str, Any]:
    """Say who is traced in a report on one segment: its customers of the first day.

    Parameters
    ----------
    people : pandas.DataFrame, optional
        They, one row each; nothing is told without.
    segment : str, optional
        Nothing is told without.
    start : date
        The first day.
    min_cell : int
        Fewer are not told; then the row's note is `few`, if there is one.

    Examples
    --------
    >>> traced_told(pd.DataFrame(index=range(30)), segment="Loyal", start="2026-01-01")["note"]
    'segmentation.traced'
    """
    if segment is None or people is None or (len(people) < min_cell and few is None):
        return {}
    told = {"segment": segment, "start": start}
    if len(people) < min_cell:
        return told | {"note": few}
    return told | {"n": len(people), "note": "segmentation.traced", "level": "info"}


def lasting_states(states: pd.DataFrame, rules: States, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Tell which share is still in a state some days after it began, and where the rules alone decide it.

    Parameters
    ----------
    states : pandas.DataFrame
        As `attitude_states`, on days thirty apart.
    rules : States
        The rules they were made by.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `state, time` (days after it began)`, metric` (stay)`, estimate, conf_low, conf_high, n` (customers
        who entered)`, at_least_days, at_most_days, is_fixed` (whatever customers do).
    """
    columns = ["state", "time", "metric", "estimate", "conf_low", "conf_high", "n"]
    spells = state_spells(states)
    if spells.empty:
        return pd.DataFrame(columns=[*columns, "at_least_days", "at_most_days", "is_fixed"])
    asked: dict[str, Any] = {"duration_col": "time_days", "event_col": "is_left", "by": "state"}
    rows = survival_curve(spells, times=list(STAYS), conf_level=conf_level, **asked)
    rows["n"] = rows["state"].map(spells.groupby("state")["customer_id"].nunique())
    rows = rows.assign(metric="stay").merge(stay_limits(rules), on="state")
    too_early, over = (
        rows["time"] + STEP <= rows["at_least_days"],
        rows["time"] >= rows["at_most_days"] + STEP,
    )
    return rows.assign(is_fixed=too_early | over)[[*columns, "at_least_days", "at_most_days", "is_fixed"]]


def largest_steps(steps: pd.DataFrame, *, most: int = 10) -> pd.DataFrame:
    """Keep the most frequent changes of `state_transitions` that may be shown.

    Examples
    --------
    >>> steps = pd.DataFrame({"state": list("aab"), "next_state": list("aba"), "n": [9, 2, 3]})
    >>> largest_steps(steps.assign(is_suppressed=False), most=1)["state"].tolist()
    ['b']
    """
    changes = steps[~steps["is_suppressed"].astype(bool) & (steps["state"] != steps["next_state"])]
    return changes.nlargest(most, "n").drop(columns="n")


def fixed_stays(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Name the states of `lasting_states` whose length the rules alone decide, and how long that is.

    Returns
    -------
    list of dict
        `fixed_state, fixed_days, note`: one for those that last at least as long, one for at most.

    Examples
    --------
    >>> rows = pd.DataFrame({"state": ["a", "b"], "time": [60, 240], "is_fixed": True})
    >>> told = fixed_stays(rows.assign(at_least_days=[365, 0], at_most_days=[float("inf"), 180]))
    >>> [(row["fixed_state"], row["fixed_days"]) for row in told]
    [(['a'], [365]), (['b'], [180])]
    """
    fixed = rows[rows["is_fixed"].astype(bool)].drop_duplicates("state")
    is_least = (fixed["at_least_days"] > fixed["time"]).astype(bool)
    told = []
    for kind, part in (("at_least", fixed[is_least]), ("at_most", fixed[~is_least])):
        if len(part):
            days = part[f"{kind}_days"].astype(int).tolist()
            own = {"fixed_state": part["state"].tolist(), "fixed_days": days}
            told.append(own | {"note": f"segmentation.stays_{kind}"})
    return told


def clusters_told(evidence: pd.DataFrame) -> dict[str, Any]:
    """Tell how many behavioural clusters there are, or that there is no stable structure.

    Examples
    --------
    >>> rows = pd.DataFrame({"clusters": [1, 2], "is_chosen": [True, False], "n": 90, "metric": "gap"})
    >>> clusters_told(rows)["claim"], clusters_told(rows.head(0))
    ('none', {'note': 'segmentation.no_cluster_data'})
    """
    if evidence.empty:
        return {"note": "segmentation.no_cluster_data"}
    row = evidence[evidence["is_chosen"]].iloc[0]
    return {str(name): held for name, held in row.items()} | {
        "n": int(row["n"]),
        "claim": "found" if row["clusters"] > 1 else "none",
        "note": "",
    }


def one_way_moves(moves: pd.DataFrame, *, segment: str | None = None, most: int = 10) -> pd.DataFrame:
    """Find the moves that most outnumber the moves back, where both may be shown.

    Parameters
    ----------
    moves : pandas.DataFrame
        As `migration`, small moves blanked.
    segment : str, optional
        Only moves out of it.
    most : int

    Examples
    --------
    >>> moves = pd.DataFrame({"before": ["a", "b"], "after": ["b", "a"], "n": [30, 10]})
    >>> moves["residual"] = [3.2, -3.2]
    >>> one_way_moves(moves)[["before", "n"]].values.tolist()
    [['a', 30]]
    """
    back = moves[["after", "before", "n"]].set_axis(["before", "after", "n_back"], axis=1)
    news = moves.merge(back).dropna(subset=["n", "n_back"]).query("before != after and residual > 0")
    news = news if segment is None else news[news["before"] == segment]
    return news.nlargest(most, "residual")


def moved_told(
    moves: pd.DataFrame, periods: pd.DataFrame, *, segment: str | None = None, conf_level: float = 0.95
) -> dict[str, Any]:
    """Tell which share of customers changed their segment, and whether more one way than chance would move.

    Parameters
    ----------
    moves, periods : pandas.DataFrame
        As `migration`, and the `like_periods` it was made from.
    segment : str, optional
        Of a single segment nothing is told.
    conf_level : float

    Returns
    -------
    dict
        `metric` (moved_share)`, estimate, conf_low, conf_high, n, start, start_before, history_days` and
        `claim` ("season" where the histories cover different ones, "beyond", "chance"); empty without moves.
    """
    total, is_same = int(moves["n"].sum()), moves["before"] == moves["after"]
    if not total or segment is not None:
        return {}
    changed = share_interval(total - int(moves.loc[is_same, "n"].sum()), total, conf_level=conf_level)
    claim = "beyond" if moves["p_value"].iloc[0] < 1 - conf_level else "chance"
    starts = periods.groupby("period")["start"].first()
    told = {"metric": "moved_share", **changed._asdict(), "n": total, "start": starts[2]}
    told |= {"start_before": starts[1], "history_days": int(periods["history_days"].iloc[0])}
    return told | {"claim": claim if a_year_apart(periods) else "season"}


def moves_lacking(moves: pd.DataFrame, shown: pd.DataFrame, *, days: int) -> dict[str, Any]:
    """Say why no move between segments is shown; empty where one is.

    Examples
    --------
    >>> moves = pd.DataFrame({"n": [3, 4]})
    >>> moves_lacking(moves, moves.assign(n=None), days=90), moves_lacking(moves, moves, days=90)
    ({'days': 90, 'note': 'segmentation.few_moves'}, {})
    """
    if shown["n"].notna().any():
        return {}
    return {"days": days, "note": "segmentation.few_moves" if moves["n"].sum() else "segmentation.no_moves"}
