"""How fast the API answers over a large lake, beside the plain query that gives the same rows.

Through HTTP on this machine: waitress, the real blueprint, one connection kept open. The lake's past is
that of ``bench_live`` (files as compaction writes them), with fresh messages that are not compacted yet.
The plain query reads the same files with DuckDB, all columns, newest first, without the file list, the
two readings and the steps; both are asked in turn, so that both see the machine as it is.
"""

from __future__ import annotations

import http.client
import json
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import psutil
from flask import Flask
from waitress.server import create_server

from bench.bench_live import BUSY, ROOMS, borrow, build_past, chat, past_folder
from dashboard.access import LOCAL
from dashboard.api.blueprint import ApiParts, api_blueprint
from dashboard.api.health import health_report
from dashboard.config import Settings
from dashboard.events import now_us
from dashboard.insights.records import Records
from dashboard.storage.api_keys import open_api_keys
from dashboard.storage.ingest import Ingest
from dashboard.storage.state import State
from dashboard.storage.store import Store

HOT_MESSAGES = 20_000
ROWS = 500
EXPORTED_ROWS = 500_000
QUICK: dict[str, Any] = {"message_count": 2_000_000, "request_count": 20}


def run(message_count: int = 50_000_000, *, request_count: int = 80) -> dict[str, Any]:
    """Builds the lake (or takes the one it finds), and measures.

    Args:
        message_count: Chat messages of the past.
        request_count: Requests of each kind; every tenth is also asked as a plain query.

    Returns:
        Times in milliseconds, their ratios to the plain query, and what an export gives.
    """
    past = past_folder(message_count)
    build_past(past, message_count)
    work = Path(tempfile.mkdtemp(prefix="streamlens-bench-"))
    try:
        borrow(past, work)
        _add_hot(work)
        return {"message_count": message_count, "rows_a_page": ROWS, **_measure(work, request_count)}
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _add_hot(work: Path) -> None:
    """Messages of the last minutes, in thirty files as ingest writes them."""
    now, step = now_us(), HOT_MESSAGES // 30
    with Ingest(work, "bench") as ingest:
        for first in range(0, HOT_MESSAGES, step):
            ingest.put([chat(i, now - (HOT_MESSAGES - i) * 10_000) for i in range(first, first + step)])
            ingest.flush()


class _Site:
    """The API behind a real server, and a connection to it."""

    def __init__(self, work: Path) -> None:
        settings = Settings(_env_file=None, data_dir=work, api_requests_per_min=10_000_000)
        self.store = Store(work)
        records = Records(self.store)
        app = Flask("bench")
        parts = ApiParts(
            settings=settings,
            records=records,
            keys=open_api_keys(settings),
            current_access=lambda: LOCAL,
            access_of_user=lambda _: LOCAL,
            health=health_report(State(work), records),
        )
        app.register_blueprint(api_blueprint(parts))
        self._server = create_server(app, host="127.0.0.1", port=0, threads=8)
        threading.Thread(target=self._server.run, daemon=True).start()
        self._connection = http.client.HTTPConnection("127.0.0.1", self._server.effective_port)

    def get(self, path: str) -> bytes:
        self._connection.request("GET", f"/api/v1/{path}")
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(body)
        return body

    def export(self, path: str) -> tuple[int, float]:
        """Rows and the most memory (MB) that the process grew by."""
        process = psutil.Process()
        before, most, lines = process.memory_info().rss, 0, 0
        self._connection.request("GET", f"/api/v1/{path}")
        answer = self._connection.getresponse()
        while block := answer.read(1 << 20):
            lines += block.count(b"\n")
            most = max(most, process.memory_info().rss - before)
        return lines, most / 2**20

    def close(self) -> None:
        self._connection.close()
        time.sleep(0.3)  # The server notices first; it can't be told anything once it is closed.
        self._server.close()
        self.store.close()


def _measure(work: Path, request_count: int) -> dict[str, Any]:
    site, naive, random_ = _Site(work), _Naive(work), random.Random(5)
    rooms = [BUSY, *(f"channel_{room:04}" for room in range(ROOMS))]
    people = naive.people(request_count)
    try:
        cold_ms = _timed(lambda: site.get(f"messages?room-name={rooms[1]}&limit={ROWS}"))
        site.get("messages?user-id=1")
        recent = _both(
            [random_.choice(rooms) for _ in range(request_count)],
            lambda room: site.get(f"messages?room-name={room}&limit={ROWS}"),
            lambda room: naive.ask("room_login", room),
        )
        users = _both(
            people,
            lambda user: site.get(f"messages?user-id={user}&limit={ROWS}"),
            lambda user: naive.ask("user_id", user),
        )
        newest = [_timed(lambda user=user: site.get(f"messages?user-id={user}")) for user in people]  # type: ignore[misc]
        absent = [_timed(lambda n=n: site.get(f"messages?user-id=77{n}")) for n in range(20)]  # type: ignore[misc]
        book_ms = _timed(lambda: site.get("rooms?limit=1000"))
        rooms_again_ms = _timed(lambda: site.get("rooms?limit=1000"))
        began = time.perf_counter()
        exported_count, grown_mb = site.export(
            f"messages?room-name={rooms[1]}&format=ndjson&limit={EXPORTED_ROWS}"
        )
        export_s = time.perf_counter() - began
    finally:
        site.close()
    return {
        "cold_first_ms": round(cold_ms, 1),
        "recent_of_room": recent,
        "all_of_user": users,
        "newest_100_of_user": {"p50_ms": round(statistics.median(newest), 1), "p95_ms": _p95(newest)},
        "absent_user_p95_ms": _p95(absent),
        "rooms_cold_ms": round(book_ms, 1),
        "rooms_ms": round(rooms_again_ms, 1),
        "export_rows_per_s": round(exported_count / export_s),
        "export_memory_mb": round(grown_mb, 1),
    }


class _Naive:
    """The plain query."""

    def __init__(self, work: Path) -> None:
        files = sorted(str(path) for path in work.glob("lake/kind=chat_messages/*/*.parquet"))
        self._source = f"read_parquet({files!r}, hive_partitioning = false, union_by_name = true)"
        self._con = duckdb.connect(":memory:", config={"threads": 2})
        self._con.execute("set TimeZone = 'UTC'")
        self._con.execute("set parquet_metadata_cache = true")

    def ask(self, column: str, value: str) -> Any:
        return self._con.sql(
            f"select * from {self._source} where {column} = $value "
            f"order by sent_at desc, event_id desc limit {ROWS}",
            params={"value": value},
        ).to_arrow_table()

    def people(self, count: int) -> list[str]:
        rows = self._con.sql(
            f"select user_id from {self._source} group by user_id order by hash(user_id) limit {count}"
        ).fetchall()
        return [user_id for (user_id,) in rows]


def _both(values: list[str], ours: Callable[[str], Any], naive: Callable[[str], Any]) -> dict[str, Any]:
    our_ms: list[float] = []
    naive_ms: list[float] = []
    cpu_s = 0.0
    for number, value in enumerate(values):
        began_s = time.process_time()
        our_ms.append(_timed(lambda value=value: ours(value)))  # type: ignore[misc]
        cpu_s += time.process_time() - began_s
        if number % 10 == 0:
            naive_ms.append(_timed(lambda value=value: naive(value)))  # type: ignore[misc]
    return {
        "p50_ms": round(statistics.median(our_ms), 1),
        "p95_ms": _p95(our_ms),
        "cpu_ms": round(cpu_s / len(values) * 1000, 1),
        "naive_p50_ms": round(statistics.median(naive_ms), 1),
        "ratio": round(statistics.median(naive_ms) / statistics.median(our_ms), 1),
    }


def _p95(times: list[float]) -> float:
    return round(statistics.quantiles(times, n=20)[-1], 1)


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Prints the measurement as JSON; ``python -m bench.bench_api 2000000`` for another size."""
    print(json.dumps(run(*(int(argument) for argument in sys.argv[1:])), indent=1))


if __name__ == "__main__":
    main()
