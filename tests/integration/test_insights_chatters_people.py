"""Two captures beside each other, and one account whole: worked out by hand on a real lake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.access import LOCAL
from dashboard.errors import AccessDenied, JobError
from dashboard.events import Instant, Raid, UserListChange, ViewerSample
from dashboard.events_eventsub import ChannelRaid, Follow, SuspiciousUser
from dashboard.insights.chatters_model import Selection
from dashboard.insights.chatters_people_model import MessageDay, RaidMark
from dashboard.storage.ingest import Ingest
from tests.chatters_lake import DAY, MIN, MOTH, T0, TODAY, WASP, ChattersLake

OLD = TODAY - 1_000


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[ChattersLake]:
    with Ingest(tmp_path, flush_interval_s=0.02) as ingest:
        lake = ChattersLake(tmp_path, ingest)
        yield lake
        lake.close()


def test_who_came_who_left_and_how_their_ages_differ(lake: ChattersLake) -> None:
    lake.capture("c1", ["1", "2", "3", "9"], at=T0, logins={"9": "nightbot"})
    lake.capture("c2", ["2", "3", "4", "5", "6"], at=T0 + 20 * MIN)
    lake.born({"1": TODAY - 30, "2": OLD, "3": OLD, "4": TODAY - 2, "5": TODAY - 4, "6": None, "9": OLD})
    lake.put(
        *(
            ViewerSample(**lake.base(T0 + minute * MIN, MOTH), viewer_count=100 + minute)
            for minute in (-31, -30, 0, 50, 51)
        ),
        Raid(**lake.base(T0 + 10 * MIN, MOTH), user_id="77", user_login="friend", viewer_count=40),
        ChannelRaid(
            **lake.base(T0 + 10 * MIN + 2, MOTH),
            direction="in",
            from_room_id="77",
            from_room_login="friend",
            viewer_count=42,
        ),
        Raid(**lake.base(T0 + 40 * MIN, MOTH), user_id="77", user_login="friend", viewer_count=5),
        Raid(**lake.base(T0 + 10 * MIN, WASP), user_id="78", user_login="other", viewer_count=1),
    )
    # Given in the wrong order on purpose: the earlier list is the first.
    found = lake.insights.compare("c2", "c1", LOCAL, "day")
    assert (found.before.capture_id, found.after.capture_id) == ("c1", "c2")
    assert (found.came_count, found.left_count, found.stayed_count) == (3, 1, 2)
    assert (found.came_unknown_count, found.left_unknown_count, found.stayed_unknown_count) == (1, 0, 0)
    assert (found.came_median_age_days, found.left_median_age_days) == (3, 30)
    assert found.words.startswith(
        "3 came, 1 left, 2 stayed. Half of the accounts that came are younger than 3 days;"
    )
    at = {day: place for place, day in enumerate(found.ages.start_day)}
    assert sum(found.ages.came) == 2
    assert found.ages.came[at[TODAY - 2]] == found.ages.came[at[TODAY - 4]] == 1
    assert found.ages.left[at[TODAY - 30]] == sum(found.ages.left) == 1
    assert found.ages.stayed[at[OLD]] == sum(found.ages.stayed) == 2
    assert found.viewers == (70, 100, 150)
    assert found.raids == (
        RaidMark(Instant(T0 + 10 * MIN), "friend", 42),
        RaidMark(Instant(T0 + 40 * MIN), "friend", 5),
    )
    assert found.came_cohorts == ()
    for side, ids in (("came", ["4", "5", "6"]), ("left", ["1"]), ("stayed", ["2", "3"])):
        table = lake.insights.compared_people("c1", "c2", side, LOCAL)  # type: ignore[arg-type]
        assert sorted(table.user_id) == ids
        assert table.words == f"{len(ids)} accounts that {side}"


def test_only_complete_captures_of_one_channel_and_one_source_are_compared(lake: ChattersLake) -> None:
    lake.capture("c1", ["1"], at=T0)
    lake.capture("w1", ["1"], room=WASP, at=T0)
    lake.spoke("s1", {"1": 1}, at=T0 + MIN)
    lake.capture("open", ["1"], at=T0 + MIN, is_closed=False)
    for other, words in (
        ("c1", "one and the same"),
        ("w1", "of one channel"),
        ("s1", "compare two captures of one source"),
        ("open", "complete"),
    ):
        with pytest.raises(JobError, match=words):
            lake.insights.compare("c1", other, LOCAL)


def test_one_account_whole(lake: ChattersLake) -> None:
    person = {"user_id": "1", "user_login": "u1", "user_display_name": "U1"}
    lake.capture("c1", ["1", "2"], at=T0)
    lake.capture("c2", ["1"], at=T0 + 10 * MIN)
    lake.capture("open", ["1"], room=WASP, at=T0 + 10 * MIN, is_closed=False)
    lake.born({"1": TODAY - 5, "2": OLD})
    lake.say("1", T0 - DAY)
    lake.say("1", T0 - 5 * MIN)
    lake.say("1", T0 - 4 * MIN)
    lake.say("1", T0 - 3 * MIN, source_room_id="901")
    lake.rename("1", T0, "before", "u1")
    lake.put(
        Follow(**lake.base(T0 - 20 * MIN, MOTH), **person, followed_at=Instant(T0 - 20 * MIN)),
        SuspiciousUser(
            **lake.base(T0 + MIN, MOTH), **person, action="update", low_trust_status="active_monitoring"
        ),
        UserListChange(**lake.base(T0 - 6 * MIN, MOTH), action="join", user_login="u1"),
    )
    lake.now = T0 + DAY
    found = lake.insights.account("1", LOCAL, Selection(capture_ids=("c1",)))
    assert (found.user_login, found.age_days, found.is_service, found.capture_count) == ("u1", 6, False, 2)
    assert found.created_at == (TODAY - 5) * DAY + 12 * 60 * MIN
    assert (found.message_count, found.first_message_at, found.last_message_at) == (3, T0 - DAY, T0 - 4 * MIN)
    assert found.message_days == (MessageDay(TODAY - 1, "moth", 1), MessageDay(TODAY, "moth", 2))
    assert [(line.old_login, line.new_login) for line in found.renames] == [("before", "u1")]
    assert not found.is_often_renamed
    assert found.rooms == ("moth",)
    assert found.notes == ("Messages are kept for 30 days: what is older is not counted.",)
    assert [(line.category, line.words) for line in found.timeline] == [
        ("capture", "Connected to chat"),
        ("suspicious", "Twitch's label: active monitoring"),
        ("capture", "Connected to chat"),
        ("rename", "before → u1"),
        ("message", "2 messages on this day"),
        ("join", "Came into chat"),
        ("follow", "Followed"),
        ("message", "1 message on this day"),
    ]


def test_an_account_that_was_met_nowhere_is_not_told_of(lake: ChattersLake) -> None:
    lake.capture("c1", ["1"])
    lake.born({"1": OLD, "2": OLD})
    with pytest.raises(AccessDenied, match="not met"):
        lake.insights.account("2", LOCAL)
