"""Captures against the sandbox and a real lake: people, ages, renames; whole or not counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from dashboard.events import ChatMessage, Instant, Observation, now_us
from dashboard.job_handle import Room
from dashboard.jobs.capture import capture, chatters
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World
from dashboard.storage.audit import open_audit
from dashboard.storage.captures import Capture, Captures, open_captures
from dashboard.storage.files import FolderLock
from dashboard.storage.ingest import Ingest
from tests.jobs_helpers import Bench, Listener, bench_for, grant

START_S = 1_700_000_040
COUNTS = "select count(*), count(distinct user_id) from "


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, 8)


@pytest.fixture
async def server(world: World) -> AsyncIterator[SandboxServer]:
    async with SandboxServer(world, http_port=0, clock=lambda: START_S) as server:
        yield server


@pytest.fixture
async def bench(tmp_path: Path, server: SandboxServer) -> AsyncIterator[Bench]:
    async with bench_for(tmp_path, server) as bench:
        yield bench


def home(server: SandboxServer) -> Room:
    channel = server.world.channels[0]
    return Room(channel.user_id, channel.login)


def connected(server: SandboxServer, room: Room) -> set[str]:
    """Ids of everybody whom the world has in a chat."""
    channel = server.world.channel(room.room_login)
    assert channel is not None
    people = server.world.audience.chatters(channel.index, (START_S - 45) // 60)
    return {server.world.population.user(int(index)).user_id for index in people}


def ask(bench: Bench, room: Room, *, by: str = "local", window_s: int | None = None) -> Capture:
    with closing(open_captures(bench.settings)) as captures:
        return captures.ask(room, "spoke" if window_s else "connected", by=by, window_s=window_s)


def stands(bench: Bench, asked: Capture) -> Capture:
    with closing(open_captures(bench.settings)) as captures:
        found = captures.get(asked.capture_id)
    assert found is not None
    return found


async def test_everybody_is_listed_and_aged_and_the_row_that_closes_it_comes_last(
    server: SandboxServer, bench: Bench
) -> None:
    room = home(server)
    grant(server, bench.vault, room.room_login)
    asked = ask(bench, room)
    words = await capture(bench.context("capture"))
    people = connected(server, room)
    assert words == f"1 capture, {len(people):,} people"
    rows = bench.rows(f"select user_id from chatters where capture_id = '{asked.capture_id}'")
    assert {user for (user,) in rows} == people
    assert len(rows) == len(people) > 200
    ages = dict(bench.rows("select user_id, epoch(account_created_at)::bigint from accounts"))
    assert set(ages) == people
    user = server.world.population.by_id(next(iter(people)))
    assert user is not None
    assert ages[user.user_id] == int(user.created_s)
    poll = bench.rows("select capture_id, chatter_count, told_count, known_count from chatter_polls")
    assert poll == [(asked.capture_id, len(people), len(people), len(people))]
    ended = stands(bench, asked)
    assert (ended.state, ended.listed_count, ended.known_count, ended.unknown_count) == (
        "complete",
        len(people),
        len(people),
        0,
    )
    assert bench.rows("select count(*) from renames") == [(0,)]
    with closing(open_audit(bench.settings)) as audit:
        assert [entry.action for entry in audit.recent()] == ["capture finished"]


async def test_an_age_is_asked_for_once_in_a_lifetime(server: SandboxServer, bench: Bench) -> None:
    room = home(server)
    grant(server, bench.vault, room.room_login)
    ask(bench, room)
    await capture(bench.context("capture"))
    before = server.helix.call_count
    ask(bench, room)
    await capture(bench.context("capture"))
    pages = -(-len(connected(server, room)) // 1000)
    assert server.helix.call_count - before == pages
    assert bench.rows(COUNTS + "accounts") == [(len(connected(server, room)),) * 2]
    assert bench.rows("select count(*) from chatter_polls") == [(2,)]


async def test_accounts_that_twitch_does_not_tell_of_keep_an_unknown_age(
    server: SandboxServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = home(server)
    grant(server, bench.vault, room.room_login)
    gone = sorted(connected(server, room))[:3]
    by_id = server.world.population.by_id
    monkeypatch.setattr(server.world.population, "by_id", lambda i: None if i in gone else by_id(i))
    asked = ask(bench, room)
    await capture(bench.context("capture"))
    ended = stands(bench, asked)
    assert (ended.state, ended.unknown_count) == ("complete", 3)
    rows = bench.rows("select user_id from accounts where account_created_at is null order by user_id")
    assert [user for (user,) in rows] == gone
    # Asked in vain a minute ago: not again.
    before = server.helix.call_count
    ask(bench, room)
    await capture(bench.context("capture"))
    assert server.helix.call_count - before == -(-ended.listed_count // 1000)
    # Two hours later they are back, and asked for again.
    monkeypatch.undo()
    later = Instant(now_us() + 2 * 3_600_000_000)
    asked = ask(bench, room)
    await capture(bench.context("capture", now=lambda: later))
    assert stands(bench, asked).unknown_count == 0
    assert bench.rows("select count(*) from renames") == [(0,)]


async def test_people_who_opted_out_are_neither_listed_nor_asked_for(
    tmp_path: Path, server: SandboxServer
) -> None:
    room = home(server)
    people = connected(server, room)
    out = sorted(people)[5]
    (tmp_path / "out.txt").write_text(out)
    async with bench_for(tmp_path, server, opt_out_file=tmp_path / "out.txt") as bench:
        grant(server, bench.vault, room.room_login)
        asked = ask(bench, room)
        await capture(bench.context("capture"))
        ended = stands(bench, asked)
        assert (ended.listed_count, ended.unknown_count) == (len(people) - 1, 0)
        for kind in ("chatters", "accounts"):
            assert bench.rows(f"select count(*) from {kind} where user_id = '{out}'") == [(0,)]
            assert bench.rows(f"select count(*) from {kind}") == [(len(people) - 1,)]


async def test_a_change_of_name_is_stored_once_and_back_again_is_another(
    server: SandboxServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.sandbox import catalogue

    room = home(server)
    grant(server, bench.vault, room.room_login)
    somebody = sorted(connected(server, room))[7]
    plain, name = catalogue.person, {"now": ""}

    def person(user: object) -> dict[str, object]:
        told = plain(user)  # type: ignore[arg-type]
        is_them = told["user_id"] == somebody and name["now"]
        return told | {"user_login": name["now"], "user_name": name["now"].upper()} if is_them else told

    monkeypatch.setattr(catalogue, "person", person)
    real = server.world.population.by_id(somebody)
    assert real is not None
    for now in ("", "", "somebodynew", "somebodynew", ""):
        name["now"] = now
        ask(bench, room)
        await capture(bench.context("capture"))
    renames = bench.rows(
        "select user_id, old_login, user_login, user_display_name from renames order by sent_at"
    )
    assert renames == [
        (somebody, real.login, "somebodynew", "SOMEBODYNEW"),
        (somebody, "somebodynew", real.login, real.display_name),
    ]
    names = bench.rows(
        f"select user_login, epoch(account_created_at)::bigint from accounts where user_id = '{somebody}' "
        "order by sent_at"
    )
    assert names == [(login, int(real.created_s)) for login in (real.login, "somebodynew", real.login)]
    with closing(open_audit(bench.settings)) as audit:
        assert [e.action for e in audit.recent()].count("renames detected") == 2


async def test_a_limit_used_up_in_the_middle_is_waited_for_and_said(
    server: SandboxServer, bench: Bench
) -> None:
    room = home(server)
    grant(server, bench.vault, room.room_login)
    people = connected(server, room)
    asked = ask(bench, room)
    server.faults.fail_http(429, count=4, path="/helix/users")
    listener = Listener()
    await capture(bench.context("capture", listener))
    assert any("Twitch's rate limit is used up; goes on at" in text for text in listener.texts)
    assert stands(bench, asked).state == "complete"
    assert bench.rows(COUNTS + "chatters") == [(len(people), len(people))]
    assert bench.rows(COUNTS + "accounts") == [(len(people), len(people))]


async def test_what_was_cut_short_goes_on_where_it_was(server: SandboxServer, bench: Bench) -> None:
    room = home(server)
    grant(server, bench.vault, room.room_login)
    people = connected(server, room)
    # Some of the ages get no answer: what was told beside them is stored.
    asked = ask(bench, room)
    server.faults.fail_http(500, count=4, path="/helix/users")
    first = bench.context("capture")
    await capture(first)
    assert [line.split(":")[0] for line in first.failures] == [room.room_login]
    left = stands(bench, asked)
    assert (left.state, left.listed_count, left.cursor) == ("ageing", len(people), "")
    assert bench.rows("select count(*) from chatter_polls") == [(0,)]
    ((aged,),) = bench.rows("select count(*) from accounts")
    assert aged < len(people)
    before = server.helix.call_count
    await capture(bench.context("capture"))
    assert stands(bench, asked).state == "complete"
    # No page again, and only the ages that are missing.
    assert server.helix.call_count - before == -(-(len(people) - aged) // 100)
    assert bench.rows(COUNTS + "chatters") == [(len(people), len(people))]
    assert bench.rows(COUNTS + "accounts") == [(len(people), len(people))]


async def test_a_place_that_twitch_forgot_is_listed_again_without_anybody_twice(
    server: SandboxServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.sandbox.helix_call import Call

    room = home(server)
    grant(server, bench.vault, room.room_login)
    people = connected(server, room)
    # Pages of 100 whatever is asked for, so that there are several.
    page = Call.page
    monkeypatch.setattr(Call, "page", lambda self, items, size: page(self, items, min(size, 100)))
    asked = ask(bench, room)
    with closing(open_captures(bench.settings)) as captures:
        captures.start(asked.capture_id)
        captures.listed(asked.capture_id, cursor="gone", page_count=1, listed_count=100, told_count=400)
    await capture(bench.context("capture"))
    ended = stands(bench, asked)
    assert (ended.state, ended.listed_count) == ("complete", len(people))
    assert ended.page_count == -(-len(people) // 100)
    assert bench.rows(COUNTS + "chatters") == [(len(people), len(people))]


async def test_a_cancelled_one_stops_and_the_next_goes_on(server: SandboxServer, bench: Bench) -> None:
    room = home(server)
    other = Room(server.world.channels[1].user_id, server.world.channels[1].login)
    for login in (room.room_login, other.room_login):
        grant(server, bench.vault, login)
    first, second = ask(bench, room), ask(bench, other)
    server.faults.latency_s = 4
    task = asyncio.ensure_future(capture(bench.context("capture")))

    async def until(state: str) -> None:
        while stands(bench, first).state != state:
            await asyncio.sleep(0.02)

    await asyncio.wait_for(until("listing"), 30)
    with closing(open_captures(bench.settings)) as captures:
        captures.cancel(first.capture_id)
    await asyncio.wait_for(until("cancelled"), 30)
    server.faults.latency_s = 0
    await asyncio.wait_for(task, 60)
    assert [stands(bench, asked).state for asked in (first, second)] == ["cancelled", "complete"]
    polls = bench.rows("select capture_id from chatter_polls")
    assert polls == [(second.capture_id,)]


async def test_who_may_not_list_is_told_so_and_it_has_failed(server: SandboxServer, bench: Bench) -> None:
    room = home(server)
    asked = ask(bench, room)
    context = bench.context("capture")
    await capture(context)
    ended = stands(bench, asked)
    assert ended.state == "failed"
    assert "no login of its owner or a moderator allows moderator:read:chatters" in ended.error
    assert len(context.failures) == 1


async def test_twitch_down_leaves_it_waiting_for_an_hour(server: SandboxServer, bench: Bench) -> None:
    room = home(server)
    grant(server, bench.vault, room.room_login)
    server.faults.fail_http(500, count=99)
    asked = ask(bench, room)
    await capture(bench.context("capture"))
    left = stands(bench, asked)
    assert left.is_open
    assert left.error.endswith("It is tried again in a minute.")
    later = Instant(now_us() + 3_700_000_000)
    await capture(bench.context("capture", now=lambda: later))
    ended = stands(bench, asked)
    assert ended.state == "failed"
    assert ended.error.startswith("Twitch did not answer for an hour.")
    assert bench.rows("select count(*) from chatter_polls") == [(0,)]


async def test_who_spoke_comes_from_the_chat_that_was_collected(
    server: SandboxServer, bench: Bench, tmp_path: Path
) -> None:
    room = home(server)
    now = now_us()
    people = [server.world.population.by_id(i) for i in sorted(connected(server, room))[:4]]

    def said(number: int, who: int, ago_s: float, room_id: str | None = None) -> ChatMessage:
        user = people[who]
        assert user is not None
        return ChatMessage(
            event_id=f"m{number}",
            source="irc",
            room_login=room.room_login,
            room_id=room.room_id,
            sent_at=Instant(now - int(ago_s * 1e6)),
            received_at=now,
            user_id=user.user_id,
            user_login=user.login,
            user_display_name=user.display_name,
            source_room_id=room_id,
            text="hi",
        )

    joined = Observation(
        event_id="o1",
        source="irc",
        room_login=room.room_login,
        sent_at=Instant(now - 200_000_000),
        received_at=now,
        collector="irc",
        state="joined",
    )
    with Ingest(tmp_path, "collect") as ingest:
        # The third wrote too long ago, the fourth in another room.
        ingest.put([joined, said(1, 0, 100), said(2, 0, 50), said(3, 1, 20)])
        ingest.put([said(4, 2, 400), said(5, 3, 10, "999")])
    bench.state.write_status("collector", {"pid": 1, "reported_at": now})
    asked = ask(bench, room, window_s=300)
    assert (await capture(bench.context("capture"))).startswith("1 capture, 2 people")
    assert people[0] is not None
    assert people[1] is not None
    rows = bench.rows("select user_id, message_count from speakers order by message_count desc")
    assert rows == [(people[0].user_id, 2), (people[1].user_id, 1)]
    ((capture_id, count, messages, known),) = bench.rows(
        "select capture_id, speaker_count, message_count, known_count from speaker_polls"
    )
    assert (capture_id, count, messages, known) == (asked.capture_id, 2, 3, 2)
    ((observed_s,),) = bench.rows("select observed_s from speaker_polls")
    assert 190 < observed_s <= 300
    ages = dict(bench.rows("select user_id, epoch(account_created_at)::bigint from accounts"))
    assert ages == {user.user_id: int(user.created_s) for user in people[:2] if user}
    assert bench.rows("select count(*) from chatters") == [(0,)]


async def test_who_spoke_can_not_be_told_of_a_chat_that_nobody_read(
    server: SandboxServer, bench: Bench
) -> None:
    asked = ask(bench, home(server), window_s=300)
    await capture(bench.context("capture"))
    ended = stands(bench, asked)
    assert ended.state == "failed"
    assert "was not collected in that time" in ended.error


async def test_the_look_by_the_clock_takes_on_only_so_many_ages(
    server: SandboxServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = home(server)
    grant(server, bench.vault, room.room_login)
    count = len(connected(server, room))
    monkeypatch.setattr("dashboard.jobs.capture._CLOCK_BOUNDS", (100, 200.0))
    await chatters(bench.context("chatters"))
    assert bench.rows("select chatter_count, known_count from chatter_polls") == [(count, 100)]
    await chatters(bench.context("chatters"))
    known = bench.rows("select chatter_count, known_count from chatter_polls order by received_at")
    assert known == [(count, 100), (count, 200)]
    with closing(open_captures(bench.settings)) as captures:
        states = [(c.asked_by, c.state, c.known_count) for c in captures.recent()]
    assert states == [("clock", "complete", 200), ("clock", "complete", 100)]


async def test_the_clock_leaves_a_capture_of_somebody_alone(server: SandboxServer, bench: Bench) -> None:
    room = home(server)
    grant(server, bench.vault, room.room_login)
    asked = ask(bench, room)
    context = bench.context("chatters", listener := Listener())
    assert await chatters(context) == "0 chatters in 0 chats"
    assert listener.lines == [f"{room.room_login}: somebody captures it already"]
    assert stands(bench, asked).state == "asked"


async def test_nobody_waits_for_the_look_by_the_clock(server: SandboxServer, bench: Bench) -> None:
    room = home(server)
    other = Room(server.world.channels[1].user_id, server.world.channels[1].login)
    for login in (room.room_login, other.room_login):
        grant(server, bench.vault, login)
    of_clock, asked = ask(bench, room, by="clock"), ask(bench, other)
    lock = FolderLock(
        bench.settings.data_dir / "state" / "captures" / f"{room.room_id}-connected", "chatters"
    )
    lock.acquire()
    try:
        await asyncio.wait_for(capture(bench.context("capture")), 60)
    finally:
        lock.release()
    assert [stands(bench, one).state for one in (of_clock, asked)] == ["asked", "complete"]


async def test_a_list_by_the_clock_left_for_long_is_begun_anew(server: SandboxServer, bench: Bench) -> None:
    room = home(server)
    grant(server, bench.vault, room.room_login)
    left = ask(bench, room, by="clock")
    with closing(open_captures(bench.settings)) as captures:
        captures.start(left.capture_id)
    later = Instant(now_us() + 300_000_000)
    await chatters(bench.context("chatters", now=lambda: later))
    assert stands(bench, left).state == "failed"
    with closing(Captures(bench.settings.data_dir)) as captures:
        assert [c.state for c in captures.recent()] == ["complete", "failed"]


async def test_the_planted_cohort_is_found_in_the_first_home_channel(
    server: SandboxServer, bench: Bench
) -> None:
    import numpy as np

    from dashboard.analytics.account_ages import find_cohorts

    room = home(server)
    grant(server, bench.vault, room.room_login)
    ask(bench, room)
    await capture(bench.context("capture"))
    days = bench.rows("select epoch(account_created_at)::bigint // 86400 from accounts")
    truth = server.world.ground_truth(START_S, START_S + 1)["bot_waves"]
    assert isinstance(truth, list)
    wave = next(wave for wave in truth if wave["channel"] == room.room_login)
    first_day = int(np.datetime64(wave["first_day"]).astype("datetime64[D]").astype(int))
    analysis = find_cohorts(np.array([day for (day,) in days]), as_of_day=START_S // 86_400)
    assert [
        (cohort.start_day, cohort.end_day)
        for cohort in analysis.cohorts
        if cohort.start_day <= first_day + wave["day_count"] - 1 and cohort.end_day >= first_day
    ]
    assert len(analysis.cohorts) == 1
    assert analysis.cohorts[0].observed > 0.8 * len(wave["accounts"])


async def test_the_worlds_own_renames_are_found_between_two_captures(tmp_path: Path, world: World) -> None:
    clock = {"s": START_S}
    async with (
        SandboxServer(world, http_port=0, clock=lambda: clock["s"]) as server,
        bench_for(tmp_path, server) as bench,
    ):
        room = home(server)
        grant(server, bench.vault, room.room_login)
        seen: list[dict[str, str]] = []
        for clock["s"] in (START_S, START_S + 2 * 3600):
            asked = ask(bench, room)
            await capture(bench.context("capture"))
            rows = bench.rows(
                f"select user_id, user_display_name from chatters where capture_id = '{asked.capture_id}'"
            )
            seen.append(dict(rows))
        expected = {
            user: (seen[0][user], seen[1][user])
            for user in seen[0].keys() & seen[1].keys()
            if seen[0][user] != seen[1][user]
        }
        truth = world.ground_truth(START_S, START_S + 2 * 3600)["bot_waves"]
        assert isinstance(truth, list)
        (wave,) = [wave for wave in truth if wave["channel"] == room.room_login]
        assert expected.keys() <= {change["user_id"] for change in wave["renames"]}
        rows = bench.rows("select user_id, old_display_name, user_display_name from renames")
        assert {user: (old, new) for user, old, new in rows} == expected
        assert len(rows) == len(expected) > 0
