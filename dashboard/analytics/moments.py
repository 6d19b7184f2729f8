"""The best moments of a stretch of chat, by velocity against its own usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dashboard.analytics.timebins import BIN_US

LEAST_RATIO: Final = 2.0
LEAST_MESSAGES: Final = 15
"""In the minute of the peak; below it a ratio is chance."""
LEAST_MINUTES: Final = 10
_BINS_A_MINUTE: Final = 6
_APART_BINS: Final = 18
"""Two peaks within three minutes are one moment."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A minute in which chat was much faster than usual."""

    at: int
    """The end of the minute with the most messages."""
    messages_per_min: float
    ratio: float
    """Times the usual."""


@dataclass(frozen=True, slots=True)
class Moments:
    """The best moments, and what they are measured against."""

    usual: float | None
    """Median messages a minute of the observed minutes; None when there are too few."""
    moments: tuple[Moment, ...]


def best_moments(
    counts: npt.NDArray[np.int64], observed_s: npt.NDArray[np.float64], *, start_at: int, most: int = 5
) -> Moments:
    """Finds the minutes that stand out.

    Args:
        counts: Messages in each 10 s from ``start_at`` on, while the channel was live.
        observed_s: How much of each 10 s was seen.
        start_at: The beginning of the first bin.
        most: At most so many.

    Returns:
        The strongest first by ratio. Minutes that were not seen whole are never called a moment, and
        count for nothing in the usual.
    """
    if len(counts) < _BINS_A_MINUTE:
        return Moments(None, ())
    window = np.ones(_BINS_A_MINUTE, dtype=np.int64)
    per_minute = np.convolve(counts, window, mode="valid").astype(np.float64)
    seen_s = np.convolve(observed_s, window, mode="valid")
    is_whole = seen_s >= 59.0
    own = per_minute[is_whole][::_BINS_A_MINUTE]
    if len(own) < LEAST_MINUTES:
        return Moments(None, ())
    usual = float(np.median(own))
    floor = max(usual, 1.0)
    is_hot = is_whole & (per_minute >= LEAST_MESSAGES) & (per_minute >= LEAST_RATIO * floor)
    picked: list[int] = []
    for index in sorted(np.flatnonzero(is_hot), key=lambda i: (-per_minute[i], i)):
        if all(abs(int(index) - other) >= _APART_BINS for other in picked):
            picked.append(int(index))
        if len(picked) == most:
            break
    moments = [
        Moment(
            at=start_at + (index + _BINS_A_MINUTE) * BIN_US,
            messages_per_min=float(per_minute[index]),
            ratio=float(per_minute[index]) / floor,
        )
        for index in picked
    ]
    return Moments(usual, tuple(moments))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number beside what is usual for the same channel."""

    value: float
    usual: float | None
    """Median of the earlier ones; None when there are fewer than three."""
    earlier_count: int

    @property
    def words(self) -> str:
        """The comparison for people, as in ``18 % over usual (264, 8 streams)``."""
        if self.usual is None:
            if self.earlier_count == 0:
                return "no earlier stream to compare"
            return f"too few earlier streams to compare ({self.earlier_count})"
        base = f"({self.usual:,.0f}, {self.earlier_count} streams)"
        if self.usual <= 0:
            return f"usual is 0 {base}" if self.value > 0 else f"≈ usual {base}"
        ratio = self.value / self.usual
        if 1 / 1.15 <= ratio <= 1.15:
            return f"≈ usual {base}"
        if ratio >= 2:
            return f"{ratio:.1f}× usual {base}"
        side = "over" if ratio > 1 else "under"
        return f"{abs(ratio - 1) * 100:.0f} % {side} usual {base}"


LEAST_EARLIER: Final = 3


def compared(value: float | None, earlier: Sequence[float | None]) -> Comparison | None:
    """A number against the channel's own earlier streams.

    Args:
        value: Of this stream; None gives None.
        earlier: Of earlier ones; those that are not known are left out.

    Returns:
        With the median of at least three earlier ones.
    """
    if value is None:
        return None
    known = [number for number in earlier if number is not None]
    usual = float(np.median(known)) if len(known) >= LEAST_EARLIER else None
    return Comparison(value, usual, len(known))
