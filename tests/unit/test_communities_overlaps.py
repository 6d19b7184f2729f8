"""Four channels worked by hand: all four measures, chance, and the same counts as sets give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics.communities.backbone import (
    disparity,
    drawn,
    p_values,
    significance,
    standing_out,
    strongest,
)
from dashboard.analytics.communities.build import channels_of, presence_from_pairs
from dashboard.analytics.communities.edge_tables import edges_from_table
from dashboard.analytics.communities.overlaps import (
    Overlaps,
    beyond_chance,
    measured,
    overlaps,
    overlaps_of_edges,
    weights,
)

ROOMS = {
    "ada": "abcdefgh",
    "bob": "efghij",
    "cy": "hij",
    "dee": "xyz",
}
"""ada & bob share e f g h; ada & cy share h; bob & cy share h i j; dee shares nobody. 13 people."""


def presence(rooms: dict[str, str] = ROOMS):
    pairs = [(room, person) for room, people in rooms.items() for person in people]
    return presence_from_pairs([room for room, _ in pairs], [person for _, person in pairs])


def test_four_channels_by_hand() -> None:
    found = overlaps(presence())

    assert (found.source.tolist(), found.target.tolist()) == ([0, 0, 1], [1, 2, 2])
    assert found.shared.tolist() == [4, 1, 3]
    assert found.sizes.tolist() == [8, 6, 3, 3]
    assert (found.n_chatters, found.n_overlaps) == (13, 3)
    measures = measured(found)
    assert measures.jaccard.tolist() == pytest.approx([4 / 10, 1 / 10, 3 / 6])
    assert measures.containment_ab.tolist() == pytest.approx([4 / 8, 1 / 8, 3 / 6])
    assert measures.containment_ba.tolist() == pytest.approx([4 / 6, 1 / 3, 3 / 3])
    assert measures.lift.tolist() == pytest.approx([4 * 13 / 48, 13 / 24, 3 * 13 / 18])
    assert measures.of("containment").tolist() == pytest.approx([4 / 6, 1 / 3, 1.0])


def test_pairs_below_the_threshold_are_counted_and_not_listed() -> None:
    found = overlaps(presence(), min_shared=2)

    assert found.shared.tolist() == [4, 3]
    assert found.n_overlaps == 3


def test_what_chance_does_not_give() -> None:
    """Sums of overlaps are 5, 7, 4 of 16 together: chance gives 5·7/16, 5·4/16, 7·4/16."""
    share = beyond_chance(overlaps(presence()))

    assert share.tolist() == pytest.approx([1 - 35 / 64, 0, 1 - 28 / 48])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sets(st.integers(0, 30), max_size=12), min_size=1, max_size=9), st.integers(1, 3))
def test_the_same_counts_as_sets(rooms: list[set[int]], least: int) -> None:
    pairs = [(f"r{n}", str(person)) for n, people in enumerate(rooms) for person in sorted(people)]
    if not pairs:
        return
    there = presence_from_pairs([room for room, _ in pairs], [person for _, person in pairs])
    names = there.channels.ids
    people = {name: rooms[int(name[1:])] for name in names}

    found = overlaps(there, min_shared=least)

    counted = {
        (names[one], names[other]): shared
        for one, other, shared in zip(found.source, found.target, found.shared, strict=True)
    }
    assert counted == {
        (one, other): len(people[one] & people[other])
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if len(people[one] & people[other]) >= least
    }


def test_many_blocks_give_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = overlaps(presence())
    told: list[float] = []
    monkeypatch.setattr("dashboard.analytics.communities.overlaps._BLOCK_RESULTS", 4)

    parts = overlaps(presence(), progress=told.append)

    assert told == [0.25, 0.5, 0.75, 1.0]
    assert (parts.source.tolist(), parts.target.tolist(), parts.shared.tolist()) == (
        whole.source.tolist(),
        whole.target.tolist(),
        whole.shared.tolist(),
    )


def test_no_channels_share_nothing() -> None:
    assert len(overlaps(presence_from_pairs([], []))) == 0


def test_a_table_of_edges_is_put_in_order() -> None:
    found = edges_from_table(
        ["Ada", "bob", "ada", "cy", "cy", "dee", "bob"],
        ["bob", "ADA", "cy", "cy", "bob", "ada", "dee"],
        [5, 9, 4, 7, float("nan"), -1, 2],
    )

    rows = zip(found.source.tolist(), found.target.tolist(), found.shared.tolist(), strict=True)
    ids = found.channels.ids
    assert {(ids[a], ids[b]): w for a, b, w in rows} == {
        ("ada", "bob"): 9,
        ("ada", "cy"): 4,
        ("bob", "dee"): 2,
    }
    mended = found.mended
    assert (mended.case_duplicates, mended.self_loops, mended.repeated_edges, mended.bad_weights) == (
        2,
        1,
        1,
        2,
    )


def test_edges_without_sizes_weigh_what_they_share() -> None:
    found = overlaps_of_edges(edges_from_table(["a", "b"], ["b", "c"], [5, 9]))

    assert np.isnan(measured(found).jaccard).all()
    assert weights(found, "jaccard").tolist() == [5, 9]


def test_unknown_sizes_are_taken_to_be_like_the_known() -> None:
    """a and b have ten times what they share (9 · 10 and 19 · 10); so c is taken to have 20 · 10."""
    nodes = channels_of(["a", "b", "c"], chatters=[90, 190, -1])
    found = overlaps_of_edges(edges_from_table(["a", "a", "b"], ["b", "c", "c"], [4, 5, 15], nodes=nodes))

    assert np.isnan(measured(found).jaccard).tolist() == [False, True, True]
    assert weights(found, "jaccard").tolist() == pytest.approx([4 / 276, 5 / 285, 15 / 375])
    assert weights(found, "containment").tolist() == pytest.approx([4 / 90, 5 / 90, 15 / 190])


def test_disparity_by_hand() -> None:
    """The middle has 8, 1, 1 of 10 over three edges; each leaf has its only edge, which says nothing."""
    ends = np.array([0, 0, 0]), np.array([1, 2, 3])

    p = disparity(*ends, np.array([8.0, 1.0, 1.0]), 4)

    assert p.tolist() == pytest.approx([0.2**2, 0.9**2, 0.9**2])
    assert standing_out(p, "disparity", 0.05).tolist() == [True, False, False]


def test_significance_is_never_below_the_exact_tail() -> None:
    """Of 10 people, 4 in one channel and 5 in the other, all 4 shared: 5·4·3·2 / (10·9·8·7) exactly."""
    found = Overlaps(np.array([0]), np.array([1]), np.array([4.0]), np.array([4.0, 5.0]), 10.0, 1)

    p = float(significance(found)[0])

    assert 5 * 4 * 3 * 2 / (10 * 9 * 8 * 7) <= p == pytest.approx(0.5**4)


def test_many_tests_need_a_stricter_limit() -> None:
    p = np.array([0.001, 0.02, 0.03, 0.2])

    assert standing_out(p, "significance", 0.04).tolist() == [True, True, True, False]
    assert standing_out(p, "significance", 0.039).tolist() == [True, False, False, False]
    assert standing_out(p, "significance", 0.0001).tolist() == [False] * 4


def test_a_plain_threshold_takes_all() -> None:
    found = overlaps(presence())

    p = p_values(found, found.shared, "threshold")

    assert np.isnan(p).all()
    assert standing_out(p, "threshold", 0.05).all()


def test_the_strongest_of_the_backbone_are_drawn_and_two_of_everybody() -> None:
    """A star of five: with top 1 its strongest; the others are drawn as they are a leaf's only edge."""
    source, target = np.zeros(5, dtype=np.int64), np.arange(1, 6)
    weight = np.array([5.0, 4, 3, 2, 1])
    some = np.array([True, True, True, False, False])
    assert drawn(source, target, weight, some, 1).all()
    ring = np.array([[0, 1, 2, 3, 0, 0], [1, 2, 3, 4, 4, 2]])

    shown = drawn(*ring, np.array([9.0, 9, 9, 9, 9, 1]), np.zeros(6, dtype=bool), 8)

    assert shown.tolist() == [True] * 5 + [False]


def test_the_strongest_of_either_end() -> None:
    """Of the star's edges the leaf's only one is always its strongest; among none there is none."""
    source, target = np.array([0, 0, 0, 1]), np.array([1, 2, 3, 2])
    weight = np.array([9.0, 5.0, 1.0, 7.0])
    everywhere = np.ones(4, dtype=bool)

    assert strongest(source, target, weight, everywhere, 1).tolist() == [True, False, True, True]
    assert not strongest(source, target, weight, ~everywhere, 1).any()
