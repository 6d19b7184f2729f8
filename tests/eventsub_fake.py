"""A small EventSub of our own for the tests of connections: every frame and close on order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web

from dashboard.errors import TwitchError, TwitchRefused
from tests.eventsub_messages import stamp


class FakeSession:
    """One connection as the server sees it."""

    def __init__(self, socket: web.WebSocketResponse, session_id: str, path: str) -> None:
        self.socket = socket
        self.session_id = session_id
        self.path = path

    async def say(self, message_type: str, payload: Mapping[str, Any]) -> None:
        """Sends a session message."""
        metadata = {
            "message_id": f"{self.session_id}-{message_type}",
            "message_type": message_type,
            "message_timestamp": stamp(),
        }
        await self.socket.send_str(orjson.dumps({"metadata": metadata, "payload": payload}).decode())

    async def send(self, text: str) -> None:
        """Sends a frame as it is."""
        await self.socket.send_str(text)

    async def reconnect(self, url: str) -> None:
        """Asks the client to move to another address."""
        session = {"id": self.session_id, "status": "reconnecting", "reconnect_url": url}
        await self.say("session_reconnect", {"session": session})

    async def close(self, code: int) -> None:
        """Closes with one of Twitch's codes."""
        await self.socket.close(code=code)


class FakeEventSub:
    """The server."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.arrived = asyncio.Condition()
        self.url = ""
        self.keepalive_s = 10
        self.welcomes = True
        self.refuses = False
        self.on_welcome: Any = None

    async def session(self, number: int) -> FakeSession:
        """Waits for the connection with that number, the first is 0."""
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(lambda: len(self.sessions) > number)
        return self.sessions[number]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.refuses:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session = FakeSession(socket, f"session-{len(self.sessions)}", request.path_qs)
        if self.on_welcome:
            await self.on_welcome()
        if self.welcomes:
            told = {
                "id": session.session_id,
                "status": "connected",
                "keepalive_timeout_seconds": self.keepalive_s,
                "reconnect_url": None,
                "connected_at": stamp(),
            }
            await session.say("session_welcome", {"session": told})
        self.sessions.append(session)
        async with self.arrived:
            self.arrived.notify_all()
        async for _ in socket:
            pass
        return socket


@asynccontextmanager
async def fake_eventsub() -> AsyncIterator[FakeEventSub]:
    """Runs the server on a free port."""
    fake = FakeEventSub()
    app = web.Application()
    app.router.add_get("/ws", fake.handle)
    app.router.add_get("/moved", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/ws"
    try:
        yield fake
    finally:
        for session in fake.sessions:
            await session.socket.close()
        await runner.cleanup()


class FakeHelix:
    """Subscriptions and conduits as Twitch keeps them, without HTTP."""

    def __init__(self) -> None:
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.conduits: dict[str, int] = {}
        self.shards: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.made_count = 0
        self.refuse: dict[str, TwitchError] = {}
        """By type: what creating it raises."""
        self.down: TwitchError | None = None

    async def request(
        self,
        method: str,
        path: str,
        params: Sequence[tuple[str, str]] = (),
        json: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        self.calls.append((method, path))
        await asyncio.sleep(0)
        if self.down:
            raise self.down
        handler = getattr(self, f"_{method.lower()}_{path.strip('/').replace('/', '_')}")
        answer: dict[str, Any] = handler(dict(params), json or {})
        return answer

    def _post_eventsub_subscriptions(self, _: Any, json: Mapping[str, Any]) -> dict[str, Any]:
        if error := self.refuse.get(json["type"]):
            raise error
        same = [
            one
            for one in self.subscriptions.values()
            if (one["type"], one["condition"], one["transport"])
            == (json["type"], json["condition"], json["transport"])
        ]
        if same:
            raise TwitchRefused("POST /eventsub/subscriptions: subscription already exists")
        self.made_count += 1
        key = f"sub-{self.made_count}"
        made = dict(json) | {"id": key, "status": "enabled", "cost": 1, "created_at": stamp()}
        self.subscriptions[key] = made
        return {"data": [made]} | self._totals()

    def _get_eventsub_subscriptions(self, _: Any, __: Any) -> dict[str, Any]:
        return {"data": list(self.subscriptions.values()), "pagination": {}} | self._totals()

    def _delete_eventsub_subscriptions(self, params: Mapping[str, str], _: Any) -> dict[str, Any]:
        if self.subscriptions.pop(params["id"], None) is None:
            raise TwitchRefused("DELETE /eventsub/subscriptions: not found")
        return {}

    def _totals(self) -> dict[str, int]:
        cost = sum(one["cost"] for one in self.subscriptions.values())
        return {"total": len(self.subscriptions), "total_cost": cost, "max_total_cost": 10}

    def _get_eventsub_conduits(self, _: Any, __: Any) -> dict[str, Any]:
        return {"data": [{"id": key, "shard_count": count} for key, count in self.conduits.items()]}

    def _post_eventsub_conduits(self, _: Any, json: Mapping[str, Any]) -> dict[str, Any]:
        self.conduits["conduit-1"] = json["shard_count"]
        return self._get_eventsub_conduits(_, json)

    def _patch_eventsub_conduits(self, _: Any, json: Mapping[str, Any]) -> dict[str, Any]:
        self.conduits[json["id"]] = json["shard_count"]
        return {"data": [{"id": json["id"], "shard_count": json["shard_count"]}]}

    def _get_eventsub_conduits_shards(self, _: Any, __: Any) -> dict[str, Any]:
        return {"data": list(self.shards.values()), "pagination": {}}

    def _patch_eventsub_conduits_shards(self, _: Any, json: Mapping[str, Any]) -> dict[str, Any]:
        for shard in json["shards"]:
            self.shards[shard["id"]] = dict(shard) | {"status": "enabled"}
        return {"data": json["shards"], "errors": []}
