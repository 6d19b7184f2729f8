"""The ground truth of EventSub: how often each type was told, channel by channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dashboard.sandbox.eventsub_tell import Teller
from dashboard.sandbox.eventsub_types import TYPES
from dashboard.sandbox.world import World

_NAMES = frozenset(name for name, _ in TYPES)
_LATEST = {name: max(version for other, version in TYPES if other == name) for name in _NAMES}
_FROM = "from_broadcaster_user_id"


def eventsub_counts(
    world: World, logins: Iterable[str], start: float, end: float
) -> dict[str, dict[str, int]]:
    """How many notifications a subscriber of everything gets.

    Args:
        world: Of which world.
        logins: Of which channels.
        start: Unix time, included.
        end: Unix time, not included.

    Returns:
        Channel → type → count; the latest version of each type only. A raid that leaves is
        ``channel.raid (from)``, one that arrives ``channel.raid``.

    Caveats:
        What clients themselves bring about is not in it: floods (:meth:`World.boost`), messages that
        were sent, authorisations and shards.
    """
    teller = Teller(world)
    found: dict[str, dict[str, int]] = {}
    for login in logins:
        channel = world.channel(login)
        if channel is None:
            continue
        counts: Counter[str] = Counter()
        told = teller.stage.events(channel, start, end, _NAMES)
        for line in world.lines(login, start, end):
            told += teller.of_line(channel, line, _NAMES)
        for item in told:
            if item.version == _LATEST[item.name]:
                counts[item.name + " (from)" * item.subject.startswith(_FROM)] += 1
        found[login] = dict(sorted(counts.items()))
    return found
