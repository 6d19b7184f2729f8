"""The state: what is not an event. Followed channels, and what the processes say of themselves.

Small rows only; everything big is in the lake. Accounts and job runs have modules of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, String, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from dashboard.events import Instant, now_us
from dashboard.storage.state_db import METADATA, StateDatabase

_FOLLOWED = Table(
    "followed_channels",
    METADATA,
    Column("room_login", String(25), primary_key=True),
    Column("followed_by", String(64), nullable=False),
    Column("followed_at", BigInteger, nullable=False),
)
_STATUS = Table(
    "statuses",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("payload", JSON, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class StatusRow:
    """What a process last said of itself."""

    payload: dict[str, Any]
    updated_at: Instant


class State:
    """Followed channels and signs of life; safe to share between threads, opened on first use.

    Args:
        data_dir: The data folder.
        url: A SQLAlchemy address instead of the SQLite file.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
        ConfigError: The address is none, or its driver is not installed.
    """

    def __init__(self, data_dir: Path, url: str = "") -> None:
        self._database = StateDatabase(data_dir, url)

    def followed(self) -> list[str]:
        """Logins of the channels that the collector should read, in the order they were added."""
        query = select(_FOLLOWED.c.room_login).order_by(_FOLLOWED.c.followed_at, _FOLLOWED.c.room_login)
        with self._database.read() as con:
            return list(con.scalars(query))

    def follow(self, logins: Iterable[str], by: str = "") -> list[str]:
        """Adds channels.

        Returns:
            Those that were not followed before.
        """
        return [login for login in dict.fromkeys(logins) if self._follow_one(login, by)]

    def unfollow(self, logins: Iterable[str]) -> None:
        """Removes channels; what was collected stays."""
        with self._database.write() as con:
            con.execute(delete(_FOLLOWED).where(_FOLLOWED.c.room_login.in_(list(logins))))

    def write_status(self, name: str, payload: dict[str, Any]) -> None:
        """Says how a process is doing; it overwrites what it said before."""
        values = {"payload": payload, "updated_at": now_us()}
        change = update(_STATUS).where(_STATUS.c.name == name).values(**values)
        with self._database.write() as con:
            if con.execute(change).rowcount:
                return
            try:
                with con.begin_nested():
                    con.execute(insert(_STATUS).values(name=name, **values))
            except IntegrityError:  # Somebody else was first to speak under this name.
                con.execute(change)

    def read_status(self, name: str) -> StatusRow | None:
        """What a process last said, or None if it never spoke."""
        query = select(_STATUS.c.payload, _STATUS.c.updated_at).where(_STATUS.c.name == name)
        with self._database.read() as con:
            row = con.execute(query).first()
        return StatusRow(row[0], Instant(row[1])) if row else None

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()

    def _follow_one(self, login: str, by: str) -> bool:
        with self._database.write() as con:
            try:
                with con.begin_nested():
                    con.execute(
                        insert(_FOLLOWED).values(room_login=login, followed_by=by, followed_at=now_us())
                    )
            except IntegrityError:
                return False
        return True
