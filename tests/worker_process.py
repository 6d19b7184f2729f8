"""A worker in a process of its own, that can be killed, and the sandbox that it talks to."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from dashboard.sandbox import SandboxServer, World

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def serving_sandbox() -> Iterator[SandboxServer]:
    """A sandbox of eight channels in a thread of its own."""
    server = SandboxServer(World(seed=7, channel_count=8), "127.0.0.1", 0)
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
    yield server
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def start_worker(data_dir: Path, server: SandboxServer) -> subprocess.Popen[bytes]:
    """``python app.py work`` on a data folder."""
    environment = {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "SANDBOX": "true",
        "TWITCH_IRC_URL": server.urls["irc"],
        "TWITCH_API_URL": server.urls["helix"],
        "TWITCH_AUTH_URL": server.urls["oauth"],
        "LOG_LEVEL": "ERROR",
    }
    return subprocess.Popen([sys.executable, str(ROOT / "app.py"), "work"], env=environment, cwd=data_dir)
