"""The worker: what runs by the clock. Missed runs are done once, never twice at a time."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.storage.compaction import Compactor
from dashboard.storage.recovery import recover_orphans

log = structlog.get_logger(__name__)

_COMPACTION_EVERY_S = 5
_RETENTION_EVERY_S = 3600


def run_worker(settings: Settings) -> None:
    """Runs compaction and retention until SIGTERM or Ctrl-C."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    for name, count in recover_orphans(settings.data_dir).items():
        log.info("left-over journal replayed", writer=name, event_count=count)
    compactor = Compactor(settings.data_dir, memory_mb=settings.query_memory_mb)
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(_compact, "interval", args=[compactor, stop], seconds=_COMPACTION_EVERY_S)
    scheduler.add_job(
        _retain, "interval", args=[compactor, settings.retention_days], seconds=_RETENTION_EVERY_S
    )
    scheduler.start()
    _retain(compactor, settings.retention_days)
    stop.wait()
    scheduler.shutdown(wait=True)


def _compact(compactor: Compactor, stop: threading.Event) -> None:
    try:
        summary = compactor.run(stop=stop)
    except StorageError as error:
        log.error("compaction failed; it will be tried again", error=str(error))
        return
    if summary.merged_count:
        log.debug("compacted", files=summary.merged_count, into=summary.made_count, rows=summary.row_count)


def _retain(compactor: Compactor, days_by_kind: dict[str, int]) -> None:
    try:
        gone = compactor.retain(days_by_kind)
    except StorageError as error:
        log.error("retention failed; it will be tried again", error=str(error))
        return
    if gone:
        log.info("past their time, removed", file_count=gone)
