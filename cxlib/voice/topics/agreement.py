"""How far people agree on what comments are about, and the codebook with them: Krippendorff's alpha."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, check_frame, fail_option
from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import bootstrap_interval, resampled_sums
from cxlib.stats.clustered_share import clustered_share_interval

LEVELS = ("nominal", "ordinal", "interval")
#: Below `LEAST` agreement carries no finding; from `RELIABLE` on it is good (Krippendorff 2004).
LEAST, RELIABLE = 0.667, 0.8
#: Most different values; more, and the table of pairs outgrows memory.
MOST_VALUES = 101
_COLUMNS = ["metric", "estimate", "std_error", "conf_low", "conf_high", "n", "coders", "verdict", "note"]


def agreement(
    codings: pd.DataFrame,
    level: str = "nominal",
    *,
    unit_col: str = "response_id",
    coder_col: str = "coder",
    value_col: str = "topic",
    conf_level: float = 0.95,
    n_boot: int = 1000,
    seed: int = 1,
) -> pd.DataFrame:
    """Krippendorff's alpha of several coders: 1 for full agreement, 0 for what chance alone would give.

    Parameters
    ----------
    codings : DataFrame
        One row per unit and coder; a missing value, or a missing row, was not coded. Topics of which a
        comment may hold several go through `topic_agreement`.
    level : {"nominal", "ordinal", "interval"}
        What a difference of two values counts: any alike, by ranks, or squared. The latter two need numbers.
    unit_col, coder_col, value_col : str
    conf_level : float
    n_boot, seed : int
        Resamples of the units behind the interval; 0 for none.

    Returns
    -------
    DataFrame
        One row: `metric` ("alpha"), `estimate, std_error, conf_low, conf_high`, `n` (units that two coders or
        more coded), `coders`, `verdict` ("reliable" from .8, "usable" from .667, "tentative" below,
        "not_enough_data" without) and `note` ("one_coder", "one_value": nothing varies).

    Raises
    ------
    ParameterError
        For an unknown level, a missing column, several values of one coder for one unit, text where numbers
        are needed, or more than 101 different values.

    Notes
    -----
    α = 1 − Dₒ/Dₑ over all pairs within units, each unit's pairs weighted by 1/(coders − 1); missing values
    only leave pairs out. The interval draws units anew and takes percentiles; it is missing where no coders
    differ.

    References
    ----------
    Krippendorff (2004) *Content Analysis*, ch. 11; Hayes & Krippendorff (2007) Communication Methods and
    Measures 1.

    Examples
    --------
    >>> units, values = ["u1", "u1", "u2", "u2", "u3", "u3"], [1, 1, 2, 3, 3, 3]
    >>> coded = pd.DataFrame({"response_id": units, "coder": list("ababab"), "topic": values})
    >>> [round(agreement(coded, level)["estimate"].item(), 3) for level in ("nominal", "interval")]
    [0.545, 0.828]
    """
    check_frame(codings, argument="codings")
    check_columns(codings, unit_col=unit_col, coder_col=coder_col, value_col=value_col)
    if level not in LEVELS:
        fail_option("level", level, LEVELS)
    held = codings[[unit_col, coder_col, value_col]].dropna()
    if (twice := held.duplicated([unit_col, coder_col])).any():
        raise ParameterError("voice.several_values", n=int(twice.sum()), total=len(held))
    if level != "nominal":
        numbers = pd.to_numeric(held[value_col], errors="coerce")
        if (bad := ~np.isfinite(numbers.to_numpy(float, na_value=np.nan))).any():
            raise ParameterError("voice.no_numbers", level=level, n=int(bad.sum()), total=len(held))
        held = held.assign(**{value_col: numbers})
    value, values = pd.factorize(held[value_col], sort=True)
    if len(values) > MOST_VALUES:
        raise ParameterError("voice.many_values", n=len(values), limit=MOST_VALUES)
    unit, units = pd.factorize(held[unit_col])
    counts = np.zeros((len(units), len(values)))
    np.add.at(counts, (unit, value), 1)
    apart = _distance(level, values)
    coders = held[coder_col].nunique()
    drawn: dict[str, Any] = {"n_boot": n_boot, "seed": seed, "conf_level": conf_level}
    return pd.DataFrame([_alpha_row(counts, apart, coders=coders, **drawn)], columns=_COLUMNS)


def _distance(level: str, values: Any) -> Any:
    """Distances of values: a fixed table, or None where they depend on how often each value occurs."""
    if level == "ordinal":
        return None
    if level == "nominal":
        return 1 - np.eye(len(values))
    number = np.asarray(values, dtype=float)
    return (number[:, None] - number[None, :]) ** 2


def _alpha_row(
    counts: Array,
    apart: Any,
    *,
    coders: int,
    n_boot: int,
    seed: int,
    conf_level: float,
    clusters: Any = None,
) -> dict[str, Any]:
    """Alpha of a table of units by values, each cell the number of coders; with its bootstrap interval."""
    paired = counts.sum(axis=1) >= 2
    counts, clusters = counts[paired], None if clusters is None else clusters[paired]
    row: dict[str, Any] = {"metric": "alpha", "coders": coders}
    row["n"] = len(counts) if clusters is None else len(np.unique(clusters))
    if coders < 2 or not len(counts):
        return row | {"verdict": "not_enough_data", "note": "one_coder"}
    pairs = _pairs(counts)
    if (counts.sum(axis=0) > 0).sum() < 2:
        return row | {"verdict": "not_enough_data", "note": "one_value"}
    k = counts.shape[1]
    estimate = float(_alpha(pairs.sum(axis=0)[None], k, apart)[0])
    sums = resampled_sums(pairs.T, n_boot=n_boot, seed=seed, clusters=clusters)
    draws = [_alpha(block, k, apart) for block in sums]
    std_error, low, high = bootstrap_interval(np.concatenate(draws), conf_level=conf_level)
    limits = {"estimate": estimate, "std_error": std_error, "conf_low": low, "conf_high": high}
    return row | limits | {"verdict": alpha_verdict(estimate), "note": ""}


def _pairs(counts: Array) -> Array:
    """Coincidences of each unit, flat: its ordered pairs of values over its coders less one."""
    each = counts[:, :, None] * counts[:, None, :]
    place = np.arange(counts.shape[1])
    each[:, place, place] -= counts
    return (each / (counts.sum(axis=1) - 1)[:, None, None]).reshape(len(counts), -1)


def _alpha(pairs: Array, k: int, apart: Any) -> Array:
    """Alpha of each row of flat coincidences; NaN where one value alone occurs."""
    table = pairs.reshape(-1, k, k)
    margin = table.sum(axis=2)
    total = margin.sum(axis=1)
    distance = _ranks_apart(margin) if apart is None else apart
    observed = (table * distance).sum(axis=(1, 2))
    expected = (margin[:, :, None] * margin[:, None, :] * distance).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)


def _ranks_apart(margin: Array) -> Array:
    """Squared distance of ranks: all between two values, and half of each of them."""
    middle = np.cumsum(margin, axis=1) - margin / 2
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)


def alpha_verdict(alpha: float) -> str:
    """Word of an alpha: "reliable" from .8, "usable" from .667, "tentative" below.

    Examples
    --------
    >>> [alpha_verdict(alpha) for alpha in (0.81, 0.667, 0.5)]
    ['reliable', 'usable', 'tentative']
    """
    return "reliable" if alpha >= RELIABLE else "usable" if alpha >= LEAST else "tentative"


def topic_agreement(
    codings: pd.DataFrame,
    found: pd.DataFrame,
    *,
    topics: Sequence[str],
    unit_col: str = "response_id",
    coder_col: str = "coder",
    conf_level: float = 0.95,
    n_boot: int = 1000,
    seed: int = 1,
) -> pd.DataFrame:
    """How far people agree on each topic, and the codebook with them, on comments that people read.

    Parameters
    ----------
    codings : DataFrame
        The contract's codings: a row per comment, coder and topic; a coder who found none has one row
        without a topic.
    found : DataFrame
        From `code_comments`, for the comments at hand; codings of others are passed over by the caller.
    topics : sequence of str
        Topics of the codebook, in its order; codings of further topics are passed over.
    unit_col, coder_col : str
    conf_level : float
    n_boot, seed : int

    Returns
    -------
    DataFrame
        Four rows per topic: `topic`, `metric`, `estimate, std_error, conf_low, conf_high`, `n` (comments),
        `verdict`. "alpha_people" among people; "alpha_rule" between the rule and each person; "precision" (of
        what the rule marks, the share that a person marked too) and "recall" (of what a person marks, the
        share that the rule found). `verdict` of the first two as `agreement`; a topic stands on the lower of
        the two.

    Examples
    --------
    >>> rows = [("r1", "a", "price"), ("r1", "b", "price"), ("r2", "a", None), ("r2", "b", None)]
    >>> coded = pd.DataFrame(rows, columns=["response_id", "coder", "topic"])
    >>> found = pd.DataFrame({"response_id": ["r1"], "topic": ["price"]})
    >>> topic_agreement(coded, found, topics=["price"])[["metric", "estimate"]].to_numpy().tolist()[:2]
    [['alpha_people', 1.0], ['alpha_rule', 1.0]]
    """
    check_columns(codings, unit_col=unit_col, coder_col=coder_col, topic="topic")
    reads = codings[[unit_col, coder_col]].dropna().drop_duplicates().reset_index(drop=True)
    by_person, by_rule = _marks(reads, codings, found, topics, [unit_col, coder_col])
    unit, units = pd.factorize(reads[unit_col])
    coders, size = reads[coder_col].nunique(), np.bincount(unit, minlength=len(units))
    drawn: dict[str, Any] = {"n_boot": n_boot, "seed": seed, "conf_level": conf_level}
    rows = []
    for column, topic in enumerate(topics):
        person, rule = by_person[:, column], by_rule[:, column]
        hits = np.bincount(unit, person, len(units))
        people = _alpha_row(np.c_[size - hits, hits], 1 - np.eye(2), coders=coders, **drawn)
        both = np.c_[2 - person - rule, person + rule]
        against = _alpha_row(both, 1 - np.eye(2), coders=coders + 1, clusters=unit, **drawn)
        named = [people | {"metric": "alpha_people"}, against | {"metric": "alpha_rule"}]
        for metric, of, hit in (("precision", rule, person), ("recall", person, rule)):
            kept = of > 0
            interval = clustered_share_interval(hit[kept], unit[kept], conf_level=conf_level)
            named.append({"metric": metric, **interval._asdict(), "n": len(np.unique(unit[kept]))})
        rows += [{"topic": topic, **row} for row in named]
    return pd.DataFrame(rows, columns=["topic", *_COLUMNS])


def _marks(
    reads: pd.DataFrame, codings: pd.DataFrame, found: pd.DataFrame, topics: Sequence[str], on: list[str]
) -> tuple[Array, Array]:
    """Give the marks of the person and of the rule: a row per reading of a comment, a column per topic."""
    place = pd.MultiIndex.from_frame(reads)
    by_person, by_rule = (np.zeros((len(reads), len(topics))) for _ in range(2))
    marked = codings.dropna(subset=[*on, "topic"])
    row, column = place.get_indexer(pd.MultiIndex.from_frame(marked[on])), _column(marked["topic"], topics)
    by_person[row[column >= 0], column[column >= 0]] = 1
    column = _column(found["topic"], topics)
    for topic in range(len(topics)):
        by_rule[:, topic] = reads[on[0]].isin(found.loc[column == topic, "response_id"])
    return by_person, by_rule


def _column(names: pd.Series, topics: Sequence[str]) -> Any:
    """Place of each topic in the codebook, -1 for one it does not have."""
    return pd.Index(list(topics)).get_indexer(pd.Index(names))


def trusted_topics(agreed: pd.DataFrame) -> pd.DataFrame:
    """Judge each topic by the lower of its two alphas: whether it may carry a finding.

    Parameters
    ----------
    agreed : DataFrame
        From `topic_agreement`.

    Returns
    -------
    DataFrame
        `topic`, `agreed` ("reliable", "usable", "tentative", "not_enough_data"), `alpha` (the lower one).

    Examples
    --------
    >>> agreed = pd.DataFrame({"topic": "price", "metric": ["alpha_people", "alpha_rule"],
    ...                        "estimate": [0.9, 0.6], "verdict": ["reliable", "tentative"]})
    >>> trusted_topics(agreed).to_numpy().tolist()
    [['price', 'tentative', 0.6]]
    """
    alphas = agreed[agreed["metric"].isin(["alpha_people", "alpha_rule"])]
    rows = []
    for topic, own in alphas.groupby("topic", sort=False):
        known = own["estimate"].notna().all()
        lowest = float(own["estimate"].min()) if known else np.nan
        rows.append((topic, alpha_verdict(lowest) if known else "not_enough_data", lowest))
    return pd.DataFrame(rows, columns=["topic", "agreed", "alpha"])
