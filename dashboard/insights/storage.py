"""What is stored, how long it stays, and whether a lost disk would come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Protocol

from dashboard.access import Access
from dashboard.errors import JobError
from dashboard.events import Instant, now_us
from dashboard.insights.live_sources import Statuses
from dashboard.storage.inventory import Folder, Inventory, KindOnDisk, inventory
from dashboard.storage.sync import STATUS_NAME, target_of

if TYPE_CHECKING:
    from dashboard.config import Settings

SYNC_JOB = "sync"
EXPORT_JOB = "export"
_LATE_AFTER_S = 120
"""The worker syncs twice a minute: an event that has waited so long is late."""
_OPEN = ("requested", "running")

CopyState = Literal["off", "empty", "good", "late", "failing", "running"]


class Run(Protocol):
    """A run of a job."""

    @property
    def state(self) -> str:
        """``requested``, ``running``, or how it ended."""

    @property
    def requested_at(self) -> Instant:
        """When somebody asked for it."""

    @property
    def done(self) -> int | None:
        """Of ``total``."""

    @property
    def total(self) -> int | None:
        """All there is to do."""

    @property
    def text(self) -> str:
        """What it does, or did."""

    @property
    def error(self) -> str:
        """Why it failed."""


class Runs(Protocol):
    """The part of the jobs' record that is needed here."""

    def request(self, name: str, params: dict[str, Any] | None = None, by: str = "") -> str:
        """Asks the worker."""

    def last(self, name: str) -> Run | None:
        """The newest run."""


@dataclass(frozen=True, slots=True)
class KindLine:
    """One kind in the table."""

    on_disk: KindOnDisk
    retention_days: int
    """0: kept for ever."""


@dataclass(frozen=True, slots=True)
class JournalLine:
    """What a writer has made durable and nobody can see yet."""

    writer: str
    is_running: bool
    byte_count: int
    damaged_count: int


@dataclass(frozen=True, slots=True)
class CopyPanel:
    """How the copy on S3 is doing."""

    state: CopyState
    place: str
    """Bucket and prefix."""
    server: str
    synced_count: int
    live_count: int
    synced_bytes: int
    live_bytes: int
    waiting_s: float | None
    """Age of the oldest event that is not on S3; None when there is none."""
    bytes_per_s: float | None
    """As of the last run that sent something."""
    success_at: Instant | None
    error: str
    error_at: Instant | None


@dataclass(frozen=True, slots=True)
class JobState:
    """A job that this page can ask for."""

    state: str
    """Empty when it never ran."""
    at: Instant | None
    done: int | None
    total: int | None
    words: str

    @property
    def is_open(self) -> bool:
        """Whether it is asked for or running."""
        return self.state in _OPEN


@dataclass(frozen=True, slots=True)
class StorageOverview:
    """The whole page."""

    now: Instant
    kinds: list[KindLine]
    """The largest first."""
    journals: list[JournalLine]
    rejects: Folder
    exports: Folder
    free_bytes: int
    copy: CopyPanel
    sync: JobState
    export: JobState

    @property
    def row_count(self) -> int:
        """Events of all kinds."""
        return sum(line.on_disk.row_count for line in self.kinds)

    @property
    def byte_count(self) -> int:
        """Bytes of all kinds."""
        return sum(line.on_disk.byte_count for line in self.kinds)


class StorageInsights:
    """Answers the Storage page.

    Args:
        settings: Data folder, bucket, retention.
        state: What the sync says of itself.
        runs: Where orders are left for the worker.
        look: Looks at the data folder, for tests.
    """

    def __init__(
        self,
        settings: Settings,
        state: Statuses,
        runs: Runs,
        look: Callable[..., Inventory] = inventory,
    ) -> None:
        self._settings = settings
        self._state = state
        self._runs = runs
        self._look = look

    def overview(self, access: Access, now: Instant | None = None) -> StorageOverview:
        """What is stored here and on S3.

        Args:
            access: Who asks.
            now: The wall clock.

        Returns:
            Everything the page shows; without events all lists are empty.

        Raises:
            AccessDenied: They don't manage the installation.
        """
        access.require_admin()
        now = now or now_us()
        found = self._look(self._settings.data_dir)
        kinds = [
            KindLine(kind, self._settings.retention_days.get(kind.kind, 0))
            for kind in sorted(found.kinds, key=lambda kind: (-kind.byte_count, kind.kind))
        ]
        journals = [
            JournalLine(item.writer, item.is_running, item.byte_count, item.damaged_count)
            for item in found.journals
        ]
        sync = self._job(SYNC_JOB)
        return StorageOverview(
            now=now,
            kinds=kinds,
            journals=journals,
            rejects=found.rejects,
            exports=found.exports,
            free_bytes=found.free_bytes,
            copy=self._copy(found, sync, now),
            sync=sync,
            export=self._job(EXPORT_JOB),
        )

    def order_sync(self, access: Access) -> None:
        """Asks the worker to sync now.

        Raises:
            AccessDenied: They don't manage the installation.
            JobError: There is no bucket, or it is under way (JobBusy).
        """
        access.require_admin()
        if not self._settings.s3_bucket:
            raise JobError("S3 is not set up. Set S3_BUCKET, and start StreamLens again.")
        self._runs.request(SYNC_JOB, {}, access.user_id)

    def order_export(self, access: Access, day: str | None) -> None:
        """Asks the worker to write a day's CSV and JSON.

        Raises:
            AccessDenied: They don't manage the installation.
            JobError: That is no day, or an export is under way (JobBusy).
        """
        access.require_admin()
        try:
            chosen = date.fromisoformat((day or "")[:10])
        except ValueError:
            raise JobError("Choose the day to export.") from None
        self._runs.request(EXPORT_JOB, {"day": str(chosen)}, access.user_id)

    def _job(self, name: str) -> JobState:
        run = self._runs.last(name)
        if run is None:
            return JobState("", None, None, None, "")
        return JobState(run.state, run.requested_at, run.done, run.total, run.error or run.text)

    def _copy(self, found: Inventory, sync: JobState, now: Instant) -> CopyPanel:
        copy = found.copy
        row = self._state.read_status(STATUS_NAME)
        told: dict[str, Any] = row.payload if row else {}
        target = target_of(self._settings)
        if told.get("target") != target:
            told = {}  # Of another bucket than the one that is set now.
        waiting_s = None
        if copy.oldest_unsynced_at is not None:
            waiting_s = max(0.0, (now - copy.oldest_unsynced_at) / 1e6)
        return CopyPanel(
            state=self._copy_state(found, sync, waiting_s, bool(told.get("error"))),
            place=f"{self._settings.s3_bucket}/{self._settings.s3_prefix}".rstrip("/"),
            server=self._settings.s3_endpoint_url or "AWS",
            synced_count=copy.synced_count,
            live_count=copy.live_count,
            synced_bytes=copy.synced_bytes,
            live_bytes=copy.live_bytes,
            waiting_s=waiting_s,
            bytes_per_s=told.get("bytes_per_s") or None,
            success_at=_instant(told.get("success_at")),
            error=str(told.get("error") or ""),
            error_at=_instant(told.get("error_at")),
        )

    def _copy_state(
        self, found: Inventory, sync: JobState, waiting_s: float | None, is_failing: bool
    ) -> CopyState:
        if not self._settings.s3_bucket:
            return "off"
        if is_failing:
            return "failing"
        if sync.state == "running" and (sync.total or 0) > 0:
            return "running"
        if not found.copy.live_count:
            return "empty"
        return "late" if waiting_s is not None and waiting_s > _LATE_AFTER_S else "good"


def _instant(value: Any) -> Instant | None:
    return None if value is None else Instant(int(value))
