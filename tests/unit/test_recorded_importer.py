"""The import itself: counts, ledger, pace, interruption, the second time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from collectors.recorded import import_files
from collectors.recorded.importer import ImportSummary
from collectors.recorded.pacing import Pacer, in_order
from collectors.recorded.sessions import Sessions
from dashboard.errors import RecordingError
from dashboard.events import ChatMessage, Event, Instant, Observation

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
T18 = 1_714_845_600_000_000  # 2024-05-04 18:00:00 UTC
SECOND = 1_000_000
MINUTE = 60 * SECOND


class FakeIngest:
    """Keeps what it is given; the same kind and id a second time is a duplicate."""

    def __init__(self, on_put: Callable[[], None] = lambda: None) -> None:
        self.events: dict[tuple[str, str], Event] = {}
        self.put_order: list[Event] = []
        self.rejects: list[tuple[str, str, str]] = []
        self.duplicate_count = 0
        self.calls: list[str] = []
        self._on_put = on_put

    def put(self, events: Sequence[Event]) -> None:
        self._on_put()
        for event in events:
            self.put_order.append(event)
            if (event.kind, event.event_id) in self.events:
                self.duplicate_count += 1
            self.events.setdefault((event.kind, event.event_id), event)

    def reject(self, line: str, reason: str, source: str = "") -> None:
        self.rejects.append((line, reason, source))

    def sync(self) -> None:
        self.calls.append("sync")

    def flush(self) -> None:
        self.calls.append("flush")

    def stats(self) -> SimpleNamespace:
        return SimpleNamespace(duplicate_count=self.duplicate_count)


def said(at: int, text: str = "hi", room: str = "quietriver") -> ChatMessage:
    return ChatMessage(
        event_id=f"{room}-{at}-{text}",
        source="import",
        room_login=room,
        sent_at=Instant(at),
        received_at=Instant(0),
        text=text,
    )


def importing(ingest: FakeIngest, *names: str, speed: float | None = None) -> ImportSummary:
    return import_files([SAMPLES / name for name in names], speed=speed, ingest=ingest)


def test_summary_of_several_files() -> None:
    ingest = FakeIngest()
    progress: list[tuple[int, int, int, str]] = []
    summary = import_files(
        [SAMPLES / "irc_tagged.log", SAMPLES / "irc_stamped.log"],
        ingest=ingest,
        on_progress=lambda done, total, count, path: progress.append((done, total, count, path.name)),
    )
    tagged, stamped = summary.files
    assert tagged.counts == {
        "chat_messages": 4,
        "moderation": 1,
        "observations": 2,
        "room_states": 1,
        "subscriptions": 1,
    }
    assert (tagged.event_count, tagged.user_count, tagged.reject_count) == (7, 3, 0)
    assert (tagged.first_sent_at, tagged.last_sent_at) == (T18 + 250_000, T18 + 120 * SECOND)
    assert stamped.counts == {"chat_messages": 3, "observations": 2, "user_list": 1}
    assert (stamped.user_count, stamped.reject_count) == (2, 1)
    assert summary.event_count == 11
    assert summary.counts["chat_messages"] == 7
    assert (summary.duplicate_count, summary.reject_count, summary.is_interrupted) == (0, 1, False)
    assert summary.user_count == 5  # three with ids, two known by login only
    assert (summary.first_sent_at, summary.last_sent_at) == (T18 + 250_000, T18 + 120 * SECOND)
    assert ingest.rejects == [("parser: nothing to do", "not a chat line", "import irc_stamped.log")]
    assert ingest.calls[-2:] == ["sync", "flush"]
    size = sum((SAMPLES / name).stat().st_size for name in ("irc_tagged.log", "irc_stamped.log"))
    assert progress[-1] == (size, size, 11, "irc_stamped.log")
    assert summary.as_dict()["files"][1]["users"] == 2


@pytest.mark.parametrize(
    "name",
    [
        "irc_tagged.log",
        "irc_stamped.log",
        "recent_messages.json",
        "twitchdownloader.json",
        "vod_2024-05-04_18-00-00_2100000001/verbose_chat.json",
        "chatty_quietriver.log",
        "rustlog_text.log",
        "messages.csv",
    ],
)
def test_a_second_import_adds_nothing_from_wherever_and_at_whatever_speed(tmp_path: Path, name: str) -> None:
    ingest = FakeIngest()
    first = importing(ingest, name)
    stored = dict(ingest.events)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for file in (SAMPLES / name).parent.glob("*.json") if "/" in name else [SAMPLES / name]:
        (folder / file.name).write_bytes(file.read_bytes())
    second = import_files([folder / Path(name).name], speed=1e6, ingest=ingest)
    assert first.duplicate_count == 0
    assert len(stored) == first.event_count + first.counts["observations"]
    assert second.duplicate_count == first.event_count
    assert list(ingest.events) == list(stored)
    assert second.counts == first.counts


def test_an_unreadable_file_stops_before_anything_is_imported() -> None:
    ingest = FakeIngest()
    with pytest.raises(RecordingError, match=r"README\.md is of no format"):
        importing(ingest, "irc_tagged.log", "README.md")
    assert ingest.put_order == []


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_must_be_above_zero(speed: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        importing(FakeIngest(), "irc_tagged.log", speed=speed)


def test_no_file_at_all() -> None:
    with pytest.raises(RecordingError, match="No file was named"):
        import_files([], ingest=FakeIngest())


def test_ctrl_c_ends_cleanly_with_what_is_in_safe() -> None:
    calls = 0

    def interrupt_the_second_time() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt

    ingest = FakeIngest(interrupt_the_second_time)
    summary = importing(ingest, "irc_tagged.log", "irc_stamped.log")
    assert summary.is_interrupted
    assert [(file.path.name, file.event_count) for file in summary.files] == [("irc_tagged.log", 7)]
    assert len(ingest.put_order) == 8  # with the ledger's “joined”; nothing of what was interrupted
    assert ingest.calls == ["sync", "flush"]


def test_paced_events_come_in_order_of_time_with_the_receipt_rising() -> None:
    ingest = FakeIngest()
    importing(ingest, "chatty_quietriver.log", speed=1e5)
    happened = [e for e in ingest.put_order if not isinstance(e, Observation)]
    assert [e.sent_at for e in happened] == sorted(e.sent_at for e in happened)
    assert [e.received_at for e in ingest.put_order] == sorted(e.received_at for e in ingest.put_order)


# The pace


class FakeTime:
    def __init__(self) -> None:
        self.now_s = 100.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 0.1
        self.now_s += seconds


def paced(events: list[Event], speed: float) -> list[tuple[float, list[Event]]]:
    time = FakeTime()
    pacer = Pacer(speed, time.clock, time.sleep)
    return [(round(time.now_s - 100.0, 3), batch) for batch in pacer.batches(events)]


def test_pace_and_skipped_silence() -> None:
    a, b, c = said(0, "a"), said(0, "b"), said(4 * SECOND, "c")
    d = said(4 * SECOND + 5 * MINUTE, "d")
    e = said(4 * SECOND + 5 * MINUTE + 6 * MINUTE, "e")
    f = said(4 * SECOND + 11 * MINUTE + 2 * SECOND, "f")
    assert paced([a, b, c, d, e, f], 1) == [
        (0.0, [a, b]),
        (4.0, [c]),
        (304.0, [d, e]),  # five minutes are waited for, six are skipped
        (306.0, [f]),
    ]
    assert [at for at, _ in paced([a, b, c, d, e, f], 4)] == [0.0, 1.0, 76.0, 76.5]


def test_who_is_late_catches_up() -> None:
    time = FakeTime()
    events = [said(0, "a"), said(1 * SECOND, "b"), said(2 * SECOND, "c"), said(9 * SECOND, "d")]
    batches = Pacer(1, time.clock, time.sleep).batches(events)
    first = [next(batches)]
    time.now_s += 5  # writing took five seconds
    rest = list(batches)
    assert [[e.text for e in batch] for batch in first + rest] == [["a"], ["b", "c"], ["d"]]  # type: ignore[attr-defined]
    assert time.now_s == pytest.approx(109)


def test_small_steps_back_are_sorted_and_large_ones_come_late() -> None:
    times = [10, 12, 11, 20, 3, 21]
    ordered = in_order([said(second * SECOND) for second in times], 5 * SECOND)
    assert [event.sent_at // SECOND for event in ordered] == [10, 11, 12, 3, 20, 21]


# The ledger


def ledger(times_min: list[int], room: str = "quietriver") -> list[tuple[str, int]]:
    sessions = Sessions(30 * MINUTE)
    found = sessions.follow([said(minute * MINUTE, str(i), room) for i, minute in enumerate(times_min)])
    found += sessions.end(Instant(1))
    return [(e.state, e.sent_at // MINUTE) for e in found if isinstance(e, Observation)]


def test_a_gap_of_more_than_half_an_hour_splits_the_ledger() -> None:
    assert ledger([0, 30, 61, 70]) == [("joined", 0), ("left", 30), ("joined", 61), ("left", 70)]


def test_events_before_the_first_widen_the_stretch() -> None:
    assert ledger([10, 5, 12]) == [("joined", 10), ("joined", 5), ("left", 12)]


def test_every_room_has_its_own_ledger() -> None:
    sessions = Sessions(30 * MINUTE)
    found = sessions.follow([said(0, room="a"), said(MINUTE, room="b")]) + sessions.end(Instant(1))
    assert [(e.room_login, e.state, e.sent_at) for e in found if isinstance(e, Observation)] == [
        ("a", "joined", 0),
        ("b", "joined", MINUTE),
        ("a", "left", 0),
        ("b", "left", MINUTE),
    ]
