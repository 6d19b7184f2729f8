"""The stream's own usual: what this stream's earlier minutes were like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

EXCLUDED_RECENT_S: Final = 300
"""The last five minutes are what is compared, so they are no part of the comparison."""
LEAST_MINUTES: Final = 10


@dataclass(frozen=True, slots=True)
class Usual:
    """Median and range of a metric over this stream's earlier minutes."""

    median: float | None
    low: float | None
    """10th percentile."""
    high: float | None
    """90th percentile."""
    sample_count: int
    """Minutes with a value."""
    missing: str | None
    """Why there is no comparison."""


def usual_range(minute_values: npt.NDArray[np.float64]) -> Usual:
    """What is usual for this stream.

    Args:
        minute_values: One value a minute of this stream, without its last five minutes; NaN where the
            minute was not observed.

    Returns:
        Median with the 10th and 90th percentile, or the reason why ten minutes are not there yet.
    """
    known = minute_values[~np.isnan(minute_values)]
    if len(known) < LEAST_MINUTES:
        return Usual(None, None, None, len(known), f"usual needs {LEAST_MINUTES} min, has {len(known)}")
    low, median, high = (float(value) for value in np.percentile(known, [10, 50, 90]))
    return Usual(median, low, high, len(known), None)
