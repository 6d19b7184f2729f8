"""Bringing back from S3: a lost disk whole, or a range of days and kinds to look at.

Every file is checked against its hash before readers see it, and an event that is in the lake here
already is not added again. So a restore can be cut off and begun again, and it can be poured into a
folder that has collected on its own meanwhile: nothing local is overwritten, nothing counts twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from dashboard.errors import ConfigError, RemoteStorageError, StorageError
from dashboard.events import KINDS
from dashboard.storage.catalog import Catalog, NewFile
from dashboard.storage.files import FolderLock, make_folder_durably, replace_durably
from dashboard.storage.lake import LakePaths
from dashboard.storage.restore_merge import merge_other, without_known_events
from dashboard.storage.s3 import Bucket, MissingObjectError, WrongContentError
from dashboard.storage.s3_upload import Stored, content_of
from dashboard.storage.sync import target_of
from dashboard.storage.sync_files import STATE
from dashboard.storage.sync_ledger import SyncLedger
from dashboard.storage.sync_manifest import MANIFEST, LakeFile, Manifest, OtherFile, from_bytes
from dashboard.storage.sync_plan import dates_between
from dashboard.storage.sync_transfer import Meter, Progress, send_many

if TYPE_CHECKING:
    from dashboard.config import Settings

log = structlog.get_logger(__name__)

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to bring back; as it is made, everything but the state."""

    first_date: str | None = None
    """UTC days as ``YYYY-MM-DD``, both included."""
    last_date: str | None = None
    kinds: tuple[str, ...] = ()
    """None named: all."""
    with_state: bool = False
    """Also the state's copy: followed channels, accounts, encrypted logins, runs of jobs."""

    @property
    def is_everything(self) -> bool:
        """Whether the folder can go on with the lake on S3 afterwards."""
        return not (self.first_date or self.last_date or self.kinds)


@dataclass(slots=True)
class RestoreSummary:
    """What a restore did."""

    file_count: int = 0
    """Of the lake, brought and checked."""
    row_count: int = 0
    """Events that are visible now and were not before."""
    byte_count: int = 0
    known_count: int = 0
    """Files that were here already."""
    duplicate_count: int = 0
    """Events of restored files that were here already."""
    other_count: int = 0
    """Files outside the lake: raw notifications, rejects, reports, exports."""
    is_state_restored: bool = False
    damaged: list[str] = field(default_factory=list)
    """Objects that are not what was uploaded, or are gone; they were left out."""
    notes: list[str] = field(default_factory=list)
    is_adopted: bool = False
    """Whether the next sync goes on where the lost folder ended."""


def restore(
    settings: Settings,
    *,
    to: Path | None = None,
    wanted: Wanted | None = None,
    merge: bool = False,
    on_progress: Progress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> RestoreSummary:
    """Brings the lake back from S3; what is back can be queried at once.

    Args:
        settings: Bucket, prefix, keys.
        to: Another data folder than the settings'.
        wanted: Days, kinds, the state; everything but the state when it is left out.
        merge: Also into a folder that holds events already; they stay.
        on_progress: Is told bytes done, bytes in all, and what is going on.
        is_cancelled: Asked all the time; the next restore goes on from there.

    Returns:
        What was brought. With ``damaged`` objects the rest is whole, and the folder does not take
        the lake on S3 over.

    Raises:
        ConfigError: There is no bucket.
        StorageError: The folder holds events and ``merge`` was not said.
        RemoteStorageError: There is nothing to restore, or S3 did not give it.
        LockedError: Another restore is at it.
        JobCancelled: Somebody asked to stop.
    """
    if not settings.s3_bucket:
        raise ConfigError("S3_BUCKET: not set. Set it to the bucket that the lake was synced to.")
    data_dir = to or settings.data_dir
    lock = FolderLock(data_dir / "cache" / "restore", "restore")
    lock.acquire()
    run = _Run(settings, data_dir, wanted or Wanted(), Meter(on_progress))
    try:
        return run.run(Bucket(settings, is_cancelled=is_cancelled), merge)
    finally:
        run.close()
        lock.release()


class _Run:
    def __init__(self, settings: Settings, data_dir: Path, wanted: Wanted, meter: Meter) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._wanted = wanted
        self._meter = meter
        self._paths = LakePaths(data_dir)
        self._catalog = Catalog(self._paths.catalog, self._paths.lake)
        self._ledger = SyncLedger(self._paths.catalog)
        self._summary = RestoreSummary()
        self._bucket: Bucket

    def run(self, bucket: Bucket, merge: bool) -> RestoreSummary:
        self._bucket = bucket
        manifest = self._manifest()
        self._refuse_full_folder(manifest, merge)
        for _ in range(_ROUNDS):
            missing = self._restore_lake(manifest)
            if not missing:
                break
            # The machine that syncs has replaced files while we read: its newer picture is as good.
            newer = self._manifest()
            if newer.sequence == manifest.sequence:
                self._summary.damaged += missing
                break
            manifest = newer
        if self._wanted.is_everything:
            self._restore_others(manifest)
        if self._wanted.with_state:
            self._restore_state(manifest)
        self._adopt(manifest)
        return self._summary

    def close(self) -> None:
        self._catalog.close()
        self._ledger.close()

    def _manifest(self) -> Manifest:
        body = self._bucket.get(MANIFEST)
        if body is None:
            raise RemoteStorageError(
                f"S3: there is nothing to restore at {target_of(self._settings)}. Check S3_BUCKET and "
                "S3_PREFIX, or run sync on the machine that has the data."
            )
        return from_bytes(body)

    def _refuse_full_folder(self, manifest: Manifest, merge: bool) -> None:
        ours = (self._ledger.about("restoring"), self._ledger.about("lake_id"))
        if manifest.lake_id in ours or merge:
            return
        count = sum(rows for _, _, rows, _ in self._catalog.totals())
        if count:
            raise StorageError(
                f"{self._data_dir} holds {count:,} events already. Say --merge to add what is missing "
                "(nothing here is lost or doubled), or give another folder with --to."
            )
        # From now on the folder is being filled: a restore that was cut off may go on without a word.
        self._ledger.remember(restoring=manifest.lake_id)

    def _restore_lake(self, manifest: Manifest) -> list[str]:
        """Brings what is wanted and not here; names what S3 does not have."""
        chosen = dates_between(manifest.files, self._wanted.first_date, self._wanted.last_date)
        if self._wanted.kinds:
            chosen = [file for file in chosen if file.kind in self._wanted.kinds]
        unknown = sorted({file.kind for file in chosen if file.kind not in KINDS})
        if unknown:
            self._summary.notes.append(
                f"Kinds of a newer version stay on S3: {', '.join(unknown)}. Update, and restore again."
            )
        due = [file for file in chosen if file.kind in KINDS and not self._is_here(file)]
        self._summary.known_count = sum(file.kind in KINDS for file in chosen) - len(due)
        self._meter.expect(sum(file.byte_count for file in due))
        missing: list[str] = []
        foreign = self._partitions_with_own_files(manifest)

        def bring(file: LakeFile) -> tuple[LakeFile, bool]:
            try:
                return file, self._bring(file)
            except MissingObjectError:
                missing.append(file.name)
            except WrongContentError as error:
                log.error("an object is damaged", name=file.name, error=str(error))
                self._summary.damaged.append(file.name)
            return file, False

        def note(brought: list[tuple[LakeFile, bool]]) -> None:
            self._list([file for file, is_whole in brought if is_whole], foreign)

        # The newest days first: a dashboard is of use before all of the past is back.
        due.sort(key=lambda file: (file.date, file.kind), reverse=True)
        send_many(due, bring, note, on_step=self._meter.tell_files)
        return missing

    def _is_here(self, file: LakeFile) -> bool:
        known = self._ledger.known_path(file.path)
        # Superseded here: its events are in what replaced it.
        return known == "superseded" or (known == "live" and (self._paths.lake / file.path).exists())

    def _partitions_with_own_files(self, manifest: Manifest) -> set[tuple[str, str]]:
        named = {file.path for file in manifest.files}
        return {live.file.partition for live in self._ledger.live().files if live.file.path not in named}

    def _bring(self, file: LakeFile) -> bool:
        final = self._paths.lake / file.path
        with suppress(FileNotFoundError):
            if content_of(final).sha256 == file.sha256:
                return True  # Brought, and cut off before it was listed.
        make_folder_durably(final.parent)
        temporary = final.with_name(f".{final.name}.tmp")
        self._bucket.download(file.name, temporary, sha256=file.sha256, on_bytes=self._meter.sent)
        replace_durably(temporary, final)
        return True

    def _list(self, files: Sequence[LakeFile], foreign: set[tuple[str, str]]) -> None:
        new: list[NewFile] = []
        for file in files:
            self._summary.file_count += 1
            self._summary.byte_count += file.byte_count
            if self._ledger.known_path(file.path):
                continue  # Listed, and only gone from the disk: it is back.
            listed: NewFile | None = file.as_new()
            if file.partition in foreign:
                listed, duplicates = without_known_events(file, self._catalog, self._paths.lake)
                self._summary.duplicate_count += duplicates
            if listed is not None:
                new.append(listed)
        if new and not self._catalog.add(new):
            raise StorageError(
                f"A restored file went away from {self._paths.lake} before it was listed. Restore again."
            )
        self._ledger.age_as_received([file.path for file in new])
        self._summary.row_count += sum(file.row_count for file in new)

    def _restore_others(self, manifest: Manifest) -> None:
        due = [other for other in manifest.others if other.name != STATE]
        self._meter.expect(sum(other.byte_count for other in due))

        def bring(other: OtherFile) -> bool | None:
            to = self._data_dir / other.name
            if self._has(to, other.sha256):
                return None
            make_folder_durably(to.parent)
            temporary = to.with_name(f".{to.name}.tmp")
            try:
                self._bucket.download(other.name, temporary, on_bytes=self._meter.sent)
            except MissingObjectError:
                return None  # Taken away at its source meanwhile.
            except WrongContentError:
                self._summary.damaged.append(other.name)
                return None
            return merge_other(temporary, to)

        self._summary.other_count = send_many(
            due, bring, lambda brought: None, on_step=self._meter.tell_files
        )

    def _has(self, path: Path, sha256: str) -> bool:
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False

    def _restore_state(self, manifest: Manifest) -> None:
        to = self._data_dir / STATE
        if not any(other.name == STATE for other in manifest.others):
            self._summary.notes.append("There is no copy of the state on S3.")
            return
        if to.exists():
            self._summary.notes.append(f"{to} is there already and stays as it is.")
            return
        temporary = to.with_name(f".{to.name}.tmp")
        try:
            self._bucket.download(STATE, temporary)
        except WrongContentError:
            self._summary.damaged.append(STATE)
            return
        temporary.chmod(0o600)
        replace_durably(temporary, to)
        self._summary.is_state_restored = True
        self._summary.notes.append(
            "Logins in the restored state are encrypted: without the old SECRET_KEY (or state/secret.key) "
            "everybody logs in again."
        )

    def _adopt(self, manifest: Manifest) -> None:
        if self._summary.damaged:
            return  # Else the next sync would drop what an older version of the object may still cure.
        if self._wanted.is_everything and all(file.kind in KINDS for file in manifest.files):
            named: list[LakeFile | OtherFile] = [*manifest.files, *manifest.others]
            stored = [Stored(file.name, file.sha256, file.byte_count, "") for file in named]
            self._ledger.adopt(manifest.lake_id, manifest.sequence, stored, target_of(self._settings))
            self._summary.is_adopted = True
