"""The Live page's numbers on a real lake: what goes in through the ingest, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.errors import QueryTimeout
from dashboard.events import (
    Announcement,
    Bits,
    ChatMessage,
    Event,
    Instant,
    Moderation,
    MysteryGift,
    Observation,
    Raid,
    StreamChange,
    SubGift,
    Subscription,
    ViewerSample,
)
from dashboard.insights.live import LiveInsights
from dashboard.insights.live_model import GapSpan, Marker, Ranked
from dashboard.storage.ingest import Ingest
from dashboard.storage.state import State, StatusRow
from dashboard.storage.store import Store

S = 1_000_000
MIN = 60 * S
T0 = 1_760_000_400 * S
"""On a whole minute; most streams of the tests begin here."""


class Lake:
    """A real lake in a temporary folder, with short ways to fill it."""

    def __init__(self, data_dir: Path, ingest: Ingest) -> None:
        self.store = Store(data_dir)
        self.state = State(data_dir)
        self._ingest = ingest
        self._serial = 0
        self.live = fresh(self)

    def put(self, *events: Event) -> None:
        self._ingest.put(events)
        self._ingest.flush()

    def _base(self, second: float, room: str) -> dict[str, Any]:
        self._serial += 1
        at = Instant(T0 + round(second * S))
        return {
            "event_id": f"e{self._serial}",
            "source": "irc",
            "room_login": room,
            "room_id": f"id-{room}",
            "sent_at": at,
            "received_at": Instant(at + S // 10),
        }

    def make(self, cls: type[Event], second: float, *, room: str = "moth", **values: Any) -> Any:
        return cls(**{**self._base(second, room), **values})

    def say(self, second: float, who: str, text: str = "hi", **values: Any) -> ChatMessage:
        person = {"user_id": f"id-{who}", "user_login": who, "user_display_name": who.title()}
        return self.make(ChatMessage, second, text=text, **{**person, **values})

    def watch(self, second: float, viewers: int, **values: Any) -> ViewerSample:
        told = {"stream_id": "s1", "started_at": Instant(T0), "game_name": "Celeste", "source": "helix"}
        return self.make(ViewerSample, second, viewer_count=viewers, **{**told, **values})

    def see(self, second: float, state: str, collector: str = "irc", **values: Any) -> Observation:
        return self.make(Observation, second, collector=collector, state=state, **values)


def at(second: float) -> Instant:
    return Instant(T0 + round(second * S))


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Ingest(tmp_path) as ingest:
        lake = Lake(tmp_path, ingest)
        yield lake
        lake.store.close()
        lake.state.close()


def fresh(lake: Lake) -> LiveInsights:
    """Insights with empty caches, for which time stands still: no budget ever runs out."""
    return LiveInsights(lake.store, lake.state, refresh_s=0, monotonic=lambda: 0.0)


def test_a_room_never_seen_is_empty(lake: Lake) -> None:
    snapshot = lake.live.snapshot("nobody", now=at(0))

    assert snapshot.status == "empty"
    assert snapshot.fresh_at is None
    assert {key: reading.value for key, reading in snapshot.readings.items()} == dict.fromkeys(
        ["viewers", "velocity", "burst", "unique_chatters", "engagement", "retention", "uptime", "game"]
    )
    assert all(reading.missing for reading in snapshot.readings.values())
    assert lake.live.series("nobody", now=at(0), span_s=1800).bin_at == ()
    assert lake.live.feed("nobody", now=at(0)) == []
    assert lake.live.top("nobody", now=at(0)).message_count == 0


def test_a_recording_imported_while_the_empty_page_is_open_appears(lake: Lake) -> None:
    years_later = at(5 * 365 * 86_400)
    assert lake.live.snapshot("moth", now=years_later).status == "empty"
    lake.put(lake.say(0, "ann"), lake.say(10, "bob"))

    snapshot = lake.live.snapshot("moth", now=Instant(years_later + S))

    assert (snapshot.status, snapshot.clock_at) == ("recorded", at(10))
    assert snapshot == fresh(lake).snapshot("moth", now=Instant(years_later + S))

    assert lake.live.snapshot("quiet", now=years_later).status == "empty"
    lake.put(lake.watch(0, 100, room="quiet"), lake.watch(60, 120, room="quiet"))
    only_viewers = lake.live.snapshot("quiet", now=Instant(years_later + S))
    assert (only_viewers.status, only_viewers.clock_at) == ("recorded", at(60))
    assert only_viewers == fresh(lake).snapshot("quiet", now=Instant(years_later + S))


def test_the_tiles_of_a_live_stream(lake: Lake) -> None:
    lake.put(
        lake.see(-30, "joined"),
        lake.watch(30, 100, title="no-hit attempt 14", language="en"),
        lake.watch(90, 140, title="no-hit attempt 14", language="en"),
        lake.watch(150, 120, title="no-hit attempt 14", language="en"),
        lake.say(20, "ann"),
        lake.say(100, "ann"),
        lake.say(130, "bob"),
        lake.say(170, "ann"),
        lake.say(175, "cleo"),
        # Mirrored from another room by a shared chat: counted there, not here.
        lake.say(176, "dora", source_room_id="id-other", source_message_id="x"),
        # Written here and marked as such.
        lake.say(177, "bob", source_room_id="id-moth"),
    )

    snapshot = lake.live.snapshot("moth", now=at(180))

    assert (snapshot.status, snapshot.clock_at) == ("live", at(180))
    assert snapshot.fresh_at == at(177.1)
    assert (snapshot.title, snapshot.game_name, snapshot.language) == ("no-hit attempt 14", "Celeste", "en")
    assert (snapshot.started_at, snapshot.is_start_told) == (at(0), True)
    assert (snapshot.observed_since_at, snapshot.is_observed_assumed) == (at(0), False)
    readings = snapshot.readings
    assert (readings["velocity"].value, readings["velocity"].sample_count) == (4.0, 4)
    assert (readings["burst"].value, readings["burst"].sample_count) == (12.0, 2)  # of the last 10 s
    assert (readings["unique_chatters"].value, readings["unique_chatters"].sample_count) == (3, 6)
    assert (readings["viewers"].value, readings["viewers"].as_of) == (120, at(150))
    assert readings["engagement"].value == 3 / 120
    assert readings["retention"].value == 120 / 140
    assert readings["uptime"].value == 180.0
    assert (readings["game"].value, readings["game"].text) == (3.0, "Celeste")
    assert readings["velocity"].usual is None
    assert readings["velocity"].missing == "usual after 15 min, seen 3"
    assert readings["velocity"].spark == (1.0, 1.0, 4.0)
    assert readings["unique_chatters"].spark == (1.0, 1.0, 3.0)
    assert readings["viewers"].spark == (100.0, 140.0, 120.0)
    assert readings["uptime"].spark == readings["game"].spark == (100.0, 140.0, 120.0)
    assert readings["unique_chatters"].note == "only 210 of 300 s seen: at least so many"


def test_a_gap_in_the_last_minute_divides_by_what_was_seen(lake: Lake) -> None:
    lake.put(
        lake.see(0, "joined"),
        lake.see(130, "lost", reason="connection closed"),
        lake.see(158, "joined"),
        *[lake.say(121 + i, "ann") for i in range(8)],
        *[lake.say(160 + i, "bob") for i in range(8)],
    )

    snapshot = lake.live.snapshot("moth", now=at(180))
    series = lake.live.series("moth", now=at(180), span_s=60)

    assert snapshot.readings["velocity"].value == 16 * 60 / 32
    assert series.bin_at == tuple(at(second) for second in range(120, 180, 10))
    assert series.velocity == (48.0, None, None, 0.0, 48.0, 0.0)
    assert series.gaps == (GapSpan(at(130), at(158), "connection closed"),)
    assert [(item.at, item.text) for item in lake.live.feed("moth", now=at(180))] == [
        (at(158), "collector reconnected, 28 s not seen")
    ]


def test_silence_in_a_joined_room_is_zero_and_nothing_when_the_collector_is_dead(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.put(lake.see(0, "joined"), lake.say(5, "ann"))

    assert lake.live.snapshot("moth", now=at(1200)).status == "live"
    assert lake.live.snapshot("moth", now=at(1200)).readings["velocity"].value == 0.0
    assert lake.live.snapshot("moth", now=at(1200)).readings["unique_chatters"].value == 0

    monkeypatch.setattr(lake.state, "read_status", lambda name: StatusRow({}, at(600)))
    recorded = lake.live.snapshot("moth", now=at(1260))
    assert (recorded.status, recorded.clock_at) == ("recorded", at(5))


def test_a_dead_collector_is_a_gap(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.put(lake.see(0, "joined"), lake.say(5, "ann"), lake.say(100, "ann"))
    monkeypatch.setattr(lake.state, "read_status", lambda name: StatusRow({}, at(101)))

    snapshot = lake.live.snapshot("moth", now=at(190))

    assert snapshot.status == "live"  # the newest message is 90 s old
    assert snapshot.readings["velocity"].value is None
    assert snapshot.readings["velocity"].missing == "not observed in the last 60 s"
    series = lake.live.series("moth", now=at(190), span_s=None)
    assert series.gaps == (GapSpan(at(101), None, "collector not running"),)


def test_a_recording_has_its_own_clock_which_a_replay_moves(lake: Lake) -> None:
    now = at(86_400 * 900)
    lake.put(
        lake.see(0, "joined", "import"),
        *[lake.say(i, f"user{i % 4}", source="import") for i in range(100)],
    )

    first = lake.live.snapshot("moth", now=now)
    assert (first.status, first.clock_at) == ("recorded", at(99))
    assert (first.started_at, first.is_start_told) == (at(0), False)
    assert first.readings["velocity"].value == 60.0
    assert first.readings["unique_chatters"].value == 4
    assert first.readings["uptime"].value == 99.0

    lake.put(*[lake.say(i, "zoe", source="import") for i in range(100, 130)])

    second = lake.live.snapshot("moth", now=Instant(now + S))
    assert second.clock_at == at(129)
    assert second.readings["unique_chatters"].value == 5
    assert second.readings["uptime"].value == 129.0

    # A replay as fast as it will go: an hour at once.
    lake.put(*[lake.say(i * 10, "yan", source="import") for i in range(13, 373)])
    third = lake.live.snapshot("moth", now=Instant(now + 2 * S))
    assert third.clock_at == at(3720)
    assert third.readings["velocity"].value == 6.0
    assert third.readings == fresh(lake).snapshot("moth", now=Instant(now + 2 * S)).readings


def test_without_a_ledger_the_messages_stand_in_and_it_is_said(lake: Lake) -> None:
    lake.put(*[lake.say(i, "ann") for i in range(0, 61)])

    snapshot = lake.live.snapshot("moth", now=at(86_400))

    assert snapshot.is_observed_assumed
    assert snapshot.readings["velocity"].value == 60.0


def test_usual_is_the_median_of_the_streams_earlier_minutes(lake: Lake) -> None:
    # Minute m has m messages; the last five minutes are not part of the usual.
    def minute(m: int) -> list[Event]:
        return [lake.watch(60 * m, 100), *[lake.say(60 * m + i + 0.5, f"user{i}") for i in range(m)]]

    lake.put(lake.see(0, "joined"), *[event for m in range(14) for event in minute(m)])
    early = lake.live.snapshot("moth", now=at(899)).readings["velocity"]
    lake.put(*minute(14), *minute(15))

    reading = lake.live.snapshot("moth", now=at(960)).readings["velocity"]

    assert (early.usual, early.missing) == (None, "usual after 15 min, seen 14")
    assert reading.value == 15.0
    assert reading.usual_sample_count == 11  # minutes 0 to 10
    assert (reading.usual, reading.usual_low, reading.usual_high) == (5.0, 1.0, 9.0)
    assert reading.missing is None
    assert reading.spark == tuple(float(m) for m in range(16))


def test_a_session_without_a_told_start_begins_after_half_an_hour_of_silence(lake: Lake) -> None:
    lake.put(
        lake.see(0, "joined"),
        lake.say(10, "ann"),
        lake.say(10 + 1801, "ann"),
        *[lake.say(2000 + 1700 * i, "bob") for i in range(5)],
    )
    now = at(2000 + 1700 * 4 + 60)

    snapshot = lake.live.snapshot("moth", now=now)

    assert (snapshot.started_at, snapshot.is_start_told) == (at(1811), False)
    assert snapshot.readings["uptime"].missing == "since the first message seen"


def test_late_messages_and_imports_into_the_past_are_counted(lake: Lake) -> None:
    lake.put(lake.see(0, "joined"), lake.watch(0, 10), *[lake.say(i * 10, "ann") for i in range(0, 180)])
    now = at(1800)
    assert sum(v or 0 for v in lake.live.series("moth", now=now, span_s=None).velocity) == 180 * 6
    before = lake.live.snapshot("moth", now=now).readings["unique_chatters"].spark

    lake.put(lake.say(301, "late"), lake.say(1650, "later"))

    assert before[-6:] == (1.0,) * 6
    series = lake.live.series("moth", now=now, span_s=None)
    assert sum(v or 0 for v in series.velocity) == 182 * 6
    assert series.velocity[30] == 12.0
    snapshot = lake.live.snapshot("moth", now=now)
    assert snapshot.readings["unique_chatters"].value == 2
    # "later" wrote in minute 27, so it counts for the minutes 27 to 29.
    assert snapshot.readings["unique_chatters"].spark[-4:] == (1.0, 2.0, 2.0, 2.0)
    assert snapshot.readings == fresh(lake).snapshot("moth", now=now).readings


@pytest.mark.parametrize("step_s", [1, 7, 61, 400, 2000])
def test_an_old_cache_and_a_new_one_tell_the_same(lake: Lake, step_s: int) -> None:
    lake.put(lake.see(0, "joined"))
    second = 0
    for round_ in range(6):
        new = [lake.say(second + i * step_s / 20, f"user{(i * 7 + round_) % 9}") for i in range(20)]
        lake.put(*new, lake.watch(second + step_s / 2, 50 + round_))
        second += step_s
        now = at(second)
        kept, anew = lake.live, fresh(lake)
        assert kept.snapshot("moth", now=now) == anew.snapshot("moth", now=now)
        assert kept.series("moth", now=now, span_s=1800) == anew.series("moth", now=now, span_s=1800)
        assert kept.series("moth", now=now, span_s=None) == anew.series("moth", now=now, span_s=None)
        assert kept.feed("moth", now=now) == anew.feed("moth", now=now)
        assert kept.top("moth", now=now) == anew.top("moth", now=now)


def test_points_of_retention_since_the_raid(lake: Lake) -> None:
    viewers = [100, 100, 250, 225, 205]
    lake.put(
        lake.see(0, "joined"),
        *[lake.watch(60 * i, count) for i, count in enumerate(viewers)],
        lake.make(Raid, 90, user_login="quietfox", viewer_count=150),
    )

    retention = lake.live.snapshot("moth", now=at(250)).readings["retention"]

    assert retention.value == 0.82
    assert retention.note == "18 pts down since the raid"
    assert retention.note_points == pytest.approx(-18)


def test_an_ended_stream_is_kept_as_it_was(lake: Lake) -> None:
    lake.put(
        lake.see(0, "joined"),
        lake.watch(60, 100),
        lake.watch(120, 80),
        *[lake.say(100 + i, "ann") for i in range(40)],
        lake.make(StreamChange, 150, source="helix", action="end", stream_id="s1"),
        lake.say(3000, "bob"),
    )

    snapshot = lake.live.snapshot("moth", now=at(3001))

    assert (snapshot.status, snapshot.clock_at) == ("offline", at(150))
    assert snapshot.readings["velocity"].value == 40.0
    assert snapshot.readings["viewers"].value == 80
    assert snapshot.readings["uptime"].value == 150.0
    assert lake.live.feed("moth", now=at(3001))[0].text == "ended after 2 min"
    series = lake.live.series("moth", now=at(3001), span_s=None)
    assert series.end_at == at(150)
    # Chat goes on in the offline room, and a new stream takes over.
    lake.put(lake.say(3060, "bob"), lake.watch(3060, 30, stream_id="s2", started_at=at(3050)))
    again = lake.live.snapshot("moth", now=at(3062))
    assert (again.status, again.started_at) == ("live", at(3050))
    assert again.readings["viewers"].value == 30
    assert again.readings["retention"].value == 1.0
    assert again.readings["velocity"].value == 1.0
    assert again.readings == fresh(lake).snapshot("moth", now=at(3062)).readings


def test_twitch_was_asked_and_said_no(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.put(lake.see(0, "joined"), lake.say(50, "ann"))
    status = StatusRow({"helix": {"last_poll_at": at(60)}}, at(100))
    monkeypatch.setattr(lake.state, "read_status", lambda name: status)

    assert lake.live.snapshot("moth", now=at(100)).status == "offline"
    assert [room.is_live for room in lake.live.rooms(now=at(100))] == [False]


def test_the_feed_in_words(lake: Lake) -> None:
    who: dict[str, Any] = {"user_login": "marlow", "user_id": "7"}
    gift: dict[str, Any] = {"is_anonymous": True, "origin_id": "bomb", "user_login": "ananonymousgifter"}
    lake.put(
        lake.see(0, "joined"),
        lake.watch(0, 10, title="A"),
        lake.watch(60, 10, title="B", game_name="Hades"),
        lake.make(Raid, 10, user_login="quietfox", viewer_count=263),
        lake.make(Subscription, 11, plan="1000", cumulative_months=14, **who),
        lake.make(Subscription, 12, plan="Prime", cumulative_months=1, user_login="pixelherb"),
        lake.make(MysteryGift, 13, gift_count=5, plan="1000", **gift),
        *[lake.make(SubGift, 13.2, recipient_login=f"r{i}", plan="1000", **gift) for i in range(5)],
        lake.make(SubGift, 14, recipient_display_name="Dust", plan="2000", origin_id="lone", **who),
        lake.make(Bits, 15, bits=500, user_login="lanternfish"),
        lake.make(Announcement, 16, text="raid at nine", **who),
        lake.make(Moderation, 17, action="timeout", target_user_login="spam", duration_s=600),
        lake.make(Moderation, 18, action="clear_chat"),
        # A raid into another room that a shared chat mirrored here.
        lake.make(Raid, 19, user_login="other", viewer_count=9, source_room_id="id-other"),
    )

    items = lake.live.feed("moth", now=at(100))

    assert [(item.category, item.title, item.text) for item in items] == [
        ("game", "Game", "Hades (was Celeste)"),
        ("stream", "Title", "“B”"),
        ("moderation", "Cleared", "the chat was cleared"),
        ("moderation", "Timeout", "spam timed out for 10 min"),
        ("announcement", "Announcement", "marlow: raid at nine"),
        ("bits", "Bits", "lanternfish, 500"),
        ("gift", "Gift", "marlow gave a sub to Dust, tier 2"),
        ("gift", "Gifts", "anonymous gave 5 subs"),
        ("sub", "Sub", "pixelherb, Prime"),
        ("sub", "Sub", "marlow, tier 1, 14 months"),
        ("raid", "Raid", "quietfox brought 263 viewers"),
    ]
    assert len({item.item_id for item in items}) == len(items)
    assert [item.text for item in lake.live.feed("moth", now=at(100), limit=2, before_at=at(13))] == [
        "pixelherb, Prime",
        "marlow, tier 1, 14 months",
    ]
    assert lake.live.series("moth", now=at(100), span_s=1800).markers == (
        Marker(at(0), "sub", "3 subs"),
        Marker(at(10), "raid", "raid +263"),
        Marker(at(13), "gift", "5 gifts"),
        Marker(at(15), "bits", "500 bits"),
        Marker(at(16), "announcement", "announcement"),
        Marker(at(60), "game", "Hades"),
    )


def test_top_lists_by_identity_with_the_newest_name(lake: Lake) -> None:
    lake.put(
        lake.say(0, "ann", emote_names="Kappa Kappa Pog"),
        lake.say(61, "bob", emote_names="Pog"),
        lake.say(62, "ann", user_display_name="Anna", user_login="anna"),
        lake.say(63, "bob", source_room_id="id-other"),
        lake.say(64, "cleo"),
        lake.say(-120, "dora"),
    )

    top = lake.live.top("moth", now=at(65), window_s=120, limit=2)

    assert (top.message_count, top.chatter_count, top.as_of) == (4, 3, at(65))
    assert top.chatters == (Ranked("Anna", 2, 0.5), Ranked("Bob", 1, 0.25))
    assert top.emotes == (Ranked("Kappa", 2, 0.5), Ranked("Pog", 2, 0.5))
    assert (top.emote_message_count, top.emotes_missing) == (2, None)


def test_logs_without_tags_tell_no_emotes(lake: Lake) -> None:
    lake.put(lake.say(0, "ann", user_id=None, user_display_name=None), lake.say(1, "ann", user_id=None))

    top = lake.live.top("moth", now=at(5))

    assert top.emotes == ()
    assert top.emotes_missing == "this source tells no emotes (a log without tags)"
    assert top.chatters[0].count == 2


def test_the_rooms_of_the_switcher(lake: Lake) -> None:
    now = at(86_400 * 900)
    second = 86_400 * 900
    lake.state.follow(["ghost"])
    lake.put(
        lake.see(second - 600, "joined"),
        lake.say(second - 5, "ann"),
        lake.watch(second - 30, 120),
        lake.say(second - 86_400 * 3, "ann", room="quiet"),
        # Imported today, from years ago.
        lake.see(0, "joined", "import", room="old", received_at=now),
        lake.say(50, "ann", room="old", received_at=now),
        lake.see(50, "left", "import", room="old", received_at=now),
        lake.say(second - 86_400 * 20, "ann", room="forgotten"),
        lake.watch(second - 40, 500, room="big", game_name="Chess"),
    )

    rooms = [
        (r.room_login, r.is_live, r.last_message_at, r.viewer_count, r.game_name, r.is_followed)
        for r in lake.live.rooms(now=now)
    ]

    assert rooms == [
        ("big", True, None, 500, "Chess", False),
        ("moth", True, at(second - 5), 120, "Celeste", False),
        ("quiet", False, at(second - 86_400 * 3), None, None, False),
        ("old", False, at(50), None, None, False),
        ("ghost", False, None, None, None, True),
    ]
    lake.put(
        lake.say(second + 1, "ann", room="quiet"),
        lake.make(StreamChange, second, room="big", action="end", source="helix"),
    )
    later = {room.room_login: room for room in lake.live.rooms(now=Instant(now + 2 * S))}
    assert later["quiet"].is_live
    assert later["quiet"].last_message_at == at(second + 1)
    assert not later["big"].is_live
    # The end in a recording that is imported now is of then.
    lake.put(lake.make(StreamChange, 60, room="quiet", action="end", source="import"))
    assert {room.room_login: room.is_live for room in lake.live.rooms(now=Instant(now + 3 * S))}["quiet"]


def test_a_long_stream_is_read_backwards_a_little_at_a_time(lake: Lake) -> None:
    lake.put(
        lake.see(0, "joined"),
        lake.watch(0, 10),
        *[lake.say(i * 60, "ann") for i in range(600)],
        lake.watch(35_990, 9),
    )
    ticks = iter(range(0, 100_000, 1))
    live = LiveInsights(lake.store, lake.state, refresh_s=0, monotonic=lambda: float(next(ticks)))
    now = at(36_000)

    first = live.snapshot("moth", now=now)
    assert not first.is_history_complete
    # Only what has been read is drawn: one hour, not ten.
    assert live.series("moth", now=now, span_s=None).start_at > at(36_000 - 4 * 3600)
    for _ in range(10):
        last = live.snapshot("moth", now=now)
    assert last.is_history_complete
    series = live.series("moth", now=now, span_s=None)
    assert (series.start_at, len(series.bin_at), series.bin_s) == (at(0), 600, 60)
    assert set(series.velocity) == {1.0}


def test_a_query_that_fails_costs_no_message(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.put(lake.see(0, "joined"), lake.say(10, "ann"))
    assert lake.live.snapshot("moth", now=at(20)).readings["unique_chatters"].value == 1
    assert lake.live.top("moth", now=at(20)).message_count == 1
    assert lake.live.rooms(now=at(20))[0].last_message_at == at(10)
    lake.put(lake.say(21, "bob"))

    def fail(name: str, **_: Any) -> None:
        raise QueryTimeout(name)

    with monkeypatch.context() as broken:
        broken.setattr(lake.store, "query", fail)
        for ask in (lake.live.snapshot, lake.live.top):
            with pytest.raises(QueryTimeout):
                ask("moth", now=at(22))
        with pytest.raises(QueryTimeout):
            lake.live.rooms(now=at(22))

    assert lake.live.snapshot("moth", now=at(23)).readings["unique_chatters"].value == 2
    assert lake.live.top("moth", now=at(23)).message_count == 2
    assert lake.live.rooms(now=at(23))[0].last_message_at == at(21)


def test_many_threads_share_one_room(lake: Lake) -> None:
    from concurrent.futures import ThreadPoolExecutor

    lake.put(lake.see(0, "joined"), *[lake.say(i, f"user{i % 5}") for i in range(300)])
    asks: list[Callable[[], object]] = [
        lambda: lake.live.snapshot("moth", now=at(300)).readings["velocity"].value,
        lambda: len(lake.live.series("moth", now=at(300), span_s=None).bin_at),
        lambda: lake.live.top("moth", now=at(300)).message_count,
        lambda: len(lake.live.rooms(now=at(300))),
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda ask: ask(), asks * 8))

    assert answers == [60.0 * 59 / 60, 30, 300, 1] * 8
