"""Which touchpoint falls below expectation, how many customers that reaches, and what it costs in feeling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_group_names
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval, clustered_mean_interval, critical_value
from cxlib.stats.number_columns import check_numbers


def gaps_by_touchpoint(events: pd.DataFrame) -> pd.DataFrame:
    """Give experience less expectation a column per touchpoint, beside feeling and customer of the contact.

    Parameters
    ----------
    events
        Contacts with `customer_id, touchpoint, valence, expectation, experience`; only rated ones count.

    Returns
    -------
    DataFrame
        `valence, customer_id` and a column per touchpoint (rating points, missing at the others), in the
        order and with the index of `events`: the drivers of `penalty_reward`.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": ["a", "b"], "touchpoint": ["shop", "web"], "valence": [1, 0],
    ...     "expectation": [3, 4], "experience": [5, None]})
    >>> gaps_by_touchpoint(events).to_dict("records")
    [{'valence': 1, 'customer_id': 'a', 'shop': 2.0}]
    """
    gaps = events.assign(gap=events["experience"] - events["expectation"])
    gaps = gaps.dropna(subset=["gap", "touchpoint"]).pivot(columns="touchpoint", values="gap")  # noqa: PD010
    return events[["valence", "customer_id"]].join(gaps, how="inner")


def expectation_gap(
    events: pd.DataFrame,
    *,
    by: str = "touchpoint",
    expectation_col: str = "expectation",
    experience_col: str = "experience",
    customer_id_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of contacts below and above expectation (0–1), and the mean gap (scale points), per touchpoint.

    Parameters
    ----------
    events
        Contacts. Only rows with both ratings and a touchpoint count.
    by
        Column to judge by.
    expectation_col, experience_col
        Ratings on one common scale; gap = experience − expectation.
    customer_id_col
        Customer; several contacts of one count as one cluster, those without a customer as one each.
    conf_level
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        `by, metric` ("share_below", "share_above", "mean_gap"), `estimate, std_error, conf_low, conf_high, n`
        (customers), `n_answers`; in the order of the names.

    Raises
    ------
    ParameterError
        Unknown column, text among the ratings, or a touchpoint column called like one of the result.

    Notes
    -----
    A mean gap hides that falling short costs more than exceeding gains; so look at the shares. To relate gaps
    to an outcome use both ratings, not their difference alone (see `penalty_reward` for loss and gain apart).

    References
    ----------
    Oliver (1980) Journal of Marketing Research 17; Edwards (1994) OBHDP 58 (against difference scores).

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("abcd"), "touchpoint": "delivery", "expectation": 3,
    ...     "experience": [2, 2, 3, 5]})
    >>> expectation_gap(events)["estimate"].to_list()
    [0.5, 0.25, 0.0]
    """
    rated = _rated(events, by, expectation_col, experience_col, customer_id_col)
    code, names = pd.factorize(rated[by], sort=True)
    customers = rated["customer"].groupby(code).nunique().reindex(range(len(names)), fill_value=0)
    answers = np.bincount(code, minlength=len(names))
    if not len(names):
        return pd.DataFrame(columns=[by, "metric", *Interval._fields, "n", "n_answers"], dtype=float)
    frames = []
    scores = events[[expectation_col, experience_col]].dropna().to_numpy(dtype=float)
    widest = float(np.ptp(scores))
    for metric, value in (
        ("share_below", rated["gap"] < 0),
        ("share_above", rated["gap"] > 0),
        ("mean_gap", rated["gap"]),
    ):
        seen = (value.to_numpy(dtype=float), rated["customer"].to_numpy())
        how: dict[str, Any] = {"groups": code, "n_groups": len(names), "conf_level": conf_level}
        if metric == "mean_gap":
            interval = clustered_mean_interval(*seen, **how, bounds=(-widest, widest))
        else:
            interval = clustered_share_interval(*seen, **how)
        columns = interval._asdict()
        frames.append(
            pd.DataFrame({by: names, "metric": metric, **columns, "n": customers, "n_answers": answers})
        )
    result = pd.concat(frames, ignore_index=True)
    return result.sort_values(by, kind="stable", ignore_index=True)


def below_expectation(events: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Share (0–1) of all rated contacts below expectation: the first row of `expectation_gap` for everything.

    Examples
    --------
    >>> rated = pd.DataFrame({"customer_id": list("ab"), "expectation": [3, 3], "experience": [2, 4]})
    >>> below_expectation(rated)["estimate"].tolist()
    [0.5]
    """
    return expectation_gap(events.assign(everything=1), by="everything", conf_level=conf_level).head(1)


def touchpoint_scores(
    events: pd.DataFrame,
    *,
    penalties: pd.DataFrame | None = None,
    touchpoint_col: str = "touchpoint",
    expectation_col: str = "expectation",
    experience_col: str = "experience",
    customer_id_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Rank touchpoints by reach × shortfall × weight, the worst first.

    Parameters
    ----------
    events
        Contacts; rated or not, every customer seen counts for the reach.
    penalties
        Frame of `penalty_reward` with the touchpoints as `driver`: its `penalty` (unit of the outcome, below
        0 where falling short costs) is the weight. Without it every touchpoint weighs 1.
    touchpoint_col, expectation_col, experience_col, customer_id_col
        Columns of `events`.
    conf_level
        Confidence level of all intervals together.

    Returns
    -------
    DataFrame
        `touchpoint_col, metric` ("loss"), `estimate` (reach × share below expectation × −penalty: mean of the
        outcome lost per customer, or without penalties the share of customers), `std_error, conf_low,
        conf_high, n` (customers with both ratings), `reach` (share of all customers, 0–1), `share_below,
        penalty`. Touchpoints without ratings or penalty come last with NaN.

    Raises
    ------
    ParameterError
        Unknown column, text among the ratings, or a touchpoint column called like one of the result.

    Notes
    -----
    Intervals by the delta method with the three factors as independent and the reach as known; they hold for
    all touchpoints together (Bonferroni), because the worst of many is picked. They say how sure the loss is,
    not what repairing would bring: that is an effect, and needs a test.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("abcd"), "touchpoint": ["ad", "delivery"] * 2,
    ...     "expectation": 3, "experience": [3, 2, 3, 2]})
    >>> touchpoint_scores(events)[["touchpoint", "estimate"]].to_numpy().tolist()
    [['delivery', 0.5], ['ad', 0.0]]
    """
    how: dict[str, Any] = {
        "expectation_col": expectation_col,
        "experience_col": experience_col,
        "by": touchpoint_col,
    }
    how["customer_id_col"] = customer_id_col
    gaps = expectation_gap(events, conf_level=conf_level, **how).query("metric == 'share_below'")
    known = events.dropna(subset=[touchpoint_col, customer_id_col])
    reach = known.groupby(touchpoint_col)[customer_id_col].nunique() / max(
        events[customer_id_col].nunique(), 1
    )
    frame = pd.DataFrame({"reach": reach}).join(
        gaps.set_index(touchpoint_col)[["estimate", "std_error", "n"]]
    )
    frame = frame.rename(columns={"estimate": "share_below", "std_error": "error_below"})
    frame["penalty"], frame["penalty_std_error"] = -1.0, 0.0
    if penalties is not None and len(penalties):
        names = ["penalty", "penalty_std_error"]
        frame[names] = penalties.set_index("driver")[names].reindex(frame.index)
    frame["estimate"] = -frame["reach"] * frame["share_below"] * frame["penalty"]
    spread = (frame["penalty"] * frame["error_below"]) ** 2 + (
        frame["share_below"] * frame["penalty_std_error"]
    ) ** 2
    frame["std_error"] = frame["reach"] * np.sqrt(spread)
    compared = max(int(frame["std_error"].notna().sum()), 1)
    careful = 1 - (1 - conf_level) / compared
    half = critical_value(careful) * frame["std_error"]
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - half, frame["estimate"] + half
    if (flat := frame["std_error"] == 0).any():  # nobody or everybody below: the share's own limits
        below = expectation_gap(events, conf_level=careful, **how).query("metric == 'share_below'")
        ends = below.set_index(touchpoint_col)[["conf_low", "conf_high"]].reindex(frame.index[flat])
        ends = ends.mul(-(frame["reach"] * frame["penalty"])[flat], axis=0)
        frame.loc[flat, ["conf_low", "conf_high"]] = np.sort(ends.to_numpy(), axis=1)
    frame = frame.assign(metric="loss", n=frame["n"].fillna(0).astype(int)).rename_axis(touchpoint_col)
    frame = frame.reset_index().sort_values(["estimate", touchpoint_col], ascending=[False, True])
    return frame[
        [touchpoint_col, "metric", *Interval._fields, "n", "reach", "share_below", "penalty"]
    ].reset_index(drop=True)


def _rated(
    events: pd.DataFrame, by: str, expectation_col: str, experience_col: str, customer_id_col: str
) -> pd.DataFrame:
    """Keep rows with both ratings, with the gap and a customer each."""
    check_columns(
        events,
        by=by,
        expectation_col=expectation_col,
        experience_col=experience_col,
        customer_id_col=customer_id_col,
    )
    check_group_names(by, ("metric", *Interval._fields, "n", "n_answers"))
    gap = check_numbers(events, experience_col) - check_numbers(events, expectation_col)
    rated = events[[by]].assign(gap=gap, customer=pd.factorize(events[customer_id_col])[0])
    alone = rated["customer"] < 0
    rated.loc[alone, "customer"] = -1 - np.arange(alone.sum())
    return rated[rated["gap"].notna() & rated[by].notna()]
