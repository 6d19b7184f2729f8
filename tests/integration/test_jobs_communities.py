"""The community map as a job: from the sandbox's chats through the lake to a map that is kept."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import _streams
from collectors.survey_history import past_surveys, survey_moments
from dashboard.analytics.communities.model import MapRun
from dashboard.analytics.communities.scores import adjusted_rand, normalised_mutual_information
from dashboard.community_io.outputs import NAMES
from dashboard.errors import ConfigError, JobCancelled
from dashboard.events import ChatMessage, Event, Instant, Observation, now_us
from dashboard.events_accounts import Account
from dashboard.events_helix import SurveyCapture
from dashboard.jobs.communities import FOLDER, communities
from dashboard.sandbox import World
from dashboard.sandbox.met import met
from dashboard.sandbox.server import SandboxServer
from dashboard.storage.community_names import open_names
from dashboard.storage.community_presence import PresenceQuery, presence_behind, read_presence
from dashboard.storage.community_runs import CommunityRuns
from dashboard.storage.ingest import Ingest
from dashboard.storage.state import State
from dashboard.storage.store import Store
from dashboard.storage.sync_files import local_files
from dashboard.storage.tokens import open_vault
from tests.jobs_helpers import Bench, Listener, bench_for, settings_for

NOW_S = 1_800_000_000
SEED = 11
HOUR_US = 3_600_000_000


def survey_into(
    data_dir: Path, world: World, days: int, keep_row: Callable[[Event], bool] = bool, *, now_s: int = NOW_S
) -> None:
    """The sandbox's past surveys, as on its first start."""
    logins = [channel.login for channel in world.channels]
    rows: list[Event] = []

    def keep(events: Sequence[Event]) -> None:
        rows.extend(events)

    past_surveys(
        survey_moments(now_s, days),
        streams=lambda at_s: _streams(world, at_s, logins),
        met=lambda login, start_s, end_s: met(world, login, start_s, end_s),
        keep=keep,
    )
    with Ingest(data_dir, "survey") as ingest:
        ingest.put([row for row in rows if keep_row(row)])


@pytest.fixture(scope="module")
def world() -> World:
    return World(SEED, 24)


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory, world: World) -> Path:
    """A lake with three weeks of surveys; tests must not write to it."""
    folder = tmp_path_factory.mktemp("surveyed")
    survey_into(folder, world, 21)
    return folder


_MINUTES = itertools.count()


def clock() -> Instant:
    """A clock that goes on with every look."""
    return Instant((NOW_S + 60 * next(_MINUTES)) * 1_000_000)


async def run_job(tmp_path: Path, handle: Listener | None = None, **params: Any) -> tuple[str, Bench]:
    async with bench_for(tmp_path) as bench:
        context = bench.context("communities", handle, params=params, now=clock)
        return communities(context), bench


def score(run: MapRun, world: World) -> float:
    """Agreement with the planted communities; each channel without one is a community of its own."""
    planted = np.array([world.channel(login).community.index for login in run.nodes.channels.logins])  # type: ignore[union-attr]
    found = run.nodes.community.copy()
    found[found < 0] = 1000 + np.arange(int((found < 0).sum()))
    return normalised_mutual_information(planted, found)


def newest(data_dir: Path) -> MapRun:
    runs = CommunityRuns(Store(data_dir, threads=1))
    line = runs.newest()
    assert line is not None
    run = runs.load(line.run_id)
    assert run is not None
    return run


async def test_planted_communities_are_found(surveyed: Path, tmp_path: Path, world: World) -> None:
    """Sandbox, survey's rows, lake, job, lake: at default settings, and with two other seeds."""
    shutil.copytree(surveyed, tmp_path, dirs_exist_ok=True)
    handle = Listener()
    words, _ = await run_job(tmp_path, handle)
    first = newest(tmp_path)
    assert score(first, world) >= 0.95
    assert first.statistics.is_enough
    others = []
    for seed in (1, 2):
        await run_job(tmp_path, seed=str(seed), files="false")
        others.append(newest(tmp_path))
    place = {login: number for number, login in enumerate(first.nodes.channels.logins)}
    for other in others:
        order = [place[login] for login in other.nodes.channels.logins]
        assert adjusted_rand(first.nodes.community[order], other.nodes.community) >= 0.98
        assert other.seed in (1, 2)

    # Said as it is: how long was looked, and at whom.
    quality = first.quality
    captures = len(Store(tmp_path, threads=1).sql("select 1 from survey_captures", max_rows=9_999).rows)
    assert quality.observed_hours == pytest.approx(captures / 60)
    assert quality.seen_as == "connected"
    assert f"{captures} captures of" in quality.sources[0]
    assert "not viewers" in words
    assert any(name == "lurkers" and count >= 10 for name, count in quality.left_out)

    # The six steps, in order, once each.
    steps = list(dict.fromkeys(text.split(" · ")[0] for text in handle.texts if " of 6" in text))
    assert steps == [f"{number} of 6" for number in range(1, 7)]

    folder = tmp_path / "exports" / FOLDER / first.run_id
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    # Where the copy to S3 takes them from.
    copied = {file.name for file in local_files(tmp_path)}
    assert {f"exports/{FOLDER}/{first.run_id}/{name}" for name in NAMES} <= copied
    told = json.loads((folder / "analysis_results.json").read_text(encoding="utf-8"))
    assert (told["run_id"], told["config"]["preset"]) == (first.run_id, "default")

    # The next run starts from the last: same communities, same keys, hardly moved.
    last = others[-1]
    assert last.changes is not None
    assert last.changes.previous_run_id == others[0].run_id
    assert {c.key for c in last.communities} == {c.key for c in first.communities}

    behind = presence_behind(Store(tmp_path, threads=1), first)
    assert behind is not None
    assert behind.n_chatters == quality.n_chatters


async def test_given_names_survive_the_next_run(surveyed: Path, tmp_path: Path) -> None:
    shutil.copytree(surveyed, tmp_path, dirs_exist_ok=True)
    _, bench = await run_job(tmp_path, files="false", layout_iterations="5", seeds="2")
    key = newest(tmp_path).communities[0].key
    names = open_names(bench.settings)
    names.rename(key, "My corner", "7")
    names.close()
    await run_job(tmp_path, files="false", layout_iterations="5", seeds="2", seed="5")
    found = {community.key: community for community in newest(tmp_path).communities}
    assert (found[key].label, found[key].is_renamed) == ("My corner", True)


async def test_cancelled_in_the_middle_leaves_no_map(surveyed: Path, tmp_path: Path) -> None:
    shutil.copytree(surveyed, tmp_path, dirs_exist_ok=True)
    with pytest.raises(JobCancelled):
        await run_job(tmp_path, Listener(checks_left=12))
    assert CommunityRuns(Store(tmp_path, threads=1)).listed() == []
    assert not (tmp_path / "exports" / FOLDER).exists()


async def test_a_capture_that_was_not_closed_does_not_count(tmp_path: Path, world: World) -> None:
    survey_into(tmp_path, world, 1, lambda row: not isinstance(row, SurveyCapture))
    store = Store(tmp_path, threads=1)
    assert read_presence(store, PresenceQuery(Instant(0), clock())) is None


async def test_too_little_is_said(tmp_path: Path) -> None:
    async with bench_for(tmp_path) as bench:
        real = bench.settings.model_copy(update={"sandbox": False})
        context = bench.context("communities")
        context.settings = real
        assert communities(context).startswith("Nothing to make a map of: nobody was seen in 30 days.")
        with Ingest(tmp_path, "chat") as ingest:
            ingest.put(chat("alpha", "1", ["ann", "bob"], now_us()))
        assert "Too little for a map: 0 channels with 5 people or more" in communities(context)
    assert CommunityRuns(Store(tmp_path, threads=1)).listed() == []


def test_the_sandbox_is_read_where_nothing_was_surveyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very way of the survey: Helix says who is live, chat is joined and read."""
    monkeypatch.setattr("dashboard.jobs.communities.SANDBOX_READING_S", 2)
    with serving(World(7, 12)) as server, bench(tmp_path, server, sandbox_channel_count=12) as at_work:
        handle = Listener()
        words = communities(at_work.context("communities", handle, params={"files": "false"}))
        live = len(server.world.live_at(server.now_s()))
        rows = at_work.rows("select room_login, person_count, observed_s from survey_captures")
    assert len(rows) == live
    assert all(people > 0 and 1.5 < seconds < 10 for _, people, seconds in rows)
    assert f"{live} channels of the sandbox were read for 2 s each" in handle.lines
    assert "1 of 6 · Reading the sandbox's chats: " in "".join(handle.texts)
    # So few channels, seen for so short, may be a map or too little for one; either is said.
    assert "Too little for a map" in words or "communities" in words


async def test_the_sandbox_that_does_not_answer(tmp_path: Path) -> None:
    from dashboard.errors import JobError

    async with bench_for(tmp_path, sandbox_port=1) as at_work:
        context = at_work.context("communities")
        with pytest.raises(JobError, match="the sandbox does not answer"):
            await asyncio.to_thread(communities, context)


async def test_a_setting_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="“min_sharde” is no setting of a map"):
        await run_job(tmp_path, min_sharde="3")


@contextlib.contextmanager
def serving(world: World) -> Iterator[SandboxServer]:
    """A sandbox in a thread of its own: the job brings its own loop."""
    offset = 1_700_000_040 - time.time()
    server = SandboxServer(world, http_port=0, clock=lambda: time.time() + offset)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextlib.contextmanager
def bench(tmp_path: Path, server: SandboxServer, **values: Any) -> Iterator[Bench]:
    """A bench without a loop."""
    settings = settings_for(tmp_path, server, **values)
    found = Bench(settings, open_vault(settings), State(tmp_path), Store(tmp_path, threads=1))
    try:
        yield found
    finally:
        found.store.close()
        found.state.close()
        found.vault.close()


def chat(room: str, room_id: str, people: list[str], at: int) -> list[Event]:
    """A message of each."""
    return [
        ChatMessage(
            event_id=f"{room}-{person}-{at}",
            source="irc",
            room_login=room,
            room_id=room_id,
            sent_at=Instant(at),
            received_at=Instant(at),
            user_id=f"u-{person}",
            user_login=person,
            text="hello",
        )
        for person in people
    ]


def test_presence_of_followed_channels_and_surveys_together(tmp_path: Path) -> None:
    at = NOW_S * 1_000_000
    mirrored = chat("alpha", "1", ["cid"], at + 5)[0]
    assert isinstance(mirrored, ChatMessage)
    mirrored.source_room_id = "9"
    world = World(7, 12)
    with Ingest(tmp_path, "test") as ingest:
        ingest.put([*chat("alpha", "1", ["ann", "bob"], at), *chat("alpha", "1", ["ann"], at + 24 * HOUR_US)])
        ingest.put([*chat("beta", "2", ["ann"], at), mirrored])
        ingest.put(
            [
                Observation(
                    event_id=f"o{number}",
                    source="irc",
                    room_login="alpha",
                    sent_at=Instant(at + minutes * 60_000_000),
                    received_at=Instant(at),
                    collector="irc",
                    state=state,
                )
                for number, (minutes, state) in enumerate(
                    ((-30, "joined"), (10, "lost"), (20, "joined"), (60, "left"))
                )
            ]
        )
        ingest.put(
            [
                Account(
                    event_id="a1",
                    source="helix",
                    room_login="",
                    sent_at=Instant(at),
                    received_at=Instant(at),
                    user_id="u-ann",
                    account_created_at=Instant(10 * 86_400_000_000 + 5),
                )
            ]
        )
    survey_into(tmp_path, world, 1)
    store = Store(tmp_path, threads=1)
    window = Instant(at - 48 * HOUR_US), Instant(at + 48 * HOUR_US)
    chat_only = read_presence(store, PresenceQuery(*window, with_survey=False))
    assert chat_only is not None
    assert chat_only.channels.logins == ("alpha", "beta")
    assert chat_only.chatter_ids.tolist() == ["u-ann", "u-bob"]
    assert chat_only.message_counts is not None
    assert chat_only.message_counts.tolist() == [2, 1, 1]
    assert chat_only.sightings is not None
    assert chat_only.sightings.tolist() == [2, 1, 1]  # Ann on two days.
    assert chat_only.seen_as == "speakers"
    assert chat_only.created_days is not None
    assert chat_only.created_days.tolist() == [10, -1]
    # The 40 minutes before the gap and the 40 after it; nobody kept a ledger of the other channel.
    assert chat_only.channels.observed_minutes.tolist() == [80, -1]
    assert chat_only.sources == ("chat of 2 followed channels on 3 days together",)

    both = read_presence(store, PresenceQuery(*window))
    survey = read_presence(store, PresenceQuery(*window, with_chat=False))
    speakers = read_presence(store, PresenceQuery(*window, with_chat=False, speakers_only=True))
    assert both is not None
    assert survey is not None
    assert speakers is not None
    assert both.n_pairs == survey.n_pairs + chat_only.n_pairs
    assert 0 < speakers.n_pairs < survey.n_pairs
    assert speakers.seen_as == "speakers"
    assert survey.seen_as == "connected"
    assert set(survey.channels.observed_minutes.tolist()) == {1}
    # Lurkers of the sandbox sit in many channels at the same time.
    assert survey.most_at_once is not None
    assert survey.most_at_once.max() >= 4
    # Names as their owners write them, and the game.
    assert all(
        name.lower() == login
        for name, login in zip(survey.channels.names, survey.channels.logins, strict=True)
    )
    assert all(survey.channels.games)
