"""EventSub's WebSocket server.

Kept as on Twitch: a welcome with the session's id; 10 s to subscribe; a keepalive whenever nothing
was sent for the agreed time; nothing may be sent to it; on reconnect the old connection lives 30 s
on and the new one takes its subscriptions over; what is lost in between is not told again.

Source: https://dev.twitch.tv/docs/eventsub/handling-websocket-events/
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSCloseCode, WSMsgType, web

from dashboard.sandbox.eventsub_messages import session_frame
from dashboard.sandbox.faults import Faults
from dashboard.sandbox.nanos import nanos

UNUSED, GRACE_EXPIRED, INVALID_RECONNECT, INBOUND = 4003, 4004, 4007, 4001
_REASONS = {
    4000: ("internal server error", "websocket_internal_error"),
    4001: ("client sent inbound traffic", "websocket_received_inbound_traffic"),
    4002: ("client failed ping-pong", "websocket_failed_ping_pong"),
    4003: ("connection unused", "websocket_connection_unused"),
    4004: ("reconnect grace time expired", "websocket_failed_to_reconnect"),
    4005: ("network timeout", "websocket_network_timeout"),
    4006: ("network error", "websocket_network_error"),
    4007: ("invalid reconnect", "websocket_failed_to_reconnect"),
}
_QUEUE_FRAMES = 20_000
_GOODBYE_S = 2.0


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """The limits that are kept; a test may tighten them."""

    subscribe_within_s: float = 10.0
    reconnect_within_s: float = 30.0
    keepalive_s: int = 10
    shortest_keepalive_s: float = 10
    longest_keepalive_s: float = 600
    ping_interval_s: float = 30.0


class Session:
    """One connection and its session."""

    def __init__(self, socket: web.WebSocketResponse, keepalive_s: float, now_s: float) -> None:
        self.session_id = f"AgoQ{secrets.token_urlsafe(18)}EgZjZWxsLWE"
        self.socket = socket
        self.keepalive_s = keepalive_s
        self.connected_s = now_s
        self.owner: tuple[str, str] | None = None
        """The app and person whose subscriptions it carries."""
        self.is_used = False
        self.is_moved = False
        """A new connection has taken its subscriptions over."""
        self.close_code = 0
        self.abort: Callable[[], None] = lambda: None
        self._frames: deque[str] = deque()
        self._has_frames = asyncio.Event()

    def put(self, text: str) -> None:
        """Queues a frame; a client that is too slow is cut off."""
        self._frames.append(text)
        if len(self._frames) > _QUEUE_FRAMES:
            self._frames.clear()
            self.close(4005)
        self._has_frames.set()

    def close(self, code: int) -> None:
        """Ends the connection after what is queued was sent."""
        self.close_code = self.close_code or code
        self._has_frames.set()

    async def write(self, faults: Faults, now_s: Callable[[], float]) -> None:
        """Sends what is queued, and a keepalive in every silence, until it is closed."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._has_frames.wait(), self.keepalive_s)
            if not self._has_frames.is_set():
                self._frames.append(session_frame("session_keepalive", now_s(), {}))
            self._has_frames.clear()
            while self._frames:
                text = self._frames.popleft()
                if not faults.is_eventsub_silent:
                    await self.socket.send_str(text)
            if self.close_code:
                reason = _REASONS.get(self.close_code, ("", ""))[0]
                await self.socket.close(code=self.close_code, message=reason.encode())
                return


class SocketServer:
    """All EventSub sessions.

    Args:
        faults: What is broken on order.
        now_s: What time it is in the world.
        ws_url: Where clients find it (``ws://…/ws``).
        limits: What is kept.
        on_moved: Called with the old and the new session when a reconnect takes over.
        on_closed: Called with the session and the status that its subscriptions have from now on.
    """

    def __init__(
        self,
        faults: Faults,
        now_s: Callable[[], float],
        ws_url: Callable[[], str],
        limits: SocketLimits,
        on_moved: Callable[[Session, Session], None],
        on_closed: Callable[[Session, str], None],
    ) -> None:
        self.sessions: dict[str, Session] = {}
        self._faults, self._now_s, self._ws_url, self._limits = faults, now_s, ws_url, limits
        self._on_moved, self._on_closed = on_moved, on_closed
        self._coming: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """The route to serve."""
        return [web.get("/ws", self._serve)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self._faults.refuses_connections:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(
            timeout=_GOODBYE_S, compress=False, heartbeat=self._limits.ping_interval_s, max_msg_size=2**16
        )
        await socket.prepare(request)
        token = request.query.get("reconnect")
        old = self._coming.pop(token, None) if token else None
        if token and (old is None or old.session_id not in self.sessions):
            reason = _REASONS[INVALID_RECONNECT][0]
            await socket.close(code=INVALID_RECONNECT, message=reason.encode())
            return socket
        session = Session(socket, old.keepalive_s if old else self._keepalive_s(request), self._now_s())
        transport = request.transport
        if transport is not None:
            session.abort = transport.abort
        self.sessions[session.session_id] = session
        writer = asyncio.create_task(self._write(session))
        timer = asyncio.create_task(self._expect_use(session))
        session.put(session_frame("session_welcome", self._now_s(), {"session": self._welcome(session)}))
        if old is not None:
            old.is_moved = session.is_used = True
            session.owner = old.owner
            self._on_moved(old, session)
        try:
            await self._listen(session)
        finally:
            timer.cancel()
            if session.close_code:
                # The writer says goodbye; cancelled now, the client would never hear why.
                await asyncio.wait({writer}, timeout=_GOODBYE_S)
            writer.cancel()
            self._end(session)
        return socket

    async def _write(self, session: Session) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await session.write(self._faults, self._now_s)

    @staticmethod
    async def _listen(session: Session) -> None:
        async for message in session.socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                session.close(INBOUND)

    def _end(self, session: Session) -> None:
        self.sessions.pop(session.session_id, None)
        if session.is_moved:
            return
        code = session.close_code or (
            4002 if session.socket.close_code == WSCloseCode.ABNORMAL_CLOSURE else 0
        )
        self._on_closed(session, _REASONS.get(code, ("", "websocket_disconnected"))[1])

    def _keepalive_s(self, request: web.Request) -> float:
        limits = self._limits
        text = request.query.get("keepalive_timeout_seconds", "")
        try:
            wanted = int(text)
        except ValueError:
            return limits.keepalive_s
        # Documented: a number out of range becomes the nearest that is allowed.
        return min(limits.longest_keepalive_s, max(limits.shortest_keepalive_s, wanted))

    @staticmethod
    def _welcome(session: Session) -> dict[str, object]:
        return {
            "id": session.session_id,
            "status": "connected",
            "connected_at": nanos(session.connected_s, 898),
            "keepalive_timeout_seconds": int(session.keepalive_s),
            "reconnect_url": None,
            "recovery_url": None,
        }

    async def _expect_use(self, session: Session) -> None:
        await asyncio.sleep(self._limits.subscribe_within_s)
        if not session.is_used:
            session.close(UNUSED)

    # -- trouble on order --------------------------------------------------------------------

    def send_reconnect(self) -> int:
        """Tells every client to reconnect to an address of its own; returns how many were told."""
        for session in list(self.sessions.values()):
            token = secrets.token_urlsafe(12)
            self._coming[token] = session
            told = {
                "id": session.session_id,
                "status": "reconnecting",
                "connected_at": nanos(session.connected_s, 898),
                "keepalive_timeout_seconds": None,
                "reconnect_url": f"{self._ws_url()}?reconnect={token}",
                "recovery_url": None,
            }
            session.put(session_frame("session_reconnect", self._now_s(), {"session": told}))
            task = asyncio.create_task(self._expire(session, token))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(self.sessions)

    async def _expire(self, session: Session, token: str) -> None:
        await asyncio.sleep(self._limits.reconnect_within_s)
        self._coming.pop(token, None)
        session.close(GRACE_EXPIRED)

    def kill(self) -> int:
        """Cuts every connection without a word; returns how many there were."""
        found = list(self.sessions.values())
        for session in found:
            session.close_code = session.close_code or 4006
            session.abort()
        return len(found)

    def close(self, code: int) -> int:
        """Closes every connection with this code; returns how many there were."""
        found = list(self.sessions.values())
        for session in found:
            session.close(code)
        return len(found)

    async def stop(self) -> None:
        """Closes everything, when the server ends."""
        for task in list(self._tasks):
            task.cancel()
        self.close(WSCloseCode.GOING_AWAY)
