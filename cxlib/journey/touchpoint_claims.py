"""What the journey chapter may say of touchpoints, states and messages: one row per sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from cxlib.journey.roles.state_moves import state_care
from cxlib.language import LANGUAGES, text
from cxlib.stats.first_place import leading
from cxlib.stats.verdicts import UNDECIDED, limits_side


def greatest_loss(losses: pd.DataFrame) -> pd.DataFrame:
    """Tell which touchpoint loses most by falling below expectation, and whether it is shown to.

    Parameters
    ----------
    losses
        Result of `touchpoint_scores`, small rows blanked.

    Returns
    -------
    DataFrame
        One row, none without an estimate: `metric, touchpoint, estimate, conf_low, conf_high, n, reach,
        share_below, penalty`, `second_touchpoint` (the next), `claim` ("first", "among", "only", as `leading`
        has it; "none" where no loss is shown) and `verdict` ("loss", "no_difference_shown").

    Examples
    --------
    >>> losses = pd.DataFrame({"touchpoint": ["ad", "shop"], "metric": "loss", "estimate": [0.5, 0.1],
    ...     "conf_low": [0.4, 0.0], "conf_high": [0.6, 0.2], "n": 40, "reach": 0.5, "share_below": 0.5,
    ...     "penalty": -1.0})
    >>> greatest_loss(losses)[["touchpoint", "claim", "verdict"]].to_numpy().tolist()
    [['ad', 'first', 'loss']]
    """
    is_loss = limits_side(losses["conf_low"], losses["conf_high"], unit="score") > 0
    leads = leading(losses, name_col="touchpoint", unit="score", may_lead=is_loss)
    columns = ["metric", "touchpoint", "estimate", "conf_low", "conf_high", "n"]
    columns += ["reach", "share_below", "penalty"]
    worst = losses.loc[is_loss & (losses["touchpoint"] == leads["first"]), columns].head(1)
    if len(worst):
        told = worst.assign(second_touchpoint=leads["second"], claim=leads["rank"], verdict="loss")
        return told.reset_index(drop=True)
    none = {"metric": "loss", "claim": "none", "verdict": UNDECIDED}
    return pd.DataFrame([none] if losses["estimate"].notna().any() else [], columns=list(none))


def known_points(penalties: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Touchpoints of `penalty_reward` with penalty and reward from enough answers each, the worst first.

    Examples
    --------
    >>> penalties = pd.DataFrame({"driver": ["ad", "shop"], "penalty": [-0.1, -0.5], "reward": 0.2,
    ...     "n_low": [40, 30], "n_high": [5, 30]})
    >>> known_points(penalties)["driver"].tolist(), len(known_points(pd.DataFrame()))
    (['shop'], 0)
    """
    if penalties.empty:
        return penalties
    is_known = penalties[["n_low", "n_high"]].min(axis=1) >= min_cell
    is_known &= penalties[["penalty", "reward"]].notna().all(axis=1)
    return penalties[is_known].sort_values("penalty")


def enough_touched(moves: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Blank the cells of `state_changes` that touch too few customers.

    Examples
    --------
    >>> moves = pd.DataFrame({"state": ["lapsed"], "estimate": [0.1], "is_shown": [True], "n_touched": [4]})
    >>> enough_touched(moves)["is_shown"].tolist()
    [False]
    """
    blank = moves.assign(estimate=float("nan"), is_shown=False)
    return moves.mask(moves["n_touched"] < min_cell, blank)


def before_states(events: pd.DataFrame, days: Sequence[object]) -> pd.DataFrame:
    """Keep the contacts where states are known on two days at least, so that a move can follow; else no rows.

    Examples
    --------
    >>> events = pd.DataFrame({"touchpoint": ["shop"]})
    >>> [len(before_states(events, days)) for days in (["2026-01-31"], ["2026-01-31", "2026-03-02"])]
    [0, 1]
    """
    return events if len(days) > 1 else events.iloc[:0]


def states_unknown(contacts: pd.DataFrame) -> list[dict[str, Any]]:
    """Say that there are no contacts of known states, as a note.

    Examples
    --------
    >>> states_unknown(pd.DataFrame())
    [{'note': 'journey.states_unknown'}]
    """
    return [{"note": "journey.states_unknown"}] if contacts.empty else []


def brand_care(
    contacts: pd.DataFrame, states: pd.DataFrame, touchpoints: Iterable[Any], *, conf_level: float = 0.95
) -> pd.DataFrame:
    """Give `state_care` by touchpoints at which the brand gets in touch; no rows where there was none.

    Parameters
    ----------
    contacts, states, conf_level
        As in `state_care`.
    touchpoints
        Touchpoints of `journey.yml`, with who begins the contact.
    """
    brand = {point.id for point in touchpoints if point.initiated_by == "brand"}
    care = state_care(contacts, states, touchpoints=brand, conf_level=conf_level)
    return care if contacts["touchpoint"].isin(brand).any() else care.iloc[:0]


def least_looked_after(care: pd.DataFrame, moves: pd.DataFrame, *, is_known: bool = True) -> pd.DataFrame:
    """Tell which state of customers the brand contacts least, and how many touchpoints change it.

    Parameters
    ----------
    care
        Result of `state_care`, small rows blanked.
    moves
        Result of `state_changes`, as `enough_touched` leaves it.
    is_known
        Whether the data hold touchpoints at which the brand gets in touch.

    Returns
    -------
    DataFrame
        One row, none without an estimate: `metric, state, estimate, conf_low, conf_high, n`, `second_state`
        (contacted next least), `n_tried` (touchpoints that reach enough of these customers), `n_shown` (those
        of them with more moves to a better state), `claim` ("least", or "among" where it is not shown to be
        less than the second, with "_unreached" behind it where none is tried); a `note` where it is not
        known.

    Examples
    --------
    >>> care = pd.DataFrame({"state": ["lapsed", "loyal"], "metric": "in_touch", "estimate": [0.1, 0.6],
    ...     "conf_low": [0.05, 0.5], "conf_high": [0.2, 0.7], "n": 40})
    >>> moves = pd.DataFrame({"state": ["lapsed"], "estimate": [0.1], "is_shown": [True]})
    >>> least_looked_after(care, moves)[["state", "n_shown", "claim"]].to_numpy().tolist()
    [['lapsed', 1, 'least']]
    """
    if not is_known:
        return pd.DataFrame([{"note": "journey.care_unknown", "level": "warning"}])
    leads = leading(care, name_col="state", lowest=True, unit="share")
    columns = ["metric", "state", "estimate", "conf_low", "conf_high", "n"]
    least = care.loc[care["state"] == leads["first"], columns].head(1)
    tried = moves[(moves["state"] == leads["first"]) & moves["estimate"].notna()]
    counts: dict[str, Any] = {"n_tried": len(tried), "n_shown": int(tried["is_shown"].astype(bool).sum())}
    claim = ("among" if leads["rank"] == "among" else "least") + ("" if len(tried) else "_unreached")
    return least.assign(second_state=leads["second"], **counts, claim=claim).reset_index(drop=True)


def claims_to_judge(
    touchpoints: Iterable[Any], events: pd.DataFrame, stages: Iterable[str]
) -> dict[str, str]:
    """Claims of the touchpoints that the data can judge: it is there, and so is the stage it speaks of.

    Parameters
    ----------
    touchpoints
        Touchpoints of `journey.yml`, with `id` and `claim`.
    events
        Contacts with `touchpoint`.
    stages
        Stages with contacts.

    Examples
    --------
    >>> from types import SimpleNamespace as Point
    >>> points = [Point(id="mail", claim="warmth"), Point(id="shop", claim="use"), Point(id="ad", claim=None)]
    >>> claims_to_judge(points, pd.DataFrame({"touchpoint": ["mail", "shop", "ad"]}), ["buy"])
    {'mail': 'warmth'}
    """
    known, seen = {"conviction", "warmth", *stages}, set(events["touchpoint"].dropna())
    return {point.id: point.claim for point in touchpoints if point.claim in known and point.id in seen}


def claim_words(stages: Iterable[Any]) -> dict[str, dict[str, str]]:
    """Words, in every language, of what a touchpoint may claim: conviction, warmth, feeling at a stage.

    Examples
    --------
    >>> from types import SimpleNamespace as Of
    >>> claim_words([Of(id="buy", label=Of(en="Purchase", ja="購入"))])["buy"]["en"]
    'feeling at “Purchase”'
    """
    words = {name: _in_each(f"journey.claim_{name}") for name in ("conviction", "warmth")}
    of_stages = {
        stage.id: {
            lang: text("journey.claim_stage", lang, stage=getattr(stage.label, lang)) for lang in LANGUAGES
        }
        for stage in stages
    }
    return words | of_stages


def _in_each(key: str) -> dict[str, str]:
    return {lang: text(key, lang) for lang in LANGUAGES}


def rating_gap(surface: pd.DataFrame, *, days: int, conf_level: float, min_cell: int = 10) -> dict[str, Any]:
    """Tell whether experience minus expectation says all that both ratings say about buying again.

    Parameters
    ----------
    surface
        Result of `gap_surface`.
    days
        Days within which a purchase counts.
    conf_level, min_cell
        Level of the test, and smallest number of customers.

    Returns
    -------
    dict
        `metric` ("gap_slope"), `estimate, conf_low, conf_high` (per point of experience over expectation),
        `n, p_value` (of the bare difference), `days`, `claim` ("enough", "not_enough") and `note` (where
        the ratings decide nothing).

    Examples
    --------
    >>> surface = pd.DataFrame({"term": ["gap_slope", "difference"], "estimate": [0.1, None],
    ...     "conf_low": [0.0, None], "conf_high": [0.2, None], "p_value": [None, 0.01], "n_customers": 90})
    >>> rating_gap(surface, days=180, conf_level=0.95)["claim"]
    'not_enough'
    """
    terms: Any = surface.set_index("term")
    slope, p_value = terms.loc["gap_slope"], terms.loc["difference", "p_value"]
    is_known = slope["n_customers"] >= min_cell and p_value >= 0
    return {
        "metric": "gap_slope",
        **slope[["estimate", "conf_low", "conf_high"]].to_dict(),
        "n": int(slope["n_customers"]),
        "p_value": p_value,
        "days": days,
        "claim": "not_enough" if p_value < 1 - conf_level else "enough",
        "note": "" if is_known else "journey.empty_surface",
        "level": "info",
    }
