"""The catalogue's SQLite: its tables, one connection a thread and process, all-or-nothing changes."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dashboard.storage.files import full_disk_said_plainly, make_folder_durably
from dashboard.storage.private import make_private_folder

_SCHEMA = """
create table if not exists files (
  id integer primary key autoincrement,
  path text not null unique,
  kind text not null,
  date text not null,
  level integer not null,
  row_count integer not null,
  byte_count integer not null,
  first_at integer not null,
  last_at integer not null,
  last_received_at integer not null,
  rooms text,
  columns_id integer not null,
  created_at integer not null,
  superseded_at integer,
  synced_at integer
);
create index if not exists files_live on files (kind, last_at, first_at) where superseded_at is null;
create index if not exists files_superseded on files (superseded_at) where superseded_at is not null;
create table if not exists column_lists (id integer primary key, names text not null unique);
create table if not exists positions (
  writer text primary key,
  segment integer not null,
  position integer not null
);
create table if not exists additions (
  id integer primary key autoincrement,
  kind text not null,
  first_at integer not null,
  last_at integer not null,
  created_at integer not null
);
create index if not exists additions_kind on additions (kind, id);
create table if not exists versions (kind text primary key, version integer not null);
create table if not exists about (name text primary key, value integer not null);
"""

# Connections inherited through a fork: SQLite forbids both using and closing them there.
_inherited: list[sqlite3.Connection] = []


class CatalogDatabase:
    """Opens (or makes) the file.

    Args:
        path: Of the SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        make_folder_durably(path.parent)
        make_private_folder(path.parent)
        with self.transaction() as con:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                con.execute(statement)
            con.execute("insert or ignore into about values ('created_at', ?)", (time.time_ns() // 1000,))

    @property
    def con(self) -> sqlite3.Connection:
        """This thread's connection."""
        pid, con = getattr(self._local, "opened", (0, None))
        if con is not None and pid == os.getpid():
            return con
        if con is not None:
            _inherited.append(con)
        with full_disk_said_plainly("the catalogue"):
            con = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            con.execute("pragma journal_mode = wal")
            con.execute("pragma synchronous = full")
        self._local.opened = os.getpid(), con
        return con

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is kept, or after an error (or a ``rollback``) nothing is.

        Raises:
            DiskFullError: Nothing was changed.
            StorageError: Another process keeps the file locked; nothing was changed.
        """
        with full_disk_said_plainly("the catalogue"):
            con = self.con
            con.execute("begin immediate")
            try:
                yield con
                if con.in_transaction:
                    con.commit()
            except BaseException:
                if con.in_transaction:
                    con.rollback()
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """All that is read inside is of one instant; may be nested."""
        con = self.con
        if con.in_transaction:
            yield con
            return
        con.execute("begin")
        try:
            yield con
        finally:
            con.rollback()

    def close(self) -> None:
        """Closes this thread's connection; the next use opens another."""
        pid, con = getattr(self._local, "opened", (0, None))
        if con is not None and pid == os.getpid():
            con.close()
        self._local.opened = 0, None
