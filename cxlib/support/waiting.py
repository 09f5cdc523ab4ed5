"""Waiting and feeling: satisfaction by hours waited, and what a day, a bot and an open matter go with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

from cxlib.checks import ParameterError
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.number_columns import cluster_codes
from cxlib.support.parcels_sent import means_by
from cxlib.support.sides import side_told

TERMS = ("day_waited", "not_settled", "by_bot")
#: Answers that each number of the model needs.
PER_TERM = 20
#: Hours waited, by the ends of their classes.
WAITS = (0.25, 1.0, 6.0)
_COLUMNS = ["metric", *Interval._fields, "n"]


def score_by_wait(
    contacts: pd.DataFrame, *, scale: tuple[float, float], conf_level: float = 0.95
) -> pd.DataFrame:
    """Points of satisfaction that go with a day waited, with a matter not settled at once, and with a bot.

    Parameters
    ----------
    contacts : DataFrame
        From `first_contacts`: `csat_score, reply_hours, settled, handled_by, customer_id`; rows that lack one
        are left out, and who answered is left out of the model where only one kind did.
    scale : two numbers
        Lowest and highest score that can be given.
    conf_level : float

    Returns
    -------
    DataFrame
        `aspect` ("day_waited", "not_settled", "by_bot"), `metric` ("csat_points"), `estimate, std_error,
        conf_low, conf_high` (points of the scale, each with the others alike), `n` (customers), `claim,
        verdict` (as `side_told`). No rows with fewer than 20 answers per number estimated.

    Notes
    -----
    Interval regression: a normal feeling behind the answer is rounded to whole points and ends at the scale's
    ends (Stewart 1983). Plain least squares takes "1" for a feeling of exactly 1, and so makes long waits
    look cheaper. Errors by customer (sandwich), or the
    model's own where these are larger. Associations: who waits longest may have the hardest case.

    References
    ----------
    Stewart (1983) Review of Economic Studies 50; Liang & Zeger (1986) Biometrika 73.
    """
    known = contacts.dropna(subset=["csat_score", "reply_hours", "settled", "customer_id"])
    columns = {"day_waited": known["reply_hours"] / 24, "not_settled": 1 - known["settled"]}
    columns["by_bot"] = (known["handled_by"] == "bot").astype(float)
    names = [name for name in TERMS if np.ptp(columns[name].to_numpy(dtype=float)) > 0] if len(known) else []
    if not names or len(known) < PER_TERM * (len(names) + 2):
        return pd.DataFrame(columns=["aspect", *_COLUMNS, "claim", "verdict"])
    design = np.column_stack([np.ones(len(known)), *(columns[name] for name in names)])
    score = known["csat_score"].to_numpy(dtype=float)
    slope, error = _interval_regression(design, score, scale, cluster_codes(known["customer_id"]))
    half = critical_value(conf_level) * error
    found = pd.DataFrame(
        {"aspect": names, "metric": "csat_points", "estimate": slope[1:], "std_error": error[1:]}
    )
    found = found.assign(conf_low=(slope - half)[1:], conf_high=(slope + half)[1:])
    said = side_told(found["conf_low"], found["conf_high"], unit="score")
    return found.assign(n=known["customer_id"].nunique(), **said)


def _interval_regression(
    design: Array, score: Array, scale: tuple[float, float], cluster: Any
) -> tuple[Array, Array]:
    """Slopes and cluster-robust errors of a rounded normal answer with open ends."""
    if (score != np.rint(score)).any() or score.min() < scale[0] or score.max() > scale[1]:
        raise ParameterError("support.score_off_scale", low=f"{scale[0]:g}", high=f"{scale[1]:g}")
    low = np.where(score <= scale[0], -np.inf, score - 0.5)
    high = np.where(score >= scale[1], np.inf, score + 0.5)

    def per_row(theta: Array) -> tuple[Array, Array]:
        """Log-likelihood of each row, and its slope by the parameters."""
        sigma = np.exp(theta[-1])
        a, b = ((end - design @ theta[:-1]) / sigma for end in (low, high))
        below, above = stats.norm.pdf(a), stats.norm.pdf(b)
        mass = np.maximum(
            np.where(a > 0, stats.norm.sf(a) - stats.norm.sf(b), stats.norm.cdf(b) - stats.norm.cdf(a)),
            1e-300,
        )
        by_mean = (below - above) / mass / sigma
        edges = np.where(np.isfinite(a), a, 0) * below - np.where(np.isfinite(b), b, 0) * above
        return np.log(mass), np.column_stack([design * by_mean[:, None], edges / mass])

    def total(theta: Array) -> tuple[float, Array]:
        log, slope = per_row(theta)
        return -float(log.sum()), -slope.sum(axis=0)

    plain = np.linalg.lstsq(design, score, rcond=None)[0]
    start = np.append(plain, np.log(max(float(np.std(score - design @ plain)), 0.1)))
    theta = optimize.minimize(total, start, jac=True, method="BFGS").x
    steps = 1e-5 * np.eye(len(theta))
    hessian = np.array([(total(theta + step)[1] - total(theta - step)[1]) / 2e-5 for step in steps])
    bread = np.linalg.pinv((hessian + hessian.T) / 2)
    theta = theta - bread @ total(theta)[1]  # Newton's last step: searches end differently on each machine
    slopes = per_row(theta)[1]
    of_cluster = np.column_stack([np.bincount(cluster, column) for column in slopes.T])
    spread = bread @ (of_cluster.T @ of_cluster) @ bread
    return theta[:-1], np.sqrt(np.maximum(np.diag(spread), np.diag(bread)))[:-1]


def csat_by_wait(
    contacts: pd.DataFrame, *, scale: tuple[float, float], conf_level: float = 0.95
) -> pd.DataFrame:
    """Mean satisfaction by hours waited for the first reply, the shortest wait first.

    Returns
    -------
    DataFrame
        `waited_hours` (upper end of the class, infinite for the last), `metric` ("ticket_csat"), `estimate,
        std_error, conf_low, conf_high, n` (customers).
    """
    known = contacts.dropna(subset=["csat_score", "reply_hours"])
    ends = np.array([*WAITS, np.inf])
    return means_by(known, "csat_score", ends[np.searchsorted(WAITS, known["reply_hours"])], "waited_hours",
                  "ticket_csat", scale, conf_level)  # fmt: skip
