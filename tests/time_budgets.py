"""Processor minutes each part of the tests may take in `make test` and `make test-long`, and took in a run.

Processor time, that of children that ended too, depends less than a clock on what else a machine does. Two
cores do two of these minutes in one: 18 fit into the 10 of `make test`, 48 into the 25 of `make test-long`.
A pytest plugin that `conftest.py` registers.
"""

import resource
from collections import Counter
from pathlib import PurePath

import pytest

#: Part of the tests -> minutes in `make test`, minutes more in `make test-long`.
BUDGETS = {
    "docstrings": (0.8, 0.0),
    "handbook": (2.5, 1.0),  # every notebook as it stands, and with other parameters
    "chapters": (4.0, 4.0),  # reports on data that go wrong
    "reference": (0.3, 0.5),
    "customers": (0.5, 3.0),
    "journey": (0.5, 3.0),
    "voice": (0.7, 4.0),
    "initiatives": (1.5, 8.0),
    "value": (0.5, 5.0),
    "sales": (0.4, 2.0),
    "support": (0.4, 2.0),
    "learn": (0.4, 1.0),
    "inventory": (0.3, 0.5),
    "scorecard": (0.4, 1.0),
    "samples": (0.4, 4.0),
    "stats": (0.4, 2.0),
    "data": (1.0, 0.5),
    "report": (0.7, 4.0),
    "runner": (1.3, 1.5),
    "whole": (0.6, 1.0),  # what holds over all modules, and the rest
}
#: Fewer tests are not the whole of `make test` or `make test-long`.
MANY = 300


def processor_seconds() -> float:
    """Processor time of this process and of its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def part_of(nodeid: str) -> str:
    """Name in `BUDGETS` of what a test belongs to.

    Examples
    --------
    >>> [part_of(each) for each in ("tests/unit/voice/test_scores.py::test_a", "cxlib/checks/names.py::b")]
    ['voice', 'docstrings']
    >>> part_of("tests/test_chapter_roi.py::test_a"), part_of("tests/test_truth_orders.py::test_a")
    ('chapters', 'samples')
    """
    parts = PurePath(nodeid.split("::")[0]).parts
    if parts[0] == "cxlib":
        return "docstrings"
    name = parts[-1].removeprefix("test_")
    by_name = {"chapter": "chapters", "one": "chapters", "hostile": "chapters", "canaries": "chapters"}
    by_name |= {"truth": "samples", "handbook": "handbook", "course": "learn"}
    found = parts[2] if parts[1] == "unit" else by_name.get(name.split(".")[0].split("_")[0], parts[1])
    return found if found in BUDGETS else "whole"


def table(spent: Counter[str], *, is_long: bool) -> list[str]:
    """Lines of the table: processor minutes spent and allowed, the most first."""
    rows = [f"{'part':<12}{'minutes':>9}{'budget':>9}"]
    for part, seconds in spent.most_common():
        budget = BUDGETS[part][is_long]
        mark = "  over" if seconds / 60 > budget else ""
        rows.append(f"{part:<12}{seconds / 60:>9.2f}{budget:>9.1f}{mark}")
    allowed = sum(budget[is_long] for budget in BUDGETS.values())
    return [*rows, f"{'all':<12}{sum(spent.values()) / 60:>9.2f}{allowed:>9.1f}"]


_SPENT: Counter[str] = Counter()
_MARK = [0.0]


def pytest_collection_finish(session):
    """Begin to count when the tests begin."""
    _MARK[0] = processor_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Note on each phase's report, which workers send on, what it took."""
    report = yield
    now = processor_seconds()
    report.processor_seconds, _MARK[0] = now - _MARK[0], now
    return report


def pytest_runtest_logreport(report):
    """Sum by part, in the process that hears of all tests."""
    _SPENT[part_of(report.nodeid)] += getattr(report, "processor_seconds", 0.0)


def pytest_terminal_summary(terminalreporter, config):
    """Print the table after a run of everything; one of a few tests says nothing about budgets."""
    if len(terminalreporter.stats.get("passed", ())) >= MANY:
        terminalreporter.section("processor minutes by part")
        for line in table(_SPENT, is_long=config.option.markexpr == "long"):
            terminalreporter.write_line(line)
