"""One connection to Twitch's chat: logs in, joins, listens, and comes back when it breaks.

Every change of what it can see goes to the sink as an ``Observation``: ``joined`` when Twitch confirmed
the join, ``lost`` from the last thing received on a connection that broke, ``left`` when we part.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Coroutine
from typing import Any

import structlog

from collectors.irc_events import parts_to_events
from collectors.irc_joins import Channel, JoinBook
from collectors.irc_limits import jittered
from collectors.irc_parser import Parts, nick_of, split_line
from collectors.irc_shared import Shared
from collectors.irc_transport import ConnectionLost, Overlong, Transport, open_transport
from collectors.waiting import cancelled, run_until, wait_at_most
from dashboard.errors import ConfigError, ParseError, StorageError
from dashboard.events import ChatMessage, Event, Instant, Observation, UserListChange, synthetic_id

log = structlog.get_logger(__name__)

CAPABILITIES = "CAP REQ :twitch.tv/tags twitch.tv/commands twitch.tv/membership"

_JOINS_A_LINE = 15  # 25 letters each still fit the 512 bytes of an IRC line
_LAST_DELIVERY_S = 10
_LOGIN_REFUSALS = (
    "Login authentication failed",
    "Improperly formatted auth",
    "Login unsuccessful",
    "Invalid NICK",
    "Error logging in",
)
_ROOM_REFUSALS = (
    "msg_banned",
    "msg_channel_blocked",
    "msg_channel_suspended",
    "msg_room_not_found",
    "tos_ban",
)
_NO_SUCH_CHANNEL = "403"


STOPPED = "collector stopped"


class LoginRefused(Exception):
    """Twitch does not accept our login; the message is Twitch's own."""


class IrcConnection:
    """Keeps one connection and its channels alive until closed."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._limits = shared.limits
        self.book = JoinBook(shared.limits)
        self.is_logged_in = False
        self.error: str | None = None
        self._nick = ""
        self._transport: Transport | None = None
        self._closing = asyncio.Event()
        self._welcomed = asyncio.Event()
        self._joins_changed = asyncio.Event()
        self._delivery = asyncio.Lock()
        self._is_delivering = False
        self._attempt = 0
        self._logged_in_s: float | None = None
        self._heard_s = 0.0
        self._received_at = shared.now()
        self._farewell: ConnectionLost | LoginRefused | None = None

    # --- from outside -----------------------------------------------------------------------

    def add(self, login: str) -> None:
        """Wants a channel."""
        self.book.add(login)
        self._joins_changed.set()

    async def remove(self, login: str) -> None:
        """Leaves a channel, and says so in the ledger."""
        channel = self.book.remove(login)
        if channel is None:
            return
        if channel.is_joined:
            await self._shared.sink.put([self._observed(channel, "left", self._shared.now(), "unfollowed")])
        if channel.phase != "waiting" and self._transport is not None:
            with contextlib.suppress(ConnectionLost):
                await self._send(self._transport, f"PART #{login}")

    def close(self) -> None:
        """Asks the connection to end; :meth:`run` returns when it has."""
        self._closing.set()

    async def run(self) -> None:
        """Lives until closed.

        Raises:
            StorageError: What was received can't be kept.
            ConfigError: The address is of no known kind.
        """
        try:
            while not self._closing.is_set():
                await wait_at_most(self._closing, await self._live())
        finally:
            await self._leave()

    # --- one life ---------------------------------------------------------------------------

    async def _live(self) -> float:
        """Connects once and stays while it lasts; gives the wait before the next time."""
        try:
            await run_until(self._closing, self._log_in_and_listen())
        except LoginRefused as refusal:
            reason = f"Twitch refused the login: {refusal}. Check TWITCH_IRC_LOGIN and TWITCH_IRC_TOKEN."
            wait_s = self._refused(reason)
        except ConnectionLost as lost:
            reason = str(lost)
            wait_s = self._backoff_s()
        except (StorageError, ConfigError):
            raise
        except Exception as error:  # a mistake of ours must not end the stream
            log.exception("irc_connection_failed")
            reason = f"unexpected {type(error).__name__}"
            wait_s = self._backoff_s()
        else:
            return 0.0
        await self._lose(reason)
        log.warning("irc_connection_lost", reason=reason, wait_s=round(wait_s, 1))
        return wait_s

    def _backoff_s(self) -> float:
        """The wait before connecting again: from the start after a stable time, else growing."""
        if self._logged_in_s is not None and time.monotonic() - self._logged_in_s >= self._limits.stable_s:
            self._attempt = 0
        self._attempt += 1
        return jittered(self._limits.backoff_s, self._attempt - 1, self._limits.backoff_max_s)

    async def _log_in_and_listen(self) -> None:
        shared = self._shared
        while (wait_s := shared.login_allowed_s - time.monotonic()) > 0:
            await asyncio.sleep(wait_s)
        await shared.auths.take()
        transport = await open_transport(
            shared.url, line_bytes=self._limits.line_bytes, connect_s=self._limits.connect_s
        )
        self._transport = transport
        self._welcomed.clear()
        self._logged_in_s = None
        self._farewell = None
        self._heard_s = time.monotonic()
        try:
            await self._greet(transport)
            await self._first_failure(
                self._listen(transport), self._keep_alive(transport), self._keep_joined(transport)
            )
        finally:
            self.is_logged_in = False
            self._transport = None
            if self._closing.is_set():
                await transport.close()
            transport.abort()

    async def _greet(self, transport: Transport) -> None:
        token = self._shared.token.get_secret_value() if self._shared.token else ""
        await self._send(transport, CAPABILITIES)
        if self._shared.login and token:
            self._nick = self._shared.login.lower()
            await self._send(transport, f"PASS oauth:{token.removeprefix('oauth:')}")
        else:
            self._nick = f"justinfan{random.randint(10_000, 999_999)}"
        await self._send(transport, f"NICK {self._nick}")

    async def _first_failure(self, *works: Coroutine[Any, Any, None]) -> None:
        """Runs works side by side until the first ends; what was received is handed on before."""
        tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            patience_s = _LAST_DELIVERY_S if self._closing.is_set() else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s), self._delivery:
                    await cancelled(tasks)
            await cancelled(tasks)

    async def _send(self, transport: Transport, line: str) -> None:
        """Sends a line, without waiting for ever on a connection that takes nothing any more."""
        try:
            async with asyncio.timeout(self._limits.pong_s):
                await transport.send(line)
        except TimeoutError:
            raise ConnectionLost(f"the server took nothing for {self._limits.pong_s:g} s") from None

    # --- listening --------------------------------------------------------------------------

    async def _listen(self, transport: Transport) -> None:
        while True:
            lines = await transport.receive()
            self._heard_s = time.monotonic()
            self._received_at = self._shared.now()
            if lines:
                await self._take(lines, transport)
            if self._farewell is not None:
                raise self._farewell

    async def _take(self, lines: list[str], transport: Transport) -> None:
        events: list[Event] = []
        rejects: list[tuple[str, str]] = []
        replies: list[str] = []
        at = self._received_at
        for line in lines:
            try:
                if isinstance(line, Overlong):
                    raise ParseError(f"longer than {self._limits.line_bytes} bytes; this is its beginning")
                parts = split_line(line)
                if parts[2] != "PRIVMSG":
                    self._obey(parts, at, events, replies)
                events += parts_to_events(parts, line, at, source="irc", fallback_at=at)
            except ParseError as error:
                rejects.append((str(line), str(error)))
        async with self._delivery:
            try:
                for reply in replies:
                    await self._send(transport, reply)
            finally:
                await self._deliver(self._wanted(events), rejects)

    def _wanted(self, events: list[Event]) -> list[Event]:
        """Leaves out our own comings and goings, and rooms that we have just left."""
        channels = self.book.channels
        kept: list[Event] = []
        messages: list[Event] = []
        for event in events:
            channel = channels.get(event.room_login)
            if channel is None or (isinstance(event, UserListChange) and event.user_login == self._nick):
                continue
            kept.append(event)
            if isinstance(event, ChatMessage):
                messages.append(event)
                channel.message_count += 1
                channel.last_message_at = event.received_at
        self._shared.meter.saw(messages)
        return kept

    async def _deliver(self, events: list[Event], rejects: list[tuple[str, str]]) -> None:
        self._is_delivering = True
        try:
            for line, reason in rejects:
                self._shared.meter.reject_count += 1
                await self._shared.sink.reject(line, reason)
            if events:
                await self._shared.sink.put(events)
        finally:
            self._is_delivering = False
            self._heard_s = time.monotonic()

    def _obey(self, parts: Parts, at: Instant, events: list[Event], replies: list[str]) -> None:
        """Does what a line about the connection or our channels asks for."""
        tags, origin, command, params = parts
        room = params[0].removeprefix("#").lower() if params else ""
        if command == "PING":
            replies.append(f"PONG :{params[-1] if params else ''}")
        elif command == "ROOMSTATE":
            self._confirm(room, at, events, tags.get("room-id") or None)
        elif command == "JOIN" and nick_of(origin) == self._nick:
            self._confirm(room, at, events)
        elif command == "366" and len(params) > 1:
            self._confirm(params[1].removeprefix("#").lower(), at, events)
        elif command == "PART" and nick_of(origin) == self._nick:
            reason = "Twitch removed us from the channel"
            if channel := self.book.expel(room, reason, time.monotonic()):
                events.append(self._observed(channel, "lost", at, reason))
        elif command == "001":
            self._welcome(params)
        elif command == "NOTICE":
            self._heed(room, tags.get("msg-id") or "", params[-1] if params else "")
        elif command == _NO_SUCH_CHANNEL and len(params) > 1:
            self.book.refuse(params[1].removeprefix("#").lower(), "no such channel", time.monotonic())
        elif command == "CAP" and "NAK" in params:
            self.error = f"Twitch does not offer {params[-1]}: messages come without what it tells."
            log.warning("irc_capability_refused", capabilities=params[-1])
        elif command == "RECONNECT":
            self._farewell = ConnectionLost("Twitch asked us to reconnect")

    def _welcome(self, params: list[str]) -> None:
        if params and params[0]:
            self._nick = params[0].lower()
        self.is_logged_in = True
        self._logged_in_s = time.monotonic()
        self.error = None
        self._shared.login_error = None
        self._shared.login_refusals = 0
        self._welcomed.set()
        log.info("irc_logged_in", login=self._nick, channels=len(self.book.channels))

    def _heed(self, room: str, msg_id: str, text: str) -> None:
        if room == "*" and text.startswith(_LOGIN_REFUSALS):
            self._farewell = LoginRefused(text)
        if msg_id in _ROOM_REFUSALS:
            self.book.refuse(room, text, time.monotonic())

    def _confirm(self, room: str, at: Instant, events: list[Event], room_id: str | None = None) -> None:
        if room_id and room in self.book.channels:
            self.book.channels[room].room_id = room_id
        if channel := self.book.confirm(room):
            events.append(self._observed(channel, "joined", at))

    # --- staying alive and joined -----------------------------------------------------------

    async def _keep_alive(self, transport: Transport) -> None:
        while True:
            # While the sink makes us wait we don't listen, so silence proves nothing.
            quiet_s = 0.0 if self._is_delivering else time.monotonic() - self._heard_s
            if quiet_s < self._limits.silence_s:
                await asyncio.sleep(self._limits.silence_s - quiet_s)
                continue
            asked_s = time.monotonic()
            await self._send(transport, "PING :streamlens")
            await asyncio.sleep(max(0.0, asked_s + self._limits.pong_s - time.monotonic()))
            if self._heard_s < asked_s and not self._is_delivering:
                raise ConnectionLost(f"no word for {time.monotonic() - self._heard_s:.0f} s (half-open)")

    async def _keep_joined(self, transport: Transport) -> None:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                await self._welcomed.wait()
        except TimeoutError:
            raise ConnectionLost(f"no answer to the login within {self._limits.connect_s:g} s") from None
        while True:
            self._joins_changed.clear()
            self.book.expire(time.monotonic())
            if due := self.book.due(time.monotonic()):
                granted = await self._shared.joins.take(min(len(due), _JOINS_A_LINE))
                await self._ask(self.book.due(time.monotonic())[:granted], transport)
                continue
            next_s = self.book.next_s()
            wait_s = None if next_s is None else max(0.0, next_s - time.monotonic())
            await wait_at_most(self._joins_changed, wait_s)

    async def _ask(self, channels: list[Channel], transport: Transport) -> None:
        if channels:
            self.book.asked(channels, time.monotonic())
            await self._send(transport, "JOIN " + ",".join(f"#{channel.login}" for channel in channels))

    # --- endings ----------------------------------------------------------------------------

    async def _lose(self, reason: str) -> None:
        self.error = reason
        self._shared.meter.reconnect_count += 1
        lost = [self._observed(c, "lost", self._received_at, reason) for c in self.book.restart()]
        if lost:
            await self._shared.sink.put(lost)

    async def _leave(self) -> None:
        # Stopping is our will, but the rooms go on without us: until the next start it is a gap.
        lost = [self._observed(c, "lost", self._shared.now(), STOPPED) for c in self.book.restart()]
        if lost:
            await self._shared.sink.put(lost)

    def _refused(self, reason: str) -> float:
        shared = self._shared
        wait_s = jittered(self._limits.login_retry_s, shared.login_refusals, 3600)
        shared.login_error = reason
        shared.login_refusals += 1
        shared.login_allowed_s = time.monotonic() + wait_s
        return wait_s

    def _observed(self, channel: Channel, state: str, at: Instant, reason: str | None = None) -> Observation:
        return Observation(
            event_id=synthetic_id("observations", "irc", channel.login, at, state),
            source="irc",
            room_login=channel.login,
            sent_at=at,
            received_at=self._shared.now(),
            room_id=channel.room_id,
            collector="irc",
            state=state,
            reason=reason,
        )
