"""How much of the explained variance goes with each group of drivers: rational against emotional items."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.stats.number_columns import cluster_codes
from cxlib.voice.drivers.importance import parts_of_r_squared, read_drivers, shares_with_ranks
from cxlib.voice.drivers.resampled_moments import ResampledMoments


def group_importance(
    data: pd.DataFrame,
    *,
    outcome_col: str,
    groups: Mapping[str, str],
    weight_col: str | None = None,
    cluster_col: str | None = None,
    n_boot: int = 0,
    seed: int = 0,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Divide the explained variance of an outcome among groups of drivers: importance as shares (0–1).

    Parameters
    ----------
    data : DataFrame
        One row per answer, as for `driver_importance`.
    outcome_col : str
        Outcome, a number.
    groups : mapping of driver column → group
        Every driver of the analysis; a group enters as a whole.
    weight_col, cluster_col, n_boot, seed, conf_level
        As `driver_importance`.

    Returns
    -------
    DataFrame
        Most important first: ``group, importance`` (sums to 1) with ``std_error, conf_low, conf_high``,
        ``n`` answers with the outcome and at least one driver of the group (and their ``customers`` with
        `cluster_col`), ``n_drivers, r_squared, rank, rank_low, rank_high, probability_first``. All NaN when
        the outcome is constant or there are hardly more answers than drivers.

    Raises
    ------
    ParameterError
        As `driver_importance`.

    Notes
    -----
    Shapley values of the game whose players are the groups. The Owen values of a group's drivers
    (`driver_importance` with `groups`) add up to it.

    References
    ----------
    Owen (1977); Lindeman, Merenda & Gold (1980).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> answers = pd.DataFrame(rng.normal(size=(500, 3)), columns=["quality", "price", "warmth"])
    >>> answers["score"] = 2 * answers["quality"] + answers["warmth"] + rng.normal(size=500)
    >>> groups = {"quality": "rational", "price": "rational", "warmth": "emotional"}
    >>> group_importance(answers, outcome_col="score", groups=groups)["importance"].round(2).tolist()
    [0.75, 0.25]
    """
    check_columns(data, cluster_col=cluster_col)
    drivers, names = list(groups), list(dict.fromkeys(groups.values()))
    values, weight = read_drivers(data, outcome_col, drivers, weight_col)
    keep = np.isfinite(values[:, -1]) & np.isfinite(weight)
    values, weight = values[keep], weight[keep]
    units = [[place for place, driver in enumerate(drivers) if groups[driver] == name] for name in names]
    moments = ResampledMoments(values, weight)
    whole = moments.correlations(moments.all_answers())
    parts = parts_of_r_squared(whole, units, "shapley", None, seed)[0]
    if len(values) <= len(drivers) + 1 or not np.ptp(values[:, -1]) > 0:
        parts, n_boot = np.full_like(parts, np.nan), 0
    clusters = None if cluster_col is None else cluster_codes(data[cluster_col])[keep]
    replicates = np.full((1, len(units)), np.nan)
    if n_boot:
        sums = moments.resampled(n_boot=n_boot, seed=seed, clusters=clusters)
        replicates = parts_of_r_squared(moments.correlations(sums), units, "shapley", None, seed)[0]
    found = {"group": names, **shares_with_ranks(parts[0], replicates, conf_level)}
    held = [np.isfinite(values[:, unit]).any(axis=1) for unit in units]
    found |= {"n": [int(each.sum()) for each in held], "n_drivers": [len(unit) for unit in units]}
    if clusters is not None:
        found["customers"] = [len(np.unique(clusters[each])) for each in held]
    frame = pd.DataFrame(found).assign(r_squared=parts[0].sum())
    return frame.sort_values("rank", kind="stable", ignore_index=True)
