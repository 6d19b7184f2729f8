"""The sandbox's streamer logs in by itself, so that everything that needs a token works at once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import structlog
from pydantic import SecretStr

from collectors.oauth import OAuthClient, granted_token
from dashboard.config import Settings
from dashboard.errors import TwitchRefused, TwitchUnavailable
from dashboard.scopes import ALL_SCOPES
from dashboard.storage.tokens import TokenVault, UserToken

log = structlog.get_logger(__name__)

_REDIRECT = "http://localhost/auth/twitch/callback"
_TIMEOUT = aiohttp.ClientTimeout(total=10)


async def log_in_to_sandbox(settings: Settings, vault: TokenVault, login: str) -> UserToken | None:
    """Stores a token of one of the sandbox's people with every scope, if nobody is logged in yet.

    Args:
        settings: Must stand for the sandbox; Twitch itself is never asked.
        vault: Where the token goes.
        login: Who, such as the first home channel.

    Returns:
        The token; None when there is one already, or this is not the sandbox.

    Raises:
        TwitchUnavailable: The sandbox does not answer (yet).
        TwitchRefused: It knows nobody of that login.
    """
    # An address of one's own may be Twitch's: only the sandbox's page agrees without asking anybody.
    if not settings.is_sandbox or settings.twitch_auth_url or vault.all():
        return None
    async with OAuthClient(settings) as oauth:
        body = await oauth.exchange_code(await _code(settings, login), _REDIRECT)
        told = await oauth.check(SecretStr(str(body["access_token"])))
    if told is None:
        raise TwitchRefused("GET /validate: the sandbox does not accept its own token")
    token = granted_token(body, told)
    vault.save(token)
    log.info("logged in to the sandbox", user_login=token.user_login)
    return token


async def _code(settings: Settings, login: str) -> str:
    query = {
        "client_id": settings.client_id,
        "redirect_uri": _REDIRECT,
        "response_type": "code",
        "scope": " ".join(sorted(ALL_SCOPES)),
        "login": login,
    }
    url = f"{settings.auth_url}/authorize?{urlencode(query)}"
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            target = answer.headers.get("Location", "")
    except (aiohttp.ClientError, OSError) as error:
        raise TwitchUnavailable(f"The sandbox's login does not answer ({type(error).__name__})") from None
    code = parse_qs(urlsplit(target).query).get("code", [""])[0]
    if not code:
        raise TwitchRefused(f"The sandbox lets nobody in who is called {login}")
    return code
