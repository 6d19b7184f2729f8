"""Puts the parts of a map together: the columns of nodes and edges, communities with names and colours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dashboard.analytics.communities.consensus import Consensus
from dashboard.analytics.communities.content import content_type
from dashboard.analytics.communities.cutting import Cut, Grouping
from dashboard.analytics.communities.inputs import Channels, Floats, Ints
from dashboard.analytics.communities.labels import label_communities, with_given_names
from dashboard.analytics.communities.layout import Layout, extents
from dashboard.analytics.communities.matching import Match
from dashboard.analytics.communities.model import (
    COLOURS,
    MapCommunity,
    MapEdges,
    MapNodes,
    MapRun,
    MapStatistics,
)
from dashboard.analytics.communities.params import MapParams
from dashboard.analytics.communities.scores import cohesion, strengths

_LEAST_CHANNELS = 3


def nodes_of(channels: Channels, edges: Cut, result: Consensus, places: Layout) -> MapNodes:
    """The columns of the channels."""
    found, count = edges.found, len(channels)
    strength = strengths(found.source, found.target, edges.weight, count)
    same = result.membership[found.source] == result.membership[found.target]
    inner = strengths(found.source[same], found.target[same], edges.weight[same], count)
    inside = (result.membership >= 0) & (strength > 0)
    ends = np.concatenate([found.source, found.target])
    return MapNodes(
        channels=channels,
        x=places.points[:, 0],
        y=places.points[:, 1],
        radius=places.radius,
        community=result.membership,
        stability=result.stability,
        torn=result.torn,
        torn_share=result.torn_share,
        content=tuple(content_type(game) for game in channels.games),
        degree=np.bincount(ends, minlength=count).astype(np.int64),
        strength=strength,
        inside_share=np.divide(inner, strength, out=np.full(count, np.nan), where=inside),
    )


def edges_of(edges: Cut, most: int) -> tuple[MapEdges, int]:
    """The columns of the edges, strongest first, and how many were not kept.

    Args:
        edges: All above the threshold.
        most: So many are kept; those drawn always are.
    """
    order = np.lexsort((np.arange(len(edges.pull)), -edges.weight))
    kept = order[(np.arange(len(order)) < most) | edges.is_drawn[order]]
    found, measures = edges.found, edges.measures
    return MapEdges(
        source=found.source[kept],
        target=found.target[kept],
        shared=found.shared[kept],
        jaccard=measures.jaccard[kept],
        containment_ab=measures.containment_ab[kept],
        containment_ba=measures.containment_ba[kept],
        lift=measures.lift[kept],
        p_value=edges.p_value[kept],
        in_backbone=edges.in_backbone[kept],
        is_drawn=edges.is_drawn[kept],
    ), len(order) - len(kept)


def communities_of(
    nodes: MapNodes,
    edges: Cut,
    match: Match,
    params: MapParams,
    *,
    previous: MapRun | None,
    names: Mapping[str, str],
) -> tuple[MapCommunity, ...]:
    """The communities with names, evidence and colours.

    Args:
        nodes: The channels.
        edges: All above the threshold.
        match: Which they are of the run before.
        params: Of the labels.
        previous: The run before, whose colours are kept.
        names: What people called communities, by key.
    """
    count = len(match.keys)
    channels, found = nodes.channels, edges.found
    labels = label_communities(channels, nodes.community, params)
    given = [names.get(key, "").strip() for key in match.keys]
    shown = with_given_names([label.text for label in labels], given)
    ties = cohesion(found.source, found.target, edges.weight, nodes.community, count)
    points = np.stack([nodes.x, nodes.y], axis=1)
    centres, reach = extents(points, nodes.community, nodes.radius, count)
    kept = [previous.communities[old].colour if previous and old >= 0 else -1 for old in match.before]
    colours = coloured(centres, reach, kept)
    communities = []
    for place in range(count):
        own = np.flatnonzero(nodes.community == place)
        communities.append(
            MapCommunity(
                key=match.keys[place],
                label=shown[place],
                own_label=labels[place].text,
                is_renamed=bool(given[place]),
                evidence=labels[place].evidence,
                size=len(own),
                chatters=int(np.maximum(channels.chatters[own], 0).sum()),
                colour=colours[place],
                internal_weight=float(ties.internal[place]),
                external_weight=float(ties.external[place]),
                coherence=float(ties.coherence[place]),
                stability=float(nodes.stability[own].mean()),
                x=float(centres[place, 0]),
                y=float(centres[place, 1]),
                radius=float(reach[place]),
                fate=match.fates[place],
                top_channels=tuple(channels.logins[channel] for channel in own[:5].tolist()),
            )
        )
    return tuple(communities)


def coloured(centres: Floats, reach: Floats, kept: list[int]) -> list[int]:
    """A colour for each community, unlike its nearest neighbours'; those it had before stay.

    Args:
        centres: Of the regions.
        reach: Their radii.
        kept: The colour of the run before, -1 for none.
    """
    colours = list(kept)
    used = np.bincount([c for c in kept if c >= 0], minlength=COLOURS).astype(np.float64)
    for place in range(len(colours)):
        if colours[place] >= 0:
            continue
        apart = np.hypot(*(centres - centres[place]).T) - reach - reach[place]
        clash = np.zeros(COLOURS)
        for other, colour in enumerate(colours):
            if colour >= 0:
                clash[colour] += 1 / (20 + max(float(apart[other]), 0.0)) ** 2
        best = int(np.lexsort((used, clash))[0])
        colours[place] = best
        used[best] += 1
    return colours


def statistics_of(
    channels: Channels, edges: Cut, grouping: Grouping, dropped: int, seconds: tuple[tuple[str, float], ...]
) -> MapStatistics:
    """The figures beside the title."""
    result, n_edges = grouping.result, len(edges.found)
    count = len(channels)
    stable = result.stability[result.membership >= 0]
    tied = len(np.unique(np.concatenate([edges.found.source, edges.found.target])))
    return MapStatistics(
        modularity=grouping.modularity,
        other_algorithm=grouping.other,
        other_modularity=grouping.other_modularity,
        other_communities=grouping.other_communities,
        agreement=grouping.agreement,
        seeds=grouping.seeds,
        seed_agreement_mean=float(result.agreement.mean()),
        seed_agreement_min=float(result.agreement.min()),
        stability=float(stable.mean()) if len(stable) else float("nan"),
        n_channels=count,
        n_communities=result.n_communities,
        n_isolates=int((result.membership < 0).sum()),
        n_overlaps=edges.found.n_overlaps,
        n_edges=n_edges,
        n_backbone=int(edges.in_backbone.sum()),
        n_drawn=int(edges.is_drawn.sum()),
        edges_dropped=dropped,
        density=n_edges / (count * (count - 1) / 2) if count > 1 else float("nan"),
        is_enough=tied >= _LEAST_CHANNELS,
        seconds=seconds,
    )


def sizes_on_map(channels: Channels, strength: Floats) -> Floats:
    """What the discs' areas follow: chatters, or what is shared where nobody told the chatters."""
    known: Ints = channels.chatters
    return known.astype(np.float64) if (known >= 0).any() else strength
