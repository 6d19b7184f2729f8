"""Twitch's chat server, over WebSocket and TCP.

Kept as on Twitch: capabilities decide what a client hears; joins above 20 in 10 s and joins of
channels that don't exist are dropped in silence; PING about every five minutes; a bad token is
told and the connection closed; user lists only below 1,000 people.
"""

from __future__ import annotations

import asyncio
import random
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from dashboard.sandbox.wire import Line

CAPS = ("twitch.tv/commands", "twitch.tv/membership", "twitch.tv/tags")
_MOTD = (
    ("001", ":Welcome, GLHF!"),
    ("002", ":Your host is tmi.twitch.tv"),
    ("003", ":This server is rather new"),
    ("004", ":-"),
    ("375", ":-"),
    ("372", ":You are in a maze of twisty passages, all alike."),
    ("376", ":>"),
)
_ANONYMOUS = re.compile(r"justinfan\d+")
_NEEDS_COMMANDS = {
    "USERNOTICE",
    "ROOMSTATE",
    "CLEARCHAT",
    "CLEARMSG",
    "USERSTATE",
    "GLOBALUSERSTATE",
    "NOTICE",
}

Send = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class IrcLimits:
    """The limits that are kept; a test may loosen or tighten them."""

    joins: int = 20
    auths: int = 20
    window_s: float = 10.0
    rooms: int = 100
    queue_lines: int = 20_000
    ping_interval_s: float = 290.0
    pong_timeout_s: float = 30.0
    message_chars: int = 500
    names_below: int = 1000
    reconnect_after_s: float = 21_600.0
    """About how long a connection lasts before the server asks to reconnect (half to one and a half)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is: somebody with a token, or nobody."""

    login: str
    user_id: str = ""
    display_name: str = ""
    color: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """A channel as the chat server sees it."""

    login: str
    room_id: str


@dataclass(slots=True)
class Limiter:
    """At most so many in a sliding window."""

    limit: int
    window_s: float
    times: deque[float] = field(default_factory=deque)

    def takes(self, now: float) -> bool:
        """Whether one more fits into the window."""
        while self.times and now - self.times[0] > self.window_s:
            self.times.popleft()
        if len(self.times) >= self.limit:
            return False
        self.times.append(now)
        return True


class ChatBackend(ABC):
    """What the chat server needs to know of the world; the server implements it."""

    limits = IrcLimits()

    @abstractmethod
    def identify(self, token: str) -> Identity | None:
        """Who this token stands for, if it may read chat."""

    @abstractmethod
    def room(self, login: str) -> Room | None:
        """The room of this channel, if it exists."""

    @abstractmethod
    def room_state(self, login: str) -> dict[str, str]:
        """The tags of a full ROOMSTATE."""

    @abstractmethod
    def names(self, login: str) -> list[str]:
        """Who is in the room; empty for rooms too large to tell."""

    @abstractmethod
    def user_state(self, who: Identity, login: str | None) -> dict[str, str]:
        """The tags of USERSTATE in a room, or of GLOBALUSERSTATE."""

    @abstractmethod
    def joined(self, client: Client, login: str) -> None:
        """A client entered a room."""

    @abstractmethod
    def left(self, client: Client, login: str) -> None:
        """A client left a room."""

    @abstractmethod
    def said(self, client: Client, login: str, text: str) -> None:
        """A client with a token wrote something."""

    @abstractmethod
    def is_silent(self) -> bool:
        """Whether connections are held open without an answer (a fault on order)."""

    @abstractmethod
    def may_log_in(self) -> bool:
        """Whether one more login fits into the limit."""


class Client:
    """One connection. ``send`` writes text to it; ``abort`` cuts it, whatever is still to be sent."""

    def __init__(
        self, backend: ChatBackend, send: Send, abort: Callable[[], None], now: Callable[[], float]
    ) -> None:
        self._backend = backend
        self.abort = abort
        self._send = send
        self._now = now
        self._queue: deque[str] = deque()
        self._has_lines = asyncio.Event()
        self._joins = Limiter(backend.limits.joins, backend.limits.window_s)
        self._password = ""
        self.caps: set[str] = set()
        self.nick = ""
        self.identity: Identity | None = None
        self.rooms: dict[str, Room] = {}
        self.is_closing = False
        self.heard_at = now()

    # -- to the client -----------------------------------------------------------------------

    def put(self, text: str) -> None:
        """Queues a raw line; a client that is too slow is cut off."""
        if self.is_closing or self._backend.is_silent():
            return
        self._queue.append(text)
        if len(self._queue) > self._backend.limits.queue_lines:
            self._queue.clear()
            self.close()
            self.abort()
        self._has_lines.set()

    def put_line(self, line: Line) -> None:
        """Queues a line of a room, as far as the client's capabilities let it hear it."""
        if line.command in _NEEDS_COMMANDS and "twitch.tv/commands" not in self.caps:
            return
        self.put(line.raw if "twitch.tv/tags" in self.caps else line.rest)

    def close(self) -> None:
        """Ends the connection after what is queued was sent."""
        self.is_closing = True
        self._has_lines.set()

    async def write(self) -> None:
        """Sends what is queued, many lines in one go, until the client is closed."""
        while True:
            await self._has_lines.wait()
            self._has_lines.clear()
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(200, len(self._queue)))]
                await self._send("\r\n".join(batch) + "\r\n")
            if self.is_closing:
                return

    async def ping(self) -> None:
        """PING about every five minutes; without an answer the connection ends. RECONNECT at last."""
        limits = self._backend.limits
        reconnect_at = self._now() + limits.reconnect_after_s * (0.5 + random.random())
        while not self.is_closing:
            await asyncio.sleep(limits.ping_interval_s)
            asked_at = self._now()
            self.put("PING :tmi.twitch.tv")
            await asyncio.sleep(limits.pong_timeout_s)
            if self.heard_at < asked_at:
                self.close()
            elif asked_at > reconnect_at:
                self.put(":tmi.twitch.tv RECONNECT")
                await asyncio.sleep(limits.pong_timeout_s)
                self.close()

    # -- from the client ---------------------------------------------------------------------

    def receive(self, line: str) -> None:
        """Takes one line of the client."""
        self.heard_at = self._now()
        if self._backend.is_silent():
            return
        if line.startswith("@"):
            line = line.partition(" ")[2]
        if line.startswith(":"):
            line = line.partition(" ")[2]
        head, _, trailing = line.partition(" :")
        words = head.split()
        if not words:
            return
        command, params = words[0].upper(), words[1:] + ([trailing] if " :" in line else [])
        handler = getattr(self, f"_on_{command.lower()}", None)
        if handler is not None:
            handler(params)
        elif self.identity:
            self.put(f":tmi.twitch.tv 421 {self.nick} {command} :Unknown command")

    def _on_cap(self, params: list[str]) -> None:
        action = params[0].upper() if params else ""
        if action == "LS":
            self.put(f":tmi.twitch.tv CAP * LS :{' '.join(CAPS)}")
        elif action == "REQ":
            wanted = " ".join(params[1:]).split()
            if wanted and all(cap in CAPS for cap in wanted):
                self.caps |= set(wanted)
                self.put(f":tmi.twitch.tv CAP * ACK :{' '.join(wanted)}")
            else:
                self.put(f":tmi.twitch.tv CAP * NAK :{' '.join(wanted)}")

    def _on_pass(self, params: list[str]) -> None:
        self._password = params[0] if params else ""

    def _on_nick(self, params: list[str]) -> None:
        if self.identity is not None or not params:
            return
        nick = params[0].lower()
        if not self._backend.may_log_in():
            self._refuse("Login unsuccessful")
            return
        if _ANONYMOUS.fullmatch(nick):
            self.identity = Identity(nick)
        elif not self._password.startswith("oauth:"):
            self._refuse("Improperly formatted auth")
            return
        else:
            self.identity = self._backend.identify(self._password.removeprefix("oauth:"))
            if self.identity is None:
                self._refuse("Login authentication failed")
                return
        self._password = ""
        self.nick = self.identity.login
        for number, text in _MOTD:
            self.put(f":tmi.twitch.tv {number} {self.nick} {text}")
        if self.identity.user_id:
            tags = self._backend.user_state(self.identity, None)
            self.put_line(Line(0, "GLOBALUSERSTATE", tags, ":tmi.twitch.tv GLOBALUSERSTATE"))

    def _refuse(self, text: str) -> None:
        self.put(f":tmi.twitch.tv NOTICE * :{text}")
        self.close()

    def _on_user(self, params: list[str]) -> None:
        """Part of other IRC servers' login; Twitch takes no notice."""

    def _on_ping(self, params: list[str]) -> None:
        text = params[0] if params else "tmi.twitch.tv"
        self.put(f":tmi.twitch.tv PONG tmi.twitch.tv :{text}")

    def _on_pong(self, params: list[str]) -> None:
        """``heard_at`` is all that counts."""

    def _on_quit(self, params: list[str]) -> None:
        self.close()

    def _on_join(self, params: list[str]) -> None:
        if self.identity is None or not params:
            return
        for name in params[0].split(","):
            login = name.strip().lstrip("#").lower()
            if not self._joins.takes(self._now()):
                continue
            room = self._backend.room(login)
            if room is None or login in self.rooms or len(self.rooms) >= self._backend.limits.rooms:
                continue
            self.rooms[login] = room
            self._welcome(room)
            self._backend.joined(self, login)

    def _welcome(self, room: Room) -> None:
        assert self.identity is not None
        host, channel = f"{self.nick}.tmi.twitch.tv", f"#{room.login}"
        self.put(f":{self.nick}!{self.nick}@{host} JOIN {channel}")
        names = [self.nick]
        if "twitch.tv/membership" in self.caps:
            names += [name for name in self._backend.names(room.login) if name != self.nick]
        for start in range(0, len(names), 20):
            self.put(f":{host} 353 {self.nick} = {channel} :{' '.join(names[start : start + 20])}")
        self.put(f":{host} 366 {self.nick} {channel} :End of /NAMES list")
        if self.identity.user_id:
            tags = self._backend.user_state(self.identity, room.login)
            self.put_line(Line(0, "USERSTATE", tags, f":tmi.twitch.tv USERSTATE {channel}"))
        tags = self._backend.room_state(room.login) | {"room-id": room.room_id}
        self.put_line(Line(0, "ROOMSTATE", tags, f":tmi.twitch.tv ROOMSTATE {channel}"))

    def _on_part(self, params: list[str]) -> None:
        for name in params[0].split(",") if params else ():
            login = name.strip().lstrip("#").lower()
            if self.rooms.pop(login, None):
                self.put(f":{self.nick}!{self.nick}@{self.nick}.tmi.twitch.tv PART #{login}")
                self._backend.left(self, login)

    def _on_privmsg(self, params: list[str]) -> None:
        if self.identity is None or not self.identity.user_id or len(params) < 2:
            return
        login, text = params[0].lstrip("#").lower(), params[1][: self._backend.limits.message_chars]
        room = self.rooms.get(login)
        if room is None or not text.strip():
            return
        self._backend.said(self, login, text)
        tags = self._backend.user_state(self.identity, login)
        self.put_line(Line(0, "USERSTATE", tags, f":tmi.twitch.tv USERSTATE #{login}"))
