"""Where each community lies on the map: discs by their size, near to those they share people with."""

from __future__ import annotations

from typing import Final

import numpy as np

from dashboard.analytics.communities.discs import pushed_apart, spiral
from dashboard.analytics.communities.inputs import Floats, Ints

MAP_RADIUS: Final = 1000.0
_FILLED: Final = 0.42
"""Share of the map's disc that regions take; the rest is the sea between them."""
_GAP: Final = 26.0
_MANY: Final = 400


def region_radii(membership: Ints, radius: Floats, count: int) -> Floats:
    """How large each community's region is: half by its number of channels, half by the area of its discs."""
    inside = membership >= 0
    sizes = np.bincount(membership[inside], minlength=count).astype(np.float64)
    areas = np.bincount(membership[inside], weights=radius[inside] ** 2, minlength=count)
    share = (sizes / max(sizes.sum(), 1) + areas / max(areas.sum(), 1e-12)) / 2
    widest = np.zeros(count)
    np.maximum.at(widest, membership[inside], radius[inside])
    usual = MAP_RADIUS * np.sqrt(_FILLED * share)
    return np.maximum(np.maximum(usual, np.sqrt(areas * 1.9)), widest * 1.6)


def ties(
    source: Ints, target: Ints, weight: Floats, membership: Ints, count: int
) -> tuple[Ints, Ints, Floats]:
    """The weight between each two communities, through what their own weights would give; each pair once."""
    left, right = membership[source], membership[target]
    cross = (left >= 0) & (right >= 0) & (left != right)
    low, high = np.minimum(left, right)[cross], np.maximum(left, right)[cross]
    pair, place = np.unique(low * count + high, return_inverse=True)
    total = np.bincount(place, weights=weight[cross], minlength=len(pair))
    strength = np.zeros(count)
    for end in (left, right):
        np.add.at(strength, end[end >= 0], weight[end >= 0])
    low, high = pair // max(count, 1), pair % max(count, 1)
    scale = np.sqrt(np.maximum(strength[low] * strength[high], 1e-300))
    return low, high, total / scale


def placed_regions(radii: Floats, low: Ints, high: Ints, tie: Floats, *, iterations: int) -> Floats:
    """The centre of each community's region.

    Args:
        radii: Of the regions.
        low: One community of each tie.
        high: The other.
        tie: How strong it is.
        iterations: Of the forces, that start from the main directions of the ties.
    """
    count = len(radii)
    if count < 2:
        return np.zeros((count, 2))
    points = _spectral(count, low, high, tie)
    steps = max(20, iterations if count <= _MANY else iterations // 3)
    strong = tie / max(float(tie.max(initial=0)), 1e-300)
    heat = MAP_RADIUS * 0.12
    for step in range(steps):
        move = _pulls(points, radii, low, high, strong)
        length = np.maximum(np.hypot(move[:, 0], move[:, 1]), 1e-12)
        points = points + move * (np.minimum(length, heat * (1 - step / steps)) / length)[:, None]
        if step % 5 == 4 or step > steps * 0.8:
            points = pushed_apart(points, radii, gap=_GAP, rounds=3)
    points = pushed_apart(points, radii, gap=_GAP, rounds=400)
    return points - (points * radii[:, None] ** 2).sum(axis=0) / (radii**2).sum()


def kept_regions(radii: Floats, low: Ints, high: Ints, tie: Floats, before: Floats) -> Floats:
    """The centres of the run before; only what is new, or has grown into another, makes its place.

    Args:
        radii: Of the regions, as far as their channels really reach.
        low: One community of each tie.
        high: The other.
        tie: How strong it is.
        before: Centres in the run before; NaN for new communities, that begin among those they are tied to.
    """
    return pushed_apart(_completed(before, low, high, tie), radii, gap=_GAP / 2, rounds=200)


def _pulls(points: Floats, radii: Floats, low: Ints, high: Ints, tie: Floats) -> Floats:
    """Ties pull, regions push in proportion to their sizes, and all fall gently to the middle."""
    move = -0.12 * points
    shift = points[high] - points[low]
    apart = np.maximum(np.hypot(shift[:, 0], shift[:, 1]) - radii[low] - radii[high], 0)
    unit = shift / np.maximum(np.hypot(shift[:, 0], shift[:, 1]), 1e-9)[:, None]
    pull = unit * (0.25 * tie * apart)[:, None]
    small = (radii[low] ** 2 / (radii[low] ** 2 + radii[high] ** 2))[:, None]
    np.add.at(move, low, pull * (1 - small))
    np.add.at(move, high, -pull * small)
    across = points[:, 0, None] - points[None, :, 0]
    along = points[:, 1, None] - points[None, :, 1]
    push = radii[None, :] * 7.0 / (across**2 + along**2 + 1.0)
    move[:, 0] += np.einsum("ij,ij->i", push, across)
    move[:, 1] += np.einsum("ij,ij->i", push, along)
    return move


def _spectral(count: int, low: Ints, high: Ints, tie: Floats) -> Floats:
    if count > 2 * _MANY:
        return spiral(count, MAP_RADIUS)
    near = np.full((count, count), 1e-3 * float(tie.max(initial=0)) + 1e-9)
    near[low, high] += tie
    near[high, low] += tie
    np.fill_diagonal(near, 0)
    scale = 1 / np.sqrt(near.sum(axis=1))
    _, vectors = np.linalg.eigh(np.eye(count) - near * scale[:, None] * scale[None, :])
    if count < 3:
        return np.array([[-1.0, 0.0], [1.0, 0.0]]) * MAP_RADIUS / 2
    axes = vectors[:, 1:3] * scale[:, None]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])[None, :]
    ranks = axes.argsort(axis=0).argsort(axis=0) / (count - 1) * 2 - 1  # even out: only the order is trusted
    return ranks * MAP_RADIUS * 0.7 + spiral(count, MAP_RADIUS * 0.02)


def _completed(start: Floats, low: Ints, high: Ints, tie: Floats) -> Floats:
    """New communities begin among those they are tied to."""
    points = start.copy()
    known = np.asarray(~np.isnan(points).any(axis=1), dtype=bool)
    fallback = spiral(len(points), MAP_RADIUS)
    for place in np.flatnonzero(~known).tolist():
        others = np.concatenate([high[low == place], low[high == place]])
        weight = np.concatenate([tie[low == place], tie[high == place]])
        near = np.asarray(known[others], dtype=bool)
        if near.any():
            share = weight[near] / weight[near].sum()
            points[place] = (start[others[near]] * share[:, None]).sum(axis=0) + fallback[place] * 0.05
        else:
            points[place] = fallback[place]
    return points
