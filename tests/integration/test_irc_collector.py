"""The chat collector against a small server: joining, listening, leaving."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from collectors.irc import IrcCollector, IrcLimits
from dashboard.errors import ConfigError, StorageError
from dashboard.events import ChatMessage, Event, Instant, Observation
from tests.fake_irc import FakeIrc, ListSink, message, until

NOW = Instant(1_700_000_001_000_000)
QUICK = IrcLimits(
    join_count=1_000,
    join_period_s=0.1,
    connect_s=2,
    silence_s=5,
    pong_s=1,
    join_confirm_s=0.1,
    join_retry_s=0.1,
    backoff_s=0.02,
    backoff_max_s=0.05,
    login_retry_s=30,
)


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
    return all(login in channels and channels[login].is_joined for login in logins)


@pytest.mark.parametrize("scheme", ["ws", "irc"])
async def test_reads_a_channel_from_join_to_leave(scheme: str) -> None:
    sink = ListSink()
    async with FakeIrc(scheme) as server:
        collector = IrcCollector(server.url, sink, now=lambda: NOW, limits=QUICK)
        async with running(collector, "forsen"):
            await until(lambda: is_joined(collector, "forsen"))
            await server.say("#forsen", message("#forsen", "one"), message("#forsen", "two ❤", number=2))
            await until(lambda: len(sink.of("chat_messages")) == 2)
            client = server.clients[0]
            stats = collector.stats()

    nick = client.nick
    assert [line for _, line in client.lines] == [
        "CAP REQ :twitch.tv/tags twitch.tv/commands twitch.tv/membership",
        f"NICK {nick}",
        "JOIN #forsen",
    ]
    assert nick.startswith("justinfan")
    assert nick.removeprefix("justinfan").isdigit()

    second = sink.of("chat_messages")[1]
    assert isinstance(second, ChatMessage)
    assert (second.text, second.event_id, second.sent_at, second.received_at) == (
        "two ❤",
        "message-2",
        1_700_000_000_000_000,
        NOW,
    )
    assert [(type(e).__name__, getattr(e, "action", None)) for e in sink.events] == [
        ("Observation", None),
        ("UserListChange", "names"),  # ours is left out
        ("RoomState", None),
        ("ChatMessage", None),
        ("ChatMessage", None),
        ("Observation", None),
    ]
    assert sink.ledger() == [("forsen", "joined", None), ("forsen", "lost", "collector stopped")]
    channel = stats.channels["forsen"]
    assert (channel.is_joined, channel.message_count, channel.last_message_at) == (True, 2, NOW)
    assert (stats.connection_count, stats.message_count, stats.reject_count) == (1, 2, 0)
    assert stats.messages_per_s == 2.0
    assert stats.lag_p95_ms == 1_000
    assert (stats.error, channel.error) == (None, None)


async def test_channels_are_added_and_parted_while_running() -> None:
    sink = ListSink()
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        async with running(collector, "one"):
            await until(lambda: is_joined(collector, "one"))
            await collector.set_channels(["two"])
            await until(lambda: is_joined(collector, "two"))
            await until(lambda: server.heard("PART"))
            # What is still on its way from a channel that we left is not ours any more.
            await server.clients[0].send(message("#one", "late"), message("#two", "here"))
            await until(lambda: sink.of("chat_messages"))
            assert server.heard("PART") == ["PART #one"]
            assert list(collector.stats().channels) == ["two"]
    assert [event.room_login for event in sink.of("chat_messages")] == ["two"]
    assert sink.ledger("one") == [("one", "joined", None), ("one", "left", "unfollowed")]
    assert sink.ledger("two") == [("two", "joined", None), ("two", "lost", "collector stopped")]


async def test_channels_are_spread_over_connections() -> None:
    limits = IrcLimits(channels_per_connection=3, join_count=1_000, join_period_s=0.1)
    logins = [f"room{number}" for number in range(8)]
    sink = ListSink()
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=limits)
        async with running(collector, *logins):
            await until(lambda: is_joined(collector, *logins))
            assert sorted(len(client.rooms) for client in server.clients) == [2, 3, 3]
            assert collector.stats().connection_count == 3
            await collector.set_channels(logins[:3])
            await until(lambda: len(server.clients) == 1)
            assert collector.stats().connection_count == 1
    assert len(sink.ledger()) == 16


async def test_joins_stay_within_the_limit_across_connections() -> None:
    limits = IrcLimits(channels_per_connection=4, join_count=4, join_period_s=0.3)
    logins = [f"room{number}" for number in range(12)]
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, ListSink(), limits=limits)
        async with running(collector, *logins):
            await until(lambda: is_joined(collector, *logins))
            times = sorted(at for at, _ in server.joins)
    assert sorted(room for _, room in server.joins) == sorted(f"#{login}" for login in logins)
    # Any five joins in a row take longer than the period (less what the loop may bunch together).
    spans = [later - earlier for earlier, later in zip(times, times[4:], strict=False)]
    assert min(spans) > 0.25
    assert times[-1] - times[0] > 0.55


async def test_a_login_is_sent_with_its_token(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    async with FakeIrc() as server:
        token = SecretStr("oauth:s3cret-token")
        collector = IrcCollector(server.url, ListSink(), login="Bot", token=token, limits=QUICK)
        async with running(collector, "forsen"):
            await until(lambda: is_joined(collector, "forsen"))
            assert [line for _, line in server.clients[0].lines][1:3] == [
                "PASS oauth:s3cret-token",
                "NICK bot",
            ]
    # At DEBUG websockets logs every frame; the server's side of it is the test's own.
    ours = [record.getMessage() for record in caplog.records if record.name != "websockets.server"]
    assert not any("s3cret" in text for text in ours)
    # Printed, or handed to logging if another test has set the log up.
    printed = capsys.readouterr().out + "".join(ours)
    assert "irc_logged_in" in printed
    assert "s3cret" not in printed
    assert "s3cret" not in repr(collector._shared)


async def test_a_refused_login_is_told_and_not_hammered() -> None:
    async with FakeIrc() as server:
        server.refusal = "Login authentication failed"
        token = SecretStr("wrong")
        limits = IrcLimits(channels_per_connection=1, login_retry_s=30)
        collector = IrcCollector(server.url, ListSink(), login="bot", token=token, limits=limits)
        async with running(collector, "one"):
            await until(lambda: collector.stats().error)
            await collector.set_channels(["one", "two"])
            await asyncio.sleep(0.3)
            assert collector.stats().error == (
                "Twitch refused the login: Login authentication failed. "
                "Check TWITCH_IRC_LOGIN and TWITCH_IRC_TOKEN."
            )
            assert collector.stats().connection_count == 0
            assert len(server.clients) == 0


async def test_joins_that_nobody_confirms_are_told_and_tried_again() -> None:
    async with FakeIrc() as server:
        server.silent_rooms = {"#quiet"}
        server.suspended_rooms = {"#gone"}
        sink = ListSink()
        collector = IrcCollector(server.url, sink, limits=QUICK)
        async with running(collector, "quiet", "gone", "fine"):
            await until(lambda: is_joined(collector, "fine"))
            await until(lambda: all(collector.stats().channels[c].error for c in ("quiet", "gone")))
            channels = collector.stats().channels
            assert channels["gone"].error == "This channel has been suspended."
            assert channels["quiet"].error == "Twitch did not confirm the join; it will be tried again."
            assert [channels[c].is_joined for c in ("quiet", "gone", "fine")] == [False, False, True]
            server.silent_rooms = set()
            await until(lambda: is_joined(collector, "quiet"))
            assert collector.stats().channels["quiet"].error is None
            asked = [room for _, room in server.joins].count("#quiet")
    assert asked >= 2
    assert sink.ledger("gone") == []


async def test_pings_are_answered() -> None:
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, ListSink(), limits=QUICK)
        async with running(collector, "forsen"):
            await until(lambda: is_joined(collector, "forsen"))
            await server.clients[0].send("PING :tmi.twitch.tv", "PING plain")
            await until(lambda: len(server.heard("PONG")) == 2)
            assert server.heard("PONG") == ["PONG :tmi.twitch.tv", "PONG :plain"]


async def test_a_full_queue_holds_the_reader_back_and_loses_nothing() -> None:
    sink = ListSink()
    limits = IrcLimits(silence_s=0.2, pong_s=0.3)
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=limits)
        async with running(collector, "forsen"):
            await until(lambda: is_joined(collector, "forsen"))
            sink.gate.clear()
            for number in range(50):
                await server.say("#forsen", message("#forsen", "hi", number=number))
            await asyncio.sleep(0.8)  # longer than silence and patience: waiting for the sink is no silence
            sink.gate.set()
            await until(lambda: len(sink.of("chat_messages")) == 50)
            assert collector.stats().reconnect_count == 0


async def test_an_address_of_another_kind_is_refused() -> None:
    collector = IrcCollector("http://127.0.0.1:1/irc", ListSink(), limits=QUICK)
    await collector.set_channels(["forsen"])
    with pytest.raises(ConfigError, match=r"^TWITCH_IRC_URL: http:// is not"):
        await collector.run()


async def test_a_cancelled_collector_notes_that_it_left() -> None:
    sink = ListSink()
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        await collector.set_channels(["forsen"])
        task = asyncio.create_task(collector.run())
        await until(lambda: is_joined(collector, "forsen"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert sink.ledger() == [("forsen", "joined", None), ("forsen", "lost", "collector stopped")]


async def test_a_sink_that_fails_ends_the_collector() -> None:
    class FullSink(ListSink):
        async def put(self, events: list[Event]) -> None:  # type: ignore[override]
            if any(isinstance(event, ChatMessage) for event in events):
                raise StorageError("disk is full")
            await super().put(events)

    sink = FullSink()
    async with FakeIrc() as server:
        collector = IrcCollector(server.url, sink, limits=QUICK)
        await collector.set_channels(["forsen"])
        task = asyncio.create_task(collector.run())
        await until(lambda: is_joined(collector, "forsen"))
        await server.say("#forsen", message("#forsen", "hi"))
        with pytest.raises(StorageError, match="disk is full"):
            await asyncio.wait_for(task, 60)
    states = [event.state for event in sink.events if isinstance(event, Observation)]
    assert states == ["joined", "lost"]
