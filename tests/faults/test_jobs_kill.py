"""kill -9 of the real worker in the middle of its jobs: given up, caught up, nothing half called whole."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.sandbox import SandboxServer
from dashboard.storage.job_runs import JobRuns
from dashboard.storage.recovery import recover_orphans
from dashboard.storage.store import Store
from tests.jobs_helpers import grant, settings_for
from tests.worker_process import serving_sandbox, start_worker


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with serving_sandbox() as server:
        yield server


def until(reached: Callable[[], bool], what: str, runs: JobRuns, limit_s: float = 60) -> None:
    limit = time.monotonic() + limit_s
    while not reached():
        assert time.monotonic() < limit, (what, [(r.name, r.state, r.error) for r in runs.recent(20)])
        time.sleep(0.05)


@pytest.mark.fault
@pytest.mark.timeout(150)
def test_a_worker_killed_in_the_middle_is_caught_up_and_nothing_half_counts(
    tmp_path: Path, sandbox: SandboxServer
) -> None:
    settings = settings_for(tmp_path, sandbox)
    from dashboard.storage.tokens import open_vault

    vault = open_vault(settings)
    owner = min(sandbox.world.channels, key=lambda channel: channel.usual_viewers)
    grant(sandbox, vault, owner.login)
    vault.close()
    runs = JobRuns(tmp_path)
    sandbox.faults.latency_s = 0.4
    first = start_worker(tmp_path, sandbox)

    def is_midway() -> bool:
        run = runs.last("followers")
        return run is not None and run.state == "running" and "read" in run.text

    until(is_midway, "the worker did not get going", runs)
    os.kill(first.pid, signal.SIGKILL)
    first.wait(60)
    left = {run.name for run in runs.recent(20, states=["running"])}
    assert "followers" in left

    sandbox.faults.latency_s = 0.0
    second = start_worker(tmp_path, sandbox)
    try:
        until(
            lambda: all((run := runs.last(name)) and run.state == "ok" for name in ("followers", "chatters")),
            "it was not caught up",
            runs,
        )
        history = [(run.attempt, run.state) for run in runs.recent(20, name="followers")]
        assert history == [(2, "ok"), (1, "lost")]
        # Still there, it does not do them again.
        time.sleep(2.5)
        assert len(runs.recent(20, name="followers")) == 2
    finally:
        second.terminate()
        assert second.wait(60) == 0
    runs.close()
    recover_orphans(tmp_path, skip=())
    store = Store(tmp_path, threads=1)
    ((count, distinct),) = store.sql(
        "select count(*), count(distinct event_id) from "
        "(select event_id from follows union all select event_id from followers)"
    ).rows
    ((total,),) = store.sql("select max(follower_count) from audience_counts").rows
    assert count == distinct
    # People follow while the test runs; what was listed can't be less than what was told at the end's start.
    assert total - 5 <= count <= total + 5
    captures = store.sql(
        "select p.chatter_count, count(distinct c.user_id) from chatter_polls p "
        "join chatters c using (capture_id) group by p.capture_id, p.chatter_count"
    ).rows
    assert captures
    assert all(said == listed for said, listed in captures)
    store.close()


@pytest.mark.fault
@pytest.mark.timeout(120)
def test_two_workers_share_the_work(tmp_path: Path, sandbox: SandboxServer) -> None:
    workers = [start_worker(tmp_path, sandbox) for _ in range(2)]
    runs = JobRuns(tmp_path)
    names = {"tokens", "followers", "clips", "report", "channel_days"}
    try:
        until(
            lambda: {run.name for run in runs.recent(50, states=["ok", "failed"])} >= names,
            "not all was done",
            runs,
        )
        time.sleep(3)
        first_tries = [run.name for run in runs.recent(50) if run.attempt == 1]
        # The first map takes minutes: it is under way, in one of them.
        assert sorted(first_tries) == sorted({*names, "communities"})
    finally:
        for worker in workers:
            worker.terminate()
        assert [worker.wait(60) for worker in workers] == [0, 0]
