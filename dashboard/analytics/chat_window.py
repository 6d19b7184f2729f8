"""The recent messages of one room as two arrays: when, and who (a number for each identity)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.analytics.engagement import ACTIVE_WINDOW_S
from dashboard.analytics.timebins import BIN_US, BINS_PER_MINUTE, MINUTE_US, SECOND_US

Instants = npt.NDArray[np.int64]
Identities = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class ChatRows:
    """Messages in order of time; counts and uniques of any window inside are exact."""

    at: Instants
    who: Identities

    @classmethod
    def of(cls, at: Instants, who: Identities) -> ChatRows:
        """Puts messages in order of time."""
        order = np.argsort(at, kind="stable")
        return cls(at[order].astype(np.int64), who[order].astype(np.uint64))

    @classmethod
    def empty(cls) -> ChatRows:
        """No messages."""
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64))

    def __len__(self) -> int:
        return len(self.at)

    def slice(self, after_at: int, up_to_at: int) -> slice:
        """Where the messages of (after, up to] stand: a window that ends now includes now."""
        first, last = np.searchsorted(self.at, [after_at, up_to_at], side="right")
        return slice(int(first), int(last))

    def count(self, after_at: int, up_to_at: int) -> int:
        """Messages in (after, up to]."""
        span = self.slice(after_at, up_to_at)
        return max(span.stop - span.start, 0)

    def unique_count(self, after_at: int, up_to_at: int) -> int:
        """Different people who wrote in (after, up to]."""
        return len(pd.unique(self.who[self.slice(after_at, up_to_at)]))

    def replaced(self, start_at: int, end_at: int, new: ChatRows) -> ChatRows:
        """The same messages with those of [start, end] exchanged for newly read ones."""
        first = int(np.searchsorted(self.at, start_at, side="left"))
        last = int(np.searchsorted(self.at, end_at, side="right"))
        return ChatRows(
            np.concatenate([self.at[:first], new.at, self.at[last:]]),
            np.concatenate([self.who[:first], new.who, self.who[last:]]),
        )

    def since(self, start_at: int) -> ChatRows:
        """Only the messages at or after an instant."""
        first = int(np.searchsorted(self.at, start_at, side="left"))
        return ChatRows(self.at[first:], self.who[first:])

    def bins(self, start_at: int, end_at: int) -> npt.NDArray[np.int64]:
        """Messages in each 10-second bin of [start, end); both on the edge of a bin."""
        edges = np.arange(start_at, end_at + 1, BIN_US)
        return np.diff(np.searchsorted(self.at, edges, side="left")).astype(np.int64)

    def actives(self, start_at: int, end_at: int) -> npt.NDArray[np.int64]:
        """Unique chatters of the five minutes up to the end of each minute of [start, end)."""
        window_us = ACTIVE_WINDOW_S * SECOND_US
        ends = np.arange(start_at, end_at, MINUTE_US) + MINUTE_US
        first = np.searchsorted(self.at, ends - window_us, side="left")
        last = np.searchsorted(self.at, ends, side="left")
        pairs = zip(first.tolist(), last.tolist(), strict=True)
        return np.array([len(pd.unique(self.who[a:b])) for a, b in pairs], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class MinuteHistory:
    """Closed minutes of one room: messages by 10 s and unique chatters by minute, without holes."""

    start_at: int
    bins: npt.NDArray[np.int64]
    actives: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, at: int) -> MinuteHistory:
        """No minutes yet; the first to come begins at ``at``."""
        return cls(at, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))

    @property
    def end_at(self) -> int:
        """Where the first minute begins that is not in here."""
        return self.start_at + len(self.actives) * MINUTE_US

    def followed_by(self, other: MinuteHistory) -> MinuteHistory:
        """Two histories that touch as one."""
        if self.end_at != other.start_at:
            raise ValueError("the histories do not touch")
        return MinuteHistory(
            self.start_at,
            np.concatenate([self.bins, other.bins]),
            np.concatenate([self.actives, other.actives]),
        )

    def since(self, start_at: int) -> MinuteHistory:
        """Without the minutes before an instant (on the edge of a minute)."""
        first = min(max((start_at - self.start_at) // MINUTE_US, 0), len(self.actives))
        return MinuteHistory(
            self.start_at + first * MINUTE_US, self.bins[first * BINS_PER_MINUTE :], self.actives[first:]
        )

    def before(self, end_at: int) -> MinuteHistory:
        """Without the minutes from an instant on (on the edge of a minute)."""
        last = min(max((end_at - self.start_at) // MINUTE_US, 0), len(self.actives))
        return MinuteHistory(self.start_at, self.bins[: last * BINS_PER_MINUTE], self.actives[:last])

    def replaced(self, new: MinuteHistory) -> MinuteHistory:
        """With newly read minutes in the place of its own; what lies outside is left out."""
        inside = new.since(self.start_at).before(self.end_at)
        if not len(inside.actives):
            return self
        return self.before(inside.start_at).followed_by(inside).followed_by(self.since(inside.end_at))
