"""The channel switcher: every room there is something to see of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from dashboard.analytics.sessions import CURRENT_WITHIN_S, SAMPLE_HOLD_S
from dashboard.analytics.timebins import DAY_US, HOUR_US, SECOND_US
from dashboard.events import Instant
from dashboard.insights.live_model import RoomInfo
from dashboard.insights.live_sources import ChangeReader, Lake, Ledger, records, whole, words
from dashboard.insights.live_status import CollectorWord

REMEMBERED_US: Final = 14 * DAY_US
REFRESH_S: Final = 3.0
_STEPS_US: Final = (HOUR_US, *range(DAY_US, REMEMBERED_US + 1, DAY_US))
_BUDGET_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class _Seen:
    received_at: int
    imported_until_at: int | None
    is_joined: bool


@dataclass(frozen=True, slots=True)
class _Told:
    at: int
    received_at: int
    action: str
    source: str
    viewer_count: int | None
    game_name: str | None


class RoomIndex:
    """Keeps the newest message and the newest word about the stream of every room.

    Args:
        lake: The store.
        ledger: Knows who is followed.
        monotonic: A clock in seconds.
        refresh_s: A list younger than this is given again.
    """

    def __init__(
        self,
        lake: Lake,
        ledger: Ledger,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        refresh_s: float = REFRESH_S,
    ) -> None:
        self._lake = lake
        self._ledger = ledger
        self._monotonic = monotonic
        self._refresh_s = refresh_s
        self._lock = threading.Lock()
        self._message_at: dict[str, int] = {}
        self._told: dict[str, _Told] = {}
        self._seen: dict[str, _Seen] = {}
        self._readers: tuple[ChangeReader, ChangeReader, ChangeReader] | None = None
        self._steps = 0
        self._made: list[RoomInfo] = []
        self._due = 0.0

    def rooms(self, now: int, word: CollectorWord) -> list[RoomInfo]:
        """Every room with data of the last 14 days, or followed.

        Args:
            now: The wall clock.
            word: What the collector said last.

        Returns:
            Live rooms by viewers, then the others by their newest message.
        """
        with self._lock:
            if self._monotonic() >= self._due:
                try:
                    self._sync(now)
                except BaseException:
                    self._readers, self._steps = None, 0  # Read everything again the next time.
                    raise
                self._made = self._list(now, word)
                self._due = self._monotonic() + self._refresh_s
            return self._made

    def _sync(self, now: int) -> None:
        if self._readers is None:
            self._readers = (
                ChangeReader(self._lake, ["chat_messages"]),
                ChangeReader(self._lake, ["viewer_samples", "streams"]),
                ChangeReader(self._lake, ["observations"]),
            )
            self._read_streams(now - REMEMBERED_US, now + HOUR_US)
            self._read_seen()
        chat, streams, observations = self._readers
        for start, end in chat.take():
            self._read_messages(start, end)
        for start, end in streams.take():
            self._read_streams(start, end)
        if observations.take():
            self._read_seen()
        self._read_back(now)

    def _read_back(self, now: int) -> None:
        """Looks for newest messages further and further back, a little with each call."""
        deadline = self._monotonic() + _BUDGET_S
        while self._steps < len(_STEPS_US) and self._monotonic() < deadline:
            newer = -HOUR_US if self._steps == 0 else _STEPS_US[self._steps - 1]
            self._read_messages(now - _STEPS_US[self._steps], now - newer)
            self._steps += 1

    def _read_messages(self, start_at: int, end_at: int) -> None:
        window = (Instant(start_at), Instant(end_at))
        frame = self._lake.query("live_rooms_messages", window=window, start_at=window[0], end_at=window[1])
        for row in records(frame):
            room, at = row["room_login"], int(row["message_at"])
            self._message_at[room] = max(at, self._message_at.get(room, at))

    def _read_streams(self, start_at: int, end_at: int) -> None:
        window = (Instant(start_at), Instant(end_at))
        frame = self._lake.query("live_rooms_streams", window=window, start_at=window[0], end_at=window[1])
        for row in records(frame):
            told = _Told(
                at=int(row["told_at"]),
                received_at=int(row["received_at"]),
                action=row["action"],
                source=row["source"],
                viewer_count=whole(row["viewer_count"]),
                game_name=words(row["game_name"]),
            )
            known = self._told.get(row["room_login"])
            if known is None or told.at >= known.at:
                game = told.game_name or (known.game_name if known else None)
                self._told[row["room_login"]] = replace(told, game_name=game)

    def _read_seen(self) -> None:
        self._seen = {
            row["room_login"]: _Seen(
                int(row["received_at"]), whole(row["imported_until_at"]), row["irc_state"] == "joined"
            )
            for row in records(self._lake.query("live_rooms_seen"))
        }

    def _list(self, now: int, word: CollectorWord) -> list[RoomInfo]:
        followed = set(self._ledger.followed())
        oldest = now - REMEMBERED_US
        recent = {room for room, seen in self._seen.items() if seen.received_at >= oldest}
        recent |= {room for room, told in self._told.items() if told.received_at >= oldest}
        infos = [self._info(room, now, word, followed) for room in followed | recent | set(self._message_at)]
        return sorted(infos, key=_order)

    def _info(self, room: str, now: int, word: CollectorWord, followed: set[str]) -> RoomInfo:
        seen, told = self._seen.get(room), self._told.get(room)
        message_at = self._message_at.get(room)
        if message_at is None and seen is not None:
            message_at = seen.imported_until_at
        is_live = self._is_live(now, word, message_at, told)
        return RoomInfo(
            room_login=room,
            is_live=is_live,
            last_message_at=None if message_at is None else Instant(message_at),
            viewer_count=told.viewer_count if told is not None and is_live else None,
            game_name=told.game_name if told is not None else None,
            is_followed=room in followed,
        )

    @staticmethod
    def _is_live(now: int, word: CollectorWord, message_at: int | None, told: _Told | None) -> bool:
        if told is not None and told.action == "end" and told.source != "import":
            return False  # The end in a recording says nothing about today.
        if told is not None and now - told.at <= SAMPLE_HOLD_S * SECOND_US:
            return True
        # Nobody was told: a chat that moves is the best sign there is, unless Twitch was asked and said no.
        is_talking = message_at is not None and message_at >= now - CURRENT_WITHIN_S * SECOND_US
        return is_talking and not word.has_polled(now)


def _order(info: RoomInfo) -> tuple[bool, int, int, str]:
    return (not info.is_live, -(info.viewer_count or 0), -(info.last_message_at or 0), info.room_login)
