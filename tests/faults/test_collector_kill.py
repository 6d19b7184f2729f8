"""kill -9 of the real collector in the middle of a flood, again and again."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from dashboard.sandbox import SandboxServer, World
from dashboard.storage.recovery import recover_orphans
from dashboard.storage.state import State
from dashboard.storage.store import Store

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20
CHANNEL = "mothlight"


@pytest.fixture
def sandbox(unused_tcp_port_factory) -> Iterator[SandboxServer]:
    world = World(seed=3, channel_count=4)
    world.boost(CHANNEL, 1000)
    port, tcp_port = unused_tcp_port_factory(), unused_tcp_port_factory()
    server = SandboxServer(world, "127.0.0.1", port, tcp_port)
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
    yield server
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def start_collector(data_dir: Path, server: SandboxServer) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "SANDBOX": "true",
        "TWITCH_IRC_URL": server.urls["irc"],
        "TWITCH_API_URL": server.urls["helix"],
        "TWITCH_AUTH_URL": server.urls["oauth"],
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, str(ROOT / "app.py"), "collect", CHANNEL]
    return subprocess.Popen(command, env=environment, cwd=data_dir)


def acknowledged(state: State, pid: int) -> int:
    status = state.read_status("collector")
    return status.payload["acknowledged_count"] if status and status.payload["pid"] == pid else 0


@pytest.mark.fault
@pytest.mark.timeout(300)
def test_twenty_kills_lose_nothing_acknowledged_and_store_nothing_twice(
    tmp_path: Path, sandbox: SandboxServer
) -> None:
    rng = random.Random(20)
    state = State(tmp_path)
    promised = 0
    for _ in range(KILLS):
        process = start_collector(tmp_path, sandbox)
        seen, limit = 0, time.monotonic() + 60
        wanted = rng.randrange(300, 1500)
        while seen < wanted:
            assert time.monotonic() < limit, "the collector did not get going"
            assert process.poll() is None, "the collector ended by itself"
            time.sleep(0.02)
            seen = max(seen, acknowledged(state, process.pid))
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        promised += max(seen, acknowledged(state, process.pid))
    state.close()
    recover_orphans(tmp_path, skip=())

    store = Store(tmp_path)
    kinds = [kind for kind, *_ in store.totals()]
    stored = 0
    for kind in kinds:
        (count, distinct) = store.sql(f"select count(*), count(distinct event_id) from {kind}").rows[0]
        assert count == distinct, f"{kind}: {count - distinct} stored twice"
        stored += count
    assert stored >= promised
    gaps = store.sql("select reason, ended_at is null from gaps where collector = 'irc' order by started_at")
    store.close()
    # Every death is in the ledger; the last one is still open, nobody came back.
    assert Counter(reason for reason, _ in gaps.rows) == {"the collector stopped without a word": KILLS - 1}


@pytest.mark.fault
def test_a_second_collector_on_the_same_folder_refuses(tmp_path: Path, sandbox: SandboxServer) -> None:
    first = start_collector(tmp_path, sandbox)
    try:
        state = State(tmp_path)
        limit = time.monotonic() + 60
        while acknowledged(state, first.pid) == 0:
            assert time.monotonic() < limit
            time.sleep(0.05)
        state.close()
        second = subprocess.run(
            [sys.executable, str(ROOT / "app.py"), "collect"],
            env={**os.environ, "DATA_DIR": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 75
        assert f"process {first.pid}" in second.stderr
        assert "Traceback" not in second.stderr
    finally:
        first.terminate()
        assert first.wait(20) == 0
