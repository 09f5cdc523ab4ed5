"""The manifest tells the truth about the files a run read."""

import gzip
import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from cxlib.checks import InputError
from cxlib.runner import batch
from cxlib.runner.batch import run
from cxlib.runner.plan import RunSettings
from cxlib.runner.watch import Watch, file_entry, files_read

PLAIN = Path(__file__).parents[2] / "notebooks" / "plain"


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "dataset.yml").write_text("name: Shop\n")
    (folder / "orders.csv").write_text("order_id,amount\n1,200\n2,300\n")
    (folder / "events.csv.gz").write_bytes(gzip.compress(b"event_id\n1\n"))
    return folder


@pytest.fixture
def rules(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "targets.yml").write_text("nps: 20\n")
    return tmp_path / "rules" / "targets.yml"


def replace_same_size(folder, rules):
    text = (folder / "orders.csv").read_text().replace("200", "900")
    (folder / "new").write_text(text)
    os.replace(folder / "new", folder / "orders.csv")


def rewrite_with_the_old_date(folder, rules):
    before = (folder / "orders.csv").stat()
    text = (folder / "orders.csv").read_text().replace("200", "900")
    (folder / "orders.csv").write_text(text)
    os.utime(folder / "orders.csv", ns=(before.st_atime_ns, before.st_mtime_ns))


def add_a_table(folder, rules):
    (folder / "deals.parquet").write_bytes(b"x")


def link_elsewhere(folder, rules):
    (folder / "other.bin").write_bytes(b"order_id,amount\n1,999\n")
    (folder / "orders.csv").unlink()
    (folder / "orders.csv").symlink_to(folder / "other.bin")


def remove_the_folder(folder, rules):
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


CHANGES = {
    replace_same_size: ["orders.csv"],
    rewrite_with_the_old_date: ["orders.csv"],
    add_a_table: ["deals.parquet"],
    lambda folder, rules: (folder / "orders.csv").unlink(): ["orders.csv"],
    link_elsewhere: ["orders.csv"],
    lambda folder, rules: (folder / "dataset.yml").write_text("name: Other\n"): ["dataset.yml"],
    lambda folder, rules: (folder / "events.csv.gz").write_bytes(b"x"): ["events.csv.gz"],
    lambda folder, rules: rules.write_text("nps: 30\n"): ["targets.yml"],
    remove_the_folder: ["dataset.yml", "events.csv.gz", "orders.csv"],
}
NO_CHANGES = [
    lambda folder: os.utime(folder / "orders.csv", (1, 1)),
    lambda folder: (folder / "notes.txt").write_text("x"),
    lambda folder: (folder / "~$orders.csv").write_text("x"),
    lambda folder: (folder / ".orders.csv").write_text("x"),
    lambda folder: (folder / "orders.csv").write_bytes((folder / "orders.csv").read_bytes()),
]


@pytest.mark.parametrize(("change", "names"), CHANGES.items())
def test_every_change_of_what_is_read_is_seen_at_the_end(change, names, shop, rules):
    with Watch({shop: "shop"}, {"rules": [rules]}) as watch:
        change(shop, rules)
        assert watch.changed() == names


@pytest.mark.parametrize("change", NO_CHANGES)
def test_a_new_date_on_the_same_bytes_and_files_nobody_reads_change_nothing(change, shop):
    with Watch({shop: "shop"}, {}) as watch:
        change(shop)
        assert watch.changed() == []


def test_a_file_that_was_changed_and_changed_back_is_seen(shop, monkeypatch):
    monkeypatch.setattr("cxlib.runner.watch._SECONDS", 0.02)
    before = (shop / "orders.csv").read_bytes()
    with Watch({shop: "shop"}, {}) as watch:
        (shop / "orders.csv").write_bytes(before.replace(b"200", b"900"))
        deadline = time.monotonic() + 5
        while not watch._changed and time.monotonic() < deadline:
            time.sleep(0.02)
        (shop / "orders.csv").write_bytes(before)
        assert watch.changed() == ["orders.csv"]


def test_a_database_is_watched_with_its_log_and_the_settings_beside_it(tmp_path):
    (tmp_path / "shop.duckdb").write_bytes(b"db")
    (tmp_path / "dataset.yml").write_text("name: Shop\n")
    (tmp_path / "orders.csv").write_text("nobody reads this\n")
    assert [path.name for path in files_read(tmp_path / "shop.duckdb")] == ["shop.duckdb", "dataset.yml"]
    with Watch({tmp_path / "shop.duckdb": "shop.duckdb"}, {}) as watch:
        assert [entry["file"] for entry in watch.record()["data"]["shop.duckdb"]] == [
            "shop.duckdb",
            "dataset.yml",
        ]
        (tmp_path / "shop.duckdb.wal").write_bytes(b"x")
        assert watch.changed() == ["shop.duckdb.wal"]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n3,4\n", 2),
        (b"a,b\n1,2\n3,4", 2),
        (b'a,b\n1,"two\nlines"\n3,4\n', 2),
        (b'a,b\n1,"a ""quoted"" word"\n', 1),
        (b"a,b\n", 0),
        (b"", 0),
    ],
)
def test_the_rows_of_a_csv_are_its_records(content, rows, tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_bytes(content)
    expected = {
        "file": "t.csv",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "rows": rows,
    }
    assert file_entry(tmp_path / "t.csv") == expected
    monkeypatch.setattr("cxlib.runner.watch._BLOCK", 3)
    assert file_entry(tmp_path / "t.csv") == expected


def test_a_file_that_cannot_be_read_is_an_input_error_that_names_it(shop, monkeypatch):
    opened = Path.open

    def refuse(path, *arguments, **options):
        if path.parent == shop:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"dataset\.yml cannot be read \(Permission denied\)"):
        Watch({shop: "shop"}, {})


@pytest.mark.parametrize("what", ["data", "parameters"])
def test_a_run_whose_files_change_meanwhile_is_not_published(what, shop, tmp_path, monkeypatch):
    (tmp_path / "p.yml").write_text("n_rows: 3\n")
    changed = {"data": shop / "orders.csv", "parameters": tmp_path / "p.yml"}[what]
    run_all = batch._run_all

    def slow(*arguments):
        run_all(*arguments)
        changed.write_text("n_rows: 4\n")

    monkeypatch.setattr(batch, "_run_all", slow)
    out = tmp_path / "out"
    (out / "20200101-000000").mkdir(parents=True)
    settings = RunSettings(
        reports=("plain",), notebooks=PLAIN, out=out, data=shop, parameters_file=tmp_path / "p.yml"
    )
    outcome = run(settings)
    assert outcome.exit_code == 3 and outcome.index is None
    assert changed.name in str(outcome.errors[0]) and "shop" not in str(outcome.errors[0])
    assert "実行中に" in outcome.errors[0].in_language("ja")
    assert sorted(path.name for path in out.glob("[!.]*")) == ["20200101-000000", "failed"]
    record = json.loads((outcome.folder / "run.json").read_text())
    assert record["status"] == "failed" and record["changed"] == [changed.name]


def test_the_manifest_names_data_rules_and_parameters_file(shop, tmp_path):
    (tmp_path / "p.yml").write_text("n_rows: 3\n")
    settings = RunSettings(
        reports=("plain",),
        notebooks=PLAIN,
        out=tmp_path / "out",
        data=shop,
        parameters_file=tmp_path / "p.yml",
    )
    record = json.loads((run(settings).folder / "run.json").read_text())
    assert [entry["file"] for entry in record["data"]["shop"]] == [
        "dataset.yml",
        "events.csv.gz",
        "orders.csv",
    ]
    assert "journey.yml" in [entry["file"] for entry in record["rules"]]
    assert record["parameters_file"][0]["sha256"] == hashlib.sha256(b"n_rows: 3\n").hexdigest()
