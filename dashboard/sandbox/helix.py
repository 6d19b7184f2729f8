"""Helix: the parts of Twitch's HTTP interface that StreamLens asks, in Twitch's form."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from dashboard.sandbox.faults import Faults
from dashboard.sandbox.helix_call import Answer, Call, Handler, HelixError
from dashboard.sandbox.oauth import OAuth
from dashboard.sandbox.oauth_tokens import Token

_NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    429: "Too Many Requests",
}


@dataclass(slots=True)
class _Bucket:
    points: float
    filled_at: float


class Helix:
    """All routes under ``/helix``: who may ask, how often, and what they get.

    Args:
        oauth: Who tokens stand for.
        faults: What is broken on order.
        clock: What time it is in the world.
        rate_limit: Points a minute, for each app and each person.
        handlers: What answers, by method and path (``GET users``).
    """

    def __init__(
        self,
        oauth: OAuth,
        faults: Faults,
        clock: Callable[[], float],
        rate_limit: int,
        handlers: Mapping[str, Handler],
    ) -> None:
        self._oauth = oauth
        self._faults = faults
        self._clock = clock
        self.rate_limit = rate_limit
        self._handlers = handlers
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self.call_count = 0

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        routes = []
        for name, handler in self._handlers.items():
            method, path = name.split(" ")
            routes.append(web.route(method, f"/helix/{path}", self._guarded(handler)))
        return [*routes, web.route("*", "/helix/{tail:.*}", self._unknown)]

    @staticmethod
    async def _unknown(request: web.Request) -> web.Response:
        return web.json_response({"error": "Not Found", "status": 404, "message": ""}, status=404)

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            self.call_count += 1
            failure = await self._faults.before_answer(request.path, int(time.time()) + 1)
            if failure is not None:
                return failure
            headers: dict[str, str] = {}
            try:
                token = self._authorised(request)
                self._take(token, headers)
                body = await handler(Call(request, token, self._oauth.user_of(token), self._clock()))
            except HelixError as error:
                failed = {"error": _NAMES[error.status], "status": error.status, "message": error.message}
                return web.json_response(failed, status=error.status, headers=headers)
            if not isinstance(body, Answer):
                return web.json_response(body, headers=headers)
            if body.status == 204:
                return web.Response(status=204, headers=headers)
            return web.json_response(body.body, status=body.status, headers=headers)

        return answer

    def _authorised(self, request: web.Request) -> Token:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not text or scheme.lower() != "bearer":
            raise HelixError(401, "OAuth token is missing")
        token = self._oauth.read(text)
        if token is None or token.kind == "refresh":
            raise HelixError(401, "Invalid OAuth token")
        client_id = request.headers.get("Client-Id", "")
        if not client_id:
            raise HelixError(401, "Client ID is missing")
        if client_id != token.client_id:
            raise HelixError(401, "Client ID and OAuth token do not match")
        return token

    def _take(self, token: Token, headers: dict[str, str]) -> None:
        """One point of the bucket of this app or of this person in this app; refilled within a minute."""
        now = time.time()
        bucket = self._buckets.setdefault((token.client_id, token.login), _Bucket(self.rate_limit, now))
        bucket.points = min(self.rate_limit, bucket.points + (now - bucket.filled_at) * self.rate_limit / 60)
        bucket.filled_at = now
        is_empty = bucket.points < 1
        bucket.points -= 0 if is_empty else 1
        wait_s = (self.rate_limit - bucket.points) * 60 / self.rate_limit
        headers |= {
            "Ratelimit-Limit": str(self.rate_limit),
            "Ratelimit-Remaining": str(int(bucket.points)),
            "Ratelimit-Reset": str(int(now + (60 / self.rate_limit if is_empty else wait_s)) + 1),
        }
        if is_empty:
            raise HelixError(429, "Too many requests")
