"""Clips of a channel, all of them: Twitch gives about a thousand a question, so time is split."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from collectors.audience_parse import parse_clip
from collectors.helix_client import HelixClient
from dashboard.events import Event, Instant, now_us
from dashboard.job_handle import Page, Room

MOST_A_WINDOW = 950
"""A window that gives more may hold more still: about 1,000 is the end of what Twitch gives."""
SHORTEST_WINDOW_US = 60 * 1_000_000


async def clip_pages(
    client: HelixClient,
    room: Room,
    start_at: Instant,
    end_at: Instant,
    *,
    now: Callable[[], Instant] = now_us,
    most: int = MOST_A_WINDOW,
) -> AsyncIterator[Page]:
    """Every clip that was made in a stretch of time, oldest window first.

    Args:
        client: Asks as anybody.
        room: The channel.
        start_at: Clips made from here on.
        end_at: Clips made before.
        now: The clock; the time of the look.
        most: A window with more clips is split in two.

    Yields:
        One page a window; a clip stands on one page only.

    Source: Helix Get Clips. ``started_at`` and ``ended_at`` are whole seconds.

    Caveats:
        A minute with more clips than Twitch gives stays cut.
    """
    seen: set[str] = set()
    windows = [(start_at, end_at)]
    while windows:
        start, end = windows.pop()
        at = now()
        clips: list[Event] = []
        raw_count = 0
        params = [
            ("broadcaster_id", room.room_id),
            ("started_at", _rfc3339(start)),
            ("ended_at", _rfc3339(end)),
            ("first", "100"),
        ]
        async for raw in client.paginate("/clips", params):
            raw_count += 1
            clip = parse_clip(raw, room, at)
            if clip is not None and clip.clip_id not in seen:
                seen.add(clip.clip_id)
                clips.append(clip)
        if raw_count > most and end - start >= 2 * SHORTEST_WINDOW_US:
            middle = _whole_second((start + end) // 2)
            # What came is kept; the halves bring it again with what was cut off.
            windows += [(middle, end), (start, middle)]
        yield Page(clips, raw_count)


def _whole_second(at: int) -> Instant:
    return Instant(at - at % 1_000_000)


def _rfc3339(at: Instant) -> str:
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
