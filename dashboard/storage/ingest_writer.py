"""The one thread's work behind the ingest: journal, then lake, then catalogue, in that order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import structlog

from dashboard.errors import DiskFullError, StorageError
from dashboard.events import Event
from dashboard.storage.batch import Batch, batches_of
from dashboard.storage.catalog import Catalog, NewFile
from dashboard.storage.dedupe import RecentIds, remember_latest_files, without_stored
from dashboard.storage.files import FolderLock
from dashboard.storage.journal import Journal, Position
from dashboard.storage.lake import LakePaths, LakeWriter
from dashboard.storage.optout import rows_without_people, without_people
from dashboard.storage.rejects import Rejects

T = TypeVar("T")
log = structlog.get_logger(__name__)

FLUSH_EVENTS = 50_000
_RETRY_S = 1.0
_TRIES = 30


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of the events of one group commit."""

    stored_count: int
    duplicate_count: int
    opted_out_count: int


@dataclass(frozen=True, slots=True)
class Detached:
    """Events that are durable and on their way into the lake, and how far in the journal they reach."""

    batches: list[Batch]
    event_count: int
    position: Position


class IngestWriter:
    """Takes events through the journal into the lake. Not thread-safe.

    Args:
        data_dir: The data folder.
        name: Of the writer.
        dedupe_against_lake: Also drop what the lake has from earlier runs.
        opt_out: People whose events are never written.
        rejects: Where events end that no column can hold.
        closing: Set when there is no more time to wait for a free disk.
    """

    def __init__(
        self,
        data_dir: Path,
        name: str,
        *,
        dedupe_against_lake: bool,
        opt_out: Collection[str],
        rejects: Rejects,
        closing: threading.Event,
    ) -> None:
        paths = LakePaths(data_dir)
        self.folder = paths.journal / name
        self._troubles: dict[int, str] = {}
        """By thread: one may succeed while the other can't."""
        self.recovered_count = 0
        self.pending_count = 0
        """Events in the journal that are not in the lake yet."""
        self.pending_since = 0.0
        self._name = name
        self._lake_dir = paths.lake
        self._dedupe_against_lake = dedupe_against_lake
        self._opt_out = frozenset(person.lower() for person in opt_out)
        self._rejects = rejects
        self._closing = closing
        self._lock = FolderLock(self.folder, "collector" if name == "collect" else name)
        self._catalog = Catalog(paths.catalog, paths.lake)
        self._lake = LakeWriter(paths.lake)
        self._recent = RecentIds()
        self._pending: list[Batch] = []
        self._journal: Journal

    @property
    def trouble(self) -> str | None:
        """What keeps events from being written right now, in words."""
        return next(iter(list(self._troubles.values())), None)

    def open(self) -> None:
        """Takes the folder and makes visible what a crash left in the journal.

        Raises:
            LockedError: Another process writes under this name.
        """
        self._lock.acquire()
        try:
            # The first array makes pyarrow import pandas, a second that no event should wait for.
            pa.array([""])
            self._journal = Journal(self.folder)
            self._recover()
            remember_latest_files(self._recent, self._catalog, self._lake_dir)
        except BaseException:
            self.release()
            raise

    def commit(self, events: list[Event]) -> Committed:
        """Makes events durable: when it returns they survive a kill."""
        allowed = without_people(events, self._opt_out) if self._opt_out else events
        fresh = self._recent.new_ones(allowed)
        stored_count = 0
        if fresh:
            batches, payload, unfit = batches_of(fresh)
            for event, reason in unfit:
                self._rejects.write(repr(event), reason, event.source)
            stored_count = len(fresh) - len(unfit)
            if batches:
                self._until_done(lambda: self._journal.append(payload))
                if not self._pending:
                    self.pending_since = time.monotonic()
                self._pending += batches
                self.pending_count += stored_count
        return Committed(stored_count, len(allowed) - len(fresh), len(events) - len(allowed))

    def flush(self) -> tuple[int, int]:
        """Makes everything committed visible to queries.

        Returns:
            How many events are new in the lake, and how many it had already.
        """
        return self.store(self.detach())

    def detach(self) -> Detached:
        """Takes what is committed and not visible yet out of the way of further commits."""
        detached = Detached(self._pending, self.pending_count, self._journal.position)
        self._pending, self.pending_count = [], 0
        return detached

    def store(self, detached: Detached) -> tuple[int, int]:
        """Makes what was detached visible; the one thing that another thread may do meanwhile.

        Returns:
            As :meth:`flush`. After an error the events are only in the journal: open anew to get them back.
        """
        written = self._store(detached.batches, detached.position)
        self._journal.forget(detached.position)
        return written, detached.event_count - written

    def finish(self) -> None:
        """Leaves an empty journal behind; everything must be flushed."""
        self._journal.start_segment()
        self._catalog.add([], writer=self._name, position=self._journal.position)
        self._journal.forget(self._journal.position)

    def close_thread(self) -> None:
        """Lets go of what belongs to the calling thread."""
        self._catalog.close()

    def release(self) -> None:
        """Closes the files and gives the folder back."""
        if hasattr(self, "_journal"):
            self._journal.close()
        self._catalog.close()
        self._lock.release()

    def _recover(self) -> None:
        position = self._catalog.position(self._name)
        for after, batches in self._journal.replay(position):
            position = after
            for batch in batches:
                allowed = rows_without_people(batch, self._opt_out) if self._opt_out else batch
                fresh = self._recent.new_rows(allowed)
                self._pending.append(fresh)
                self.pending_count += fresh.table.num_rows
            if self.pending_count >= FLUSH_EVENTS:
                self.recovered_count += self._store(self._pending, position)
                self._pending, self.pending_count = [], 0
        self.recovered_count += self._store(self._pending, position)
        self._pending, self.pending_count = [], 0
        self._until_done(self.finish)
        if self.recovered_count:
            log.info("journal replayed", writer=self._name, event_count=self.recovered_count)

    def _store(self, batches: list[Batch], position: Position) -> int:
        if not batches:
            return 0
        is_listed = False
        while not is_listed:
            files = self._until_done(lambda: self._lake.write(self._new_to_the_lake(batches)))
            # Not written again while only the catalogue can't be: it would fill the disk for good.
            is_listed = self._until_done(partial(self._list, files, position))
        return sum(file.row_count for file in files)

    def _list(self, files: Sequence[NewFile], position: Position) -> bool:
        return self._catalog.add(files, writer=self._name, position=position)

    def _new_to_the_lake(self, batches: list[Batch]) -> Sequence[Batch]:
        if not self._dedupe_against_lake:
            return batches
        return [without_stored(batch, self._catalog, self._lake_dir) for batch in batches]

    def _until_done(self, action: Callable[[], T]) -> T:
        tries, me = 0, threading.get_ident()
        while True:
            try:
                result = action()
            except StorageError as error:
                tries += 1
                if me not in self._troubles:
                    log.error("events can't be written", writer=self._name, error=str(error))
                self._troubles[me] = str(error)
                # A full disk is somebody's to clear, however long it takes; the rest passes soon or never.
                if self._closing.is_set() or (tries > _TRIES and not isinstance(error, DiskFullError)):
                    raise
                self._closing.wait(_RETRY_S)
            else:
                if self._troubles.pop(me, None) is not None:
                    log.info("events are written again", writer=self._name)
                return result
