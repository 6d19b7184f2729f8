"""How much one caller may ask, and how many large answers go out at once."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MOST_CALLERS = 10_000
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a caller after a request."""

    is_granted: bool
    limit: int
    """Requests a minute, and how many may come at once."""
    remaining: int
    reset_s: int
    """Until the full allowance is there again."""
    retry_after_s: int
    """Until the next request is granted; 0 when this one was."""


class RateLimiter:
    """One bucket of tokens a caller: as many as a minute allows at once, refilled evenly.

    Args:
        per_min: Requests a minute.
        clock: Seconds, for tests.

    Caveats:
        It remembers the 10,000 callers that asked last; who is forgotten starts with a full bucket.
        Each web process counts by itself.
    """

    def __init__(self, per_min: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_min = per_min
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> Allowance:
        """Counts one request of a caller.

        Args:
            caller: A key, a person or an address; never shown.

        Returns:
            Whether it is granted, and what to tell about the rest.
        """
        rate, now = self._per_min / 60, self._clock()
        with self._lock:
            tokens, at = self._buckets.pop(caller, (float(self._per_min), now))
            tokens = min(self._per_min, tokens + max(0.0, now - at) * rate)
            is_granted = tokens >= 1 - _ROUNDING
            if is_granted:
                tokens = max(0.0, tokens - 1)
            self._buckets[caller] = tokens, now
            while len(self._buckets) > _MOST_CALLERS:
                self._buckets.popitem(last=False)
        return Allowance(
            is_granted=is_granted,
            limit=self._per_min,
            remaining=int(tokens + _ROUNDING),
            reset_s=math.ceil((self._per_min - tokens) / rate - _ROUNDING),
            retry_after_s=0 if is_granted else max(1, math.ceil((1 - tokens) / rate - _ROUNDING)),
        )


class Slots:
    """A few places for large answers, so that they never take all threads of the server.

    Args:
        count: How many at once.
    """

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    def take(self) -> Callable[[], None] | None:
        """Takes a place if one is free.

        Returns:
            What gives it back (harmless when called again); None when all are taken.
        """
        if not self._free.acquire(blocking=False):
            return None
        lock, taken = threading.Lock(), [True]

        def give_back() -> None:
            with lock:
                if taken:
                    taken.clear()
                    self._free.release()

        return give_back
