"""What is planted in the simulated company, and the words its tables use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

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
ANSWER_GROUPS = ("promoter", "passive", "detractor")
REGIONS = ("Hokkaido-Tohoku", "Kanto", "Chubu", "Kansai", "Chugoku-Shikoku", "Kyushu")
REGION_SHARES = (0.11, 0.34, 0.17, 0.19, 0.08, 0.11)
ORDER_CHANNELS = ("ec", "store", "sales")
INDUSTRIES, INDUSTRY_SHARES = ("hair_salon", "spa", "nail_salon", "hotel"), (0.5, 0.25, 0.15, 0.1)
OWNERS = ("S01", "S02", "S03", "S04")
SOURCES_OF_LEADS = ("web", "event", "referral", "list")
COST_LINES = ("media", "people", "agency")
TOPICS = (
    "delivery",
    "quality",
    "price",
    "support",
    "usability",
    "packaging",
    "assortment",
    "information",
)
STORE_SHARE = 0.28  # of consumers' first orders
REFILL_PRICE, REFILL_MARGIN_RATE, REFILL_PAIR_SHARE = 3600, 0.60, 0.25
REFILL_MARGIN = REFILL_PRICE * REFILL_MARGIN_RATE * (1 + REFILL_PAIR_SHARE)  # mean of one extra order


_BY_NAME = {
    "contract_churn": ACQUISITION_CHANNELS,
    "media_cost": ACQUISITION_CHANNELS,
    "people_cost": ACQUISITION_CHANNELS,
    "agency_cost": ACQUISITION_CHANNELS,
    "owner_win_odds": OWNERS,
    "industry_win_odds": INDUSTRIES,
    "lead_share": SOURCES_OF_LEADS,
    "entry_lag_days": OWNERS,
}
_SHARES: tuple[str, ...] = (
    "late_share",
    "split_identities",
    "test_accounts",
    "coder_hit_share",
    "coder_false_share",
)
_SHARES += ("win_share", "lead_share", "bot_failure", "person_failure")


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
    dropout
        Alpha and beta of the Beta distribution of each customer's chance to be gone after an order, from the
        second on. None: .15 for every consumer and .06 for every salon, so that who is gone can't be told
        from how they bought.
    channel_drop_odds
        Odds of being gone after an order by acquisition channel, relative to those without; channels that are
        not named have 1. With it customers of one channel are worth more than those of another.
    i1_store_factor
        How many times as strong I1 is for customers whose first order was in a store; for the others it is so
        much weaker or stronger that the mean effect on orders stays.
    i1_orders_per_month
        Extra orders per treated customer and month through I1.
    i2_orders_growth
        Extra orders per treated customer and month through I2 grow by this much each month, for 12 months.
    i4_margin_gain
        Gain of margin rate through I4 on everything but refill packs.
    contract_churn
        Alpha and beta, by acquisition channel, of the Beta distribution from which each subscriber's chance
        to leave at a monthly renewal is drawn: some leave soon, who stays has ever less reason to.
    media_cost, people_cost, agency_cost
        Yen of media spend per new customer by acquisition channel, and what people and agencies cost per yen
        of media.
    late_share, late_repeat_odds
        Share of parcels late by the carrier's fault of customers who did not order again within 90 days, and
        the odds of ordering again after such a parcel, relative to one in time.
    split_identities, test_accounts
        Share of customers who are the second record of another one, and share who are the company's own.
    topic_weights
        How often promoters, passives and detractors comment on each topic, relative to the other topics.
    win_share, owner_win_odds, industry_win_odds
        Probability that a deal is won in the end where both odds are 1, and the odds of each owner and
        industry relative to that.
    lead_share
        Probability that a lead becomes a deal, by source.
    entry_lag_days
        Mean days until an owner enters a deal or an activity.
    bot_failure, person_failure, failure_repeat_odds
        Probability that a ticket is not solved at once, by who answers, of customers who do not order within
        90 days, and the odds of ordering after such a ticket, relative to one solved at once.
    csat_per_day_waited, csat_of_failure, csat_of_bot
        Points of a ticket's satisfaction per day until the first reply, for not being helped at once, and for
        a bot's answer, before rounding.
    coder_hit_share, coder_false_share
        Probability that a coder marks a topic that is in a comment, and one that is not.
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
    dropout: tuple[float, float] | None = None
    channel_drop_odds: Mapping[str, float] = _default({})
    i1_store_factor: float = 1.0
    i1_orders_per_month: float = 0.08
    i2_orders_growth: float = 0.03
    i4_margin_gain: float = 0.05
    contract_churn: Mapping[str, tuple[float, float]] = _default(
        dict(
            zip(
                ACQUISITION_CHANNELS,
                ((0.8, 6.4), (0.9, 14.1), (0.8, 4.6), (0.8, 5.6), (1.2, 2.4), (0.8, 8.0)),
                strict=True,
            )
        )
    )
    media_cost: Mapping[str, int] = _default(
        dict(zip(ACQUISITION_CHANNELS, (300, 3200, 2600, 1800, 900, 700), strict=True))
    )
    people_cost: Mapping[str, float] = _default(
        dict(zip(ACQUISITION_CHANNELS, (2.0, 0.1, 0.25, 0.5, 0.3, 0.2), strict=True))
    )
    agency_cost: Mapping[str, float] = _default(
        dict(zip(ACQUISITION_CHANNELS, (0.0, 0.15, 0.12, 0.0, 0.0, 0.0), strict=True))
    )
    late_share: float = 0.12
    late_repeat_odds: float = 0.6
    split_identities: float = 0.03
    test_accounts: float = 0.005
    topic_weights: Mapping[str, tuple[float, ...]] = _default(
        {
            "promoter": (0.15, 0.35, 0.08, 0.15, 0.08, 0.09, 0.05, 0.05),
            "passive": (0.15, 0.20, 0.18, 0.10, 0.12, 0.08, 0.10, 0.07),
            "detractor": (0.28, 0.10, 0.17, 0.20, 0.08, 0.05, 0.06, 0.06),
        }
    )
    win_share: float = 0.5
    owner_win_odds: Mapping[str, float] = _default(dict(zip(OWNERS, (1.6, 1.0, 1.0, 0.6), strict=True)))
    industry_win_odds: Mapping[str, float] = _default(
        dict(zip(INDUSTRIES, (1.0, 1.5, 0.7, 1.0), strict=True))
    )
    lead_share: Mapping[str, float] = _default(
        dict(zip(SOURCES_OF_LEADS, (0.25, 0.15, 0.50, 0.08), strict=True))
    )
    entry_lag_days: Mapping[str, float] = _default(dict(zip(OWNERS, (0.5, 1.0, 6.0, 3.0), strict=True)))
    bot_failure: float = 0.5
    person_failure: float = 0.25
    failure_repeat_odds: float = 0.5
    csat_per_day_waited: float = -2.0
    csat_of_failure: float = -0.6
    csat_of_bot: float = -0.3
    coder_hit_share: float = 0.92
    coder_false_share: float = 0.02

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
        self._check_names()
        self._check_shares()

    def _check_names(self) -> None:
        """Refuse numbers by channel, owner and the like that are not one for each, and not above 0."""
        for name, keys in _BY_NAME.items():
            values = np.array(list(getattr(self, name).values()), dtype=float)
            least = 0 if name in ("media_cost", "people_cost", "agency_cost") else np.finfo(float).tiny
            if set(getattr(self, name)) != set(keys) or values.min() < least:
                raise ParameterError("samples.impossible_truth", argument=name)

    def _check_shares(self) -> None:
        """Refuse shares outside 0 to 1, odds of nothing, and weights of other topics."""
        for name in _SHARES:
            held = getattr(self, name)
            values = held.values() if isinstance(held, Mapping) else [held]
            if not all(0 <= value < 1 for value in values):
                raise ParameterError("samples.impossible_truth", argument=name)
        for name in ("late_repeat_odds", "failure_repeat_odds", "win_share"):
            if getattr(self, name) <= 0:
                raise ParameterError("samples.impossible_truth", argument=name)
        if min(self.dropout or (1.0,)) <= 0 or not 0 <= STORE_SHARE * self.i1_store_factor <= 1:
            raise ParameterError("samples.impossible_truth", argument="dropout, i1_store_factor")
        strange = set(self.channel_drop_odds) - set(ACQUISITION_CHANNELS)
        if strange or min(self.channel_drop_odds.values(), default=1.0) <= 0:
            raise ParameterError("samples.impossible_truth", argument="channel_drop_odds")
        weights = self.topic_weights
        if set(weights) != set(ANSWER_GROUPS) or any(
            len(row) != len(TOPICS) or min(row) <= 0 for row in weights.values()
        ):
            raise ParameterError("samples.impossible_truth", argument="topic_weights")

    @property
    def share_in_valley(self) -> float:
        """Share of all buying customers who fall into the valley."""
        return (1 - STORE_SHARE) * self.valley_share["ec"] + STORE_SHARE * self.valley_share["store"]

    @property
    def i1_factors(self) -> tuple[float, float]:
        """How many times as strong I1 is, where the first order was online and where it was in a store."""
        return (1 - STORE_SHARE * self.i1_store_factor) / (1 - STORE_SHARE), self.i1_store_factor

    @property
    def outside_factor(self) -> float:
        """F2 of customers outside the valley relative to `f2_by_day`."""
        share = self.share_in_valley
        return (1 - share * self.valley_f2_factor) / (1 - share)
