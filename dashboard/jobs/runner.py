"""Does one run: its time limit, its cancelling, its errors in words. No exception leaves it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from dashboard.errors import JobCancelled, JobError, StorageError, StreamLensError
from dashboard.jobs.context import JobContext, RunHandle
from dashboard.jobs.registry import JobSpec
from dashboard.storage.job_runs import JobRun, JobRuns

log = structlog.get_logger(__name__)

Work = Callable[[JobContext], str | Awaitable[str]]
"""Does the job and says in words what it did."""

_LOOK_EVERY_S = 0.5
STOPPED = "The worker was stopped. What was stored whole is safe; the job is done again at its next start."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    state: str
    text: str
    error: str = ""


def execute(
    run: JobRun,
    spec: JobSpec,
    work: Work,
    runs: JobRuns,
    make_context: Callable[[JobRun, RunHandle], JobContext],
    is_stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Does a run that was claimed, and writes down how it ended.

    Args:
        run: Claimed by the caller.
        spec: Its job.
        work: What to do.
        runs: Where the end is written.
        make_context: Gives the run's surroundings.
        is_stopping: Whether the worker is going down.

    Returns:
        How it ended, as it was written down.
    """
    handle = RunHandle(runs, run.run_id, is_stopping, timeout_s=spec.timeout_s)
    context = None
    try:
        context = make_context(run, handle)
        outcome = _outcome(spec, work, context, handle, runs)
    except Exception as error:
        outcome = _failed(spec, error)
    finally:
        if context is not None:
            context.store.close()
    if outcome.state == "cancelled" and is_stopping() and not _was_asked(runs, run.run_id):
        outcome = Outcome("lost", "", STOPPED)
    try:
        if outcome.state != "ok":
            runs.log(run.run_id, outcome.error or outcome.text)
        runs.finish(run.run_id, outcome.state, outcome.error, text=outcome.text or None)
        runs.prune(run.name, spec.keep_count)
    except StorageError as error:
        log.error("the end of a job can't be written; it will count as lost", job=run.name, error=str(error))
    return outcome


def _outcome(spec: JobSpec, work: Work, context: JobContext, handle: RunHandle, runs: JobRuns) -> Outcome:
    try:
        if inspect.iscoroutinefunction(work):
            text = asyncio.run(_watched(work(context), handle))
        else:
            text = str(work(context))
    except JobCancelled as error:
        return Outcome("cancelled", str(error))
    finally:
        handle.write()
    if context.failures:
        more = len(context.failures) - 3
        listed = "; ".join(context.failures[:3]) + (f"; and {more} more in the log" if more > 0 else "")
        return Outcome("failed", text, f"Partly done. {listed}")
    return Outcome("ok", text)


async def _watched(work: Awaitable[str], handle: RunHandle) -> str:
    """Ends the work within a second where that is asked for, also while it waits for Twitch."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=_LOOK_EVERY_S)
            if not task.done():
                handle.check()
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _failed(spec: JobSpec, error: Exception) -> Outcome:
    if isinstance(error, (StreamLensError, JobError)):
        return Outcome("failed", "", str(error))
    log.exception("job failed", job=spec.name)
    return Outcome("failed", "", f"Unexpected {type(error).__name__}; the worker's log has the details.")


def _was_asked(runs: JobRuns, run_id: str) -> bool:
    try:
        run = runs.get(run_id)
    except StorageError:
        return False
    return run is not None and run.is_cancel_wanted
