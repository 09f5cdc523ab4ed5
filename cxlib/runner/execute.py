"""Run one prepared notebook in one kernel, and check that every cell really ran."""

from __future__ import annotations

import ast
import asyncio
import atexit
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from papermill.parameterize import parameterize_notebook

from cxlib.checks import CxError
from cxlib.report.markup import sentence_html
from cxlib.runner.errors import (
    EXIT_NOT_ENOUGH_DATA,
    ExecutionError,
    KernelMessage,
    ReportFailed,
    cell_error,
    without_values,
)
from cxlib.runner.kernels import Kernels
from cxlib.runner.notebooks import heading_before
from cxlib.runner.words import say

_SILENT = logging.getLogger("cxlib.runner.execute")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_ASK = (
    "(lambda e: {'exit': e.exit_code, 'en': e.in_language('en'), 'ja': e.in_language('ja')})"
    "(__import__('sys').last_value)"
)
_SHARE_ID = "injected-sharing"
_SHARE = """import cxlib.report.report as exact
from cxlib.report.shared_report import SharedReport
import cxlib

cxlib.Report = cxlib.report.Report = exact.Report = SharedReport"""
_MODULE = re.compile(r"No module named '([\w.]{1,60})'")


class _Client(NotebookClient):
    """A notebook client that takes its kernel from us and remembers how far it came.

    A class because nbclient's hooks and kernel choice are methods.
    """

    def __init__(
        self, notebook: NotebookNode, kernels: Kernels, on_cell: Callable[[int], None], **options: Any
    ):
        super().__init__(notebook, log=_SILENT, **options)
        self.kernels, self.report_cell = kernels, on_cell
        self.position = 0
        self.completed: set[int] = set()
        self.sentences: dict[str, Any] | None = None
        self.on_cell_execute = self._started
        self.on_cell_executed = self._executed
        self.on_cell_error = self._ask_for_sentences

    def create_kernel_manager(self) -> Any:
        self.km = self.kernels.manager()
        return self.km

    def _started(self, cell: NotebookNode, cell_index: int) -> None:
        self.position = cell_index
        self.report_cell(cell_index)

    def _executed(self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        content = execute_reply["content"]
        wants_exit = any(item.get("source") == "ask_exit" for item in content.get("payload") or [])
        if content["status"] == "ok" and not wants_exit:
            self.completed.add(cell_index)

    async def _ask_for_sentences(
        self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]
    ) -> None:
        """Let the kernel say its own error in both languages, while it still lives."""
        if _allows_errors(cell):
            self.completed.add(cell_index)
            return
        message = self.kc.execute("", silent=True, store_history=False, user_expressions={"x": _ASK})  # type: ignore[union-attr]
        reply = await asyncio.wait_for(self.async_wait_for_reply(message), 10)
        answer = (reply or {"content": {}})["content"].get("user_expressions", {}).get("x", {})
        if answer.get("status") == "ok":
            self.sentences = ast.literal_eval(answer["data"]["text/plain"])


def inject(notebook: NotebookNode, values: Mapping[str, Any]) -> NotebookNode:
    """Let papermill put `values` after the parameters cell; names and plain values were checked before.

    The new cell's id, which papermill draws by chance, is fixed, so that a run can be repeated to the byte.
    """
    if not values:
        return notebook
    notebook.metadata["papermill"] = {}
    changed = parameterize_notebook(notebook, dict(values))
    for cell in changed.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"
    return changed


def share(notebook: NotebookNode) -> None:
    """Let the chapter's report be the coarse one, by a first cell that `without_exact` takes out again."""
    cell = new_code_cell(_SHARE, id=_SHARE_ID)
    notebook.cells.insert(0, cell)


def without_exact(notebook: NotebookNode) -> None:
    """Take out of a notebook that was run for sharing every output that did not go through the report."""
    notebook.cells = [cell for cell in notebook.cells if cell.get("id") != _SHARE_ID]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_coarse(output)]


def _is_coarse(output: NotebookNode) -> bool:
    return output.get("metadata", {}).get("cx", {}).get("is_shared") is True


def execute(
    notebook: NotebookNode,
    *,
    report: str,
    folder: Path,
    kernels: Kernels,
    timeout: float,
    lang: str = "en",
    on_cell: Callable[[int], None] = lambda index: None,
) -> None:
    """Run every code cell of `notebook`, in place; where data are not enough the report ends, and says why.

    Parameters
    ----------
    notebook
        As `notebooks.prepare` returns it.
    report
        Its name, for messages.
    folder
        Working directory of the kernel.
    kernels
        Where the kernel comes from.
    timeout
        Seconds for the whole report.
    lang
        Language of the report.
    on_cell
        Called with the index of each code cell that starts.

    Raises
    ------
    ReportFailed
        Any cell raised, ran out of time, lost its kernel or did not run; carries the half-run notebook.
    """
    client = _Client(
        notebook,
        kernels,
        on_cell,
        timeout=None,
        shutdown_kernel="immediate",
        iopub_timeout=30,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        asyncio.run(_within(client, timeout))
        position = gate(notebook, client.completed)
        cause: CxError | None = None if position is None else ExecutionError("runner.cause_unrun")
    except Exception as error:
        position, cause = client.position, _cause(error, client)
    finally:
        atexit.unregister(client._cleanup_kernel)  # nbclient leaves it behind when a kernel does not start
    if position is not None and isinstance(cause, KernelMessage) and cause.exit_code == EXIT_NOT_ENOUGH_DATA:
        end_at(notebook, position, cause.in_language(lang), lang)
        cause = None
    tidy(notebook)
    if cause is not None and position is not None:
        codes = [index for index, cell in enumerate(notebook.cells) if _is_own_code(cell)]
        failed = ReportFailed(
            cause,
            report=report,
            cell=max(1, sum(index <= position for index in codes)),
            cells=len(codes),
            heading=heading_before(notebook, position) or report,
        )
        failed.notebook = notebook
        raise failed


async def _within(client: _Client, timeout: float) -> None:
    """Run with a deadline, told apart here: nbclient turns a cancellation into 'kernel died'."""
    run = asyncio.ensure_future(client.async_execute(**client.kernels.start_options()))
    done, _ = await asyncio.wait({run}, timeout=timeout)
    if not done:
        run.cancel()
        await asyncio.wait({run})
        if not run.cancelled():
            run.exception()
        raise ExecutionError("runner.cause_timeout", seconds=f"{timeout:g}")
    run.result()


def _cause(error: Exception, client: _Client) -> CxError:
    """Plain words for what stopped a run."""
    match error:
        case CxError():
            return error
        case CellExecutionError() if client.sentences:
            code = client.sentences.pop("exit")
            return KernelMessage(client.sentences, code if code in (2, 3, EXIT_NOT_ENOUGH_DATA, 5) else 5)
        case CellExecutionError(ename=ename, evalue=evalue):
            module = _MODULE.search(evalue or "")
            return cell_error(ename or "?", module[1] if module else "")
        case DeadKernelError():
            return ExecutionError("runner.cause_kernel_died")
        case CellTimeoutError():
            return ExecutionError("runner.cause_timeout", seconds="30")
    if not client.completed:
        return ExecutionError("runner.cause_no_kernel", reason=type(error).__name__)
    return ExecutionError("runner.cause_other", ename=type(error).__name__)


def gate(notebook: NotebookNode, completed: set[int]) -> int | None:
    """Index of the first code cell that did not really run; none when all did.

    A cell ran when the kernel confirmed its end, gave it a number and left no error it was not meant to.
    """
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        has_error = any(output.output_type == "error" for output in cell.outputs)
        if index not in completed or cell.execution_count is None or (has_error and not _allows_errors(cell)):
            return index
    return None


def end_at(notebook: NotebookNode, position: int, reason: str, lang: str) -> None:
    """End a report at a cell that had not enough data: a notice in its place, and nothing after it.

    The notice is recorded as `Report.notice` records its own, so it makes the run end with exit code 4, and
    the page lifts it to the top where nothing was found.
    """
    sentence, level = say("ends_here", lang, reason=reason), "not_enough_data"
    badge = say(f"level_{level}", lang)
    html = sentence_html(sentence, kind="notice", badge=badge, verdict=level)
    notice = new_output(
        "display_data",
        data={"text/html": html, "text/plain": f"{badge}: {sentence}"},
        metadata={"cx": {"kind": "notice", "key": "runner.ends_here", "level": level, "text": sentence}},
    )
    cell = notebook.cells[position]
    cell.outputs = [output for output in cell.outputs if output.output_type != "error"] + [notice]
    del notebook.cells[position + 1 :]


def tidy(notebook: NotebookNode) -> None:
    """Take out what differs from run to run or could hold a customer's value."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for key in ("execution", "papermill", "collapsed"):
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                without_values(output)


def _is_own_code(cell: NotebookNode) -> bool:
    """Whether a cell is the chapter's own; those the runner puts in are not counted for a reader."""
    is_ours = cell.get("id") == _SHARE_ID or "injected-parameters" in cell.metadata.get("tags", [])
    return cell.cell_type == "code" and not is_ours


def _allows_errors(cell: NotebookNode) -> bool:
    return "raises-exception" in cell.metadata.get("tags", [])
