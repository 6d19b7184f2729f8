"""Communities of a weighted graph by Leiden or Louvain, from a seed: the same seed, the same communities."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
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


def runs(
    graph: Graph,
    *,
    algorithm: Algorithm,
    resolution: float,
    seeds: Sequence[int],
    progress: Callable[[float], None] | None = None,
) -> list[Ints]:
    """The communities of several runs of one graph, each from its own seed.

    Args:
        graph: Channels and weights.
        algorithm: Leiden or Louvain.
        resolution: Above 1 more and smaller ones.
        seeds: One of each run.
        progress: Told the share that is done, after each run.
    """
    if not len(graph.source):
        return [np.arange(graph.n_nodes, dtype=np.int64) for _ in seeds]
    scaled = graph.weight / graph.weight.mean()
    run = (_leiden if algorithm == "leiden" else _louvain)(graph, scaled, resolution)
    found = []
    for seed in seeds:
        found.append(ordered(run(seed)))
        if progress is not None:
            progress(len(found) / len(seeds))
    return found


def ordered(membership: Ints) -> Ints:
    """The same communities, numbered by size, then by their first channel."""
    unique, first, inverse, counts = np.unique(
        membership, return_index=True, return_inverse=True, return_counts=True
    )
    ranks = np.empty(len(unique), dtype=np.int64)
    ranks[np.lexsort((first, -counts))] = np.arange(len(unique))
    return ranks[inverse]


def _leiden(graph: Graph, weight: Floats, resolution: float) -> Callable[[int], Ints]:
    import igraph

    net: Any = igraph.Graph(n=graph.n_nodes, edges=np.stack([graph.source, graph.target], axis=1))
    net.es["weight"] = weight.tolist()

    def run(seed: int) -> Ints:
        with _IGRAPH_DICE:
            igraph.set_random_number_generator(random.Random(seed))
            try:
                clustering = net.community_leiden(
                    objective_function="modularity", weights="weight", resolution=resolution, n_iterations=-1
                )
            finally:
                igraph.set_random_number_generator(random)
        return np.asarray(clustering.membership, dtype=np.int64)

    return run


def _louvain(graph: Graph, weight: Floats, resolution: float) -> Callable[[int], Ints]:
    import community
    import networkx

    net = networkx.Graph()
    net.add_nodes_from(range(graph.n_nodes))
    rows = zip(graph.source.tolist(), graph.target.tolist(), weight.tolist(), strict=True)
    net.add_weighted_edges_from(rows)

    def run(seed: int) -> Ints:
        level, graph_now = {node: node for node in range(graph.n_nodes)}, net
        while True:  # the library stops too early below resolution 1, so it begins again with what it found
            found = community.best_partition(graph_now, resolution=resolution, random_state=seed)
            level = {node: found[group] for node, group in level.items()}
            if len(set(found.values())) == len(found):
                return np.array([level[node] for node in range(graph.n_nodes)], dtype=np.int64)
            graph_now = community.induced_graph(found, graph_now)

    return run
