"""Evidence beside age: who stays silent, and who comes or follows at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Instants = npt.NDArray[np.int64]
"""Microseconds since 1970, UTC."""

TOGETHER_S: Final = 60
"""Arrivals within a minute are arrivals together."""
LEAST_ARRIVALS: Final = 5
_Z: Final = 1.959964
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with what the true share may be."""

    count: int
    total: int
    share: float | None
    """``None`` of nobody."""
    low: float
    """95 % interval (Wilson)."""
    high: float


def share_of(count: int, total: int) -> Share:
    """A share with its 95 % interval.

    Args:
        count: How many.
        total: Of how many.
    """
    if not total:
        return Share(0, 0, None, 0.0, 1.0)
    share, z2 = count / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z * (share * (1 - share) / total + z2 / (4 * total * total)) ** 0.5 / (1 + z2 / total)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Share(count, total, share, low if count else 0.0, high if count < total else 1.0)


def silent_share(message_counts: npt.NDArray[np.int64]) -> Share:
    """How many of these accounts have not spoken.

    Args:
        message_counts: Messages of each account in the time looked at.

    Caveats:
        Most people in most chats never speak: compare with the share in the rest of the room.
    """
    return share_of(int((np.asarray(message_counts) == 0).sum()), len(message_counts))


@dataclass(frozen=True, slots=True)
class Synchrony:
    """How many accounts came (or followed) within one stretch of time."""

    together: Share
    """In the stretch with most of them, of all whose time is known."""
    window_s: int
    start_us: int | None
    """When that stretch begins; ``None`` with too few times."""
    others: Share
    """Of the other accounts of the room, those whose time lies in that same stretch."""
    p: float | None
    """How often chance would bring so many together if they came as the others do."""


def arrival_synchrony(
    first_seen_us: Instants, others_us: Instants | None = None, *, window_s: int = TOGETHER_S
) -> Synchrony:
    """Whether accounts arrived together: the stretch with most of them against the rest of the room.

    Args:
        first_seen_us: When each account of the cohort was first seen (or followed).
        others_us: The same of the room's other accounts.
        window_s: Length of the stretch.

    Returns:
        The fullest stretch; without a start and ``p`` for fewer than five times.

    Caveats:
        A poll sees everybody who came since the one before at once: times are no finer than the polls.
        A raid brings ordinary people together too, and then the others come in the same stretch.
    """
    times = np.sort(np.asarray(first_seen_us, dtype=np.int64))
    others = np.sort(np.asarray([] if others_us is None else others_us, dtype=np.int64))
    if len(times) < LEAST_ARRIVALS:
        return Synchrony(share_of(0, len(times)), window_s, None, share_of(0, len(others)), None)
    width = window_s * _SECOND_US
    within = np.searchsorted(times, times + width, side="left") - np.arange(len(times))
    best = int(within.argmax())
    start, count = int(times[best]), int(within[best])
    same = int(np.searchsorted(others, start + width, side="left") - np.searchsorted(others, start))
    p = _chance(count, len(times), same, times, others, width)
    return Synchrony(share_of(count, len(times)), window_s, start, share_of(same, len(others)), p)


def _chance(count: int, total: int, same: int, times: Instants, others: Instants, width: int) -> float | None:
    """Binomial upper tail at the others' share of the stretch, times the stretches there were."""
    if len(others) < LEAST_ARRIVALS:
        return None
    from scipy.special import betainc

    span = max(times[-1], others[-1]) - min(times[0], others[0]) + 1
    stretches = max(1.0, float(span) / width)
    # One more than was seen, so that a stretch without others is not held impossible.
    usual = (same + 1) / (len(others) + stretches)
    return min(1.0, float(betainc(count, total - count + 1, min(1.0, usual))) * stretches)
