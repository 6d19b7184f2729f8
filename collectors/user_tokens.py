"""The care of the users' tokens: refresh when refused, validate hourly, revoke.

Refresh tokens may work only once, so a pair is replaced under a lease that all processes share: of
many callers that got a 401 one asks Twitch, and the others take what it stored.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import structlog

from collectors.oauth import LOGIN_CURE, OAuthClient
from dashboard.config import Settings
from dashboard.errors import TwitchRefused, TwitchUnauthorized, TwitchUnavailable
from dashboard.events import now_us
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


@dataclass(frozen=True, slots=True)
class ValidationSummary:
    """What an hourly look at all tokens found."""

    valid_count: int
    renewed_count: int
    invalid_count: int
    unknown_count: int
    """Twitch did not answer: they count as valid until it does."""


async def validate_all(settings: Settings, vault: TokenVault) -> ValidationSummary:
    """Asks Twitch whether every stored token still holds, as it demands at start and hourly.

    A refused one is refreshed once; if that is refused too it is marked, and its owner's page says so.

    Args:
        settings: Address and credentials.
        vault: The tokens; logins and scopes that changed are written back.

    Returns:
        Counts; nothing is raised for a single token.

    Source: dev.twitch.tv, “Validating requests”.
    """
    counts = {"valid": 0, "renewed": 0, "invalid": 0, "unknown": 0}
    for token in await asyncio.to_thread(vault.all):
        counts[await _validate_one(settings, vault, token)] += 1
    return ValidationSummary(*counts.values())


async def _validate_one(settings: Settings, vault: TokenVault, token: UserToken) -> str:
    if not token.is_usable:
        return "invalid"
    outcome = "valid"
    try:
        async with OAuthClient(settings) as oauth:
            told = await oauth.check(token.access_token)
            if told is None:
                token = await renew(settings, vault, token.user_id, token.access_token.get_secret_value())
                outcome, told = "renewed", await oauth.check(token.access_token)
    except TwitchUnauthorized:
        return "invalid"
    except (TwitchUnavailable, TwitchRefused) as error:
        log.warning("token can't be validated", user_id=token.user_id, error=str(error))
        return "unknown"
    if told is None or told.user_id != token.user_id:
        reason = f"Twitch does not accept this token any more. {LOGIN_CURE}"
        await asyncio.to_thread(vault.mark_invalid, token.user_id, reason, token.access_token)
        return "invalid"
    seen = replace(
        token,
        user_login=told.user_login or token.user_login,
        scopes=told.scopes,
        expires_at=told.expires_at,
        validated_at=now_us(),
    )
    await asyncio.to_thread(vault.note_valid, seen)
    return outcome


async def revoke(settings: Settings, vault: TokenVault, user_id: str) -> bool:
    """Gives a person's grant back to Twitch and forgets it here.

    Args:
        settings: Address and credentials.
        vault: Where the token is.
        user_id: Whose.

    Returns:
        Whether Twitch knows of it; when it does not answer the token is forgotten all the same and ends
        by itself.
    """
    token = await asyncio.to_thread(vault.get, user_id)
    await asyncio.to_thread(vault.forget, user_id)
    if token is None or not token.access_token.get_secret_value():
        return True
    try:
        async with OAuthClient(settings) as oauth:
            await oauth.revoke(token.access_token)
    except TwitchUnavailable:
        return False
    return True
