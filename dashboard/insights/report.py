"""The daily report of a channel: what happened, against its own earlier streams, and what was not seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from dashboard.analytics.channel_day import StreamSpan, watched
from dashboard.analytics.moments import Comparison, best_moments, compared
from dashboard.analytics.observation import Observed
from dashboard.analytics.timebins import BIN_US, DAY_US, SECOND_US, ceil_to, floor_to
from dashboard.events import Instant
from dashboard.insights.channel_day import Day, channel_day, read_seen, read_streams
from dashboard.insights.live_sources import Lake, Ledger, records

EARLIER_DAYS: Final = 28
EARLIER_STREAMS: Final = 10
TOP: Final = 10
LEAST_STREAM_S: Final = 600
LEAST_OBSERVED_SHARE: Final = 0.5
_CHART_POINTS: Final = 180


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One stream of the day."""

    started_at: Instant
    ended_at: Instant
    is_cut: bool
    title: str | None
    game: str | None
    duration_s: float
    viewers_average: float | None
    viewers_peak: int | None
    hours_watched: float | None
    coverage: float
    """Share of the stream with a viewer count behind it."""
    message_count: int
    chatter_count: int
    observed_share: float
    """Share of the stream in which chat was read."""
    comparisons: dict[str, str]
    """Against the channel's own earlier streams, in words."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line of a ranking."""

    name: str
    count: int
    people: int | None = None


@dataclass(frozen=True, slots=True)
class MomentReport:
    """One of the best minutes."""

    at: Instant
    messages_per_min: float
    ratio: float


@dataclass(frozen=True, slots=True)
class GapReport:
    """A stretch in which chat was not read although it should have been."""

    started_at: Instant
    ended_at: Instant
    reason: str


@dataclass(frozen=True, slots=True)
class DayReport:
    """Everything that the report says; plain values, so that it can be kept as JSON."""

    room_login: str
    day: str
    time_zone: str
    start_at: Instant
    end_at: Instant
    made_at: Instant
    numbers: dict[str, Any]
    """The aggregates of the day, as in ``channel_days``."""
    streams: tuple[StreamReport, ...]
    chatters: tuple[Ranked, ...]
    emotes: tuple[Ranked, ...]
    moments: tuple[MomentReport, ...]
    usual_messages_per_min: float | None
    gaps: tuple[GapReport, ...]
    observed_share: float
    """Of the time the channel was live (of the day, if it was not)."""
    notes: tuple[str, ...]
    """What is too little to say, and what the numbers can't tell."""
    chart: tuple[tuple[int, float | None], ...]
    """Instant and messages a minute while live; None where nobody looked."""
    viewers: tuple[tuple[int, int], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def daily_report(lake: Lake, ledger: Ledger, day: Day, *, now: Instant) -> DayReport | None:
    """Makes the report of one channel and local day.

    Args:
        lake: The store.
        ledger: Says whether the collector is alive.
        day: Which.
        now: The clock.

    Returns:
        The report; None when nothing at all is known of that day.
    """
    known = read_seen(lake, ledger, day, now=now)
    numbers = channel_day(lake, day, known, now=now)
    if numbers is None:
        return None
    start_at, end_at = day.span
    spans, observed = known.streams, known.observed
    streams = _streams(lake, day, spans, observed)
    stretches = [(span.started_at, span.ended_at) for span in spans] or [(start_at, end_at)]
    wanted_s = sum(end - start for start, end in stretches) / SECOND_US
    seen_s = sum(observed.seconds(start, end) for start, end in stretches)
    counts, seen, first_at = _bins(lake, day.room_login, stretches, observed)
    moments = best_moments(counts, seen, start_at=first_at)
    share = min(1.0, seen_s / wanted_s) if wanted_s else 0.0
    told = numbers.message_count
    values = {name: getattr(numbers, name) for name in _NUMBERS}
    return DayReport(
        room_login=day.room_login,
        day=day.day.isoformat(),
        time_zone=day.zone.key,
        start_at=start_at,
        end_at=end_at,
        made_at=now,
        numbers=values,
        streams=streams,
        chatters=_ranked(lake, "day_top_chatters", day, "user_name", "message_count"),
        emotes=_ranked(lake, "day_top_emotes", day, "emote", "use_count", "user_count"),
        moments=tuple(MomentReport(Instant(m.at), m.messages_per_min, m.ratio) for m in moments.moments),
        usual_messages_per_min=moments.usual,
        gaps=tuple(_gaps(observed, start_at, end_at)),
        observed_share=share,
        notes=(
            *(["Made before the day was over: the rest of it is missing."] if now < end_at else []),
            *_notes(values, streams, share, moments.usual, told),
        ),
        chart=_chart(counts, seen, first_at),
        viewers=tuple((row.at, row.viewer_count or 0) for span in spans for row in span.rows),
    )


_NUMBERS: Final = (
    "message_count",
    "chatter_count",
    "observed_s",
    "live_s",
    "viewers_covered_s",
    "viewers_average",
    "viewers_peak",
    "hours_watched",
    "follow_count",
    "subscription_count",
    "gift_count",
    "bits",
    "raid_count",
    "raid_viewer_count",
    "new_chatter_count",
    "returning_chatter_count",
    "history_day_count",
    "stream_count",
    "games",
)


def _streams(lake: Lake, day: Day, spans: list[StreamSpan], observed: Observed) -> tuple[StreamReport, ...]:
    start_at, _ = day.span
    earlier_from = Instant(start_at - EARLIER_DAYS * DAY_US)
    earlier = [
        span
        for span in read_streams(lake, day.room_login, earlier_from, start_at)
        if span.duration_s >= LEAST_STREAM_S
    ][-EARLIER_STREAMS:]
    before = list(zip(earlier, _chat_of(lake, day.room_login, earlier), strict=True))
    reports = []
    for span, (messages, chatters) in zip(spans, _chat_of(lake, day.room_login, spans), strict=True):
        seen = watched([span])
        hours = span.duration_s / 3600
        comparisons = {
            "viewers_average": compared(seen.average, [watched([other]).average for other, _ in before]),
            "viewers_peak": compared(seen.peak, [watched([other]).peak for other, _ in before]),
            "messages_per_hour": compared(
                messages / hours if hours else None,
                [count / (other.duration_s / 3600) for other, (count, _) in before],
            ),
            "chatters": compared(chatters, [count for _, (_, count) in before]),
        }
        reports.append(
            StreamReport(
                started_at=Instant(span.started_at),
                ended_at=Instant(span.ended_at),
                is_cut=span.is_cut,
                title=span.newest("title"),
                game=span.newest("game_name"),
                duration_s=span.duration_s,
                viewers_average=seen.average,
                viewers_peak=seen.peak,
                hours_watched=seen.hours if seen.covered_s else None,
                coverage=min(1.0, seen.covered_s / span.duration_s),
                message_count=messages,
                chatter_count=chatters,
                observed_share=min(1.0, observed.seconds(span.started_at, span.ended_at) / span.duration_s),
                comparisons={name: _words(found) for name, found in comparisons.items() if found},
            )
        )
    return tuple(reports)


def _words(comparison: Comparison) -> str:
    return comparison.words


def _chat_of(lake: Lake, room: str, spans: list[StreamSpan]) -> list[tuple[int, int]]:
    """Messages and writers of each stream, in the order of the streams."""
    if not spans:
        return []
    starts, ends = [span.started_at for span in spans], [span.ended_at for span in spans]
    start_at, end_at = Instant(min(starts)), Instant(max(ends))
    frame = lake.query(
        "day_stretches",
        window=(start_at, end_at),
        room=room,
        starts=starts,
        ends=ends,
        start_at=start_at,
        end_at=end_at,
    )
    found = {
        (int(row["first_us"]), int(row["last_us"])): (int(row["message_count"]), int(row["chatter_count"]))
        for row in records(frame)
    }
    return [found[span.started_at, span.ended_at] for span in spans]


def _bins(
    lake: Lake, room: str, stretches: list[tuple[int, int]], observed: Observed
) -> tuple[Any, Any, int]:
    """Messages and seen seconds of each 10 s from the first stretch to the last; nothing between them."""
    first_at = floor_to(min(start for start, _ in stretches), BIN_US)
    after_at = ceil_to(max(end for _, end in stretches), BIN_US)
    size = (after_at - first_at) // BIN_US
    counts = np.zeros(size, dtype=np.int64)
    window = (Instant(first_at), Instant(after_at))
    for row in records(
        lake.query("live_bins", window=window, room=room, start_at=window[0], end_at=window[1])
    ):
        counts[int(row["bin"]) - first_at // BIN_US] = int(row["message_count"])
    edges = first_at + np.arange(size + 1, dtype=np.int64) * BIN_US
    seen = observed.seconds_between(edges)
    is_live = np.zeros(size, dtype=bool)
    for start, end in stretches:
        is_live[(ceil_to(start, BIN_US) - first_at) // BIN_US : (end - first_at) // BIN_US] = True
    seen = np.where(is_live, seen, 0.0)
    return np.where(is_live, counts, 0), seen, first_at


def _chart(counts: Any, seen: Any, first_at: int) -> tuple[tuple[int, float | None], ...]:
    width = max(6, -(-len(counts) // _CHART_POINTS))
    points: list[tuple[int, float | None]] = []
    for index in range(0, len(counts), width):
        seen_s = float(seen[index : index + width].sum())
        rate = float(counts[index : index + width].sum()) * 60 / seen_s if seen_s >= width * 5 else None
        points.append((first_at + index * BIN_US, None if rate is None else round(rate, 2)))
    return tuple(points)


def _ranked(lake: Lake, query: str, day: Day, name: str, count: str, people: str = "") -> tuple[Ranked, ...]:
    start_at, end_at = day.span
    frame = lake.query(
        query, window=day.span, room=day.room_login, start_at=start_at, end_at=end_at, limit=TOP
    )
    return tuple(
        Ranked(str(row[name]), int(row[count]), int(row[people]) if people else None)
        for row in records(frame)
    )


def _gaps(observed: Observed, start_at: int, end_at: int) -> list[GapReport]:
    found = []
    for gap in observed.gaps:
        start, end = max(gap.started_at, start_at), min(gap.ended_at or end_at, end_at)
        if end > start:
            found.append(GapReport(Instant(start), Instant(end), gap.reason or "not told"))
    return found


def _notes(
    numbers: dict[str, Any],
    streams: tuple[StreamReport, ...],
    share: float,
    usual: float | None,
    message_count: int | None,
) -> list[str]:
    notes = []
    if not streams:
        notes.append("No stream was told of on this day; the numbers are those of the whole day.")
    if share < LEAST_OBSERVED_SHARE:
        notes.append(
            f"Chat was read for {share:.0%} of the time only: counts are lower bounds, and are not compared."
        )
    if message_count is None:
        notes.append("Chat was not read on this day.")
    elif usual is None:
        notes.append("Too little chat was seen to name moments (ten whole minutes are needed).")
    if streams and all(stream.coverage < LEAST_OBSERVED_SHARE for stream in streams):
        notes.append("Few viewer counts were taken: hours watched stand for the covered time only.")
    history = int(numbers.get("history_day_count") or 0)
    if message_count and history == 0:
        notes.append("There are no earlier days, so nobody can be called new or returning.")
    elif message_count and history < 7:
        notes.append(f"Only {history} of the 30 days before have chat: many who look new may not be.")
    if numbers.get("follow_count") is None:
        notes.append("Follows are not collected for this channel.")
    return notes
