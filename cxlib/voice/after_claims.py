"""What chapter 3 may say of what followed an answer, of what is at stake, and of referrals.

Each function takes results and returns the rows that `report.say` words; a row with a `note` is a notice.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.stats.intervals import false_discovery
from cxlib.stats.money_means import difference_told
from cxlib.stats.verdicts import limits_side
from cxlib.voice.after_answer import attitude_ratio

Rows = list[dict[str, Any]]
ENDS = ["estimate", "conf_low", "conf_high"]


def worth(points: pd.DataFrame | None, *, currency: str, is_circular: bool, is_asked: bool = True) -> Rows:
    """Tell what one point more of the score was followed by in sales, or why no amount stands on it.

    Parameters
    ----------
    points
        Result of `point_value`, or None where nothing could be followed.
    currency
        ISO code: limits count as they are shown.
    is_circular
        Whether the customers were chosen by the very purchases that followed, as a segment is.
    is_asked
        Whether anybody gave a score: then a missing amount is said.

    Returns
    -------
    list of dict
        The row on spend with `claim` "shown" or "not_shown"; else a note.

    Examples
    --------
    >>> row = {"metric": "spend", "status": "ok", "estimate": 9.0, "conf_low": 2.0, "conf_high": 16.0}
    >>> worth(pd.DataFrame([row | {"n": 500}]), currency="JPY", is_circular=False)[0]["claim"]
    'shown'
    """
    if points is None or not followed_enough(points):
        circular = {"note": "nps.worth_circular", "level": "info"}
        return [circular if is_circular else {"note": "nps.worth_too_few"}] if is_asked else []
    row: Any = points.set_index("metric", drop=False).loc["spend"].to_dict()
    if row["status"] == "few_carry":
        return [{"note": "nps.worth_few_carry", "level": "info", "only_here": True}]
    side = int(limits_side(row["conf_low"], row["conf_high"], unit="currency", currency=currency))
    return [{**row, "n": int(row["n"]), "claim": "shown" if side else "not_shown"}]


def followed_enough(points: pd.DataFrame | None) -> bool:
    """Whether enough customers could be followed after their answer to say anything of it."""
    if points is None:
        return False
    found: Any = points.set_index("metric").loc["spend", "status"]
    return str(found) != "too_few"


def none_followed(points: pd.DataFrame | None, *, is_circular: bool, is_asked: bool) -> Rows:
    """Say why there is nothing on what followed the answers, where scores were given; as `worth`."""
    reason = "nps.none_after_segment" if is_circular else "nps.none_after"
    return [{"note": reason}] if is_asked and not followed_enough(points) else []


def own_amounts(followed: pd.DataFrame | None) -> pd.DataFrame | None:
    """Give what each followed customer bought later, by attitude: who carries a shared table's amounts."""
    if followed is None:
        return None
    return followed.set_index("attitude")[["amount_after"]].set_axis(["spend"], axis=1)


def counted_customers(shown: pd.DataFrame) -> int | None:
    """Count the customers behind the kind of behaviour that could be followed for most, of no rows None."""
    return int(shown.groupby("metric")["n"].sum().max()) if len(shown) else None


def linked(points: pd.DataFrame | None, *, conf_level: float) -> Rows:
    """Tell which behaviour is shown to go with the score, all kinds considered; `points` is `point_value`."""
    if points is None or not followed_enough(points):
        return []
    found = points.loc[false_discovery(points["p_value"]) <= 1 - conf_level, "metric"].tolist()
    return [{"claim": "some" if found else "none", "behaviours": found, "n": int(points["n"].min())}]


def hidden_trait(behaviour: pd.DataFrame, *, conf_level: float) -> Rows:
    """Tell how strong an unmeasured trait would have to be to explain that promoters buy again more often.

    `behaviour` is `behaviour_by_attitude`; nothing is said of no rows.
    """
    if behaviour.empty:
        return []
    row: Any = attitude_ratio(behaviour, conf_level=conf_level).iloc[0].to_dict()
    limit = row["e_value_limit"]
    is_beyond = int(limits_side(limit, limit, null=1, unit="ratio")) > 0
    return [{**row, "metric": "repeat_ratio", "n": int(row["n"])}] if is_beyond else []


def carried(
    latest: pd.DataFrame | None, names: list[str], *, attitude: str | None = None
) -> pd.DataFrame | None:
    """Give what each customer bought, by the columns that name a row: who carries a shared table's amounts.

    Parameters
    ----------
    latest
        Result of `latest_attitudes`, or None.
    names
        Columns that name the row.
    attitude
        Only customers with this attitude.
    """
    if latest is None:
        return None
    held = latest if attitude is None else latest[latest["attitude"] == attitude]
    return held.set_index(names)[["amount"]]


def no_loop(latest: pd.DataFrame | None, *, is_asked: bool) -> Rows:
    """Say that attitude can not be set against spend without orders, where scores were given."""
    return [{"note": "nps.none_loop"}] if is_asked and latest is None else []


def quadrants_split(quadrants: pd.DataFrame, *, n_all: int, until: object) -> Rows:
    """Tell of promoters who buy little and detractors who buy much; nothing where a corner is blanked.

    Parameters
    ----------
    quadrants
        Result of `attitude_spend` after small groups were blanked.
    n_all
        Customers who answered.
    until
        Last day of the sales.
    """
    if quadrants.empty or quadrants["is_suppressed"].any():
        return []
    corner: Any = quadrants.set_index(["attitude", "spend_level"])
    warm, hot = corner.loc[("promoter", "low")], corner.loc[("detractor", "high")]
    told = {"metric": "customer_share", "estimate": warm["estimate"], "n": int(warm["n"]), "n_all": n_all}
    told |= {"amount": warm["amount"] / warm["n"], "amount_share": warm["amount_share"], "until": until}
    return [told | {"n_at_risk": int(hot["n"]), "at_risk_share": hot["amount_share"]}]


def at_risk(risk: pd.DataFrame, *, n_all: int, until: object, min_cell: int) -> Rows:
    """Tell what customers with a low score bought; nothing where a band has too few.

    Parameters
    ----------
    risk
        Result of `value_at_risk`.
    n_all, until
        As `quadrants_split`.
    min_cell
        Smallest number of customers in each band.
    """
    if risk.empty or risk["n"].min() < min_cell:
        return []
    sums = {
        "metric": "amount",
        "estimate": risk["estimate"].sum(),
        "amount_share": risk["amount_share"].sum(),
    }
    counts = {"n": int(risk["n"].sum()), "n_top": int(risk["n"].iloc[0]), "n_all": n_all}
    return [{**sums, **counts, "until": until}]


def recovered(moves: pd.DataFrame, *, min_cell: int) -> Rows:
    """Tell how many low scores became better, beside how many promoters were lost by the same chance.

    Parameters
    ----------
    moves
        Result of `attitude_moves`.
    min_cell
        Smallest number of customers who stayed, and who moved, on either side.
    """
    if moves.empty:
        return []
    stayed: Any = moves[moves["before"] == moves["after"]].set_index("before")
    counts = stayed.loc[["detractor", "promoter"], ["n", "n_before"]]
    if min(counts["n"].min(), (counts["n_before"] - counts["n"]).min()) < min_cell:
        return []
    low = stayed.loc["detractor"]
    ends = {
        "estimate": 1 - low["estimate"],
        "conf_low": 1 - low["conf_high"],
        "conf_high": 1 - low["conf_low"],
    }
    fallen = 1 - stayed.loc["promoter", "estimate"]
    return [{"metric": "moved_share", **ends, "fallen_share": fallen, "n": int(low["n_before"])}]


def shown_referrals(came: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """Give the rows of `referred_customers`, or none where the referred, or the others, are too few."""
    if came.empty:
        return came
    n = came["n"][0]
    referred = round(came["estimate"][0] * n) if n else 0
    return came if min(referred, n - referred) >= min_cell else came.head(0)


def referred(came: pd.DataFrame, *, until: object) -> Rows:
    """Tell how many buyers came by referral, or that nobody is recorded; `came` is `shown_referrals`."""
    if came.empty:
        return [{"note": "nps.no_referrals"}]
    row: Any = came.iloc[0].to_dict()
    return [{**row, "n": int(row["n"]), "until": until}]


def referred_spend(came: pd.DataFrame, *, currency: str) -> Rows:
    """Tell whether referred customers bought for more or less than the others in their first year.

    Parameters
    ----------
    came
        Result of `referred_customers`.
    currency
        ISO code: limits count as they are shown.

    Returns
    -------
    list of dict
        The gap of the middle halves with `referred_amount, others_amount`, `claim` and `verdict`; a note
        where a few customers carry the gap of the means.
    """
    if came.empty:
        return []
    held: Any = came.set_index("metric", drop=False)
    middle, mean = (held.loc[f"{name}_gap"] for name in ("middle", "amount"))
    claim = difference_told(middle, currency=currency)
    verdict = {"differ": "differ", "alike": "no_difference_shown"}.get(claim, "not_enough_data")
    sides = {f"{side}_amount": held.loc[f"middle_{side}", "estimate"] for side in ("referred", "others")}
    told: Rows = [{**middle.to_dict(), **sides, "n": int(middle["n"]), "claim": claim, "verdict": verdict}]
    carried = {"note": "nps.few_carry_gap", "level": "info", "only_here": True, "metric": "amount_gap"}
    return told + ([{**carried, "estimate": mean["estimate"]}] if mean["status"] == "few_carry" else [])
