"""Channel days and daily reports over a real lake with few, hand-counted events."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from dashboard.access import LOCAL, NOBODY, Access
from dashboard.events import (
    Bits,
    Event,
    Instant,
    Observation,
    Raid,
    StreamChange,
    SubGift,
    Subscription,
    ViewerSample,
)
from dashboard.insights.channel_day import Day, channel_day, read_seen
from dashboard.insights.report import daily_report
from dashboard.insights.report_html import report_html
from dashboard.jobs.context import JobContext
from dashboard.jobs.days import channel_days
from dashboard.jobs.reports import daily_reports
from dashboard.jobs.times import day_span
from dashboard.report_web import report_blueprint
from dashboard.storage.ingest import Ingest
from dashboard.storage.report_files import ReportFiles
from dashboard.storage.state import State
from dashboard.storage.store import Store
from tests.jobs_helpers import Listener, settings_for
from tests.storage_events import message

BERLIN = ZoneInfo("Europe/Berlin")
DAY = Day("alpha", date(2026, 3, 29), BERLIN)
"""Has 23 hours: the clock goes forward."""
START, END = day_span(DAY.day, BERLIN)
MINUTE = 60_000_000
NIGHT = Instant(END + 5 * MINUTE)


def event(kind: type[Event], at: int, number: int, **values: Any) -> Event:
    return kind(
        event_id=f"{kind.kind}{number}-{at}",
        source="irc",
        room_login="alpha",
        room_id="1",
        sent_at=Instant(at),
        received_at=Instant(at),
        **values,
    )


def stream(
    start: int, minutes: int, viewers: int, stream_id: str = "s1", title: str = "Finals"
) -> list[Event]:
    values = {"stream_id": stream_id, "started_at": Instant(start), "game_name": "Chess", "title": title}
    samples = [
        event(ViewerSample, start + n * MINUTE, n, viewer_count=viewers, **values) for n in range(minutes)
    ]
    return [
        event(StreamChange, start, 0, action="start", **values),
        *samples,
        event(StreamChange, start + minutes * MINUTE, 1, action="end", stream_id=stream_id),
    ]


def seen(start: int, end: int) -> list[Event]:
    return [
        event(Observation, start, 0, collector="irc", state="joined"),
        event(Observation, end, 1, collector="irc", state="left"),
    ]


def talk(start: int, minutes: int, per_minute: int, who: str, prefix: str) -> list[Event]:
    return [
        replace(
            message(
                n,
                at=start + n * MINUTE // per_minute,
                room_id="1",
                user_id=who,
                user_login=f"user{who}",
                user_display_name=f"User<{who}>",
                emote_names="Kappa Kappa" if n % 10 == 0 else None,
            ),
            event_id=f"{prefix}{n}",
        )
        for n in range(minutes * per_minute)
    ]


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = settings_for(folder, time_zone="Europe/Berlin")
        self.store = Store(folder, threads=1)
        self.state = State(folder)

    def put(self, *groups: list[Event]) -> None:
        with Ingest(self.folder, "test") as ingest:
            for group in groups:
                ingest.put(group)

    def context(self, name: str, now: Instant = NIGHT, **params: Any) -> JobContext:
        return JobContext(
            name=name,
            settings=self.settings,
            store=self.store,
            state=self.state,
            vault=None,  # type: ignore[arg-type]
            accounts=None,  # type: ignore[arg-type]
            handle=Listener(),
            params=params,
            now=lambda: now,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.store.close()
    bench.state.close()


NOON = START + 12 * 60 * MINUTE


def test_a_day_counted_by_hand(bench: Bench) -> None:
    bench.put(
        stream(NOON, 60, 120),
        seen(NOON, NOON + 30 * MINUTE),
        talk(NOON, 20, 3, "7", "a"),
        talk(NOON, 10, 1, "8", "b"),
        # Yesterday's chatter comes back, tomorrow's message is not ours, a mirrored one belongs elsewhere.
        talk(START - 60 * MINUTE, 1, 1, "7", "y"),
        talk(END, 1, 1, "9", "t"),
        [message(1, at=NOON, room_id="1", source_room_id="2", user_id="99")],
        [
            event(Subscription, NOON, 0, user_id="7"),
            event(SubGift, NOON, 0, user_id="7"),
            event(SubGift, NOON, 1, user_id="7"),
            event(Bits, NOON, 0, user_id="7", bits=100),
            event(Bits, NOON, 1, user_id="8", bits=150),
            event(Raid, NOON, 0, user_id="5", viewer_count=40),
            event(Bits, END, 9, user_id="8", bits=1_000),
        ],
    )
    row = channel_day(bench.store, DAY, read_seen(bench.store, bench.state, DAY, now=NIGHT), now=NIGHT)
    assert row is not None
    assert (row.message_count, row.chatter_count, row.observed_s) == (70, 2, 1800)
    assert (row.live_s, row.viewers_covered_s, row.viewers_average, row.viewers_peak) == (
        3600,
        3600,
        120,
        120,
    )
    assert row.hours_watched == pytest.approx(120)
    assert (row.subscription_count, row.gift_count, row.bits) == (1, 2, 250)
    assert (row.raid_count, row.raid_viewer_count, row.follow_count) == (1, 40, None)
    assert (row.new_chatter_count, row.returning_chatter_count, row.history_day_count) == (1, 1, 1)
    assert json.loads(row.games or "") == [{"game": "Chess", "live_s": 3600}]
    assert (row.sent_at, row.day, row.time_zone) == (START, "2026-03-29", "Europe/Berlin")


def test_a_day_without_anything_is_no_row(bench: Bench) -> None:
    assert (
        channel_day(bench.store, DAY, read_seen(bench.store, bench.state, DAY, now=NIGHT), now=NIGHT) is None
    )
    assert daily_report(bench.store, bench.state, DAY, now=NIGHT) is None


def test_the_analysis_computes_what_changed_and_is_over(bench: Bench) -> None:
    bench.put(talk(NOON, 2, 1, "7", "a"), talk(END + MINUTE, 2, 1, "7", "n"))
    assert channel_days(bench.context("channel_days")) == "1 days computed, of 1 channels"
    later = Instant(NIGHT + MINUTE)
    channel_days(bench.context("channel_days", later))
    bench.put(talk(NOON + 60 * MINUTE, 3, 1, "8", "b"))
    channel_days(bench.context("channel_days", Instant(NIGHT + 2 * MINUTE)))
    # The newest computation counts; the day after comes once it is over.
    rows = bench.store.sql(
        "select day, arg_max(message_count, computed_at) from channel_days group by day order by day"
    ).rows
    assert rows == [("2026-03-29", 5)]
    channel_days(bench.context("channel_days", Instant(END + 25 * 60 * MINUTE)))
    rows = bench.store.sql(
        "select day, arg_max(message_count, computed_at) from channel_days group by day order by day"
    ).rows
    assert rows == [("2026-03-29", 5), ("2026-03-30", 2)]


def test_a_report_compares_with_earlier_streams_and_names_gaps(bench: Bench) -> None:
    day_us = 24 * 60 * MINUTE
    earlier = [stream(NOON - days * day_us, 30, 50 * days, f"e{days}") for days in (1, 2, 3)]
    burst = talk(NOON + 20 * MINUTE, 1, 60, "8", "burst")
    bench.put(
        *earlier,
        stream(NOON, 60, 300, title="<script>alert('x')</script>"),
        [
            event(Observation, NOON, 0, collector="irc", state="joined"),
            event(Observation, NOON + 40 * MINUTE, 1, collector="irc", state="lost", reason="reconnect"),
            event(Observation, NOON + 45 * MINUTE, 2, collector="irc", state="joined"),
            event(Observation, NOON + 60 * MINUTE, 3, collector="irc", state="left"),
        ],
        talk(NOON, 40, 6, "7", "a"),
        burst,
    )
    report = daily_report(bench.store, bench.state, DAY, now=NIGHT)
    assert report is not None
    (told,) = report.streams
    assert told.comparisons["viewers_average"] == "3.0× usual (100, 3 streams)"
    assert (told.message_count, told.chatter_count) == (300, 2)
    assert told.observed_share == pytest.approx(55 / 60)
    assert report.observed_share == pytest.approx(55 / 60)
    (gap,) = report.gaps
    assert (gap.started_at, gap.ended_at, gap.reason) == (NOON + 40 * MINUTE, NOON + 45 * MINUTE, "reconnect")
    assert report.usual_messages_per_min == 6
    assert [(m.at, m.messages_per_min, m.ratio) for m in report.moments] == [(NOON + 21 * MINUTE, 66.0, 11.0)]
    assert [(row.name, row.count) for row in report.chatters] == [("User<7>", 240), ("User<8>", 60)]
    assert [(row.name, row.count, row.people) for row in report.emotes] == [("Kappa", 60, 2)]
    page = report_html(report)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "User&lt;7&gt;" in page
    assert "http" not in page, "nothing is loaded from elsewhere"
    assert "12:40" not in page
    assert "13:40 to 13:45 not seen: reconnect" in page


def test_the_picture_has_times_and_no_line_over_what_nobody_looked_at(bench: Bench) -> None:
    bench.put(stream(NOON, 60, 10), seen(NOON, NOON + 60 * MINUTE), talk(NOON, 2, 1, "7", "a"))
    report = daily_report(bench.store, bench.state, DAY, now=NIGHT)
    assert report is not None
    looks = ((NOON, 10), (NOON + MINUTE, 12), (NOON + 30 * MINUTE, 11), (NOON + 31 * MINUTE, 13))
    page = report_html(replace(report, viewers=looks))
    (line,) = re.findall(r'<path d="([^"]*)" fill="none"', page)
    assert [mark[0] for mark in line.split()] == ["M", "L", "M", "L"]
    times = re.findall(r'left:[\d.]+%">(\d\d:\d\d)<', page)
    assert 3 <= len(times) <= 8
    assert all(time.endswith(("0", "5")) for time in times)
    assert "0 people with them" not in page
    assert "0 gifts" not in page


def test_too_little_is_said_as_such(bench: Bench) -> None:
    bench.put(stream(NOON, 60, 10), seen(NOON, NOON + 6 * MINUTE), talk(NOON, 2, 1, "7", "a"))
    report = daily_report(bench.store, bench.state, DAY, now=NIGHT)
    assert report is not None
    assert report.moments == ()
    assert report.streams[0].comparisons["viewers_average"] == "no earlier stream to compare"
    notes = " ".join(report.notes)
    for words in ("10% of the time only", "Too little chat", "no earlier days", "Follows are not collected"):
        assert words in notes


def test_the_job_makes_what_is_missing_and_nothing_twice(bench: Bench) -> None:
    bench.state.follow(["alpha", "quiet"])
    bench.put(stream(NOON, 60, 10), seen(NOON, NOON + 60 * MINUTE), talk(NOON, 2, 1, "7", "a"))
    assert daily_reports(bench.context("report")) == "1 report made"
    files = ReportFiles(bench.folder)
    path = files.path("alpha", "2026-03-29", "json")
    assert path is not None
    assert json.loads(path.read_text())["numbers"]["message_count"] == 2
    assert [file.day for file in files.listed(lambda room: True)] == ["2026-03-29"]
    assert files.listed(lambda room: room == "quiet") == []
    assert daily_reports(bench.context("report")) == "No report was missing"
    assert daily_reports(bench.context("report", day="2026-03-29", room="alpha")) == "1 report made"
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == []
    # As if somebody had made it at noon of that day: it is made again when the day is over.
    page = path.with_suffix(".html")
    os.utime(page, (NOON / 1e6, NOON / 1e6))
    assert daily_reports(bench.context("report")) == "1 report made"


@pytest.mark.parametrize(
    ("access", "path", "status"),
    [
        (LOCAL, "/reports/alpha/2026-03-29.html", 200),
        (Access("5", rooms=frozenset({"alpha"})), "/reports/alpha/2026-03-29.json", 200),
        (Access("5", rooms=frozenset({"beta"})), "/reports/alpha/2026-03-29.html", 403),
        (Access("5", rooms=frozenset({"beta"})), "/reports/nobody/2026-03-29.html", 403),
        (NOBODY, "/reports/alpha/2026-03-29.html", 403),
        (LOCAL, "/reports/alpha/2026-03-30.html", 404),
        (LOCAL, "/reports/alpha/2026-03-29.txt", 404),
        (LOCAL, "/reports/..%2f..%2fstate/2026-03-29.html", 404),
        (LOCAL, "/reports/alpha/..%2f2026-03-29.html", 404),
    ],
)
def test_reports_over_http(tmp_path: Path, access: Access, path: str, status: int) -> None:
    ReportFiles(tmp_path).write("alpha", "2026-03-29", json="{}", html="<p>hello</p>")
    app = Flask("test")
    app.register_blueprint(report_blueprint(tmp_path, lambda: access))
    answer = app.test_client().get(path)
    assert answer.status_code == status
    if status == 200:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    answer.close()
