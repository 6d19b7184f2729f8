"""How much two ways to divide the same channels agree, and how well one divides a graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.analytics.communities.inputs import Floats, Ints


def contingency(one: Ints, other: Ints) -> tuple[Ints, Ints, Ints]:
    """How many entries each pair of groups has in common.

    Returns:
        Group of the one, group of the other, count: a row for each pair that occurs.
    """
    _, left = np.unique(one, return_inverse=True)
    _, right = np.unique(other, return_inverse=True)
    width = int(right.max(initial=-1)) + 1
    counts = np.bincount(left * max(width, 1) + right)
    cells = np.flatnonzero(counts)
    return cells // max(width, 1), cells % max(width, 1), counts[cells].astype(np.int64)


def adjusted_rand(one: Ints, other: Ints) -> float:
    """Adjusted Rand index: 1 for the same groups, about 0 for groups that agree as by chance.

    Args:
        one: Group of each entry.
        other: The same entries, divided otherwise.

    Returns:
        The index; NaN for fewer than two entries.
    """
    if len(one) < 2:
        return float("nan")
    left, right, counts = contingency(one, other)
    together = float((counts * (counts - 1)).sum()) / 2
    first = _pairs(np.bincount(left, weights=counts).astype(np.float64))
    second = _pairs(np.bincount(right, weights=counts).astype(np.float64))
    by_chance = first * second / (len(one) * (len(one) - 1) / 2)
    most = (first + second) / 2
    return 1.0 if most == by_chance else (together - by_chance) / (most - by_chance)


def normalised_mutual_information(one: Ints, other: Ints) -> float:
    """Mutual information of two ways to divide, through the mean of their entropies: 1 the same, 0 nothing.

    Returns:
        The score; NaN without entries, 1 when both put all in one group.
    """
    if not len(one):
        return float("nan")
    left, right, counts = contingency(one, other)
    share = counts / len(one)
    first, second = np.bincount(left, weights=share), np.bincount(right, weights=share)
    mutual = float((share * np.log(share / (first[left] * second[right]))).sum())
    entropy = -float((first * np.log(first)).sum() + (second * np.log(second)).sum()) / 2
    return 1.0 if entropy <= 0 else mutual / entropy


def modularity(
    source: Ints, target: Ints, weight: Floats, membership: Ints, resolution: float = 1.0
) -> float:
    """Weight inside communities beyond what the channels' weights would give by chance, -0.5 … 1.

    Args:
        source: One end of each edge.
        target: The other end.
        weight: Of each edge.
        membership: Community of each channel; a negative one is alone.
        resolution: Of the null model.

    Returns:
        Newman's modularity; NaN without edges.
    """
    total = float(weight.sum())
    if total <= 0:
        return float("nan")
    alone = np.where(membership < 0, -1 - np.arange(len(membership)), membership)
    _, groups = np.unique(alone, return_inverse=True)
    strength = strengths(source, target, weight, len(membership))
    inside = float(weight[groups[source] == groups[target]].sum()) / total
    shares = np.bincount(groups, weights=strength) / (2 * total)
    return inside - resolution * float((shares**2).sum())


def strengths(source: Ints, target: Ints, weight: Floats, count: int) -> Floats:
    """Sum of the weights at each channel."""
    ends, both = np.concatenate([source, target]), np.concatenate([weight, weight])
    return np.bincount(ends, weights=both, minlength=count).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Cohesion:
    """Weight inside a community and out of it."""

    internal: Floats
    external: Floats

    @property
    def coherence(self) -> Floats:
        """Internal through all, 0 … 1; NaN for a community without edges."""
        total = self.internal + self.external
        return np.divide(self.internal, total, out=np.full(len(total), np.nan), where=total > 0)


def cohesion(source: Ints, target: Ints, weight: Floats, membership: Ints, n_communities: int) -> Cohesion:
    """For each community the weight of edges within it, and of edges that leave it."""
    left, right = membership[source], membership[target]
    same = (left == right) & (left >= 0)
    internal = np.zeros(n_communities)
    np.add.at(internal, left[same], weight[same])
    external = np.zeros(n_communities)
    for end in (left, right):
        out = ~same & (end >= 0)
        np.add.at(external, end[out], weight[out])
    return Cohesion(internal, external)


def _pairs(sizes: Floats) -> float:
    return float((sizes * (sizes - 1)).sum()) / 2
