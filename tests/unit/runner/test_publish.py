import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cxlib.checks import ParameterError
from cxlib.runner import batch, index, publish
from cxlib.runner.cli import main
from cxlib.runner.errors import ExecutionError, LockedError, OutputError

PLAIN = Path(__file__).parents[2] / "notebooks" / "plain"
RESULTS = {"header": {}, "tables": {}, "findings": {}, "figures": {}, "notices": {}}


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


def test_the_index_leads_to_the_one_page_of_runs_that_have_one(tmp_path):
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        record = run_record(name, "2026-01-01 00:00 UTC", "Segments")
        (tmp_path / name / "run.json").write_text(json.dumps(record))
    (tmp_path / "2" / "summary.html").write_text("")
    html = index.index_html(index.read_runs(tmp_path), "en")
    assert 'href="2/summary.html"' in html and "1/summary.html" not in html


def test_the_index_speaks_one_language_and_leads_to_its_pages_first(tmp_path):
    record = run_record("1", "2026-01-01 00:00 UTC", "Segments")
    pages = {"en": "segmentation.html", "ja": "segmentation_ja.html"}
    titles, scope = {"en": "Segments", "ja": "顧客の区分"}, {"en": [], "ja": ["地域が「関東」の顧客のみ"]}
    record["reports"]["segmentation"] |= {"pages": pages, "titles": titles, "scope": scope}
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "run.json").write_text(json.dumps(record))
    runs = index.read_runs(tmp_path)
    japanese, english = index.index_html(runs, "ja"), index.index_html(runs, "en")
    assert 'href="1/segmentation_ja.html" lang="ja">顧客の区分</a> · ' in japanese
    assert "Segments" not in japanese and "地域が" in japanese
    assert 'href="1/segmentation.html" lang="en">Segments</a> · ' in english and "顧客の" not in english
    assert '<td class="scope">all customers</td>' in english, "an empty scope is everybody"


NESTED = "[" * 100_000 + "]" * 100_000
GOOD = {"run": "bad", "started_at": "2026-01-03", "lang": "en", "reports": {"segmentation": {"title": "T"}}}
DAMAGED = {
    "nested": NESTED,
    "nested inside": json.dumps(GOOD)[:-1] + f', "x": {NESTED}}}',
    "no reports": json.dumps({**GOOD, "reports": None}),
    "reports of another kind": json.dumps({**GOOD, "reports": {"segmentation": 5}}),
    "list": json.dumps({**GOOD, "reports": ["segmentation"]}),
    "not text": "\udcff\x00",
    "number": "1e999",
    "name": json.dumps({**GOOD, "run": 5}),
}
ODD = {
    "no start": json.dumps({name: value for name, value in GOOD.items() if name != "started_at"}),
    "start of another kind": json.dumps({**GOOD, "started_at": {"a": [1]}, "lang": ["en"]}),
    "title of another kind": json.dumps(
        {**GOOD, "reports": {"segmentation": {"title": {"a": 1}, "status": []}}}
    ),
    "half a letter": json.dumps(
        {**GOOD, "reports": {"segmentation": {"title": "\ud800", "data_set": "\udfff"}}}
    ),
    "endless title": json.dumps({**GOOD, "reports": {"segmentation": {"title": "x" * 100_000}}}),
}


def listed_beside_a_good_run(tmp_path, text):
    for name, content in {
        "20260101-000000": json.dumps(run_record("20260101-000000", "2026", "A")),
        "bad": text,
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(content, "utf-8", "surrogatepass")
    runs = index.read_runs(tmp_path)
    page = index.index_html(runs, "en").encode("utf-8", "replace")
    assert b'href="20260101-000000/segmentation.html"' in page and len(page) < 40_000
    return [run["run"] for run in runs]


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_manifest_never_keeps_other_runs_from_the_index(text, tmp_path):
    assert listed_beside_a_good_run(tmp_path, text) == ["20260101-000000"]


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_a_manifest_with_entries_of_other_kinds_is_listed_without_them(text, tmp_path):
    assert sorted(listed_beside_a_good_run(tmp_path, text)) == ["20260101-000000", "bad"]


def test_a_manifest_that_is_no_file_is_not_opened(tmp_path):
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "run.json")
    (tmp_path / "folder" / "run.json").mkdir(parents=True)
    assert index.read_runs(tmp_path) == []


def no_room(path, content):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupted(path, content):
    raise KeyboardInterrupt


@pytest.mark.parametrize(("failure", "code"), [(no_room, 6), (interrupted, 130)])
def test_a_run_whose_index_fails_says_where_it_was_published(failure, code, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(batch, "_run_all", lambda plans, *_: [one.results.update(RESULTS) for one in plans])
    monkeypatch.setattr(publish, "replace", failure)
    arguments = ["run", "small", "--notebooks", str(PLAIN), "--out", str(tmp_path / "out")]
    assert main(arguments) == code
    told = capsys.readouterr().err
    (folder,) = (tmp_path / "out").glob("2*")
    assert f"The reports are published in {folder}" in told and "nothing was published" not in told
    assert main([*arguments, "--lang", "ja"]) == code
    assert "に公開しました" in capsys.readouterr().err
    monkeypatch.undo()
    assert len(index.read_runs(tmp_path / "out")) == 2, "the next run lists both"


def test_a_disk_that_does_not_confirm_a_rename_has_published_all_the_same(tmp_path, monkeypatch):
    def refuse(folder):
        raise OSError(errno.EIO, "")

    monkeypatch.setattr(publish, "_sync_folder", refuse)
    with publish.Draft(tmp_path, "run") as draft:
        assert draft.publish() == tmp_path / "run"


def test_a_failure_that_cannot_be_kept_is_said_first_all_the_same(tmp_path, monkeypatch, capsys):
    def failed(plans, *_):
        plans[0].error = ExecutionError("runner.cause_memory")
        monkeypatch.setattr(publish, "write_synced", no_room)  # the disk fills up meanwhile

    write = publish.write_synced
    monkeypatch.setattr(batch, "_run_all", failed)
    assert main(["run", "small", "--notebooks", str(PLAIN), "--out", str(tmp_path / "out")]) == 5
    told = capsys.readouterr().err
    monkeypatch.setattr(publish, "write_synced", write)
    assert told.index("Out of memory") < told.index("is full") < told.index("could not be kept either")


def test_runs_without_a_readable_manifest_are_passed_over(tmp_path):
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
