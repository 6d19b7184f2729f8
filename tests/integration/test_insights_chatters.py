"""What the Chatters page is told, on a real lake with few people: every number is counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.access import LOCAL
from dashboard.events import Instant, StreamChange, ViewerSample
from dashboard.events_eventsub import Follow, SuspiciousUser
from dashboard.insights.chatters_model import Selection as Choose
from dashboard.insights.chatters_model import ServiceAccount
from dashboard.jobs.capture_orders import CaptureRoom
from dashboard.storage.ingest import Ingest
from tests.chatters_lake import DAY, MIN, MOTH, T0, TODAY, WASP, ChattersLake, S

OLD = TODAY - 1_000


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[ChattersLake]:
    with Ingest(tmp_path, flush_interval_s=0.02) as ingest:
        lake = ChattersLake(tmp_path, ingest)
        yield lake
        lake.close()


def choose(*capture_ids: str, **values: object) -> Choose:
    return Choose(capture_ids=capture_ids, **values)  # type: ignore[arg-type]


def test_counts_of_known_unknown_and_service_accounts(lake: ChattersLake) -> None:
    lake.capture("c1", ["1", "2", "3", "4", "5"], logins={"5": "NightBot"})
    lake.born({"1": OLD, "2": OLD, "3": TODAY - 3, "4": None, "5": OLD})
    found = lake.insights.analysis(choose("c1"), LOCAL)
    assert (found.account_count, found.n, found.n_unknown, found.service_count) == (4, 3, 1, 1)
    assert found.services == (ServiceAccount("5", "NightBot", "shipped"),)
    assert (found.source, found.as_of, found.as_of_day, found.missing) == ("connected", T0, TODAY, None)
    assert (found.is_enough, found.cohorts) == (False, ())
    assert "3" in found.verdict
    assert [(line.capture_id, line.source_words, line.asked_by) for line in found.captures] == [
        ("c1", "connected to chat", "you")
    ]


def test_an_own_list_of_services_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "services.txt"
    path.write_text("# ours\nU2\n", encoding="utf-8")
    with Ingest(tmp_path, flush_interval_s=0.02) as ingest:
        lake = ChattersLake(tmp_path, ingest, service_accounts_file=path)
        lake.capture("c1", ["1", "2", "3"])
        lake.born({"1": OLD, "2": OLD, "3": OLD})
        assert lake.insights.analysis(choose("c1"), LOCAL).services == (ServiceAccount("2", "u2", "yours"),)
        path.write_text("u2\n3\nu1 # by login\n", encoding="utf-8")
        found = lake.insights.analysis(choose("c1"), LOCAL)
        assert (found.service_count, found.account_count) == (3, 0)
        lake.close()


def test_a_capture_without_its_closing_row_counts_for_nothing(lake: ChattersLake) -> None:
    lake.capture("c1", ["1", "2"], is_closed=False)
    found = lake.insights.analysis(choose("c1"), LOCAL)
    assert (found.account_count, found.missing) == (0, "The capture is being made.")
    assert lake.insights.accounts(choose("c1"), LOCAL).row_count == 0
    lake.captures.fail("c1", "Twitch does not answer.")
    why = "This capture was not completed: there is no whole list to look at."
    assert lake.insights.analysis(choose("c1"), LOCAL).missing == why
    # A list that was cut short is no earlier sighting either.
    lake.capture("c2", ["1"], at=T0 + MIN)
    table = lake.insights.accounts(choose("c2"), LOCAL)
    assert (table.seen_count, table.first_seen_s) == ([1], [(T0 + MIN) // S])


def test_ages_that_arrive_later_are_seen(lake: ChattersLake) -> None:
    lake.capture("c1", ["1", "2"])
    lake.born({"1": OLD})
    assert lake.insights.analysis(choose("c1"), LOCAL).n_unknown == 1
    lake.born({"2": OLD})
    # An answer is kept for a moment (20 times what it took); new insights have none.
    assert lake.fresh().analysis(choose("c1"), LOCAL).n_unknown == 0


def test_spoke_and_silent_in_the_stream_that_was_on(lake: ChattersLake) -> None:
    lake.put(
        StreamChange(**lake.base(T0 - 90 * MIN, MOTH), action="start", started_at=Instant(T0 - 90 * MIN)),
        *(ViewerSample(**lake.base(T0 - n * MIN, MOTH), viewer_count=50) for n in range(90, -30, -2)),
    )
    lake.read_chat(T0 - 100 * MIN, T0 + 30 * MIN)
    lake.capture("c1", ["1", "2", "3", "4", "5"])
    lake.born(dict.fromkeys("12345", OLD))
    lake.say("1", T0 - 95 * MIN)  # before this stream
    lake.say("2", T0 - 89 * MIN)
    lake.say("2", T0 - 5 * MIN)
    lake.say("3", T0 + 14 * MIN)  # within the quarter of an hour after the list
    lake.say("4", T0 + 16 * MIN)  # after it
    lake.say("5", T0 - 4 * MIN, source_room_id="901", source_message_id="m")  # written in another room
    found = lake.insights.analysis(choose("c1"), LOCAL)
    (window,) = found.chat_windows
    assert (window.start_at, window.end_at) == (T0 - 90 * MIN, T0 + 15 * MIN)
    assert window.observed_s == 105 * 60
    assert window.words == "from the start of the stream to 15 min after the list"
    assert found.trait_counts == {"silent": 3, "spoke": 2, "first_seen": 3, "follows": None}
    assert found.trait_missing == {"follows": "Who follows this channel was not read."}
    table = lake.insights.accounts(choose("c1", traits=frozenset({"spoke"})), LOCAL)
    assert dict(zip(table.user_id, table.message_count, strict=True)) == {"2": 2, "3": 1}


def test_nobody_is_called_silent_where_chat_was_not_read(lake: ChattersLake) -> None:
    lake.capture("c1", ["1", "2"])
    lake.born({"1": OLD, "2": OLD})
    lake.say("1", T0 - MIN)
    found = lake.insights.analysis(choose("c1"), LOCAL)
    assert (found.trait_counts["silent"], found.trait_counts["spoke"]) == (None, None)
    assert found.trait_missing["silent"] == found.trait_missing["spoke"]
    assert "nobody is called silent" in found.trait_missing["silent"]
    table = lake.insights.accounts(choose("c1"), LOCAL)
    assert table.message_count == [None, None]
    assert not any("silent" in words for words in table.evidence)
    none = lake.insights.accounts(choose("c1", traits=frozenset({"silent"})), LOCAL)
    assert none.row_count == 0


def test_first_seen_is_in_no_earlier_list_and_no_earlier_message_of_the_channel(lake: ChattersLake) -> None:
    lake.capture("c0", ["1", "9"], at=T0 - DAY)
    lake.spoke("s0", {"2": 3}, at=T0 - 2 * DAY)
    lake.capture("w0", ["3"], room=WASP, at=T0 - DAY)
    lake.say("4", T0 - 30 * MIN)
    lake.say("5", T0 - 30 * MIN, room=WASP)
    lake.say("6", T0 + MIN)
    lake.capture("c1", ["1", "2", "3", "4", "5", "6"])
    lake.born(dict.fromkeys("123456", OLD))
    table = lake.insights.accounts(choose("c1", traits=frozenset({"first_seen"})), LOCAL)
    assert sorted(table.user_id) == ["3", "5", "6"]
    everybody = lake.insights.accounts(choose("c1"), LOCAL)
    row = dict(
        zip(everybody.user_id, zip(everybody.seen_count, everybody.first_seen_s, strict=True), strict=True)
    )
    # Lists of the other source are no further times seen, but they are a first sight.
    assert row["1"] == (2, (T0 - DAY) // S)
    assert row["2"] == (1, (T0 - 2 * DAY) // S)
    assert row["4"] == (1, (T0 - 30 * MIN) // S)


def test_who_spoke_is_first_seen_when_nothing_is_older_than_the_stretch(lake: ChattersLake) -> None:
    lake.say("1", T0 - 11 * MIN)
    lake.say("1", T0 - 5 * MIN)
    lake.say("2", T0 - 5 * MIN)
    lake.spoke("s1", {"1": 1, "2": 1}, window_s=600)
    lake.born({"1": OLD, "2": OLD})
    found = lake.insights.analysis(choose("s1"), LOCAL)
    assert found.captures[0].source_words == "spoke in the last 10 min"
    assert found.trait_counts == {"silent": None, "spoke": 2, "first_seen": 1, "follows": None}
    assert found.trait_missing["silent"] == "Everybody in this list spoke."


def test_the_two_sources_are_never_mixed(lake: ChattersLake) -> None:
    lake.spoke("s1", {"1": 1, "2": 1}, at=T0)
    lake.capture("c1", ["3", "4", "5"], at=T0 + MIN)
    found = lake.insights.analysis(choose("s1", "c1"), LOCAL)
    assert (found.source, found.account_count) == ("connected", 3)
    assert found.notes[0] == "1 capture is of the other source (“spoke”) left out: they are never mixed."


def test_several_captures_are_one_crowd_and_rooms_can_be_chosen(lake: ChattersLake) -> None:
    lake.capture("c1", ["1", "2"], at=T0)
    lake.capture("c2", ["2", "3"], at=T0 + 10 * MIN)
    lake.capture("w1", ["3", "4"], room=WASP, at=T0)
    lake.born(dict.fromkeys("1234", OLD))
    both = choose("c1", "c2", "w1")
    assert lake.insights.analysis(both, LOCAL).account_count == 4
    only = lake.insights.analysis(Choose(capture_ids=both.capture_ids, rooms=("moth",)), LOCAL)
    assert (only.account_count, len(only.captures)) == (3, 2)
    table = lake.insights.accounts(choose("c1", "c2"), LOCAL)
    assert dict(zip(table.user_id, table.seen_count, strict=True)) == {"1": 1, "2": 2, "3": 1}


def test_the_picture_and_the_filters_of_dates(lake: ChattersLake) -> None:
    days = {"1": TODAY, "2": TODAY - 6, "3": TODAY - 7, "4": TODAY - 7, "5": TODAY - 400, "6": None}
    lake.capture("c1", days)
    lake.born(days)
    by_day = lake.insights.analysis(choose("c1", grain="day", last_days=7), LOCAL)
    assert by_day.histogram.start_day == tuple(range(TODAY - 6, TODAY + 1))
    assert by_day.histogram.observed == (1, 0, 0, 0, 0, 0, 1)
    assert (by_day.shown_count, by_day.n) == (2, 5)
    whole = lake.insights.analysis(choose("c1", grain="day"), LOCAL)
    assert whole.histogram.count == 5
    assert sum(whole.histogram.expected) == pytest.approx(5, abs=0.5)
    # A stretch that is looked at does not change what is expected in it.
    assert by_day.histogram.expected == whole.histogram.expected[-7:]
    assert (whole.top_days[0].day, whole.top_days[0].observed) == (TODAY - 7, 2)
    assert whole.age_curve.median_age_days == 7
    picked = lake.insights.accounts(choose("c1", start_day=TODAY - 7, end_day=TODAY - 6), LOCAL)
    assert picked.user_id == ["2", "3", "4"]
    newest_first = lake.insights.accounts(choose("c1"), LOCAL)
    assert newest_first.user_id == ["1", "2", "3", "4", "5", "6"]
    assert newest_first.age_days == [0, 6, 7, 7, 400, None]
    assert newest_first.created_s[0] == (TODAY * DAY + 12 * 60 * MIN) // S
    assert newest_first.created_s[-1] is None


def test_the_age_curve_says_what_share_is_at_most_so_old(lake: ChattersLake) -> None:
    days = {"1": TODAY - 1, "2": TODAY - 10, "3": TODAY - 100, "4": TODAY - 1000}
    lake.capture("c1", days)
    lake.born(days)
    curve = lake.insights.analysis(choose("c1"), LOCAL).age_curve
    shares = dict(zip(curve.age_days, curve.observed, strict=True))
    assert curve.age_days[0] >= 0
    assert list(curve.age_days) == sorted(curve.age_days)
    for age, share in shares.items():
        assert share == sum(TODAY - day <= age for day in days.values()) / 4


def test_follows_labels_and_renames_stand_beside_the_account(lake: ChattersLake) -> None:
    lake.capture("c1", ["1", "2", "3"], logins={"1": "newest"})
    lake.born({"1": OLD, "2": OLD, "3": OLD})
    person = {"user_id": "2", "user_login": "u2", "user_display_name": "U2"}
    lake.put(
        Follow(**lake.base(T0 - DAY, MOTH), **person, followed_at=Instant(T0 - DAY)),
        Follow(**lake.base(T0 - DAY, WASP), user_id="3", followed_at=Instant(T0 - DAY)),
        SuspiciousUser(
            **lake.base(T0 - MIN, MOTH),
            **person,
            action="update",
            low_trust_status="restricted",
        ),
    )
    for number, (old, new) in enumerate([("a", "b"), ("b", "c"), ("c", "newest")]):
        lake.rename("1", T0 - DAY + number, old, new)
    found = lake.insights.analysis(choose("c1"), LOCAL)
    assert found.trait_counts["follows"] == 1
    assert "Only follows since the start of collection are known: others may follow, too." in found.notes
    table = lake.insights.accounts(choose("c1"), LOCAL)
    rows = {key: place for place, key in enumerate(table.user_id)}
    assert table.rename_count[rows["1"]] == 3
    assert table.evidence[rows["1"]] == "first seen, many renames"
    assert table.evidence[rows["2"]] == "first seen, follows, restricted by Twitch"
    assert table.evidence[rows["3"]] == "first seen"
    assert table.user_login[rows["1"]] == "newest"


def test_renames_count_the_same_however_many_captures_there_are(lake: ChattersLake) -> None:
    lake.rename("1", T0 - DAY, "old", "u1")
    for number in range(4):
        lake.capture(f"c{number}", ["1"], at=T0 + number * MIN)
    lake.born({"1": OLD})
    for chosen in (choose("c0"), choose("c0", "c1", "c2", "c3")):
        assert lake.insights.accounts(chosen, LOCAL).rename_count == [1]


def test_the_baseline_is_of_other_channels_and_leaves_out_who_is_here(lake: ChattersLake) -> None:
    lake.capture("c1", ["1", "2"])
    lake.capture("c0", ["3"], at=T0 - DAY)  # the same channel
    lake.capture("w1", ["2", "4", "5"], room=WASP)
    lake.spoke("w2", {"5": 1, "6": 2}, room=WASP)
    lake.capture("w3", ["7"], room=WASP, is_closed=False)
    lake.born({"1": OLD, "2": OLD, "3": OLD, "4": OLD + 1, "5": OLD + 2, "6": None, "7": OLD})
    found = lake.insights.analysis(choose("c1"), LOCAL)
    assert (found.baseline_sample, found.baseline_name) == (2, "2 accounts of 1 other channel")
    other = lake.insights.analysis(choose("w1"), LOCAL)
    assert other.baseline_sample == 2, "1 and 3 of moth; 2 is here"


def test_live_channels_come_first_with_what_stands_in_the_way(lake: ChattersLake) -> None:
    lake.now = T0
    lake.state.follow(["wasp"])
    lake.put(ViewerSample(**lake.base(T0 - MIN, WASP), viewer_count=120, game_name="Chess"))
    lake.orders.listed = [
        CaptureRoom("900", "moth", "owner", True),
        CaptureRoom(
            "901", "wasp", "public", False, "Only its owner and its moderators may list who is connected."
        ),
    ]
    lake.capture("c1", ["1"])
    first, second = lake.insights.rooms(LOCAL)
    assert (first.room_login, first.is_live, first.viewer_count, first.game_name) == (
        "wasp",
        True,
        120,
        "Chess",
    )
    assert (first.can_list_connected, first.can_list_spoke, first.last_capture) == (False, True, None)
    assert first.why_not == "Only its owner and its moderators may list who is connected."
    assert (second.room_login, second.is_live, second.viewer_count) == ("moth", False, None)
    assert (second.can_list_spoke, second.why_not_spoke) == (False, "Its chat is not collected.")
    assert second.last_capture is not None
    assert second.last_capture.capture_id == "c1"


def test_a_selection_survives_the_browser() -> None:
    selection = Choose(
        capture_ids=("c1", "c2"),
        rooms=("moth",),
        grain="week",
        last_days=30,
        traits=frozenset({"silent"}),
        cohort=2,
    )
    assert Choose.from_payload(selection.to_payload()) == selection
    junk = {
        "grain": "decade",
        "last_days": -3,
        "traits": ["tall", "spoke"],
        "cohort": "x",
        "capture_ids": "c1",
    }
    assert Choose.from_payload(junk) == Choose(traits=frozenset({"spoke"}))
    assert Choose.from_payload(None) == Choose()
