"""Hand-written stand-ins for what the Community page asks of storage and jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dashboard.access import Access
from dashboard.analytics.communities.inputs import Presence
from dashboard.analytics.communities.model import ISOLATE, MapRun
from dashboard.errors import JobError
from dashboard.events import Instant


@dataclass(frozen=True)
class Line:
    run_id: str
    created_at: Instant
    preset: str
    n_channels: int
    n_communities: int


@dataclass(frozen=True)
class Past:
    run_id: str
    created_at: Instant
    chatters: int | None
    community_label: str


@dataclass
class FakeRuns:
    """Runs in memory; given oldest first."""

    kept: Sequence[MapRun]
    error: Exception | None = None

    def watermark(self) -> int:
        return hash(tuple(run.run_id for run in self.kept))

    def listed(self) -> list[Line]:
        if self.error:
            raise self.error
        return [
            Line(
                run.run_id,
                Instant(run.created_at),
                "default",
                len(run.nodes),
                len(run.communities),
            )
            for run in reversed(self.kept)
        ]

    def load(self, run_id: str) -> MapRun | None:
        return next((run for run in self.kept if run.run_id == run_id), None)

    def past_of(self, channel_id: str, *, names: Mapping[str, str] | None = None) -> list[Past]:
        found = []
        for run in self.kept:
            if channel_id in run.nodes.channels.ids:
                node = run.nodes.channels.ids.index(channel_id)
                number = int(run.nodes.community[node])
                label = "" if number == ISOLATE else run.communities[number].label
                chatters = int(run.nodes.channels.chatters[node])
                found.append(Past(run.run_id, Instant(run.created_at), chatters, label))
        return found


@dataclass
class FakeNames:
    kept: dict[str, str] = field(default_factory=dict)

    def names(self) -> dict[str, str]:
        return dict(self.kept)

    def rename(self, community_key: str, name: str, by: str) -> str:
        self.kept.pop(community_key, None)
        if name:
            self.kept[community_key] = name
        return name


@dataclass
class FakeOrders:
    started: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def start(self, name: str, access: Access) -> str:
        access.require_admin()
        if self.started:
            raise JobError("It is under way.")
        self.started.append(name)
        return "job-1"

    def cancel(self, run_id: str, access: Access) -> None:
        access.require_admin()
        self.cancelled.append(run_id)


class FakeJobs:
    def last(self, name: str) -> None:
        return None


@dataclass(frozen=True)
class Room:
    room_login: str
    is_live: bool
    viewer_count: int | None
    game_name: str | None


def presence_of(run: MapRun) -> Presence:
    """People that give about the overlaps of an invented run: each edge's shared ones, the rest alone."""
    seen: set[tuple[int, int]] = set()
    person = 0
    for source, target, shared in zip(run.edges.source, run.edges.target, run.edges.shared, strict=True):
        for _ in range(int(min(shared, 40))):
            seen |= {(int(source), person), (int(target), person)}
            person += 1
    for node in range(len(run.nodes)):
        seen.add((node, person))
        person += 1
    pairs = np.array(sorted(seen), dtype=np.int64)
    # Every third is a week old, the others are years old.
    until_day = run.quality.until_at // 86_400_000_000
    days = np.where(np.arange(person) % 3 == 0, until_day - 5, until_day - 2000)
    return Presence(
        channels=run.nodes.channels,
        channel_index=pairs[:, 0],
        chatter_index=pairs[:, 1],
        chatter_ids=np.array([str(number) for number in range(person)], dtype=object),
        created_days=days.astype(np.int64),
        from_at=run.quality.from_at,
        until_at=run.quality.until_at,
    )
