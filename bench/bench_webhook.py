"""How fast EventSub deliveries become durable, and how long Twitch waits for the answer.

The whole web application runs under waitress in a process bound to one core; another process sends signed
deliveries from several connections at once. First as fast as it is answered, then at a steady rate.
Afterwards what is in the lake is counted against what was answered with 204.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

QUICK: dict[str, Any] = {"burst_count": 5_000, "steady_s": 5.0}

_ROOT = Path(__file__).resolve().parent.parent
_SECRET = "a-secret-of-the-benchmark"
_PEOPLE = 5_000


def run(
    *, burst_count: int = 40_000, steady_per_s: int = 1_000, steady_s: float = 20.0, connections: int = 32
) -> dict[str, Any]:
    """Measures both, and counts.

    Args:
        burst_count: Deliveries sent as fast as they are answered.
        steady_per_s: Deliveries a second afterwards.
        steady_s: For so long.
        connections: How many deliveries are under way at once.

    Returns:
        Rates, percentiles of the answer's time in ms, and what was sent, acknowledged and found.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="streamlens-bench-") as folder:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("TWITCH_")},
            "DATA_DIR": folder,
            "PORT": str(port),
            "SANDBOX": "true",
            "EVENTSUB_SECRET": _SECRET,
            "LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, str(Path(__file__)), "serve"]
        server = subprocess.Popen(command, env=environment, cwd=folder)
        try:
            _wait_until_up(port)
            asyncio.run(_send(port, _deliveries(200), connections, None))  # Opens the receiver.
            spent_s = _cpu_s(server.pid)
            burst = asyncio.run(_send(port, _deliveries(burst_count), connections, None))
            spent_s = _cpu_s(server.pid) - spent_s
            steady = asyncio.run(
                _send(port, _deliveries(int(steady_per_s * steady_s)), connections, steady_per_s)
            )
        finally:
            server.send_signal(signal.SIGKILL)  # What was acknowledged must be there all the same.
            server.wait(30)
        found, distinct, kept = _found(Path(folder))
    acknowledged = 200 + burst["acknowledged_count"] + steady["acknowledged_count"]
    if not acknowledged == found == distinct == kept:
        raise AssertionError(f"{acknowledged} acknowledged, {found} found ({distinct} distinct), {kept} kept")
    return {
        "burst": burst | {"server_cpu_s": round(spent_s, 2)},
        "steady": steady,
        "acknowledged_count": acknowledged,
        "found_in_the_lake_count": found,
        "kept_verbatim_count": kept,
        "connections": connections,
    }


async def _send(
    port: int, deliveries: Sequence[bytes], connections: int, per_s: int | None
) -> dict[str, Any]:
    waiting = iter(enumerate(deliveries))
    times_ms: list[float] = []
    statuses: list[int] = []
    started_s = time.perf_counter()

    async def work() -> None:
        reader = writer = None
        for number, delivery in waiting:
            due_s = started_s + number / per_s if per_s else time.perf_counter()
            if (ahead_s := due_s - time.perf_counter()) > 0:
                await asyncio.sleep(ahead_s)
            if reader is None or writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(delivery)
            head = await reader.readuntil(b"\r\n\r\n")
            # From when it was due: a server that stalls can't hide it by holding up the sender.
            times_ms.append((time.perf_counter() - due_s) * 1000)
            statuses.append(int(head[9:12]))
            if statuses[-1] != 204:
                raise AssertionError(head.decode("latin-1"))
            if b"Connection: close" in head:  # waitress does so after each 204.
                writer.close()
                reader = writer = None

    await asyncio.gather(*(work() for _ in range(connections)))
    took_s = time.perf_counter() - started_s
    times_ms.sort()
    return {
        "sent_count": len(deliveries),
        "acknowledged_count": statuses.count(204),
        "per_s": round(len(deliveries) / took_s),
        "p50_ms": round(times_ms[len(times_ms) // 2], 1),
        "p95_ms": round(times_ms[int(len(times_ms) * 0.95)], 1),
        "p99_ms": round(times_ms[int(len(times_ms) * 0.99)], 1),
        "max_ms": round(times_ms[-1], 1),
    }


def _deliveries(count: int) -> list[bytes]:
    from dashboard.eventsub_web import signature

    made = []
    for number in range(count):
        now = datetime.now(UTC)
        timestamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}789Z"
        message_id = str(uuid.uuid4())
        kind, version, event = _event(number, timestamp)
        subscription = {
            "id": "f1c2a387-161a-49f9-a165-0f21d7a4e1c4",
            "type": kind,
            "version": version,
            "status": "enabled",
            "cost": 0,
            "condition": {"broadcaster_user_id": "1337"},
            "transport": {"method": "webhook", "callback": "https://example.com/eventsub/callback"},
            "created_at": "2023-07-15T18:16:11.17106713Z",
        }
        body = json.dumps({"subscription": subscription, "event": event}, separators=(",", ":")).encode()
        head = (
            f"POST /eventsub/callback HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nTwitch-Eventsub-Message-Id: {message_id}\r\n"
            f"Twitch-Eventsub-Message-Retry: 0\r\nTwitch-Eventsub-Message-Type: notification\r\n"
            f"Twitch-Eventsub-Message-Timestamp: {timestamp}\r\n"
            f"Twitch-Eventsub-Message-Signature: {signature(_SECRET, message_id, timestamp, body)}\r\n"
            f"Twitch-Eventsub-Subscription-Type: {kind}\r\n"
            f"Twitch-Eventsub-Subscription-Version: {version}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def _event(number: int, timestamp: str) -> tuple[str, str, dict[str, Any]]:
    room = {
        "broadcaster_user_id": "1337",
        "broadcaster_user_login": "cooler_user",
        "broadcaster_user_name": "Cooler_User",
    }
    login = f"viewer_{number % _PEOPLE}"
    user = {"user_id": str(number % _PEOPLE), "user_login": login, "user_name": login.title()}
    if number % 4 == 0:
        return "channel.follow", "2", user | room | {"followed_at": timestamp}
    if number % 4 == 1:
        return "channel.cheer", "1", user | room | {"is_anonymous": False, "message": "pogchamp", "bits": 100}
    text = f"message number {number} with a few words"
    chatter = {f"chatter_{name}": value for name, value in user.items()}
    message = {"text": text, "fragments": [{"type": "text", "text": text}]}
    badges = [{"set_id": "subscriber", "id": "12", "info": "16"}]
    return (
        "channel.chat.message",
        "1",
        room
        | chatter
        | {
            "message_id": str(uuid.uuid4()),
            "message": message,
            "message_type": "text",
            "color": "#00FF7F",
            "badges": badges,
        },
    )


def _found(data_dir: Path) -> tuple[int, int, int]:
    from dashboard.events import now_us
    from dashboard.storage.eventsub_raw import RawLog
    from dashboard.storage.ingest import Ingest
    from dashboard.storage.store import Store

    with Ingest(data_dir, "webhook"):
        pass  # Replays what the kill left in the journal.
    store = Store(data_dir)
    table = store.sql("select count(*), count(distinct event_id) from notifications")
    RawLog(data_dir).fill_in(store, now=now_us() + 120_000_000)
    store.close()
    files = (data_dir / "raw" / "eventsub").glob("*/*.jsonl")
    bodies = [path for path in files if not path.name.endswith(".headers.jsonl")]
    kept = sum(path.read_bytes().count(b"\n") for path in bodies)
    return int(table.rows[0][0]), int(table.rows[0][1]), kept


def _serve() -> None:
    with suppress(AttributeError, OSError):  # One core is the measure; not every system can bind.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from app import create_server
    from dashboard.config import load_settings
    from dashboard.web import serve

    settings = load_settings(_env_file=None)
    serve(create_server(settings), settings)


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(port: int, timeout_s: float = 60) -> None:
    limit_s = time.monotonic() + timeout_s
    while time.monotonic() < limit_s:
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return
        time.sleep(0.2)
    raise TimeoutError("the web server did not start")


def main() -> None:
    """Prints the measurement as JSON, or serves for it."""
    if sys.argv[1:] == ["serve"]:
        _serve()
        return
    print(json.dumps(run(), indent=1))


if __name__ == "__main__":
    main()
