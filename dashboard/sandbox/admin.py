"""Pages for people and tests: what this is, trouble on order, load, the truth."""

from __future__ import annotations

import asyncio
import html
from typing import TYPE_CHECKING

from aiohttp import web

from dashboard.sandbox.orders import OrderError, carry_out, number, text
from dashboard.sandbox.world import World

if TYPE_CHECKING:
    from dashboard.sandbox.server import SandboxServer


MOST_TRUTH_S = 31 * 86_400


class Admin:
    """Routes that Twitch does not have."""

    def __init__(self, server: SandboxServer) -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [
            web.get("/_sandbox/faults", self._show_faults),
            web.post("/_sandbox/faults", self._order_faults),
            web.post("/_sandbox/boost", self._order_boost),
            web.get("/_sandbox/truth", self._show_truth),
        ]

    async def _show_faults(self, _: web.Request) -> web.Response:
        connections = {
            "connections": len(self._server.hall.clients),
            "eventsub_connections": len(self._server.eventsub.sockets.sessions),
            "webhooks_sent": self._server.eventsub.webhooks.sent_count,
        }
        return web.json_response(self._server.faults.as_dict() | connections)

    async def _order_faults(self, request: web.Request) -> web.Response:
        try:
            carry_out(self._server, await _json(request))
        except OrderError as error:
            return _refusal(str(error))
        return web.json_response(self._server.faults.as_dict())

    async def _order_boost(self, request: web.Request) -> web.Response:
        try:
            order = await _json(request)
            if not isinstance(order, dict):
                raise OrderError("The order has to be a JSON object")
            login, rate = text(order, "channel"), number(order, "messages_per_s", most=100_000)
        except OrderError as error:
            return _refusal(str(error))
        if self._server.world.channel(login) is None:
            return _refusal(f"no channel here is called {login}", 404)
        self._server.world.boost(login, rate)
        return web.json_response(order)

    async def _show_truth(self, request: web.Request) -> web.Response:
        now = self._server.now_s()
        try:
            start, end = number(request.query, "start", now - 7200), number(request.query, "end", now)
            if not start <= end <= start + MOST_TRUTH_S:
                raise OrderError(f"end has to come after start, at most {MOST_TRUTH_S:g} s")
        except OrderError as error:
            return _refusal(str(error))
        logins = request.query.getall("channel", []) or None
        world = self._server.world
        # A world of its own, on the side: this one is busy serving.
        told = World(world.seed, len(world.channels))
        return web.json_response(await asyncio.to_thread(told.ground_truth, start, end, logins))

    def page(self) -> web.Response:
        """What a person sees who opens the sandbox in a browser."""
        live = self._server.world.live_at(self._server.now_s())
        rows = "".join(
            f"<tr><td>{html.escape(s.channel.login)}<td>{s.viewer_count}<td>{html.escape(s.game.name)}<td>{s.language}"
            for s in live[:60]
        )
        addresses = "".join(
            f"<li>{name}: <code>{url}</code>" for name, url in self._server.urls.items() if url
        )
        page = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>StreamLens sandbox</title>"
            "<style>body{font:16px system-ui;max-width:46rem;margin:3rem auto;padding:0 1rem}"
            "td,th{padding:.1rem .8rem;text-align:left}</style><h1>StreamLens sandbox</h1>"
            "<p>A local stand-in for Twitch with invented channels and people. "
            "Nothing here leaves this machine.</p>"
            f"<ul>{addresses}</ul><h2>Live now: {len(live)} of {len(self._server.world.channels)}</h2>"
            f"<table><tr><th>Channel<th>Viewers<th>Game<th>Language{rows}</table></html>"
        )
        return web.Response(text=page, content_type="text/html")


async def _json(request: web.Request) -> object:
    try:
        return await request.json()
    except ValueError:
        raise OrderError("The body is not JSON") from None


def _refusal(message: str, status: int = 400) -> web.Response:
    error = "Not Found" if status == 404 else "Bad Request"
    return web.json_response({"error": error, "status": status, "message": message}, status=status)
