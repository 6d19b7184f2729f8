"""A Helix and OAuth of our own for tests that need it to misbehave on cue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

CLIENT_ID = "fake-client"
CLIENT_SECRET = "fake-secret-5d41402a"


class FakeTwitch:
    """Answers like Twitch; ``next_answers`` come first, each once, whatever the call."""

    def __init__(self) -> None:
        self.live: list[dict[str, Any]] = []
        self.users: dict[str, str] = {}
        self.tokens: list[str] = []
        self.accepted: set[str] = set()
        self.calls: list[str] = []
        self.queries: list[list[tuple[str, str]]] = []
        self.authorizations: list[str] = []
        self.next_answers: deque[tuple[int, Any, dict[str, str]]] = deque()
        self.token_answers: deque[tuple[int, Any]] = deque()
        self.page_size = 100
        self.repeats_last = False
        self.delay_s = 0.0
        self.url = ""

    def revoke_all(self) -> None:
        self.accepted.clear()

    def go_live(self, login: str, *, stream_id: str | None = None, viewers: int = 10) -> None:
        self.live.append(
            {
                "id": stream_id or f"s-{login}",
                "user_id": f"id-{login}",
                "user_login": login,
                "user_name": login.title(),
                "game_id": "g1",
                "game_name": "Chess",
                "type": "live",
                "title": "Hello",
                "viewer_count": viewers,
                "started_at": "2023-11-14T22:00:00Z",
                "language": "en",
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        self.calls.append("POST /token")
        await asyncio.sleep(self.delay_s)
        assert not request.query_string, "secrets never travel in URLs"
        if self.token_answers:
            status, body = self.token_answers.popleft()
            return web.json_response(body, status=status)
        form = await request.post()
        if form.get("client_id") != CLIENT_ID:
            return web.json_response({"status": 400, "message": "invalid client"}, status=400)
        if form.get("client_secret") != CLIENT_SECRET:
            return web.json_response({"status": 403, "message": "invalid client secret"}, status=403)
        token = f"token-{len(self.tokens) + 1}"
        self.tokens.append(token)
        self.accepted.add(token)
        return web.json_response({"access_token": token, "expires_in": 5011271, "token_type": "bearer"})

    async def validate(self, request: web.Request) -> web.Response:
        self.calls.append("GET /validate")
        if request.headers.get("Authorization", "").removeprefix("OAuth ") in self.accepted:
            return web.json_response({"client_id": CLIENT_ID, "scopes": [], "expires_in": 5011271})
        return web.json_response({"status": 401, "message": "invalid access token"}, status=401)

    async def helix(self, request: web.Request) -> web.Response:
        self.calls.append(f"GET {request.path}")
        self.queries.append(list(request.query.items()))
        self.authorizations.append(request.headers.get("Authorization", ""))
        await asyncio.sleep(self.delay_s)
        if self.next_answers:
            status, body, headers = self.next_answers.popleft()
            if isinstance(body, str):
                return web.Response(text=body, status=status, headers=headers)
            return web.json_response(body, status=status, headers=headers)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.accepted or request.headers.get("Client-Id") != CLIENT_ID:
            body = {"error": "Unauthorized", "status": 401, "message": "Invalid OAuth token"}
            return web.json_response(body, status=401)
        return self._streams(request) if request.path == "/helix/streams" else self._users(request)

    def _streams(self, request: web.Request) -> web.Response:
        wanted = request.query.getall("user_login", [])
        found = [raw for raw in self.live if raw["user_login"] in wanted]
        start = int(request.query.get("after", "0"))
        end = start + self.page_size
        # Streams move while pages are read: the last of a page may come again on the next.
        page = found[max(start - 1, 0) if self.repeats_last else start : end]
        cursor = {"cursor": str(end)} if end < len(found) else {}
        return web.json_response({"data": page, "pagination": cursor})

    def _users(self, request: web.Request) -> web.Response:
        logins = request.query.getall("login", [])
        by_id = {user_id: login for login, user_id in self.users.items()}
        logins += [by_id[user_id] for user_id in request.query.getall("id", []) if user_id in by_id]
        data = [{"id": self.users[login], "login": login} for login in logins if login in self.users]
        return web.json_response({"data": data})


@asynccontextmanager
async def fake_twitch() -> AsyncIterator[FakeTwitch]:
    """A running fake; ``url`` is its base address."""
    fake = FakeTwitch()
    app = web.Application()
    app.router.add_post("/oauth2/token", fake.token)
    app.router.add_get("/oauth2/validate", fake.validate)
    app.router.add_get("/helix/{path:.*}", fake.helix)
    server = TestServer(app)
    await server.start_server()
    fake.url = str(server.make_url("")).rstrip("/")
    try:
        yield fake
    finally:
        await server.close()
