"""Which overlaps become edges, what they weigh, which are drawn; and the communities they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.analytics.communities.backbone import drawn, p_values, standing_out, strongest
from dashboard.analytics.communities.build import taken
from dashboard.analytics.communities.consensus import Consensus, consensus, torn_by_weight
from dashboard.analytics.communities.detect import Graph, detect, runs
from dashboard.analytics.communities.inputs import Bools, Channels, Floats
from dashboard.analytics.communities.overlaps import (
    Measures,
    Overlaps,
    beyond_chance,
    listed,
    measured,
    weights,
)
from dashboard.analytics.communities.params import Algorithm, MapParams
from dashboard.analytics.communities.scores import adjusted_rand, modularity, strengths

MANY_EDGES: Final = 300_000
_LEAST_STRONGEST: Final = 30
_SEEDS_APART: Final = 10_000
"""Runs of neighbouring seeds share no start."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The edges of a map."""

    found: Overlaps
    """Those above the threshold."""
    measures: Measures
    weight: Floats
    """In the chosen measure."""
    pull: Floats
    """What it weighs for communities: beyond chance only, if so chosen."""
    p_value: Floats
    in_backbone: Bools
    is_drawn: Bools

    def graph(self, most: int) -> Graph:
        """The edges that have any pull; of more than ``most`` each channel's strongest, which are enough."""
        some = self.pull > 0
        if some.sum() > most:
            each = max(_LEAST_STRONGEST, most // max(len(self.found.sizes), 1))
            some &= strongest(self.found.source, self.found.target, self.pull, some, each)
        return Graph(len(self.found.sizes), self.found.source[some], self.found.target[some], self.pull[some])


@dataclass(frozen=True, slots=True)
class Grouping:
    """Communities with what speaks for and against them."""

    result: Consensus
    modularity: float
    other: Algorithm
    other_modularity: float
    other_communities: int
    agreement: float
    seeds: int


def cut(found: Overlaps, params: MapParams) -> Cut:
    """The edges under these settings.

    Args:
        found: All overlaps at hand.
        params: Measure, threshold, backbone, top-k.
    """
    weight = weights(found, params.measure)
    keep = weight >= params.min_measure
    if found.is_count:
        keep &= found.shared >= params.min_shared
    found, weight = listed(found, keep), weight[keep]
    pull = weight * beyond_chance(found) if params.over_chance else weight
    p = p_values(found, pull, params.backbone)
    backbone = standing_out(p, params.backbone, params.backbone_alpha)
    shown = drawn(found.source, found.target, pull, backbone, params.top_k)
    return Cut(found, measured(found), weight, pull, p, backbone, shown)


def grouped(
    edges: Cut,
    params: MapParams,
    *,
    seed: int,
    with_other: bool = True,
    most_edges: int = MANY_EDGES,
    progress: Callable[[float], None] | None = None,
) -> Grouping:
    """The communities of the edges: consensus of many seeds, and what the other algorithm says.

    Args:
        edges: The edges.
        params: Algorithm, resolution, seeds, least size.
        seed: Other seeds, other starts.
        with_other: Whether to run the other algorithm beside.
        most_edges: Of more edges each channel's strongest are enough.
        progress: Told the share that is done.
    """
    graph = edges.graph(most_edges)
    first = seed * _SEEDS_APART
    found = runs(
        graph,
        algorithm=params.algorithm,
        resolution=params.resolution,
        seeds=range(first, first + params.seeds),
        progress=progress,
    )
    result = torn_by_weight(graph, consensus(graph, found, least_size=params.min_community_size))
    other: Algorithm = "louvain" if params.algorithm == "leiden" else "leiden"
    unknown = float("nan")
    second, second_modularity, second_count = None, unknown, 0
    if with_other and len(graph.source):
        second = detect(graph, algorithm=other, resolution=params.resolution, seed=first)
        second_modularity = modularity(graph.source, graph.target, graph.weight, second)
        sizes = np.bincount(second)
        second_count = int((sizes >= params.min_community_size).sum())
    inside = result.membership >= 0
    agreement = unknown if second is None else adjusted_rand(result.membership[inside], second[inside])
    return Grouping(
        result=result,
        modularity=modularity(graph.source, graph.target, graph.weight, result.membership),
        other=other,
        other_modularity=second_modularity,
        other_communities=second_count,
        agreement=agreement,
        seeds=params.seeds,
    )


def largest_first(channels: Channels, found: Overlaps) -> tuple[Channels, Overlaps]:
    """Channels and overlaps with the largest channel first; by shared people where sizes are unknown."""
    strength = strengths(found.source, found.target, found.shared, len(channels))
    order = np.lexsort((np.arange(len(channels)), -strength, -channels.chatters))
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    one, other = places[found.source], places[found.target]
    low, high = np.minimum(one, other), np.maximum(one, other)
    rows = np.lexsort((high, low))
    turned = Overlaps(
        low[rows],
        high[rows],
        found.shared[rows],
        found.sizes[order],
        found.n_chatters,
        found.n_overlaps,
        found.is_count,
    )
    return taken(channels, order), turned
