"""Which channels are live now, by Twitch's word: for those that the collector does not look at."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.errors import StreamLensError

_KEPT_S: Final = 60.0
_WAIT_S: Final = 1.5
"""A page does not wait longer for Twitch: it shows the channel without saying whether it is live."""


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """A channel that is live."""

    room_login: str
    viewer_count: int | None
    game_name: str | None


FindLive = Callable[[Sequence[str]], list[LiveRoom]]
"""Asks Twitch which of these channels are live."""


class LiveLook:
    """Asks Twitch once a minute for each channel, and never makes a page wait for long.

    Args:
        find_live: Asks Twitch; None: nobody is asked.
        monotonic: A clock in seconds.
    """

    def __init__(
        self, find_live: FindLive | None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._find_live = find_live
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asked: dict[str, tuple[float, LiveRoom | None]] = {}
        self._under_way: frozenset[str] = frozenset()

    def live(self, room_logins: Iterable[str]) -> dict[str, LiveRoom]:
        """Which of these channels are live, as far as it is known by now."""
        wanted = list(dict.fromkeys(room_logins))
        now = self._monotonic()
        with self._lock:
            due = [
                login
                for login in wanted
                if login not in self._under_way
                and (login not in self._asked or now - self._asked[login][0] >= _KEPT_S)
            ]
            if due and self._find_live is not None:
                self._under_way |= set(due)
        if due and self._find_live is not None:
            asking = threading.Thread(target=self._ask, args=(self._find_live, due), daemon=True)
            asking.start()
            asking.join(_WAIT_S)
        with self._lock:
            found = {login: self._asked[login][1] for login in wanted if login in self._asked}
        return {login: room for login, room in found.items() if room is not None}

    def _ask(self, find_live: FindLive, logins: list[str]) -> None:
        told: dict[str, LiveRoom | None] = dict.fromkeys(logins)
        try:
            told |= {room.room_login: room for room in find_live(logins)}
        except StreamLensError:
            pass  # Asked again in a minute.
        finally:
            now = self._monotonic()
            with self._lock:
                self._under_way -= set(logins)
                self._asked |= {login: (now, room) for login, room in told.items()}
