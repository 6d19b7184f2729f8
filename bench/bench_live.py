"""How long an update of the Live page takes on the server, with a large lake and a busy channel.

The lake's past is written as compaction leaves it (one sorted file a day); the busy channel has
been live for eight hours, and another process adds to it while the updates are measured, through
the real ingest and with compaction running. Everything is made up, from a fixed seed.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from dashboard.analytics.timebins import DAY_US, HOUR_US, SECOND_US
from dashboard.events import ChatMessage, Instant, Observation, Raid, ViewerSample, arrow_schema, now_us
from dashboard.insights.live import LiveInsights
from dashboard.storage.batch import day_of
from dashboard.storage.catalog import Catalog, NewFile
from dashboard.storage.compaction import FINAL_LEVEL, Compactor
from dashboard.storage.ingest import Ingest
from dashboard.storage.lake import LakePaths, new_name
from dashboard.storage.sorted_file import ROW_GROUP_ROWS, write_sorted
from dashboard.storage.state import State
from dashboard.storage.store import Store

DAYS = 20
ROOMS = 200
BUSY = "busychannel"
STREAM_HOURS = 8
LINES = ["lol", "LUL LUL", "what a play", "no way", "that was close, try the other door", "Kappa", "?"]
QUICK: dict[str, Any] = {"message_count": 2_000_000, "update_count": 20}


def run(
    message_count: int = 50_000_000,
    *,
    update_count: int = 60,
    messages_per_s: int = 1_000,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Builds the lake (or takes the one it finds), and measures.

    Args:
        message_count: Chat messages of the past.
        update_count: Updates measured, one a second.
        messages_per_s: What arrives in the busy channel meanwhile; 0 measures a quiet one.
        folder: Where the lake is kept for the next time; the temporary folder by default.

    Returns:
        Times in milliseconds and the sizes they were measured at.
    """
    past = folder or past_folder(message_count)
    build_past(past, message_count)
    work = Path(tempfile.mkdtemp(prefix="streamlens-bench-"))
    try:
        borrow(past, work)
        _add_stream(work)
        return {"message_count": message_count, **_measure(work, update_count, messages_per_s)}
    finally:
        shutil.rmtree(work, ignore_errors=True)


def past_folder(message_count: int) -> Path:
    """Where the lake of that size is kept between runs."""
    return Path(tempfile.gettempdir()) / f"streamlens-bench-past-{message_count}"


def build_past(folder: Path, message_count: int) -> None:
    """Writes the past of the lake unless it is there: one final file a day, sorted by room and time."""
    if (folder / "done").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    today = now_us() // DAY_US
    for number in range(DAYS):
        _write_past_day(
            LakePaths(folder), Instant((today - DAYS + number) * DAY_US), message_count // DAYS, number
        )
    (folder / "done").touch()


def _write_past_day(paths: LakePaths, start_at: Instant, row_count: int, number: int) -> None:
    """Rooms of very different size; inside a room the messages are spread over 18 hours."""
    values = {
        "event_id": "uuid()::varchar",
        "source": "'irc'",
        "room_login": "'channel_' || lpad(room::varchar, 4, '0')",
        "room_id": "(900000 + room)::varchar",
        "sent_at": _at(start_at),
        "received_at": _at(start_at + 90_000),
        "user_id": "(10000000 + who)::varchar",
        "user_login": "'viewer_' || who",
        "user_display_name": "'Viewer_' || who",
        "color": "'#' || printf('%06X', (hash(who) % 16777216)::bigint)",
        "badges": "case when who % 3 = 0 then 'subscriber/12' end",
        "is_subscriber": "who % 3 = 0",
        "is_mod": "false",
        "text": "list_extract(lines, 1 + (hash(i, 7) % len(lines))::bigint)",
        "emote_names": "case when i % 4 = 0 then 'Kappa' when i % 9 = 0 then 'LUL LUL' end",
    }
    schema = arrow_schema(ChatMessage)
    types = {"string": "varchar", "int64": "bigint", "bool": "boolean"}
    columns = ", ".join(
        f"{values[field.name]} as {field.name}"
        if field.name in values
        else f"null::{types.get(str(field.type), 'timestamptz')} as {field.name}"
        for field in schema
    )
    folder = paths.lake / "kind=chat_messages" / f"date={day_of(start_at)}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / new_name(FINAL_LEVEL)
    with duckdb.connect(":memory:", config={"threads": 2}) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("set enable_progress_bar = false")
        con.execute(
            f"""create temp view day as
              with weights as (select r as room, 1.0 / (r + 3) as weight from range({ROOMS}) as t(r)),
              sizes as (
                select room, greatest(1, ({row_count} * weight / sum(weight) over ())::bigint) as room_rows
                from weights
              ),
              rows as (
                select room, room_rows, place, room * 100000000 + place as i,
                  (hash(room, place, {number}) % (200 + room_rows // 20)) * 37 + room as who
                from sizes, range(room_rows) as p(place)
              )
              select {columns}
              from (select *, {LINES!r}::varchar[] as lines from rows)
              order by room, place"""
        )
        with con.sql("from day").to_arrow_reader(ROW_GROUP_ROWS) as reader:
            write_sorted(reader, path, zstd_level=6)
    metadata = pq.read_metadata(path)
    file = NewFile(
        path=str(path.relative_to(paths.lake)),
        kind="chat_messages",
        date=day_of(start_at),
        level=FINAL_LEVEL,
        row_count=metadata.num_rows,
        byte_count=path.stat().st_size,
        first_at=start_at,
        last_at=Instant(start_at + 18 * HOUR_US),
        last_received_at=Instant(start_at + 18 * HOUR_US),
        rooms=tuple(f"channel_{room:04}" for room in range(ROOMS)),
        columns=tuple(schema.names),
    )
    Catalog(paths.catalog).add([file])


def _at(start_at: int) -> str:
    return f"make_timestamptz({start_at} + (place * {18 * HOUR_US}.0 / room_rows)::bigint)"


def borrow(past: Path, work: Path) -> None:
    """A data folder with the files of the past (as links), to be written to and thrown away."""
    shutil.copytree(past / "state", work / "state")
    for path in (past / "lake").rglob("*.parquet"):
        link = work / path.relative_to(past)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.hardlink_to(path)


def _common(number: int, at: int) -> dict[str, Any]:
    return {
        "event_id": f"busy-{number}-{at}",
        "room_login": BUSY,
        "room_id": "42",
        "sent_at": Instant(at),
        "received_at": Instant(at + 90_000),
    }


def chat(number: int, at: int) -> ChatMessage:
    """One made-up message in the busy channel."""
    who = (number * 2_654_435_761) % 20_011
    return ChatMessage(
        **_common(number, at),
        source="irc",
        user_id=str(who),
        user_login=f"viewer_{who}",
        user_display_name=f"Viewer_{who}",
        text="what a play",
        emote_names="Kappa" if number % 4 == 0 else None,
    )


def _add_stream(work: Path) -> None:
    """Eight hours of the busy channel at 20 messages/s, with viewers, raids and the ledger."""
    now = now_us()
    start = now - STREAM_HOURS * HOUR_US
    with Ingest(work, "import") as ingest:
        told: dict[str, Any] = {"stream_id": "s", "started_at": Instant(start), "game_name": "Hollow Knight"}
        joined = Observation(**_common(0, start), source="irc", collector="irc", state="joined")
        ingest.put([joined])
        for minute in range(STREAM_HOURS * 60):
            common = _common(minute, start + minute * 60 * SECOND_US)
            ingest.put([ViewerSample(**common, source="helix", viewer_count=900 + minute, **told)])
        for hour in range(STREAM_HOURS):
            common = _common(hour, start + hour * HOUR_US)
            ingest.put([Raid(**common, source="irc", user_login="fox", viewer_count=200)])
        step = SECOND_US // 20
        for first in range(0, STREAM_HOURS * 3600 * 20, 20_000):
            last = min(first + 20_000, STREAM_HOURS * 3600 * 20)
            ingest.put([chat(i, start + i * step) for i in range(first, last)])
        ingest.flush()
    Compactor(work).run(everything=True, grace_s=0)


def feed_lake(work: Path, messages_per_s: int, seconds: float) -> None:
    """The other process: messages as they come, ten times a second, with compaction beside it."""
    threading.Thread(target=_compact_for_ever, args=(work,), daemon=True).start()
    number, began = 10_000_000, time.monotonic()
    with Ingest(work) as ingest:
        for tick in range(1, int(seconds * 10)):
            now, count = now_us(), messages_per_s // 10
            ingest.put([chat(number + i, now - i * 100) for i in range(count)])
            number += count
            time.sleep(max(0.0, began + tick / 10 - time.monotonic()))


def _compact_for_ever(work: Path) -> None:
    compactor = Compactor(work)
    while True:
        time.sleep(5)
        compactor.run()


def _measure(work: Path, update_count: int, messages_per_s: int) -> dict[str, Any]:
    code = (
        f"from bench.bench_live import feed_lake; from pathlib import Path; feed_lake(Path({str(work)!r}), "
    )
    code += f"{messages_per_s}, {update_count + 120})"
    feeder = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent.parent)
    try:
        time.sleep(8)
        with_state = State(work)
        store = Store(work)
        live = LiveInsights(store, with_state)
        cold_ms = _timed(lambda: _update(live))
        rooms_ms = _timed(lambda: live.rooms(now=now_us()))
        top_cold_ms = _timed(lambda: live.top(BUSY, now=now_us()))
        updates: list[float] = []
        tops: list[float] = []
        while len(updates) < update_count:
            time.sleep(1 - time.time() % 1)
            updates.append(_timed(lambda: _update(live)))
            tops.append(_timed(lambda: live.top(BUSY, now=now_us())))
        burst = live.snapshot(BUSY, now=now_us()).readings["burst"].value or 0
        store.close()
        with_state.close()
    finally:
        feeder.terminate()
        feeder.wait()
    both = [update + top for update, top in zip(updates, tops, strict=True)]
    return {
        "update_count": update_count,
        "arriving_per_s": round(burst / 60),
        "cold_start_ms": round(cold_ms, 1),
        "update_p50_ms": round(statistics.median(updates), 1),
        "update_p95_ms": round(statistics.quantiles(updates, n=20)[-1], 1),
        "update_max_ms": round(max(updates), 1),
        "update_and_top_p95_ms": round(statistics.quantiles(both, n=20)[-1], 1),
        "top_cold_ms": round(top_cold_ms, 1),
        "rooms_cold_ms": round(rooms_ms, 1),
    }


def _update(live: LiveInsights) -> None:
    now = now_us()
    live.snapshot(BUSY, now=now)
    live.series(BUSY, now=now, span_s=1800)
    live.feed(BUSY, now=now)


def _timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Prints the measurement as JSON; ``python -m bench.bench_live 2000000`` for another size."""
    arguments = [int(argument) for argument in sys.argv[1:]]
    print(json.dumps(run(*arguments), indent=1))


if __name__ == "__main__":
    main()
