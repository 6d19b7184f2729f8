from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics.chat_window import ChatRows
from dashboard.analytics.engagement import active_by_minute, cover_until, engagement_ratio
from dashboard.analytics.timebins import MINUTE_US


def test_the_ratio_is_active_chatters_by_mean_viewers() -> None:
    assert engagement_ratio(246, 1412) == pytest.approx(0.1742, abs=1e-4)
    assert engagement_ratio(12, 10) == 1.2


@pytest.mark.parametrize(("active", "viewers"), [(None, 100), (5, None), (5, 0)])
def test_without_a_part_there_is_no_ratio(active: int | None, viewers: int | None) -> None:
    assert engagement_ratio(active, viewers) is None


def test_active_by_minute_counts_nobody_twice() -> None:
    # a speaks in minutes 100 and 102, b in 103, c in 96 (just before what is asked for).
    minutes = np.array([100, 102, 103, 96])
    following = np.array([102, -1, -1, -1])
    until = cover_until(minutes, following)

    assert until.tolist() == [102, 107, 108, 101]
    active = active_by_minute(minutes, until, np.ones(4, dtype=np.int64), first=100, last=109)
    # minute            100 101 102 103 104 105 106 107 108
    assert active.tolist() == [2, 1, 1, 2, 2, 2, 2, 1, 0]


def test_the_two_ways_to_count_active_chatters_agree() -> None:
    rng = np.random.default_rng(5)
    at = np.sort(rng.integers(0, 60 * MINUTE_US, 3000))
    who = rng.integers(0, 200, 3000).astype(np.uint64)
    rows = ChatRows.of(at, who)
    spoken = sorted({(int(w), int(t) // MINUTE_US) for w, t in zip(who, at, strict=True)})
    minutes = np.array([minute for _, minute in spoken])
    following = np.array(
        [
            spoken[i + 1][1] if i + 1 < len(spoken) and spoken[i + 1][0] == spoken[i][0] else -1
            for i in range(len(spoken))
        ]
    )
    counts = np.ones(len(minutes), dtype=np.int64)

    active = active_by_minute(minutes, cover_until(minutes, following), counts, first=0, last=60)

    assert active.tolist() == rows.actives(0, 60 * MINUTE_US).tolist()
