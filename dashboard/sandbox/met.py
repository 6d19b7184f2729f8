"""Whom an anonymous listener meets in a chat: those who write, and the list of names of smaller rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.sandbox.world import World

NAMES_BELOW = 1000
"""As on Twitch: larger rooms send no list of names."""


@dataclass(slots=True)
class Met:
    """Somebody met in a chat. ``user_id`` is known of those who wrote."""

    login: str
    user_id: str | None
    message_count: int
    first_s: float
    last_s: float


def met(world: World, login: str, start: float, end: float) -> list[Met]:
    """The people that somebody meets who listens to a chat for a while.

    Args:
        world: Of which world.
        login: The channel.
        start: Unix time at which they join.
        end: Unix time at which they leave.

    Returns:
        Each once: what the chat server sends to an anonymous client between the two.
    """
    channel = world.channel(login)
    found: dict[str, Met] = {}
    if channel is None:
        return []
    for minute in range(int(start // 60) - 1, int(end // 60)):
        if len(world.audience.chatters(channel.index, minute)) < NAMES_BELOW:
            at = max(start, minute * 60.0 + 60)
            for name in sorted(world.audience.chatter_logins(channel.index, minute)):
                found.setdefault(name, Met(name, None, 0, at, at)).last_s = at
    for line in world.lines(login, start, end):
        is_mirrored = line.tags.get("source-room-id", channel.user_id) != channel.user_id
        if line.command == "PRIVMSG" and not is_mirrored and line.user is not None:
            user = world.population.user(line.user)
            person = found.setdefault(user.login, Met(user.login, None, 0, line.at_s, line.at_s))
            person.user_id = user.user_id
            person.message_count += 1
            person.last_s = max(person.last_s, line.at_s)
    return list(found.values())
