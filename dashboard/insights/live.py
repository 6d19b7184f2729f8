"""The questions of the Live page."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final

from dashboard.events import Instant
from dashboard.insights.live_model import FeedItem, LiveSeries, LiveSnapshot, RoomInfo, TopLists
from dashboard.insights.live_room import RoomView
from dashboard.insights.live_rooms import RoomIndex
from dashboard.insights.live_sources import Lake, Ledger
from dashboard.insights.live_status import CollectorWord, collector_word

MOST_ROOMS: Final = 64
"""Rooms kept in memory; the one not looked at for longest goes first."""


class LiveInsights:
    """What is going on in a room right now. One for the whole process, safe to share between threads.

    Every answer is exact for the data that was visible when it was made, and comes from caches that
    read only what is new: an update costs the same on a large lake as on a small one.

    Args:
        store: The lake.
        state: Knows who is followed and what the collector said last.
        refresh_s: Answers younger than this are shared between tabs; 0 reads anew each time.
        monotonic: A clock in seconds.
    """

    def __init__(
        self,
        store: Lake,
        state: Ledger,
        *,
        refresh_s: float = 0.25,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._state = state
        self._refresh_s = refresh_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._views: OrderedDict[str, RoomView] = OrderedDict()
        self._word = CollectorWord()
        self._word_due = float("-inf")
        self._index = RoomIndex(store, state, monotonic=monotonic, refresh_s=3.0 if refresh_s else 0.0)

    def snapshot(self, room: str, *, now: Instant) -> LiveSnapshot:
        """The state of a room: its status, its clock and all tiles.

        Args:
            room: Login of the channel.
            now: The wall clock.

        Returns:
            Readings with their samples and comparisons; never a number that was not measured.
        """
        return self._view(room).snapshot(now, self._collector())

    def series(self, room: str, *, now: Instant, span_s: int | None) -> LiveSeries:
        """Velocity, viewers, gaps and markers for the chart.

        Args:
            room: Login of the channel.
            now: The wall clock.
            span_s: The last so many seconds of the stream; ``None`` is the whole stream (two days at most).

        Returns:
            Bins of 10 s up to an hour, else of a minute. While a room is live the running bin is left
            out: half a bin looks like a fall.
        """
        return self._view(room).series(now, self._collector(), span_s)

    def feed(
        self,
        room: str,
        *,
        now: Instant,
        limit: int = 60,
        before_at: Instant | None = None,
        categories: Collection[str] | None = None,
    ) -> list[FeedItem]:
        """What happened, newest first.

        Args:
            room: Login of the channel.
            now: The wall clock.
            limit: At most so many lines.
            before_at: Only lines before this instant (for reading on).
            categories: Only lines of these; ``None`` is all.

        Returns:
            Lines with ids that stay the same.
        """
        return self._view(room).feed(
            now, self._collector(), limit=limit, before_at=before_at, categories=categories
        )

    def top(self, room: str, *, now: Instant, window_s: int = 3600, limit: int = 8) -> TopLists:
        """Who wrote most and which emotes were used most.

        Args:
            room: Login of the channel.
            now: The wall clock.
            window_s: How far back.
            limit: Length of each list.

        Returns:
            Lists that are a few seconds old at most; ``as_of`` tells.
        """
        return self._view(room).top(now, self._collector(), window_s=window_s, limit=limit)

    def rooms(self, *, now: Instant) -> list[RoomInfo]:
        """Every room with data of the last 14 days, or followed; live ones first.

        Args:
            now: The wall clock.
        """
        return self._index.rooms(now, self._collector())

    def _view(self, room: str) -> RoomView:
        login = room.lower()
        with self._lock:
            view = self._views.get(login)
            if view is None:
                view = RoomView(self._store, login, refresh_s=self._refresh_s, monotonic=self._monotonic)
                self._views[login] = view
                while len(self._views) > MOST_ROOMS:
                    self._views.popitem(last=False)
            self._views.move_to_end(login)
            return view

    def _collector(self) -> CollectorWord:
        with self._lock:
            if self._monotonic() >= self._word_due:
                self._word = collector_word(self._state)
                self._word_due = self._monotonic() + min(self._refresh_s * 4, 1.0)
            return self._word
