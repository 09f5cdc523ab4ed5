"""A million order lines through a mapping, against DuckDB reading the same file as text and writing Parquet.

Run with `pytest -m benchmark tests/benchmarks/test_import_speed.py -s`; one line with both times.
"""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.benchmark

ROWS, MEGABYTES = 1_000_000, 250
MOST_TIMES, MOST_MEGABYTES = 5, 1_500
MAPPING = """
data_set: {name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01}
tables:
  orders:
    file: orders.csv
    where: [{column: Status, not_in: [voided, pending]}]
    columns:
      order_id: {from: Name}
      line: {row_within: [Name]}
      customer_id: {from: Email, pseudonymise: ignore_case}
      ordered_at: {from: Created at, format: "%Y-%m-%d %H:%M:%S %z"}
      amount: {product: [Lineitem price, Lineitem quantity], number: {thousands: ","}}
      quantity: {from: Lineitem quantity}
      product: {from: Lineitem name}
      category: {from: Vendor}
  customers: {derive: orders}
"""
#: What each way is run as: alone, so that the other's memory is not counted, and timed once it is loaded.
OURS = """
from cxlib.data.exports.convert_export import import_export
begun = time.perf_counter()
import_export(FOLDER / "m.yml", FOLDER, FOLDER / "shop")
"""
THEIRS = """
import duckdb
begun = time.perf_counter()
source = f"read_csv('{FOLDER}/orders.csv', all_varchar=true, header=true)"
duckdb.sql(f"COPY (SELECT * FROM {source}) TO '{FOLDER}/orders.parquet' (FORMAT parquet)")
"""
TIMED = """
import json, resource, sys, time
from pathlib import Path
FOLDER = Path(sys.argv[1])
{work}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([time.perf_counter() - begun, peak]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An export of 250 MB: about three lines to an order, the order's time and address on each of them."""
    place = tmp_path_factory.mktemp("export")
    rng = np.random.default_rng(0)
    order = np.sort(rng.integers(0, ROWS // 3, ROWS))
    customer = rng.integers(0, 80_000, ROWS // 3)[order]
    moment = pd.Timestamp("2024-03-20") + pd.to_timedelta(rng.integers(0, 8e7, ROWS // 3)[order], unit="s")
    price = rng.integers(100, 99_999, ROWS)
    frame = pd.DataFrame(
        {
            "Name": "#" + pd.Series(order + 1_000_000).astype(str),
            "Email": "customer" + pd.Series(customer).astype(str) + "@Example.invalid",
            "Status": rng.choice(["paid", "refunded", "voided", "pending"], ROWS, p=[0.9, 0.06, 0.02, 0.02]),
            "Created at": pd.Series(moment.strftime("%Y-%m-%d %H:%M:%S +0900")),
            "Lineitem quantity": rng.integers(1, 5, ROWS),
            "Lineitem name": "Product number " + pd.Series(rng.integers(0, 3_000, ROWS)).astype(str),
            "Lineitem price": (price // 100).astype(str) + pd.Series(price % 100).map(".{:02}".format),
            "Vendor": rng.choice(["Leaf", "Ware", "Sweets"], ROWS),
        }
    )
    for at in range(12):
        frame[f"Note {at}"] = rng.choice(["", "standard delivery", "gift wrapped with a card"], ROWS)
    frame.to_csv(place / "orders.csv", index=False)
    (place / "m.yml").write_text(MAPPING)
    assert (place / "orders.csv").stat().st_size > MEGABYTES * 1_000_000
    return place


def spent(work, folder):
    command = [sys.executable, "-c", TIMED.format(work=work), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_million_lines_in_five_times_duckdb(folder):
    theirs = [spent(THEIRS, folder)[0] for _ in range(3)]
    runs = [spent(OURS, folder) for _ in range(2)]
    seconds, megabytes = min(run[0] for run in runs), max(run[1] for run in runs)
    ratio = seconds / min(theirs)
    print(f"import {seconds:.1f} s and {megabytes:,.0f} MB, DuckDB {min(theirs):.1f} s: {ratio:.1f} times")
    assert ratio <= MOST_TIMES
    assert megabytes < MOST_MEGABYTES
