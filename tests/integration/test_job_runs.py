"""The runs in a real database: one at a time, over processes; logs bounded; nothing done twice."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.errors import JobBusy
from dashboard.events import Instant, now_us
from dashboard.storage.job_runs import FIRST_LINES, LAST_LINES, JobRuns

DUE = Instant(1_700_000_000_000_000)


@pytest.fixture
def runs(tmp_path: Path, state_url: str) -> Iterator[JobRuns]:
    runs = JobRuns(tmp_path, state_url)
    yield runs
    runs.close()


def test_from_request_to_end(runs: JobRuns) -> None:
    run_id = runs.request("clips", {"room": "a"}, "42")
    assert [run.state for run in runs.recent(5)] == ["requested"]
    run = runs.claim("w1")
    assert run is not None
    assert (run.run_id, run.state, run.params, run.requested_by) == (run_id, "running", {"room": "a"}, "42")
    assert runs.claim("w2") is None
    runs.progress(run_id, 3, 10, "Clips of alpha")
    runs.log(run_id, "alpha: 3 clips")
    seen = runs.get(run_id)
    assert seen is not None
    assert (seen.done, seen.total, seen.text) == (3, 10, "Clips of alpha")
    assert runs.finish(run_id, "ok", text="3 clips")
    done = runs.last("clips")
    assert done is not None
    assert (done.state, done.text, done.error) == ("ok", "3 clips", "")
    assert done.duration_s is not None
    assert [line.line for line in runs.lines(run_id)] == ["alpha: 3 clips"]


def test_a_job_is_open_once_at_a_time(runs: JobRuns) -> None:
    run_id = runs.request("clips")
    with pytest.raises(JobBusy, match="“clips” is asked for or running already"):
        runs.request("clips")
    runs.request("followers")
    runs.claim(names=["clips"])
    with pytest.raises(JobBusy):
        runs.request("clips", due_at=DUE)
    runs.finish(run_id, "failed", "no answer")
    assert runs.request("clips") != run_id


def test_an_instant_of_the_clock_is_taken_once(runs: JobRuns) -> None:
    run_id = runs.request("clips", due_at=DUE)
    runs.claim()
    runs.finish(run_id, "ok")
    with pytest.raises(JobBusy):
        runs.request("clips", due_at=DUE)
    runs.request("clips", due_at=DUE, attempt=2)
    assert [run.attempt for run in runs.of_occurrence("clips", DUE)] == [1, 2]
    assert runs.of_occurrence("clips", Instant(DUE + 1)) == []


def test_cancel_before_and_while_it_runs(runs: JobRuns) -> None:
    waiting = runs.request("clips")
    runs.cancel(waiting)
    cancelled = runs.get(waiting)
    assert cancelled is not None
    assert cancelled.state == "cancelled"
    assert runs.claim() is None
    run_id = runs.request("clips")
    runs.claim()
    assert not runs.is_cancelled(run_id)
    runs.cancel(run_id)
    assert runs.is_cancelled(run_id)
    running = runs.get(run_id)
    assert running is not None
    assert running.state == "running"


def test_a_silent_worker_loses_its_runs_for_good(runs: JobRuns) -> None:
    run_id = runs.request("clips")
    runs.claim("dead")
    assert runs.mark_lost(Instant(now_us() - 60_000_000)) == []
    runs.beat("somebody else", [run_id])
    (lost,) = runs.mark_lost(Instant(now_us() + 1))
    assert (lost.state, lost.run_id) == ("lost", run_id)
    assert "done again" in lost.error
    # It comes back from its sleep: what it says does not count any more, and it is told to stop.
    assert runs.is_cancelled(run_id)
    runs.progress(run_id, 1, 2, "still here")
    assert not runs.finish(run_id, "ok")
    after = runs.get(run_id)
    assert after is not None
    assert (after.state, after.text) == ("lost", "")


def test_a_worker_known_to_be_dead_loses_them_at_once(runs: JobRuns) -> None:
    runs.request("clips")
    runs.claim("dead")
    runs.request("followers")
    runs.claim("alive")
    lost = runs.mark_lost(Instant(now_us() - 60_000_000), workers=["dead"])
    assert [run.name for run in lost] == ["clips"]


def test_a_long_log_keeps_its_ends(runs: JobRuns) -> None:
    run_id = runs.request("clips")
    count = FIRST_LINES + LAST_LINES + 7
    for number in range(1, count + 1):
        runs.log(run_id, f"line {number}" + "x" * 600)
    lines = runs.lines(run_id)
    assert len(lines) == FIRST_LINES + LAST_LINES
    assert lines[FIRST_LINES - 1].line.startswith(f"line {FIRST_LINES}x")
    assert lines[FIRST_LINES].line.startswith(f"line {count - LAST_LINES + 1}x")
    assert max(len(line.line) for line in lines) == 500


def test_prune_keeps_good_and_bad_ones_apart(runs: JobRuns) -> None:
    for number in range(6):
        run_id = runs.request("sync")
        runs.claim()
        runs.log(run_id, "x")
        runs.finish(run_id, "failed" if number == 0 else "ok")
    runs.prune("sync", 2)
    assert [run.state for run in runs.recent(10)] == ["ok", "ok", "failed"]


def test_recent_is_newest_first_and_filters(runs: JobRuns) -> None:
    for name, state in (("a", "ok"), ("b", "failed"), ("a", "failed")):
        run_id = runs.request(name)
        runs.claim()
        runs.finish(run_id, state)
    assert [(run.name, run.state) for run in runs.recent(2)] == [("a", "failed"), ("b", "failed")]
    assert [run.name for run in runs.recent(9, states=["failed"])] == ["a", "b"]
    last = runs.last("a", ["ok"])
    assert last is not None
    assert last.state == "ok"
    assert runs.last("nothing") is None


def _race(data_dir: str, url: str, number: int, results: multiprocessing.Queue[tuple[str, int]]) -> None:
    runs = JobRuns(Path(data_dir), url)
    for due in range(20):
        try:
            run_id = runs.request("clips", due_at=Instant(DUE + due))
        except JobBusy:
            continue
        run = runs.claim(f"w{number}", run_id=run_id)
        if run is not None:
            results.put(("done", due))
            runs.finish(run_id, "ok")
    runs.close()


def test_processes_never_do_the_same_twice(tmp_path: Path, state_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[str, int]] = context.Queue()
    processes = [context.Process(target=_race, args=(str(tmp_path), state_url, n, results)) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    done = Counter(results.get(timeout=60)[1] for _ in range(results.qsize()))
    assert done
    assert max(done.values()) == 1
