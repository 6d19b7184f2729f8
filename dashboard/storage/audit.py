"""The audit log: who logged in, who was refused, whose keys changed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, delete, insert, select

from dashboard.config import Settings
from dashboard.events import Instant, now_us
from dashboard.storage.state_db import METADATA, StateDatabase

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


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened."""

    at: Instant
    action: str
    """``login``, ``logout``, ``denied``, ``grant``, ``revoke``, ``key created``, ``key revoked``, …"""
    user_id: str
    user_login: str
    address: str
    detail: str


class AuditLog:
    """Keeps the entries for a year; safe to share between threads and processes.

    Args:
        database: Where they are kept.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
    """

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def write(
        self, action: str, *, user_id: str = "", user_login: str = "", address: str = "", detail: str = ""
    ) -> None:
        """Adds an entry; never with a secret in it.

        Args:
            action: What happened.
            user_id: Who did it, or tried to.
            user_login: Their login at that time.
            address: Where from.
            detail: More, in words.
        """
        now = now_us()
        entry = {
            "at": now,
            "action": action[:40],
            "user_id": user_id[:20],
            "user_login": user_login[:25],
            "address": address[:64],
            "detail": detail[:_LONGEST_DETAIL],
        }
        with self._database.write() as con:
            con.execute(delete(_AUDIT).where(_AUDIT.c.at < now - KEPT_DAYS * 86_400_000_000))
            con.execute(insert(_AUDIT).values(**entry))

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
