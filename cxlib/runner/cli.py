"""The command `cx`.

Written with argparse: typer alone takes longer to import than `cx show` may take in all. Whatever runs
something is imported inside the command that needs it.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

from cxlib.checks import ParameterError
from cxlib.data.places import HANDBOOK, REPORTS
from cxlib.runner.imports import add_import
from cxlib.runner.net import caught, open_streams
from cxlib.runner.notebooks import FORMS, choose, find_notebooks, read_notebook, title
from cxlib.runner.parameters import read_parameters, shown
from cxlib.runner.run_commands import add_run_commands
from cxlib.runner.tell import print_table, shown_value
from cxlib.runner.words import say
from cxlib.runner.worklists import add_worklist


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of leaving, so that every message goes one way out.

    A class because argparse offers no other place for it.
    """

    lang = "en"

    def error(self, message: str) -> Any:
        raise ParameterError("runner.usage", message=_usage(message, self.lang))


_USAGE = {
    "usage_required": r"the following arguments are required: (?P<names>.+)",
    "usage_unknown": r"unrecognized arguments: (?P<names>.+)",
    "usage_choice": r"argument (?P<name>.+?): invalid choice: (?P<found>.+?) \(choose from (?P<options>.+)\)",
    "usage_value": r"argument (?P<name>.+?): expected (?:one|at least one|\d+) arguments?",
    "usage_int": r"argument (?P<name>.+?): invalid int value: (?P<found>.+)",
    "usage_float": r"argument (?P<name>.+?): invalid float value: (?P<found>.+)",
    "usage_ambiguous": r"ambiguous option: (?P<name>.+?) could match (?P<options>.+)",
    "usage_no_value": r"argument (?P<name>.+?): ignored explicit argument (?P<found>.+)",
}


def _usage(message: str, lang: str) -> str:
    """Say argparse's usual complaints in the catalogue's words, shortened; a rare one stays as it is."""
    for key, pattern in _USAGE.items():
        if match := re.fullmatch(pattern, message, re.DOTALL):
            return say(key, lang, **{name: _short(found) for name, found in match.groupdict().items()})
    return _short(message)


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"


#: How a path is called on the command line where its option is called otherwise.
_OPTIONS = {"target": "--to", "source": "--from", "file": "FILE", "run": "RUN"}
_WRITTEN = ("out", "target", "to")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code.

    Examples
    --------
    >>> main(["show", "no-such-report", "--notebooks", "."])
    2
    """
    words = sys.argv[1:] if arguments is None else arguments
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter is no reason to stop
    lang = _language(words)

    def parse_and_run() -> int:
        options = _parser(lang).parse_args(words)
        _check_paths(vars(options))
        place = getattr(options, options.place) if options.place else None
        return caught(lambda: options.command(options, lang), lang, place=place)

    return caught(parse_and_run, lang)


def _check_paths(options: dict[str, Any]) -> None:
    """Raise for a path that no system can take: with a control character, or too long to be written."""
    for name, path in options.items():
        if not isinstance(path, Path):
            continue
        option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
        if any(ord(mark) < 32 for mark in str(path)):
            raise ParameterError("runner.control_character", name=option)
        if name in _WRITTEN and any(len(os.fsencode(part)) > 255 for part in path.parts):
            raise ParameterError("runner.too_long", name=option, limit="255")


def _language(words: list[str]) -> str:
    """Language of the messages, known before the rest is read."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        value = following if word == "--lang" else word.removeprefix("--lang=")
        if word.startswith("--lang") and value in ("en", "ja"):
            return value
    return "en"


def _parser(lang: str) -> argparse.ArgumentParser:
    _Parser.lang = lang
    parser = _Parser(prog="cx", description=say("help", lang))
    commands = parser.add_subparsers(metavar=say("help_command", lang), required=True)

    def command(name: str, function: Any) -> argparse.ArgumentParser:
        told = say(f"help_{name.replace('-', '_')}", lang)
        added = commands.add_parser(name, help=told, description=told)
        added.add_argument("--lang", choices=("en", "ja"), help=say("help_lang", lang))
        added.set_defaults(command=function, place=None)
        return added

    def folder(added: argparse.ArgumentParser, name: str, **options: Any) -> None:
        added.add_argument(f"--{name}", type=Path, metavar="DIR", help=say(f"help_{name}", lang), **options)

    folder(command("list", _list), "notebooks", default=HANDBOOK / "notebooks")
    show = command("show", _show)
    show.add_argument("report", metavar="REPORT")
    folder(show, "notebooks", default=HANDBOOK / "notebooks")
    _add_run(command("run", _run), folder, lang)
    _add_open(command("open", _open), folder, lang)
    sample = command("sample", _sample)
    sample.add_argument("--customers", type=int, default=4000, metavar="N", help=say("help_customers", lang))
    sample.add_argument("--seed", type=int, default=7, metavar="S", help=say("help_seed", lang))
    sample.add_argument("--months", type=int, default=24, metavar="M", help=say("help_months", lang))
    sample.add_argument(
        "--format", choices=("parquet", "csv"), default="parquet", help=say("help_format", lang)
    )
    sample.set_defaults(place="out")
    sample.add_argument("--out", type=Path, required=True, metavar="DIR", help=say("help_sample_out", lang))
    add_worklist(command, REPORTS, lang)
    add_run_commands(command, REPORTS, lang)
    check = command("check", _check)
    check.add_argument("data", type=Path, metavar="DIR", help=say("help_check_data", lang))
    add_import(command, lang)
    return parser


def _add_chosen(added: argparse.ArgumentParser, folder: Any, lang: str) -> None:
    added.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="name=value", help=say("help_p", lang)
    )
    added.add_argument(
        "-f", dest="parameters_file", type=Path, metavar="params.yml", help=say("help_f", lang)
    )
    folder(added, "data")
    folder(added, "notebooks", default=HANDBOOK / "notebooks")
    added.add_argument("--form", choices=FORMS, default="report", help=say("help_form", lang))


def _add_open(opened: argparse.ArgumentParser, folder: Any, lang: str) -> None:
    opened.add_argument("reports", nargs=1, metavar="REPORT", help=say("help_open_report", lang))
    _add_chosen(opened, folder, lang)
    opened.add_argument("--out", type=Path, metavar="FILE", help=say("help_open_out", lang))
    opened.add_argument("--force", action="store_true", help=say("help_worklist_force", lang))


def _add_run(run: argparse.ArgumentParser, folder: Any, lang: str) -> None:
    run.add_argument("reports", nargs="*", metavar="REPORT", help=say("help_reports", lang))
    _add_chosen(run, folder, lang)
    folder(run, "out", default=REPORTS)
    run.add_argument("--jobs", type=int, default=0, metavar="N", help=say("help_jobs", lang))
    run.add_argument("--timeout", type=float, default=1800, metavar="S", help=say("help_timeout", lang))
    run.add_argument("--with-code", action="store_true", help=say("help_with_code", lang))
    run.add_argument("--no-warm", action="store_true", help=say("help_no_warm", lang))
    run.add_argument("--accept-gaps", action="store_true", help=say("help_accept_gaps", lang))
    run.add_argument("--shared", action="store_true", help=say("help_shared", lang))
    run.add_argument("--retry", nargs="?", const="newest", metavar="RUN", help=say("help_retry", lang))
    run.add_argument("--dry-run", action="store_true", help=say("help_dry_run", lang))


def _list(options: argparse.Namespace, lang: str) -> int:
    notebooks = choose(find_notebooks(options.notebooks), [])
    print_table([[name, title(read_notebook(path), lang)] for name, path in notebooks.items()])
    return 0


def _show(options: argparse.Namespace, lang: str) -> int:
    (name, path), *_ = choose(find_notebooks(options.notebooks), [options.report]).items()
    notebook = read_notebook(path)
    heads = [say(f"column_{column}", lang) for column in ("parameter", "type", "default", "range", "meaning")]
    rows = [
        [p.name, p.type_text, shown_value(p.default, lang), p.range_text or "–", p.meaning.get(lang, "")]
        for p in read_parameters(notebook, name)
    ]
    print(f"{name}: {title(notebook, lang)}\n")  # noqa: T201
    print_table([heads, *rows])
    return 0


def _chosen(options: argparse.Namespace) -> Any:
    """Read from the command line which report, data and values are meant."""
    from cxlib.runner.plan import RunSettings

    Path.cwd()  # a kernel cannot start from a folder that is gone; the net says so
    names = [name for name, _ in map(_pair, options.parameters)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError("runner.given_twice", names=", ".join(map(shown, twice)))
    return RunSettings(
        reports=tuple(options.reports),
        parameters=tuple(map(_pair, options.parameters)),
        parameters_file=options.parameters_file,
        data=options.data,
        lang=options.lang,
        notebooks=options.notebooks.absolute(),
        form=options.form,
    )


def _settings(options: argparse.Namespace) -> Any:
    """How to run, from the command line."""
    from dataclasses import replace

    if options.jobs < 0 or not 0 < options.timeout < 1e6:
        raise ParameterError("runner.usage", message="--jobs ≥ 0, 0 < --timeout < 1000000")
    return replace(
        _chosen(options),
        out=options.out,
        jobs=options.jobs,
        timeout=options.timeout,
        with_code=options.with_code,
        is_warm=not options.no_warm,
        is_shared=options.shared,
    )


def _run(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.run_reports import run_reports

    told = {"retry": options.retry, "is_dry": options.dry_run, "accepts_gaps": options.accept_gaps}
    return run_reports(_settings(options), lang, **told)


def _open(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.open_notebook import open_notebook

    file = open_notebook(_chosen(options), out=options.out, force=options.force)
    print(say("notebook_written", lang, file=file))  # noqa: T201
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise ParameterError("runner.not_a_pair", found=repr(text)[:60])
    return name, value


def _sample(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.publish import check_out
    from cxlib.samples.simulate import write_sample

    check_out(options.out)
    write_sample(
        options.out,
        n_customers=options.customers,
        seed=options.seed,
        months=options.months,
        format=options.format,
    )
    print(say("sample_written", lang, folder=options.out))  # noqa: T201
    return 0


def _check(options: argparse.Namespace, lang: str) -> int:
    from cxlib.data.tables.coverage import check_folder

    problems, coverage = check_folder(options.data)
    for line in [item.text(lang) for item in problems] + [item.text(lang) for item in coverage]:
        print(line)  # noqa: T201
    return 3 if any(problem.level == "error" for problem in problems) else 0


if __name__ == "__main__":
    sys.exit(main())
