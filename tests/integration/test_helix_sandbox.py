"""Client and poller against the sandbox, which they must not be able to tell from Twitch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from collectors.helix import HelixPoller
from collectors.helix_client import HelixClient
from collectors.rate_limit import SECOND
from dashboard.config import Settings
from dashboard.errors import TwitchUnavailable
from dashboard.events import Event, Instant, Observation, StreamChange, ViewerSample
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World

START_S = 1_700_000_040


class Clock:
    """The time in the sandbox's world and for the poller: the test moves it."""

    def __init__(self) -> None:
        self.at_s = float(START_S)

    def seconds(self) -> float:
        return self.at_s

    def now(self) -> Instant:
        return Instant(round(self.at_s * SECOND))


class Sink:
    def __init__(self) -> None:
        self.events: list[Event] = []

    async def put(self, events: Sequence[Event]) -> None:
        self.events += events

    async def reject(self, line: str, reason: str) -> None:
        raise AssertionError(line)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[SandboxServer]:
    async with SandboxServer(World(7, 12), http_port=0, clock=clock.seconds) as server:
        yield server


@pytest.fixture
async def client(sandbox: SandboxServer, clock: Clock) -> AsyncIterator[HelixClient]:
    settings = Settings(_env_file=None, sandbox=True)
    ours = HelixClient(
        sandbox.urls["helix"],
        sandbox.urls["oauth"],
        settings.client_id,
        settings.client_secret,
        now=clock.now,
    )
    async with ours:
        yield ours


async def test_streams_are_the_worlds(sandbox: SandboxServer, client: HelixClient) -> None:
    logins = [channel.login for channel in sandbox.world.channels]
    live = sandbox.world.live_at(START_S)
    streams = await client.get_streams(user_logins=logins)
    assert len(live) >= 3
    assert [(s.user_login, s.stream_id, s.viewer_count, s.game_name, s.title) for s in streams] == [
        (state.channel.login, state.stream_id, state.viewer_count, state.game.name, state.title)
        for state in live
    ]
    assert [stream.started_at for stream in streams] == [int(state.started_s) * SECOND for state in live]


async def test_users_are_the_worlds(sandbox: SandboxServer, client: HelixClient) -> None:
    channels = sandbox.world.channels[:3]
    users = await client.get_users(logins=[channels[0].login], ids=[channels[1].user_id, "0"])
    assert {(user.user_login, user.user_id) for user in users} == {
        (channel.login, channel.user_id) for channel in channels[:2]
    }
    assert all(user.created_at and user.created_at < START_S * SECOND for user in users)


async def test_pages(sandbox: SandboxServer, client: HelixClient) -> None:
    ids = [raw["id"] async for raw in client.paginate("/streams", [("first", "2")])]
    assert ids == [state.stream_id for state in sandbox.world.live_at(START_S)]


async def test_parallel_401s_fetch_one_token(
    sandbox: SandboxServer, client: HelixClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.get("/streams")
    issued = []
    issue = sandbox.oauth.issue
    monkeypatch.setattr(sandbox.oauth, "issue", lambda *a, **k: (issued.append(a), issue(*a, **k))[1])
    sandbox.faults.fail_http(401, count=5)
    sandbox.faults.latency_s = 0.05
    answers = await asyncio.gather(*(client.get("/streams") for _ in range(5)))
    assert len(issued) == 1
    assert all(answer["data"] for answer in answers)


async def test_a_503_is_retried_once(sandbox: SandboxServer, client: HelixClient) -> None:
    sandbox.faults.fail_http(503)
    assert (await client.get("/streams"))["data"]
    sandbox.faults.fail_http(503, count=2)
    with pytest.raises(TwitchUnavailable, match="GET /streams: service unavailable"):
        await client.get("/streams")


async def test_a_429_is_asked_again(sandbox: SandboxServer) -> None:
    settings = Settings(_env_file=None, sandbox=True)
    urls = sandbox.urls
    async with HelixClient(
        urls["helix"], urls["oauth"], settings.client_id, settings.client_secret
    ) as client:
        await client.get("/streams")
        before = sandbox.helix.call_count
        sandbox.faults.fail_http(429)
        await asyncio.gather(client.get("/streams"), client.get("/users?login=x"), client.get("/games/top"))
        assert sandbox.helix.call_count - before == 4


async def test_four_hours_of_streams(sandbox: SandboxServer, client: HelixClient, clock: Clock) -> None:
    """Every start, end and sample against the world's own truth, poll by poll."""
    logins = [channel.login for channel in sandbox.world.channels]
    sink = Sink()
    poller = HelixPoller(client, sink, lambda: logins, now=clock.now)
    seen: dict[str, list[int]] = {}
    polls = range(0, 4 * 3600, 60)
    for second in polls:
        clock.at_s = START_S + second
        for state in sandbox.world.live_at(clock.at_s):
            seen.setdefault(state.stream_id, []).append(second)
        await poller.poll()
        assert poller.stats().state == "ok", poller.stats().error

    changes = [event for event in sink.events if isinstance(event, StreamChange)]
    starts = {event.stream_id: event for event in changes if event.action == "start"}
    ends = {
        event.stream_id: (event.sent_at // SECOND - START_S) for event in changes if event.action == "end"
    }
    assert set(starts) == set(seen)
    assert ends == {key: seconds[-1] for key, seconds in seen.items() if seconds[-1] < polls[-2]}
    assert len(ends) >= 2
    assert len(changes) == len(starts) + len(ends)
    assert all(event.sent_at == event.started_at for event in starts.values())

    samples = [event for event in sink.events if isinstance(event, ViewerSample)]
    assert sorted((event.stream_id or "", event.sent_at // SECOND - START_S) for event in samples) == sorted(
        (key, second) for key, seconds in seen.items() for second in seconds
    )
    joined = [event.room_login for event in sink.events if isinstance(event, Observation)]
    assert joined == sorted(logins)
    assert all(event.room_id for event in sink.events)
    assert len({event.event_id for event in sink.events}) == len(sink.events)
