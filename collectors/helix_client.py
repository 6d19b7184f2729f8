"""A thin client for Helix: token, rate limit, pages, and errors in words.

Twitch's rules it keeps (Helix reference): a 429 waits for the reset, a 503 is retried once, a
401 fetches a new token once; pages may repeat a stream; at most 100 filters a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from collectors.helix_http import RETRY_AFTER_S, Answer, AppToken, exchange
from collectors.helix_models import Stream, User, parse_stream, parse_user
from collectors.rate_limit import FileBucketStore, RateLimiter, bucket_path
from collectors.token_refresh import StoredToken
from dashboard.config import Settings
from dashboard.errors import TwitchRefused, TwitchUnauthorized, TwitchUnavailable
from dashboard.events import Instant, now_us
from dashboard.storage.tokens import TokenVault

Params = Sequence[tuple[str, str]]

_BATCH = 100
_LIMITED_TIMES = 5
"""After so many 429 in a row on one call somebody else eats the bucket: tell instead of wait."""


class TokenSource(Protocol):
    """Where a client gets its access token from: the application's own, or a user's."""

    cure: str
    """What to do when it is refused for good."""

    async def get(self) -> str:
        """The token to try."""

    async def replace(self, refused: str) -> str:
        """A token in place of one that got a 401."""

    async def close(self) -> None:
        """Gives up what is under way."""


class HelixClient:
    """Asks Helix; safe for any number of parallel callers on one loop.

    Args:
        api_url: Base address of Helix.
        auth_url: Base address of OAuth.
        client_id: The application.
        client_secret: Its secret.
        token: Whose token to ask with; by default the application's own.
        limiter: Shared by all clients with the same token; by default one of its own.
        timeout_s: For one exchange.
        now: The clock.
        sleep: Waits for seconds.

    Raises (all calls):
        TwitchUnavailable: No answer, a server error, or the rate limit stays used up.
        TwitchUnauthorized: The credentials are refused, also with a new token.
        TwitchRefused: Any other refusal, with the call's name and Twitch's message.
    """

    def __init__(
        self,
        api_url: str,
        auth_url: str,
        client_id: str,
        client_secret: SecretStr,
        *,
        token: TokenSource | None = None,
        limiter: RateLimiter | None = None,
        timeout_s: float = 10.0,
        now: Callable[[], Instant] = now_us,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._client_id = client_id
        self._secret = client_secret
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None
        self._token: TokenSource = token or AppToken(
            self._open_session, auth_url, client_id, client_secret, now=now, sleep=sleep
        )
        self.limiter = limiter or RateLimiter(now=now, sleep=sleep)

    async def __aenter__(self) -> HelixClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections; the client may be used again afterwards."""
        await self._token.close()
        if self._session:
            await self._session.close()
            self._session = None

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                headers={"User-Agent": "StreamLens", "Client-Id": self._client_id},
                trust_env=not _is_local(self._api_url),  # HTTPS_PROXY, as the chat connection does
            )
        return self._session

    async def get(self, path: str, params: Params = ()) -> dict[str, Any]:
        """One question; as :meth:`request` with GET."""
        return await self.request("GET", path, params)

    async def request(
        self, method: str, path: str, params: Params = (), json: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """One call.

        Args:
            method: GET, POST, PATCH, PUT or DELETE.
            path: Below the base address, such as ``/streams``.
            params: Query parameters; a name may come several times.
            json: The body.

        Returns:
            The JSON object as Twitch sent it; empty where Twitch answers without one (204).
        """
        path = "/" + path.lstrip("/")
        token = await self._token.get()
        limited_count = 0
        has_new_token = has_waited_for_503 = False
        while True:
            answer = await self._send(method, path, params, json, token)
            if answer.status == 401 and not has_new_token:
                token = await self._token.replace(token)
                has_new_token = True
            elif answer.status == 429 and limited_count < _LIMITED_TIMES:
                limited_count += 1  # the limiter holds the next one back until the reset
            elif answer.status == 503 and not has_waited_for_503:
                await self._sleep(RETRY_AFTER_S)
                has_waited_for_503 = True
            else:
                return self._body(f"{method} {path}", answer, token)

    async def _send(
        self, method: str, path: str, params: Params, json: Mapping[str, Any] | None, token: str
    ) -> Answer:
        number = await self.limiter.take()
        answer: Answer | None = None
        try:
            answer = await exchange(
                self._open_session(),
                f"{method} {path}",
                method,
                self._api_url + path,
                params=params,
                json=json,
                headers={"Authorization": f"Bearer {token}"},
            )
            return answer
        finally:
            if answer:
                self.limiter.answered(number, answer.status, answer.headers)
            else:
                self.limiter.answered(number, None)

    def _body(self, call: str, answer: Answer, token: str) -> dict[str, Any]:
        if answer.status < 300 and answer.body is not None:
            return answer.body
        if answer.status == 204:
            return {}
        message = answer.message
        for secret in (token, self._secret.get_secret_value()):
            message = message.replace(secret, "**********") if secret else message
        if answer.status == 401:
            raise TwitchUnauthorized(f"{call}: {message}. {self._token.cure}")
        if answer.status == 429:
            raise TwitchUnavailable(f"{call}: the rate limit stays used up, by others with this client id")
        if answer.status >= 500:
            raise TwitchUnavailable(f"{call}: {message}")
        if answer.status < 300:
            raise TwitchUnavailable(f"{call}: the answer is not JSON. Check TWITCH_API_URL.")
        raise TwitchRefused(f"{call}: {message}")

    async def paginate(self, path: str, params: Params = ()) -> AsyncIterator[dict[str, Any]]:
        """All elements of a list, page by page.

        Args:
            path: As for :meth:`get`.
            params: As for :meth:`get`; ``first`` is the size of a page.

        Yields:
            The elements of ``data``, as Twitch sent them.

        Caveats:
            Pages shift while they are read: an element may come twice or not at all.
        """
        cursor = ""
        seen = {cursor}
        while True:
            page = await self.get(path, [*params, ("after", cursor)] if cursor else params)
            for element in _elements(page, path):
                yield element
            pagination = page.get("pagination")
            cursor = str(pagination.get("cursor") or "") if isinstance(pagination, Mapping) else ""
            if cursor in seen:  # no further page, or one that was read already
                return
            seen.add(cursor)

    async def get_streams(
        self, *, user_logins: Iterable[str] = (), user_ids: Iterable[str] = ()
    ) -> list[Stream]:
        """The streams that are live among these channels.

        Args:
            user_logins: Logins, any case, any number.
            user_ids: Twitch ids.

        Returns:
            Each stream once; channels that are offline or don't exist have none.
        """
        filters = _unique("user_login", (login.lower() for login in user_logins))
        filters += _unique("user_id", user_ids)
        streams: dict[str, Stream] = {}
        for batch in _batches(filters):
            async for raw in self.paginate("/streams", [*batch, ("first", str(_BATCH))]):
                if stream := parse_stream(raw):
                    streams.setdefault(stream.stream_id, stream)
        return list(streams.values())

    async def get_users(self, *, ids: Iterable[str] = (), logins: Iterable[str] = ()) -> list[User]:
        """The accounts behind ids and logins.

        Args:
            ids: Twitch ids.
            logins: Logins, any case.

        Returns:
            Each account once; accounts that don't exist (any more) are missing.
        """
        filters = _unique("id", ids) + _unique("login", (login.lower() for login in logins))
        users: dict[str, User] = {}
        for batch in _batches(filters):
            for raw in _elements(await self.get("/users", batch), "/users"):
                if user := parse_user(raw):
                    users.setdefault(user.user_id, user)
        return list(users.values())


def open_client(settings: Settings) -> HelixClient | None:
    """The client that an installation's processes use, sharing one rate limit.

    Args:
        settings: Addresses, credentials and the data folder.

    Returns:
        The client (nothing is called yet); ``None`` without credentials.
    """
    if not settings.has_credentials:
        return None
    store = FileBucketStore(bucket_path(settings.data_dir, settings.client_id))
    return HelixClient(
        settings.api_url,
        settings.auth_url,
        settings.client_id,
        settings.client_secret,
        limiter=RateLimiter(store),
    )


def open_user_client(settings: Settings, vault: TokenVault, user_id: str) -> HelixClient:
    """A client that asks with a person's token; all processes share its rate limit and its refreshes.

    Args:
        settings: Addresses, credentials and the data folder.
        vault: Where the token is.
        user_id: Whose token.

    Returns:
        The client; nothing is called and nothing read yet. Its calls raise TwitchUnauthorized when there
        is no token that works; logging in again cures it, also for clients that are open already.
    """
    store = FileBucketStore(bucket_path(settings.data_dir, settings.client_id, user_id))
    return HelixClient(
        settings.api_url,
        settings.auth_url,
        settings.client_id,
        settings.client_secret,
        token=StoredToken(settings, vault, user_id),
        limiter=RateLimiter(store),
    )


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def _unique(name: str, values: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, value) for value in dict.fromkeys(values) if value]


def _batches(filters: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    return [filters[start : start + _BATCH] for start in range(0, len(filters), _BATCH)]


def _elements(page: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    data = page.get("data")
    if not isinstance(data, list):
        raise TwitchUnavailable(f"GET {path}: the answer has no list. Check TWITCH_API_URL.")
    return [element for element in data if isinstance(element, dict)]
