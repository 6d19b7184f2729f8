"""From polls to events: starts, ends, samples and the ledger, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from collectors.helix_models import Stream
from collectors.helix_watch import Live, Memory, durable_part, leave, load_memory, lose, observe, save_memory
from dashboard.events import Event, Instant, Observation, StreamChange, ViewerSample, synthetic_id

MINUTE = 60_000_000
NOON = Instant(1_700_000_040_000_000 // MINUTE * MINUTE)


def at(minutes: float) -> Instant:
    return Instant(NOON + round(minutes * MINUTE))


def stream(login: str = "a", stream_id: str = "s1", viewers: int | None = 10, started: float = -5) -> Stream:
    return Stream(
        stream_id=stream_id,
        user_id=f"id-{login}",
        user_login=login,
        viewer_count=viewers,
        game_id="g1",
        game_name="Chess",
        title="Hello",
        language="en",
        started_at=at(started),
    )


class Watch:
    """Polls one after the other, as the poller does."""

    def __init__(self, *followed: str) -> None:
        self.followed = followed
        self.memory = Memory()

    def poll(self, minutes: float, *streams: Stream) -> list[str]:
        return [short(event) for event in self.events(minutes, *streams)]

    def events(self, minutes: float, *streams: Stream) -> list[Event]:
        events, self.memory = observe(self.memory, streams, self.followed, now=at(minutes), interval_s=60)
        return events


def short(event: Event) -> str:
    minutes = (event.sent_at - NOON) / MINUTE
    match event:
        case Observation():
            return f"{event.state} {event.room_login} {minutes:g}"
        case StreamChange():
            return f"{event.action} {event.stream_id} {minutes:g}"
        case ViewerSample():
            return f"{event.viewer_count} {event.stream_id} {minutes:g}"
    raise AssertionError(event)


def test_a_stream_from_start_to_end() -> None:
    watch = Watch("a", "b")
    assert watch.poll(0) == ["joined a 0", "joined b 0"]
    assert watch.poll(1, stream(started=0.5)) == ["start s1 0.5", "10 s1 1"]
    assert watch.poll(2, stream(viewers=11, started=0.5)) == ["11 s1 2"]
    assert watch.poll(3) == []
    assert watch.poll(4) == ["end s1 2"]
    assert watch.poll(5) == []


def test_the_events_whole() -> None:
    watch = Watch("a")
    joined, start, sample = watch.events(1.25, stream())
    assert joined == Observation(
        event_id=synthetic_id("observations", "helix", "a", "joined", at(1.25)),
        source="helix",
        room_login="a",
        room_id="id-a",
        sent_at=at(1.25),
        received_at=at(1.25),
        collector="helix",
        state="joined",
    )
    assert start == StreamChange(
        event_id=synthetic_id("streams", "start", "s1", None),
        source="helix",
        room_login="a",
        room_id="id-a",
        sent_at=at(-5),
        received_at=at(1.25),
        action="start",
        stream_id="s1",
        started_at=at(-5),
        game_id="g1",
        game_name="Chess",
        title="Hello",
        language="en",
    )
    assert sample == ViewerSample(
        event_id=synthetic_id("viewer_samples", "s1", at(1)),
        source="helix",
        room_login="a",
        room_id="id-a",
        sent_at=at(1.25),
        received_at=at(1.25),
        viewer_count=10,
        stream_id="s1",
        game_id="g1",
        game_name="Chess",
        title="Hello",
        language="en",
        started_at=at(-5),
    )


def test_one_missing_poll_is_no_end() -> None:
    watch = Watch("a")
    watch.poll(0, stream())
    assert watch.poll(1) == []
    assert watch.poll(2, stream()) == ["10 s1 2"]
    assert watch.poll(3) == []
    assert watch.poll(4) == ["end s1 2"]


def test_another_stream_of_the_channel_ends_the_old_one_at_once() -> None:
    watch = Watch("a")
    watch.poll(0, stream())
    assert watch.poll(1, stream(stream_id="s2", started=0.5)) == ["start s2 0.5", "10 s2 1", "end s1 0"]


def test_a_second_poll_in_the_same_minute_adds_no_sample() -> None:
    watch = Watch("a")
    watch.poll(0.1, stream())
    assert watch.poll(0.9, stream(viewers=12)) == []
    assert watch.poll(1.0, stream(viewers=13)) == ["13 s1 1"]


def test_the_same_minute_after_a_restart_has_the_same_ids() -> None:
    first = Watch("a").events(0.2, stream())
    again = Watch("a").events(0.8, stream(viewers=99))
    ids = [{e.kind: e.event_id for e in events if e.kind != "observations"} for events in (first, again)]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 2


def test_a_stream_that_comes_back_under_its_id_ends_a_second_time_under_another() -> None:
    watch = Watch("a")
    watch.poll(0, stream())
    watch.poll(1)
    (first,) = watch.events(2)
    start, _ = watch.events(3, stream())
    watch.poll(4)
    (second,) = watch.events(5)
    assert (short(first), short(second)) == ("end s1 0", "end s1 3")
    assert first.event_id != second.event_id
    assert start.event_id == synthetic_id("streams", "start", "s1", None), "the first start's id"


def test_without_a_count_there_is_no_sample() -> None:
    assert Watch("a").poll(0, stream(viewers=None)) == ["joined a 0", "start s1 -5"]


def test_without_a_start_time_the_first_sight_counts() -> None:
    assert Watch("a").poll(0, replace(stream(), started_at=None))[1] == "start s1 0"


def test_streams_that_nobody_follows_are_left_alone() -> None:
    assert Watch("a").poll(0, stream("b", "s2")) == ["joined a 0"]


def test_following_and_unfollowing() -> None:
    watch = Watch("a")
    watch.poll(0, stream())
    watch.followed = ("b",)
    assert watch.poll(1) == ["left a 1", "joined b 1"]
    watch.poll(2)
    watch.followed = ("a", "b")
    assert watch.poll(3, stream()) == ["joined a 3", "10 s1 3"], "known still: no second start"


def test_a_stream_that_ended_while_nobody_followed_ends_when_it_was_last_seen() -> None:
    watch = Watch("a")
    watch.poll(0, stream())
    watch.followed = ("b",)
    watch.poll(1)
    watch.followed = ("a",)
    assert watch.poll(2) == ["left b 2", "joined a 2"]
    assert watch.poll(3) == ["end s1 0"]


def test_streams_of_channels_that_nobody_follows_are_forgotten_after_a_week() -> None:
    watch = Watch("a")
    watch.poll(0, stream())
    watch.followed = ("b",)
    watch.poll(7 * 1440)
    assert list(watch.memory.live) == ["s1"]
    watch.poll(7 * 1440 + 1)
    assert watch.memory.live == {}


class TestLedger:
    def test_a_failed_poll_and_the_recovery(self) -> None:
        watch = Watch("a")
        watch.poll(0, stream())
        events, watch.memory = lose(watch.memory, since=at(1), now=at(1.2), interval_s=60, reason="no answer")
        assert [short(event) for event in events] == ["lost a 1"]
        assert isinstance(events[0], Observation)
        assert (events[0].reason, events[0].received_at, events[0].room_id) == ("no answer", at(1.2), "id-a")
        events, watch.memory = lose(watch.memory, since=at(2), now=at(2), interval_s=60, reason="no answer")
        assert events == [], "a gap opens once"
        assert watch.poll(9, stream()) == ["joined a 9", "10 s1 9"]

    def test_after_a_kill_the_gap_is_written_by_the_next_run(self) -> None:
        watch = Watch("a")
        watch.poll(0, stream())
        assert watch.poll(180, stream()) == ["lost a 1", "joined a 180", "10 s1 180"]

    def test_a_short_restart_is_no_gap(self) -> None:
        watch = Watch("a")
        watch.poll(0, stream())
        assert watch.poll(2.5, stream()) == ["10 s1 2.5"]

    def test_after_a_kill_a_first_poll_that_fails_does_not_claim_the_time_before(self) -> None:
        watch = Watch("a")
        watch.poll(0)
        events, _ = lose(watch.memory, since=at(180), now=at(180), interval_s=60, reason="no answer")
        assert [short(event) for event in events] == ["lost a 1"]

    def test_stopping_on_purpose(self) -> None:
        watch = Watch("a")
        watch.poll(0)
        events, memory = leave(watch.memory, now=at(0.5), interval_s=60)
        assert [short(event) for event in events] == ["left a 0.5"]
        assert memory.joined == set()

    def test_stopping_after_hours_asleep(self) -> None:
        watch = Watch("a")
        watch.poll(0)
        events, _ = leave(watch.memory, now=at(600), interval_s=60)
        assert [short(event) for event in events] == ["lost a 1"]


class TestMemory:
    def test_it_survives_a_restart(self, tmp_path: Path) -> None:
        watch = Watch("a", "b")
        watch.poll(0, stream())
        path = tmp_path / "state" / "helix.json"
        save_memory(path, watch.memory)
        assert load_memory(path) == watch.memory
        assert [entry.name for entry in path.parent.iterdir()] == ["helix.json"]

    def test_an_end_is_not_missed_over_a_restart(self, tmp_path: Path) -> None:
        watch = Watch("a")
        watch.poll(0, stream())
        save_memory(tmp_path / "m", watch.memory)
        again = Watch("a")
        again.memory = load_memory(tmp_path / "m")
        assert again.poll(1) == []
        assert again.poll(2) == ["end s1 0"]

    @pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"live": {"s": {"stream": {}}}}'])
    def test_what_can_not_be_read_is_an_empty_memory(self, content: str, tmp_path: Path) -> None:
        path = tmp_path / "helix.json"
        path.write_text(content, encoding="utf-8")
        assert load_memory(path) == Memory()

    def test_nowhere(self, tmp_path: Path) -> None:
        assert load_memory(None) == Memory()
        assert load_memory(tmp_path / "none") == Memory()
        save_memory(None, Memory())
        (tmp_path / "file").write_text("", encoding="utf-8")
        save_memory(tmp_path / "file" / "m", Memory())

    def test_news_are_kept_one_poll_later(self) -> None:
        """What was handed on may not be on disk when the process is killed: it is told again."""
        old = Live(stream(stream_id="old"), at(0), at(0), missed_count=1)
        new = Live(stream("b", "new"), at(1), at(1))
        same = Live(stream("c", "same"), at(1), at(1))
        was_same = Live(stream("c", "same"), at(0), at(0))
        before = Memory(at(0), {"a", "c"}, {}, {"old": old, "same": was_same})
        after = Memory(at(1), {"b", "c"}, {"b": "id-b"}, {"new": new, "same": same})
        expected = Memory(at(1), {"c"}, {"b": "id-b"}, {"old": old, "same": same})
        assert durable_part(before, after) == expected
