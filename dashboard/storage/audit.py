"""The audit log: who logged in, who was refused, who captured, kept and took out what.

Each entry is a row of the state database and one line of JSON on standard output, whatever the form of the
other logs; see :func:`dashboard.logs.configure_audit`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    String,
    Table,
    column,
    delete,
    insert,
    select,
    table,
)

from dashboard.config import Settings
from dashboard.events import Instant, now_us
from dashboard.logs import audit_line, scrub
from dashboard.storage.state_db import METADATA, StateDatabase

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dashboard.access import Access

LOGIN: Final = "login"
LOGOUT: Final = "logout"
LOGIN_EXPIRED: Final = "login expired"
SESSION_CREATED: Final = "session created"
SESSION_LOADED: Final = "session loaded"
SESSION_RENAMED: Final = "session renamed"
SESSION_SAVED: Final = "session saved"
SESSION_DELETED: Final = "session deleted"
SESSION_EXPIRED: Final = "session expired"
CAPTURE_ASKED: Final = "capture asked"
CAPTURE_CANCELLED: Final = "capture cancelled"
CAPTURE_FINISHED: Final = "capture finished"
EXPORTED: Final = "export"
RENAMES_DETECTED: Final = "renames detected"

KEPT_DAYS = 365
_LONGEST_DETAIL = 300

_AUDIT = Table(
    "audit",
    METADATA,
    # SQLite counts by itself only with this very type.
    Column("entry_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("action", String(40), nullable=False),
    Column("user_id", String(20), nullable=False),
    Column("user_login", String(25), nullable=False),
    Column("address", String(64), nullable=False),
    Column("detail", String(_LONGEST_DETAIL), nullable=False),
    Index("audit_by_user", "user_id", "entry_id"),
    Index("audit_by_time", "at"),
)
_NAMES = table("accounts", column("user_id"), column("user_login"))


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened."""

    at: Instant
    action: str
    """``login``, ``logout``, ``denied``, ``grant``, ``revoke``, ``key created``, ``capture asked``, …"""
    user_id: str
    user_login: str
    address: str
    detail: str


class AuditLog:
    """Keeps the entries for a year; safe to share between threads and processes.

    Who does something that belongs here calls :meth:`note` (for a person who asks now) or :meth:`write`
    (for a job that works for somebody), with one of the actions above. Logins and analysis sessions that
    expire note themselves.

    Args:
        database: Where they are kept.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
    """

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def note(self, action: str, access: Access, detail: str = "", *, address: str = "") -> None:
        """Adds what a person just did; never with a secret in it.

        Args:
            action: What happened.
            access: Who did it.
            detail: More, in words: ``alpha, connected``, ``accounts as CSV, 1,203 rows``.
            address: Where from, where it is known.
        """
        self.write(
            action, user_id=access.user_id, user_login=access.user_login, address=address, detail=detail
        )

    def write(
        self, action: str, *, user_id: str = "", user_login: str = "", address: str = "", detail: str = ""
    ) -> None:
        """Adds an entry; never with a secret in it.

        Args:
            action: What happened.
            user_id: Who did it, or tried to; empty: nobody in particular, and only admins see it.
            user_login: Their login at that time; found by the id when it is left out.
            address: Where from.
            detail: More, in words.
        """
        with self._database.write() as con:
            con.execute(delete(_AUDIT).where(_AUDIT.c.at < now_us() - KEPT_DAYS * 86_400_000_000))
            entry = add_entry(
                con, action, user_id=user_id, user_login=user_login, address=address, detail=detail
            )
        tell([entry])

    def recent(self, limit: int = 50, *, user_id: str | None = None) -> list[AuditEntry]:
        """The newest entries first.

        Args:
            limit: At most so many.
            user_id: Only of this person; None is everybody's.
        """
        query = select(_AUDIT).order_by(_AUDIT.c.entry_id.desc()).limit(limit)
        if user_id is not None:
            query = query.where(_AUDIT.c.user_id == user_id)
        with self._database.read() as con:
            rows = con.execute(query).mappings().all()
        return [
            AuditEntry(
                at=Instant(row["at"]),
                action=row["action"],
                user_id=row["user_id"],
                user_login=row["user_login"],
                address=row["address"],
                detail=row["detail"],
            )
            for row in rows
        ]

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()


def open_audit(settings: Settings) -> AuditLog:
    """The audit log of an installation; nothing is read or written before the first call."""
    return AuditLog(StateDatabase(settings.data_dir, settings.database_url.get_secret_value()))


def add_entry(
    con: Connection,
    action: str,
    *,
    user_id: str = "",
    user_login: str = "",
    address: str = "",
    detail: str = "",
) -> AuditEntry:
    """Adds an entry within somebody else's transaction, so that neither happens without the other.

    Args:
        con: The transaction; when it is over, give the entry to :func:`tell`.
        action: As :meth:`AuditLog.write`, and so the others.
        user_id: Who did it.
        user_login: Their login.
        address: Where from.
        detail: More, in words.
    """
    if user_id and not user_login:
        user_login = con.scalar(select(_NAMES.c.user_login).where(_NAMES.c.user_id == user_id)) or ""
    entry = AuditEntry(
        at=now_us(),
        action=action[:40],
        user_id=user_id[:20],
        user_login=user_login[:25],
        address=address[:64],
        detail=scrub(detail.replace("\x00", ""))[
            :_LONGEST_DETAIL
        ],  # Anybody's words, and Postgres takes no NUL.
    )
    con.execute(insert(_AUDIT).values({name: getattr(entry, name) for name in AuditEntry.__slots__}))
    return entry


def tell(entries: Collection[AuditEntry]) -> None:
    """Writes entries that are stored to standard output, one line of JSON each."""
    for entry in entries:
        at = datetime.fromtimestamp(entry.at / 1e6, UTC).isoformat(timespec="milliseconds")
        values = {name: getattr(entry, name) for name in AuditEntry.__slots__ if name != "at"}
        audit_line({"timestamp": at.replace("+00:00", "Z"), **values})
