"""A small chat server for tests, written by hand: it does what it is told, also what Twitch never should."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from dashboard.events import Event, Observation


async def until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Waits until the condition holds; fails when it does not within the time."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"still not true after {timeout_s} s"
        await asyncio.sleep(0.005)


class ListSink:
    """Keeps what it gets; with the gate closed it makes the collector wait."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.rejects: list[tuple[str, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def put(self, events: Sequence[Event]) -> None:
        await self.gate.wait()
        self.events.extend(events)

    async def reject(self, line: str, reason: str) -> None:
        self.rejects.append((line, reason))

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def ledger(self, login: str | None = None) -> list[tuple[str, str, str | None]]:
        return [
            (event.room_login, event.state, event.reason)
            for event in self.events
            if isinstance(event, Observation) and login in (None, event.room_login)
        ]


@dataclass
class Client:
    """One connection as the server sees it."""

    write: Callable[[bytes], object]
    abort: Callable[[], object]
    nick: str = ""
    lines: list[tuple[float, str]] = field(default_factory=list)
    rooms: set[str] = field(default_factory=set)

    async def send(self, *lines: str | bytes) -> None:
        data = b"".join((ln.encode() if isinstance(ln, str) else ln) + b"\r\n" for ln in lines)
        await self.send_raw(data)

    async def send_raw(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            waiting = self.write(data)
            if asyncio.iscoroutine(waiting):
                await waiting


class FakeIrc:
    """Serves chat over WebSocket (``ws``) or TCP (``irc``) on a free port."""

    def __init__(self, scheme: str = "ws") -> None:
        self.scheme = scheme
        self.port = 0
        self.clients: list[Client] = []
        self.is_frozen = False
        """Takes everything and answers nothing, like the far end of a half-open connection."""
        self.refusal: str | None = None
        self.silent_rooms: set[str] = set()
        self.suspended_rooms: set[str] = set()
        self.joins: list[tuple[float, str]] = []
        self._server: Server | asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def open(self) -> list[Client]:
        return [client for client in self.clients if client.nick]

    async def __aenter__(self) -> FakeIrc:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        if self.scheme == "ws":
            server = await serve(self._serve_websocket, "127.0.0.1", self.port, ping_interval=None)
        else:
            server = await asyncio.start_server(self._serve_stream, "127.0.0.1", self.port)
        self._server = server
        self.port = next(iter(server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        self.drop()
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def drop(self) -> None:
        """Breaks all connections off without a word."""
        for client in self.clients:
            client.abort()
        self.clients.clear()

    async def say(self, room: str, *lines: str | bytes) -> None:
        """Sends lines to everybody in the room, in one frame."""
        for client in self.open:
            if room in client.rooms:
                await client.send(*lines)

    def heard(self, start: str) -> list[str]:
        return [line for client in self.clients for _, line in client.lines if line.startswith(start)]

    async def _serve_websocket(self, connection: ServerConnection) -> None:
        client = Client(lambda data: connection.send(data, text=True), lambda: connection.transport.abort())
        self.clients.append(client)
        with contextlib.suppress(ConnectionClosed):
            async for frame in connection:
                assert isinstance(frame, str)
                for line in frame.splitlines():
                    await self._answer(client, line)
        self._forget(client)

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(writer.write, writer.transport.abort)
        self.clients.append(client)
        with contextlib.suppress(OSError):
            while data := await reader.readline():
                await self._answer(client, data.decode().rstrip("\r\n"))
        self._forget(client)
        writer.close()

    def _forget(self, client: Client) -> None:
        if client in self.clients:
            self.clients.remove(client)

    async def _answer(self, client: Client, line: str) -> None:
        client.lines.append((time.monotonic(), line))
        command, _, rest = line.partition(" ")
        if command == "JOIN":
            self.joins += [(time.monotonic(), room) for room in rest.split(",")]
        if self.is_frozen:
            return
        if command == "NICK":
            await self._welcome(client, rest)
        elif command == "PING":
            await client.send(f":tmi.twitch.tv PONG tmi.twitch.tv {rest}")
        elif command == "JOIN":
            for room in rest.split(","):
                await self._let_in(client, room)
        elif command == "PART":
            client.rooms.discard(rest)

    async def _welcome(self, client: Client, nick: str) -> None:
        if self.refusal is not None:
            await client.send(f":tmi.twitch.tv NOTICE * :{self.refusal}")
            return
        client.nick = nick
        await client.send(
            ":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands twitch.tv/membership",
            f":tmi.twitch.tv 001 {nick} :Welcome, GLHF!",
            f":tmi.twitch.tv 376 {nick} :>",
        )

    async def _let_in(self, client: Client, room: str) -> None:
        nick = client.nick
        if room in self.suspended_rooms:
            text = "This channel has been suspended."
            await client.send(f"@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE {room} :{text}")
        elif room not in self.silent_rooms:
            client.rooms.add(room)
            await client.send(
                f":{nick}!{nick}@{nick}.tmi.twitch.tv JOIN {room}",
                f":{nick}.tmi.twitch.tv 353 {nick} = {room} :{nick} somebody",
                f":{nick}.tmi.twitch.tv 366 {nick} {room} :End of /NAMES list",
                f"@emote-only=0;room-id=42;slow=0 :tmi.twitch.tv ROOMSTATE {room}",
            )


def message(room: str, text: str, *, number: int = 1, sent_ms: int = 1_700_000_000_000) -> str:
    """A chat line as Twitch sends it."""
    return (
        f"@badges=;color=;display-name=Viewer;emotes=;id=message-{number};mod=0;room-id=42;subscriber=0;"
        f"tmi-sent-ts={sent_ms};user-id=7 :viewer!viewer@viewer.tmi.twitch.tv PRIVMSG {room} :{text}"
    )
