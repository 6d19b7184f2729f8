"""One channel's day: what was told, what was seen, and the numbers made of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from dashboard.analytics.channel_day import (
    StreamSpan,
    game_seconds,
    live_seconds,
    stream_spans,
    watched,
)
from dashboard.analytics.observation import Observed, StateChange, observed_time
from dashboard.analytics.timebins import DAY_US
from dashboard.config import Settings
from dashboard.events import Instant, synthetic_id
from dashboard.events_helix import ChannelDay
from dashboard.insights.live_log import CHAT_COLLECTORS, stream_row
from dashboard.insights.live_sources import Lake, Ledger, records, whole, words
from dashboard.insights.live_status import collector_word
from dashboard.jobs.times import day_span

HISTORY_DAYS: Final = 30
_AROUND_US: Final = 2 * DAY_US
"""A stream that is on at midnight was told of before, and is over later."""


@dataclass(frozen=True, slots=True)
class Day:
    """A local day of one room."""

    room_login: str
    day: date
    zone: ZoneInfo

    @property
    def span(self) -> tuple[Instant, Instant]:
        """From when to when."""
        return day_span(self.day, self.zone)


def zone_of(settings: Settings, room_login: str) -> ZoneInfo:
    """The time zone of a channel's days."""
    return ZoneInfo(settings.channel_time_zones.get(room_login, settings.time_zone))


def read_streams(lake: Lake, room: str, start_at: Instant, end_at: Instant) -> list[StreamSpan]:
    """The streams of a stretch of time, cut to it."""
    window = (Instant(start_at - _AROUND_US), Instant(end_at + _AROUND_US))
    frame = lake.query("live_stream", window=window, room=room, start_at=window[0], end_at=window[1])
    return stream_spans([stream_row(row) for row in records(frame)], start_at, end_at)


def read_observed(lake: Lake, ledger: Ledger, room: str, *, until: Instant, now: Instant) -> Observed:
    """When chat of a room was seen, up to an instant, by the collectors' ledger."""
    changes = [
        StateChange(row["collector"], row["state"], int(row["sent_at"]), words(row["reason"]))
        for row in records(lake.query("live_observations", room=room))
        if row["collector"] in CHAT_COLLECTORS
    ]
    silent_at = collector_word(ledger).silent_since(now)
    heard = {"irc": silent_at} if silent_at is not None else None
    return observed_time(changes, until=until, last_sign_of_life=heard)


def read_chat(lake: Lake, room: str, start_at: Instant, end_at: Instant) -> dict[str, Any]:
    """Messages, writers, and how many of them wrote in the 30 days before."""
    before_at = Instant(start_at - HISTORY_DAYS * DAY_US)
    frame = lake.query(
        "day_chat",
        window=(before_at, end_at),
        room=room,
        before_at=before_at,
        start_at=start_at,
        end_at=end_at,
    )
    return next(records(frame))


def read_counts(lake: Lake, room: str, start_at: Instant, end_at: Instant) -> dict[str, Any]:
    """Follows, subs, gifts, bits and raids."""
    before_at = Instant(start_at - HISTORY_DAYS * DAY_US)
    frame = lake.query(
        "day_counts",
        window=(before_at, end_at),
        room=room,
        before_at=before_at,
        start_at=start_at,
        end_at=end_at,
    )
    return next(records(frame))


@dataclass(frozen=True, slots=True)
class Seen:
    """What was on during a day, and when its chat was read."""

    streams: list[StreamSpan]
    observed: Observed


def read_seen(lake: Lake, ledger: Ledger, day: Day, *, now: Instant) -> Seen:
    """Reads what was on during a day, and when its chat was read.

    Args:
        lake: The store.
        ledger: Says whether the collector is alive.
        day: Which.
        now: The clock.
    """
    start_at, end_at = day.span
    return Seen(
        read_streams(lake, day.room_login, start_at, end_at),
        read_observed(lake, ledger, day.room_login, until=min(end_at, now), now=now),
    )


def channel_day(lake: Lake, day: Day, seen: Seen, *, now: Instant) -> ChannelDay | None:
    """The aggregates of one channel and local day.

    Args:
        lake: The store.
        day: Which.
        seen: Of that day, from :func:`read_seen`.
        now: The clock.

    Returns:
        A row for the lake; None when nothing at all is known of that day.
    """
    start_at, end_at = day.span
    chat = read_chat(lake, day.room_login, start_at, end_at)
    spans, observed_s = seen.streams, seen.observed.seconds(start_at, end_at)
    message_count, chatter_count = int(chat["message_count"]), int(chat["chatter_count"])
    if not message_count and not spans and not observed_s:
        return None
    viewers = watched(spans)
    counts = read_counts(lake, day.room_login, start_at, end_at)
    was_seen = bool(message_count or observed_s)
    returning, history = int(chat["returning_count"]), int(chat["history_day_count"])
    return ChannelDay(
        event_id=synthetic_id(ChannelDay.kind, day.room_login, day.day, now),
        source="analysis",
        room_login=day.room_login,
        room_id=words(chat["room_id"]),
        sent_at=start_at,
        received_at=now,
        day=day.day.isoformat(),
        time_zone=day.zone.key,
        computed_at=now,
        message_count=message_count if was_seen else None,
        chatter_count=chatter_count if was_seen else None,
        observed_s=observed_s,
        live_s=live_seconds(spans),
        viewers_covered_s=viewers.covered_s,
        viewers_average=viewers.average,
        viewers_peak=viewers.peak,
        hours_watched=viewers.hours if viewers.covered_s else None,
        follow_count=whole(counts["follow_count"]),
        subscription_count=int(counts["subscription_count"]) if was_seen else None,
        gift_count=int(counts["gift_count"]) if was_seen else None,
        bits=int(counts["bits"]) if was_seen else None,
        raid_count=int(counts["raid_count"]) if was_seen else None,
        raid_viewer_count=int(counts["raid_viewer_count"]) if was_seen else None,
        # Without earlier days everybody would look new.
        new_chatter_count=chatter_count - returning if was_seen and history else None,
        returning_chatter_count=returning if was_seen and history else None,
        history_day_count=history,
        stream_count=len(spans),
        games=json.dumps(
            [{"game": game, "live_s": round(seconds)} for game, seconds in game_seconds(spans)[:10]]
        ),
    )
