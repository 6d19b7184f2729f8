"""Duplicates: Twitch may send a message twice, a file may be imported twice; each counts once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from dashboard.events import Event, now_us
from dashboard.storage.batch import Batch
from dashboard.storage.catalog import Catalog, LiveFile
from dashboard.storage.files import full_disk_said_plainly


class RecentIds:
    """Remembers the last ids seen, in two generations so that memory is bounded and look-ups cost nothing.

    Args:
        size: At least this many of the latest ids are remembered, at most twice as many.
    """

    def __init__(self, size: int = 100_000) -> None:
        self._size = size
        self._current: set[tuple[str, str]] = set()
        self._previous: set[tuple[str, str]] = set()

    def __len__(self) -> int:
        return len(self._current) + len(self._previous)

    def new_ones(self, events: Iterable[Event]) -> list[Event]:
        """Gives back the events not seen before, in their order, and remembers them."""
        fresh = []
        current, previous, size = self._current, self._previous, self._size
        for event in events:
            key = (event.kind, event.event_id)
            if key in current or key in previous:
                continue
            current.add(key)
            fresh.append(event)
            if len(current) >= size:
                self._previous = previous = current
                self._current = current = set()
        return fresh

    def new_rows(self, batch: Batch) -> Batch:
        """:meth:`new_ones` for a batch read back from the journal."""
        seen = set()
        for event_id in batch.ids():
            if self._has(batch.kind, event_id):
                seen.add(event_id)
        self.remember(batch.kind, batch.ids())
        return batch.without(seen)

    def _has(self, kind: str, event_id: str) -> bool:
        return (kind, event_id) in self._current or (kind, event_id) in self._previous

    def remember(self, kind: str, ids: Iterable[str]) -> None:
        """Marks ids as seen."""
        for event_id in ids:
            self._current.add((kind, event_id))
            if len(self._current) >= self._size:
                self._previous, self._current = self._current, set()


def remember_latest_files(recent: RecentIds, catalog: Catalog, lake: Path, *, within_s: float = 300) -> None:
    """Fills the window after a restart with what was written just before it.

    Twitch sends the last messages again when a client re-joins at once; without this they would
    be stored twice until compaction.
    """
    since = now_us() - int(within_s * 1e6)
    kinds = {kind for kind, _ in catalog.partitions()}
    files = [file for kind in sorted(kinds) for file in catalog.live(kind) if file.created_at >= since]
    for file in sorted(files, key=lambda f: f.created_at):
        if file.row_count <= 1_000_000:
            recent.remember(file.kind, _ids_of(lake, file))


def _ids_of(lake: Path, file: LiveFile) -> list[str]:
    try:
        return pq.read_table(lake / file.path, columns=["event_id"])["event_id"].to_pylist()
    except FileNotFoundError:
        return []  # Compaction was quicker; its own file comes later in the list, or is too old to matter.


def without_stored(batch: Batch, catalog: Catalog, lake: Path) -> Batch:
    """Leaves out events that the lake has already (a second import of the same file).

    Args:
        batch: Of one kind and day.
        catalog: Says which files can hold the same events.
        lake: The lake's folder.

    Returns:
        The batch without the events whose id stands in a live file around their time and room.
    """
    if not batch.table.num_rows:
        return batch
    first_at, last_at = batch.span()
    files = catalog.live(batch.kind, (first_at, last_at))
    if not files:
        return batch
    with (
        full_disk_said_plainly("the search for duplicates"),
        duckdb.connect(":memory:", config={"threads": 1}) as con,
    ):
        con.execute("set enable_progress_bar = false")
        rows = con.execute(
            "select event_id from read_parquet($files, hive_partitioning = false) "
            "where sent_at between make_timestamptz($first) and make_timestamptz($last) "
            "and list_contains($rooms, room_login)",
            {
                "files": [str((lake / file.path).absolute()) for file in files],
                "first": first_at,
                "last": last_at,
                "rooms": batch.rooms(),
            },
        ).fetchall()
    return batch.without({event_id for (event_id,) in rows})
