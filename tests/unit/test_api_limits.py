"""The allowance of a caller, and the places for large answers."""

from __future__ import annotations

import threading

from dashboard.api import limits
from dashboard.api.limits import RateLimiter, Slots


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_may_come_at_once_and_fills_evenly() -> None:
    clock = Clock()
    limiter = RateLimiter(60, clock=clock)
    assert all(limiter.take("a").is_granted for _ in range(60))
    refused = limiter.take("a")
    assert (refused.is_granted, refused.remaining, refused.retry_after_s, refused.reset_s) == (
        False,
        0,
        1,
        60,
    )
    clock.now = 2.0
    assert [limiter.take("a").is_granted for _ in range(3)] == [True, True, False]
    clock.now = 1e6
    assert limiter.take("a").remaining == 59


def test_refused_requests_cost_nothing() -> None:
    clock = Clock()
    limiter = RateLimiter(1, clock=clock)
    limiter.take("a")
    waits = []
    for second in range(0, 60, 20):
        clock.now = float(second)
        waits.append(limiter.take("a").retry_after_s)
    assert waits == [60, 40, 20]
    clock.now = 60.0
    assert limiter.take("a").is_granted


def test_callers_do_not_share_and_only_the_latest_are_remembered() -> None:
    limiter = RateLimiter(1, clock=Clock())
    for number in range(limits._MOST_CALLERS + 5):
        assert limiter.take(str(number)).is_granted
    assert len(limiter._buckets) == limits._MOST_CALLERS
    assert not limiter.take(str(limits._MOST_CALLERS)).is_granted
    assert limiter.take("0").is_granted  # Forgotten.


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    clock = Clock()
    clock.now = 100.0
    limiter = RateLimiter(2, clock=clock)
    limiter.take("a")
    clock.now = 50.0
    assert limiter.take("a").is_granted


def test_many_at_once_get_no_more_than_there_is() -> None:
    limiter = RateLimiter(50, clock=Clock())
    granted: list[bool] = []
    threads = [
        threading.Thread(target=lambda: granted.extend(limiter.take("a").is_granted for _ in range(20)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert granted.count(True) == 50


def test_a_place_is_given_back_once() -> None:
    slots = Slots(2)
    first, second = slots.take(), slots.take()
    assert first is not None
    assert second is not None
    assert slots.take() is None
    first()
    first()
    assert slots.take() is not None
    assert slots.take() is None
