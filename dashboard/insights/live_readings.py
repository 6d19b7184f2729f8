"""The tiles of the Live page: from what is known about a room at an instant to its readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from dashboard.analytics.chat_window import ChatRows, MinuteHistory
from dashboard.analytics.engagement import ACTIVE_WINDOW_MIN, ACTIVE_WINDOW_S, engagement_ratio
from dashboard.analytics.observation import Observed
from dashboard.analytics.retention import share_of_peak, since_last_raid
from dashboard.analytics.sessions import Stream, current_game
from dashboard.analytics.timebins import BINS_PER_MINUTE, MINUTE_US, SECOND_US, floor_to
from dashboard.analytics.usual import EXCLUDED_RECENT_S, LEAST_MINUTES, Usual, usual_range
from dashboard.analytics.velocity import (
    BURST_WINDOW_S,
    LEAST_OBSERVED_SHARE,
    VELOCITY_WINDOW_S,
    velocities,
    velocity,
)
from dashboard.events import Instant
from dashboard.insights.live_model import Reading

SPARK_MINUTES: Final = 30
SAMPLE_VALID_S: Final = 300
"""An older viewer sample is not "now" any more."""
SAMPLE_HOLD_S: Final = 180
"""In a series a sample stands for at most so long."""
_FULLY_OBSERVED: Final = 0.9
"""A five-minute window seen less than this is no measure of what is usual."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything that is known about a room at one instant."""

    clock_at: int
    status: str
    start_at: int | None
    """Start of the stream (told) or of the session (first message)."""
    is_start_told: bool
    is_complete: bool
    """Whether everything back to the start has been read."""
    observed: Observed
    rows: ChatRows
    minutes: MinuteHistory
    """Closed minutes of the stream up to the clock."""
    stream: Stream | None
    raids_at: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class MinuteSeries:
    """Every metric by minute of the stream; NaN where there is no value."""

    velocity: Floats
    active: Floats
    active_usual: Floats
    """Only where the whole window was seen."""
    viewers: Floats
    engagement: Floats
    engagement_usual: Floats
    retention: Floats
    usual_count: int
    """So many of the first minutes are old enough to say what is usual."""

    def spark(self, values: Floats) -> tuple[float | None, ...]:
        """The last half hour of a series."""
        return tuple(None if np.isnan(v) else float(v) for v in values[-SPARK_MINUTES:])

    def usual(self, values: Floats) -> Usual:
        """What is usual, from the minutes that are old enough."""
        usual = usual_range(values[: self.usual_count])
        if usual.median is not None:
            return usual
        needed = LEAST_MINUTES + EXCLUDED_RECENT_S // 60
        seen = int(np.count_nonzero(~np.isnan(values)))
        return replace(usual, missing=f"usual after {needed} min, seen {min(seen, needed - 1)}")


def minute_series(moment: Moment) -> MinuteSeries:
    """Computes every metric for every closed minute of the stream.

    Args:
        moment: The room at an instant.

    Returns:
        Arrays of equal length, oldest minute first.
    """
    minutes = moment.minutes
    ends = minutes.start_at + MINUTE_US * np.arange(1, len(minutes.actives) + 1, dtype=np.int64)
    edges = minutes.start_at + MINUTE_US * np.arange(
        1 - ACTIVE_WINDOW_MIN, len(minutes.actives) + 1, dtype=np.int64
    )
    seen_s = moment.observed.seconds_between(edges)
    own_s = seen_s[ACTIVE_WINDOW_MIN - 1 :]
    window_s = np.convolve(seen_s, np.ones(ACTIVE_WINDOW_MIN), mode="valid") if len(ends) else own_s
    counts = minutes.bins.reshape(-1, BINS_PER_MINUTE).sum(axis=1)
    active = np.where(window_s >= ACTIVE_WINDOW_S * LEAST_OBSERVED_SHARE, minutes.actives, np.nan)
    is_full = window_s >= ACTIVE_WINDOW_S * _FULLY_OBSERVED
    viewers, mean_viewers, retention = _viewer_series(moment.stream, ends)
    ratio = np.divide(active, mean_viewers, out=np.full(len(ends), np.nan), where=mean_viewers > 0)
    old_at = moment.clock_at - EXCLUDED_RECENT_S * SECOND_US
    return MinuteSeries(
        velocity=velocities(counts, own_s, bin_s=60),
        active=active,
        active_usual=np.where(is_full, active, np.nan),
        viewers=viewers,
        engagement=ratio,
        engagement_usual=np.where(is_full, ratio, np.nan),
        retention=retention,
        usual_count=int(np.searchsorted(ends, old_at, side="right")),
    )


def _viewer_series(stream: Stream | None, ends: npt.NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """At the end of each minute: viewers, their mean over five minutes, and their share of the peak."""
    nothing = np.full(len(ends), np.nan)
    samples = stream.samples if stream is not None else ()
    if not samples:
        return nothing, nothing.copy(), nothing.copy()
    at = np.array([row.at for row in samples], dtype=np.int64)
    counts = np.array([row.viewer_count or 0 for row in samples], dtype=np.float64)
    upto = np.searchsorted(at, ends, side="right")
    held = np.maximum(upto - 1, 0)
    is_held = (upto > 0) & (ends - at[held] <= SAMPLE_HOLD_S * SECOND_US)
    sums = np.concatenate([[0.0], np.cumsum(counts)])
    since = np.searchsorted(at, ends - ACTIVE_WINDOW_S * SECOND_US, side="right")
    taken = upto - since
    means = np.divide(sums[upto] - sums[since], taken, out=nothing.copy(), where=taken > 0)
    shares = share_of_peak([int(count) for count in counts])
    return np.where(is_held, counts[held], np.nan), means, np.where(is_held, shares[held], np.nan)


def readings(moment: Moment, series: MinuteSeries) -> dict[str, Reading]:
    """All tiles of a room.

    Args:
        moment: The room at an instant.
        series: Of the same moment.

    Returns:
        Readings by key of their ``MetricSpec``.
    """
    made = (
        _viewers(moment, series),
        _velocity(moment, series),
        _burst(moment),
        _unique_chatters(moment, series),
        _engagement(moment, series),
        _retention(moment, series),
        _uptime(moment),
        _game(moment),
    )
    return {
        reading.metric: replace(reading, as_of=reading.as_of or Instant(moment.clock_at)) for reading in made
    }


def _compared(reading: Reading, usual: Usual, spark: tuple[float | None, ...]) -> Reading:
    return replace(
        reading,
        usual=usual.median,
        usual_low=usual.low,
        usual_high=usual.high,
        usual_sample_count=usual.sample_count,
        missing=reading.missing if reading.value is None else usual.missing,
        spark=spark,
    )


def _sample_state(moment: Moment) -> tuple[int | None, int | None, str | None]:
    """The newest viewer count, its instant, and why there is none."""
    samples = moment.stream.samples if moment.stream is not None else ()
    if not samples:
        return None, None, "no viewer counts for this stream"
    newest = samples[-1]
    if moment.clock_at - newest.at > SAMPLE_VALID_S * SECOND_US:
        return None, newest.at, f"no viewer count in the last {SAMPLE_VALID_S // 60} min"
    return newest.viewer_count, newest.at, None


def _viewers(moment: Moment, series: MinuteSeries) -> Reading:
    value, at, missing = _sample_state(moment)
    count = len(moment.stream.samples) if moment.stream is not None else 0
    reading = Reading(
        "viewers", value, sample_count=count, missing=missing, as_of=None if at is None else Instant(at)
    )
    return _compared(reading, series.usual(series.viewers), series.spark(series.viewers))


def _rate(moment: Moment, key: str, window_s: int) -> Reading:
    start_at = moment.clock_at - window_s * SECOND_US
    count = moment.rows.count(start_at, moment.clock_at)
    observed_s = moment.observed.seconds(start_at, moment.clock_at)
    value = velocity(count, observed_s=observed_s, window_s=window_s)
    missing = f"not observed in the last {window_s} s" if value is None else None
    return Reading(key, value, window_s=window_s, sample_count=count, missing=missing)


def _velocity(moment: Moment, series: MinuteSeries) -> Reading:
    reading = _rate(moment, "velocity", VELOCITY_WINDOW_S)
    return _compared(reading, series.usual(series.velocity), series.spark(series.velocity))


def _burst(moment: Moment) -> Reading:
    return _rate(moment, "burst", BURST_WINDOW_S)


def _active_now(moment: Moment) -> tuple[int | None, int]:
    """Unique chatters of the last five minutes and their messages."""
    start_at = moment.clock_at - ACTIVE_WINDOW_S * SECOND_US
    if moment.observed.seconds(start_at, moment.clock_at) <= 0:
        return None, 0
    return moment.rows.unique_count(start_at, moment.clock_at), moment.rows.count(start_at, moment.clock_at)


def _unique_chatters(moment: Moment, series: MinuteSeries) -> Reading:
    value, count = _active_now(moment)
    missing = f"not observed in the last {ACTIVE_WINDOW_S // 60} min" if value is None else None
    reading = Reading("unique_chatters", value, window_s=ACTIVE_WINDOW_S, sample_count=count, missing=missing)
    compared = _compared(reading, series.usual(series.active_usual), series.spark(series.active))
    return _uncompared_if_partly_seen(compared, moment)


def _uncompared_if_partly_seen(reading: Reading, moment: Moment) -> Reading:
    """A window with a hole in it counts fewer people: held against whole ones it would look like a loss."""
    seen_s = moment.observed.seconds(moment.clock_at - ACTIVE_WINDOW_S * SECOND_US, moment.clock_at)
    if reading.value is None or seen_s >= ACTIVE_WINDOW_S * _FULLY_OBSERVED:
        return reading
    seen = f"only {seen_s:.0f} of {ACTIVE_WINDOW_S} s seen"
    return replace(
        reading,
        usual=None,
        usual_low=None,
        usual_high=None,
        usual_sample_count=0,
        missing=seen,
        note=f"{seen}: at least so many",
    )


def _engagement(moment: Moment, series: MinuteSeries) -> Reading:
    active, _ = _active_now(moment)
    samples = moment.stream.samples if moment.stream is not None else ()
    since_at = moment.clock_at - ACTIVE_WINDOW_S * SECOND_US
    counts = [row.viewer_count or 0 for row in samples if since_at < row.at <= moment.clock_at]
    value = engagement_ratio(active, sum(counts) / len(counts) if counts else None)
    missing = None
    if value is None:
        why = (
            "no viewer counts" if not counts else "chat not observed" if active is None else "nobody watching"
        )
        missing = f"{why} in the last {ACTIVE_WINDOW_S // 60} min"
    reading = Reading(
        "engagement", value, window_s=ACTIVE_WINDOW_S, sample_count=len(counts), missing=missing
    )
    compared = _compared(reading, series.usual(series.engagement_usual), series.spark(series.engagement))
    return _uncompared_if_partly_seen(compared, moment)


def _retention(moment: Moment, series: MinuteSeries) -> Reading:
    current, at, missing = _sample_state(moment)
    samples = moment.stream.samples if moment.stream is not None else ()
    counts = [row.viewer_count or 0 for row in samples]
    value = None if current is None else float(share_of_peak(counts)[-1])
    if value is not None and np.isnan(value):
        value, missing = None, "nobody has watched yet"
    reading = Reading(
        "retention",
        value,
        sample_count=len(samples),
        missing=missing,
        as_of=None if at is None else Instant(at),
    )
    reading = _compared(reading, series.usual(series.retention), series.spark(series.retention))
    raid = since_last_raid([row.at for row in samples], counts, moment.raids_at, now=moment.clock_at)
    if raid is None or value is None:
        return reading
    points = round(raid.points)
    moved = f"{abs(points)} pts {'down' if points < 0 else 'up'}" if points else "unchanged"
    return replace(reading, note=f"{moved} since the raid", note_points=raid.points)


def _uptime(moment: Moment) -> Reading:
    if moment.start_at is None:
        return Reading("uptime", None, missing="no message and no stream yet")
    if not moment.is_start_told and not moment.is_complete:
        return Reading("uptime", None, missing="still looking for the first message")
    value = max(moment.clock_at - moment.start_at, 0) / SECOND_US
    note = None if moment.is_start_told else "since the first message seen"
    spark = _viewer_curve(moment, moment.start_at)
    return Reading("uptime", value, missing=note, note=note, spark=spark)


def _game(moment: Moment) -> Reading:
    stint = current_game(moment.stream) if moment.stream is not None else None
    if stint is None:
        return Reading("game", None, missing="no category told")
    minutes = max(moment.clock_at - stint.since_at, 0) / MINUTE_US
    return Reading("game", minutes, text=stint.name, spark=_viewer_curve(moment, stint.since_at))


def _viewer_curve(moment: Moment, since_at: int) -> tuple[float | None, ...]:
    """Mean viewers in up to thirty equal steps from an instant on; ``None`` where none were counted."""
    samples = moment.stream.samples if moment.stream is not None else ()
    span = moment.clock_at - since_at
    steps = min(SPARK_MINUTES, span // MINUTE_US)
    if steps < 2:
        return ()
    sums, counts = np.zeros(steps), np.zeros(steps)
    for row in samples:
        step = (row.at - since_at) * steps // span
        if 0 <= step < steps:
            sums[step] += row.viewer_count or 0
            counts[step] += 1
    if np.count_nonzero(counts) < 2:
        return ()
    return tuple(float(total / n) if n else None for total, n in zip(sums, counts, strict=True))


def stream_minutes(minutes: MinuteHistory, start_at: int | None) -> MinuteHistory:
    """Only the minutes that belong to the stream: from the one in which it began."""
    return minutes if start_at is None else minutes.since(floor_to(start_at, MINUTE_US))
