"""The survey against the sandbox's chat: counted by channel, kept when read to the end, never twice a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from collectors.helix_client import HelixClient
from collectors.irc_limits import IrcLimits
from collectors.survey import CountingSink, Tally, run_survey, top_streams
from dashboard.config import Settings
from dashboard.errors import JobCancelled
from dashboard.events import ChatMessage, Event, UserListChange, now_us
from dashboard.events_helix import SurveyCapture, SurveyPresence
from dashboard.jobs.platform import survey as survey_job
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World
from dashboard.storage.ingest import Ingest
from tests.jobs_helpers import Listener, bench_for, settings_for
from tests.storage_events import T0, message

START_S = 1_700_000_040
QUICK = IrcLimits(join_count=50, join_period_s=0.1, auth_count=50, auth_period_s=0.1)


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    import time

    offset = START_S - time.time()
    async with SandboxServer(World(7, 12), http_port=0, clock=lambda: time.time() + offset) as server:
        yield server


@pytest.fixture
async def client(server: SandboxServer) -> AsyncIterator[HelixClient]:
    settings = Settings(_env_file=None, sandbox=True)
    async with HelixClient(
        server.urls["helix"], server.urls["oauth"], settings.client_id, settings.client_secret
    ) as client:
        yield client


class Kept:
    """Where finished channels go."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, events: Sequence[Event]) -> None:
        self.events += events

    @property
    def captures(self) -> list[SurveyCapture]:
        return [event for event in self.events if isinstance(event, SurveyCapture)]


async def survey(
    server: SandboxServer,
    client: HelixClient,
    kept: Kept,
    *,
    handle: Listener | None = None,
    done: frozenset[str] = frozenset(),
    seconds: float = 1.0,
    at_once: int = 400,
    count: int = 12,
    time_limit_s: float = 60,
) -> int:
    return await run_survey(
        client,
        server.urls["irc"],
        channel_count=count,
        minutes=seconds / 60,
        done_today=done,
        keep=kept,
        handle=handle or Listener(),
        limits=QUICK,
        at_once=at_once,
        time_limit_s=time_limit_s,
    )


async def test_the_largest_channels_are_read_and_their_people_kept(
    server: SandboxServer, client: HelixClient
) -> None:
    kept = Kept()
    count = await survey(server, client, kept, count=3, seconds=1.5)
    live = server.world.live_at(server.now_s())
    assert count == 3
    assert {c.room_login for c in kept.captures} == {state.channel.login for state in live[:3]}
    for capture in kept.captures:
        people = [
            e for e in kept.events if isinstance(e, SurveyPresence) and e.capture_id == capture.capture_id
        ]
        assert len(people) == capture.person_count > 0
        assert len({p.user_login for p in people}) == len(people)
        assert sum(p.message_count for p in people) == capture.message_count
        assert not any(p.user_login.startswith("justinfan") for p in people)
        assert capture.observed_s == pytest.approx(1.5, abs=1)
        # The row that makes them count comes after them.
        assert kept.events.index(capture) > max(kept.events.index(p) for p in people)


async def test_channels_of_today_are_not_read_again(server: SandboxServer, client: HelixClient) -> None:
    live = server.world.live_at(server.now_s())
    done = frozenset(state.channel.user_id for state in live[1:])
    kept = Kept()
    assert await survey(server, client, kept, done=done) == 1
    assert [c.room_login for c in kept.captures] == [live[0].channel.login]
    assert await survey(server, client, Kept(), done=done | {live[0].channel.user_id}) == 0


async def test_few_at_a_time_reads_all_in_the_end(server: SandboxServer, client: HelixClient) -> None:
    kept = Kept()
    live = server.world.live_at(server.now_s())
    assert await survey(server, client, kept, at_once=2, seconds=0.3) == len(live)
    assert len({c.room_id for c in kept.captures}) == len(live)


async def test_cancelled_in_the_middle_keeps_what_was_whole(
    server: SandboxServer, client: HelixClient
) -> None:
    kept = Kept()

    class Impatient(Listener):
        def check(self) -> None:
            if kept.captures:
                raise JobCancelled("Stopped as asked.")

    with pytest.raises(JobCancelled):
        await survey(server, client, kept, at_once=1, seconds=0.5, handle=Impatient())
    assert len(kept.captures) == 1
    people = [event for event in kept.events if isinstance(event, SurveyPresence)]
    assert len(people) == kept.captures[0].person_count
    assert {person.capture_id for person in people} <= {kept.captures[0].capture_id}
    assert len(asyncio.all_tasks()) < 30


async def test_a_connection_that_breaks_makes_the_channel_start_over(
    server: SandboxServer, client: HelixClient
) -> None:
    kept = Kept()
    task = asyncio.create_task(survey(server, client, kept, count=1, seconds=2.0))
    await asyncio.sleep(1.2)
    server.drop_connections()
    assert await asyncio.wait_for(task, 30) == 1
    assert kept.captures[0].observed_s < 3.5


async def test_what_would_not_be_read_to_its_end_is_not_begun(
    server: SandboxServer, client: HelixClient
) -> None:
    handle = Listener()
    assert await survey(server, client, Kept(), seconds=5, time_limit_s=4, handle=handle) == 0
    assert any("left for the next survey" in line for line in handle.lines)


async def test_top_streams_have_each_channel_once(server: SandboxServer, client: HelixClient) -> None:
    live = server.world.live_at(server.now_s())
    streams = await top_streams(client, 2)
    assert [s.user_login for s in streams][:2] == [state.channel.login for state in live[:2]]
    counts = [s.viewer_count or 0 for s in await top_streams(client, 100)]
    assert counts == sorted(counts, reverse=True)


async def test_mirrored_messages_and_ourselves_are_not_counted() -> None:
    sink = CountingSink()
    sink.tallies["alpha"] = tally = Tally(stream=None, asked_s=0)  # type: ignore[arg-type]
    mirrored = message(3, user_login="guest", room_id="1", source_room_id="2")
    listed = [
        UserListChange(
            event_id=f"l{n}",
            source="irc",
            room_login="alpha",
            sent_at=T0,
            received_at=T0,
            action="names",
            user_login=login,
        )
        for n, login in enumerate(("lurker", "justinfan12345", "seven"))
    ]
    events: list[Event] = [message(1), message(2), mirrored, *listed, message(4, room="other")]
    assert isinstance(events[0], ChatMessage)
    await sink.put(events)
    assert tally.message_count == 2
    assert {login: p.message_count for login, p in tally.people.items()} == {"seven": 2, "lurker": 0}


async def test_the_job_resumes_where_a_kill_left_it(server: SandboxServer, tmp_path: Path) -> None:
    """What the killed run had kept is whole in the lake; the next run reads only the others."""
    async with bench_for(tmp_path, server, survey_channel_count=2, survey_minutes=0.02) as bench:
        assert await survey_job(bench.context("survey")) == "2 channels read, 0 were read before today"
        # As after a kill: people without the row that closes their capture.
        half = SurveyPresence(
            event_id="half",
            source="irc",
            room_login="half",
            room_id="77",
            sent_at=now_us(),
            received_at=now_us(),
            capture_id="unclosed",
            user_login="somebody",
        )
        with Ingest(tmp_path, "test") as ingest:
            ingest.put([half])
        bench.settings = settings_for(tmp_path, server, survey_channel_count=4, survey_minutes=0.02)
        assert await survey_job(bench.context("survey")) == "2 channels read, 2 were read before today"
        assert await survey_job(bench.context("survey")) == "0 channels read, 4 were read before today"
        counted = bench.rows(
            "select count(distinct c.room_id), count(*) filter (where p.capture_id = 'unclosed') "
            "from survey_captures c left join survey_presence p using (capture_id)"
        )
        assert counted == [(4, 0)]
        ((captures, rooms),) = bench.rows("select count(*), count(distinct room_id) from survey_captures")
        assert captures == rooms == 4
