"""Kernels for the chapters: forked from a server that has the libraries loaded, or plain ones.

A warm kernel is a fork of the standard library's forkserver, which has imported pandas, statsmodels and
cxlib: its own process and memory, ready in a fifth of the time. Plain kernels serve where no fork is
safe (all but Linux) and with `--no-warm`. Both are the running environment's Python whatever kernel a
notebook names, speak over a socket file instead of TCP where the system has them, see the same environment
variables and die with the runner.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from itertools import count
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

_LIBRARIES = ["ipykernel.kernelapp", "pandas", "seaborn", "babel.dates", "narwhals", "pydantic"]
_NOT_ANALYSIS = {"runner", "text", "samples", "exports"}
_FOLDER = "cx-"
_LONGEST_SOCKET_FOLDER = 80
_INLINE = "module://matplotlib_inline.backend_inline"
_start_lock = threading.Lock()


class Kernels:
    """The kernels of one run: `with Kernels(is_warm=True) as kernels: kernels.manager()`.

    A class because it holds the folder of sockets and the fork server for as long as the run lasts.
    """

    def __init__(self, *, is_warm: bool) -> None:
        self.is_warm = is_warm and sys.platform == "linux"
        self._numbers = count(1)
        self._managers: list[AsyncKernelManager] = []
        # One thread for linear algebra, not cores // jobs: the number of threads changes the last bits of a
        # sum, and a figure must not depend on --jobs or on the machine's cores.
        self.environment = {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONUTF8": "1",
            "TZ": "UTC",
            "MPLBACKEND": _INLINE,
        }

    def __enter__(self) -> Kernels:
        _remove_left_behind()
        own = f"{_FOLDER}{os.getpid()}-"
        folder = tempfile.mkdtemp(prefix=own)
        if len(os.fsencode(folder)) > _LONGEST_SOCKET_FOLDER and os.access("/tmp", os.W_OK):
            shutil.rmtree(folder, ignore_errors=True)
            folder = tempfile.mkdtemp(prefix=own, dir="/tmp")
        self.folder = Path(folder)
        self.environment["IPYTHONDIR"] = str(self.folder / "ipython")
        if self.is_warm:
            try:
                self._start_server()
            except OSError:
                self.is_warm = False
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_server(self) -> None:
        """Start the fork server; it imports while the runner goes on."""
        with _start_lock, _blank_main(), _environment(self.environment):
            multiprocessing.get_context("forkserver").set_forkserver_preload(_preloaded())
            forkserver.ensure_running()

    def stop(self) -> None:
        """Kill every kernel that still runs."""
        for manager in self._managers:
            process = getattr(manager.provisioner, "process", None)
            if process is not None and process.poll() is None:
                process.kill()

    def manager(self) -> AsyncKernelManager:
        """Return a manager for one more kernel, not started yet."""
        has_sockets = hasattr(os, "fork") and len(os.fsencode(self.folder)) <= _LONGEST_SOCKET_FOLDER
        manager = HandbookKernelManager(
            kernel_name="python3",
            transport="ipc" if has_sockets else "tcp",
            connection_file=str(self.folder / f"{next(self._numbers)}.json"),
        )
        provisioner = _ForkProvisioner if self.is_warm else LocalProvisioner
        manager.provisioner = provisioner(kernel_id="cx", kernel_spec=manager.kernel_spec, parent=manager)
        self._managers.append(manager)
        return manager

    def start_options(self) -> dict[str, Any]:
        """Keyword arguments for starting a kernel: variables, and no output on the runner's terminal."""
        environment = {**os.environ, **self.environment}
        environment.pop("JPY_PARENT_PID", None)
        return {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def _remove_left_behind() -> None:
    """Remove the sockets' folders of runs that were killed: their process is gone."""
    for place in {tempfile.gettempdir(), "/tmp"}:
        for folder in Path(place).glob(f"{_FOLDER}*-*"):
            number = folder.name.removeprefix(_FOLDER).partition("-")[0]
            try:
                is_ours = os.name == "posix" and folder.lstat().st_uid == os.getuid() and number.isdecimal()
                if is_ours:
                    os.kill(int(number), 0)
            except ProcessLookupError:
                shutil.rmtree(folder, ignore_errors=True)
            except (OSError, OverflowError):
                continue


def _preloaded() -> list[str]:
    """Modules the chapters use: the libraries nearly all of them load, and all of cxlib's analysis."""
    package = Path(__file__).parents[1]
    modules = [file.relative_to(package).with_suffix("").parts for file in package.rglob("[!_]*.py")]
    names = {".".join(parts) for parts in modules if not _NOT_ANALYSIS & set(parts)}
    return _LIBRARIES + sorted(f"cxlib.{name}" for name in names)


class HandbookKernelManager(AsyncKernelManager):
    """A manager whose kernel is this Python, whatever is installed as `python3` elsewhere."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The running environment's ipykernel."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, language="python", display_name="Python 3")


class _ForkProvisioner(LocalProvisioner):
    """Starts a kernel by asking the fork server."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        arguments = (cmd[3:], str(options["cwd"]), options["env"])
        process = multiprocessing.get_context("forkserver").Process(
            target=_serve, args=arguments, daemon=True
        )
        try:
            with _start_lock, _blank_main():
                process.start()
        except (OSError, EOFError):  # the server is gone; a plain kernel does the same, only later
            return await super().launch_kernel(cmd, **options)
        self.process = _Forked(process)  # type: ignore[assignment]
        self.pid = self.pgid = process.pid
        self.cwd = options["cwd"]
        return self.connection_info


class _Forked:
    """A forked process with the part of Popen's face that a provisioner uses."""

    stdin = stdout = stderr = None

    def __init__(self, process: Any) -> None:
        self._process, self.pid = process, process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _serve(argv: list[str], folder: str, environment: dict[str, str]) -> None:
    """Be a kernel, in the forked process."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    threading.Thread(target=_end_with_runner, daemon=True).start()

    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    np.random.seed()  # noqa: NPY002 (a fork inherits the state; a plain kernel would have a fresh one)
    app = IPKernelApp.instance()
    app.initialize(argv)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.switch_backend(_INLINE)  # imported before the shell existed, so the shell does not know it
    app.start()


def _end_with_runner() -> None:
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)


@contextlib.contextmanager
def _blank_main() -> Iterator[None]:
    """Hide `__main__` while a fork is asked for, or the fork would import the caller's script again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    os.environ.pop("JPY_PARENT_PID", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
