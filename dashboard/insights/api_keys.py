"""The questions of the Account page about API keys: one's own, made and ended."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.access import NOBODY, Access
from dashboard.errors import AccessDenied
from dashboard.events import Instant, now_us
from dashboard.storage.api_keys import ApiKey, ApiKeys

DAY_US = 86_400 * 1_000_000
LIVES = {"30": 30, "90": 90, "365": 365, "never": None}
"""Choices of how long a key works, with the days; None is until it is revoked."""
EXPORT = "export"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What the page shows of a key; nothing secret is in it."""

    prefix: str
    name: str
    may_export: bool
    created_at: Instant
    expires_at: Instant | None
    used_at: Instant | None
    is_ended: bool


def own_keys(keys: ApiKeys, access: Access, now: Instant | None = None) -> list[KeyInfo]:
    """Somebody's keys, the newest first."""
    at = now or now_us()
    return [_info(key, at) for key in keys.of_user(access.user_id)] if access != NOBODY else []


def create_key(keys: ApiKeys, access: Access, *, name: str, may_export: bool, life: str) -> str:
    """Makes a key for whoever asks.

    Args:
        keys: All keys.
        access: Who asks.
        name: For their memory.
        may_export: Whether it may also take whole stretches of time as files.
        life: One of :data:`LIVES`.

    Returns:
        The key, which can't be asked for again.

    Raises:
        AccessDenied: Nobody is logged in.
        StorageError: They have too many keys, or the state database does not answer.
    """
    if access == NOBODY:
        raise AccessDenied("Log in first.")
    days = LIVES.get(life, 30)
    expires_at = None if days is None else Instant(now_us() + days * DAY_US)
    scopes = frozenset({"read", EXPORT} if may_export else {"read"})
    text, _ = keys.create(access.user_id, name, scopes, expires_at=expires_at)
    return text


def revoke_key(keys: ApiKeys, access: Access, prefix: str) -> bool:
    """Ends one of the asker's own keys at once; False when they have none of that prefix."""
    return access != NOBODY and keys.revoke(access.user_id, prefix)


def _info(key: ApiKey, now: Instant) -> KeyInfo:
    return KeyInfo(
        prefix=key.prefix,
        name=key.name,
        may_export=EXPORT in key.scopes,
        created_at=key.created_at,
        expires_at=key.expires_at,
        used_at=key.used_at,
        is_ended=key.expires_at is not None and key.expires_at <= now,
    )
