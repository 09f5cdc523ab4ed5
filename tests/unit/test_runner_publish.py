import errno
import os
from datetime import UTC, datetime

import pytest

from cxlib.checks import ParameterError
from cxlib.runner import index, publish
from cxlib.runner.errors import LockedError, OutputError


def test_a_draft_is_seen_only_once_it_is_whole(tmp_path):
    with publish.locked(tmp_path), publish.Draft(tmp_path, "run") as draft:
        draft.write({"a.html": b"a", "tables/x/t.csv": b"t"})
        assert not (tmp_path / "run").exists()
        draft.publish()
    assert (tmp_path / "run" / "tables" / "x" / "t.csv").read_bytes() == b"t"
    assert [path.name for path in tmp_path.iterdir()] != [] and not list(tmp_path.glob(".building*"))


def test_a_draft_that_is_not_published_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), publish.Draft(tmp_path, "run") as draft:
        draft.write({"a.html": b"a"})
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    holder = str(os.getpid())
    with (
        publish.locked(tmp_path),
        pytest.raises(LockedError, match=holder) as caught,
        publish.locked(tmp_path),
    ):
        raise AssertionError
    assert caught.value.exit_code == 7
    with publish.locked(tmp_path):
        pass


def test_what_a_killed_run_left_is_removed_and_its_lock_does_not_hold(tmp_path):
    (tmp_path / ".building-20260101-000000").mkdir()
    (tmp_path / ".building-20260101-000000" / "half.html").write_text("half")
    (tmp_path / ".lock").write_text("999999\n")
    with publish.locked(tmp_path):
        assert not list(tmp_path.glob(".building*"))


def test_a_run_is_named_by_its_second_and_never_replaces_one(tmp_path):
    name = publish.stamp(datetime(2026, 4, 1, 9, 30, tzinfo=UTC))
    assert name == "20260401-093000"
    (tmp_path / name).mkdir()
    (tmp_path / "failed" / f"{name}-2").mkdir(parents=True)
    assert publish.free_name(tmp_path, name) == f"{name}-3"


@pytest.mark.parametrize(
    ("number", "key"),
    [
        (errno.ENOSPC, "runner.disk_full"),
        (errno.EROFS, "runner.not_writable"),
        (errno.EACCES, "runner.not_writable"),
        (errno.ENAMETOOLONG, "runner.name_too_long"),
        (errno.EIO, "runner.cannot_write"),
    ],
)
def test_a_disk_that_refuses_is_an_output_error_and_publishes_nothing(tmp_path, monkeypatch, number, key):
    def refuse(path, content):
        path.write_bytes(content[:1])
        raise OSError(number, os.strerror(number))

    (tmp_path / "index.html").write_text("earlier")
    monkeypatch.setattr(publish, "write_synced", refuse)
    with pytest.raises(OutputError) as caught, publish.Draft(tmp_path, "run") as draft:
        draft.write({"a.html": b"abc"})
    assert caught.value.key == key and caught.value.exit_code == 6
    with pytest.raises(OutputError):
        publish.replace(tmp_path / "index.html", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text() == "earlier"


def test_a_name_no_system_takes_is_refused(tmp_path):
    for name in ("a\0b", "n" * 300, "あ" * 100):
        with pytest.raises(ParameterError):
            publish.check_out(tmp_path / name)


def test_a_file_where_the_folder_should_be_is_an_output_error(tmp_path):
    (tmp_path / "reports").write_text("")
    with pytest.raises(OutputError) as caught:
        publish.check_out(tmp_path / "reports")
    assert caught.value.exit_code == 6
    with pytest.raises(OutputError), publish.locked(tmp_path / "reports" / "inner"):
        raise AssertionError


def test_links_are_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("kept")
    out = tmp_path / "out"
    out.mkdir()
    (out / ".lock").symlink_to(elsewhere / "precious")
    with pytest.raises(OutputError), publish.locked(out):
        raise AssertionError
    (out / ".lock").unlink()
    (out / ".building-old").symlink_to(elsewhere)
    (out / "failed").symlink_to(elsewhere)
    (out / "index.html").symlink_to(elsewhere / "precious")
    with publish.locked(out), publish.Draft(out, "run") as draft:
        with pytest.raises(OutputError):
            draft.keep_failed({"x": b"x"})
        publish.replace(out / "index.html", b"new")
    assert (elsewhere / "precious").read_text() == "kept" and len(list(elsewhere.iterdir())) == 1


def run_record(name, started, title, status="ok"):
    report = {"title": title, "data_set": "Shop & Co", "status": status}
    return {"run": name, "started_at": started, "lang": "ja", "reports": {"segmentation": report}}


def test_the_index_lists_runs_newest_first_and_escapes():
    runs = [
        run_record("2", "2026-02-01 00:00 UTC", "<script>alert(1)</script>", "not_enough_data"),
        run_record("1", "2026-01-01 00:00 UTC", "Segments"),
    ]
    html = index.index_html(runs, "en")
    assert html.index("2026-02-01") < html.index("2026-01-01")
    assert "<script" not in html and "&lt;script&gt;" in html and "Shop &amp; Co" in html
    assert "default-src 'none'" in html and 'href="1/segmentation.html"' in html
    assert html.count("not enough data in part") == 1
    assert '<html lang="ja">' in index.index_html(runs, "ja") and "レポート一覧" in index.index_html([], "ja")


def test_runs_without_a_readable_manifest_are_passed_over(tmp_path):
    import json

    for name, text in {
        "20260101-000000": json.dumps(run_record("20260101-000000", "2026-01-01", "A")),
        "20260102-000000": json.dumps(run_record("20260102-000000", "2026-01-02", "B")),
        "broken": "{",
        "other": json.dumps(run_record("../x", "2026", "C")),
        "odd": "[]",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(text)
    assert [run["run"] for run in index.read_runs(tmp_path)] == ["20260102-000000", "20260101-000000"]
