"""Several measures of the same customers, best first, and whether the best leads by more than the picking."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.joint_bands import largest_ratio

DRAWS, SEED = 10_000, 20_260_101


def rank_by_estimate(
    metric: str, found: dict[str, tuple[float, Array]], conf_level: float = 0.95
) -> pd.DataFrame:
    """Put measures of the same customers in order, best first, with how far each is behind the best.

    Parameters
    ----------
    metric : str
    found : dict
        Per scheme its estimate and each customer's influence on it (same customers, same order).
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `scheme, metric, estimate, std_error, conf_low, conf_high, behind, behind_conf_low, behind_conf_high`:
        the last two without limits for the best, and for all pairs at once for the others, because the best
        was picked on the same customers. Error and limits are missing where no customer moves the measure.

    Notes
    -----
    Errors and their correlations come from the influences; the limits of the differences use the quantile of
    the largest standardised difference of any pair, from 10,000 normal draws.

    References
    ----------
    Hothorn, Bretz & Westfall (2008) Biometrical Journal 50, 346–363.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> found = {"a": (0.2, rng.normal(0, 0.01, 50)), "b": (0.9, rng.normal(0, 0.01, 50))}
    >>> rank_by_estimate("share", found)[["scheme", "behind"]].round(1).values.tolist()
    [['b', 0.0], ['a', 0.7]]
    """
    z = critical_value(conf_level)
    order = sorted(found, key=lambda scheme: -found[scheme][0])
    influences = np.array([found[scheme][1] for scheme in order])
    joint = influences @ influences.T
    apart = np.sqrt(np.maximum(joint.diagonal()[:, None] + joint.diagonal() - 2 * joint, 0))
    half = _largest_difference(joint, apart, conf_level) * apart[0]
    half[0] = np.nan
    estimate, error = np.array([found[scheme][0] for scheme in order]), np.sqrt(joint.diagonal())
    half, error = (np.where(each > 1e-12, each, np.nan) for each in (half, error))
    behind = estimate[0] - estimate
    return pd.DataFrame(
        {
            "scheme": order,
            "metric": metric,
            **Interval(estimate, error, estimate - z * error, estimate + z * error)._asdict(),
            "behind": behind,
            "behind_conf_low": behind - half,
            "behind_conf_high": behind + half,
        }
    )


def _largest_difference(joint: Array, apart: Array, conf_level: float) -> float:
    """Quantile of the largest standardised difference of any two schemes, given their joint errors."""
    first, second = np.triu_indices(len(joint), 1)
    used = apart[first, second] > 1e-12
    if not used.any():
        return critical_value(conf_level)
    first, second = first[used], second[used]
    value, vector = np.linalg.eigh(joint)
    root = vector * np.sqrt(np.maximum(value, 0))
    rows = (root[first] - root[second]) / apart[first, second][:, None]
    return max(largest_ratio(rows, conf_level=conf_level, draws=DRAWS, seed=SEED), critical_value(conf_level))
