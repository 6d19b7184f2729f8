"""When the worker begins with captures that wait: they outlive crashes, and Twitch's silence for a while."""

from __future__ import annotations

from typing import Final

from dashboard.errors import JobBusy
from dashboard.events import Instant
from dashboard.jobs.times import FIRST_RETRY_S, SECOND_US
from dashboard.storage.captures import Capture, Captures
from dashboard.storage.job_runs import JobRuns

BY_CLOCK: Final = "clock"
_MOST_LOST_IN_A_ROW: Final = 3


def plan_captures(name: str, captures: Captures, runs: JobRuns, now: Instant) -> str | None:
    """Asks for a run when captures wait that nobody does: after a crash at once, after a failure later.

    Args:
        name: Of the job.
        captures: What waits.
        runs: Where runs are asked for.
        now: The clock.

    Returns:
        The id of the run asked for, or None.
    """
    # The look by the clock does its own; what it left in the middle it does anew.
    waiting = [capture for capture in captures.waiting() if capture.asked_by != BY_CLOCK]
    newest = runs.recent(_MOST_LOST_IN_A_ROW, name=name) if waiting else []
    if newest and newest[0].is_open:
        return None
    if newest and newest[0].state == "cancelled":
        waiting = _without_stopped(captures, waiting, newest[0].finished_at or now)
    if not waiting:
        return None
    is_dying = len(newest) == _MOST_LOST_IN_A_ROW and all(run.state == "lost" for run in newest)
    if newest and (newest[0].state == "failed" or is_dying):
        ended_at = newest[0].finished_at or newest[0].requested_at
        # What was asked for since has had no try yet; who asks starts a run as well.
        is_new = any(capture.asked_at > ended_at for capture in waiting)
        if not is_new and now < ended_at + FIRST_RETRY_S * SECOND_US:
            return None
    try:
        return runs.request(name, by=waiting[0].asked_by)
    except JobBusy:
        return None


def _without_stopped(captures: Captures, waiting: list[Capture], stopped_at: Instant) -> list[Capture]:
    """Who stops the run means the captures that it was at, and those behind them."""
    for capture in waiting:
        if capture.asked_at <= stopped_at:
            captures.cancel(capture.capture_id)
            captures.cancelled(capture.capture_id)
    return [capture for capture in waiting if capture.asked_at > stopped_at]
