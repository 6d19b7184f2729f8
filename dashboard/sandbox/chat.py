"""Chat as it is written: minute by minute, each minute a function of the seed and its number."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import lru_cache

import numpy as np

from dashboard.sandbox import chance, talk
from dashboard.sandbox.audience import Audience
from dashboard.sandbox.minute import CHUNK_S, Minute
from dashboard.sandbox.notices import Notices
from dashboard.sandbox.pen import Pen
from dashboard.sandbox.people import Standings
from dashboard.sandbox.plan import Planner
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import Raid, Schedule
from dashboard.sandbox.users import Population, User
from dashboard.sandbox.wire import Line


class Chat:
    """Writes the lines of every channel."""

    def __init__(
        self,
        seed: int,
        channels: tuple[Channel, ...],
        schedule: Schedule,
        planner: Planner,
        audience: Audience,
        population: Population,
        standings: Standings,
    ) -> None:
        self._seed = seed
        self._channels = channels
        self._schedule = schedule
        self._planner = planner
        self._audience = audience
        self._population = population
        self._pen = Pen(seed, audience, population, standings)
        self._notices = Notices(seed, self._pen)
        self._phases = [chance.number(seed, "minute", c) % CHUNK_S for c in range(len(channels))]
        self.minute_lines = lru_cache(maxsize=64)(self._minute_lines)

    @property
    def population(self) -> Population:
        """Everybody there is."""
        return self._population

    def minute_number(self, c: int, t: float) -> int:
        """Which minute of a channel a time is in (channels' minutes begin at different seconds)."""
        return int((t - self._phases[c]) // CHUNK_S)

    def minute_start(self, c: int, key: int) -> int:
        """When a minute of a channel begins (Unix time)."""
        return key * CHUNK_S + self._phases[c]

    def own_lines(self, c: int, start: float, end: float) -> list[Line]:
        """Lines written in this channel with ``start <= at_s < end``, in order."""
        found: list[Line] = []
        for key in range(self.minute_number(c, start), self.minute_number(c, end) + 1):
            lines = self.minute_lines(c, key)
            low = bisect_left(lines, start, key=lambda line: line.at_s)
            high = bisect_left(lines, end, key=lambda line: line.at_s)
            found += lines[low:high]
        return found

    def rate_per_s(self, c: int, t: float) -> float:
        """Messages a second to be expected without hype, raids and bursts."""
        channel = self._channels[c]
        viewers = self._schedule.viewers(c, t)
        if viewers == 0:
            return 0.0004 * channel.usual_viewers**0.5
        swell = 0.22 * chance.smooth(self._seed, t, 420, "swell", c) + 0.1 * chance.smooth(
            self._seed, t, 75, "swell2", c
        )
        return channel.talk * 0.2 * viewers**0.8 / 60 * (1 + swell)

    def _minute_lines(self, c: int, key: int) -> list[Line]:
        minute = self._open(c, key)
        calm = self.rate_per_s(c, minute.start_s + 30)
        for s in range(minute.start_s, minute.start_s + CHUNK_S):
            count = chance.poisson(minute.random, calm * self._boost(minute, s))
            for at in sorted(s + minute.random.random() for _ in range(count)):
                self._somebody_writes(minute, at)
        if minute.plan:
            end = minute.start_s + CHUNK_S
            for happening in minute.plan.happenings:
                if minute.start_s <= happening.at_s < end:
                    self._notices.write(minute, happening)
            self._notices.write_modes(minute)
        for raid, party in minute.raids:
            if minute.start_s <= raid.at_s < minute.start_s + CHUNK_S:
                self._notices.write_raid(minute, raid, len(party))
        for line in minute.written:
            line.at_s = minute.clamp(line.at_s)
        return sorted(minute.written, key=lambda line: line.at_s)

    def _open(self, c: int, key: int) -> Minute:
        start = self.minute_start(c, key)
        session = self._schedule.session_at(c, start + 30)
        plan = self._planner.plan(session) if session else None
        people, talk = self._schedule.present(c, start // 60)
        talkers = talk > 0
        weights = talk[talkers]
        raids = [
            (raid, [self._population.user(int(i)) for i in self._party_now(raid, start)])
            for raid in self._schedule.raids(c, start - 2400, start + CHUNK_S)
        ]
        hypes = [h for h in plan.hypes if abs(h.peak_at_s - start - 30) < 90] if plan else []
        bursts = [b for b in plan.bursts if -60 < start - b.at_s + 60 < b.length_s + 120] if plan else []
        return Minute(
            channel=self._channels[c],
            start_s=start,
            session=session,
            plan=plan,
            random=chance.dice(self._seed, "minute", c, key),
            known=[self._population.user(int(i)) for i in people[talkers]],
            calm_sum=np.cumsum(weights),
            excited_sum=np.cumsum(np.sqrt(weights)),
            raids=raids,
            hypes=hypes,
            bursts=bursts,
            bombs=[h for h in plan.happenings if h.kind == "bomb" and -25 < h.at_s - start < CHUNK_S]
            if plan
            else [],
            key=key,
        )

    def _party_now(self, raid: Raid, t: float) -> list[int]:
        people, leaves = self._audience.party(raid)
        return [int(i) for i in people[leaves > t]]

    def _boost(self, minute: Minute, t: float) -> float:
        """What multiplies the calm rate in this second: hype, bursts, raids, big gifts."""
        factor = max((hype.boost(t) for hype in minute.hypes), default=1.0)
        factor *= max((burst.factor for burst in minute.bursts if burst.is_on(t)), default=1.0)
        for raid, _ in minute.raids:
            age = t - raid.at_s
            if age > 0:
                weight = min(1.6, 2.2 * raid.viewer_count / max(30.0, minute.channel.usual_viewers))
                factor *= 1 + weight * math.exp(-age / 75)
        for bomb in minute.bombs:
            if 0 < t - bomb.at_s < 20:
                factor *= 1 + min(1.2, bomb.amount / 12)
        return factor

    # -- one message -------------------------------------------------------------------------

    def _somebody_writes(self, minute: Minute, at: float) -> None:
        random = minute.random
        hype = next((h for h in minute.hypes if h.boost(at) > 1.4), None)
        burst = next((b for b in minute.bursts if b.is_on(at)), None)
        author, is_first = self._author(minute, at, hype is not None or burst is not None)
        if author is None:
            return
        tags: dict[str, str] = {}
        if burst and random.random() < burst.share:
            text = burst.text
        elif hype and random.random() < 0.85:
            text = talk.hype_text(minute, hype)
        elif thanks := talk.answer_to_news(minute, self._population, at):
            text = thanks
        else:
            text = talk.calm_text(minute, self._seed, at, tags)
        self._pen.say(minute, at, author, text, tags, is_first=is_first)

    def _author(self, minute: Minute, at: float, is_excited: bool) -> tuple[User | None, bool]:
        random = minute.random
        for raid, party in minute.raids:
            age = at - raid.at_s
            share = 1.4 * len(party) / (len(minute.known) * 2 + len(party) + 1)
            if age > 2 and party and random.random() < share * (0.35 + 0.65 * math.exp(-age / 240)):
                return random.choice(party), age < 1200 and random.random() < 0.4
        if random.random() < 0.015 and (newcomer := self._newcomer(minute)):
            return newcomer, True
        sums = minute.excited_sum if is_excited else minute.calm_sum
        if not len(sums):
            return None, False
        return minute.known[int(np.searchsorted(sums, random.random() * sums[-1], side="right"))], False

    def _newcomer(self, minute: Minute) -> User | None:
        """Somebody who was never here: not among the channel's people."""
        first, size = self._population.pool(minute.channel.community.index)
        person = first + minute.random.randrange(size)
        people, _, _ = self._schedule.members(minute.channel.index)
        k = int(np.searchsorted(people, person))
        user = self._population.user(person)
        if (k < len(people) and people[k] == person) or user.created_s > minute.start_s:
            return None
        return user
