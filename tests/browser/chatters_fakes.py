"""A hand-written crowd that answers as the insights of the Chatters page do, and can be steered."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from dashboard.access import Access
from dashboard.errors import AccessDenied, QueryTimeout
from dashboard.events import Instant, now_us
from dashboard.insights.chatters_model import (
    AgeCurve,
    CaptureLine,
    ChattersAnalysis,
    ChatWindow,
    CohortLine,
    Finding,
    Grain,
    Histogram,
    RoomChoice,
    Selection,
    SessionLine,
    TopDay,
)
from dashboard.insights.chatters_people_model import (
    AccountDetail,
    AccountTable,
    ComparedAges,
    Comparison,
    MessageDay,
    RaidMark,
    Rename,
    Sighting,
)

MINUTE = 60_000_000
DAY_US = 86_400_000_000
EPOCH = date(1970, 1, 1)
FIRST_DAY = (date(2009, 1, 1) - EPOCH).days
WAVE_DAY = (date(2026, 11, 2) - EPOCH).days
LOADED_AT = now_us()
"""The captures' times stand still while the tests run."""
AS_OF_DAY = (date(2026, 11, 27) - EPOCH).days


def capture(capture_id: str = "c1", **values: Any) -> CaptureLine:
    """A complete capture of mothlight, five minutes old."""
    at = Instant(LOADED_AT - 5 * MINUTE)
    line = CaptureLine(
        capture_id, "100", "mothlight", "connected", None, "complete", "you", at, at, at, 1412, 1409, 1398, 14
    )
    return replace(line, **values)


def findings() -> tuple[Finding, ...]:
    """What is known about the cohort of the wave, and what is not."""
    return (
        Finding(
            "silent", "Have not spoken", "30 of 31 (84–99 %); of the others 61 %", 30, 31, is_notable=True
        ),
        Finding(
            "names",
            "Names alike",
            "29 of 31 have one shape; of the others 2 %",
            29,
            31,
            is_notable=True,
            details=("word + 5 digits", "lucky…"),
        ),
        Finding("arrival", "Came together", "27 of 31 first seen within 40 s", 27, 31, is_notable=True),
        Finding("channels", "Channels in common", "3 of 31 also met in quietfox", 3, 31),
        Finding("follow_time", "Followed", "", missing="follows are read only with the owner's login"),
        Finding("suspicious", "Twitch's own label", "", missing="no label was sent while we listened"),
    )


def cohorts() -> tuple[CohortLine, ...]:
    """Two cohorts: a clear one of a day, and a weaker one of three days."""
    return (
        CohortLine(
            1, WAVE_DAY, WAVE_DAY, 1, 31, 2.1, 1e-21, 1e-18, 14.8, 0.0222,
            "31 accounts created on 2 Nov 2026, 2.1 expected (q = 1e-18); 30 of 31 have not spoken.",
            findings(),
        ),
        CohortLine(
            2, WAVE_DAY - 900, WAVE_DAY - 898, 3, 12, 1.9, 2e-6, 0.0042, 6.3, 0.0086,
            "12 accounts created on 16–18 May 2024, 1.9 expected (q = 0.004).", findings()[:1],
        ),
    )  # fmt: skip


def created_days(count: int = 1398) -> list[int]:
    """Creation days of a crowd that grew over the years, with the two waves in it."""
    rng = random.Random(4)
    span = AS_OF_DAY - FIRST_DAY
    days = [FIRST_DAY + int(span * rng.random() ** 0.62) for _ in range(count - 43)]
    return sorted(days + [WAVE_DAY] * 31 + [WAVE_DAY - 900 + i % 3 for i in range(12)])


def bins_of(grain: Grain, first: int, last: int) -> list[tuple[int, int]]:
    """First and last day of each bin."""
    if grain in ("day", "week"):
        step = 1 if grain == "day" else 7
        first -= 0 if grain == "day" else (first + 3) % 7
        return [(start, start + step - 1) for start in range(first, last + 1, step)]
    found, at = [], EPOCH.fromordinal(first + EPOCH.toordinal())
    year, month = at.year, at.month if grain == "month" else 1
    while (start := (date(year, month, 1) - EPOCH).days) <= last:
        year, month = (year + 1, 1) if grain == "year" or month == 12 else (year, month + 1)
        found.append((start, (date(year, month, 1) - EPOCH).days - 1))
    return found


def histogram(selection: Selection, days: list[int]) -> Histogram:
    """The crowd in bins, with what a smooth one would show."""
    first = selection.start_day if selection.start_day is not None else days[0] if days else AS_OF_DAY
    last = selection.end_day if selection.end_day is not None else AS_OF_DAY
    if selection.last_days:
        first = max(first, AS_OF_DAY - selection.last_days + 1)
    bins = bins_of(selection.grain, first, last)
    span = AS_OF_DAY - FIRST_DAY

    def below(day: int) -> float:
        return 1355 * max(0.0, min(1.0, (day - FIRST_DAY) / span)) ** (1 / 0.62)

    numbers = [
        next((c.number for c in cohorts() if c.start_day <= e and c.end_day >= s), None) for s, e in bins
    ]
    return Histogram(
        selection.grain,
        tuple(s for s, _ in bins),
        tuple(e for _, e in bins),
        tuple(sum(s <= day <= e for day in days) for s, e in bins),
        tuple(below(e + 1) - below(s) for s, e in bins),
        tuple(numbers),
    )


def age_curve() -> AgeCurve:
    """A crowd that is a little younger than usual."""
    ages = tuple(int(1.35**i) for i in range(1, 30) if 1.35**i < 6500)
    return AgeCurve(
        ages,
        tuple(min(1.0, 0.03 + (age / 6500) ** 0.72) for age in ages),
        tuple(min(1.0, (age / 6500) ** 0.8) for age in ages),
        1840.0,
        2105.0,
    )


def analysis(selection: Selection | None = None, lines: Iterable[CaptureLine] = ()) -> ChattersAnalysis:
    """The whole answer for a crowd with two waves."""
    selection = selection or Selection(capture_ids=("c1",))
    days = created_days()
    found = cohorts()
    return ChattersAnalysis(
        selection=selection,
        captures=tuple(lines) or (capture(),),
        source="connected",
        account_count=1412,
        n=1398,
        n_unknown=14,
        shown_count=1398,
        services=(),
        service_count=3,
        is_enough=True,
        verdict=(
            "31 accounts created on 2 Nov 2026, 2.1 expected (q = 1e-18); 30 of 31 have not spoken. "
            "12 accounts created on 16–18 May 2024, 1.9 expected (q = 0.004)."
        ),
        tested_words="all accounts",
        cohorts=found,
        histogram=histogram(selection, days),
        top_days=(
            TopDay(WAVE_DAY, 31, 2.1, 1),
            TopDay(WAVE_DAY - 899, 5, 0.6, 2),
            TopDay(WAVE_DAY - 300, 4, 0.5, None),
            TopDay(WAVE_DAY - 301, 4, 0.5, None),
            TopDay(WAVE_DAY - 30, 4, 0.6, None),
        ),
        age_curve=age_curve(),
        trait_counts={"silent": 812, "spoke": 600, "first_seen": 104, "follows": None},
        trait_missing={"follows": "follows are read only with the owner's login"},
        baseline_name="others",
        baseline_sample=23_410,
        baseline_words="23,410 accounts of 6 other channels.",
        as_of=Instant(LOADED_AT - 5 * MINUTE),
        as_of_day=AS_OF_DAY,
        chat_windows=(
            ChatWindow("mothlight", Instant(0), Instant(1), 900.0, "from the start of the stream on"),
        ),
        notes=("Ages are looked up once and kept.",),
    )


def few(selection: Selection) -> ChattersAnalysis:
    """An answer for a room in which nothing can be said."""
    bins = histogram(selection, created_days()[::35])
    return replace(
        analysis(selection),
        account_count=41,
        n=40,
        n_unknown=1,
        is_enough=False,
        cohorts=(),
        verdict="40 accounts of known age are too few: below 100 nothing is said about a crowd.",
        histogram=replace(bins, cohort=(None,) * len(bins.observed)),
    )


def table(selection: Selection, count: int = 1412) -> AccountTable:
    """The accounts of the crowd; the waves have names of one shape."""
    days: list[int] = list(reversed(created_days(count - 14)))
    if selection.cohort:
        days = [WAVE_DAY] * 31
    if selection.start_day is not None and selection.end_day is not None:
        days = [day for day in days if selection.start_day <= day <= selection.end_day]
    rng = random.Random(9)
    words = ("oak", "fern", "moss", "reed", "elm", "lark", "vole", "wren")
    names = [
        f"lucky{rng.randrange(10_000, 99_999)}" if day == WAVE_DAY else f"{rng.choice(words)}_{i}"
        for i, day in enumerate(days)
    ]
    now_s, rows = now_us() // 1_000_000, len(days)
    return AccountTable(
        row_count=rows,
        user_id=[str(700_000 + i) for i in range(rows)],
        user_login=names,
        user_display_name=[name.title() for name in names],
        created_s=[day * 86_400 + 3600 for day in days],
        age_days=[AS_OF_DAY - day for day in days],
        seen_count=[1 if day == WAVE_DAY else 1 + i % 9 for i, day in enumerate(days)],
        first_seen_s=[now_s - 400 - i % 5000 for i in range(rows)],
        last_seen_s=[now_s - 300] * rows,
        message_count=[0 if day == WAVE_DAY else i % 13 for i, day in enumerate(days)],
        rename_count=[4 if i == 40 else 0 for i in range(rows)],
        evidence=["cohort 1, silent, first seen" if day == WAVE_DAY else "" for day in days],
        cohort=[1 if day == WAVE_DAY else None for day in days],
        words=f"{rows:,} accounts",
    )


def detail(user_id: str) -> AccountDetail:
    """One account with three renames and a short timeline."""
    now = now_us()
    renames = tuple(
        Rename(Instant(now - (9 - i) * DAY_US), f"old_{i}", f"old_{i + 1}", f"Old_{i}", f"Old_{i + 1}")
        for i in range(3)
    )
    return AccountDetail(
        user_id=user_id,
        user_login="old_3",
        user_display_name="Old_3",
        created_at=Instant(WAVE_DAY * DAY_US),
        age_days=25,
        is_service=False,
        renames=renames,
        timeline=(
            Sighting(Instant(now - 5 * MINUTE), "capture", "mothlight", "In the list of who is connected"),
            Sighting(Instant(now - 7 * MINUTE), "message", "mothlight", "2 messages"),
            Sighting(Instant(now - DAY_US), "rename", "", "old_2 → old_3"),
        ),
        is_timeline_cut=True,
        capture_count=1,
        message_days=(MessageDay(WAVE_DAY, "mothlight", 4), MessageDay(WAVE_DAY + 3, "mothlight", 9)),
        message_count=13,
        first_message_at=Instant(now - 20 * DAY_US),
        last_message_at=Instant(now - 7 * MINUTE),
        rooms=("mothlight",),
        cohort=cohorts()[0],
    )


def comparison(before: CaptureLine, after: CaptureLine) -> Comparison:
    """Two captures around a raid."""
    end = after.at + 10 * MINUTE
    start = before.at - 10 * MINUTE
    minutes = range((end - start) // MINUTE + 1)
    bins = bins_of("year", FIRST_DAY, AS_OF_DAY)
    return Comparison(
        before=before,
        after=after,
        came_count=212,
        left_count=96,
        stayed_count=1200,
        came_unknown_count=4,
        left_unknown_count=0,
        stayed_unknown_count=10,
        ages=ComparedAges(
            tuple(s for s, _ in bins),
            tuple(e for _, e in bins),
            tuple(3 + i % 4 + (60 if i == len(bins) - 1 else 0) for i in range(len(bins))),
            tuple(2 + i % 5 for i in range(len(bins))),
            tuple(40 + 3 * i for i in range(len(bins))),
        ),
        came_curve=age_curve(),
        came_median_age_days=410.0,
        left_median_age_days=2011.0,
        stayed_median_age_days=2050.0,
        words="212 came and 96 left in 30 min. Those who came are younger: half below 13 months.",
        came_verdict="31 accounts created on 2 Nov 2026, 0.4 expected (q = 1e-30).",
        came_cohorts=cohorts()[:1],
        start_at=Instant(start),
        end_at=Instant(end),
        viewers_at=tuple(Instant(start + m * MINUTE) for m in minutes),
        viewers=tuple(1200 + int(150 * math.tanh((m - 25) / 4)) for m in minutes),
        raids=(RaidMark(Instant(before.at + 15 * MINUTE), "quietfox", 263),),
    )


@dataclass
class FakeSessions:
    """Sessions of one person, in memory."""

    kept: dict[str, SessionLine] = field(default_factory=dict)

    def all(self, access: Access) -> list[SessionLine]:
        return list(self.kept.values())

    def get(self, session_id: str, access: Access) -> SessionLine:
        if session_id not in self.kept:
            raise AccessDenied("There is no such session: it is over, deleted, or not yours.")
        return self.kept[session_id]

    def load(self, session_id: str, access: Access, address: str = "") -> SessionLine:
        return self.get(session_id, access)

    def create(
        self, access: Access, capture_ids: Iterable[str] = (), name: str = "", address: str = ""
    ) -> SessionLine:
        now, names = now_us(), tuple(capture_ids)
        line = SessionLine(f"s{len(self.kept) + 1}", name, False, now, now, Instant(now + DAY_US), names)
        return self._keep(line)

    def add(self, session_id: str, access: Access, capture_ids: Iterable[str]) -> SessionLine:
        line = self.get(session_id, access)
        return self._keep(replace(line, capture_ids=(*line.capture_ids, *capture_ids)))

    def remove(self, session_id: str, access: Access, capture_ids: Iterable[str]) -> SessionLine:
        line, gone = self.get(session_id, access), set(capture_ids)
        return self._keep(replace(line, capture_ids=tuple(c for c in line.capture_ids if c not in gone)))

    def save(self, session_id: str, access: Access, name: str = "", address: str = "") -> SessionLine:
        line = self.get(session_id, access)
        return self._keep(replace(line, is_saved=True, expires_at=None, name=name or line.name))

    def rename(self, session_id: str, access: Access, name: str, address: str = "") -> SessionLine:
        return self._keep(replace(self.get(session_id, access), name=name))

    def delete(self, session_id: str, access: Access, address: str = "") -> None:
        self.get(session_id, access)
        del self.kept[session_id]

    def _keep(self, line: SessionLine) -> SessionLine:
        lines = tuple(capture(capture_id) for capture_id in line.capture_ids)
        self.kept[line.session_id] = replace(line, captures=lines, rooms=("mothlight",) if lines else ())
        return self.kept[line.session_id]


@dataclass
class FakeChatters:
    """``mode`` is loaded, empty, capturing, failed, few, none, error or crash."""

    mode: str = "loaded"
    extra: list[CaptureLine] = field(default_factory=list)
    row_count: int = 1412
    delay_s: float = 0.0
    analyses: int = 0
    sessions: FakeSessions = field(default_factory=lambda: FakeSessions())

    def rooms(self, access: Access) -> list[RoomChoice]:
        if self.mode == "error":
            raise QueryTimeout("The query for the captures took longer than 30 s and was stopped.")
        if self.mode == "none":
            return []
        lines = self.captures(access, "100")
        return [
            RoomChoice(
                "100", "mothlight", "owner", True, 1502, "Hollow Knight", True,
                last_capture=lines[0] if lines else None,
            ),
            RoomChoice("101", "quietfox", "moderator", True, 263, "Just Chatting", True),
            RoomChoice(
                "102", "oldbarn", "public", False, None, None, False,
                "Only its owner and its moderators may list who is connected.",
                False, "Its chat is not collected here.",
            ),
        ]  # fmt: skip

    def captures(self, access: Access, room_id: str = "", limit: int = 50) -> list[CaptureLine]:
        at = Instant(LOADED_AT - 3_000_000)
        running = capture("c9", state="ageing", asked_at=at, started_at=at, finished_at=None, known_count=830)
        failed = capture("c8", state="failed", asked_at=at, started_at=at, error="Twitch does not answer.")
        before = Instant(LOADED_AT - 35 * MINUTE)
        done = [capture(), capture("c0", asked_at=before, started_at=before, listed_count=1296)]
        lines = {
            "empty": [],
            "capturing": [running],
            "failed": [failed],
            "recapturing": [running, *done],
            "refailed": [failed, *done],
        }
        return [*self.extra, *lines.get(self.mode, done)]

    def analysis(self, selection: Selection, access: Access) -> ChattersAnalysis:
        self.analyses += 1
        time.sleep(self.delay_s)
        if self.mode == "crash":
            raise ZeroDivisionError("a secret detail")
        return few(selection) if self.mode == "few" else analysis(selection)

    def accounts(self, selection: Selection, access: Access) -> AccountTable:
        return table(selection, self.row_count)

    def account(self, user_id: str, access: Access, selection: Selection | None = None) -> AccountDetail:
        return detail(user_id)

    def compare(self, first_id: str, second_id: str, access: Access) -> Comparison:
        lines = {line.capture_id: line for line in self.captures(access, "100")}
        before, after = sorted((lines[first_id], lines[second_id]), key=lambda line: line.at)
        return comparison(before, after)

    def compared_people(self, first_id: str, second_id: str, side: str, access: Access) -> AccountTable:
        return replace(table(Selection(cohort=1)), words=f"31 accounts that {side}")
