"""What creation days of accounts usually look like: the baseline that a room is held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from dashboard.analytics.account_baseline_shape import rough_shape

Days = npt.NDArray[np.int64]
"""Creation days: whole days since 1970-01-01, UTC."""

FIRST_DAY: Final = 13_514
"""2007-01-01: no account of Twitch (or of Justin.tv, which it was) is older."""
OWN_HALF_AT: Final = 500
"""With so many accounts of other channels the shipped shape and they count alike."""
_SMOOTH_DAYS: Final = 20
"""Standard deviation of the smoothing; what is sharper is noise until it stands out."""
_EVENT_Z: Final = 4.0
_EVENT_WEIGHT: Final = 3.0
_OWN_Z: Final = 1.5
_OWN_WEIGHT: Final = 2.0
_EVENT_WINDOWS: Final = (1, 3, 7)
_ROUGH: Final = 0.01
"""Relative variance of the shipped shape beyond what the room's own neighbourhood makes up for."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """How the creation days of ordinary chatters spread."""

    name: str
    """Where it comes from, in words for people: ``"412,000 accounts of 18 other channels"``."""
    first_day: int
    density: npt.NDArray[np.float64]
    """Share of all accounts created on each day from ``first_day`` on, smoothed."""
    sample_count: int
    """Accounts it was estimated from; 0 for the shipped rough shape."""
    events: npt.NDArray[np.float64] = field(default_factory=lambda: np.ones(0))
    """How many times the smoothed share its special days have; 1 on other days."""
    counts: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Its accounts on each day, as they were counted; empty for the shipped shape."""
    roughness: float = 0.0
    """Relative variance to add to every expected count."""

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
        usual = smoothed(counts)
        words = name or f"{len(known):,} accounts"
        events = _events(counts, usual)
        return cls(words, first, usual / len(known), len(known), events, counts)

    def on(self, first_day: int, last_day: int) -> npt.NDArray[np.float64]:
        """Share of accounts on each day of a span, special days in it.

        Outside of what the baseline knows it is the level of its nearest month: it says nothing there, and
        the room's own neighbourhood has to.
        """
        at = np.arange(first_day, last_day + 1) - self.first_day
        inside = np.clip(at, 0, len(self.density) - 1)
        found = self.density[inside] * self._events_at(at)
        found[at >= len(self.density)] = self.density[-30:].mean()
        found[at < 0] = self.density[:30].mean()
        return np.maximum(found, 1e-9)

    def events_on(self, first_day: int, last_day: int) -> npt.NDArray[np.bool_]:
        """Whether a day is a special one of the baseline, for each day of a span."""
        return self._events_at(np.arange(first_day, last_day + 1) - self.first_day) > 1

    def standing_out(self, start: Days, width: Days) -> npt.NDArray[np.float64]:
        """How many times its usual count the baseline itself has in windows, 1 where it is no more.

        What is high in other rooms too may be one of the days that bring accounts everywhere.

        Args:
            start: First day of each window.
            width: Its days.
        """
        if not len(self.counts):
            return np.ones(len(start))
        last = len(self.counts)
        a, b = np.clip(start - self.first_day, 0, last), np.clip(start + width - self.first_day, 0, last)
        usual = smoothed(self.counts)
        seen_sums, usual_sums = (np.append(0.0, np.cumsum(part)) for part in (self.counts, usual))
        seen, mean = seen_sums[b] - seen_sums[a], usual_sums[b] - usual_sums[a]
        times = (seen + _OWN_WEIGHT) / (mean + _OWN_WEIGHT)
        return np.where(seen - mean > _OWN_Z * np.sqrt(mean + 1), times / self._events_in(a, b), 1.0).clip(
            1.0
        )

    def _events_in(self, a: Days, b: Days) -> npt.NDArray[np.float64]:
        """What of it the special days say already."""
        sums = np.append(0.0, np.cumsum(self.events))
        return np.maximum((sums[b] - sums[a]) / np.maximum(b - a, 1), 1.0)

    def _events_at(self, at: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        if not len(self.events):
            return np.ones(len(at))
        is_inside = (at >= 0) & (at < len(self.events))
        return np.where(is_inside, self.events[np.clip(at, 0, len(self.events) - 1)], 1.0)


def default_baseline(as_of_day: int) -> Baseline:
    """The shipped rough shape, for the day before any own data is there.

    Args:
        as_of_day: Today, or the day the room was captured: nothing is expected after it.

    Caveats:
        Yearly growth and the spring of 2020, and no more. The level of each season has to come from the
        room itself, so it finds no wave that is longer than a week or two.
    """
    shape = rough_shape(FIRST_DAY, as_of_day)
    return Baseline("the rough shape that ships with the project", FIRST_DAY, shape, 0, roughness=_ROUGH)


def mixed(default: Baseline, own: Baseline | None) -> Baseline:
    """The baseline from what there is: own data takes the default's place as it grows.

    Args:
        default: The shipped shape.
        own: Of other channels' accounts; ``None`` while there are none.
    """
    if own is None:
        return default
    weight = own.sample_count / (own.sample_count + OWN_HALF_AT)
    first, last = min(default.first_day, own.first_day), max(default.last_day, own.last_day)
    density = np.zeros(last - first + 1)
    for part, share in ((default, 1 - weight), (own, weight)):
        at = part.first_day - first
        density[at : at + len(part.density)] += share * part.density
    events, counts = np.ones(len(density)), np.zeros(len(density))
    events[own.first_day - first :][: len(own.events)] = own.events
    counts[own.first_day - first :][: len(own.counts)] = own.counts
    rough = (1 - weight) * default.roughness + weight * own.roughness
    return Baseline(own.name, first, density / density.sum(), own.sample_count, events, counts, rough)


def smoothed(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Counts a day without what chance put on single days; the sum stays.

    A straight line is fitted around every day (weights of a bell), so a steep end stays steep.

    Args:
        counts: One a day.
    """
    reach = 4 * _SMOOTH_DAYS
    u = np.arange(-reach, reach + 1.0)
    bell = np.exp(-0.5 * (u / _SMOOTH_DAYS) ** 2)

    def around(values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.convolve(values, weight)[reach : reach + len(values)]

    ones = np.ones(len(counts))
    s0, s1, s2 = around(ones, bell), around(ones, -u * bell), around(ones, u * u * bell)
    t0, t1 = around(counts, bell), around(counts, -u * bell)
    flat = t0 / s0
    line = (s2 * t0 - s1 * t1) / np.maximum(s0 * s2 - s1 * s1, 1e-9)
    level: npt.NDArray[np.float64] = np.clip(line, 0.4 * flat, 2.5 * flat) + 1e-12
    return level * (counts.sum() / level.sum())


def _events(counts: npt.NDArray[np.float64], usual: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How much the special days stand out: launches and gifts bring accounts in every room."""
    events = np.ones(len(counts))
    sums, means = (np.append(0.0, np.cumsum(part)) for part in (counts, usual))
    for width in _EVENT_WINDOWS:
        seen, mean = sums[width:] - sums[:-width], means[width:] - means[:-width]
        if not len(seen):
            break
        dispersion = max(1.0, float(np.minimum((seen - mean) ** 2, 16 * mean + 16).sum() / mean.sum()))
        z = (seen - mean) / np.sqrt(mean * dispersion + 1)
        times = (seen + _EVENT_WEIGHT) / (mean + _EVENT_WEIGHT)
        for start in np.flatnonzero(z > _EVENT_Z):
            # A day more on both sides: days are cut in another time zone, ages are rounded.
            around = slice(max(0, int(start) - 1), int(start) + width + 1)
            events[around] = np.maximum(events[around], times[start])
    return events
