"""Top chatters and top emotes of a room, minute by minute, so that an hour is never counted anew."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.analytics.timebins import MINUTE_US, SECOND_US
from dashboard.events import Instant
from dashboard.insights.live_model import Ranked, TopLists
from dashboard.insights.live_sources import ChangeReader, Lake, records

REFRESH_S: Final = 5.0
_REPEAT_COST: Final = 20
"""Lists that are dear to make are made rarer: at most one part in twenty of the time goes into them."""
_NAMES_KEPT_S: Final = 60.0
_LONGEST_WINDOW_MIN: Final = 24 * 60
NO_EMOTES: Final = "this source tells no emotes (a log without tags)"


@dataclass(slots=True)
class _Minute:
    who: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    emotes: dict[str, int] = field(default_factory=dict)
    emote_messages: int = 0
    tagged: int = 0


class RoomTop:
    """The top lists of one room.

    Args:
        lake: The store.
        room: Login.
        monotonic: A clock in seconds for the refresh.
        refresh_s: Lists younger than this are given again; 0 makes them anew each time.
    """

    def __init__(
        self,
        lake: Lake,
        room: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        refresh_s: float = REFRESH_S,
    ) -> None:
        self._lake = lake
        self._room = room
        self._monotonic = monotonic
        self._refresh_s = refresh_s
        self._changes = ChangeReader(lake, ["chat_messages"])
        self._minutes: dict[int, _Minute] = {}
        self._names: dict[int, str] = {}
        self._names_until = 0.0
        self._made: dict[tuple[int, int], tuple[float, TopLists]] = {}

    def lists(self, clock_at: int, *, window_s: int, limit: int) -> TopLists:
        """The lists as of a few seconds ago at most.

        Args:
            clock_at: The room's clock.
            window_s: How far back; the window begins at the start of a minute.
            limit: Length of each list.

        Returns:
            Both lists with their sample.
        """
        key = (window_s, limit)
        due, made = self._made.get(key, (0.0, None))
        now = self._monotonic()
        is_near = made is not None and abs(clock_at - (made.as_of or 0)) <= 120 * SECOND_US
        if made is not None and is_near and now < due:
            return made
        made = self._make(clock_at, window_s, limit)
        cost_s = self._monotonic() - now
        pause_s = max(self._refresh_s, _REPEAT_COST * cost_s) if self._refresh_s else 0.0
        self._made[key] = (now + pause_s, made)
        return made

    def _make(self, clock_at: int, window_s: int, limit: int) -> TopLists:
        first = (clock_at - window_s * SECOND_US) // MINUTE_US
        last = clock_at // MINUTE_US
        self._bring_up(first, last)
        minutes = [self._minutes[minute] for minute in range(first, last + 1)]
        codes, who = pd.factorize(np.concatenate([m.who for m in minutes]))
        counts = np.zeros(len(who), dtype=np.int64)
        np.add.at(counts, codes, np.concatenate([m.counts for m in minutes]))
        message_count = int(counts.sum())
        emotes: Counter[str] = Counter()
        for minute in minutes:
            emotes.update(minute.emotes)
        use_count = emotes.total()
        ranked = sorted(emotes.items(), key=lambda item: (-item[1], item[0]))[:limit]
        is_tagged = use_count > 0 or any(m.tagged for m in minutes)
        return TopLists(
            window_s=window_s,
            message_count=message_count,
            chatter_count=len(who),
            chatters=self._ranked_chatters(who, counts, message_count, limit, (first, last)),
            emotes=tuple(Ranked(name, count, count / use_count) for name, count in ranked),
            emote_message_count=sum(m.emote_messages for m in minutes),
            emotes_missing=None if is_tagged or not message_count else NO_EMOTES,
            as_of=Instant(clock_at),
        )

    def _bring_up(self, first: int, last: int) -> None:
        """Reads the minutes that are new or have changed."""
        for start, end in self._changes.take():
            changed = (start // MINUTE_US, end // MINUTE_US)
            for minute in [m for m in self._minutes if changed[0] <= m <= changed[1]]:
                del self._minutes[minute]
        needed = [minute for minute in range(first, last + 1) if minute not in self._minutes]
        for start, end in _runs(needed):
            self._read(start, end)
        oldest = last - max(_LONGEST_WINDOW_MIN, last - first)
        for minute in [m for m in self._minutes if m < oldest or m > last + 1]:
            del self._minutes[minute]

    def _read(self, first: int, last: int) -> None:
        read = {minute: _Minute() for minute in range(first, last + 1)}
        frame = self._query("live_top_chatters", first, last)
        for group, rows in frame.groupby("minute"):
            one = read[int(str(group))]
            one.who, one.counts = rows["who"].to_numpy(), rows["message_count"].to_numpy()
        for row in records(self._query("live_top_emotes", first, last)):
            one = read[int(row["minute"])]
            if row["emote"] is None:
                one.emote_messages, one.tagged = int(row["use_count"]), int(row["tagged_count"])
            else:
                one.emotes[row["emote"]] = int(row["use_count"])
        self._minutes.update(read)

    def _ranked_chatters(
        self,
        who: npt.NDArray[np.uint64],
        counts: npt.NDArray[np.int64],
        message_count: int,
        limit: int,
        minutes: tuple[int, int],
    ) -> tuple[Ranked, ...]:
        # Twice as many as asked for, so that a tie at the end of the list is broken by name.
        order = np.lexsort((who, -counts))[: 2 * limit]
        names = self._names_of([int(who[i]) for i in order], minutes)
        people = sorted((-int(counts[i]), names.get(int(who[i]), "?")) for i in order)[:limit]
        return tuple(Ranked(name, -count, -count / message_count) for count, name in people)

    def _names_of(self, whos: list[int], minutes: tuple[int, int]) -> dict[int, str]:
        if self._monotonic() >= self._names_until:
            self._names.clear()
            self._names_until = self._monotonic() + _NAMES_KEPT_S
        unknown = [who for who in whos if who not in self._names]
        if unknown:
            frame = self._query("live_names", self._spoken_since(unknown, minutes), minutes[1], whos=unknown)
            pairs = zip(frame["who"].to_list(), frame["user_name"].to_list(), strict=True)
            self._names.update((int(who), str(name)) for who, name in pairs)
        return self._names

    def _spoken_since(self, whos: list[int], minutes: tuple[int, int]) -> int:
        """The minute from which on everybody asked for has spoken: the newest names are in there."""
        missing = np.array(whos, dtype=np.uint64)
        for minute in range(minutes[1], minutes[0], -1):
            missing = missing[~np.isin(missing, self._minutes[minute].who)]
            if not len(missing):
                return minute
        return minutes[0]

    def _query(self, name: str, first: int, last: int, **params: object) -> pd.DataFrame:
        start, end = Instant(first * MINUTE_US), Instant((last + 1) * MINUTE_US)
        return self._lake.query(
            name, window=(start, end), room=self._room, start_at=start, end_at=end, **params
        )


def _runs(minutes: list[int]) -> list[tuple[int, int]]:
    """Neighbouring minutes as first and last of each run."""
    runs: list[tuple[int, int]] = []
    for minute in minutes:
        if runs and minute == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], minute)
        else:
            runs.append((minute, minute))
    return runs
