"""Communities of a weighted graph by Leiden or Louvain, from a seed: the same seed, the same communities."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dashboard.analytics.communities.inputs import Floats, Ints
from dashboard.analytics.communities.params import Algorithm

_IGRAPH_DICE: Final = threading.Lock()
"""igraph has a single source of chance for the whole process; two seeded runs at once would mix."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Channels and the weights between them; each two channels once, no self-loops."""

    n_nodes: int
    source: Ints
    target: Ints
    weight: Floats

    @property
    def degree(self) -> Ints:
        ends = np.concatenate([self.source, self.target])
        return np.bincount(ends, minlength=self.n_nodes).astype(np.int64)


def detect(graph: Graph, *, algorithm: Algorithm, resolution: float, seed: int) -> Ints:
    """The communities of one run.

    Args:
        graph: Channels and weights.
        algorithm: Leiden (its communities are always connected) or Louvain.
        resolution: Above 1 more and smaller ones.
        seed: Of the order in which channels are tried.

    Returns:
        The community of each channel, numbered from 0, largest first; a channel without edges is alone.
    """
    return runs(graph, algorithm=algorithm, resolution=resolution, seeds=[seed])[0]


def runs(graph: Graph, *, algorithm: Algorithm, resolution: float, seeds: Sequence[int]) -> list[Ints]:
    """The communities of several runs of one graph, each from its own seed."""
    if not len(graph.source):
        return [np.arange(graph.n_nodes, dtype=np.int64) for _ in seeds]
    scaled = graph.weight / graph.weight.mean()
    if algorithm == "leiden":
        return _leiden(graph, scaled, resolution, seeds)
    return _louvain(graph, scaled, resolution, seeds)


def ordered(membership: Ints) -> Ints:
    """The same communities, numbered by size, then by their first channel."""
    unique, first, inverse, counts = np.unique(
        membership, return_index=True, return_inverse=True, return_counts=True
    )
    ranks = np.empty(len(unique), dtype=np.int64)
    ranks[np.lexsort((first, -counts))] = np.arange(len(unique))
    return ranks[inverse]


def _leiden(graph: Graph, weight: Floats, resolution: float, seeds: Sequence[int]) -> list[Ints]:
    import igraph

    net: Any = igraph.Graph(n=graph.n_nodes, edges=np.stack([graph.source, graph.target], axis=1))
    values = weight.tolist()
    found = []
    with _IGRAPH_DICE:
        for seed in seeds:
            igraph.set_random_number_generator(random.Random(seed))
            try:
                clustering = net.community_leiden(
                    objective_function="modularity", weights=values, resolution=resolution, n_iterations=-1
                )
            finally:
                igraph.set_random_number_generator(random)
            found.append(ordered(np.asarray(clustering.membership, dtype=np.int64)))
    return found


def _louvain(graph: Graph, weight: Floats, resolution: float, seeds: Sequence[int]) -> list[Ints]:
    import community
    import networkx

    net = networkx.Graph()
    net.add_nodes_from(range(graph.n_nodes))
    rows = zip(graph.source.tolist(), graph.target.tolist(), weight.tolist(), strict=True)
    net.add_weighted_edges_from(rows)
    found = []
    for seed in seeds:
        membership = community.best_partition(net, resolution=resolution, random_state=seed)
        found.append(ordered(np.array([membership[node] for node in range(graph.n_nodes)], dtype=np.int64)))
    return found
