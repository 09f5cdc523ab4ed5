"""How much faster customers with a feature leave than those without, all else alike: Cox's regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from cxlib.checks import NotEnoughData, ParameterError, check_columns
from cxlib.stats.intervals import critical_value

#: Events that each feature needs.
PER_FEATURE = 10
_COLUMNS = [
    "feature",
    "metric",
    "estimate",
    "conf_low",
    "conf_high",
    "coefficient",
    "std_error",
    "p_value",
    "n",
]
_COLUMNS += ["n_events"]


def cox_hazard_ratios(
    data: pd.DataFrame,
    *,
    duration_col: str,
    event_col: str,
    feature_cols: Sequence[str],
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Ratio of the chance to leave at any time that goes with one more of each feature, the others alike.

    Parameters
    ----------
    data
        One row per customer.
    duration_col, event_col
        Time followed, above 0; whether the event happened then (else the customer is censored).
    feature_cols
        Numeric columns, 0 and 1 for yes and no. Rows with a missing value in any column are left out.
    conf_level
        Level of the limits (normal, on the logarithm).

    Returns
    -------
    DataFrame
        `feature, metric` ("hazard_ratio"), `estimate` (1: no difference), `conf_low, conf_high`,
        `coefficient` (its logarithm), `std_error` (of the coefficient), `p_value, n, n_events`.

    Raises
    ------
    ParameterError
        An unknown column, a duration that is not above 0, or features of which one follows from the others.
    NotEnoughData
        Fewer than 10 events per feature.

    Notes
    -----
    Partial likelihood with Efron's treatment of ties. The ratio is taken to be the same at all times, and
    customers to be independent; a ratio is an association, and no effect.

    References
    ----------
    Cox (1972) JRSS-B 34; Efron (1977) JASA 72. Checked on the leukaemia trial of Freireich et al. (1963).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> card = rng.integers(0, 2, 2000)
    >>> left = rng.exponential(np.where(card == 1, 20.0, 10.0))
    >>> rows = pd.DataFrame({"days": np.minimum(left, 30) + 0.01, "left": left < 30, "card": card})
    >>> found = cox_hazard_ratios(rows, duration_col="days", event_col="left", feature_cols=["card"])
    >>> bool(found["conf_low"].item() < 0.5 < found["conf_high"].item())
    True
    """
    from statsmodels.duration.hazard_regression import PHReg

    features = list(feature_cols)
    named = {f"feature_cols[{at}]": name for at, name in enumerate(features)}
    check_columns(data, duration_col=duration_col, event_col=event_col, **named)
    known = data[[duration_col, event_col, *features]].dropna()
    design = known[features].to_numpy(float)
    times, happened = known[duration_col].to_numpy(float), known[event_col].to_numpy(bool)
    if (times <= 0).any():
        bad = int((times <= 0).sum())
        raise ParameterError("intervals.durations_above_zero", column=duration_col, n_bad=bad, n=len(times))
    if happened.sum() < PER_FEATURE * max(len(features), 1):
        raise NotEnoughData("intervals.few_events", n_events=int(happened.sum()), features=len(features))
    spread = design.std(axis=0)
    scaled = (design - design.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    if (spread == 0).any() or np.linalg.matrix_rank(scaled) < len(features):
        raise ParameterError("intervals.dependent_features", columns=", ".join(features))
    fit = PHReg(times, scaled, status=happened, ties="efron").fit(disp=0)
    slope, error = np.asarray(fit.params) / spread, np.asarray(fit.bse) / spread
    half = critical_value(conf_level) * error
    return pd.DataFrame(
        {
            "feature": features,
            "metric": "hazard_ratio",
            "estimate": np.exp(slope),
            "conf_low": np.exp(slope - half),
            "conf_high": np.exp(slope + half),
            "coefficient": slope,
            "std_error": error,
            "p_value": 2 * norm.sf(np.abs(slope) / error),
            "n": len(known),
            "n_events": int(happened.sum()),
        }
    )[_COLUMNS]
