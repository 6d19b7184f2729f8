"""Chatters across people: captures, sessions and accounts of others are refused, however one asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.access import LOCAL, NOBODY, Access
from dashboard.errors import AccessDenied, StorageError
from dashboard.events import Instant
from dashboard.events_eventsub import Follow
from dashboard.insights.chatters_model import Selection
from dashboard.jobs.capture_orders import CaptureRoom
from dashboard.storage.ingest import Ingest
from tests.chatters_lake import DAY, MIN, MOTH, T0, TODAY, WASP, ChattersLake

OLD = TODAY - 1_000
MOTHS_OWNER = Access("900", "moth", rooms=frozenset({"moth"}))
WASPS_OWNER = Access("901", "wasp", rooms=frozenset({"wasp"}))
GUEST = Access("5", "guest", rooms=frozenset({"moth"}))
"""Sees moth because it is public."""
MODERATOR = Access("6", "mod", rooms=frozenset({"mod", "moth"}))
ADMIN = Access("7", "admin", is_admin=True, rooms=frozenset({"admin"}))
STRANGERS = [WASPS_OWNER, GUEST, ADMIN, NOBODY]


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[ChattersLake]:
    with Ingest(tmp_path, flush_interval_s=0.02) as ingest:
        lake = ChattersLake(tmp_path, ingest)
        lake.accounts.note_login("6", "mod", "Mod")
        lake.accounts.set_moderated("6", ["moth"])
        lake.capture("c1", ["1", "2"], by="900")
        lake.capture("c2", ["2", "3"], at=T0 + MIN, by="clock")
        lake.capture("w1", ["3", "4"], room=WASP, by="901")
        lake.spoke("s1", {"5": 2}, by="900")
        lake.born(dict.fromkeys("12345", OLD))
        yield lake
        lake.close()


def every_question(lake: ChattersLake, access: Access) -> list[Callable[[], object]]:
    ask, one = lake.insights, Selection(capture_ids=("c1",))
    return [
        lambda: ask.analysis(one, access),
        lambda: ask.accounts(one, access),
        lambda: ask.capture("c1", access),
        lambda: ask.compare("c1", "c2", access),
        lambda: ask.compared_people("c1", "c2", "came", access),
        lambda: ask.account("1", access),
        lambda: ask.account("3", access, one),
        lambda: ask.sessions.create(access, ["c1"]),
    ]


def test_strangers_get_nothing_of_a_list_of_people(lake: ChattersLake) -> None:
    lake.insights.analysis(Selection(capture_ids=("c1",)), MOTHS_OWNER)  # it is in the cache now
    for access in STRANGERS:
        for question in every_question(lake, access):
            with pytest.raises(AccessDenied):
                question()
        assert not {"c1", "c2"} & {line.capture_id for line in lake.insights.captures(access)}
        with pytest.raises(AccessDenied):
            lake.insights.analysis(Selection(capture_ids=("w1", "c1")), access)


def test_owner_and_moderator_get_all_of_it(lake: ChattersLake) -> None:
    for access in (MOTHS_OWNER, MODERATOR, LOCAL):
        for question in every_question(lake, access):
            question()


def test_a_refusal_does_not_tell_whether_there_is_such_a_capture(lake: ChattersLake) -> None:
    words = set()
    for capture_id in ("c1", "never-was"):
        with pytest.raises(AccessDenied) as refused:
            lake.insights.capture(capture_id, WASPS_OWNER)
        words.add(str(refused.value))
    assert len(words) == 1


def test_the_list_holds_only_what_may_be_used(lake: ChattersLake) -> None:
    lake.orders.listed = [CaptureRoom("900", "moth", "public", False, "no")]
    assert {line.capture_id for line in lake.insights.captures(GUEST)} == {"s1"}
    assert {line.capture_id for line in lake.insights.captures(WASPS_OWNER)} == set()
    lines = {line.capture_id: line.asked_by for line in lake.insights.captures(MODERATOR)}
    assert lines == {"c1": "another moderator", "c2": "the clock", "s1": "another moderator"}
    assert lake.insights.captures(GUEST, room_id="901") == ()


def test_who_spoke_in_a_public_chat_may_be_seen_by_who_may_read_it(lake: ChattersLake) -> None:
    found = lake.insights.analysis(Selection(capture_ids=("s1",)), GUEST)
    assert found.account_count == 1
    assert lake.insights.account("5", GUEST).capture_count == 1
    with pytest.raises(AccessDenied):
        lake.insights.analysis(Selection(capture_ids=("s1",)), WASPS_OWNER)


def test_the_timeline_leaves_out_other_channels_and_what_is_for_moderators(lake: ChattersLake) -> None:
    lake.say("5", T0 - MIN)
    lake.say("5", T0 - MIN, room=WASP)
    lake.capture("c3", ["5"], at=T0 + 2 * MIN)
    lake.capture("w3", ["5"], room=WASP, at=T0 + 2 * MIN)
    lake.put(Follow(**lake.base(T0 - DAY, MOTH), user_id="5", followed_at=Instant(T0 - DAY)))
    seen = {
        access.user_login: [
            (line.category, line.room_login) for line in lake.insights.account("5", access).timeline
        ]
        for access in (MOTHS_OWNER, GUEST, WASPS_OWNER)
    }
    assert seen == {
        "moth": [("capture", "moth"), ("capture", "moth"), ("message", "moth"), ("follow", "moth")],
        "guest": [("capture", "moth"), ("message", "moth")],
        "wasp": [("capture", "wasp"), ("message", "wasp")],
    }


def test_a_moderator_who_is_none_any_more_loses_the_lists(lake: ChattersLake) -> None:
    session = lake.insights.sessions.create(MODERATOR, ["c1"], "raid")
    lake.accounts.set_moderated("6", [])
    with pytest.raises(AccessDenied):
        lake.insights.analysis(Selection(capture_ids=("c1",)), MODERATOR)
    assert lake.insights.sessions.get(session.session_id, MODERATOR).capture_ids == ()
    found = lake.insights.analysis(Selection(session_id=session.session_id), MODERATOR)
    assert (found.account_count, found.missing) == (0, "No capture is chosen.")


def test_sessions_of_others_do_not_exist(lake: ChattersLake) -> None:
    sessions = lake.insights.sessions
    mine = sessions.create(MOTHS_OWNER, ["c1"], "raid")
    asked: list[Callable[[Access], object]] = [
        lambda access: sessions.get(mine.session_id, access),
        lambda access: sessions.load(mine.session_id, access),
        lambda access: sessions.save(mine.session_id, access),
        lambda access: sessions.rename(mine.session_id, access, "stolen"),
        lambda access: sessions.add(mine.session_id, access, ["s1"]),
        lambda access: sessions.remove(mine.session_id, access, ["c1"]),
        lambda access: sessions.delete(mine.session_id, access),
        lambda access: lake.insights.analysis(Selection(session_id=mine.session_id), access),
    ]
    # The moderator may use the capture in it, and still has no way into the session.
    for access in (MODERATOR, WASPS_OWNER, NOBODY):
        for ask in asked:
            with pytest.raises(AccessDenied):
                ask(access)
    assert sessions.all(MODERATOR) == ()
    (line,) = sessions.all(MOTHS_OWNER)
    assert (line.name, line.capture_ids, line.is_saved) == ("raid", ("c1",), False)


def test_a_session_is_kept_renamed_saved_and_deleted_and_each_is_noted(lake: ChattersLake) -> None:
    sessions = lake.insights.sessions
    made = sessions.create(MOTHS_OWNER, address="10.0.0.1")
    session_id = made.session_id
    assert sessions.add(session_id, MOTHS_OWNER, ["c2", "c1"]).rooms == ("moth",)
    assert sessions.remove(session_id, MOTHS_OWNER, ["c2"]).capture_ids == ("c1",)
    assert sessions.rename(session_id, MOTHS_OWNER, "Friday").name == "Friday"
    saved = sessions.save(session_id, MOTHS_OWNER)
    assert (saved.is_saved, saved.expires_at, saved.name) == (True, None, "Friday")
    assert sessions.load(session_id, MOTHS_OWNER).capture_ids == ("c1",)
    found = lake.insights.analysis(Selection(session_id=session_id), MOTHS_OWNER)
    assert found.account_count == 2
    sessions.delete(session_id, MOTHS_OWNER)
    with pytest.raises(AccessDenied):
        sessions.get(session_id, MOTHS_OWNER)
    noted = [entry.action for entry in reversed(lake.audit.recent(10, user_id="900"))]
    assert noted == [
        "session created",
        "session renamed",
        "session saved",
        "session loaded",
        "session deleted",
    ]
    assert lake.audit.recent(10, user_id="900")[-1].address == "10.0.0.1"


def test_one_person_can_save_so_many_and_no_more(lake: ChattersLake) -> None:
    sessions = lake.insights.sessions
    made = [sessions.create(MOTHS_OWNER) for _ in range(sessions.most_saved + 1)]
    for line in made[:-1]:
        sessions.save(line.session_id, MOTHS_OWNER)
    with pytest.raises(StorageError, match="is the most"):
        sessions.save(made[-1].session_id, MOTHS_OWNER)
