"""What is planted in the simulated company, and the words its tables use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cxlib.checks import ParameterError

STAGES = ("discover", "consider", "buy", "wait", "first_use", "decide", "repeat", "recommend")
VALLEY_STAGE = "decide"
TOUCHPOINTS: dict[str, tuple[str, str]] = {  # touchpoint: (stage, channel)
    "ad": ("discover", "ad"),
    "sns": ("discover", "sns"),
    "web_product": ("consider", "ec"),
    "review_site": ("consider", "external"),
    "store_visit": ("consider", "store"),
    "checkout": ("buy", "ec"),
    "store_checkout": ("buy", "store"),
    "delivery": ("wait", "ec"),
    "parcel_insert": ("first_use", "parcel"),
    "first_use_mail": ("first_use", "mail"),
    "mail_magazine": ("decide", "mail"),
    "line_message": ("decide", "line"),
    "support_chat": ("decide", "support"),
    "web_mypage": ("repeat", "ec"),
    "loyalty_club": ("repeat", "ec"),
    "referral_card": ("recommend", "parcel"),
    "sales_visit": ("consider", "sales"),
    "proposal": ("consider", "sales"),
    "quote": ("buy", "sales"),
    "follow_up_call": ("decide", "sales"),
}
DRIVERS = ("driver_quality", "driver_ease", "driver_delivery", "driver_support", "driver_price")
ACQUISITION_CHANNELS = ("organic", "search_ad", "sns", "store", "line", "referral")
REGIONS = ("Hokkaido-Tohoku", "Kanto", "Chubu", "Kansai", "Chugoku-Shikoku", "Kyushu")
REGION_SHARES = (0.11, 0.34, 0.17, 0.19, 0.08, 0.11)
ORDER_CHANNELS = ("ec", "store", "sales")
STORE_SHARE = 0.28  # of consumers' first orders
REFILL_PRICE, REFILL_MARGIN_RATE, REFILL_PAIR_SHARE = 3600, 0.60, 0.25
REFILL_MARGIN = REFILL_PRICE * REFILL_MARGIN_RATE * (1 + REFILL_PAIR_SHARE)  # mean of one extra order


def _default(values: dict[Any, Any]) -> Any:
    return field(default_factory=lambda: dict(values))


@dataclass(frozen=True)
class Truth:
    """Every effect planted in the simulated company; one argument instead of a dozen.

    Attributes
    ----------
    f2_by_day
        Probability of a second purchase within so many days of the first, for a customer whom no initiative
        reaches; linear in between, constant after the last day.
    stage_valence
        Mean valence (-2 to 2) by stage. The stage ``decide`` is the planted valley.
    valley_share
        Share of customers who fall into the valley, by channel of their first order (salons: the average).
    valley_f2_factor
        F2 of customers in the valley relative to `f2_by_day`; the others' F2 is raised so that the mixture
        is exactly `f2_by_day`.
    valley_gap
        Mean valence at ``decide`` of customers outside the valley minus that of customers in it.
    penalty_reward
        By touchpoint: change of mean valence when the experience falls below, and rises above, expectation.
    driver_weights
        Points of the 0-10 answer per point of each driver item, before rounding and clipping.
    channel_nps
        Points of the 0-10 answer by acquisition channel.
    response_by_messages, opt_out_by_messages
        Probability that a customer responds to a mail or LINE message, and of opting out after one, by how
        many messages the customer had in the thirty days up to it; the last holds for more as well.
    i1_orders_per_month
        Extra orders per treated customer and month through I1.
    i2_orders_growth
        Extra orders per treated customer and month through I2 grow by this much each month, for 12 months.
    i4_margin_gain
        Gain of margin rate through I4 on everything but refill packs.
    """

    f2_by_day: Mapping[int, float] = _default({30: 0.14, 60: 0.24, 90: 0.31, 180: 0.41, 365: 0.50})
    stage_valence: Mapping[str, float] = _default(
        dict(zip(STAGES, (0.2, 0.4, 0.9, 0.75, 0.6, -0.4, 0.7, 1.0), strict=True))
    )
    valley_share: Mapping[str, float] = _default({"ec": 0.42, "store": 0.24})
    valley_f2_factor: float = 0.5
    valley_gap: float = 1.0
    penalty_reward: Mapping[str, tuple[float, float]] = _default(
        {
            "web_product": (-0.6, 0.0),
            "store_visit": (-0.5, 0.5),
            "checkout": (-0.8, 0.0),
            "delivery": (-1.0, 0.1),
            "parcel_insert": (0.0, 0.7),
            "first_use_mail": (0.0, 0.0),
            "support_chat": (-0.5, 0.4),
            "line_message": (0.0, 0.5),
            "loyalty_club": (-0.1, 0.6),
        }
    )
    driver_weights: Mapping[str, float] = _default(
        dict(zip(DRIVERS, (0.90, 0.35, 0.50, 0.65, 0.20), strict=True))
    )
    channel_nps: Mapping[str, float] = _default(
        dict(zip(ACQUISITION_CHANNELS, (0.1, 0.0, -0.9, 0.2, 0.1, 0.6), strict=True))
    )
    response_by_messages: Mapping[int, float] = _default({1: 0.25, 2: 0.21, 3: 0.12})
    opt_out_by_messages: Mapping[int, float] = _default({1: 0.004, 2: 0.005, 3: 0.06})
    i1_orders_per_month: float = 0.08
    i2_orders_growth: float = 0.03
    i4_margin_gain: float = 0.05

    def __post_init__(self) -> None:
        """Refuse truths that no company can have."""
        shares = [self.f2_by_day[day] for day in sorted(self.f2_by_day)]
        in_valley = (*self.valley_share.values(), self.valley_f2_factor)
        if set(self.valley_share) != {"ec", "store"} or min(in_valley) < 0 or max(in_valley) >= 1:
            raise ParameterError("samples.impossible_truth", argument="valley_share, valley_f2_factor")
        if not shares or shares != sorted(shares) or shares[0] < 0 or self.outside_factor * shares[-1] > 1:
            raise ParameterError("samples.impossible_truth", argument="f2_by_day")
        for name in ("response_by_messages", "opt_out_by_messages"):
            by_number = getattr(self, name)
            if min(by_number, default=0) != 1 or not all(0 <= p <= 0.7 for p in by_number.values()):
                raise ParameterError("samples.impossible_truth", argument=name)
        if set(self.stage_valence) != set(STAGES):
            raise ParameterError("samples.impossible_truth", argument="stage_valence")

    @property
    def share_in_valley(self) -> float:
        """Share of all buying customers who fall into the valley."""
        return (1 - STORE_SHARE) * self.valley_share["ec"] + STORE_SHARE * self.valley_share["store"]

    @property
    def outside_factor(self) -> float:
        """F2 of customers outside the valley relative to `f2_by_day`."""
        share = self.share_in_valley
        return (1 - share * self.valley_f2_factor) / (1 - share)
