"""The state's database: one way to open it, whichever part of the state asks.

SQLite (WAL) in ``<data>/state/state.sqlite`` by default, or Postgres by ``DATABASE_URL``. Each part
(followed channels, accounts, job runs, …) describes its own tables in :data:`METADATA`; whoever opens the
database first brings all of them to what this version needs (:mod:`dashboard.storage.migrations`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from dashboard.errors import ConfigError, StorageError
from dashboard.storage.migrations import bring_up, schema_of
from dashboard.storage.state_engine import make_engine, reading, state_file, writing

if TYPE_CHECKING:
    from dashboard.storage.migrations import Schema

METADATA = MetaData()
"""Every table of the state, as far as the modules that describe them are imported."""


class StateDatabase:
    """Opens (or makes) the state database; safe to share between threads, opened on first use.

    Args:
        data_dir: The data folder.
        url: A SQLAlchemy address instead of the SQLite file; ``postgresql://`` is psycopg's.

    Raises (all calls):
        StorageError: The database does not answer, has no room left, or is a newer version's.
        ConfigError: The address is none, or its driver is not installed.
    """

    def __init__(self, data_dir: Path, url: str = "") -> None:
        self._data_dir = data_dir
        self._url = url
        self._opening = threading.Lock()
        self._opened: Engine | None = None
        self._opened_in = 0

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for questions; everything asked inside sees one and the same state."""
        with _told_plainly(), reading(self._engine()) as con:
            yield con

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed at the end, undone by an exception.

        It takes the write lock at once, so what is read inside can't change before it is written.
        """
        with _told_plainly(), writing(self._engine()) as con:
            yield con

    def migrate(self) -> str | None:
        """Brings the database to this version, as any first use of it does.

        Returns:
            Which version it was before; None if it was none.
        """
        before = self.schema()
        with self.read():
            return before.version if before else None

    def schema(self) -> Schema | None:
        """What the database is like, without changing it; None when there is none yet."""
        if not self._url and not state_file(self._data_dir).exists():
            return None
        with _told_plainly():
            engine = make_engine(self._data_dir, self._url)
            try:
                return schema_of(engine)
            finally:
                engine.dispose()

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
        engine = make_engine(self._data_dir, self._url)
        try:
            bring_up(engine)
        except BaseException:
            engine.dispose()
            raise
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
