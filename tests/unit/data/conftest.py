"""An export and its mapping, brought into a data set; a Spark session where there is Java."""

import os
import shutil

import pytest
import yaml

from cxlib.data.exports.convert_export import import_export
from cxlib.data.tables.data_set import open_data

DATA_SET = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}


@pytest.fixture
def bring(tmp_path, monkeypatch):
    """Import files under a mapping of tables and open the result: `bring({"a.csv": "…"}, orders={…})`."""
    monkeypatch.delenv("CX_PSEUDONYM_KEY", raising=False)
    source = tmp_path / "export"
    source.mkdir()

    def run(files, encoding="utf-8", *, data_set=DATA_SET, options=None, **tables):
        for name, content in files.items():
            (source / name).parent.mkdir(exist_ok=True)
            (source / name).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        mapping = tmp_path / "mapping.yml"
        mapping.write_text(
            yaml.safe_dump({"data_set": data_set, "tables": tables}, allow_unicode=True), encoding="utf-8"
        )
        run.summary = import_export(mapping, source, tmp_path / "shop", **(options or {}))
        return open_data(tmp_path / "shop")

    run.source = source
    return run


@pytest.fixture(scope="session")
def spark_in():
    """`spark_in(zone)`: a session of two threads whose clock is in a zone."""
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("PySpark needs Java, and there is none on the PATH or in JAVA_HOME")
    session = pytest.importorskip("pyspark.sql").SparkSession
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        # a session this short ends before compiled code would pay
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    started = session.builder.master("local[2]").config(map=settings).getOrCreate()

    def in_zone(zone):
        started.conf.set("spark.sql.session.timeZone", zone)
        return started

    yield in_zone
    started.stop()
