"""The state: what is not an event. Followed channels, and what the processes say of themselves.

SQLite (WAL) in ``<data>/state/state.sqlite`` by default, or any database that SQLAlchemy knows by
``DATABASE_URL``. Small rows only; everything big is in the lake.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    BigInteger,
    Column,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from dashboard.errors import ConfigError, StorageError
from dashboard.events import Instant, now_us

_METADATA = MetaData()
_FOLLOWED = Table(
    "followed_channels",
    _METADATA,
    Column("room_login", String(25), primary_key=True),
    Column("followed_by", String(64), nullable=False),
    Column("followed_at", BigInteger, nullable=False),
)
_STATUS = Table(
    "statuses",
    _METADATA,
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
    """Opens (or makes) the state database; safe to share between threads, opened on first use.

    Args:
        data_dir: The data folder.
        url: A SQLAlchemy address instead of the SQLite file.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
        ConfigError: The address is none, or its driver is not installed.
    """

    def __init__(self, data_dir: Path, url: str = "") -> None:
        self._data_dir = data_dir
        self._url = url
        self._opening = threading.Lock()
        self._opened: Engine | None = None
        self._opened_in = 0

    def followed(self) -> list[str]:
        """Logins of the channels that the collector should read, in the order they were added."""
        query = select(_FOLLOWED.c.room_login).order_by(_FOLLOWED.c.followed_at, _FOLLOWED.c.room_login)
        with _told_plainly(), self._engine.connect() as con:
            return list(con.scalars(query))

    def follow(self, logins: Iterable[str], by: str = "") -> list[str]:
        """Adds channels.

        Returns:
            Those that were not followed before.
        """
        with _told_plainly():
            return [login for login in dict.fromkeys(logins) if self._follow_one(login, by)]

    def unfollow(self, logins: Iterable[str]) -> None:
        """Removes channels; what was collected stays."""
        with _told_plainly(), self._engine.begin() as con:
            con.execute(delete(_FOLLOWED).where(_FOLLOWED.c.room_login.in_(list(logins))))

    def write_status(self, name: str, payload: dict[str, Any]) -> None:
        """Says how a process is doing; it overwrites what it said before."""
        with _told_plainly():
            self._write_status(name, {"payload": payload, "updated_at": now_us()})

    def read_status(self, name: str) -> StatusRow | None:
        """What a process last said, or None if it never spoke."""
        with _told_plainly(), self._engine.connect() as con:
            row = con.execute(
                select(_STATUS.c.payload, _STATUS.c.updated_at).where(_STATUS.c.name == name)
            ).first()
        return StatusRow(row[0], Instant(row[1])) if row else None

    def close(self) -> None:
        """Closes all connections."""
        with self._opening:
            if self._opened is not None:
                self._opened.dispose(close=self._opened_in == os.getpid())
                self._opened = None

    def _write_status(self, name: str, values: dict[str, Any]) -> None:
        change = update(_STATUS).where(_STATUS.c.name == name).values(**values)
        with self._engine.begin() as con:
            if con.execute(change).rowcount:
                return
        try:
            with self._engine.begin() as con:
                con.execute(insert(_STATUS).values(name=name, **values))
        except IntegrityError:  # Somebody else was first to speak under this name.
            with self._engine.begin() as con:
                con.execute(change)

    def _follow_one(self, login: str, by: str) -> bool:
        try:
            with self._engine.begin() as con:
                con.execute(insert(_FOLLOWED).values(room_login=login, followed_by=by, followed_at=now_us()))
        except IntegrityError:
            return False
        return True

    @property
    def _engine(self) -> Engine:
        with self._opening:
            if self._opened is not None and self._opened_in != os.getpid():
                # Connections that came through a fork are the parent's: neither use nor close them.
                self._opened.dispose(close=False)
                self._opened = None
            if self._opened is None:
                self._opened, self._opened_in = self._open(), os.getpid()
            return self._opened

    def _open(self) -> Engine:
        path = self._data_dir / "state" / "state.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        address = self._url or URL.create("sqlite", database=str(path))
        engine = create_engine(address, hide_parameters=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        # All processes start at once on a fresh folder: who finds no table may not be the one to make it.
        with engine.begin() as con:
            for table in _METADATA.sorted_tables:
                con.execute(CreateTable(table, if_not_exists=True))
        return engine


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Turns the database's own errors into ours; none of the words can hold the address."""
    try:
        yield
    except (ArgumentError, ImportError) as error:
        raise ConfigError(
            f"DATABASE_URL: not an address that can be used ({type(error).__name__}). "
            "Check it, and that its driver is installed."
        ) from None
    except (SQLAlchemyError, OSError) as error:
        name = type(getattr(error, "orig", None) or error).__name__
        raise StorageError(
            f"The state database does not answer ({name}). Check the disk's room, or DATABASE_URL. "
            "What was collected is safe."
        ) from error


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("pragma busy_timeout = 30000")
    cursor.execute("pragma journal_mode = wal")
    cursor.close()
