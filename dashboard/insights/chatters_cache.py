"""What was read once is not read again until the lake has something new about it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from dashboard.insights.live_sources import Lake

NO_KIND: Final = "gaps"
"""A view made from other kinds: asking for its changes costs nothing and tells the newest mark."""
_HOLD: Final = 20.0
"""An answer is kept at least so many times as long as it took to make."""
_OLDEST_S: Final = 600.0
"""Rows can also go (erasure, retention), which is told by nothing but the watermark."""

T = TypeVar("T")


class Marks(Lake, Protocol):
    """The part of the store that a cache needs."""

    def watermark(self, kinds: Sequence[str]) -> int:
        """A number that changes whenever the live files of these kinds change."""


@dataclass(slots=True)
class _Entry(Generic[T]):
    value: T
    mark: int
    additions: int
    made_at: float
    took_s: float


class Kept(Generic[T]):
    """The newest answers of one kind of question.

    Args:
        lake: The store.
        kinds: What an answer is made from.
        size: Answers of so much weight together are kept, the newest whatever it weighs.
        weight: Of one answer; None: each is 1.
        monotonic: A clock in seconds.
    """

    def __init__(
        self,
        lake: Marks,
        kinds: Sequence[str],
        *,
        size: int,
        weight: Callable[[T], int] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lake = lake
        self._kinds = tuple(kinds)
        self._size = size
        self._weight = weight or (lambda _: 1)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(
        self,
        key: Hashable,
        make: Callable[[], T],
        *,
        until_at: int | None = None,
        watch: Sequence[str] | None = None,
        fits: Callable[[T], bool] | None = None,
    ) -> T:
        """The answer of before, or a new one.

        Args:
            key: Of the question.
            make: Answers it.
            until_at: Events sent later do not matter to it.
            watch: Only additions to these kinds matter, of those it is made from; None is all.
            fits: Whether an answer of before goes with what it is wanted for.

        Returns:
            An answer that knows every event that matters and is older than a moment: 20 times what it
            takes to make one.
        """
        with self._lock:
            gate = self._making.setdefault(key, threading.Lock())
        with gate:  # Who asks the same meanwhile waits for the one answer.
            with self._lock:
                entry = self._entries.get(key)
            is_wrong = entry is not None and fits is not None and not fits(entry.value)
            if entry is None or is_wrong or not self._is_good(entry, until_at, watch):
                entry = self._made(make)
                with self._lock:
                    self._entries[key] = entry
            with self._lock:
                self._entries.move_to_end(key)
                self._drop()
            return entry.value

    def _drop(self) -> None:
        """Drops what was not asked for for longest."""
        total = sum(self._weight(entry.value) for entry in self._entries.values())
        while total > self._size and len(self._entries) > 1:
            key, entry = self._entries.popitem(last=False)
            self._making.pop(key, None)
            total -= self._weight(entry.value)

    def _made(self, make: Callable[[], T]) -> _Entry[T]:
        mark, additions = self._lake.watermark(self._kinds), self._lake.changes(NO_KIND, 0).watermark
        started = self._monotonic()
        value = make()
        ended = self._monotonic()
        return _Entry(value, mark, additions, ended, ended - started)

    def _is_good(self, entry: _Entry[T], until_at: int | None, watch: Sequence[str] | None) -> bool:
        age_s = self._monotonic() - entry.made_at
        if age_s < entry.took_s * _HOLD:
            return True
        mark = self._lake.watermark(self._kinds)
        if mark == entry.mark:
            return True
        if age_s > _OLDEST_S:
            return False
        for kind in self._kinds if watch is None else watch:
            spans = self._lake.changes(kind, entry.additions).spans
            if any(until_at is None or start <= until_at for start, _ in spans):
                return False
        return True
