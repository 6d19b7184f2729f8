"""What the web server asks of Twitch: while somebody logs in or out, for the ids of channels, for live ones.

Plain functions for threads: each call has a loop of its own, and nothing stays open. The HTTP client
is imported by the first call: the pages open sooner without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr

from dashboard.auth.twitch import Identity
from dashboard.config import Settings
from dashboard.errors import TwitchUnavailable
from dashboard.job_handle import Room
from dashboard.storage.tokens import TokenVault, UserToken

if TYPE_CHECKING:
    from collectors.helix_models import Stream

T = TypeVar("T")


class LoginCalls:
    """See :class:`dashboard.auth.twitch.TwitchLogin`.

    Args:
        settings: Addresses and credentials.
        vault: Where tokens are; a refused one may be refreshed by a call.
    """

    def __init__(self, settings: Settings, vault: TokenVault) -> None:
        self._settings = settings
        self._vault = vault

    def identify(self, access_token: SecretStr) -> Identity | None:
        """See :meth:`dashboard.auth.twitch.TwitchLogin.identify`."""

        from collectors.oauth import OAuthClient

        async def ask() -> Identity | None:
            async with OAuthClient(self._settings) as oauth:
                told = await oauth.check(access_token)
            if told is None:
                return None
            return Identity(told.user_id, told.user_login, told.scopes, told.expires_at)

        return _run(ask())

    def display_name(self, token: UserToken) -> str:
        """See :meth:`dashboard.auth.twitch.TwitchLogin.display_name`."""

        from collectors.helix_client import open_user_client
        from collectors.user_tokens import display_name

        async def ask() -> str:
            async with open_user_client(self._settings, self._vault, token.user_id) as client:
                return await display_name(client, token)

        return _run(ask())

    def moderated_logins(self, token: UserToken) -> list[str]:
        """See :meth:`dashboard.auth.twitch.TwitchLogin.moderated_logins`."""
        from collectors.user_tokens import moderated_logins

        return _run(moderated_logins(self._settings, self._vault, token))

    def revoke(self, access_token: SecretStr) -> bool:
        """See :meth:`dashboard.auth.twitch.TwitchLogin.revoke`."""

        from collectors.oauth import OAuthClient

        async def ask() -> bool:
            try:
                async with OAuthClient(self._settings) as oauth:
                    await oauth.revoke(access_token)
            except TwitchUnavailable:
                return False
            return True

        return _run(ask())

    def forget(self, user_id: str) -> bool:
        """See :meth:`dashboard.auth.twitch.TwitchLogin.forget`."""
        from collectors.user_tokens import revoke

        return _run(revoke(self._settings, self._vault, user_id))


def find_rooms(settings: Settings, logins: Sequence[str]) -> list[Room]:
    """The channels behind logins; ones that don't exist are missing.

    Raises:
        TwitchError: No answer, or no credentials.
    """
    from collectors.audience import TwitchAccess
    from dashboard.storage.tokens import open_vault

    async def ask() -> list[Room]:
        async with TwitchAccess(settings, open_vault(settings)) as twitch:
            return await twitch.find_rooms(logins)

    return _run(ask())


def find_live(settings: Settings, logins: Sequence[str]) -> list[Stream]:
    """Which of these channels are live; none without credentials.

    Raises:
        TwitchError: No answer.
    """
    from collectors.helix_client import open_client

    client = open_client(settings)
    if client is None:
        return []

    async def ask() -> list[Stream]:
        async with client:
            return await client.get_streams(user_logins=logins)

    return _run(ask())


def _run(call: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(call)
