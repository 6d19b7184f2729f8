"""Twitch's login service: tokens for apps, for people, and for machines without a browser.

Tokens carry what they stand for and a signature, so they outlive a restart of the sandbox (as
Twitch's outlive one of Twitch's). Nothing here protects anything: the people are invented.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import secrets
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from dashboard.sandbox.users import User
from dashboard.sandbox.world import World

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"
APP_LIFE_S = 5_000_000
USER_LIFE_S = 14_400
DEVICE_LIFE_S = 1800
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True)
class Token:
    """What an access token stands for."""

    kind: str
    """``app``, ``user`` or ``refresh``."""
    client_id: str
    login: str
    """Whose it is; empty for an app."""
    scopes: tuple[str, ...]
    issued_at_s: float
    expires_at_s: float
    is_single_use: bool = False


class OnChange(Protocol):
    """Hears that somebody let an app in or threw it out."""

    def __call__(self, client_id: str, user: User, *, is_granted: bool) -> None: ...


def _nobody_listens(client_id: str, user: User, *, is_granted: bool) -> None:
    pass


@dataclass(slots=True)
class _Device:
    client_id: str
    user_code: str
    scopes: tuple[str, ...]
    expires_at_s: float
    login: str = ""


class OAuth:
    """The token store and its HTTP routes under ``/oauth2``."""

    def __init__(self, world: World, clock: Callable[[], float], base_url: Callable[[], str]) -> None:
        self._world = world
        self._clock = clock
        self._base_url = base_url
        self._key = hashlib.sha256(f"sandbox {world.seed}".encode()).digest()
        self._gone: set[str] = set()
        self._valid_from_s = 0.0
        self._codes: dict[str, tuple[str, str, tuple[str, ...], str]] = {}
        self._devices: dict[str, _Device] = {}
        self._grants: dict[tuple[str, str], frozenset[str]] = {}
        self._generations: dict[str, int] = {}
        self.on_change: OnChange = _nobody_listens
        """Called when somebody lets an app in or throws it out."""
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

    # -- tokens ------------------------------------------------------------------------------

    def issue(
        self,
        kind: str,
        login: str = "",
        scopes: tuple[str, ...] = (),
        *,
        client_id: str = CLIENT_ID,
        once: bool = False,
    ) -> str:
        """Makes a token.

        Args:
            kind: ``app``, ``user`` or ``refresh``.
            login: Whose token (not for apps).
            scopes: What it may do.
            client_id: For which app.
            once: A refresh token that can be used only once.

        Returns:
            The token.
        """
        now = self._clock()
        life = {"app": APP_LIFE_S, "user": USER_LIFE_S}.get(kind, 10 * APP_LIFE_S)
        generation = self._generations.get(login, 0)
        nonce = secrets.token_hex(4)
        body = json.dumps([kind, client_id, login, scopes, now, now + life, once, nonce, generation])
        if kind == "user":
            self._remember(client_id, login, scopes)
        packed = base64.b32encode(body.encode()).decode().rstrip("=").lower()
        return packed + self._signature(packed)

    def _is_signed(self, token: str) -> bool:
        return hmac.compare_digest(self._signature(token[:-20]).encode(), token[-20:].encode())

    def _signature(self, packed: str) -> str:
        return hmac.new(self._key, packed.encode(), "sha256").hexdigest()[:20]

    def read(self, token: str) -> Token | None:
        """What a token stands for, or ``None`` when it is invalid, revoked or too old."""
        packed = token[:-20]
        if token in self._gone or not self._is_signed(token):
            return None
        body = json.loads(base64.b32decode(packed.upper() + "=" * (-len(packed) % 8)))
        found = Token(body[0], body[1], body[2], tuple(body[3]), body[4], body[5], body[6])
        if found.expires_at_s <= self._clock() or found.issued_at_s < self._valid_from_s:
            return None
        if _generation(body) < self._generations.get(found.login, 0):
            return None
        if found.kind == "user":
            self._remember(found.client_id, found.login, found.scopes)
        return found

    def _remember(self, client_id: str, login: str, scopes: tuple[str, ...]) -> None:
        """What somebody has allowed an app: all that any of their tokens may do."""
        known = self._grants.get((client_id, login), frozenset())
        self._grants[client_id, login] = known | set(scopes)

    def granted(self, client_id: str, login: str) -> frozenset[str]:
        """The scopes that somebody has granted an app."""
        return self._grants.get((client_id, login), frozenset())

    def has_authorized(self, client_id: str, login: str) -> bool:
        """Whether somebody has let an app in at all."""
        return (client_id, login) in self._grants

    def revoke_user(self, login: str) -> bool:
        """Somebody disconnects every app: all their tokens end, and the subscriptions made with them.

        Args:
            login: Who.

        Returns:
            Whether there is such a person.
        """
        user = self._world.population.by_login(login)
        if user is None:
            return False
        self._generations[user.login] = self._generations.get(user.login, 0) + 1
        for client_id, who in list(self._grants):
            if who == user.login:
                del self._grants[client_id, who]
                self.on_change(client_id, user, is_granted=False)
        return True

    def expire_all(self) -> None:
        """Makes every access token issued so far invalid; refresh tokens go on."""
        self._valid_from_s = self._clock()

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
            if found is None or found[1] != client_id:
                return self._error(400, "Invalid authorization code")
            if fields.get("redirect_uri") != found[3]:
                return self._error(400, "Parameter redirect_uri does not match registered URI")
            return self._pair(found[0], found[2], client_id)
        return self._error(400, "Invalid grant type")

    def _refresh(self, fields: dict[str, str], client_id: str) -> web.Response:
        text = urllib.parse.unquote(fields.get("refresh_token", ""))
        packed = text[:-20]
        if not text or text in self._gone or not self._is_signed(text):
            return self._error(400, "Invalid refresh token")
        body = json.loads(base64.b32decode(packed.upper() + "=" * (-len(packed) % 8)))
        is_ended = _generation(body) < self._generations.get(body[2], 0)
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

    def user_of(self, token: Token) -> User | None:
        """The person behind a token."""
        return self._world.population.by_login(token.login) if token.login else None

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
            return self._answer_code(
                login, query["client_id"], redirect, query.get("scope", ""), query.get("state", "")
            )
        hidden = {
            "client_id": query["client_id"],
            "redirect_uri": redirect,
            "scope": query.get("scope", ""),
            "state": query.get("state", ""),
        }
        return self._page(
            "/oauth2/authorize", hidden, f"Asked for: {query.get('scope') or 'nothing special'}"
        )

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
            raise web.HTTPFound(f"{redirect}?{urllib.parse.urlencode(params)}")
        return self._answer_code(
            form.get("login", ""), form["client_id"], redirect, form.get("scope", ""), state
        )

    def _answer_code(self, login: str, client_id: str, redirect: str, scope: str, state: str) -> web.Response:
        user = self._world.population.by_login(login.lower())
        if user is None:
            return self._error(400, f"nobody here is called {login}")
        code = secrets.token_hex(15)
        self._codes[code] = user.login, client_id, tuple(scope.split()), redirect
        params = urllib.parse.urlencode({"code": code, "scope": scope, "state": state})
        raise web.HTTPFound(f"{redirect}{'&' if '?' in redirect else '?'}{params}")

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
        return self._pair(device.login, device.scopes, client_id, once=True)

    async def _activate(self, request: web.Request) -> web.Response:
        fields = await self._fields(request)
        user_code = fields.get("device-code", "").upper()
        user = self._world.population.by_login(fields.get("login", "").lower())
        device = next((d for d in self._devices.values() if d.user_code == user_code), None)
        if request.method == "POST" and device and user:
            device.login = user.login
            return web.Response(
                text=f"Done: the device is logged in as {user.login}. You can close this page."
            )
        return self._page("/activate", {"device-code": user_code}, f"Device code: {user_code or '(missing)'}")

    def _page(self, action: str, hidden: dict[str, str], note: str) -> web.Response:
        inputs = "".join(
            f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}">'
            for key, value in hidden.items()
        )
        options = "".join(f'<option value="{channel.login}">' for channel in self._world.channels[:40])
        text = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Sandbox login</title>"
            "<style>body{font:16px system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}"
            "input,button{font:inherit;padding:.4rem .6rem}</style>"
            "<h1>Log in to the sandbox</h1><p>This is not Twitch: it is StreamLens' local stand-in for it. "
            f"Choose who to be.</p><p>{html.escape(note)}</p><form method=post action={action}>{inputs}"
            f"<input name=login list=people value={self._world.channels[0].login} aria-label=Login>"
            f"<datalist id=people>{options}</datalist> <button name=action value=allow>Authorize</button> "
            "<button name=action value=deny>Cancel</button></form></html>"
        )
        return web.Response(text=text, content_type="text/html")


def _generation(body: list[object]) -> int:
    """How often its person had thrown the app out when a token was made."""
    return int(str(body[8])) if len(body) > 8 else 0
