"""What the sales chapter may claim: the stage that loses most, the forecast, and what to work on first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlib.data.deals import deal_spells
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.verdicts import limits_verdict

#: Past quarters before which a forecast is not called tested.
FEWEST_QUARTERS = 4
_ENDS = ["estimate", "conf_low", "conf_high"]


def most_lost(losses: pd.DataFrame, conversion: pd.DataFrame, *, min_cell: int = 10) -> dict[str, Any]:
    """Name the stage at which most deals are lost, if any can be named.

    Parameters
    ----------
    losses, conversion
        Results of `stage_losses` and `stage_conversion`.
    min_cell
        Least customers behind them.

    Returns
    -------
    dict
        `claim` ("named": shown to lose more than the others; "among": more, but not shown; "unknown"),
        `stage, estimate, conf_low, conf_high, lost_share` (of those who enter it), `days, n, customers`.

    Examples
    --------
    >>> most_lost(pd.DataFrame(columns=["estimate", "customers"]), pd.DataFrame())
    {'note': 'sales.stages_unknown'}
    """
    known = losses[losses["estimate"].notna() & (losses["customers"] >= min_cell)]
    if len(known) < 2 or not known["estimate"].max() > 0:
        return {"note": "sales.stages_unknown" if len(known) < 2 else "sales.nothing_lost"}
    first = known.sort_values(["estimate", "stage"], ascending=[False, True]).iloc[0]
    named = bool(first["named"])
    there = conversion.set_index("stage")["lost_share"].get(first["stage"], np.nan)
    row = {name: first[name] for name in ("stage", *_ENDS, "days", "n", "customers")}
    return {"claim": "named" if named else "among", **row, "metric": "lost_here", "lost_share": there}


def quarter_told(
    parts: pd.DataFrame, past: pd.DataFrame, accuracy: pd.DataFrame, *, level: float = 0.8
) -> dict[str, Any]:
    """Tell the forecast, and how well it did before.

    Parameters
    ----------
    parts
        As `forecast` gives them; without rows there is none.
    past, accuracy
        As `past_forecasts` and `forecast_accuracy` give them.
    level
        Share of quarters that the interval is to hold.

    Returns
    -------
    dict
        `claim` ("tested": at least four past quarters; "untested"), `metric, estimate, conf_low, conf_high,
        n, customers, first_day, last_day, level_share, quarters, held_quarters, held_share_conf_high`, and
        `off_share, last_off_share` (how far off, of what was won: this forecast, last quarter again).

    Examples
    --------
    >>> quarter_told(pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
    {'note': 'sales.no_forecast'}
    """
    if parts.empty:
        return {"note": "sales.no_forecast"}
    of = parts[parts["metric"] == "won_amount"].set_index("won_from")
    total = of.loc["total"]
    if not abs(total["estimate"]) > 0:
        return {"note": "sales.no_amounts"}
    row = {name: total[name] for name in (*_ENDS, "n", "customers", "first_day", "last_day")}
    row |= {"metric": "won_amount", "level_share": level}
    own = past[(past["method"] == "stage_and_age") & past["is_held"].notna()] if len(past) else past
    off: dict[Any, Any] = accuracy.set_index("method")["estimate"].to_dict() if len(accuracy) else {}
    if len(own) < FEWEST_QUARTERS or "stage_and_age" not in off:
        return {"claim": "untested", **row, "quarters": len(own)}
    row |= {"quarters": len(own), "held_quarters": int(own["is_held"].astype(bool).sum())}
    row |= {"off_share": off.get("stage_and_age"), "last_off_share": off.get("last_quarter")}
    held = accuracy.set_index("method")["held_share_conf_high"].to_dict()
    return {"claim": "tested", **row, "held_share_conf_high": held["stage_and_age"]}


def decide(
    lost: Mapping[str, Any], forecast: Mapping[str, Any], first: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Come to the three decisions of the chapter: what to repair, what to plan with, where to begin.

    Parameters
    ----------
    lost, forecast, first
        As `most_lost`, `quarter_told` and `list_first` give them.

    Returns
    -------
    list of dict
        Rows for `Report.say`, `decision` tells them apart: "stage" (`claim` "repair", "none"), "forecast"
        ("plan": the share of past quarters held may be the promised one, by its interval; "no_plan": it lies
        below; "untested"), "list" ("work"), each with `verdict`; or the note why there is none.

    Examples
    --------
    >>> [row["note"] for row in decide({"note": "a"}, {"note": "b"}, {"note": "c"})]
    ['a', 'b', 'c']
    """
    claims = [("work", "start_here") for _ in range(3)]
    claims[0] = ("repair", "start_here") if lost.get("claim") == "named" else ("none", "undecided")
    claims[1] = ("untested", "too_early")
    if forecast.get("claim") == "tested":
        holds = not forecast["held_share_conf_high"] < forecast["level_share"]
        claims[1] = ("plan", "pass") if holds else ("no_plan", "fail")
    rows = []
    for name, told, (claim, verdict) in zip(
        ("stage", "forecast", "list"), (lost, forecast, first), claims, strict=True
    ):
        said = {} if "note" in told else {"claim": f"{name}_{claim}", "verdict": verdict}
        rows.append({**told, **said, "decision": name})
    return rows


def lists_to_work(
    deals: pd.DataFrame, lists: Mapping[str, pd.DataFrame], *, min_cell: int = 10
) -> pd.DataFrame:
    """Count the lists of open deals to work on, the one with most expected money first.

    Parameters
    ----------
    deals
        As `open_deals` gives them.
    lists
        Deals with `deal_id`, by the name of `cx worklist`.
    min_cell
        Least customers on a list that is told about.

    Returns
    -------
    DataFrame
        `list, n_deals, n` (customers), `amount` (currency), `expected_amount` (each deal times its chance; a
        deal without an amount counts as a middling one; missing where no chance is known). Lists with too few
        customers come last.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a", "b"], "customer_id": ["k", "l"], "amount": [10.0, 20.0],
    ...     "chance": 0.5})
    >>> lists_to_work(deals, {"no_next_step": deals.head(1)}, min_cell=1)["expected_amount"].tolist()
    [5.0]
    """
    amount = deals["amount"] if "amount" in deals else pd.Series(np.nan, index=deals.index)
    amount = amount.astype(float).fillna(amount.astype(float).median()).fillna(0.0)
    held = deals.assign(amount=amount, expected_amount=amount * deals["chance"].astype(float))
    rows = []
    for name, listed in lists.items():
        own = held[held["deal_id"].isin(listed["deal_id"])]
        sums = own[["amount", "expected_amount"]].sum(min_count=min(len(own), 1))
        rows.append({"list": name, "n_deals": len(own), "n": own["customer_id"].nunique(), **sums})
    frame = pd.DataFrame(rows, columns=["list", "n_deals", "n", "amount", "expected_amount"])
    frame = frame.assign(few=frame["n"] < min_cell)
    frame = frame.sort_values(
        ["few", "expected_amount", "list"], ascending=[True, False, True], ignore_index=True
    )
    return frame.drop(columns="few")


def list_first(counted: pd.DataFrame, *, min_cell: int = 10) -> dict[str, Any]:
    """Tell which list comes first (`lists_to_work`), or that none holds enough customers, or promises money.

    Examples
    --------
    >>> list_first(pd.DataFrame({"list": [], "n": []}))
    {'note': 'sales.no_list'}
    """
    first = counted[counted["n"] >= min_cell].head(1)
    if first.empty or not first["expected_amount"].iloc[0] > 0:
        return {"note": "sales.no_list" if first.empty else "sales.nothing_expected"}
    return {str(name): held for name, held in first.iloc[0].items()}


def leads_told(shares: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Rows of `lead_shares` as sentences, where enough leads are behind them: `claim` is the metric.

    Examples
    --------
    >>> leads_told(pd.DataFrame({"metric": ["lead_to_deal"], "n": [90]}))["claim"].tolist()
    ['lead_to_deal']
    """
    return shares[shares["n"] >= min_cell].assign(claim=lambda rows: rows["metric"])


def attention_told(shares: pd.DataFrame, *, silent_after: int) -> pd.DataFrame:
    """Rows of `attention` as sentences: `claim` is the metric.

    Examples
    --------
    >>> attention_told(pd.DataFrame({"metric": ["silent"]}), silent_after=30)["claim"].tolist()
    ['silent']
    """
    return shares.assign(claim=shares["metric"], silent_after=silent_after)


def pace_told(handed: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Judge the pace of wins after a change of owner: `claim` "slower", "faster" or "alike".

    Examples
    --------
    >>> one = pd.DataFrame({"conf_low": [0.9], "conf_high": [2.0], "customers": [60]})
    >>> pace_told(one)["claim"].tolist()
    ['alike']
    """
    known = handed[handed["customers"] >= min_cell]
    side = limits_verdict(
        known["conf_low"],
        known["conf_high"],
        null=1.0,
        unit="ratio",
        above="faster",
        below="slower",
        neither="alike",
    )
    return known.assign(claim=side, verdict=np.where(side == "alike", "no_difference_shown", "differ"))


def gap_told(found: pd.DataFrame, *, min_cell: int = 10) -> dict[str, Any]:
    """Tell the difference of two groups in the share won, with both shares, or that too few are behind it.

    Parameters
    ----------
    found
        Rows of `met_with_ticket`.
    min_cell
        Least customers of either group.

    Examples
    --------
    >>> gap_told(pd.DataFrame(columns=["metric", "customers"]))
    {'note': 'sales.few_met'}
    """
    gap = found[(found["metric"] == "difference") & found["conf_low"].notna() if len(found) else []]
    if gap.empty or not gap["customers"].iloc[0] >= min_cell:
        return {"note": "sales.few_met"}
    row = gap.iloc[0]
    share = found[found["metric"] == "won"].set_index("group")["estimate"]
    verdict = limits_verdict(row["conf_low"], row["conf_high"], unit="pp")
    ends = {name: row[name] for name in (*_ENDS, "n", "customers")}
    named = {"open_share": share["ticket_open"], "other_share": share["no_ticket_open"]}
    return {"metric": "difference", **ends, **named, "verdict": verdict}


def closed_now_share(
    deals: pd.DataFrame, *, as_of: Any, days: int = 30, min_cell: int = 1, conf_level: float = 0.95
) -> dict[str, Any]:
    """Share won (0–1) of deals that closed in the last days: shown because it is wrong.

    Quick deals are among them sooner than slow ones, so the share leans to whatever ends sooner.

    Parameters
    ----------
    deals, as_of
        As in `win_rates`.
    days
        Days up to `as_of`.
    min_cell
        Least customers to tell of; an empty dict with fewer.
    conf_level
        Level of the interval.

    Examples
    --------
    >>> deals = pd.DataFrame({"created_on": pd.to_datetime(["2026-01-01"] * 2), "is_won": [True, False],
    ...     "customer_id": ["a", "b"], "closed_on": pd.to_datetime(["2026-01-21", "2026-03-01"])})
    >>> float(closed_now_share(deals, as_of="2026-01-31")["estimate"])
    1.0
    """
    spells = deal_spells(deals, as_of=as_of)
    recent = spells[spells["ended_on"] > pd.Timestamp(as_of) - pd.Timedelta(days=days)]
    n_customers = recent["customer_id"].nunique()
    if n_customers < min_cell:
        return {}
    share = clustered_share_interval(recent["outcome"] == "won", recent["customer_id"], conf_level=conf_level)
    counts = {"n": len(recent), "customers": n_customers, "days": days}
    return {"metric": "closed_now", **share._asdict(), **counts}
