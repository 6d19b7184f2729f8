"""Hype trains: they start by themselves where subs and bits come close together.

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/#channelhype_trainbegin-v2
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache

from dashboard.sandbox.plan import Happening, Planner
from dashboard.sandbox.schedule import Session

WINDOW_S = 300
COOLDOWN_S = 3600
_NEEDED = 3
_SUB_POINTS = {"Prime": 500, "1000": 500, "2000": 1000, "3000": 2500}
_SUBS = {"sub", "resub", "subgift", "bomb"}


@dataclass(frozen=True, slots=True)
class Contribution:
    """What somebody gave."""

    at_s: float
    person: int | None
    """``None`` for an anonymous giver."""
    kind: str
    points: int


@dataclass(frozen=True, slots=True)
class Step:
    """How a train stands after a contribution."""

    at_s: float
    level: int
    total: int
    progress: int
    goal: int
    expires_s: float
    top: tuple[tuple[int | None, str, int], ...]
    """The greatest giver of bits and of subs: (person, kind, points)."""


@dataclass(slots=True)
class Train:
    """One hype train."""

    started_s: float
    ended_s: float
    steps: list[Step] = field(default_factory=list)

    def at(self, t: float) -> Step | None:
        """How it stood at a time, if it was running."""
        if not self.started_s <= t < self.ended_s:
            return None
        return [step for step in self.steps if step.at_s <= t][-1]


class Trains:
    """All hype trains: a function of the plans.

    Args:
        planner: Knows who gives what when.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self.of = lru_cache(maxsize=512)(self._of)

    def _of(self, session: Session) -> tuple[Train, ...]:
        given = deque(filter(None, map(_contribution, self._planner.plan(session).happenings)))
        trains: list[Train] = []
        recent: list[Contribution] = []
        free_at = 0.0
        while given:
            item = given.popleft()
            recent = [c for c in recent if item.at_s - c.at_s < WINDOW_S] + [item]
            is_enough = len(recent) >= _NEEDED and len({c.person for c in recent}) >= 2
            if item.at_s >= free_at and is_enough:
                trains.append(_ride(recent, given, session.ended_s))
                free_at = trains[-1].ended_s + COOLDOWN_S
                recent = []
        return tuple(trains)


def _contribution(happening: Happening) -> Contribution | None:
    if happening.kind == "cheer" and happening.amount >= 100:
        return Contribution(happening.at_s, happening.user, "bits", happening.amount)
    if happening.kind in _SUBS:
        points = _SUB_POINTS[happening.tier] * max(1, happening.amount)
        return Contribution(happening.at_s, happening.user, "subscription", points)
    return None


def _ride(first: list[Contribution], given: deque[Contribution], end_s: float) -> Train:
    """A train from its first contributions to its end; takes from ``given`` what belongs to it."""
    train = Train(first[-1].at_s, end_s)
    level, total, below, goal = 1, 0, 0, 1600
    expires_s = min(end_s, first[-1].at_s + WINDOW_S)
    sums: dict[tuple[int | None, str], int] = {}
    waiting = deque(first)
    while waiting or (given and given[0].at_s < expires_s):
        item = waiting.popleft() if waiting else given.popleft()
        total += item.points
        sums[item.person, item.kind] = sums.get((item.person, item.kind), 0) + item.points
        while total - below >= goal:
            below += goal
            level, goal = level + 1, goal + 400
            expires_s = min(end_s, max(expires_s, item.at_s + WINDOW_S))
        at = max(item.at_s, train.started_s)
        train.steps.append(Step(at, level, total, total - below, goal, expires_s, _top(sums)))
    # What set it off is told as one beginning.
    train.steps = train.steps[len(first) - 1 :]
    train.ended_s = expires_s
    return train


def _top(sums: dict[tuple[int | None, str], int]) -> tuple[tuple[int | None, str, int], ...]:
    best: dict[str, tuple[int | None, str, int]] = {}
    for (person, kind), points in sums.items():
        if kind not in best or points > best[kind][2]:
            best[kind] = person, kind, points
    return tuple(sorted(best.values(), key=lambda item: -item[2]))
