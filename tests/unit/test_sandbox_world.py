"""The sandbox's world: the same for a seed, whole over time, peopled as Twitch is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from dashboard.sandbox import World

NOON_S = 1_781_200_800.0
"""2026-06-11T18:00:00Z."""
HOUR_S, DAY_S = 3600, 86_400


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, 40)


def test_one_seed_is_one_world_and_another_seed_is_another() -> None:
    first, again, other = (
        list(World(seed, 12).raw_lines("mothlight", NOON_S, NOON_S + 600)) for seed in (7, 7, 8)
    )
    assert len(first) > 300
    assert first == again
    assert not set(first) & set(other)


def test_a_stretch_is_the_sum_of_its_parts_in_whatever_order_it_is_asked_for(world: World) -> None:
    fresh = World(7, 40)
    late = [line.raw for line in fresh.lines("mothlight", NOON_S + 137.3, NOON_S + 400)]
    early = [line.raw for line in fresh.lines("mothlight", NOON_S, NOON_S + 137.3)]
    assert early + late == list(world.raw_lines("mothlight", NOON_S, NOON_S + 400))


def test_home_is_always_live_and_a_good_part_of_the_others(world: World) -> None:
    for hour in range(0, 24 * 14, 5):
        live = {state.channel.login for state in world.live_at(NOON_S + hour * HOUR_S)}
        assert {channel.login for channel in world.home} <= live
        assert 6 <= len(live) <= 32


def test_the_first_channel_is_the_one_in_the_pictures(world: World) -> None:
    state = world.stream_at("mothlight", NOON_S)
    assert state is not None
    assert "Hollow Knight" in {game.name for game in state.channel.community.games}
    assert 600 < state.viewer_count < 2500
    assert state.started_s <= NOON_S < state.started_s + 9 * HOUR_S
    assert world.stream_at("nobody", NOON_S) is None


def test_streams_of_a_channel_do_not_overlap(world: World) -> None:
    for channel in world.channels:
        sessions = world.schedule.sessions_between(channel.index, NOON_S, NOON_S + 10 * DAY_S)
        assert sessions
        for before, after in pairwise(sessions):
            assert before.ended_s <= after.started_s
        for session in sessions:
            assert session.segments[0][0] == session.started_s
            assert world.schedule.session_at(channel.index, session.started_s) == session
            assert session.game_at(session.ended_s - 1) == session.segments[-1][1]


def test_viewers_move_smoothly_and_stay_the_same_on_asking_again(world: World) -> None:
    samples = [world.schedule.viewers(0, NOON_S + 60 * k) for k in range(240)]
    raided = {k for raid in world.schedule.raids(0, NOON_S - 60, NOON_S + 240 * 60)
              for k in [int((raid.at_s - NOON_S) // 60)]}  # fmt: skip
    for k, (before, after) in enumerate(pairwise(samples)):
        if k not in raided and k - 1 not in raided and k + 1 not in raided:
            assert abs(after - before) < 0.05 * before
    assert samples == [World(7, 40).schedule.viewers(0, NOON_S + 60 * k) for k in range(240)]


def test_a_raid_moves_viewers(world: World) -> None:
    raids = [raid for c in range(3) for raid in world.schedule.raids(c, NOON_S, NOON_S + 2 * DAY_S)]
    assert len(raids) > 10
    for raid in raids:
        before = world.schedule.viewers(raid.target, raid.at_s - 1)
        after = world.schedule.viewers(raid.target, raid.at_s + 30)
        assert after - before > 0.6 * raid.viewer_count - 0.05 * before
    from_channels = [raid for raid in raids if raid.source is not None]
    for raid in from_channels:
        assert raid.source is not None
        assert world.schedule.session_at(raid.source, raid.at_s) is None
        assert world.schedule.session_at(raid.source, raid.at_s - 10) is not None


class TestPeople:
    def test_logins_and_ids_are_of_one_person_each_and_lead_back(self, world: World) -> None:
        people = world.population
        users = [people.user(index) for index in range(0, people.regular_count, 3)]
        assert len({user.login for user in users}) == len({user.user_id for user in users}) == len(users)
        assert max(len(user.login) for user in users) <= 25
        for user in users[::500]:
            assert people.by_login(user.login) == user
            assert people.by_id(user.user_id) == user
        for channel in world.channels:
            owner = people.by_login(channel.login)
            assert owner is not None
            assert owner == people.by_id(channel.user_id)
        assert people.by_login("surely_not_here") is None
        assert people.by_id("3") is None
        assert people.by_id("x") is None

    def test_ids_grow_with_the_creation_date(self, world: World) -> None:
        users = sorted(
            (world.population.user(index) for index in range(0, world.population.regular_count, 97)),
            key=lambda user: user.created_s,
        )
        ids = [int(user.user_id) for user in users]
        assert all(after - before > -64 for before, after in pairwise(ids))

    def test_ages_are_those_of_a_platform_that_grew(self, world: World) -> None:
        people, _, _ = world.schedule.members(0)
        years = (world.population.created(people) / (365.25 * DAY_S) + 1970).astype(int)
        count = {year: int((years == year).sum()) for year in range(2007, 2026)}
        assert count[2009] < count[2012] < count[2016] < count[2020]
        assert count[2020] > 1.3 * count[2018]
        assert count[2020] > count[2023]
        days = np.unique(world.population.created(people) // DAY_S)
        assert len(days) > 0.4 * len(people)

    def test_nobody_is_there_before_their_account_was_made(self, world: World) -> None:
        then_s = 1_577_836_800  # 2020-01-01
        for t in (then_s, int(NOON_S)):
            for index in world.audience.chatters(0, t // 60):
                assert world.population.user(int(index)).created_s < t + 60

    def test_channels_of_a_community_share_their_people(self, world: World) -> None:
        members = [set(world.schedule.members(c)[0].tolist()) for c in range(40)]
        same, different = [], []
        for a in range(40):
            for b in range(a):
                overlap = len(members[a] & members[b]) / min(len(members[a]), len(members[b]))
                of_one = world.channels[a].community is world.channels[b].community
                (same if of_one else different).append(overlap)
        assert np.median(same) > 10 * np.median(different)
        assert np.percentile(different, 95) < np.median(same)

    def test_sizes_follow_a_power_law_more_than_an_even_spread(self, world: World) -> None:
        sizes = sorted((channel.usual_viewers for channel in world.channels), reverse=True)
        assert sum(sizes[:8]) > 0.5 * sum(sizes)

    def test_as_many_chat_as_fit_the_viewers(self, world: World) -> None:
        for k in range(0, 300, 30):
            t = NOON_S + 60 * k
            chatters = len(world.audience.chatters(0, int(t // 60)))
            assert 0.5 < chatters / world.schedule.viewers(0, t) < 0.95

    def test_people_come_and_go(self, world: World) -> None:
        minute = int(NOON_S // 60)
        now, then, later = (set(world.audience.chatters(0, minute + k).tolist()) for k in (0, 1, 60))
        assert len(now & then) > 0.95 * len(now)
        assert 0.4 * len(now) < len(now & later) < 0.95 * len(now)


class TestBots:
    def test_lurker_bots_sit_in_very_many_channels(self, world: World) -> None:
        minute = int(NOON_S // 60)
        channels_of: dict[int, int] = {}
        for c in range(40):
            for index in world.audience.chatters(c, minute).tolist():
                channels_of[index] = channels_of.get(index, 0) + 1
        truth = world.ground_truth(NOON_S, NOON_S + 60)["lurker_bots"]
        assert isinstance(truth, list)
        lurkers = {bot["login"]: bot["channels"] for bot in truth}
        most = sorted(channels_of, key=lambda index: -channels_of[index])[: len(lurkers)]
        assert {world.population.user(index).login for index in most} == set(lurkers)
        assert min(len(channels) for channels in lurkers.values()) > 12

    def test_a_wave_is_made_in_days_sits_there_and_is_silent(self, world: World) -> None:
        truth = world.ground_truth(NOON_S, NOON_S + 60)["bot_waves"]
        assert isinstance(truth, list)
        wave = next(wave for wave in truth if wave["channel"] == "mothlight")
        people = [world.population.by_id(account["user_id"]) for account in wave["accounts"]]
        assert [user.login for user in people if user] == [account["login"] for account in wave["accounts"]]
        days = {int(user.created_s // DAY_S) for user in people if user}
        assert len(days) <= wave["day_count"] <= 3
        assert all(user.created_s < wave["from"] for user in people if user)
        logins = {account["login"] for account in wave["accounts"]}
        state = world.stream_at("mothlight", NOON_S)
        assert state is not None
        there = world.audience.chatter_logins(0, state.started_s // 60 + 30)
        assert len(logins & there) > 0.8 * len(logins)
        assert not logins & world.audience.chatter_logins(0, state.started_s // 60 + 5)
        writers = {line.user for line in world.lines("mothlight", NOON_S, NOON_S + 3600)}
        assert not writers & {user.index for user in people if user}
