"""The receiver of webhook deliveries: durable before Twitch gets its answer, each once.

It lives in the web process with a journal of its own. Many requests wait for one fsync together
(group commit), so the rate does not hang on the disk's speed.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from dashboard.errors import LockedError, StorageError
from dashboard.events import Event, Instant, now_us
from dashboard.eventsub_message import EventSubMessage
from dashboard.storage.eventsub_people import names_somebody
from dashboard.storage.eventsub_state import EventSubState, revocation_of
from dashboard.storage.eventsub_tail import EventSubTail
from dashboard.storage.ingest import Ingest, ease_garbage_collection
from dashboard.storage.lake import LakePaths
from dashboard.storage.state import State

log = structlog.get_logger(__name__)

STATUS_NAME = "eventsub-webhook"
WRITER = "webhook"
_DURABLE_WITHIN_S = 4.0
"""Twitch waits a few seconds for the answer; then it sends again."""
_REMEMBER_S = 24 * 3600
_FLUSH_INTERVAL_S = 0.8
"""Rarer than the collector's: writing files takes the processor from the answers."""
_OPEN_TRIES = 20
_OPEN_WAIT_S = 0.25


class SeenIds:
    """Remembers message ids for a time, in generations; not thread-safe.

    Args:
        keep_s: At least so long, at most twice as long.
        now_s: A steady clock.
    """

    def __init__(self, keep_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._now_s = now_s
        self._current: set[str] = set()
        self._previous: set[str] = set()
        self._since_s = now_s()

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._current or message_id in self._previous

    def add(self, message_id: str) -> None:
        """Remembers an id from now on."""
        if self._now_s() - self._since_s >= self._keep_s:
            self._previous, self._current, self._since_s = self._current, set(), self._now_s()
        self._current.add(message_id)


class EventSubReceiver:
    """Stores notifications; safe to share between threads, opened by the first of them.

    Args:
        data_dir: The data folder.
        parse: Turns a notification into events, the raw row first.
        database_url: Of the state, where it is not the SQLite file.
        opt_out: People of whom nothing is written.

    Caveats:
        One process at a time: further ones answer 503 until the first is gone.
    """

    def __init__(
        self,
        data_dir: Path,
        parse: Callable[[EventSubMessage], Sequence[Event]],
        *,
        database_url: str = "",
        opt_out: Collection[str] = (),
    ) -> None:
        self._data_dir = data_dir
        self._parse = parse
        self._opt_out = frozenset(person.lower() for person in opt_out)
        self._state = State(data_dir, database_url)
        self._known = EventSubState(data_dir, database_url)
        self._tail = EventSubTail(data_dir, self._known, on_tick=self._tell)
        self._opening = threading.Lock()
        self._lock = threading.Lock()
        self._ingest: Ingest | None = None
        self._is_closed = False
        self._seen = SeenIds(_REMEMBER_S)
        self._waiting: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._told: Mapping[str, Any] = {}
        self._last_at: Instant | None = None
        self._started_at = now_us()

    def receive(self, message: EventSubMessage) -> bool:
        """Makes a notification durable; when it returns it survives a kill.

        Args:
            message: Its signature is checked.

        Returns:
            False if it was received before (nothing is stored again).

        Raises:
            StorageError: It could not be stored in time. Twitch has to send it again, which is no double.
        """
        ingest = self._opened()
        key = message.message_id
        with self._lock:
            if key in self._seen:
                return False
            is_first = key not in self._waiting
            self._waiting.add(key)
        try:
            if not names_somebody(message.event, self._opt_out):
                self._store(ingest, self._parse(message))
                if is_first:
                    self._tail.put(message)
        finally:
            with self._lock:
                self._waiting.discard(key)
        with self._lock:
            self._seen.add(key)
            self._last_at = message.received_at
        return is_first

    def revoke(self, message: EventSubMessage) -> bool:
        """Writes down that Twitch ended a subscription; False if it was known.

        Raises:
            StorageError: As :meth:`receive`.
        """
        told = message.subscription
        self._known.revoke(revocation_of(message.message_id, told, transport="webhook", at=now_us()))
        is_new = self.receive(message)
        if is_new:
            status = str(told.get("status"))
            log.warning("EventSub subscription revoked", type=message.eventsub_type, status=status)
        return is_new

    def count(self, result: str) -> None:
        """Counts what became of a delivery, for the page."""
        with self._lock:
            self._counts[result] += 1

    def counts(self) -> dict[str, int]:
        """Deliveries by result since the start."""
        with self._lock:
            return dict(self._counts)

    def open_soon(self, *, is_expected: bool) -> None:
        """Opens in a thread of its own: the first delivery is quick, and what a crash left is visible.

        Args:
            is_expected: Whether deliveries are; without them it opens only if a journal is left.
        """
        if not is_expected and not any(LakePaths(self._data_dir).journal.glob(f"{WRITER}/*.journal")):
            return

        def work() -> None:
            with suppress(StorageError):  # The first delivery tells, and tries again.
                self._opened()

        threading.Thread(target=work, name="eventsub-open", daemon=True).start()

    def close(self) -> None:
        """Writes what is left and lets go of the folder; nothing is taken afterwards."""
        with self._opening:
            self._is_closed = True
            ingest, self._ingest = self._ingest, None
            if ingest is not None:
                try:
                    ingest.close()
                finally:
                    self._tail.close()
            self._state.close()
            self._known.close()

    def _store(self, ingest: Ingest, events: Sequence[Event]) -> None:
        # While it can't write, its queue would fill and put() wait for ever, with every thread of the server.
        if trouble := ingest.trouble:
            raise StorageError(trouble)
        ingest.put(events)
        if not ingest.sync(_DURABLE_WITHIN_S):
            raise StorageError("The journal did not take it in time.")

    def _opened(self) -> Ingest:
        ingest = self._ingest
        if ingest is not None:
            return ingest
        with self._opening:
            if self._is_closed:
                raise StorageError("The receiver is closed.")
            if self._ingest is None:
                self._ingest = self._open()
            return self._ingest

    def _open(self) -> Ingest:
        ingest = Ingest(
            self._data_dir,
            WRITER,
            flush_interval_s=_FLUSH_INTERVAL_S,
            opt_out=self._opt_out,
            flush_beside=True,
        )
        for tries in range(_OPEN_TRIES):
            try:
                ingest.__enter__()
                break
            except LockedError:
                if tries == _OPEN_TRIES - 1:
                    raise
                time.sleep(_OPEN_WAIT_S)  # Perhaps a start is just replaying this journal.
        try:
            self._remember()
        except BaseException:
            ingest.close()
            raise
        self._tail.start()
        # A search through all that the pages have loaded takes a tenth of a second without an answer.
        ease_garbage_collection()
        return ingest

    def _remember(self) -> None:
        from dashboard.storage.store import Store

        store = Store(self._data_dir, threads=1, memory_mb=256)
        try:
            since = now_us() - _REMEMBER_S * 1_000_000
            for message_id in store.query("eventsub_recent_ids", since_at=since)["event_id"]:
                self._seen.add(message_id)
        finally:
            store.close()

    def _tell(self) -> None:
        """Once a second, when there is something new: the state database is not for a busy loop."""
        ingest = self._ingest
        payload = {
            "started_at": self._started_at,
            "counts": self.counts(),
            "last_at": self._last_at,
            "skipped_count": self._tail.skipped_count,
            "error": ingest.trouble if ingest else None,
        }
        if payload != self._told:
            self._state.write_status(STATUS_NAME, payload)
            self._told = payload
