"""What a stream has in store besides talk: hype moments, subs, gifts, cheers, raids, moderation.

A plan is a function of the stream. It is the ground truth as well: detectors are scored on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from dashboard.sandbox import chance, phrases
from dashboard.sandbox.people import Standings
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import Schedule, Session
from dashboard.sandbox.users import Population

HYPE_SLOT_S = 540
TIERS = ("Prime", "1000", "2000", "3000")
BIT_SIZES = (1, 10, 50, 100, 100, 200, 300, 500, 1000, 2500)


@dataclass(frozen=True, slots=True)
class Hype:
    """A moment when chat erupts, and the thing in the game that made it."""

    event_at_s: float
    """When it happened on stream; chat follows with its lag."""
    peak_at_s: float
    """The middle of the eruption, 20 to 25 s later."""
    width_s: float
    factor: float
    """How many times the usual velocity at the peak."""
    flavour: str

    def boost(self, t: float) -> float:
        """By how much the velocity is multiplied at this time."""
        away = abs(t - self.peak_at_s) / (self.width_s / 2)
        if away >= 1.8:
            return 1.0
        # Flat on top, steep at the sides.
        return 1 + (self.factor - 1) / (1 + math.exp((away - 1.05) * 9))


@dataclass(frozen=True, slots=True)
class Burst:
    """Many messages that mean nothing: a copied text or a command that everybody types."""

    at_s: float
    length_s: float
    text: str
    share: float
    factor: float

    def is_on(self, t: float) -> bool:
        """Whether it is going on at this time."""
        return self.at_s <= t < self.at_s + self.length_s


@dataclass(frozen=True, slots=True)
class Happening:
    """One planned event. ``user`` is a person's number, or ``None`` for an anonymous giver."""

    at_s: float
    kind: str
    user: int | None
    amount: int = 0
    tier: str = "1000"
    others: tuple[int, ...] = ()
    key: int = 0


@dataclass(frozen=True, slots=True)
class Mode:
    """A room setting that holds for a while."""

    start_s: float
    end_s: float
    tag: str
    value: int


@dataclass(slots=True)
class Plan:
    """Everything planned for one stream."""

    session: Session
    hypes: tuple[Hype, ...] = ()
    bursts: tuple[Burst, ...] = ()
    happenings: list[Happening] = field(default_factory=list)
    modes: tuple[Mode, ...] = ()
    new_subs: dict[int, tuple[float, str]] = field(default_factory=dict)
    """Who subscribes in this stream (or is given a sub): since when, at which tier."""


class Planner:
    """Makes the plans of all streams."""

    def __init__(
        self,
        seed: int,
        channels: tuple[Channel, ...],
        schedule: Schedule,
        population: Population,
        standings: Standings,
    ) -> None:
        self._standings = standings
        self._seed = seed
        self._channels = channels
        self._schedule = schedule
        self._population = population
        self.plan = lru_cache(maxsize=1024)(self._plan)
        self.hypes = lru_cache(maxsize=4096)(self._hypes)

    def _plan(self, session: Session) -> Plan:
        plan = Plan(session)
        plan.hypes = self.hypes(session)
        plan.bursts = self._bursts(session)
        plan.modes = self._modes(session)
        self._money(plan)
        self._small_things(plan)
        plan.happenings.sort(key=lambda happening: happening.at_s)
        return plan

    def usual_viewers(self, session: Session) -> float:
        """A size that all of the stream's rates hang on."""
        return self._channels[session.channel].usual_viewers

    def _hypes(self, session: Session) -> tuple[Hype, ...]:
        """One in each nine minutes in a busy channel, rarer in a small one; never in the first five."""
        chance_of_one = min(0.94, 0.25 + self.usual_viewers(session) / 700)
        hypes = []
        for k, start in enumerate(range(session.started_s + 300, session.ended_s - 120, HYPE_SLOT_S)):
            random = chance.dice(self._seed, "hype", session.channel, session.started_s, k)
            if random.random() > chance_of_one:
                continue
            event = start + HYPE_SLOT_S / 2 + random.uniform(-90, 90)
            peak = event + random.uniform(20, 25)
            if peak > session.ended_s - 60:
                continue
            flavour = random.choice(sorted(phrases.HYPE))
            hypes.append(Hype(event, peak, random.uniform(20, 40), random.uniform(3.2, 7.8), flavour))
        return tuple(hypes)

    def _bursts(self, session: Session) -> tuple[Burst, ...]:
        bursts = []
        for k, start in enumerate(range(session.started_s + 600, session.ended_s - 300, 1500)):
            random = chance.dice(self._seed, "burst", session.channel, session.started_s, k)
            if self.usual_viewers(session) < 80 or random.random() > 0.55:
                continue
            at = start + random.uniform(0, 1200)
            if at > session.ended_s - 90:
                continue
            if random.random() < 0.7:
                text = random.choice(phrases.COPYPASTA)
                bursts.append(Burst(at, random.uniform(25, 50), text, 0.4, random.uniform(1.2, 1.9)))
            else:
                bursts.append(Burst(at, random.uniform(25, 45), "!enter", 0.7, random.uniform(2.0, 3.5)))
        return tuple(bursts)

    def _modes(self, session: Session) -> tuple[Mode, ...]:
        modes = []
        for k, start in enumerate(range(session.started_s + 900, session.ended_s - 1500, 5400)):
            random = chance.dice(self._seed, "mode", session.channel, session.started_s, k)
            if random.random() < 0.45:
                tag, value = random.choice(
                    (("slow", 5), ("slow", 30), ("followers-only", 10), ("emote-only", 1))
                )
                at = start + random.uniform(0, 3000)
                until = at + random.uniform(60, 900)
                if until < session.ended_s - 60:
                    modes.append(Mode(at, until, tag, value))
        return tuple(modes)

    def _money(self, plan: Plan) -> None:
        """Subs, gifts, bombs, cheers and pay-forwards, by the size of the audience."""
        size = self.usual_viewers(plan.session) ** 0.85
        for kind, per_hour in (
            ("resub", size * 0.028),
            ("sub", size * 0.014),
            ("subgift", size * 0.006),
            ("bomb", min(3.0, size * 0.0035)),
            ("cheer", size * 0.022),
            ("giftpaidupgrade", size * 0.0012),
            ("primepaidupgrade", size * 0.001),
            ("communitypayforward", size * 0.0008),
        ):
            for at, random, key in self._times(plan.session, kind, per_hour):
                self._pay(plan, kind, at, random, key)

    def _subscriber(self, session: Session, random: Random, at: float, is_one: bool) -> int:
        """Somebody who has subscribed for some months, or nobody's subscriber, if one is to be found."""
        channel = self._channels[session.channel]
        for _ in range(40):
            person = self._regular(session, random)
            months = self._standings.of(self._population.user(person), channel, at).months
            if (months > 1) if is_one else (months == 0):
                break
        return person

    def _pay(self, plan: Plan, kind: str, at: float, random: Random, key: int) -> None:
        user: int | None = self._regular(plan.session, random)
        if kind in ("resub", "giftpaidupgrade", "primepaidupgrade"):
            user = self._subscriber(plan.session, random, at, is_one=True)
        tier = random.choices(TIERS, (0.3, 0.6, 0.06, 0.04))[0]
        amount = 0
        others: tuple[int, ...] = ()
        if kind == "cheer":
            amount = random.choice(BIT_SIZES)
        elif kind == "sub":
            user = self._subscriber(plan.session, random, at, is_one=False)
            plan.new_subs[user] = at, tier
        elif kind in ("subgift", "bomb"):
            tier = "1000" if tier == "Prime" else tier
            amount = (
                random.choices((1, 5, 10, 20, 50), (0.2, 0.45, 0.2, 0.1, 0.05))[0] if kind == "bomb" else 1
            )
            found = {self._subscriber(plan.session, random, at, is_one=False): None for _ in range(amount)}
            others = tuple(person for person in found if person != user)
            amount = len(others)
            if not others:
                return
            for k, other in enumerate(others):
                plan.new_subs.setdefault(other, (at + k * 0.05, tier))
            user = None if random.random() < 0.12 else user
        elif kind in ("giftpaidupgrade", "communitypayforward"):
            others = (self._regular(plan.session, random),)
        plan.happenings.append(Happening(at, kind, user, amount, tier, others, key))

    def _small_things(self, plan: Plan) -> None:
        """Announcements, watch streaks, bits badges, moderation, bot timers."""
        size = self.usual_viewers(plan.session) ** 0.85
        for kind, per_hour in (
            ("announcement", 1.2),
            ("viewermilestone", size * 0.02),
            ("bitsbadgetier", size * 0.0015),
            ("timeout", size * 0.009),
            ("ban", size * 0.004),
            ("clearmsg", size * 0.007),
            ("timer", 3.0),
            ("clear", 0.08),
            ("modiversary", 0.05),
        ):
            for at, random, key in self._times(plan.session, kind, per_hour):
                user = self._regular(plan.session, random)
                amount = random.choice((3, 5, 7, 10, 15, 20)) if kind == "viewermilestone" else 0
                if kind == "bitsbadgetier":
                    amount = random.choice((100, 1000, 1000, 5000, 10_000))
                plan.happenings.append(Happening(at, kind, user, amount, key=key))

    def _times(self, session: Session, kind: str, per_hour: float) -> list[tuple[float, Random, int]]:
        """A Poisson process, hour by hour."""
        found = []
        for hour, start in enumerate(range(session.started_s, session.ended_s, 3600)):
            random = chance.dice(self._seed, kind, session.channel, session.started_s, hour)
            for k in range(chance.poisson(random, per_hour)):
                at = start + random.uniform(0, 3600)
                if session.started_s + 60 < at < session.ended_s - 30:
                    found.append((at, chance.dice(self._seed, kind, session.channel, at), hour * 1000 + k))
        return found

    def _regular(self, session: Session, random: Random) -> int:
        """Somebody who comes often, born by then."""
        people, often, _ = self._schedule.members(session.channel)
        for _ in range(60):
            k = int(random.random() * len(people))
            if often[k] > 0.3 and self._population.user(int(people[k])).created_s < session.started_s:
                return int(people[k])
        return int(people[0])
