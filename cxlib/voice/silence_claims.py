"""What chapter 3 may say of the silent: how they differ, what they could do to the NPS, what weights change.

Each function takes results and returns the rows that `report.say` words; a row with a `note` is a notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlib.data.convert import among
from cxlib.data.rules.rule_files import States
from cxlib.stats.verdicts import limits_side
from cxlib.voice.nonresponse import VALUES, churned, compare_respondents, customer_weights, response_bounds
from cxlib.voice.scores import nps

Rows = list[dict[str, Any]]
ENDS = ["estimate", "conf_low", "conf_high"]


def could_answer(
    summary: pd.DataFrame | None,
    orders: Any,
    answers: pd.DataFrame,
    *,
    as_of: object,
    known_until: object,
    rules: States | None = None,
) -> pd.DataFrame:
    """Give everybody who could have answered, with what is known of them and whether they did.

    Parameters
    ----------
    summary
        Customers with their orders up to `as_of`, or None: then nobody is known to be silent.
    orders
        Their order lines.
    answers
        Answers, with ``customer_id`` and ``nps_score``.
    as_of, known_until
        Last day of the period, and of the data (`churned`).
    rules
        The company's `lifecycle`, whose last state has lapsed; the handbook's by default.

    Returns
    -------
    DataFrame
        `summary` with ``lapsed, churned`` and ``answered``; no rows and no columns where nobody gave a score.
    """
    scored = answers.loc[answers["nps_score"].notna(), "customer_id"]
    if summary is None or scored.empty:
        return pd.DataFrame()
    base = summary.merge(churned(orders, as_of=as_of, known_until=known_until, rules=rules))
    return base.assign(answered=among(base["customer_id"], scored))


def compare_silent(base: pd.DataFrame, *, conf_level: float) -> pd.DataFrame:
    """Compare those who answered with the silent (`compare_respondents`); no rows where `base` has none."""
    if base.empty:
        return pd.DataFrame()
    known = [*VALUES, *(name for name in ("lapsed", "churned") if base[name].notna().any())]
    return compare_respondents(base, value_cols=known, conf_level=conf_level)


def silence(silent: pd.DataFrame, *, is_asked: bool = True) -> Rows:
    """Tell in what those who answered differ from the silent.

    Parameters
    ----------
    silent
        Result of `compare_silent`.
    is_asked
        Whether anybody gave a score: then a missing comparison is said.

    Examples
    --------
    >>> silent = pd.DataFrame({"metric": ["frequency"], "conf_low": [0.1], "conf_high": [0.3], "n": [50]})
    >>> silence(silent)
    [{'claim': 'differ', 'metrics': ['frequency'], 'n': 50}]
    """
    if silent.empty:
        return [{"note": "nps.none_silent"}] if is_asked else []
    side = limits_side(silent["conf_low"], silent["conf_high"], unit="score")
    metrics = silent.loc[side != 0, "metric"].tolist()
    return [{"claim": "differ" if metrics else "alike", "metrics": metrics, "n": int(silent["n"].min())}]


def unheard(
    answers: pd.DataFrame, base: pd.DataFrame, *, until: object, min_cell: int, conf_level: float
) -> Rows:
    """Tell what the silent could do to the NPS (`response_bounds`); nothing where one side is too few.

    Parameters
    ----------
    answers, base
        Answers, and result of `could_answer`.
    until
        Last day on which an order made somebody one who could have answered.
    min_cell
        Smallest number of customers who answered, and who did not.
    """
    if base.empty or min(base["answered"].sum(), (~base["answered"]).sum()) < min_cell:
        return []
    held: Any = response_bounds(answers, base, conf_level=conf_level).set_index("metric")
    rate, reach = held.loc["response_rate"], held.loc["nps_bounds"]
    ends = {"low_points": reach["conf_low"], "high_points": reach["conf_high"], "until": until}
    counts = {"n_answered": int(rate["n_answered"]), "n": int(rate["n"]), "answered_share": rate["estimate"]}
    return [{"metric": "nps_heard", "estimate": held.loc["nps_heard", "estimate"], **ends, **counts}]


def raked(
    answers: pd.DataFrame,
    base: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    known: Sequence[str] = ("customer_type", "acquisition_channel"),
    min_cell: int,
    conf_level: float,
) -> Rows:
    """Tell the NPS with weights that make those who answered resemble all customers, or that none were found.

    Parameters
    ----------
    answers, base
        Answers, and result of `could_answer`; nothing is said of an empty one.
    customers
        Customers with the attributes `known` of both, as far as they have them.
    min_cell
        Smallest number of customers who answered.
    """
    scored = answers[answers["nps_score"].notna()]
    if base.empty or scored["customer_id"].nunique() < min_cell:
        return []
    matched = [name for name in known if name in customers]
    everybody = base.merge(customers[["customer_id", *matched]], on="customer_id")
    weighted = customer_weights(scored, everybody, group_cols=matched)
    if not weighted["is_matched"].all():
        return [{"note": "nps.not_raked", "level": "warning", "gap_share": weighted["largest_gap"].max()}]
    plain = nps(weighted, conf_level=conf_level)["estimate"].iloc[0]
    row: Any = nps(weighted, weight_col="weight", conf_level=conf_level).iloc[0]
    ends = row[["metric", *ENDS, "n_effective"]].to_dict()
    return [{**ends, "n": int(row["n"]), "unweighted": plain}]


def no_weights(base: pd.DataFrame, *, is_asked: bool) -> Rows:
    """Say that nobody is known to be silent, so that there is nothing to weight to, if scores were given."""
    return [{"note": "nps.none_weights"}] if is_asked and base.empty else []
