"""How fast and how much: Twitch's limits for chat, and our own patience."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class IrcLimits:
    """The limits of a collector; tests shrink them.

    Twitch allows 20 JOINs (each channel of ``JOIN #a,#b`` counts) and 20 logins per 10 s and account;
    the period is a little longer here, as the network can bunch what we sent apart.

    Source: https://dev.twitch.tv/docs/chat/#rate-limits
    """

    join_count: int = 20
    join_period_s: float = 10.5
    auth_count: int = 20
    auth_period_s: float = 10.5
    channels_per_connection: int = 90
    connect_s: float = 10
    """Patience for opening a connection, and again for the login."""
    silence_s: float = 20
    """After so long without a word from the server we send a PING of our own."""
    pong_s: float = 10
    """After so long without an answer to it the connection counts as half-open and is dropped."""
    join_confirm_s: float = 10
    join_retry_s: float = 30
    """First wait before a join that was not confirmed is tried again; doubles each time."""
    join_retry_max_s: float = 900
    backoff_s: float = 1
    """First wait before connecting again; doubles each time."""
    backoff_max_s: float = 60
    stable_s: float = 60
    """A connection that lived so long starts over with the first wait."""
    login_retry_s: float = 300
    """Wait after Twitch refused the login; doubles up to an hour."""
    line_bytes: int = 1 << 20
    """Longer lines are rejected (Twitch's are below 16 kB)."""


def jittered(first_s: float, attempt: int, max_s: float) -> float:
    """A wait that doubles with each attempt, with up to half of it left to chance.

    Args:
        first_s: The wait of attempt 0, at most.
        attempt: Counted from 0.
        max_s: No wait is longer.

    Returns:
        Seconds; chance keeps connections that broke together from coming back together.
    """
    wait_s = min(max_s, first_s * 2.0 ** min(attempt, 30))
    return wait_s * (1 - random.random() / 2)


class WindowLimiter:
    """Lets at most ``count`` through in any ``period_s``, whoever asks; first come, first served."""

    def __init__(self, count: int, period_s: float) -> None:
        self._count = count
        self._period_s = period_s
        self._taken_at: deque[float] = deque()
        self._queue = asyncio.Lock()

    async def take(self, wanted: int = 1) -> int:
        """Waits until something is free and takes it.

        Args:
            wanted: How many would be used at once, at least 1.

        Returns:
            How many may be used now: at least 1, at most ``wanted``.
        """
        async with self._queue:
            while (free := self._free()) < 1:
                await asyncio.sleep(max(0.0, self._taken_at[0] + self._period_s - time.monotonic()))
            taken = min(free, wanted)
            self._taken_at.extend([time.monotonic()] * taken)
            return taken

    def _free(self) -> int:
        expired_at = time.monotonic() - self._period_s
        while self._taken_at and self._taken_at[0] <= expired_at:
            self._taken_at.popleft()
        return self._count - len(self._taken_at)
