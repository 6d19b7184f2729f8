"""kill -9 of the worker in the middle of a capture: the next one goes on, and nobody is in it twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dashboard.job_handle import Room
from dashboard.sandbox import SandboxServer
from dashboard.sandbox.helix_call import Call
from dashboard.storage.captures import Capture, open_captures
from dashboard.storage.job_runs import JobRuns
from dashboard.storage.recovery import recover_orphans
from dashboard.storage.store import Store
from dashboard.storage.tokens import open_vault
from tests.jobs_helpers import grant, settings_for
from tests.worker_process import serving_sandbox, start_worker


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with serving_sandbox() as server:
        yield server


@pytest.mark.fault
@pytest.mark.timeout(200)
def test_a_worker_killed_between_two_pages_is_gone_on_for(
    tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path, sandbox)
    channel = sandbox.world.channels[0]
    # Pages of 100 whatever is asked for: time to die between two of them.
    page = Call.page
    monkeypatch.setattr(Call, "page", lambda self, items, size: page(self, items, min(size, 100)))
    with (
        closing(open_vault(settings)) as vault,
        closing(open_captures(settings)) as captures,
        closing(JobRuns(tmp_path)) as runs,
    ):
        grant(sandbox, vault, channel.login)
        asked = captures.ask(Room(channel.user_id, channel.login), "connected", by="local")
        runs.request("capture", by="local")

        def until(reached: Callable[[Capture], bool], limit_s: float = 60) -> Capture:
            limit = time.monotonic() + limit_s
            while True:
                found = captures.get(asked.capture_id)
                assert found is not None
                if reached(found):
                    return found
                assert time.monotonic() < limit, (found, [(r.name, r.state, r.error) for r in runs.recent(9)])
                time.sleep(0.02)

        sandbox.faults.latency_s = 0.3
        first = start_worker(tmp_path, sandbox)
        left = until(lambda capture: capture.page_count >= 2)
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
        assert left.state == "listing"
        assert left.cursor
        sandbox.faults.latency_s = 0.0
        second = start_worker(tmp_path, sandbox)
        try:
            ended = until(lambda capture: not capture.is_open)
            until(lambda capture: not runs.recent(1, name="capture")[0].is_open)
        finally:
            second.terminate()
            assert second.wait(20) == 0
        assert ended.state == "complete", ended.error
        assert ended.page_count >= left.page_count + 5, "the pages before are not read again"
        history = [(run.state, run.requested_by) for run in runs.recent(9, name="capture")]
        assert history[:2] == [("ok", "local"), ("lost", "local")]
    recover_orphans(tmp_path, skip=())
    with closing(Store(tmp_path, threads=1)) as store:
        mine = f"where capture_id = '{asked.capture_id}'"
        ((said,),) = store.sql(f"select chatter_count from chatter_polls {mine}").rows
        ((count, people),) = store.sql(f"select count(*), count(distinct user_id) from chatters {mine}").rows
        assert said == count == people == ended.listed_count > 500
        ((aged,),) = store.sql(
            f"select count(distinct user_id) from accounts semi join (from chatters {mine}) using (user_id) "
            "where account_created_at is not null"
        ).rows
        assert aged == people == ended.known_count
