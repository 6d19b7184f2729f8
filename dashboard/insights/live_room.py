"""One room in the web process: its caches, and what the pages see of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from typing import Final

import numpy as np

from dashboard.analytics.observation import Observed, observed_time
from dashboard.analytics.sessions import CURRENT_WITHIN_S, Clock, Stream, current_stream, room_clock
from dashboard.analytics.timebins import BIN_US, DAY_US, HOUR_US, MINUTE_US, SECOND_US, floor_to
from dashboard.analytics.velocity import velocities
from dashboard.events import Instant
from dashboard.insights.live_chat import RoomChat, find_newest
from dashboard.insights.live_feed import feed_items, markers
from dashboard.insights.live_log import ObservationLog, event_log, stream_log
from dashboard.insights.live_model import FeedItem, GapSpan, LiveSeries, LiveSnapshot, TopLists
from dashboard.insights.live_readings import MinuteSeries, Moment, minute_series, readings, stream_minutes
from dashboard.insights.live_sources import Lake
from dashboard.insights.live_status import CollectorWord
from dashboard.insights.live_top import REFRESH_S as TOP_REFRESH_S
from dashboard.insights.live_top import RoomTop

LONGEST_FINE_US: Final = HOUR_US
"""Up to this span the chart has bins of 10 s, beyond it of a minute."""
_OLDER_FEED_US: Final = 14 * DAY_US


class RoomView:
    """All that the Live page shows of one room. Thread-safe; several tabs share one.

    Args:
        lake: The store.
        room: Login.
        refresh_s: An update younger than this is given again.
        monotonic: A clock in seconds.
    """

    def __init__(
        self,
        lake: Lake,
        room: str,
        *,
        refresh_s: float = 0.25,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lake = lake
        self._room = room
        self._refresh_s = refresh_s
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._forget()

    def _forget(self) -> None:
        """Begins anew, with nothing read yet."""
        lake, room = self._lake, self._room
        self._chat = RoomChat(lake, room, monotonic=self._monotonic)
        self._streams = stream_log(lake, room)
        self._events = event_log(lake, room)
        self._observations = ObservationLog(lake, room)
        refresh_s = TOP_REFRESH_S if self._refresh_s else 0.0
        self._top = RoomTop(lake, room, monotonic=self._monotonic, refresh_s=refresh_s)
        self._is_started = False
        self._refreshed_at = float("-inf")
        self._now = 0
        self._moment: Moment | None = None
        self._minute_series: MinuteSeries | None = None
        self._snapshot: LiveSnapshot | None = None
        self._series: dict[int | None, LiveSeries] = {}

    def snapshot(self, now: int, word: CollectorWord) -> LiveSnapshot:
        """The tiles and the head of the page."""
        with self._lock:
            moment = self._refresh(now, word)
            if self._snapshot is None:
                self._snapshot = self._make_snapshot(moment)
            return self._snapshot

    def series(self, now: int, word: CollectorWord, span_s: int | None) -> LiveSeries:
        """The chart."""
        with self._lock:
            moment = self._refresh(now, word)
            if span_s not in self._series:
                self._series[span_s] = self._make_series(moment, span_s)
            return self._series[span_s]

    def feed(
        self,
        now: int,
        word: CollectorWord,
        *,
        limit: int,
        before_at: int | None,
        categories: Collection[str] | None,
    ) -> list[FeedItem]:
        """Lines of the activity feed, newest first."""
        with self._lock:
            moment = self._refresh(now, word)
            until = moment.clock_at if before_at is None else min(before_at - 1, moment.clock_at)
            events, rows = self._events.rows, self._streams.rows
            gaps = moment.observed.gaps
            found = feed_items(events, rows, gaps, until=until, limit=limit, categories=categories)
            if len(found) < limit and before_at is not None:
                older = self._events.before(min(before_at, self._events.since_at), span_us=_OLDER_FEED_US)
                rows = (*self._streams.before(self._streams.since_at, span_us=_OLDER_FEED_US), *rows)
                both = (*older, *events)
                found = feed_items(both, rows, gaps, until=until, limit=limit, categories=categories)
            return found

    def top(self, now: int, word: CollectorWord, *, window_s: int, limit: int) -> TopLists:
        """Top chatters and emotes."""
        with self._lock:
            moment = self._refresh(now, word)
            return self._top.lists(moment.clock_at, window_s=window_s, limit=limit)

    def _refresh(self, now: int, word: CollectorWord) -> Moment:
        is_young = self._monotonic() - self._refreshed_at < self._refresh_s
        if self._moment is not None and is_young and abs(now - self._now) < SECOND_US:
            return self._moment
        try:
            self._moment = self._read(now, word)
        except BaseException:
            # What was noticed as new may not have been read: only a new beginning is surely right.
            self._forget()
            raise
        self._now = now
        self._refreshed_at = self._monotonic()
        self._minute_series = None
        self._snapshot = None
        self._series.clear()
        return self._moment

    def _read(self, now: int, word: CollectorWord) -> Moment:
        silent_since = word.silent_since(now)
        self._observations.sync()
        is_joined = self._observations.is_joined_live(heard_at=silent_since)
        if not self._is_started:
            newest = find_newest(self._lake, self._room, now=now)
            self._chat.start(newest)
            self._streams.sync(now if is_joined or newest.at is None else min(newest.at, now), now)
        self._chat.sync()
        newest_at = self._newest_at()
        is_current = is_joined or newest_at is None or newest_at >= now - CURRENT_WITHIN_S * SECOND_US
        guess = now if is_current else newest_at or now
        self._streams.sync(guess, now)
        stream = current_stream(self._streams.rows, now=max(guess, now))
        clock = room_clock(
            now=now,
            newest_at=self._newest_at(),
            is_joined_live=is_joined,
            is_told_off=self._is_told_off(now, word, stream),
            stream=stream,
        )
        stream = current_stream(self._streams.rows, now=clock.at)
        self._events.sync(clock.at, now)
        start_at = stream.started_at if stream is not None else None
        self._is_started = True
        self._chat.advance(clock.at, start_at)
        return self._moment_at(clock, stream, silent_since)

    def _moment_at(self, clock: Clock, stream: Stream | None, silent_since: int | None) -> Moment:
        told_at = stream.started_at if stream is not None else None
        start_at = told_at if told_at is not None else self._chat.first_at
        if start_at is None and stream is not None and stream.rows:
            start_at = stream.rows[0].at
        minutes = self._chat.minutes(floor_to(clock.at, MINUTE_US))
        return Moment(
            clock_at=clock.at,
            status=clock.status,
            start_at=start_at,
            is_start_told=told_at is not None,
            is_complete=self._chat.is_complete,
            observed=self._observed(clock, silent_since),
            rows=self._chat.rows,
            minutes=stream_minutes(minutes, start_at),
            stream=stream,
            raids_at=[e.at for e in self._events.rows if e.kind == "raids" and (start_at or 0) <= e.at],
        )

    def _observed(self, clock: Clock, silent_since: int | None) -> Observed:
        first_at, last_at = self._chat.first_at, self._chat.last_at
        messages = None
        if first_at is not None and last_at is not None:
            messages = (first_at, clock.at if clock.status == "live" else min(last_at, clock.at))
        lives = {} if silent_since is None else {"irc": silent_since}
        return observed_time(
            self._observations.rows, until=clock.at, last_sign_of_life=lives, messages=messages
        )

    def _newest_at(self) -> int | None:
        samples = [row.at for row in self._streams.rows[-1:]]
        return max([at for at in (self._chat.last_at, *samples) if at is not None], default=None)

    def _is_told_off(self, now: int, word: CollectorWord, stream: Stream | None) -> bool:
        joined = [change.at for change in self._observations.rows if change.state == "joined"]
        has_asked = (
            word.polled_at is not None and word.has_polled(now) and word.polled_at > max(joined, default=0)
        )
        return has_asked and (stream is None or stream.is_on is not True)

    def _series_of_minutes(self, moment: Moment) -> MinuteSeries:
        if self._minute_series is None:
            self._minute_series = minute_series(moment)
        return self._minute_series

    def _make_snapshot(self, moment: Moment) -> LiveSnapshot:
        stream = moment.stream
        received = (
            self._chat.last_received_at,
            self._streams.last_received_at,
            self._events.last_received_at,
        )
        fresh_at = max((at for at in received if at is not None), default=None)
        since_at = moment.observed.since(moment.start_at or moment.clock_at - DAY_US)
        return LiveSnapshot(
            room_login=self._room,
            status=moment.status,
            clock_at=Instant(moment.clock_at),
            fresh_at=None if fresh_at is None else Instant(fresh_at),
            title=stream.latest("title") if stream else None,
            game_name=stream.latest("game_name") if stream else None,
            language=stream.latest("language") if stream else None,
            started_at=None if moment.start_at is None else Instant(moment.start_at),
            is_start_told=moment.is_start_told,
            observed_since_at=None if since_at is None else Instant(since_at),
            is_observed_assumed=moment.observed.is_assumed,
            is_history_complete=self._chat.is_complete,
            readings=readings(moment, self._series_of_minutes(moment)),
        )

    def _make_series(self, moment: Moment, span_s: int | None) -> LiveSeries:
        end_at = moment.clock_at
        start_at = self._chart_start(moment)
        if span_s is not None:
            start_at = max(start_at, end_at - span_s * SECOND_US)
        # Asked for by span, the bin does not depend on how much of the span is there yet.
        length = end_at - start_at if span_s is None else span_s * SECOND_US
        width = BIN_US if length <= LONGEST_FINE_US else MINUTE_US
        start_at = floor_to(start_at, width)
        bin_at, values = self._velocities(moment, start_at, end_at, width)
        samples = moment.stream.samples if moment.stream is not None else ()
        samples = tuple(row for row in samples if start_at <= row.at <= end_at)
        series = self._series_of_minutes(moment)
        usual = series.usual(series.velocity)
        marked = markers(self._events.rows, self._streams.rows, start_at=start_at)
        return LiveSeries(
            start_at=Instant(start_at),
            end_at=Instant(end_at),
            bin_s=width // SECOND_US,
            bin_at=bin_at,
            velocity=values,
            viewers_at=tuple(Instant(row.at) for row in samples),
            viewers=tuple(row.viewer_count or 0 for row in samples),
            usual_low=usual.low,
            usual_high=usual.high,
            gaps=_gap_spans(moment, start_at),
            markers=tuple(marker for marker in marked if marker.at <= end_at),
        )

    def _chart_start(self, moment: Moment) -> int:
        """Where there is something to draw: not before anybody looked, nor before what has been read."""
        start_at = moment.start_at if moment.start_at is not None else moment.clock_at
        seen = [moment.observed.since(start_at)]
        if moment.stream is not None and moment.stream.samples:
            seen.append(moment.stream.samples[0].at)
        first_at = min((at for at in seen if at is not None), default=start_at)
        if not self._chat.is_complete:
            first_at = max(first_at, self._chat.history.start_at)
        return min(max(start_at, first_at, moment.minutes.start_at), moment.clock_at)

    def _velocities(
        self, moment: Moment, start_at: int, end_at: int, width: int
    ) -> tuple[tuple[Instant, ...], tuple[float | None, ...]]:
        whole_to = max(floor_to(end_at, width), start_at)
        edges = np.arange(start_at, whole_to + 1, width)
        counts = self._chat.bins(start_at, whole_to).reshape(-1, width // BIN_US).sum(axis=1)
        if moment.status != "live" and whole_to < end_at:
            # Nothing more will come into the last bin of a recording, so it is shown as far as it goes.
            edges = np.append(edges, end_at)
            counts = np.append(counts, moment.rows.count(whole_to - 1, end_at))
        rates = velocities(counts, moment.observed.seconds_between(edges), bin_s=width / SECOND_US)
        values = tuple(None if np.isnan(rate) else float(rate) for rate in rates)
        return tuple(Instant(int(at)) for at in edges[:-1]), values


def _gap_spans(moment: Moment, start_at: int) -> tuple[GapSpan, ...]:
    return tuple(
        GapSpan(
            Instant(max(gap.started_at, start_at)),
            None if gap.ended_at is None else Instant(gap.ended_at),
            gap.reason or "connection lost",
        )
        for gap in moment.observed.gaps
        if (gap.ended_at is None or gap.ended_at > start_at) and gap.started_at < moment.clock_at
    )
