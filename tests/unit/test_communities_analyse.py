"""The whole analysis and its six steps; cut anew by sliders; what pages ask of a finished map."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from dashboard.analytics.communities.analyse import analyse
from dashboard.analytics.communities.build import channels_of, presence_from_pairs
from dashboard.analytics.communities.edge_tables import edges_from_table
from dashboard.analytics.communities.inputs import Presence
from dashboard.analytics.communities.intersections import compare_channels
from dashboard.analytics.communities.model import STEPS, MapRun, to_map_payload
from dashboard.analytics.communities.params import MapParams
from dashboard.analytics.communities.questions import channel_overlaps, ego_map, partners
from dashboard.analytics.communities.recut import recut, vanished_edges

PARAMS = MapParams(measure="jaccard", min_shared=3, seeds=4, layout_iterations=30, lurker_rule=0)
GROUPS, EACH = 5, 8


def planted() -> Presence:
    """Five groups of eight channels; a channel's 60 people are mostly of its group's 150."""
    random = np.random.default_rng(4)
    rows = []
    for channel in range(GROUPS * EACH):
        own = [f"g{channel // EACH}-{n}" for n in random.choice(150, 50, replace=False)]
        others = [f"g{random.integers(GROUPS)}-{random.integers(150)}" for _ in range(10 + channel % 3)]
        rows += [(f"c{channel:02}", person) for person in sorted({*own, *others})]
    people = {person for _, person in rows}
    return presence_from_pairs(
        [room for room, _ in rows],
        [person for _, person in rows],
        channels=channels_of(
            [f"c{n:02}" for n in range(GROUPS * EACH)],
            games=[f"Game {n // EACH}" for n in range(GROUPS * EACH)],
            languages=["en"] * GROUPS * EACH,
        ),
        created_days={person: 990 if person.endswith("7") else 100 for person in people},
        until_at=1000 * 86_400_000_000,
    )


PRESENCE = planted()


@pytest.fixture(scope="module")
def run() -> MapRun:
    return analyse(PRESENCE, PARAMS, run_id="one", created_at=7)


def test_the_planted_groups_are_found_and_named(run: MapRun) -> None:
    groups = {int(key[1:]) // EACH: set() for key in run.nodes.channels.ids}
    for key, own in zip(run.nodes.channels.ids, run.nodes.community.tolist(), strict=True):
        groups[int(key[1:]) // EACH].add(own)

    assert sorted(groups.values(), key=min) == [{n} for n in range(GROUPS)]
    assert sorted(community.label for community in run.communities) == [f"Game {n}" for n in range(GROUPS)]
    assert run.statistics.agreement == 1
    assert run.statistics.is_enough


def test_columns_fit_together(run: MapRun) -> None:
    nodes, edges = run.nodes, run.edges
    assert (np.diff(nodes.channels.chatters) <= 0).all()
    assert (np.diff(edges.jaccard) <= 0).all()
    assert (edges.source < edges.target).all()
    row = 0
    one, other = (nodes.channels.ids[end] for end in (edges.source[row], edges.target[row]))
    places = {key: n for n, key in enumerate(PRESENCE.channels.ids)}
    people = [set(PRESENCE.chatter_index[PRESENCE.channel_index == places[key]]) for key in (one, other)]
    assert edges.shared[row] == len(people[0] & people[1])
    assert edges.containment_ab[row] == pytest.approx(len(people[0] & people[1]) / len(people[0]))
    assert nodes.degree.sum() == 2 * run.statistics.n_edges
    assert sum(community.size for community in run.communities) == len(nodes)


def test_six_steps_are_told_in_order_and_can_be_cancelled() -> None:
    told: list[tuple[str, float]] = []
    analyse(
        PRESENCE, PARAMS, run_id="x", created_at=0, progress=lambda step, share: told.append((step, share))
    )

    assert tuple(dict.fromkeys(step for step, _ in told)) == STEPS
    assert told[-1] == ("compare", 1.0)

    def cancel(step: str, _share: float) -> None:
        if step == "communities":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        analyse(PRESENCE, PARAMS, run_id="x", created_at=0, progress=cancel)


def test_the_payload_is_json_with_drawn_edges_only(run: MapRun) -> None:
    told = json.loads(json.dumps(to_map_payload(run), allow_nan=False))

    assert len(told["edges"]["s"]) == run.statistics.n_drawn < run.statistics.n_edges
    assert {len(column) for column in told["nodes"].values()} == {len(run.nodes)}
    first = told["nodes"]["game"][0]
    assert told["games"][first] == run.nodes.channels.games[0]


def test_too_little_is_said() -> None:
    empty = analyse(presence_from_pairs([], []), PARAMS, run_id="x", created_at=0)
    two = analyse(edges_from_table(["a"], ["b"], [9]), PARAMS, run_id="x", created_at=0)

    assert not empty.statistics.is_enough
    assert not two.statistics.is_enough
    json.dumps(to_map_payload(empty), allow_nan=False)


def test_every_setting_of_edges_changes_the_map() -> None:
    """Each setting is read: with it at another value something else comes out."""
    plain = replace(PARAMS, with_layout=False, backbone_alpha=0.3)
    base = analyse(PRESENCE, plain, run_id="x", created_at=0).statistics
    others = {
        "min_shared": (12, "n_edges"),
        "min_measure": (0.2, "n_edges"),
        "backbone": ("threshold", "n_backbone"),
        "backbone_alpha": (0.01, "n_backbone"),
        "top_k": (1, "n_drawn"),
        "seeds": (5, "seeds"),
        "resolution": (9.0, "n_communities"),
        "min_community_size": (9, "n_isolates"),
        "algorithm": ("louvain", "other_algorithm"),
        "max_channels": (20, "n_channels"),
        "over_chance": (False, "modularity"),
        "measure": ("containment", "modularity"),
        "max_edges_kept": (1, "edges_dropped"),
    }
    for name, (value, figure) in others.items():
        changed = analyse(PRESENCE, replace(plain, **{name: value}), run_id="x", created_at=0)
        assert getattr(changed.statistics, figure) != getattr(base, figure), name


def test_without_layout_nothing_moves() -> None:
    quick = replace(PARAMS, with_layout=False)
    assert not analyse(PRESENCE, quick, run_id="x", created_at=0).nodes.x.any()


def test_a_cut_with_the_same_settings_is_the_same_map(run: MapRun) -> None:
    again = recut(run, run.params)

    assert np.array_equal(again.nodes.community, run.nodes.community)
    assert np.array_equal(again.nodes.x, run.nodes.x)
    assert [c.key for c in again.communities] == [c.key for c in run.communities]
    assert [c.colour for c in again.communities] == [c.colour for c in run.communities]
    assert again.statistics.n_drawn == run.statistics.n_drawn


def test_a_cut_keeps_places_and_who_counts(run: MapRun) -> None:
    cut = recut(run, replace(run.params, min_shared=12, min_channel_chatters=1000))

    assert cut.statistics.n_edges == int((run.edges.shared >= 12).sum())
    assert cut.params.min_channel_chatters == run.params.min_channel_chatters
    assert np.array_equal(cut.nodes.y, run.nodes.y)
    assert len(cut.nodes) == len(run.nodes)


def test_a_cut_of_an_import_without_sizes() -> None:
    edges = edges_from_table(["a", "b", "a", "d"], ["b", "c", "c", "e"], [0.5, 0.4, 0.3, 0.2], is_count=False)
    run = analyse(edges, PARAMS, run_id="x", created_at=0)

    assert run.statistics.n_edges == 4
    assert recut(run, run.params).statistics.n_edges == 4
    counted = analyse(edges_from_table(["a", "b"], ["b", "c"], [9, 4]), PARAMS, run_id="x", created_at=0)
    assert recut(counted, replace(PARAMS, min_shared=5)).statistics.n_edges == 1


def test_edges_that_hang_on_young_accounts_vanish(run: MapRun) -> None:
    """A tenth of the people is ten days old; without them some edges fall below the threshold."""
    older = analyse(PRESENCE, replace(PARAMS, young_days=30), run_id="two", created_at=8, previous=run)

    gone = vanished_edges(run, older)

    assert run.statistics.n_edges - older.statistics.n_edges == len(gone) > 0
    assert [edge.shared for edge in gone] == sorted((edge.shared for edge in gone), reverse=True)
    assert run.nodes.channels.logins[gone[0].source] == gone[0].source_login
    assert dict(older.quality.left_out)["young accounts"] > 0


def test_one_channels_overlaps_are_seen_from_it(run: MapRun) -> None:
    near = channel_overlaps(run, 3, limit=5)

    assert len(near.other) == 5
    assert (np.diff(near.shared) <= 0).all()
    chatters = run.nodes.channels.chatters
    assert near.ours_there == pytest.approx(near.shared / chatters[3])
    assert near.theirs_here == pytest.approx(near.shared / chatters[near.other])
    with pytest.raises(IndexError):
        channel_overlaps(run, len(run.nodes))


def test_the_small_map_of_one_channel(run: MapRun) -> None:
    ego = ego_map(run, 3, limit=6)

    assert ego.node[0] == 3
    assert (ego.x[0], ego.y[0]) == (0, 0)
    reach = np.hypot(ego.x, ego.y)[1:]
    assert (np.diff(reach) >= -1e-9).all()  # the more is shared, the nearer
    rows = run.edges
    assert (ego.node[ego.edge_source] == rows.source[ego.edge_row]).all()


def trio() -> MapRun:
    """a shares 10 with b and 10 with c; b is as large as a, c ten times as large."""
    nodes = channels_of(["a", "b", "c", "d"], chatters=[100, 100, 1000, 100])
    edges = edges_from_table(["a", "a", "b"], ["b", "c", "d"], [10, 10, 9], nodes=nodes)
    return analyse(edges, MapParams(seeds=2, layout_iterations=5), run_id="x", created_at=0)


def test_partners_are_near_in_size_and_live() -> None:
    run = trio()
    node = {key: place for place, key in enumerate(run.nodes.channels.ids)}

    found = {run.nodes.channels.ids[p.node]: p for p in partners(run, node["a"])}
    assert found["b"].nearness == 1
    assert found["c"].nearness == pytest.approx(1 / (1 + (np.log(10) / np.log(4)) ** 2))
    assert found["b"].score > found["c"].score
    assert found["b"].is_live is None
    assert found["b"].new_people == 90

    live = {p.node: p for p in partners(run, node["a"], live={"a": 50, "c": 200})}
    assert live[node["c"]].nearness == pytest.approx(0.5)
    assert (live[node["c"]].is_live, live[node["b"]].is_live) == (True, False)
    assert [p.node for p in partners(run, node["a"], live={"c": 1}, only_live=True)] == [node["c"]]


def test_who_is_in_exactly_which_channels() -> None:
    rooms = {"a": "1234", "b": "345", "c": "4567"}
    presence = presence_from_pairs(
        [room for room, people in rooms.items() for _ in people],
        [p for people in rooms.values() for p in people],
    )

    found = compare_channels(presence, ["a", "b", "c"])

    counts = {"".join(group.channel_ids): group.count for group in found.groups}
    assert counts == {"a": 2, "b": 0, "c": 2, "ab": 1, "ac": 0, "bc": 1, "abc": 1}
    assert (found.sizes, found.n_people) == ((4, 3, 4), 7)
    for wrong in (["a"], ["a", "a"], ["a", "z"], ["a", "b", "c", "d", "e"]):
        with pytest.raises(ValueError):
            compare_channels(presence, wrong)
