"""What may be said of visits to the web site: how far they get, and where they end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlib.journey.funnels_and_exits import exit_rates, funnel
from cxlib.stats.verdicts import UNDECIDED, limits_side

_COLUMNS = ["metric", "page", "estimate", "conf_low", "conf_high", "n"]
_NOTE = ["note", "level"]


def page_steps(web_steps: str) -> list[str]:
    """Pages of a list in one line, in order.

    Examples
    --------
    >>> page_steps("home, cart,done")
    ['home', 'cart', 'done']
    """
    return [page.strip() for page in web_steps.split(",") if page.strip()]


def visits_on_path(views: pd.DataFrame, pages: Sequence[str], *, min_cell: int = 10) -> pd.DataFrame:
    """Keep the page views where the pages are a path that enough customers were on; no rows otherwise.

    Examples
    --------
    >>> views = pd.DataFrame({"page": ["home", "cart"], "customer_id": ["a", "b"]})
    >>> [len(visits_on_path(views, path, min_cell=2)) for path in (["home", "cart"], ["home", "home"])]
    [2, 0]
    """
    is_path = len(set(pages)) == len(pages) > 1
    is_known = is_path and views.loc[views["page"].isin(pages), "customer_id"].nunique() >= min_cell
    return views if is_known else views.iloc[:0]


def path_notes(views: pd.DataFrame, pages: Sequence[str], *, min_cell: int = 10) -> pd.DataFrame:
    """Say what keeps the funnel from being shown, or empties it from a page on.

    Examples
    --------
    >>> views = pd.DataFrame({"page": ["home"] * 2, "customer_id": ["a", "b"]})
    >>> path_notes(views, ["home", "home"])["note"].tolist()
    ['journey.repeated_steps']
    >>> path_notes(views, ["home", "xyz"], min_cell=2)[["note", "pages"]].to_numpy().tolist()
    [['journey.unseen_pages', ['xyz']]]
    """
    counts: dict[str, Any] = {"count": len(pages), "different": len(set(pages))}
    unseen = [page for page in pages if not (views["page"] == page).any()]
    if not counts["count"] == counts["different"] > 1:
        rows = [{"note": "journey.repeated_steps", "level": "warning", **counts}]
    elif not views["page"].notna().any():
        rows = [{"note": "journey.no_pages", "level": "info"}]
    else:
        rows = [{"note": "journey.unseen_pages", "level": "warning", "pages": unseen}] if unseen else []
        if len(unseen) < len(pages) and visits_on_path(views, pages, min_cell=min_cell).empty:
            rows.append({"note": "journey.few_on_path", "level": "info", "least": min_cell})
    return pd.DataFrame(rows, columns=None if rows else _NOTE)


def visit_col(events: pd.DataFrame) -> str:
    """Column that tells visits apart: the session where it is recorded, else the customer.

    Examples
    --------
    >>> visit_col(pd.DataFrame(columns=["session_id"])), visit_col(pd.DataFrame(columns=["page"]))
    ('session_id', 'customer_id')
    """
    return "session_id" if "session_id" in events else "customer_id"


def no_goal(exits: pd.DataFrame, views: pd.DataFrame) -> list[dict[str, Any]]:
    """Say why visits on the path have no exits to show, as a note.

    Examples
    --------
    >>> rows = pd.DataFrame({"page": ["home"]})
    >>> no_goal(rows.head(0), rows), no_goal(rows, rows), no_goal(rows.head(0), rows.head(0))
    ([{'note': 'journey.no_goal'}], [], [])
    """
    return [{"note": "journey.no_goal"}] if exits.empty and len(views) else []


def visit_funnel(
    views: pd.DataFrame, pages: Sequence[str], *, unit_col: str, conf_level: float, min_cell: int = 10
) -> pd.DataFrame:
    """Count the steps of `funnel` that enough visits reach, or none; no rows for no views.

    Examples
    --------
    >>> nobody = pd.DataFrame({"page": [], "customer_id": [], "occurred_at": pd.to_datetime([])})
    >>> len(visit_funnel(nobody, ["home", "home"], unit_col="customer_id", conf_level=0.95))
    0
    """
    if views.empty:
        return pd.DataFrame(columns=["step", "n", "n_low", "share_of_first"])
    known = pd.CategoricalDtype(sorted({*views["page"].dropna(), *pages}))  # one nobody sees ends the funnel
    views = views.assign(page=views["page"].astype(known))
    steps = funnel(views, steps=pages, unit_col=unit_col, step_col="page", conf_level=conf_level)
    return steps[(steps["n"] >= min_cell) | (steps["n"] == 0)].reset_index(drop=True)


def funnel_ties(steps: pd.DataFrame) -> pd.DataFrame:
    """Note how much the order of page views at the same time decides; no row where it decides nothing.

    Examples
    --------
    >>> steps = pd.DataFrame({"step": ["a", "b"], "n": [10, 5], "n_low": [10, 4], "share_of_first": [1, 0.5]})
    >>> funnel_ties(steps)[["page", "least_share"]].to_numpy().tolist()
    [['b', 0.4]]
    """
    tied = 1 - (steps["n_low"] / steps["n"]).min() if len(steps) else 0
    if not tied > 0:
        return pd.DataFrame(columns=_NOTE)
    last = steps.iloc[-1]
    shares = {"reached_share": last["share_of_first"], "least_share": last["n_low"] / steps["n_low"].iloc[0]}
    note = {"note": "journey.funnel_ties", "level": "info", "page": last["step"], "tied_share": tied}
    return pd.DataFrame([note | shares])


def exits_before(views: pd.DataFrame, *, goal: str, conf_level: float, min_cell: int = 10) -> pd.DataFrame:
    """Count exits per page of the visits that do not reach the goal; no rows where nobody does.

    Parameters
    ----------
    views
        Page views, as `visits_on_path` keeps them; visits by `session_id` where they have it.
    goal
        Page that visits are meant to reach.
    conf_level
        As in `exit_rates`.
    min_cell
        Smallest number of visits to a page.

    Returns
    -------
    DataFrame
        Rows of `exit_rates` for the pages with enough visits.

    Examples
    --------
    >>> len(exits_before(pd.DataFrame({"page": ["home"]}), goal="done", conf_level=0.95))
    0
    """
    if not (views["page"] == goal).any():
        return pd.DataFrame(columns=[*_COLUMNS, "base", "is_excessive"], dtype=float)
    session_col = "session_id" if "session_id" in views else None
    exits = exit_rates(views, goal=goal, session_col=session_col, conf_level=conf_level)
    return exits[exits["n"] >= min_cell].reset_index(drop=True)


def exit_table(exits: pd.DataFrame, *, most: int = 12) -> pd.DataFrame:
    """Pages to look at first: those that nobody can be compared with, then by their base.

    Returns
    -------
    DataFrame
        At most `most` rows: `metric, page, is_excessive` (missing without a base), `estimate, base_rate,
        base_gap, base_gap_conf_low, base_gap_conf_high, n`.

    Examples
    --------
    >>> exits = pd.DataFrame({"metric": "exit", "page": ["cart", "home"], "is_excessive": [True, False],
    ...     "estimate": [0.4, 0.2], "base": [0.1, None], "difference": [0.3, None], "n": [50, 60],
    ...     "difference_conf_low": [0.2, None], "difference_conf_high": [0.4, None]})
    >>> exit_table(exits, most=1)["page"].tolist()
    ['home']
    """
    names = {"base": "base_rate", "difference": "base_gap"}
    names |= {f"difference_{end}": f"base_gap_{end}" for end in ("conf_low", "conf_high")}
    rows = exits.rename(columns=names)
    columns = ["metric", "page", "is_excessive", "estimate", *names.values(), "n"]
    rows = rows.reindex(columns=columns).sort_values("base_rate", na_position="first", kind="stable")
    rows = rows.head(most).sort_index()
    is_excessive = rows["is_excessive"].astype(object).where(rows["base_rate"].notna())
    return rows.assign(is_excessive=is_excessive).reset_index(drop=True)


def worst_exit(exits: pd.DataFrame, *, goal: str) -> pd.DataFrame:
    """Tell which page loses more visits than pages as deep, or that none is shown to.

    Parameters
    ----------
    exits
        Result of `exits_before`.
    goal
        Page that visits are meant to reach.

    Returns
    -------
    DataFrame
        One row, none without exits: `metric` ("difference"), `page, goal, estimate, conf_low, conf_high`
        (exits here − elsewhere as deep), `n, exit_rate, base_rate`, `claim` ("worst", "none") and `verdict`;
        a `note` where no page can be compared.

    Examples
    --------
    >>> exits = pd.DataFrame({"page": ["cart"], "is_excessive": [True], "estimate": [0.4], "base": [0.1],
    ...     "difference": [0.3], "difference_conf_low": [0.2], "difference_conf_high": [0.4], "n": [50]})
    >>> worst_exit(exits, goal="done")[["page", "claim", "verdict"]].to_numpy().tolist()
    [['cart', 'worst', 'differ']]
    """
    if exits.empty:
        return pd.DataFrame(columns=["claim", "verdict", *_NOTE])
    if exits["base"].isna().all():
        return pd.DataFrame([{"note": "journey.exits_alone", "level": "info", "goal": goal}])
    if not (is_worse := exits["is_excessive"].astype(bool)).any():
        return pd.DataFrame([{"claim": "none", "verdict": UNDECIDED}])
    worst = exits[is_worse].iloc[0]
    row = {"metric": "difference", "page": worst["page"], "goal": goal, "estimate": worst["difference"]}
    row |= {end: worst[f"difference_{end}"] for end in ("conf_low", "conf_high")}
    row |= {"n": int(worst["n"]), "exit_rate": worst["estimate"], "base_rate": worst["base"]}
    return pd.DataFrame([row | {"claim": "worst", "verdict": "differ"}])


def exit_alone(exits: pd.DataFrame, views: pd.DataFrame, *, goal: str, visit_col: str) -> pd.DataFrame:
    """Tell of a page that nobody can be compared with, but that loses more than visits do everywhere.

    Parameters
    ----------
    exits
        Result of `exits_before`.
    views
        The page views.
    goal, visit_col
        Page that visits are meant to reach, and column that tells visits apart.

    Returns
    -------
    DataFrame
        One row or none: `metric` ("exit"), `page, estimate, conf_low, conf_high, n, goal, all_rate` (of all
        visits).

    Examples
    --------
    >>> exits = pd.DataFrame({"metric": ["exit"], "page": ["error"], "estimate": [1.0], "conf_low": [0.9],
    ...     "conf_high": [1.0], "n": [40], "base": [None]})
    >>> views = pd.DataFrame({"page": ["home", "done", "home"], "session_id": [1, 1, 2]})
    >>> exit_alone(exits, views, goal="done", visit_col="session_id")["all_rate"].item()
    0.5
    """
    at_goal = views.loc[views["page"] == goal, visit_col].nunique()
    everywhere = 1 - at_goal / max(views[visit_col].nunique(), 1)
    is_more = limits_side(exits["conf_low"], exits["conf_high"], null=everywhere, unit="share") > 0
    alone = exits[exits["base"].isna() & is_more].head(1)
    return alone[_COLUMNS].assign(goal=goal, all_rate=everywhere).reset_index(drop=True)
