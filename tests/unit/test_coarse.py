"""Numbers of shared reports are right to the stated step, and give no customer's purchases away."""

import math

import numpy as np
import pandas as pd
import pytest

from cxlib.report.coarse_numbers import Coarse, Under, coarse_frame, coarse_of, coarse_value, step_up

STEPS = Coarse(base=5, sum_step=1_000.0, share_step=0.02, min_cell=10)
UNITS = {"amount": "currency", "mean": "currency", "share": "share", "customer_share": "share", "n": "count"}


@pytest.mark.parametrize(
    ("raw", "name", "unit", "n", "shown"),
    [
        (6_752_901, "amount", "currency", 400, 6_750_000),  # three digits are coarser than the step
        (12_499, "amount", "currency", 40, 12_000),
        (-12_501, "change", "currency", 40, -13_000),
        (1_999, "amount", "currency", 40, Under(2_000.0, is_negative=False)),
        (-1_999, "change", "currency", 40, Under(2_000.0, is_negative=True)),
        (168.0, "mean", "currency", 40, 150),  # 1,000 / 40 = 25, up to 50
        (168.0, "mean", "currency", None, Under(2_000.0, is_negative=False)),  # taken for a sum
        (99.0, "mean_conf_low", "currency", 40, Under(100.0, is_negative=False)),
        (4_321.0, "lower", "currency", 40, None),  # one customer's own amount
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
    step = coarse_of(pd.Series([largest / 3, largest, np.nan, 0.0]), min_cell=10).sum_step
    assert step >= 1.25 * largest
    assert step_up(step * 0.51) == step or step_up(step * 0.41) == step
    assert math.isclose(step_up(step), step)


def test_without_money_there_is_no_step_of_money():
    assert coarse_of(pd.Series(dtype="float64"), min_cell=30) == Coarse(15, 0.0, 0.01, 30)
    assert (
        coarse_value(
            5_123, name="amount", unit="currency", n=3, coarse=coarse_of(pd.Series([0.0]), min_cell=5)
        )
        == 5_120
    )


def test_no_customer_holds_more_than_half_of_a_shown_sum():
    rng = np.random.default_rng(3)
    for _ in range(200):
        amounts = rng.lognormal(8, 2, 12)
        steps = coarse_of(pd.Series(amounts), min_cell=10)
        shown = coarse_value(float(amounts.sum()), name="amount", unit="currency", n=12, coarse=steps)
        assert isinstance(shown, Under) or amounts.max() / amounts.sum() <= 0.5


def test_a_frame_keeps_its_names_and_rows_and_is_not_changed():
    frame = table(np.array([40_000.0, 1_500.0]), np.array([300, 20]), 400)
    frame["std_error"] = 3.0
    frame["mean_conf_low"], frame["mean_conf_high"] = [1.0, 70.0], [150.0, 80.0]
    before = frame.copy()
    found = coarse_frame(
        frame,
        units={**UNITS, "mean_conf_low": "currency", "mean_conf_high": "currency"},
        n_col="n",
        coarse=STEPS,
    )
    pd.testing.assert_frame_equal(frame, before)
    assert list(found.columns) == list(frame.columns)
    assert found["amount"].tolist() == [40_000.0, Under(2_000.0, is_negative=False)]
    assert found["n"].tolist() == [300, 20] and found["group"].tolist() == ["a", "b"]
    assert found[["std_error", "mean_conf_low", "mean_conf_high"]].isna().all(axis=None)


def table(amounts, counts, everybody):
    return pd.DataFrame(
        {
            "group": list("abcdefgh"[: len(amounts)]),
            "amount": amounts,
            "mean": amounts / counts,
            "share": amounts / max(amounts.sum(), 1.0),
            "customer_share": counts / everybody,
            "n": counts,
        }
    )


# --- An attacker with two shared reports --------------------------------------------------------------------


class Company:
    """A year of heavy-tailed purchases; a class because every attack looks at the same one."""

    def __init__(self, seed, sigma=1.2):
        rng = np.random.default_rng(seed)
        self.rng, n, lines = rng, 600, 5_000
        worth = rng.lognormal(0, sigma, n)
        self.customer = rng.choice(n, lines, p=worth / worth.sum())
        self.day = rng.integers(0, 365, lines)
        self.amount = np.round(rng.lognormal(8, 1, lines) * worth[self.customer] ** 0.5)
        self.cell = rng.integers(0, 4, n)  # region by segment

    def published(self, keep, cell, rule):
        """What a report says of the cells and of everybody, from the lines kept."""
        sums = np.bincount(self.customer[keep], self.amount[keep], minlength=len(cell))
        counts = np.bincount(cell, minlength=4)
        amounts = np.bincount(cell, sums, minlength=4)
        rows = table(np.append(amounts, amounts.sum()), np.append(counts, len(cell)), len(cell))
        rows["share"] = rows["amount"] / max(amounts.sum(), 1.0)
        return rule(rows, pd.Series(sums))

    def attack(self, kind, rule):
        """Compare two reports that differ by one customer: the true amount, and what an attacker finds."""
        line = self.rng.integers(len(self.day))
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
    for column in ("amount", "mean", *(("share",) if total else ())):
        for one, other, n in zip(old[column], new[column], new["n"], strict=True):
            if isinstance(one, float | int) and isinstance(other, float | int) and one != other:
                found.append(abs(other - one) * {"amount": 1.0, "mean": n, "share": total}[column])
    return [np.median(found), np.mean(found)] if found else []


def exact(rows, sums):
    return rows


def three_digits(rows, sums):
    return rows.assign(
        **{name: rows[name].map(lambda x: float(f"{x:.3g}")) for name in ("amount", "mean", "share")}
    )


def shared(rows, sums):
    return coarse_frame(rows, units=UNITS, n_col="n", coarse=coarse_of(sums, min_cell=10))


def pinned(rule, attacks, seed=1, **options):
    company = Company(seed, **options)
    hits = 0
    for number in range(attacks):
        truth, found = company.attack(("as_of", "period", "segment")[number % 3], rule)
        hits += truth > 0 and any(abs(guess - truth) <= 0.2 * truth for guess in found)
    return hits / attacks


def test_of_a_thousand_attacks_on_shared_reports_at_most_one_in_a_hundred_pins_an_amount():
    assert pinned(shared, 1_000) <= 0.01


def test_the_same_attacks_pin_nearly_every_amount_in_exact_reports_and_many_in_three_digits():
    assert pinned(exact, 60) >= 0.9
    assert pinned(three_digits, 150) >= 0.05


@pytest.mark.long
@pytest.mark.parametrize("sigma", [0.5, 1.2, 2.0])
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_attacks_fail_in_even_and_in_lopsided_companies(sigma, seed):
    assert pinned(shared, 1_000, seed=seed, sigma=sigma) <= 0.01
