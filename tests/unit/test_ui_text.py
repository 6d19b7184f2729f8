from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from dashboard.events import Instant
from dashboard.insights.live_model import Reading
from dashboard.ui import text

BERLIN = ZoneInfo("Europe/Berlin")
MIDDAY = Instant(1_700_000_000_000_000)  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (28, "28 s"),
        (60, "1 min"),
        (90, "90 s"),
        (300, "5 min"),
        (3600, "60 min"),
        (8040, "2 h 14 min"),
        (7200, "2 h"),
    ],
)
def test_span(seconds: float, words: str) -> None:
    assert text.span(seconds) == words


def test_clock_is_the_viewers_own() -> None:
    assert text.clock(MIDDAY, BERLIN) == "23:13"
    assert text.clock(MIDDAY, ZoneInfo("UTC"), seconds=True) == "22:13:20"
    assert text.day_clock(MIDDAY, BERLIN, now=Instant(MIDDAY + 86_400_000_000)) == "14 Nov 2023, 23:13"


def test_unknown_zone_is_utc() -> None:
    assert text.zone("Moon/Base") == ZoneInfo("UTC")
    assert text.zone("../etc/passwd") == ZoneInfo("UTC")
    assert text.zone(None) == ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("reading", "shown"),
    [
        (Reading("viewers", 1412), ("1,412", "")),
        (Reading("velocity", 187.4), ("187", "msg/min")),
        (Reading("velocity", 2.5), ("2.5", "msg/min")),
        (Reading("unique_chatters", 246, window_s=300), ("246", "5 min")),
        (Reading("engagement", 0.1712), ("0.17", "")),
        (Reading("retention", 0.824), ("82", "%")),
        (Reading("uptime", 8075), ("2:14", "h")),
        (Reading("game", 42, text="Hollow Knight"), ("Hollow Knight", "")),
        (Reading("viewers", None, missing="no sample yet"), ("–", "")),
        (Reading("velocity", 0), ("0", "msg/min")),
    ],
)
def test_reading_value(reading: Reading, shown: tuple[str, str]) -> None:
    assert text.reading_value(reading) == shown


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading("velocity", 187, usual=62), ("up", "▲ 3.0× usual")),
        (Reading("velocity", 80, usual=62), ("up", "▲ 29 % over usual")),
        (Reading("velocity", 31, usual=62), ("down", "▼ 50 % under usual")),
        (Reading("engagement", 0.17, usual=0.163), ("flat", "≈ usual (0.16)")),
        (Reading("retention", 0.82, usual=0.89), ("down", "▼ 7 pts under usual")),
        (Reading("retention", 0.82, usual=0.81), ("flat", "≈ usual (81 %)")),
        (Reading("velocity", 0, usual=0), ("flat", "≈ usual (0)")),
        (Reading("velocity", 5, usual=0), ("up", "▲ usual is 0")),
        (
            Reading("velocity", 5, missing="usual needs 10 min, has 3"),
            ("missing", "usual needs 10 min, has 3"),
        ),
        (Reading("viewers", None, usual=3, missing="no sample"), ("missing", "no sample")),
        (Reading("game", 42, text="Hollow Knight"), ("flat", "for 42 min")),
    ],
)
def test_comparison(reading: Reading, words: tuple[str, str]) -> None:
    assert text.comparison(reading) == words


def test_sample_names_window_size_and_usual() -> None:
    reading = Reading(
        "velocity",
        187,
        window_s=60,
        sample_count=187,
        usual=62,
        usual_low=48,
        usual_high=80,
        usual_sample_count=96,
    )
    assert text.sample(reading) == (
        "Window: the last 1 min. Sample: 187. "
        "Usual: 62, mostly 48 to 80, from 96 earlier minutes of this stream."
    )
    assert text.sample(Reading("viewers", None)) == ""


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (-4.2, ("down", "▼ 4 pts since the raid")),
        (1.2, ("up", "▲ 1 pt since the raid")),
        (6.6, ("up", "▲ 7 pts since the raid")),
        (0.3, ("flat", "≈ as at the raid")),
    ],
)
def test_retention_after_a_raid_is_told_against_the_raid(points: float, words: tuple[str, str]) -> None:
    reading = Reading("retention", 0.82, usual=0.9, note="moved since the raid", note_points=points)
    assert text.comparison(reading) == words


def test_a_part_that_was_not_seen_stands_in_the_definition() -> None:
    reading = Reading("unique_chatters", 12, window_s=300, note="only 210 of 300 s seen: at least so many")
    assert text.sample(reading) == "Window: the last 5 min. Only 210 of 300 s seen: at least so many."
