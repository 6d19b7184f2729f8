"""Communities, their agreement and their consensus, on graphs small enough to see the answer."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from dashboard.analytics.communities.consensus import consensus, torn_by_weight
from dashboard.analytics.communities.cutting import cut
from dashboard.analytics.communities.detect import Graph, detect, ordered, runs
from dashboard.analytics.communities.overlaps import Overlaps
from dashboard.analytics.communities.params import Algorithm, MapParams
from dashboard.analytics.communities.scores import (
    adjusted_rand,
    cohesion,
    modularity,
    normalised_mutual_information,
)


def graph_of(count: int, edges: dict[tuple[int, int], float]) -> Graph:
    ends = np.array(list(edges), dtype=np.int64).reshape(-1, 2)
    return Graph(count, ends[:, 0], ends[:, 1], np.array(list(edges.values()), dtype=np.float64))


def clique(members: range) -> dict[tuple[int, int], float]:
    return {(a, b): 1.0 for a in members for b in members if a < b}


TWO = graph_of(11, {**clique(range(5)), **clique(range(5, 10)), (4, 5): 1.0})
"""Two cliques of five with a bridge, and a channel without edges."""


@pytest.mark.parametrize("algorithm", ["leiden", "louvain"])
def test_two_cliques(algorithm: Algorithm) -> None:
    found = detect(TWO, algorithm=algorithm, resolution=1.0, seed=3)

    assert found.tolist() == [0] * 5 + [1] * 5 + [2]


@pytest.mark.parametrize("algorithm", ["leiden", "louvain"])
def test_a_higher_resolution_gives_more_communities(algorithm: Algorithm) -> None:
    """Six cliques of four in a ring: pairs of them at a low resolution, each its own at a higher one."""
    edges = {edge: 1.0 for n in range(6) for edge in clique(range(4 * n, 4 * n + 4))}
    edges |= {tuple(sorted((4 * n, (4 * n + 5) % 24))): 1.0 for n in range(6)}  # type: ignore[misc]
    ring = graph_of(24, edges)

    sizes = [
        len(set(detect(ring, algorithm=algorithm, resolution=resolution, seed=1).tolist()))
        for resolution in (0.2, 1.0)
    ]

    assert sizes[0] < sizes[1] == 6


def test_the_same_seed_gives_the_same() -> None:
    random = np.random.default_rng(5)
    ends = np.unique(np.sort(random.integers(0, 60, (300, 2)), axis=1), axis=0)
    ends = ends[ends[:, 0] != ends[:, 1]]
    graph = Graph(60, ends[:, 0], ends[:, 1], random.random(len(ends)))

    one, other = (runs(graph, algorithm="leiden", resolution=1, seeds=range(4)) for _ in range(2))

    assert [run.tolist() for run in one] == [run.tolist() for run in other]
    assert len({tuple(run.tolist()) for run in one}) > 1  # and another seed may well give another


def test_no_edges_no_communities() -> None:
    empty = graph_of(3, {})

    result = consensus(empty, runs(empty, algorithm="leiden", resolution=1, seeds=[1, 2]))

    assert result.membership.tolist() == [-1, -1, -1]
    assert result.n_communities == 0


def test_numbers_by_size() -> None:
    assert ordered(np.array([7, 3, 3, 7, 3, 9])).tolist() == [1, 0, 0, 1, 0, 2]


def test_isolates_are_no_communities() -> None:
    result = consensus(TWO, runs(TWO, algorithm="leiden", resolution=1, seeds=range(5)))

    assert result.membership.tolist() == [0] * 5 + [1] * 5 + [-1]
    assert result.stability.tolist()[:10] == [1.0] * 10
    assert np.isnan(result.stability[10])
    assert result.agreement.tolist() == [1.0] * 5


def test_votes_by_hand() -> None:
    """Channel 4 is with the others in three runs of five: stable by 0.6, torn by 0.4."""
    left = np.array([0] * 5 + [1] * 5 + [2])
    right = left.copy()
    right[4] = 1

    result = consensus(TWO, [left, right, left, right, left])

    assert result.membership[4] == 0
    assert result.stability[4] == pytest.approx(0.6)
    assert (result.torn[4], result.torn_share[4]) == (1, pytest.approx(0.4))
    assert result.torn[:4].tolist() == [-1] * 4


def test_a_vote_cannot_join_what_no_edge_joins() -> None:
    together = np.array([0] * 11)

    result = consensus(graph_of(11, {**clique(range(5)), **clique(range(5, 10))}), [together] * 3)

    assert result.membership.tolist() == [0] * 5 + [1] * 5 + [-1]


def test_torn_by_weight() -> None:
    """A channel that gives 5 to its own community and 4 to the other is torn though every seed agrees."""
    edges = {**clique(range(5)), **clique(range(5, 10)), (0, 10): 5.0, (5, 10): 4.0}
    graph = graph_of(11, edges)
    membership = np.array([0] * 5 + [1] * 5 + [0])

    result = torn_by_weight(graph, consensus(graph, [membership] * 3))

    assert (result.torn[10], result.torn_share[10]) == (1, pytest.approx(4 / 9))
    assert result.torn[1] == -1


def test_agreement_by_hand_and_as_scikit_learn_has_it() -> None:
    """Pairs together in both: 2; in the one 4, in the other 4, of 15: (2 - 16/15) / (4 - 16/15)."""
    one, other = np.array([0, 0, 0, 1, 1, 2]), np.array([5, 5, 7, 7, 7, 8])

    assert adjusted_rand(one, other) == pytest.approx((2 - 16 / 15) / (4 - 16 / 15))
    assert adjusted_rand(one, other) == pytest.approx(adjusted_rand_score(one, other))
    assert normalised_mutual_information(one, other) == pytest.approx(
        normalized_mutual_info_score(one, other)
    )
    assert adjusted_rand(one, one) == 1
    assert normalised_mutual_information(one, one) == pytest.approx(1)
    assert np.isnan(adjusted_rand(one[:1], one[:1]))


def test_modularity_and_coherence_by_hand() -> None:
    """21 edges, 20 inside; each clique has 21 of 42 ends: 20/21 - 2 · (21/42)²."""
    membership = np.array([0] * 5 + [1] * 5 + [-1])

    assert modularity(TWO.source, TWO.target, TWO.weight, membership) == pytest.approx(20 / 21 - 0.5)
    ties = cohesion(TWO.source, TWO.target, TWO.weight, membership, 2)
    assert (ties.internal.tolist(), ties.external.tolist()) == ([10, 10], [1, 1])
    assert ties.coherence.tolist() == pytest.approx([10 / 11] * 2)


def test_a_huge_map_is_grouped_by_each_channels_strongest(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for one edge of each channel, the weak bridge goes first."""
    found = Overlaps(
        TWO.source, TWO.target, np.where(TWO.source == 4, 1.0, 9.0), np.full(11, 90.0), 500.0, len(TWO.source)
    )
    edges = cut(found, MapParams(min_shared=1, over_chance=False))
    assert len(edges.graph(21).source) == len(TWO.source) == 21
    monkeypatch.setattr("dashboard.analytics.communities.cutting._LEAST_STRONGEST", 1)

    few = edges.graph(11)

    assert 5 <= len(few.source) < 21
    assert (4, 5) not in set(zip(few.source.tolist(), few.target.tolist(), strict=True))
