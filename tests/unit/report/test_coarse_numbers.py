"""Numbers of shared reports are right to the stated step, and give no customer's purchases away."""

import math

import numpy as np
import pandas as pd
import pytest

from cxlib.report.coarse_numbers import (
    Coarse,
    Under,
    coarse_frame,
    coarse_of,
    coarse_sum,
    coarse_value,
    step_up,
)

STEPS = Coarse(base=5, sum_step=200.0, whole_step=1_000.0, share_step=0.02, min_cell=10)
UNITS = {
    "amount": "currency",
    "mean_amount": "currency",
    "share": "share",
    "customer_share": "share",
    "n": "count",
}


@pytest.mark.parametrize(
    ("raw", "name", "unit", "n", "shown"),
    [
        (6_752_901, "amount", "currency", 400, 6_750_000),  # three digits are coarser than the step
        (12_499, "amount", "currency", 40, 12_000),
        (-12_501, "change", "currency", 40, -13_000),
        (1_999, "amount", "currency", 40, Under(2_000.0, is_negative=False)),
        (-1_999, "change", "currency", 40, Under(2_000.0, is_negative=True)),
        (168.0, "mean_amount", "currency", 40, 150),  # 1,000 / 40 = 25, up to 50
        (168.0, "mean_amount", "currency", None, Under(2_000.0, is_negative=False)),  # taken for a sum
        (99.0, "mean_amount_conf_low", "currency", 40, Under(100.0, is_negative=False)),
        (4_321.0, "lower_amount", "currency", 40, None),  # one customer's own amount
        (1_234, "n", "count", None, 1_235),
        (7, "n_control", "count", None, None),
        (0, "n_control", "count", None, 0),
        (12, "horizon_months", "count", None, 12),
        (3, "found", "count", None, 3),
        (0.377, "share", "share", 1_000, 0.38),
        (0.377, "share", "share", 40, 0.4),  # 5 / 40 = 0.125, up to 0.2
        (0.004, "share", "share", 1_000, Under(0.02, is_negative=False, unit="share")),
        (0.004, "share_conf_low", "share", 1_000, 0.0),
        (0.996, "share", "share", 1_000, 1.0),
        (0.371, "share_conf_low", "share", 1_000, 0.36),  # outwards: never an interval without a width
        (0.371, "conf_high", "share", 1_000, 0.38),
        (22.4, "conf_high", "points", 1_000, 23.0),
        (168.0, "mean_amount_conf_low", "currency", 40, 150),
        (168.0, "mean_amount_conf_high", "currency", 40, 200),
        (0.377, "customer_share", "share", 1_000, 0.38),
        (0.372, "customer_share", "share", 10_000, 0.37),  # customers counted, whatever they bought
        (1.884, "roi", "share", None, 1.9),
        (22.4, "estimate", "points", 1_000, 22.0),
        (22.4, "estimate", "points", 60, 20.0),
        (7.345, "estimate", "score", 60, 7.3),
        (365, "days", "days", 60, 365),
        (10, "decile", "number", 60, 10),
        ("text", "amount", "currency", 60, "text"),
        (True, "amount", "currency", 60, True),
    ],
)
def test_each_kind_of_number_is_rounded_to_its_stated_step(raw, name, unit, n, shown):
    for kind in (type(raw), np.float64) if isinstance(raw, float) else (type(raw),):
        found = coarse_value(kind(raw), name=name, unit=unit, n=n, coarse=STEPS)
        assert found == shown if not isinstance(shown, float) else found == pytest.approx(shown)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, float("inf")])
def test_what_is_missing_stays_missing(missing):
    assert coarse_value(missing, name="amount", unit="currency", n=5, coarse=STEPS) is missing


@pytest.mark.parametrize("largest", [0.3, 7, 99, 1_719_690, 5e9])
def test_the_step_of_money_is_larger_than_any_customer_and_tells_the_largest_to_a_factor_of_two_only(largest):
    step = coarse_of(pd.Series([largest / 3, largest, np.nan, 0.0]), min_cell=10).whole_step
    assert step >= 1.25 * largest
    assert step_up(step * 0.51) == step or step_up(step * 0.41) == step
    assert math.isclose(step_up(step), step)


def test_without_money_there_is_no_step_of_money():
    assert coarse_of(pd.Series(dtype="float64"), min_cell=30) == Coarse(15, 0.0, 0.0, 0.01, 30)
    assert (
        coarse_value(
            5_123, name="amount", unit="currency", n=3, coarse=coarse_of(pd.Series([0.0]), min_cell=5)
        )
        == 5_120
    )


def test_no_customer_holds_more_than_half_of_a_shown_sum():
    rng = np.random.default_rng(3)
    shown = 0
    for _ in range(200):
        amounts = rng.lognormal(8, 2, 12)
        steps = coarse_of(pd.Series(amounts), min_cell=10)
        found = coarse_value(float(amounts.sum()), name="amount", unit="currency", n=12, coarse=steps)
        assert isinstance(found, Under) or amounts.max() / amounts.sum() <= 0.5
        found = coarse_sum(pd.Series(amounts), coarse=steps)
        shown += isinstance(found, float)
        assert not isinstance(found, float) or amounts.max() / amounts.sum() <= 0.5
    assert shown >= 10


def test_one_large_customer_makes_coarse_what_it_takes_part_in_and_nothing_else():
    rng = np.random.default_rng(4)
    usual = pd.Series(np.append(rng.lognormal(9, 1, 1_999), 40_000_000.0))
    steps = coarse_of(usual, min_cell=10)
    assert steps.sum_step <= 200_000 < steps.whole_step == 50_000_000
    others, everybody = usual[:300], usual
    assert coarse_sum(others, coarse=steps) == pytest.approx(others.sum(), rel=0.05)
    assert coarse_sum(everybody, coarse=steps) is None  # one customer carries most of it
    assert coarse_value(float(others.sum()), name="amount", unit="currency", n=300, coarse=steps) == Under(
        100_000_000.0, is_negative=False
    )


@pytest.mark.parametrize(("others", "is_shown"), [(105_000, False), (160_000, True)])
def test_a_sum_is_shown_only_where_its_largest_customer_carries_about_a_quarter_at_most(others, is_shown):
    parts = pd.Series([*[others / 200] * 200, 39_000.0])  # rounded apart, to 50,000
    found = coarse_sum(parts, coarse=Coarse(5, 1_000.0, 50_000.0, 0.02, 10))
    assert (found is not None) == is_shown
    assert not is_shown or (found == 210_000 and 39_000 / parts.sum() <= 0.27)


def test_a_mean_follows_from_the_rounded_sum_and_count_and_blanked_rows_stay_blank():
    frame = pd.DataFrame({"group": ["a", None, "b"], "mean_amount": [100.0, 50.0, np.nan], "n": [42, 60, 3]})
    frame["metric"], frame["estimate"] = ["spend", "repeat", "spend"], [30.0, 0.5, np.nan]
    who = pd.Index(["a"] * 42 + [None] * 60 + ["b"] * 3, name="group")
    people = pd.DataFrame({"mean_amount": [100.0] * 42 + [50.0] * 60 + [9.0] * 3, "spend": 30.0}, index=who)
    units = {"mean_amount": "currency", "estimate": {"spend": "currency", "repeat": "share"}, "n": "count"}
    found = coarse_frame(frame, units=units, n_col="n", coarse=STEPS, people=people)
    assert found["mean_amount"].tolist()[:2] == [105.0, 50.0] and pd.isna(
        found["mean_amount"][2]
    )  # 4,200 / 40
    assert found["estimate"].tolist()[:2] == [30.0, 0.5] and pd.isna(found["estimate"][2])
    few = coarse_frame(frame, units=units, n_col="n", coarse=STEPS, people=people / 100)
    assert few["mean_amount"][0] == Under(10.0, is_negative=False)  # under 400 by 40 customers


def test_the_part_of_a_whole_is_left_out_with_the_amount_that_one_customer_carries():
    frame, people = carried_by_one()
    found = coarse_frame(frame, units=UNITS, n_col="n", coarse=STEPS, people=people)
    assert found["amount"].notna().tolist() == found["share"].notna().tolist() == [True, False, False]


def carried_by_one(n=(30, 30, 20)):
    frame = pd.DataFrame({"group": list("abc"), "amount": 90_000.0, "share": 0.5, "n": n})
    who = pd.Index(["a"] * n[0] + ["b"] * n[1] + ["c"] * n[2], name="group")
    own = [90_000.0 / n[0]] * n[0] + [61_000.0] + [1_000.0] * (n[1] - 1) + [90_000.0 / n[2]] * n[2]
    return frame, pd.DataFrame({"amount": own}, index=who)


@pytest.mark.parametrize(("n", "second"), [((30, 30, 20), "c"), ((20, 30, 30), "a")])
def test_a_second_amount_is_left_out_where_one_customer_carries_a_single_one(n, second):
    """The total less the other amounts would be what was left out."""
    frame, people = carried_by_one(n)
    found = coarse_frame(frame, units=UNITS, n_col="n", coarse=STEPS, people=people)
    assert frame["group"][found["amount"].isna()].tolist() == sorted(["b", second])
    assert found["n"].tolist() == list(n)
    none = coarse_frame(frame.head(0), units=UNITS, n_col="n", coarse=STEPS, people=people)
    assert none.empty and list(none.columns) == list(frame.columns)


def test_of_groups_by_months_a_second_one_is_left_out_in_each_direction():
    keys = pd.MultiIndex.from_product([list("abc"), [1, 2, 3]], names=["group", "month"])
    frame = keys.to_frame(index=False).assign(amount=90_000.0, n=30)
    people = pd.DataFrame({"amount": 3_000.0}, index=keys.repeat(30))
    people.iloc[0, 0] = 61_000.0
    found = coarse_frame(frame, units=UNITS, n_col="n", coarse=STEPS, people=people)
    left_out = pd.crosstab(frame["group"], frame["month"], found["amount"].isna(), aggfunc="sum")
    assert left_out.loc["a", 1]
    assert set(left_out.sum(axis=0)) | set(left_out.sum(axis=1)) == {0, 2}


def test_a_share_of_a_whole_follows_from_the_rounded_amount():
    frame = pd.DataFrame({"group": ["a", "b"], "amount": [7_400.0, 92_600.0], "n": 1_000})
    frame["share"] = frame["amount"] / 100_000
    who = pd.Index(["a"] * 1_000 + ["b"] * 1_000, name="group")
    people = pd.DataFrame({"amount": [7.4] * 1_000 + [92.6] * 1_000}, index=who)
    fine = Coarse(base=5, sum_step=2_000.0, whole_step=2_000.0, share_step=0.01, min_cell=10)
    found = coarse_frame(frame, units=UNITS, n_col="n", coarse=fine, people=people)
    assert found["amount"].tolist() == [8_000.0, 92_000.0]
    assert found["share"].tolist() == pytest.approx([0.08, 0.92])


def test_a_frame_keeps_its_names_and_rows_and_is_not_changed():
    frame = table(np.array([40_000.0, 1_500.0]), np.array([300, 20]), 400)
    frame["std_error"] = 3.0
    frame["mean_amount_conf_low"], frame["mean_amount_conf_high"] = [1.0, 70.0], [150.0, 80.0]
    before = frame.copy()
    found = coarse_frame(
        frame,
        units={**UNITS, "mean_amount_conf_low": "currency", "mean_amount_conf_high": "currency"},
        n_col="n",
        coarse=STEPS,
    )
    pd.testing.assert_frame_equal(frame, before)
    assert list(found.columns) == list(frame.columns)
    assert found["amount"].tolist() == [40_000.0, Under(2_000.0, is_negative=False)]
    assert found["n"].tolist() == [300, 20] and found["group"].tolist() == ["a", "b"]
    assert found[["std_error", "mean_amount_conf_low", "mean_amount_conf_high"]].isna().all(axis=None)


def table(amounts, counts, everybody):
    return pd.DataFrame(
        {
            "group": list("abcdefgh"[: len(amounts)]),
            "amount": amounts,
            "mean_amount": amounts / counts,
            "share": amounts / max(amounts.sum(), 1.0),
            "customer_share": counts / everybody,
            "n": counts,
        }
    )


# --- An attacker with two shared reports --------------------------------------------------------------------


class Company:
    """A year of heavy-tailed purchases; a class because every attack looks at the same one."""

    def __init__(self, seed, sigma=1.2, giant=0.0):
        rng = np.random.default_rng(seed)
        self.rng, n, lines = rng, 600, 5_000
        worth = rng.lognormal(0, sigma, n)
        self.customer = rng.choice(n, lines, p=worth / worth.sum())
        self.day = rng.integers(0, 365, lines)
        self.amount = np.round(rng.lognormal(8, 1, lines) * worth[self.customer] ** 0.5)
        self.cell = rng.integers(0, 4, n)  # region by segment
        self.giant = np.bincount(self.customer, self.amount).argmax()
        if giant:  # one customer brings this part of all sales
            own = self.customer == self.giant
            self.amount[own] *= giant / (1 - giant) * self.amount[~own].sum() / self.amount[own].sum()

    def published(self, keep, cell, rule):
        """What a report says of the cells and of everybody, from the lines kept."""
        sums = np.bincount(self.customer[keep], self.amount[keep], minlength=len(cell))
        counts = np.bincount(cell, minlength=4)
        amounts = np.bincount(cell, sums, minlength=4)
        rows = table(np.append(amounts, amounts.sum()), np.append(counts, len(cell)), len(cell))
        rows["share"] = rows["amount"] / max(amounts.sum(), 1.0)
        who = pd.Index([*np.array(list("abcd"))[cell], *"e" * len(cell)], name="group")
        people = pd.DataFrame({"amount": np.tile(sums, 2), "mean_amount": np.tile(sums, 2)}, index=who)
        return rule(rows, pd.Series(sums), people)

    def attack(self, kind, rule, *, on_giant):
        """Compare two reports that differ by one customer: the true amount, and what an attacker finds."""
        lines = np.flatnonzero(self.customer == self.giant) if on_giant else np.arange(len(self.day))
        line = self.rng.choice(lines)
        who, day = self.customer[line], self.day[line]
        is_own = (self.customer == who) & (self.day == day)
        cell = self.cell
        if kind == "as_of":  # all else of that day is known to the attacker
            before, after = self.day < max(day, 30), (self.day < max(day, 30)) | is_own
        elif kind == "period":
            before = (self.day > day) & (self.day <= day + 90)
            after = before | is_own
        else:  # the customer changes the segment, and takes the whole history along
            before = after = self.day <= max(day, 60)
        moved = cell.copy()
        if kind == "segment":
            moved[who] = (cell[who] + 1) % 4
        truth = (
            self.amount[after & (self.customer == who)].sum()
            if kind == "segment"
            else self.amount[is_own & ~before].sum()
        )
        old, new = self.published(before, cell, rule), self.published(after, moved, rule)
        is_same_total = kind == "segment"
        return truth, guesses(old, new, self.amount[before].sum() if is_same_total else None)


def guesses(old, new, total):
    """What every published number that changed says of the amount, and the middle and the mean of it all."""
    found = []
    for column in ("amount", "mean_amount", *(("share",) if total else ())):
        for one, other, n in zip(old[column], new[column], new["n"], strict=True):
            if isinstance(one, float | int) and isinstance(other, float | int) and one != other:
                found.append(abs(other - one) * {"amount": 1.0, "mean_amount": n, "share": total}[column])
    shown = zip(worked_out(old), worked_out(new), strict=True)
    found += [abs(other - one) for one, other in shown if abs(other - one) > 0]
    return [np.median(found), np.mean(found)] if found else []


def worked_out(rows):
    """Each cell as shown, or as everybody less the others where it alone is not."""
    *cells, everybody = [amount if isinstance(amount, float | int) else np.nan for amount in rows["amount"]]
    if np.isnan(cells).sum() == 1:
        cells = [everybody - np.nansum(cells) if np.isnan(cell) else cell for cell in cells]
    return cells


def exact(rows, sums, people):
    return rows


def three_digits(rows, sums, people):
    return rows.assign(
        **{name: rows[name].map(lambda x: float(f"{x:.3g}")) for name in ("amount", "mean_amount", "share")}
    )


def shared(rows, sums, people):
    steps = coarse_of(sums, min_cell=10)
    return coarse_frame(rows, units=UNITS, n_col="n", coarse=steps, people=people)


def shared_sums_only(rows, sums, people):
    return shared(rows, sums, None)


def by_the_usual_step(rows, sums, people):
    """A tempting rule that is not ours: the step of the usual customer for everybody."""
    steps = coarse_of(sums, min_cell=10)
    usual = Coarse(steps.base, steps.sum_step, steps.sum_step, steps.share_step, steps.min_cell)
    return coarse_frame(rows, units=UNITS, n_col="n", coarse=usual)


def pinned(rule, attacks, seed=1, *, on_giant=False, **options):
    company = Company(seed, **options)
    hits = 0
    for number in range(attacks):
        truth, found = company.attack(("as_of", "period", "segment")[number % 3], rule, on_giant=on_giant)
        hits += truth > 0 and any(abs(guess - truth) <= 0.2 * truth for guess in found)
    return hits / attacks


@pytest.mark.parametrize(
    ("rule", "attacks"),
    [
        (shared, 400),
        *(pytest.param(one, 1_000, marks=pytest.mark.long) for one in (shared, shared_sums_only)),
    ],
)
def test_of_the_attacks_on_shared_reports_at_most_one_in_a_hundred_pins_an_amount(rule, attacks):
    assert pinned(rule, attacks) <= 0.01


@pytest.mark.parametrize(
    ("on_giant", "attacks"), [(True, 300), pytest.param(False, 1_000, marks=pytest.mark.long)]
)
def test_the_attacks_fail_where_one_customer_is_very_large_and_on_that_customer_too(on_giant, attacks):
    assert pinned(shared, attacks, on_giant=on_giant, giant=0.1) <= 0.01


def test_the_same_attacks_pin_nearly_every_amount_in_exact_reports_and_many_in_three_digits():
    assert pinned(exact, 60) >= 0.9
    assert pinned(three_digits, 150) >= 0.05
    assert pinned(by_the_usual_step, 60, on_giant=True, giant=0.1) >= 0.2


@pytest.mark.long
@pytest.mark.parametrize("sigma", [0.5, 1.2, 2.0])
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_attacks_fail_in_even_and_in_lopsided_companies(sigma, seed):
    assert pinned(shared, 1_000, seed=seed, sigma=sigma) <= 0.01
    for giant in (0.1, 0.4):
        assert pinned(shared, 500, seed=seed, sigma=sigma, giant=giant, on_giant=True) <= 0.01
