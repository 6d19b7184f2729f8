"""The ledger of the sync: what is on S3, in the catalogue's own database so that both change in one stroke.

``uploads`` has one row an object that S3 has confirmed; ``half_uploads`` those in parts under way;
``sync_about`` what belongs to the whole: whose lake it is, the manifest's number, how far it reaches.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dashboard.events import Instant, now_us
from dashboard.storage.catalog_db import CatalogDatabase
from dashboard.storage.s3_upload import Stored
from dashboard.storage.sync_manifest import LakeFile, OtherFile

_SCHEMA = """
create table if not exists uploads (
  name text primary key,
  sha256 text not null,
  byte_count integer not null,
  etag text not null,
  uploaded_at integer not null,
  seen_bytes integer,
  seen_mtime_ns integer,
  dropped_at integer
);
create index if not exists uploads_dropped on uploads (dropped_at) where dropped_at is not null;
create table if not exists half_uploads (
  name text primary key, sha256 text not null, upload_id text not null, begun_at integer not null
);
create table if not exists sync_about (name text primary key, value text not null);
"""
LAKE = "lake/"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file outside the lake as it lies on the disk."""

    name: str
    """Below the data folder, and below the prefix."""
    byte_count: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class LiveLakeFile:
    """A live file of the lake as the sync sees it."""

    file: LakeFile
    """Its ``sha256`` is empty while it is not on S3."""
    created_at: Instant


@dataclass(frozen=True, slots=True)
class LiveLake:
    """Every live file at one instant."""

    files: list[LiveLakeFile]
    """Oldest day first."""
    through_at: Instant
    """All that was made visible up to here is in them; not the clock, which an open transaction outruns."""


@dataclass(frozen=True, slots=True)
class OtherUpload:
    """What is known of a file outside the lake that is on S3."""

    file: OtherFile
    etag: str
    seen_bytes: int
    """Size and change time of the local file when it was uploaded."""
    seen_mtime_ns: int
    uploaded_at: Instant

    def as_stored(self) -> Stored:
        """As S3 has it."""
        return Stored(self.file.name, self.file.sha256, self.file.byte_count, self.etag)


@dataclass(frozen=True, slots=True)
class SyncState:
    """How the copy on S3 is doing, as the ledger knows it without asking S3."""

    lake_id: str
    sequence: int
    """Number of the manifest written last; 0 before the first."""
    synced_through_at: Instant | None
    """Everything that ingest had made visible up to here is in the manifest."""
    live_count: int
    live_bytes: int
    synced_count: int
    synced_bytes: int
    oldest_unsynced_at: Instant | None
    """When the oldest event that is not in the manifest came in; None when there is none."""
    last_success_at: Instant | None


class SyncLedger:
    """Opens the ledger of a data folder; one connection a thread.

    Args:
        catalog: The catalogue's SQLite file.
    """

    def __init__(self, catalog: Path) -> None:
        self._database = CatalogDatabase(catalog)
        with self._database.transaction() as con:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                con.execute(statement)
            con.execute("insert or ignore into sync_about values ('lake_id', ?)", (secrets.token_hex(16),))

    # --- about the whole ------------------------------------------------------------------------

    def about(self, name: str, default: str = "") -> str:
        """A remembered value."""
        row = self._database.con.execute("select value from sync_about where name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def remember(self, **values: object) -> None:
        """Remembers values, all or none; None forgets one."""
        with self._database.transaction() as con:
            _remember(con, values)

    def aim(self, target: str) -> bool:
        """Says where the files go; at another place than before nothing of what is known holds.

        Returns:
            Whether it is another place.
        """
        before = self.about("target")
        if before == target:
            return False
        self.forget_all(target=target)
        return bool(before)

    def forget_all(self, **values: object) -> None:
        """Takes it that nothing is on S3 yet."""
        with self._database.transaction() as con:
            con.execute("delete from uploads")
            con.execute("delete from half_uploads")
            con.execute("update files set synced_at = null where synced_at is not null")
            nothing = ("sequence", "pending", "synced_through_at", "audited_at", "last_success_at")
            _remember(con, dict.fromkeys(nothing) | values)

    # --- the lake -------------------------------------------------------------------------------

    def live(self) -> LiveLake:
        """The lake at one instant."""
        sql = (
            "select f.path, f.kind, f.date, f.level, f.row_count, f.byte_count, f.first_at, f.last_at, "
            "f.last_received_at, f.rooms, c.names, coalesce(u.sha256, ''), f.created_at "
            "from files f join column_lists c on c.id = f.columns_id "
            "left join uploads u on u.name = 'lake/' || f.path "
            "where f.superseded_at is null order by f.date, f.kind, f.id"
        )
        with self.reading() as con:
            files = [LiveLakeFile(LakeFile.of_row(row[:12]), Instant(row[12])) for row in con.execute(sql)]
            (added_at,) = con.execute("select coalesce(max(created_at), 0) from additions").fetchone()
        return LiveLake(files, Instant(max([added_at, *(file.created_at for file in files)])))

    def known_path(self, path: str) -> str:
        """What the catalogue says of a path: ``live``, ``superseded``, or nothing."""
        row = self._database.con.execute(
            "select superseded_at is null from files where path = ?", (path,)
        ).fetchone()
        return "" if row is None else ("live" if row[0] else "superseded")

    def age_as_received(self, paths: Sequence[str]) -> None:
        """Dates restored files back to their newest event: a start reads again what is minutes old."""
        with self._database.transaction() as con:
            con.executemany(
                "update files set created_at = min(created_at, last_received_at) where path = ?",
                [(path,) for path in paths],
            )

    def confirm(self, stored: Sequence[Stored]) -> None:
        """Notes objects that S3 has confirmed."""
        at = now_us()
        with self._database.transaction() as con:
            con.executemany(
                "insert into uploads (name, sha256, byte_count, etag, uploaded_at) values (?, ?, ?, ?, ?) "
                "on conflict (name) do update set sha256 = excluded.sha256, "
                "byte_count = excluded.byte_count, etag = excluded.etag, "
                "uploaded_at = excluded.uploaded_at, dropped_at = null",
                [(item.name, item.sha256, item.byte_count, item.etag, at) for item in stored],
            )
            _mark_synced(con, [item.name for item in stored], at)

    def published(self, sequence: int, names: set[str], synced_through_at: Instant | None) -> None:
        """Notes that a manifest is on S3, and which objects of the lake it no longer names."""
        at = now_us()
        with self._database.transaction() as con:
            kept = con.execute("select name from uploads where name like 'lake/%' and dropped_at is null")
            gone = [(at, name) for (name,) in kept if name not in names]
            con.executemany("update uploads set dropped_at = ? where name = ?", gone)
            values: dict[str, object] = {"sequence": sequence, "pending": None}
            if synced_through_at is not None:
                values |= {"synced_through_at": synced_through_at, "last_success_at": at}
            _remember(con, values)

    def dropped(self, before: Instant) -> list[str]:
        """Objects that no manifest has named since before an instant."""
        rows = self._database.con.execute("select name from uploads where dropped_at < ?", (before,))
        return [name for (name,) in rows]

    def forget(self, names: Iterable[str]) -> None:
        """Notes that objects are no longer on S3."""
        names = list(names)
        with self._database.transaction() as con:
            con.executemany("delete from uploads where name = ?", [(name,) for name in names])
            lake = [(name.removeprefix(LAKE),) for name in names if name.startswith(LAKE)]
            con.executemany("update files set synced_at = null where path = ?", lake)

    def uploads(self, under: str = "") -> dict[str, tuple[int, str]]:
        """Size and ETag by name."""
        rows = self._database.con.execute(
            "select name, byte_count, etag from uploads where substr(name, 1, ?) = ?", (len(under), under)
        )
        return {name: (size, etag) for name, size, etag in rows}

    # --- other files ----------------------------------------------------------------------------

    def others(self) -> dict[str, OtherUpload]:
        """Files outside the lake that are on S3, by name."""
        rows = self._database.con.execute(
            "select name, byte_count, sha256, etag, coalesce(seen_bytes, -1), coalesce(seen_mtime_ns, -1), "
            "uploaded_at from uploads where name not like 'lake/%' and dropped_at is null order by name"
        )
        return {
            row[0]: OtherUpload(OtherFile(*row[:3]), row[3], row[4], row[5], Instant(row[6])) for row in rows
        }

    def confirm_others(self, sent: Sequence[tuple[Stored, LocalFile]]) -> None:
        """Notes files outside the lake, and how they looked when they went up."""
        at = now_us()
        rows = [
            (item.name, item.sha256, item.byte_count, item.etag, at, local.byte_count, local.mtime_ns)
            for item, local in sent
        ]
        with self._database.transaction() as con:
            con.executemany(
                "insert or replace into uploads (name, sha256, byte_count, etag, uploaded_at, seen_bytes, "
                "seen_mtime_ns) values (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def drop(self, names: Iterable[str]) -> None:
        """Notes that the next manifest does not name these any more."""
        with self._database.transaction() as con:
            con.executemany(
                "update uploads set dropped_at = ? where name = ? and dropped_at is null",
                [(now_us(), name) for name in names],
            )

    # --- uploads in parts -----------------------------------------------------------------------

    def half_upload(self, name: str, sha256: str) -> str | None:
        """The unfinished upload of the same content, or None."""
        row = self._database.con.execute(
            "select upload_id from half_uploads where name = ? and sha256 = ?", (name, sha256)
        ).fetchone()
        return str(row[0]) if row else None

    def half_uploads(self) -> list[tuple[str, str]]:
        """Name and upload id of every unfinished upload."""
        return self._database.con.execute("select name, upload_id from half_uploads").fetchall()

    def remember_half_upload(self, name: str, sha256: str, upload_id: str) -> None:
        """Notes an upload before its first part goes up."""
        with self._database.transaction() as con:
            con.execute(
                "insert or replace into half_uploads values (?, ?, ?, ?)", (name, sha256, upload_id, now_us())
            )

    def forget_half_upload(self, name: str) -> None:
        """Notes that an upload is finished, or thrown away."""
        with self._database.transaction() as con:
            con.execute("delete from half_uploads where name = ?", (name,))

    # --- looks ----------------------------------------------------------------------------------

    def state(self) -> SyncState:
        """How the copy is doing, from what is known here."""
        with self.reading() as con:
            live_count, live_bytes, synced_count, synced_bytes = con.execute(
                "select count(*), total(byte_count), count(synced_at), "
                "total(case when synced_at is not null then byte_count end) "
                "from files where superseded_at is null"
            ).fetchone()
            through = _instant(self.about("synced_through_at"))
            return SyncState(
                lake_id=self.about("lake_id"),
                sequence=int(self.about("sequence", "0")),
                synced_through_at=through,
                live_count=live_count,
                live_bytes=int(live_bytes),
                synced_count=synced_count,
                synced_bytes=int(synced_bytes),
                oldest_unsynced_at=_oldest_unsynced(con, through),
                last_success_at=_instant(self.about("last_success_at")),
            )

    def adopt(self, lake_id: str, sequence: int, stored: Sequence[Stored], target: str) -> None:
        """After a whole restore: this folder goes on with the lake on S3, nothing is sent twice."""
        at = now_us()
        with self._database.transaction() as con:
            con.execute("delete from uploads")
            con.executemany(
                "insert or replace into uploads (name, sha256, byte_count, etag, uploaded_at) "
                "values (?, ?, ?, ?, ?)",
                [(item.name, item.sha256, item.byte_count, item.etag, at) for item in stored],
            )
            _mark_synced(con, [item.name for item in stored], at)
            values = {"lake_id": lake_id, "sequence": sequence, "target": target, "pending": None}
            _remember(con, values | {"restoring": None, "audited_at": None})

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Everything read inside is of one instant."""
        with self._database.reading() as con:
            yield con

    def close(self) -> None:
        """Closes this thread's connection."""
        self._database.close()


def _remember(con: sqlite3.Connection, values: dict[str, object]) -> None:
    for name, value in values.items():
        if value is None:
            con.execute("delete from sync_about where name = ?", (name,))
        else:
            con.execute("insert or replace into sync_about values (?, ?)", (name, str(value)))


def _mark_synced(con: sqlite3.Connection, names: Iterable[str], at: Instant) -> None:
    paths = [(at, name.removeprefix(LAKE)) for name in names if name.startswith(LAKE)]
    con.executemany("update files set synced_at = ? where path = ?", paths)


def _oldest_unsynced(con: sqlite3.Connection, through: Instant | None) -> Instant | None:
    (count,) = con.execute("select count(*) from files where superseded_at is null").fetchone()
    if not count:
        return None
    (kept_from,) = con.execute("select min(created_at) from additions").fetchone()
    sql = "select min(created_at) from additions where created_at > ?"
    (newer,) = con.execute(sql, (through or 0,)).fetchone()
    if newer is None:
        return None if through is not None else _oldest_live(con)
    if through is None:
        return min(Instant(newer), _oldest_live(con))
    # The record of additions reaches back a day: what came before it, came at the earliest then.
    return Instant(newer) if kept_from <= through else through


def _oldest_live(con: sqlite3.Connection) -> Instant:
    (at,) = con.execute("select min(created_at) from files where superseded_at is null").fetchone()
    return Instant(at)


def _instant(text: str) -> Instant | None:
    return Instant(int(text)) if text else None
