"""How fast chat becomes durable and visible, beside an SQLite row a message in the same run.

Raw lines → parsed → journal on the disk → Parquet → counted by a query, all in one process. Run it
with ``python -m bench.bench_ingest [MESSAGES]``; the lines are made up, with all the tags of today.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from collectors.irc_events import to_events
from dashboard.events import ChatMessage, Event, Instant, now_us
from dashboard.storage.compaction import Compactor
from dashboard.storage.health import storage_health
from dashboard.storage.ingest import Ingest, ease_garbage_collection
from dashboard.storage.store import Store

QUICK: dict[str, Any] = {"messages": 200_000, "sqlite_messages": 1_000}
"""For a look; the published figures take the defaults of :func:`run`."""

_LINES_A_FRAME = 20
_LINES_A_BLOCK = 25_000
_WORDS = """
the a to and of is that this was so when he she they what how no yes lol lmao OMEGALUL KEKW Pog PogChamp
Kappa monkaS Sadge copium game win lose boss stream clip actually bro chat hello gg ez nice wait really play
run down up
fight raid sub gifted hype clean insane crazy trash goat washed best worst new old again dont know why just
"""
_TEMPLATE = (
    "@badge-info={info};badges={badges};client-nonce=%s;color=#{color};display-name={name};"
    "emotes=;first-msg=0;flags=;id=%s;mod=0;returning-chatter=0;room-id={room_id};"
    "subscriber={is_sub};tmi-sent-ts=%d;turbo=0;user-id={user_id};user-type= "
    ":{login}!{login}@{login}.tmi.twitch.tv PRIVMSG #{room} :%s"
)


def chat_lines(count: int, *, seed: int = 1, room_count: int = 40, per_s: int = 5_000) -> Iterator[str]:
    """Makes up raw lines: rooms and people as uneven as real ones, ids that never repeat.

    Args:
        count: Lines.
        seed: Same seed, same lines.
        room_count: Channels they come from.
        per_s: Messages a second by their time stamps; they end about now.

    Yields:
        PRIVMSG lines of 450 to 500 bytes on average.
    """
    random_, words = random.Random(seed), _WORDS.split()
    senders = [_sender(random_, room_count) for _ in range(20_000)]
    texts = [" ".join(random_.choices(words, k=random_.randint(2, 22))) for _ in range(200_000)]
    started_ms = now_us() // 1000 - count * 1000 // per_s
    bits = random_.getrandbits
    for number in range(count):
        key = f"{bits(256):064x}"
        event_id = f"{key[:8]}-{key[8:12]}-4{key[13:16]}-a{key[17:20]}-{key[20:32]}"
        sent_ms = started_ms + number * 1000 // per_s
        yield senders[bits(32) % 20_000] % (key[32:], event_id, sent_ms, texts[bits(32) % 200_000])


def _sender(random_: random.Random, room_count: int) -> str:
    room = int(room_count * random_.random() ** 2)
    user = int(30_000 * random_.random() ** 1.5)
    login = f"viewer_{user}_{user * 7919 % 997}"
    months = user % 37
    return _TEMPLATE.format(
        info=f"subscriber/{months}" if months else "",
        badges=f"subscriber/{months},premium/1" if months else "premium/1",
        color=f"{user * 2654435761 % 0xFFFFFF:06X}",
        name=login.title(),
        room_id=71_092_000 + room,
        is_sub=int(bool(months)),
        user_id=100_000_000 + user * 31,
        login=login,
        room=f"channel_{room}",
    )


def run(messages: int = 5_000_000, sqlite_messages: int = 5_000) -> dict[str, Any]:
    """Measures both ways in, and what the lake weighs.

    Args:
        messages: Through the ingest.
        sqlite_messages: Through SQLite, which is slower by far.

    Returns:
        Rates by wall clock and by processor time, their ratios, memory in the course of it, and bytes
        a message before and after compaction.
    """
    with tempfile.TemporaryDirectory(prefix="streamlens-bench-") as folder:
        baseline = _through_sqlite(Path(folder) / "baseline.sqlite", sqlite_messages)
        ours = _through_ingest(Path(folder) / "data", messages)
        weight = _weight(Path(folder) / "data", messages)
    return {
        **ours,
        "sqlite_messages_per_s": round(baseline["per_s"]),
        "ratio_to_sqlite": round(ours["messages_per_s"] / baseline["per_s"], 1),
        "ratio_to_sqlite_cpu": round(ours["messages_per_cpu_s"] / baseline["per_cpu_s"], 1),
        **weight,
    }


def _through_ingest(data_dir: Path, count: int) -> dict[str, Any]:
    lines = chat_lines(count)
    byte_count = put_count = 0
    wall_s = cpu_s = 0.0
    memory = {"start_mb": _rss_mb()}
    ease_garbage_collection()
    with Ingest(data_dir) as ingest:
        while block := list(islice(lines, _LINES_A_BLOCK)):  # The making of the lines is not measured.
            byte_count += sum(map(len, block))
            wall_s, cpu_s = wall_s - time.perf_counter(), cpu_s - time.process_time()
            for first in range(0, len(block), _LINES_A_FRAME):
                events: list[Event] = []
                for line in block[first : first + _LINES_A_FRAME]:
                    events += to_events(line, now_us())
                ingest.put(events)
            ingest.flush()
            wall_s, cpu_s = wall_s + time.perf_counter(), cpu_s + time.process_time()
            put_count += len(block)
            if "at_a_fifth_mb" not in memory and put_count >= count // 5:
                memory["at_a_fifth_mb"] = _rss_mb()
        store = Store(data_dir)
        (seen,) = store.sql("select count(*) from chat_messages").rows[0]
        store.close()
    if seen != count:
        raise AssertionError(f"{count} messages went in, {seen} are visible")
    return {
        "message_count": count,
        "line_bytes": round(byte_count / count),
        "messages_per_s": round(count / wall_s),
        "messages_per_cpu_s": round(count / cpu_s),
        "memory": memory | {"at_the_end_mb": _rss_mb(), "highest_mb": _highest_rss_mb()},
    }


def _through_sqlite(path: Path, count: int) -> dict[str, float]:
    """The usual way: a table, an INSERT a message, committed at once, so that none is lost."""
    names = [field.name for field in fields(ChatMessage)]
    lines = list(chat_lines(count))
    con = sqlite3.connect(path)
    con.execute(f"create table messages ({', '.join(names)}, primary key (event_id))")
    con.execute("create index by_room on messages (room_login, sent_at)")
    insert = f"insert into messages values ({', '.join('?' * len(names))})"
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for line in lines:
        for event in to_events(line, Instant(time.time_ns() // 1000)):
            con.execute(insert, [getattr(event, name) for name in names])
            con.commit()
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    con.close()
    return {"per_s": count / wall_s, "per_cpu_s": count / cpu_s}


def _weight(data_dir: Path, count: int) -> dict[str, Any]:
    def bytes_a_message() -> float:
        (chat,) = [kind for kind in storage_health(data_dir).kinds if kind.kind == "chat_messages"]
        return round(chat.byte_count / chat.row_count, 1)

    hot = bytes_a_message()
    gc.collect()
    started_s = time.process_time()
    # As if the days were over.
    Compactor(data_dir, now=lambda: Instant(now_us() + 2 * 86_400_000_000)).run(everything=True)
    return {
        "hot_bytes_a_message": hot,
        "compacted_bytes_a_message": bytes_a_message(),
        "compacted_messages_per_cpu_s": round(count / (time.process_time() - started_s)),
    }


def _rss_mb() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return _highest_rss_mb()
    return pages * resource.getpagesize() // 2**20


def _highest_rss_mb() -> int:
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest // (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    """Prints the figures as JSON."""
    messages = int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else 5_000_000
    print(json.dumps(run(messages), indent=1))


if __name__ == "__main__":
    main()
