"""What people order of jobs: start one, stop one, watch one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.access import Access
from dashboard.errors import JobError
from dashboard.events import now_us
from dashboard.jobs.needs import Vault, why_not
from dashboard.jobs.registry import job_specs
from dashboard.storage.job_runs import JobRun, JobRuns

if TYPE_CHECKING:
    from dashboard.config import Settings

WAITS_FOR_WORKER_S = 60
_LOOK_EVERY_S = 0.5


class JobOrders:
    """Takes orders of people who may manage the installation.

    Args:
        settings: Decide which jobs can run.
        runs: Where orders are left for the worker.
        vault: The logins.
    """

    def __init__(self, settings: Settings, runs: JobRuns, vault: Vault) -> None:
        self._settings = settings
        self._runs = runs
        self._vault = vault
        self._specs = job_specs(settings)

    def start(self, name: str, access: Access) -> str:
        """Asks the worker to do a job now.

        Args:
            name: Of the job.
            access: Who asks.

        Returns:
            The id of the run.

        Raises:
            AccessDenied: They may not.
            JobError: There is no such job, or something stands in its way.
            JobBusy: It is under way.
        """
        access.require_admin()
        spec = self._specs.get(name)
        if spec is None or not spec.is_startable:
            raise JobError(f"There is no job “{name}” to start.")
        obstacle = why_not(spec, self._settings, self._vault)
        if obstacle is not None:
            raise JobError(f"{spec.title}: {obstacle.text} {obstacle.cure}")
        return self._runs.request(name, by=access.user_id)

    def cancel(self, run_id: str, access: Access) -> None:
        """Asks a run to stop.

        Raises:
            AccessDenied: They may not.
        """
        access.require_admin()
        self._runs.cancel(run_id)


def watch(
    data_dir: str,
    database_url: str,
    run_id: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
    waits_s: float = WAITS_FOR_WORKER_S,
) -> Iterator[JobRun]:
    """Follows a run from another process, until it is over.

    Args:
        data_dir: The data folder.
        database_url: The state's address; empty for SQLite.
        run_id: Which run.
        sleep: Waits between two looks.
        waits_s: Gives up watching (not the order) when no worker has taken it after so long.

    Yields:
        The run as it is, each time something changed; the last one is how it ended.

    Raises:
        JobError: There is no such run, or no worker takes it.
    """
    runs = JobRuns(Path(data_dir), database_url)
    before: JobRun | None = None
    try:
        while True:
            run = runs.get(run_id)
            if run is None:
                raise JobError("That run is no longer in the list.")
            if run != before:
                yield run
            if not run.is_open:
                return
            if run.state == "requested" and now_us() - run.requested_at > waits_s * 1e6:
                raise JobError("No worker has taken it. Is one running? It is done as soon as one starts.")
            before = run
            sleep(_LOOK_EVERY_S)
    finally:
        runs.close()
