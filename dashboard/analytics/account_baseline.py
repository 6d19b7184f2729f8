"""What creation days of accounts usually look like: the baseline that a room is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dashboard.analytics.account_baseline_shape import rough_shape

Days = npt.NDArray[np.int64]
"""Creation days: whole days since 1970-01-01, UTC."""

FIRST_DAY: Final = 13_514
"""2007-01-01: no account of Twitch (or of Justin.tv, which it was) is older."""
OWN_FULL_AT: Final = 5_000
"""From so many accounts of other channels on the shipped shape has next to no say any more."""
_SMOOTH_DAYS: Final = 14
"""Standard deviation of the smoothing; what is sharper is noise until many accounts say otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """How the creation days of ordinary chatters spread."""

    name: str
    """Where it comes from, in words for people: ``"412,000 accounts of 18 other channels"``."""
    first_day: int
    density: npt.NDArray[np.float64]
    """Share of all accounts created on each day from ``first_day`` on, smoothed; adds up to 1."""
    sample_count: int
    """Accounts it was estimated from; 0 for the shipped rough shape."""

    @property
    def last_day(self) -> int:
        """The newest day it knows of."""
        return self.first_day + len(self.density) - 1

    @classmethod
    def from_created_days(cls, days: Days, *, as_of_day: int, name: str = "") -> Baseline:
        """Estimates the baseline from the accounts of other rooms.

        Args:
            days: Creation days, one per account.
            as_of_day: The day they were looked up; later ones are no creation days and left out.
            name: Where they come from.

        Raises:
            ValueError: There is no account in them.
        """
        known = days[(days >= FIRST_DAY) & (days <= as_of_day + 1)]
        if not len(known):
            raise ValueError("A baseline needs accounts with a known creation day.")
        first, last = int(known.min()), int(known.max())
        counts = np.bincount(known - first, minlength=last - first + 1).astype(np.float64)
        return cls(name or f"{len(known):,} accounts", first, smoothed(counts) / len(known), len(known))

    def on(self, first_day: int, last_day: int) -> npt.NDArray[np.float64]:
        """The density on a span of days; outside of what it knows the level of its nearest month."""
        at = np.arange(first_day, last_day + 1) - self.first_day
        inside = np.clip(at, 0, len(self.density) - 1)
        found: npt.NDArray[np.float64] = self.density[inside]
        return found


def default_baseline(as_of_day: int) -> Baseline:
    """The shipped rough shape, for the day before any own data is there.

    Args:
        as_of_day: Today, or the day the room was captured: nothing is expected after it.

    Caveats:
        Yearly growth and little more. Whoever uses it must bring the level of each season from the room.
    """
    shape = rough_shape(FIRST_DAY, as_of_day)
    return Baseline("the shipped rough shape", FIRST_DAY, shape, 0)


def mixed(default: Baseline, own: Baseline | None) -> Baseline:
    """The baseline from what there is: own data takes the default's place as it grows.

    Args:
        default: The shipped shape.
        own: Of other channels' accounts; ``None`` while there are none.
    """
    if own is None:
        return default
    weight = own.sample_count / (own.sample_count + OWN_FULL_AT / 10)
    first, last = min(default.first_day, own.first_day), max(default.last_day, own.last_day)
    density = np.zeros(last - first + 1)
    for part, share in ((default, 1 - weight), (own, weight)):
        at = part.first_day - first
        density[at : at + len(part.density)] += share * part.density
    return Baseline(own.name, first, density / density.sum(), own.sample_count)


def smoothed(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Counts a day without what chance put on single days; the sum stays.

    Args:
        counts: One a day.
    """
    reach = 3 * _SMOOTH_DAYS
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SMOOTH_DAYS) ** 2)
    full = np.convolve(counts, kernel)[reach : reach + len(counts)]
    weight = np.convolve(np.ones(len(counts)), kernel)[reach : reach + len(counts)]
    level: npt.NDArray[np.float64] = full / weight
    return level * (counts.sum() / level.sum())
