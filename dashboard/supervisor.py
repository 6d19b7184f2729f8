"""Keeps the processes of one machine alive: web server, collector, worker, sandbox.

Each is a child of its own, so that a crash of one leaves the others running; it is started again
after a growing wait. A child that ends with a code of "this can't work" (:data:`HOPELESS`) stops
them all, because trying again would only hide the message.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

log = structlog.get_logger(__name__)

EXIT_FAILED = 1
EXIT_LOCKED = 75
EXIT_CONFIG = 78
HOPELESS = {EXIT_LOCKED, EXIT_CONFIG}

_PARENT = "STREAMLENS_PARENT_PID"
_STABLE_S = 60.0
_LONGEST_WAIT_S = 30.0
_STOP_S = 15.0


@dataclass(slots=True)
class Child:
    """One process to keep alive."""

    name: str
    arguments: Sequence[str]
    """After ``python app.py``."""
    runs_once: bool = False
    """Not started again when it ends well."""
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    wait_s: float = 0.5
    start_after_s: float = 0.0
    restart_count: int = field(default=0)


class Supervisor:
    """Starts children and watches over them until it is told to stop.

    Args:
        app: The path of ``app.py``.
        children: In the order of starting; all are told to stop at the same time.
    """

    def __init__(self, app: Path, children: Sequence[Child]) -> None:
        self._app = app
        self._children = list(children)
        self._stopping = threading.Event()

    def run(self) -> int:
        """Runs until Ctrl-C, SIGTERM or a hopeless child.

        Returns:
            0 after a clean stop, else the code of the child that could not work.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        code = 0
        try:
            while not self._stopping.is_set() and code == 0:
                code = self._look_after_all()
                self._stopping.wait(0.2)
        finally:
            self._stop_all()
        return code

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()

    def _look_after_all(self) -> int:
        for child in self._children:
            if child.process is None:
                if time.monotonic() >= child.start_after_s:
                    self._start(child)
                continue
            code = child.process.poll()
            if code is not None:
                if code in HOPELESS:
                    return code
                if code == 0 and child.runs_once:
                    self._children.remove(child)
                    return 0
                self._plan_restart(child, code)
        return 0

    def _start(self, child: Child) -> None:
        environment = {**os.environ, _PARENT: str(os.getpid())}
        command = [sys.executable, str(self._app), *child.arguments]
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops them in order.
        child.process = subprocess.Popen(command, env=environment, start_new_session=True)
        child.started_s = time.monotonic()
        log.debug("started", process=child.name, pid=child.process.pid)

    def _plan_restart(self, child: Child, code: int) -> None:
        lived_s = time.monotonic() - child.started_s
        child.wait_s = 0.5 if lived_s > _STABLE_S else min(child.wait_s * 2, _LONGEST_WAIT_S)
        child.start_after_s = time.monotonic() + child.wait_s
        child.process = None
        child.restart_count += 1
        log.warning("ended, starting again", process=child.name, exit_code=code, wait_s=child.wait_s)

    def _stop_all(self) -> None:
        running = [child for child in reversed(self._children) if child.process is not None]
        for child in running:
            assert child.process is not None
            child.process.terminate()
        limit = time.monotonic() + _STOP_S
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("did not stop, killed", process=child.name)
                child.process.kill()
                child.process.wait()


def end_with_parent() -> None:
    """Makes a child stop by itself when its supervisor is gone without a word (kill -9)."""
    parent = os.environ.get(_PARENT)
    if parent is None:
        return

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine until it ends, or SIGTERM or Ctrl-C cancels it cleanly."""

    async def run() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
