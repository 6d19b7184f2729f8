"""Who is live when, how many watch, and who of them is in chat."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dashboard.sandbox import chance, users
from dashboard.sandbox.scene import Channel, Game, usual_titles
from dashboard.sandbox.users import Index, Population

DAY_S = 86_400
_HOME_SESSION_S = 9 * 3600
_GROWTH_FROM_S = 1_735_689_600  # 2025-01-01; channels have their usual size then
_CHURN_S = 2400
RAID_LASTS_S = 10_800


@dataclass(frozen=True, slots=True)
class Session:
    """One stream of one channel. ``segments`` are (from when, which game), oldest first."""

    channel: int
    stream_id: str
    started_s: int
    ended_s: int
    title: str
    segments: tuple[tuple[int, Game], ...]

    def game_at(self, t: float) -> Game:
        """What is played at this time."""
        return next(game for at, game in reversed(self.segments) if at <= t or at == self.segments[0][0])


@dataclass(frozen=True, slots=True)
class Raid:
    """One raid: who came, from where, with how many."""

    at_s: float
    target: int
    raider: int
    """Person's number."""
    source: int | None
    """The channel that ended; ``None`` for a streamer from outside this world."""
    viewer_count: int


class Schedule:
    """The clockwork of streams and audiences; everything in it is a function of time."""

    def __init__(self, seed: int, channels: tuple[Channel, ...], population: Population) -> None:
        self._seed = seed
        self._channels = channels
        self._population = population
        self._neighbours: dict[int, list[int]] = {}
        for channel in channels:
            self._neighbours.setdefault(channel.community.index, []).append(channel.index)
        count = len(channels)
        self.sessions_of_day = lru_cache(maxsize=max(16_384, 8 * count))(self._sessions_of_day)
        self.members = lru_cache(maxsize=256)(self._members)
        self.present = lru_cache(maxsize=128)(self._present)
        self.outside_raids = lru_cache(maxsize=max(4096, 6 * count))(self._outside_raids)
        self._community_raids = lru_cache(maxsize=4096)(self._find_community_raids)

    # -- streams -----------------------------------------------------------------------------

    def session_at(self, c: int, t: float) -> Session | None:
        """The stream that is on at this time, if any."""
        day = int(t // DAY_S)
        for d in (day, day - 1, day + 1):
            for session in self.sessions_of_day(c, d):
                if session.started_s <= t < session.ended_s:
                    return session
        return None

    def sessions_between(self, c: int, start: float, end: float) -> list[Session]:
        """All streams that touch the stretch, oldest first."""
        days = range(int(start // DAY_S) - 1, int(end // DAY_S) + 2)
        found = [
            s for d in days for s in self.sessions_of_day(c, d) if s.ended_s > start and s.started_s < end
        ]
        return sorted(found, key=lambda session: session.started_s)

    def _sessions_of_day(self, c: int, day: int) -> tuple[Session, ...]:
        channel = self._channels[c]
        if channel.is_always_live:
            return self._endless(channel, day)
        random = chance.dice(self._seed, "day", c, day)
        # 1970-01-01 was a Thursday.
        if (day + 3) % 7 in channel.days_off or random.random() < 0.04:
            return ()
        local = channel.start_hour + random.gauss(0, 0.4)
        start = int(day * DAY_S + (local - channel.community.utc_offset_h) * 3600)
        length = min(11.0, channel.length_h * random.lognormvariate(0, 0.2))
        return (self._session(channel, start, start + int(length * 3600)),)

    def _endless(self, channel: Channel, day: int) -> tuple[Session, ...]:
        """Stream after stream without a pause, so that there always is something to see."""
        phase = chance.number(self._seed, "phase", channel.index) % _HOME_SESSION_S
        first = math.ceil((day * DAY_S - phase) / _HOME_SESSION_S)
        last = math.ceil(((day + 1) * DAY_S - phase) / _HOME_SESSION_S)
        starts = [phase + k * _HOME_SESSION_S for k in range(first, last)]
        return tuple(self._session(channel, start, start + _HOME_SESSION_S) for start in starts)

    def _session(self, channel: Channel, start: int, end: int) -> Session:
        random = chance.dice(self._seed, "session", channel.index, start)
        games = list(channel.community.games)
        first = games[0] if random.random() < 0.7 else random.choice(games)
        segments = [(start, first)]
        at = start
        while random.random() < 0.6 and len(games) > 1:
            at += int(random.uniform(0.2, 0.6) * (end - start))
            if at > end - 1200:
                break
            segments.append((at, random.choice([game for game in games if game != segments[-1][1]])))
        number = (start - 1_700_000_000) // DAY_S
        pattern = channel.title if random.random() < 0.7 else random.choice(usual_titles(channel.language))
        return Session(
            channel=channel.index,
            stream_id=str(320_000_000_000 + start % 10**8 * 5000 + channel.index),
            started_s=start,
            ended_s=end,
            title=pattern.format(n=number % 40 + 3) if channel.index else f"no-hit attempt {number % 40 + 3}",
            segments=tuple(segments),
        )

    # -- viewers -----------------------------------------------------------------------------

    def viewers(self, c: int, t: float) -> int:
        """How many watch at this time (0 when offline)."""
        session = self.session_at(c, t)
        if session is None:
            return 0
        calm = self._calm_viewers(c, session, t)
        return max(
            1, round(calm + sum(self._raid_rest(raid, t) for raid in self.raids(c, t - RAID_LASTS_S, t)))
        )

    def _calm_viewers(self, c: int, session: Session, t: float) -> float:
        """Viewers without raids: size, growth, hour, warm-up, and three scales of smooth noise."""
        channel = self._channels[c]
        hour = (t / 3600 + channel.community.utc_offset_h) % 24
        day = 1 + 0.22 * math.cos((hour - 20.5) / 24 * 2 * math.pi)
        growth = math.exp(channel.growth_per_year * max(-2.0, min(3.0, (t - _GROWTH_FROM_S) / (365 * DAY_S))))
        age = t - session.started_s
        warm = 0.45 + 0.55 * (1 - math.exp(-age / 1800))
        if session.started_s and not channel.is_always_live:
            warm *= 1 - 0.25 * math.exp(-(session.ended_s - t) / 1500)
        noise = (
            0.16 * chance.smooth(self._seed, t, 3 * 3600, "viewers", c)
            + 0.06 * chance.smooth(self._seed, t, 1260, "viewers2", c)
            + 0.02 * chance.smooth(self._seed, t, 130, "viewers3", c)
        )
        mood = 0.85 + 0.3 * chance.unit(self._seed, "mood", c, session.started_s)
        return channel.usual_viewers * day * growth * warm * mood * (1 + noise)

    @staticmethod
    def _raid_rest(raid: Raid, t: float) -> float:
        """How many of a raid still watch."""
        age = t - raid.at_s
        fade = min(1.0, max(0.0, (RAID_LASTS_S - age) / 3600))
        return (
            fade
            * raid.viewer_count
            * min(1.0, age / 25)
            * (0.22 + 0.78 * math.exp(-max(0.0, age - 25) / 900))
        )

    # -- raids -------------------------------------------------------------------------------

    def raids(self, c: int, start: float, end: float) -> list[Raid]:
        """Raids that arrive at this channel in the stretch, oldest first."""
        found: list[Raid] = []
        for block in range(int(start // 3600), int(end // 3600) + 1):
            found += self.outside_raids(c, block)
            found += self.raids_from_neighbours(c, block)
        return sorted((raid for raid in found if start < raid.at_s <= end), key=lambda raid: raid.at_s)

    def _outside_raids(self, c: int, block: int) -> tuple[Raid, ...]:
        """Raids by streamers that this world has no channel of, about one in 80 minutes at home."""
        channel = self._channels[c]
        random = chance.dice(self._seed, "outside raids", c, block)
        mean = 0.75 if channel.is_home else min(0.5, channel.usual_viewers / 2500)
        raids = []
        for _ in range(chance.poisson(random, mean)):
            at = block * 3600 + random.uniform(0, 3600)
            first, size = self._population.pool(channel.community.index)
            raider = first + int(size * random.random() ** 1.7)
            count = round(
                min(
                    channel.usual_viewers * 0.35,
                    random.lognormvariate(math.log(channel.usual_viewers / 11), 0.8),
                )
            )
            if self.session_at(c, at) and self._is_born(raider, at):
                raids.append(Raid(at, c, raider, None, max(2, count)))
        return tuple(raids)

    def _is_born(self, index: int, t: float) -> bool:
        return self._population.user(index).created_s < t - 7 * DAY_S

    def raids_from_neighbours(self, c: int, block: int) -> tuple[Raid, ...]:
        """Raids by channels of the same community whose stream ends in this hour."""
        return self._community_raids(self._channels[c].community.index, block).get(c, ())

    def _find_community_raids(self, community: int, block: int) -> dict[int, tuple[Raid, ...]]:
        """All raids within a community in an hour, by target: looked up once for all of them."""
        found: dict[int, tuple[Raid, ...]] = {}
        for other in self._neighbours[community]:
            if self._channels[other].is_always_live:
                continue
            for session in self.sessions_between(other, block * 3600, (block + 1) * 3600 + 1):
                at = session.ended_s + 4
                if at // 3600 != block:
                    continue
                target = self.raid_target(session)
                if target is None:
                    continue
                share = 0.35 + 0.4 * chance.unit(self._seed, "raid share", other, session.ended_s)
                count = round(self._calm_viewers(other, session, session.ended_s - 1) * share)
                raid = Raid(at, target, users.CHANNEL_BASE + other, other, max(2, count))
                found[target] = (*found.get(target, ()), raid)
        return found

    def raid_target(self, session: Session) -> int | None:
        """The channel that a stream raids at its end, if it raids."""
        random = chance.dice(self._seed, "raid", session.channel, session.ended_s)
        if random.random() < 0.25:
            return None
        community = self._channels[session.channel].community.index
        live = [
            other
            for other in self._neighbours[community]
            if other != session.channel and self.session_at(other, session.ended_s + 60)
        ]
        return random.choice(live) if live else None

    # -- who is there ------------------------------------------------------------------------

    def _members(self, c: int) -> tuple[Index, NDArray[np.float64], NDArray[np.float64]]:
        """Everybody who ever comes: their numbers, how often they come, how much they talk.

        Six in ten are of the channel's own community, the others of its language and of anywhere;
        the same people come first in every draw, so channels of a community share their regulars.
        """
        channel = self._channels[c]
        random = np.random.default_rng(chance.number(self._seed, "members", c))
        own = channel.community.index
        speakers = [
            g
            for g in {ch.community.index: ch for ch in self._channels}
            if self._language(g) == channel.language
        ]
        places = random.random(channel.member_count)
        homes = np.where(
            places < 0.66,
            own,
            np.where(
                places < 0.92, random.choice(speakers, channel.member_count), self._anywhere(random, channel)
            ),
        )
        pools = np.array([self._population.pool(int(g)) for g in range(homes.max() + 1)])
        drawn = pools[homes, 0] + (pools[homes, 1] * random.random(channel.member_count) ** 1.6).astype(
            np.int64
        )
        people = np.unique(drawn)
        keys = chance.number(self._seed, "habits", c)
        often = 0.05 + chance.units(people, keys) ** 2
        tongue = chance.units(people, keys + 1)
        talk = np.where(tongue < 0.5, 0.0, np.minimum(60.0, (2 * (1 - np.clip(tongue, 0.5, 0.9999))) ** -0.8))
        return people, often, talk

    def _language(self, community: int) -> str:
        return self._channels[self._neighbours[community][0]].language

    def _anywhere(self, random: np.random.Generator, channel: Channel) -> NDArray[np.int64]:
        weights = np.array(
            [self._population.pool(g)[1] for g in range(max(self._neighbours) + 1)], dtype=float
        )
        return random.choice(len(weights), channel.member_count, p=weights / weights.sum())

    def _present(self, c: int, minute: int) -> tuple[Index, NDArray[np.float64]]:
        """Who of the members is in chat in this minute, and how much each talks now.

        Everybody has a rank that changes every 40 minutes for half of them; as many of the first
        ranks as fit the viewer count are there. So people come and go, and the count fits.
        """
        t = minute * 60 + 30
        people, often, talk = self.members(c)
        born = self._population.created(people) < t
        raided = sum(self._raid_rest(raid, t) for raid in self.raids(c, t - RAID_LASTS_S, t))
        wanted = min(len(people), max(0, round((self.viewers(c, t) - raided) * 0.62)))
        session = self.session_at(c, t)
        if session is None:
            wanted = max(3, round(len(people) * 0.01))
        salt = chance.number(self._seed, "presence", c, session.started_s if session else t // DAY_S)
        stable = chance.units(people, salt)
        phase = (chance.units(people, salt + 1) * _CHURN_S).astype(np.int64)
        block = (int(t) + phase) // _CHURN_S
        fresh = chance.units(people * 1_000_003 + block, salt + 2)
        restless = chance.units(people, salt + 3) < 0.5
        rank = -np.log(np.where(restless, fresh, stable)) / often
        rank[~born] = np.inf
        wanted = min(wanted, int(born.sum()))
        chosen = np.argpartition(rank, wanted - 1)[:wanted] if wanted else np.array([], dtype=np.int64)
        chosen.sort()
        mood_block = (int(t) + phase[chosen]) // 700
        chatty = chance.units(people[chosen] * 1_000_003 + mood_block, salt + 4) < 0.22
        return people[chosen], talk[chosen] * np.where(chatty, 1.0, 0.09)
