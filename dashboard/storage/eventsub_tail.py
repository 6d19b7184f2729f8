"""What is done with a notification once it is durable: the raw record, and when it came.

None of it holds up an answer to Twitch; what a crash keeps from being done is filled in from the lake
at the next start.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog

from dashboard.errors import StorageError, StreamLensError
from dashboard.events import Instant, now_us
from dashboard.eventsub_message import EventSubMessage
from dashboard.storage.eventsub_raw import RawLog
from dashboard.storage.eventsub_state import EventSubState

log = structlog.get_logger(__name__)

_TICK_S = 0.2
"""Often and little, so that answers never wait long for this thread."""
_TELL_EVERY_S = 1.0
_FILL_IN_AGAIN_S = 90.0
_FILL_IN_EVERY_S = 3600.0
_QUEUED = 20_000
_AT_ONCE = 1_000


class EventSubTail:
    """Works behind a receiver, in a thread of its own.

    Args:
        data_dir: The data folder.
        state: Learns when the last event of each subscription came.
        wait_durable: Called before notifications are written down; returns when they are durable.
        on_tick: Called once a second, for the receiver's own report.
    """

    def __init__(
        self,
        data_dir: Path,
        state: EventSubState,
        *,
        wait_durable: Callable[[], object] = lambda: None,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._data_dir = data_dir
        self._state = state
        self._wait_durable = wait_durable
        self._on_tick = on_tick
        self._raw = RawLog(data_dir)
        self._queue: queue.Queue[EventSubMessage] = queue.Queue(_QUEUED)
        self._seen: dict[str, tuple[Instant, int]] = {}
        self._trouble = ""
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.skipped_count = 0
        """Not in the raw record until it is filled in, because the disk or the queue was full."""

    def start(self, *, fill_in: bool = True) -> None:
        """Starts the thread; first it brings the raw record up to date with the lake."""
        self._thread = threading.Thread(target=self._run, args=(fill_in,), name="eventsub-tail", daemon=True)
        self._thread.start()

    def put(self, message: EventSubMessage) -> None:
        """Takes a notification over; never waits."""
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            self.skipped_count += 1

    def close(self) -> None:
        """Writes what is left and ends the thread."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, fill_in: bool) -> None:
        # Once more soon after the start, for what was too young then.
        due_s = [time.monotonic() + wait_s for wait_s in (0.0, _FILL_IN_AGAIN_S)] if fill_in else []
        told_s = 0.0
        while not self._closing.wait(_TICK_S):
            self._write_taken()
            if time.monotonic() - told_s >= _TELL_EVERY_S:
                told_s = time.monotonic()
                self._safely(self._tell)
            if due_s and time.monotonic() >= due_s[0]:
                due_s = due_s[1:] or [time.monotonic() + _FILL_IN_EVERY_S]
                self._safely(self._fill_in)
        self._write_taken()
        self._safely(self._tell)

    def _write_taken(self) -> None:
        while messages := self._taken():
            self._safely(partial(self._write, messages))

    def _taken(self) -> list[EventSubMessage]:
        messages: list[EventSubMessage] = []
        with suppress(queue.Empty):
            while len(messages) < _AT_ONCE:
                messages.append(self._queue.get_nowait())
        return messages

    def _write(self, messages: list[EventSubMessage]) -> None:
        for message in messages:
            key = str(message.subscription.get("id") or "")
            if key:
                before = self._seen.get(key, (Instant(0), 0))
                self._seen[key] = (max(before[0], message.received_at), before[1] + 1)
        self._wait_durable()
        try:
            self._raw.append(messages)
        except (OSError, StorageError):
            self.skipped_count += len(messages)
            raise

    def _tell(self) -> None:
        if self._seen:
            seen, self._seen = self._seen, {}
            try:
                self._state.touch(seen)
            except StorageError:
                for key, (at, count) in seen.items():
                    before = self._seen.get(key, (Instant(0), 0))
                    self._seen[key] = (max(before[0], at), before[1] + count)
                raise
        self._on_tick()

    def _fill_in(self) -> None:
        from dashboard.storage.store import Store  # DuckDB comes with it, in this thread at the earliest.

        store = Store(self._data_dir, threads=1, memory_mb=256)
        try:
            added = self._raw.fill_in(store, now=now_us())
        finally:
            store.close()
        if added:
            log.info("raw EventSub record filled in", notification_count=added)

    def _safely(self, work: Callable[[], object]) -> None:
        """None of this may end the thread: the events themselves are safe."""
        try:
            work()
        except Exception as error:
            words = str(error) if isinstance(error, StreamLensError) else repr(error)
            if words != self._trouble:  # once, not every second
                log.warning("EventSub's records lag behind; the events are safe", error=words)
            self._trouble = words
        else:
            self._trouble = ""
