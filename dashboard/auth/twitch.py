"""What a login asks of Twitch; the entry point brings who does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from dashboard.events import Instant
from dashboard.storage.tokens import UserToken


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an access token stands for, by Twitch's word."""

    user_id: str
    user_login: str
    scopes: frozenset[str]
    expires_at: Instant


class TwitchLogin(Protocol):
    """Twitch's login service and Helix, as far as a login needs them.

    Raises (all calls):
        TwitchError: No answer, or a refusal; the message is for the person at the screen.
    """

    def identify(self, access_token: SecretStr) -> Identity | None:
        """Who a token stands for; None when it is refused."""

    def display_name(self, token: UserToken) -> str:
        """How a person writes their name."""

    def moderated_logins(self, token: UserToken) -> list[str]:
        """Channels that they moderate; empty without the permission to ask."""

    def revoke(self, access_token: SecretStr) -> bool:
        """Makes a token worthless; False when Twitch did not answer."""

    def forget(self, user_id: str) -> bool:
        """Revokes and removes a stored token; False when Twitch did not answer."""
