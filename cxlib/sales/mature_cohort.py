"""How far deals old enough to be judged came, and how old open deals are beside those that were won."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from cxlib.data.days import to_date
from cxlib.data.deals import deal_day, deal_spells
from cxlib.sales.stays_at_stages import stage_visits
from cxlib.sales.won_and_lost import MATURE_DAYS, usual_age
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval

#: Ages in days that part open deals, and deals won.
AGES = (30, 60, 90, 180)
_FUNNEL = ["step", "n", "share_of_first", "share_of_first_conf_low", "share_of_first_conf_high"]
_FUNNEL += ["share_of_previous", "customers", "mature_days"]


def cohort_funnel(
    deals: pd.DataFrame,
    deal_stages: pd.DataFrame,
    *,
    as_of: dt.date | str,
    stages: Sequence[str],
    mature_days: int | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of mature deals that came to each stage or beyond, and were won.

    Parameters
    ----------
    deals, deal_stages, as_of, stages
        As in `stage_visits`.
    mature_days
        Only deals created so many days before `as_of`; `usual_age` by default, 90 where that is not known.
    conf_level
        Level of the intervals (by account).

    Returns
    -------
    DataFrame
        In order: `step` (a stage, or "won"), `n` (deals), `share_of_first, share_of_first_conf_low,
        share_of_first_conf_high, share_of_previous, customers, mature_days`. Who skips a stage passed it.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a", "b"], "customer_id": ["k", "l"], "is_won": [True, False],
    ...     "created_on": pd.Timestamp("2026-01-01"), "closed_on": pd.Timestamp("2026-01-21")})
    >>> ways = pd.DataFrame({"deal_id": ["a", "b", "a"], "stage": ["talk", "talk", "quote"],
    ...     "entered_at": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-11"])})
    >>> steps = cohort_funnel(deals, ways, as_of="2026-12-31", stages=["talk", "quote"])
    >>> steps[["step", "n"]].to_numpy().tolist()
    [['talk', 2], ['quote', 1], ['won', 1]]
    """
    usual = usual_age(deals, as_of=as_of) if mature_days is None else float(mature_days)
    age = usual if usual == usual else MATURE_DAYS
    old = deals[deal_day(deals, "created_on") <= pd.Timestamp(to_date(as_of)) - pd.Timedelta(days=age)]
    stays = stage_visits(old, deal_stages, as_of=as_of, stages=stages)
    place = {name: at for at, name in enumerate(stages)}
    far = stays.assign(at=stays["stage"].map(place), won=stays["next"] == "won")
    reached = far.groupby("deal_id").agg(
        at=("at", "max"), won=("won", "any"), customer_id=("customer_id", "first")
    )
    steps = {name: reached["won"] | (reached["at"] >= at) for name, at in place.items()}
    rows: list[dict[str, Any]] = []
    for step, hits in (steps | {"won": reached["won"]}).items() if len(reached) else ():
        limits = clustered_share_interval(hits, reached["customer_id"], conf_level=conf_level)
        ends = {f"share_of_first_{name}": getattr(limits, name) for name in ("conf_low", "conf_high")}
        about = {
            "n": int(hits.sum()),
            "customers": reached.loc[hits, "customer_id"].nunique(),
            "mature_days": age,
        }
        rows.append({"step": step, "share_of_first": limits.estimate, **ends, **about})
    frame = pd.DataFrame(rows).reindex(columns=_FUNNEL)
    return frame.assign(share_of_previous=frame["n"] / frame["n"].shift())


def deal_ages(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    ages: Sequence[int] = AGES,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of open deals of each age, beside that of deals at the age at which they were won.

    Parameters
    ----------
    deals, as_of
        As in `deal_spells`, with `customer_id`.
    ages
        Days that part the ages.
    conf_level
        Level of the intervals (by account).

    Returns
    -------
    DataFrame
        By `metric` ("open_now", "won_at") and `age` ("–30", "31–60", …): `estimate, std_error, conf_low,
        conf_high, n` (deals of that age), `customers`. Where open deals are older than won ones were, they
        are not on their way to be won: of deals won in the last year.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": ["k", "l"], "is_won": [True, None],
    ...     "created_on": pd.Timestamp("2026-01-01"), "closed_on": pd.to_datetime(["2026-01-21", None])})
    >>> found = deal_ages(deals, as_of="2026-02-28")
    >>> found.loc[found["n"] > 0, ["metric", "age"]].to_numpy().tolist()
    [['open_now', '31–60'], ['won_at', '–30']]
    """
    spells = deal_spells(deals, as_of=as_of)
    since = pd.Timestamp(to_date(as_of)) - pd.Timedelta(days=365)
    names = [f"–{ages[0]}", *(f"{low + 1}–{high}" for low, high in pairwise(ages))]
    names.append(f"{ages[-1] + 1}–")
    kinds = {
        "open_now": spells["is_open"],
        "won_at": (spells["outcome"] == "won") & (spells["ended_on"] > since),
    }
    rows: list[dict[str, Any]] = []
    for metric, kept in kinds.items():
        own = spells[kept]
        band = pd.cut(own["days"], [-np.inf, *ages, np.inf], labels=names).astype(str)
        for name in names if len(own) else ():
            hit = band == name
            share = clustered_share_interval(hit, own["customer_id"], conf_level=conf_level)
            counts = {"n": int(hit.sum()), "customers": own.loc[hit, "customer_id"].nunique()}
            rows.append({"metric": metric, "age": name, **share._asdict(), **counts})
    return pd.DataFrame(rows).reindex(columns=["metric", "age", *Interval._fields, "n", "customers"])
