"""What goes wrong with a chat connection, done on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from collectors.irc import IrcCollector, IrcLimits
from dashboard.events import ChatMessage, Instant, Notice, Observation
from tests.fake_irc import FakeIrc, ListSink, message, until

pytestmark = pytest.mark.fault

QUICK = IrcLimits(
    join_count=1_000,
    join_period_s=0.1,
    connect_s=1,
    silence_s=5,
    pong_s=1,
    join_confirm_s=0.2,
    join_retry_s=0.1,
    backoff_s=0.02,
    backoff_max_s=0.05,
)
VIGILANT = replace(QUICK, silence_s=0.2, pong_s=0.5)


def ticking(start: int = 1_000_000_000) -> Callable[[], Instant]:
    """A clock that is one second later each time it is asked."""
    time_us = start

    def now() -> Instant:
        nonlocal time_us
        time_us += 1_000_000
        return Instant(time_us)

    return now


@contextlib.asynccontextmanager
async def running(collector: IrcCollector, *channels: str) -> AsyncIterator[IrcCollector]:
    await collector.set_channels(channels)
    task = asyncio.create_task(collector.run())
    try:
        yield collector
    finally:
        await collector.close()
        await asyncio.wait_for(task, 60)


def is_joined(collector: IrcCollector, *logins: str) -> bool:
    channels = collector.stats().channels
    return all(channels[login].is_joined for login in logins)


def texts(sink: ListSink) -> list[str]:
    return [event.text for event in sink.events if isinstance(event, ChatMessage)]


@pytest.mark.parametrize("scheme", ["ws", "irc"])
async def test_a_dropped_connection_comes_back_and_leaves_a_gap(scheme: str) -> None:
    sink = ListSink()
    async with FakeIrc(scheme) as server:
        collector = IrcCollector(server.url, sink, now=ticking(), limits=QUICK)
        async with running(collector, "one", "two"):
            await until(lambda: is_joined(collector, "one", "two"))
            await server.say("#one", message("#one", "before"))
            await until(lambda: texts(sink) == ["before"])
            server.drop()
            await until(lambda: collector.stats().reconnect_count == 1)
            await until(lambda: is_joined(collector, "one", "two"))
            await server.say("#two", message("#two", "after", number=2))
            await until(lambda: texts(sink) == ["before", "after"])

    for login in ("one", "two"):
        states = [e for e in sink.events if isinstance(e, Observation) and e.room_login == login]
        assert [event.state for event in states] == ["joined", "lost", "joined", "lost"]
        assert states[1].reason
        assert {event.collector for event in states} == {"irc"}
        # The room's id is known from ROOMSTATE, so for everything but the very first join.
        assert {event.room_id for event in states[1:]} == {"42"}
    before = next(event for event in sink.events if isinstance(event, ChatMessage))
    lost = [event for event in sink.events if isinstance(event, Observation) and event.state == "lost"]
    # The gap starts where we last heard anything, not where we noticed.
    assert [event.sent_at for event in lost[:2]] == [before.received_at] * 2
    assert all(event.received_at > before.received_at for event in lost)
    assert len({event.event_id for event in sink.events}) == len(sink.events)


async def test_reconnect_is_obeyed_and_what_came_with_it_is_kept() -> None:
    sink = ListSink()
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            first = server.clients[0]
            await server.say("#one", message("#one", "last"), ":tmi.twitch.tv RECONNECT")
            await until(lambda: server.open and server.open[0] is not first)
            await until(lambda: is_joined(collector, "one"))
            assert texts(sink) == ["last"]
    assert sink.ledger() == [
        ("one", "joined", None),
        ("one", "lost", "Twitch asked us to reconnect"),
        ("one", "joined", None),
        ("one", "lost", "collector stopped"),
    ]


@pytest.mark.parametrize("scheme", ["ws", "irc"])
async def test_a_half_open_connection_is_dropped(scheme: str) -> None:
    sink = ListSink()
    async with FakeIrc(scheme) as server:
        collector = IrcCollector(server.url, sink, limits=VIGILANT)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            # A quiet channel alone is no reason: the server answers our PING.
            await asyncio.sleep(0.5)
            assert server.heard("PING") != []
            assert collector.stats().reconnect_count == 0
            server.is_frozen = True
            await until(lambda: collector.stats().reconnect_count >= 1)
            assert not is_joined(collector, "one")
            server.is_frozen = False
            await until(lambda: is_joined(collector, "one"))
    reasons = [reason for _, state, reason in sink.ledger() if state == "lost"]
    assert reasons[1:] == ["collector stopped"]
    assert re.fullmatch(r"no word for \d s \(half-open\)", reasons[0] or "")


async def test_a_server_that_is_away_is_waited_for() -> None:
    sink = ListSink()
    server = FakeIrc("irc")
    await server.start()
    collector = IrcCollector(server.url, sink, limits=QUICK)
    async with running(collector, "one"):
        await until(lambda: is_joined(collector, "one"))
        await server.stop()
        await until(lambda: "can't be reached" in (collector.stats().error or ""))
        assert collector.stats().connection_count == 0
        await server.start()
        await until(lambda: is_joined(collector, "one"))
        assert collector.stats().error is None
    await server.stop()
    # However often it tried, there was one gap.
    assert [state for _, state, _ in sink.ledger()] == ["joined", "lost", "joined", "lost"]


async def test_a_server_that_never_answers_the_login_is_given_up() -> None:
    limits = IrcLimits(connect_s=0.1, backoff_s=0.02)
    async with FakeIrc("irc") as server:
        server.is_frozen = True
        collector = IrcCollector(server.url, ListSink(), limits=limits)
        async with running(collector, "one"):
            await until(lambda: collector.stats().reconnect_count >= 2)
            assert collector.stats().error == "no answer to the login within 0.1 s"
            server.is_frozen = False
            await until(lambda: is_joined(collector, "one"))


@pytest.mark.parametrize("scheme", ["ws", "irc"])
async def test_broken_lines_are_rejected_and_the_stream_goes_on(scheme: str) -> None:
    sink = ListSink()
    async with FakeIrc(scheme) as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            await server.say(
                "#one",
                "@only=tags",
                ":tmi.twitch.tv CLEARCHAT",
                ":tmi.twitch.tv CLEARMSG #one :no id",
                "???",
                ":tmi.twitch.tv SOMETHING new",
                "   ",
                ":tmi.twitch.tv SOMETHING #one :newer",
                message("#one", "still here"),
            )
            await until(lambda: texts(sink) == ["still here"])
            assert collector.stats().reject_count == 6
            assert collector.stats().reconnect_count == 0
    assert sink.rejects == [
        ("@only=tags", "no command in the line"),
        (":tmi.twitch.tv CLEARCHAT", "the line names no room"),
        (
            ":tmi.twitch.tv CLEARMSG #one :no id",
            "CLEARMSG: target-msg-id is None and should name the deleted message",
        ),
        ("???", "“???” is not a command"),
        (":tmi.twitch.tv SOMETHING new", "unknown command SOMETHING that names no room"),
        ("   ", "empty line"),
    ]
    kept = [event for event in sink.events if isinstance(event, Notice)]
    assert [(event.msg_id, event.text) for event in kept] == [
        ("irc:SOMETHING", ":tmi.twitch.tv SOMETHING #one :newer")
    ]


_COMMANDS = "NOTICE CAP JOIN PART 366 403 ROOMSTATE PING PONG 353 MODE USERNOTICE CLEARMSG HOSTTARGET 001"


async def test_bare_commands_do_not_end_the_stream() -> None:
    commands = _COMMANDS.split()
    sink = ListSink()
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            nick = server.clients[0].nick
            await server.say(
                "#one", *commands, *(f":{nick}!{nick}@{nick} {command} :" for command in commands)
            )
            await server.say("#one", "@msg-id=msg_banned NOTICE", message("#one", "still here"))
            await until(lambda: texts(sink) == ["still here"])
            assert collector.stats().reconnect_count == 0
            assert is_joined(collector, "one")


async def test_a_login_refused_later_keeps_what_came_with_it() -> None:
    sink = ListSink()
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            await server.say("#one", message("#one", "last"), ":tmi.twitch.tv NOTICE * :Error logging in")
            await until(lambda: collector.stats().error)
            assert not is_joined(collector, "one")
            assert texts(sink) == ["last"]


@pytest.mark.parametrize("scheme", ["ws", "irc"])
async def test_long_lines(scheme: str) -> None:
    sink = ListSink()
    limits = IrcLimits(line_bytes=150_000)
    async with FakeIrc(scheme) as server:
        collector = IrcCollector(server.url, sink, limits=limits)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            await server.say("#one", message("#one", "a" * 100_000))
            await server.say("#one", message("#one", "b" * 200_000, number=2), message("#one", "c", number=3))
            await until(lambda: len(texts(sink)) == 2)
            assert collector.stats().reconnect_count == 0
    assert texts(sink) == ["a" * 100_000, "c"]
    [(line, reason)] = sink.rejects
    assert reason == "longer than 150000 bytes; this is its beginning"
    assert len(line) == 2_000
    assert line.startswith("@badges=;")


async def test_bytes_that_are_no_utf8_are_kept_as_far_as_they_go() -> None:
    for scheme in ("ws", "irc"):
        sink = ListSink()
        async with FakeIrc(scheme) as server:
            collector = IrcCollector(server.url, sink, limits=QUICK)
            async with running(collector, "one"):
                await until(lambda c=collector: is_joined(c, "one"))
                await server.say("#one", message("#one", "bad ").encode() + b"\xff\xfe byte")
                await until(lambda s=sink: texts(s))
                assert collector.stats().reconnect_count == 0
        assert texts(sink) == ["bad �� byte"]


async def test_tcp_may_cut_anywhere_also_inside_a_character() -> None:
    sink = ListSink()
    data = (message("#one", "smile 😂 done") + "\r\n" + message("#one", "é", number=2) + "\r\n").encode()
    async with FakeIrc("irc") as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            cuts = [0, data.index(b"\xf0\x9f") + 2, data.index(b"\r\n") + 1, len(data) - 3, len(data)]
            for start, stop in pairwise(cuts):
                await server.clients[0].send_raw(data[start:stop])
                await asyncio.sleep(0.02)
            await until(lambda: len(texts(sink)) == 2)
    assert texts(sink) == ["smile 😂 done", "é"]
    assert sink.rejects == []


async def test_being_removed_from_a_channel_is_a_gap_and_is_mended() -> None:
    sink = ListSink()
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            nick = server.clients[0].nick
            await server.say("#one", f":{nick}!{nick}@{nick}.tmi.twitch.tv PART #one")
            await until(lambda: len(sink.ledger()) == 3)
    assert sink.ledger() == [
        ("one", "joined", None),
        ("one", "lost", "Twitch removed us from the channel"),
        ("one", "joined", None),
        ("one", "lost", "collector stopped"),
    ]


async def test_a_connection_that_breaks_while_the_sink_is_full_loses_nothing_it_received() -> None:
    sink = ListSink()
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            sink.gate.clear()
            await server.say("#one", message("#one", "held"))
            await asyncio.sleep(0.1)
            server.drop()
            await asyncio.sleep(0.1)
            sink.gate.set()
            await until(lambda: collector.stats().reconnect_count == 1)
            await until(lambda: is_joined(collector, "one"))
            assert texts(sink) == ["held"]
    assert [state for _, state, _ in sink.ledger()] == ["joined", "lost", "joined", "lost"]
