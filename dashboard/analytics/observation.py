"""What was seen and what was not: every rate divides by observed time only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dashboard.analytics.timebins import SECOND_US, merge_spans

_IMPORT: Final = "import"
_NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class StateChange:
    """One line of the ledger: from ``at`` on, a collector sees the room (``joined``) or does not."""

    collector: str
    state: str
    at: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which nobody saw the room although a collector wanted to."""

    started_at: int
    ended_at: int | None
    """``None`` while it lasts."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class Observed:
    """The stretches of time in which a room was seen, and the gaps between them."""

    stretches: tuple[tuple[int, int], ...]
    gaps: tuple[Gap, ...] = ()
    is_assumed: bool = False
    """Nobody kept a ledger; the span of the messages stands in for it."""

    @property
    def since_at(self) -> int | None:
        """The first instant seen; ``None`` when there is none."""
        return self.stretches[0][0] if self.stretches else None

    def since(self, start_at: int) -> int | None:
        """The first instant seen at or after another one."""
        for start, end in self.stretches:
            if end > start_at:
                return max(start, start_at)
        return None

    def seconds(self, start_at: int, end_at: int) -> float:
        """How much of [start, end) was seen, in seconds."""
        inside = (min(end, end_at) - max(start, start_at) for start, end in self.stretches)
        return sum(width for width in inside if width > 0) / SECOND_US

    def seconds_between(self, edges: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """How much was seen between each two neighbouring instants, in seconds.

        Args:
            edges: Instants, ascending.

        Returns:
            One number fewer than edges.
        """
        if not self.stretches or len(edges) < 2:
            return np.zeros(max(len(edges) - 1, 0))
        origin = self.stretches[0][0]
        points, seen = [], []
        total = 0
        for start, end in self.stretches:
            points += [start - origin, end - origin]
            seen += [total, total + end - start]
            total += end - start
        return np.diff(np.interp(edges - origin, points, seen)) / SECOND_US


def observed_time(
    changes: Sequence[StateChange],
    *,
    until: int,
    last_sign_of_life: Mapping[str, int] | None = None,
    messages: tuple[int, int] | None = None,
) -> Observed:
    """Says when a room was seen, from the collectors' ledger.

    A stretch runs from ``joined`` to the next ``lost`` or ``left`` of the same collector, or until
    now. Several collectors complete each other: a gap is only what none of them saw. An import that was
    interrupted leaves its stretch open; it ends where a live collector speaks next, at the latest.

    Args:
        changes: The ledger of one room, in any order.
        until: Where a stretch ends that is still open.
        last_sign_of_life: By collector: it has not been heard of since, so its open stretches end there.
        messages: First and last message of the room, which stand in when there is no ledger at all.

    Returns:
        Merged stretches up to ``until``, and the gaps in them.
    """
    if not changes:
        spans = () if messages is None else ((messages[0], max(messages[1], messages[0] + 1)),)
        return Observed(spans, is_assumed=messages is not None)
    seen: list[tuple[int, int]] = []
    lost: list[Gap] = []
    for collector in sorted({change.collector for change in changes}):
        own = [change for change in changes if change.collector == collector]
        heard_at = (last_sign_of_life or {}).get(collector)
        end_at = until if collector != _IMPORT else min(until, _next_live_word(changes, own))
        own_seen, own_lost = _one_collector(own, end_at, heard_at)
        seen += own_seen
        lost += own_lost
    stretches = merge_spans([span for span in seen if span[1] > span[0]])
    return Observed(tuple(stretches), tuple(_unseen(lost, stretches, until)))


def _next_live_word(changes: Sequence[StateChange], own: Sequence[StateChange]) -> int:
    """When a live collector speaks next after the newest word of the imports; far ahead if none does."""
    newest = max(change.at for change in own)
    later = (change.at for change in changes if change.collector != _IMPORT and change.at > newest)
    return min(later, default=_NEVER)


def _one_collector(
    changes: list[StateChange], until: int, heard_at: int | None
) -> tuple[list[tuple[int, int]], list[Gap]]:
    seen: list[tuple[int, int]] = []
    lost: list[Gap] = []
    joined_at: int | None = None
    gap: StateChange | None = None
    # At the same instant the end of a stretch comes before the start of the next.
    for change in sorted(changes, key=lambda c: (c.at, c.state == "joined")):
        if change.at > until:
            break
        if change.state == "joined":
            if gap is not None:
                lost.append(Gap(gap.at, change.at, gap.reason))
            gap = None
            joined_at = change.at if joined_at is None else joined_at
            continue
        if joined_at is not None:
            seen.append((joined_at, change.at))
        if gap is not None and change.state == "left":
            lost.append(Gap(gap.at, change.at, gap.reason))
        joined_at = None
        gap = (gap or change) if change.state == "lost" else None
    if gap is not None:
        lost.append(Gap(gap.at, None, gap.reason))
    if joined_at is not None and heard_at is not None and heard_at < until:
        silent_from = max(joined_at, heard_at)
        seen.append((joined_at, silent_from))
        lost.append(Gap(silent_from, None, "collector not running"))
    elif joined_at is not None:
        seen.append((joined_at, until))
    return seen, lost


def _unseen(lost: list[Gap], stretches: list[tuple[int, int]], until: int) -> list[Gap]:
    """The parts of the gaps that no other collector saw, oldest first, each once."""
    parts: list[Gap] = []
    for gap in lost:
        start = gap.started_at
        end = until if gap.ended_at is None else gap.ended_at
        for seen_from, seen_to in stretches:
            if seen_to <= start or seen_from >= end:
                continue
            if seen_from > start:
                parts.append(Gap(start, seen_from, gap.reason))
            start = max(start, seen_to)
        if start < end:
            parts.append(Gap(start, gap.ended_at, gap.reason))
    unique = {(part.started_at, part.ended_at): part for part in parts}
    return sorted(unique.values(), key=lambda part: part.started_at)
