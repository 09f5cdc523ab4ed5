"""KPIs under choices of cleaning: every flip is listed, by a second way of cleaning and judging."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cxlib.data.rules.rule_files import Label, Target
from cxlib.inventory.cleaning_choices import (
    cleaned,
    flips,
    kpi_targets,
    kpis_by_choice,
    lag_days,
    not_compared,
)
from cxlib.journey.second_purchase.f2_curve import repeat_curve
from cxlib.voice.scores import nps

AS_OF = "2026-06-30"
SINGLE = ("test_accounts", "duplicates", "refunds", "guests", "late_rows")


def company(seed, n=260):
    """A small company with every kind of dirt: split ids, test accounts, guests, refunds, late entries."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"C{number:04d}" for number in range(n)])
    people = pd.DataFrame({"customer_id": ids, "match_key": ids})
    people.loc[n - 25 :, "match_key"] = ids[:25]  # the last ones are further ids of the first
    people["is_test"] = pd.array(rng.random(n) < 0.06, dtype="boolean")
    who = rng.choice(ids, 420)
    start = pd.Timestamp("2025-10-01")
    orders = pd.DataFrame(
        {"order_id": [f"O{number}" for number in range(420)], "line": 1, "customer_id": who}
    )
    orders["ordered_at"] = start + pd.to_timedelta(rng.integers(0, 270, 420), unit="D")
    orders["amount"] = rng.integers(10, 90, 420) * 100.0
    back = orders.sample(40, random_state=seed).assign(line=2, amount=lambda rows: -rows["amount"])
    orders = pd.concat([orders, back], ignore_index=True)
    is_guest = orders["order_id"].isin([f"O{number}" for number in range(0, 420, 9)])
    orders["customer_id"] = orders["customer_id"].mask(is_guest)
    answers = pd.DataFrame({"customer_id": rng.choice(ids, 300)})
    answers["nps_score"] = rng.choice([0.0, 5, 7, 8, 9, 10], 300, p=[0.1, 0.1, 0.15, 0.15, 0.25, 0.25])
    deals = pd.DataFrame({"customer_id": rng.choice(ids, 120), "is_won": rng.random(120) < 0.5})
    deals["created_on"] = start
    lag = np.where(deals["is_won"] & (rng.random(120) < 0.5), 30, 1)
    deals["recorded_at"] = start + pd.to_timedelta(lag, unit="D")
    return {"customers": people, "orders": orders, "responses": answers, "deals": deals}


def won(deals):
    share = deals["is_won"].mean()
    half = 1.96 * np.sqrt(share * (1 - share) / len(deals))
    row = {"metric": "win_rate", "estimate": share, "conf_low": share - half, "conf_high": share + half}
    return pd.DataFrame([{**row, "n": deals["customer_id"].nunique()}])


KPIS = {
    "f2": ("orders", lambda held: repeat_curve(held["orders"], as_of=AS_OF, horizons_days=[90])),
    "nps": ("responses", lambda held: nps(held["responses"], cluster_col="customer_id")),
    "win_rate": ("deals", lambda held: won(held["deals"])),
}
AS_IS = pd.Timestamp("2025-10-01")
UNITS = {"f2": "share", "nps": "points", "win_rate": "share"}


def goal(metric, value):
    named = Label(en=metric, ja=metric)
    about = {"metric": metric, "unit": UNITS[metric], "better": "higher", "target": value, "alarm": 0.0}
    return Target(**about, label=named)


def by_hand(tables, choice):
    """Clean once more, row by row, without the functions under test."""
    wanted = SINGLE if choice == "all" else (choice,)
    people = tables["customers"].to_dict("records")
    tests = {row["customer_id"] for row in people if row["is_test"] is True}
    first = {}
    for row in people:
        first.setdefault(row["match_key"], row["customer_id"])
    person = {row["customer_id"]: first[row["match_key"]] for row in people}
    made = {}
    for name, held in tables.items():
        rows = []
        for row in held.to_dict("records"):
            own = dict(row)
            if "test_accounts" in wanted and own["customer_id"] in tests:
                continue
            if "refunds" in wanted and own.get("amount", 0) < 0:
                continue
            lag = own.get("recorded_at", AS_IS) - own.get("created_on", AS_IS)
            if "late_rows" in wanted and lag.days > 7:
                continue
            if "duplicates" in wanted:
                own["customer_id"] = person.get(own["customer_id"], own["customer_id"])
            if "guests" in wanted and name == "orders" and pd.isna(own["customer_id"]):
                own["customer_id"] = "guest of " + own["order_id"]
            rows.append(own)
        made[name] = pd.DataFrame(rows, columns=held.columns)
    return made


def word(row, target, places):
    """Judge as a reader does: a limit that reads like the target does not lie short of it."""
    if not row["conf_low"] <= row["estimate"] <= row["conf_high"]:
        return "not_enough_data"
    if row["conf_low"] >= target:
        return "target_met"
    is_missed = round(row["conf_high"], places) < round(target, places)
    return "target_missed" if is_missed else "undecided"


@pytest.mark.parametrize(
    "seed", [*range(10), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(10, 30))]
)
def test_every_flip_is_listed_and_no_other(seed):
    """Targets are placed by lot near the figures, where a choice can turn a verdict."""
    rng = np.random.default_rng(100 + seed)
    tables = company(seed)
    now = {metric: kpi(tables).iloc[0] for metric, (_, kpi) in KPIS.items()}
    targets = {
        metric: goal(metric, float(rng.uniform(row["conf_low"] * 0.98, row["conf_high"] * 1.02)))
        for metric, row in now.items()
    }
    made = cleaned(tables, late_days=7, min_cell=5)
    assert list(made) == ["as_it_is", *SINGLE, "all"]
    turned = flips(kpis_by_choice(made, KPIS, targets=targets, min_cell=5))
    wanted = set()
    for metric, (_, kpi) in KPIS.items():
        target, places = targets[metric].target, 1 if metric == "nps" else 3
        for choice in (*SINGLE, "all"):
            then = kpi(by_hand(tables, choice)).iloc[0]
            if word(then, target, places) != word(now[metric], target, places):
                wanted.add(f"{metric} {choice}")
    assert set(turned.get("flip", [])) == wanted


def test_the_thirty_companies_do_turn_verdicts():
    """A test of flips that never sees one would prove nothing."""
    tables = company(3)
    now = KPIS["f2"][1](tables).iloc[0]
    made = cleaned(tables, late_days=7, min_cell=5)
    turned = flips(kpis_by_choice(made, KPIS, targets={"f2": goal("f2", now["conf_low"] - 1e-4)}))
    assert "f2 guests" in set(turned["flip"])
    assert turned["was"].unique().tolist() == ["target_met"]
    assert turned["was_estimate"].unique().tolist() == [now["estimate"]]


def test_tables_stay_as_they_were_and_untouched_kpis_are_not_repeated():
    tables = company(0)
    before = {name: held.copy() for name, held in tables.items()}
    made = cleaned(tables, late_days=7, min_cell=5)
    rows = kpis_by_choice(made, KPIS, targets={})
    for name, held in tables.items():
        pd.testing.assert_frame_equal(held, before[name])
    told = rows.groupby("metric")["choice"].agg(list)
    assert told["nps"] == ["as_it_is", "test_accounts", "duplicates", "all"]
    assert "refunds" in told["f2"] and "late_rows" in told["win_rate"]
    assert rows["verdict"].isna().all()
    assert flips(rows)["note"].tolist() == ["nothing_judged"]


def test_a_choice_that_few_rows_hang_on_is_left_out():
    """The difference of two totals would be what these few bought."""
    tables = company(0)
    tables["customers"]["is_test"] = tables["customers"].index < 3
    made = cleaned(tables, late_days=7, min_cell=10)
    assert "test_accounts" not in made
    assert [row["choice"] for row in not_compared(made, {"begins": ""})] == [["test_accounts"]]
    people = {"customers": tables["customers"].drop(columns=["is_test", "match_key"])}
    assert list(cleaned(people, late_days=7)) == ["as_it_is"]


def test_a_day_of_entry_is_a_day_whatever_the_clock():
    rows = pd.DataFrame(
        {
            "occurred_at": pd.to_datetime(["2026-01-05 23:50", "2026-01-05 10:00", None]),
            "recorded_at": pd.to_datetime(["2026-01-06 00:10", "2026-01-04 10:00", "2026-01-04 10:00"]),
        }
    )
    assert lag_days(rows, time_col="occurred_at").tolist()[:2] == [1.0, 0.0]
    assert lag_days(rows, time_col="occurred_at").isna().tolist() == [False, False, True]


def test_targets_are_those_of_the_same_horizon_and_scale():
    targets = SimpleNamespace(
        targets=[
            goal("nps", 20.0).model_copy(update={"survey": "relationship"}),
            goal("f2", 0.3).model_copy(update={"metric": "f2_90"}),
        ]
    )
    settings = SimpleNamespace(ces_scale=(1, 7), ces_direction="ease")
    assert set(kpi_targets(targets, settings, f2_days=90)) == {"nps", "f2"}
    assert set(kpi_targets(targets, settings, f2_days=180)) == {"nps"}
