"""The way in: events become durable, then visible, exactly once.

One thread does it all: takes what collectors put on a bounded queue, drops duplicates, makes the
rest durable in the journal (group commit), gathers it into micro-batches and adds those to the
lake. Collectors wait when the queue is full: back-pressure before memory.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType

import structlog

from dashboard.errors import StorageError
from dashboard.events import Event
from dashboard.storage.ingest_writer import FLUSH_EVENTS, Detached, IngestWriter
from dashboard.storage.journal import Position, unread_bytes
from dashboard.storage.lake import LakePaths
from dashboard.storage.rejects import Rejects

log = structlog.get_logger(__name__)

_COMMIT_INTERVAL_S = 0.1
_COMMIT_EVENTS = 5_000
_FULL_QUEUE_POLL_S = 0.01


def ease_garbage_collection() -> None:
    """Keeps Python from searching a process full of short-lived events for cycles that aren't there.

    Call it once in a process that mainly collects, after its imports: it saves a fifth of the work a
    message costs. Reference counting frees events as before; cycles are still found, less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    atexit.register(gc.unfreeze)  # DuckDB counts as leaked what is still frozen at the very end.


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
    flush_lag_s: float = 0.0
    """For how long the oldest event that is not visible yet has been waiting."""


class Ingest:
    """Opens the way in; use it as a context manager. Safe to share between threads.

    Args:
        data_dir: The data folder.
        name: Of the writer; two processes can't use the same one at once.
        queue_events: How many events may wait before :meth:`put` blocks.
        flush_interval_s: How long an event may wait in the journal before it is visible.
        dedupe_against_lake: Also drop what the lake has from earlier runs (imports).
        opt_out: User ids and logins (lower case) whose events are never written.
        flush_beside: Make events visible in a second thread, so that :meth:`sync` never waits for files to
            be written. It costs some throughput where nobody waits for each event.

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
        flush_beside: bool = False,
    ) -> None:
        self._name = name
        self._queue_events = queue_events
        self._flush_interval_s = flush_interval_s
        self._rejects = Rejects(LakePaths(data_dir).rejects)
        self._closing = threading.Event()
        self._writer = IngestWriter(
            data_dir,
            name,
            dedupe_against_lake=dedupe_against_lake,
            opt_out=opt_out,
            rejects=self._rejects,
            closing=self._closing,
        )
        lock = threading.RLock()
        self._work = threading.Condition(lock)
        """Told to the writer's thread: there is something to do."""
        self._progress = threading.Condition(lock)
        """Told to everybody else: something is done."""
        self._queue: deque[Sequence[Event]] = deque()
        # How far events have come; each counts all events from the first on, new or not.
        self._received = self._taken = self._committed = self._visible = 0
        self._wanted_flush = self._wanted_commit = 0
        self._queued = self._acknowledged = self._written = self._duplicates = self._opted_out = 0
        self._waiting_since: float | None = None
        self._failure: BaseException | None = None
        self._is_open = False
        self._flush_beside = flush_beside
        self._beside: threading.Thread | None = None
        """A flush under way in a thread of its own; at most one."""
        self._beside_error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"ingest-{name}", daemon=True)

    def __enter__(self) -> Ingest:
        self._writer.open()
        self._written = self._writer.recovered_count
        self._is_open = True
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except StorageError:
            # What ended the block matters more than what could not be stored because of it.
            if error is None:
                raise

    def put(self, events: Sequence[Event]) -> None:
        """Hands events on; waits while the queue is full.

        Args:
            events: Of any kinds; they must not be changed afterwards. They go in together, so a
                large sequence may fill the queue beyond its size.

        Raises:
            StorageError: The writer is closed or has died; what was acknowledged is safe.
        """
        with self._progress:
            self._progress.wait_for(lambda: self._has_room() or not self._is_fine())
            self._check()
            self._enqueue(events)

    async def aput(self, events: Sequence[Event]) -> None:
        """:meth:`put` for asyncio: the event loop goes on while this waits."""
        while not self._put_if_room(events):
            # Not a thread: many waiting connections would take all that asyncio has.
            await asyncio.sleep(_FULL_QUEUE_POLL_S)

    def reject(self, line: str, reason: str, source: str = "") -> None:
        """Keeps a line that could not be understood in the reject file."""
        self._rejects.write(line, reason, source or self._name)

    def sync(self, timeout_s: float | None = None) -> bool:
        """Waits until everything put so far is durable; False if that took too long."""
        return self._wait(lambda: self._committed, "_wanted_commit", timeout_s)

    def flush(self, timeout_s: float | None = None) -> bool:
        """Waits until everything put so far is visible to queries; False if that took too long."""
        return self._wait(lambda: self._visible, "_wanted_flush", timeout_s)

    def stats(self) -> IngestStats:
        """Counts as of now."""
        _, journal_bytes = unread_bytes(self._writer.folder, Position(0, 0))
        with self._progress:
            since = self._waiting_since
            return IngestStats(
                received_count=self._received,
                acknowledged_count=self._acknowledged,
                written_count=self._written,
                duplicate_count=self._duplicates,
                opted_out_count=self._opted_out,
                rejected_count=self._rejects.count,
                queued_count=self._queued,
                recovered_count=self._writer.recovered_count,
                journal_bytes=journal_bytes,
                trouble=self.trouble,
                flush_lag_s=0.0 if since is None else time.monotonic() - since,
            )

    @property
    def trouble(self) -> str | None:
        """What keeps events from being written right now, in words; cheap to ask with every event."""
        return str(self._failure) if self._failure is not None else self._writer.trouble

    def close(self) -> None:
        """Writes what is still queued, makes it visible, and lets go of the folder.

        Raises:
            StorageError: Events put but never acknowledged could not be stored. Acknowledged ones that
                could not be made visible are no error: the next start finds them in the journal.
        """
        self._closing.set()
        with self._work:
            self._work.notify_all()
            self._progress.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        if not self._is_open:
            return
        self._is_open = False
        self._writer.release()
        if self._failure is None:
            return
        log.error("ingest ended early", writer=self._name, error=str(self._failure))
        lost_count = self._received - self._committed
        if lost_count:
            raise StorageError(f"{lost_count} events could not be stored: {self._failure}") from self._failure

    def _put_if_room(self, events: Sequence[Event]) -> bool:
        with self._progress:
            self._check()
            if not self._has_room():
                return False
            self._enqueue(events)
            return True

    def _enqueue(self, events: Sequence[Event]) -> None:
        was_empty, before = not self._queue, self._queued
        self._queue.append(events)
        self._queued += len(events)
        self._received += len(events)
        if self._waiting_since is None:
            self._waiting_since = time.monotonic()
        # Waking the writer for each line would cost more than the line.
        if was_empty or before < _COMMIT_EVENTS <= self._queued:
            self._work.notify()

    def _has_room(self) -> bool:
        return self._queued < self._queue_events

    def _is_fine(self) -> bool:
        return self._is_open and self._failure is None and not self._closing.is_set()

    def _check(self) -> None:
        if self._failure is not None:
            raise StorageError(f"The writer has stopped: {self._failure}. What was acknowledged is safe.")
        if not self._is_fine():
            raise StorageError("The writer is not open.")

    def _wait(self, reached: Callable[[], int], wish: str, timeout_s: float | None) -> bool:
        with self._progress:
            goal = self._received
            setattr(self, wish, max(getattr(self, wish), goal))
            self._work.notify()
            self._progress.wait_for(
                lambda: reached() >= goal or self._failure is not None or not self._is_open, timeout_s
            )
            if reached() < goal and (self._failure is not None or not self._is_open):
                self._check()
            return reached() >= goal

    # What follows runs in the writer's thread only.

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except BaseException as error:
            if self._closing.is_set() and isinstance(error, StorageError):
                log.warning("closed before all was visible", writer=self._name, error=str(error))
            else:
                log.exception("ingest failed", writer=self._name)
            with self._progress:
                self._failure = error
                self._progress.notify_all()
        finally:
            self._writer.close_thread()

    def _step(self) -> bool:
        batches, is_closing = self._take()
        if batches:
            self._commit(list(chain.from_iterable(batches)))
        if self._flush_is_due(is_closing):
            if self._flush_beside and not is_closing:
                self._start_flush()
            else:
                self._await_flush()
                self._flush()
        if self._beside_error is not None:
            raise self._beside_error
        if is_closing and not batches:
            with suppress(StorageError):  # Tidying; the next start does it as well.
                self._writer.finish()
            return False
        return True

    def _take(self) -> tuple[list[Sequence[Event]], bool]:
        with self._work:
            while not self._has_work() and (wait_s := self._time_to_flush()) != 0.0:
                self._work.wait(wait_s)  # Asked anew each time: a flush that is done changes the answer.
            if self._queue and not self._is_urgent():
                self._work.wait_for(self._is_urgent, _COMMIT_INTERVAL_S)
            batches = list(self._queue)
            self._queue.clear()
            self._taken = self._received
            return batches, self._closing.is_set()

    def _has_work(self) -> bool:
        is_wanted = self._wanted_flush > self._visible and self._beside is None
        is_broken = self._beside_error is not None
        return bool(self._queue) or self._closing.is_set() or is_wanted or is_broken

    def _is_urgent(self) -> bool:
        wanted = max(self._wanted_flush, self._wanted_commit) > self._committed
        return self._queued >= _COMMIT_EVENTS or self._closing.is_set() or wanted

    def _time_to_flush(self) -> float | None:
        if not self._writer.pending_count or self._beside is not None:
            return None  # The one under way tells when it is done.
        return max(0.0, self._writer.pending_since + self._flush_interval_s - time.monotonic())

    def _flush_is_due(self, is_closing: bool) -> bool:
        wanted = is_closing or self._wanted_flush > self._visible
        return wanted or self._writer.pending_count >= FLUSH_EVENTS or self._time_to_flush() == 0.0

    def _commit(self, events: list[Event]) -> None:
        result = self._writer.commit(events)
        with self._progress:
            self._opted_out += result.opted_out_count
            self._duplicates += result.duplicate_count
            self._acknowledged += result.stored_count
            self._queued -= len(events)
            self._committed = self._taken
            if not self._writer.pending_count and self._beside is None:
                self._nothing_waits(self._committed)  # All of it was known already.
            self._progress.notify_all()

    def _flush(self) -> None:
        self._store(self._writer.detach(), self._committed)

    def _start_flush(self) -> None:
        if self._beside is not None:
            if self._writer.pending_count < FLUSH_EVENTS:
                return
            self._await_flush()  # Back-pressure before memory.
        detached, committed = self._writer.detach(), self._committed

        def work() -> None:
            try:
                self._store(detached, committed)
            except BaseException as error:
                self._beside_error = error
            finally:
                self._writer.close_thread()
                with self._work:
                    self._beside = None
                    self._work.notify()

        self._beside = threading.Thread(target=work, name=f"ingest-{self._name}-flush", daemon=True)
        self._beside.start()

    def _await_flush(self) -> None:
        thread = self._beside
        if thread is not None:
            thread.join()
        if self._beside_error is not None:
            raise self._beside_error

    def _store(self, detached: Detached, committed: int) -> None:
        written_count, known_count = self._writer.store(detached)
        with self._progress:
            self._duplicates += known_count
            self._written += written_count
            self._nothing_waits(committed)
            self._progress.notify_all()

    def _nothing_waits(self, upto: int) -> None:
        self._visible = upto
        self._waiting_since = time.monotonic() if self._received > self._visible else None
