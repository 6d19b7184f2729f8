"""Twitch's login service: tokens for apps, for people, and for machines without a browser.

Source: https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from dashboard.sandbox.cast import cast
from dashboard.sandbox.oauth_pages import login_page
from dashboard.sandbox.oauth_tokens import APP_LIFE_S, CLIENT_ID, USER_LIFE_S, Tokens, generation
from dashboard.sandbox.world import World

CLIENT_SECRET = "sandbox-secret"
DEVICE_LIFE_S = 1800
_PASSED_ON = ("client_id", "scope", "state", "code_challenge", "code_challenge_method")
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True)
class _Code:
    """A code to be exchanged for tokens."""

    login: str
    client_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    challenge: str = ""
    challenge_method: str = "plain"

    def is_verified(self, verifier: str) -> bool:
        """Whether a PKCE verifier fits. Twitch documents no PKCE: nobody has to send any."""
        if not self.challenge:
            return True
        told = verifier
        if self.challenge_method == "S256":
            digest = hashlib.sha256(verifier.encode()).digest()
            told = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return hmac.compare_digest(told.encode(), self.challenge.encode())


@dataclass(slots=True)
class _Device:
    client_id: str
    user_code: str
    scopes: tuple[str, ...]
    expires_at_s: float
    login: str = ""


class OAuth(Tokens):
    """The token store and its HTTP routes under ``/oauth2``."""

    def __init__(self, world: World, clock: Callable[[], float], base_url: Callable[[], str]) -> None:
        super().__init__(world, clock)
        self._base_url = base_url
        self._codes: dict[str, _Code] = {}
        self._devices: dict[str, _Device] = {}
        self.apps = {CLIENT_ID: CLIENT_SECRET}

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [
            web.post("/oauth2/token", self._token),
            web.get("/oauth2/authorize", self._authorize),
            web.post("/oauth2/authorize", self._consent),
            web.post("/oauth2/device", self._device),
            web.get("/oauth2/validate", self._validate),
            web.post("/oauth2/revoke", self._revoke),
            web.get("/activate", self._activate),
            web.post("/activate", self._activate),
        ]

    def _let_in(self, client_id: str, login: str) -> None:
        """Somebody has let an app in."""
        user = self._world.population.by_login(login)
        if user is not None:
            self.on_change(client_id, user, is_granted=True)

    def _pair(
        self, login: str, scopes: tuple[str, ...], client_id: str, *, once: bool = False
    ) -> web.Response:
        return web.json_response(
            {
                "access_token": self.issue("user", login, scopes, client_id=client_id),
                "expires_in": USER_LIFE_S,
                "refresh_token": self.issue("refresh", login, scopes, client_id=client_id, once=once),
                "scope": list(scopes),
                "token_type": "bearer",
            }
        )

    # -- routes ------------------------------------------------------------------------------

    @staticmethod
    def _error(status: int, message: str) -> web.Response:
        names = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
        body: dict[str, object] = {"status": status, "message": message}
        if status in names:
            body["error"] = names[status]
        return web.json_response(body, status=status)

    @staticmethod
    async def _fields(request: web.Request) -> dict[str, str]:
        """Parameters from the address and the body: Twitch takes both."""
        fields = {key: str(value) for key, value in request.query.items()}
        if request.can_read_body and request.content_type == "application/x-www-form-urlencoded":
            fields |= {key: str(value) for key, value in (await request.post()).items()}
        return fields

    async def _token(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        client_id = fields.get("client_id", "")
        if not client_id:
            return self._error(400, "missing client id")
        if client_id not in self.apps:
            return self._error(400, "invalid client")
        grant = fields.get("grant_type", "")
        if not grant:
            return self._error(400, "missing grant type")
        if grant == _DEVICE_GRANT:
            return self._device_token(fields, client_id)
        if grant == "refresh_token":
            return self._refresh(fields, client_id)
        if not fields.get("client_secret"):
            return self._error(400, "missing client secret")
        if fields["client_secret"] != self.apps[client_id]:
            return self._error(403, "invalid client secret")
        if grant == "client_credentials":
            token = self.issue("app", client_id=client_id)
            return web.json_response(
                {"access_token": token, "expires_in": APP_LIFE_S, "token_type": "bearer"}
            )
        if grant == "authorization_code":
            found = self._codes.pop(fields.get("code", ""), None)
            if found is None or found.client_id != client_id:
                return self._error(400, "Invalid authorization code")
            if not found.is_verified(fields.get("code_verifier", "")):
                return self._error(400, "Invalid code verifier")
            if fields.get("redirect_uri") != found.redirect_uri:
                return self._error(400, "Parameter redirect_uri does not match registered URI")
            self._let_in(client_id, found.login)
            return self._pair(found.login, found.scopes, client_id)
        return self._error(400, "Invalid grant type")

    def _refresh(self, fields: dict[str, str], client_id: str) -> web.Response:
        text = urllib.parse.unquote(fields.get("refresh_token", ""))
        packed = text[:-20]
        if not text or text in self._gone or not self._is_signed(text):
            return self._error(400, "Invalid refresh token")
        body = json.loads(base64.b32decode(packed.upper() + "=" * (-len(packed) % 8)))
        is_ended = generation(body) < self._generations.get(body[2], 0)
        if body[0] != "refresh" or body[1] != client_id or is_ended:
            return self._error(400, "Invalid refresh token")
        if not body[6] and fields.get("client_secret") != self.apps[client_id]:
            return self._error(403, "invalid client secret")
        if body[6]:
            self._gone.add(text)
        return self._pair(body[2], tuple(body[3]), client_id, once=body[6])

    async def _validate(self, request: web.Request) -> web.Response:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not text:
            return self._error(401, "missing authorization token")
        token = self.read(text)
        if token is None or token.kind == "refresh" or scheme.lower() not in ("oauth", "bearer"):
            return self._error(401, "invalid access token")
        body: dict[str, object] = {
            "client_id": token.client_id,
            "scopes": list(token.scopes) if token.kind == "user" else None,
            "expires_in": int(token.expires_at_s - self._clock()),
        }
        if user := self.user_of(token):
            body |= {"login": user.login, "user_id": user.user_id}
        return web.json_response(body)

    async def _revoke(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        if fields.get("client_id", "") not in self.apps:
            return self._error(404, "client does not exist")
        if not fields.get("token"):
            return self._error(400, "missing oauth token")
        if self.read(fields["token"]) is None:
            return self._error(400, "Invalid token")
        self._gone.add(fields["token"])
        return web.Response()

    # -- in the browser ----------------------------------------------------------------------

    async def _authorize(self, request: web.Request) -> web.Response:
        """The consent page: choose who to be. With ``login=…`` in the address it answers at once."""
        query = request.query
        if query.get("client_id", "") not in self.apps:
            return self._error(400, "invalid client")
        redirect = urllib.parse.unquote(query.get("redirect_uri", ""))
        if not redirect.startswith(("http://", "https://")):
            return self._error(400, "Parameter redirect_uri does not match registered URI")
        if query.get("response_type") != "code":
            return self._error(400, "unsupported response type")
        if login := query.get("login"):
            return self._answer_code(login, {**query, "redirect_uri": redirect})
        hidden = {name: query.get(name, "") for name in _PASSED_ON} | {"redirect_uri": redirect}
        note = f"The app {query['client_id']} wants to know who you are."
        return self._page("/oauth2/authorize", hidden, note, query.get("scope", ""))

    async def _consent(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        redirect, state = form.get("redirect_uri", ""), form.get("state", "")
        if form.get("client_id") not in self.apps or not redirect.startswith(("http://", "https://")):
            return self._error(400, "invalid client")
        if form.get("action") == "deny":
            params = {
                "error": "access_denied",
                "error_description": "The user denied you access",
                "state": state,
            }
            raise web.HTTPFound(_with(redirect, params))
        return self._answer_code(form.get("other") or form.get("login", ""), form)

    def _answer_code(self, login: str, asked: Mapping[str, str]) -> web.Response:
        user = self._world.population.by_login(login.lower())
        if user is None:
            return self._error(400, f"nobody here is called {login}")
        code = secrets.token_hex(15)
        redirect, scope = asked["redirect_uri"], asked.get("scope", "")
        self._codes[code] = _Code(
            login=user.login,
            client_id=asked["client_id"],
            scopes=tuple(scope.split()),
            redirect_uri=redirect,
            challenge=asked.get("code_challenge", ""),
            challenge_method=asked.get("code_challenge_method") or "plain",
        )
        raise web.HTTPFound(_with(redirect, {"code": code, "scope": scope, "state": asked.get("state", "")}))

    async def _device(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        if fields.get("client_id", "") not in self.apps:
            return self._error(400, "invalid client")
        scopes = tuple((fields.get("scopes") or fields.get("scope") or "").replace("+", " ").split())
        code, user_code = secrets.token_hex(20), secrets.token_hex(4).upper()
        self._devices[code] = _Device(fields["client_id"], user_code, scopes, self._clock() + DEVICE_LIFE_S)
        return web.json_response(
            {
                "device_code": code,
                "expires_in": DEVICE_LIFE_S,
                "interval": 5,
                "user_code": user_code,
                "verification_uri": f"{self._base_url()}/activate?device-code={user_code}",
            }
        )

    def _device_token(self, fields: dict[str, str], client_id: str) -> web.Response:
        device = self._devices.get(fields.get("device_code", ""))
        if device is None or device.client_id != client_id or device.expires_at_s < self._clock():
            return self._error(400, "invalid device code")
        if not device.login:
            return self._error(400, "authorization_pending")
        del self._devices[fields["device_code"]]
        self._let_in(client_id, device.login)
        return self._pair(device.login, device.scopes, client_id, once=True)

    async def _activate(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        user_code = fields.get("device-code", "").upper()
        who = fields.get("other") or fields.get("login", "")
        user = self._world.population.by_login(who.lower())
        device = next((d for d in self._devices.values() if d.user_code == user_code), None)
        if request.method == "POST" and device and fields.get("action") == "deny":
            device.expires_at_s = 0.0
            return web.Response(text="The device was not let in. You can close this page.")
        if request.method == "POST" and device and user:
            device.login = user.login
            return web.Response(
                text=f"Done: the device is logged in as {user.login}. You can close this page."
            )
        note = f"A device with the code {user_code or '(missing)'} wants to know who you are."
        scope = " ".join(device.scopes) if device else ""
        return self._page("/activate", {"device-code": user_code}, note, scope)

    def _page(self, action: str, hidden: dict[str, str], note: str, scope: str) -> web.Response:
        roles = cast(self._world, self._clock())
        text = login_page(action, hidden, note, scope.split(), roles)
        return web.Response(text=text, content_type="text/html")


def _with(redirect: str, params: dict[str, str]) -> str:
    """An address with more parameters."""
    return f"{redirect}{'&' if '?' in redirect else '?'}{urllib.parse.urlencode(params)}"
