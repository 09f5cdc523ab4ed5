"""Whom the survey did not hear: respondents against the silent, bounds, weights to known margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import ParameterError, check_columns, check_frame
from cxlib.data.convert import among
from cxlib.data.days import to_date
from cxlib.data.engine.order_totals import reduce_on_days
from cxlib.data.rules.conditions import holds
from cxlib.data.rules.rule_files import States, load_rules
from cxlib.stats.intervals import critical_value, effective_n, share_interval
from cxlib.stats.number_columns import check_numbers
from cxlib.voice.answers import by_time, read_answers
from cxlib.voice.attitudes import nps_points
from cxlib.voice.nps_limits import nps_interval

VALUES = ("recency_days", "frequency", "monetary_total")
FOLLOW_DAYS = 365
LARGEST_GAP = 0.001  # of a share, beyond which weights do not do what was asked


def churned(
    orders: Any,
    *,
    as_of: object,
    known_until: object | None = None,
    follow_days: int = FOLLOW_DAYS,
    timezone: str | None = None,
    rules: States | None = None,
) -> pd.DataFrame:
    """Tell who had lapsed on a day by the handbook's rule, and who did not order in the days that followed.

    Columns to lay beside a customer summary and to compare respondents on (`compare_respondents`).

    Parameters
    ----------
    orders : frame of any engine narwhals knows
        Order lines, also those after `as_of`.
    as_of : date, str or Timestamp
        Day at whose end lapsed is told, such as `last_day` of the period.
    known_until : date, str or Timestamp, optional
        Last day of the data. None: `as_of`, so that nothing follows.
    follow_days : int
        Days after `as_of` without an order that count as churn, 1 or more.
    timezone : str, optional
        As `summarise_customers`.
    rules : States, optional
        The company's, by default the handbook's `lifecycle`; lapsed is the last state, which takes whoever no
        other claims.

    Returns
    -------
    DataFrame
        A row per customer with an order by `as_of`: ``customer_id``, ``lapsed`` (1 or 0; missing for all
        where the rules name what orders do not tell), ``churned`` (1: no order in the `follow_days` after
        `as_of`, 0: at least one; missing for all where the data end
        earlier: whoever has not ordered yet still may).

    Raises
    ------
    ParameterError
        For a missing column or `follow_days` below 1.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "b", "a"], "order_id": ["1", "2", "3"], "amount": 10.0,
    ...     "ordered_at": pd.to_datetime(["2024-12-01", "2023-01-01", "2025-03-01"])})
    >>> churned(lines, as_of="2024-12-31", known_until="2026-01-31").to_numpy().tolist()
    [['a', 0.0, 0.0], ['b', 1.0, 1.0]]
    """
    if follow_days < 1:
        raise ParameterError("journey.horizons", argument="follow_days", value=repr(follow_days))
    day = pd.Timestamp(to_date(as_of))
    known = day if known_until is None else pd.Timestamp(to_date(known_until, argument="known_until"))
    end = day + pd.Timedelta(days=follow_days)
    at = reduce_on_days(orders, days=[day, end] if known >= end else [day], timezone=timezone)
    held = at[(at["as_of"] == day) & (at["frequency"] > 0)].drop(columns="as_of").reset_index(drop=True)
    measures = held.rename(columns={"amount": "monetary_total"}).assign(
        recency_days=(day - held["last_order_on"]).dt.days,
        tenure_days=(day - held["first_order_on"]).dt.days,
        open_deals=0,
    )
    states = (rules or load_rules("lifecycle")).states[:-1]
    active = pd.Series(data=False, index=held.index)
    is_known = {one.measure for state in states for one in state.when} <= set(measures.columns)
    for state in states if is_known else ():
        active |= holds(measures, state.when)
    lapsed = (~active).astype(float) if is_known else np.nan
    gone = np.full(len(held), np.nan)
    if known >= end:
        later = at[at["as_of"] == end].set_index("customer_id")["last_order_on"]
        gone = (held["customer_id"].map(later) <= day).to_numpy(dtype=float)
    return held[["customer_id"]].assign(lapsed=lapsed, churned=gone)


def compare_respondents(
    customers: pd.DataFrame,
    *,
    answered_col: str = "answered",
    value_cols: Sequence[str] = VALUES,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Compare customers who answered with the silent ones, in standard deviations.

    Parameters
    ----------
    customers : DataFrame
        One row per customer who could have answered.
    answered_col : str
        True for those who did.
    value_cols : sequence of str
        What to compare, numbers or yes/no (such as ``lapsed`` and ``churned`` of `churned`); missing values
        are left out.
    conf_level : float

    Returns
    -------
    DataFrame
        One row per value: ``metric``, ``answered, silent`` (means), ``estimate`` (their difference in pooled
        standard deviations), ``std_error, conf_low, conf_high``, ``n_answered, n_silent, n`` (smaller one).

    Raises
    ------
    ParameterError
        For a missing column or text in a value column.

    Notes
    -----
    Standardised mean difference with variance 1/n₁ + 1/n₀ + d²/2(n₁+n₀). Alike in what is known does not
    prove alike in what was asked.

    References
    ----------
    Groves (2006) Public Opinion Quarterly 70; Hedges & Olkin (1985).

    Examples
    --------
    >>> people = pd.DataFrame({"answered": [True, True, False, False], "frequency": [4, 6, 1, 3]})
    >>> compare_respondents(people, value_cols=["frequency"])[["answered", "silent"]].to_numpy().tolist()
    [[5.0, 2.0]]
    """
    check_frame(customers, argument="customers")
    check_columns(customers, answered_col=answered_col, **{f"value_cols[{c}]": c for c in value_cols})
    answered = customers[answered_col].to_numpy(dtype=bool)
    z, rows = critical_value(conf_level), []
    for column in value_cols:
        values = check_numbers(customers, column)
        parts = [part[np.isfinite(part)] for part in (values[answered], values[~answered])]
        n = [len(part) for part in parts]
        mean = [part.mean() if len(part) else np.nan for part in parts]
        estimate = std_error = np.nan
        if min(n) > 1:
            pooled = np.sqrt(sum(part.var() * len(part) for part in parts) / (sum(n) - 2))
            apart = mean[0] - mean[1]
            estimate = apart / pooled if pooled > 0 else 0.0 if apart == 0 else np.nan
            std_error = np.sqrt(1 / n[0] + 1 / n[1] + estimate**2 / (2 * sum(n)))
        limits = {"conf_low": estimate - z * std_error, "conf_high": estimate + z * std_error}
        counts = {"n_answered": n[0], "n_silent": n[1], "n": min(n)}
        row = {"metric": column, "answered": mean[0], "silent": mean[1], "estimate": estimate}
        rows.append({**row, "std_error": std_error, **limits, **counts})
    return pd.DataFrame(rows)


def response_bounds(
    answers: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    score_col: str = "nps_score",
    customer_id_col: str = "customer_id",
    time_col: str = "answered_at",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Response rate, and the NPS of everybody if all the silent were detractors, or all promoters.

    Parameters
    ----------
    answers : DataFrame
        One row per answer. A customer counts once, with the latest score (`by_time`, where there is
        `time_col`, else the last row); answers without score, and of anybody not in `customers`, are left
        out.
    customers : DataFrame
        One row per customer who could have answered.
    score_col, customer_id_col, time_col : str
    conf_level : float

    Returns
    -------
    DataFrame
        ``metric`` "response_rate" (customers, 0–1, Wilson limits), "nps_heard" (points, NPS of the last
        answers) and "nps_bounds" (points; ``conf_low, conf_high`` are the bounds, ``estimate`` is missing:
        the answers alone cannot narrow it), ``n_answered`` and ``n`` customers.

    Raises
    ------
    ParameterError
        For a missing column or a score that is not a whole 0–10.

    Notes
    -----
    Rate and NPS have the same base, customers: bounds are rate x NPS ± 100(1 - rate).

    References
    ----------
    Manski (2003) Partial Identification of Probability Distributions.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": list("abcd")})
    >>> answers = pd.DataFrame({"customer_id": ["a", "a", "b"], "nps_score": [0, 10, 8]})
    >>> response_bounds(answers, people)[["conf_low", "conf_high"]].iloc[2].tolist()
    [-25.0, 75.0]
    """
    check_frame(answers, argument="answers")
    check_frame(customers, argument="customers")
    check_columns(answers, customer_id_col=customer_id_col)
    check_columns(customers, customer_id_col=customer_id_col)
    scored = answers[answers[score_col].notna()] if score_col in answers else answers
    if time_col in answers:
        scored = by_time(scored, time_col=time_col, columns=[customer_id_col, score_col])
    last = scored.drop_duplicates(customer_id_col, keep="last")
    last = last[among(last[customer_id_col], customers[customer_id_col])]
    n_answered, n = len(last), customers[customer_id_col].nunique()
    score = read_answers(last, score_col, (0, 10)).score
    counts = [int((nps_points(score) == points).sum()) for points in (100, 0, -100)]
    rate = share_interval(n_answered, n, conf_level=conf_level)
    heard = nps_interval(*counts, conf_level=conf_level)
    low, high = (rate.estimate * heard.estimate + side * 100 * (1 - rate.estimate) for side in (-1, 1))
    bounds = {"estimate": np.nan, "std_error": np.nan, "conf_low": low, "conf_high": high}
    named = {"response_rate": rate._asdict(), "nps_heard": heard._asdict(), "nps_bounds": bounds}
    rows = pd.DataFrame([{"metric": metric, **values} for metric, values in named.items()])
    return rows.assign(n_answered=n_answered, n=n)


def rake(
    data: pd.DataFrame, *, margins: Mapping[str, Mapping[object, float]], max_rounds: int = 200
) -> pd.DataFrame:
    """Weights (mean 1) that make the answers match known shares of groups, one column after the other.

    Parameters
    ----------
    data : DataFrame
        One row per answer, without missing values in the columns of `margins`.
    margins : mapping of column → group → share
        Shares (or counts) among all customers.
    max_rounds : int

    Returns
    -------
    DataFrame
        ``weight`` per row of `data`, in its order, ``n_effective`` (Kish) and ``largest_gap`` (between a
        group's share asked for and reached, 0–1) with ``is_matched`` (within 0.001), the same in every row.
        Margins that contradict each other in these answers cannot all be met: then it is False.

    Raises
    ------
    ParameterError
        If a group of the answers has no share in `margins`, one of `margins` has no answers, or a share is
        not above 0.

    References
    ----------
    Deming & Stephan (1940) Annals of Mathematical Statistics 11.

    Examples
    --------
    >>> answers = pd.DataFrame({"region": ["east", "east", "east", "west"]})
    >>> rake(answers, margins={"region": {"east": 0.5, "west": 0.5}})["weight"].round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    check_frame(data)
    codes, targets = [], []
    for column, shares in margins.items():
        check_columns(data, margins=column)
        groups = pd.Index(list(shares))
        code = groups.get_indexer(pd.Index(data[column]))
        if (code < 0).any() or len(np.unique(code)) < len(groups):
            raise ParameterError("nps.margin", column=column)
        share = np.array([float(value) for value in shares.values()])
        if not (np.isfinite(share) & (share > 0)).all():
            raise ParameterError("nps.margin_share", column=column)
        codes.append(code)
        targets.append(share / share.sum() * len(data))
    cell = np.zeros(len(data), dtype=np.int64)
    for code, target in zip(codes, targets, strict=True):
        cell = pd.factorize(cell * len(target) + code)[0].astype(np.int64)
    first = np.unique(cell, return_index=True)[1]  # answers alike in all columns keep equal weights
    codes = [code[first] for code in codes]
    count = np.bincount(cell)
    weight = np.ones(len(first))
    for _ in range(max_rounds):
        before = weight
        for code, target in zip(codes, targets, strict=True):
            weight = weight * (target / np.bincount(code, count * weight, len(target)))[code]
        if len(weight) == 0 or np.abs(weight / before - 1).max() < 1e-12:
            break
    gaps = [
        np.abs(np.bincount(code, count * weight, len(target)) - target).max() / max(len(data), 1)
        for code, target in zip(codes, targets, strict=True)
    ]
    weight = weight[cell]
    gap = max(gaps, default=0.0)
    return pd.DataFrame({"weight": weight, "n_effective": effective_n(weight), "largest_gap": gap}).assign(
        is_matched=gap <= LARGEST_GAP
    )


def customer_weights(
    answers: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    value_cols: Sequence[str] = VALUES,
    group_cols: Sequence[str] = (),
    bands: int = 4,
    customer_id_col: str = "customer_id",
) -> pd.DataFrame:
    """Give each customer's last answer a weight, so that they resemble all customers in what is known.

    Parameters
    ----------
    answers : DataFrame
        One row per answer; without ``answered_at`` in order of time. Answers of anybody not in `customers`
        are left out.
    customers : DataFrame
        One row per customer who could have answered.
    value_cols : sequence of str
        Numbers without missing values, cut into `bands` of equal size among all customers; bands in which
        nobody answered join the next lower one.
    group_cols : sequence of str
        Groups to match too; a missing one is a group. Nobody can stand for a group without answers.
    bands : int
    customer_id_col : str

    Returns
    -------
    DataFrame
        The last answer of each customer with ``weight`` (mean 1), ``n_effective`` (Kish), ``largest_gap`` and
        ``is_matched`` as in `rake`.

    Raises
    ------
    ParameterError
        For a missing column or text in a value column.

    Notes
    -----
    Raking (`rake`). It repairs what the answers owe to the bands, nothing else: within a band the silent are
    taken to think like those who answered.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": list("abcd"), "frequency": [1, 1, 1, 9]})
    >>> answers = pd.DataFrame({"customer_id": ["a", "d"], "nps_score": [3, 9]})
    >>> customer_weights(answers, people, value_cols=["frequency"], bands=2)["weight"].tolist()
    [1.5, 0.5]
    """
    check_frame(answers, argument="answers")
    check_frame(customers, argument="customers")
    check_columns(answers, customer_id_col=customer_id_col)
    check_columns(customers, customer_id_col=customer_id_col)
    ordered = by_time(answers) if "answered_at" in answers else answers
    last = ordered.drop_duplicates(customer_id_col, keep="last")
    last = last[among(last[customer_id_col], customers[customer_id_col])].reset_index(drop=True)
    at = pd.Index(customers[customer_id_col]).get_indexer(pd.Index(last[customer_id_col]))
    known: dict[str, NDArray[np.int64]] = {}
    for column in value_cols:
        values = check_numbers(customers, column)
        cuts = np.unique(np.quantile(values, np.arange(1, bands) / bands)) if len(values) else values
        band = np.searchsorted(cuts, values, side="left")
        heard = np.unique(band[at] if len(at) else band)
        known[column] = heard[np.maximum(np.searchsorted(heard, band, side="right") - 1, 0)]
    for column in group_cols:
        check_columns(customers, group_cols=column)
        known[column] = pd.factorize(customers[column].astype("string").fillna(""))[0]
    if last.empty:
        return last.assign(weight=np.nan, n_effective=0.0, largest_gap=np.nan, is_matched=False)
    held = {column: pd.Series(code[np.isin(code, code[at])]) for column, code in known.items()}
    margins = {column: code.value_counts(normalize=True).to_dict() for column, code in held.items()}
    raked = rake(pd.DataFrame({column: code[at] for column, code in known.items()}), margins=margins)
    return last.assign(**{str(name): raked[name] for name in raked})
