"""The sandbox as a server: chat, Helix and login on one port, chat over TCP on the next."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from dashboard.sandbox.admin import Admin
from dashboard.sandbox.conduits_helix import ConduitsHelix
from dashboard.sandbox.eventsub import EventSub
from dashboard.sandbox.eventsub_helix import EventSubHelix
from dashboard.sandbox.eventsub_socket import SocketLimits
from dashboard.sandbox.eventsub_webhook import WebhookPolicy
from dashboard.sandbox.faults import Faults
from dashboard.sandbox.hall import Hall
from dashboard.sandbox.helix import Helix
from dashboard.sandbox.helix_audience import AudienceHelix
from dashboard.sandbox.helix_call import Handler
from dashboard.sandbox.helix_clips import ClipsHelix
from dashboard.sandbox.helix_games import GamesHelix
from dashboard.sandbox.helix_looks import LooksHelix
from dashboard.sandbox.helix_platform import PlatformHelix
from dashboard.sandbox.irc import Client, IrcLimits
from dashboard.sandbox.oauth import OAuth
from dashboard.sandbox.replay import Replay
from dashboard.sandbox.world import World

log = logging.getLogger(__name__)

TICK_S = 0.1
TRUTH_AFTER_S = 20.0


class SandboxServer:
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
        socket_limits: The EventSub WebSocket server's limits.
        webhook_policy: How patient webhook delivery is.
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
        socket_limits: SocketLimits | None = None,
        webhook_policy: WebhookPolicy | None = None,
    ) -> None:
        self.world = world
        self.faults = Faults()
        self._host, self._http_port, self._tcp_port = host, http_port, irc_tcp_port
        self._clock, self._speed, self._anchor_s = clock, speed, clock()
        self.oauth: OAuth = OAuth(world, self.now_s, lambda: self.urls["http"])
        self.eventsub: EventSub = EventSub(
            *(world, self.oauth, self.faults, self.now_s, lambda: self.urls["eventsub"]),
            *(socket_limits or SocketLimits(), webhook_policy or WebhookPolicy(), speed),
        )
        self.helix = Helix(self.oauth, self.faults, self.now_s, rate_limit, self._handlers())
        self.replays = {
            login: Replay(login, lines, speed=replay_speed) for login, lines in (replay or {}).items()
        }
        limits = limits or IrcLimits()
        self.hall = Hall(world, self.oauth, self.faults, self.replays, limits, self.now_s, speed)
        self.hall.on_said = self.eventsub.said
        self._admin = Admin(self)
        self._runner: web.AppRunner | None = None
        self._tcp: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- life --------------------------------------------------------------------------------

    def now_s(self) -> float:
        """What time it is in the world (Unix seconds)."""
        return self._anchor_s + (self._clock() - self._anchor_s) * self._speed

    @property
    def urls(self) -> dict[str, str]:
        """Where everything is: ``http``, ``irc``, ``irc_tcp``, ``helix``, ``oauth``, ``eventsub``."""
        base = f"{self._host}:{self._http_port}"
        return {
            "http": f"http://{base}",
            "irc": f"ws://{base}/irc",
            "irc_tcp": f"irc://{self._host}:{self._tcp_port}" if self._tcp_port else "",
            "helix": f"http://{base}/helix",
            "oauth": f"http://{base}/oauth2",
            "eventsub": f"ws://{base}/ws",
        }

    def _handlers(self) -> dict[str, Handler]:
        """All that answers under ``/helix``."""
        groups = (PlatformHelix, AudienceHelix, LooksHelix, GamesHelix)
        found: dict[str, Handler] = {}
        for group in groups:
            found |= group(self.world).handlers()
        found |= ClipsHelix(self.world, self.faults).handlers()
        found |= EventSubHelix(self.world, self.oauth, self.eventsub).handlers()
        return found | ConduitsHelix(self.eventsub).handlers()

    async def start(self) -> None:
        """Listens. Afterwards :attr:`urls` tells the real ports.

        Raises:
            OSError: A port is taken.
        """
        epoch = int(self.now_s() // (28 * 86_400))
        for back in range(3):
            self.world.audience.waves(epoch - back)
        app = web.Application(client_max_size=2**20, middlewares=[self.faults.middleware])
        app.add_routes(
            [
                *self.helix.routes(),
                *self.oauth.routes(),
                *self.eventsub.sockets.routes(),
                *self._admin.routes(),
                web.get("/irc", self._websocket),
                web.get("/", self._root),
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
        for client in list(self.hall.clients):
            client.close()
        await self.eventsub.stop()
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

    async def _pump(self) -> None:
        """Ten times a second: sends every room what happened since the last time."""
        while True:
            await asyncio.sleep(TICK_S)
            for deliver in (self.hall.deliver, self.eventsub.deliver):
                try:
                    deliver()
                except Exception:
                    log.exception("the sandbox could not tell what happened")

    # -- connections -------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _connected(self, client: Client) -> AsyncIterator[None]:
        self.hall.clients.add(client)
        pinger = self._start_task(client.ping())
        try:
            yield
        finally:
            pinger.cancel()
            self.hall.clients.discard(client)
            for login in list(client.rooms):
                self.hall.left(client, login)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if self.faults.refuses_connections:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(protocols=("irc",), compress=False, max_msg_size=2**16)
        await socket.prepare(request)
        transport = request.transport
        assert transport is not None
        client = Client(self.hall, socket.send_str, transport.abort, time.monotonic)

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

        client = Client(self.hall, send, writer.transport.abort, time.monotonic)

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
        return self.hall.drop_connections()

    def send_reconnect(self, *, then_close: bool = True) -> None:
        """Tells every chat client to reconnect, and closes its connection."""
        self.hall.send_reconnect(then_close=then_close)

    def inject(self, text: str) -> None:
        """Sends a raw line, however broken, to every chat client."""
        self.hall.inject(text)

    async def _root(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        return self._admin.page()


def write_truth(
    world: World, path: Path, start: float, end: float, logins: Sequence[str] | None = None
) -> None:
    """Writes the ground truth of a stretch to a JSON file, whole or not at all.

    Args:
        world: Of which world.
        path: Where to.
        start: Unix time.
        end: Unix time.
        logins: Channels whose EventSub happenings are counted; by default the home channels.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    told = world.ground_truth(start, end, logins)
    unfinished.write_text(json.dumps(told, ensure_ascii=False, indent=1))
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
        truth: File for the ground truth, from two hours before the start to two hours ahead, written
            anew each hour.
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
    started_s = server.now_s()
    try:
        if on_ready is not None:
            on_ready(server)
        # Counting EventSub's happenings takes seconds of a core: not while everything is starting.
        logins: Sequence[str] | None = ()
        while True:
            if truth is not None:
                # A world of its own: this one is busy serving.
                told = World(seed, channel_count)
                stretch = started_s - 7200, server.now_s() + 7200
                await asyncio.to_thread(write_truth, told, truth, *stretch, logins)
            await asyncio.sleep(3600 if logins is None else TRUTH_AFTER_S)
            logins = None
    finally:
        await server.stop()
