"""Trouble on order: what can go wrong with Twitch, switched on from a test or by hand."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from aiohttp import web

_MESSAGES = {
    401: ("Unauthorized", "Invalid OAuth token"),
    429: ("Too Many Requests", "Too many requests"),
    500: ("Internal Server Error", ""),
    503: ("Service Unavailable", "service unavailable"),
}


@dataclass(slots=True)
class Faults:
    """What is broken at the moment. All of it is off at the start."""

    http: deque[tuple[int, str]] = field(default_factory=deque)
    """Answers to come: (status, start of the path); each is given once, in order."""
    latency_s: float = 0.0
    """How long every HTTP answer waits."""
    is_half_open: bool = False
    """IRC connections stay open, but nothing is sent or answered any more."""
    refuses_connections: bool = False
    """New IRC connections are closed at once."""

    def fail_http(self, status: int, count: int = 1, path: str = "/helix") -> None:
        """Makes the next answers fail.

        Args:
            status: 401, 429, 500 or 503.
            count: How many answers.
            path: Only for paths that start so.
        """
        self.http.extend([(status, path)] * count)

    async def before_answer(self, path: str, reset_at: int) -> web.Response | None:
        """Waits and fails where it was ordered to.

        Args:
            path: The path that was asked for.
            reset_at: For 429: when to come back (Unix time).

        Returns:
            The failure to answer with, or ``None`` when all is well.
        """
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        if not self.http or not path.startswith(self.http[0][1]):
            return None
        status, _ = self.http.popleft()
        error, message = _MESSAGES.get(status, ("Error", ""))
        headers = {}
        if status == 429:
            headers = {"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": str(reset_at)}
        return web.json_response(
            {"error": error, "status": status, "message": message}, status=status, headers=headers
        )

    def as_dict(self) -> dict[str, object]:
        """The state in a form for the admin page."""
        return {
            "http": [list(item) for item in self.http],
            "latency_s": self.latency_s,
            "is_half_open": self.is_half_open,
            "refuses_connections": self.refuses_connections,
        }
