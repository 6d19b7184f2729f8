"""Which settings may be served at all: an open door to the network is never opened by accident."""

from __future__ import annotations

from dashboard.config import Settings
from dashboard.errors import ConfigError


def check_doors(settings: Settings) -> None:
    """Stops a server that others could reach without a login.

    Args:
        settings: HOST, LOGIN, ALLOWED_USER_IDS and the credentials.

    Raises:
        ConfigError: Something is missing; the message names it and the cure.
    """
    if not settings.needs_login:
        if settings.is_loopback:
            return
        raise ConfigError(
            f"LOGIN: off is for this machine only, and HOST={settings.host} is reached by others. "
            "Set LOGIN=auto, or HOST=127.0.0.1."
        )
    why = f"HOST={settings.host} is reached by others" if not settings.is_loopback else "LOGIN=required"
    here = " Or set HOST=127.0.0.1 for this machine only." if not settings.is_loopback else ""
    if not settings.allowed_user_ids:
        raise ConfigError(
            f"ALLOWED_USER_IDS: {why}, so it must be said who may log in. "
            f"Set ALLOWED_USER_IDS to Twitch user ids (numbers) with commas between.{here}"
        )
    if not settings.client_id:
        raise ConfigError(
            f"TWITCH_CLIENT_ID: {why}, so people log in with Twitch, and that needs an application. "
            "Set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps), with the redirect "
            f"address {settings.base_url}/auth/twitch/callback.{here}"
        )
