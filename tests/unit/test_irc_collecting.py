"""The parts of the chat collector that need no network."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import irc_limits
from collectors.clock import SteadyClock
from collectors.irc_joins import NOT_CONFIRMED, Channel, JoinBook
from collectors.irc_limits import IrcLimits, jittered
from collectors.irc_stats import Meter
from collectors.irc_transport import LineSplitter, Overlong
from dashboard.events import ChatMessage, Event, Instant

LIMITS = IrcLimits(join_confirm_s=10, join_retry_s=30, join_retry_max_s=100)


# --- lines out of bytes ------------------------------------------------------------------------


_LINES = st.lists(st.text(st.characters(exclude_characters="\r\n"), min_size=1))


@given(lines=_LINES, cuts=st.lists(st.integers(0, 400)))
def test_lines_survive_any_cut(lines: list[str], cuts: list[int]) -> None:
    encoded = [line.encode("utf-8", "replace") for line in lines]
    data = b"".join(line + b"\r\n" for line in encoded)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    splitter = LineSplitter(10_000)
    got = [line for start, stop in pairwise(ends) for line in splitter.feed(data[start:stop])]
    assert got == [line.decode() for line in encoded]
    assert splitter.flush() == []


def test_a_frame_ends_a_line() -> None:
    splitter = LineSplitter(100)
    assert splitter.feed(b"PING :a\r\nPING :b") == ["PING :a"]
    assert splitter.flush() == ["PING :b"]
    assert splitter.feed(b"\r\n\n\r\nPING :c\n") == ["PING :c"]


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_line_that_is_too_long_comes_once_and_the_next_one_is_whole(step: int) -> None:
    data = b"short\r\n" + b"x" * 5_000 + b"\r\nnext\r\n"
    splitter = LineSplitter(3_000)
    got = [line for at in range(0, len(data), step) for line in splitter.feed(data[at : at + step])]
    assert got == ["short", "x" * 2_000, "next"]
    assert [isinstance(line, Overlong) for line in got] == [False, True, False]


def test_a_line_of_exactly_the_limit_is_taken() -> None:
    assert [type(line) for line in LineSplitter(5).feed(b"12345\n123456\n")] == [str, Overlong]


# --- joins -------------------------------------------------------------------------------------


def test_a_join_from_wish_to_confirmation() -> None:
    book = JoinBook(LIMITS)
    book.add("a")
    book.add("b")
    book.add("a")
    due = book.due(0)
    assert [channel.login for channel in due] == ["a", "b"]
    book.asked(due, 100)
    assert book.due(100) == []
    assert book.next_s() == 110
    assert book.confirm("a") is book.channels["a"]
    assert book.confirm("a") is None  # 366 and ROOMSTATE follow our own JOIN
    assert book.confirm("stranger") is None
    book.expire(109.9)
    assert book.channels["b"].phase == "asked"
    book.expire(110)
    assert book.channels["b"].error == NOT_CONFIRMED
    assert 125 <= book.channels["b"].due_s <= 140  # 30 s, up to half of it chance
    assert book.channels["a"].is_joined


def test_waits_between_attempts_grow_up_to_a_limit() -> None:
    book = JoinBook(LIMITS)
    book.add("a")
    waits = []
    for _ in range(4):
        book.asked([book.channels["a"]], 0)
        book.expire(10)
        waits.append(book.channels["a"].due_s - 10)
    for wait, longest in zip(waits, (30, 60, 100, 100), strict=True):
        assert longest / 2 <= wait <= longest
    book.confirm("a")
    assert (book.channels["a"].attempts, book.channels["a"].error) == (0, None)


def test_a_refusal_is_told_and_tried_again() -> None:
    book = JoinBook(LIMITS)
    book.add("a")
    book.asked(book.due(0), 0)
    book.refuse("a", "suspended", 1)
    book.refuse("stranger", "suspended", 1)
    channel = book.channels["a"]
    assert (channel.phase, channel.error) == ("waiting", "suspended")
    assert 16 <= channel.due_s <= 31
    assert book.expel("a", "put out", 2) is None  # was not in


def test_a_lost_connection_starts_over() -> None:
    book = JoinBook(LIMITS)
    for login in ("in", "asked", "later"):
        book.add(login)
    book.channels["later"].due_s = 500
    book.asked(book.due(0), 0)
    book.confirm("in")
    assert [channel.login for channel in book.restart()] == ["in"]
    assert [(c.login, c.phase, c.due_s) for c in book.channels.values()] == [
        ("in", "waiting", 0),
        ("asked", "waiting", 0),
        ("later", "waiting", 500),
    ]
    assert book.next_s() == 0


def test_who_was_never_refused_comes_first() -> None:
    book = JoinBook(LIMITS)
    book.channels = {"old": Channel("old", attempts=2), "new": Channel("new")}
    assert [channel.login for channel in book.due(0)] == ["new", "old"]


# --- limits ------------------------------------------------------------------------------------


async def test_the_limiter_counts_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, slept = [100.0], list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now_s[0] += seconds

    monkeypatch.setattr(irc_limits, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    monkeypatch.setattr(irc_limits, "asyncio", SimpleNamespace(Lock=asyncio.Lock, sleep=sleep))
    limiter = irc_limits.WindowLimiter(3, 8)
    assert await limiter.take(2) == 2
    assert await limiter.take(2) == 1
    assert slept == []
    assert await asyncio.gather(limiter.take(), limiter.take()) == [1, 1]
    assert slept == [8.0]


@given(attempt=st.integers(0, 1_000))
def test_waits_double_with_chance(attempt: int) -> None:
    whole = min(60.0, 2.0 ** min(attempt, 10))
    assert whole / 2 <= jittered(1, attempt, 60) <= whole


# --- the clock ---------------------------------------------------------------------------------


def test_the_clock_never_goes_back() -> None:
    wall, steady = 1_000_000_000, 0

    clock = SteadyClock(lambda: wall, lambda: steady)
    assert clock() == 1_000_000
    wall, steady = wall + 10_000_000, steady + 10_000_000
    assert clock() == 1_010_000
    wall += 5_000_000_000  # set forward, or woken from sleep
    assert clock() == 6_010_000
    wall -= 1_000_000_000  # set back by a second
    assert clock() == 6_010_000
    wall, steady = wall + 400_000_000, steady + 400_000_000
    assert clock() == 6_210_000  # half speed
    wall, steady = wall + 2_000_000_000, steady + 2_000_000_000
    assert clock() == 7_410_000  # the time of day has caught up
    wall, steady = wall + 1_000_000, steady + 1_000_000
    assert clock() == 7_411_000


# --- stats -------------------------------------------------------------------------------------


def _message(lag_us: int) -> Event:
    return ChatMessage(
        event_id="1",
        source="irc",
        room_login="a",
        sent_at=Instant(1_000_000_000),
        received_at=Instant(1_000_000_000 + lag_us),
        text="x",
    )


def test_rates_and_lags() -> None:
    now_s = 100.0
    meter = Meter(lambda: now_s)
    assert (meter.messages_per_s(), meter.lag_p95_ms()) == (0.0, None)
    meter.saw([_message(lag_us) for lag_us in range(1_000, 21_000, 1_000)])  # 1 … 20 ms
    assert meter.messages_per_s() == 20.0
    assert meter.lag_p95_ms() == 19
    now_s = 105.0
    meter.saw([_message(0)] * 30)  # no time of its own: counts, but has no lag
    assert meter.messages_per_s() == 10.0
    assert meter.lag_p95_ms() == 19
    now_s = 111.0
    assert meter.messages_per_s() == 3.0
    now_s = 161.0
    assert (meter.messages_per_s(), meter.lag_p95_ms(), meter.message_count) == (0.0, None, 50)
