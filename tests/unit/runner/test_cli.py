import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import cxlib
from cxlib.runner import words
from cxlib.runner.cli import main

ROOT = Path(__file__).parents[3]
PLAIN = str(Path(__file__).parents[2] / "notebooks" / "plain")


def test_the_quick_reader_of_sentences_agrees_with_yaml():
    source = Path(cxlib.__file__).parent / "text" / "runner.yml"
    assert words.entries() == yaml.safe_load(source.read_text(encoding="utf-8"))


LAYERS = (
    {"parameters", "notebooks", "kernels", "collect", "inert", "errors", "words", "number_words"},
    {
        "fill_in",
        "private_file",
        "sections",
        "board_pictures",
        "text_numbers",
        "renderings",
        "followup",
    },
    {"terms"},
    {"plan", "execute", "render", "publish", "index", "net", "progress", "worklists"},
    {"imports", "manifest", "near", "board", "run_files", "earlier_items", "tell", "history_pictures"},
    {"figures", "decide", "course_copy"},
    {"check_text", "causes", "team_commands"},
    {"form", "item_key", "one_item", "open_notebook", "watch"},
    {"batch", "compare", "history", "retry"},
    {"compare_page", "cycle_file", "history_page", "run_reports"},
    {"alerts", "comparison", "cycle_items", "delivery"},
    {"history_commands"},
    {"cycle_after"},
    {"cycle"},
    {"cycle_command"},
    {"run_commands"},
    {"cli"},
)


def test_arrows_inside_the_runner_go_down_only():
    level = {name: number for number, names in enumerate(LAYERS) for name in names}
    files = {path.stem: path for path in Path(words.__file__).parent.glob("[!_]*.py")}
    assert set(files) == set(level)
    for name, path in files.items():
        source = path.read_text(encoding="utf-8")
        used = re.findall(r"from cxlib\.runner\.(\w+) import", source)
        for group in re.findall(r"from cxlib\.runner import (.+)", source):
            used += group.split(", ")
        assert all(level[other] < level[name] for other in used), name


def test_list_and_show_import_nothing_heavy():
    code = (
        f"import sys; from cxlib.runner.cli import main; main(['show', 'plain', '--notebooks', {PLAIN!r}]);"
        "heavy = {'yaml', 'rich', 'pandas', 'numpy', 'nbclient', 'nbformat', 'typer', 'pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_show_tells_type_default_range_and_meaning(capsys):
    assert main(["show", "plain", "--notebooks", PLAIN]) == 0
    shown = capsys.readouterr().out
    assert "conf_level" in shown and "0.5 … 0.999" in shown and "en | ja" in shown and "date | none" in shown
    assert main(["show", "plain", "--notebooks", PLAIN, "--lang", "ja"]) == 0
    assert "区間の信頼水準" in capsys.readouterr().out


def test_list_names_reports_in_the_language(capsys):
    assert main(["list", "--notebooks", PLAIN, "--lang=ja"]) == 0
    assert capsys.readouterr().out.splitlines() == ["plain  素朴なレポート", "small  小さなレポート"]


@pytest.mark.parametrize(
    ("arguments", "words_in_message"),
    [
        (["run", "plain", "-p", "n_row=3"], "n_rows"),
        (["run", "plain", "-p", "n_rows=three"], "whole number"),
        (["run", "plain", "-p", "n_rows=0"], "1 … 50"),
        (["run", "plain", "-p", "period_end=2026-02-30"], "no such day"),
        (["run", "plain", "-p", "period_start=2026-02-02", "-p", "period_end=2026-02-01"], "period_start"),
        (["run", "plain", "-p", "conf_level=nan"], "finite"),
        (["run", "plain", "-p", "x=1\nprint('owned')\ny"], "n"),
        (["run", "plain", "-p", "__import__('os')=1"], "plain word"),
        (["run", "plain", "-p", "password=hunter2"], "secret"),
        (["run", "plain", "-p", "label"], "name=value"),
        (["run", "plain", "-p", "label=a\0b"], "control character"),
        (["run", "plain", "-p", f"label={'x' * 100_000}"], "10,000"),
        (["run", "plain", "-f", "no-such-file.yml"], "no-such-file.yml"),
        (["run", "plain", "-f", "a\0b.yml"], "`--parameters-file` holds a control character"),
        (["run", "../../x"], "no report"),
        (["run", "plain", "--lang", "fr"], "fr"),
        (["run", "plain", "--jobs", "-1"], "--jobs"),
        (["run", "plain", "--timeout", "nan"], "--timeout"),
        (["run", "plain", "--no-such-option"], "--no-such-option"),
        (["show"], "REPORT"),
        (["show", "plan"], "plain"),
        ([], "--help"),
    ],
)
def test_usage_and_parameters_end_with_code_2_before_anything_starts(
    arguments, words_in_message, capsys, tmp_path
):
    if arguments[:1] == ["run"]:
        arguments = [*arguments, "--out", str(tmp_path / "out")]
    if arguments:
        arguments = [*arguments, "--notebooks", PLAIN]
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words_in_message in captured.err and "Traceback" not in captured.err and captured.out == ""
    assert "hunter2" not in captured.err and len(captured.err) < 600
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["a\0b", "n" * 300, "x/" + "あ" * 100])
def test_an_out_folder_no_system_takes_ends_with_code_2(out, tmp_path, capsys):
    assert main(["run", "plain", "--notebooks", PLAIN, "--out", str(tmp_path / out)]) == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["worklist", "stalled_deals", "--data", "d", "--out", "a\0b"], "--out"),
        (["worklist", "stalled_deals", "--data", "d", "--out", "n" * 300], "--out"),
        (["worklist", "stalled_deals", "--data", "d\0", "--out", "a"], "--data"),
        (["import", "--from", "a", "--to", "b\0"], "--to"),
        (["import", "--from", "a\n", "--to", "b"], "--from"),
        (["mapping", "new", "a\0"], "FILE"),
        (["figures", "a\0"], "RUN"),
    ],
)
def test_a_path_that_no_system_takes_is_a_wrong_argument_by_its_own_name(arguments, option, capsys):
    assert main(arguments) == 2
    assert f"`{option}`" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_names_no_other_option(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    assert main(["import", "--from", str(tmp_path), "--to", str(tmp_path / "file" / "x")]) == 6
    told = capsys.readouterr().err
    assert "is not a folder one can write to" in told and "--out" not in told


@pytest.mark.parametrize("data", ["no-such-folder", "../../../../nowhere", "/nowhere", "n" * 300, "a\0b"])
def test_a_data_folder_that_is_not_there_is_said_before_a_kernel_starts(data, tmp_path, capsys):
    for arguments in (["--data", data], ["-p", f"data={data}"]):
        code = main(["run", "plain", "--notebooks", PLAIN, "--out", str(tmp_path / "out"), *arguments])
        assert code == (2 if "\0" in data else 3)
        assert "data" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_dry_run_shows_values_and_starts_nothing(tmp_path, capsys, monkeypatch):
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yml").write_text("n_rows: 7\nplain:\n  label: from file\n  data: shop\n")
    out = str(tmp_path / "out")
    arguments = ["run", "plain", "--notebooks", PLAIN, "--out", out, "--dry-run", "-f", "p.yml"]
    assert main([*arguments, "-p", "names=a,b"]) == 0
    shown = capsys.readouterr().out
    assert "7" in shown and "from file" in shown and "a, b" in shown and "shop" in shown
    assert "None" not in shown and "period_end    none\n" in shown
    assert " ../" in shown and f" {tmp_path}" not in shown, "data is told relative to the notebooks"
    assert not (tmp_path / "out").exists()


def test_messages_come_in_japanese(capsys):
    assert main(["show", "plan", "--notebooks", PLAIN, "--lang", "ja"]) == 2
    assert "レポート" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words_in_message"),
    [
        (["show"], "指定が必要です：REPORT"),
        (["run", "--no-such-option"], "そのようなオプションや引数はありません：--no-such-option"),
        (["run", "--form", "short"], "--form は"),
        (["run", "--data"], "--data には値が必要です"),
        (["run", "--jobs", "many"], "--jobs は整数で指定してください"),
        (["run", "--timeout", "long"], "--timeout は数値で指定してください"),
        (["run", "--no", "x"], "--no に当てはまるオプションが複数"),
        (["run", "--dry-run=x"], "--dry-run に値は指定できません"),
        (["rnu"], "いずれかで指定してください"),
    ],
)
def test_the_command_lines_own_complaints_come_in_japanese(arguments, words_in_message, capsys):
    assert main([*arguments, "--lang=ja"] if arguments[-1] != "--data" else ["--lang=ja", *arguments]) == 2
    message = capsys.readouterr().err
    assert words_in_message in message and "argument" not in message and "cx --help" in message


def test_progress_on_a_terminal_shows_chapter_and_cell(capsys):
    from cxlib.runner.progress import LiveProgress, choose_progress

    with LiveProgress("en") as progress:
        progress.start("journey", 9)
        progress.cell("journey", 4, "Answer [all]")
        progress._progress.refresh()
        assert progress._progress.tasks[0].completed == 4
        progress.end("journey", 1.0, is_ok=True)
    shown = capsys.readouterr().out
    assert "journey" in shown and "9/9" in shown
    with choose_progress("ja") as quiet:
        quiet.start("journey", 9)
        quiet.cell("journey", 4, "")
        quiet.end("journey", 1.0, is_ok=False)
    assert capsys.readouterr().out == "journey：停止（1.0秒）\n"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("list", "show", "run", "sample", "check", "import"))


@pytest.mark.parametrize(
    "file", sorted((ROOT / "reports" / "params").glob("*.yml")), ids=lambda file: file.name
)
def test_the_parameters_files_we_ship_are_accepted_by_the_chapters_we_ship(file, capsys):
    if not list((ROOT / "notebooks").glob("*.ipynb")):
        pytest.skip("no chapters here")
    assert main(["run", "-f", str(file), "--dry-run"]) == 0, capsys.readouterr().err


def test_sample_check_and_import_go_through(tmp_path, capsys):
    made = tmp_path / "made"
    assert main(["sample", "--customers", "300", "--seed", "3", "--out", str(made), "--format", "csv"]) == 0
    assert (made / "truth.json").exists() and (made / "orders.csv").exists()
    assert main(["check", str(made), "--lang", "ja"]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 4
    text = (made / "orders.csv").read_text(encoding="utf-8")
    (made / "orders.csv").write_text(text.replace("202", "abc", 1).replace("2025-", "0000-", 1), "utf-8")
    assert main(["check", str(made)]) == 3
    assert "orders.csv" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "nowhere")]) == 3
    assert main(["sample", "--customers", "0", "--out", str(tmp_path / "x")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_import_says_what_it_did(tmp_path, capsys):
    export = tmp_path / "export"
    export.mkdir()
    missing = ["import", str(tmp_path / "m.yml"), "--from", str(export), "--to", str(tmp_path / "to")]
    assert main(missing) in (2, 3)
    assert "m.yml" in capsys.readouterr().err and not (tmp_path / "to").exists()


SAMPLE_RUN = ["run", "--dry-run", "--data", str(ROOT / "data" / "sample")]


@pytest.mark.parametrize(
    ("words_given", "code", "words_in_message"),
    [
        (["-p", "initiative=I9"], 2, "I1, I2, I3, I4"),
        (["-p", "initiative=I1,I2"], 2, "I1, I2, I3, I4"),
        (["-p", "by=regio"], 2, "region"),
        (["-p", "segment=Champion"], 2, "Champions"),
        (["-p", "where=regio=Kanto"], 2, "region"),
        (["-p", "where=region=Knato"], 2, "Kanto"),
        (["-p", "where=Kanto"], 2, "region=Kanto, gender=female"),
        (["-p", "where=region=Kanto, customer_type=consumer"], 0, ""),
        (["-p", "as_of=2027-01-31"], 2, "2026-10-01"),
        (["-p", "as_of=2015-01-01"], 2, "2024-10-0"),
        (["-p", "period_end=2015-01-01"], 2, "2024-10-0"),
        (["-p", "period_start=2030-01-01"], 2, "2026-09-30"),
        (["-p", "survey=relation"], 2, "relationship"),
        (["-p", "outcome=nps"], 2, "nps_score"),
        (["-p", "initiative=I1", "-p", "initiative=I2"], 2, "more than once"),
        (["-p", "by=region", "-p", "segment=Champions", "-p", "initiative=I2"], 0, ""),
        (["-p", "by=segment"], 0, ""),
        (["journey", "-p", "by=first_channel"], 0, ""),
    ],
)
def test_a_value_that_is_not_in_the_data_is_refused_before_anything_runs(
    words_given, code, words_in_message, capsys
):
    assert main([*SAMPLE_RUN, *words_given]) == code
    captured = capsys.readouterr()
    assert words_in_message in captured.err and (code == 0) == (captured.err == "")
    assert (captured.out == "") == (code != 0)


def test_a_real_run_refuses_the_same_and_leaves_nothing(tmp_path, capsys):
    arguments = ["run", "initiative_roi", "-p", "initiative=I9", "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "I1, I2, I3, I4" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_list_for_one_value_is_told_to_run_once_for_each(tmp_path, capsys):
    (tmp_path / "p.yml").write_text("initiative: [I1, I2]\n")
    for lang, sentence in (("en", "run the report once for each"), ("ja", "値ごとに分けて")):
        assert main([*SAMPLE_RUN, "initiative_roi", "-f", str(tmp_path / "p.yml"), "--lang", lang]) == 2
        told = capsys.readouterr().err
        assert sentence in told and "quotes" not in told


@pytest.mark.parametrize("name", ["notes.txt", "shop.csv"])
def test_a_file_that_holds_no_data_set_is_refused_as_data(name, tmp_path, capsys):
    (tmp_path / name).write_text("x")
    arguments = ["run", "plain", "--notebooks", PLAIN, "--out", str(tmp_path / "out"), "--dry-run"]
    assert main([*arguments, "--data", str(tmp_path / name)]) == 3
    assert "neither a folder" in capsys.readouterr().err
    if Path("/dev/zero").exists():
        assert main([*arguments, "--data", "/dev/zero"]) == 3


def test_a_notebooks_folder_that_is_not_there_is_what_the_message_names(capsys):
    assert main(["run", "segmentation", "--notebooks", "/nowhere", "--dry-run"]) == 2
    assert "--notebooks" in capsys.readouterr().err


@pytest.mark.parametrize(("extra", "code"), [([], 4), (["--accept-gaps"], 0)])
def test_lack_of_data_can_be_accepted_and_is_said_all_the_same(extra, code, tmp_path, capsys, monkeypatch):
    from cxlib.runner import run_reports
    from cxlib.runner.tell import Outcome

    outcome = Outcome(4, tmp_path, tmp_path / "index.html", [], ["plain"])
    monkeypatch.setattr(run_reports, "run_plans", lambda *_, **__: outcome)
    assert main(["run", "plain", "--notebooks", PLAIN, "--out", str(tmp_path / "out"), *extra]) == code
    assert "plain" in capsys.readouterr().out


def test_the_folder_of_a_killed_runs_sockets_is_removed_by_the_next(tmp_path, monkeypatch):
    import tempfile

    from cxlib.runner.kernels import Kernels

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    left, alive, other = (tmp_path / name for name in (f"cx-{ended.stdout.strip()}-a", "cx-1-b", "cx-mine"))
    for folder in (left, alive, other):
        folder.mkdir()
    with Kernels(is_warm=False):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cx-1-b", "cx-mine"]
