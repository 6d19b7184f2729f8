"""The picture: the same every time, communities apart, no two discs on each other, like the one before."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics.communities.assemble import coloured
from dashboard.analytics.communities.discs import aligned, centred, pushed_apart, touching, without_overlap
from dashboard.analytics.communities.inputs import Floats, Ints
from dashboard.analytics.communities.layout import Layout, disc_radii, layout
from dashboard.analytics.communities.model import COLOURS


def blocks(count: int, each: int) -> tuple[Ints, Ints, Floats, Ints, Floats]:
    """Communities of ``each`` channels with edges inside and a few to the next; five isolates."""
    random = np.random.default_rng(2)
    home = np.repeat(np.arange(count), each)
    inner = (
        random.integers(0, each, (count * each * 3, 2))
        + (np.arange(count * each * 3) % count * each)[:, None]
    )
    outer = np.stack([np.arange(count) * each, (np.arange(count) * each + each) % (count * each)], axis=1)
    ends = np.unique(np.sort(np.concatenate([inner, outer]), axis=1), axis=0)
    ends = ends[ends[:, 0] != ends[:, 1]]
    sizes = np.concatenate([random.pareto(1.2, count * each) * 100 + 10, np.full(5, 20.0)])
    membership = np.concatenate([home, np.full(5, -1)])
    return ends[:, 0], ends[:, 1], np.ones(len(ends)), membership, sizes


@pytest.fixture(scope="module")
def parts() -> tuple[Ints, Ints, Floats, Ints, Floats]:
    return blocks(6, 25)


@pytest.fixture(scope="module")
def made(parts: tuple[Ints, Ints, Floats, Ints, Floats]) -> Layout:
    return layout(*parts, iterations=80)


def test_it_is_the_same_every_time(parts, made: Layout) -> None:
    again = layout(*parts, iterations=80)

    assert np.array_equal(made.points, again.points)
    assert np.array_equal(made.radius, again.radius)


def test_no_discs_overlap_and_all_are_on_the_map(made: Layout) -> None:
    assert len(touching(made.points, made.radius, 0.0)[0]) == 0
    assert (np.hypot(*made.points.T) + made.radius).max() <= 1000.001
    assert (made.radius > 0).all()


def test_communities_lie_apart(parts, made: Layout) -> None:
    """Every channel is nearer to the middle of its own community than to that of any other."""
    membership = parts[3]
    inside = membership >= 0
    centres = np.stack([made.points[membership == n].mean(axis=0) for n in range(6)])
    distance = np.hypot(*(made.points[inside][:, None] - centres[None]).transpose(2, 0, 1))

    assert (distance.argmin(axis=1) == membership[inside]).mean() > 0.97


def test_isolates_are_at_the_rim(parts, made: Layout) -> None:
    reach = np.hypot(*made.points.T)

    assert reach[parts[3] < 0].min() > reach[parts[3] >= 0].max()


def test_a_new_run_lies_like_the_one_before(parts, made: Layout) -> None:
    """Started from the map mirrored, it stays mirrored; one new channel does not turn it around."""
    mirrored = made.points * [-1.0, 1.0]
    start, radius = mirrored.copy(), made.radius.copy()
    start[7], radius[7] = np.nan, np.nan

    again = layout(*parts, iterations=80, start=start, start_radius=radius)

    inside = parts[3] >= 0
    moved = np.hypot(*(again.points - mirrored)[inside].T)
    assert np.median(moved) < 40
    own = (parts[3] == parts[3][7]) & (np.arange(len(start)) != 7)
    centre = again.points[own].mean(axis=0)
    assert np.hypot(*(again.points[7] - centre)) < 1.5 * np.hypot(*(again.points[own] - centre).T).max()


def test_nothing_and_one() -> None:
    none = np.zeros(0, dtype=np.int64)

    assert layout(none, none, np.zeros(0), none, np.zeros(0)).points.shape == (0, 2)
    one = layout(none, none, np.zeros(0), np.array([-1]), np.array([5.0]))
    assert np.isfinite(one.points).all()
    pair = layout(np.array([0]), np.array([1]), np.ones(1), np.array([0, 0]), np.array([5.0, 9.0]))
    assert len(touching(pair.points, pair.radius, 0.0)[0]) == 0


def test_the_area_grows_with_the_chatters() -> None:
    radius = disc_radii(np.array([400.0, 100.0, 25.0] + [100.0] * 300))

    assert radius[0] / radius[1] == pytest.approx(2)
    assert radius[1] / radius[2] == pytest.approx(2)
    assert len(set(disc_radii(np.full(4, np.nan)).tolist())) == 1


def test_discs_at_one_place_part() -> None:
    points = pushed_apart(np.zeros((3, 2)), np.array([1.0, 2.0, 3.0]), gap=0.5, rounds=200)

    assert len(touching(points, np.array([1.0, 2.0, 3.0]), 0.49)[0]) == 0


def test_what_cannot_part_shrinks() -> None:
    points = np.array([[0.0, 0.0], [3.0, 0.0], [10.0, 0.0]])

    radius = without_overlap(points, np.array([2.0, 2.0, 2.0]))

    assert radius.tolist() == pytest.approx([1.5, 1.5, 2.0])


def test_turned_and_mirrored_back() -> None:
    before = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0], [np.nan, np.nan]])
    turn = np.array([[0.0, 1.0], [1.0, 0.0]])
    now = np.nan_to_num(before) @ turn + [50.0, -3.0]

    back = aligned(now, before, np.ones(4))

    assert back[:3] == pytest.approx(before[:3], abs=1e-9)


def test_the_middle() -> None:
    points = centred(np.array([[10.0, 10.0], [30.0, 10.0], [20.0, 11.0]]), np.ones(3))

    assert points[:2] == pytest.approx(np.array([[-10.0, 0.0], [10.0, 0.0]]), abs=0.5)


def test_neighbours_differ_in_colour_and_old_ones_stay() -> None:
    line = np.stack([np.arange(20) * 100.0, np.zeros(20)], axis=1)

    colours = coloured(line, np.full(20, 30.0), [5] + [-1] * 19)

    assert colours[0] == 5
    assert all(len(set(colours[n : n + 3])) == 3 for n in range(18))
    assert set(colours) <= set(range(COLOURS))
