"""Each part of the tests has a budget of processor minutes, and together they fit the time they are given."""

import importlib.util
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
spec = importlib.util.spec_from_file_location("time_budgets_read", TESTS / "time_budgets.py")
time_budgets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(time_budgets)
BUDGETS = time_budgets.BUDGETS


@pytest.mark.parametrize(("is_long", "minutes"), [(False, 10), (True, 25)])
def test_the_budgets_fit_two_cores_with_a_tenth_to_spare(is_long, minutes):
    assert sum(budget[is_long] for budget in BUDGETS.values()) <= 2 * minutes * 0.96


def test_every_wing_with_tests_has_a_budget_of_its_own():
    wings = {path.name for path in (TESTS / "unit").iterdir() if any(path.glob("test_*.py"))}
    assert wings and wings <= set(BUDGETS)
    assert {time_budgets.part_of(f"tests/unit/{wing}/test_a.py::test_b") for wing in wings} == wings


@pytest.mark.parametrize(
    ("nodeid", "part"),
    [
        ("tests/reference/test_roi.py::test_a", "reference"),
        ("tests/test_one_scope.py::test_a", "chapters"),
        ("tests/test_handbook.py::test_a[x]", "handbook"),
        ("tests/unit/test_checks.py::test_a", "whole"),
        ("tests/test_readme.py::test_a", "whole"),
    ],
)
def test_each_test_belongs_to_one_part(nodeid, part):
    assert time_budgets.part_of(nodeid) == part


def test_what_is_over_its_budget_is_marked():
    spent = Counter({"voice": 60 * BUDGETS["voice"][0] + 60, "stats": 1.0})
    first, *_, last = time_budgets.table(spent, is_long=False)[1:]
    assert first.startswith("voice") and first.endswith("over")
    assert last.split()[0] == "all" and "over" not in last
