"""The catalogue: which Parquet files make up the lake right now.

A small SQLite database (WAL, full sync). One transaction changes it from one complete picture
to the next, so a reader's file list always shows each event exactly once: while new files
arrive, while compaction swaps many for one, and after a crash anywhere in between. A file that
is not listed does not exist.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dashboard.events import Instant, now_us
from dashboard.storage.catalog_db import CatalogDatabase
from dashboard.storage.journal import Position


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


class Catalog:
    """Opens (or makes) the catalogue; one connection a thread, made when first needed.

    Args:
        path: The SQLite file, usually ``<data>/state/catalog.sqlite``.
        lake: The lake's folder; ``lake`` in the data folder if not told.
    """

    def __init__(self, path: Path, lake: Path | None = None) -> None:
        self._lake = lake or path.parent.parent / "lake"
        self._database = CatalogDatabase(path)
        self._column_lists: dict[int, tuple[str, ...]] = {}

    def add(self, files: Sequence[NewFile], *, writer: str = "", position: Position | None = None) -> bool:
        """Makes files visible and, in the same stroke, says how far the journal is now in the lake.

        Args:
            files: Finished and durable.
            writer: The journal's name.
            position: Where its events end; everything before is covered by the lake.

        Returns:
            False, with nothing changed, when one of the files is gone: the sweeper took it for a
            left-over because its writer stood still for so long. It must be written again.
        """
        with self._database.transaction() as con:
            if not self._all_there(files):
                con.rollback()
                return False
            self._insert(con, files)
            for file in files:
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
        return True

    def swap(self, old: Sequence[LiveFile], new: Sequence[NewFile]) -> bool:
        """Replaces files by others with the same events.

        Returns:
            False, with nothing changed, when one of the old files is no longer live (somebody
            else swapped it first): the new files must then be thrown away.
        """
        ids = [file.file_id for file in old]
        marks = ",".join("?" * len(ids))
        with self._database.transaction() as con:
            done = con.execute(
                f"update files set superseded_at = ? where superseded_at is null and id in ({marks})",
                (now_us(), *ids),
            ).rowcount
            if done != len(ids) or not self._all_there(new):
                con.rollback()
                return False
            self._insert(con, new)
            for kind in {file.kind for file in old}:
                _bump_version(con, kind)
        return True

    def retire(self, files: Sequence[LiveFile]) -> None:
        """Takes files away from readers for good (retention, erasure)."""
        with self._database.transaction() as con:
            con.executemany(
                "update files set superseded_at = ? where superseded_at is null and id = ?",
                [(now_us(), file.file_id) for file in files],
            )
            for kind in {f.kind for f in files}:
                _bump_version(con, kind)

    def position(self, writer: str) -> Position:
        """How far a writer's journal is in the lake (the very start for an unknown one)."""
        row = self._database.con.execute(
            "select segment, position from positions where writer = ?", (writer,)
        ).fetchone()
        return Position(*row) if row else Position(0, 0)

    def live(
        self,
        kind: str,
        window: tuple[Instant, Instant] | None = None,
        *,
        date: str | None = None,
        room: str | None = None,
    ) -> list[LiveFile]:
        """Lists the files readers see.

        Args:
            kind: Of events.
            window: Only files with events sent in it (both ends included).
            date: Only this partition.
            room: Only files that can hold events of this room.

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
        if room is not None:
            # Taking the list apart would cost more than reading it: a login needs no escapes in JSON.
            sql += " and (rooms is null or instr(rooms, ?) > 0)"
            params.append(json.dumps(room))
        return [LiveFile(*row) for row in self._database.con.execute(sql + " order by first_at, id", params)]

    def columns(self, columns_id: int) -> tuple[str, ...]:
        """The column names that a file was written with."""
        if columns_id not in self._column_lists:
            (names,) = self._database.con.execute(
                "select names from column_lists where id = ?", (columns_id,)
            ).fetchone()
            self._column_lists[columns_id] = tuple(names.split(","))
        return self._column_lists[columns_id]

    def partitions(self) -> list[tuple[str, str]]:
        """Every (kind, date) with live files."""
        return self._database.con.execute(
            "select distinct kind, date from files where superseded_at is null order by kind, date"
        ).fetchall()

    def watermark(self, kinds: Iterable[str]) -> int:
        """A number that changes whenever the live files of these kinds change."""
        names = tuple(kinds)
        marks = ",".join("?" * len(names))
        row = self._database.con.execute(
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
            Files swapped by compaction hold nothing new and are not among them. When the watermark is
            so old (a day) that the record of additions no longer reaches back to it, one span over all
            that is live.
        """
        with self._database.reading() as con:
            (newest,) = con.execute(
                "select coalesce(max(seq), 0) from sqlite_sequence where name = 'additions'"
            ).fetchone()
            (oldest,) = con.execute("select coalesce(min(id), ?) from additions", (newest + 1,)).fetchone()
            if after < oldest - 1:
                sql = (
                    "select min(first_at), max(last_at) from files where superseded_at is null and kind = ?"
                    " having count(*) > 0"
                )
                rows = con.execute(sql, (kind,)).fetchall()
            else:
                sql = "select first_at, last_at from additions where kind = ? and id > ? order by id"
                rows = con.execute(sql, (kind, after)).fetchall()
        return Changes(max(newest, after), [(Instant(a), Instant(b)) for a, b in rows])

    def day_marks(self) -> dict[str, list[int]]:
        """By day, its rows and when the newest was received: what changes when late events come."""
        rows = self._database.con.execute(
            "select date, sum(row_count), max(last_received_at) from files "
            "where superseded_at is null group by date"
        )
        return {date: [count, received_at] for date, count, received_at in rows}

    def spans(self) -> dict[str, tuple[Instant, Instant]]:
        """By kind, its first and last event as seen by readers."""
        rows = self._database.con.execute(
            "select kind, min(first_at), max(last_at) from files where superseded_at is null group by kind"
        )
        return {kind: (Instant(first_at), Instant(last_at)) for kind, first_at, last_at in rows}

    def totals(self) -> list[tuple[str, int, int, int]]:
        """Files, rows and bytes of each kind, as seen by readers."""
        return self._database.con.execute(
            "select kind, count(*), sum(row_count), sum(byte_count) from files "
            "where superseded_at is null group by kind order by kind"
        ).fetchall()

    def expired(self, kind: str, received_before: Instant) -> list[LiveFile]:
        """Live files whose newest event was received before an instant."""
        rows = self._database.con.execute(
            f"select {_COLUMNS} from files where superseded_at is null and kind = ? and last_received_at < ?",
            (kind, received_before),
        )
        return [LiveFile(*row) for row in rows]

    def newest_received_at(self, kind: str) -> Instant | None:
        """When we learnt of the newest event of a kind that readers see; None when there is none."""
        (newest,) = self._database.con.execute(
            "select max(last_received_at) from files where superseded_at is null and kind = ?", (kind,)
        ).fetchone()
        return None if newest is None else Instant(newest)

    def superseded_paths(self, before: Instant) -> list[str]:
        """Files that no reader can still be using: superseded before the given instant."""
        rows = self._database.con.execute("select path from files where superseded_at < ?", (before,))
        return [path for (path,) in rows]

    def newest_file_id(self) -> int:
        """The number of the file added last; it only grows."""
        (newest,) = self._database.con.execute("select coalesce(max(id), 0) from files").fetchone()
        return int(newest)

    def superseded_count(self) -> int:
        """Files that are replaced or retired, and still on the disk."""
        (count,) = self._database.con.execute(
            "select count(*) from files where superseded_at is not null"
        ).fetchone()
        return int(count)

    def forget(self, paths: Sequence[str]) -> None:
        """Removes the rows of superseded files that are gone from the disk."""
        with self._database.transaction() as con:
            con.executemany(
                "delete from files where path = ? and superseded_at is not null", [(path,) for path in paths]
            )
            con.execute("delete from additions where created_at < ?", (now_us() - _DAY_US,))

    def known_paths(self) -> set[str]:
        """Every path the catalogue knows, live or superseded."""
        return {path for (path,) in self._database.con.execute("select path from files")}

    def delete_unlisted(self, paths: Iterable[str]) -> int:
        """Deletes files that nobody listed, unless somebody lists them first.

        Returns:
            How many are gone from the disk.
        """
        deleted = 0
        # Inside the write lock: no writer can list a file between the question and the deletion.
        with self._database.transaction() as con:
            for path in paths:
                if con.execute("select 1 from files where path = ?", (path,)).fetchone() is None:
                    (self._lake / path).unlink(missing_ok=True)
                    deleted += 1
        return deleted

    def created_at(self) -> Instant:
        """When this catalogue was made: it can't know files that are older."""
        (created_at,) = self._database.con.execute(
            "select value from about where name = 'created_at'"
        ).fetchone()
        return Instant(created_at)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Every list asked for inside shows the lake at one and the same instant."""
        with self._database.reading():
            yield

    def close(self) -> None:
        """Closes this thread's connection."""
        self._database.close()

    def _all_there(self, files: Sequence[NewFile]) -> bool:
        return all((self._lake / file.path).exists() for file in files)

    def _insert(self, con: sqlite3.Connection, files: Sequence[NewFile]) -> None:
        for file in files:
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
        for kind in {file.kind for file in files}:
            _bump_version(con, kind)


def _bump_version(con: sqlite3.Connection, kind: str) -> None:
    con.execute(
        "insert into versions values (?, 1) on conflict (kind) do update set version = version + 1", (kind,)
    )


def _columns_id(con: sqlite3.Connection, columns: tuple[str, ...]) -> int:
    names = ",".join(columns)
    con.execute("insert into column_lists (names) values (?) on conflict do nothing", (names,))
    (found,) = con.execute("select id from column_lists where names = ?", (names,)).fetchone()
    return int(found)
