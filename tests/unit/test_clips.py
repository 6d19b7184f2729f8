"""Clips by windows: Twitch ends a list at about a thousand, so time is split until all are there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from collectors.clips import clip_pages
from dashboard.events import Instant
from dashboard.job_handle import Room

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
HOUR = 3600 * SECOND
ROOM = Room("7", "alpha")


class Twitch:
    """Gives at most ``cap`` clips a question, the most viewed first, as Twitch does."""

    def __init__(self, made_at: list[int], cap: int) -> None:
        self.made_at = made_at
        self.cap = cap
        self.windows: list[tuple[int, int]] = []

    async def paginate(
        self, path: str, params: Sequence[tuple[str, str]] = ()
    ) -> AsyncIterator[dict[str, Any]]:
        assert path == "/clips"
        asked = dict(params)
        assert asked["broadcaster_id"] == "7"
        start, end = (
            int(datetime.fromisoformat(asked[name]).timestamp()) * SECOND
            for name in ("started_at", "ended_at")
        )
        self.windows.append((start, end))
        inside = [at for at in self.made_at if start <= at < end]
        for at in inside[: self.cap]:
            yield {
                "id": f"clip{at}",
                "view_count": 3,
                "created_at": datetime.fromtimestamp(at / SECOND).astimezone().isoformat(),
                "duration": 29.5,
                "vod_offset": None,
                "title": "x",
            }


async def collected(twitch: Twitch, most: int) -> list[Any]:
    pages = clip_pages(
        twitch,  # type: ignore[arg-type]
        ROOM,
        Instant(START),
        Instant(START + HOUR),
        now=lambda: Instant(START + 2 * HOUR),
        most=most,
    )
    return [event async for page in pages for event in page.events]


async def test_a_window_that_is_full_is_split_until_every_clip_is_there_once() -> None:
    # 300 clips in the first 15 minutes, 20 in the rest of the hour; a question gives 60 at most.
    made_at = [START + 3 * i * SECOND for i in range(300)] + [
        START + HOUR // 2 + i * 30 * SECOND for i in range(20)
    ]
    twitch = Twitch(made_at, cap=60)
    clips = await collected(twitch, most=55)
    assert sorted(clip.created_at for clip in clips) == sorted(made_at)
    assert len({clip.clip_id for clip in clips}) == len(clips) == 320


async def test_a_window_with_room_is_asked_once() -> None:
    twitch = Twitch([START, START + 5 * SECOND], cap=60)
    clips = await collected(twitch, most=55)
    assert twitch.windows == [(START, START + HOUR)]
    assert [(clip.duration_s, clip.vod_offset_s, clip.room_login) for clip in clips] == [
        (29.5, None, "alpha"),
        (29.5, None, "alpha"),
    ]


async def test_a_minute_is_not_split_any_further() -> None:
    twitch = Twitch([START] * 100, cap=60)
    clips = await collected(twitch, most=55)
    assert len(clips) == 1
    assert min(end - start for start, end in twitch.windows) >= 56 * SECOND
