"""A map without the channels that somebody may not see: applied on the server, before all else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from dashboard.access import Access
from dashboard.analytics.communities.inputs import Bools, Channels, Ints
from dashboard.analytics.communities.model import (
    ISOLATE,
    MapCommunity,
    MapEdges,
    MapNodes,
    MapRun,
)
from dashboard.insights.community_labels import open_changes, open_communities


def visible_run(run: MapRun, access: Access, public: Collection[str]) -> tuple[MapRun, int]:
    """The map as somebody may see it.

    Args:
        run: The whole map.
        access: Who looks.
        public: Logins of the channels that the survey read: the platform's largest, open to everybody who
            is logged in.

    Returns:
        The map without the other channels, and how many are missing.

    Caveats:
        Communities keep labels that tell of games and languages: these are shares over many channels.
        Names of channels in a label are of visible ones. A community of which nothing is left is gone.
    """
    if access.rooms is None:
        return run, 0
    if not access.user_id:
        keep = np.zeros(len(run.nodes), dtype=np.bool_)
    else:
        keep = np.array(
            [login.lower() in public or access.may_see(login) for login in run.nodes.channels.logins],
            dtype=np.bool_,
        )
    if keep.all():
        return run, 0
    return _restricted(run, keep), int((~keep).sum())


def names_of(nodes: MapNodes) -> frozenset[str]:
    """Names and logins of a map's channels, casefolded."""
    return frozenset(word.casefold() for word in (*nodes.channels.names, *nodes.channels.logins) if word)


def _largest_names(nodes: MapNodes, number: int) -> list[str]:
    inside = np.flatnonzero(nodes.community == number)
    names, logins = nodes.channels.names, nodes.channels.logins
    largest = sorted(inside.tolist(), key=lambda node: -int(nodes.channels.chatters[node]))[:2]
    return [names[node] or logins[node] for node in largest]


def _restricted(run: MapRun, keep: Bools) -> MapRun:
    place = np.cumsum(keep) - 1
    kept = frozenset(np.array(run.nodes.channels.logins, dtype=object)[keep].tolist())
    old_community = run.nodes.community[keep]
    left = [number for number in range(len(run.communities)) if bool((old_community == number).any())]
    new_number = np.full(len(run.communities) + 1, ISOLATE, dtype=np.int64)
    new_number[left] = np.arange(len(left))
    nodes = _nodes(run.nodes, keep, new_number)
    edges = _edges(run.edges, keep, place)
    seen = names_of(nodes)
    communities = open_communities(
        [_community(run.communities[number], nodes, new_number[number]) for number in left],
        seen,
        [_largest_names(nodes, int(new_number[number])) for number in left],
    )
    statistics = replace(
        run.statistics,
        n_channels=len(nodes),
        n_communities=len(communities),
        n_isolates=int((nodes.community == ISOLATE).sum()),
        n_edges=len(edges),
        n_backbone=int(edges.in_backbone.sum()),
        n_drawn=int(edges.is_drawn.sum()),
    )
    minutes = tuple(pair for pair in run.quality.channel_minutes if pair[0] in kept)
    return replace(
        run,
        nodes=nodes,
        edges=edges,
        communities=communities,
        statistics=statistics,
        quality=replace(run.quality, channel_minutes=minutes),
        changes=open_changes(run.changes, kept, seen) if run.changes else None,
    )


def _channels(channels: Channels, keep: Bools) -> Channels:
    def some(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(value for value, is_kept in zip(values, keep.tolist(), strict=True) if is_kept)

    return Channels(
        ids=some(channels.ids),
        logins=some(channels.logins),
        names=some(channels.names),
        games=some(channels.games),
        languages=some(channels.languages),
        tags=some(channels.tags),
        viewers=channels.viewers[keep],
        observed_minutes=channels.observed_minutes[keep],
        chatters=channels.chatters[keep],
    )


def _nodes(nodes: MapNodes, keep: Bools, new_number: Ints) -> MapNodes:
    # -1 takes the last entry, which is ISOLATE.
    torn = new_number[nodes.torn[keep]]
    return MapNodes(
        channels=_channels(nodes.channels, keep),
        x=nodes.x[keep],
        y=nodes.y[keep],
        radius=nodes.radius[keep],
        community=new_number[nodes.community[keep]],
        stability=nodes.stability[keep],
        torn=torn,
        torn_share=np.where(torn == ISOLATE, 0.0, nodes.torn_share[keep]),
        content=tuple(word for word, is_kept in zip(nodes.content, keep.tolist(), strict=True) if is_kept),
        degree=nodes.degree[keep],
        strength=nodes.strength[keep],
        inside_share=nodes.inside_share[keep],
    )


def _edges(edges: MapEdges, keep: Bools, place: Ints) -> MapEdges:
    both = keep[edges.source] & keep[edges.target]
    return MapEdges(
        source=place[edges.source[both]],
        target=place[edges.target[both]],
        shared=edges.shared[both],
        jaccard=edges.jaccard[both],
        containment_ab=edges.containment_ab[both],
        containment_ba=edges.containment_ba[both],
        lift=edges.lift[both],
        p_value=edges.p_value[both],
        in_backbone=edges.in_backbone[both],
        is_drawn=edges.is_drawn[both],
    )


def _community(community: MapCommunity, nodes: MapNodes, number: int) -> MapCommunity:
    inside = np.flatnonzero(nodes.community == number)
    logins = nodes.channels.logins
    largest = sorted(inside.tolist(), key=lambda node: -int(nodes.channels.chatters[node]))[:5]
    return replace(
        community,
        size=len(inside),
        chatters=int(nodes.channels.chatters[inside].sum()),
        top_channels=tuple(logins[node] for node in largest),
        # The names of the largest channels are no shares: they would tell what is hidden.
        evidence=tuple(
            fact for fact in community.evidence if fact.kind != "largest" or fact.value.lower() in _of(logins)
        ),
    )


def _of(logins: tuple[str, ...]) -> frozenset[str]:
    return frozenset(login.lower() for login in logins)
