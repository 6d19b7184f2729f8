"""The sandbox as a server: chat, Helix and login on one port, chat over TCP on the next."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from dashboard.sandbox import chance
from dashboard.sandbox.faults import Faults
from dashboard.sandbox.helix import Helix
from dashboard.sandbox.irc import ChatBackend, Client, Identity, IrcLimits, Room, _Limiter
from dashboard.sandbox.oauth import OAuth
from dashboard.sandbox.replay import Replay
from dashboard.sandbox.wire import Line
from dashboard.sandbox.world import World

log = logging.getLogger(__name__)

TICK_S = 0.1
_DUPLICATE_SHARE = 0.0003


class SandboxServer(ChatBackend):
    """A local Twitch.

    Args:
        world: What to serve.
        host: Address to listen on.
        http_port: Port for Helix, login and chat over WebSocket (``/irc`` and ``/``); 0 picks one.
        irc_tcp_port: Port for chat over TCP; ``None`` for none, 0 picks one.
        replay: Recordings to serve as channels: login → raw IRC lines (see :mod:`.replay`).
        clock: What time it is (Unix seconds).
        speed: How much faster than the clock the world goes.
        limits: The chat server's limits.
        rate_limit: Helix points a minute, for each app and each person.
    """

    def __init__(
        self,
        world: World,
        host: str = "127.0.0.1",
        http_port: int = 5080,
        irc_tcp_port: int | None = None,
        replay: Mapping[str, Iterable[str]] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        speed: float = 1.0,
        replay_speed: float = 1.0,
        limits: IrcLimits | None = None,
        rate_limit: int = 800,
    ) -> None:
        self.world = world
        self.limits = limits or IrcLimits()
        self.faults = Faults()
        self.clients: set[Client] = set()
        self._host, self._http_port, self._tcp_port = host, http_port, irc_tcp_port
        self._clock, self._speed, self._anchor_s = clock, speed, clock()
        self._rooms: dict[str, set[Client]] = {}
        self._sent_until: dict[str, float] = {}
        self._members_at: dict[str, int] = {}
        self._auths = _Limiter(self.limits.auths, self.limits.window_s)
        self.oauth = OAuth(world, self.now_s, lambda: self.urls["http"])
        self.helix = Helix(world, self.oauth, self.faults, self.now_s, rate_limit)
        self.replays = {
            login: Replay(login, lines, self._anchor_s, speed=replay_speed)
            for login, lines in (replay or {}).items()
        }
        self._runner: web.AppRunner | None = None
        self._tcp: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- life --------------------------------------------------------------------------------

    def now_s(self) -> float:
        """What time it is in the world (Unix seconds)."""
        return self._anchor_s + (self._clock() - self._anchor_s) * self._speed

    @property
    def urls(self) -> dict[str, str]:
        """Where everything is: ``http``, ``irc``, ``irc_tcp``, ``helix``, ``oauth``."""
        base = f"{self._host}:{self._http_port}"
        return {
            "http": f"http://{base}",
            "irc": f"ws://{base}/irc",
            "irc_tcp": f"irc://{self._host}:{self._tcp_port}" if self._tcp_port else "",
            "helix": f"http://{base}/helix",
            "oauth": f"http://{base}/oauth2",
        }

    async def start(self) -> None:
        """Listens. Afterwards :attr:`urls` tells the real ports.

        Raises:
            OSError: A port is taken.
        """
        epoch = int(self.now_s() // (28 * 86_400))
        for back in range(3):
            self.world.audience.waves(epoch - back)
        app = web.Application(client_max_size=2**20)
        app.add_routes(
            [
                *self.helix.routes(),
                *self.oauth.routes(),
                web.get("/irc", self._websocket),
                web.get("/", self._root),
                web.get("/_sandbox/faults", self._show_faults),
                web.post("/_sandbox/faults", self._order_faults),
                web.post("/_sandbox/boost", self._order_boost),
                web.get("/_sandbox/truth", self._show_truth),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._http_port)
        await site.start()
        self._http_port = self._runner.addresses[0][1]
        if self._tcp_port is not None:
            self._tcp = await asyncio.start_server(self._tcp_client, self._host, self._tcp_port, limit=2**18)
            self._tcp_port = self._tcp.sockets[0].getsockname()[1]
        self._start_task(self._pump())

    async def stop(self) -> None:
        """Closes every connection and stops listening."""
        for client in list(self.clients):
            client.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._tcp is not None:
            self._tcp.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> SandboxServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _start_task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- delivering --------------------------------------------------------------------------

    async def _pump(self) -> None:
        """Ten times a second: sends every room what happened since the last time."""
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self._deliver(self.now_s())
            except Exception:
                log.exception("the sandbox could not write a line")

    def _deliver(self, now: float) -> None:
        for login, clients in list(self._rooms.items()):
            since = self._sent_until.get(login, now)
            if now <= since:
                continue
            self._sent_until[login] = now
            for line in self._lines(login, since, now):
                for client in tuple(clients):
                    client.put_line(line)
                    if "id" in line.tags and chance.unit(0, line.tags["id"]) < _DUPLICATE_SHARE:
                        client.put_line(line)
            self._deliver_members(login, int(now // 60))

    def _lines(self, login: str, start: float, end: float) -> list[Line]:
        if login in self.replays:
            return self.replays[login].lines(start, end)
        return self.world.lines(login, start, end)

    def _deliver_members(self, login: str, minute: int) -> None:
        """JOIN and PART of the last minute, in a bunch, in small rooms only."""
        before = self._members_at.get(login, minute)
        self._members_at[login] = minute
        listeners = [c for c in self._rooms[login] if "twitch.tv/membership" in c.caps]
        if minute == before or not listeners or login in self.replays:
            return
        now, then = self._name_set(login, minute - 1), self._name_set(login, before - 1)
        if not now or not then:
            return
        for names, command in ((now - then, "JOIN"), (then - now, "PART")):
            for name in sorted(names):
                for client in listeners:
                    client.put(f":{name}!{name}@{name}.tmi.twitch.tv {command} #{login}")

    def _name_set(self, login: str, minute: int) -> frozenset[str]:
        channel = self.world.channel(login)
        if (
            channel is None
            or len(self.world.audience.chatters(channel.index, minute)) >= self.limits.names_below
        ):
            return frozenset()
        return self.world.audience.chatter_logins(channel.index, minute)

    # -- what chat asks ----------------------------------------------------------------------

    def identify(self, token: str) -> Identity | None:
        found = self.oauth.read(token)
        user = self.oauth.user_of(found) if found and found.kind == "user" else None
        if (
            found is None
            or user is None
            or not {"chat:read", "chat:edit", "user:read:chat"} & set(found.scopes)
        ):
            return None
        return Identity(user.login, user.user_id, user.display_name, user.color)

    def room(self, login: str) -> Room | None:
        if login in self.replays:
            return Room(login, self.replays[login].room_id)
        channel = self.world.channel(login)
        return Room(login, channel.user_id) if channel else None

    def room_state(self, login: str) -> dict[str, str]:
        return self.world.room_modes(login, self.now_s())

    def names(self, login: str) -> list[str]:
        return sorted(self._name_set(login, int(self.now_s() // 60) - 1))

    def user_state(self, who: Identity, login: str | None) -> dict[str, str]:
        tags = {
            "badge-info": "",
            "badges": "",
            "color": who.color,
            "display-name": who.display_name,
            "emote-sets": "0",
            "user-type": "",
        }
        if login is None:
            return tags | {"user-id": who.user_id}
        channel, user = self.world.channel(login), self.world.population.by_login(who.login)
        tags |= {"mod": "0", "subscriber": "0"}
        if channel and user:
            standing = self.world.standings.of(user, channel, self.now_s())
            tags |= {
                "badge-info": standing.badge_info,
                "badges": standing.badges,
                "mod": str(int(standing.is_mod)),
                "subscriber": str(int(standing.months > 0)),
                "user-type": "mod" if standing.is_mod else "",
            }
        return tags

    def joined(self, client: Client, login: str) -> None:
        if login not in self._rooms:
            self._rooms[login] = set()
            self._sent_until[login] = self.now_s()
        self._rooms[login].add(client)

    def left(self, client: Client, login: str) -> None:
        clients = self._rooms.get(login, set())
        clients.discard(client)
        if not clients:
            self._rooms.pop(login, None)

    def said(self, client: Client, login: str, text: str) -> None:
        who, room = client.identity, client.rooms[login]
        assert who is not None
        state = self.user_state(who, login)
        tags = {key: value for key, value in state.items() if key != "emote-sets"} | {
            "emotes": "",
            "first-msg": "0",
            "flags": "",
            "id": str(uuid.uuid4()),
            "returning-chatter": "0",
            "room-id": room.room_id,
            "tmi-sent-ts": str(int(self.now_s() * 1000)),
            "turbo": "0",
            "user-id": who.user_id,
        }
        source = f"{who.login}!{who.login}@{who.login}.tmi.twitch.tv"
        line = Line(self.now_s(), "PRIVMSG", tags, f":{source} PRIVMSG #{login} :{text}")
        for other in self._rooms.get(login, set()):
            if other is not client:
                other.put_line(line)

    def is_silent(self) -> bool:
        return self.faults.is_half_open

    def may_log_in(self) -> bool:
        return self._auths.takes(time.monotonic())

    # -- connections -------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _connected(self, client: Client) -> AsyncIterator[None]:
        self.clients.add(client)
        pinger = self._start_task(client.ping())
        try:
            yield
        finally:
            pinger.cancel()
            self.clients.discard(client)
            for login in list(client.rooms):
                self.left(client, login)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if self.faults.refuses_connections:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(compress=False, max_msg_size=2**16)
        await socket.prepare(request)
        client = Client(self, socket.send_str, time.monotonic)

        async def write() -> None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await client.write()
            await socket.close()

        async with self._connected(client):
            writer = self._start_task(write())
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    for line in message.data.splitlines():
                        client.receive(line)
            client.close()
            writer.cancel()
        return socket

    async def _tcp_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.faults.refuses_connections:
            writer.close()
            return

        async def send(text: str) -> None:
            writer.write(text.encode())
            await writer.drain()

        client = Client(self, send, time.monotonic)

        async def write() -> None:
            with contextlib.suppress(ConnectionError):
                await client.write()
            writer.close()

        async with self._connected(client):
            task = self._start_task(write())
            with contextlib.suppress(ConnectionError, ValueError):
                while line := await reader.readline():
                    client.receive(line.decode("utf-8", "replace").rstrip("\r\n"))
            client.close()
            task.cancel()
            writer.close()

    # -- trouble on order --------------------------------------------------------------------

    def drop_connections(self) -> int:
        """Cuts every chat connection; returns how many there were."""
        clients = list(self.clients)
        for client in clients:
            client.close()
        return len(clients)

    def send_reconnect(self, *, then_close: bool = True) -> None:
        """Tells every chat client to reconnect, and closes its connection."""
        for client in list(self.clients):
            client.put(":tmi.twitch.tv RECONNECT")
            if then_close:
                client.close()

    def inject(self, text: str) -> None:
        """Sends a raw line, however broken, to every chat client."""
        for client in list(self.clients):
            client.put(text)

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response(self.faults.as_dict() | {"connections": len(self.clients)})

    async def _order_faults(self, request: web.Request) -> web.Response:
        order = await request.json()
        if fail := order.get("http"):
            self.faults.fail_http(int(fail["status"]), int(fail.get("count", 1)), fail.get("path", "/helix"))
        self.faults.latency_s = float(order.get("latency_s", self.faults.latency_s))
        self.faults.is_half_open = bool(order.get("half_open", self.faults.is_half_open))
        self.faults.refuses_connections = bool(order.get("refuse", self.faults.refuses_connections))
        for text in order.get("lines", ()):
            self.inject(text)
        if size := order.get("long_line_bytes"):
            self.inject(f":a!a@a.tmi.twitch.tv PRIVMSG #{self.world.channels[0].login} :" + "x" * int(size))
        if order.get("reconnect"):
            self.send_reconnect()
        if order.get("drop"):
            self.drop_connections()
        if order.get("expire_tokens"):
            self.oauth.expire_all()
        return web.json_response(self.faults.as_dict())

    async def _order_boost(self, request: web.Request) -> web.Response:
        order = await request.json()
        if self.world.channel(order["channel"]) is None:
            raise web.HTTPNotFound
        self.world.boost(order["channel"], float(order["messages_per_s"]))
        return web.json_response(order)

    async def _show_truth(self, request: web.Request) -> web.Response:
        now = self.now_s()
        start = float(request.query.get("start", now - 7200))
        return web.json_response(self.world.ground_truth(start, float(request.query.get("end", now))))

    async def _root(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        live = self.world.live_at(self.now_s())
        rows = "".join(
            f"<tr><td>{html.escape(s.channel.login)}<td>{s.viewer_count}<td>{html.escape(s.game.name)}<td>{s.language}"
            for s in live[:60]
        )
        addresses = "".join(f"<li>{name}: <code>{url}</code>" for name, url in self.urls.items() if url)
        text = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>StreamLens sandbox</title>"
            "<style>body{font:16px system-ui;max-width:46rem;margin:3rem auto;padding:0 1rem}"
            "td,th{padding:.1rem .8rem;text-align:left}</style><h1>StreamLens sandbox</h1>"
            "<p>A local stand-in for Twitch with invented channels and people. "
            "Nothing here leaves this machine.</p>"
            f"<ul>{addresses}</ul><h2>Live now: {len(live)} of {len(self.world.channels)}</h2>"
            f"<table><tr><th>Channel<th>Viewers<th>Game<th>Language{rows}</table></html>"
        )
        return web.Response(text=text, content_type="text/html")


def write_truth(world: World, path: Path, start: float, end: float) -> None:
    """Writes the ground truth of a stretch to a JSON file, whole or not at all.

    Args:
        world: Of which world.
        path: Where to.
        start: Unix time.
        end: Unix time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_text(json.dumps(world.ground_truth(start, end), ensure_ascii=False, indent=1))
    unfinished.replace(path)


async def run_sandbox(
    *,
    host: str = "127.0.0.1",
    port: int = 5080,
    seed: int = 7,
    channel_count: int = 40,
    truth: Path | None = None,
    replay: Mapping[str, Iterable[str]] | None = None,
    replay_speed: float = 1.0,
    boost: Mapping[str, float] | None = None,
    on_ready: Callable[[SandboxServer], None] | None = None,
) -> None:
    """Serves the sandbox until cancelled.

    Args:
        host: Address to listen on.
        port: HTTP and WebSocket port; chat over TCP is on the next one.
        seed: Which world.
        channel_count: How many channels it has.
        truth: File for the ground truth (the last two hours and the next day), written once an hour.
        replay: Recordings to serve as channels: login → raw IRC lines.
        replay_speed: How much faster than recorded.
        boost: Extra messages a second by channel, for load tests.
        on_ready: Called when it listens.

    Raises:
        OSError: A port is taken.
    """
    world = World(seed, channel_count)
    for login, rate in (boost or {}).items():
        world.boost(login, rate)
    server = SandboxServer(world, host, port, port + 1, replay, replay_speed=replay_speed)
    await server.start()
    try:
        if on_ready is not None:
            on_ready(server)
        while True:
            if truth is not None:
                now = server.now_s()
                await asyncio.to_thread(
                    write_truth, World(seed, channel_count), truth, now - 7200, now + 86_400
                )
            await asyncio.sleep(3600)
    finally:
        await server.stop()
