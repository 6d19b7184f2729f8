"""One EventSub WebSocket against a server on order: frames, handover, ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from collectors.eventsub_connection import REACTIONS, KeptConnection
from collectors.eventsub_socket import EventSubSocket
from collectors.waiting import cancelled
from dashboard.errors import TwitchRefused, TwitchUnavailable
from dashboard.events import Instant
from dashboard.eventsub_message import EventSubMessage
from tests.eventsub_fake import FakeEventSub, fake_eventsub
from tests.eventsub_messages import frame


class Seen:
    """What a socket handed on."""

    def __init__(self) -> None:
        self.messages: list[EventSubMessage] = []
        self.rejected: list[tuple[str, str]] = []

    async def message(self, message: EventSubMessage) -> None:
        self.messages.append(message)

    async def reject(self, line: str, reason: str) -> None:
        self.rejected.append((line, reason))

    @property
    def ids(self) -> list[str]:
        return [message.message_id for message in self.messages]


@pytest.fixture
async def twitch() -> AsyncIterator[FakeEventSub]:
    async with fake_eventsub() as fake:
        yield fake


@pytest.fixture
def seen() -> Seen:
    return Seen()


def socket_of(twitch: FakeEventSub, seen: Seen) -> EventSubSocket:
    return EventSubSocket(twitch.url, seen.message, on_reject=seen.reject)


async def until(condition: object, timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_frames_come_raw_in_order_and_broken_ones_are_kept(twitch: FakeEventSub, seen: Seen) -> None:
    socket = socket_of(twitch, seen)
    await socket.open()
    session = await twitch.session(0)
    assert socket.session == "session-0"
    assert session.path == "/ws?keepalive_timeout_seconds=10"
    sent = [frame(number) for number in range(50)]
    for text in sent[:25]:
        await session.send(text)
    # What a strict model would fall over: a type nobody knows, fields that are missing.
    await session.send("not JSON")
    await session.send('{"metadata": {"message_type": "notification"}}')
    odd = sent[25].replace("channel.follow", "channel.invented_later").replace('"user_id":"125",', "")
    for text in [odd, *sent[26:]]:
        await session.send(text)
    await until(lambda: len(seen.messages) == 50)
    assert seen.ids == [f"message-{number}" for number in range(50)]
    assert [message.body for message in seen.messages] == [*sent[:25], odd, *sent[26:]]
    assert seen.messages[25].eventsub_type == "channel.invented_later"
    assert [reason for _, reason in seen.rejected] == [
        "the EventSub message is not JSON",
        "the EventSub message has no id",
    ]
    await socket.shut()


async def test_a_handover_loses_nothing_that_is_still_in_the_old_connection(
    twitch: FakeEventSub, seen: Seen
) -> None:
    socket = socket_of(twitch, seen)
    await socket.open()
    old = await twitch.session(0)
    await old.send(frame(1))

    async def while_the_new_one_waits() -> None:
        for number in range(2, 12):
            await old.send(frame(number))
            await asyncio.sleep(0.01)

    twitch.on_welcome = while_the_new_one_waits
    await old.reconnect(twitch.url.replace("/ws", "/moved?token=secret"))
    new = await twitch.session(1)
    assert new.path == "/moved?token=secret", "the address is used as it is"
    for number in range(12, 16):
        await old.send(frame(number))
        await new.send(frame(number + 100))
    await asyncio.wait_for(socket.succeeded.wait(), 60)
    await until(lambda: len(seen.messages) == 19)
    assert sorted(seen.ids) == sorted([f"message-{n}" for n in [*range(1, 16), *range(112, 116)]])
    await until(lambda: old.socket.closed)
    assert socket.successor is not None
    assert socket.successor.session == "session-1"
    await new.send(frame(200))
    await until(lambda: "message-200" in seen.ids)
    await socket.shut()
    await until(lambda: new.socket.closed)


async def test_without_a_welcome_or_a_server_it_says_so_without_the_address(
    twitch: FakeEventSub, seen: Seen
) -> None:
    twitch.refuses = True
    with pytest.raises(TwitchUnavailable) as caught:
        await socket_of(twitch, seen).open(twitch.url + "?token=secret")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_silence_beyond_the_keepalive_ends_it(twitch: FakeEventSub, seen: Seen) -> None:
    twitch.keepalive_s = 1
    socket = socket_of(twitch, seen)
    await socket.open()
    # TwitchIO gives five seconds on top; as if they were over.
    for _ in range(600):
        if socket.ended.is_set():
            break
        await asyncio.sleep(0.1)
        if socket._last_keepalive is not None:
            socket._last_keepalive -= timedelta(seconds=1)
    assert socket.ended.is_set()
    assert socket.end_reason == "nothing was heard for too long"
    await socket.shut()


class Kept:
    """A kept connection under test, with what it told."""

    def __init__(self, twitch: FakeEventSub, seen: Seen) -> None:
        self.sessions: list[str] = []
        self.lost: list[tuple[str, Instant | None]] = []
        self.fails: Exception | None = None
        self.connection = KeptConnection(
            lambda: socket_of(twitch, seen),
            self.begin,
            lambda reason, at: self.lost.append((reason, at)),
            first_wait_s=0.02,
        )
        self.task = asyncio.create_task(self.connection.run())

    async def begin(self, session_id: str) -> None:
        self.sessions.append(session_id)
        if self.fails:
            error, self.fails = self.fails, None
            raise error


@pytest.fixture
async def kept(twitch: FakeEventSub, seen: Seen) -> AsyncIterator[Kept]:
    kept = Kept(twitch, seen)
    yield kept
    await cancelled([kept.task])


@pytest.mark.parametrize("code", sorted(REACTIONS))
async def test_after_each_close_code_a_new_session_begins(
    code: int, twitch: FakeEventSub, kept: Kept
) -> None:
    assert sorted(REACTIONS) == list(range(4000, 4008))
    first = await twitch.session(0)
    await until(lambda: kept.sessions)
    await first.close(code)
    second = await twitch.session(1)
    assert second.path.startswith("/ws?"), "at the base address"
    await until(lambda: kept.sessions == ["session-0", "session-1"])
    ((reason, heard_at),) = kept.lost
    assert reason == REACTIONS[code].words
    assert heard_at is not None
    assert kept.connection.close_codes == {code: 1}
    assert kept.connection.loss_count == 1


async def test_a_handover_is_no_loss(twitch: FakeEventSub, kept: Kept, seen: Seen) -> None:
    old = await twitch.session(0)
    await until(lambda: kept.sessions)
    await old.reconnect(twitch.url.replace("/ws", "/moved"))
    new = await twitch.session(1)
    await old.close(4004)  # Twitch closes it as soon as the new one is there.
    await new.send(frame(1))
    await until(lambda: seen.ids == ["message-1"])
    assert (kept.sessions, kept.lost) == (["session-0"], []), "subscriptions moved along"
    await until(lambda: kept.connection.handover_count == 1)
    await new.close(4000)
    await twitch.session(2)
    await until(lambda: kept.sessions == ["session-0", "session-2"])
    assert len(kept.lost) == 1


async def test_a_reconnect_address_that_fails_leads_to_a_new_session(
    twitch: FakeEventSub, kept: Kept
) -> None:
    old = await twitch.session(0)
    await until(lambda: kept.sessions)
    await old.reconnect("ws://127.0.0.1:9/gone")
    await asyncio.sleep(0.1)
    await old.close(4004)
    await twitch.session(1)
    await until(lambda: kept.sessions == ["session-0", "session-1"])
    assert [reason for reason, _ in kept.lost] == ["the reconnect came too late"]


async def test_a_server_that_is_down_for_a_while_is_tried_again(twitch: FakeEventSub, seen: Seen) -> None:
    twitch.refuses = True
    kept = Kept(twitch, seen)
    await until(lambda: kept.connection.error)
    assert "can't be reached" in str(kept.connection.error)
    twitch.refuses = False
    await twitch.session(0)
    await until(lambda: kept.sessions == ["session-0"])
    assert kept.connection.error is None
    await cancelled([kept.task])


async def test_a_session_that_can_t_begin_is_tried_anew(twitch: FakeEventSub, seen: Seen) -> None:
    kept = Kept(twitch, seen)
    kept.fails = TwitchRefused("PATCH /eventsub/conduits/shards: no")
    await twitch.session(1)
    await until(lambda: kept.sessions == ["session-0", "session-1"])
    await cancelled([kept.task])
