"""Which community is which of the run before: kept, born, dead, split, merged, and who moved."""

from __future__ import annotations

import numpy as np

from dashboard.analytics.communities.analyse import analyse
from dashboard.analytics.communities.edge_tables import edges_from_table
from dashboard.analytics.communities.inputs import EdgeList
from dashboard.analytics.communities.matching import match_communities
from dashboard.analytics.communities.model import MapRun
from dashboard.analytics.communities.params import MapParams

PARAMS = MapParams(min_channel_chatters=0, seeds=3, layout_iterations=20)


def groups(*members: str) -> EdgeList:
    """A clique of each word's letters."""
    pairs = [(a, b) for word in members for a in word for b in word if a < b]
    return edges_from_table([a for a, _ in pairs], [b for _, b in pairs], [10.0] * len(pairs))


def run_of(run_id: str, *members: str, previous: MapRun | None = None, **names: str) -> MapRun:
    return analyse(groups(*members), PARAMS, run_id=run_id, created_at=1, previous=previous, names=names)


def members_of(run: MapRun) -> dict[str, str]:
    """Key of a community → its channels."""
    return {
        community.key: "".join(
            sorted(login for login, own in zip(run.nodes.channels.logins, run.nodes.community, strict=True)
                   if own == place)
        )
        for place, community in enumerate(run.communities)
    }  # fmt: skip


FIRST = run_of("one", "abcdef", "ghijk", "lmno")


def key_of(letters: str) -> str:
    return next(key for key, members in members_of(FIRST).items() if members == letters)


def test_the_first_run_is_all_new() -> None:
    assert [community.fate for community in FIRST.communities] == ["new"] * 3
    assert FIRST.changes is None
    assert len(set(members_of(FIRST))) == 3


def test_kept_with_a_channel_that_moved_one_that_came_and_one_that_left() -> None:
    now = run_of("two", "abcde", "fghijkz", "lmn", previous=FIRST)

    assert members_of(now) == {key_of("abcdef"): "abcde", key_of("ghijk"): "fghijkz", key_of("lmno"): "lmn"}
    changes = now.changes
    assert changes is not None
    assert [(m.login, m.from_key, m.to_key) for m in changes.migrations] == [
        ("f", key_of("abcdef"), key_of("ghijk"))
    ]
    assert (changes.channels_entered, changes.channels_left) == (("z",), ("o",))
    assert (changes.births, changes.deaths, changes.splits, changes.merges) == ((), (), (), ())


def test_a_birth_and_a_death() -> None:
    now = run_of("two", "abcdef", "ghijk", "wxyz", previous=FIRST)

    changes = now.changes
    assert changes is not None
    label = next(c.label for c in FIRST.communities if c.key == key_of("lmno"))
    assert changes.deaths == ((key_of("lmno"), label),)
    assert [members_of(now)[key] for key in changes.births] == ["wxyz"]
    assert {c.fate for c in now.communities} == {"kept", "born"}


def test_a_split() -> None:
    now = run_of("two", "abcd", "ef", "ghijk", "lmno", previous=FIRST)

    members = members_of(now)
    assert members[key_of("abcdef")] == "abcd"
    changes = now.changes
    assert changes is not None
    ((old, pieces),) = changes.splits
    assert old == key_of("abcdef")
    assert sorted(members[piece] for piece in pieces) == ["abcd", "ef"]
    assert changes.births == ()
    assert changes.migrations == ()


def test_a_merge() -> None:
    now = run_of("two", "abcdef", "ghijklmno", previous=FIRST)

    changes = now.changes
    assert changes is not None
    ((olds, one),) = changes.merges
    assert set(olds) == {key_of("ghijk"), key_of("lmno")}
    assert one == key_of("ghijk")  # the larger part keeps its key
    assert changes.deaths == ()
    assert changes.migrations == ()
    assert {c.key: c.fate for c in now.communities}[one] == "merged"


def test_names_people_gave_stay_with_their_community() -> None:
    now = run_of("two", "abcde", "fghijk", "lmno", previous=FIRST, **{key_of("lmno"): "My people"})

    named = {community.key: (community.label, community.is_renamed) for community in now.communities}
    assert named[key_of("lmno")] == ("My people", True)
    assert not named[key_of("ghijk")][1]


def test_colours_stay() -> None:
    now = run_of("two", "abc", "ghijk", "lmno", "wxyz", previous=FIRST)

    before = {community.key: community.colour for community in FIRST.communities}
    after = {community.key: community.colour for community in now.communities}
    assert all(after[key] == before[key] for key in set(before) & set(after))


def test_nothing_against_something() -> None:
    match = match_communities(FIRST, [], np.zeros(0, dtype=np.int64), run_id="x")

    assert (match.keys, match.splits, match.merges) == ((), (), ())
