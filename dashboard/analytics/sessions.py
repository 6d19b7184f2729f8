"""Which stream is on, since when, and what "now" means for a room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dashboard.analytics.timebins import SECOND_US

SESSION_GAP_S: Final = 1800
"""Without a told start, half an hour without a message parts two sessions."""
CURRENT_WITHIN_S: Final = 120
"""A room whose newest event is at most so old is told by the wall clock."""
SAMPLE_HOLD_S: Final = 600
"""After so long without a viewer sample nobody knows any more whether the stream is on."""


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One thing told about a stream: a viewer sample, a start or an end."""

    at: int
    action: str
    """``sample``, ``start`` or ``end``."""
    viewer_count: int | None = None
    stream_id: str | None = None
    started_at: int | None = None
    game_name: str | None = None
    title: str | None = None
    language: str | None = None
    source: str = "helix"


@dataclass(frozen=True, slots=True)
class Stream:
    """The stream that is on, or the last one there was."""

    rows: tuple[StreamRow, ...]
    """What was told about it, oldest first."""
    is_on: bool | None
    """``None`` when nobody has told for ten minutes."""
    started_at: int | None
    """As Twitch told it."""
    ended_at: int | None
    is_end_recorded: bool = False
    """The end comes from an imported recording, so it says nothing about today."""

    @property
    def samples(self) -> tuple[StreamRow, ...]:
        """Its viewer samples, oldest first."""
        return tuple(r for r in self.rows if r.action == "sample" and r.viewer_count is not None)

    def latest(self, field: str) -> str | None:
        """The newest title, game or language that was told."""
        told = (getattr(row, field) for row in reversed(self.rows))
        return next((value for value in told if value), None)


def current_stream(rows: Sequence[StreamRow], *, now: int) -> Stream | None:
    """Picks the stream that is on at an instant, or the last one before it.

    Args:
        rows: Everything told about the room's streams, in any order.
        now: The instant asked about; later rows are left out.

    Returns:
        The stream; ``None`` when nothing was ever told.
    """
    told = sorted((row for row in rows if row.at <= now), key=lambda row: (row.at, row.action != "end"))
    newest_on = next((row for row in reversed(told) if row.action != "end"), None)
    if newest_on is None:
        return None
    ends = [row for row in told if row.action == "end" and row.at >= newest_on.at]
    own = [row for row in told if row.at <= newest_on.at and _same_stream(row, newest_on)]
    previous_end = max((r.at for r in told if r.action == "end" and r.at < newest_on.at), default=None)
    if newest_on.stream_id is None and newest_on.started_at is None and previous_end is not None:
        own = [row for row in own if row.at > previous_end]
    starts = [row.started_at for row in own if row.started_at is not None]
    starts = starts or [row.at for row in own if row.action == "start"]
    # Polls tell when they last saw the stream, EventSub when it was over: the later one is exact.
    own_ends = [row for row in ends if _same_stream(row, newest_on)]
    end = own_ends[-1] if own_ends else next(iter(ends), None)
    is_fresh = now - newest_on.at <= SAMPLE_HOLD_S * SECOND_US
    return Stream(
        rows=tuple(row for row in own if row.action != "end"),
        is_on=False if end else (True if is_fresh else None),
        started_at=min(starts) if starts else None,
        ended_at=end.at if end else None,
        is_end_recorded=end is not None and end.source == "import",
    )


def _same_stream(row: StreamRow, other: StreamRow) -> bool:
    if row.stream_id is not None and other.stream_id is not None:
        return row.stream_id == other.stream_id
    if row.started_at is not None and other.started_at is not None:
        return row.started_at == other.started_at
    return (row.stream_id, row.started_at) == (None, None) or (other.stream_id, other.started_at) == (
        None,
        None,
    )


def session_start(first_at: npt.NDArray[np.int64], last_at: npt.NDArray[np.int64]) -> int | None:
    """The first message of the newest session: no two of its messages are half an hour apart.

    Args:
        first_at: First message of each stretch of messages (of a bin, say), oldest stretch first.
        last_at: Last message of each stretch.

    Returns:
        The instant; ``None`` when the session may have begun before the first stretch.
    """
    breaks = np.flatnonzero(first_at[1:] - last_at[:-1] > SESSION_GAP_S * SECOND_US)
    return int(first_at[breaks[-1] + 1]) if len(breaks) else None


@dataclass(frozen=True, slots=True)
class GameStint:
    """The game that is on, and since when."""

    name: str
    since_at: int


def current_game(stream: Stream) -> GameStint | None:
    """What is played, and since when as far as that was seen.

    Args:
        stream: With its rows.

    Returns:
        The game; its start is the first sample with it, or the stream's own start when it was on from
        the first sample and that came within ten minutes. ``None`` when no game was told.
    """
    # A start tells the game of the poll that saw it, but stands at the stream's own beginning, perhaps
    # hours before: where there are samples, they alone show since when.
    named = [row for row in stream.samples if row.game_name] or [row for row in stream.rows if row.game_name]
    if not named:
        return None
    name = named[-1].game_name or ""
    since = named[-1].at
    for row in reversed(named):
        if row.game_name != name:
            return GameStint(name, since)
        since = row.at
    if stream.started_at is not None and 0 <= since - stream.started_at <= SAMPLE_HOLD_S * SECOND_US:
        since = stream.started_at
    return GameStint(name, since)


@dataclass(frozen=True, slots=True)
class Clock:
    """What "now" means for a room."""

    status: str
    """``live``, ``offline``, ``recorded`` or ``empty``."""
    at: int


def room_clock(
    *, now: int, newest_at: int | None, is_joined_live: bool, is_told_off: bool, stream: Stream | None
) -> Clock:
    """Decides whether a room is told by the wall clock or by the clock of its recording.

    Args:
        now: The wall clock.
        newest_at: When the newest event of the room was sent.
        is_joined_live: A running collector sees the room, so silence is silence.
        is_told_off: Twitch was asked lately and said that no stream is on.
        stream: The stream that is on, or the last one.

    Returns:
        Status and instant. A local clock that is slow by less than two minutes is forgiven: time then is
        that of the newest event.
    """
    tolerance_us = CURRENT_WITHIN_S * SECOND_US
    if newest_at is None and not is_joined_live:
        return Clock("empty", now)
    is_current = is_joined_live or (newest_at is not None and newest_at >= now - tolerance_us)
    at = newest_at if newest_at is not None and now < newest_at <= now + tolerance_us else now
    if stream is not None and stream.ended_at is not None and not stream.is_end_recorded:
        return Clock("offline", stream.ended_at)
    if is_current:
        return Clock("offline" if is_told_off else "live", at)
    return Clock("recorded", newest_at if newest_at is not None else now)
