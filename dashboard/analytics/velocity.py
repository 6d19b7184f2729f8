"""Chat velocity: messages per minute of observed time."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

VELOCITY_WINDOW_S: Final = 60
BURST_WINDOW_S: Final = 10
LEAST_OBSERVED_SHARE: Final = 0.1
"""Of a bin; below it a single message would look like a storm, so there is no value."""


def velocity(message_count: int, *, observed_s: float, window_s: float = VELOCITY_WINDOW_S) -> float | None:
    """How fast the chat is: messages per minute of the time that was seen.

    Args:
        message_count: Messages in the window (mirrored ones left out).
        observed_s: How much of the window was seen.
        window_s: Length of the window.

    Returns:
        Messages per minute; ``None`` when less than a tenth of the window was seen.
    """
    if observed_s < window_s * LEAST_OBSERVED_SHARE or observed_s <= 0:
        return None
    return message_count * 60 / observed_s


def velocities(
    counts: npt.NDArray[np.int64], observed_s: npt.NDArray[np.float64], *, bin_s: float
) -> npt.NDArray[np.float64]:
    """Velocity of each bin of a series.

    Args:
        counts: Messages a bin.
        observed_s: Seconds of each bin that were seen.
        bin_s: Width of a bin.

    Returns:
        Messages per minute; NaN where less than a tenth of the bin was seen.
    """
    seen = observed_s >= bin_s * LEAST_OBSERVED_SHARE
    rates = np.full(len(counts), np.nan)
    rates[seen] = counts[seen] * 60 / observed_s[seen]
    return rates
