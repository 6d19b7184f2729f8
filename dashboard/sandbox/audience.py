"""Who is in chat: members, raiding parties, bots of all sorts, cohorts of made-up accounts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dashboard.sandbox import chance, users, words
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import DAY_S, RAID_LASTS_S, Raid, Schedule
from dashboard.sandbox.users import Index, Population

EPOCH_S = 28 * DAY_S
_WAVES_AN_EPOCH = 64


@dataclass(frozen=True, slots=True)
class Wave:
    """A cohort of accounts made within days that sits in a channel and says nothing."""

    number: int
    channel: int
    count: int
    first_day_s: int
    """Midnight (UTC) of the first creation day."""
    day_count: int
    style: int

    @property
    def people(self) -> range:
        """Their numbers."""
        first = users.WAVE_BASE + self.number * users.WAVE_SIZE
        return range(first, first + self.count)


class Audience:
    """The people in chat at any time."""

    def __init__(
        self, seed: int, channels: tuple[Channel, ...], schedule: Schedule, population: Population
    ) -> None:
        self._seed = seed
        self._channels = channels
        self._schedule = schedule
        self._population = population
        self.waves = lru_cache(maxsize=64)(self._waves)
        self.party = lru_cache(maxsize=128)(self._party)
        self.chatters = lru_cache(maxsize=128)(self._chatters)
        self.chatter_logins = lru_cache(maxsize=64)(self._chatter_logins)

    # -- bots --------------------------------------------------------------------------------

    def lurkers(self, c: int) -> tuple[int, ...]:
        """Lurker bots in this channel; each sits in half to nearly all of all channels, day and night."""
        found = []
        for j in range(len(words.LURKERS)):
            coverage = 0.5 + 0.48 * chance.unit(self._seed, "lurker", j)
            if chance.unit(self._seed, "lurks", j, c) < coverage:
                found.append(users.LURKER_BASE + j)
        return tuple(found)

    def service_bots(self, c: int) -> tuple[int, ...]:
        """Bots that answer commands here; the first one is in every channel of some size."""
        count = len(words.SERVICE_BOTS)
        main = int(chance.unit(self._seed, "service", c) * count)
        second = int(chance.unit(self._seed, "service2", c) * count * 2)
        chosen = {main} if self._channels[c].usual_viewers > 40 or c < 3 else set()
        return tuple(users.SERVICE_BASE + j for j in sorted(chosen | ({second} if second < count else set())))

    def _waves(self, epoch: int) -> tuple[Wave, ...]:
        """The waves of four weeks; one of them always sits in the first channel."""
        waves = []
        for w in range(max(1, min(_WAVES_AN_EPOCH, len(self._channels) // 10))):
            random = chance.dice(self._seed, "wave", epoch, w)
            c = 0 if w == 0 else random.randrange(len(self._channels))
            size = self._channels[c].usual_viewers * random.uniform(0.05, 0.16)
            first_day = (int(epoch * EPOCH_S - random.uniform(12, 320) * DAY_S)) // DAY_S * DAY_S
            wave = Wave(
                number=epoch * _WAVES_AN_EPOCH + w,
                channel=c,
                count=int(max(24, min(600, size))),
                first_day_s=first_day,
                day_count=random.choice((1, 1, 2, 3)),
                style=random.randrange(3),
            )
            self._population.add_wave(wave.number, wave.count, wave.first_day_s, wave.day_count, wave.style)
            waves.append(wave)
        return tuple(waves)

    def wave_people(self, c: int, t: float) -> list[int]:
        """Accounts of cohorts that are in this channel: they come together, ten minutes in, and stay."""
        session = self._schedule.session_at(c, t)
        if session is None:
            return []
        found: list[int] = []
        for wave in self.waves(int(t // EPOCH_S)):
            if wave.channel != c:
                continue
            for person in wave.people:
                joins = (
                    session.started_s + 600 + 90 * chance.unit(self._seed, "joins", person, session.started_s)
                )
                if joins < t and chance.unit(self._seed, "sits", person, session.started_s) < 0.92:
                    found.append(person)
        return found

    # -- raids -------------------------------------------------------------------------------

    def _party(self, raid: Raid) -> tuple[Index, NDArray[np.float64]]:
        """The logged-in people of a raid and when each of them leaves (Unix time)."""
        salt = chance.number(self._seed, "party", raid.target, raid.at_s)
        wanted = max(1, round(raid.viewer_count * 0.55))
        if raid.source is not None:
            people, _ = self._schedule.present(raid.source, int(raid.at_s // 60) - 1)
        else:
            community = self._channels[raid.target].community.index
            first, size = self._population.pool(community)
            random = np.random.default_rng(salt)
            people = np.unique(first + (size * random.random(wanted * 3)).astype(np.int64))
            people = people[self._population.created(people) < raid.at_s - DAY_S]
        order = np.argsort(chance.units(people, salt))[:wanted]
        people = people[np.sort(order)]
        stay = chance.units(people, salt + 1)
        leaves = np.where(stay < 0.3, np.inf, raid.at_s - np.log(chance.units(people, salt + 2)) * 840)
        return people, leaves

    def raiders(self, c: int, t: float) -> Index:
        """People of raids of the last three hours who are still here."""
        found = []
        for raid in self._schedule.raids(c, t - RAID_LASTS_S, t):
            people, leaves = self.party(raid)
            found.append(people[leaves > t])
        return np.unique(np.concatenate(found)) if found else np.array([], dtype=np.int64)

    # -- all ---------------------------------------------------------------------------------

    def _chatters(self, c: int, minute: int) -> Index:
        """Everybody connected to chat in this minute (what Get Chatters lists), by number."""
        t = minute * 60 + 30
        people, _ = self._schedule.present(c, minute)
        others = [*self.lurkers(c), *self.service_bots(c), *self.wave_people(c, t)]
        if self._schedule.session_at(c, t):
            others.append(users.CHANNEL_BASE + c)
        others = [index for index in others if self._population.user(index).created_s < t]
        return np.unique(np.concatenate([people, self.raiders(c, t), np.array(others, dtype=np.int64)]))

    def _chatter_logins(self, c: int, minute: int) -> frozenset[str]:
        """The same as logins, for the JOIN and PART lists of small rooms."""
        t = minute * 60 + 30
        return frozenset(self._population.at(int(index), t).login for index in self.chatters(c, minute))
