"""The way in: events become durable, then visible, exactly once.

One thread does it all: takes what collectors put on a bounded queue, drops duplicates, makes the
rest durable in the journal (group commit), gathers it into micro-batches and adds those to the
lake. Collectors wait when the queue is full: back-pressure before memory.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import structlog

from dashboard.errors import DiskFullError, StorageError
from dashboard.events import Event
from dashboard.storage.batch import Batch, batches_of
from dashboard.storage.catalog import Catalog
from dashboard.storage.dedupe import RecentIds, remember_latest_files, without_stored
from dashboard.storage.files import FolderLock
from dashboard.storage.journal import Journal, Position
from dashboard.storage.lake import LakePaths, LakeWriter
from dashboard.storage.rejects import Rejects

T = TypeVar("T")
log = structlog.get_logger(__name__)

_COMMIT_INTERVAL_S = 0.1
_COMMIT_EVENTS = 5_000
_FLUSH_EVENTS = 50_000
_DISK_FULL_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class IngestStats:
    """Counts since the ingest was opened."""

    received_count: int
    acknowledged_count: int
    """Durable in the journal."""
    written_count: int
    """Visible to queries."""
    duplicate_count: int
    opted_out_count: int
    rejected_count: int
    queued_count: int
    recovered_count: int
    """Found in the journal at the start: acknowledged before a crash, visible now."""
    journal_bytes: int
    trouble: str | None
    """What keeps events from being written right now, in words."""


class Ingest:
    """Opens the way in; use it as a context manager.

    Args:
        data_dir: The data folder.
        name: Of the writer; two processes can't use the same one at once.
        queue_events: How many events may wait before :meth:`put` blocks.
        flush_interval_s: How long an event may wait in the journal before it is visible.
        dedupe_against_lake: Also drop what the lake has from earlier runs (imports).
        opt_out: User ids and logins (lower case) whose events are never written.

    Raises:
        LockedError: Another process writes under this name.
    """

    def __init__(
        self,
        data_dir: Path,
        name: str = "collect",
        *,
        queue_events: int = 50_000,
        flush_interval_s: float = 0.4,
        dedupe_against_lake: bool = False,
        opt_out: Collection[str] = (),
    ) -> None:
        paths = LakePaths(data_dir)
        self._name = name
        self._lake_dir = paths.lake
        self._queue_events = queue_events
        self._flush_interval_s = flush_interval_s
        self._dedupe_against_lake = dedupe_against_lake
        self._opt_out = frozenset(opt_out)
        self._lock = FolderLock(paths.journal / name, "collector" if name == "collect" else name)
        self._journal_dir = paths.journal / name
        self._journal: Journal
        self._catalog = Catalog(paths.catalog)
        self._writer = LakeWriter(paths.lake)
        self._rejects = Rejects(paths.rejects)
        self._recent = RecentIds()
        self._changed = threading.Condition()
        self._queue: deque[Sequence[Event]] = deque()
        self._pending: list[Batch] = []
        self._pending_count = 0
        self._pending_since = 0.0
        self._received = self._taken = self._committed = self._visible = 0
        self._queued = self._acknowledged = self._written = 0
        self._duplicates = self._opted_out = self._recovered = 0
        self._wanted_flush = self._wanted_commit = 0
        self._closing = False
        self._trouble: str | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"ingest-{name}", daemon=True)

    def __enter__(self) -> Ingest:
        self._lock.acquire()
        try:
            self._journal = Journal(self._journal_dir)
            self._recover()
            remember_latest_files(self._recent, self._catalog, self._lake_dir)
        except BaseException:
            self._lock.release()
            raise
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(self, events: Sequence[Event]) -> None:
        """Hands events on; waits while the queue is full.

        Args:
            events: Of any kinds; they must not be changed afterwards.

        Raises:
            StorageError: The writer has died; what was acknowledged is safe.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._queued < self._queue_events or self._failure or self._closing
            )
            self._check()
            self._enqueue(events)

    async def aput(self, events: Sequence[Event]) -> None:
        """:meth:`put` for asyncio: the event loop goes on while this waits."""
        with self._changed:
            self._check()
            if self._queued < self._queue_events:
                self._enqueue(events)
                return
        await asyncio.to_thread(self.put, events)

    def reject(self, line: str, reason: str, source: str = "") -> None:
        """Keeps a line that could not be understood in the reject file."""
        with self._changed:
            self._rejects.write(line, reason, source or self._name)

    def sync(self, timeout_s: float | None = None) -> bool:
        """Waits until everything put so far is durable; False if that took too long."""
        return self._wait(lambda: self._committed, "_wanted_commit", timeout_s)

    def flush(self, timeout_s: float | None = None) -> bool:
        """Waits until everything put so far is visible to queries; False if that took too long."""
        return self._wait(lambda: self._visible, "_wanted_flush", timeout_s)

    def stats(self) -> IngestStats:
        """Counts as of now."""
        with self._changed:
            return IngestStats(
                received_count=self._received,
                acknowledged_count=self._acknowledged,
                written_count=self._written,
                duplicate_count=self._duplicates,
                opted_out_count=self._opted_out,
                rejected_count=self._rejects.count,
                queued_count=self._queued,
                recovered_count=self._recovered,
                journal_bytes=self._journal.size_bytes(),
                trouble=self._trouble,
            )

    def close(self) -> None:
        """Writes what is still queued, makes it visible, and lets go of the folder."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._journal.close()
        self._catalog.close()
        self._lock.release()
        if self._failure is not None:
            log.error("ingest ended early", writer=self._name, error=str(self._failure))

    def _enqueue(self, events: Sequence[Event]) -> None:
        self._queue.append(events)
        self._queued += len(events)
        self._received += len(events)
        self._changed.notify_all()

    def _check(self) -> None:
        if self._failure is not None:
            raise StorageError(f"The writer has stopped: {self._failure}. What was acknowledged is safe.")
        if self._closing:
            raise StorageError("The writer is closed.")

    def _wait(self, reached: Callable[[], int], wish: str, timeout_s: float | None) -> bool:
        with self._changed:
            goal = self._received
            setattr(self, wish, max(getattr(self, wish), goal))
            self._changed.notify_all()
            self._changed.wait_for(lambda: reached() >= goal or self._failure, timeout_s)
            if self._failure is not None:
                self._check()
            return reached() >= goal

    # What follows runs in the writer's thread only.

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except BaseException as error:
            log.exception("ingest failed", writer=self._name)
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _step(self) -> bool:
        batches, closing = self._take()
        if batches:
            self._commit([event for batch in batches for event in batch])
        if self._flush_is_due(closing):
            self._flush()
        if closing and not batches:
            self._start_clean_segment()
        return not (closing and not batches)

    def _take(self) -> tuple[list[Sequence[Event]], bool]:
        with self._changed:
            self._changed.wait_for(self._has_work, self._time_to_flush())
            if self._queue and not self._is_urgent():
                self._changed.wait_for(self._is_urgent, _COMMIT_INTERVAL_S)
            batches = list(self._queue)
            self._queue.clear()
            self._taken = self._received
            return batches, self._closing

    def _has_work(self) -> bool:
        return bool(self._queue) or self._closing or self._wanted_flush > self._visible

    def _is_urgent(self) -> bool:
        wanted = max(self._wanted_flush, self._wanted_commit) > self._committed
        return self._queued >= _COMMIT_EVENTS or self._closing or wanted

    def _time_to_flush(self) -> float | None:
        if not self._pending:
            return None
        return max(0.0, self._pending_since + self._flush_interval_s - time.monotonic())

    def _flush_is_due(self, closing: bool) -> bool:
        wanted = closing or self._wanted_flush > self._visible or self._pending_count >= _FLUSH_EVENTS
        return wanted or self._time_to_flush() == 0.0

    def _commit(self, events: list[Event]) -> None:
        allowed = self._without_opted_out(events)
        fresh = self._recent.new_ones(allowed)
        if fresh:
            batches, payload = batches_of(fresh)
            self._retry_while_full(lambda: self._journal.append(payload))
            if not self._pending:
                self._pending_since = time.monotonic()
            self._pending += batches
            self._pending_count += len(fresh)
        with self._changed:
            self._opted_out += len(events) - len(allowed)
            self._duplicates += len(allowed) - len(fresh)
            self._acknowledged += len(fresh)
            self._queued -= len(events)
            self._committed = self._taken
            self._changed.notify_all()

    def _flush(self) -> None:
        written_count = self._store_pending(self._journal.position)
        self._journal.forget(self._journal.position)
        with self._changed:
            self._duplicates += self._pending_count - written_count
            self._written += written_count
            self._visible = self._committed
            self._changed.notify_all()
        self._pending, self._pending_count = [], 0

    def _store_pending(self, position: Position) -> int:
        batches = self._pending
        if self._dedupe_against_lake:
            batches = [without_stored(batch, self._catalog, self._lake_dir) for batch in batches]
        files = self._retry_while_full(lambda: self._writer.write(batches))
        if self._pending:
            self._catalog.add(files, writer=self._name, position=position)
        return sum(file.row_count for file in files)

    def _without_opted_out(self, events: list[Event]) -> list[Event]:
        if not self._opt_out:
            return events
        return [event for event in events if not self._opt_out & _people_in(event)]

    def _recover(self) -> None:
        position = self._catalog.position(self._name)
        for after, batches in self._journal.replay(position):
            position = after
            fresh = [self._recent.new_rows(batch) for batch in batches]
            self._pending += fresh
            self._pending_count += sum(batch.table.num_rows for batch in fresh)
            if self._pending_count >= _FLUSH_EVENTS:
                self._store_recovered(position)
        self._store_recovered(position)
        self._start_clean_segment()
        if self._recovered:
            log.info("journal replayed", writer=self._name, event_count=self._recovered)

    def _store_recovered(self, position: Position) -> None:
        self._recovered += self._pending_count
        self._written += self._store_pending(position)
        self._pending, self._pending_count = [], 0

    def _start_clean_segment(self) -> None:
        self._journal.start_segment()
        self._catalog.add([], writer=self._name, position=self._journal.position)
        self._journal.forget(self._journal.position)

    def _retry_while_full(self, action: Callable[[], T]) -> T:
        while True:
            try:
                result = action()
            except DiskFullError as error:
                if self._trouble is None:
                    log.error("disk full", writer=self._name, error=str(error))
                self._trouble = str(error)
                if self._closing:
                    raise
                time.sleep(_DISK_FULL_RETRY_S)
            else:
                self._trouble = None
                return result


def _people_in(event: Event) -> set[str]:
    people = (
        getattr(event, name, None)
        for name in ("user_id", "user_login", "target_user_id", "target_user_login")
    )
    return {person for person in people if person}
