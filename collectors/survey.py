"""The survey: who is in the chats of the platform's largest live channels, some minutes each.

Channels go through the chat collector like beads on a string: as soon as one has been read for long
enough its people are handed on, it is left, and the next one is joined, as Twitch's limits allow.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.audience_parse import utc_day
from collectors.helix_client import HelixClient
from collectors.helix_models import Stream, parse_stream
from collectors.irc import IrcCollector, IrcLimits
from dashboard.events import ChatMessage, Event, Instant, UserListChange, now_us, synthetic_id
from dashboard.events_helix import SurveyCapture, SurveyPresence
from dashboard.job_handle import JobHandle

AT_ONCE = 400
"""Channels that are read at the same time, on five connections."""
JOIN_PATIENCE_S = 180
"""A channel that is not joined by then is left out for this time (banned, gone, renamed)."""
TIME_LIMIT_S = 3300
"""The next survey goes on where this one ends."""
_LOOK_EVERY_S = 0.25
_SOURCE = "irc"
_ANONYMOUS = "justinfan"


@dataclass(slots=True)
class Person:
    """Somebody met in a chat."""

    user_id: str | None
    message_count: int
    first_at: Instant
    last_at: Instant


@dataclass(slots=True)
class Tally:
    """What has been seen of one channel since it was joined."""

    stream: Stream
    asked_s: float
    """On the monotonic clock."""
    joined_s: float | None = None
    joined_at: Instant | None = None
    message_count: int = 0
    people: dict[str, Person] = field(default_factory=dict)


class CountingSink:
    """Counts people instead of keeping what they say."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}

    async def put(self, events: Sequence[Event]) -> None:
        """Counts messages (mirrored ones belong to their source room) and people who joined."""
        for event in events:
            tally = self.tallies.get(event.room_login)
            if tally is None:
                continue
            if isinstance(event, ChatMessage):
                is_mirrored = event.source_room_id is not None and event.source_room_id != event.room_id
                if event.user_login and not is_mirrored:
                    tally.message_count += 1
                    _meet(tally, event.user_login.lower(), event.user_id, event.received_at, 1)
            # The list of names has ourselves in it.
            elif isinstance(event, UserListChange) and not event.user_login.startswith(_ANONYMOUS):
                _meet(tally, event.user_login.lower(), None, event.received_at, 0)

    async def reject(self, line: str, reason: str) -> None:
        """Lines that can't be understood count for nothing here."""


def _meet(tally: Tally, login: str, user_id: str | None, at: Instant, messages: int) -> None:
    person = tally.people.get(login)
    if person is None:
        tally.people[login] = Person(user_id, messages, at, at)
        return
    person.user_id = person.user_id or user_id
    person.message_count += messages
    person.last_at = at


async def top_streams(client: HelixClient, count: int) -> list[Stream]:
    """The live channels with the most viewers, each once.

    Source: Helix Get Streams, by falling viewers; pages may repeat a stream.
    """
    found: dict[str, Stream] = {}
    async for raw in client.paginate("/streams", [("first", "100")]):
        if stream := parse_stream(raw):
            found.setdefault(stream.stream_id, stream)
        if len(found) >= count:
            break
    by_room = {stream.user_id: stream for stream in reversed(found.values())}
    return sorted(by_room.values(), key=lambda stream: -(stream.viewer_count or 0))


async def run_survey(
    client: HelixClient,
    irc_url: str,
    *,
    channel_count: int,
    minutes: float,
    done_today: Collection[str],
    keep: Callable[[Sequence[Event]], None],
    handle: JobHandle,
    limits: IrcLimits | None = None,
    at_once: int = AT_ONCE,
    time_limit_s: float = TIME_LIMIT_S,
    now: Callable[[], Instant] = now_us,
) -> int:
    """Reads the chat of the largest live channels.

    Args:
        client: Asks who is live.
        irc_url: Where chat is; it is read anonymously.
        channel_count: How many of the largest.
        minutes: How long each is read, from the confirmed join on.
        done_today: Ids of channels that have a capture of this UTC day; they are not read again.
        keep: Stores events durably before it returns; blocks.
        handle: Progress and cancelling.
        limits: Of the chat collector.
        at_once: So many channels are read at the same time.
        time_limit_s: No channel is begun that would not be read to its end by then.
        now: The clock.

    Returns:
        How many channels were read to their end and kept.
    """
    streams = await top_streams(client, channel_count)
    waiting = [stream for stream in streams if stream.user_id not in done_today]
    handle.log(f"{len(streams)} live channels, {len(streams) - len(waiting)} of them read today already")
    if not waiting:
        return 0
    sink = CountingSink()
    irc = IrcCollector(irc_url, sink, limits=limits)
    running = asyncio.create_task(irc.run())
    survey = _Survey(irc, sink, waiting, minutes * 60, keep, handle, at_once, time_limit_s, now)
    try:
        await survey.run(running)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return survey.done_count


class _Survey:
    def __init__(
        self,
        irc: IrcCollector,
        sink: CountingSink,
        waiting: list[Stream],
        read_s: float,
        keep: Callable[[Sequence[Event]], None],
        handle: JobHandle,
        at_once: int,
        time_limit_s: float,
        now: Callable[[], Instant],
    ) -> None:
        self._irc = irc
        self._sink = sink
        self._waiting = waiting[::-1]
        self._total = len(waiting)
        self._read_s = read_s
        self._keep = keep
        self._handle = handle
        self._at_once = at_once
        self._last_begin_s = time.monotonic() + time_limit_s - read_s
        self._now = now
        self.done_count = 0
        self._left_out = 0

    async def run(self, running: asyncio.Task[None]) -> None:
        while self._waiting or self._sink.tallies:
            if running.done():
                running.result()
            await self._fill()
            await asyncio.sleep(_LOOK_EVERY_S)
            self._handle.check()
            await self._look()
            words = f"{self.done_count} of {self._total} channels read, {len(self._sink.tallies)} under way"
            self._handle.progress(self.done_count + self._left_out, self._total, words)

    async def _fill(self) -> None:
        before = len(self._sink.tallies)
        if self._waiting and time.monotonic() > self._last_begin_s:
            self._handle.log(f"{len(self._waiting)} channels are left for the next survey: the time is over")
            self._waiting.clear()
        while self._waiting and len(self._sink.tallies) < self._at_once:
            stream = self._waiting.pop()
            self._sink.tallies[stream.user_login] = Tally(stream, time.monotonic())
        if len(self._sink.tallies) != before:
            await self._irc.set_channels(self._sink.tallies)

    async def _look(self) -> None:
        stats = self._irc.stats().channels
        ended: list[str] = []
        for login, tally in self._sink.tallies.items():
            state = stats.get(login)
            if state is not None and state.is_joined and tally.joined_s is None:
                tally.joined_s, tally.joined_at = time.monotonic(), self._now()
                # Those who came with the list of names were met before the join was noticed.
            if tally.joined_s is not None:
                if time.monotonic() - tally.joined_s >= self._read_s:
                    ended.append(login)
                elif state is not None and not state.is_joined:
                    # The connection broke: half a capture is none, so the channel starts over.
                    tally.joined_s, tally.joined_at, tally.message_count = None, None, 0
                    tally.people.clear()
                    tally.asked_s = time.monotonic()
            elif time.monotonic() - tally.asked_s >= self._patience_s(len(self._sink.tallies)):
                reason = state.error if state is not None and state.error else "not joined in time"
                self._handle.log(f"{login} left out: {reason}")
                self._left_out += 1
                ended.append(login)
        for login in ended:
            tally = self._sink.tallies.pop(login)
            if tally.joined_s is not None:
                await asyncio.to_thread(self._keep, capture_of(tally, self._now()))
                self.done_count += 1
        if ended and not self._waiting:
            await self._irc.set_channels(self._sink.tallies)

    @staticmethod
    def _patience_s(count: int) -> float:
        """Twenty joins are allowed in ten seconds: with many channels the last one waits long."""
        return JOIN_PATIENCE_S + count * 0.6


def capture_of(tally: Tally, now: Instant) -> list[Event]:
    """A channel's people and, last, the row that makes them count.

    Args:
        tally: Read to its end.
        now: The clock.

    Returns:
        Rows with a capture id of their own; the closing one is the same for the channel and UTC day, so
        two captures of a day never count both.
    """
    stream = tally.stream
    started_at = tally.joined_at if tally.joined_at is not None else now
    capture_id = uuid.uuid4().hex
    common: Any = {"source": _SOURCE, "room_login": stream.user_login, "room_id": stream.user_id}
    rows: list[Event] = [
        SurveyPresence(
            event_id=synthetic_id(SurveyPresence.kind, capture_id, login),
            sent_at=started_at,
            received_at=now,
            capture_id=capture_id,
            user_login=login,
            user_id=person.user_id,
            message_count=person.message_count,
            first_at=person.first_at,
            last_at=person.last_at,
            **common,
        )
        for login, person in tally.people.items()
    ]
    rows.append(
        SurveyCapture(
            event_id=synthetic_id(SurveyCapture.kind, stream.user_id, utc_day(started_at)),
            sent_at=started_at,
            received_at=now,
            capture_id=capture_id,
            person_count=len(tally.people),
            chatter_count=sum(person.message_count > 0 for person in tally.people.values()),
            message_count=tally.message_count,
            observed_s=(now - started_at) / 1e6,
            started_at=started_at,
            stream_id=stream.stream_id,
            viewer_count=stream.viewer_count,
            game_id=stream.game_id,
            game_name=stream.game_name,
            language=stream.language,
            room_display_name=stream.user_display_name,
            title=stream.title,
            tags=json.dumps(stream.tags, ensure_ascii=False) if stream.tags else None,
            **common,
        )
    )
    return rows
