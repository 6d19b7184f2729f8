"""Login without a browser on this machine: a code is typed in at Twitch, on any device."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from collectors.helix_client import open_user_client
from collectors.oauth import OAuthClient, granted_token
from collectors.user_tokens import display_name, moderated_logins, revoke
from dashboard.config import Settings
from dashboard.errors import TwitchError, TwitchRefused, TwitchUnavailable
from dashboard.logs import hide
from dashboard.storage.accounts import open_accounts
from dashboard.storage.audit import open_audit
from dashboard.storage.tokens import TokenVault, UserToken, open_vault

_SLOW_DOWN_S = 5
"""RFC 8628: so much longer between two questions from then on."""
_WAITING = "authorization_pending"
_TOO_FAST = "slow_down"


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person needs to agree."""

    user_code: str
    address: str
    """Where to go; the code is in it already."""
    life_s: int


async def device_login(
    settings: Settings,
    vault: TokenVault,
    scopes: frozenset[str],
    on_code: Callable[[DeviceCode], None],
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> UserToken:
    """Waits until somebody has agreed, and stores their token.

    Args:
        settings: Address and credentials.
        vault: Where the token goes, in place of an older one of the same person.
        scopes: What to ask for.
        on_code: Shows the code.
        sleep: Waits between two questions.
        monotonic: A clock in seconds.

    Returns:
        The token.

    Raises:
        TwitchRefused: They said no, or the code is over.
        TwitchUnavailable: Twitch does not answer.

    Source: dev.twitch.tv, “Device code grant flow”.
    """
    async with OAuthClient(settings) as oauth:
        started = await oauth.start_device(scopes)
        life_s = int(started.get("expires_in") or 1800)
        on_code(DeviceCode(str(started["user_code"]), str(started["verification_uri"]), life_s))
        body = await _wait(oauth, started, scopes, life_s, sleep, monotonic)
        hide([str(body["access_token"]), str(body.get("refresh_token") or "")])
        told = await oauth.check(SecretStr(str(body["access_token"])))
    if told is None:
        raise TwitchRefused("Twitch gave a token that it does not accept. Try again.")
    token = granted_token(body, told)
    vault.save(token)
    return token


async def _wait(
    oauth: OAuthClient,
    started: dict[str, Any],
    scopes: frozenset[str],
    life_s: int,
    sleep: Callable[[float], Awaitable[object]],
    monotonic: Callable[[], float],
) -> dict[str, Any]:
    pause_s = float(started.get("interval") or 5)
    ends_s = monotonic() + life_s
    while monotonic() < ends_s:
        await sleep(pause_s)
        try:
            answer = await oauth.poll_device(str(started["device_code"]), scopes)
        except TwitchUnavailable:
            continue  # a short silence must not throw the person's consent away
        body = answer.body or {}
        if answer.status == 200 and body.get("access_token"):
            return body
        reason = answer.message.lower().replace(" ", "_")
        if _TOO_FAST in reason:
            pause_s += _SLOW_DOWN_S
        elif _WAITING not in reason and answer.status < 500:
            raise TwitchRefused(f"Nobody is logged in: {answer.message}. Start again.")
    raise TwitchRefused("The code is over and nobody typed it in. Start again.")


def log_in(settings: Settings, scopes: frozenset[str], on_code: Callable[[DeviceCode], None]) -> UserToken:
    """The whole login for the command line: token, name, account, and a line in the audit log."""

    async def run() -> UserToken:
        vault, accounts, audit = open_vault(settings), open_accounts(settings), open_audit(settings)
        token = await device_login(settings, vault, scopes, on_code)
        try:
            async with open_user_client(settings, vault, token.user_id) as client:
                name = await display_name(client, token)
            accounts.note_login(token.user_id, token.user_login, name)
            accounts.set_moderated(token.user_id, await moderated_logins(settings, vault, token))
        except TwitchError:
            accounts.note_login(token.user_id, token.user_login, token.user_display_name)
        audit.write("grant", user_id=token.user_id, user_login=token.user_login, detail="command line")
        return token

    return asyncio.run(run())


def log_out(settings: Settings, login: str) -> tuple[str, bool] | None:
    """Takes a grant back and ends its owner's sessions.

    Args:
        settings: Address and credentials.
        login: Login or user id.

    Returns:
        The user id and whether Twitch knows of it; None if there is no such token.
    """
    vault, accounts, audit = open_vault(settings), open_accounts(settings), open_audit(settings)
    found = [token for token in vault.all() if login.lower() in (token.user_login, token.user_id)]
    if not found:
        return None
    token = found[0]
    is_told = asyncio.run(revoke(settings, vault, token.user_id))
    accounts.set_moderated(token.user_id, ())
    accounts.close_sessions(token.user_id)
    audit.write("revoke", user_id=token.user_id, user_login=token.user_login, detail="command line")
    return token.user_id, is_told
