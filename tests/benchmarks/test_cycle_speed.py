"""Speed of a cycle beside the same reports by `cx run`, one call after the other, as a ratio."""

import subprocess
import sys
import time
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest

pytestmark = pytest.mark.benchmark

CX = Path(sys.executable).parent / "cx"
NOTEBOOKS = Path(__file__).parents[1] / "notebooks" / "cycle"
REGIONS = [f"R{number}" for number in range(8)]
INITIATIVES = [f"I{number}" for number in range(4)]
PLAN = """data: shop
languages: [en, ja]
reports:
  - {report: work, each: {initiative: all}}
"""
OF_REGIONS = """data: shop
reports:
  - {report: tiny, each: {region: all}}
  - {report: tiny, id: again, each: {region: all}, parameters: {min_cell: 9}}
"""


def seconds(*command):
    started = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return time.perf_counter() - started


@pytest.fixture
def team(tmp_path):
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "dataset.yml").write_text(
        "{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-05}\n"
    )
    people = [f"{number:05d},{REGIONS[number % 8]},consumer,2026-01-05" for number in range(160)]
    days = [date(2026, 1, 5) + timedelta(days=number) for number in range(260)]
    orders = [f"{place},1,{place % 160:05d},{day}T10:00:00+09:00,100" for place, day in enumerate(days)]
    studies = [f"{one},{one} mail,2026-03-01,targeted,0,0" for one in INITIATIVES]
    tables = {
        "customers": ["customer_id,region,customer_type,first_seen_on", *people],
        "orders": ["order_id,line,customer_id,ordered_at,amount", *orders],
        "initiatives": ["initiative_id,name,started_on,assignment,one_time_cost,monthly_cost", *studies],
    }
    for name, lines in tables.items():
        (shop / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_cycle_is_at_least_2_5_times_as_fast_as_the_same_calls_of_run(team, capsys):
    where = ["--notebooks", NOTEBOOKS, "--data", team / "shop", "-p", "as_of=2026-09-30"]
    calls = []
    for one, lang in product(INITIATIVES, ("en", "ja")):
        calls.append(["work", "-p", f"initiative={one}", "--lang", lang])
    for one, least in product(REGIONS, (10, 9)):
        calls.append(["tiny", "-p", f"where=region={one}", "-p", f"min_cell={least}"])
    (team / "one.yml").write_text(PLAN)
    (team / "two.yml").write_text(OF_REGIONS)
    files = [team / "one.yml", team / "two.yml"]
    cycles = [[CX, "cycle", file, "--out", team / "cycle", "--notebooks", NOTEBOOKS] for file in files]
    ours = sum(seconds(*cycle) for cycle in cycles)
    again = max(seconds(*cycle) for cycle in cycles)
    theirs = sum(seconds(CX, "run", *call, *where, "--out", team / "run") for call in calls)
    with capsys.disabled():
        told = (
            f"{len(calls)} reports: cx cycle {ours:.1f} s, cx run {theirs:.1f} s, {theirs / ours:.1f} times"
        )
        sys.stdout.write(f"\n{told}; nothing changed: {again:.1f} s\n")
    assert theirs / ours >= 2.5 and again < 3
