"""The Storage page: what its insight decides, what its parts say, what its callbacks do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dash import no_update

from callbacks import storage as callbacks
from dashboard.access import LOCAL, Access
from dashboard.config import Settings
from dashboard.errors import AccessDenied, JobBusy, JobError
from dashboard.events import Instant
from dashboard.insights.storage import JobState, StorageInsights
from dashboard.services import Services
from dashboard.storage.health import JournalState
from dashboard.storage.inventory import Folder, Inventory, KindOnDisk
from dashboard.storage.state import StatusRow
from dashboard.storage.sync_ledger import SyncState
from dashboard.ui import storage_view

S = 1_000_000
NOW = Instant(1_800_000_000 * S)
UTC = ZoneInfo("UTC")
STRANGER = Access("42", "viewer", "Viewer", is_admin=False, rooms=frozenset({"alpha"}))
COPY = SyncState(
    "id", 3, Instant(NOW - 5 * S), 10, 1000, 8, 900, Instant(NOW - 20 * S), Instant(NOW - 30 * S)
)
RAIDS = KindOnDisk("raids", 12_345, 3, 4_000_000, Instant(NOW - 7 * 86_400 * S), Instant(NOW - S))
CHAT = KindOnDisk("chat_messages", 5, 1, 900_000_000, Instant(NOW - S), Instant(NOW))
FOUND = Inventory(
    [CHAT, RAIDS],
    [JournalState("collect", True, 1, 512, 0)],
    Folder(2, 3_000, "2026-01-02.jsonl"),
    Folder(0, 0, ""),
    0,
    10**9,
    COPY,
)


class FakeRuns:
    def __init__(self, last: dict[str, Any] | None = None, *, is_busy: bool = False) -> None:
        self.asked: list[tuple[str, Any, str]] = []
        self._last = last or {}
        self._is_busy = is_busy

    def request(self, name: str, params: dict[str, Any] | None = None, by: str = "") -> str:
        if self._is_busy:
            raise JobBusy(f"“{name}” is asked for or running already.")
        self.asked.append((name, params, by))
        return "run"

    def last(self, name: str) -> Any:
        return self._last.get(name)


class FakeState:
    def __init__(self, payload: dict[str, Any] | None = None) -> None:
        self.payload = payload

    def read_status(self, name: str) -> Any:
        assert name == "s3"
        return None if self.payload is None else StatusRow(self.payload, NOW)


class FakeRun:
    def __init__(self, state: str, **values: Any) -> None:
        self.state, self.requested_at = state, NOW
        self.done, self.total = values.get("done"), values.get("total")
        self.text, self.error = values.get("text", ""), values.get("error", "")


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, data_dir=Path("unused"), sandbox=True, **values)


def insights(
    found: Inventory = FOUND, status: dict[str, Any] | None = None, runs: Any = None, **values: Any
) -> StorageInsights:
    return StorageInsights(
        settings(**values), FakeState(status), runs or FakeRuns(), look=lambda data_dir: found
    )


class TestInsight:
    def test_the_largest_kind_first_with_its_retention(self) -> None:
        page = insights().overview(LOCAL, NOW)
        assert [(line.on_disk.kind, line.retention_days) for line in page.kinds] == [
            ("chat_messages", 30),
            ("raids", 0),
        ]
        assert (page.row_count, page.byte_count) == (12_350, 904_000_000)

    def test_is_for_admins_only(self) -> None:
        page = insights(s3_bucket="bucket")
        for ask in (
            lambda: page.overview(STRANGER),
            lambda: page.order_sync(STRANGER),
            lambda: page.order_export(STRANGER, "2026-01-01"),
        ):
            with pytest.raises(AccessDenied):
                ask()

    @pytest.mark.parametrize(
        ("waiting_s", "status", "run", "bucket", "state"),
        [
            (20, None, None, "", "off"),
            (20, None, None, "bucket", "good"),
            (121, None, None, "bucket", "late"),
            (121, None, FakeRun("running", done=1, total=5), "bucket", "running"),
            (20, {"error": "S3: no."}, FakeRun("running", done=1, total=5), "bucket", "failing"),
        ],
    )
    def test_the_state_of_the_copy(
        self, waiting_s: int, status: Any, run: Any, bucket: str, state: str
    ) -> None:
        copy = replace(COPY, oldest_unsynced_at=Instant(NOW - waiting_s * S))
        told = status and status | {"target": "AWS bucket/streamlens"}
        page = insights(replace(FOUND, copy=copy), told, FakeRuns({"sync": run}), s3_bucket=bucket)
        assert page.overview(LOCAL, NOW).copy.state == state

    def test_what_was_said_of_another_bucket_is_not_shown(self) -> None:
        status = {"target": "AWS other/streamlens", "error": "S3: no.", "bytes_per_s": 5, "success_at": 1}
        panel = insights(status=status, s3_bucket="bucket").overview(LOCAL, NOW).copy
        assert (panel.error, panel.bytes_per_s, panel.success_at) == ("", None, None)

    def test_orders(self) -> None:
        runs = FakeRuns()
        page = insights(runs=runs, s3_bucket="bucket")
        page.order_sync(LOCAL)
        page.order_export(LOCAL, "2026-01-31T00:00:00")
        assert runs.asked == [("sync", {}, "local"), ("export", {"day": "2026-01-31"}, "local")]

    @pytest.mark.parametrize("day", [None, "", "soon", "2026-02-30"])
    def test_a_day_has_to_be_one(self, day: str | None) -> None:
        with pytest.raises(JobError, match="Choose the day"):
            insights().order_export(LOCAL, day)

    def test_without_a_bucket_there_is_nothing_to_sync(self) -> None:
        with pytest.raises(JobError, match="Set S3_BUCKET"):
            insights().order_sync(LOCAL)


def words(component: Any) -> str:
    """Everything that stands in a component, with blanks between."""
    if component is None:
        return ""
    if isinstance(component, list | tuple):
        return " ".join(filter(None, map(words, component)))
    if isinstance(component, str | int | float):
        return str(component)
    return words(getattr(component, "children", None))


class TestParts:
    @pytest.mark.parametrize(
        ("count", "text"),
        [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (15_500, "16 kB"),
            (999_600, "1.0 MB"),
            (2 * 10**12, "2.0 TB"),
            (5 * 10**15, "5,000 TB"),
        ],
    )
    def test_size(self, count: int, text: str) -> None:
        assert storage_view.size(count) == text

    def test_the_copy_in_words(self) -> None:
        status = {"target": "AWS bucket/streamlens", "bytes_per_s": 2_500_000, "success_at": NOW - 30 * S}
        page = insights(status=status, s3_bucket="bucket").overview(LOCAL, NOW)
        told = words(storage_view.copy(page.copy, page.sync, NOW, UTC))
        assert "up to date" in told
        assert "bucket/streamlens at AWS" in told
        assert "90 % 8 of 10 files, 900 B of 1.0 kB" in told
        assert "Oldest event not on S3 20 s old" in told
        assert "2.5 MB/s" in told

    def test_not_quite_all_is_never_100_percent(self) -> None:
        copy = replace(COPY, live_count=1000, synced_count=999, live_bytes=10**9, synced_bytes=10**9 - 1)
        page = insights(replace(FOUND, copy=copy), s3_bucket="bucket").overview(LOCAL, NOW)
        assert "99 % 999 of 1,000 files" in words(storage_view.copy(page.copy, page.sync, NOW, UTC))

    def test_an_error_with_its_cure_and_what_is_safe(self) -> None:
        error = "S3: there is no bucket b. Make the bucket, or correct the name. Nothing local is lost."
        status = {"target": "AWS bucket/streamlens", "error": error, "error_at": NOW - 60 * S}
        page = insights(status=status, s3_bucket="bucket").overview(LOCAL, NOW)
        told = words(storage_view.copy(page.copy, page.sync, NOW, UTC))
        assert "failing" in told
        assert (
            "There is no bucket b Make the bucket, or correct the name. Last seen 1 min ago. "
            "Nothing on this machine is lost; it is tried again twice a minute."
        ) in told

    def test_without_a_bucket_it_says_how_to_set_one_up(self) -> None:
        page = insights().overview(LOCAL, NOW)
        shown = storage_view.copy(page.copy, page.sync, NOW, UTC)
        assert "S3_BUCKET=my-bucket" in words(shown)
        assert storage_view.DOCS in str(shown)

    def test_journals_of_the_living_and_of_the_dead(self) -> None:
        dead = JournalState("import", False, 1, 2_000, 0)
        done = JournalState("job-clips", False, 0, 0, 0)
        page = insights(replace(FOUND, journals=[*FOUND.journals, dead, done])).overview(LOCAL, NOW)
        told = words(storage_view.waiting(page))
        assert "Journal “collect” 512 B being written" in told
        assert "Journal “import” 2.0 kB its writer died; the worker brings it in when it starts" in told
        assert "job-clips" not in told, "empty, and nobody writes it"
        assert "Lines not understood 3.0 kB 2 files, the newest 2026-01-02.jsonl" in told

    def test_an_export_under_way(self) -> None:
        runs = FakeRuns({"export": FakeRun("running", done=3, total=40)})
        page = insights(runs=runs).overview(LOCAL, NOW)
        assert "under way 3 of 40 files" in words(storage_view.exports(page))

    def test_no_events_yet(self) -> None:
        assert "No events yet" in words(storage_view.kinds([], UTC, NOW))


def services(page: StorageInsights, access: Access = LOCAL) -> Services:
    unused: Any = None
    return Services(settings(), unused, unused, unused, storage=page, current_access=lambda: access)


class TestCallbacks:
    REQUEST = {"seq": 4, "tz": "UTC"}  # noqa: RUF012

    def test_only_what_changed_is_sent_again(self) -> None:
        given = services(insights(s3_bucket="bucket"))
        first = callbacks.refresh(given, self.REQUEST, None)
        again = callbacks.refresh(given, self.REQUEST | {"seq": 5}, first["cursor"])
        assert first["kinds"] is not no_update
        assert again["kinds"] is no_update
        assert again["cursor"]["seq"] == 5

    def test_a_stranger_sees_why_and_nothing_else(self) -> None:
        answer = callbacks.refresh(services(insights(), STRANGER), self.REQUEST, None)
        assert "ADMIN_USER_IDS" in words(answer["notice"])
        assert [answer[part] for part in ("copy", "kinds", "waiting", "exports")] == [None] * 4
        assert (answer["sync_off"], answer["export_off"]) == (True, True)

    def test_a_failure_is_told_with_a_reference_and_the_page_stays(self) -> None:
        def look(data_dir: Path) -> Inventory:
            raise ZeroDivisionError

        broken = StorageInsights(settings(), FakeState(), FakeRuns(), look=look)
        answer = callbacks.refresh(services(broken), self.REQUEST, None)
        assert "could not be read" in words(answer["notice"])
        assert answer["kinds"] is no_update

    def test_the_buttons(self) -> None:
        runs = FakeRuns()
        given = services(insights(runs=runs, s3_bucket="bucket"))
        assert callbacks.sync_now(given, None) == (no_update, no_update)
        assert callbacks.sync_now(given, 1)[0] == "Asked for; the worker takes it in a moment."
        said, asked = callbacks.export_day(given, 1, "2026-01-31")
        assert (said.startswith("2026-01-31 is asked for"), bool(asked)) == (True, True)
        assert len(runs.asked) == 2

    def test_who_may_not_and_what_is_busy_is_told(self) -> None:
        given = services(insights(s3_bucket="bucket"), STRANGER)
        assert "ADMIN_USER_IDS" in callbacks.sync_now(given, 1)[0]
        busy = services(insights(runs=FakeRuns(is_busy=True), s3_bucket="bucket"))
        assert "running already" in callbacks.export_day(busy, 1, "2026-01-31")[0]

    def test_buttons_rest_while_the_worker_is_at_it(self) -> None:
        runs = FakeRuns({"sync": FakeRun("requested")})
        answer = callbacks.refresh(services(insights(runs=runs, s3_bucket="b-1")), self.REQUEST, None)
        assert (answer["sync_off"], answer["export_off"]) == (True, False)


def test_a_job_is_open_until_it_ends() -> None:
    assert [
        JobState(state, None, None, None, "").is_open for state in ("requested", "running", "ok", "")
    ] == [
        True,
        True,
        False,
        False,
    ]
