"""The captures' state on SQLite and Postgres: one open at a time, resumable, over once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.errors import JobBusy
from dashboard.events import Instant, now_us
from dashboard.job_handle import Room
from dashboard.storage.captures import KEPT_DAYS, Capture, Captures

ALPHA, BETA = Room("1", "alpha"), Room("2", "beta")
DAY_US = 86_400_000_000


@pytest.fixture
def captures(tmp_path: Path, state_url: str) -> Iterator[Captures]:
    captures = Captures(tmp_path, state_url)
    yield captures
    captures.close()


def found(captures: Captures, capture: Capture) -> Capture:
    again = captures.get(capture.capture_id)
    assert again is not None
    return again


def test_from_asked_to_complete(captures: Captures) -> None:
    asked = captures.ask(ALPHA, "connected", by="7")
    assert (asked.room_id, asked.room_login, asked.state, asked.asked_by) == ("1", "alpha", "asked", "7")
    assert captures.waiting() == [asked]
    started = captures.start(asked.capture_id)
    assert started is not None
    assert (started.state, started.cursor, started.page_count) == ("listing", "", 0)

    assert captures.listed(
        asked.capture_id, cursor="next", page_count=1, listed_count=1000, told_count=2_500_000_000 // 1000
    )
    # Whoever goes on after a crash is given where it stood, and the first start stays.
    resumed = captures.start(asked.capture_id)
    assert resumed is not None
    assert (resumed.state, resumed.cursor, resumed.page_count, resumed.listed_count) == (
        "listing",
        "next",
        1,
        1000,
    )
    assert resumed.started_at == started.started_at
    assert captures.listed(asked.capture_id, cursor="", page_count=2, listed_count=1500, told_count=1502)
    assert captures.aged(asked.capture_id, known_count=1400, unknown_count=100)
    assert found(captures, asked).state == "ageing"
    assert captures.complete(asked.capture_id, known_count=1490, unknown_count=10)

    done = found(captures, asked)
    assert done.is_complete
    assert (done.listed_count, done.told_count, done.known_count, done.unknown_count) == (
        1500,
        1502,
        1490,
        10,
    )
    assert done.finished_at is not None
    assert captures.waiting() == []
    assert captures.start(asked.capture_id) is None
    for change in (captures.cancelled, captures.complete, lambda one: captures.fail(one, "late")):
        assert not change(asked.capture_id), "what is over stays as it ended"
    assert found(captures, asked) == done


def test_who_asks_twice_gets_the_open_one(captures: Captures) -> None:
    first = captures.ask(ALPHA, "connected", by="7")
    assert captures.ask(Room("1", "alpha_renamed"), "connected", by="8") == first
    spoke = captures.ask(ALPHA, "spoke", by="7", window_s=600)
    assert spoke.capture_id != first.capture_id, "the two sources are never mixed"
    assert captures.ask(ALPHA, "spoke", by="8", window_s=600) == spoke
    with pytest.raises(JobBusy, match="alpha over 600 s"):
        captures.ask(ALPHA, "spoke", by="8", window_s=1200)
    assert captures.ask(BETA, "connected", by="7").room_login == "beta"
    captures.fail(first.capture_id, "no answer")
    assert captures.ask(ALPHA, "connected", by="7").capture_id != first.capture_id


@pytest.mark.parametrize(
    ("source", "window_s"), [("all", None), ("spoke", None), ("spoke", 0), ("connected", 60)]
)
def test_what_is_no_source_is_refused(captures: Captures, source: str, window_s: int | None) -> None:
    with pytest.raises(ValueError, match="a source is"):
        captures.ask(ALPHA, source, by="7", window_s=window_s)


def test_many_who_ask_at_once_get_one(tmp_path: Path, state_url: str) -> None:
    ids, start = [], threading.Barrier(6)

    def ask() -> None:
        mine = Captures(tmp_path, state_url)
        start.wait(30)
        ids.append(mine.ask(ALPHA, "connected", by="7").capture_id)
        mine.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ids) == 6
    assert len(set(ids)) == 1


def test_cancel_before_and_in_the_middle(captures: Captures) -> None:
    waiting = captures.ask(ALPHA, "connected", by="7")
    assert captures.cancel(waiting.capture_id)
    assert found(captures, waiting).state == "cancelled"
    assert captures.start(waiting.capture_id) is None
    running = captures.ask(ALPHA, "connected", by="7")
    captures.start(running.capture_id)
    assert not captures.is_cancel_wanted(running.capture_id)
    assert captures.cancel(running.capture_id)
    assert captures.is_cancel_wanted(running.capture_id)
    assert found(captures, running).state == "listing"
    assert captures.cancelled(running.capture_id)
    assert found(captures, running).state == "cancelled"
    assert not captures.cancel(running.capture_id)
    assert captures.is_cancel_wanted("nothing"), "whoever does one that is gone stops"


def test_a_cursor_that_is_refused_begins_anew(captures: Captures) -> None:
    capture = captures.ask(ALPHA, "connected", by="7")
    captures.start(capture.capture_id)
    captures.listed(capture.capture_id, cursor="x", page_count=3, listed_count=3000, told_count=9000)
    assert captures.restart(capture.capture_id)
    again = captures.start(capture.capture_id)
    assert again is not None
    assert (again.cursor, again.page_count, again.listed_count, again.told_count) == ("", 0, 0, None)


def test_lists_are_by_room_source_and_state_newest_first(captures: Captures) -> None:
    first = captures.ask(ALPHA, "connected", by="7")
    captures.fail(first.capture_id, "https://id.twitch.tv/?client_secret=hunter2secret " + "x" * 3000)
    second = captures.ask(ALPHA, "spoke", by="clock", window_s=60)
    third = captures.ask(BETA, "connected", by="7")
    newest = [third.capture_id, second.capture_id, first.capture_id]
    assert [one.capture_id for one in captures.recent()] == newest
    assert [one.capture_id for one in captures.recent(room_ids=["1"])] == newest[1:]
    assert captures.recent(room_ids=[]) == []
    assert [one.capture_id for one in captures.of_room("1", source="spoke")] == newest[1:2]
    assert [one.capture_id for one in captures.of_room("1", states=["failed"])] == newest[2:]
    error = found(captures, first).error
    assert len(error) == 2000
    assert "hunter2" not in error
    assert [one.capture_id for one in captures.some([*newest[::-1], "gone", newest[0]])] == newest[::-1]


def test_old_ones_are_forgotten_but_for_those_in_use(captures: Captures) -> None:
    old, used = (captures.ask(room, "connected", by="7") for room in (ALPHA, BETA))
    for capture in (old, used):
        captures.complete(capture.capture_id)
    open_one = captures.ask(ALPHA, "connected", by="7")
    assert captures.prune(now_us()) == 0
    later = Instant(now_us() + (KEPT_DAYS + 1) * DAY_US)
    assert captures.prune(later, keep=[used.capture_id]) == 1
    assert {one.capture_id for one in captures.recent()} == {used.capture_id, open_one.capture_id}
