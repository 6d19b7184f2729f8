"""Every window of 1, 3 and 7 days of a room: observed, expected, and how far chance spreads.

The expected count of a window is the baseline's share of it, brought to the room's own level by the days
around it. So a language that grew earlier, a game's season or an old baseline move the level and not the
answer; only what stands out of its own neighbourhood is unusual. How far chance spreads is taken from the
room itself, with what stands out cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.analytics.account_baseline import Baseline, Days
from dashboard.analytics.compound_tail import Floats

WINDOWS: Final = (1, 3, 7)
"""Lengths in days that are looked at."""

_GUARD_DAYS: Final = 3
"""On both sides of a window left out of its neighbourhood: the rest of the same wave lies there."""
_NEAR_DAYS: Final = 45
_SHORT_DAYS: Final = 14
_FAR_DAYS: Final = 180
_NEAR_WEIGHT: Final = 15.0
"""So many accounts' worth the far neighbourhood counts in the near one; few accounts alone say little."""
_FAR_WEIGHT: Final = 10.0
_SIDE_Z: Final = 3.0
"""A side whose level is so many standard errors higher is believed: an edge, not a wave."""
_LEAST_SPREAD: Final = 0.07**2
"""No baseline is known better than to 7 %."""
_EVENT_SPREAD: Final = 0.15
"""Special days of the baseline come with another strength in another room."""
_BEYOND_SPREAD: Final = 0.03
"""More where the baseline says nothing."""
_MOST_SPREAD: Final = 1.0
_ROUNDS: Final = 30


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """All windows of a room, as columns."""

    start_day: Days
    days: Days
    """Length."""
    observed: Floats
    expected: Floats
    spread: Floats
    """Relative variance of the expected count."""
    clump: float
    """How much accounts come in clumps of the same day: variance ÷ mean of days − 1."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Running sums over the days of a room."""

    observed: Floats
    """Without what stands out: level of the neighbourhoods."""
    share: Floats

    def between(self, start: Days, end: Days) -> tuple[Floats, Floats]:
        last = len(self.share) - 1
        a, b = np.clip(start, 0, last), np.clip(end, 0, last)
        return self.observed[b] - self.observed[a], self.share[b] - self.share[a]


def room_windows(days: Days, baseline: Baseline, as_of_day: int) -> Windows:
    """Lays the windows over a room.

    Args:
        days: Creation day of each account; at least one.
        baseline: What is usual.
        as_of_day: The newest day there can be.
    """
    # The empty days around belong to the room: what is alone in them stands out.
    newest = int(days.max())
    first = min(int(days.min()) - _FAR_DAYS, baseline.first_day)
    last = max(newest, min(as_of_day, newest + _FAR_DAYS))
    counts = np.bincount(days - first, minlength=last - first + 1).astype(np.float64)
    share, is_event = baseline.on(first, last), baseline.events_on(first, last)
    is_beyond = np.arange(first, last + 1) > baseline.last_day
    unsure = _EVENT_SPREAD * is_event + _BEYOND_SPREAD * is_beyond + baseline.roughness
    sums = _Sums(_running(counts), _running(share))
    # First look: what is far above its neighbourhood must not raise the level of the days around it.
    level = _expected(sums, 1, len(days), None)
    overall = _dispersion(counts, level)
    cut = np.minimum(counts, np.ceil(_cap(level, overall * level, overall)))
    sums = _Sums(_running(cut), sums.share)
    columns: list[tuple[Floats, ...]] = []
    clump = 0.0
    for width in WINDOWS:
        if width > len(counts):
            break
        observed = _rolled(counts, width)
        expected = _expected(sums, width, len(days), overall)
        dispersion = _dispersion(observed, expected)
        clump = max(dispersion - 1, 0.02) if width == 1 else clump
        spread = np.maximum(
            np.minimum(np.maximum(dispersion - 1 - clump, 0.0) / expected, _MOST_SPREAD),
            _mean_spread(observed, expected, 1 + clump),
        )
        near, _ = sums.between(*_around(len(expected), width, _NEAR_DAYS))
        spread = spread + _LEAST_SPREAD + (1 + clump) / (near + _NEAR_WEIGHT) + _rolled(unsure, width) / width
        start = first + np.arange(len(observed), dtype=np.float64)
        columns.append((start, np.full(len(observed), float(width)), observed, expected, spread))
    start, widths, observed, expected, spread = (np.concatenate(part) for part in zip(*columns, strict=True))
    return Windows(start.astype(np.int64), widths.astype(np.int64), observed, expected, spread, clump)


def _around(count: int, width: int, reach: int) -> tuple[Days, Days]:
    """From ``reach`` days before each window to as many after it."""
    start = np.arange(count)
    return start - _GUARD_DAYS - reach, start + width + _GUARD_DAYS + reach


def _sides(count: int, width: int, reach: int) -> tuple[tuple[Days, Days], tuple[Days, Days]]:
    start, end = _around(count, width, reach)
    return (start, start + reach), (end - reach, end)


def _expected(sums: _Sums, width: int, n: int, overall: float | None) -> Floats:
    """Expected counts of the windows of a length.

    Args:
        sums: Of the room.
        width: Days.
        n: Accounts in the room.
        overall: Variance ÷ mean of its days; ``None`` for a first look, which takes no side for an edge.
    """
    count = len(sums.share) - width
    share = sums.share[width:] - sums.share[:-width]

    def both(reach: int) -> tuple[Floats, Floats]:
        left, right = (sums.between(*side) for side in _sides(count, width, reach))
        return left[0] + right[0], left[1] + right[1]

    far_seen, far_share = both(_FAR_DAYS)
    far = (far_seen + _FAR_WEIGHT) / (far_share + _FAR_WEIGHT * sums.share[-1] / n)
    near_seen, near_share = both(_NEAR_DAYS)
    level = (near_seen + _NEAR_WEIGHT) / (near_share + _NEAR_WEIGHT / far)
    best = level
    if overall is not None:
        for reach in (_SHORT_DAYS, _NEAR_DAYS):
            for side in _sides(count, width, reach):
                seen, part = sums.between(*side)
                z = (seen - part * level) / np.sqrt((part * level + 1) * overall)
                higher = (seen + _NEAR_WEIGHT) / (part + _NEAR_WEIGHT / level)
                best = np.where(z > _SIDE_Z, np.maximum(best, higher), best)
    # Where the baseline has nobody, half of what the far neighbourhood itself has.
    start, end = _around(count, width, _FAR_DAYS)
    days = np.clip(end, 0, count + width) - np.clip(start, 0, count + width) - width
    floor = 0.5 * width * (far_seen + 1) / np.maximum(days, 1)
    return np.maximum(share * best, floor)


def _running(values: Floats) -> Floats:
    return np.append(0.0, np.cumsum(values))


def _rolled(values: Floats, width: int) -> Floats:
    sums = _running(values)
    return sums[width:] - sums[:-width]


def _cap(expected: Floats, variance: Floats, dispersion: float) -> Floats:
    """What is above is no chance any more, but what is looked for."""
    return expected + 4 * np.sqrt(variance) + 5 * dispersion


def _dispersion(observed: Floats, expected: Floats) -> float:
    """Variance ÷ mean around the expected counts, at least 1, without what stands out."""
    total = max(float(expected.sum()), float(observed.sum()))
    found = 1.0
    for _ in range(_ROUNDS):
        kept = np.minimum(observed, _cap(expected, found * expected, found))
        before, found = found, max(1.0, float(((kept - expected) ** 2).sum()) / total)
        if abs(found - before) < 0.005:
            break
    return found


def _mean_spread(observed: Floats, expected: Floats, dispersion: float) -> float:
    """Relative variance of the expected counts: what the full days vary more than clumps explain."""
    weight = float((expected**3).sum())
    found = 0.01
    for _ in range(_ROUNDS):
        variance = dispersion * expected + found * expected**2
        kept = np.minimum(observed, _cap(expected, variance, dispersion))
        more = ((kept - expected) ** 2 - dispersion * expected) * expected
        before, found = found, max(0.0, float(more.sum()) / weight)
        if abs(found - before) < 1e-4:
            break
    return min(found, _MOST_SPREAD)
