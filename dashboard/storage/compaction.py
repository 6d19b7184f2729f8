"""Compaction: many small files become few large ones, sorted by room and time, without duplicates.

A log-structured merge: whenever sixteen files of a level stand in a partition they become one of
the next level, so at most some fifty files a kind are open at any time, however fast chat is. When
a day is over and quiet, all its files become the final ones (level 9).

Readers notice nothing: the catalogue swaps old for new in one transaction, and the old files stay
on the disk for a grace period, for queries that have begun.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import structlog

from dashboard.events import Instant, now_us
from dashboard.storage.batch import day_of
from dashboard.storage.catalog import Catalog, LiveFile, NewFile
from dashboard.storage.files import full_disk_said_plainly, make_folder_durably, replace_durably
from dashboard.storage.lake import MOST_ROOMS_LISTED, LakePaths, new_name, sweep
from dashboard.storage.sorted_file import ROW_GROUP_ROWS, write_sorted
from dashboard.storage.views import select_files

log = structlog.get_logger(__name__)

FINAL_LEVEL = 9
_FAN_IN = 16
_HIGHEST_MERGED_LEVEL = 4
_QUIET_S = 600
_GRACE_S = 120
_ORPHAN_AGE_S = 900
_SWEEP_EVERY_S = 3600
_LARGEST_GROUP = 256
_ROWS_PER_FILE = 5_000_000


@dataclass(frozen=True, slots=True)
class CompactionSummary:
    """What one round did."""

    merged_count: int
    """Files that went in."""
    made_count: int
    """Files that came out."""
    row_count: int
    duplicate_count: int
    deleted_count: int
    """Old files removed from the disk."""


class Compactor:
    """Merges files of one data folder; two of them at once waste work but harm nothing.

    Args:
        data_dir: The data folder.
        memory_mb: DuckDB's limit while sorting; more spills to disk.
        now: The clock, for tests.
    """

    def __init__(self, data_dir: Path, *, memory_mb: int = 1024, now: Callable[[], Instant] = now_us) -> None:
        self._paths = LakePaths(data_dir)
        self._catalog = Catalog(self._paths.catalog, self._paths.lake)
        self._memory_mb = memory_mb
        self._now = now
        self._spill = data_dir / "cache" / "compaction"
        self._swept_at: float | None = None

    def run(
        self,
        *,
        everything: bool = False,
        stop: threading.Event | None = None,
        grace_s: float = _GRACE_S,
        on_merge: Callable[[str, str, int], None] | None = None,
    ) -> CompactionSummary:
        """Does what is due.

        Args:
            everything: Merge each finished day now, quiet or not, and today as far as it is.
            stop: Set it to end after the merge under way.
            grace_s: How long superseded files stay.
            on_merge: Is told kind, day and rows of each merge that is done.

        Returns:
            What was done; all zero when nothing was due.

        Raises:
            StorageError: A merge failed (DiskFullError: for want of room); nothing was lost.
        """
        merged = made = rows = duplicates = 0
        for kind, day in self._catalog.partitions():
            while group := self._due(kind, day, everything):
                if stop is not None and stop.is_set():
                    break
                is_last = everything and len(group) == len(self._catalog.live(kind, date=day))
                new = self._merge(kind, day, group)
                if new is None:
                    break
                before, after = sum(f.row_count for f in group), sum(f.row_count for f in new)
                merged, made = merged + len(group), made + len(new)
                rows, duplicates = rows + after, duplicates + before - after
                if on_merge is not None:
                    on_merge(kind, day, after)
                if is_last:
                    break
        return CompactionSummary(merged, made, rows, duplicates, self._clean(grace_s))

    def retain(self, days_by_kind: dict[str, int]) -> int:
        """Takes away files whose newest event was received too long ago.

        Args:
            days_by_kind: Days to keep by kind; 0 or an absent kind is kept for ever. Counted from
                when an event was received, so that an imported recording of years ago stays.

        Returns:
            How many files are gone from every reader (from the disk after the grace period).

        Caveats:
            Files go whole: an event stays until the newest of its file is due, at most as long as
            its day was written to.
        """
        gone = 0
        for kind, days in days_by_kind.items():
            if days:
                old = self._catalog.expired(kind, Instant(self._now() - days * 86_400 * 1_000_000))
                self._catalog.retire(old)
                gone += len(old)
        return gone

    def _due(self, kind: str, day: str, everything: bool) -> list[LiveFile]:
        files = self._catalog.live(kind, date=day)
        is_over = day < day_of(self._now())
        newest = max((file.created_at for file in files), default=Instant(0))
        is_quiet = newest < self._now() - _QUIET_S * 1_000_000
        is_unfinished = any(file.level < FINAL_LEVEL for file in files)
        if is_unfinished and (everything or (is_over and is_quiet)):
            # The smallest first: what a long stop of the compaction left is taken in bites.
            return sorted(files, key=_age)[:_LARGEST_GROUP]
        by_level: defaultdict[int, list[LiveFile]] = defaultdict(list)
        for file in files:
            by_level[file.level].append(file)
        for level in range(_HIGHEST_MERGED_LEVEL):
            if len(by_level[level]) >= _FAN_IN:
                return sorted(by_level[level], key=_age)[:_LARGEST_GROUP]
        return []

    def _merge(self, kind: str, day: str, group: list[LiveFile]) -> list[NewFile] | None:
        is_final = len(group) == len(self._catalog.live(kind, date=day)) and day < day_of(self._now())
        level = FINAL_LEVEL if is_final else min(max(f.level for f in group) + 1, _HIGHEST_MERGED_LEVEL)
        parts = max(1, math.ceil(sum(f.row_count for f in group) / _ROWS_PER_FILE))
        new: list[NewFile] = []
        try:
            with full_disk_said_plainly("a compacted file"), self._duckdb() as con:
                source = select_files(kind, group, self._catalog, self._paths.lake)
                for part in range(parts):
                    where = f"hash(room_login) % {parts} = {part}" if parts > 1 else "true"
                    rows = once_each(con, f"select * from ({source}) where {where}")
                    file = self._write_part(con, kind, day, level, rows)
                    if file is not None:
                        new.append(file)
        except BaseException:
            self._throw_away(new)
            raise
        # Not inside the try: once swapped they are the lake, whatever interrupts us then.
        if self._catalog.swap(group, new):
            return new
        self._throw_away(new)
        return None

    def _write_part(
        self, con: duckdb.DuckDBPyConnection, kind: str, day: str, level: int, rows: str
    ) -> NewFile | None:
        folder = self._paths.lake / f"kind={kind}" / f"date={day}"
        name = new_name(level)
        temporary, final = folder / f".{name}.tmp", folder / name
        make_folder_durably(folder)
        try:
            ordered = con.sql(f"{rows} order by room_login, sent_at, event_id")
            with ordered.to_arrow_reader(ROW_GROUP_ROWS) as reader:
                write_sorted(reader, temporary, zstd_level=_zstd_level(level))
            replace_durably(temporary, final)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return self._describe(con, kind, day, level, final)

    def _describe(
        self, con: duckdb.DuckDBPyConnection, kind: str, day: str, level: int, path: Path
    ) -> NewFile | None:
        count, first_at, last_at, received_at, rooms = con.execute(
            "select count(*), epoch_us(min(sent_at)), epoch_us(max(sent_at)), epoch_us(max(received_at)), "
            "list(distinct room_login order by room_login) "
            "from read_parquet($path, hive_partitioning = false)",
            {"path": str(path)},
        ).fetchone() or (0, 0, 0, 0, [])
        if not count:
            path.unlink()
            return None
        return NewFile(
            path=str(path.relative_to(self._paths.lake)),
            kind=kind,
            date=day,
            level=level,
            row_count=count,
            byte_count=path.stat().st_size,
            first_at=Instant(first_at),
            last_at=Instant(last_at),
            last_received_at=Instant(received_at),
            rooms=tuple(rooms) if len(rooms) <= MOST_ROOMS_LISTED else None,
            columns=tuple(pq.read_schema(path).names),
        )

    def _duckdb(self) -> duckdb.DuckDBPyConnection:
        self._spill.mkdir(parents=True, exist_ok=True)
        con = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": f"{self._memory_mb}MB"})
        con.execute("set TimeZone = 'UTC'")
        con.execute("set enable_progress_bar = false")
        con.execute("set temp_directory = '" + str(self._spill).replace("'", "''") + "'")
        return con

    def _throw_away(self, files: list[NewFile]) -> None:
        for file in files:
            (self._paths.lake / file.path).unlink(missing_ok=True)

    def _clean(self, grace_s: float) -> int:
        old = self._catalog.superseded_paths(Instant(now_us() - int(grace_s * 1e6)))
        for path in old:
            (self._paths.lake / path).unlink(missing_ok=True)
        if old:
            self._catalog.forget(old)
        return len(old) + self._sweep()

    def _sweep(self) -> int:
        # It looks at every file there is; crashes are rare, so once in a while is enough.
        if self._swept_at is not None and time.monotonic() - self._swept_at < _SWEEP_EVERY_S:
            return 0
        self._swept_at = time.monotonic()
        return sweep(self._paths.lake, self._catalog, older_than_s=_ORPHAN_AGE_S)


def _zstd_level(level: int) -> int:
    # 6 saves 4 % of real chat over 3 for 1.4 times the work: only where nothing is merged again. Version
    # 2's encodings (deltas for instants and lengths) save another 4 %; level 9 saves nothing more.
    return 6 if level == FINAL_LEVEL else 3


def _age(file: LiveFile) -> tuple[int, Instant, int]:
    return file.level, file.created_at, file.file_id


def once_each(con: duckdb.DuckDBPyConnection, rows: str) -> str:
    """The rows without duplicates: of each event the one that was received first."""
    key = "hash(room_login, event_id)"
    con.execute(
        f"create or replace temp table twice as select {key} as h from ({rows}) "
        "group by h having count(*) > 1"
    )
    # Read to its end: DuckDB begins nothing new on a connection with an answer half read.
    [(count,)] = con.execute("select count(*) from twice").fetchall()
    if not count:
        return rows
    # Ranking whole rows is dear, so only those that can have a twin go through it.
    return (
        f"select * from ({rows}) where {key} not in (from twice) union all by name "
        f"(select * from ({rows}) where {key} in (from twice) "
        "qualify row_number() over (partition by room_login, event_id order by received_at) = 1)"
    )
