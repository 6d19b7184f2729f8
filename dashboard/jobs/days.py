"""The analysis: aggregates of each channel and day, computed anew where something came in."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from dashboard.analytics.timebins import DAY_US, HOUR_US, merge_spans
from dashboard.errors import QueryError
from dashboard.events import Event, Instant
from dashboard.insights.channel_day import Day, channel_day, read_seen, zone_of
from dashboard.jobs.context import JobContext
from dashboard.jobs.times import local_day

_STATUS: Final = "channel_days"
_KINDS: Final = (
    "chat_messages",
    "viewer_samples",
    "streams",
    "observations",
    "follows",
    "subscriptions",
    "sub_gifts",
    "bits",
    "raids",
)
_LOOK_BACK_US: Final = 36 * HOUR_US
_BATCH: Final = 200


def channel_days(context: JobContext) -> str:
    """Computes the days that got new events and are over in their channel's time zone."""
    now = context.now()
    row = context.state.read_status(_STATUS)
    before: dict[str, Any] = row.payload if row else {}
    marks, spans = _changed(context, dict(before.get("watermarks") or {}))
    # A day that was not over the last time has no new events now, but it is over.
    last_at = int(before.get("computed_at") or now)
    spans = merge_spans([*spans, (last_at - _LOOK_BACK_US, int(now))])
    days = _days_in(context, spans, now)
    done_count = 0
    with context.ingest() as ingest:
        batch: list[Event] = []
        for number, day in enumerate(days):
            context.handle.check()
            context.handle.progress(number, len(days), f"{day.room_login}, {day.day}")
            try:
                computed = channel_day(
                    context.store, day, read_seen(context.store, context.state, day, now=now), now=now
                )
            except QueryError as error:
                context.failed(f"{day.room_login}, {day.day}", error)
                continue
            if computed is not None:
                batch.append(computed)
                done_count += 1
            if len(batch) >= _BATCH:
                ingest.put(batch)
                batch = []
        ingest.put(batch)
        ingest.sync()
    if not context.failures:
        context.state.write_status(_STATUS, {"watermarks": marks, "computed_at": now})
    return f"{done_count} days computed, of {len({day.room_login for day in days})} channels"


def _changed(context: JobContext, marks: dict[str, int]) -> tuple[dict[str, int], list[tuple[int, int]]]:
    """New watermarks, and the stretches of time with events that were added since the old ones."""
    spans: list[tuple[int, int]] = []
    after = {}
    for kind in _KINDS:
        changes = context.store.changes(kind, int(marks.get(kind) or 0))
        after[kind] = changes.watermark
        spans += [(int(start), int(end)) for start, end in changes.spans]
    return after, spans


def _days_in(context: JobContext, spans: list[tuple[int, int]], now: Instant) -> list[Day]:
    """The local days that are over and have something in these stretches, oldest first."""
    found: dict[tuple[str, date], Day] = {}
    # Whole UTC days: a collector adds a little span a second, and each would be a question of its own.
    whole = merge_spans([(start - start % DAY_US, end - end % DAY_US + DAY_US) for start, end in spans])
    for start, end in whole:
        window = (Instant(start), Instant(end))
        frame = context.store.query("day_rooms", window=window, start_at=window[0], end_at=window[1])
        for room_login, day_number in zip(frame["room_login"], frame["day_number"], strict=True):
            zone = zone_of(context.settings, str(room_login))
            utc_start = int(day_number) * DAY_US
            for at in (utc_start, utc_start + DAY_US - 1):
                day = Day(str(room_login), local_day(Instant(at), zone), zone)
                if day.span[1] <= now:
                    found[day.room_login, day.day] = day
        context.handle.check()
    return sorted(found.values(), key=lambda day: (day.day, day.room_login))
