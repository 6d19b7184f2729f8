"""Two to four channels beside each other: who was seen in exactly which of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dashboard.analytics.communities.inputs import Presence

LEAST, MOST = 2, 4


@dataclass(frozen=True, slots=True)
class Intersection:
    """People seen in exactly these of the compared channels, and in none of the others."""

    channel_ids: tuple[str, ...]
    count: int
    share: float
    """Of all people of the compared channels; NaN when there are none."""


@dataclass(frozen=True, slots=True)
class Intersections:
    """A comparison, as an UpSet plot shows it. The counts add up to ``n_people``."""

    channel_ids: tuple[str, ...]
    sizes: tuple[int, ...]
    """Distinct chatters of each."""
    n_people: int
    """Distinct people of all of them together."""
    groups: tuple[Intersection, ...]
    """Every combination, also empty ones; the largest first."""


def compare_channels(presence: Presence, channel_ids: Sequence[str]) -> Intersections:
    """Who two to four channels have in common, exactly.

    Args:
        presence: Who was seen where, after the filters of the map.
        channel_ids: The channels.

    Raises:
        ValueError: Fewer than two, more than four, one twice, or one that the presence does not have.
    """
    wanted = tuple(channel_ids)
    if not LEAST <= len(wanted) <= MOST or len(set(wanted)) != len(wanted):
        raise ValueError(f"{LEAST} to {MOST} different channels can be compared, not {list(wanted)}")
    places = {key: place for place, key in enumerate(presence.channels.ids)}
    missing = [key for key in wanted if key not in places]
    if missing:
        raise ValueError(f"nobody was seen in the channel {missing[0]!r}")
    code = np.zeros(presence.n_chatters, dtype=np.int64)
    for bit, key in enumerate(wanted):
        code[presence.chatter_index[presence.channel_index == places[key]]] |= 1 << bit
    counts = np.bincount(code, minlength=1 << len(wanted))
    people = int(counts[1:].sum())
    groups = []
    for size in range(1, len(wanted) + 1):
        for bits in combinations(range(len(wanted)), size):
            count = int(counts[sum(1 << bit for bit in bits)])
            share = count / people if people else float("nan")
            groups.append(Intersection(tuple(wanted[bit] for bit in bits), count, share))
    return Intersections(
        channel_ids=wanted,
        sizes=tuple(int(counts[[c for c in range(len(counts)) if c >> b & 1]].sum())
                    for b in range(len(wanted))),
        n_people=people,
        groups=tuple(sorted(groups, key=lambda group: -group.count)),
    )  # fmt: skip
