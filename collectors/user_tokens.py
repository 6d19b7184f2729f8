"""The hourly care of the users' tokens, what they let their owners see, and the way back: revoke."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog

from collectors.helix_client import HelixClient, open_user_client
from collectors.oauth import LOGIN_CURE, OAuthClient
from collectors.token_refresh import renew
from dashboard.config import Settings
from dashboard.errors import TwitchError, TwitchRefused, TwitchUnauthorized, TwitchUnavailable
from dashboard.events import now_us
from dashboard.scopes import MODERATED_CHANNELS
from dashboard.storage.accounts import Accounts, open_accounts
from dashboard.storage.tokens import TokenVault, UserToken

log = structlog.get_logger(__name__)


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

    A refused one is refreshed once; if that is refused too it is marked, its owner's sessions end, and
    their page says so. Everybody's list of moderated channels is read anew.

    Args:
        settings: Address, credentials and the data folder.
        vault: The tokens; logins and scopes that changed are written back.

    Returns:
        Counts; nothing is raised for a single token.

    Source: dev.twitch.tv, “Validating requests”.
    """
    counts = {"valid": 0, "renewed": 0, "invalid": 0, "unknown": 0}
    accounts = open_accounts(settings)
    try:
        for token in await asyncio.to_thread(vault.all):
            outcome = await _validate_one(settings, vault, token)
            counts[outcome] += 1
            await _look_after_account(settings, vault, accounts, token.user_id, outcome)
    finally:
        accounts.close()
    return ValidationSummary(*counts.values())


async def _look_after_account(
    settings: Settings, vault: TokenVault, accounts: Accounts, user_id: str, outcome: str
) -> None:
    if await asyncio.to_thread(accounts.get, user_id) is None:
        return  # granted from the command line only: nobody to show anything
    token = await asyncio.to_thread(vault.get, user_id)
    if token is None or outcome == "invalid":
        await asyncio.to_thread(accounts.set_moderated, user_id, ())
        await asyncio.to_thread(accounts.close_sessions, user_id)
    elif outcome != "unknown":
        await asyncio.to_thread(accounts.rename, user_id, token.user_login)
        try:
            logins = await moderated_logins(settings, vault, token)
        except TwitchError as error:
            log.warning("moderated channels are not known", user_id=user_id, error=str(error))
        else:
            await asyncio.to_thread(accounts.set_moderated, user_id, logins)


async def moderated_logins(settings: Settings, vault: TokenVault, token: UserToken) -> list[str]:
    """Which channels a person moderates.

    Args:
        settings: Addresses and credentials.
        vault: Where the token is.
        token: Theirs.

    Returns:
        Logins, lower case, of all pages; empty without the permission to ask.

    Raises:
        TwitchError: The list could not be read to its end.

    Source: Helix, Get Moderated Channels.
    """
    if MODERATED_CHANNELS not in token.scopes:
        return []
    params = [("user_id", token.user_id), ("first", "100")]
    async with open_user_client(settings, vault, token.user_id) as client:
        found = [raw async for raw in client.paginate("/moderation/channels", params)]
    return sorted({str(raw.get("broadcaster_login") or "").lower() for raw in found} - {""})


async def display_name(client: HelixClient, token: UserToken) -> str:
    """How a person writes their own name; the login if Twitch does not tell."""
    users = await client.get_users(ids=[token.user_id])
    return next((user.user_display_name for user in users if user.user_display_name), token.user_login)


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
