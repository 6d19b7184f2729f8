"""TwitchIO, which nobody here wrote, against the sandbox's Helix and login."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from dashboard.sandbox import SandboxServer, World

with warnings.catch_warnings():
    # TwitchIO inherits from aiohttp's Application, which aiohttp discourages while it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    import twitchio
    from twitchio.http import Route

NOW_S = 1_781_200_800.0
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SandboxServer]:
    async with SandboxServer(World(7, 300), "127.0.0.1", 0, clock=lambda: NOW_S) as running:
        monkeypatch.setattr(Route, "BASE", running.urls["helix"] + "/")
        monkeypatch.setattr(Route, "ID_BASE", running.urls["http"] + "/")
        yield running


@pytest.fixture
async def client(server: SandboxServer) -> AsyncIterator[twitchio.Client]:
    client = twitchio.Client(**CLIENT)
    await client.login(load_tokens=False, save_tokens=False)
    yield client
    await client.close()


async def test_users_with_their_ages(server: SandboxServer, client: twitchio.Client) -> None:
    home = server.world.home
    users = await client.fetch_users(logins=[home[0].login, "nobody_has_this"], ids=[home[1].user_id])
    owners = [server.world.population.by_login(channel.login) for channel in home[:2]]
    assert {(user.name, user.id, user.created_at) for user in users} == {
        (owner.login, owner.user_id, datetime.fromtimestamp(owner.created_s, UTC))
        for owner in owners
        if owner
    }


async def test_streams_page_by_page(server: SandboxServer, client: twitchio.Client) -> None:
    found = [stream async for stream in client.fetch_streams(first=20, max_results=1000)]
    truth = server.world.live_at(NOW_S)
    assert len(truth) > 40
    assert [(s.id, s.user.name, s.viewer_count) for s in found] == [
        (t.stream_id, t.channel.login, t.viewer_count) for t in truth
    ]
    first, state = found[0], truth[0]
    assert (first.game_id, first.title, first.language) == (state.game.game_id, state.title, state.language)
    assert first.started_at == datetime.fromtimestamp(state.started_s, UTC)


async def test_games_emotes_and_badges(server: SandboxServer, client: twitchio.Client) -> None:
    games = await client.fetch_games(names=["Hollow Knight", "Celeste"])
    assert {game.name for game in games} == {"Hollow Knight", "Celeste"}
    assert "Kappa" in {emote.name for emote in await client.fetch_emotes()}
    assert "subscriber" not in {badge.set_id for badge in await client.fetch_badges()}
    home = server.world.home[0]
    owner = client.create_partialuser(home.user_id)
    assert {badge.set_id for badge in await owner.fetch_badges()} == {"subscriber"}
    information = await owner.fetch_channel_info()
    state = server.world.stream_at(home.login, NOW_S)
    assert state is not None
    assert (information.title, information.game_name) == (state.title, state.game.name)


async def test_a_moderator_lists_the_chatters(server: SandboxServer, client: twitchio.Client) -> None:
    home = server.world.home[0]
    scopes = ("moderator:read:chatters", "moderator:read:followers", "channel:read:subscriptions")
    await client.add_token(
        server.oauth.issue("user", home.login, scopes), server.oauth.issue("refresh", home.login, scopes)
    )
    owner = client.create_partialuser(home.user_id)
    chatters = await owner.fetch_chatters(moderator=home.user_id, first=1000, max_results=10_000)
    names = [user.name async for user in chatters.users]
    minute = int((NOW_S - 45) // 60)
    assert set(names) == server.world.audience.chatter_logins(home.index, minute)
    assert chatters.total == len(names) > 400

    followers = await owner.fetch_followers(first=100, max_results=250)
    assert followers.total > 1000
    assert len([follower async for follower in followers.followers]) == 250

    subscribers = await owner.fetch_broadcaster_subscriptions(first=100, max_results=100)
    assert subscribers.points >= subscribers.total > 100


async def test_a_scope_that_is_missing(server: SandboxServer, client: twitchio.Client) -> None:
    home = server.world.home[0]
    await client.add_token(server.oauth.issue("user", home.login), server.oauth.issue("refresh", home.login))
    owner = client.create_partialuser(home.user_id)
    with pytest.raises(twitchio.HTTPException) as error:
        await owner.fetch_chatters(moderator=home.user_id)
    assert error.value.status == 401
    assert "moderator:read:chatters" in str(error.value.extra)


async def test_an_expired_token_is_refreshed(server: SandboxServer, client: twitchio.Client) -> None:
    home = server.world.home[0]
    scopes = ("moderator:read:chatters",)
    tokens = server.oauth.issue("user", home.login, scopes), server.oauth.issue("refresh", home.login, scopes)
    await client.add_token(*tokens)
    server.faults.fail_http(401)
    chatters = await client.create_partialuser(home.user_id).fetch_chatters(moderator=home.user_id)
    assert chatters.total > 0
