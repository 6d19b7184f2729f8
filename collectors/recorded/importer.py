"""Brings recordings into the lake, as fast as possible or at the pace at which they happened."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from collectors.recorded.detect import open_recording
from collectors.recorded.pacing import Pacer, in_order
from collectors.recorded.recording import Recording
from collectors.recorded.sessions import Sessions, identity_of
from dashboard.errors import RecordingError
from dashboard.events import Event, Instant, Observation, now_us

FLUSH_EVERY_S = 0.5
_PROGRESS_EVERY_S = 0.1


class IngestLike(Protocol):
    """What the import needs of :class:`dashboard.storage.ingest.Ingest`."""

    def put(self, events: Sequence[Event]) -> None:
        """Takes events over; waits while the queue is full."""

    def reject(self, line: str, reason: str, source: str = "") -> None:
        """Keeps a line that could not be understood."""

    def sync(self) -> Any:
        """Returns when everything put so far is durable."""

    def flush(self) -> Any:
        """Returns when everything put so far is visible."""

    def stats(self) -> Any:
        """Counts; ``duplicate_count`` is used."""


class OnProgress(Protocol):
    """Is told how far the import is, some times a second."""

    def __call__(self, done_bytes: int, total_bytes: int, event_count: int, path: Path) -> None:
        """Takes the state of things.

        Args:
            done_bytes: Of all files, as they lie on the disk.
            total_bytes: Of all files.
            event_count: So far.
            path: The file that is being read.
        """


@dataclass(slots=True)
class FileSummary:
    """What was in one recording.

    ``first_sent_at`` and ``last_sent_at`` are those of its events; ``user_count`` is the number of
    different people who wrote or were announced.
    """

    path: Path
    format: str
    counts: dict[str, int] = field(default_factory=dict)
    reject_count: int = 0
    user_count: int = 0
    first_sent_at: Instant | None = None
    last_sent_at: Instant | None = None
    duration_s: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def event_count(self) -> int:
        """Events of all kinds, the ledger's own not counted."""
        return sum(count for kind, count in self.counts.items() if kind != Observation.kind)


@dataclass(slots=True)
class ImportSummary:
    """What an import did.

    ``duplicate_count`` is how many events the lake already had; after an interruption
    (``is_interrupted``) everything counted is safe.
    """

    files: list[FileSummary] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    event_count: int = 0
    reject_count: int = 0
    duplicate_count: int = 0
    user_count: int = 0
    first_sent_at: Instant | None = None
    last_sent_at: Instant | None = None
    duration_s: float = 0.0
    is_interrupted: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain values, for JSON."""
        return {
            "files": [
                {
                    "path": str(file.path),
                    "format": file.format,
                    "events": file.event_count,
                    "counts": file.counts,
                    "rejects": file.reject_count,
                    "users": file.user_count,
                    "first_sent_at": file.first_sent_at,
                    "last_sent_at": file.last_sent_at,
                    "duration_s": round(file.duration_s, 3),
                    "notes": file.notes,
                }
                for file in self.files
            ],
            "events": self.event_count,
            "counts": self.counts,
            "rejects": self.reject_count,
            "duplicates": self.duplicate_count,
            "users": self.user_count,
            "first_sent_at": self.first_sent_at,
            "last_sent_at": self.last_sent_at,
            "duration_s": round(self.duration_s, 3),
            "interrupted": self.is_interrupted,
        }


def import_files(
    paths: Sequence[Path],
    *,
    channel: str | None = None,
    speed: float | None = None,
    ingest: IngestLike,
    on_progress: OnProgress | None = None,
    clock: Callable[[], Instant] = now_us,
) -> ImportSummary:
    """Imports recordings one after the other; what is already there is not stored again.

    Args:
        paths: The files, of any of the known formats.
        channel: Login of the channel, for files that don't tell it.
        speed: ``None`` for as fast as possible; 1 as it happened, 10 ten times faster. Silences of more
            than five minutes are then skipped over.
        ingest: Where the events go.
        on_progress: Is told how far it is.
        clock: Gives ``received_at``.

    Returns:
        What was in the files and what was new. Ctrl-C ends the import early and is no error: the
        summary says so, and importing again goes on where nothing is stored twice.

    Raises:
        RecordingError: A file is of no known format; nothing of any file has been imported then. Or one
            turned out broken in the middle; what came before it is safe.
        ValueError: The speed is not above zero.
    """
    if speed is not None and not speed > 0:
        raise ValueError("the speed must be above 0")
    recordings = [open_recording(Path(path), channel=channel, clock=clock) for path in paths]
    if not recordings:
        raise RecordingError("No file was named. Name one or more recordings to import.")
    run = _Run(recordings, speed, ingest, on_progress, clock)
    return run.run()


class _Run:
    """One call of :func:`import_files`."""

    def __init__(
        self,
        recordings: list[Recording],
        speed: float | None,
        ingest: IngestLike,
        on_progress: OnProgress | None,
        clock: Callable[[], Instant],
    ) -> None:
        self._recordings = recordings
        self._speed = speed
        self._ingest = ingest
        self._on_progress = on_progress
        self._clock = clock
        self._total_bytes = sum(recording.total_bytes for recording in recordings)
        self._done_bytes = 0
        self._event_count = 0
        self._users: set[str] = set()
        self._file_users: set[str] = set()
        self._told_at = self._flushed_at = 0.0
        self._last_received_at = Instant(0)
        self._summary = ImportSummary()

    def run(self) -> ImportSummary:
        started_s = time.monotonic()
        duplicates_before = self._ingest.stats().duplicate_count
        try:
            for recording in self._recordings:
                self._import(recording)
                self._done_bytes += recording.total_bytes
            self._tell(self._recordings[-1], is_last=True)
        except KeyboardInterrupt:
            self._summary.is_interrupted = True
        finally:
            self._ingest.sync()
            self._ingest.flush()
        self._total(started_s, duplicates_before)
        return self._summary

    def _import(self, recording: Recording) -> None:
        started_s = time.monotonic()
        counts: Counter[str] = Counter()
        self._file_users = set()
        summary = FileSummary(recording.path, recording.format)
        self._summary.files.append(summary)
        try:
            for batch in self._batches(recording):
                self._put(batch)
                self._count(batch, summary, counts)
                self._keep_rejects(recording, summary)
                self._tell(recording)
        finally:
            self._keep_rejects(recording, summary)
            summary.counts = dict(sorted(counts.items()))
            summary.user_count = len(self._file_users)
            summary.duration_s = time.monotonic() - started_s
            summary.notes = recording.notes
            self._users |= self._file_users

    def _batches(self, recording: Recording) -> Iterator[list[Event]]:
        sessions = Sessions(recording.longest_silence_us)
        if self._speed is None:
            for batch in recording.events():
                yield sessions.follow(batch)
            if rest := sessions.end(self._clock()):
                yield rest
            return
        yield from Pacer(self._speed).batches(in_order(self._one_by_one(recording), recording.reorder_us))

    def _one_by_one(self, recording: Recording) -> Iterator[Event]:
        sessions = Sessions(recording.longest_silence_us)
        for batch in recording.events():
            yield from sessions.follow(batch)
        yield from sessions.end(self._clock())

    def _put(self, batch: list[Event]) -> None:
        received_at = self._last_received_at = max(self._last_received_at, self._clock())
        for event in batch:
            event.received_at = received_at
        self._ingest.put(batch)
        if self._speed is not None and time.monotonic() - self._flushed_at >= FLUSH_EVERY_S:
            self._ingest.flush()
            self._flushed_at = time.monotonic()

    def _count(self, batch: list[Event], summary: FileSummary, counts: Counter[str]) -> None:
        counts.update(event.kind for event in batch)
        for event in batch:
            if identity := identity_of(event):
                self._file_users.add(identity)
        first_at = min(event.sent_at for event in batch)
        last_at = max(event.sent_at for event in batch)
        summary.first_sent_at = min(summary.first_sent_at or first_at, first_at)
        summary.last_sent_at = max(summary.last_sent_at or last_at, last_at)
        self._event_count += sum(event.kind != Observation.kind for event in batch)

    def _keep_rejects(self, recording: Recording, summary: FileSummary) -> None:
        for line, reason in recording.rejects:
            self._ingest.reject(line, reason, f"import {recording.path.name}")
        summary.reject_count += len(recording.rejects)
        recording.rejects.clear()

    def _tell(self, recording: Recording, is_last: bool = False) -> None:
        moment = time.monotonic()
        if self._on_progress is None or (moment - self._told_at < _PROGRESS_EVERY_S and not is_last):
            return
        self._told_at = moment
        done = self._total_bytes if is_last else self._done_bytes + recording.position
        self._on_progress(done, self._total_bytes, self._event_count, recording.path)

    def _total(self, started_s: float, duplicates_before: int) -> None:
        summary = self._summary
        counts: Counter[str] = Counter()
        for file in summary.files:
            counts.update(file.counts)
        summary.counts = dict(sorted(counts.items()))
        summary.event_count = sum(file.event_count for file in summary.files)
        summary.reject_count = sum(file.reject_count for file in summary.files)
        # The ingest counts the ledger's own rows too; nobody imports those.
        seen_before = self._ingest.stats().duplicate_count - duplicates_before
        summary.duplicate_count = min(seen_before, summary.event_count)
        summary.user_count = len(self._users)
        firsts = [file.first_sent_at for file in summary.files if file.first_sent_at is not None]
        lasts = [file.last_sent_at for file in summary.files if file.last_sent_at is not None]
        summary.first_sent_at = min(firsts, default=None)
        summary.last_sent_at = max(lasts, default=None)
        summary.duration_s = time.monotonic() - started_s
