"""Who counts: presence from rows and polls, the filters with what each takes, lurkers, the quality report."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics.communities.build import (
    channels_of,
    presence_from_pairs,
    presence_from_sightings,
)
from dashboard.analytics.communities.edge_tables import edges_from_table
from dashboard.analytics.communities.filters import filtered, filtered_edges
from dashboard.analytics.communities.inputs import Presence
from dashboard.analytics.communities.lurkers import lurkers, statistical_limit
from dashboard.analytics.communities.params import MapParams, params_from_dict
from dashboard.analytics.communities.quality import quality_of, quality_of_edges

OPEN = MapParams(min_channel_chatters=0, lurker_rule=0, lurker_statistics=False)


def pairs_of(presence: Presence) -> set[tuple[str, str]]:
    rows = zip(presence.channel_index.tolist(), presence.chatter_index.tolist(), strict=True)
    return {(presence.channels.ids[room], str(presence.chatter_ids[person])) for room, person in rows}


def test_rows_of_a_pair_are_added_up() -> None:
    presence = presence_from_pairs(
        ["b", "a", "b"], ["1", "1", "1"], message_counts=[2, 5, 4], sightings=[1, 1, 1]
    )

    assert pairs_of(presence) == {("a", "1"), ("b", "1")}
    assert presence.message_counts is not None
    assert presence.message_counts.tolist() == [5, 6]
    assert presence.sightings is not None
    assert presence.sightings.tolist() == [1, 2]
    assert presence.channels.chatters.tolist() == [1, 1]


def test_a_channel_without_anybody_stays_and_an_unknown_one_is_told() -> None:
    rooms = channels_of(["a", "z"])

    assert presence_from_pairs(["a"], ["1"], channels=rooms).channels.chatters.tolist() == [1, 0]
    with pytest.raises(ValueError, match="'b'"):
        presence_from_pairs(["b"], ["1"], channels=rooms)
    with pytest.raises(ValueError, match="games has 1"):
        channels_of(["a", "b"], games=["Chess"])


def test_polls_by_hand() -> None:
    """Chatter 1 is in a and b at 10, in a again at 20 (told twice) and at 30, which is after the period."""
    presence = presence_from_sightings(
        ["a", "b", "a", "a", "a", "b"], ["1", "1", "1", "1", "1", "2"], [10, 10, 20, 20, 30, 20], until_at=30
    )

    assert pairs_of(presence) == {("a", "1"), ("b", "1"), ("b", "2")}
    assert presence.sightings is not None
    assert presence.sightings.tolist() == [2, 1, 1]
    assert presence.most_at_once is not None
    assert dict(zip(presence.chatter_ids, presence.most_at_once, strict=True)) == {"1": 2, "2": 1}


def test_each_filter_says_what_it_took() -> None:
    rows = [("a", p) for p in "1234b"] + [("b", p) for p in "12y"] + [("c", p) for p in "3z"] + [("d", "1")]
    presence = presence_from_pairs(
        [room for room, _ in rows],
        [person for _, person in rows],
        channels=channels_of(["a", "b", "c", "d"], languages=["en", "EN", "en", "de"]),
        sightings=[2] * 9 + [1, 2],
        created_days={"y": 96, "z": 89},
        chatter_logins={"b": "HelpBot"},
        until_at=100 * 86_400_000_000,
    )
    params = MapParams(
        min_channel_chatters=2,
        min_chatter_channels=2,
        min_sightings=2,
        languages=("en",),
        lurker_rule=0,
        lurker_statistics=False,
        young_days=10,
    )

    left, told = filtered(presence, params, service_logins={"helpbot"})

    assert dict(told) == {
        "service accounts": 1,
        "young accounts": 1,
        "channels of other categories or languages": 1,
        "pairs seen too rarely": 1,
        "channels with too few chatters": 1,
        "chatters in too few channels": 2,
    }
    assert pairs_of(left) == {("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")}
    assert left.channels.chatters.tolist() == [2, 2]


def test_the_largest_channels_only() -> None:
    presence = presence_from_pairs(["a", "b", "b", "c", "c", "c"], ["1", "1", "2", "1", "2", "3"])

    left, _ = filtered(presence, MapParams(min_channel_chatters=1, max_channels=2, lurker_rule=0))

    assert left.channels.ids == ("b", "c")


def test_lurkers_by_rule() -> None:
    rooms = [f"r{n}" for n in range(20)]
    presence = presence_from_pairs([*rooms, *rooms[:19]], ["x"] * 20 + ["y"] * 19, seen_as="connected")

    found = lurkers(presence, rule=20, with_statistics=False)

    assert dict(zip(presence.chatter_ids, found, strict=True)) == {"x": True, "y": False}


def test_who_only_spoke_in_many_channels_is_no_lurker_by_rule() -> None:
    presence = presence_from_pairs([f"r{n}" for n in range(30)], ["x"] * 30, seen_as="speakers")

    assert not lurkers(presence, rule=20, with_statistics=False).any()


def test_lurkers_by_statistics() -> None:
    """3,000 people in one to four channels and five in 14: nobody is expected there."""
    counts = np.concatenate([np.repeat([1, 2, 3, 4], [2400, 480, 100, 20]), np.full(5, 14)])

    limit = statistical_limit(counts)

    assert limit is not None
    assert 5 <= limit <= 14


def test_no_limit_where_many_channels_are_usual() -> None:
    """People who go to many channels, as over weeks, are no lurkers for that."""
    random = np.random.default_rng(1)

    limit = statistical_limit(1 + random.geometric(0.1, 5000))

    assert limit is None or limit > 80
    assert statistical_limit(np.array([1, 1, 30])) is None


def test_the_quality_report_by_hand() -> None:
    presence = presence_from_pairs(
        ["a", "a", "a", "b", "b", "c"],
        ["1", "2", "3", "1", "2", "1"],
        channels=channels_of(["a", "b", "c"], observed_minutes=[60, 30, 90]),
        sightings=[1, 2, 3, 1, 1, 4],
        sources=["by hand"],
    )

    report = quality_of(presence)

    assert (report.n_channels, report.n_chatters, report.n_pairs) == (3, 3, 6)
    assert report.observed_hours == 3.0
    assert (report.chatters_average, report.chatters_median) == (2.0, 2.0)
    assert (report.chatters_max, report.chatters_min) == (3, 1)
    shares = (report.one_channel_share, report.two_channels_share, report.three_channels_share)
    assert shares == pytest.approx((1 / 3, 2 / 3, 1 / 3))
    assert (report.one_off_share, report.repeat_share, report.frequent_share) == pytest.approx(
        (3 / 6, 3 / 6, 2 / 6)
    )
    assert report.channel_minutes == (("a", 60), ("b", 30), ("c", 90))


def test_edges_are_filtered_by_their_channels() -> None:
    nodes = channels_of(["a", "b", "c"], chatters=[50, 3, -1], games=["Chess", "chess", "Chess"])
    edges = edges_from_table(["a", "a", "b"], ["b", "c", "c"], [1, 2, 3], nodes=nodes)

    left, told = filtered_edges(edges, MapParams(min_channel_chatters=5, games=("Chess",)))

    assert left.channels.ids == ("a", "c")
    assert left.shared.tolist() == [2]
    assert dict(told) == {"channels with too few chatters": 1}
    assert not quality_of_edges(left).has_chatters


def test_settings_are_checked() -> None:
    assert params_from_dict(MapParams(games=("Chess",)).as_dict()) == MapParams(games=("Chess",))
    with pytest.raises(ValueError, match="min_shred"):
        params_from_dict({"min_shred": 3})
    for wrong in (
        {"measure": "cosine"},
        {"resolution": 0.0},
        {"backbone_alpha": 0.0},
        {"seeds": 0},
        {"min_community_size": 1},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            params_from_dict(wrong)
