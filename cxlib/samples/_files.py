"""Write a simulated company as a data set: one file per table, settings, truth."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from cxlib.checks import ParameterError, fail_option
from cxlib.samples._columns import EXTRACTED_ON, TIMEZONE

SETTINGS = {
    "name": "Hadaiku",
    "currency": "JPY",
    "timezone": TIMEZONE,
    "extracted_at": f"{EXTRACTED_ON}T00:00:00+09:00",
    "fiscal_year_start": 4,
    "csat_scale": [1, 5],
    "ces_scale": [1, 7],
    "ces_direction": "ease",
    "valence_scale": [-2, 2],
    "is_sample": True,
}
FORMATS = ("parquet", "csv")


def write_company(out: Path, tables: dict[str, pd.DataFrame], truth: dict[str, Any], format: str) -> Path:
    """Write all files beside the target first, then put them in its place at once.

    Raises
    ------
    ParameterError
        For an unknown format, and when `out` exists and is neither empty nor a sample written before.
    """
    if format not in FORMATS:
        fail_option("format", format, FORMATS)
    if out.exists() and not _is_replaceable(out):
        raise ParameterError("samples.not_a_sample", argument="out")
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        for name, frame in tables.items():
            _write_table(frame, work / f"{name}.{format}")
        settings = yaml.safe_dump(SETTINGS, sort_keys=False, default_flow_style=None)
        (work / "dataset.yml").write_text(settings, encoding="utf-8")
        text = json.dumps(truth, indent=2, ensure_ascii=False)
        (work / "truth.json").write_text(text + "\n", encoding="utf-8")
        work.chmod(0o755)
        if out.exists():
            shutil.rmtree(out)
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return out


def _is_replaceable(out: Path) -> bool:
    if not out.is_dir():
        return False
    settings = out / "dataset.yml"
    if not settings.is_file():
        return not any(out.iterdir())
    return bool((yaml.safe_load(settings.read_text(encoding="utf-8")) or {}).get("is_sample"))


def _write_table(frame: pd.DataFrame, path: Path) -> None:
    dates = [name for name in frame.columns if name.endswith("_on") or name == "month"]
    if path.suffix == ".csv":
        frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in dates}).to_csv(
            path, index=False, lineterminator="\n"
        )
        return
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    for name in dates:
        at = table.column_names.index(name)
        table = table.set_column(at, name, table.column(name).cast(pa.date32()))
    pq.write_table(table, path, compression="zstd")
