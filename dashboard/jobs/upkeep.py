"""Upkeep of the lake: every few seconds, so its runs are summed up instead of listed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.events import now_us
from dashboard.storage.compaction import Compactor
from dashboard.storage.eventsub_raw import RawLog
from dashboard.storage.state import State

log = structlog.get_logger(__name__)

_TELL_EVERY_S = 10


@dataclass(slots=True)
class _Tally:
    """What one kind of upkeep did since the worker's start."""

    run_count: int = 0
    failed_count: int = 0
    last_at: int | None = None
    duration_s: float = 0.0
    text: str = "Nothing to do yet"
    error: str = ""
    told_s: float = field(default=float("-inf"))


class Upkeep:
    """Compaction and retention, with their tallies under ``job:<name>`` in the state.

    Args:
        settings: Folder, memory, days to keep.
        state: Takes the tallies.
    """

    def __init__(self, settings: Settings, state: State) -> None:
        self._compactor = Compactor(settings.data_dir, memory_mb=settings.query_memory_mb)
        self._raw = RawLog(settings.data_dir)
        self._retention_days = settings.retention_days
        self._state = state
        self._tallies = {"compaction": _Tally(), "retention": _Tally()}

    def compact(self, stop: threading.Event) -> None:
        """Merges what is due."""

        def work() -> str:
            summary = self._compactor.run(stop=stop)
            if not summary.merged_count:
                return ""
            words = f"{summary.merged_count} files became {summary.made_count} ({summary.row_count:,} rows)"
            log.debug(
                "compacted", files=summary.merged_count, into=summary.made_count, rows=summary.row_count
            )
            return words

        self._do("compaction", work)

    def retain(self) -> None:
        """Removes what is past its time."""

        def work() -> str:
            gone = self._compactor.retain(self._retention_days)
            gone += self._raw.retain(self._retention_days.get("notifications", 0), now=now_us())
            if gone:
                log.info("past their time, removed", file_count=gone)
            return f"{gone} files were past their time" if gone else "Nothing was past its time"

        self._do("retention", work)

    def close(self) -> None:
        """Nothing is kept open between the runs."""

    def _do(self, name: str, work: Callable[[], str]) -> None:
        tally, began_s, before = self._tallies[name], time.monotonic(), self._tallies[name].error
        try:
            text = work()
            tally.text = text or tally.text
            tally.error = ""
        except StorageError as error:
            log.error(f"{name} failed; it will be tried again", error=str(error))
            tally.failed_count += 1
            tally.error = str(error)
        tally.run_count += 1
        tally.last_at = now_us()
        tally.duration_s = time.monotonic() - began_s
        if tally.error != before or time.monotonic() - tally.told_s >= _TELL_EVERY_S:
            self._tell(name, tally)

    def _tell(self, name: str, tally: _Tally) -> None:
        told: dict[str, Any] = {
            "run_count": tally.run_count,
            "failed_count": tally.failed_count,
            "last_at": tally.last_at,
            "duration_s": round(tally.duration_s, 3),
            "text": tally.text,
            "error": tally.error,
        }
        try:
            self._state.write_status(f"job:{name}", told)
            tally.told_s = time.monotonic()
        except StorageError as error:
            log.warning("upkeep can't be told", error=str(error))
