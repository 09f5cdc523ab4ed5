"""What the chapter on comments may claim: topics that differ, and on which people agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlib.data.days import to_date
from cxlib.data.rules.topic_rules import Topics
from cxlib.stats.first_place import leading
from cxlib.voice.topics.ledger import ACT

Rows = list[dict[str, Any]]
#: What people said of a topic that lets it carry a finding; "unchecked" where no comment was read twice.
CARRIES = ("reliable", "usable", "unchecked")
WITHIN_DAYS = 30
#: More of the comments than this without a topic, and the codebook should be extended before it is believed.
MOST_UNCODED = 0.4


def with_trust(found: pd.DataFrame, trusted: pd.DataFrame | None) -> pd.DataFrame:
    """Put what people said of each topic beside a result, and take the verdict where they do not agree on it.

    Parameters
    ----------
    found
        Result by `topic`, with a `verdict` or without.
    trusted
        From `trusted_topics`; None or empty where no comment was read by two people: every topic is
        "unchecked".

    Returns
    -------
    DataFrame
        `found` with `agreed`; `verdict` is "tentative" where it is not one that carries a finding. A topic
        that too few people marked has `agreed` "not_enough_data" and is tentative too.

    Examples
    --------
    >>> found = pd.DataFrame({"topic": ["a", "b"], "verdict": ["lowers", "lowers"]})
    >>> of_people = pd.DataFrame({"topic": ["a", "b"], "agreed": ["usable", "tentative"]})
    >>> with_trust(found, of_people)["verdict"].tolist()
    ['lowers', 'tentative']
    """
    if trusted is None or trusted.empty:
        return found.assign(agreed="unchecked")
    agreed = found["topic"].map(trusted.set_index("topic")["agreed"]).fillna("not_enough_data")
    if "verdict" not in found:
        return found.assign(agreed=agreed)
    undecided = found["verdict"].isin(["not_enough_data", "no_difference_shown"])
    verdict = found["verdict"].where(agreed.isin(CARRIES) | undecided, "tentative")
    return found.assign(agreed=agreed, verdict=verdict)


def impact_told(impact: pd.DataFrame, *, measure: str = "nps", min_cell: int = 10) -> Rows:
    """Tell which topics go with lower and which with higher scores, the strongest first; or that none does.

    Parameters
    ----------
    impact : DataFrame
        `topic_impact` with `with_trust`.
    measure : str
        "nps" or "csat".
    min_cell : int
        Topics of fewer customers are not told.

    Returns
    -------
    list of dict
        A row per named topic, at most two of each side: `topic, verdict, estimate, conf_low, conf_high, n,
        customers, with_topic, metric, claim` (such as "nps_lowers"); else one with the `note` "none" or
        "no_scores".

    Examples
    --------
    >>> impact_told(pd.DataFrame({"metric": [], "measure": [], "customers": []}))
    [{'note': 'no_scores'}]
    """
    own = impact[(impact["metric"] == "impact") & (impact["measure"] == measure)]
    own = own[own["customers"] >= min_cell]
    if own.empty:
        return [{"note": "no_scores"}]
    rows: list[pd.DataFrame] = []
    for verdict, rising in (("lowers", True), ("lifts", False)):
        rows.append(own[own["verdict"] == verdict].sort_values("estimate", ascending=rising).head(2))
    named = pd.concat(rows)
    if named.empty:
        return [{"note": "none", "note_level": "info"}]
    claim, metric = named["measure"] + "_" + named["verdict"], named["measure"] + "_impact"
    told = named.assign(claim=claim, metric=metric)
    columns = ["topic", "claim", "metric", "verdict", "estimate", "conf_low", "conf_high", "n", "customers"]
    return [
        {str(key): held for key, held in row.items()}
        for row in told[[*columns, "with_topic"]].to_dict("records")
    ]


def work_first(
    impact: pd.DataFrame, *, book: Topics, uncoded: float, as_of: object, min_cell: int = 10
) -> pd.DataFrame:
    """Name the topic to work on first, by a rule stated beforehand, or say what is lacking for it.

    Parameters
    ----------
    impact : DataFrame
        `topic_impact` with `with_trust`.
    book : Topics
        Codebook, for the owner of each topic.
    uncoded : float
        Share of comments without a topic.
    as_of : date, str or Timestamp
    min_cell : int

    Returns
    -------
    DataFrame
        One row: `verdict` ("start_here", "widen": too much is not coded, "wait"), `claim` ("leads": the
        topic carries more of the loss than any other, beyond its interval; "among": it can't be told from
        the next; "only", "none", "uncoded", "no_scores"; "only_carried", "none_carried": of the topics in
        `other_topic`, which go with lower scores too, no part of the loss is shown), `topic, second,
        estimate, conf_low, conf_high` (points it carries), `metric, owner, due_on`, and `id` for the ledger.

    Examples
    --------
    >>> from cxlib.voice.topics.coding import codebook
    >>> none = pd.DataFrame({"metric": [], "measure": [], "verdict": [], "customers": [], "topic": []})
    >>> work_first(none, book=codebook(), uncoded=0.1, as_of="2026-09-30")["claim"].item()
    'no_scores'
    """
    told = impact[(impact["customers"] >= min_cell) & (impact["measure"] == "nps")]
    row: dict[str, Any] = {"verdict": "wait", "claim": "no_scores", "metric": "nps_carried"}
    lowering = told.loc[(told["metric"] == "impact") & (told["verdict"] == "lowers"), "topic"]
    carried = told[
        (told["metric"] == "carried") & told["topic"].isin(lowering) & (told["verdict"] == "lowers")
    ]
    if uncoded > MOST_UNCODED:
        row |= {"verdict": "widen", "claim": "uncoded"}
    elif carried.empty:
        row["claim"] = "none" if len(told) else "no_scores"
        row |= _others(lowering.tolist(), row["claim"])
    else:
        place = leading(carried, name_col="topic", lowest=True, unit="points")
        first = carried.set_index("topic").loc[place["first"]]
        row |= {name: float(first[name]) for name in ("estimate", "conf_low", "conf_high")}
        row |= {"n": int(first["n"]), "customers": int(first["customers"]), "topic": place["first"]}
        row |= {"verdict": "start_here", "claim": {"first": "leads"}.get(place["rank"], place["rank"])}
        row |= _others([topic for topic in lowering if topic != place["first"]], row["claim"])
        row |= {"second": place["second"], "id": f"{ACT} {place['first']}"}
        row["due_on"] = pd.Timestamp(to_date(as_of) + dt.timedelta(days=WITHIN_DAYS))
        row["owner"] = next((topic.id for topic in book.topics if topic.id == place["first"]), None)
    columns = [
        "id",
        "verdict",
        "claim",
        "topic",
        "second",
        "owner",
        "due_on",
        "metric",
        "estimate",
        "conf_low",
    ]
    others = ["other_topic"] if "other_topic" in row else []
    return pd.DataFrame([row], columns=[*columns, "conf_high", "n", "customers", *others])


def _others(topics: list[str], claim: str) -> dict[str, Any]:
    """Topics that go with lower scores and may not be said to be none; nothing where there are none."""
    if not topics or claim not in ("only", "none"):
        return {}
    return {"claim": f"{claim}_carried", "other_topic": topics}


def changes_told(changes: pd.DataFrame, *, min_cell: int = 10) -> Rows:
    """Tell which topics come up more or less often than a wave ago; or that none does.

    Examples
    --------
    >>> changes_told(pd.DataFrame({"verdict": [], "customers": []}))
    [{'note': 'no_waves'}]
    """
    if changes.empty:
        return [{"note": "no_waves"}]
    named = changes[
        changes["verdict"].isin(["more_often", "less_often"]) & (changes["customers"] >= min_cell)
    ]
    if named.empty:
        return [{"verdict": "no_difference_shown", "topics": len(changes)}]
    columns = ["topic", "metric", "verdict", "estimate", "conf_low", "conf_high", "n", "customers", "share"]
    return [
        {str(key): held for key, held in row.items()}
        for row in named[[*columns, "share_elsewhere"]].to_dict("records")
    ]


def checked_told(trusted: pd.DataFrame | None, *, comments: int) -> dict[str, Any]:
    """Tell how many topics people agree on well enough, and which not; or that nobody checked.

    Examples
    --------
    >>> checked_told(None, comments=0)
    {'note': 'unchecked', 'note_level': 'warning'}
    """
    if trusted is None or not trusted["alpha"].notna().any():
        return {"note": "unchecked", "note_level": "warning"}
    known = trusted[trusted["alpha"].notna()]
    weak = known.loc[known["agreed"] == "tentative", "topic"].tolist()
    told: dict[str, Any] = {
        "claim": "some" if weak else "all",
        "n": comments,
        "topics": len(known),
        "weak": weak,
    }
    return told | {"good": len(known) - len(weak), "lowest_alpha": float(known["alpha"].min())}


def mismatch_told(listed: pd.DataFrame, *, promoters: int, min_cell: int = 10) -> Rows:
    """Tell how many answers say the opposite of their score, and where to read them.

    Examples
    --------
    >>> mismatch_told(pd.DataFrame({"kind": []}), promoters=0)
    [{'note': 'no_mismatch', 'note_level': 'info'}]
    """
    own = listed[listed["kind"] == "promoter_complains"]
    people = own["customer_id"].nunique() if "customer_id" in own else len(own)
    if people < min_cell:
        return [{"note": "no_mismatch", "note_level": "info"}]
    return [{"answers": len(own), "n": int(people), "promoters": promoters}]


def topic_names(book: Topics) -> dict[str, dict[str, str]]:
    """Names of topics in both languages, by id.

    Examples
    --------
    >>> from cxlib.voice.topics.coding import codebook
    >>> topic_names(codebook())["price"]["ja"]
    '価格'
    """
    return {topic.id: {"en": topic.label.en, "ja": topic.label.ja} for topic in book.topics}


def topic_owners(book: Topics) -> dict[str, dict[str, str]]:
    """Who looks after each topic, in both languages, by the topic's id."""
    return {topic.id: {"en": topic.owner.en, "ja": topic.owner.ja} for topic in book.topics}


def in_order(found: pd.DataFrame, topics: Sequence[str], *, metric: str) -> pd.DataFrame:
    """Rows of one metric, the lowest estimate first, without the metric's own column of measures.

    Examples
    --------
    >>> rows = pd.DataFrame({"topic": ["a", "b"], "metric": "impact", "estimate": [1.0, -1.0]})
    >>> rows["measure"] = "nps"
    >>> in_order(rows, ["a", "b"], metric="impact")["topic"].tolist()
    ['b', 'a']
    """
    own = found[(found["metric"] == metric) & found["topic"].isin(list(topics))]
    named = own.assign(metric=own["measure"] + "_" + metric).drop(columns="measure")
    return named.sort_values("estimate", kind="stable", ignore_index=True)
