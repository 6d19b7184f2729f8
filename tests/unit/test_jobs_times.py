"""When jobs are due: fixed rhythms, local days over changes of the clock, retries."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.events import Instant
from dashboard.jobs.times import Daily, Every, day_span, local_day, next_attempt
from dashboard.storage.job_runs import JobRun

SECOND = 1_000_000


def utc(text: str) -> Instant:
    return Instant(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND)


def test_every_is_counted_from_the_epoch() -> None:
    quarter = Every(900)
    assert quarter.last(utc("2026-03-01T10:14:59")) == utc("2026-03-01T10:00:00")
    assert quarter.last(utc("2026-03-01T10:15:00")) == utc("2026-03-01T10:15:00")
    assert quarter.next(utc("2026-03-01T10:15:00")) == utc("2026-03-01T10:30:00")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (30, "every 30 s"),
        (60, "every minute"),
        (300, "every 5 min"),
        (3600, "every hour"),
        (7200, "every 2 h"),
    ],
)
def test_every_in_words(seconds: int, words: str) -> None:
    assert Every(seconds).words == words


def test_daily_in_a_time_zone() -> None:
    daily = Daily(4, 0, ("Europe/Berlin",))
    assert daily.last(utc("2026-01-10T02:59:59")) == utc("2026-01-09T03:00:00")
    assert daily.last(utc("2026-01-10T03:00:00")) == utc("2026-01-10T03:00:00")
    assert daily.next(utc("2026-01-10T03:00:00")) == utc("2026-01-11T03:00:00")
    assert daily.words == "daily at 04:00 Europe/Berlin"


def test_daily_obeys_daylight_saving_time() -> None:
    daily = Daily(4, 0, ("Europe/Berlin",))
    # On 29 March 2026 the clock goes from 02:00 to 03:00: 04:00 is 02:00 UTC from then on.
    assert daily.next(utc("2026-03-28T03:00:00")) == utc("2026-03-29T02:00:00")
    skipped = Daily(2, 30, ("Europe/Berlin",))
    assert skipped.next(utc("2026-03-28T12:00:00")) == utc("2026-03-29T01:30:00")
    # On 25 October 02:30 comes twice; the first counts, and only it.
    assert skipped.next(utc("2026-10-24T12:00:00")) == utc("2026-10-25T00:30:00")
    assert skipped.next(utc("2026-10-25T00:30:00")) == utc("2026-10-26T01:30:00")


def test_daily_in_several_zones_comes_once_for_each() -> None:
    daily = Daily(0, 5, ("UTC", "Asia/Tokyo"))
    assert daily.next(utc("2026-05-01T00:05:00")) == utc("2026-05-01T15:05:00")
    assert daily.next(utc("2026-05-01T15:05:00")) == utc("2026-05-02T00:05:00")
    assert daily.words == "daily at 00:05 in 2 time zones"


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_local_days_have_23_to_25_hours(day: date, hours: int) -> None:
    start_at, end_at = day_span(day, ZoneInfo("Europe/Berlin"))
    assert (end_at - start_at) // SECOND == hours * 3600
    assert local_day(start_at, ZoneInfo("Europe/Berlin")) == day
    assert local_day(Instant(end_at - 1), ZoneInfo("Europe/Berlin")) == day
    assert local_day(end_at, ZoneInfo("Europe/Berlin")) != day


DUE = utc("2026-05-01T04:00:00")


def run(state: str, attempt: int = 1, finished_s: int = 10, **values: Any) -> JobRun:
    known: dict[str, Any] = {
        "run_id": f"r{attempt}",
        "name": "clips",
        "params": {},
        "requested_by": "clock",
        "requested_at": DUE,
        "due_at": DUE,
        "attempt": attempt,
        "state": state,
        "worker": "w",
        "started_at": DUE,
        "finished_at": Instant(DUE + finished_s * SECOND),
        "is_cancel_wanted": False,
        "done": None,
        "total": None,
        "text": "",
        "error": "",
    }
    return JobRun(**(known | values))


def attempt_at(runs: list[JobRun], after_s: float, last_ok_at: Instant | None = None) -> int | None:
    now = Instant(DUE + round(after_s * SECOND))
    return next_attempt(runs, due_at=DUE, last_ok_at=last_ok_at, now=now)


def test_what_is_due_is_done_once() -> None:
    assert attempt_at([], 0) == 1
    assert attempt_at([run("requested", finished_at=None)], 5) is None
    assert attempt_at([run("running", finished_at=None)], 500) is None
    assert attempt_at([run("ok")], 500) is None


def test_a_run_by_hand_after_the_instant_will_do_one_before_it_will_not() -> None:
    assert attempt_at([], 60, last_ok_at=Instant(DUE + 30 * SECOND)) is None
    assert attempt_at([], 60, last_ok_at=Instant(DUE - 30 * SECOND)) == 1


def test_what_was_cancelled_is_not_tried_again() -> None:
    assert attempt_at([run("cancelled")], 9999) is None


def test_a_failure_is_tried_again_after_growing_waits() -> None:
    first = [run("failed", finished_s=10)]
    assert attempt_at(first, 69) is None
    assert attempt_at(first, 70) == 2
    second = [*first, run("failed", 2, finished_s=100)]
    assert attempt_at(second, 219) is None
    assert attempt_at(second, 220) == 3
    tenth = [run("failed", 10, finished_s=0)]
    assert attempt_at(tenth, 3599) is None
    assert attempt_at(tenth, 3600) == 11


def test_what_a_dead_worker_left_is_done_again_at_once_but_not_for_ever() -> None:
    assert attempt_at([run("lost")], 10) == 2
    thrice = [run("lost", 1), run("lost", 2), run("lost", 3, finished_s=10)]
    assert attempt_at(thrice, 11) is None
    assert attempt_at(thrice, 10 + 240) == 4
