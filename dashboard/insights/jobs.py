"""How the jobs are doing: what runs, what went wrong, what comes next, what stands in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from dashboard.access import Access
from dashboard.events import Instant, now_us
from dashboard.insights.live_sources import Status, Statuses
from dashboard.jobs.needs import Vault, why_not
from dashboard.jobs.orders import JobOrders
from dashboard.jobs.registry import JobSpec, job_specs
from dashboard.storage.job_runs import JobRun, JobRuns, LogLine
from dashboard.storage.report_files import ReportFiles

if TYPE_CHECKING:
    from dashboard.config import Settings

WORKER_STATUS: Final = "worker"
COLLECTOR_STATUS: Final = "collector"
_SILENT_AFTER_US: Final = 15 * 1_000_000
_OF_ONE_JOB: Final = 6
"""So many runs of one job stand in the history of all."""

CardState = Literal["running", "waiting", "ok", "failed", "cancelled", "lost", "never", "blocked", "off"]
HISTORY_STATES: Final[dict[str, tuple[str, ...] | None]] = {
    "all": None,
    "failed": ("failed", "lost"),
    "ok": ("ok",),
    "cancelled": ("cancelled",),
}


@dataclass(frozen=True, slots=True)
class JobCard:
    """One job at a glance."""

    name: str
    title: str
    description: str
    rhythm: str
    done_by: str
    state: CardState
    next_at: Instant | None = None
    last_at: Instant | None = None
    """When the last run ended."""
    last_text: str = ""
    """What it did, or what failed."""
    last_duration_s: float | None = None
    last_good_at: Instant | None = None
    is_late: bool = False
    """Two of its times have passed without a good run: what happened since is not in the data."""
    run_id: str = ""
    """Of the run that waits or runs."""
    is_stopping: bool = False
    done: int | None = None
    total: int | None = None
    text: str = ""
    why_not: str = ""
    cure: str = ""
    href: str = ""
    run_count: int | None = None
    """Runs since the start of the worker, for upkeep that keeps no list."""
    failed_count: int | None = None

    @property
    def is_startable(self) -> bool:
        """Whether a person can start it now."""
        return self.done_by == "worker" and not self.why_not and self.state not in ("running", "waiting")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for the command line."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class JobsOverview:
    """All jobs, and the worker that does them."""

    now: Instant
    is_worker_running: bool
    worker_seen_at: Instant | None
    cards: tuple[JobCard, ...]

    @property
    def running_count(self) -> int:
        """How many are running or waiting."""
        return sum(card.state in ("running", "waiting") for card in self.cards)

    @property
    def failed_count(self) -> int:
        """How many ended badly the last time."""
        return sum(card.state in ("failed", "lost") for card in self.cards)


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in the history."""

    run_id: str
    title: str
    state: str
    words: str
    """What it did, or what failed."""
    error: str
    at: Instant
    """When it began; when it was asked for, if it has not."""
    duration_s: float | None
    by: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RunLog:
    """The log of one run."""

    run_id: str
    lines: tuple[tuple[Instant, str], ...]


@dataclass(frozen=True, slots=True)
class JobsPage:
    """What one person sees of the jobs."""

    overview: JobsOverview
    is_admin: bool
    runs: tuple[RunLine, ...]
    opened: RunLog | None
    reports: tuple[tuple[str, str], ...]
    """Channel and day of the daily reports, newest first."""


class JobsInsights:
    """Answers the Jobs page, and the orders given there.

    Args:
        settings: Decide which jobs can run.
        runs: The runs.
        statuses: What worker and collector say of themselves.
        vault: The logins; only whether they allow something is looked at.
        now: The clock.
    """

    def __init__(
        self,
        settings: Settings,
        runs: JobRuns,
        statuses: Statuses,
        vault: Vault,
        now: Callable[[], Instant] = now_us,
    ) -> None:
        self._settings = settings
        self._runs = runs
        self._statuses = statuses
        self._vault = vault
        self._now = now
        self._specs = job_specs(settings)
        self._reports = ReportFiles(settings.data_dir)
        self.orders = JobOrders(settings, runs, vault)

    def page(self, access: Access, which: str = "all", opened: str = "") -> JobsPage:
        """What one person sees; names of channels stand in words and logs, so these are for admins only.

        Args:
            access: Who looks.
            which: A key of :data:`HISTORY_STATES`.
            opened: The run whose log is wanted.

        Returns:
            Jobs for everybody; runs and logs for admins; reports of the channels that they may see.
        """
        runs = self.history(which) if access.is_admin else []
        has_log = access.is_admin and any(run.run_id == opened for run in runs)
        lines = self.log(opened) if has_log else []
        overview = self.overview()
        if not access.is_admin:
            overview = replace(overview, cards=tuple(_without_names(card) for card in overview.cards))
        return JobsPage(
            overview=overview,
            is_admin=access.is_admin,
            runs=tuple(self._line(run) for run in runs),
            opened=RunLog(opened, tuple((line.at, line.line) for line in lines)) if has_log else None,
            reports=tuple((file.room_login, file.day) for file in self._reports.listed(access.may_see, 24)),
        )

    def overview(self) -> JobsOverview:
        """Every job as it is now."""
        now = self._now()
        worker = self._statuses.read_status(WORKER_STATUS)
        return JobsOverview(
            now=now,
            is_worker_running=is_speaking(worker, now),
            worker_seen_at=worker.updated_at if worker else None,
            cards=tuple(self._card(spec, now) for spec in self._specs.values()),
        )

    def history(self, which: str = "all", limit: int = 40) -> list[JobRun]:
        """The newest finished and open runs; of all kinds, no job crowds out the others.

        Args:
            which: A key of :data:`HISTORY_STATES`.
            limit: At most so many.

        Returns:
            Newest first.
        """
        states = HISTORY_STATES.get(which)
        if which in ("failed", "cancelled"):
            return self._runs.recent(limit, states=states)
        # The copy to S3 runs twice a minute: half an hour of it would be the whole list.
        seen: Counter[str] = Counter()
        shown = []
        for run in self._runs.recent(10 * limit, states=states):
            seen[run.name] += 1
            if seen[run.name] <= _OF_ONE_JOB:
                shown.append(run)
        return shown[:limit]

    def run(self, run_id: str) -> JobRun | None:
        """One run."""
        return self._runs.get(run_id)

    def log(self, run_id: str) -> list[LogLine]:
        """The log of one run, oldest line first."""
        return self._runs.lines(run_id)

    def _line(self, run: JobRun) -> RunLine:
        spec = self._specs.get(run.name)
        return RunLine(
            run_id=run.run_id,
            title=spec.title if spec else run.name,
            state=run.state,
            words=run.error or run.text,
            error=run.error,
            at=run.started_at or run.requested_at,
            duration_s=run.duration_s,
            by=run.requested_by,
            attempt=run.attempt,
        )

    def _card(self, spec: JobSpec, now: Instant) -> JobCard:
        if spec.done_by == "collector":
            return self._collector_card(spec, now)
        if spec.done_by == "upkeep":
            return self._upkeep_card(spec)
        obstacle = why_not(spec, self._settings, self._vault)
        newest = self._runs.recent(2, name=spec.name)
        open_run = next((run for run in newest if run.is_open), None)
        ended = next((run for run in newest if not run.is_open), None)
        good = self._runs.last(spec.name, ["ok"])
        last_good_at = good.started_at if good else None
        state: CardState = "never"
        if open_run is not None:
            state = "running" if open_run.state == "running" else "waiting"
        elif obstacle is not None:
            state = "blocked"
        elif ended is not None:
            state = _STATES.get(ended.state, "failed")
        before_last = spec.trigger.last(Instant(spec.trigger.last(now) - 1))
        return JobCard(
            **_described(spec),
            state=state,
            next_at=None if obstacle or spec.is_by_hand else spec.trigger.next(now),
            last_at=ended.finished_at if ended else None,
            last_text=(ended.error or ended.text) if ended else "",
            last_duration_s=ended.duration_s if ended else None,
            last_good_at=last_good_at,
            is_late=obstacle is None
            and not spec.is_by_hand
            and last_good_at is not None
            and last_good_at < before_last,
            run_id=open_run.run_id if open_run else "",
            is_stopping=open_run.is_cancel_wanted if open_run else False,
            done=open_run.done if open_run else None,
            total=open_run.total if open_run else None,
            text=open_run.text if open_run else "",
            why_not=obstacle.text if obstacle else "",
            cure=obstacle.cure if obstacle else "",
            href=obstacle.href if obstacle else "",
        )

    def _collector_card(self, spec: JobSpec, now: Instant) -> JobCard:
        obstacle = why_not(spec, self._settings, self._vault)
        if obstacle is not None:
            return JobCard(**_described(spec), state="blocked", why_not=obstacle.text, cure=obstacle.cure)
        row = self._statuses.read_status(COLLECTOR_STATUS)
        told: dict[str, Any] = (row.payload.get("helix") or {}) if row else {}
        if not is_speaking(row, now):
            return JobCard(
                **_described(spec),
                state="off",
                last_at=_instant(told.get("last_poll_at")),
                why_not="The collector is not running.",
                cure="Start it: python app.py",
            )
        error = str(told.get("error") or "")
        polled_at = _instant(told.get("last_poll_at"))
        words = f"{told.get('live_count', 0)} of {told.get('channel_count', 0)} channels live"
        return JobCard(
            **_described(spec),
            state="failed" if error else ("ok" if polled_at else "never"),
            next_at=spec.trigger.next(now),
            last_at=polled_at,
            last_text=error or (words if polled_at else ""),
            last_good_at=polled_at,
            is_late=polled_at is not None and now - polled_at > 3 * 60 * 1_000_000,
            run_count=int(told.get("poll_count") or 0),
            failed_count=int(told.get("failed_poll_count") or 0),
        )

    def _upkeep_card(self, spec: JobSpec) -> JobCard:
        row = self._statuses.read_status(f"job:{spec.name}")
        if row is None:
            return JobCard(**_described(spec), state="never")
        told, error = row.payload, str(row.payload.get("error") or "")
        return JobCard(
            **_described(spec),
            state="failed" if error else "ok",
            last_at=_instant(told.get("last_at")),
            last_text=error or str(told.get("text") or ""),
            last_duration_s=told.get("duration_s"),
            run_count=int(told.get("run_count") or 0),
            failed_count=int(told.get("failed_count") or 0),
        )


_STATES: Final[dict[str, CardState]] = {
    "ok": "ok",
    "failed": "failed",
    "cancelled": "cancelled",
    "lost": "lost",
}


def is_speaking(status: Status | None, now: Instant) -> bool:
    """Whether a process runs, by its last word about itself."""
    return (
        status is not None
        and now - status.updated_at <= _SILENT_AFTER_US
        and not status.payload.get("stopped_at")
    )


def _described(spec: JobSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "title": spec.title,
        "description": spec.description,
        "rhythm": spec.rhythm,
        "done_by": spec.done_by,
    }


def _without_names(card: JobCard) -> JobCard:
    """The same for who may not see every channel and person."""
    why = "A login does not work any more." if card.why_not.startswith("The login of") else card.why_not
    return replace(card, last_text="", text="", run_id="", why_not=why)


def _instant(value: Any) -> Instant | None:
    return Instant(int(value)) if isinstance(value, (int, float)) and value > 0 else None
