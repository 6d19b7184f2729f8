"""The poller against a Twitch that goes live, goes dark and refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from collectors.helix import OFF, HelixPoller
from collectors.helix_client import HelixClient
from collectors.rate_limit import SECOND
from dashboard.errors import DiskFullError
from dashboard.events import Event, Instant, Observation, StreamChange, ViewerSample
from tests.integration.fake_helix import CLIENT_ID, CLIENT_SECRET, FakeTwitch, fake_twitch

NOON_S = 1_700_000_040  # a whole minute; the fake's streams started 840 s before


class Clock:
    """Stands still until the test lets it go on, and then moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at_s = float(NOON_S)
        self._until_s = float(NOON_S)
        self._moved = asyncio.Event()
        self._reached = asyncio.Event()

    def now(self) -> Instant:
        return Instant(round(self.at_s * SECOND))

    async def sleep(self, seconds: float) -> None:
        target_s = self.at_s + seconds
        while target_s > self._until_s:
            self._reached.set()
            await self._moved.wait()
        self.at_s = max(self.at_s, target_s)

    async def until(self, second: float) -> None:
        """Goes on to a second; back when everything is asleep beyond it."""
        self._until_s = NOON_S + second
        self._reached.clear()
        self._moved.set()
        self._moved.clear()
        await asyncio.wait_for(self._reached.wait(), 60)


class Sink:
    """Keeps what it gets, in short."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.is_full = False

    async def put(self, events: Sequence[Event]) -> None:
        if self.is_full:
            raise DiskFullError("No room left on the disk.")
        self.events += events

    async def reject(self, line: str, reason: str) -> None:
        raise AssertionError(line)

    def take(self) -> list[str]:
        taken, self.events = self.events, []
        return [short(event) for event in taken]


def short(event: Event) -> str:
    second = event.sent_at / SECOND - NOON_S
    match event:
        case Observation():
            return f"{event.state} {event.room_login}/{event.room_id} {second:g}"
        case StreamChange():
            return f"{event.action} {event.stream_id} {second:g}"
        case ViewerSample():
            return f"{event.viewer_count} {event.stream_id} {second:g}"
    raise AssertionError(event)


class Stage:
    """A poller with everything around it."""

    def __init__(self, twitch: FakeTwitch, memory_path: Path, *, secret: str = CLIENT_SECRET) -> None:
        self.clock = Clock()
        self.sink = Sink()
        self.followed = ["a", "B"]
        self.client = HelixClient(
            f"{twitch.url}/helix",
            f"{twitch.url}/oauth2",
            CLIENT_ID,
            SecretStr(secret),
            now=self.clock.now,
            sleep=self.clock.sleep,
        )
        self.poller = HelixPoller(
            self.client,
            self.sink,
            lambda: self.followed,
            memory_path=memory_path,
            now=self.clock.now,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
        )
        self._running: asyncio.Task[None] | None = None

    async def until(self, second: float) -> list[str]:
        """Lets the clock go on; gives back what came in."""
        self._running = self._running or asyncio.create_task(self.poller.run())
        await self.clock.until(second)
        return self.sink.take()

    async def close(self) -> list[str]:
        await self.poller.close()
        if self._running:
            await self._running
        await self.client.close()
        return self.sink.take()

    async def kill(self) -> None:
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.client.close()


@pytest.fixture
async def twitch() -> AsyncIterator[FakeTwitch]:
    async with fake_twitch() as fake:
        fake.users = {"a": "id-a", "b": "id-b"}
        yield fake


@pytest.fixture
async def stage(twitch: FakeTwitch, tmp_path: Path) -> AsyncIterator[Stage]:
    ours = Stage(twitch, tmp_path / "state" / "helix.json")
    yield ours
    await ours.close()


async def test_from_the_first_poll_to_the_last(twitch: FakeTwitch, stage: Stage) -> None:
    twitch.go_live("a")
    assert await stage.until(0) == [
        "joined a/id-a 0",
        "joined b/id-b 0",
        "start s-a -840",
        "10 s-a 0",
    ]
    assert await stage.until(61) == []
    assert await stage.until(61.5) == ["10 s-a 61.5"], "on the minute, and the jitter of this process"
    assert await stage.until(121.5) == ["10 s-a 121.5"]
    twitch.live.clear()
    assert await stage.until(181.5) == []
    assert await stage.until(241.5) == ["end s-a 121.5"]
    assert await stage.close() == ["lost a/id-a 241.5", "lost b/id-b 241.5"]


async def test_stats_of_a_good_poll(twitch: FakeTwitch, stage: Stage) -> None:
    assert stage.poller.stats().state == "waiting"
    twitch.go_live("a")
    stage.followed = ["a", "b", "nobody"]
    await stage.until(61.5)
    stats = stage.poller.stats()
    assert (stats.state, stats.error) == ("ok", None)
    assert stats.last_poll_at == round((NOON_S + 61.5) * SECOND)
    assert (stats.channel_count, stats.live_count, stats.sample_count) == (3, 1, 2)
    assert (stats.poll_count, stats.failed_poll_count) == (2, 0)
    assert stats.unknown_logins == ("nobody",)


async def test_room_ids_are_asked_for_once_and_unknown_ones_hourly(twitch: FakeTwitch, stage: Stage) -> None:
    stage.followed = ["a", "b", "nobody"]
    await stage.until(181.5)
    asked = [query for query in twitch.queries if query[0][0] == "login"]
    assert asked == [[("login", "a"), ("login", "b"), ("login", "nobody")]]
    twitch.users["nobody"] = "id-nobody"
    await stage.until(3661.5)
    assert [query for query in twitch.queries if query[0][0] == "login"][1:] == [[("login", "nobody")]]
    assert stage.poller.stats().unknown_logins == ()


async def test_a_new_channel_is_polled_at_once(twitch: FakeTwitch, stage: Stage) -> None:
    await stage.until(5)
    twitch.users["c"] = "id-c"
    twitch.go_live("c")
    stage.followed = ["a", "b", "c"]
    assert await stage.until(6) == ["joined c/id-c 6", "start s-c -840", "10 s-c 6"]


async def test_an_outage_and_the_recovery(twitch: FakeTwitch, stage: Stage) -> None:
    twitch.go_live("a")
    await stage.until(0)
    twitch.next_answers.extend([(500, {"message": "down"}, {})] * 2)
    assert await stage.until(61.5) == ["lost a/id-a 60", "lost b/id-b 60"]
    stats = stage.poller.stats()
    assert (stats.state, stats.error) == ("error", "GET /streams: down. Trying again by itself.")
    assert stats.last_poll_at == NOON_S * SECOND
    assert (stats.poll_count, stats.failed_poll_count) == (2, 1)
    assert await stage.until(121.5) == []
    assert await stage.until(181.5) == ["joined a/id-a 181.5", "joined b/id-b 181.5", "10 s-a 181.5"]
    assert stage.poller.stats().state == "ok"


async def test_refused_credentials(twitch: FakeTwitch, tmp_path: Path) -> None:
    stage = Stage(twitch, tmp_path / "helix.json", secret="wrong-0a1b2c")
    assert await stage.until(61.5) == []
    stats = stage.poller.stats()
    assert stats.state == "unauthorized"
    assert stats.error == (
        "Twitch refused the application's credentials: invalid client secret. "
        "Check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps)."
    )
    assert stats.failed_poll_count == 2
    assert await stage.close() == []


async def test_waiting_for_the_rate_limit_is_told_and_can_be_closed(twitch: FakeTwitch, stage: Stage) -> None:
    headers = {"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": str(NOON_S + 30)}
    headers["Date"] = "Tue, 14 Nov 2023 22:14:00 GMT"
    twitch.next_answers.append((429, {}, headers))
    await stage.until(10)
    stats = stage.poller.stats()
    assert (stats.state, stats.error) == (
        "waiting",
        "Twitch's rate limit is used up; going on by itself in 20 s.",
    )
    assert await stage.close() == []


async def test_room_ids_that_can_not_be_had_do_not_fail_the_poll(twitch: FakeTwitch, stage: Stage) -> None:
    twitch.go_live("a")
    good = {"data": list(twitch.live)}
    twitch.next_answers.extend([(200, good, {}), (500, {}, {})])
    assert await stage.until(0) == [
        "joined a/id-a 0",
        "joined b/None 0",
        "start s-a -840",
        "10 s-a 0",
    ]
    assert stage.poller.stats().state == "ok"


async def test_a_sink_that_is_full_loses_no_start(twitch: FakeTwitch, stage: Stage) -> None:
    twitch.go_live("a")
    stage.sink.is_full = True
    assert await stage.until(0) == []
    stats = stage.poller.stats()
    assert (stats.state, stats.error) == ("error", "No room left on the disk. Trying again by itself.")
    stage.sink.is_full = False
    assert "start s-a -840" in await stage.until(61.5)


async def test_an_error_nobody_thought_of(
    twitch: FakeTwitch, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(**_: object) -> list[object]:
        raise ZeroDivisionError("secret-ish detail")

    with monkeypatch.context() as patch:
        patch.setattr(stage.client, "get_streams", broken)
        await stage.until(0)
        assert stage.poller.stats().error == (
            "Unexpected ZeroDivisionError (details in the log). Trying again by itself."
        )
    await stage.until(61.5)
    assert stage.poller.stats().state == "ok"


async def test_a_stop_and_a_start_announce_nothing_twice(twitch: FakeTwitch, tmp_path: Path) -> None:
    twitch.go_live("a")
    first = Stage(twitch, tmp_path / "helix.json")
    await first.until(0)
    assert await first.close() == ["lost a/id-a 0", "lost b/id-b 0"]
    second = Stage(twitch, tmp_path / "helix.json")
    assert await second.until(5) == ["joined a/id-a 0", "joined b/id-b 0"]
    assert await second.close() == ["lost a/id-a 5", "lost b/id-b 5"]


async def test_after_a_kill_a_start_has_its_old_id(twitch: FakeTwitch, tmp_path: Path) -> None:
    twitch.go_live("a")
    ids = []
    for _ in range(2):
        stage = Stage(twitch, tmp_path / "helix.json")
        stage._running = asyncio.create_task(stage.poller.run())
        await stage.clock.until(0)
        ids.append([event.event_id for event in stage.sink.events])
        await stage.kill()
    assert ids[0] == ids[1]
    assert len(ids[0]) == 4


async def test_a_kill_after_the_next_poll_announces_nothing_again(twitch: FakeTwitch, tmp_path: Path) -> None:
    twitch.go_live("a")
    stage = Stage(twitch, tmp_path / "helix.json")
    await stage.until(61.5)
    await stage.kill()
    again = Stage(twitch, tmp_path / "helix.json")
    again.clock.at_s += 600
    assert await again.until(600) == ["lost a/id-a 121.5", "lost b/id-b 121.5", *_joined(600), "10 s-a 600"]
    await again.close()


def _joined(second: float) -> list[str]:
    return [f"joined a/id-a {second:g}", f"joined b/id-b {second:g}"]


async def test_without_credentials_it_is_off_and_says_so() -> None:
    clock, sink = Clock(), Sink()
    poller = HelixPoller(None, sink, lambda: ["a"], now=clock.now, sleep=clock.sleep)
    running = asyncio.create_task(poller.run())
    await clock.until(300)
    assert (poller.stats().state, poller.stats().error) == ("off", OFF)
    assert "TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET" in OFF
    await poller.close()
    await running
    assert sink.take() == []
