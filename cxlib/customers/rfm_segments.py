"""Who the customers are by recency, frequency and money, and the named segments every chapter shares.

Scores come from cut points that are printed, never from ranks: customers with the same value always get the
same score, and a value equal to a cut belongs to the lower group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, fail_option
from cxlib.data.days import to_date
from cxlib.data.engine.order_totals import reduce_orders
from cxlib.data.rules.rule_files import RfmSegments
from cxlib.data.scope import fail_by
from cxlib.data.text_type import TEXT

#: Score column of each RFM value; fewer days since the last order are better.
SCORES: Mapping[str, str] = {"recency_days": "r_score", "frequency": "f_score", "monetary_total": "m_score"}
#: Where `rfm` leaves how many scores each column has: rules for five must not be read on three or ten.
SCALE, RULE_SCORES = "n_scores", 5
OTHERS, NO_NET_SALES, NO_ORDERS = "Others", "No net sales", "No orders"
#: What those are called who ordered nothing before a period and something in it.
CAME = "New or returning"


def summarise_customers(
    orders: Any,
    *,
    as_of: object,
    timezone: str | None = None,
    customer_id_col: str = "customer_id",
    order_id_col: str = "order_id",
    time_col: str = "ordered_at",
    amount_col: str = "amount",
) -> pd.DataFrame:
    """Summarise order lines to one row per customer: recency in days, orders, money, tenure in days.

    Parameters
    ----------
    orders : frame of any engine narwhals knows, or path of a Parquet file
        pandas, Polars, a DuckDB relation, PySpark or Ibis; reduced there. Guests (no customer id) are left
        out, a missing amount adds nothing to the money.
    as_of : date, str or Timestamp
        Day of analysis; later lines are not seen.
    timezone : str, optional
        In which an instant becomes a day; none: that of the column.
    customer_id_col, order_id_col, time_col, amount_col : str

    Returns
    -------
    pandas.DataFrame
        `customer_id, first_order_on, last_order_on, recency_days` (last order to `as_of`)`, frequency`
        (distinct orders)`, monetary_total` (net of refunds)`, monetary_mean` (per order)`, tenure_days`
        (first order to `as_of`), sorted by `customer_id`. A customer seen only with refunds has no days and
        frequency 0.

    Raises
    ------
    ParameterError, InputError
        As `engine.reduce_orders`.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "a"], "order_id": ["1", "2"], "amount": [10.0, 30.0],
    ...                       "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-11"])})
    >>> summarise_customers(lines, as_of="2026-01-31").iloc[:, 3:].values.tolist()
    [[20, 2, 40.0, 20.0, 30]]
    """
    totals = reduce_orders(
        orders,
        as_of=as_of,
        timezone=timezone,
        customer_id_col=customer_id_col,
        order_id_col=order_id_col,
        time_col=time_col,
        amount_col=amount_col,
    )
    day = pd.Timestamp(to_date(as_of))
    frequency = totals["frequency"]
    return totals[["customer_id", "first_order_on", "last_order_on"]].assign(
        recency_days=(day - totals["last_order_on"]).dt.days.astype("Int64"),
        frequency=frequency,
        monetary_total=totals["amount"],
        monetary_mean=(totals["amount"] / frequency.where(frequency > 0)),
        tenure_days=(day - totals["first_order_on"]).dt.days.astype("Int64"),
    )


def rfm_cuts(customers: pd.DataFrame, *, bins: int = 5) -> pd.DataFrame:
    """Cut points that divide the customers into `bins` groups as equal as ties allow, per RFM value.

    Parameters
    ----------
    customers : pandas.DataFrame
        As `summarise_customers`; customers without positive net sales are not counted.
    bins : int
        Number of scores, 2 to 10.

    Returns
    -------
    pandas.DataFrame
        `metric` (recency_days, frequency, monetary_total)`, score` (of the values up to and including
        `upper`)`, upper`; bins - 1 rows per metric in the order of the values.

    Raises
    ------
    ParameterError
        If a column is missing or `bins` is out of range.

    Notes
    -----
    The k-th cut is an observed value: the smallest with at least k/bins of the customers at or below it.
    Being observed, it moves with the unit of money. With many equal customers several cuts fall on one value
    and scores in between stay empty.

    References
    ----------
    Miglautsch (2000) Journal of Database Marketing 8, 67–72.

    Examples
    --------
    >>> base = pd.DataFrame({"recency_days": [1, 2, 3, 4], "frequency": [1, 1, 1, 5]})
    >>> base["monetary_total"] = [9, 8, 7, 6.0]
    >>> rfm_cuts(base, bins=2)["upper"].tolist()
    [2.0, 1.0, 7.0]
    """
    if isinstance(bins, bool) or not isinstance(bins, int | np.integer) or not 2 <= bins <= 10:
        raise ParameterError("segmentation.bins", found=bins)
    check_columns(customers, **{f"{metric}_col": metric for metric in SCORES})
    ranked = _ranked(customers)
    parts = []
    for metric in SCORES:
        values = np.sort(customers.loc[ranked, metric].to_numpy(dtype=float))
        place = np.ceil(np.arange(1, bins) * len(values) / bins - 1e-9).astype(int) - 1
        upper = values[place] if len(values) else np.full(bins - 1, np.nan)
        parts.append(pd.DataFrame({"metric": metric, "score": _scores(metric, bins)[:-1], "upper": upper}))
    return pd.concat(parts, ignore_index=True)


def rfm(
    customers: pd.DataFrame,
    *,
    bins: int = 5,
    cuts: pd.DataFrame | Mapping[str, Sequence[float]] | None = None,
) -> pd.DataFrame:
    """Add the scores `r_score, f_score, m_score` (1 to `bins`, highest is best) to a customer summary.

    Parameters
    ----------
    customers : pandas.DataFrame
        As `summarise_customers`. Customers without positive net sales, or seen only with refunds, get none.
    bins : int
        Number of scores when the cuts are taken from these customers.
    cuts : frame or mapping, optional
        Cut points to use instead: a result of `rfm_cuts`, or `{"recency_days": […], "frequency": […],
        "monetary_total": […]}`, ascending; values up to and including a cut belong to the group below it.
        A mapping may leave values out, which are then cut by their own quantiles.

    Returns
    -------
    pandas.DataFrame
        The table with three columns of whole numbers (missing where not scored).

    Raises
    ------
    ParameterError
        If a column is missing, or the cuts name another value, descend or are not numbers.

    Notes
    -----
    Keep the scores as three columns: 100·R + 10·F + M overflows small integers and fails from ten groups on.

    Examples
    --------
    >>> base = pd.DataFrame({"recency_days": [5, 40], "frequency": [3, 1], "monetary_total": [90.0, 10.0]})
    >>> rfm(base, bins=2)[["r_score", "f_score", "m_score"]].values.tolist()
    [[2, 2, 2], [1, 1, 1]]
    """
    own = rfm_cuts(customers, bins=bins)
    given = {str(metric): part["upper"].tolist() for metric, part in own.groupby("metric", sort=False)}
    ranked = _ranked(customers)
    given |= _cut_lists(cuts) if ranked.any() else {}
    scores = {}
    for metric, column in SCORES.items():
        upper = np.asarray(given[metric], dtype=float)
        values = customers[metric].to_numpy(dtype=float, na_value=np.nan)
        place = np.searchsorted(upper, values, side="left")
        score = pd.Series(_scores(metric, len(upper) + 1)[place], index=customers.index, dtype="Int64")
        scores[column] = score.where(ranked)
    scored = customers.assign(**scores)
    scored.attrs[SCALE] = {column: len(given[metric]) + 1 for metric, column in SCORES.items()}
    return scored


def assign_segments(customers: pd.DataFrame, *, rules: RfmSegments) -> pd.DataFrame:
    """Name each customer's segment from the score ranges of a rules file.

    Parameters
    ----------
    customers : pandas.DataFrame
        With `r_score, f_score, m_score`; a customer without scores is "No net sales".
    rules : RfmSegments
        As `load_rules("rfm_segments")`: ranges in order, the first that matches wins, the rest are "Others".

    Returns
    -------
    pandas.DataFrame
        The table with `segment` (text, never missing).

    Raises
    ------
    ParameterError
        If a score column is missing, or scores do not run from 1 to 5, in which the ranges are written.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> base = pd.DataFrame({"r_score": [5, 1, None], "f_score": [5, 1, None], "m_score": [5, 1, None]})
    >>> assign_segments(base, rules=load_rules("rfm_segments"))["segment"].tolist()
    ['Champions', 'Hibernating', 'No net sales']
    """
    check_columns(customers, **{f"{column}_col": column for column in SCORES.values()})
    r, f, m = (customers[column].to_numpy(dtype=float, na_value=np.nan) for column in SCORES.values())
    for column, values in zip(SCORES.values(), (r, f, m), strict=True):
        most = customers.attrs.get(SCALE, {}).get(column, RULE_SCORES)
        held = values[~np.isnan(values)]
        if most != RULE_SCORES or ((held < 1) | (held > RULE_SCORES)).any():
            most = max(most, int(held.max(initial=0))) if most == RULE_SCORES else most
            raise ParameterError("segmentation.score_scale", column=column, most=most, needed=RULE_SCORES)
    matches = [
        (r >= rule.r[0])
        & (r <= rule.r[1])
        & (f >= rule.f[0])
        & (f <= rule.f[1])
        & (m >= rule.m[0])
        & (m <= rule.m[1])
        for rule in rules.segments
    ]
    names = [rule.name for rule in rules.segments]
    segment = np.select([np.isnan(r + f + m), *matches], [NO_NET_SALES, *names], default=OTHERS)
    return customers.assign(segment=pd.Series(segment, index=customers.index, dtype=TEXT))


def segment_names(rules: RfmSegments, lang: str = "en") -> dict[str, str]:
    """Map segment to its label in `lang`, in the order of the rules, the rest and the unscored last.

    Parameters
    ----------
    rules : RfmSegments
    lang : {"en", "ja"}

    Returns
    -------
    dict

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> list(segment_names(load_rules("rfm_segments"), "ja"))[-3:]
    ['Others', 'No net sales', 'No orders']
    """
    from cxlib.language import text

    named = {rule.name: getattr(rule.label, lang) for rule in rules.segments}
    rest = {NO_NET_SALES: "segmentation.no_net_sales", NO_ORDERS: "segmentation.no_orders"}
    named[OTHERS] = getattr(rules.others, lang)
    return named | {name: text(key, lang) for name, key in rest.items()}


def segment_words(rules: RfmSegments) -> dict[str, dict[str, str]]:
    """Words of each segment in every language, for `Report.name_words`; who came without orders included.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> segment_words(load_rules("rfm_segments"))["New or returning"]["ja"]
    '新規または復帰'
    """
    from cxlib.language import LANGUAGES, text

    named = {lang: segment_names(rules, lang) for lang in LANGUAGES}
    words = {name: {lang: named[lang][name] for lang in LANGUAGES} for name in named["en"]}
    return words | {CAME: {lang: text("segmentation.new_or_returning", lang) for lang in LANGUAGES}}


def choose_customers(
    customers: pd.DataFrame | None,
    orders: Any = None,
    *,
    as_of: object,
    timezone: str | None = None,
    by: str | None = None,
    segment: str | None = None,
    rules: RfmSegments | None = None,
) -> pd.DataFrame:
    """Give the customers their RFM `segment`, and keep those of one segment if asked: `by` and `segment`.

    Parameters
    ----------
    customers : pandas.DataFrame or None
        The contract's customers table; None: everybody with an order, without attributes.
    orders : frame of any engine, optional
        The contract's order lines up to `as_of`. Without them nobody has a segment, and asking for one fails.
    as_of, timezone
        As `summarise_customers`.
    by : str, optional
        Column by which results will be broken down: an attribute of the customers or "segment".
    segment : str, optional
        Keep only customers of this segment.
    rules : RfmSegments, optional
        Default: the handbook's `rfm_segments`.

    Returns
    -------
    pandas.DataFrame
        The customers table with `segment`; "No orders" for leads. Guests are in no segment and do not appear.

    Raises
    ------
    ParameterError
        If `by` is no attribute (nearest names), the segment does not exist (all that do are listed), or a
        segment is asked for without orders.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": ["a", "b"], "region": ["x", "y"]})
    >>> lines = pd.DataFrame({"customer_id": ["a"], "order_id": ["1"], "amount": [9.0],
    ...                       "ordered_at": pd.to_datetime(["2026-01-01"])})
    >>> choose_customers(people, lines, as_of="2026-01-31", by="region")["segment"].tolist()
    ['New', 'No orders']
    """
    from cxlib.data.rules.rule_files import load_rules

    known = rules or load_rules("rfm_segments")
    if segment is not None and segment not in segment_names(known):
        fail_option("segment", segment, segment_names(known))
    if orders is None and (segment is not None or by == "segment" or customers is None):
        raise ParameterError("segmentation.segment_needs_orders")
    named = pd.Series(dtype=TEXT)
    if orders is not None:
        scored = assign_segments(
            rfm(summarise_customers(orders, as_of=as_of, timezone=timezone)), rules=known
        )
        named = scored.set_index("customer_id")["segment"]
    people = pd.DataFrame({"customer_id": named.index}) if customers is None else customers
    if by is not None and by != "segment" and by not in people.columns:
        fail_by(by, people.columns)
    own = people["customer_id"].map(named).astype(TEXT)
    chosen = people.assign(segment=own if orders is None else own.fillna(NO_ORDERS))
    return chosen if segment is None else chosen[chosen["segment"] == segment].reset_index(drop=True)


def _ranked(customers: pd.DataFrame) -> pd.Series:
    """Tell who can be scored: something net was bought, on a known day."""
    return (customers["monetary_total"] > 0) & customers["recency_days"].notna()


def _scores(metric: str, bins: int) -> np.ndarray:
    """Scores of the groups in ascending order of the value."""
    scores = np.arange(1, bins + 1)
    return scores[::-1] if metric == "recency_days" else scores


def _cut_lists(cuts: pd.DataFrame | Mapping[str, Sequence[float]] | None) -> dict[str, list[float]]:
    """Cut points per value, refused when they are no ascending numbers of a known value."""
    if cuts is None:
        return {}
    if isinstance(cuts, pd.DataFrame):
        check_columns(cuts, metric_col="metric", upper_col="upper")
        cuts = {str(metric): part["upper"].tolist() for metric, part in cuts.groupby("metric", sort=False)}
    return {metric: _ascending(metric, upper) for metric, upper in cuts.items()}


def _ascending(metric: str, upper: Sequence[float]) -> list[float]:
    if metric not in SCORES:
        fail_option("cuts", metric, SCORES)
    try:
        values = np.asarray(upper, dtype=float)
    except (TypeError, ValueError):
        values = np.array([])
    if values.ndim != 1 or not values.size or not np.isfinite(values).all() or (np.diff(values) < 0).any():
        raise ParameterError("segmentation.cuts", metric=metric)
    return [float(value) for value in values]
