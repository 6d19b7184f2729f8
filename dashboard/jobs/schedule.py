"""The worker: what runs by the clock and by button. Missed runs are done once, never twice at a time."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from dashboard.config import Settings
from dashboard.errors import JobBusy, StorageError
from dashboard.events import Instant, now_us
from dashboard.jobs.capture_queue import plan_captures
from dashboard.jobs.context import JobContext, OpenTwitch, RunHandle
from dashboard.jobs.needs import why_not
from dashboard.jobs.registry import JobSpec, job_specs
from dashboard.jobs.runner import Work, execute
from dashboard.jobs.state_upkeep import StateUpkeep
from dashboard.jobs.times import SECOND_US, Trigger, next_attempt
from dashboard.jobs.upkeep import Upkeep
from dashboard.jobs.works import works
from dashboard.storage.accounts import open_accounts
from dashboard.storage.captures import open_captures
from dashboard.storage.job_runs import JobRun, JobRuns
from dashboard.storage.recovery import recover_orphans
from dashboard.storage.state import State
from dashboard.storage.store import Store
from dashboard.storage.tokens import TokenVault, open_vault

log = structlog.get_logger(__name__)

BY_CLOCK = "clock"
STATUS_NAME = "worker"
LOGINS = "tokens"
_LOGINS_FIRST_S = 20
LOST_AFTER_S = 15
_BEAT_EVERY_S = 2
_LOOK_EVERY_S = 1
_RETRY_LOOK_EVERY_S = 10
_MOST_AT_ONCE = 3
_QUERY_TIMEOUT_S = 300
_COMPACTION_EVERY_S = 5
_RETENTION_EVERY_S = 3600
_STATE_UPKEEP_EVERY_S = 300


class ClockTrigger(BaseTrigger):
    """A rhythm of ours for APScheduler."""

    def __init__(self, trigger: Trigger) -> None:
        self._trigger = trigger

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next time after now: missed ones are looked after by :meth:`Worker.plan`, once."""
        at = self._trigger.next(Instant(int(now.timestamp() * SECOND_US)))
        return datetime.fromtimestamp(at / SECOND_US, UTC)


class Worker:
    """Asks for runs when they are due, and does those that were asked for, by whomever.

    Args:
        settings: Checked settings.
        open_twitch: Gives jobs their access to Twitch.
        works: What to do for each job; the real ones when left out.
        name: Of this worker; one that nobody else has.
    """

    def __init__(
        self,
        settings: Settings,
        open_twitch: OpenTwitch | None = None,
        *,
        works_by_name: Mapping[str, Work] | None = None,
        specs: Mapping[str, JobSpec] | None = None,
        name: str = "",
    ) -> None:
        url = settings.database_url.get_secret_value()
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self.settings = settings
        self.runs = JobRuns(settings.data_dir, url)
        self.state = State(settings.data_dir, url)
        self.vault: TokenVault = open_vault(settings)
        self.accounts = open_accounts(settings)
        self.captures = open_captures(settings)
        self.specs = dict(specs if specs is not None else job_specs(settings))
        self._queues = [name for name, spec in self.specs.items() if spec.has_queue]
        self._works = works_by_name if works_by_name is not None else works()
        self._open_twitch = open_twitch
        self._stopping = threading.Event()
        self._running: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._retried_s = float("-inf")
        self._started_at = now_us()

    def plan(self, spec: JobSpec, now: Instant | None = None) -> str | None:
        """Asks for a run if one is due that nobody has done: on time, after a failure, or after a pause.

        Returns:
            The id of the run asked for, or None.
        """
        now = now or now_us()
        if spec.has_queue and why_not(spec, self.settings, self.vault) is None:
            return plan_captures(spec.name, self.captures, self.runs, now)
        if not spec.is_startable or spec.is_by_hand or why_not(spec, self.settings, self.vault) is not None:
            return None
        due_at = spec.trigger.last(now)
        good = self.runs.last(spec.name, ["ok"])
        attempt = next_attempt(
            self.runs.of_occurrence(spec.name, due_at),
            due_at=due_at,
            last_ok_at=good.started_at if good else None,
            now=now,
        )
        if attempt is None:
            return None
        try:
            return self.runs.request(spec.name, by=BY_CLOCK, due_at=due_at, attempt=attempt)
        except JobBusy:
            return None  # A person, or another worker, was first.

    def plan_all(self, names: Collection[str] | None = None) -> None:
        """:meth:`plan` for every job, or some; no failure of one stops the others."""
        for spec in [spec for spec in self.specs.values() if names is None or spec.name in names]:
            try:
                self.plan(spec)
            except StorageError as error:
                log.warning("job could not be planned", job=spec.name, error=str(error))

    def look(self) -> None:
        """Gives up what dead workers left, plans what is to be tried again, takes what was asked for."""
        for run in self.runs.mark_lost(
            Instant(now_us() - LOST_AFTER_S * SECOND_US), workers=_dead_here(self)
        ):
            log.warning("job lost with its worker; it will be done again", job=run.name)
        if time.monotonic() - self._retried_s >= _RETRY_LOOK_EVERY_S:
            self._retried_s = time.monotonic()
            self.plan_all()
        self.plan_all(self._queues)  # Somebody waits at the screen.
        while not self._stopping.is_set() and (names := self._claimable()):
            claimed = self.runs.claim(self.name, names=names)
            if claimed is None:
                return
            self._start(claimed)

    def beat(self) -> None:
        """Says that this worker lives, and at what it is."""
        with self._lock:
            running = list(self._running)
        if running:
            self.runs.beat(self.name, running)
        told = {"pid": os.getpid(), "started_at": self._started_at, "running_count": len(running)}
        self.state.write_status(
            STATUS_NAME, told | {"stopped_at": now_us() if self._stopping.is_set() else None}
        )

    def stop(self, wait_s: float = 10) -> None:
        """Ends what runs, so that it is caught up at the next start, and closes everything."""
        self._stopping.set()
        with self._lock:
            threads = list(self._running.values())
        limit_s = time.monotonic() + wait_s
        for thread in threads:
            thread.join(max(0.0, limit_s - time.monotonic()))
        try:
            self.beat()
        except StorageError as error:
            log.warning("the worker's end can't be told", error=str(error))
        self.close()

    def close(self) -> None:
        """Closes what is open; for who was no worker but did one job."""
        for part in (self.runs, self.state, self.vault, self.accounts, self.captures):
            part.close()

    def _claimable(self) -> list[str]:
        """Every job; at the start the logins are looked at first, for the others need them.

        Where as many run as may, only what somebody waits for at the screen is begun.
        """
        first = self.runs.last(LOGINS, ["requested", "running"]) if LOGINS in self._works else None
        is_starting = now_us() - self._started_at < _LOGINS_FIRST_S * SECOND_US
        if first is not None and is_starting:
            return [LOGINS] if self._has_room() else []
        return list(self._works) if self._has_room() else self._queues

    def _has_room(self) -> bool:
        with self._lock:
            return len(self._running) < _MOST_AT_ONCE

    def _start(self, run: JobRun) -> None:
        thread = threading.Thread(target=self._do, args=[run], name=f"job-{run.name}", daemon=True)
        with self._lock:
            self._running[run.run_id] = thread
        thread.start()

    def _do(self, run: JobRun) -> None:
        try:
            execute(
                run,
                self.specs[run.name],
                self._works[run.name],
                self.runs,
                self.context,
                self._stopping.is_set,
            )
        finally:
            with self._lock:
                del self._running[run.run_id]

    def work_of(self, name: str) -> Work:
        """What to do for a job."""
        return self._works[name]

    def context(self, run: JobRun, handle: RunHandle) -> JobContext:
        """The surroundings of a run."""
        return JobContext(
            name=run.name,
            settings=self.settings,
            # One a run, opened at its first question: what a question took is given back at its end.
            store=Store(
                self.settings.data_dir,
                threads=1,
                memory_mb=self.settings.query_memory_mb,
                timeout_s=max(self.settings.query_timeout_s, _QUERY_TIMEOUT_S),
            ),
            state=self.state,
            vault=self.vault,
            accounts=self.accounts,
            handle=handle,
            open_twitch=self._open_twitch,
            params=run.params,
        )


def run_worker(settings: Settings, open_twitch: OpenTwitch | None = None) -> None:
    """Runs all jobs, compaction and retention until SIGTERM or Ctrl-C.

    Args:
        settings: Checked settings.
        open_twitch: Gives jobs their access to Twitch.
    """
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    # A job that is still running when its next time comes is no news: it is seen on the page.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for name, count in recover_orphans(settings.data_dir).items():
        log.info("left-over journal replayed", writer=name, event_count=count)
    worker = Worker(settings, open_twitch)
    upkeep, state_upkeep = Upkeep(settings, worker.state), StateUpkeep(settings)
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(upkeep.compact, "interval", args=[stop], seconds=_COMPACTION_EVERY_S)
    scheduler.add_job(upkeep.retain, "interval", seconds=_RETENTION_EVERY_S)
    scheduler.add_job(_safely, "interval", args=[state_upkeep.run], seconds=_STATE_UPKEEP_EVERY_S)
    for spec in worker.specs.values():
        if spec.is_startable:
            scheduler.add_job(_safely, ClockTrigger(spec.trigger), args=[worker.plan, spec])
    scheduler.add_job(_safely, "interval", args=[worker.look], seconds=_LOOK_EVERY_S)
    scheduler.add_job(_safely, "interval", args=[worker.beat], seconds=_BEAT_EVERY_S)
    scheduler.start()
    upkeep.retain()
    _safely(state_upkeep.run)
    stop.wait()
    scheduler.shutdown(wait=False)
    worker.stop()
    upkeep.close()
    state_upkeep.close()


def _safely(work: Any, *args: Any) -> None:
    try:
        work(*args)
    except StorageError as error:
        log.warning("the state can't be used; trying again", error=str(error))


def _dead_here(worker: Worker) -> list[str]:
    """Names of workers of this machine whose process is gone."""
    host = socket.gethostname()
    dead = []
    for run in worker.runs.recent(50, states=["running"]):
        parts = run.worker.split(":")
        if len(parts) == 3 and parts[0] == host and parts[1].isdigit() and not _is_alive(int(parts[1])):
            dead.append(run.worker)
    return dead


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
