"""What answers were followed by: purchases, spend and lapse of promoters, passives and detractors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.checks import check_columns, check_frame
from cxlib.data.days import instants, local_times, to_date
from cxlib.data.orders_around import orders_around
from cxlib.stats.alike_before import adjusted_slopes, known_before
from cxlib.stats.hidden_cause import e_value
from cxlib.stats.intervals import critical_value, share_interval
from cxlib.stats.money_means import money_mean_interval, tails_hold
from cxlib.voice.answers import by_time, check_scores
from cxlib.voice.attitudes import ATTITUDES, attitude

#: Result by the column of `follow_answers` it comes from.
OUTCOMES = {"repeat": "has_bought", "spend": "amount_after", "lapse": "has_lapsed"}
OUTCOMES |= {"referral": "has_referred"}
#: Answers per number known before that an adjustment needs, and people in each attitude.
PER_COVARIATE, LEAST = 10, 10


def follow_answers(
    answers: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    as_of: date | str | pd.Timestamp,
    within_days: int = 365,
    referrals: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Set beside each customer's answer what was known before it and what followed within `within_days`.

    Parameters
    ----------
    answers : DataFrame
        ``customer_id``, ``answered_at`` and ``nps_score``; answers without one of them are left out.
    orders : DataFrame
        Order lines of the contract: ``customer_id, order_id, ordered_at, amount`` (a refund below 0).
    as_of : date
        Analysis date. Only answers whose `within_days` were over by then count: no part of a
        year is taken for it.
    within_days : int
        Length of both windows.
    referrals : DataFrame, optional
        Acts of recommending, with ``customer_id`` and ``occurred_at``.

    Returns
    -------
    DataFrame
        One row per customer, of the latest answer that counts: ``customer_id, nps_score, attitude,
        orders_before, amount_before, recency`` (0–1, the last order before; 1 for none in the window),
        ``tenure`` (years since the first order), ``orders_after, amount_after, has_bought, has_lapsed``
        (missing without an order before), with `referrals` ``has_referred``.

    Raises
    ------
    ParameterError
        For a missing column.

    Examples
    --------
    >>> answers = pd.DataFrame({"customer_id": ["a"], "nps_score": [9]})
    >>> answers["answered_at"] = pd.Timestamp("2025-01-01")
    >>> orders = pd.DataFrame({"customer_id": ["a", "a"], "order_id": ["1", "2"], "amount": [50.0, 70.0]})
    >>> orders["ordered_at"] = pd.to_datetime(["2024-12-01", "2025-03-01"])
    >>> followed = follow_answers(answers, orders, as_of="2026-01-02")
    >>> followed[["attitude", "amount_before", "amount_after"]].to_numpy().tolist()
    [['promoter', 50.0, 70.0]]
    """
    check_frame(answers, argument="answers")
    check_columns(answers, customer_id="customer_id", answered_at="answered_at", nps_score="nps_score")
    check_scores(answers, "nps_score", (0, 10))
    check_columns(orders, **{name: name for name in ("customer_id", "order_id", "ordered_at", "amount")})
    needed = ["customer_id", "answered_at", "nps_score"]
    asked = by_time(answers[answers[needed].notna().all(axis=1)], columns=needed)
    answered = instants(asked["answered_at"], "answered_at")
    zone = None if answered.dt.tz is None else str(answered.dt.tz)
    asked = asked.assign(answered_at=local_times(answered, "answered_at"))
    end = pd.Timestamp(to_date(as_of))
    asked = asked[asked["answered_at"] + pd.Timedelta(days=within_days) <= end]
    asked = asked.drop_duplicates("customer_id", keep="last")
    asked = asked.assign(attitude=attitude(asked["nps_score"])).set_index("customer_id").sort_index()
    asked = orders_around(
        asked.reset_index().rename(columns={"answered_at": "at"}),
        orders,
        as_of=as_of,
        within_days=within_days,
        timezone=zone,
    )
    asked = asked.rename(columns={"at": "answered_at"}).set_index("customer_id")
    asked["has_lapsed"] = (1 - asked["has_bought"]).where(asked["orders_before"] > 0)
    if referrals is not None:
        acts = referrals.merge(
            asked[["answered_at"]].rename_axis(None), left_on="customer_id", right_index=True
        )
        wait = local_times(acts["occurred_at"], "occurred_at", timezone=zone) - acts["answered_at"]
        soon = acts[(wait > pd.Timedelta(0)) & (wait <= pd.Timedelta(days=within_days))]
        asked["has_referred"] = asked.index.isin(soon["customer_id"]).astype(float)
    return asked.drop(columns="answered_at").reset_index()


def behaviour_by_attitude(followed: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Repeat, spend and lapse after the answer, by attitude: as they were, and adjusted for what was before.

    Parameters
    ----------
    followed : DataFrame
        From `follow_answers`.
    conf_level : float

    Returns
    -------
    DataFrame
        Per ``metric`` (repeat, spend, lapse; referral if known) and ``attitude``: ``estimate, std_error,
        conf_low, conf_high`` (share with Wilson limits; spend: mean with Student's t), ``adjusted`` with its
        own three, ``n`` customers. Adjusted values are missing with fewer than 10 customers per number known
        before, or in one of the attitudes; limits of spend where a few customers carry it (`tails_hold`).

    Notes
    -----
    Adjusted: least squares on attitude and on orders, amount, recency and tenure before the answer (HC1
    errors), at their means over all customers. Attitude comes before behaviour here, which takes away that
    one who buys much answers well; it does not make the rest an effect.

    References
    ----------
    Keiningham et al. (2007) Journal of Marketing 71; Baehre et al. (2022) JAMS 50.

    Examples
    --------
    >>> people = pd.DataFrame({"attitude": ["promoter"] * 3, "has_bought": [1.0, 1, 0]})
    >>> people = people.assign(amount_after=[10.0, 20, 0], has_lapsed=[0.0, 0, 1])
    >>> people[["orders_before", "amount_before", "recency", "tenure"]] = 1.0
    >>> behaviour_by_attitude(people).loc[[0, 3], "estimate"].round(2).tolist()
    [0.67, 10.0]
    """
    rows = []
    for metric, column in OUTCOMES.items():
        if column not in followed:
            continue
        held = followed[followed[column].notna()]
        for name, adjusted in zip(ATTITUDES, _adjusted_means(held, column, conf_level), strict=True):
            values = held.loc[held["attitude"] == name, column].to_numpy(dtype=float)
            interval = (
                money_mean_interval(values, conf_level=conf_level)
                if metric == "spend"
                else share_interval(values.sum(), len(values), conf_level=conf_level)
            )
            numbers = {key: float(value) for key, value in (interval._asdict() | adjusted).items()}
            rows.append({"metric": metric, "attitude": name, **numbers, "n": len(values)})
    return pd.DataFrame(rows)


def point_value(followed: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Tell what one point more on the scale of 0 to 10 was followed by, customers alike before it.

    Parameters
    ----------
    followed : DataFrame
        From `follow_answers`.
    conf_level : float

    Returns
    -------
    DataFrame
        Per ``metric``: ``estimate, std_error, conf_low, conf_high`` (difference per point: share of
        customers, spend in currency), ``p_value``, ``unadjusted`` (the same without adjustment), ``n`` and
        ``status``: "ok"; "too_few" (fewer than 10 customers per number known before, or one score only);
        "few_carry" (a few customers carry the slope of spend, see `tails_hold`: no limits, no p).

    Notes
    -----
    Slope of the score in the regression of `behaviour_by_attitude`, with the score in place of the attitude.
    An association between customers, not what raising a score would bring.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> people = pd.DataFrame({"nps_score": rng.integers(0, 11, 500), "orders_before": rng.poisson(3, 500)})
    >>> people = people.assign(amount_before=rng.gamma(2, 50, 500), recency=rng.random(500), tenure=1.0)
    >>> people["amount_after"] = 20 * people["nps_score"] + rng.normal(size=500)
    >>> point_value(people)["estimate"].round().tolist()
    [20.0]
    """
    z, rows = critical_value(conf_level), []
    for metric, column in OUTCOMES.items():
        if column not in followed:
            continue
        held = followed[followed[column].notna()]
        outcome, score = (held[name].to_numpy(dtype=float) for name in (column, "nps_score"))
        known, one = known_before(held), np.ones((len(held), 1))
        estimate = std_error = unadjusted = np.nan
        status = "too_few"
        if len(held) >= PER_COVARIATE * (known.shape[1] + 1) and np.ptp(score) > 0:
            slopes, influence = adjusted_slopes(np.column_stack([one, score, known]), outcome)
            estimate, std_error = slopes[1], np.sqrt((influence[:, 1] ** 2).sum())
            unadjusted = adjusted_slopes(np.column_stack([one, score]), outcome)[0][1]
            status = "ok" if metric != "spend" or tails_hold(influence[:, 1]) else "few_carry"
        std_error = std_error if std_error > 0 and status == "ok" else np.nan
        limits = {"conf_low": estimate - z * std_error, "conf_high": estimate + z * std_error}
        p_value = 2 * stats.norm.sf(abs(estimate / std_error))
        row = {"metric": metric, "estimate": estimate, "std_error": std_error, **limits}
        rows.append({**row, "p_value": p_value, "unadjusted": unadjusted, "n": len(held), "status": status})
    return pd.DataFrame(rows)


def attitude_ratio(
    behaviour: pd.DataFrame,
    *,
    metric: str = "repeat",
    pair: Sequence[str] = ("promoter", "detractor"),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Divide the adjusted share of promoters by that of detractors; with the E-value.

    Parameters
    ----------
    behaviour : DataFrame
        From `behaviour_by_attitude`.
    metric : str
        A share: repeat, lapse or referral.
    pair : two of the attitudes
        Numerator and denominator.
    conf_level : float

    Returns
    -------
    DataFrame
        One row: ``metric, estimate`` (ratio), ``conf_low, conf_high`` (log-normal, the two taken as
        independent), ``e_value, e_value_limit``, ``n`` (smaller one).

    Examples
    --------
    >>> rows = pd.DataFrame({"metric": "repeat", "attitude": ["promoter", "detractor"], "n": [90, 80]})
    >>> rows = rows.assign(adjusted=[0.6, 0.3], adjusted_std_error=[0.03, 0.03])
    >>> attitude_ratio(rows)[["estimate", "e_value"]].round(2).to_numpy().tolist()
    [[2.0, 3.41]]
    """
    held = behaviour[behaviour["metric"] == metric].set_index("attitude").loc[list(pair)]
    share = held["adjusted"].where(held["adjusted"] > 0).to_numpy(dtype=float)
    error = held["adjusted_std_error"].to_numpy(dtype=float) / share
    half = critical_value(conf_level) * np.sqrt((error**2).sum())
    ratio = share[0] / share[1]
    low, high = ratio * np.exp(-half), ratio * np.exp(half)
    limit = 1.0 if low <= 1 <= high else e_value(low if ratio >= 1 else high)
    row = {"metric": metric, "estimate": ratio, "conf_low": low, "conf_high": high}
    row |= {"e_value": e_value(ratio), "e_value_limit": limit, "n": int(held["n"].min())}
    return pd.DataFrame([row])


def _adjusted_means(held: pd.DataFrame, column: str, conf_level: float) -> list[dict[str, float]]:
    """Means per attitude at the average of what was known before."""
    member = np.column_stack([(held["attitude"] == name).to_numpy(dtype=float) for name in ATTITUDES])
    known, z = known_before(held), critical_value(conf_level)
    means, errors = np.full(3, np.nan), np.full(3, np.nan)
    enough = len(held) >= PER_COVARIATE * (known.shape[1] + 3) and member.sum(axis=0).min() >= LEAST
    if enough:
        design = np.column_stack([member, known])
        slopes, influence = adjusted_slopes(design, held[column].to_numpy(dtype=float))
        means, errors = slopes[:3], np.sqrt((influence[:, :3] ** 2).sum(axis=0))
        errors = np.where(errors > 0, errors, np.nan)
        if column == OUTCOMES["spend"]:
            errors[[not tails_hold(each) for each in influence[:, :3].T]] = np.nan
    names = ("adjusted", "adjusted_std_error", "adjusted_conf_low", "adjusted_conf_high")
    each = zip(means, errors, means - z * errors, means + z * errors, strict=True)
    return [dict(zip(names, map(float, values), strict=True)) for values in each]
