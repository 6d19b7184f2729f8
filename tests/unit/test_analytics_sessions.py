from __future__ import annotations

import numpy as np

from dashboard.analytics.sessions import (
    Clock,
    GameStint,
    StreamRow,
    current_game,
    current_stream,
    room_clock,
    session_start,
)

S = 1_000_000
MIN = 60 * S


def sample(minute: int, viewers: int, **told: str | int | None) -> StreamRow:
    values: dict = {"stream_id": "s1", "started_at": 0, "game_name": "Celeste", **told}
    return StreamRow(at=minute * MIN, action="sample", viewer_count=viewers, **values)


def end(minute: int, source: str = "helix") -> StreamRow:
    return StreamRow(at=minute * MIN, action="end", source=source)


def test_half_an_hour_without_a_message_parts_two_sessions() -> None:
    first = np.array([0, 100, 2000, 4000]) * S
    last = np.array([5, 205, 2010, 4001]) * S

    # 2000 - 205 = 1795 s is not enough; 4000 - 2010 = 1990 s is.
    assert session_start(first, last) == 4000 * S
    assert session_start(first[:3], last[:3]) is None


def test_the_stream_is_that_of_the_newest_sample() -> None:
    old = sample(1, 900, stream_id="s0", started_at=-9)
    rows = [sample(12, 110, title="B"), old, sample(11, 100, title="A")]

    stream = current_stream(rows, now=13 * MIN)

    assert stream is not None
    assert [row.viewer_count for row in stream.samples] == [100, 110]
    assert (stream.is_on, stream.started_at, stream.ended_at) == (True, 0, None)
    assert stream.latest("title") == "B"


def test_a_stream_ends_when_twitch_says_so_and_is_uncertain_when_nobody_says() -> None:
    ended = current_stream([sample(1, 5), end(4)], now=5 * MIN)
    silent = current_stream([sample(1, 5)], now=12 * MIN)

    assert ended is not None
    assert (ended.is_on, ended.ended_at) == (False, 4 * MIN)
    assert silent is not None
    assert silent.is_on is None
    assert current_stream([end(1)], now=MIN) is None


def test_of_two_ends_of_a_stream_the_later_is_exact() -> None:
    rows = [sample(1, 5), end(1), end(2, source="eventsub")]
    stream = current_stream(rows, now=5 * MIN)
    assert stream is not None
    assert stream.ended_at == 2 * MIN

    other = StreamRow(at=3 * MIN, action="end", stream_id="s9", started_at=9)
    stream = current_stream([*rows, other], now=5 * MIN)
    assert stream is not None
    assert stream.ended_at == 2 * MIN


def test_what_comes_later_is_not_known_yet() -> None:
    stream = current_stream([sample(1, 5), sample(2, 6), end(4)], now=3 * MIN)

    assert stream is not None
    assert stream.is_on is True
    assert len(stream.samples) == 2


def test_samples_without_any_id_belong_to_the_stream_since_the_last_end() -> None:
    bare: dict = {"stream_id": None, "started_at": None}
    rows = [sample(1, 900, **bare), end(2), sample(3, 10, **bare), sample(4, 11, **bare)]

    stream = current_stream(rows, now=5 * MIN)

    assert stream is not None
    assert [row.viewer_count for row in stream.samples] == [10, 11]
    assert stream.started_at is None


def test_the_game_is_on_since_its_first_sample() -> None:
    rows = [sample(1, 5), sample(2, 5), sample(3, 5, game_name="Hades"), sample(4, 5, game_name="Hades")]
    stream = current_stream(rows, now=5 * MIN)
    assert stream is not None

    assert current_game(stream) == GameStint("Hades", 3 * MIN)


def test_a_game_that_never_changed_is_on_since_the_start_if_we_came_in_time() -> None:
    early = current_stream([sample(2, 5), sample(3, 5)], now=5 * MIN)
    late = current_stream([sample(42, 5), sample(43, 5)], now=44 * MIN)
    assert early is not None
    assert late is not None

    assert current_game(early) == GameStint("Celeste", 0)
    assert current_game(late) == GameStint("Celeste", 42 * MIN)


def test_the_game_told_with_a_start_seen_hours_late_is_not_thought_on_since_then() -> None:
    start = StreamRow(at=0, action="start", stream_id="s1", started_at=0, game_name="Celeste")
    stream = current_stream([start, sample(42, 5), sample(43, 5)], now=44 * MIN)
    untold = current_stream([start], now=4 * MIN)
    assert stream is not None
    assert untold is not None

    assert current_game(stream) == GameStint("Celeste", 42 * MIN)
    assert current_game(untold) == GameStint("Celeste", 0)


def clock(now: int, newest: int | None, *, joined: bool = False, off: bool = False, stream=None) -> Clock:  # type: ignore[no-untyped-def]
    return room_clock(now=now, newest_at=newest, is_joined_live=joined, is_told_off=off, stream=stream)


def test_a_fresh_event_or_a_joined_collector_puts_a_room_on_the_wall_clock() -> None:
    assert clock(1000 * S, 880 * S) == Clock("live", 1000 * S)
    assert clock(1000 * S, 10 * S, joined=True) == Clock("live", 1000 * S)
    assert clock(1000 * S, None, joined=True) == Clock("live", 1000 * S)


def test_old_data_has_its_own_clock() -> None:
    assert clock(1000 * S, 879 * S) == Clock("recorded", 879 * S)
    assert clock(1000 * S, None) == Clock("empty", 1000 * S)


def test_a_slow_local_clock_is_forgiven() -> None:
    assert clock(1000 * S, 1003 * S) == Clock("live", 1003 * S)
    assert clock(1000 * S, 1200 * S) == Clock("live", 1000 * S)


def test_an_ended_stream_is_shown_as_it_was_at_its_end() -> None:
    ended = current_stream([sample(1, 5), end(4)], now=9 * MIN)
    recorded = current_stream([sample(1, 5), end(4, "import")], now=900 * MIN)

    assert clock(9 * MIN, 8 * MIN, joined=True, stream=ended) == Clock("offline", 4 * MIN)
    assert clock(900 * MIN, 4 * MIN, stream=recorded) == Clock("recorded", 4 * MIN)
    assert clock(9 * MIN, 8 * MIN, joined=True, off=True) == Clock("offline", 9 * MIN)
