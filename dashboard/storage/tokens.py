"""The users' Twitch tokens, encrypted at rest and shared by all processes.

A pair is replaced only as a whole and only by who holds the stale one (:meth:`TokenVault.swap`), and
only one process at a time asks Twitch for a new pair (:meth:`TokenVault.lease`): refresh tokens may
work only once.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import BigInteger, Column, String, Table, Text, delete, insert, or_, select, update

from dashboard.config import Settings
from dashboard.errors import ConfigError
from dashboard.events import Instant, now_us
from dashboard.logs import hide
from dashboard.storage.secret_key import derived_key
from dashboard.storage.state_db import METADATA, StateDatabase

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from sqlalchemy import Connection

_NONCE_BYTES = 12
_LONGEST_REASON = 300
OTHER_KEY = (
    "SECRET_KEY: this token was stored with another key. "
    "Put the old key back (SECRET_KEY or data/state/secret.key), or log in again."
)

TOKENS = Table(
    "user_tokens",
    METADATA,
    Column("user_id", String(20), primary_key=True),
    Column("user_login", String(25), nullable=False),
    Column("user_display_name", String(64), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("access_sealed", Text, nullable=False),
    Column("refresh_sealed", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("validated_at", BigInteger),
    Column("error", String(_LONGEST_REASON)),
    Column("lease_holder", String(64)),
    Column("lease_until", BigInteger),
)


@dataclass(frozen=True, slots=True)
class UserToken:
    """One person's grant. ``user_id`` is the identity; logins change."""

    user_id: str
    user_login: str
    user_display_name: str
    scopes: frozenset[str]
    access_token: SecretStr
    refresh_token: SecretStr
    expires_at: Instant
    validated_at: Instant | None = None
    error: str | None = None
    """Why it does not work (any more), in words for its owner; None while it works."""

    @property
    def is_usable(self) -> bool:
        """Whether calls may be tried with it."""
        return self.error is None and bool(self.access_token.get_secret_value())


class TokenVault:
    """Keeps the tokens; safe to share between threads and processes, opened on first use.

    Args:
        database: Where they are kept.
        key: Gives the key; asked once, when the first token is sealed or opened.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
        ConfigError: Something is to be stored and there is no key.

    Caveats:
        A token that can't be opened (another key, a damaged key file) is given with ``error`` set and
        without its secrets, so that a lost key stops neither the collector nor the page that tells of it.
    """

    def __init__(self, database: StateDatabase, key: Callable[[], bytes]) -> None:
        self._database = database
        self._key = key
        self._opening = threading.Lock()
        self._cipher: AESGCM | None = None

    def all(self) -> list[UserToken]:
        """Every stored token, by user id; also those that don't work."""
        with self._database.read() as con:
            rows = con.execute(select(TOKENS).order_by(TOKENS.c.user_id)).mappings().all()
        return [self._opened(row) for row in rows]

    def get(self, user_id: str) -> UserToken | None:
        """One person's token, or None if they granted none."""
        with self._database.read() as con:
            return self._find(con, user_id)

    def require(self, user_id: str) -> UserToken:
        """One person's token, if calls can be made with it.

        Raises:
            ConfigError: There is none, or it does not work; the message says why and what to do.
        """
        token = self.get(user_id)
        if token is None:
            raise ConfigError(f"No token of user {user_id}: log in on the page, or with python app.py login.")
        if not token.is_usable:
            raise ConfigError(f"The token of {token.user_login} does not work: {token.error}")
        return token

    def save(self, token: UserToken) -> None:
        """Stores a token in place of what there was of this person."""
        values = self._sealed(token)
        with self._database.write() as con:
            con.execute(delete(TOKENS).where(TOKENS.c.user_id == token.user_id))
            con.execute(insert(TOKENS).values(**values))

    def swap(self, user_id: str, stale_access_token: SecretStr | str, new: UserToken) -> UserToken:
        """Replaces a pair, unless somebody did already.

        Args:
            user_id: Whose.
            stale_access_token: The one that ``new`` came for.
            new: The new pair.

        Returns:
            What is stored now: ``new``, or what another process stored in the meantime. If the token was
            forgotten in the meantime it stays forgotten, and ``new`` is returned with an ``error``.
        """
        stale = stale_access_token if isinstance(stale_access_token, str) else _bare(stale_access_token)
        with self._database.write() as con:
            stored = self._find(con, user_id)
            if stored is None:
                return replace(new, error="it was removed meanwhile")
            if _bare(stored.access_token) != stale:
                return stored
            con.execute(update(TOKENS).where(TOKENS.c.user_id == user_id).values(**self._sealed(new)))
        return new

    def note_valid(self, token: UserToken) -> None:
        """Writes down what a validation told: login, scopes, expiry and its time; the pair stays."""
        change = update(TOKENS).where(TOKENS.c.user_id == token.user_id)
        with self._database.write() as con:
            stored = self._find(con, token.user_id)
            if stored and _bare(stored.access_token) == _bare(token.access_token):
                con.execute(change.values(**_described(token)))

    def mark_invalid(self, user_id: str, reason: str, access_token: SecretStr | None = None) -> None:
        """Says that a token does not work any more; logging in again cures it.

        Args:
            user_id: Whose.
            reason: In words for its owner.
            access_token: Only if it is still this one; None marks whatever is there.
        """
        change = update(TOKENS).where(TOKENS.c.user_id == user_id)
        with self._database.write() as con:
            stored = self._find(con, user_id)
            if stored and (access_token is None or _bare(stored.access_token) == _bare(access_token)):
                con.execute(change.values(error=reason[:_LONGEST_REASON]))

    def forget(self, user_id: str) -> None:
        """Removes a person's token; it is not revoked at Twitch by this."""
        with self._database.write() as con:
            con.execute(delete(TOKENS).where(TOKENS.c.user_id == user_id))

    def lease(self, user_id: str, holder: str, lease_s: float) -> bool:
        """Takes the right to refresh a token, for all processes on all machines.

        Args:
            user_id: Whose token.
            holder: Who asks; a name nobody else has.
            lease_s: After so long the right is free again, should the holder have died.

        Returns:
            Whether the caller has it now.
        """
        now = now_us()
        is_free = or_(
            TOKENS.c.lease_until.is_(None), TOKENS.c.lease_until < now, TOKENS.c.lease_holder == holder
        )
        change = update(TOKENS).where(TOKENS.c.user_id == user_id, is_free)
        values = {"lease_holder": holder, "lease_until": now + round(lease_s * 1e6)}
        with self._database.write() as con:
            return bool(con.execute(change.values(**values)).rowcount)

    def release(self, user_id: str, holder: str) -> None:
        """Gives the right back; nothing happens if it is somebody else's by now."""
        mine = (TOKENS.c.user_id == user_id) & (TOKENS.c.lease_holder == holder)
        with self._database.write() as con:
            con.execute(update(TOKENS).where(mine).values(lease_holder=None, lease_until=None))

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()

    def _find(self, con: Connection, user_id: str) -> UserToken | None:
        row = con.execute(select(TOKENS).where(TOKENS.c.user_id == user_id)).mappings().first()
        return self._opened(row) if row else None

    def _sealed(self, token: UserToken) -> dict[str, Any]:
        hide([token.access_token, token.refresh_token])
        return _described(token) | {
            "user_id": token.user_id,
            "access_sealed": self._seal(token.user_id, "access", _bare(token.access_token)),
            "refresh_sealed": self._seal(token.user_id, "refresh", _bare(token.refresh_token)),
        }

    def _opened(self, row: Any) -> UserToken:
        user_id, error = row["user_id"], row["error"]
        access = refresh = ""
        try:
            access = self._open(user_id, "access", row["access_sealed"])
            refresh = self._open(user_id, "refresh", row["refresh_sealed"])
        except ConfigError as problem:
            access, error = "", str(problem)
        hide([access, refresh])  # Whatever library writes whatever line: these are in no log.
        return UserToken(
            user_id=user_id,
            user_login=row["user_login"],
            user_display_name=row["user_display_name"],
            scopes=frozenset(json.loads(row["scopes"])),
            access_token=SecretStr(access),
            refresh_token=SecretStr(refresh),
            expires_at=Instant(row["expires_at"]),
            validated_at=None if row["validated_at"] is None else Instant(row["validated_at"]),
            error=error,
        )

    def _seal(self, user_id: str, part: str, text: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._aead().encrypt(nonce, text.encode(), _bound_to(user_id, part))
        return base64.b64encode(nonce + sealed).decode()

    def _open(self, user_id: str, part: str, sealed: str) -> str:
        from cryptography.exceptions import InvalidTag

        try:
            raw = base64.b64decode(sealed)
            aead = self._aead()
            return aead.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound_to(user_id, part)).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise ConfigError(OTHER_KEY) from None

    def _aead(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        with self._opening:
            if self._cipher is None:
                self._cipher = AESGCM(self._key())
            return self._cipher


def open_vault(settings: Settings) -> TokenVault:
    """The vault of an installation; nothing is read or written before the first call.

    Args:
        settings: Data folder, database and key.

    Returns:
        A vault; every process opens its own.
    """
    database = StateDatabase(settings.data_dir, settings.database_url.get_secret_value())
    return TokenVault(database, lambda: derived_key(settings, "tokens"))


def _described(token: UserToken) -> dict[str, Any]:
    return {
        "user_login": token.user_login,
        "user_display_name": token.user_display_name,
        "scopes": json.dumps(sorted(token.scopes)),
        "expires_at": token.expires_at,
        "validated_at": token.validated_at,
        "error": token.error[:_LONGEST_REASON] if token.error else None,
    }


def _bound_to(user_id: str, part: str) -> bytes:
    # A sealed text that is copied into another person's row does not open there.
    return f"{part} of {user_id}".encode()


def _bare(secret: SecretStr) -> str:
    return secret.get_secret_value()
