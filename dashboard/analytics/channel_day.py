"""A channel's day in numbers: streams, viewers over observed time, hours watched, games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.analytics.sessions import StreamRow
from dashboard.analytics.timebins import SECOND_US, merge_spans

SAMPLE_HOLD_S: Final = 180
"""A viewer count stands until the next one, but not longer: samples come once a minute."""


@dataclass(frozen=True, slots=True)
class StreamSpan:
    """One stream, as far as it lies inside the stretch asked about."""

    started_at: int
    ended_at: int
    stream_id: str | None
    is_cut: bool
    """It began before, or went on after the stretch."""
    rows: tuple[StreamRow, ...]
    """Its viewer samples inside, oldest first."""

    @property
    def duration_s(self) -> float:
        """How much of it lies inside."""
        return (self.ended_at - self.started_at) / SECOND_US

    def newest(self, field: str) -> str | None:
        """The newest title or game that was told."""
        told = (getattr(row, field) for row in reversed(self.rows))
        return next((value for value in told if value), None)


@dataclass(frozen=True, slots=True)
class Watched:
    """Viewers over the time that has a viewer count behind it."""

    covered_s: float
    average: float | None
    """Time-weighted; None without a sample."""
    peak: int | None
    hours: float
    """∫ viewers dt over the covered time, in hours."""


def stream_spans(rows: Sequence[StreamRow], start_at: int, end_at: int) -> list[StreamSpan]:
    """The streams of a stretch of time, from what was told about them.

    Args:
        rows: Samples, starts and ends of one room, also from before and after the stretch, in any order.
        start_at: Beginning of the stretch.
        end_at: Its end.

    Returns:
        Streams that touch the stretch, oldest first, cut to it. A stream lasts from its told start (else
        its first sample) to its told end (else its last sample, which stands for a while).
    """
    by_stream: dict[object, list[StreamRow]] = {}
    for row in sorted(rows, key=lambda row: (row.at, row.action != "start", row.action == "end")):
        by_stream.setdefault(row.stream_id or row.started_at or "unnamed", []).append(row)
    found = []
    for told in by_stream.values():
        starts = [row.started_at for row in told if row.started_at is not None]
        began_at = min([*starts, min(row.at for row in told)])
        ends = [row.at for row in told if row.action == "end"]
        last_at = max(row.at for row in told)
        over_at = max(ends) if ends else last_at + SAMPLE_HOLD_S * SECOND_US
        if over_at <= start_at or began_at >= end_at:
            continue
        samples = tuple(
            row
            for row in told
            if row.action == "sample" and row.viewer_count is not None and start_at <= row.at < end_at
        )
        found.append(
            StreamSpan(
                started_at=max(began_at, start_at),
                ended_at=min(over_at, end_at),
                stream_id=told[0].stream_id,
                is_cut=began_at < start_at or over_at > end_at,
                rows=samples,
            )
        )
    return sorted((span for span in found if span.ended_at > span.started_at), key=lambda s: s.started_at)


def live_seconds(spans: Sequence[StreamSpan]) -> float:
    """How long the channel was live; streams that overlap count once."""
    merged = merge_spans([(span.started_at, span.ended_at) for span in spans])
    return sum(end - start for start, end in merged) / SECOND_US


def watched(spans: Sequence[StreamSpan], *, hold_s: float = SAMPLE_HOLD_S) -> Watched:
    """Average and peak viewers, and hours watched, over the time that was sampled.

    Args:
        spans: Streams with their samples.
        hold_s: A sample stands until the next one of its stream, its end, or for so long.

    Returns:
        Sums over the covered time only; what no sample stands for is left out, not guessed.
    """
    covered_us = viewer_us = 0
    peak: int | None = None
    for span in spans:
        samples = [(row.at, row.viewer_count) for row in span.rows if row.viewer_count is not None]
        for index, (at, viewers) in enumerate(samples):
            next_at = samples[index + 1][0] if index + 1 < len(samples) else span.ended_at
            width = max(0, min(next_at, span.ended_at, at + round(hold_s * SECOND_US)) - at)
            covered_us += width
            viewer_us += viewers * width
            peak = viewers if peak is None else max(peak, viewers)
    return Watched(
        covered_s=covered_us / SECOND_US,
        average=viewer_us / covered_us if covered_us else None,
        peak=peak,
        hours=viewer_us / SECOND_US / 3600,
    )


def game_seconds(spans: Sequence[StreamSpan]) -> list[tuple[str, float]]:
    """How long each category was on, by the samples.

    Args:
        spans: Streams with their samples.

    Returns:
        Game and seconds, the longest first; time without a sample belongs to none.
    """
    seconds: dict[str, float] = {}
    for span in spans:
        for index, row in enumerate(span.rows):
            next_at = span.rows[index + 1].at if index + 1 < len(span.rows) else span.ended_at
            width = max(0, min(next_at, span.ended_at, row.at + SAMPLE_HOLD_S * SECOND_US) - row.at)
            if row.game_name and width:
                seconds[row.game_name] = seconds.get(row.game_name, 0.0) + width / SECOND_US
    return sorted(seconds.items(), key=lambda pair: (-pair[1], pair[0]))
