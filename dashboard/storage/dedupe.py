"""Duplicates: Twitch may send a message twice, a file may be imported twice; each counts once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from dashboard.events import Event
from dashboard.storage.batch import Batch
from dashboard.storage.catalog import Catalog, now_us


class RecentIds:
    """Remembers the last ids seen, in two generations so that memory is bounded and look-ups cost nothing.

    Args:
        size: At least this many of the latest ids are remembered, at most twice as many.
    """

    def __init__(self, size: int = 100_000) -> None:
        self._size = size
        self._current: set[tuple[str, str]] = set()
        self._previous: set[tuple[str, str]] = set()

    def new_ones(self, events: Iterable[Event]) -> list[Event]:
        """Gives back the events not seen before, in their order, and remembers them."""
        fresh = []
        current, previous = self._current, self._previous
        for event in events:
            key = (event.kind, event.event_id)
            if key in current or key in previous:
                continue
            current.add(key)
            fresh.append(event)
            if len(current) >= self._size:
                self._previous = previous = current
                self._current = current = set()
        return fresh

    def new_rows(self, batch: Batch) -> Batch:
        """:meth:`new_ones` for a batch read back from the journal."""
        seen = {event_id for event_id in batch.ids() if self._has(batch.kind, event_id)}
        self.remember(batch.kind, batch.ids())
        return batch.without(seen)

    def _has(self, kind: str, event_id: str) -> bool:
        return (kind, event_id) in self._current or (kind, event_id) in self._previous

    def remember(self, kind: str, ids: Iterable[str]) -> None:
        """Marks ids as seen."""
        self._current.update((kind, event_id) for event_id in ids)


def remember_latest_files(recent: RecentIds, catalog: Catalog, lake: Path, *, within_s: float = 300) -> None:
    """Fills the window after a restart with what was written just before it.

    Twitch sends the last messages again when a client re-joins at once; without this they would
    be stored twice until compaction.
    """
    since = now_us() - int(within_s * 1e6)
    for kind, _ in dict(catalog.partitions()).items():
        for file in catalog.live(kind):
            if file.created_at >= since and file.row_count <= 100_000:
                ids = pq.read_table(lake / file.path, columns=["event_id"])["event_id"].to_pylist()
                recent.remember(kind, ids)


def without_stored(batch: Batch, catalog: Catalog, lake: Path) -> Batch:
    """Leaves out events that the lake has already (a second import of the same file).

    Args:
        batch: Of one kind and day.
        catalog: Says which files can hold the same events.
        lake: The lake's folder.

    Returns:
        The batch without the events whose id stands in a live file around their time and room.
    """
    first_at, last_at = batch.span()
    files = catalog.live(batch.kind, (first_at, last_at))
    if not files:
        return batch
    with duckdb.connect(":memory:", config={"threads": 1}) as con:
        rows = con.execute(
            "select event_id from read_parquet($files) "
            "where sent_at between make_timestamptz($first) and make_timestamptz($last) "
            "and list_contains($rooms, room_login)",
            {
                "files": [str(lake / file.path) for file in files],
                "first": first_at,
                "last": last_at,
                "rooms": batch.rooms(),
            },
        ).fetchall()
    return batch.without({event_id for (event_id,) in rows})
