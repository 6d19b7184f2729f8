"""The two things below the Helix client: one exchange over HTTP, and the application's token.

Secrets travel in bodies and headers, never in URLs. aiohttp's exceptions are never chained: they
can hold the request, and the request holds the token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from pydantic import SecretStr

from collectors.rate_limit import SECOND
from dashboard.errors import TwitchRefused, TwitchUnauthorized, TwitchUnavailable
from dashboard.events import Instant

RETRY_AFTER_S = 1.0
"""Pause before the one retry that Twitch asks for after a 503."""
_VALIDATE_EVERY_S = 3600
_LONGEST_MESSAGE = 300
CREDENTIALS_CURE = "Check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps)."


@dataclass(slots=True, frozen=True)
class Answer:
    """What came back: ``body`` is the JSON object, ``None`` when it was none."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any] | None

    @property
    def message(self) -> str:
        """Twitch's own words for an error, or the status."""
        body = self.body or {}
        text = body.get("message") or body.get("error") or f"status {self.status}"
        return str(text)[:_LONGEST_MESSAGE]


async def exchange(
    session: aiohttp.ClientSession, call: str, method: str, url: str, **options: Any
) -> Answer:
    """Sends one request and reads the whole answer.

    Args:
        session: Has the timeout.
        call: The call's name for errors, such as ``GET /streams``.
        method: HTTP method.
        url: Without secrets.
        **options: aiohttp's: headers, params, data.

    Returns:
        The answer, whatever its status.

    Raises:
        TwitchUnavailable: No answer, or not in time.
    """
    host = urlsplit(url).netloc
    try:
        async with session.request(method, url, allow_redirects=False, **options) as response:
            content = await response.read()
            status, headers = response.status, response.headers
    except TimeoutError:
        raise TwitchUnavailable(f"{call}: no answer from {host} in time") from None
    except aiohttp.ClientConnectorError:
        raise TwitchUnavailable(f"{call}: {host} can't be reached") from None
    except (aiohttp.ClientError, OSError) as error:
        raise TwitchUnavailable(f"{call}: the connection to {host} broke ({type(error).__name__})") from None
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    return Answer(status, headers, body if isinstance(body, dict) else None)


class AppToken:
    """The application's access token: fetched when first needed, the same for all callers.

    Args:
        session: Gives the session to use.
        auth_url: Base address of OAuth.
        client_id: The application.
        client_secret: Its secret.
        now: The clock.
        sleep: Waits for seconds.

    Source: Twitch's client credentials flow. App tokens can't be refreshed, only fetched anew; every
        token is validated when it is new and hourly.
    """

    cure = CREDENTIALS_CURE

    def __init__(
        self,
        session: Callable[[], aiohttp.ClientSession],
        auth_url: str,
        client_id: str,
        client_secret: SecretStr,
        *,
        now: Callable[[], Instant],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._session = session
        self._auth_url = auth_url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._now = now
        self._sleep = sleep
        self._value = ""
        self._validated_at = 0
        self._renewal: asyncio.Task[None] | None = None

    async def get(self) -> str:
        """The token, fetched or validated first where that is due.

        Raises:
            TwitchUnauthorized: Twitch refuses the application's credentials.
            TwitchUnavailable: OAuth does not answer.
            TwitchRefused: OAuth says no for another reason.
        """
        if not self._value or self._renewal:
            await self._renew_once()
        elif self._now() - self._validated_at >= _VALIDATE_EVERY_S * SECOND:
            self._validated_at = self._now()  # first: parallel callers need not do it too
            if not await self._is_accepted(self._value):
                await self._renew_once()
        return self._value

    async def replace(self, refused: str) -> str:
        """A token in place of one that got a 401; parallel callers get the same new one.

        Args:
            refused: The token that was refused.

        Raises:
            TwitchError: As :meth:`get`.
        """
        if self._value == refused or not self._value:
            await self._renew_once()
        return self._value

    async def close(self) -> None:
        """Gives up what is under way."""
        if self._renewal:
            self._renewal.cancel()

    async def _renew_once(self) -> None:
        if self._renewal is None:
            self._value = ""
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(self._renewal_is_over)
        # One caller's cancellation must not take the token from the others.
        await asyncio.shield(self._renewal)

    def _renewal_is_over(self, task: asyncio.Task[None]) -> None:
        self._renewal = None
        if not task.cancelled():
            task.exception()  # every caller got it already; unread, asyncio would complain

    async def _renew(self) -> None:
        token = await self._fetch()
        if not await self._is_accepted(token):
            raise TwitchUnauthorized(f"OAuth gives out a token that it does not accept. {CREDENTIALS_CURE}")
        self._value, self._validated_at = token, self._now()

    async def _fetch(self) -> str:
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret.get_secret_value(),
            "grant_type": "client_credentials",
        }
        answer = await self._post_token(form)
        if answer.status == 503:
            await self._sleep(RETRY_AFTER_S)
            answer = await self._post_token(form)
        message = answer.message.replace(form["client_secret"], "**********")
        if answer.status in (400, 401, 403):
            raise TwitchUnauthorized(
                f"Twitch refused the application's credentials: {message}. {CREDENTIALS_CURE}"
            )
        if answer.status >= 500 or answer.status == 429:
            raise TwitchUnavailable(f"POST /token: {message}")
        # An answer without a token is an error too, whatever its status says.
        token = (answer.body or {}).get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not token:
            raise TwitchRefused(f"POST /token: no token in the answer ({message}). Check TWITCH_AUTH_URL.")
        return token

    async def _post_token(self, form: Mapping[str, str]) -> Answer:
        return await exchange(self._session(), "POST /token", "POST", f"{self._auth_url}/token", data=form)

    async def _is_accepted(self, token: str) -> bool:
        """Whether OAuth accepts a token; doubtful answers count as yes, the API has the last word."""
        headers = {"Authorization": f"OAuth {token}"}
        url = f"{self._auth_url}/validate"
        try:
            answer = await exchange(self._session(), "GET /validate", "GET", url, headers=headers)
        except TwitchUnavailable:
            return True
        return answer.status != 401
