"""Who is likely to leave, by the forecast that its test out of time allows, with reasons and value."""

from __future__ import annotations

import pandas as pd

from cxlib.checks import NotEnoughData, check_columns, check_frame
from cxlib.stats.scoring.now import score_now
from cxlib.stats.scoring.out_of_time import score_out_of_time
from cxlib.stats.scoring.quality import score_quality, score_told
from cxlib.value.known_at_cut import score_features

BASELINE = "recency_log2"
REASONS = ["reason_1", "reason_2", "reason_3"]


def at_risk(rows: pd.DataFrame, *, next_days: int = 90, conf_level: float = 0.95) -> pd.DataFrame:
    """List active customers more likely than most to buy nothing in the next days, the most value first.

    Parameters
    ----------
    rows : DataFrame
        Result of `known_at_cuts`; the customers of its last cut day are listed.
    next_days : int
        As it was given there.
    conf_level : float
        Level at which a score must beat recency alone and the base rate on later days than it was fitted on
        (`score_told`).

    Returns
    -------
    DataFrame
        ``customer_id, probability`` (0–1, at least the share over all rows)``, reason_1, reason_2, reason_3``
        (features that raise it most, by their column)``, value`` (currency, of the last 365 days)``,
        value_is`` (margin, or amount where a margin is missing)``, value_at_risk`` (the product)``,
        last_order_on, forecast`` (score; simple: recency alone, for no score is shown to beat it; base:
        neither beats the base rate, so that everybody has the same probability and only the value sorts
        them). A prediction says who leaves, not whom a message would keep: that takes a test with a control
        group.

    Raises
    ------
    ParameterError
        A column is missing.
    NotEnoughData
        Too short a history for a test, or the test has fewer than ten customers of either kind.

    Examples
    --------
    >>> import numpy as np
    >>> from cxlib.value.known_at_cut import cut_days, known_at_cuts
    >>> rng = np.random.default_rng(0)
    >>> lines = pd.DataFrame({"customer_id": rng.integers(0, 300, 4_000).astype(str), "amount": 9.0})
    >>> lines["order_id"] = lines.index.astype(str)
    >>> lines["ordered_at"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 730, 4_000), "D")
    >>> days = cut_days("2025-01-01", "2026-12-31", next_days=60)
    >>> listed = at_risk(known_at_cuts(lines, cuts=days, as_of="2026-12-31", next_days=60), next_days=60)
    >>> listed["value_at_risk"].is_monotonic_decreasing
    True
    """
    check_frame(rows, argument="rows")
    features = score_features(rows)
    check_columns(rows, customer_id_col="customer_id", period_col="cut_on", outcome_col="left")
    scored = score_out_of_time(
        rows, feature_cols=features, outcome_col="left", next_days=next_days, baseline_col=BASELINE
    )
    quality = score_quality(scored, outcome_col="left", cluster_col="customer_id", conf_level=conf_level)
    told = score_told(quality)
    if told["claim"] == "too_few":
        counts = {"n": f"{len(scored):,}", "events": f"{int(scored['left'].sum()):,}"}
        raise NotEnoughData("value_score.too_few", **counts)
    known = rows[rows["left"].notna()]
    now = rows[(rows["cut_on"] == rows["cut_on"].max()) & rows["is_active"]]
    listed = score_now(
        known, now, forecast=told["used"], feature_cols=features, outcome_col="left", baseline_col=BASELINE
    )
    listed = listed[listed["probability"] >= known["left"].mean() - 1e-12]
    has_margin = "margin_365" in listed and bool(listed["margin_365"].notna().all())
    value = listed["margin_365" if has_margin else "amount_365"].astype(float)
    listed = listed.assign(
        value=value,
        value_is="margin" if has_margin else "amount",
        value_at_risk=listed["probability"] * value,
        forecast=told["used"],
    )
    columns = ["customer_id", "probability", *REASONS, "value", "value_is", "value_at_risk"]
    order = listed.sort_values(["value_at_risk", "customer_id"], ascending=[False, True], ignore_index=True)
    return order[[*columns, "last_order_on", "forecast"]]
