"""When jobs are due: pure answers, the same in every worker, so that none does what another did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from dashboard.events import Instant
from dashboard.storage.job_runs import JobRun

SECOND_US = 1_000_000
FIRST_RETRY_S = 60
LONGEST_RETRY_S = 3600
_MOST_LOST_IN_A_ROW = 3


class Trigger(Protocol):
    """A rhythm of the clock."""

    def last(self, now: Instant) -> Instant:
        """The newest instant at or before now."""

    def next(self, now: Instant) -> Instant:
        """The first instant after now."""

    @property
    def words(self) -> str:
        """The rhythm for people, as in ``every 15 min``."""


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again; counted from the epoch, so that all workers mean the same instants."""

    interval_s: int

    def last(self, now: Instant) -> Instant:
        """The newest instant at or before now."""
        return Instant(now - now % (self.interval_s * SECOND_US))

    def next(self, now: Instant) -> Instant:
        """The first instant after now."""
        return Instant(self.last(now) + self.interval_s * SECOND_US)

    @property
    def words(self) -> str:
        """The rhythm for people."""
        if self.interval_s % 3600 == 0:
            hours = self.interval_s // 3600
            return "every hour" if hours == 1 else f"every {hours} h"
        if self.interval_s % 60 == 0:
            minutes = self.interval_s // 60
            return "every minute" if minutes == 1 else f"every {minutes} min"
        return f"every {self.interval_s} s"


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day at a time of day, in one or several time zones; obeys daylight saving time.

    A time that the clock skips is met an hour later, a time that comes twice is met the first time.
    """

    hour: int
    minute: int
    zones: tuple[str, ...] = ("UTC",)

    def last(self, now: Instant) -> Instant:
        """The newest instant at or before now."""
        return max(at for at in self._around(now) if at <= now)

    def next(self, now: Instant) -> Instant:
        """The first instant after now."""
        return min(at for at in self._around(now) if at > now)

    @property
    def words(self) -> str:
        """The rhythm for people."""
        at = f"daily at {self.hour:02d}:{self.minute:02d}"
        return f"{at} {self.zones[0]}" if len(self.zones) == 1 else f"{at} in {len(self.zones)} time zones"

    def _around(self, now: Instant) -> list[Instant]:
        moments = []
        for name in self.zones:
            zone = ZoneInfo(name)
            today = datetime.fromtimestamp(now / 1e6, zone).date()
            for days in (-2, -1, 0, 1, 2):
                day = today + timedelta(days=days)
                local = datetime(day.year, day.month, day.day, self.hour, self.minute, tzinfo=zone)
                moments.append(Instant(int(local.timestamp()) * SECOND_US))
        return moments


def next_attempt(
    runs: Sequence[JobRun], *, due_at: Instant, last_ok_at: Instant | None, now: Instant
) -> int | None:
    """Whether a job should be asked for now, for an instant of the clock that has come.

    Args:
        runs: Of the job, for this instant or a later one, oldest first.
        due_at: The newest instant that has come.
        last_ok_at: When the newest good run began, whoever asked for it.
        now: The clock.

    Returns:
        The number of the attempt; None when it was done, is under way, was cancelled, or should wait.
        After a failure the waits double from one minute to an hour; what a dead worker left is done
        again at once, but not for ever.
    """
    if last_ok_at is not None and last_ok_at >= due_at:
        return None
    if not runs:
        return 1
    newest = runs[-1]
    if newest.is_open or any(run.state in ("ok", "cancelled") for run in runs):
        return None
    lost_count = sum(run.state == "lost" for run in runs)
    if newest.state == "lost" and lost_count < _MOST_LOST_IN_A_ROW:
        return newest.attempt + 1
    wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(newest.attempt - 1, 16))
    is_time = now >= (newest.finished_at or newest.requested_at) + wait_s * SECOND_US
    return newest.attempt + 1 if is_time else None


def day_span(day: date, zone: ZoneInfo) -> tuple[Instant, Instant]:
    """From when to when a local day lasts: 23, 24 or 25 hours.

    Args:
        day: The day.
        zone: Whose.

    Returns:
        Its first instant and the first of the next day.
    """
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def local_day(at: Instant, zone: ZoneInfo) -> date:
    """The day that an instant belongs to in a time zone."""
    return (datetime.fromtimestamp(at // SECOND_US, UTC).astimezone(zone)).date()


def _midnight(day: date, zone: ZoneInfo) -> Instant:
    # Some zones change the clock at midnight: the day then begins at 01:00, which is what this gives.
    at = datetime(day.year, day.month, day.day, tzinfo=zone)
    return Instant(int(at.timestamp()) * SECOND_US)
