"""Maps of communities in the lake: a row a channel, a row an overlap, and last the row that closes the run.

They are aggregates: no person who wrote or was connected stands in them. A run counts only when its row
in ``community_runs`` is there, which is written last; join the others with it by ``run_id``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dashboard.events_base import Event, Instant


@dataclass(slots=True, kw_only=True)
class CommunityRun(Event):
    """One row per analysis that came to its end; it closes its channels and overlaps.

    ``sent_at`` is when it was made; it belongs to no room, so ``room_login`` is empty.
    """

    kind: ClassVar[str] = "community_runs"

    run_id: str
    seed: int
    origin: str
    """``lake`` (what was collected here) or ``import`` (a file of others)."""
    channel_count: int
    edge_count: int
    """Rows in ``community_edges``."""
    community_count: int
    preset: str | None = None
    isolate_count: int | None = None
    chatter_count: int | None = None
    """Distinct people; NULL where only overlaps were imported."""
    seen_as: str | None = None
    """``speakers``, ``connected`` or ``imported``."""
    observed_hours: float | None = None
    """Sum over the channels; NULL when unknown."""
    from_at: Instant | None = None
    until_at: Instant | None = None
    modularity: float | None = None
    agreement: float | None = None
    """Adjusted Rand index of the two algorithms."""
    stability: float | None = None
    previous_run_id: str | None = None
    params: str | None = None
    """JSON object of every setting."""
    communities: str | None = None
    """JSON list: key, label, evidence, size, colour and more of each; a node's number is its place here."""
    statistics: str | None = None
    """JSON object."""
    quality: str | None = None
    """JSON object: how good the data behind the map is."""
    changes: str | None = None
    """JSON object: what is different from the run before."""


@dataclass(slots=True, kw_only=True)
class CommunityNode(Event):
    """One row per channel of a run, largest first by ``place``."""

    kind: ClassVar[str] = "community_nodes"

    run_id: str
    place: int
    channel_id: str
    channel_login: str
    channel_name: str | None = None
    x: float | None = None
    y: float | None = None
    radius: float | None = None
    community: int | None = None
    """Number of its community in the run; NULL is none."""
    community_key: str | None = None
    """The same in every run in which the community is found again."""
    community_label: str | None = None
    stability: float | None = None
    torn: int | None = None
    """Number of the community most often found instead."""
    torn_share: float | None = None
    game: str | None = None
    language: str | None = None
    content: str | None = None
    tags: str | None = None
    """JSON list."""
    viewers: int | None = None
    observed_minutes: int | None = None
    chatters: int | None = None
    degree: int | None = None
    strength: float | None = None
    inside_share: float | None = None


@dataclass(slots=True, kw_only=True)
class CommunityEdge(Event):
    """One row per overlap above the threshold of a run, strongest first by ``place``."""

    kind: ClassVar[str] = "community_edges"

    run_id: str
    place: int
    source_place: int
    """``place`` of the one channel in ``community_nodes``."""
    target_place: int
    source_login: str
    target_login: str
    shared: float | None = None
    jaccard: float | None = None
    containment_ab: float | None = None
    containment_ba: float | None = None
    lift: float | None = None
    p_value: float | None = None
    in_backbone: bool | None = None
    is_drawn: bool | None = None


KINDS_COMMUNITIES: tuple[type[Event], ...] = (CommunityRun, CommunityNode, CommunityEdge)
