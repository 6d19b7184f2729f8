from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.map_runs import map_run
from dashboard.access import LOCAL, NOBODY, Access
from dashboard.analytics.communities.inputs import Presence
from dashboard.analytics.communities.model import ISOLATE, MapChanges, MapRun, Migration, to_map_payload
from dashboard.errors import AccessDenied, JobError
from dashboard.insights.community import CommunityInsights, params_of
from dashboard.insights.community_access import visible_run
from dashboard.insights.community_labels import open_label
from dashboard.insights.community_model import CommunityQuery, query_of
from tests.community_fakes import FakeJobs, FakeNames, FakeOrders, FakeRuns, Room, presence_of

RUN = map_run(60, 160, n_communities=5, seed=3)
LATER = map_run(60, 160, n_communities=5, seed=4)
VIEWER = Access("7", "somebody", rooms=frozenset({"mothlight"}))


def insights(
    *runs: MapRun,
    names: FakeNames | None = None,
    rooms: list[Room] | None = None,
    public: tuple[str, ...] = (),
) -> CommunityInsights:
    return CommunityInsights(
        FakeRuns(runs),
        names or FakeNames(),
        presence_of,
        FakeOrders(),
        FakeJobs(),
        lambda: rooms or [],
        lambda: public,
    )


def pairs(run: MapRun) -> set[frozenset[str]]:
    ids = run.nodes.channels.ids
    return {frozenset((ids[a], ids[b])) for a, b in zip(run.edges.source, run.edges.target, strict=True)}


def test_without_a_run_there_is_no_map() -> None:
    assert insights().view(LOCAL, CommunityQuery()) is None


def test_the_newest_run_is_shown_and_an_older_one_when_asked_for() -> None:
    page = insights(RUN, LATER)
    assert page.view(LOCAL, CommunityQuery()).run.run_id == LATER.run_id  # type: ignore[union-attr]
    assert page.view(LOCAL, CommunityQuery(RUN.run_id)).run is RUN  # type: ignore[union-attr]
    with pytest.raises(JobError, match="not kept any more"):
        page.view(LOCAL, CommunityQuery("gone"))


def test_channels_that_somebody_may_not_see_are_not_sent() -> None:
    page = insights(RUN, public=("Quietfish", "lanternherb"))
    view = page.view(VIEWER, CommunityQuery())
    assert view is not None
    assert set(view.payload()["nodes"]["login"]) == {"mothlight", "quietfish", "lanternherb"}
    assert view.hidden_count == 57
    text = repr(view.payload())
    assert not any(login in text for login in RUN.nodes.channels.logins[3:])
    hidden_id = RUN.nodes.channels.ids[10]
    assert page.channel(VIEWER, CommunityQuery(), hidden_id) is None
    assert page.partners(VIEWER, CommunityQuery(), hidden_id) is None
    assert page.links(VIEWER, CommunityQuery(), hidden_id) is None
    compared = page.compare(VIEWER, CommunityQuery(), [hidden_id, RUN.nodes.channels.ids[0]])
    assert compared is not None
    assert [name for _, name, _ in compared.channels] == ["Mothlight"]


def test_no_label_names_a_channel_that_is_hidden() -> None:
    """Communities are called after their largest channels where nothing else is told of them."""
    names = RUN.nodes.channels.names
    around = [
        replace(
            community,
            own_label=f"Chess · around {names[2]}, {names[10]}",
            label="The regulars" if number == 1 else f"Chess · around {names[2]}, {names[10]}",
            is_renamed=number == 1,
        )
        for number, community in enumerate(RUN.communities)
    ]
    moved = Migration(
        "x", RUN.nodes.channels.logins[2], "a", f"around {names[10]}", "b", f"around {names[2]}"
    )
    changes = MapChanges("r0", (), (), (("z", f"Art · around {names[11]}"),), (), (), (moved,), (), ())
    run = replace(RUN, communities=tuple(around), changes=changes)
    open_logins = RUN.nodes.channels.logins[:3]
    page = insights(run, public=open_logins)

    seen = page.view(VIEWER, CommunityQuery())
    assert seen is not None
    told = repr((seen.payload(), seen.run.changes, page.timeline(VIEWER)))
    told += repr([page.channel(VIEWER, CommunityQuery(), key) for key in RUN.nodes.channels.ids[:3]])
    told += "".join(str(page.file(VIEWER, CommunityQuery(), name)) for name in ("map.svg", "map.html"))
    hidden = [word for word in (*names[3:], *RUN.nodes.channels.logins[3:]) if word]
    assert [word for word in hidden if word in told] == []
    labels = [community.label for community in seen.run.communities]
    assert len(set(labels)) == len(labels)
    assert seen.run.changes is not None
    assert seen.run.changes.deaths == (("z", "Art"),)
    assert [(move.from_label, move.to_label) for move in seen.run.changes.migrations] == [
        ("a community", f"around {names[2]}")
    ]
    everything = page.view(LOCAL, CommunityQuery())
    assert everything is not None
    assert everything.run.communities[0].label.endswith(names[10])


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Chess (German)", "Chess (German)"),
        ("around One, two", "around One, two"),
        ("around One, Hidden", "around One"),
        ("Chess · around Hidden, Other", "Chess"),
        ("around Hidden 2", "a community"),
        ("Walks around town", "Walks around town"),
    ],
)
def test_a_label_keeps_what_may_be_told(label: str, shown: str) -> None:
    assert open_label(label, {"one", "two"}) == shown


def test_nobody_sees_not_even_public_channels() -> None:
    view = insights(RUN, public=RUN.nodes.channels.logins).view(NOBODY, CommunityQuery())
    assert view is not None
    assert view.payload()["nodes"]["id"] == []


def test_what_is_left_of_a_map_fits_together() -> None:
    kept = [login for number, login in enumerate(RUN.nodes.channels.logins) if number % 3]
    run, hidden_count = visible_run(RUN, VIEWER, kept)
    assert hidden_count == len(RUN.nodes) - len(run.nodes)
    assert pairs(run) == {pair for pair in pairs(RUN) if pair <= frozenset(run.nodes.channels.ids)}
    for number, community in enumerate(run.communities):
        inside = run.nodes.community == number
        assert community.size == int(inside.sum()) > 0
        assert community.chatters == int(run.nodes.channels.chatters[inside].sum())
        assert set(community.top_channels) <= set(run.nodes.channels.logins)
    old = {login: RUN.nodes.community[i] for i, login in enumerate(RUN.nodes.channels.logins)}
    for node, login in enumerate(run.nodes.channels.logins):
        new_number = int(run.nodes.community[node])
        if old[login] == ISOLATE:
            assert new_number == ISOLATE
        else:
            assert run.communities[new_number].key == RUN.communities[old[login]].key


def test_a_cut_keeps_places_and_asks_for_more_in_common() -> None:
    view = insights(RUN).view(LOCAL, CommunityQuery(min_shared=8))
    assert view is not None
    assert view.run.edges.shared.min() >= 8
    assert len(view.run.edges) == int((RUN.edges.shared >= 8).sum())
    np.testing.assert_array_equal(view.run.nodes.x, RUN.nodes.x)
    assert view.digest != insights(RUN).view(LOCAL, CommunityQuery()).digest  # type: ignore[union-attr]


def test_the_same_picture_has_the_same_digest_and_a_new_name_another() -> None:
    names = FakeNames()
    page = insights(RUN, names=names)
    first = page.view(LOCAL, CommunityQuery())
    assert first is not None
    assert page.view(LOCAL, CommunityQuery(min_shared=RUN.params.min_shared)).digest == first.digest  # type: ignore[union-attr]
    assert page.rename(LOCAL, "c1", "  The   regulars ") == "It is called The regulars from now on."
    renamed = page.view(LOCAL, CommunityQuery())
    assert renamed is not None
    assert renamed.digest != first.digest
    assert [one.label for one in renamed.run.communities if one.is_renamed] == ["The regulars"]
    page.rename(LOCAL, "c1", "")
    assert page.view(LOCAL, CommunityQuery()).digest == first.digest  # type: ignore[union-attr]


def test_only_who_manages_renames_and_orders() -> None:
    page = insights(RUN)
    for forbidden in (
        lambda: page.rename(VIEWER, "c1", "x"),
        lambda: page.start(VIEWER),
        lambda: page.cancel(VIEWER, "1"),
    ):
        with pytest.raises(AccessDenied):
            forbidden()
    assert page.start(LOCAL) == "job-1"
    with pytest.raises(JobError, match="60 characters"):
        page.rename(LOCAL, "c1", "x" * 61)


def test_young_accounts_take_the_edges_with_them_that_hang_on_them() -> None:
    # Six people tie the first two channels, all of them old; four tie the next two, all of them new.
    shared = Presence(
        channels=RUN.nodes.channels,
        channel_index=np.array([0] * 6 + [1] * 6 + [2] * 4 + [3] * 4),
        chatter_index=np.array([*range(6), *range(6), *range(6, 10), *range(6, 10)]),
        chatter_ids=np.array([str(number) for number in range(10)], dtype=object),
        created_days=np.array([10_000] * 6 + [20_714] * 4, dtype=np.int64),
        from_at=RUN.quality.from_at,
        until_at=RUN.quality.until_at,
    )
    assert shared.until_at // 86_400_000_000 == 20_717
    base = _of_two_pairs()
    page = CommunityInsights(FakeRuns([base]), FakeNames(), lambda run: shared, FakeOrders(), FakeJobs())
    whole = page.view(LOCAL, CommunityQuery())
    young = page.view(LOCAL, CommunityQuery(young_days=7))
    assert whole is not None
    assert young is not None
    assert young.has_ages
    ids = RUN.nodes.channels.ids
    assert pairs(whole.run) == {frozenset(ids[:2]), frozenset(ids[2:4])}
    assert pairs(young.run) == {frozenset(ids[:2])}
    gone = [{young.run.nodes.channels.ids[node] for node in pair} for pair in young.vanished]
    assert gone == [{ids[2], ids[3]}]
    assert page.view(LOCAL, CommunityQuery(young_days=3)).vanished == ()  # type: ignore[union-attr]


def _of_two_pairs() -> MapRun:
    from dataclasses import replace

    def two(values: list[float]) -> np.ndarray:
        return np.array(values)

    edges = replace(
        RUN.edges,
        source=np.array([0, 2]),
        target=np.array([1, 3]),
        shared=two([6.0, 4.0]),
        jaccard=two([1.0, 1.0]),
        containment_ab=two([1.0, 1.0]),
        containment_ba=two([1.0, 1.0]),
        lift=two([2.0, 2.0]),
        p_value=two([0.01, 0.01]),
        in_backbone=np.array([True, True]),
        is_drawn=np.array([True, True]),
    )
    params = replace(RUN.params, min_channel_chatters=0, min_shared=3, backbone="threshold")
    return replace(RUN, edges=edges, params=params)


def test_a_channel_has_all_its_overlaps_each_seen_from_it() -> None:
    page = insights(RUN)
    node = int(np.bincount(RUN.edges.target).argmax())
    channel_id = RUN.nodes.channels.ids[node]
    detail = page.channel(LOCAL, CommunityQuery(), channel_id)
    assert detail is not None
    mine = np.flatnonzero((RUN.edges.source == node) | (RUN.edges.target == node))
    assert detail.overlap_count == len(mine)
    best = mine[np.argmax(RUN.edges.jaccard[mine])]
    assert detail.overlaps[0].jaccard == pytest.approx(RUN.edges.jaccard[best])
    for overlap in detail.overlaps:
        assert overlap.containment == pytest.approx(overlap.shared / detail.chatters)
    others, strengths = page.links(LOCAL, CommunityQuery(), channel_id) or ([], [])
    assert len(others) == len(mine)
    assert strengths == sorted(strengths, reverse=True)


def test_growth_tells_every_run_that_has_the_channel() -> None:
    detail = insights(RUN, LATER).channel(LOCAL, CommunityQuery(), "1000")
    assert detail is not None
    assert [point.run_id for point in detail.growth] == [RUN.run_id, LATER.run_id]


def test_three_channels_are_counted_exactly() -> None:
    page = insights(RUN)
    ids = RUN.nodes.channels.ids[:3]
    found = page.compare(LOCAL, CommunityQuery(), [*ids, ids[0], "nobody"])
    assert found is not None
    presence = presence_of(RUN)
    people = [set(presence.chatter_index[presence.channel_index == number].tolist()) for number in range(3)]
    assert found.n_chatters == len(people[0] | people[1] | people[2])
    exact = {part.channel_ids: part.count for part in found.intersections}
    assert len(exact) == 7
    assert exact[ids] == len(people[0] & people[1] & people[2])
    assert exact[(ids[0],)] == len(people[0] - people[1] - people[2])
    assert len(found.pairs) == 3


def test_partners_that_are_live_come_with_their_viewers() -> None:
    node = int(np.bincount(RUN.edges.source).argmax())
    channel_id = RUN.nodes.channels.ids[node]
    quiet = insights(RUN).partners(LOCAL, CommunityQuery(), channel_id)
    assert quiet is not None
    assert quiet.live_known == 0
    last = quiet.partners[-1]
    login = RUN.nodes.channels.logins[RUN.nodes.channels.ids.index(last.channel_id)]
    rooms = [Room(login, True, 250, "Chess"), Room("elsewhere", True, 9, "Chess")]
    found = insights(RUN, rooms=rooms).partners(LOCAL, CommunityQuery(), channel_id)
    assert found is not None
    assert found.live_known == 1
    assert found.partners[0].is_live
    assert all(one.lift > 1 for one in found.partners)
    assert [(one.channel_id, one.live_viewers, one.game) for one in found.partners if one.is_live] == [
        (last.channel_id, 250, "Chess")
    ]


def test_tables_have_a_row_for_each_channel_and_each_overlap() -> None:
    page = insights(RUN)
    channels = page.table(LOCAL, CommunityQuery(), "channels")
    overlaps = page.table(LOCAL, CommunityQuery(), "overlaps")
    assert channels.total == len(channels.rows) == 60
    assert overlaps.total == len(overlaps.rows) == len(RUN.edges)
    assert channels.rows[0]["chatters"] == int(RUN.nodes.channels.chatters[0])
    assert len({row["row"] for row in overlaps.rows}) == len(RUN.edges)


def test_queries_from_addresses_take_only_what_makes_sense() -> None:
    assert query_of(None).is_as_made
    assert query_of({"measure": "beauty", "shared": "many", "res": "nan", "min": [], "young": "x"}).is_as_made
    query = query_of({"run": "a", "measure": "lift", "shared": "12", "res": "99", "min": "1", "young": "30"})
    assert query == CommunityQuery("a", "lift", 12, 4.0, 2, 30)
    params = params_of(RUN.params, query)
    assert (params.measure, params.min_shared, params.young_days) == ("lift", 12, 30)
    assert params_of(RUN.params, CommunityQuery()) == RUN.params


def test_the_payload_of_the_invented_run_is_the_model_s() -> None:
    assert insights(RUN).view(LOCAL, CommunityQuery()).payload() == to_map_payload(RUN)  # type: ignore[union-attr]


def test_a_map_as_a_file_has_only_what_may_be_seen() -> None:
    page = insights(RUN, public=("quietfish",))
    text = str(page.file(VIEWER, CommunityQuery(), "graph_nodes.csv"))
    assert "mothlight" in text
    assert "quietfish" in text
    assert not any(f"{login}," in text for login in RUN.nodes.channels.logins[2:])
    with pytest.raises(JobError, match="no such file"):
        page.file(LOCAL, CommunityQuery(), "../secret")
