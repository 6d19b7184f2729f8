from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics.chat_window import ChatRows, MinuteHistory
from dashboard.analytics.timebins import MINUTE_US

S = 1_000_000


def rows(*pairs: tuple[float, int]) -> ChatRows:
    at = np.array([int(second * S) for second, _ in pairs], dtype=np.int64)
    return ChatRows.of(at, np.array([who for _, who in pairs], dtype=np.uint64))


def history(start_minute: int, minutes: int, value: int) -> MinuteHistory:
    bins = np.full(minutes * 6, value, dtype=np.int64)
    return MinuteHistory(start_minute * MINUTE_US, bins, np.full(minutes, value, dtype=np.int64))


def test_a_window_takes_its_end_and_leaves_its_start() -> None:
    chat = rows((40, 1), (0, 1), (60, 2), (10, 3))

    assert chat.at.tolist() == [0, 10 * S, 40 * S, 60 * S]
    assert chat.count(0, 60 * S) == 3
    assert chat.unique_count(0, 60 * S) == 3
    assert chat.unique_count(-1, 40 * S) == 2


def test_bins_hold_their_start_and_leave_their_end() -> None:
    chat = rows((0, 1), (9.99, 1), (10, 1), (25, 2), (60, 9))

    assert chat.bins(0, 60 * S).tolist() == [2, 1, 1, 0, 0, 0]


def test_active_chatters_of_five_minutes_by_minute() -> None:
    chat = rows((0, 1), (30, 1), (70, 2), (299, 3), (301, 1))

    # up to 60 s: {1}; 120: {1, 2}; 180; 240; 300: {1, 2, 3}; 360 (from 60 s on): {2, 3, 1}; 420: {3, 1}
    assert chat.actives(0, 7 * MINUTE_US).tolist() == [1, 2, 2, 2, 3, 3, 2]


def test_a_stretch_read_again_replaces_what_was_there() -> None:
    chat = rows((0, 1), (10, 2), (20, 3), (30, 4))

    again = chat.replaced(10 * S, 20 * S, rows((12, 7), (10, 2), (20, 3)))

    assert again.at.tolist() == [0, 10 * S, 12 * S, 20 * S, 30 * S]
    assert again.who.tolist() == [1, 2, 7, 3, 4]


def test_histories_that_touch_are_one_and_others_are_refused() -> None:
    whole = history(10, 2, 1).followed_by(history(12, 1, 5))

    assert (whole.start_at, whole.end_at) == (10 * MINUTE_US, 13 * MINUTE_US)
    assert whole.actives.tolist() == [1, 1, 5]
    with pytest.raises(ValueError, match="do not touch"):
        history(10, 2, 1).followed_by(history(13, 1, 5))


def test_minutes_read_again_are_put_in_their_place() -> None:
    whole = history(10, 5, 1).replaced(history(12, 2, 9))

    assert whole.actives.tolist() == [1, 1, 9, 9, 1]
    assert whole.bins[11:24].tolist() == [1, *[9] * 12]
    # What lies outside is left out.
    assert history(10, 2, 1).replaced(history(11, 5, 9)).actives.tolist() == [1, 9]
    assert history(10, 2, 1).replaced(history(20, 5, 9)).actives.tolist() == [1, 1]


def test_a_history_can_be_cut_on_both_sides() -> None:
    cut = history(10, 5, 1).since(12 * MINUTE_US).before(14 * MINUTE_US)

    assert (cut.start_at, cut.end_at, len(cut.bins)) == (12 * MINUTE_US, 14 * MINUTE_US, 12)
    assert history(10, 5, 1).since(99 * MINUTE_US).end_at == 15 * MINUTE_US
