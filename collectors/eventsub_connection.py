"""Keeps one EventSub WebSocket alive: connects, starts its session, and comes back when it ends.

Source: https://dev.twitch.tv/docs/eventsub/handling-websocket-events/#close-message
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from collectors.waiting import cancelled
from dashboard.errors import TwitchError, TwitchUnavailable
from dashboard.events import Instant

if TYPE_CHECKING:
    from collectors.eventsub_socket import EventSubSocket

log = structlog.get_logger(__name__)

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 120.0
_STEADY_S = 30.0
"""A connection that lived so long was no failure."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What to make of an end."""

    words: str
    least_wait_s: float = 0.0
    is_our_fault: bool = False


REACTIONS = {
    4000: Reaction("Twitch had an internal error", 5.0),
    4001: Reaction("Twitch says that we sent something", 60.0, is_our_fault=True),
    4002: Reaction("Twitch missed an answer to its ping"),
    4003: Reaction("nothing was subscribed to in time", 60.0),
    4004: Reaction("the reconnect came too late"),
    4005: Reaction("Twitch had a network timeout", 1.0),
    4006: Reaction("Twitch had a network error", 1.0),
    4007: Reaction("the reconnect address was wrong", is_our_fault=True),
}
"""Twitch's close codes. After each a new session begins at the base address."""


class KeptConnection:
    """One connection at a time, for as long as :meth:`run` runs.

    Args:
        make: Builds a socket, not opened yet.
        on_session: Starts a session (subscribes, or binds the shard) within 10 s of the welcome.
        on_lost: Told that a session is over, why, and when Twitch was last heard.
        first_wait_s: Before the second try; it doubles up to two minutes.
    """

    def __init__(
        self,
        make: Callable[[], EventSubSocket],
        on_session: Callable[[str], Awaitable[None]],
        on_lost: Callable[[str, Instant | None], None],
        *,
        first_wait_s: float = _FIRST_WAIT_S,
    ) -> None:
        self._make = make
        self._on_session = on_session
        self._on_lost = on_lost
        self._first_wait_s = first_wait_s
        self._socket: EventSubSocket | None = None
        self.error: str | None = None
        self.connected_at: Instant | None = None
        self.handover_count = 0
        self.loss_count = 0
        self.close_codes: Counter[int] = Counter()

    @property
    def is_connected(self) -> bool:
        """Whether there is a session."""
        return self._socket is not None

    @property
    def heard_at(self) -> Instant | None:
        """When Twitch last said anything, keepalives included."""
        return self._socket.heard_at if self._socket else None

    async def run(self) -> None:
        """Connects again and again; ends only by being cancelled."""
        failures = 0
        while True:
            started_s = time.monotonic()
            reaction = await self._one_session()
            failures = 0 if time.monotonic() - started_s >= _STEADY_S else failures + 1
            # The first loss comes back at once: with EventSub every second without a connection is lost.
            wait_s = min(self._first_wait_s * 2 ** (failures - 2), _LONGEST_WAIT_S) if failures > 1 else 0.0
            least_s = reaction.least_wait_s * min(1.0, self._first_wait_s)
            await asyncio.sleep(max(wait_s, least_s) * random.uniform(0.8, 1.2))

    async def _one_session(self) -> Reaction:
        sockets = [self._make()]
        try:
            await sockets[0].open()
        except TwitchUnavailable as error:
            self._say(str(error))
            code = sockets[0].close_code
            return REACTIONS.get(code or 0, Reaction(str(error)))
        self._socket = sockets[0]
        self.connected_at = sockets[0].heard_at
        try:
            if not await self._start(sockets[0].session):
                return Reaction(self.error or "")
            while (new := await self._next(sockets[-1])) is not None:
                sockets.append(new)
                self._socket = new
                self.handover_count += 1
            return self._lost(sockets[-1])
        finally:
            self._socket = None
            for socket in sockets:
                await socket.shut()

    async def _start(self, session_id: str) -> bool:
        try:
            await self._on_session(session_id)
        except TwitchError as error:
            self._say(str(error))
            return False
        self.error = None
        return True

    async def _next(self, socket: EventSubSocket) -> EventSubSocket | None:
        waits = [asyncio.create_task(event.wait()) for event in (socket.ended, socket.succeeded)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancelled(waits)
        return await socket.handed_over()

    def _lost(self, socket: EventSubSocket) -> Reaction:
        code = socket.close_code
        reaction = REACTIONS.get(code or 0, Reaction(socket.end_reason))
        self.loss_count += 1
        if code:
            self.close_codes[code] += 1
        say = log.error if reaction.is_our_fault else log.warning
        say("EventSub connection lost", code=code, reason=reaction.words)
        self.error = reaction.words
        self._on_lost(reaction.words, socket.heard_at)
        return reaction

    def _say(self, words: str) -> None:
        if words != self.error:  # once, not with every try
            log.warning("EventSub connection failed", error=words)
        self.error = words
