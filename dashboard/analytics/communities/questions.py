"""Questions to a finished map: one channel's overlaps, its own small map, whom to raid or play with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.analytics.communities.inputs import Floats, Ints
from dashboard.analytics.communities.model import ISOLATE, MapRun
from dashboard.analytics.communities.overlaps import beyond_chance
from dashboard.analytics.communities.recut import overlaps_of_run

EGO_RADIUS: Final = 400.0
_NEAR_SIZE: Final = 4.0
"""A channel four times as large, or a fourth, is half as good a partner as one of the same size."""


@dataclass(frozen=True, slots=True)
class ChannelOverlaps:
    """The overlaps of one channel, seen from it; strongest first."""

    other: Ints
    """Node of the other channel."""
    row: Ints
    """Of the edges."""
    shared: Floats
    jaccard: Floats
    ours_there: Floats
    """Share of this channel's chatters also seen there."""
    theirs_here: Floats
    """Share of the other's chatters also seen here."""
    lift: Floats


def channel_overlaps(run: MapRun, node: int, *, limit: int = 0) -> ChannelOverlaps:
    """With whom one channel shares its chatters, by all four measures.

    Args:
        run: The map.
        node: The channel's place in the nodes.
        limit: So many at most; 0: all that the run keeps.

    Raises:
        IndexError: No such node.
    """
    if not 0 <= node < len(run.nodes):
        raise IndexError(f"the map has {len(run.nodes)} channels; there is no {node}")
    edges = run.edges
    is_source = edges.source == node
    rows = np.flatnonzero(is_source | (edges.target == node))
    rows = rows[np.lexsort((rows, -edges.shared[rows]))]
    rows = rows[:limit] if limit else rows
    first = is_source[rows]
    return ChannelOverlaps(
        other=np.where(first, edges.target[rows], edges.source[rows]),
        row=rows,
        shared=edges.shared[rows],
        jaccard=edges.jaccard[rows],
        ours_there=np.where(first, edges.containment_ab[rows], edges.containment_ba[rows]),
        theirs_here=np.where(first, edges.containment_ba[rows], edges.containment_ab[rows]),
        lift=edges.lift[rows],
    )


@dataclass(frozen=True, slots=True)
class EgoMap:
    """One channel in the middle and those it shares most with around it."""

    node: Ints
    """Places in the run's nodes; the channel itself first."""
    x: Floats
    y: Floats
    edge_source: Ints
    """Places in ``node``."""
    edge_target: Ints
    edge_row: Ints
    """Of the run's edges."""


def ego_map(run: MapRun, node: int, *, limit: int = 24) -> EgoMap:
    """The small map of one channel: the nearer, the more it shares; neighbours of one community side by side.

    Args:
        run: The map.
        node: The channel's place in the nodes.
        limit: So many neighbours at most.
    """
    near = channel_overlaps(run, node, limit=limit)
    order = np.lexsort((-near.shared, run.nodes.community[near.other]))
    turns = np.empty(len(order))
    turns[order] = np.arange(len(order)) * 2 * np.pi / max(len(order), 1)
    share = near.shared / near.shared.max() if len(near.shared) else near.shared
    reach = EGO_RADIUS * (1 - 0.6 * np.sqrt(share))
    nodes = np.concatenate([[node], near.other]).astype(np.int64)
    place = np.full(len(run.nodes), -1, dtype=np.int64)
    place[nodes] = np.arange(len(nodes))
    among = np.flatnonzero((place[run.edges.source] >= 0) & (place[run.edges.target] >= 0))
    return EgoMap(
        node=nodes,
        x=np.concatenate([[0.0], reach * np.cos(turns)]),
        y=np.concatenate([[0.0], reach * np.sin(turns)]),
        edge_source=place[run.edges.source[among]],
        edge_target=place[run.edges.target[among]],
        edge_row=among,
    )


@dataclass(frozen=True, slots=True)
class Partner:
    """A channel to raid or to play with, and why."""

    node: int
    score: float
    """0 … 1, to order by; its three parts follow."""
    tie: float
    """How much more the two share than chance gives, against the strongest tie of this channel, 0 … 1."""
    nearness: float
    """1 at the same size, 0.5 at four times or a fourth of it."""
    is_live: bool | None
    """``None`` when nobody knows who is live."""
    viewers: int | None
    """Now, when live."""
    shared: float
    lift: float
    new_people: float
    """Chatters there that were not seen here: whom one could meet. NaN when unknown."""
    is_same_community: bool


def partners(
    run: MapRun,
    node: int,
    *,
    live: Mapping[str, int] | None = None,
    only_live: bool = False,
    limit: int = 20,
) -> tuple[Partner, ...]:
    """Who this channel should raid or play with: people in common beyond chance, near size, live now.

    Args:
        run: The map.
        node: The channel's place in the nodes.
        live: Viewers by channel id of who is live now; ``None`` when nobody knows.
        only_live: Leave out who is not.
        limit: So many at most.

    Returns:
        The best first. Sizes are compared by viewers where both are live, else by chatters.
    """
    near = channel_overlaps(run, node)
    if not len(near.other):
        return ()
    lift = _lifts(run, near)
    tie = np.log1p(np.maximum(lift, 0)) * np.sqrt(near.shared / near.shared.max())
    tie = tie / max(float(tie.max()), 1e-12)
    channels, communities = run.nodes.channels, run.nodes.community
    own_viewers = None if live is None else live.get(channels.ids[node])
    found = []
    for place, other in enumerate(near.other.tolist()):
        viewers = None if live is None else live.get(channels.ids[other])
        if only_live and viewers is None:
            continue
        if viewers is not None and own_viewers is not None:
            nearness = _nearness(own_viewers, viewers)
        else:
            nearness = _nearness(int(channels.chatters[node]), int(channels.chatters[other]))
        is_live = None if live is None else viewers is not None
        chatters = int(channels.chatters[other])
        found.append(
            Partner(
                node=other,
                score=float(tie[place]) * nearness * (0.5 if is_live is False else 1.0),
                tie=float(tie[place]),
                nearness=nearness,
                is_live=is_live,
                viewers=viewers,
                shared=float(near.shared[place]),
                lift=float(near.lift[place]),
                new_people=chatters - float(near.shared[place]) if chatters >= 0 else float("nan"),
                is_same_community=communities[node] == communities[other] != ISOLATE,
            )
        )
    return tuple(sorted(found, key=lambda partner: (-partner.score, partner.node))[:limit])


def _lifts(run: MapRun, near: ChannelOverlaps) -> Floats:
    """Lift; where the source cannot tell it, what the map's own overlaps make of it."""
    if np.isfinite(near.lift).all():
        return near.lift
    beyond = np.empty(len(run.edges))
    beyond[np.lexsort((run.edges.target, run.edges.source))] = beyond_chance(overlaps_of_run(run))
    return 1 / np.maximum(1 - beyond[near.row], 1e-3)


def _nearness(one: int, other: int) -> float:
    if one <= 0 or other <= 0:
        return 0.5
    return float(1 / (1 + (np.log(one / other) / np.log(_NEAR_SIZE)) ** 2))
