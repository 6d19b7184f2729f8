"""The checks that call Twitch (or the sandbox): chat, tokens, Helix, the clock.

Written without the collectors' client on purpose: a check should not share the bug it looks for.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from dashboard.config import Settings
from dashboard.config_rules import CURES
from dashboard.health import Check

_TIMEOUT_S = 8.0
_SKEW_WARN_S = 5
_SKEW_FAIL_S = 300
_NETWORK_CURE = "Look at the network, a firewall or a proxy (HTTPS_PROXY)."
_NOT_RUNNING = "the sandbox is not running at the moment; `python app.py` starts it"
_LOCAL = ("localhost", "127.0.0.1", "::1")


async def check_chat(settings: Settings) -> Check:
    """Whether the chat server answers, up to the WebSocket or TLS handshake."""
    name, url = "Twitch chat", settings.irc_url
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            if parts.scheme in ("ws", "wss"):
                await _shake_websocket(url)
            else:
                await _shake_tcp(parts.hostname or "", parts.port, has_tls=parts.scheme == "ircs")
    except ssl.SSLCertVerificationError as error:
        detail = f"{parts.netloc}: its certificate is not trusted ({error.verify_message})"
        return Check(name, "fail", detail, _NETWORK_CURE)
    except TimeoutError:
        return Check(name, "fail", f"{parts.netloc} did not answer within {_TIMEOUT_S:g} s", _NETWORK_CURE)
    except _chat_errors() as error:
        if settings.is_sandbox and isinstance(error, OSError):
            return Check(name, "off", _NOT_RUNNING)
        cure = f"{_NETWORK_CURE} {CURES['twitch_irc_url']}" if settings.twitch_irc_url else _NETWORK_CURE
        return Check(name, "fail", f"{parts.netloc} can't be reached ({_reason(error)})", cure)
    who = f"as {settings.irc_login}" if settings.irc_login else "anonymously"
    return Check(name, "ok", f"{parts.netloc} answers; chat is read {who}")


async def _shake_websocket(url: str) -> None:
    from websockets.asyncio.client import connect

    connection = await connect(
        url,
        open_timeout=None,
        close_timeout=1,
        compression=None,
        proxy=None if urlsplit(url).hostname in _LOCAL else True,
    )
    await connection.close()


async def _shake_tcp(host: str, port: int | None, *, has_tls: bool) -> None:
    port = port or (6697 if has_tls else 6667)
    _, writer = await asyncio.open_connection(host, port, ssl=has_tls or None)
    writer.close()


def _chat_errors() -> tuple[type[Exception], ...]:
    from websockets.exceptions import WebSocketException

    return (OSError, EOFError, WebSocketException)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


async def check_chat_token(settings: Settings) -> Check:
    """Whether the chat token is valid, belongs to the login and may read chat."""
    name, token = "Chat token", settings.irc_token.get_secret_value()
    if not token:
        return Check(name, "off", "not set: chat is read anonymously, that is enough")
    status, _, body = await _call(
        "GET", f"{settings.auth_url}/validate", headers={"Authorization": f"OAuth {token}"}
    )
    if status is None:
        return Check(name, "fail", f"{_host(settings.auth_url)} can't be reached", _NETWORK_CURE)
    if status == 401:
        return Check(
            name, "fail", "Twitch refused TWITCH_IRC_TOKEN: it is wrong or expired", CURES["twitch_irc_token"]
        )
    if status != 200:
        return Check(name, "warn", f"can't be told: Twitch answered with status {status}", "Try again later.")
    login = str(body.get("login", ""))
    if login.lower() != settings.twitch_irc_login.lower():
        detail = f"TWITCH_IRC_TOKEN belongs to {login or 'nobody'}, not to {settings.twitch_irc_login}"
        return Check(name, "fail", detail, CURES["twitch_irc_login"])
    if "chat:read" not in (body.get("scopes") or []):
        return Check(name, "fail", "TWITCH_IRC_TOKEN has no scope chat:read", CURES["twitch_irc_token"])
    return Check(name, "ok", f"valid for {login}")


async def check_api(settings: Settings) -> Check:
    """Whether the credentials get a token and Helix accepts it."""
    name = "Twitch API"
    if not settings.has_credentials:
        return Check(
            name,
            "off",
            "no credentials: chat only, no viewer counts, games, titles or stream starts",
            "Set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps).",
        )
    form = {
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.get_secret_value(),
        "grant_type": "client_credentials",
    }
    status, _, body = await _call("POST", f"{settings.auth_url}/token", data=form)
    if status is None:
        return _unreachable(name, settings, settings.auth_url)
    token = body.get("access_token")
    if status != 200 or not isinstance(token, str):
        return _refused(name, status, body, settings)
    headers = {"Authorization": f"Bearer {token}", "Client-Id": settings.client_id}
    status, _, body = await _call("GET", f"{settings.api_url}/streams?first=1", headers=headers)
    if status is None:
        return _unreachable(name, settings, settings.api_url)
    if status != 200 or not isinstance(body.get("data"), list):
        return _refused(name, status, body, settings)
    return Check(name, "ok", f"{_host(settings.api_url)} accepts the credentials: viewer counts work")


def _unreachable(name: str, settings: Settings, url: str) -> Check:
    if settings.is_sandbox:
        return Check(name, "off", _NOT_RUNNING)
    return Check(name, "fail", f"{_host(url)} can't be reached", _NETWORK_CURE)


def _refused(name: str, status: int, body: Mapping[str, Any], settings: Settings) -> Check:
    secret = settings.client_secret.get_secret_value()
    message = str(body.get("message") or f"status {status}")[:200].replace(secret, "**********")
    if status >= 500 or status == 429:
        return Check(name, "warn", f"Twitch has trouble at the moment ({message})", "Try again later.")
    if status in (400, 401, 403):
        return Check(
            name, "fail", f"Twitch refused the credentials ({message})", CURES["twitch_client_secret"]
        )
    addresses = f"{CURES['twitch_api_url']} {CURES['twitch_auth_url']}"
    return Check(name, "fail", f"what answers is not Twitch's API ({message})", addresses)


async def check_clock(settings: Settings) -> Check:
    """How far this machine's clock is from Twitch's (whose answers tell the time to the second)."""
    name = "Clock"
    if settings.is_sandbox:
        return Check(name, "off", "the sandbox goes by this machine's clock")
    asked_s = time.time()
    status, headers, _ = await _call("GET", settings.api_url)
    answered_s = time.time()
    try:
        date_s = parsedate_to_datetime(headers.get("Date", "")).timestamp() + 0.5
    except ValueError:
        detail = "can't be told: " + ("no answer" if status is None else "the answer has no date")
        return Check(name, "off", detail)
    skew_s = (asked_s + answered_s) / 2 - date_s
    # What the whole second and the way there and back leave open is not the clock's fault.
    doubt_s = 0.5 + (answered_s - asked_s) / 2
    if abs(skew_s) <= _SKEW_WARN_S + doubt_s:
        return Check(name, "ok", "agrees with Twitch's to a few seconds")
    detail = f"{abs(skew_s):.0f} s {'fast' if skew_s > 0 else 'slow'} against Twitch's"
    cure = "Switch on time synchronisation (timedatectl set-ntp true): delays and gaps are measured wrongly."
    return Check(name, "fail" if abs(skew_s) > _SKEW_FAIL_S else "warn", detail, cure)


async def _call(
    method: str, url: str, **options: Any
) -> tuple[int | None, Mapping[str, str], Mapping[str, Any]]:
    """Status, headers and JSON object of an answer; ``None`` as the status when there was none."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    has_proxy = urlsplit(url).hostname not in _LOCAL
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=has_proxy) as session,
            session.request(method, url, allow_redirects=False, **options) as response,
        ):
            try:
                body = await response.json(content_type=None)
            except ValueError:
                body = None
            return response.status, response.headers, body if isinstance(body, dict) else {}
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None, {}, {}


def _host(url: str) -> str:
    return urlsplit(url).netloc
