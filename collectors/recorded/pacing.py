"""Replays events at the pace at which they happened, or so many times faster."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator

from collectors.recorded.times import MINUTE, SECOND
from dashboard.events import Event, Instant

LONGEST_WAIT = 5 * MINUTE
"""Longer silences of a recording are skipped over, at any speed."""

_LONGEST_SLEEP_S = 0.1


def in_order(events: Iterable[Event], reorder_us: int) -> Iterator[Event]:
    """Sorts events by ``sent_at`` that are out of order by no more than a given time.

    Args:
        events: In the order of the file.
        reorder_us: How far back an event may lie; what lies further back comes out late.

    Returns:
        The events; those of the same instant in the order of the file.
    """
    waiting: list[tuple[Instant, int, Event]] = []
    newest = Instant(0)
    for number, event in enumerate(events):
        newest = max(newest, event.sent_at)
        heapq.heappush(waiting, (event.sent_at, number, event))
        while waiting and waiting[0][0] <= newest - reorder_us:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


class Pacer:
    """Lets events through when their time has come.

    The first event comes at once; each further one as much later as it happened later, divided by the
    speed. Silences of more than five minutes take no time.
    """

    def __init__(
        self,
        speed: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._due = 0.0
        self._last_at: Instant | None = None

    def batches(self, events: Iterable[Event]) -> Iterator[list[Event]]:
        """Groups what is due at the same time; waits in between.

        Args:
            events: In order of ``sent_at``.

        Returns:
            Batches, never empty.
        """
        batch: list[Event] = []
        for event in events:
            due = self._due_of(event.sent_at)
            while (wait_s := due - self._clock()) > 0:
                if batch:
                    yield batch
                    batch = []
                    continue
                self._sleep(min(wait_s, _LONGEST_SLEEP_S))
            batch.append(event)
        if batch:
            yield batch

    def _due_of(self, at: Instant) -> float:
        if self._last_at is None:
            self._due = self._clock()
            self._last_at = at
        elif at > self._last_at:
            passed = at - self._last_at
            if passed <= LONGEST_WAIT:
                self._due += passed / SECOND / self._speed
            self._last_at = at
        return self._due
