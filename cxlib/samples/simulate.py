"""The simulated company: every table of the contract, and every effect in it known.

A package of private parts, one per theme (people, purchases, contacts, surveys, pipeline, …), because each
theme draws from its own random stream: a change in one leaves the numbers of the others alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cxlib.checks import ParameterError
from cxlib.samples.company import assemble_truth, simulate
from cxlib.samples.files import check_target, write_company
from cxlib.samples.settings import Truth

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Truth", "make_company", "make_company_with_truth", "write_sample"]

MIN_CUSTOMERS, MAX_CUSTOMERS = 200, 5_000_000
MIN_MONTHS, MAX_MONTHS = 18, 60
MAX_SEED = 2**63 - 1


def make_company(
    *, n_customers: int = 4000, seed: int = 7, months: int = 24, truth: Truth | None = None
) -> dict[str, pd.DataFrame]:
    """Simulate a skincare brand that sells to consumers and to salons: all tables of the contract.

    Parameters
    ----------
    n_customers : int
        Customers, 200 to 5,000,000: about 88 % consumers, 8 % salons that buy, 4 % leads without an order.
        One million take about half a minute and 5 GB.
    seed : int
        Same seed, same tables. Seed 7, the sample shipped, was picked to lie close to its truths, so that a
        first look is not misled by chance; other seeds scatter as data do.
    months : int
        Whole months of data before the extraction on 2026-10-01, 18 to 60.
    truth : Truth, optional
        What is planted; by default `Truth()`.

    Returns
    -------
    dict of str to DataFrame
        Every table of the contract, in its order; dates without a time zone, timestamps in Asia/Tokyo, money
        in yen. Columns beyond it: customers `mail_permission, language`; orders `refunded_on`; events
        `session_id`; responses `invited_at`.

    Raises
    ------
    ParameterError
        `n_customers`, `seed` or `months` out of range, or a truth that no company can have.

    See Also
    --------
    make_company_with_truth : the same tables, and what is true of them.

    Notes
    -----
    Planted, with the defaults of `Truth`:

    - *Second purchase (F2)* by day 30, 60, 90, 180, 365 of the first: .14, .24, .31, .41, .50 where no
      initiative reaches the customer. Its clock does not depend on region, acquisition channel or month; it
      does on the channel of the first order, because of the valley.
    - *The valley*: 42 % of customers whose first order was online and 24 % of those in a store come to wonder
      whether to go on. Their F2 is half as high, their lasting satisfaction lower, and their valence at
      `decide` 1.0 below that of the others; mixtures come out exactly.
    - *Mean valence* by stage: .2, .4, .9, .75, .6, -.4 (decide), .7, 1.0. Whether a customer answers is pure
      chance, so the mean of all recorded answers aims at it.
    - *Penalty and reward* per touchpoint: least squares of `valence` on [experience < expectation] and
      [experience > expectation] within the touchpoint; for instance delivery -1.0 and +.1 (basic), parcel
      insert 0 and +.7 (excitement), support chat -.5 and +.4 (performance), mail magazine 0 and 0 (neutral).
    - *Drivers*: in the relationship survey `nps_score` rises by .90, .65, .50, .35, .20 points per point of
      quality, support, delivery, ease and price, before rounding and clipping; items share a lasting
      satisfaction and a rational or an emotional feeling. Customers who came through social media answer .9
      lower and become more, so that the NPS falls through its mix alone.
    - *Non-response*: the happier, the likelier an answer; the NPS of respondents lies far above that of all.
      Single items are missing by chance.
    - *I1*, randomised, from month `months` - 12: .08 extra orders per treated customer and month with a mean
      margin of 2,700 yen each, so +216 yen a month; F2 of customers with one order rises accordingly.
    - *I2*, in regional waves at months -16, -14, -12 among customers with two orders or more: .03 extra
      orders in the first month, .06 in the second, and so on for twelve months: +81 yen times the month.
    - *I3*, from month -12, aimed at the buyers who spent least in the six months before; controls are those
      without mail permission, which has nothing to do with spending. No effect, but spending rises after it,
      as it does after any low moment.
    - *I4*, for everybody from month -10: the margin rate of everything but refill packs rises by .05. Extra
      orders are refill packs, so the initiatives do not touch each other.
    - *Messages*: of mail and LINE messages, customers respond to .25, .21 and .12 where it was the first, the
      second, the third or a later one in thirty days, and opt out after .004, .005 and .06. One half of the
      customers responds more readily than the other; after opting out nothing is recorded any more.
    - *Deals*: following up a quote does not change who wins. The odds of winning in the end are 1 where owner
      and industry make no difference, 1.6 and .6 times that with owners S01 and S04, 1.5 and .7 times with
      spas and nail salons; most that are lost are lost after the quote. A salon's first order is the deal it
      won. Leads become deals in .50, .25, .15 and .08 of cases by referral, web, event and bought list.
    - *Entries*: owners enter deals and activities after .5, 1, 6 and 3 days on average; S04 has not been in
      the CRM for a hundred days and still has open deals.
    - *Contracts*: a quarter of consumers subscribes, and leaves at a monthly renewal with a chance of their
      own, from a Beta distribution by acquisition channel: who came through LINE, which is cheap, leaves
      soonest, who came through search ads, the dearest channel, last.
    - *Spend*: what a customer costs by channel in media, people and agencies.
    - *Parcels and stock*: 12 % of parcels are late by the carrier; after those, the odds of another order
      within 90 days are .6 of the usual. Stock runs out now and then; what is sold then comes late.
    - *Tickets*: bots do not solve half of what they are asked, people a quarter; the odds of an order within
      90 days are then half. Each day until the first reply costs 2 points of satisfaction, not being helped
      at once .6, a bot .3.
    - *Comments*: promoters, passives and detractors speak of eight topics in different shares, with praise,
      blame, negations, two topics at once, and slips. Two coders read 300 of them.
    - *Records*: 3 % of customers are the second record of another one, which the keyed mail address or phone
      number tells; .5 % are test accounts.

    Off by default, as they act on orders and with them on most figures: unlike `dropout` (without it nobody
    can tell who is gone: a model of purchases runs to its boundary), `channel_drop_odds` (channels whose
    customers are worth more or less), `i1_store_factor` (an initiative that works better for some).

    Parcels, tickets and topics are drawn after orders and scores, given what came of them: that is the same
    joint distribution as if they had brought it about, with the same odds ratio (Bayes' rule).

    And as in real data: growing and seasonal acquisition, a launch campaign, skewed spending, ties in
    frequency, discounts, refunds (lines of the order they belong to, never the whole of a first or second
    order), guests, missing attributes, comments in Japanese and English, customers who answer many times.

    Examples
    --------
    >>> company = make_company(n_customers=500, seed=1)
    >>> sorted(company)[:3], company["customers"]["customer_id"].iloc[0]
    (['activities', 'codings', 'contracts'], 'C0000001')
    """
    _check(n_customers, seed, months)
    return simulate(n_customers, seed, months, truth or Truth())[0]


def make_company_with_truth(
    *, n_customers: int = 4000, seed: int = 7, months: int = 24, truth: Truth | None = None
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Simulate a company and say what is true of it.

    Parameters
    ----------
    n_customers, seed, months, truth
        As in `make_company`.

    Returns
    -------
    tables : dict of str to DataFrame
        As `make_company`.
    truth : dict
        Plain values, as in `truth.json`. Keys:

        - `f2`: `by_day` is what Kaplan-Meier over all customers aims at, I1's extra orders included;
          `by_day_without_initiatives` holds for everyone but I1's treated; `by_day_in_valley`,
          `by_day_outside_valley`, `by_day_by_first_channel` likewise without initiatives.
        - `journey`: `stage_mean_valence`, `valley_stage`, `valley_depth` (below the lower neighbour),
          `valley_share`, `valley_share_by_first_channel`, `valley_gap`; `exit_rate_by_page` of the web shop.
        - `penalty_reward`: by touchpoint `penalty`, `reward` (points of valence), `label`.
        - `drivers`: `importance` (Shapley shares of R² of `nps_score` among respondents of the relationship
          survey, by simulation, with `simulation_error`), `weights`.
        - `nps` of the relationship survey: `all_invited`, `respondents`, `by_wave` and
          `by_acquisition_channel` (respondents).
        - `messages`: `response` and `opt_out` by number of messages in `window_days` on `channels`.
        - `deals`: `win_share`, `win_share_by_owner`, `win_share_by_industry` of deals that are over,
          `stage_conversion`, `entry_lag_days`. `crm`: `lead_share_by_source`, and who uses the CRM.
        - `tickets`: `reason_share`, `not_solved_at_once` (where no order follows),
          `repeat_odds_when_not_solved` and `csat` (points before rounding).
        - `contracts`: by acquisition channel `alpha`, `beta` (shifted-beta-geometric), `retention` after 1, 6
          and 12 months, `amount_in_12_months` (yen, not discounted). `acquisition_cost`: `media` and `full`.
        - `deliveries`: `late_share` (where no order follows), `late_repeat_odds`, `days_out_of_stock`.
        - `comments`: `topic_share_by_group` (of comments; two topics count twice), `nps_by_topic`,
          `praise_by_group`, `coder_agreement` (Krippendorff's alpha by topic).
        - `identities`: shares of second records and test accounts, and how many there are.
        - `initiatives`: `effect_monthly_margin` (yen per treated customer, mean of the first 6 and 12 months
          since the customer's start; missing where the data end before) and `effect_f2` (difference in the
          share of one-time buyers who buy again within 6 and 12 months of the start).
        - `segments`: `attitude_state_share` and `lifecycle_share` on the last day (by the shipped rules;
          a lead has no order), `repeat_rate_by_…` (orders in the last 90 days, of those with an order before:
          by customer type, orders so far, and the valley, which no table shows),
          `amount_share_by_customer_type` and `agreement_by_customer_type` (chance that two lines of a
          customer agree), both without refill packs, `orders_in_first_year` by acquisition channel (without
          initiatives). All but the two without refill packs by one large simulation, its standard
          error at most .004, of orders .02.

    Raises
    ------
    ParameterError
        As `make_company`.

    Examples
    --------
    >>> tables, truth = make_company_with_truth(n_customers=300, seed=1)
    >>> round(truth["initiatives"]["I1"]["effect_monthly_margin"]["12"])
    216
    """
    _check(n_customers, seed, months)
    planted = truth or Truth()
    tables, known = simulate(n_customers, seed, months, planted)
    return tables, assemble_truth(planted, known, n_customers=n_customers, seed=seed)


def write_sample(
    out: str | Path,
    *,
    n_customers: int = 4000,
    seed: int = 7,
    months: int = 24,
    format: Literal["parquet", "csv"] = "parquet",
) -> Path:
    """Simulate a company and write it as a data set with `dataset.yml` and `truth.json`.

    Parameters
    ----------
    out : str or Path
        New or empty folder, or one with an earlier sample, which is replaced at once when all is written.
    n_customers, seed, months
        As in `make_company`.
    format : {"parquet", "csv"}
        One file per table.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        As `make_company`; also for an unknown format and a folder that holds anything but a sample.
    """
    target = check_target(Path(out), format)
    tables, truth = make_company_with_truth(n_customers=n_customers, seed=seed, months=months)
    write_company(target, tables, truth, format)
    return target


def _check(n_customers: int, seed: int, months: int) -> None:
    for argument, value, low, high in (
        ("n_customers", n_customers, MIN_CUSTOMERS, MAX_CUSTOMERS),
        ("seed", seed, 0, MAX_SEED),
        ("months", months, MIN_MONTHS, MAX_MONTHS),
    ):
        if not low <= value <= high:
            raise ParameterError("samples.out_of_range", argument=argument, value=value, low=low, high=high)
