"""Exports: each day's events of each channel as CSV and JSON, for people and programs without Parquet.

``exports/<channel>/<YYYY-MM-DD>/<kind>.csv`` and ``.json``; days are UTC days, rows in the order they
were sent, instants in ISO 8601. JSON is one array, an event a line. In CSV a text that a spreadsheet
would take for a formula has a ``'`` in front; JSON has it as it was. DuckDB writes both, so memory is
flat; a file appears whole or not at all, and is written again when late events came.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import duckdb
import pyarrow as pa

from dashboard.errors import JobCancelled, QueryError, StorageError
from dashboard.events import KINDS
from dashboard.storage.batch import schema_of
from dashboard.storage.catalog import Catalog
from dashboard.storage.compaction import once_each
from dashboard.storage.files import full_disk_said_plainly
from dashboard.storage.lake import LakePaths
from dashboard.storage.views import select_files

if TYPE_CHECKING:
    from dashboard.config import Settings

LOOK_BACK_DAYS = 35
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LOGIN = re.compile(r"\w+", re.ASCII)
_FORMULA = r"^[=+\-@\t\r\n]"
_TRIES = 3
_MARK = "_day"
"""Beside the kinds: how the whole day was when it was last looked at."""

Facts = dict[str, dict[str, list[int]]]
"""By kind and room: events, and when the newest was received."""
Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class ExportSummary:
    """What was written."""

    dates: list[str] = field(default_factory=list)
    file_count: int = 0
    row_count: int = 0
    unchanged_count: int = 0
    """Files that had every event already."""
    removed_count: int = 0
    """Files whose events are no longer in the lake (past their time, or erased)."""

    def __str__(self) -> str:
        return (
            f"{self.file_count} files with {self.row_count:,} events written, "
            f"{self.unchanged_count} were up to date"
        )


def export_day(
    settings: Settings,
    date: str,
    channels: Sequence[str] | None = None,
    *,
    on_progress: Progress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> ExportSummary:
    """Writes one day's events as CSV and JSON, a file a channel and kind.

    Args:
        settings: Data folder and DuckDB's limits.
        date: UTC day as ``YYYY-MM-DD``.
        channels: Logins; all that have events that day when left out.
        on_progress: Is told files done, files in all, and which is being written.
        is_cancelled: Asked between files; what is written stays.

    Returns:
        What was written; all zero for a day without events.

    Raises:
        StorageError: The date is none, or the disk is full.
        JobCancelled: Somebody asked to stop.
    """
    if not _DATE.fullmatch(date):
        raise StorageError(f"“{date}” is not a day. Write it as 2026-01-31.")
    summary = ExportSummary()
    with _Exporter(settings, summary, on_progress, is_cancelled) as exporter:
        exporter.export(date, None if channels is None else set(channels))
    return summary


def export_due(
    settings: Settings,
    *,
    on_progress: Progress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> ExportSummary:
    """Writes every day that is over and not exported yet, or that got late events since.

    Args:
        settings: As for :func:`export_day`.
        on_progress: As there, for each day anew.
        is_cancelled: As there.

    Returns:
        What was written. Days older than 35 days are looked at only when they were exported before.
    """
    summary = ExportSummary()
    with _Exporter(settings, summary, on_progress, is_cancelled) as exporter:
        for date in exporter.due():
            exporter.export(date, None)
    return summary


class _Exporter:
    def __init__(
        self,
        settings: Settings,
        summary: ExportSummary,
        on_progress: Progress | None,
        is_cancelled: Callable[[], bool] | None,
    ) -> None:
        self._paths = LakePaths(settings.data_dir)
        self._catalog = Catalog(self._paths.catalog, self._paths.lake)
        self._folder = settings.data_dir / "exports"
        # Not copied to S3: it says only what is in the files beside it.
        self._index = self._folder / ".index"
        self._spill = settings.data_dir / "cache" / "exports"
        self._memory_mb = settings.query_memory_mb
        self._summary = summary
        self._on_progress = on_progress or (lambda done, total, text: None)
        self._is_cancelled = is_cancelled or (lambda: False)

    def __enter__(self) -> _Exporter:
        self._spill.mkdir(parents=True, exist_ok=True)
        self._con = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": f"{self._memory_mb}MB"})
        self._con.execute("set TimeZone = 'UTC'")
        self._con.execute("set enable_progress_bar = false")
        self._con.execute("set temp_directory = '" + _quoted(self._spill) + "'")
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()
        self._catalog.close()

    def due(self) -> list[str]:
        today = datetime.now(UTC).date()
        first = str(today - timedelta(days=LOOK_BACK_DAYS))
        exported = {path.stem for path in self._index.glob("*.json")}
        marks = self._catalog.day_marks()
        return sorted(
            date
            for date in exported | set(marks)
            if (date >= first or date in exported)
            and date < str(today)
            and marks.get(date) != self._facts(date).get(_MARK, {}).get("")
        )

    def export(self, date: str, channels: set[str] | None) -> None:
        self._summary.dates.append(date)
        mark = self._catalog.day_marks().get(date)
        before, now = self._facts(date), self._read_facts(date)
        after: Facts = {kind: dict(rooms) for kind, rooms in before.items()}
        wanted = [
            (kind, room)
            for kind, rooms in now.items()
            for room in rooms
            if channels is None or room in channels
        ]
        for number, (kind, room) in enumerate(wanted):
            if self._is_cancelled():
                self._keep_facts(date, after)
                raise JobCancelled("Stopped. The files written so far are whole.")
            self._on_progress(number, len(wanted), f"{room} {date} {kind}")
            facts = now[kind][room]
            paths = [self._path(room, date, kind, form) for form in ("csv", "json")]
            if before.get(kind, {}).get(room) == facts and all(path.exists() for path in paths):
                self._summary.unchanged_count += len(paths)
                continue
            self._write(kind, date, room, paths)
            after.setdefault(kind, {})[room] = facts
            self._summary.row_count += facts[0]
            self._summary.file_count += len(paths)
        self._remove_gone(date, after, now)
        if channels is None and mark is not None:
            after[_MARK] = {"": mark}
        self._keep_facts(date, after)
        self._on_progress(len(wanted), len(wanted), date)

    def _read_facts(self, date: str) -> Facts:
        facts: Facts = {}
        for kind, day in self._catalog.partitions():
            if day == date and kind in KINDS:
                rows = self._over(
                    kind,
                    date,
                    "select room_login, count(*), epoch_us(max(received_at)) from ({rows}) group by all "
                    "order by all",
                )
                facts[kind] = {room: [count, received_at] for room, count, received_at in rows}
        return facts

    def _write(self, kind: str, date: str, room: str, paths: Sequence[Path]) -> None:
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        plain = [_plain(column) for column in schema_of(kind)]
        safe = [
            f"case when regexp_matches({column.name}, '{_FORMULA}') then '''' || {column.name} "
            f"else {column.name} end as {column.name}"
            if pa.types.is_string(column.type)
            else _plain(column)
            for column in schema_of(kind)
        ]
        forms = (safe, "format csv, header"), (plain, "format json, array true")
        room_is = "'" + room.replace("'", "''") + "'"
        for path, (columns, form) in zip(paths, forms, strict=True):
            temporary = path.with_name(f".{path.name}.tmp")
            self._over(
                kind,
                date,
                f"copy (select {', '.join(columns)} from ({{rows}}) where room_login = {room_is} "
                f"order by sent_at, event_id) to '{_quoted(temporary)}' ({form})",
                room_is,
            )
            temporary.replace(path)

    def _over(self, kind: str, date: str, sql: str, room_is: str = "") -> list[tuple]:
        """Runs SQL over a day's events, each once; ``{rows}`` in it stands for them."""
        for attempt in range(_TRIES):
            files = self._catalog.live(kind, date=date)
            if not files:
                return []
            source = select_files(kind, files, self._catalog, self._paths.lake)
            if room_is:
                source = f"select * from ({source}) where room_login = {room_is}"
            try:
                with full_disk_said_plainly("an export"):
                    return self._con.execute(sql.replace("{rows}", once_each(self._con, source))).fetchall()
            except StorageError as error:
                # Compaction took a file away while we were at it; the new list has the same events.
                if "No files found" not in str(error) or attempt == _TRIES - 1:
                    raise
        raise QueryError("unreachable")

    def _remove_gone(self, date: str, after: Facts, now: Facts) -> None:
        for kind in [kind for kind in after if kind != _MARK]:
            for room in [room for room in after[kind] if room not in now.get(kind, {})]:
                for form in ("csv", "json"):
                    path = self._path(room, date, kind, form)
                    if path.exists():
                        path.unlink()
                        self._summary.removed_count += 1
                with suppress(OSError):
                    self._path(room, date, kind, "csv").parent.rmdir()
                del after[kind][room]

    def _path(self, room: str, date: str, kind: str, form: str) -> Path:
        # Imported recordings can name a room anything; here it becomes a folder.
        name = room if _LOGIN.fullmatch(room) else "_" + quote(room, safe="").replace(".", "%2E")
        return self._folder / name / date / f"{kind}.{form}"

    def _facts(self, date: str) -> Facts:
        try:
            return json.loads((self._index / f"{date}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def _keep_facts(self, date: str, facts: Facts) -> None:
        path = self._index / f"{date}.json"
        facts = {kind: rooms for kind, rooms in facts.items() if rooms}
        if not set(facts) - {_MARK}:
            path.unlink(missing_ok=True)
            return
        self._index.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(facts), encoding="utf-8")
        shutil.move(temporary, path)


def _plain(column: pa.Field) -> str:
    if pa.types.is_timestamp(column.type):
        return f"strftime({column.name} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') as {column.name}"
    return str(column.name)


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("'", "''")
