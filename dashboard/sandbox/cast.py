"""People worth logging in as: owners, a moderator of two channels, somebody who only watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.sandbox import users
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import Schedule
from dashboard.sandbox.users import Population, User

if TYPE_CHECKING:
    from dashboard.sandbox.world import World

_OLD_S = 1_577_836_800.0  # 2020-01-01: accounts older than that are in every world that is asked for


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody, and what they are here."""

    user: User
    what: str


def helper(channels: tuple[Channel, ...], schedule: Schedule, population: Population) -> int | None:
    """The person who moderates both the first and the third channel.

    Chance alone gives hardly anybody two channels to moderate, and what a moderator of several
    sees is to be tried out too.

    Returns:
        Their number; ``None`` in worlds that are too small.
    """
    if len(channels) < 3:
        return None
    one, often_one, _ = schedule.members(0)
    two, often_two, _ = schedule.members(2)
    both, at_one, at_two = np.intersect1d(one, two, return_indices=True)
    is_old = population.created(both) < _OLD_S
    if not is_old.any():
        return None
    faithful = np.where(is_old, often_one[at_one] + often_two[at_two], 0)
    return int(both[int(np.argmax(faithful))])


def cast(world: World, now_s: float) -> list[Role]:
    """The people that the login page offers first.

    Args:
        world: Of which world.
        now_s: Unix time.

    Returns:
        Owners of the home channels, the moderator of two, a viewer, and owners of other channels.
    """
    person = world.population.user
    roles = [
        Role(person(users.CHANNEL_BASE + channel.index), f"owns {channel.display_name}, always live")
        for channel in world.home
    ]
    if world.helper is not None:
        names = " and ".join(world.channels[c].display_name for c in (0, 2))
        roles.append(Role(person(world.helper), f"moderates {names}"))
    viewer = _viewer(world, now_s)
    if viewer is not None:
        roles.append(Role(viewer, f"only watches, mostly {world.channels[0].display_name}"))
    others = world.channels[len(world.home) : len(world.home) + 3]
    return roles + [
        Role(person(users.CHANNEL_BASE + channel.index), f"owns {channel.display_name}") for channel in others
    ]


def _viewer(world: World, now_s: float) -> User | None:
    """A member of the first channel who moderates nothing and pays for nothing."""
    people, often, _ = world.schedule.members(0)
    for place in np.argsort(-often)[:200]:
        user = world.population.user(int(people[place]))
        standing = world.standings.of(user, world.channels[0], now_s)
        is_plain = not (standing.is_mod or standing.is_vip or standing.months)
        if is_plain and user.created_s < _OLD_S and user.index != world.helper:
            return user
    return None
