"""Which overlaps stand out: edges that chance gives too rarely, and the few of them that are drawn."""

from __future__ import annotations

from typing import Final

import numpy as np

from dashboard.analytics.communities.inputs import Bools, Floats, Ints
from dashboard.analytics.communities.overlaps import Overlaps
from dashboard.analytics.communities.params import Backbone
from dashboard.analytics.communities.scores import strengths

ALWAYS_DRAWN: Final = 2
"""Every channel shows its so many strongest edges, so that none hangs in the air."""


def p_values(found: Overlaps, weight: Floats, backbone: Backbone) -> Floats:
    """How often chance gives an edge like each of these.

    Args:
        found: The overlaps.
        weight: What each weighs.
        backbone: By which test; NaN for a plain threshold.
    """
    if backbone == "disparity":
        return disparity(found.source, found.target, weight, len(found.sizes))
    if backbone == "significance":
        return significance(found)
    return np.full(len(found), np.nan)


def disparity(source: Ints, target: Ints, weight: Floats, count: int) -> Floats:
    """Disparity filter: is this edge a larger part of a channel's weight than an even split would give?

    For a channel with k edges that splits its weight at random, a part of w or more comes up with
    probability (1 - w) ** (k - 1). The end for which the edge stands out more counts; an only edge stands
    out for nobody.

    Source:
        M. Á. Serrano, M. Boguñá, A. Vespignani: Extracting the multiscale backbone of complex weighted
        networks, PNAS 106 (2009).
    """
    strength = strengths(source, target, weight, count)
    degree = np.bincount(np.concatenate([source, target]), minlength=count)
    ends = [(1 - np.minimum(weight / np.maximum(strength[end], 1e-300), 1)) ** (degree[end] - 1)
            for end in (source, target)]  # fmt: skip
    return np.minimum(ends[0], ends[1])


def significance(found: Overlaps) -> Floats:
    """How often two channels of these sizes would share so many if people chose by chance.

    The hypergeometric upper tail, bounded from above by the binomial of the smaller channel's people, each
    also at the larger one with the larger one's share of all. Where only edges are known, the Poisson tail
    over what the channels' sums of overlaps give.

    Returns:
        For each pair the probability of so many or more.
    """
    from scipy.special import betainc, gammainc

    if not np.isnan(found.n_chatters) and not np.isnan(found.sizes).any():
        one, other = found.sizes[found.source], found.sizes[found.target]
        small, large = np.minimum(one, other), np.maximum(one, other)
        chance = np.clip(large / max(found.n_chatters, 1), 0, 1)
        return betainc(found.shared, small - found.shared + 1, chance)
    strength = strengths(found.source, found.target, found.shared, len(found.sizes))
    expected = strength[found.source] * strength[found.target] / max(float(strength.sum()), 1e-300)
    return gammainc(found.shared, expected)


def standing_out(p: Floats, backbone: Backbone, alpha: float) -> Bools:
    """Which edges are in the backbone.

    Caveats:
        The significance test looks at very many pairs, so its limit is Benjamini-Hochberg's; the disparity
        filter's alpha is, as its authors use it, a limit of each edge.
    """
    if backbone == "threshold":
        return np.ones(len(p), dtype=bool)
    if backbone == "disparity":
        return p < alpha
    order = np.argsort(p, kind="stable")
    fits = p[order] <= alpha * np.arange(1, len(p) + 1) / max(len(p), 1)
    limit = p[order][np.flatnonzero(fits)[-1]] if fits.any() else -1.0
    return p <= limit


def drawn(source: Ints, target: Ints, weight: Floats, in_backbone: Bools, top_k: int) -> Bools:
    """Which edges are drawn: of the backbone each channel's strongest, and its two strongest anyway.

    Args:
        source: One end of each edge.
        target: The other.
        weight: Of each edge.
        in_backbone: Which stand out.
        top_k: So many for each channel; 0: all of the backbone.
    """
    first = strongest(source, target, weight, np.ones(len(source), dtype=bool), ALWAYS_DRAWN)
    if not top_k:
        return in_backbone | first
    return first | strongest(source, target, weight, in_backbone, top_k)


def strongest(source: Ints, target: Ints, weight: Floats, among: Bools, count: int) -> Bools:
    """Which edges are among the so many strongest of one of their two channels."""
    ranks = _rank_at_ends(source, target, weight, among).min(axis=0, initial=len(source))
    return among & (ranks < count)


def _rank_at_ends(source: Ints, target: Ints, weight: Floats, among: Bools) -> Ints:
    """The place of each edge among those of its source and of its target, strongest 0."""
    chosen = np.flatnonzero(among)
    chosen = chosen[np.argsort(-weight[chosen], kind="stable")]
    ends = np.stack([source[chosen], target[chosen]], axis=1).ravel()
    if ends.max(initial=0) < 2**16:
        ends = ends.astype(np.uint16)  # sorted by radix: many times faster
    order = np.argsort(ends, kind="stable")
    starts = np.flatnonzero(np.diff(ends[order].astype(np.int64), prepend=-1))
    lengths = np.diff(np.append(starts, len(order)))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - np.repeat(starts, lengths)
    full = np.full((2, len(source)), len(source), dtype=np.int64)
    full[0, chosen], full[1, chosen] = ranks[::2], ranks[1::2]
    return full
