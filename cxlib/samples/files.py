"""Write a simulated company as a data set: one file per table, settings, truth."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from cxlib.checks import ParameterError, fail_option, output_error
from cxlib.data.contract import TABLES
from cxlib.samples.columns import EXTRACTED_ON, TIMEZONE

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


def check_target(out: Path, format: str) -> Path:
    """Return the folder to write, once it is sure that nothing but an earlier sample would be replaced.

    Raises
    ------
    ParameterError
        For an unknown format, and when `out` is a file or holds anything that `write_company` did not write.
    OutputError
        When `out` is a name no folder can have.
    """
    if format not in FORMATS:
        fail_option("format", format, FORMATS)
    try:
        out = out.resolve()
        is_there = out.exists()
    except (OSError, ValueError) as error:
        raise output_error(error, out) from error
    if is_there:
        ours = {"dataset.yml", "truth.json"} | {f"{table}.{kind}" for table in TABLES for kind in FORMATS}
        found = {path.name for path in out.iterdir()} if out.is_dir() else {out.name}
        if not found <= ours or (found and not {"dataset.yml", "truth.json"} <= found):
            raise ParameterError("samples.not_a_sample", argument="out")
    return out


def write_company(out: Path, tables: dict[str, pd.DataFrame], truth: dict[str, Any], format: str) -> None:
    """Write all files beside the target, then put them in its place at once; empties `tables` on the way."""
    try:
        _write_company(out, tables, truth, format)
    except OSError as error:
        raise output_error(error, out) from error


def _write_company(out: Path, tables: dict[str, pd.DataFrame], truth: dict[str, Any], format: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name[:100]}-", dir=out.parent) as work:
        new = Path(work, "new")
        new.mkdir()
        for name in list(tables):
            _write_table(tables.pop(name), new / f"{name}.{format}")
        settings = yaml.safe_dump(SETTINGS, sort_keys=False, default_flow_style=None)
        (new / "dataset.yml").write_text(settings, encoding="utf-8", newline="\n")
        text = json.dumps(truth, indent=2, ensure_ascii=False)
        (new / "truth.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        if out.exists():
            out.rename(Path(work, "old"))
        new.rename(out)


def _write_table(frame: pd.DataFrame, path: Path) -> None:
    dates = [name for name in frame.columns if name.endswith("_on") or name in ("month", "day")]
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
