"""What the chapter says of the days ahead: who may leave, and what sales may be, each as far as tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from cxlib.checks import NotEnoughData
from cxlib.data.scope import Tables
from cxlib.stats.forecasting.rolling import forecast_quality, forecast_told, next_months, roll_forecasts
from cxlib.stats.scoring.by_group import calibration_curve, score_drift, score_lift
from cxlib.stats.scoring.logistic import odds_ratios
from cxlib.stats.scoring.out_of_time import score_out_of_time
from cxlib.stats.scoring.quality import score_quality, score_told
from cxlib.value.known_at_cut import cut_days, known_at_cuts, score_features
from cxlib.value.likely_to_leave import BASELINE
from cxlib.value.sales_ahead import customer_forecast, monthly_sales

#: Power and two-sided level of the test that would make a prediction an effect, and the gain it should see.
POWER, TEST_LEVEL, GAIN = 0.8, 0.05, 0.05
FIFTHS = 5
LEVEL, AHEAD_MONTHS, DRAWN_MONTHS = 0.8, 3, 24
#: What measures of a forecast are called where they are shown.
SHOWN_AS = {"wape": "sales_error", "coverage": "inside_interval", "wape_gain": "error_saved"}


@dataclass(frozen=True)
class LeavingScore:
    """A score of leaving and its test; a class because six results of one fit are shown one after the other.

    All frames are empty where the data are too short for a test; `told` then holds a `note`.
    """

    told: dict[str, Any]
    quality: pd.DataFrame
    curve: pd.DataFrame
    lift: pd.DataFrame
    reasons: pd.DataFrame
    drift: pd.DataFrame
    effect_test: dict[str, Any]

    @property
    def lacking(self) -> str:
        """Entry that says why a part of the test is not shown: there is no test, or too few in the part."""
        return "value_score.no_score" if self.told.get("note") else "value_score.few_in_part"

    @property
    def caveat(self) -> dict[str, Any]:
        """What to say where the probabilities are off over all; nothing where they are not shown to be."""
        if self.told.get("used", "base") == "base":
            return {}
        of_used = self.quality["forecast"] == self.told["used"]
        gap = self.quality[of_used & (self.quality["metric"] == "calibration_gap")].iloc[0]
        return {"note": "off", **gap.drop("note")} if gap["verdict"] == "off" else {}


def leaving_score(
    data_set: Tables,
    orders: pd.DataFrame,
    *,
    as_of: object,
    next_days: int = 90,
    contracts: pd.DataFrame | None = None,
    conf_level: float = 0.95,
) -> LeavingScore:
    """Fit and test a score of buying nothing in the next days, and plan the test of doing something about it.

    Parameters
    ----------
    data_set, orders, contracts
        Tables of the chapter; tickets are read off the data set where they name customers.
    as_of, next_days, conf_level
        As `known_at_cuts` and `score_quality`.

    Returns
    -------
    LeavingScore
        ``told`` as `score_told` with ``next_days``; results of `score_quality`, `calibration_curve`,
        `score_lift`, `odds_ratios` and `score_drift`, the shown ones with ``customers``; and ``effect_test``:
        ``share`` of the most likely fifth who leave, the ``less_share`` to be seen and the customers
        ``per_group`` that it takes (at ``level_share`` with ``power_share``), ``n_listed`` customers in that
        fifth, and ``claim`` "too_few" where two such groups are more; empty where no forecast may be used.
        The curve is that of the forecast that may be used.
    """
    tickets = data_set.table("tickets") if data_set.has("tickets", "customer_id") else None
    try:
        cuts = cut_days(orders["ordered_at"].min(), as_of, next_days=next_days)
        rows = known_at_cuts(
            orders, cuts=cuts, as_of=as_of, next_days=next_days, tickets=tickets, contracts=contracts
        )
        features = score_features(rows)
        scored = score_out_of_time(
            rows,
            feature_cols=features,
            outcome_col="left",
            next_days=next_days,
            baseline_col=BASELINE,
            cluster_col="customer_id",
        )
    except NotEnoughData:
        n = pd.DataFrame()
        return LeavingScore({"note": "too_short", "next_days": next_days}, n, n, n, n, n, {})
    named = {"outcome_col": "left", "cluster_col": "customer_id"}
    asked: dict[str, Any] = named | {"conf_level": conf_level}
    quality = score_quality(scored, **asked)
    told = {name: held for name, held in score_told(quality).items() if name != "note"}
    used = told["used"]
    people = scored["customer_id"].nunique()
    reasons = odds_ratios(rows, feature_cols=features, **asked)
    top = score_lift(scored, **asked)
    shares = top.loc[(top["forecast"] == used) & (top["fifth"] == 1), "share"]
    return LeavingScore(
        told | {"next_days": next_days, "customers": people},
        quality.assign(customers=people),
        calibration_curve(scored, forecast="simple" if used == "simple" else "score", **asked),
        top,
        reasons[reasons["note"].isna()].assign(customers=rows["customer_id"].nunique()),
        score_drift(scored, **asked).dropna(subset=["month"]),
        _effect_test(float(shares.iloc[0]), people // FIFTHS) if len(shares) else {},
    )


def _effect_test(share: float, n_listed: int) -> dict[str, Any]:
    """Plan the customers per group to see that `GAIN` fewer leave, where `share` leave if nothing is done."""
    less = max(share - GAIN, 0.0)
    spread = share * (1 - share) + less * (1 - less)
    needed = (ndtri(1 - TEST_LEVEL / 2) + ndtri(POWER)) ** 2 * spread / max(share - less, 1e-9) ** 2
    plan: dict[str, Any] = {"level_share": TEST_LEVEL, "power_share": POWER, "n_listed": n_listed}
    plan |= {"share": share, "less_share": less, "per_group": int(np.ceil(needed))}
    return plan | ({"claim": "too_few"} if 2 * plan["per_group"] > n_listed else {})


@dataclass(frozen=True)
class SalesAhead:
    """Forecasts, their test and what may be said; a class because the chapter shows them one by one."""

    told: dict[str, Any]
    quality: pd.DataFrame
    ahead: pd.DataFrame
    drawn: pd.DataFrame

    @property
    def level(self) -> float:
        """Level of the intervals of the forecasts, set and not that of the report."""
        return LEVEL

    @property
    def season(self) -> dict[str, Any]:
        """What to say where there are too few years for a season; nothing where there are enough."""
        return (
            {}
            if self.told.get("is_season_known", True)
            else {"note": "unknown"} | {"months": self.told["months"]}
        )


def sales_outlook(orders: pd.DataFrame, *, as_of: object, conf_level: float = 0.95) -> SalesAhead:
    """Forecast the sales of the next three months by three methods, and test each on months it had not seen.

    Parameters
    ----------
    orders : DataFrame
        Order lines.
    as_of : date or str
        Last day of the data.
    conf_level : float
        Level of the limits of the test; the forecasts' own intervals are of 80 %.

    Returns
    -------
    SalesAhead
        ``told`` as `forecast_told`; results of `forecast_quality` and `next_months`; ``drawn``: the last two
        years of sales (`method` "actual") and the forecasts. Empty where there are too few months; `told`
        then holds a `note`.
    """
    sales = monthly_sales(orders, as_of=as_of)
    nothing = pd.DataFrame()
    if len(sales) and not sales["amount"].any():
        return SalesAhead({"note": "no_sales", "months": len(sales)}, nothing, nothing, nothing)
    more = {"customers": customer_forecast(orders, sales)}
    asked: dict[str, Any] = {"horizon_months": AHEAD_MONTHS, "level": LEVEL, "more": more}
    try:
        rolled = roll_forecasts(sales, **asked)
    except NotEnoughData:
        return SalesAhead({"note": "too_short", "months": len(sales)}, nothing, nothing, nothing)
    known = rolled.groupby("method")["estimate"].transform(lambda held: held.notna().all())
    quality = forecast_quality(rolled[known], level=LEVEL, conf_level=conf_level)
    told = forecast_told(quality, months=len(sales))
    told |= {"horizon_months": AHEAD_MONTHS, "metric": "wape_gain", "rival_method": told["rival"]}
    told |= {"wape_share": told["wape"], "naive_share": told["wape_naive"], "tests": told.pop("n")}
    ahead = next_months(sales, **asked).dropna(subset=["estimate"])
    past = sales.tail(DRAWN_MONTHS).rename(columns={"amount": "estimate"}).assign(method="actual")
    drawn = pd.concat([past, ahead], ignore_index=True)[
        ["method", "month", "estimate", "conf_low", "conf_high"]
    ]
    people = orders["customer_id"].nunique()
    limits = {
        "low_estimate": ahead["conf_low"],
        "high_estimate": ahead["conf_high"],
    }  # of 80 %, not the report's
    shown = ahead.assign(month=ahead["month"].dt.strftime("%Y-%m"), **limits)
    quality = quality.assign(metric=quality["metric"].replace(SHOWN_AS), customers=people)
    return SalesAhead(
        told | {"customers": people},
        quality,
        shown.drop(columns=["conf_low", "conf_high", "std_error"]).assign(customers=people),
        drawn.assign(n=people),
    )
