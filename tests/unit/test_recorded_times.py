"""Times and viewer statistics as recordings write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.recorded.chatty import split_status
from collectors.recorded.chatty_viewers import parse_viewer_stats
from collectors.recorded.times import parse_instant

MANILA = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2019-04-30_08:56:59", 1_556_614_619_000_000),
        ("2019-04-30 08:56", 1_556_614_560_000_000),
        ("2019-04-30T08:56:59Z", 1_556_614_619_000_000),
        ("2019-04-30 08:56:59 UTC", 1_556_614_619_000_000),
        ("2019-04-30T16:56:59+0800", 1_556_614_619_000_000),
        ("2019-04-30T03:26:59-05:30", 1_556_614_619_000_000),
        ("2019-04-30 08:56:59.123456+00", 1_556_614_619_123_456),
        ("2021-02-12T04:24:32.5580482Z", 1_613_103_872_558_048),
        ("1556614619", 1_556_614_619_000_000),
        ("1556614619.5", 1_556_614_619_500_000),
        ("1556614619123", 1_556_614_619_123_000),
        ("1556614619123456", 1_556_614_619_123_456),
    ],
)
def test_times(text: str, at: int) -> None:
    assert parse_instant(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "0001-01-01T00:00:00",
        "2019-13-01 00:00:00",
        "2019-02-30 00:00:00",
        "12",
        "2019-04-30",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert parse_instant(text) is None


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(text: str) -> None:
    at = parse_instant(text)
    assert at is None or 1_167_609_600_000_000 <= at < 4_102_444_800_000_000


def test_viewer_stats_are_a_count_and_differences_spread_evenly() -> None:
    line = "Viewerstats (07:04-07:35): avg:73 min:66 max:86 [16/70-2+17-16+3-2+9-10+0-3+1+13-12+3+13+2]"
    samples = parse_viewer_stats(line, datetime(2016, 9, 2, 7, 35, tzinfo=MANILA))
    assert [count for _, count in samples] == [
        70, 68, 85, 69, 72, 70, 79, 69, 69, 66, 67, 80, 68, 71, 84, 86,
    ]  # fmt: skip
    first = 1_472_771_040_000_000  # 2016-09-02 07:04 +0800
    assert [at - first for at, _ in samples] == [124_000_000 * i for i in range(16)]


def test_viewer_stats_over_midnight_with_thousands_and_a_pause() -> None:
    line = "Viewerstats (23:50-00:02): avg:6,250 min:1,000 max:12,000 [4/10,000+2,000_1,000+1,000_]"
    samples = parse_viewer_stats(line, datetime(2016, 9, 3, 0, 20, tzinfo=MANILA))
    first = 1_472_831_400_000_000  # 2016-09-02 23:50 +0800
    assert [(at - first, count) for at, count in samples] == [
        (0, 10_000),
        (240_000_000, 12_000),
        (480_000_000, 1_000),
        (720_000_000, 2_000),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Viewerstats (07:04-07:35): avg:70 min:70 max:70 [2/70]",  # not two
        "Viewerstats (07:04-07:35): avg:70 min:70 max:72 [2/70+1]",  # not 72
        "Viewerstats (07:04-07:35): avg:70 min:70 max:70 [1/70?]",
        "Viewerstats (07:04-07:35): avg:0 min:0 max:0 [0/_]",
        "Viewerstats ()",
    ],
)
def test_viewer_stats_that_contradict_themselves(line: str) -> None:
    with pytest.raises(ValueError, match="viewer statistics"):
        parse_viewer_stats(line, datetime(2016, 9, 2, 7, 35, tzinfo=MANILA))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            "Fun good times haha! (Hearthstone: Heroes of Warcraft)",
            ("Fun good times haha!", "Hearthstone: Heroes of Warcraft"),
        ),
        ("day 20 (of 21) (League of Legends (PBE))", ("day 20 (of 21)", "League of Legends (PBE)")),
        ("no game here", ("no game here", None)),
        ("No stream title set (Creative)", (None, "Creative")),
    ],
)
def test_status(status: str, expected: tuple[str | None, str | None]) -> None:
    assert split_status(status) == expected
