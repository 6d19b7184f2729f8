"""A hand-written room that answers as the insights do: plausible, moving, and breakable at will."""

from __future__ import annotations

import math
import random
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from dashboard.errors import QueryTimeout
from dashboard.events import Instant
from dashboard.insights.live_model import (
    FeedItem,
    GapSpan,
    LiveSeries,
    LiveSnapshot,
    Marker,
    Ranked,
    Reading,
    RoomInfo,
    TopLists,
)

MINUTE = 60_000_000
SECOND = 1_000_000


def velocity_at(bin_s: int, index: int) -> float:
    """Messages per minute of a bin: a slow swell, some noise, and two bursts."""
    minute = index * bin_s / 60
    noise = sum(random.Random(index // step).random() - 0.5 for step in (1, 3, 7))
    burst = 120 * math.exp(-(((minute % 19) - 9) ** 2) / 0.5)
    return round(62 + 8 * math.sin(minute / 6) + 14 * noise + burst, 2)


@dataclass
class FakeStatusRow:
    payload: dict[str, Any]
    updated_at: Instant


@dataclass
class FakeState:
    """Followed channels and the collector's report."""

    logins: list[str] = field(default_factory=lambda: ["mothlight", "quietfox"])
    is_running: bool = True

    def followed(self) -> list[str]:
        return list(self.logins)

    def follow(self, logins: list[str], by: str = "") -> None:
        self.logins += [login for login in logins if login not in self.logins]

    def unfollow(self, logins: list[str]) -> None:
        self.logins = [login for login in self.logins if login not in logins]

    def read_status(self, name: str) -> FakeStatusRow | None:
        if not self.is_running:
            return None
        from dashboard.events import now_us

        now = now_us()
        channels = {
            login: {
                "is_joined": True,
                "message_count": now // SECOND % 100_000 + i,
                "last_message_at": now - SECOND,
            }
            for i, login in enumerate(self.logins)
        }
        return FakeStatusRow(
            {
                "channels": channels,
                "message_count": 1234,
                "messages_per_s": 41.0,
                "lag_p95_ms": 320,
                "queue_count": 12,
                "drop_count": 0,
                "helix": {"state": "ok", "error": None},
            },
            now,
        )


@dataclass
class FakeLive:
    """``mode`` is live, offline, recorded, empty or error; ``extra`` feed items come on top."""

    mode: str = "live"
    extra: list[FeedItem] = field(default_factory=list)
    clock_at: Instant | None = None
    delay_s: float = 0.0
    calls: int = 0
    is_quiet: bool = False
    rooms_known: bool = True

    def snapshot(self, room: str, *, now: Instant) -> LiveSnapshot:
        self.calls += 1
        if self.delay_s:
            import time

            time.sleep(self.delay_s)
        if self.mode == "error":
            raise QueryTimeout("The query for the tiles took longer than 30 s and was stopped.")
        if self.mode == "crash":
            raise ZeroDivisionError("a secret detail")
        if self.mode == "empty" or room == "nobody":
            return LiveSnapshot(room_login=room, status="empty", clock_at=now, fresh_at=None)
        clock = self.clock_at or now
        started = Instant(clock - 134 * MINUTE)
        return LiveSnapshot(
            room_login=room,
            status=self.mode,
            clock_at=clock,
            fresh_at=Instant(now - (40 if self.is_quiet else 1) * SECOND),
            title="no-hit attempt 14",
            game_name="Hollow Knight",
            language="en",
            started_at=started,
            is_start_told=True,
            observed_since_at=started,
            readings=self._readings(clock),
        )

    def _readings(self, clock: Instant) -> dict[str, Reading]:
        minute = clock // MINUTE
        spark = tuple(velocity_at(60, minute - 29 + i) for i in range(30))
        holed = (*spark[:12], None, None, *spark[14:])
        tick = clock // SECOND
        base = {"as_of": clock, "sample_count": 96, "usual_sample_count": 96}
        return {
            "viewers": Reading(
                "viewers",
                1412,
                usual=1295,
                usual_low=1100,
                usual_high=1390,
                spark=tuple(sorted(spark)),
                **base,
            ),
            "velocity": Reading(
                "velocity",
                180.0 + tick % 17,
                window_s=60,
                usual=62,
                usual_low=48,
                usual_high=80,
                spark=holed,
                **base,
            ),
            "unique_chatters": Reading(
                "unique_chatters",
                246,
                window_s=300,
                usual=219,
                usual_low=180,
                usual_high=240,
                spark=spark,
                **base,
            ),
            "engagement": Reading(
                "engagement",
                0.171,
                window_s=300,
                usual=0.163,
                usual_low=0.14,
                usual_high=0.18,
                spark=spark,
                **base,
            ),
            "retention": Reading(
                "retention", 0.82, usual=0.89, spark=tuple(sorted(spark, reverse=True)), **base
            ),
            "uptime": Reading("uptime", 134 * 60.0 + tick % 60, as_of=clock),
            "game": Reading("game", 42.0, text="Hollow Knight", as_of=clock),
        }

    def series(self, room: str, *, now: Instant, span_s: int | None) -> LiveSeries:
        clock = self.clock_at or now
        bin_s = 10 if span_s and span_s <= 3600 else 60
        span = span_s or 134 * 60
        first = (clock - span * SECOND) // (bin_s * SECOND)
        last = clock // (bin_s * SECOND)
        bins = range(first, last + 1)
        gap = GapSpan(
            Instant(clock // MINUTE * MINUTE - 10 * MINUTE),
            Instant(clock // MINUTE * MINUTE - 9 * MINUTE),
            "reconnect",
        )
        bin_at = tuple(Instant(i * bin_s * SECOND) for i in bins)
        in_gap = [gap.started_at <= at < (gap.ended_at or 0) for at in bin_at]
        values = [None if gone else velocity_at(bin_s, i) for i, gone in zip(bins, in_gap, strict=True)]
        minutes = range(bin_at[0] // MINUTE, clock // MINUTE + 1)
        base = clock // MINUTE * MINUTE
        return LiveSeries(
            start_at=Instant(clock - span * SECOND),
            end_at=clock,
            bin_s=bin_s,
            bin_at=bin_at,
            velocity=tuple(values),
            viewers_at=tuple(Instant(m * MINUTE) for m in minutes),
            viewers=tuple(
                1200 + int(180 * math.tanh((m - minutes[-1] + 16) / 5)) + m % 7 * 4 for m in minutes
            ),
            usual_low=48.0,
            usual_high=80.0,
            gaps=(gap,),
            markers=(
                Marker(Instant(base - 25 * MINUTE), "bits", "500 bits"),
                Marker(Instant(base - 22 * MINUTE), "game", "Hollow Knight"),
                Marker(Instant(base - 16 * MINUTE), "raid", "raid +263"),
                Marker(Instant(base - 15 * MINUTE), "sub", "sub"),
                Marker(Instant(base - 6 * MINUTE), "gift", "5 gifts"),
                Marker(Instant(base - 5 * MINUTE), "sub", "sub"),
                Marker(Instant(base - 2 * MINUTE), "sub", "sub"),
            ),
        )

    def feed(
        self,
        room: str,
        *,
        now: Instant,
        limit: int = 60,
        before_at: Instant | None = None,
        categories: Collection[str] | None = None,
    ) -> list[FeedItem]:
        clock = self.clock_at or Instant(1_700_000_000_000_000)
        rows = [
            ("raid", "Raid", "quietfox brought 263 viewers"),
            ("gift", "Gifts", "somebody unnamed gave 5 subs"),
            ("sub", "Sub", "marlow, tier 1, 14 months"),
            ("bits", "Bits", "lanternfish, 500"),
            ("gap", "Gap", "reconnected, 28 s not seen"),
            ("sub", "Sub", "pixelherb, Prime"),
            ("moderation", "Timeout", "somebody was timed out for 10 min"),
            ("game", "Game", "now Hollow Knight"),
            ("announcement", "Note", "mothlight: charity run starts at eight"),
        ] * 4
        items = [
            FeedItem(f"f{i}", Instant(clock - i * 3 * MINUTE), category, title, words)
            for i, (category, title, words) in enumerate(rows)
        ]
        found = [item for item in (*self.extra, *items) if not categories or item.category in categories]
        return found[:limit]

    def top(self, room: str, *, now: Instant, window_s: int = 3600, limit: int = 8) -> TopLists:
        names = [
            "lanternfish",
            "marlow",
            "pixelherb",
            "dustmote",
            "ashgrove",
            "a_rather_long_login_name",
            "oak",
            "elm",
        ]
        emotes = ["OMEGALUL", "Pog", "monkaS", "KEKW", "peepoClap", "LUL", "Kappa", "catJAM"]
        counts = [64, 49, 40, 31, 27, 20, 12, 9]
        return TopLists(
            window_s=window_s,
            message_count=3841,
            chatter_count=611,
            chatters=tuple(Ranked(n, c, c / 3841) for n, c in zip(names, counts, strict=True)),
            emotes=tuple(Ranked(n, c * 3, c * 3 / 1500) for n, c in zip(emotes, counts, strict=True)),
            emote_message_count=902,
        )

    def rooms(self, *, now: Instant) -> list[RoomInfo]:
        if not self.rooms_known:
            return []
        return [
            RoomInfo("mothlight", True, now, 1412, "Hollow Knight", True),
            RoomInfo("quietfox", True, now, 263, "Just Chatting", True),
            RoomInfo("oldbarn", False, Instant(now - 9000 * MINUTE), None, None, False),
        ]


def feed_item(number: int, category: str = "raid") -> FeedItem:
    """One more line for the top of the feed."""
    return FeedItem(
        f"new{number}",
        Instant(1_700_000_100_000_000 + number),
        category,
        "Raid",
        f"raider{number} brought 9 viewers",
    )


def with_readings(snapshot: LiveSnapshot, **readings: Reading) -> LiveSnapshot:
    """The same snapshot with some readings replaced."""
    return replace(snapshot, readings=snapshot.readings | readings)
