"""Who takes part: unique chatters in a window, and their share of the viewers."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

ACTIVE_WINDOW_S: Final = 300
ACTIVE_WINDOW_MIN: Final = ACTIVE_WINDOW_S // 60


def engagement_ratio(active_chatters: float | None, mean_viewers: float | None) -> float | None:
    """Share of the audience that takes part: active chatters ÷ mean viewers, both over 5 minutes.

    Args:
        active_chatters: People who spoke in the window; ``None`` when it was not seen.
        mean_viewers: Mean of Twitch's viewer counts in the same window.

    Returns:
        The ratio; ``None`` when a part is missing or nobody watched. It can pass 1: Twitch's viewer
        count and the people in chat are counted differently.
    """
    if active_chatters is None or not mean_viewers:
        return None
    return active_chatters / mean_viewers


def cover_until(minutes: npt.NDArray[np.int64], next_minutes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Until which minute a chatter counts as active after speaking, not counting anybody twice.

    Args:
        minutes: Minutes (since the epoch) in which somebody spoke.
        next_minutes: The next minute in which the same person spoke; -1 when there is none.

    Returns:
        The first minute in which this speaking no longer counts.
    """
    ends = minutes + ACTIVE_WINDOW_MIN
    return np.where(next_minutes < 0, ends, np.minimum(ends, next_minutes))


def active_by_minute(
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    *,
    first: int,
    last: int,
) -> npt.NDArray[np.int64]:
    """Unique chatters of the 5 minutes up to the end of each minute.

    Args:
        starts: Minute (since the epoch) in which people began to count as active.
        ends: First minute in which they no longer do.
        counts: How many people.
        first: First minute asked for.
        last: First minute not asked for.

    Returns:
        One number a minute of [first, last).
    """
    steps = np.zeros(last - first + 1, dtype=np.int64)
    np.add.at(steps, np.clip(starts, first, last) - first, counts)
    np.subtract.at(steps, np.clip(ends, first, last) - first, counts)
    return np.cumsum(steps)[:-1]
