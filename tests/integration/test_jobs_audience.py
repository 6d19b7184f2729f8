"""The audience jobs against the sandbox and a real lake: whole or not counted, partial failures said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dashboard.errors import JobCancelled, JobError
from dashboard.events import Instant
from dashboard.jobs.audience import followers, subscribers
from dashboard.jobs.capture import chatters
from dashboard.jobs.platform import clips, logins
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World
from tests.jobs_helpers import SCOPES, Bench, Listener, bench_for, grant

START_S = 1_700_000_040
LISTED = "(select event_id from follows union all select event_id from followers)"


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(World(7, 8), http_port=0, clock=lambda: START_S) as server:
        yield server


@pytest.fixture
async def bench(tmp_path: Path, server: SandboxServer) -> AsyncIterator[Bench]:
    async with bench_for(tmp_path, server) as bench:
        yield bench


def small(server: SandboxServer) -> str:
    """The channel with the fewest people: quick to list."""
    return min(server.world.channels, key=lambda channel: channel.usual_viewers).login


async def test_subscribers_are_listed_once_a_day(server: SandboxServer, bench: Bench) -> None:
    grant(server, bench.vault, small(server))
    words = await subscribers(bench.context("subscribers"))
    ((count, distinct),) = bench.rows("select count(*), count(distinct user_id) from subscribers")
    assert count == distinct > 0
    assert words == f"{count:,} subscriber{'s' if count != 1 else ''} of 1 channel"
    await subscribers(bench.context("subscribers"))
    assert bench.rows("select count(*) from subscribers") == [(count,)]
    totals = bench.rows("select subscriber_count, subscriber_points, follower_count from audience_counts")
    assert len(totals) == 2
    assert {total for total, _, _ in totals} == {count}
    assert all(points >= count and follows is None for _, points, follows in totals)


async def test_only_the_totals_without_the_scope(server: SandboxServer, bench: Bench) -> None:
    bench.state.follow([small(server)])
    words = await followers(bench.context("followers"))
    assert words == "Only the total of 1 channel whose followers no login may list"
    ((total,),) = bench.rows("select follower_count from audience_counts")
    assert total > 0
    assert bench.rows("select count(*) from follows") == [(0,)]


async def test_followers_are_listed_whole_and_then_only_the_new_ones(
    server: SandboxServer, bench: Bench
) -> None:
    grant(server, bench.vault, small(server))
    await followers(bench.context("followers"))
    ((count,),) = bench.rows(f"select count(distinct event_id) from {LISTED}")
    ((total,),) = bench.rows("select max(follower_count) from audience_counts")
    assert count == total > 100, "more than a page"
    before = server.helix.call_count
    words = await followers(bench.context("followers"))
    assert words == "0 follows not known before, in 1 channel"
    assert bench.rows(f"select count(*) from {LISTED}") == [(count,)]
    # The stock of years stands under one day, not in a file a day.
    assert bench.rows("select count(distinct cast(sent_at as date)) from followers") == [(1,)]
    assert server.helix.call_count - before == 1, "it stops at the first page that it knows"


async def test_recent_follows_are_events_and_old_ones_are_the_stock(
    server: SandboxServer, bench: Bench
) -> None:
    grant(server, bench.vault, small(server))
    first_look_s = START_S - 300 * 86_400
    await followers(bench.context("followers", now=lambda: Instant(first_look_s * 1_000_000)))
    line_s = first_look_s // 86_400 * 86_400 - 7 * 86_400
    ((newest,),) = bench.rows("select epoch(max(followed_at)) from followers")
    ((oldest, count),) = bench.rows("select epoch(min(sent_at)), count(*) from follows")
    assert newest < line_s <= oldest
    assert count > 0
    assert bench.rows("select count(*) from follows where sent_at <> followed_at") == [(0,)]


async def test_a_first_reading_that_was_cut_short_is_read_again_to_its_end(
    server: SandboxServer, bench: Bench
) -> None:
    grant(server, bench.vault, small(server))
    with pytest.raises(JobCancelled):
        await followers(bench.context("followers", Listener(checks_left=2)))
    ((part,),) = bench.rows(f"select count(*) from {LISTED}")
    await followers(bench.context("followers"))
    ((count, distinct),) = bench.rows(f"select count(*), count(distinct event_id) from {LISTED}")
    ((total,),) = bench.rows("select max(follower_count) from audience_counts")
    assert part < total
    assert count == distinct == total


async def test_a_capture_of_chatters_is_closed_by_its_own_row(server: SandboxServer, bench: Bench) -> None:
    login = small(server)
    grant(server, bench.vault, login)
    await chatters(bench.context("chatters"))
    ((capture_id, said),) = bench.rows("select capture_id, chatter_count from chatter_polls")
    ((count, captures, room),) = bench.rows(
        "select count(distinct user_id), count(distinct capture_id), any_value(room_login) from chatters"
    )
    assert (count, captures, room) == (said, 1, login)
    assert bench.rows("select distinct capture_id from chatters") == [(capture_id,)]
    world = server.world
    channel = world.channel(login)
    assert channel is not None
    assert said == len(world.audience.chatters(channel.index, (START_S - 45) // 60))


async def test_a_capture_that_fails_midway_leaves_nothing_that_counts(
    server: SandboxServer, bench: Bench
) -> None:
    grant(server, bench.vault, server.world.channels[0].login)
    server.faults.fail_http(500, count=9, path="/helix/chat/chatters")
    context = bench.context("chatters")
    words = await chatters(context)
    assert words == "0 chatters in 0 chats"
    assert len(context.failures) == 1
    assert context.failures[0].startswith(server.world.channels[0].login)
    assert bench.rows("select count(*) from chatter_polls") == [(0,)]
    assert bench.rows("select count(*) from chatters") == [(0,)]


async def test_moderated_channels_come_with_the_moderators_login(server: SandboxServer, bench: Bench) -> None:
    world = server.world
    channel = min(world.channels, key=lambda channel: channel.usual_viewers)
    people = (world.population.user(int(index)) for index in world.schedule.members(channel.index)[0])
    mod = next(user for user in people if world.standings.of(user, channel, START_S).is_mod)
    grant(server, bench.vault, mod.login)
    assert "1 valid" in await logins(bench.context("tokens"))
    account = bench.context("x").accounts.get(mod.user_id)
    assert account is not None
    assert channel.login in account.moderated_logins
    await chatters(bench.context("chatters"))
    rooms = {room for (room,) in bench.rows("select room_login from chatter_polls")}
    assert channel.login in rooms


async def test_a_token_revoked_in_the_middle_is_said_and_the_rest_goes_on(
    server: SandboxServer, bench: Bench
) -> None:
    first, second = sorted(channel.login for channel in server.world.channels)[:2]
    gone = grant(server, bench.vault, first)
    grant(server, bench.vault, second)
    for secret in (gone.access_token, gone.refresh_token):
        server.oauth._gone.add(secret.get_secret_value())
    context = bench.context("subscribers")
    words = await subscribers(context)
    assert "of 2 channels" in words
    assert [line.split(":")[0] for line in context.failures] == [first]
    marked = bench.vault.get(gone.user_id)
    assert marked is not None
    assert marked.error
    assert "error" not in " ".join(context.failures)
    assert gone.access_token.get_secret_value() not in " ".join(context.failures)
    rooms = bench.rows("select distinct room_login from subscribers")
    assert rooms == [(second,)]


async def test_when_twitch_is_down_it_stops_asking(server: SandboxServer, bench: Bench) -> None:
    for channel in server.world.channels[:5]:
        grant(server, bench.vault, channel.login, SCOPES)
    server.faults.fail_http(500, count=99)
    before = server.helix.call_count
    with pytest.raises(JobError, match="Twitch does not answer"):
        await subscribers(bench.context("subscribers"))
    assert server.helix.call_count - before == 3


async def test_clips_of_followed_channels(server: SandboxServer, bench: Bench) -> None:
    login = server.world.channels[0].login
    bench.state.follow([login])
    words = await clips(bench.context("clips", now=lambda: Instant(START_S * 1_000_000)))
    ((count, distinct, newest, oldest),) = bench.rows(
        "select count(*), count(distinct clip_id), epoch(max(created_at)), epoch(min(created_at)) from clips"
    )
    assert count == distinct > 0
    assert words == f"{count:,} clips of 1 of 1 channels"
    assert START_S - 30 * 86_400 <= oldest <= newest <= START_S
    await clips(bench.context("clips", now=lambda: Instant(START_S * 1_000_000)))
    assert bench.rows("select count(*) from clips") == [(count,)]
