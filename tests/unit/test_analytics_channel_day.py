"""A day in numbers, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.analytics.channel_day import game_seconds, live_seconds, stream_spans, watched
from dashboard.analytics.moments import best_moments, compared
from dashboard.analytics.sessions import StreamRow

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def sample(
    minute: float, viewers: int, *, stream: str = "s1", game: str = "Chess", start: float = 0
) -> StreamRow:
    return StreamRow(
        at=round(minute * MINUTE),
        action="sample",
        viewer_count=viewers,
        stream_id=stream,
        started_at=round(start * MINUTE),
        game_name=game,
    )


def end(minute: float, stream: str = "s1") -> StreamRow:
    return StreamRow(at=round(minute * MINUTE), action="end", stream_id=stream)


def test_hours_watched_by_hand() -> None:
    # 100 viewers from minute 0 to 1, 200 from 1 to 2, 300 from 2 to 4 (its end): 900 viewer minutes.
    (span,) = stream_spans([sample(0, 100), sample(1, 200), sample(2, 300), end(4)], 0, DAY)
    seen = watched([span])
    assert span.duration_s == 240
    assert (seen.covered_s, seen.peak) == (240, 300)
    assert seen.average == pytest.approx(900 / 4)
    assert seen.hours == pytest.approx(900 / 60)


def test_what_was_not_sampled_is_not_guessed() -> None:
    # Nobody asked from minute 1 to 61: the sample of minute 1 stands for three minutes, not for sixty.
    (span,) = stream_spans([sample(0, 100), sample(1, 100), sample(61, 400), end(62)], 0, DAY)
    seen = watched([span])
    assert live_seconds([span]) == 62 * 60
    assert seen.covered_s == (1 + 3 + 1) * 60
    assert seen.hours == pytest.approx((100 * 4 + 400 * 1) / 60)


def test_a_stream_over_midnight_is_cut_to_each_day() -> None:
    midnight = 24 * 60
    rows = [sample(minute, 60, start=midnight - 60) for minute in range(midnight - 60, midnight + 30)] + [
        end(midnight + 30)
    ]
    (first,) = stream_spans(rows, 0, DAY)
    (second,) = stream_spans(rows, DAY, 2 * DAY)
    assert (first.duration_s, second.duration_s) == (3600, 1800)
    assert first.is_cut
    assert second.is_cut
    assert watched([first]).hours == pytest.approx(60)
    assert watched([second]).hours == pytest.approx(30)


def test_a_stream_without_an_end_lasts_to_its_last_sample_and_a_little() -> None:
    (span,) = stream_spans([sample(0, 5), sample(10, 5)], 0, DAY)
    assert span.duration_s == 13 * 60


def test_streams_outside_are_left_out_and_overlaps_count_once() -> None:
    rows = [sample(0, 5), end(10), sample(5, 5, stream="s2", start=5), end(20, "s2")]
    spans = stream_spans(rows, 0, DAY)
    assert live_seconds(spans) == 20 * 60
    assert stream_spans(rows, DAY, 2 * DAY) == []


def test_no_samples_give_no_numbers() -> None:
    (span,) = stream_spans([StreamRow(at=0, action="start", stream_id="s1", started_at=0), end(10)], 0, DAY)
    seen = watched([span])
    assert (seen.covered_s, seen.average, seen.peak, seen.hours) == (0, None, None, 0)


def test_games_by_time() -> None:
    rows = [sample(0, 1), sample(1, 1), sample(2, 1, game="Go"), end(3)]
    assert game_seconds(stream_spans(rows, 0, DAY)) == [("Chess", 120), ("Go", 60)]


def test_moments_against_the_own_usual() -> None:
    # 20 minutes of 10 messages a minute; in minutes 5 and 12 there are 60 and 30.
    counts = np.array(([2, 2, 2, 2, 1, 1]) * 20)
    counts[30:36] = 10
    counts[72:78] = 5
    found = best_moments(counts, np.full(120, 10.0), start_at=0)
    assert found.usual == 10
    assert [(m.at // MINUTE, m.messages_per_min, m.ratio) for m in found.moments] == [
        (6, 60.0, 6.0),
        (13, 30.0, 3.0),
    ]


def test_a_minute_that_was_not_seen_whole_is_no_moment() -> None:
    counts = np.array([2] * 120)
    counts[33] = 40
    observed = np.full(120, 10.0)
    assert len(best_moments(counts, observed, start_at=0).moments) == 1
    observed[33] = 5.0
    found = best_moments(counts, observed, start_at=0)
    assert found.moments == ()


def test_too_little_chat_has_no_moments() -> None:
    assert best_moments(np.array([9] * 30), np.full(30, 10.0), start_at=0).usual is None
    quiet = np.zeros(120, dtype=np.int64)
    quiet[30:36] = 2
    assert best_moments(quiet, np.full(120, 10.0), start_at=0).moments == ()


@pytest.mark.parametrize(
    ("value", "earlier", "words"),
    [
        (300, [200, 250, 300], "20 % over usual (250, 3 streams)"),
        (100, [200, 250, 300], "60 % under usual (250, 3 streams)"),
        (255, [200, 250, 300], "≈ usual (250, 3 streams)"),
        (900, [200, 250, 300], "3.6× usual (250, 3 streams)"),
        (900, [200, None], "too few earlier streams to compare (1)"),
        (5, [0, 0, 0], "usual is 0 (0, 3 streams)"),
    ],
)
def test_comparisons_in_words(value: float, earlier: list[float | None], words: str) -> None:
    comparison = compared(value, earlier)
    assert comparison is not None
    assert comparison.words == words


def test_nothing_is_not_compared() -> None:
    assert compared(None, [1, 2, 3]) is None
