"""One EventSub WebSocket: TwitchIO's, with the frames taken raw.

TwitchIO connects, waits for the welcome, pings and watches the keepalive. What differs:

- Frames are handed on as they came. TwitchIO builds strict models from them, and a field that Twitch adds
  or leaves out would kill the event.
- On a reconnect notice the old connection is read until the new one has its welcome and nothing more
  comes; TwitchIO stops reading it first, and what is in its buffer is lost.
- A connection that ends says why and stays ended. Who made it decides what comes next.

Import it late: TwitchIO takes most of a second.

Source: https://dev.twitch.tv/docs/eventsub/handling-websocket-events/
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
import orjson
import structlog

from collectors.clock import SteadyClock
from collectors.waiting import cancelled
from dashboard.errors import ParseError, StreamLensError, TwitchUnavailable
from dashboard.events import Instant
from dashboard.eventsub_message import NOTIFICATION, REVOCATION, EventSubMessage, from_frame

with warnings.catch_warnings():
    # TwitchIO inherits from aiohttp's Application, which aiohttp discourages while it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from twitchio.eventsub.websockets import Websocket
    from twitchio.exceptions import WebsocketConnectionException

log = structlog.get_logger(__name__)
# Its debug lines hold whole notifications.
logging.getLogger("twitchio.eventsub.websockets").setLevel(logging.ERROR)

OnMessage = Callable[[EventSubMessage], Awaitable[None]]
_QUIET_S = 0.5
_LONGEST_OVERLAP_S = 10.0
_CLOSED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)


class _Host:
    """Stands where TwitchIO expects its client; nothing is dispatched."""

    def __init__(self) -> None:
        self._websockets: dict[str, dict[str, Any]] = {}

    def dispatch(self, *_: object, **__: object) -> None:
        """Drops TwitchIO's own events."""


class EventSubSocket(Websocket):
    """One connection. :meth:`open` it, use :attr:`session`, wait for :attr:`ended`.

    Args:
        url: Base address of EventSub's WebSocket.
        on_message: Takes notifications and revocations, in order.
        on_reject: Takes what is no frame of Twitch's, with the reason.
        keepalive_s: How long Twitch may be silent, 10 to 600.
        transport: ``websocket`` or ``conduit``.
        now: The clock.
    """

    def __init__(
        self,
        url: str,
        on_message: OnMessage,
        *,
        on_reject: Callable[[str, str], Awaitable[None]],
        keepalive_s: int = 10,
        transport: str = "websocket",
        now: Callable[[], Instant] | None = None,
    ) -> None:
        super().__init__(
            keep_alive_timeout=keepalive_s,
            reconnect_attempts=None,
            client=cast(Any, _Host()),
            token_for=transport,
            http=cast(Any, None),
        )
        self._base_url = url
        self._on_message = on_message
        self._on_reject = on_reject
        self._transport_name = transport
        self._now = now or SteadyClock()
        self._last_frame_s = 0.0
        self._handover: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()
        """Set when it is over, unless a successor took its place."""
        self.close_code: int | None = None
        self.end_reason = ""
        self.heard_at: Instant | None = None
        """The last frame, keepalives included."""
        self.successor: EventSubSocket | None = None
        """What took over after a reconnect notice, with all subscriptions."""
        self.succeeded = asyncio.Event()

    async def handed_over(self) -> EventSubSocket | None:
        """What took over, if a handover is under way or done; waits for its end."""
        if self._handover is not None and self.successor is None:
            await asyncio.wait([self._handover])
        return self.successor

    @property
    def session(self) -> str:
        """The session id to subscribe with; empty before the welcome."""
        return self.session_id or ""

    async def open(self, url: str | None = None) -> None:
        """Connects and waits for the welcome.

        Args:
            url: From a reconnect notice, used as it is; left out: the base address.

        Raises:
            TwitchUnavailable: No connection, or no welcome in time.
        """
        self._last_keepalive = datetime.now()  # TwitchIO's watch wants one from the start
        try:
            await self.connect(
                url=url or _with_keepalive(self._base_url, self._keep_alive_timeout), fail_once=True
            )
        except WebsocketConnectionException:
            # Its cause can hold the address; a reconnect address is a secret.
            host = urlsplit(self._base_url).netloc
            raise TwitchUnavailable(f"EventSub's WebSocket at {host} can't be reached") from None
        if self.ended.is_set():
            await self.shut()
            raise TwitchUnavailable(f"EventSub's WebSocket closed at once ({self.end_reason})")

    async def shut(self) -> None:
        """Closes it for good, with what is taking over."""
        if self._handover is not None:
            await cancelled([self._handover])
        if self.successor is not None:
            await self.successor.shut()
        listener = self._listen_task
        with suppress(Exception):
            await self.close()
        if listener is not None:
            await cancelled([listener])

    async def _listen(self) -> None:
        socket = self._socket
        assert socket is not None
        try:
            while (message := await socket.receive()).type not in _CLOSED:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take(message.data)
                elif message.type is aiohttp.WSMsgType.ERROR:
                    break
        except (OSError, aiohttp.ClientError, RuntimeError) as error:
            self._end(None, f"the connection broke ({type(error).__name__})")
        except StreamLensError as error:
            self._end(None, str(error))
        except Exception as error:
            log.exception("EventSub message not handled")
            self._end(None, f"a message could not be handled ({type(error).__name__})")
        else:
            code = socket.close_code
            self._end(code, f"closed with {code}" if code else "the connection broke")

    async def _create_connection_task(self) -> None:
        """TwitchIO calls this when the keepalive is overdue, to connect again; here it is the end."""
        self._end(None, "nothing was heard for too long")

    def _end(self, code: int | None, reason: str) -> None:
        if not self.ended.is_set():
            self.close_code, self.end_reason = code, reason
            self.ended.set()
            self._ready.set()  # Whoever waits for the welcome needn't.

    async def _take(self, text: str) -> None:
        received_at = self._now()
        self._last_keepalive = datetime.now()  # naive: TwitchIO's own watch compares it so
        self._last_frame_s = asyncio.get_running_loop().time()
        self.heard_at = received_at
        try:
            message = from_frame(text, received_at, transport=self._transport_name)
        except ParseError as error:
            await self._on_reject(text, str(error))
            return
        if message.message_type in (NOTIFICATION, REVOCATION):
            await self._on_message(message)
        elif message.message_type == "session_welcome":
            self._welcome(_session(text))
        elif message.message_type == "session_reconnect" and self._handover is None:
            url = _session(text).get("reconnect_url")
            if isinstance(url, str) and url:
                self._handover = asyncio.create_task(self._hand_over(url), name="eventsub-handover")

    def _welcome(self, session: dict[str, Any]) -> None:
        told = session.get("keepalive_timeout_seconds")
        if isinstance(told, int) and told > 0:
            self._keep_alive_timeout = told
        self._session_id = str(session.get("id") or "")
        self._ready.set()

    async def _hand_over(self, url: str) -> None:
        new = EventSubSocket(
            self._base_url,
            self._on_message,
            on_reject=self._on_reject,
            keepalive_s=self._keep_alive_timeout,
            transport=self._transport_name,
            now=self._now,
        )
        try:
            await new.open(url)
        except TwitchUnavailable as error:
            # The old one goes on until Twitch closes it (4004), and then a new session begins.
            log.warning("EventSub reconnect failed", error=str(error))
            return
        self.successor = new
        self.succeeded.set()
        loop = asyncio.get_running_loop()
        limit_s = loop.time() + _LONGEST_OVERLAP_S
        while not self.ended.is_set() and loop.time() < limit_s:
            if loop.time() - self._last_frame_s >= _QUIET_S:
                break
            await asyncio.sleep(_QUIET_S / 5)
        listener = self._listen_task
        with suppress(Exception):
            await self.close()
        if listener is not None:
            await cancelled([listener])


def _session(text: str) -> dict[str, Any]:
    payload = orjson.loads(text).get("payload")
    session = payload.get("session") if isinstance(payload, dict) else None
    return session if isinstance(session, dict) else {}


def _with_keepalive(url: str, keepalive_s: int) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode({"keepalive_timeout_seconds": keepalive_s})]))
    return urlunsplit(parts._replace(query=query))
