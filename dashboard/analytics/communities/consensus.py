"""What many seeded runs agree on: communities, how sure each channel is, and who is torn between two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.analytics.communities.detect import Graph, ordered
from dashboard.analytics.communities.inputs import Floats, Ints
from dashboard.analytics.communities.scores import adjusted_rand

TORN_SHARE: Final = 0.15
"""A second community is worth telling when so many seeds, or so much of the weight, speak for it."""
_ISOLATE: Final = -1
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Consensus:
    """The communities of most runs."""

    membership: Ints
    """Numbered from 0, largest first; -1 for isolates."""
    stability: Floats
    """Share of the runs that agree for each channel; NaN for isolates."""
    torn: Ints
    """The other community most often found; -1 where none is worth telling."""
    torn_share: Floats
    agreement: Floats
    """Adjusted Rand index between each run and the consensus."""

    @property
    def n_communities(self) -> int:
        return int(self.membership.max(initial=_ISOLATE)) + 1


def consensus(graph: Graph, found: list[Ints], *, least_size: int = 2) -> Consensus:
    """The communities most runs agree on.

    The most typical run (highest mean agreement with the others) names the communities; all runs are
    matched to it, each channel goes where most of them put it, and so again with the result. What the
    votes tore into pieces without an edge between them becomes several.

    Args:
        graph: What the runs were about.
        found: The communities of each run.
        least_size: Smaller groups count as isolates, as do channels without edges.

    Returns:
        Communities, stability, second choices.
    """
    typical = _most_typical(found)
    for _ in range(_ROUNDS):
        votes = _votes(found, typical)
        voted = votes.argmax(axis=1)
        if np.array_equal(voted, typical):
            break
        typical = ordered(_connected(graph, voted))
    membership = _without_small(ordered(_connected(graph, typical)), graph.degree, least_size)
    votes = _votes(found, np.where(membership < 0, membership.max(initial=0) + 1, membership))
    stability, torn, torn_share = _sureness(votes, membership)
    inside = membership >= 0
    agreement = [adjusted_rand(membership[inside], run[inside]) for run in found]
    return Consensus(membership, stability, torn, torn_share, np.array(agreement))


def torn_by_weight(graph: Graph, result: Consensus) -> Consensus:
    """Adds channels that are torn though all seeds agree: nearly as much weight goes to another community.

    Args:
        graph: The weights.
        result: What the seeds say; theirs has precedence.
    """
    count = result.n_communities
    if not count or not len(graph.source):
        return result
    pulls = np.zeros((graph.n_nodes, count))
    for end, other in ((graph.source, graph.target), (graph.target, graph.source)):
        there = result.membership[other]
        known = there >= 0
        np.add.at(pulls, (end[known], there[known]), graph.weight[known])
    total = np.maximum(pulls.sum(axis=1), 1e-12)
    places = np.arange(graph.n_nodes)
    own = np.where(result.membership >= 0, result.membership, 0)
    own_pull = pulls[places, own].copy()
    pulls[places, own] = -1
    second = pulls.argmax(axis=1)
    share = pulls[places, second] / total
    is_torn = (result.membership >= 0) & (result.torn < 0) & (share >= 0.3) & (share * total > 0.6 * own_pull)
    torn = np.where(is_torn, second, result.torn)
    torn_share = np.where(is_torn, share, result.torn_share)
    return Consensus(result.membership, result.stability, torn, torn_share, result.agreement)


def _most_typical(found: list[Ints]) -> Ints:
    if len(found) <= 2:
        return found[0]
    likeness = np.zeros((len(found), len(found)))
    for one in range(len(found)):
        for other in range(one):
            likeness[one, other] = likeness[other, one] = adjusted_rand(found[one], found[other])
    return found[int(likeness.sum(axis=1).argmax())]


def _votes(found: list[Ints], reference: Ints) -> Floats:
    """How many runs put each channel into each community of the reference (last column: into none)."""
    count = int(reference.max(initial=-1)) + 1
    votes = np.zeros((len(reference), count + 1))
    places = np.arange(len(reference))
    for run in found:
        votes[places, _matched(run, reference, count)] += 1
    return votes


def _matched(run: Ints, reference: Ints, count: int) -> Ints:
    """A run's communities under the reference's numbers, one to one; ``count`` where there is none."""
    from scipy.optimize import linear_sum_assignment

    width = int(run.max(initial=-1)) + 1
    common = np.bincount(run * count + reference, minlength=width * count).reshape(width, count)
    rows, columns = linear_sum_assignment(-common)
    names = np.full(width, count, dtype=np.int64)
    fits = common[rows, columns] > 0
    names[rows[fits]] = columns[fits]
    return names[run]


def _connected(graph: Graph, membership: Ints) -> Ints:
    """Communities in pieces become one for each piece."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    same = membership[graph.source] == membership[graph.target]
    shape = (graph.n_nodes, graph.n_nodes)
    ends = (graph.source[same], graph.target[same])
    net = sparse.coo_matrix((np.ones(int(same.sum())), ends), shape=shape)
    return connected_components(net, directed=False)[1].astype(np.int64)


def _without_small(membership: Ints, degree: Ints, least_size: int) -> Ints:
    sizes = np.bincount(membership)
    small = (sizes[membership] < least_size) | (degree == 0)
    return np.where(small, _ISOLATE, membership)


def _sureness(votes: Floats, membership: Ints) -> tuple[Floats, Ints, Floats]:
    """Stability, second choice and how often it was chosen, of the votes."""
    n_runs = votes[0].sum() if len(votes) else 1.0
    places = np.arange(len(membership))
    inside = membership >= 0
    count = int(membership.max(initial=-1)) + 1
    own = np.where(inside, membership, 0)
    stability = np.where(inside, votes[places, own] / n_runs, np.nan)
    others = votes[:, :count].copy() if count else np.zeros((len(membership), 1))
    others[places, own] = -1
    second = others.argmax(axis=1)
    share = np.maximum(others[places, second], 0) / n_runs
    is_torn = inside & (share >= TORN_SHARE)
    return stability, np.where(is_torn, second, _ISOLATE), np.where(is_torn, share, 0.0)
