"""Twitch's login service, as far as no browser is needed: validate, refresh, revoke, device codes.

Secrets travel in bodies and headers only, and no message holds one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from collectors.helix_http import CREDENTIALS_CURE, RETRY_AFTER_S, Answer, exchange
from dashboard.config import Settings
from dashboard.errors import TwitchRefused, TwitchUnauthorized, TwitchUnavailable
from dashboard.events import Instant, now_us
from dashboard.storage.tokens import UserToken

LOGIN_CURE = "Log in again on the Account page, or with python app.py login."
_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """What OAuth says of an access token."""

    user_id: str
    user_login: str
    scopes: frozenset[str]
    expires_at: Instant


class OAuthClient:
    """Twitch's login service, as far as no browser is needed.

    Args:
        settings: Address and credentials.

    Raises (all calls):
        TwitchUnavailable: No answer, or a server error.
        TwitchUnauthorized: The grant or the credentials are refused.
        TwitchRefused: Any other refusal.

    Source: dev.twitch.tv, “Getting OAuth Access Tokens”, “Refreshing”, “Validating”, “Revoking”.
    """

    def __init__(self, settings: Settings) -> None:
        self._url = settings.auth_url.rstrip("/")
        self._client_id = settings.client_id
        self._client_secret = settings.client_secret
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> OAuthClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def check(self, access_token: SecretStr) -> TokenCheck | None:
        """What a user's token stands for; None when it is refused, or is no user's."""
        headers = {"Authorization": f"OAuth {access_token.get_secret_value()}"}
        answer = await self._send("GET", "/validate", headers=headers)
        body = answer.body or {}
        if answer.status == 401 or (answer.status == 200 and not body.get("user_id")):
            return None
        if answer.status != 200:
            raise TwitchUnavailable(f"GET /validate: {answer.message}")
        return TokenCheck(
            user_id=str(body["user_id"]),
            user_login=str(body.get("login") or "").lower(),
            scopes=_scopes(body.get("scopes")),
            expires_at=_in_s(body.get("expires_in")),
        )

    async def refresh(self, token: UserToken) -> UserToken:
        """A new pair for an old one; the old refresh token may be spent by this."""
        form = {"grant_type": "refresh_token", "refresh_token": token.refresh_token.get_secret_value()}
        body = self._granted("refresh", await self._post("/token", form), form["refresh_token"])
        return _renewed(token, body)

    async def exchange_code(self, code: str, redirect_uri: str) -> dict[str, Any]:
        """A token answer for the code that the browser brought back."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return self._granted("login", await self._post("/token", form), code)

    async def revoke(self, access_token: SecretStr) -> None:
        """Makes a token worthless; one that is so already is fine."""
        answer = await self._post("/revoke", {"token": access_token.get_secret_value()}, with_secret=False)
        if answer.status >= 500:
            raise TwitchUnavailable(f"POST /revoke: status {answer.status}")

    async def start_device(self, scopes: frozenset[str]) -> dict[str, Any]:
        """Starts the device code flow.

        Returns:
            ``device_code``, ``user_code``, ``verification_uri``, ``expires_in`` and ``interval`` (seconds).
        """
        answer = await self._post("/device", {"scopes": " ".join(sorted(scopes))}, with_secret=False)
        body = answer.body or {}
        if answer.status != 200 or not body.get("device_code"):
            raise TwitchRefused(f"POST /device: {answer.message}")
        return body

    async def poll_device(self, device_code: str, scopes: frozenset[str]) -> Answer:
        """Asks once whether the person has agreed; the caller reads the answer."""
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": device_code,
            "scopes": " ".join(sorted(scopes)),
        }
        return await self._post("/token", form)

    def _granted(self, what: str, answer: Answer, *secrets_sent: str) -> dict[str, Any]:
        body = answer.body or {}
        message = answer.message
        for secret in (*secrets_sent, self._client_secret.get_secret_value()):
            message = message.replace(secret, "**********") if secret else message
        if answer.status >= 500 or answer.status == 429:
            raise TwitchUnavailable(f"POST /token ({what}): {message}")
        if answer.status == 403 or message.lower().startswith(("invalid client", "missing client")):
            raise TwitchRefused(f"POST /token ({what}): {message}. {CREDENTIALS_CURE}")
        if answer.status in (400, 401):
            raise TwitchUnauthorized(f"Twitch refused the {what}: {message}. {LOGIN_CURE}")
        # An answer without a token is an error too, whatever its status says.
        if answer.status != 200 or not body.get("access_token"):
            raise TwitchRefused(f"POST /token ({what}): no token in the answer. Check TWITCH_AUTH_URL.")
        return body

    async def _post(self, path: str, form: dict[str, str], *, with_secret: bool = True) -> Answer:
        data = form | {"client_id": self._client_id}
        if with_secret:
            data["client_secret"] = self._client_secret.get_secret_value()
        answer = await self._send("POST", path, data=data)
        if answer.status == 503:
            await asyncio.sleep(RETRY_AFTER_S)
            answer = await self._send("POST", path, data=data)
        return answer

    async def _send(self, method: str, path: str, **options: Any) -> Answer:
        if self._session is None:
            is_local = urlsplit(self._url).hostname in ("localhost", "127.0.0.1", "::1")
            self._session = aiohttp.ClientSession(
                timeout=_TIMEOUT, headers={"User-Agent": "StreamLens"}, trust_env=not is_local
            )
        return await exchange(self._session, f"{method} {path}", method, self._url + path, **options)


def granted_token(body: dict[str, Any], told: TokenCheck, display_name: str = "") -> UserToken:
    """A token answer as a row of the vault.

    Args:
        body: What ``POST /token`` answered.
        told: What validating its access token told.
        display_name: How the person writes themselves; the login if left out.

    Returns:
        The pair, validated just now.
    """
    return UserToken(
        user_id=told.user_id,
        user_login=told.user_login,
        user_display_name=display_name or told.user_login,
        scopes=told.scopes,
        access_token=SecretStr(str(body["access_token"])),
        refresh_token=SecretStr(str(body.get("refresh_token") or "")),
        expires_at=told.expires_at,
        validated_at=now_us(),
    )


def _renewed(token: UserToken, body: dict[str, Any]) -> UserToken:
    return replace(
        token,
        access_token=SecretStr(str(body["access_token"])),
        # Only some answers bring a new one.
        refresh_token=SecretStr(str(body.get("refresh_token") or token.refresh_token.get_secret_value())),
        scopes=_scopes(body["scope"]) if body.get("scope") else token.scopes,
        expires_at=_in_s(body.get("expires_in")),
        error=None,
    )


def _scopes(raw: object) -> frozenset[str]:
    if isinstance(raw, str):
        return frozenset(raw.split())
    return frozenset(str(scope) for scope in raw) if isinstance(raw, list) else frozenset()


def _in_s(seconds: object) -> Instant:
    life_s = seconds if isinstance(seconds, int) and seconds > 0 else 0
    return Instant(now_us() + life_s * 1_000_000)
