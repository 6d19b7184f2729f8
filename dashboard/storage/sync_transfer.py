"""Many transfers at once, with bounded memory; what is done is noted in small groups."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 8
_NOTED_AT_ONCE = 64
_NOTE_EVERY_S = 1.0

Progress = Callable[[int, int, str], None]


class Meter:
    """Counts what went up, and tells it now and then; safe to share between threads."""

    def __init__(self, on_progress: Progress | None) -> None:
        self.sent_bytes = 0
        self.sent_count = 0
        self.total_bytes = 0
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._started_s = time.monotonic()
        self._told_s = 0.0

    def expect(self, byte_count: int) -> None:
        """More is to come."""
        with self._lock:
            self.total_bytes += byte_count

    def sent(self, byte_count: int) -> None:
        """A piece is on S3."""
        with self._lock:
            self.sent_bytes += byte_count

    def stored(self) -> None:
        """An object is whole on S3."""
        with self._lock:
            self.sent_count += 1

    @property
    def bytes_per_s(self) -> float:
        """Since the start."""
        return self.sent_bytes / max(time.monotonic() - self._started_s, 1e-3)

    def tell_files(self, count: int, total: int) -> None:
        """Tells how many files are done."""
        self.tell(f"{count:,} of {total:,} files")

    def tell(self, text: str, *, now: bool = False) -> None:
        """Tells progress, at most twice a second."""
        if self._on_progress is None or (not now and time.monotonic() - self._told_s < 0.5):
            return
        self._told_s = time.monotonic()
        self._on_progress(self.sent_bytes, max(self.total_bytes, self.sent_bytes), text)


def send_many(
    items: Sequence[T],
    send: Callable[[T], R | None],
    note: Callable[[list[R]], None],
    *,
    on_step: Callable[[int, int], None],
    on_noted: Callable[[], None] = lambda: None,
) -> int:
    """Sends items, some at once, in their order.

    Args:
        items: What is to go.
        send: Sends one, in a thread of its own; None when there was nothing to send any more.
        note: Notes what was sent, a group at a time, in the caller's thread.
        on_step: Is told how many are sent, and of how many, again and again.
        on_noted: Called after each group but the last.

    Returns:
        How many were sent.

    Raises:
        Exception: The first failure of ``send``; what is under way is finished and noted before.
    """
    waiting, running = deque(items), set[Future[R | None]]()
    sent: list[R] = []
    failure: BaseException | None = None
    count, noted_s = 0, time.monotonic()
    with ThreadPoolExecutor(AT_ONCE, "s3-put") as pool:
        while running or (waiting and failure is None):
            # Only as many as work: a queue of everything would forget nothing when it is stopped.
            while waiting and failure is None and len(running) < AT_ONCE:
                running.add(pool.submit(send, waiting.popleft()))
            done, running = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in done:
                if (error := future.exception()) is not None:
                    failure = failure or error
                elif (result := future.result()) is not None:
                    sent.append(result)
                    count += 1
            on_step(count, len(items))
            is_time = time.monotonic() - noted_s >= _NOTE_EVERY_S
            if sent and (is_time or len(sent) >= _NOTED_AT_ONCE):
                note(sent)
                sent, noted_s = [], time.monotonic()
                if failure is None:
                    on_noted()
    if sent:
        note(sent)
    if failure is not None:
        raise failure
    return count
