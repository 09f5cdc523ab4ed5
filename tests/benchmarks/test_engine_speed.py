"""Five million order lines in Spark are summed where they lie: little of them comes to the driver."""

import os
import resource
import shutil
import time

import pytest

import cxlib as cx

pytestmark = [pytest.mark.benchmark, pytest.mark.spark]
N_LINES, N_CUSTOMERS = 5_000_000, 400_000
DRIVER_MEMORY = "1g"


@pytest.fixture(scope="module")
def lines():
    """Order lines made by Spark itself, with a driver of `DRIVER_MEMORY`; nothing of them was in Python."""
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("PySpark needs Java, and there is none on the PATH or in JAVA_HOME")
    builder = pytest.importorskip("pyspark.sql").SparkSession.builder.master("local[2]")
    settings = {"spark.ui.enabled": "false", "spark.driver.host": "localhost"}
    settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.memory": DRIVER_MEMORY}
    settings |= {"spark.sql.shuffle.partitions": "8", "spark.sql.session.timeZone": "Asia/Tokyo"}
    session = builder.config(map=settings).getOrCreate()
    orders = session.range(N_LINES).selectExpr(
        "cast(id div 2 as string) as order_id",
        "cast(id % 2 + 1 as int) as line",
        f"concat('C', cast(pmod(hash(id div 2), {N_CUSTOMERS}) as string)) as customer_id",
        "timestamp_seconds(1735689600 + pmod(hash(id div 2, 7), 54000000)) as ordered_at",
        "cast(pmod(hash(id, 3), 90) * 100 + 500 as double) as amount",
        "concat('k', cast(pmod(hash(id, 5), 4) as string)) as category",
    )
    yield orders
    session.stop()


def test_segments_of_five_million_lines_need_little_memory_of_the_driver(lines):
    settings = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    shop = cx.open_data({"orders": lines}, **settings)
    summed = shop.order_lines()
    customers = cx.rfm(cx.summarise_customers(summed, as_of=shop.as_of))
    table = cx.segment_table(cx.assign_segments(customers, rules=cx.load_rules("rfm_segments")))
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{seconds:.0f} s, Python {(peak - before) / 1024:.0f} MB more, at most {peak / 1024:.0f} MB")
    assert cx.count_lines(summed)["lines"] == N_LINES
    begun = time.perf_counter()
    total = lines.selectExpr("sum(amount)").collect()[0][0]
    one_pass = time.perf_counter() - begun
    print(f"one pass {one_pass:.1f} s")
    assert customers["monetary_total"].sum() == pytest.approx(total, rel=1e-12)
    assert table["n"].sum() == len(customers)
    begun = time.perf_counter()
    orders = shop.table("orders", merged=True)
    f2 = cx.repeat_curve(orders, as_of=shop.as_of, horizons_days=[180])
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"F2: {seconds:.0f} s, {len(orders):,} rows fetched, Python at most {peak / 1024:.0f} MB")
    assert len(orders) == N_LINES / 2 and f2["n"].item() == len(customers)
    assert (peak - before) / 1024 < 1_500
