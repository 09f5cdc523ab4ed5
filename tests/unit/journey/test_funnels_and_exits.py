"""Exits against a base that is estimated, and what funnels refuse."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.checks import InputError, ParameterError
from cxlib.journey.funnels_and_exits import exit_rates, funnel
from cxlib.stats.differences import interval_difference
from cxlib.stats.intervals import Interval, share_difference_interval, share_interval

PAGES = np.array([*"abcdefgh", "goal"])
POPULAR = np.array([0.3, 0.22, 0.15, 0.1, 0.06, 0.03, 0.015, 0.005])
SESSIONS = {"unit_col": "session_id", "step_col": "page"}


def wander(seed, n=300, *, reach=0.0, leave=0.1, spread=0.0, bug=0.0):
    """Sessions that see pages by chance; at `h` they leave with probability `bug` more, whatever they want.

    Per view a session reaches the goal with `reach` (times a log-normal factor of its own), else leaves with
    `leave`. Without `bug` no page drives anybody away, so every page named is a false one.
    """
    rng = np.random.default_rng(seed)
    page = rng.choice(8, (n, 25), p=POPULAR / POPULAR.sum())
    draw, wish = rng.random((n, 25)), np.exp(rng.normal(0, spread, n))[:, None]
    hit = draw < np.clip(reach * wish, 0, 0.9)
    stop = hit | (draw > 1 - leave - bug * (page == 7))
    last = np.where(stop.any(1), stop.argmax(1), 24)
    session, view = np.nonzero(np.arange(25) <= last[:, None])
    done = np.flatnonzero(hit[np.arange(n), last])
    frame = pd.DataFrame(
        {
            "session_id": np.append(session, done),
            "page": PAGES[np.append(page[session, view], np.full(done.size, 8))],
            "view": np.append(view, last[done] + 1),
        }
    ).sort_values("view", kind="stable")
    start = pd.Timestamp("2026-01-01")
    return frame.assign(occurred_at=start + pd.to_timedelta(np.arange(len(frame)), unit="s"))


def views(*rows):
    frame = pd.DataFrame(rows, columns=["session_id", "page"])
    return frame.assign(occurred_at=pd.Timestamp("2026-01-01") + pd.to_timedelta(range(len(frame)), unit="h"))


def test_exit_without_goal_is_fishers_test_against_the_other_pages():
    frame = wander(3)
    row = exit_rates(frame).set_index("page").loc["f"]
    exits = ~frame["session_id"].duplicated(keep="last")
    here = frame["page"] == "f"
    table = [[(exits & here).sum(), (~exits & here).sum()], [(exits & ~here).sum(), (~exits & ~here).sum()]]
    assert row["p_value"] == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)
    expected = share_difference_interval(table[0][0], here.sum(), table[1][0], (~here).sum())
    assert (row["difference_conf_low"], row["difference_conf_high"]) == pytest.approx(expected[2:])


def test_a_page_does_not_stand_in_its_own_base():
    rows = [(session, page) for session in range(40) for page in (("a", "b") if session % 2 else ("b", "a"))]
    reached = [row for session in range(0, 40, 2) for row in [(session, "goal")]]
    rates = exit_rates(views(*rows, *reached), goal="goal").set_index("page")
    # At the first view half are at `a` (none of whom reach the goal) and half at `b` (all of whom do).
    assert rates.loc["a", ["estimate", "base"]].to_list() == [0.5, 0.5]
    only = exit_rates(views(*((s, "home") for s in range(9)), (1, "goal")), goal="goal").iloc[0]
    assert (only["n"], only["n_exits"]) == (9, 8)
    assert np.isnan(only[["base", "difference", "p_value"]].astype(float)).all()
    assert not only["is_excessive"]


def test_a_handful_of_sessions_proves_nothing():
    frame = wander(0, n=400, reach=0.02, leave=0.2)  # nine in ten leave anyway
    few = frame[frame["page"] == "g"].drop_duplicates("session_id")["session_id"].iloc[:8]
    rare = frame[(frame["page"] != "g") | frame["session_id"].isin(few)]
    assert not exit_rates(rare, goal="goal").set_index("page").loc["g", "is_excessive"]
    assert np.isnan(exit_rates(rare, goal="goal").set_index("page").loc["g", "p_value"])


def test_sessions_that_a_page_drives_away_are_found_with_a_goal():
    frame = wander(5, n=4000, reach=0.15, leave=0.03, bug=0.5)
    rates = exit_rates(frame, goal="goal")
    assert rates.loc[rates["is_excessive"], "page"].to_list() == ["h"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "rounds"),
    [
        pytest.param({"leave": 0.2}, 300, id="plain", marks=pytest.mark.long),
        pytest.param({"leave": 0.05, "spread": 1.0}, 300, id="plain, long visits", marks=pytest.mark.long),
        pytest.param({"reach": 0.05}, 100, id="goal"),
        pytest.param({"reach": 0.05}, 300, id="goal, more of them", marks=pytest.mark.long),
        pytest.param({"reach": 0.05, "spread": 1.0}, 300, id="goal, wishes differ", marks=pytest.mark.long),
        pytest.param({"reach": 0.3, "leave": 0.02}, 300, id="goal, few leave", marks=pytest.mark.long),
    ],
)
def test_no_page_is_named_where_none_drives_anybody_away(world, rounds):
    goal = "goal" if "reach" in world else None
    results = [exit_rates(wander(seed, n=200, **world), goal=goal) for seed in range(rounds)]
    p_values = pd.concat(results)["p_value"].dropna()
    assert len(p_values) > rounds
    assert np.mean([result["is_excessive"].any() for result in results]) <= 0.05 + 0.44 / np.sqrt(
        rounds
    )  # two errors
    assert (p_values < 0.05).mean() <= 0.065
    assert (p_values < 0.05).mean() >= 0.015  # a test that never rejects would prove nothing


def test_difference_of_wilson_intervals_is_newcombes():
    one, other = share_interval(56, 70), share_interval(48, 80)
    expected = share_difference_interval(56, 70, 48, 80)
    assert tuple(interval_difference(one, other)) == pytest.approx(tuple(expected))
    correlated = interval_difference(one, other, correlation=0.5)
    assert correlated.conf_high - correlated.conf_low < expected.conf_high - expected.conf_low


def test_difference_from_nobody_has_a_width_and_no_made_up_error():
    gap = interval_difference(share_interval(0, 12), share_interval(12, 12))
    assert gap.estimate == -1
    assert -1 == gap.conf_low < gap.conf_high < -0.5
    assert np.isnan(gap.std_error)
    assert np.isnan(interval_difference(Interval(np.nan, np.nan, np.nan, np.nan), share_interval(1, 2))[2])


def test_funnel_refuses_what_it_cannot_count():
    frame = views(("a", "x"), ("a", "y"))
    with pytest.raises(ParameterError, match="names x more than once"):
        funnel(frame, steps=["x", "x", "y"], **SESSIONS)
    with pytest.raises(ParameterError, match="within_days"):
        funnel(frame, steps=["x", "y"], within_days=-1, **SESSIONS)
    with pytest.raises(ParameterError, match="by='n'"):
        funnel(frame.assign(n="g"), steps=["x", "y"], by="n", **SESSIONS)
    with pytest.raises(InputError, match="occurred_at"):
        funnel(frame.assign(occurred_at="noon"), steps=["x", "y"], **SESSIONS)
    with pytest.raises(InputError, match="occurred_at"):
        exit_rates(frame.assign(occurred_at="noon"))


def test_funnel_groups_that_are_missing_or_of_mixed_types():
    frame = views(("a", "x"), ("a", "y"), ("b", "x"), ("c", "x"))
    assert funnel(frame.assign(g=None), steps=["x", "y"], by="g", **SESSIONS).empty
    mixed = funnel(frame.assign(g=[1, 1, "one", None]), steps=["x", "y"], by="g", **SESSIONS)
    assert mixed[["g", "n"]].to_numpy().tolist() == [[1, 1], [1, 1], ["one", 1], ["one", 0]]


def test_no_views_give_no_exits():
    empty = views(("a", "x")).iloc[:0]
    assert exit_rates(empty).empty
    assert funnel(pd.DataFrame(columns=["session_id", "page", "occurred_at"]), steps=["x", "y"], **SESSIONS)[
        "n"
    ].to_list() == [0, 0]
