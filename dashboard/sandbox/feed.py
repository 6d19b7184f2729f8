"""The lines of one room that are still to come."""

from __future__ import annotations

from collections import deque

from dashboard.sandbox.wire import Line
from dashboard.sandbox.world import World


class Feed:
    """The lines of one room that are still to come; made a minute at a time.

    Args:
        world: What happens.
        login: The room.
        start: From when on (Unix time).
    """

    def __init__(self, world: World, login: str, start: float) -> None:
        self._world = world
        self._login = login
        self._made_until = start
        self.told_until = start
        self._coming: deque[Line] = deque()

    def take(self, end: float) -> list[Line]:
        """What comes before ``end`` and was not given yet."""
        if end > self._made_until:
            until = self._world.minute_end(self._login, end)
            self._coming.extend(self._world.lines(self._login, self._made_until, until))
            self._made_until = until
        found = self._world.flood(self._login, self.told_until, end)
        is_flooded = bool(found)
        self.told_until = end
        while self._coming and self._coming[0].at_s < end:
            found.append(self._coming.popleft())
        return sorted(found, key=lambda line: line.at_s) if is_flooded else found
