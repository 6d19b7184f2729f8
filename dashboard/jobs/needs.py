"""Why a job can't run, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dashboard.config import Settings
from dashboard.errors import ConfigError
from dashboard.jobs.registry import JobSpec
from dashboard.storage.tokens import UserToken


class Vault(Protocol):
    """The part of the token vault that is needed here."""

    def all(self) -> list[UserToken]:
        """Every stored token, also those that don't work."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in a job's way."""

    text: str
    cure: str
    href: str = ""
    """A page where it can be cured; empty where a setting has to be changed."""


def why_not(spec: JobSpec, settings: Settings, vault: Vault) -> Obstacle | None:
    """What keeps a job from running; None when nothing does.

    Args:
        spec: The job.
        settings: Checked settings.
        vault: Where logins are kept.

    Returns:
        The first obstacle.
    """
    for need in spec.needs:
        obstacle = _CHECKS[need](spec, settings, vault)
        if obstacle is not None:
            return obstacle
    return None


def _credentials(spec: JobSpec, settings: Settings, vault: Vault) -> Obstacle | None:
    if settings.has_credentials:
        return None
    return Obstacle(
        "Twitch's API needs the credentials of an application.",
        "Set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps).",
    )


def _login(spec: JobSpec, settings: Settings, vault: Vault) -> Obstacle | None:
    try:
        tokens = vault.all()
    except ConfigError as error:
        return Obstacle("The stored logins can't be read.", str(error))
    return login_obstacle(tokens, spec.scope)


def login_obstacle(tokens: Sequence[UserToken], scope: str) -> Obstacle | None:
    """Why none of the logins will do for a scope; None when one does."""
    if any(token.is_usable and scope in token.scopes for token in tokens):
        return None
    if not tokens:
        return Obstacle("Nobody has logged in with Twitch.", "Log in", "/account")
    broken = [token for token in tokens if scope in token.scopes]
    if broken:
        names = ", ".join(token.user_login for token in broken)
        return Obstacle(f"The login of {names} does not work any more.", "Log in again", "/account")
    return Obstacle(f"No login allows {scope}.", "Grant it", "/account")


def _s3(spec: JobSpec, settings: Settings, vault: Vault) -> Obstacle | None:
    if settings.s3_bucket:
        return None
    return Obstacle("There is no S3 bucket.", "Set S3_BUCKET, and the keys for it.", "/storage")


def _survey(spec: JobSpec, settings: Settings, vault: Vault) -> Obstacle | None:
    if settings.survey_channel_count:
        return None
    return Obstacle("The survey is off.", "Set SURVEY_CHANNEL_COUNT, for example to 1000.")


_CHECKS: dict[str, Callable[[JobSpec, Settings, Vault], Obstacle | None]] = {
    "credentials": _credentials,
    "login": _login,
    "s3": _s3,
    "survey": _survey,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose login serves a channel; ``user_id`` is None with the reason beside it."""

    user_id: str | None
    reason: str = ""


def choose_login(
    room_id: str,
    scope: str,
    tokens: Iterable[UserToken],
    moderated: dict[str, frozenset[str]],
    *,
    is_owner_needed: bool = False,
) -> Choice:
    """Picks the login to ask with: the owner's if it has the scope, else any moderator's.

    Args:
        room_id: The channel.
        scope: What the call needs.
        tokens: All logins.
        moderated: Ids of the channels that each person (by id) moderates.
        is_owner_needed: A moderator's login will not do.

    Returns:
        The person, or why there is none.
    """
    able = [token for token in tokens if token.is_usable and scope in token.scopes]
    if any(token.user_id == room_id for token in able):
        return Choice(room_id)
    if is_owner_needed:
        return Choice(None, f"its owner has not granted {scope}")
    mods = sorted(token.user_id for token in able if room_id in moderated.get(token.user_id, frozenset()))
    if mods:
        return Choice(mods[0])
    return Choice(None, f"no login of its owner or a moderator allows {scope}")
