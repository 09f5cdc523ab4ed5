"""What the segmentation chapter may say of who customers are and what they prefer and buy next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxlib.customers.next_category import next_purchase_hits, next_purchases
from cxlib.data.contract import TABLES
from cxlib.stats.intervals import share_interval
from cxlib.stats.verdicts import UNDECIDED, limits_side


def strongest_attribute(profile: pd.DataFrame, *, conf_level: float = 0.95) -> dict[str, Any]:
    """Tell by which attribute the segments differ most, and whether they are shown to differ.

    Parameters
    ----------
    profile : pandas.DataFrame
        As `segment_profile`.
    conf_level : float
        Level that its adjusted p-values are held against.

    Returns
    -------
    dict
        The row of the highest Cramér's V, of those that are shown to differ where there are any, with
        `groups` (attributes looked at) and `verdict` (differ, no_difference_shown); a `note` where there is
        none.

    Examples
    --------
    >>> rows = pd.DataFrame({"metric": "cramers_v", "attribute": ["a", "b"], "estimate": [0.4, 0.3], "n": 90})
    >>> told = strongest_attribute(rows.assign(p_adjusted=[0.2, 0.01]))  # "a" is higher, of fewer customers
    >>> told["attribute"], told["groups"], told["verdict"]
    ('b', 2, 'differ')
    """
    strength = profile[profile["metric"] == "cramers_v"].dropna(subset=["estimate"])
    if strength.empty:
        return {"note": "segmentation.no_profile"}
    shown = strength[strength["p_adjusted"] < 1 - conf_level]
    [row] = (shown if len(shown) else strength).nlargest(1, "estimate").to_dict("records")
    verdict = "differ" if len(shown) else UNDECIDED
    told = {str(name): held for name, held in row.items()}
    return told | {"groups": len(strength), "verdict": verdict, "note": ""}


def unusual_shares(profile: pd.DataFrame, *, conf_level: float = 0.95, most: int = 10) -> pd.DataFrame:
    """Find the cells of a profile that go furthest beyond chance, without blanked ones.

    Examples
    --------
    >>> cells = pd.DataFrame({"metric": "share", "value": ["x", "y", None], "residual": [2.0, -5, 9]})
    >>> cells = cells.assign(p_adjusted=[0.01, 0.001, 0.001], is_suppressed=False)
    >>> unusual_shares(cells)["value"].tolist()
    ['y', 'x']
    """
    cells = profile[(profile["metric"] == "share") & ~profile["is_suppressed"]]
    clear = cells[(cells["p_adjusted"] < 1 - conf_level) & cells["value"].notna()]
    return clear.loc[clear["residual"].abs().nlargest(most).index]


def with_attributes(
    customers: pd.DataFrame, people: pd.DataFrame | None, *, most_values: int = 12
) -> pd.DataFrame:
    """Add to customers the attributes that have a few values, at least two: those a profile can show.

    Whether a record is a test account's, and what records are matched by, describes no customer.

    Examples
    --------
    >>> base = pd.DataFrame({"customer_id": list("ab"), "segment": "New"})
    >>> with_attributes(base, base.assign(region=["x", "y"], tier=1)).columns.tolist()
    ['customer_id', 'segment', 'region']
    """
    if people is None:
        return customers
    spec, others = TABLES["customers"], ["segment", "first_seen_on", "is_test"]
    plain = [name for name in people.columns.difference(others) if not spec.is_id(name)]
    few = [name for name in plain if 2 <= people[name].nunique() <= most_values]
    return customers.merge(people[["customer_id", *few]]) if few else customers


def likes_of_groups(cells: pd.DataFrame, common: pd.DataFrame, *, order: Sequence[object]) -> pd.DataFrame:
    """Cells of groups that may be shown, for the values shown of everybody; empty where none can be compared.

    Parameters
    ----------
    cells : pandas.DataFrame
        As `ctb_table` with groups, small cells flagged.
    common : pandas.DataFrame
        As `ctb_table` for everybody: what is shown.
    order : sequence
        Order of the groups.

    Examples
    --------
    >>> cells = pd.DataFrame({"dimension": "brand", "value": "A", "group": ["New", "Loyal"], "lift": 1.0})
    >>> shown = pd.DataFrame({"dimension": ["brand"], "value": ["A"]})
    >>> flagged = cells.assign(is_suppressed=False)
    >>> likes_of_groups(flagged, shown, order=["Loyal", "New"])["group"].tolist()
    ['Loyal', 'New']
    """
    visible = cells[~cells["is_suppressed"].astype(bool)].drop(columns="is_suppressed")
    likes = visible.merge(common[["dimension", "value"]])
    place = {name: rank for rank, name in enumerate(order)}
    likes = likes.sort_values("group", key=lambda column: column.map(place), kind="stable")
    can_compare = likes["group"].notna().any() and likes["lift"].notna().any()
    return likes if can_compare else likes.head(0)


def most_preferred(likes: pd.DataFrame, common: pd.DataFrame, *, cells: int) -> list[dict[str, Any]]:
    """Tell by dimension the preference of a group that goes furthest beyond that of all customers.

    Parameters
    ----------
    likes : pandas.DataFrame
        As `ctb_table` with groups, its limits widened for all cells looked at; small cells left out.
    common : pandas.DataFrame
        As `ctb_table` for everybody.
    cells : int
        Number of cells looked at.

    Returns
    -------
    list of dict
        The cell's row with `base_share` (of all customers' sales)`, groups` (cells looked at) and `verdict`
        (differ); nothing for a dimension where no cell lies above everybody's share.

    Examples
    --------
    >>> cell = pd.DataFrame({"dimension": "brand", "group": ["Loyal"], "value": "A", "estimate": 0.4})
    >>> cell = cell.assign(n=90, lift=2.0, lift_conf_low=[1.5], lift_conf_high=2.5)
    >>> everybody = pd.DataFrame({"dimension": ["brand"], "value": ["A"], "estimate": [0.2]})
    >>> [float(told["base_share"]) for told in most_preferred(cell, everybody, cells=1)]
    [0.2]
    >>> most_preferred(cell.assign(lift_conf_low=0.9), everybody, cells=1)
    []
    """
    known = likes[likes["group"].notna() & likes["value"].notna()]
    side = limits_side(known["lift_conf_low"], known["lift_conf_high"], null=1, unit="ratio")
    beyond = known[side > 0].sort_values("lift_conf_low").groupby("dimension", sort=False).tail(1)
    base = common.set_index(["dimension", "value"])["estimate"]
    told: list[dict[str, Any]] = []
    for row in beyond.to_dict("records"):
        own = {"base_share": base[row["dimension"], row["value"]], "groups": cells, "verdict": "differ"}
        own |= {"segment": row["group"], "n": int(row["n"])}
        told.append({str(name): held for name, held in row.items()} | own)
    return told


def preferences_known(own: pd.DataFrame, *, least: int, conf_level: float = 0.95) -> list[dict[str, Any]]:
    """Tell for which share of customers there are enough purchases to name a preference.

    Parameters
    ----------
    own : pandas.DataFrame
        As `ctb`, of customers with a purchase.
    least : int
        Orders that are enough.
    conf_level : float

    Returns
    -------
    list of dict
        `metric` (known_share)`, estimate, conf_low, conf_high, n` (customers with enough)`, least,
        each_dimension` (those of which the same is true)`, dimensions` (their names in one) and `claim`
        ("all" where there are enough for everybody).

    Examples
    --------
    >>> own = pd.DataFrame({"dimension": ["brand"] * 4 + ["taste"] * 4})
    >>> own = own.assign(is_enough=[True] * 3 + [False] * 5)
    >>> [(row["each_dimension"], float(row["estimate"])) for row in preferences_known(own, least=3)]
    [(['brand'], 0.75), (['taste'], 0.0)]
    """
    alike: dict[tuple[int, int], list[Any]] = {}
    for name, part in own.groupby("dimension", sort=False):
        alike.setdefault((int(part["is_enough"].sum()), len(part)), []).append(name)
    told = []
    for (enough, of), names in alike.items():
        interval = share_interval(enough, of, conf_level=conf_level)
        row = {"metric": "known_share", **interval._asdict(), "n": enough, "least": least}
        row |= {"each_dimension": names, "dimensions": "+".join(map(str, names))}
        told.append(row | {"claim": "all" if enough == of else "some"})
    return told


def hits_by_dimension(
    pairs: Mapping[str, pd.DataFrame], *, start: Any, min_cell: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """Put `next_purchase_hits` of each dimension below one another; rules tested on too few are left out.

    Examples
    --------
    >>> hits_by_dimension({}, start="2026-01-31").empty
    True
    """
    parts = [
        next_purchase_hits(pair, start=start, conf_level=conf_level).assign(dimension=name)
        for name, pair in pairs.items()
    ]
    hits = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"n": []})
    return hits[hits["n"] >= min_cell]


def moves_by_dimension(
    pairs: Mapping[str, pd.DataFrame], *, after: Any = None, conf_level: float = 0.95
) -> pd.DataFrame:
    """Put `next_purchases` of each dimension below one another.

    Parameters
    ----------
    pairs : mapping of str to pandas.DataFrame
        As `purchase_pairs`, by dimension.
    after : date, optional
        Only moves whose next order came after this day.
    conf_level : float

    Examples
    --------
    >>> pairs = pd.DataFrame({"customer_id": list("ab"), "value": list("xx"), "next_value": list("xy")})
    >>> moves_by_dimension({"brand": pairs})[["dimension", "next_value", "n"]].values.tolist()
    [['brand', 'x', 1], ['brand', 'y', 1]]
    """
    parts = []
    for name, pair in pairs.items():
        later = pair if after is None else pair[pair["ordered_at"].dt.date > after]
        parts.append(next_purchases(later, conf_level=conf_level).assign(dimension=name))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"dimension": [], "n": []})


def largest_by_dimension(rows: pd.DataFrame, *, most: int = 8) -> pd.DataFrame:
    """Keep the rows with the largest `n` of each dimension, dimensions in their order.

    Examples
    --------
    >>> rows = pd.DataFrame({"dimension": ["b", "a", "b"], "n": [1, 5, 2]})
    >>> largest_by_dimension(rows, most=1)["n"].tolist()
    [2, 5]
    """
    parts = [part.nlargest(most, "n") for _, part in rows.groupby("dimension", sort=False)]
    return pd.concat(parts) if parts else rows


def likeliest_changes(
    moves: pd.DataFrame, pairs: Mapping[str, pd.DataFrame], *, after: Any = None, conf_level: float = 0.95
) -> list[dict[str, Any]]:
    """Tell by dimension the change from one value to another that goes furthest beyond popularity.

    Parameters
    ----------
    moves : pandas.DataFrame
        As `moves_by_dimension`, small moves left out.
    pairs, after
        What `moves` were made from.
    conf_level : float
        Of all moves of a dimension together.

    Returns
    -------
    list of dict
        The move's row with `least_lift` (its lower limit, corrected)`, groups` (moves looked at)`, n`
        (customers) and `verdict` (differ); a `note` where no change goes beyond popularity.

    Examples
    --------
    >>> likeliest_changes(pd.DataFrame({"dimension": []}), {})
    []
    """
    told: list[dict[str, Any]] = []
    for name in moves["dimension"].unique():
        part = moves[moves["dimension"] == name]
        level = 1 - (1 - conf_level) / len(part)
        careful = moves_by_dimension({name: pairs[name]}, after=after, conf_level=level)
        sure_of = careful.set_index(["value", "next_value"])["lift_conf_low"].rename("least_lift")
        rows = part.join(sure_of, on=["value", "next_value"])
        sure = limits_side(rows["least_lift"], rows["lift"], null=1, unit="ratio") > 0
        changes = rows[(rows["value"] != rows["next_value"]) & sure]
        about = {"dimension": name, "groups": len(part)}
        if changes.empty:
            told.append(about | {"note": "segmentation.no_next_move"})
        for row in changes.nlargest(1, "least_lift").to_dict("records"):
            own = {"verdict": "differ", "note": "", "n": int(row["customers"])}
            told.append({str(name): held for name, held in row.items()} | about | own)
    return told
