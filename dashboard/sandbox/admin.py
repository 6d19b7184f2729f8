"""Pages for people and tests: what this is, trouble on order, load, the truth."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from dashboard.sandbox.server import SandboxServer


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
        connections = {"connections": len(self._server.hall.clients)}
        return web.json_response(self._server.faults.as_dict() | connections)

    async def _order_faults(self, request: web.Request) -> web.Response:
        order = await request.json()
        server, faults = self._server, self._server.faults
        if fail := order.get("http"):
            faults.fail_http(int(fail["status"]), int(fail.get("count", 1)), fail.get("path", "/helix"))
        faults.latency_s = float(order.get("latency_s", faults.latency_s))
        faults.is_half_open = bool(order.get("half_open", faults.is_half_open))
        faults.refuses_connections = bool(order.get("refuse", faults.refuses_connections))
        for text in order.get("lines", ()):
            server.inject(text)
        if size := order.get("long_line_bytes"):
            room = server.world.channels[0].login
            server.inject(f":a!a@a.tmi.twitch.tv PRIVMSG #{room} :" + "x" * int(size))
        if order.get("reconnect"):
            server.send_reconnect()
        if order.get("drop"):
            server.drop_connections()
        if order.get("expire_tokens"):
            server.oauth.expire_all()
        return web.json_response(faults.as_dict())

    async def _order_boost(self, request: web.Request) -> web.Response:
        order = await request.json()
        if self._server.world.channel(order["channel"]) is None:
            raise web.HTTPNotFound
        self._server.world.boost(order["channel"], float(order["messages_per_s"]))
        return web.json_response(order)

    async def _show_truth(self, request: web.Request) -> web.Response:
        now = self._server.now_s()
        start = float(request.query.get("start", now - 7200))
        return web.json_response(self._server.world.ground_truth(start, float(request.query.get("end", now))))

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
        text = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>StreamLens sandbox</title>"
            "<style>body{font:16px system-ui;max-width:46rem;margin:3rem auto;padding:0 1rem}"
            "td,th{padding:.1rem .8rem;text-align:left}</style><h1>StreamLens sandbox</h1>"
            "<p>A local stand-in for Twitch with invented channels and people. "
            "Nothing here leaves this machine.</p>"
            f"<ul>{addresses}</ul><h2>Live now: {len(live)} of {len(self._server.world.channels)}</h2>"
            f"<table><tr><th>Channel<th>Viewers<th>Game<th>Language{rows}</table></html>"
        )
        return web.Response(text=text, content_type="text/html")
