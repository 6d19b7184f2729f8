"""What a chat collector tells about itself."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dashboard.events import Event, Instant

_RATE_S = 10
_LAG_S = 60.0
_LAG_SAMPLES = 2_000
_LAG_SAMPLES_A_BATCH = 20


@dataclass(frozen=True, slots=True)
class ChannelStats:
    """How it goes with one channel."""

    is_joined: bool
    message_count: int
    last_message_at: Instant | None
    """When the last message was received."""
    error: str | None


@dataclass(frozen=True, slots=True)
class IrcStats:
    """How it goes with the chat collector as a whole."""

    channels: dict[str, ChannelStats]
    connection_count: int
    """Connections that are logged in now."""
    message_count: int
    """Chat messages since the start, mirrored ones included."""
    messages_per_s: float
    """Mean of the last 10 s."""
    lag_p95_ms: int | None
    """From Twitch's time of a message to our receiving it, last minute; needs both clocks right."""
    reject_count: int
    """Lines that could not be understood."""
    reconnect_count: int
    error: str | None


class Meter:
    """Counts messages and measures their lag."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._started_s = monotonic()
        self._seconds: deque[tuple[int, int]] = deque(maxlen=_RATE_S + 2)
        self._lags: deque[tuple[float, int]] = deque(maxlen=_LAG_SAMPLES)
        self.message_count = 0
        self.reject_count = 0
        self.reconnect_count = 0

    def saw(self, messages: list[Event]) -> None:
        """Counts the chat messages of a batch."""
        if not messages:
            return
        now_s = self._monotonic()
        second, count = int(now_s), len(messages)
        if self._seconds and self._seconds[-1][0] == second:
            count += self._seconds.pop()[1]
        self._seconds.append((second, count))
        self.message_count += len(messages)
        for message in messages[-_LAG_SAMPLES_A_BATCH:]:
            if message.sent_at != message.received_at:
                self._lags.append((now_s, message.received_at - message.sent_at))

    def messages_per_s(self) -> float:
        """Mean of the last 10 s, or of the time since the start where that is shorter."""
        now_s = self._monotonic()
        count = sum(count for second, count in list(self._seconds) if now_s - second <= _RATE_S)
        return count / min(_RATE_S, max(1.0, now_s - self._started_s))

    def lag_p95_ms(self) -> int | None:
        """95 % of the last minute's messages took at most so long; ``None`` without any."""
        oldest_s = self._monotonic() - _LAG_S
        lags = sorted(lag for at_s, lag in list(self._lags) if at_s >= oldest_s)
        return lags[int(0.95 * (len(lags) - 1) + 0.5)] // 1000 if lags else None
