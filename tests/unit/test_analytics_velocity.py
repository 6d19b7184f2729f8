from __future__ import annotations

import numpy as np

from dashboard.analytics.velocity import velocities, velocity


def test_messages_of_a_whole_minute_are_the_velocity() -> None:
    assert velocity(187, observed_s=60) == 187


def test_a_gap_in_the_window_divides_by_what_was_seen() -> None:
    # 28 of 60 seconds were not seen: 16 messages in 32 s are 30 a minute, not 16.
    assert velocity(16, observed_s=32) == 30


def test_ten_seconds_give_the_burst_value() -> None:
    assert velocity(25, observed_s=10, window_s=10) == 150


def test_silence_that_was_seen_is_zero_and_what_was_not_seen_is_nothing() -> None:
    assert velocity(0, observed_s=60) == 0
    assert velocity(0, observed_s=0) is None
    assert velocity(3, observed_s=5.9) is None
    assert velocity(3, observed_s=6) == 30


def test_bins_divide_by_their_own_observed_time() -> None:
    counts = np.array([10, 4, 0, 0, 2])
    seen = np.array([10.0, 5.0, 10.0, 0.0, 0.9])

    rates = velocities(counts, seen, bin_s=10)

    np.testing.assert_array_equal(rates, [60.0, 48.0, 0.0, np.nan, np.nan])
