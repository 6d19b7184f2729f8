"""The chat of one room, kept up to date by reading only what is new.

Three layers, each exact: the messages of the last minutes one by one, the closed minutes before
them as counts, and in front of those the part of the stream that has not been read yet (it is
read backwards, a little with each update, so that opening a page never waits for a long stream).
Late and imported messages are found through the store's changes and only their minutes are read
again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.analytics import engagement
from dashboard.analytics.chat_window import ChatRows, MinuteHistory
from dashboard.analytics.sessions import SESSION_GAP_S, session_start
from dashboard.analytics.timebins import (
    BIN_US,
    BINS_PER_MINUTE,
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    ceil_to,
    floor_to,
    merge_spans,
)
from dashboard.events import Instant
from dashboard.insights.live_sources import ChangeReader, Lake

LONGEST_STREAM_US: Final = 2 * DAY_US
"""Of a longer stream only the last two days are shown."""
FIRST_BUDGET_S: Final = 0.6
"""How long the first look at a room may read backwards; longer streams follow in later updates."""
LATER_BUDGET_S: Final = 0.05
_SETTLED_US = MINUTE_US
"""A minute is closed when it has been over for a minute; later messages make it be read again."""
_ACTIVE_US = engagement.ACTIVE_WINDOW_S * SECOND_US
_JUMP_US = 15 * MINUTE_US
"""New messages over a longer stretch than this are quicker read from scratch."""
_AHEAD_US = 10 * MINUTE_US
"""Messages further ahead of the room's clock are not read until the clock gets there."""
_REPEAT_COST = 5
"""Old minutes are read again at most this many times rarer than it takes to read them."""
_Ends = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
_NEWEST_STEPS_US = (10 * MINUTE_US, DAY_US, 14 * DAY_US)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest events of a room."""

    message_at: int | None = None
    received_at: int | None = None
    sample_at: int | None = None

    @property
    def at(self) -> int | None:
        """When the newest of them was sent."""
        return max((at for at in (self.message_at, self.sample_at) if at is not None), default=None)


def find_newest(lake: Lake, room: str, *, now: int) -> Newest:
    """Finds the newest events of a room, looking into as few files as will do."""
    after = now + DAY_US
    windows: list[tuple[int, int] | None] = [(now - step, after) for step in _NEWEST_STEPS_US]
    for window in (*windows, None):
        start_at, end_at = window or (0, after)
        frame = lake.query(
            "live_newest",
            window=None if window is None else (Instant(start_at), Instant(end_at)),
            room=room,
            start_at=start_at,
            end_at=end_at,
        )
        found = {name: None if frame[name].isna()[0] else int(frame[name][0]) for name in frame.columns}
        newest = Newest(found["message_at"], found["message_received_at"], found["sample_at"])
        if newest.at is not None:
            return newest
    return Newest()


class RoomChat:
    """Counts and uniques of a room's chat.

    Call :meth:`sync`, then :meth:`advance` with the room's clock; then the public values are true for
    that clock.

    Args:
        lake: The store.
        room: Login.
        monotonic: A clock in seconds for the budgets.
    """

    def __init__(self, lake: Lake, room: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lake = lake
        self._room = room
        self._monotonic = monotonic
        self._changes = ChangeReader(lake, ["chat_messages"])
        self._old: list[tuple[int, int]] = []
        self._old_due = 0.0
        self._is_cold = True
        self._clock_at = 0
        self._rows_to: int | None = None
        self.rows = ChatRows.empty()
        self.rows_from = 0
        """Messages from here on are in ``rows`` (up to ``_rows_to``, when something further was left out)."""
        self.history = MinuteHistory.empty(0)
        self.first_at: int | None = None
        """First message of the session as far as it has been read."""
        self.last_at: int | None = None
        """Newest message."""
        self.last_received_at: int | None = None
        self.is_complete = False
        """Whether everything back to the start has been read."""

    def start(self, newest: Newest) -> None:
        """Takes over what :func:`find_newest` found."""
        self.last_at, self.last_received_at = newest.message_at, newest.received_at

    def sync(self) -> None:
        """Reads what has been added since the last call."""
        for start, end in self._changes.take():
            if self.last_at is None and self._note_newest(start, end):
                # The room was empty: its first messages may be of any time, and they set its clock.
                self._is_cold = True
            elif self._is_cold or start > self._clock_at + _AHEAD_US:
                self._leave_out(start, end)
            else:
                self._take_in(start, end)

    def advance(self, clock_at: int, start_at: int | None) -> None:
        """Brings everything to an instant.

        Args:
            clock_at: The room's clock.
            start_at: Start of the stream where it was told; else it is looked for.
        """
        closed_at = floor_to(clock_at - _SETTLED_US, MINUTE_US)
        is_ahead = closed_at > self.history.end_at + _JUMP_US or clock_at > (self._rows_to or clock_at)
        is_behind = clock_at - _ACTIVE_US < self.rows_from
        self._clock_at = clock_at
        budget_s = LATER_BUDGET_S
        if self._is_cold or is_ahead or is_behind:
            budget_s = FIRST_BUDGET_S
            self._read_recent(closed_at)
        elif closed_at > self.history.end_at:
            self._close_minutes(closed_at)
        self._repair_old()
        self._read_back(clock_at, start_at, budget_s)

    def minutes(self, end_at: int) -> MinuteHistory:
        """All closed minutes before an instant (on the edge of a minute), the newest ones too."""
        edge = self.history.end_at
        if end_at <= edge:
            return self.history.before(end_at)
        newest = MinuteHistory(edge, self.rows.bins(edge, end_at), self.rows.actives(edge, end_at))
        return self.history.followed_by(newest)

    def bins(self, start_at: int, end_at: int) -> npt.NDArray[np.int64]:
        """Messages in each 10-second bin of [start, end); zero where nothing has been read."""
        history = self.history
        first, last = (
            max(at - history.start_at, 0) // BIN_US for at in (start_at, min(end_at, history.end_at))
        )
        unread = np.zeros(max(min(history.start_at, end_at) - start_at, 0) // BIN_US, dtype=np.int64)
        newest_from = max(start_at, history.end_at)
        newest = self.rows.bins(newest_from, end_at) if newest_from < end_at else unread[:0]
        return np.concatenate([unread, history.bins[first : max(first, last)], newest])

    def _take_in(self, start_at: int, end_at: int) -> None:
        if start_at < self.history.end_at:
            self._old.append((start_at, min(end_at, self.history.end_at)))
        if end_at >= self.rows_from:
            self._read_again(max(start_at, self.rows_from), end_at)

    def _leave_out(self, start_at: int, end_at: int) -> None:
        """Only takes notice of messages that are too far ahead to be read now."""
        if self._note_newest(start_at, end_at):
            ahead_at = self._clock_at + _AHEAD_US
            self._rows_to = ahead_at if self._rows_to is None else min(self._rows_to, ahead_at)

    def _note_newest(self, start_at: int, end_at: int) -> bool:
        frame = self._query("live_newest", start_at, end_at)
        if frame["message_at"].isna()[0]:
            return False
        self.last_at = max(self.last_at or 0, int(frame["message_at"][0]))
        self.last_received_at = max(self.last_received_at or 0, int(frame["message_received_at"][0]))
        return True

    def _read_again(self, start_at: int, end_at: int) -> None:
        if end_at - start_at > _JUMP_US:
            self._is_cold = True
            self._note_newest(start_at, end_at)
            return
        self.rows = self.rows.replaced(start_at, end_at, self._read_rows(start_at, end_at))

    def _read_rows(self, start_at: int, end_at: int) -> ChatRows:
        frame = self._query("live_rows", start_at, end_at)
        if not len(frame):
            return ChatRows.empty()
        self.last_at = max(self.last_at or 0, int(frame["sent_at"].max()))
        self.last_received_at = max(self.last_received_at or 0, int(frame["received_at"].max()))
        return ChatRows.of(frame["sent_at"].to_numpy(), frame["who"].to_numpy())

    def _read_recent(self, closed_at: int) -> None:
        self._is_cold, self.is_complete = False, False
        self._old.clear()
        self.rows_from = closed_at - _ACTIVE_US
        self.history = MinuteHistory.empty(closed_at)
        until = self._clock_at + _AHEAD_US
        self._rows_to = until if (self.last_at or 0) > until else None
        self.rows = self._read_rows(self.rows_from, until)
        self._note_first()

    def _close_minutes(self, closed_at: int) -> None:
        end = self.history.end_at
        fresh = MinuteHistory(end, self.rows.bins(end, closed_at), self.rows.actives(end, closed_at))
        if self.first_at is None:
            self._note_first()
        self.history = self.history.followed_by(fresh).since(closed_at - LONGEST_STREAM_US)
        self.rows_from = closed_at - _ACTIVE_US
        self.rows = self.rows.since(self.rows_from)

    def _note_first(self) -> None:
        inside = self.rows.since(self.history.start_at)
        self.first_at = int(inside.at[0]) if len(inside) else None

    def _repair_old(self) -> None:
        if not self._old or self._monotonic() < self._old_due:
            return
        began = self._monotonic()
        history = self.history
        for start, end in merge_spans(self._old, slack_us=10 * MINUTE_US):
            before_start = history.start_at - SESSION_GAP_S * SECOND_US
            if self.is_complete and start < history.start_at and end >= before_start:
                # Something came in just before what was taken for the start: look for it anew.
                self.is_complete = False
            first = max(floor_to(start, MINUTE_US), history.start_at)
            last = min(ceil_to(end + 1, MINUTE_US) + _ACTIVE_US, history.end_at)
            if first < last:
                fresh, (firsts, _) = self._read_minutes(first, last)
                self.history = self.history.replaced(fresh)
                if self.first_at is not None and len(firsts):
                    self.first_at = min(self.first_at, int(firsts[0]))
        self._old.clear()
        self._old_due = began + (self._monotonic() - began) * (1 + _REPEAT_COST)

    def _read_back(self, clock_at: int, start_at: int | None, budget_s: float) -> None:
        """Reads older stretches, each twice as long as the one before, until the start or the budget ends."""
        limit = floor_to(clock_at - LONGEST_STREAM_US, MINUTE_US)
        if start_at is not None:
            limit = max(limit, floor_to(start_at, MINUTE_US))
            self.is_complete = self.history.start_at <= limit
        deadline = self._monotonic() + budget_s
        length = HOUR_US
        while not self.is_complete:
            edge = self.history.start_at
            start = max(limit, edge - length)
            if start < edge:
                fresh, found = self._read_minutes(start, edge)
                self.history = fresh.followed_by(self.history)
                self._move_first(found, start_at)
            self.is_complete = self.is_complete or start <= limit
            length = min(length * 2, 8 * HOUR_US)
            if self._monotonic() >= deadline:
                break

    def _move_first(self, found: _Ends, start_at: int | None) -> None:
        first_at, last_at = found
        if self.first_at is not None:
            first_at = np.append(first_at, self.first_at)
            last_at = np.append(last_at, self.first_at)
        if len(first_at):
            self.first_at = int(first_at[0])
        if start_at is not None:
            return
        begun = session_start(first_at, last_at)
        if (
            begun is None
            and len(first_at)
            and first_at[0] - self.history.start_at > SESSION_GAP_S * SECOND_US
        ):
            begun = int(first_at[0])
        if begun is not None:
            self.first_at = begun
            self.history = self.history.since(floor_to(begun, MINUTE_US))
            self.is_complete = True

    def _read_minutes(self, start_at: int, end_at: int) -> tuple[MinuteHistory, _Ends]:
        """Counts of closed minutes from the lake, and the first and last message of each bin."""
        frame = self._query("live_bins", start_at, end_at)
        bins = np.zeros((end_at - start_at) // BIN_US, dtype=np.int64)
        bins[frame["bin"].to_numpy() - start_at // BIN_US] = frame["message_count"].to_numpy()
        spoken = self._query("live_actives", start_at - _ACTIVE_US + MINUTE_US, end_at)
        actives = engagement.active_by_minute(
            spoken["minute"].to_numpy(),
            spoken["until"].to_numpy(),
            spoken["chatter_count"].to_numpy(),
            first=start_at // MINUTE_US,
            last=end_at // MINUTE_US,
        )
        assert len(bins) == len(actives) * BINS_PER_MINUTE
        return MinuteHistory(start_at, bins, actives), (
            frame["first_at"].to_numpy(),
            frame["last_at"].to_numpy(),
        )

    def _query(self, name: str, start_at: int, end_at: int) -> pd.DataFrame:
        return self._lake.query(
            name,
            window=(Instant(start_at), Instant(end_at)),
            room=self._room,
            start_at=Instant(start_at),
            end_at=Instant(end_at),
        )
