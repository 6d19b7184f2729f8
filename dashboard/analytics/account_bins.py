"""Creation days as a histogram and as a curve, with what the baseline expects beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from dashboard.analytics.account_baseline import Baseline, Days

Grain = Literal["day", "week", "month", "year"]

_UNITS: Final = {"month": "M", "year": "Y"}
_MONDAY: Final = 4
"""1970-01-05 was the first Monday."""


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Accounts by creation day, week (from Monday), month or year, without holes."""

    start_day: Days
    end_day: Days
    """Inclusive."""
    observed: npt.NDArray[np.int64]

    @property
    def edges(self) -> Days:
        """First day of each bin and, last, the day after the last bin: for ``expected_counts``."""
        return np.append(self.start_day, self.end_day[-1:] + 1)


def histogram(created_days: Days, grain: Grain) -> Bins:
    """Counts accounts by creation day, week, month or year.

    Args:
        created_days: One per account.
        grain: How wide a bin is; weeks begin on Monday, all in UTC.

    Returns:
        Every bin from the oldest account to the newest, also the empty ones; none without accounts.
    """
    if not len(created_days):
        none = np.zeros(0, dtype=np.int64)
        return Bins(none, none, none)
    starts = bin_starts(int(created_days.min()), int(created_days.max()), grain)
    edges, last = starts[:-1], starts[1:] - 1
    observed = np.bincount(np.searchsorted(edges, created_days, side="right") - 1, minlength=len(edges))
    return Bins(edges, last, observed.astype(np.int64))


def bin_starts(first_day: int, last_day: int, grain: Grain) -> Days:
    """First days of the bins that cover a span, and the first day after them."""
    if grain == "day":
        return np.arange(first_day, last_day + 2)
    if grain == "week":
        start = (first_day - _MONDAY) // 7 * 7 + _MONDAY
        return np.arange(start, last_day + 8, 7)
    unit = _UNITS[grain]
    first, last = (np.datetime64(day, "D").astype(f"datetime64[{unit}]") for day in (first_day, last_day))
    units = np.arange(first, last + 2)
    return units.astype("datetime64[D]").astype(np.int64)


def expected_counts(created_days: Days, baseline: Baseline, bin_edges_days: Days) -> npt.NDArray[np.float64]:
    """How many accounts of each bin the baseline expects in a room of this size.

    Args:
        created_days: One per account of the room.
        baseline: What is usual.
        bin_edges_days: First day of each bin, and the day after the last bin.
    """
    if len(bin_edges_days) < 2:
        return np.zeros(0)
    first, last = int(bin_edges_days[0]), int(bin_edges_days[-1]) - 1
    sums = np.append(0.0, np.cumsum(baseline.on(first, last)))
    at = np.asarray(bin_edges_days) - first
    return (sums[at[1:]] - sums[at[:-1]]) * len(created_days) / max(sums[-1], 1e-12)


@dataclass(frozen=True, slots=True, eq=False)
class AgeCurve:
    """Share of the accounts that were created by a day, in the room and in the baseline."""

    day: Days
    observed: npt.NDArray[np.float64]
    expected: npt.NDArray[np.float64]


def cumulative_curve(created_days: Days, baseline: Baseline, *, point_count: int = 400) -> AgeCurve:
    """The cumulative curve of creation days against the baseline.

    Args:
        created_days: One per account.
        baseline: What is usual.
        point_count: So many points at most, spread evenly over the time.
    """
    if not len(created_days):
        return AgeCurve(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
    first = min(int(created_days.min()), baseline.first_day)
    last = max(int(created_days.max()), baseline.last_day)
    day = np.unique(np.linspace(first, last, min(point_count, last - first + 1)).round().astype(np.int64))
    observed = np.searchsorted(np.sort(created_days), day, side="right") / len(created_days)
    sums = np.cumsum(baseline.on(first, last))
    return AgeCurve(day, observed, sums[day - first] / sums[-1])
