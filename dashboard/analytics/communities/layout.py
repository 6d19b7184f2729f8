"""The picture: where every channel lies. Forces without chance, so the same input gives the same map.

After ForceAtlas2 (edges pull, channels push, a gentle gravity), with one change: communities have regions
that do not overlap, laid out first, and a channel stays in its community's region, on the side of those it
is tied to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.analytics.communities.discs import (
    GOLDEN,
    aligned,
    centred,
    pushed_apart,
    spiral,
    summed,
    without_overlap,
)
from dashboard.analytics.communities.inputs import Bools, Floats, Ints
from dashboard.analytics.communities.regions import (
    MAP_RADIUS,
    kept_regions,
    placed_regions,
    region_radii,
    ties,
)

_DISCS_SHARE: Final = 0.11
"""Share of the map that the channels' discs take together, unless that makes them very large."""
_LARGEST: Final = 64.0
_USUAL: Final = 15.0
_LEAST: Final = 1.6
_NEIGHBOURS: Final = 10
_MANY: Final = 4000


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the channels lie."""

    points: Floats
    """x and y of each."""
    radius: Floats


def layout(
    source: Ints,
    target: Ints,
    weight: Floats,
    membership: Ints,
    sizes: Floats,
    *,
    iterations: int = 250,
    start: Floats | None = None,
    start_radius: Floats | None = None,
) -> Layout:
    """Places the channels.

    Args:
        source: One end of each edge that pulls (the drawn ones are enough).
        target: The other end.
        weight: Of each edge.
        membership: Community of each channel; a negative one is an isolate and goes to the rim.
        sizes: Chatters of each channel; the area of its disc.
        iterations: Of the forces; a quarter of them with a start.
        start: Positions in the run before, NaN for new channels. The map is then turned to lie like it.
        start_radius: Radii in the run before, NaN for new channels: they tell its scale.

    Returns:
        Positions and radii; no two discs overlap.
    """
    radius = disc_radii(sizes)
    inside = np.flatnonzero(membership >= 0)
    points = np.zeros((len(membership), 2))
    if start is not None and (not len(inside) or np.isnan(start[inside]).all()):
        start = None
    before = _scale_before(radius, start_radius) if start is not None else 1.0
    start = None if start is None else start / before
    if len(inside):
        places = np.cumsum(membership >= 0) - 1
        both = (membership[source] >= 0) & (membership[target] >= 0)
        points[inside] = _placed(
            places[source[both]],
            places[target[both]],
            weight[both],
            membership[inside],
            radius[inside],
            iterations,
            None if start is None else start[inside],
        )
        if start is None:
            points[inside] = centred(points[inside], radius[inside])
        else:
            points = aligned(points, start, np.where(membership >= 0, radius**2, 0.0))
    points = _with_rim(points, radius, membership, start)
    extent = float((np.hypot(points[:, 0], points[:, 1]) + radius).max(initial=1.0))
    scale = min(MAP_RADIUS / max(extent, 1e-9), 2.0)
    if start is not None and 0.8 < before / scale < 1.1:
        scale = before  # a map that breathes with every run cannot be compared
    points, radius = points * scale, radius * scale
    return Layout(points, without_overlap(points, radius))


def _scale_before(radius: Floats, start_radius: Floats | None) -> float:
    if start_radius is None:
        return 1.0
    known = ~np.isnan(start_radius) & (radius > 0)
    return float(np.median(start_radius[known] / radius[known])) if known.any() else 1.0


def disc_radii(sizes: Floats) -> Floats:
    """Radii of the discs: their area grows with the chatters, within what can be seen and does not hide."""
    known = np.where(np.isnan(sizes) | (sizes < 0), 0, sizes)
    if not known.sum():
        return np.full(len(sizes), min(_USUAL, MAP_RADIUS * np.sqrt(_DISCS_SHARE / max(len(sizes), 1))))
    root = np.sqrt(known)
    scale = MAP_RADIUS * np.sqrt(_DISCS_SHARE / float(known.sum()))
    scale = min(scale, _LARGEST / float(root.max()), 2 * _USUAL / max(float(np.median(root)), 1e-9))
    least = min(_LEAST, 0.5 * MAP_RADIUS * np.sqrt(_DISCS_SHARE / len(sizes)))
    return np.maximum(root * scale, least)


def _placed(
    source: Ints,
    target: Ints,
    weight: Floats,
    home: Ints,
    radius: Floats,
    iterations: int,
    start: Floats | None,
) -> Floats:
    """Regions first; then channels inside them: edges pull, neighbours push, the region's rim holds."""
    count = int(home.max()) + 1
    radii = region_radii(home, radius, count)
    low, high, tie = ties(source, target, weight, home, count)
    if start is None:
        centres = placed_regions(radii, low, high, tie, iterations=iterations)
        points = _seeded(home, radius, centres, radii)
    else:
        before, reach = extents(start, home, radius, count)
        centres = kept_regions(np.fmin(radii, reach), low, high, tie, before)
        radii = np.fmax(radii, reach)
        points = _resumed(home, radius, centres, radii, start, before, source, target)
    same = home[source] == home[target]
    share = _pull_shares(source, target, weight, len(home)) * np.where(same, 1.0, 0.25)
    steps = iterations if start is None else iterations // 4
    steps = int(steps * min(1.0, (_MANY / len(home)) ** 0.5))  # many channels find their places sooner
    heat = float(np.median(radii)) * 0.25 if start is None else 0.5
    near = _neighbours(points)
    room = np.sqrt(radii[home] ** 2 / np.maximum(np.bincount(home)[home], 1))
    for step in range(steps):
        if step % 4 == 3:
            near = _neighbours(points)
        shift = points[target] - points[source]
        distance = np.maximum(np.hypot(shift[:, 0], shift[:, 1]), 1e-9)
        reach = np.where(same, distance, np.minimum(distance, radii[home[source]]))
        pull = shift / distance[:, None] * reach[:, None]
        move = summed(len(points), source, pull * share[0][:, None])
        move -= summed(len(points), target, pull * share[1][:, None])
        move += _pushes(points, near, room)
        move -= 0.015 * (points - centres[home])
        length = np.maximum(np.hypot(move[:, 0], move[:, 1]), 1e-12)
        points = points + move * (np.minimum(length, heat * (1 - step / steps)) / length)[:, None]
        points = _held(points, radius, centres[home], radii[home])
    return pushed_apart(points, radius, gap=1.5, rounds=120)


def _pull_shares(source: Ints, target: Ints, weight: Floats, count: int) -> Floats:
    """How hard each edge pulls at its source and at its target: its part of that channel's weight."""
    strength = np.bincount(np.concatenate([source, target]), weights=np.concatenate([weight, weight]))
    strength = np.maximum(np.pad(strength, (0, max(0, count - len(strength)))), 1e-300)
    return np.stack([weight / strength[source], weight / strength[target]]) * 0.3


def _neighbours(points: Floats) -> Ints:
    """The nearest of each channel, a row each."""
    from scipy.spatial import cKDTree

    some = min(_NEIGHBOURS + 1, len(points))
    found = cKDTree(points).query(points, k=some)[1].reshape(len(points), some)
    return found[:, 1:].astype(np.int64)


def _pushes(points: Floats, near: Ints, room: Floats) -> Floats:
    """Neighbours push as strongly as they are nearer than there would be room for everybody."""
    across = points[:, 0, None] - points[near, 0]
    along = points[:, 1, None] - points[near, 1]
    distance = np.maximum(np.sqrt(across * across + along * along), 1e-6)
    wanted = (room[:, None] + room[near]) * 1.1
    push = np.clip(wanted / distance - 1, 0, 6) * wanted * (0.06 / distance)
    return np.stack([np.einsum("ij,ij->i", push, across), np.einsum("ij,ij->i", push, along)], axis=1)


def _held(points: Floats, radius: Floats, centres: Floats, radii: Floats) -> Floats:
    out = points - centres
    distance = np.maximum(np.hypot(out[:, 0], out[:, 1]), 1e-9)
    most = np.maximum(radii - radius, radii * 0.2)
    return np.where((distance > most)[:, None], centres + out * (most / distance)[:, None], points)


def _seeded(home: Ints, radius: Floats, centres: Floats, radii: Floats) -> Floats:
    """The start: the largest in the middle of their region, the others around them."""
    points = np.zeros((len(home), 2))
    by_size = np.lexsort((np.arange(len(radius)), -radius))
    for place in range(len(centres)):
        own = by_size[home[by_size] == place]
        points[own] = centres[place] + spiral(len(own), radii[place] * 0.85)
    return points


def _resumed(
    home: Ints,
    radius: Floats,
    centres: Floats,
    radii: Floats,
    start: Floats,
    before: Floats,
    source: Ints,
    target: Ints,
) -> Floats:
    """The start from the run before: channels move with their region; new ones begin between their ties."""
    points = _seeded(home, radius, centres, radii)
    known: Bools = np.asarray(~np.isnan(start).any(axis=1))
    points[known] = centres[home[known]] + start[known] - before[home[known]]
    pulled = np.zeros((len(home), 2))
    pulls = np.zeros(len(home))
    for end, other in ((source, target), (target, source)):
        ties_home = known[other] & ~known[end] & (home[end] == home[other])
        np.add.at(pulled, end[ties_home], points[other[ties_home]])
        np.add.at(pulls, end[ties_home], 1)
    tied = np.asarray(pulls > 0, dtype=bool)
    turn = np.flatnonzero(tied) * GOLDEN
    aside = np.stack([np.cos(turn), np.sin(turn)], axis=1) * radius[tied][:, None]
    points[tied] = pulled[tied] / pulls[tied][:, None] + aside
    return points


def extents(points: Floats, home: Ints, radius: Floats, count: int) -> tuple[Floats, Floats]:
    """The middle of each community and how far nine in ten of its channels reach; NaN where none lie."""
    known: Bools = np.asarray(~np.isnan(points).any(axis=1) & (home >= 0))
    centres, reach = np.full((count, 2), np.nan), np.full(count, np.nan)
    for place in range(count):
        own = known & (home == place)
        if own.any():
            centres[place] = points[own].mean(axis=0)
            distance = np.hypot(*(points[own] - centres[place]).T) + radius[own]
            reach[place] = np.quantile(distance, 0.9)
    return centres, reach


def _with_rim(points: Floats, radius: Floats, membership: Ints, start: Floats | None) -> Floats:
    """Isolates on rings around the map, side by side; those that were there before keep their order."""
    outside = np.flatnonzero(membership < 0)
    if not len(outside):
        return points
    inside = membership >= 0
    reach = np.hypot(points[inside, 0], points[inside, 1]) + radius[inside]
    ring = max(float(reach.max(initial=0)) + 60.0, 120.0)
    angle = (np.arange(len(membership)) * GOLDEN) % (2 * np.pi)
    if start is not None:
        known: Bools = np.asarray(~np.isnan(start).any(axis=1))
        angle = np.where(known, np.arctan2(start[:, 1], start[:, 0]) % (2 * np.pi), angle)
    order = outside[np.argsort(angle[outside], kind="stable")]
    widest = float(radius[outside].max())
    step = 2 * widest + 4.0
    while len(order):
        fitting = max(1, int(2 * np.pi * ring / step))
        now, order = order[:fitting], order[fitting:]
        turns = (np.arange(len(now)) + 0.5) * 2 * np.pi / len(now)
        points[now] = np.stack([ring * np.cos(turns), ring * np.sin(turns)], axis=1)
        ring += step
    return points
