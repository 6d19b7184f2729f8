"""The catalogue: which Parquet files make up the lake right now.

A small SQLite database (WAL, full sync). One transaction changes it from one complete picture
to the next, so a reader's file list always shows each event exactly once: while new files
arrive, while compaction swaps many for one, and after a crash anywhere in between. A file that
is not listed does not exist.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dashboard.events import Instant
from dashboard.storage.journal import Position

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
"""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A finished Parquet file that is to become part of the lake."""

    path: str
    """Relative to the lake's folder."""
    kind: str
    date: str
    level: int
    row_count: int
    byte_count: int
    first_at: Instant
    last_at: Instant
    last_received_at: Instant
    rooms: tuple[str, ...] | None
    """Logins in the file; None when there are too many to list."""
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A file that readers see."""

    file_id: int
    path: str
    kind: str
    date: str
    level: int
    row_count: int
    byte_count: int
    first_at: Instant
    last_at: Instant
    columns_id: int
    created_at: Instant


@dataclass(frozen=True, slots=True)
class Changes:
    """What ingest added to a kind since an earlier watermark."""

    watermark: int
    spans: list[tuple[Instant, Instant]]


_DAY_US = 24 * 3600 * 1_000_000
_COLUMNS = "id, path, kind, date, level, row_count, byte_count, first_at, last_at, columns_id, created_at"


def now_us() -> Instant:
    """The wall clock as an instant."""
    return Instant(time.time_ns() // 1000)


class Catalog:
    """Opens (or makes) the catalogue; one connection a thread, made when first needed.

    Args:
        path: The SQLite file, usually ``<data>/state/catalog.sqlite``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._column_lists: dict[int, tuple[str, ...]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction() as con:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                con.execute(statement)

    def add(self, files: Iterable[NewFile], *, writer: str = "", position: Position | None = None) -> None:
        """Makes files visible and, in the same stroke, says how far the journal is now in the lake.

        Args:
            files: Finished and durable.
            writer: The journal's name.
            position: Where its events end; everything before is covered by the lake.
        """
        with self._transaction() as con:
            for file in self._insert(con, files):
                con.execute(
                    "insert into additions (kind, first_at, last_at, created_at) values (?, ?, ?, ?)",
                    (file.kind, file.first_at, file.last_at, now_us()),
                )
            if position is not None:
                con.execute(
                    "insert into positions values (?, ?, ?) on conflict (writer) "
                    "do update set segment = excluded.segment, position = excluded.position",
                    (writer, position.segment, position.offset),
                )

    def swap(self, old: Sequence[LiveFile], new: Iterable[NewFile]) -> bool:
        """Replaces files by others with the same events.

        Returns:
            False, with nothing changed, when one of the old files is no longer live (somebody
            else swapped it first): the new files must then be thrown away.
        """
        ids = [file.file_id for file in old]
        marks = ",".join("?" * len(ids))
        with self._transaction() as con:
            done = con.execute(
                f"update files set superseded_at = ? where superseded_at is null and id in ({marks})",
                (now_us(), *ids),
            ).rowcount
            if done != len(ids):
                con.rollback()
                return False
            self._insert(con, new)
        return True

    def retire(self, files: Sequence[LiveFile]) -> None:
        """Takes files away from readers for good (retention, erasure)."""
        with self._transaction() as con:
            con.executemany(
                "update files set superseded_at = ? where id = ?", [(now_us(), f.file_id) for f in files]
            )
            for kind in {f.kind for f in files}:
                _bump_version(con, kind)

    def position(self, writer: str) -> Position:
        """How far a writer's journal is in the lake (the very start for an unknown one)."""
        row = self._con.execute(
            "select segment, position from positions where writer = ?", (writer,)
        ).fetchone()
        return Position(*row) if row else Position(0, 0)

    def live(
        self, kind: str, window: tuple[Instant, Instant] | None = None, *, date: str | None = None
    ) -> list[LiveFile]:
        """Lists the files readers see.

        Args:
            kind: Of events.
            window: Only files with events sent in it (both ends included).
            date: Only this partition.

        Returns:
            Files by the instant of their first event; empty for an unknown kind.
        """
        sql = f"select {_COLUMNS} from files where superseded_at is null and kind = ?"
        params: list[object] = [kind]
        if window is not None:
            sql += " and last_at >= ? and first_at <= ?"
            params += window
        if date is not None:
            sql += " and date = ?"
            params.append(date)
        return [LiveFile(*row) for row in self._con.execute(sql + " order by first_at, id", params)]

    def columns(self, columns_id: int) -> tuple[str, ...]:
        """The column names that a file was written with."""
        if columns_id not in self._column_lists:
            (names,) = self._con.execute(
                "select names from column_lists where id = ?", (columns_id,)
            ).fetchone()
            self._column_lists[columns_id] = tuple(names.split(","))
        return self._column_lists[columns_id]

    def partitions(self) -> list[tuple[str, str]]:
        """Every (kind, date) with live files."""
        return self._con.execute(
            "select distinct kind, date from files where superseded_at is null order by kind, date"
        ).fetchall()

    def watermark(self, kinds: Iterable[str]) -> int:
        """A number that changes whenever the live files of these kinds change."""
        names = tuple(kinds)
        marks = ",".join("?" * len(names))
        row = self._con.execute(
            f"select total(version) from versions where kind in ({marks})", names
        ).fetchone()
        return int(row[0])

    def changes(self, kind: str, after: int) -> Changes:
        """The stretches of time to which ingest added events after a watermark.

        Args:
            kind: Of events.
            after: ``Changes.watermark`` of the call before; 0 for the first.

        Returns:
            The new watermark and the spans (first and last ``sent_at`` of each added file), oldest first.
            Files swapped by compaction hold nothing new and are not among them. A watermark of more than
            a day ago gives one span over all of time.
        """
        # The watermark first: what is added in between is then told by the next call, not lost.
        (newest, oldest) = self._con.execute(
            "select coalesce((select max(id) from additions), 0), coalesce((select min(id) from additions), 0)"
        ).fetchone()
        if 0 < after < oldest - 1:
            return Changes(newest, [(Instant(0), now_us())])
        rows = self._con.execute(
            "select first_at, last_at from additions where kind = ? and id > ? and id <= ? order by id",
            (kind, after, newest),
        ).fetchall()
        return Changes(max(newest, after), [(Instant(a), Instant(b)) for a, b in rows])

    def totals(self) -> list[tuple[str, int, int, int]]:
        """Files, rows and bytes of each kind, as seen by readers."""
        return self._con.execute(
            "select kind, count(*), sum(row_count), sum(byte_count) from files "
            "where superseded_at is null group by kind order by kind"
        ).fetchall()

    def expired(self, kind: str, received_before: Instant) -> list[LiveFile]:
        """Live files whose newest event was received before an instant."""
        rows = self._con.execute(
            f"select {_COLUMNS} from files where superseded_at is null and kind = ? and last_received_at < ?",
            (kind, received_before),
        )
        return [LiveFile(*row) for row in rows]

    def superseded_paths(self, before: Instant) -> list[str]:
        """Files that no reader can still be using: superseded before the given instant."""
        rows = self._con.execute("select path from files where superseded_at < ?", (before,))
        return [path for (path,) in rows]

    def forget(self, paths: Sequence[str]) -> None:
        """Removes the rows of superseded files that are gone from the disk."""
        with self._transaction() as con:
            con.executemany(
                "delete from files where path = ? and superseded_at is not null", [(path,) for path in paths]
            )
            con.execute("delete from additions where created_at < ?", (now_us() - _DAY_US,))

    def known_paths(self) -> set[str]:
        """Every path the catalogue knows, live or superseded."""
        return {path for (path,) in self._con.execute("select path from files")}

    def close(self) -> None:
        """Closes this thread's connection."""
        con = getattr(self._local, "con", None)
        if con is not None:
            con.close()
            self._local.con = None

    @property
    def _con(self) -> sqlite3.Connection:
        con = getattr(self._local, "con", None)
        if con is None:
            con = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            con.execute("pragma journal_mode = wal")
            con.execute("pragma synchronous = full")
            self._local.con = con
        return con

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        con = self._con
        con.execute("begin immediate")
        try:
            yield con
        except BaseException:
            con.rollback()
            raise
        if con.in_transaction:
            con.commit()

    def _insert(self, con: sqlite3.Connection, files: Iterable[NewFile]) -> list[NewFile]:
        inserted = list(files)
        for file in inserted:
            con.execute(
                "insert into files (path, kind, date, level, row_count, byte_count, first_at, last_at, "
                "last_received_at, rooms, columns_id, created_at) "
                "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    file.path,
                    file.kind,
                    file.date,
                    file.level,
                    file.row_count,
                    file.byte_count,
                    file.first_at,
                    file.last_at,
                    file.last_received_at,
                    None if file.rooms is None else json.dumps(file.rooms),
                    _columns_id(con, file.columns),
                    now_us(),
                ),
            )
        for kind in {file.kind for file in inserted}:
            _bump_version(con, kind)
        return inserted


def _bump_version(con: sqlite3.Connection, kind: str) -> None:
    con.execute(
        "insert into versions values (?, 1) on conflict (kind) do update set version = version + 1", (kind,)
    )


def _columns_id(con: sqlite3.Connection, columns: tuple[str, ...]) -> int:
    names = ",".join(columns)
    con.execute("insert into column_lists (names) values (?) on conflict do nothing", (names,))
    (found,) = con.execute("select id from column_lists where names = ?", (names,)).fetchone()
    return int(found)
