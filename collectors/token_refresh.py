"""A refused user token is replaced once, whichever of all processes found out.

Refresh tokens may work only once, so a pair is replaced under a lease that all processes share: of
many callers that got a 401 one asks Twitch, and the others take what it stored.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from collectors.oauth import LOGIN_CURE, OAuthClient
from dashboard.config import Settings
from dashboard.errors import TwitchUnauthorized
from dashboard.storage.tokens import TokenVault, UserToken

log = structlog.get_logger(__name__)

_LEASE_S = 30.0
"""Longer than one refresh with its retry can take; after it a dead holder's right is free."""
_LOOK_AGAIN_S = 0.05


class StoredToken:
    """One person's token for a Helix client: read from the vault, refreshed when it is refused.

    Args:
        settings: Address and credentials of OAuth.
        vault: Where the token is.
        user_id: Whose.
    """

    cure = LOGIN_CURE

    def __init__(self, settings: Settings, vault: TokenVault, user_id: str) -> None:
        self._settings = settings
        self._vault = vault
        self._user_id = user_id

    async def get(self) -> str:
        """The token as it is stored now.

        Raises:
            TwitchUnauthorized: There is none, or it does not work any more.
        """
        token = await asyncio.to_thread(self._vault.get, self._user_id)
        if token is None:
            raise TwitchUnauthorized(f"There is no token of user {self._user_id}. {LOGIN_CURE}")
        if not token.is_usable:
            raise TwitchUnauthorized(f"The token of {token.user_login} does not work: {token.error}")
        return token.access_token.get_secret_value()

    async def replace(self, refused: str) -> str:
        """A token in place of one that got a 401: refreshed here, or by whoever was faster."""
        token = await renew(self._settings, self._vault, self._user_id, refused)
        return token.access_token.get_secret_value()

    async def close(self) -> None:
        """Nothing is kept open."""


async def renew(settings: Settings, vault: TokenVault, user_id: str, refused: str) -> UserToken:
    """Replaces a refused pair once, whichever of all processes asks.

    Args:
        settings: Address and credentials.
        vault: Where the pair is.
        user_id: Whose.
        refused: The access token that got a 401.

    Returns:
        A pair with another access token.

    Raises:
        TwitchUnauthorized: The refresh token is refused too; the stored token is marked.
        TwitchUnavailable: OAuth does not answer; the pair stays for the next try.
        TwitchRefused: Any other refusal, such as wrong credentials; the pair stays.
    """
    async with _lease(vault, user_id, refused) as token:
        if not token.is_usable:
            raise TwitchUnauthorized(f"The token of {token.user_login} does not work: {token.error}")
        if token.access_token.get_secret_value() != refused:
            return token
        # Once the question is out the answer must be stored, or a refresh token that works once is lost:
        # a caller that is cancelled must not take it along.
        return await asyncio.shield(asyncio.ensure_future(_refresh(settings, vault, token)))


async def _refresh(settings: Settings, vault: TokenVault, token: UserToken) -> UserToken:
    async with OAuthClient(settings) as oauth:
        try:
            new = await oauth.refresh(token)
        except TwitchUnauthorized as error:
            await asyncio.to_thread(vault.mark_invalid, token.user_id, str(error), token.access_token)
            log.warning("token is refused", user_id=token.user_id, user_login=token.user_login)
            raise
        return await asyncio.to_thread(vault.swap, token.user_id, token.access_token, new)


@asynccontextmanager
async def _lease(vault: TokenVault, user_id: str, refused: str) -> AsyncIterator[UserToken]:
    """Waits until the pair is another one, or the right to refresh it is ours."""
    holder = secrets.token_hex(8)
    is_ours = False
    try:
        while True:
            token = await asyncio.to_thread(vault.get, user_id)
            if token is None:
                raise TwitchUnauthorized(f"There is no token of user {user_id}. {LOGIN_CURE}")
            is_done = not token.is_usable or token.access_token.get_secret_value() != refused
            # Read again after the lease is ours: the last holder may have stored a pair just before.
            if is_done or is_ours:
                yield token
                return
            is_ours = await asyncio.to_thread(vault.lease, user_id, holder, _LEASE_S)
            if not is_ours:
                await asyncio.sleep(_LOOK_AGAIN_S)
    finally:
        if is_ours:
            await asyncio.to_thread(vault.release, user_id, holder)
