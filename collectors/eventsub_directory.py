"""Who is logged in and what they moderate, and which ids the followed channels have."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Protocol

import structlog

from collectors.eventsub_book import Helix
from collectors.eventsub_plan import Grant, Room
from collectors.helix_models import User
from dashboard.errors import TwitchError
from dashboard.scopes import MODERATED_CHANNELS
from dashboard.storage.tokens import TokenVault, UserToken

log = structlog.get_logger(__name__)

_MODERATED_EVERY_S = 3600.0
_UNKNOWN_EVERY_S = 600.0
_AFTER_FAILURE_S = 60.0


class UserHelix(Helix, Protocol):
    """What of the Helix client is needed here."""

    async def get_users(self, *, ids: Iterable[str] = (), logins: Iterable[str] = ()) -> list[User]:
        """Accounts behind logins."""

    def paginate(self, path: str, params: Sequence[tuple[str, str]] = ()) -> AsyncIterator[dict[str, Any]]:
        """All elements of a list."""

    async def close(self) -> None:
        """Closes the connections."""


class Directory:
    """Remembers what Twitch said, and asks again when that is old.

    Args:
        vault: The tokens.
        app: Asks as the application.
        user_client: Asks as a person, by user id.
    """

    def __init__(self, vault: TokenVault, app: UserHelix, user_client: Callable[[str], UserHelix]) -> None:
        self._vault = vault
        self._app = app
        self._user_client = user_client
        self._clients: dict[str, UserHelix] = {}
        self._ids: dict[str, str] = {}
        self._unknown_since_s: dict[str, float] = {}
        self._moderated: dict[str, tuple[float, frozenset[str]]] = {}
        self.unusable: dict[str, str] = {}
        """Why a person's token does not work, by login."""

    def client(self, user_id: str) -> UserHelix:
        """The client of a person; the same each time."""
        if user_id not in self._clients:
            self._clients[user_id] = self._user_client(user_id)
        return self._clients[user_id]

    async def close(self) -> None:
        """Closes the persons' clients."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    async def grants(self) -> list[Grant]:
        """Everybody whose token works, with what they moderate.

        Raises:
            StorageError: The vault does not answer.
        """
        tokens = await asyncio.to_thread(self._vault.all)
        self.unusable = {token.user_login: str(token.error) for token in tokens if not token.is_usable}
        return [
            Grant(token.user_id, token.user_login, token.scopes, await self._moderated_by(token))
            for token in tokens
            if token.is_usable
        ]

    async def rooms(self, logins: Sequence[str]) -> list[Room]:
        """The channels with their ids, in their order.

        Raises:
            TwitchError: Twitch does not tell the ids of new ones.
        """
        now_s = time.monotonic()
        asked = [
            login
            for login in logins
            if login not in self._ids
            and now_s - self._unknown_since_s.get(login, -_UNKNOWN_EVERY_S) >= _UNKNOWN_EVERY_S
        ]
        if asked:
            users = await self._app.get_users(logins=asked)
            self._ids |= {user.user_login.lower(): user.user_id for user in users}
            self._unknown_since_s |= {login: now_s for login in asked if login not in self._ids}
        return [Room(login, self._ids.get(login)) for login in logins]

    async def _moderated_by(self, token: UserToken) -> frozenset[str]:
        if MODERATED_CHANNELS not in token.scopes:
            return frozenset()
        due_s, known = self._moderated.get(token.user_id, (0.0, frozenset()))
        if time.monotonic() < due_s:
            return known
        wait_s = _MODERATED_EVERY_S
        try:
            params = [("user_id", token.user_id), ("first", "100")]
            pages = self.client(token.user_id).paginate("/moderation/channels", params)
            known = frozenset([str(channel.get("broadcaster_id") or "") async for channel in pages])
        except TwitchError as error:
            log.warning("moderated channels not known", user_login=token.user_login, error=str(error))
            wait_s = _AFTER_FAILURE_S
        self._moderated[token.user_id] = (time.monotonic() + wait_s, known)
        return known
