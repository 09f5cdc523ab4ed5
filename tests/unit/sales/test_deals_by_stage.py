"""Stages, clocks and forecasts on companies whose truth is known, and on histories that contradict deals."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight
from statsmodels.stats.proportion import proportion_confint

from cxlib.sales.back_test import past_forecasts
from cxlib.sales.chances import open_deals
from cxlib.sales.claims import closed_now_share
from cxlib.sales.groups import compared_by, who_wins_more
from cxlib.sales.known_parts import deal_notes, part_notes
from cxlib.sales.leads import lead_shares
from cxlib.sales.quarter_forecast import forecast
from cxlib.sales.stages import stage_conversion, stage_losses
from cxlib.sales.stays_at_stages import history_notes, open_stages, stage_visits
from cxlib.sales.won_and_lost import deal_outcomes, win_rates

STAGES = ["talk", "offer", "decision"]
#: Chances a day of going on and of being lost, by stage; the last goes on by winning.
ON, LOST = (0.05, 0.04, 0.06), (0.01, 0.03, 0.01)
END, DAYS = pd.Timestamp("2026-09-30"), 720


def company(seed, n=600, win_odds=None):
    """Deals that arrive evenly over two years; stages left at constant chances, alike for all owners."""
    rng = np.random.default_rng(seed)
    created = np.sort(rng.integers(0, DAYS, n)).astype(float)
    owner, account = rng.integers(0, 3, n), rng.integers(0, n // 2, n)
    at, won = created.copy(), np.ones(n, bool)
    rows = []
    for on, lost, stage in zip(ON, LOST, STAGES, strict=True):
        lost = lost * (1 if win_odds is None else np.array(win_odds)[owner])
        rows.append(pd.DataFrame({"deal": np.flatnonzero(won), "stage": stage, "at": at[won]}))
        at = at + np.where(won, np.ceil(rng.exponential(1 / (on + lost), n)), 0)
        won = won & (rng.random(n) < on / (on + lost))
    ways = pd.concat(rows, ignore_index=True)
    over = at < DAYS
    start = END - pd.Timedelta(days=DAYS - 1)
    day = lambda days: start + pd.to_timedelta(days, unit="D")  # noqa: E731
    deals = pd.DataFrame({"deal_id": [f"D{i}" for i in range(n)], "customer_id": [f"c{i}" for i in account]})
    deals = deals.assign(
        created_on=day(created), closed_on=pd.Series(day(at)).where(over), owner=owner.astype(str)
    )
    deals["is_won"] = pd.Series(won).astype("boolean").mask(~over)
    deals["amount"] = np.round(np.exp(rng.normal(11, 0.7, n)))
    ways = ways[ways["at"] < DAYS]
    last = ways.groupby("deal")["stage"].last().reindex(range(n))
    deals["stage"] = np.where(~over, last, np.where(won, "won", "lost"))
    history = pd.DataFrame(
        {"deal_id": deals["deal_id"].to_numpy()[ways["deal"]], "stage": ways["stage"].to_numpy()}
    )
    return deals, history.assign(entered_at=day(ways["at"].to_numpy()))


def truth(days):
    """Share that has gone on from each stage within so many whole days, and all that is won in the end."""
    on, lost = np.array(ON), np.array(LOST)
    return on / (on + lost) * (1 - np.exp(-(on + lost) * days)), float(np.prod(on / (on + lost)))


def hits(seeds, **asked):
    """How often the 95 % intervals of conversion held the truth, by stage."""
    held = []
    for seed in seeds:
        found = stage_conversion(*company(seed), as_of=END, stages=STAGES, **asked)
        true = np.array([truth(row.days)[0][at] for at, row in enumerate(found.itertuples())])
        held.append((found["conf_low"] <= true) & (true <= found["conf_high"]))
    return np.mean(held, axis=0)


def test_planted_stage_chances_lie_in_their_intervals():
    assert hits(range(8), horizon_days=60).min() >= 0.6
    assert open_stages(*company(1)) == STAGES
    losses = stage_losses(*company(1, n=2000), as_of=END, stages=STAGES).set_index("stage")
    assert losses["estimate"].idxmax() == "offer" and losses.loc["offer", "named"]


@pytest.mark.long
def test_intervals_of_conversion_cover_in_200_companies():
    held = hits(range(200), horizon_days=60)
    assert ((held >= 0.905) & (held <= 0.985)).all(), held


def named(seeds, win_odds):
    told = [
        who_wins_more(company(seed, win_odds=win_odds)[0], as_of=END, attributes=["owner"], min_cell=5)[0]
        for seed in seeds
    ]
    return np.mean([row["claim"] in ("higher", "lower", "both") for row in told])


def test_the_search_over_several_attributes_is_in_the_p_value_that_is_told():
    deals = company(2, win_odds=(0.6, 1.0, 1.6))[0].assign(shift=lambda rows: np.arange(len(rows)) % 2)
    alone, both = (
        who_wins_more(deals, as_of=END, attributes=names, min_cell=5)
        for names in (["owner"], ["owner", "shift"])
    )
    assert both[0]["p_value"] == pytest.approx(min(1, 2 * alone[0]["p_value"]), rel=0.2)
    for row in both:
        assert (row["verdict"] == "differ") == (row["p_value"] < 0.05)


def test_segments_which_orders_make_are_not_compared_and_it_says_so():
    deals = company(1)[0].assign(
        segment=lambda rows: rows["closed_on"].isna().map({True: "New", False: "No orders"})
    )
    assert compared_by(deals, by="segment", min_cell=5) == ["owner"]

    class Crm:
        def has(self, table):
            return True

    notes = [
        [row["note"] for row in part_notes(Crm(), **asked)]
        for asked in ({"by": "segment"}, {"segment": "New"})
    ]
    assert notes == [["sales.notes.by_segment"]] * 2
    assert part_notes(Crm(), by="region") == []


def test_a_deal_that_was_open_on_an_earlier_day_is_at_no_unknown_stage():
    rows = deal(closed_on="2026-03-01", is_won=True, stage="won")
    asked = {"as_of": "2026-02-01", "known_stages": ["talk"]}
    assert deal_notes(rows, rows, **asked) == []
    still = deal(stage="elsewhere")
    assert [row["note"] for row in deal_notes(still, still, **asked)] == ["sales.notes.unknown_stages"]


def test_owners_who_differ_are_named():
    assert named(range(3), (0.3, 1.0, 3.0)) == 1


@pytest.mark.long
def test_no_owner_is_named_where_none_differs():
    assert named(range(200), None) <= 0.09


def coverage(seeds):
    past = [past_forecasts(*_asked(seed)[:1], **_asked(seed)[1]) for seed in seeds]
    own = pd.concat(past).query("method == 'stage_and_age'")
    return own["is_held"].astype(bool).mean(), len(own)


def _asked(seed):
    deals, ways = company(seed, n=500)
    return deals, {"as_of": END, "deal_stages": ways, "stages": STAGES, "draws": 200, "seed": seed}


def test_forecast_intervals_hold_about_as_many_quarters_as_promised():
    share, n = coverage(range(3))
    assert n >= 12 and 0.5 <= share <= 1


@pytest.mark.long
def test_forecast_intervals_hold_80_percent_of_500_quarters():
    share, n = coverage(range(100))
    assert n >= 500 and 0.75 <= share <= 0.85, (share, n)


def test_the_rate_of_what_closed_lately_is_wrong_by_the_amount_planted():
    """Wins take 10 days, losses 100: in a growing company most that closes was won, whatever the win rate."""
    n = np.round(4 * 1.02 ** np.arange(300)).astype(int)
    day = np.repeat(np.arange(300), n)
    won = np.arange(len(day)) % 2 == 0
    created = pd.Timestamp("2026-01-01") + pd.to_timedelta(day, unit="D")
    deals = pd.DataFrame(
        {"deal_id": np.arange(len(day)).astype(str), "customer_id": np.arange(len(day)).astype(str)}
    )
    deals = deals.assign(created_on=created, is_won=won)
    deals["closed_on"] = created + pd.to_timedelta(np.where(won, 10, 100), unit="D")
    last = created.max()
    planted = 1.02**-10 / (1.02**-10 + 1.02**-100)  # won of those that close on a day
    assert closed_now_share(deals, as_of=last)["estimate"] == pytest.approx(planted, abs=0.03)
    clock = deal_outcomes(deals, as_of=last, horizons_days=[120]).set_index("metric")["estimate"]
    assert clock["won"] == pytest.approx(0.5, abs=0.01)
    assert planted > 0.8


def test_of_deals_that_are_over_conversion_is_what_counting_them_one_by_one_gives():
    """Some skip a stage, some fall back to one, some enter an earlier one late."""
    deals, history = company(4, 150)
    deals = deals[deals["is_won"].notna()].set_index("deal_id", drop=False)
    history = history[history["deal_id"].isin(deals["deal_id"])].reset_index(drop=True)
    back = history[history["stage"] == "decision"].iloc[::2].assign(stage="talk")
    back["entered_at"] += pd.Timedelta(days=1)
    is_skipped = history["stage"].isin(["talk", "offer"]) & (history.index % 4 == 0)
    history = pd.concat([history[~is_skipped], back])
    over = history["deal_id"].map(deals["closed_on"])
    history = history[history["entered_at"] < over]
    found = stage_conversion(deals.reset_index(drop=True), history, as_of=END, stages=STAGES)
    for at, row in enumerate(found.itertuples()):
        ends = []
        for deal, visits in history.groupby("deal_id"):
            entered = visits.loc[visits["stage"] == row.stage, "entered_at"].min()
            if pd.notna(entered):
                is_later = visits["stage"].isin(STAGES[at + 1 :]) & (visits["entered_at"] >= entered)
                further = visits.loc[is_later, "entered_at"].min()
                over = deals.loc[deal, "closed_on"]
                is_on = (pd.notna(further) and further <= over) or bool(deals.loc[deal, "is_won"])
                left = min(one for one in (further, over) if pd.notna(one))
                ends.append(("on" if is_on else "lost") if (left - entered).days <= row.days else "here")
        shares = pd.Series(ends).value_counts(normalize=True).reindex(["on", "lost", "here"], fill_value=0.0)
        assert row.n == len(ends) > 25
        assert [row.estimate, row.lost_share, row.here_share] == pytest.approx(shares.tolist(), abs=1e-12)


def test_shares_equal_those_of_statsmodels():
    deals, _ = company(3)
    days = (deals["closed_on"].fillna(END) - deals["created_on"]).dt.days
    cause = np.select([deals["is_won"].eq(True).fillna(False), deals["is_won"].notna()], [2, 1], 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        other = CumIncidenceRight(days.to_numpy(), cause)
    found = deal_outcomes(deals, as_of=END, horizons_days=[30, 90]).set_index(["metric", "days"])["estimate"]
    for at, name in enumerate(("lost", "won")):
        for horizon in (30, 90):
            place = np.searchsorted(other.times, horizon, side="right") - 1
            assert found[(name, float(horizon))] == pytest.approx(other.cinc[at][place], abs=1e-9)
    leads = pd.DataFrame(
        {"lead_id": range(40), "created_on": pd.Timestamp("2026-01-01"), "converted_on": pd.NaT}
    )
    leads["converted_on"] = pd.to_datetime(["2026-01-11"] * 9 + [None] * 31)
    row = lead_shares(leads, as_of="2026-12-31").iloc[0]
    assert tuple(row[["conf_low", "conf_high"]]) == pytest.approx(proportion_confint(9, 40, method="wilson"))


def deal(**facts):
    given = {
        "deal_id": "a",
        "customer_id": "k",
        "created_on": "2026-01-01",
        "closed_on": None,
        "is_won": None,
    }
    frame = pd.DataFrame([given | {"stage": "talk", "amount": 5.0} | facts])
    return frame.astype({"created_on": "datetime64[s]", "closed_on": "datetime64[s]"})


def way(*steps):
    return pd.DataFrame({"deal_id": "a", "stage": [name for name, _ in steps]}).assign(
        entered_at=pd.to_datetime([day for _, day in steps])
    )


def test_skipped_and_visited_again_stages_and_a_deal_opened_again():
    ways = way(
        ("talk", "2026-01-01"), ("decision", "2026-01-11"), ("talk", "2026-01-21"), ("lost", "2026-01-31")
    )
    ways = pd.concat([ways, way(("decision", "2026-02-10"))])
    won = deal(closed_on="2026-03-02", is_won=True)
    stays = stage_visits(won, ways, as_of="2026-12-31", stages=STAGES)
    assert stays["stage"].tolist() == ["talk", "decision", "talk", "decision"]
    assert stays["next"].tolist() == ["decision", "talk", "decision", "won"]
    share = stage_conversion(won, ways, as_of="2026-12-31", stages=STAGES, min_at_risk=1).set_index("stage")
    assert share["n"].to_dict() == {"talk": 1, "offer": 0, "decision": 1}  # skipped: not counted; again: once
    assert share.loc[["talk", "decision"], "estimate"].tolist() == [1, 1]


def test_a_history_that_contradicts_the_deal_is_noticed_and_bent_to_it():
    late = way(("talk", "2025-12-01"), ("offer", "2026-03-01"))
    lost = deal(closed_on="2026-02-01", is_won=False)
    stays = stage_visits(lost, late, as_of="2026-12-31", stages=STAGES)
    assert stays[["stage", "entered", "next"]].to_numpy().tolist() == [["talk", 0, "lost"]]
    notes = [row["note"] for row in history_notes(lost, late, as_of="2026-12-31", stages=STAGES)]
    assert notes == ["sales.notes.after_end"]
    other = history_notes(deal(stage="offer"), way(("talk", "2026-01-01")), as_of="2026-12-31", stages=STAGES)
    assert [row["note"] for row in other] == ["sales.notes.other_stage"]


def test_amounts_known_only_when_won_are_drawn_and_a_quarter_without_deals_is_no_end():
    deals, ways = company(5)
    hidden = deals.assign(amount=deals["amount"].where(deals["is_won"].eq(True).fillna(False)))
    asked = {"as_of": END, "deal_stages": ways, "stages": STAGES}
    known, drawn = (
        forecast(rows, **asked).set_index(["won_from", "metric"])["estimate"] for rows in (deals, hidden)
    )
    assert drawn["open_deals", "won_amount"] == pytest.approx(known["open_deals", "won_amount"], rel=0.25)
    assert drawn["total", "won_deals"] == known["total", "won_deals"]
    gap = deals[~deals["created_on"].between("2025-07-01", "2026-01-31")]
    past = past_forecasts(gap, **asked)
    assert past["estimate"].notna().any() and (past["actual"] >= 0).all()


def test_every_open_deal_is_listed_with_a_chance_whatever_is_missing():
    deals, ways = company(6)
    strange = deals.assign(
        customer_id=deals["customer_id"].where(deals.index % 2 > 0), owner=None, amount=np.nan
    )
    listed = open_deals(strange, as_of=END, deal_stages=ways, stages=STAGES)
    assert set(listed["deal_id"]) == set(deals.loc[deals["is_won"].isna(), "deal_id"])
    assert listed["chance"].between(0, 1).all()


def test_one_account_with_many_deals_is_one_witness():
    deals, _ = company(7, n=200)
    one = deals.assign(customer_id=np.where(deals.index < 150, "big", deals["customer_id"]))
    widths = [
        rates.loc[0, "conf_high"] - rates.loc[0, "conf_low"]
        for rates in (win_rates(rows, as_of=END, mature_days=90) for rows in (deals, one))
    ]
    assert widths[1] != pytest.approx(widths[0])


def test_of_one_account_alone_no_error_is_told():
    deals, _ = company(7, n=200)
    told = deal_outcomes(deals.assign(customer_id="big"), as_of=END, horizons_days=[90])
    assert told["estimate"].notna().all()
    assert told["std_error"].isna().all() and told[["conf_low", "conf_high"]].isna().all(axis=None)
