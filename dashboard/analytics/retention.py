"""Viewer retention: how much of the peak is still here. A proxy; Twitch tells no retention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

RAID_MEMORY_S: Final = 1800
"""A raid is spoken of for half an hour."""


@dataclass(frozen=True, slots=True)
class SinceRaid:
    """How the retention moved since the last raid came in."""

    raid_at: int
    points: float
    """Change in percentage points; negative when viewers left."""


def share_of_peak(viewers: Sequence[int]) -> npt.NDArray[np.float64]:
    """Share of the highest viewer count so far that is still there, at each sample.

    Args:
        viewers: Samples of one stream, oldest first.

    Returns:
        0..1 for each sample; NaN while nobody has watched yet.
    """
    counts = np.asarray(viewers, dtype=np.float64)
    if not len(counts):
        return counts
    peaks = np.maximum.accumulate(counts)
    return np.divide(counts, peaks, out=np.full(len(counts), np.nan), where=peaks > 0)


def since_last_raid(
    samples_at: Sequence[int], viewers: Sequence[int], raids_at: Sequence[int], *, now: int
) -> SinceRaid | None:
    """How many points of retention were won or lost since the last raid of the last 30 minutes.

    Args:
        samples_at: Instants of the viewer samples of this stream, oldest first.
        viewers: Their counts.
        raids_at: Instants of this stream's raids.
        now: The instant asked about.

    Returns:
        The change from the first sample after the raid to the newest; ``None`` without a recent raid or
        with fewer than two samples since.
    """
    recent = [at for at in raids_at if now - RAID_MEMORY_S * 1_000_000 <= at <= now]
    if not recent:
        return None
    raid_at = max(recent)
    first = int(np.searchsorted(np.asarray(samples_at, dtype=np.int64), raid_at, side="left"))
    shares = share_of_peak(viewers)
    if first >= len(shares) - 1 or np.isnan(shares[first]):
        return None
    return SinceRaid(raid_at, float(shares[-1] - shares[first]) * 100)
