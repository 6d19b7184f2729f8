"""How long the Chatters page waits for the server, with a large crowd and a past behind it.

The crowd's channel was captured before, eleven other channels give the baseline, half a million messages
lie in the channel's chat. Times are of the insights alone, without HTTP and the browser: the first analysis
of a capture that nothing was read of, then what a filter, another grain, a click on a cohort and the table
cost. Everything is made up, from a fixed seed.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.access import LOCAL
from dashboard.config import Settings
from dashboard.events import ChatMessage, Event, Instant, Observation, now_us
from dashboard.events_accounts import Account
from dashboard.events_helix import Chatter, ChatterPoll
from dashboard.insights.chatters import ChattersInsights, open_chatters
from dashboard.insights.chatters_model import Selection
from dashboard.job_handle import Room
from dashboard.jobs.capture_orders import CaptureRoom
from dashboard.storage.captures import Captures, open_captures
from dashboard.storage.ingest import Ingest
from dashboard.storage.state import State
from dashboard.storage.store import Store

ROOM = Room("1", "busychannel")
OTHERS = 11
OTHER_SIZE = 3_000
EARLIER = 6
MESSAGES = 500_000
SIZES = (50_000, 100_000)
QUICK: dict[str, Any] = {"sizes": (10_000,), "message_count": 50_000, "turns": 5}
_DAY_S = 86_400
_PUT = 20_000


class _NoOrders:
    def rooms(self, access: object) -> list[CaptureRoom]:
        return []


def run(*, sizes: tuple[int, ...] = SIZES, message_count: int = MESSAGES, turns: int = 15) -> dict[str, Any]:
    """Builds a lake for each size and measures.

    Args:
        sizes: Accounts in the capture.
        message_count: Messages in the channel's chat.
        turns: How often each interaction is measured; each time with another filter.

    Returns:
        Seconds of the first analysis, milliseconds of what follows (median and worst).
    """
    return {"message_count": message_count, "crowds": [_one(size, message_count, turns) for size in sizes]}


def _one(size: int, message_count: int, turns: int) -> dict[str, Any]:
    work = Path(tempfile.mkdtemp(prefix="streamlens-bench-"))
    try:
        settings = Settings(_env_file=None, data_dir=work, sandbox=True)
        captures = open_captures(settings)
        ids = _fill(work, captures, size, message_count)
        store, state = Store(work), State(work)
        insights = open_chatters(settings, store, state, _NoOrders())
        try:
            return {"accounts": size, **_measure(insights, ids, turns)}
        finally:
            insights.close()
            store.close()
            state.close()
            captures.close()
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fill(work: Path, captures: Captures, size: int, message_count: int) -> list[str]:
    chance, now = np.random.default_rng(5), now_us()
    # Ages as they are in most chats: many young accounts, a long tail, and a wave of one day.
    created = now // 1_000_000 - (chance.beta(1.1, 2.2, size + OTHERS * OTHER_SIZE) * 5_400 * _DAY_S).astype(
        int
    )
    created[: size // 200] = now // 1_000_000 // _DAY_S * _DAY_S - 9 * _DAY_S
    with Ingest(work) as ingest:
        _put(ingest, _accounts(created, now))
        for number in range(EARLIER, 0, -1):
            some = chance.choice(size, size // 5, replace=False)
            _capture(ingest, captures, ROOM, f"earlier{number}", some, Instant(now - number * 3_600_000_000))
        for number in range(OTHERS):
            people = np.arange(size + number * OTHER_SIZE, size + (number + 1) * OTHER_SIZE)
            room = Room(str(number + 2), f"other{number}")
            _capture(ingest, captures, room, f"other{number}", people, Instant(now - 60_000_000))
        at = Instant(now - 30_000_000)
        _put(ingest, _chat(chance, size, message_count, now))
        _capture(ingest, captures, ROOM, "all", np.arange(size), at)
        _capture(ingest, captures, ROOM, "before", np.arange(size // 3, size), Instant(at - 600_000_000))
    return ["all", "before"]


def _put(ingest: Ingest, events: Iterator[Event]) -> None:
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) >= _PUT:
            ingest.put(batch)
            batch = []
    ingest.put(batch)
    ingest.flush()


def _base(event_id: str, at: Instant, room: Room | None) -> dict[str, Any]:
    login, room_id = (room.room_login, room.room_id) if room else ("", None)
    told = {"event_id": event_id, "source": "helix", "room_login": login, "room_id": room_id}
    return {**told, "sent_at": at, "received_at": at}


def _accounts(created: Any, now: int) -> Iterator[Event]:
    for number, created_s in enumerate(created.tolist()):
        yield Account(
            **_base(f"a{number}", Instant(now), None),
            user_id=str(10_000_000 + number),
            user_login=f"viewer{number * 7919 % 1_000_003}",
            account_created_at=Instant(created_s * 1_000_000),
        )


def _capture(
    ingest: Ingest, captures: Captures, room: Room, capture_id: str, people: Any, at: Instant
) -> None:
    _put(
        ingest,
        (
            Chatter(
                **_base(f"{capture_id}-{number}", at, room),
                capture_id=capture_id,
                user_id=str(10_000_000 + number),
                user_login=f"viewer{number * 7919 % 1_000_003}",
                user_display_name=f"Viewer{number}",
            )
            for number in people.tolist()
        ),
    )
    close = ChatterPoll(**_base(capture_id, at, room), capture_id=capture_id, chatter_count=len(people))
    _put(ingest, iter([close]))
    captures.ask(room, "connected", by="local", capture_id=capture_id)
    captures.start(capture_id)
    captures.complete(capture_id, listed_count=len(people))


def _chat(chance: Any, size: int, message_count: int, now: int) -> Iterator[Event]:
    start = now - 3 * 3_600_000_000
    yield Observation(**_base("o", Instant(start), ROOM), collector="irc", state="joined")
    for number, who in enumerate((size * chance.random(message_count) ** 2).astype(int).tolist()):
        at = Instant(start + number * (now - start) // message_count)
        yield ChatMessage(
            **_base(f"m{number}", at, ROOM), user_id=str(10_000_000 + who), user_login=f"v{who}", text="hello"
        )


def _measure(insights: ChattersInsights, ids: list[str], turns: int) -> dict[str, Any]:
    insights.analysis(Selection(capture_ids=("other0",)), LOCAL)  # libraries are loaded, DuckDB is open
    selection = Selection(capture_ids=(ids[0],))
    first_s, analysis = _timed(lambda: insights.analysis(selection, LOCAL))
    traits = (
        frozenset(),
        frozenset({"silent"}),
        frozenset({"first_seen"}),
        frozenset({"silent", "first_seen"}),
    )
    asked: dict[str, Callable[[int], object]] = {
        "analysis_again": lambda _: insights.analysis(selection, LOCAL),
        "grain": lambda n: insights.analysis(
            Selection(capture_ids=(ids[0],), grain=("day", "week", "month", "year")[n % 4]), LOCAL
        ),
        "last_days": lambda n: insights.analysis(
            Selection(capture_ids=(ids[0],), grain="day", last_days=30 + n), LOCAL
        ),
        "trait_first_time": lambda n: insights.analysis(
            Selection(capture_ids=(ids[0],), traits=traits[n % 4]), LOCAL
        ),
        "brush_to_accounts": lambda n: insights.accounts(
            Selection(capture_ids=(ids[0],), start_day=18_000 + n, end_day=18_090 + n), LOCAL
        ),
        "all_accounts": lambda _: insights.accounts(selection, LOCAL),
    }
    times = {
        name: [_timed(lambda n=n, ask=ask: ask(n))[0] for n in range(turns)] for name, ask in asked.items()
    }
    compare_s, _ = _timed(lambda: insights.compare(ids[0], ids[1], LOCAL))
    again_s, _ = _timed(lambda: insights.compare(ids[0], ids[1], LOCAL))
    return {
        "tested": analysis.n,
        "cohorts": len(analysis.cohorts),
        "first_analysis_s": round(first_s, 3),
        "ms": {
            name: {
                "median": round(statistics.median(found) * 1e3, 1),
                "worst": round(max(found) * 1e3, 1),
            }
            for name, found in times.items()
        },
        "compare_first_s": round(compare_s, 3),
        "compare_again_ms": round(again_s * 1e3, 1),
    }


def _timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    answer = ask()
    return time.perf_counter() - started, answer
