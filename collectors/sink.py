"""Where collectors put what they saw: the one seam between the network and the lake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dashboard.events import Event


class EventSink(Protocol):
    """Takes events and broken lines off a collector; the ingest is one, tests bring their own."""

    async def put(self, events: Sequence[Event]) -> None:
        """Takes events over; waits while the queue behind it is full (back-pressure).

        Args:
            events: In the order in which they were received.
        """

    async def reject(self, line: str, reason: str) -> None:
        """Keeps a line that could not be understood, with the reason.

        Args:
            line: The line as it came.
            reason: What is wrong with it, for people.
        """
