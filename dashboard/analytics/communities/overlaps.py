"""Overlaps: how many people two channels share, and whether that is much. A sparse product, by blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dashboard.analytics.communities.inputs import Bools, EdgeList, Floats, Ints, Presence
from dashboard.analytics.communities.params import Measure

_BLOCK_RESULTS: Final = 4_000_000
"""A block has so many rows that its product holds about so many numbers at most: memory stays flat."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Pairs of channels that share people, each two channels once (source < target), by place."""

    source: Ints
    target: Ints
    shared: Floats
    sizes: Floats
    """Distinct chatters of each channel; NaN where nobody told."""
    n_chatters: float
    """Distinct chatters of all channels together; NaN where nobody told."""
    n_overlaps: int
    """Pairs of channels with anybody in common, also those below the threshold that are not listed."""
    is_count: bool = True

    def __len__(self) -> int:
        return len(self.source)


def overlaps(
    presence: Presence, *, min_shared: int = 1, progress: Callable[[float], None] | None = None
) -> Overlaps:
    """Who shares how many chatters with whom.

    Args:
        presence: Who was seen where.
        min_shared: Pairs of channels that share fewer are counted, not listed.
        progress: Told the share that is done, after each block.

    Returns:
        The pairs, by source, then target.
    """
    from scipy import sparse

    count, people = len(presence.channels), presence.n_chatters
    starts = np.concatenate([[0], np.cumsum(np.bincount(presence.channel_index, minlength=count))])
    index = np.int32 if max(people, presence.n_pairs) < 2**31 - 1 else np.int64
    ones = np.ones(presence.n_pairs, dtype=np.int32)
    parts = (ones, presence.chatter_index.astype(index), starts.astype(index))
    rows = sparse.csr_matrix(parts, shape=(count, people), copy=False)
    columns = rows.T.tocsr()
    block = max(1, min(count, _BLOCK_RESULTS // max(count, 1)))
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    total = 0
    for start in range(0, count, block):
        part = rows[start : start + block] @ columns
        part.sort_indices()
        part = part.tocoo(copy=False)
        upper = part.col > part.row + start
        total += int(upper.sum())
        upper &= part.data >= min_shared
        found.append((part.row[upper] + start, part.col[upper], part.data[upper]))
        if progress is not None:
            progress(min(1.0, (start + block) / count))
    none = np.zeros(0, dtype=np.int32)
    source = np.concatenate([none, *(part[0] for part in found)]).astype(np.int64)
    target = np.concatenate([none, *(part[1] for part in found)]).astype(np.int64)
    shared = np.concatenate([none, *(part[2] for part in found)]).astype(np.float64)
    sizes = np.diff(starts).astype(np.float64)
    seen = float((np.bincount(presence.chatter_index, minlength=people) > 0).sum())
    return Overlaps(source, target, shared, sizes, seen, total)


def overlaps_of_edges(edges: EdgeList, *, min_shared: int = 1) -> Overlaps:
    """Imported edges as overlaps.

    Caveats:
        How many people there are on the whole is not told by edges, so lift is unknown; a channel with
        fewer told chatters than it shares is taken to have as many as it shares.
    """
    sizes = np.where(edges.channels.chatters < 0, np.nan, edges.channels.chatters.astype(np.float64))
    if edges.is_count:
        at_least = np.zeros(len(sizes))
        np.maximum.at(at_least, edges.source, edges.shared)
        np.maximum.at(at_least, edges.target, edges.shared)
        sizes = np.where(np.isnan(sizes), np.nan, np.maximum(sizes, at_least))
    else:
        sizes = np.full(len(sizes), np.nan)
    keep = edges.shared >= min_shared if edges.is_count else np.ones(len(edges.source), dtype=bool)
    return Overlaps(
        source=edges.source[keep],
        target=edges.target[keep],
        shared=edges.shared[keep],
        sizes=sizes,
        n_chatters=float("nan"),
        n_overlaps=len(edges.source),
        is_count=edges.is_count,
    )


@dataclass(frozen=True, slots=True)
class Measures:
    """The four measures of each overlap, and which way containment goes."""

    shared: Floats
    jaccard: Floats
    """Shared through all people of the two."""
    containment_ab: Floats
    """Shared through the source's people."""
    containment_ba: Floats
    """Shared through the target's people."""
    lift: Floats
    """Shared through what it would be if people chose channels by chance."""

    def of(self, measure: Measure) -> Floats:
        """What an edge weighs in a measure; of containment the larger way counts."""
        if measure == "containment":
            return np.fmax(self.containment_ab, self.containment_ba)
        return {"shared": self.shared, "jaccard": self.jaccard, "lift": self.lift}[measure]


def measured(found: Overlaps) -> Measures:
    """The four measures of each pair; NaN where sizes are unknown."""
    one, other, shared = found.sizes[found.source], found.sizes[found.target], found.shared
    return Measures(
        shared=shared,
        jaccard=shared / (one + other - shared),
        containment_ab=shared / one,
        containment_ba=shared / other,
        lift=shared * found.n_chatters / (one * other),
    )


def weights(found: Overlaps, measure: Measure) -> Floats:
    """What each pair weighs in a measure, by what is known: never NaN.

    Where a source tells the sizes of some channels only, the others' are taken to be to what they share as
    those are; where it tells none, the shared count stands in; where it does not tell how many people there
    are on the whole, lift is taken without that constant, which changes no order.
    """
    if np.isnan(found.sizes).all():
        return found.shared
    sizes = _completed(found)
    people = found.n_chatters if not np.isnan(found.n_chatters) else float(sizes.mean())
    return measured(replace(found, sizes=sizes, n_chatters=people)).of(measure)


def _completed(found: Overlaps) -> Floats:
    unknown = np.isnan(found.sizes)
    if not unknown.any():
        return found.sizes
    strength, at_least = np.zeros(len(unknown)), np.ones(len(unknown))
    for end in (found.source, found.target):
        np.add.at(strength, end, found.shared)
        np.maximum.at(at_least, end, found.shared)
    telling = ~unknown & (strength > 0)
    usual = float(np.median(found.sizes[telling] / strength[telling])) if telling.any() else 1.0
    return np.where(unknown, np.maximum(at_least, strength * usual), found.sizes)


def beyond_chance(found: Overlaps) -> Floats:
    """Share of each overlap that chance does not give, 0 … 1.

    Two channels whose people go to many channels share some of them anyway: with all overlaps of the one
    and of the other dealt out at random (configuration model), so many would fall on this pair.
    """
    strength = np.zeros(len(found.sizes))
    np.add.at(strength, found.source, found.shared)
    np.add.at(strength, found.target, found.shared)
    expected = strength[found.source] * strength[found.target] / max(float(strength.sum()), 1e-12)
    return np.clip(1 - expected / found.shared, 0, 1)


def listed(found: Overlaps, keep: Bools) -> Overlaps:
    """These pairs only."""
    return Overlaps(
        found.source[keep],
        found.target[keep],
        found.shared[keep],
        found.sizes,
        found.n_chatters,
        found.n_overlaps,
        found.is_count,
    )
