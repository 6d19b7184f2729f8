"""From one answer of Get Streams to events: what is new, what is over, what was not seen.

Pure: :func:`observe` compares an answer with the :class:`Memory` of the polls before and returns
the events and the new memory. The memory is kept in a file between runs, so a restart neither
announces a stream again nor misses its end.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import orjson
import structlog

from collectors.helix_models import Stream
from collectors.rate_limit import SECOND
from dashboard.events import Event, Instant, Observation, StreamChange, ViewerSample, synthetic_id
from dashboard.storage.private import make_private_folder

log = structlog.get_logger(__name__)

POLLS_UNTIL_OVER = 2
"""A stream is over when so many polls in a row miss it: pages shift, one miss is no proof."""
_POLLS_UNTIL_GAP = 2.5
_NEVER = Instant(0)
_AWAY = "collector was not running"
_FORGET_AFTER_S = 7 * 86_400
"""Longer than any stream may last (48 h)."""


@dataclass(slots=True)
class Live:
    """A stream that was live when its channel was last looked at."""

    stream: Stream
    last_seen_at: Instant
    sampled_at: Instant
    """Start of the interval that has its viewer sample already."""
    missed_count: int = 0


@dataclass(slots=True)
class Memory:
    """What the polls so far have shown."""

    polled_at: Instant = _NEVER
    """The last poll that was answered."""
    joined: set[str] = field(default_factory=set)
    """Logins whose ledger says that we see them."""
    room_ids: dict[str, str] = field(default_factory=dict)
    live: dict[str, Live] = field(default_factory=dict)
    """By stream id; also of channels that are not followed just now."""


def observe(
    memory: Memory, streams: Iterable[Stream], followed: Collection[str], *, now: Instant, interval_s: float
) -> tuple[list[Event], Memory]:
    """What a poll that was answered tells.

    A stream starts when its id appears (``sent_at`` is Twitch's ``started_at``). It ends when two
    polls in a row miss it, or one when its channel is live under another id; ``sent_at`` is then
    the last time it was seen. The same poll, sample or change always has the same event id.

    Args:
        memory: After the poll before; it is not changed.
        streams: The answer.
        followed: The logins that were asked for.
        now: When the answer came.
        interval_s: Between polls; also the grain of viewer samples, one a stream and interval.

    Returns:
        The events, and the memory after them.

    Caveats:
        A stream that Twitch hides for longer and shows again under the same id gets an ``end``
        and no second ``start``: while newer samples of its id come in, it is live.
    """
    new = copy.deepcopy(memory)
    wanted = set(followed)
    shown = {stream.stream_id: stream for stream in streams if stream.user_login in wanted}
    new.room_ids.update((stream.user_login, stream.user_id) for stream in shown.values())

    events: list[Event] = []
    if _was_away(memory, now, interval_s):
        events += _observations(new, memory.joined, "lost", _sight_until(memory, interval_s), now, _AWAY)
        new.joined = set()
    events += _observations(new, new.joined - wanted, "left", now, now)
    events += _observations(new, wanted - new.joined, "joined", now, now)
    new.joined = wanted

    interval_us = round(interval_s * SECOND)
    sampled_at = Instant(now // interval_us * interval_us)
    for stream in shown.values():
        before = new.live.get(stream.stream_id)
        if before is None:
            events.append(_change("start", stream, stream.started_at or now, now))
        if stream.viewer_count is not None and (before is None or before.sampled_at != sampled_at):
            events.append(_sample(stream, stream.viewer_count, sampled_at, now))
        new.live[stream.stream_id] = Live(stream, now, sampled_at)
    events += _ends(new, shown, wanted, now)
    new.polled_at = now
    return events, new


def lose(
    memory: Memory, *, since: Instant, now: Instant, interval_s: float, reason: str
) -> tuple[list[Event], Memory]:
    """What a poll that failed tells: from when on nothing is seen.

    Args:
        memory: After the poll before; it is not changed.
        since: When the poll began.
        now: When it had failed.
        interval_s: Between polls.
        reason: Why, for people.

    Returns:
        ``lost`` for every room seen until then, and the memory after it.
    """
    lost_at = min(since, _sight_until(memory, interval_s))
    return _observations(memory, memory.joined, "lost", lost_at, now, reason), _blind(memory)


def leave(memory: Memory, *, now: Instant, interval_s: float) -> tuple[list[Event], Memory]:
    """What stopping on purpose tells: ``left`` for every room seen until now."""
    if _was_away(memory, now, interval_s):
        return lose(memory, since=now, now=now, interval_s=interval_s, reason=_AWAY)
    return _observations(memory, memory.joined, "left", now, now), _blind(memory)


def durable_part(before: Memory, after: Memory) -> Memory:
    """What of a poll's memory may be kept at once.

    The poll's events were handed on, but may not be on disk yet. What is new or over is kept one
    poll later: after a kill it is told again, under the same ids, rather than never.
    """
    live = {stream_id: after.live.get(stream_id, was) for stream_id, was in before.live.items()}
    return replace(after, joined=after.joined & before.joined, live=live)


def _was_away(memory: Memory, now: Instant, interval_s: float) -> bool:
    """Whether we were killed or suspended since the last poll, with nobody there to write it."""
    return bool(memory.joined) and now - memory.polled_at > _POLLS_UNTIL_GAP * interval_s * SECOND


def _sight_until(memory: Memory, interval_s: float) -> Instant:
    return Instant(memory.polled_at + round(interval_s * SECOND))


def _blind(memory: Memory) -> Memory:
    return replace(copy.deepcopy(memory), joined=set())


def _ends(new: Memory, shown: Collection[str], wanted: Collection[str], now: Instant) -> list[Event]:
    events: list[Event] = []
    live_logins = {new.live[stream_id].stream.user_login for stream_id in shown}
    for stream_id, live in list(new.live.items()):
        if stream_id in shown:
            continue
        if now - live.last_seen_at > _FORGET_AFTER_S * SECOND and live.stream.user_login not in wanted:
            del new.live[stream_id]
        elif live.stream.user_login in wanted:
            live.missed_count += 1
            if live.missed_count >= POLLS_UNTIL_OVER or live.stream.user_login in live_logins:
                events.append(_change("end", live.stream, live.last_seen_at, now))
                del new.live[stream_id]
    return events


def _sample(stream: Stream, viewer_count: int, sampled_at: Instant, now: Instant) -> ViewerSample:
    return ViewerSample(
        event_id=synthetic_id(ViewerSample.kind, stream.stream_id, sampled_at),
        source="helix",
        room_login=stream.user_login,
        room_id=stream.user_id,
        sent_at=now,
        received_at=now,
        viewer_count=viewer_count,
        stream_id=stream.stream_id,
        game_id=stream.game_id,
        game_name=stream.game_name,
        title=stream.title,
        language=stream.language,
        started_at=stream.started_at,
    )


def _change(action: str, stream: Stream, at: Instant, now: Instant) -> StreamChange:
    # A stream starts once; it may seem to end more than once, so its end carries the instant.
    when = None if action == "start" else at
    return StreamChange(
        event_id=synthetic_id(StreamChange.kind, action, stream.stream_id, when),
        source="helix",
        room_login=stream.user_login,
        room_id=stream.user_id,
        sent_at=at,
        received_at=now,
        action=action,
        stream_id=stream.stream_id,
        started_at=stream.started_at,
        game_id=stream.game_id,
        game_name=stream.game_name,
        title=stream.title,
        language=stream.language,
    )


def _observations(
    memory: Memory, logins: Iterable[str], state: str, at: Instant, now: Instant, reason: str | None = None
) -> list[Event]:
    return [
        Observation(
            event_id=synthetic_id(Observation.kind, "helix", login, state, at),
            source="helix",
            room_login=login,
            room_id=memory.room_ids.get(login),
            sent_at=at,
            received_at=now,
            collector="helix",
            state=state,
            reason=reason,
        )
        for login in sorted(logins)
    ]


def load_memory(path: Path | None) -> Memory:
    """The memory of an earlier run; an empty one where there is none or it can't be read."""
    if path is None or not path.exists():
        return Memory()
    try:
        raw = orjson.loads(path.read_bytes())
        live = {
            stream_id: Live(Stream(**(entry.pop("stream") | {"tags": ()})), **entry)
            for stream_id, entry in raw["live"].items()
        }
        return Memory(raw["polled_at"], set(raw["joined"]), dict(raw["room_ids"]), live)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("memory of streams can't be read", path=str(path), error=type(error).__name__)
        return Memory()


def save_memory(path: Path | None, memory: Memory) -> None:
    """Keeps the memory for the next run; a full disk is no reason to stop polling."""
    if path is None:
        return
    content = orjson.dumps(asdict(memory) | {"joined": sorted(memory.joined)})
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        make_private_folder(path.parent)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        log.warning("memory of streams can't be kept", path=str(path), error=error.strerror)
