"""The state's database: one way to open it, whichever part of the state asks.

SQLite (WAL) in ``<data>/state/state.sqlite`` by default, or any database that SQLAlchemy knows by
``DATABASE_URL``. Each part (followed channels, accounts, job runs, …) brings its own tables and makes
them when it first needs them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from dashboard.errors import ConfigError, StorageError
from dashboard.storage.private import make_private_folder

_WRITES = "streamlens_writes"


class StateDatabase:
    """Opens (or makes) the state database; safe to share between threads, opened on first use.

    Args:
        data_dir: The data folder.
        url: A SQLAlchemy address instead of the SQLite file.
        tables: Made when they are not there yet, in this order.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
        ConfigError: The address is none, or its driver is not installed.
    """

    def __init__(self, data_dir: Path, url: str, tables: Sequence[Table]) -> None:
        self._data_dir = data_dir
        self._url = url
        self._tables = tuple(tables)
        self._opening = threading.Lock()
        self._opened: Engine | None = None
        self._opened_in = 0

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for questions; everything asked inside sees one and the same state."""
        with _told_plainly(), self._engine().connect() as con:
            yield con

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed at the end, undone by an exception.

        On SQLite it takes the write lock at once, so what is read inside can't change before it is written.
        """
        with _told_plainly(), self._engine().connect() as con:
            con = con.execution_options(**{_WRITES: True})
            with con.begin():
                yield con

    def close(self) -> None:
        """Closes all connections."""
        with self._opening:
            if self._opened is not None:
                self._opened.dispose(close=self._opened_in == os.getpid())
                self._opened = None

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
        make_private_folder(path.parent)
        engine = create_engine(
            self._url or URL.create("sqlite", database=str(path)), hide_parameters=True, pool_pre_ping=True
        )
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        # All processes start at once on a fresh folder: who finds no table may not be the one to make it.
        with engine.connect() as con, con.execution_options(**{_WRITES: True}).begin():
            for table in self._tables:
                con.execute(CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    con.execute(CreateIndex(index, if_not_exists=True))
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
    connection.isolation_level = None  # Else the driver begins by itself, and too late.
    cursor = connection.cursor()
    cursor.execute("pragma busy_timeout = 30000")
    cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma foreign_keys = on")
    cursor.close()


def _begin_sqlite(con: Connection) -> None:
    # A transaction that reads first and writes later can't be waited for: it fails when another
    # wrote in between.
    writes = con.get_execution_options().get(_WRITES)
    con.exec_driver_sql("begin immediate" if writes else "begin")
