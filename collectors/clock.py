"""A clock for ``received_at`` that nobody can turn back."""

from __future__ import annotations

import time
from collections.abc import Callable

from dashboard.events import Instant


class SteadyClock:
    """Tells the time of day and never goes backwards while the process runs.

    The machine's clock may be set at any moment. Set forward (or woken from sleep), this clock goes
    with it at once. Set back, it goes on at half speed until the time of day has caught up, so the
    order in which things were received stays the order of their ``received_at``.
    """

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._told_ns = wall_ns()
        self._told_at_ns = steady_ns()

    def __call__(self) -> Instant:
        """The time now, in µs since 1970."""
        steady = self._steady_ns()
        slowed = self._told_ns + (steady - self._told_at_ns) // 2
        self._told_ns = max(self._wall_ns(), slowed)
        self._told_at_ns = steady
        return Instant(self._told_ns // 1000)
