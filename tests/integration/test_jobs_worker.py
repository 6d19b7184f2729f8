"""The worker: what is due is done once, failures are tried again, cancelled work stops, the rest goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboard.config import Settings
from dashboard.errors import TwitchUnavailable
from dashboard.events import Instant, now_us
from dashboard.jobs.context import JobContext
from dashboard.jobs.registry import JobSpec
from dashboard.jobs.runner import Work
from dashboard.jobs.schedule import ClockTrigger, Worker
from dashboard.jobs.times import Every
from dashboard.storage.job_runs import JobRun

DAY = 86_400 * 1_000_000


def spec(name: str, *, every_s: int = 86_400, timeout_s: float = 30) -> JobSpec:
    return JobSpec(name, name.title(), f"Does {name}.", Every(every_s), timeout_s)


MakeWorker = Callable[..., Worker]


@pytest.fixture
def make_worker(tmp_path: Path) -> Iterator[MakeWorker]:
    made: list[Worker] = []

    def make(works: dict[str, Work], **options: Any) -> Worker:
        settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
        specs = {name: spec(name, **options) for name in works}
        worker = Worker(settings, works_by_name=works, specs=specs)
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.stop(wait_s=5)


def until(worker: Worker, reached: Callable[[], bool], *, limit_s: float = 60) -> None:
    limit = time.monotonic() + limit_s
    while not reached():
        assert time.monotonic() < limit, [(r.name, r.state, r.error) for r in worker.runs.recent(9)]
        worker.look()
        time.sleep(0.02)


def last(worker: Worker, name: str) -> JobRun:
    run = worker.runs.last(name)
    assert run is not None
    return run


def ended(worker: Worker, name: str) -> Callable[[], bool]:
    return lambda: (run := worker.runs.last(name)) is not None and not run.is_open


def test_what_is_due_is_done_once_however_often_one_looks(make_worker: MakeWorker) -> None:
    done: list[str] = []
    worker = make_worker({"good": lambda context: done.append(context.name) or "3 things"})
    until(worker, ended(worker, "good"))
    for _ in range(5):
        worker.plan_all()
        worker.look()
    assert done == ["good"]
    run = last(worker, "good")
    assert (run.state, run.text, run.requested_by, run.attempt) == ("ok", "3 things", "clock", 1)
    assert run.due_at == Every(86_400).last(now_us())


def test_a_run_missed_in_a_pause_is_caught_up_once(make_worker: MakeWorker) -> None:
    worker = make_worker({"good": lambda context: "done"})
    then = Instant(now_us() - 5 * DAY)
    assert worker.plan(worker.specs["good"], then) is not None
    until(worker, ended(worker, "good"))
    later = make_worker({"good": lambda context: "done"})
    later.plan_all()
    until(later, lambda: last(later, "good").state == "ok" and len(later.runs.recent(9)) >= 1)
    states = [run.state for run in later.runs.recent(9)]
    assert states == ["ok"], "the run of five days ago began just now, after the newest instant"


def test_one_failure_stops_nobody_else(make_worker: MakeWorker) -> None:
    def broken(context: JobContext) -> str:
        raise ZeroDivisionError("with a secret in it")

    async def silent(context: JobContext) -> str:
        raise TwitchUnavailable("GET /streams: no answer")

    worker = make_worker({"broken": broken, "silent": silent, "good": lambda context: "fine"})
    until(worker, lambda: all(ended(worker, name)() for name in worker.specs))
    assert last(worker, "good").state == "ok"
    assert last(worker, "silent").error == "GET /streams: no answer"
    error = last(worker, "broken").error
    assert error == "Unexpected ZeroDivisionError; the worker's log has the details."
    assert [line.line for line in worker.runs.lines(last(worker, "silent").run_id)] == [
        "GET /streams: no answer"
    ]


def test_parts_that_failed_make_the_run_a_failure_that_says_what_was_done(make_worker: MakeWorker) -> None:
    def partly(context: JobContext) -> str:
        for room in ("a", "b", "c", "d"):
            context.failed(room, TwitchUnavailable("no answer"))
        return "5 of 9 channels"

    worker = make_worker({"partly": partly})
    until(worker, ended(worker, "partly"))
    run = last(worker, "partly")
    assert (run.state, run.text) == ("failed", "5 of 9 channels")
    assert run.error == ("Partly done. a: no answer; b: no answer; c: no answer; and 1 more in the log")


def test_cancel_stops_work_that_waits(make_worker: MakeWorker) -> None:
    started = threading.Event()

    async def endless(context: JobContext) -> str:
        context.handle.progress(1, 10, "waiting for Twitch")
        started.set()
        await asyncio.sleep(600)
        return "never"

    worker = make_worker({"endless": endless})
    until(worker, started.is_set)
    worker.runs.cancel(last(worker, "endless").run_id)
    until(worker, ended(worker, "endless"))
    run = last(worker, "endless")
    assert (run.state, run.done, run.total) == ("cancelled", 1, 10)
    worker.plan_all()
    assert last(worker, "endless").run_id == run.run_id, "what was cancelled is not tried again"


def test_work_that_takes_too_long_is_ended(make_worker: MakeWorker) -> None:
    async def slow(context: JobContext) -> str:
        await asyncio.sleep(600)
        return "never"

    def busy(context: JobContext) -> str:
        while True:
            context.handle.check()
            time.sleep(0.01)

    worker = make_worker({"slow": slow, "busy": busy}, timeout_s=0.3)
    for name in ("slow", "busy"):
        until(worker, ended(worker, name))
        run = last(worker, name)
        assert (run.state, run.error[:40]) == ("failed", "It took longer than 0.3 s and was ended.")


def test_a_job_that_failed_is_tried_again_when_its_wait_is_over(make_worker: MakeWorker) -> None:
    answers = iter([TwitchUnavailable("Helix is down"), TwitchUnavailable("Helix is down"), None])

    def flaky(context: JobContext) -> str:
        error = next(answers)
        if error is not None:
            raise error
        return "back"

    worker = make_worker({"flaky": flaky}, every_s=86_400)
    job, now = worker.specs["flaky"], now_us()
    until(worker, ended(worker, "flaky"))
    assert worker.plan(job, Instant(now + 30 * 1_000_000)) is None
    assert worker.plan(job, Instant(now_us() + 61 * 1_000_000)) is not None
    until(worker, lambda: last(worker, "flaky").attempt == 2 and ended(worker, "flaky")())
    assert worker.plan(job, Instant(now_us() + 100 * 1_000_000)) is None
    assert worker.plan(job, Instant(now_us() + 121 * 1_000_000)) is not None
    until(worker, lambda: last(worker, "flaky").state == "ok")
    assert [(run.attempt, run.state) for run in worker.runs.recent(9)] == [
        (3, "ok"),
        (2, "failed"),
        (1, "failed"),
    ]


def test_a_worker_that_is_stopped_leaves_its_run_to_the_next(make_worker: MakeWorker) -> None:
    started = threading.Event()

    async def endless(context: JobContext) -> str:
        started.set()
        await asyncio.sleep(600)
        return "never"

    first = make_worker({"job": endless})
    until(first, started.is_set)
    first.stop()
    second = make_worker({"job": lambda context: "done"})
    until(second, lambda: last(second, "job").state == "ok")
    assert [(run.attempt, run.state) for run in second.runs.recent(9)] == [(2, "ok"), (1, "lost")]


def test_two_workers_at_once_do_nothing_twice(make_worker: MakeWorker) -> None:
    done: list[tuple[str, int]] = []
    lock, running = threading.Lock(), set[str]()

    def work(context: JobContext) -> str:
        with lock:
            assert context.name not in running, "twice at a time"
            running.add(context.name)
        time.sleep(0.05)
        with lock:
            running.discard(context.name)
            done.append((context.name, context.params.get("n", 0)))
        return "done"

    names = ["a", "b", "c", "d"]
    workers = [make_worker(dict.fromkeys(names, work)) for _ in range(2)]
    stop = threading.Event()

    def loop(worker: Worker) -> None:
        while not stop.is_set():
            worker.plan_all()
            worker.look()

    threads = [threading.Thread(target=loop, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    limit = time.monotonic() + 60
    while len(done) < len(names) and time.monotonic() < limit:
        time.sleep(0.05)
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == [(name, 0) for name in names]
    until(workers[0], lambda: not workers[0].runs.recent(99, states=["running"]))
    assert {run.state for run in workers[0].runs.recent(99)} == {"ok"}


def test_a_button_takes_precedence_over_nothing_else_than_itself(make_worker: MakeWorker) -> None:
    worker = make_worker({"job": lambda context: str(context.params)})
    run_id = worker.runs.request("job", {"day": "2026-01-02"}, "42")
    until(worker, lambda: (run := worker.runs.get(run_id)) is not None and run.state == "ok")
    run = worker.runs.get(run_id)
    assert run is not None
    assert run.text == "{'day': '2026-01-02'}"
    # It began after the newest instant of the clock, so the clock has nothing to add.
    assert worker.plan(worker.specs["job"]) is None


def test_apscheduler_gets_the_instants_of_our_clock() -> None:
    from datetime import UTC, datetime

    trigger = ClockTrigger(Every(900))
    now = datetime(2026, 5, 1, 10, 7, tzinfo=UTC)
    assert trigger.get_next_fire_time(None, now) == datetime(2026, 5, 1, 10, 15, tzinfo=UTC)


def test_who_waits_at_the_screen_does_not_wait_for_the_clock(tmp_path: Path) -> None:
    over = threading.Event()

    def slow(context: JobContext) -> str:
        over.wait(30)
        return "done"

    names = ["a", "b", "c", "d"]
    specs = {name: spec(name) for name in names}
    specs["asked"] = replace(spec("asked"), is_by_hand=True, has_queue=True)
    works: dict[str, Work] = dict.fromkeys(names, slow) | {"asked": lambda context: "at once"}
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    worker = Worker(settings, works_by_name=works, specs=specs)
    try:
        until(worker, lambda: len(worker.runs.recent(9, states=["running"])) == 3)
        run_id = worker.runs.request("asked")
        until(worker, lambda: (run := worker.runs.get(run_id)) is not None and run.state == "ok")
        assert len(worker.runs.recent(9, states=["running"])) == 3
        assert len(worker.runs.recent(9, states=["requested"])) == 1
    finally:
        over.set()
        worker.stop(wait_s=5)
