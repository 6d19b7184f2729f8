"""Discs in the plane that may not overlap: pushed apart, and compared with where they were before."""

from __future__ import annotations

from typing import Final

import numpy as np

from dashboard.analytics.communities.inputs import Floats, Ints

GOLDEN: Final = np.pi * (3 - np.sqrt(5))
"""Turns by this angle fill a disc evenly; used wherever a start without chance is wanted."""


def spiral(count: int, radius: float) -> Floats:
    """Points that fill a disc evenly, from its centre outwards, the same every time."""
    places = np.arange(count)
    reach = radius * np.sqrt((places + 0.5) / max(count, 1))
    return np.stack([reach * np.cos(places * GOLDEN), reach * np.sin(places * GOLDEN)], axis=1)


def touching(points: Floats, radius: Floats, gap: float) -> tuple[Ints, Ints, Floats]:
    """Pairs of discs nearer to each other than the gap.

    Returns:
        One disc, the other, and by how much they are too near.
    """
    from scipy.spatial import cKDTree

    if len(points) < 2:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    usual = float(np.quantile(radius, 0.9))
    is_large = radius > usual
    small = np.flatnonzero(~is_large)
    pairs = cKDTree(points[small]).query_pairs(2 * usual + gap, output_type="ndarray")
    one, other = small[pairs[:, 0]], small[pairs[:, 1]]
    large = np.flatnonzero(is_large)
    if len(large):
        reach = radius[large] + float(radius.max()) + gap
        near = cKDTree(points).query_ball_point(points[large], reach)
        centre = np.repeat(large, [len(found) for found in near])
        around = np.concatenate([np.asarray(found, dtype=np.int64) for found in near])
        fresh = (around != centre) & (~is_large[around] | (around < centre))
        one, other = np.concatenate([one, centre[fresh]]), np.concatenate([other, around[fresh]])
    apart = np.hypot(*(points[one] - points[other]).T)
    lacking = radius[one] + radius[other] + gap - apart
    close = lacking > 1e-9
    return one[close], other[close], lacking[close]


def pushed_apart(points: Floats, radius: Floats, *, gap: float, rounds: int) -> Floats:
    """Discs moved until none overlap, small ones more than large ones, or until the rounds are over."""
    points = points.copy()
    for _ in range(rounds):
        one, other, lacking = touching(points, radius, gap)
        if not len(one):
            break
        shift = points[one] - points[other]
        length = np.hypot(shift[:, 0], shift[:, 1])
        same = length < 1e-9
        if same.any():  # two at one place part in a direction that is theirs
            turn = (one[same] * 7 + other[same]) * GOLDEN
            shift[same] = np.stack([np.cos(turn), np.sin(turn)], axis=1)
            length[same] = 1
        weight = radius[one] ** 2 / (radius[one] ** 2 + radius[other] ** 2)
        step = shift / length[:, None] * (lacking * 1.02)[:, None]
        points += summed(len(points), one, step * (1 - weight)[:, None])
        points -= summed(len(points), other, step * weight[:, None])
    return points


def without_overlap(points: Floats, radius: Floats) -> Floats:
    """Radii made smaller where two discs still overlap, so that none do."""
    one, other, lacking = touching(points, radius, 0.0)
    if not len(one):
        return radius
    both = radius[one] + radius[other]
    fit = np.maximum((both - lacking) / both, 1e-3) * (1 - 1e-9)
    factor = np.ones(len(radius))
    np.minimum.at(factor, one, fit)
    np.minimum.at(factor, other, fit)
    return radius * factor


def summed(count: int, places: Ints, vectors: Floats) -> Floats:
    """The sum of the vectors at each place."""
    return np.stack(
        [np.bincount(places, weights=vectors[:, axis], minlength=count) for axis in (0, 1)], axis=1
    )


def aligned(points: Floats, before: Floats, weight: Floats) -> Floats:
    """The points turned, mirrored and moved (never stretched) to lie as near as can be to where they were.

    Args:
        points: Where they are now.
        before: Where they were; NaN for new ones.
        weight: How much each counts.

    Returns:
        All points, moved together (Procrustes).
    """
    known = ~np.isnan(before).any(axis=1) & (weight > 0)
    if known.sum() < 2:
        return points
    share = (weight[known] / weight[known].sum())[:, None]
    centre_now, centre_then = (points[known] * share).sum(axis=0), (before[known] * share).sum(axis=0)
    now, then = points[known] - centre_now, before[known] - centre_then
    left, _, right = np.linalg.svd((now * share).T @ then)
    return (points - centre_now) @ (left @ right) + centre_then


def centred(points: Floats, radius: Floats) -> Floats:
    """The points moved so that the smallest circle around the discs lies about the origin."""
    centre = np.zeros(2)
    for step in range(1, 200):
        shift = points - centre
        distance = np.hypot(shift[:, 0], shift[:, 1]) + radius
        far = int(distance.argmax())
        centre = centre + shift[far] / (step + 1)
    return points - centre
