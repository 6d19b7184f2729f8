"""Trouble on order: what can go wrong with Twitch, switched on from a test or by hand."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_MESSAGES = {
    401: ("Unauthorized", "Invalid OAuth token"),
    429: ("Too Many Requests", "Too many requests"),
    500: ("Internal Server Error", ""),
    502: ("Bad Gateway", ""),
    504: ("Gateway Timeout", ""),
    503: ("Service Unavailable", "service unavailable"),
}


@dataclass(slots=True)
class Faults:
    """What is broken at the moment. All of it is off at the start."""

    http: deque[tuple[int, str]] = field(default_factory=deque)
    """Answers to come: (status, start of the path); each is given once, in order."""
    latency_s: float = 0.0
    """How long every HTTP answer waits."""
    down_until_s: float = 0.0
    """Until when nothing under ``down_path`` works (:func:`time.monotonic`)."""
    down_path: str = "/helix"
    down_status: int = 503
    """What is answered meanwhile; 0: nothing, the request hangs until the end."""
    is_half_open: bool = False
    """IRC connections stay open, but nothing is sent or answered any more."""
    refuses_connections: bool = False
    """New connections to chat and to EventSub are refused."""
    clip_pending_s: float = 12.0
    """How long it takes until a new clip is in Get Clips."""
    clips_fail: bool = False
    """New clips are accepted, but never come."""
    is_eventsub_silent: bool = False
    """EventSub's WebSockets stay open, but nothing is sent any more, not even keepalives."""
    eventsub_duplicates: int = 0
    """How many times more each message over a WebSocket is sent, with the same id."""
    webhook_delay_s: float = 0.0
    """How long every webhook delivery waits."""
    webhook_duplicates: int = 0
    """How many times more each webhook message is sent, with the same id."""
    webhook_out_of_order: bool = False
    """Webhook notifications come in pairs, the later one first."""

    def fail_http(self, status: int, count: int = 1, path: str = "/helix") -> None:
        """Makes the next answers fail.

        Args:
            status: 401, 429, 500 or 503.
            count: How many answers.
            path: Only for paths that start so.
        """
        self.http.extend([(status, path)] * count)

    def go_down(self, seconds: float, status: int = 503, path: str = "/helix") -> None:
        """Makes every answer fail for a while.

        Args:
            seconds: How long.
            status: 500, 502, 503, 504, 429 or 401; 0 lets requests hang until the end.
            path: Only for paths that start so.
        """
        self.down_until_s = time.monotonic() + seconds
        self.down_status, self.down_path = status, path

    @property
    def middleware(self) -> Middleware:
        """What fails the answers of the login service when it was ordered; Helix asks by itself."""

        @web.middleware
        async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/oauth2"):
                failure = await self.before_answer(request.path, int(time.time()) + 1)
                if failure is not None:
                    return failure
            return await handler(request)

        return trouble

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
        left_s = self.down_until_s - time.monotonic()
        if left_s > 0 and path.startswith(self.down_path):
            status = self.down_status
            if not status:
                await asyncio.sleep(left_s)
                status = 504
        elif self.http and path.startswith(self.http[0][1]):
            status, _ = self.http.popleft()
        else:
            return None
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
            "down_for_s": max(0.0, self.down_until_s - time.monotonic()),
            "clip_pending_s": self.clip_pending_s,
            "clips_fail": self.clips_fail,
            "is_eventsub_silent": self.is_eventsub_silent,
            "eventsub_duplicates": self.eventsub_duplicates,
            "webhook_delay_s": self.webhook_delay_s,
            "webhook_duplicates": self.webhook_duplicates,
            "webhook_out_of_order": self.webhook_out_of_order,
        }
