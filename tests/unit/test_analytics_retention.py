from __future__ import annotations

import numpy as np

from dashboard.analytics.retention import SinceRaid, share_of_peak, since_last_raid

S = 1_000_000


def test_the_share_is_of_the_peak_so_far() -> None:
    np.testing.assert_allclose(share_of_peak([50, 100, 82, 200, 150]), [1, 1, 0.82, 1, 0.75])


def test_nobody_yet_is_not_a_share() -> None:
    np.testing.assert_array_equal(share_of_peak([0, 0, 10]), [np.nan, np.nan, 1.0])
    assert share_of_peak([]).tolist() == []


def test_points_since_the_raid_count_from_the_first_sample_after_it() -> None:
    at = [0, 60 * S, 120 * S, 180 * S, 240 * S]
    # The raid at 90 s: 100 viewers before; 250 (the new peak), 225 and 205 after it.
    viewers = [100, 100, 250, 225, 205]

    found = since_last_raid(at, viewers, [90 * S], now=250 * S)

    assert found is not None
    assert found.raid_at == 90 * S
    assert round(found.points, 6) == -18


def test_a_raid_of_long_ago_or_without_two_samples_since_says_nothing() -> None:
    at, viewers = [0, 60 * S, 4000 * S], [100, 200, 150]

    assert since_last_raid(at, viewers, [30 * S], now=4000 * S) is None
    assert since_last_raid(at, viewers, [3990 * S], now=4000 * S) is None
    assert since_last_raid(at, viewers, [], now=4000 * S) is None
    assert since_last_raid(at, viewers, [59 * S], now=1800 * S) == SinceRaid(59 * S, -25.0)
