"""Who logged in, which channels they moderate, and the sessions of their browsers.

A session is a random id in a cookie; only its hash is kept here, so that nobody who reads the
database can take a session over.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
    update,
)

from dashboard.config import Settings
from dashboard.events import Instant, now_us
from dashboard.storage.audit import LOGIN_EXPIRED, AuditEntry, add_entry, tell
from dashboard.storage.state_db import METADATA, StateDatabase
from dashboard.storage.tokens import TOKENS

_ID_BYTES = 32
_SEEN_EVERY_US = 60_000_000
"""A session's last sign of life is written at most so often: reading must not cost a write."""
_LONGEST_AGENT = 120

_ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("user_id", String(20), primary_key=True),
    Column("user_login", String(25), nullable=False),
    Column("user_display_name", String(64), nullable=False),
    Column("moderated_logins", Text, nullable=False),
    Column("moderated_at", BigInteger),
    Column("logged_in_at", BigInteger, nullable=False),
)
_SESSIONS = Table(
    "sessions",
    METADATA,
    Column("session_hash", String(64), primary_key=True),
    Column("user_id", String(20), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(_LONGEST_AGENT), nullable=False),
    Index("sessions_by_user", "user_id"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """One person who logged in."""

    user_id: str
    user_login: str
    user_display_name: str
    logged_in_at: Instant
    moderated_logins: tuple[str, ...] = ()
    """Channels that they moderate, by Twitch's word; empty without the permission to ask."""
    moderated_at: Instant | None = None
    """When Twitch was asked; None: never."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is logged in."""

    session_hash: str
    user_id: str
    created_at: Instant
    seen_at: Instant
    expires_at: Instant
    address: str
    agent: str


class Accounts:
    """Accounts and sessions; safe to share between threads and processes, opened on first use.

    Args:
        database: Where they are kept.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
        ConfigError: Its address is none, or its driver is not installed.
    """

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    # -- accounts ----------------------------------------------------------------------------

    def get(self, user_id: str) -> Account | None:
        """One account, or None."""
        with self._database.read() as con:
            row = con.execute(select(_ACCOUNTS).where(_ACCOUNTS.c.user_id == user_id)).mappings().first()
        return _account(row) if row else None

    def all(self) -> list[Account]:
        """Every account, by login."""
        with self._database.read() as con:
            rows = con.execute(select(_ACCOUNTS).order_by(_ACCOUNTS.c.user_login)).mappings().all()
        return [_account(row) for row in rows]

    def note_login(self, user_id: str, user_login: str, user_display_name: str) -> None:
        """Makes an account at the first login, and takes its names over at each."""
        names = {
            "user_login": user_login,
            "user_display_name": user_display_name or user_login,
            "logged_in_at": now_us(),
        }
        with self._database.write() as con:
            change = update(_ACCOUNTS).where(_ACCOUNTS.c.user_id == user_id)
            if not con.execute(change.values(**names)).rowcount:
                con.execute(insert(_ACCOUNTS).values(user_id=user_id, moderated_logins="[]", **names))

    def set_moderated(self, user_id: str, logins: Iterable[str]) -> None:
        """Says which channels a person moderates, as of now; it replaces what was known."""
        values = {
            "moderated_logins": json.dumps(sorted({login.lower() for login in logins})),
            "moderated_at": now_us(),
        }
        with self._database.write() as con:
            con.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.user_id == user_id).values(**values))

    def rename(self, user_id: str, user_login: str) -> None:
        """Takes a new login over; the rights to the channel of the old one go with it."""
        with self._database.write() as con:
            con.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.user_id == user_id).values(user_login=user_login))

    # -- sessions ----------------------------------------------------------------------------

    def open_session(self, user_id: str, *, life_s: float, address: str = "", agent: str = "") -> str:
        """Starts a session.

        Args:
            user_id: Whose.
            life_s: It ends after so long, used or not.
            address: Where the browser is.
            agent: What it calls itself.

        Returns:
            The id for the cookie: it is nowhere else.
        """
        session_id, now = secrets.token_urlsafe(_ID_BYTES), now_us()
        row = {
            "session_hash": hashed(session_id),
            "user_id": user_id,
            "created_at": now,
            "seen_at": now,
            "expires_at": now + round(life_s * 1e6),
            "address": address[:64],
            "agent": agent[:_LONGEST_AGENT],
        }
        with self._database.write() as con:
            ended = _end_expired(con, now)
            con.execute(insert(_SESSIONS).values(**row))
        tell(ended)
        return session_id

    def find_session(self, session_id: str) -> tuple[Session, Account] | None:
        """Who a cookie stands for.

        Args:
            session_id: As the browser sent it; anything.

        Returns:
            The session and its account; None when it is unknown, over, or its owner took the grant back
            at Twitch (whose word for the end of a session that is).
        """
        session_hash, now = hashed(session_id), now_us()
        query = (
            select(_SESSIONS, _ACCOUNTS, TOKENS.c.error.label("token_error"))
            .join(_ACCOUNTS, _ACCOUNTS.c.user_id == _SESSIONS.c.user_id)
            .outerjoin(TOKENS, TOKENS.c.user_id == _SESSIONS.c.user_id)
            .where(_SESSIONS.c.session_hash == session_hash)
        )
        with self._database.read() as con:
            row = con.execute(query).mappings().first()
        if row is None:
            return None
        if row["expires_at"] <= now:
            self.end_expired()
            return None
        if row["token_error"]:
            self._end_of(row["user_id"])
            return None
        if now - row["seen_at"] > _SEEN_EVERY_US:
            self._note_seen(session_hash, now)
        return _session(row), _account(row)

    def sessions(self, user_id: str) -> list[Session]:
        """The sessions of a person that are not over, the one used last first."""
        alive = and_(_SESSIONS.c.user_id == user_id, _SESSIONS.c.expires_at > now_us())
        with self._database.read() as con:
            rows = con.execute(select(_SESSIONS).where(alive).order_by(_SESSIONS.c.seen_at.desc())).mappings()
            return [_session(row) for row in rows]

    def close_session(self, session_id: str) -> None:
        """Ends one session; one that is over already is fine."""
        with self._database.write() as con:
            con.execute(delete(_SESSIONS).where(_SESSIONS.c.session_hash == hashed(session_id)))

    def close_sessions(self, user_id: str) -> int:
        """Ends every session of a person.

        Returns:
            How many there were.
        """
        with self._database.write() as con:
            return con.execute(delete(_SESSIONS).where(_SESSIONS.c.user_id == user_id)).rowcount

    def close_sessions_except(self, user_ids: Iterable[str]) -> int:
        """Ends the sessions of everybody else: who was taken off the allow-list is out at once."""
        others = _SESSIONS.c.user_id.not_in(list(user_ids))
        with self._database.write() as con:
            ended = _end_expired(con, now_us())
            ended += _end(con, others, "taken off the list of those who may log in")
        tell(ended)
        return len(ended)

    def end_expired(self) -> int:
        """Deletes the sessions whose time is over, each with a line in the audit log; says how many."""
        now = now_us()
        with self._database.read() as con:  # Mostly for nothing: no write lock for that.
            is_due = con.scalar(select(_SESSIONS.c.user_id).where(_SESSIONS.c.expires_at <= now).limit(1))
        if is_due is None:
            return 0
        with self._database.write() as con:
            ended = _end_expired(con, now)
        tell(ended)
        return len(ended)

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()

    def _end_of(self, user_id: str) -> None:
        with self._database.write() as con:
            ended = _end(con, _SESSIONS.c.user_id == user_id, "the grant was taken back at Twitch")
        tell(ended)

    def _note_seen(self, session_hash: str, now: Instant) -> None:
        change = update(_SESSIONS).where(_SESSIONS.c.session_hash == session_hash)
        with self._database.write() as con:
            con.execute(change.values(seen_at=now))


def open_accounts(settings: Settings) -> Accounts:
    """The accounts of an installation; nothing is read or written before the first call."""
    url = settings.database_url.get_secret_value()
    return Accounts(StateDatabase(settings.data_dir, url))


def _end_expired(con: Connection, now: Instant) -> list[AuditEntry]:
    return _end(con, _SESSIONS.c.expires_at <= now, "its time was over")


def _end(con: Connection, is_over: ColumnElement[bool], why: str) -> list[AuditEntry]:
    query = select(_SESSIONS).where(is_over).order_by(_SESSIONS.c.expires_at)
    rows = con.execute(query).mappings().all()
    if rows:
        con.execute(delete(_SESSIONS).where(is_over))
    return [
        add_entry(con, LOGIN_EXPIRED, user_id=row["user_id"], address=row["address"], detail=why)
        for row in rows
    ]


def hashed(session_id: str) -> str:
    """What is kept of a session's id: the id is random and long, so a plain hash can't be guessed."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def _account(row: Any) -> Account:
    return Account(
        user_id=row["user_id"],
        user_login=row["user_login"],
        user_display_name=row["user_display_name"],
        moderated_logins=tuple(json.loads(row["moderated_logins"])),
        moderated_at=None if row["moderated_at"] is None else Instant(row["moderated_at"]),
        logged_in_at=Instant(row["logged_in_at"]),
    )


def _session(row: Any) -> Session:
    return Session(
        session_hash=row["session_hash"],
        user_id=row["user_id"],
        created_at=Instant(row["created_at"]),
        seen_at=Instant(row["seen_at"]),
        expires_at=Instant(row["expires_at"]),
        address=row["address"],
        agent=row["agent"],
    )
