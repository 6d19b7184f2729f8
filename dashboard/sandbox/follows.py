"""Who follows whom, and since when: fixed for good, so that a follow told twice is one follow."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from dashboard.sandbox import chance
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import DAY_S, Schedule
from dashboard.sandbox.users import Index, Population

FROM_S = 1_767_225_600
"""2026-01-01: who followed before is known as a whole; after it every follow is an event of its day."""
_FROM_DAY = FROM_S // DAY_S
_BASE_SHARE = 0.6
_LIVE_SHARE = 0.88

Times = NDArray[np.float64]
Follows_ = tuple[Times, Index]


class Follows:
    """All follows of all channels.

    Args:
        seed: Of the world.
        channels: All of them.
        schedule: When they are live: most follow during a stream.
        population: Everybody.
    """

    def __init__(
        self, seed: int, channels: tuple[Channel, ...], schedule: Schedule, population: Population
    ) -> None:
        self._seed = seed
        self._channels = channels
        self._schedule = schedule
        self._population = population
        self._base: dict[int, Follows_] = {}
        self._counts: dict[int, list[int]] = {}
        self._built: dict[int, tuple[int, list[Times], list[Index]]] = {}

    def of(self, c: int, t: float) -> Follows_:
        """Everybody who follows a channel at a time.

        Args:
            c: The channel's number.
            t: Unix time.

        Returns:
            Since when (Unix times, rising) and who (people's numbers).
        """
        at, people = self._before(c)
        if t < FROM_S:
            count = int(np.searchsorted(at, t, side="right"))
            return at[:count], people[:count]
        days, ats, whos = self._whole_days(c, int(t // DAY_S))
        last_at, last_who = self.of_day(c, int(t // DAY_S))
        seen = last_at <= t
        whole = np.concatenate([at, *ats[:days], last_at[seen]])
        return whole, np.concatenate([people, *whos[:days], last_who[seen]])

    def between(self, c: int, start: float, end: float) -> list[tuple[float, int]]:
        """The follows with ``start <= at < end``, in order: when and who."""
        found = []
        for day in range(max(_FROM_DAY, int(start // DAY_S)), int(end // DAY_S) + 1):
            at, who = self.of_day(c, day)
            found += [(float(a), int(w)) for a, w in zip(at, who, strict=True) if start <= a < end]
        return found

    def of_day(self, c: int, day: int) -> Follows_:
        """The follows of one UTC day from :data:`FROM_S` on; empty before."""
        if day < _FROM_DAY:
            return np.array([]), np.array([], dtype=np.int64)
        until = self._count_until(c, day)
        numbers = np.arange(self._count_until(c, day - 1), until, dtype=np.int64)
        size = self._population.regular_count
        numbers = numbers[numbers < size]
        # Each number is another person, so that nobody follows twice.
        step, start = chance.stride(size, self._seed, "followers", c)
        people = (numbers * step + start) % size
        at = np.sort(self._times(c, day, len(people)))
        is_new = ~np.isin(people, self._before(c)[1]) & (self._population.created(people) < at - 3600)
        return at[is_new], people[is_new]

    def _before(self, c: int) -> Follows_:
        """Those who followed before :data:`FROM_S`, by time."""
        if c not in self._base:
            salt = chance.number(self._seed, "follows", c)
            members, _, _ = self._schedule.members(c)
            created = self._population.created(members)
            chosen = (chance.units(members, salt) < _BASE_SHARE) & (created < FROM_S - 3600)
            people, created = members[chosen], created[chosen]
            at = np.floor(created + 600 + (FROM_S - 600 - created) * chance.units(people, salt + 1) ** 0.6)
            order = np.argsort(at, kind="stable")
            self._base[c] = at[order], people[order]
        return self._base[c]

    def _count_until(self, c: int, day: int) -> int:
        """How many there were from the first day to this one, both included."""
        counts = self._counts.setdefault(c, [0])
        mean = 2.0 * self._channels[c].usual_viewers ** 0.5
        while len(counts) <= day - _FROM_DAY + 1:
            number = len(counts) - 1
            counts.append(counts[-1] + chance.poisson(chance.dice(self._seed, "follow day", c, number), mean))
        return counts[day - _FROM_DAY + 1]

    def _times(self, c: int, day: int, count: int) -> Times:
        """Moments of a day, most of them while the channel is live."""
        random = np.random.default_rng(chance.number(self._seed, "follow times", c, day))
        begin, end = day * DAY_S, (day + 1) * DAY_S
        spans = [
            (max(begin, s.started_s), min(end, s.ended_s))
            for s in self._schedule.sessions_between(c, begin, end)
        ]
        anywhere = begin + random.random(count) * DAY_S
        if not spans:
            return np.asarray(anywhere)
        starts = [0.0]
        for first, last in spans:
            starts.append(starts[-1] + last - first)
        places = random.random(count) * starts[-1]
        live = np.array([spans[k := bisect_right(starts, p) - 1][0] + p - starts[k] for p in places])
        return np.where(random.random(count) < _LIVE_SHARE, live, anywhere) if count else anywhere

    def _whole_days(self, c: int, day: int) -> tuple[int, list[Times], list[Index]]:
        """The days before this one, kept as they are made: how many, and their follows."""
        built, ats, whos = self._built.setdefault(c, (_FROM_DAY, [], []))
        while built < day:
            at, who = self.of_day(c, built)
            ats.append(at)
            whos.append(who)
            built += 1
        self._built[c] = built, ats, whos
        return day - _FROM_DAY, ats, whos
