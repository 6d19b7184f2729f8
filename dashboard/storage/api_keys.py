"""Keys for the API: only a hash is kept, so a copy of the database opens nothing."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Index, String, Table, delete, insert, select, update

from dashboard.errors import StorageError
from dashboard.events import Instant, now_us
from dashboard.storage.state_db import METADATA, StateDatabase

if TYPE_CHECKING:
    from dashboard.config import Settings

SCOPES = ("read", "export", "manage")
"""Pages of rows; whole stretches of time as files; what changes something (nothing does yet)."""
MOST_KEYS = 20
"""Of one person at once."""
_FORM = re.compile(r"sl_([a-z0-9]{12})_([A-Za-z0-9]{43})", re.ASCII)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SMALL = "abcdefghijklmnopqrstuvwxyz0123456789"
_LONGEST_NAME = 60
_NOTE_USE_EVERY_US = 60 * 1_000_000
_KEYS = Table(
    "api_keys",
    METADATA,
    Column("prefix", String(12), primary_key=True),
    Column("secret_hash", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("name", String(_LONGEST_NAME), nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("used_at", BigInteger),
    Index("api_keys_by_user", "user_id"),
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; nothing secret is in it."""

    prefix: str
    """Its first part, by which its owner knows it."""
    user_id: str
    name: str
    scopes: frozenset[str]
    created_at: Instant
    expires_at: Instant | None
    """None: never."""
    used_at: Instant | None
    """To the minute; None: never."""


class ApiKeys:
    """Keys of everybody; safe to share between threads and processes, opened on first use.

    Args:
        database: Where they are kept.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
    """

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def create(
        self, user_id: str, name: str, scopes: frozenset[str], *, expires_at: Instant | None = None
    ) -> tuple[str, ApiKey]:
        """Makes a key.

        Args:
            user_id: Whose; the key sees what they see, at every time it is used.
            name: For its owner's memory; cut at 60 letters.
            scopes: Of :data:`SCOPES`.
            expires_at: It works until then; None: until it is revoked.

        Returns:
            The key itself, which is nowhere else, and what is kept of it.

        Raises:
            StorageError: The person has too many keys already.
            ValueError: There is no such scope.
        """
        if not scopes or not scopes <= set(SCOPES):
            raise ValueError(f"scopes are {', '.join(SCOPES)}")
        prefix = "".join(secrets.choice(_SMALL) for _ in range(12))
        secret = "".join(secrets.choice(_LETTERS) for _ in range(43))
        text = f"sl_{prefix}_{secret}"
        key = ApiKey(
            prefix, user_id, name.strip()[:_LONGEST_NAME] or "Key", scopes, now_us(), expires_at, None
        )
        with self._database.write() as con:
            mine = con.execute(select(_KEYS.c.prefix).where(_KEYS.c.user_id == user_id)).all()
            if len(mine) >= MOST_KEYS:
                raise StorageError(f"You have {MOST_KEYS} keys already. Revoke one that is not used.")
            con.execute(
                insert(_KEYS).values(
                    prefix=prefix,
                    secret_hash=_hashed(text),
                    user_id=user_id,
                    name=key.name,
                    scopes=" ".join(sorted(scopes)),
                    created_at=key.created_at,
                    expires_at=expires_at,
                )
            )
        return text, key

    def find(self, text: str) -> ApiKey | None:
        """The key that a text is, if it is one that works now; notes that it was used.

        Args:
            text: As it came in a request.
        """
        match = _FORM.fullmatch(text)
        if not match:
            return None
        with self._database.read() as con:
            row = con.execute(select(_KEYS).where(_KEYS.c.prefix == match[1])).mappings().first()
        # Compared in either case: how long it takes tells nothing about which prefixes there are.
        is_right = hmac.compare_digest(_hashed(text), row["secret_hash"] if row else "0" * 64)
        now = now_us()
        if not is_right or row is None or (row["expires_at"] is not None and row["expires_at"] <= now):
            return None
        key = _key(row)
        if key.used_at is None or key.used_at < now - _NOTE_USE_EVERY_US:
            with self._database.write() as con:
                con.execute(update(_KEYS).where(_KEYS.c.prefix == key.prefix).values(used_at=now))
        return key

    def of_user(self, user_id: str) -> list[ApiKey]:
        """Somebody's keys, the newest first; those that have ended are among them."""
        query = select(_KEYS).where(_KEYS.c.user_id == user_id)
        with self._database.read() as con:
            rows = con.execute(query.order_by(_KEYS.c.created_at.desc())).mappings().all()
        return [_key(row) for row in rows]

    def revoke(self, user_id: str, prefix: str) -> bool:
        """Ends a key of somebody's at once; False when they have none of that prefix."""
        change = delete(_KEYS).where(_KEYS.c.user_id == user_id, _KEYS.c.prefix == prefix)
        with self._database.write() as con:
            return bool(con.execute(change).rowcount)

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()


def open_api_keys(settings: Settings) -> ApiKeys:
    """The keys of an installation; nothing is read or written before the first call."""
    url = settings.database_url.get_secret_value()
    return ApiKeys(StateDatabase(settings.data_dir, url))


def _hashed(text: str) -> str:
    # 256 random bits can't be guessed, so a plain hash is enough and costs nothing per request.
    return hashlib.sha256(text.encode()).hexdigest()


def _key(row: Any) -> ApiKey:
    return ApiKey(
        prefix=row["prefix"],
        user_id=row["user_id"],
        name=row["name"],
        scopes=frozenset(row["scopes"].split()),
        created_at=Instant(row["created_at"]),
        expires_at=None if row["expires_at"] is None else Instant(row["expires_at"]),
        used_at=None if row["used_at"] is None else Instant(row["used_at"]),
    )
