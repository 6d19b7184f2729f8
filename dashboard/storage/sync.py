"""The sync: the lake and what belongs to it goes to S3, such that a lost disk comes back whole.

Files first, then the manifest that names them, in one stroke. So whoever reads the manifest at any
instant finds everything that it names, each event once. Nothing here deletes anything local; on S3
goes what no manifest has named for an hour.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from dashboard.errors import ConfigError, JobCancelled, RemoteStorageError, StorageError, StreamLensError
from dashboard.events import Instant, now_us
from dashboard.storage.files import FolderLock
from dashboard.storage.lake import LakePaths
from dashboard.storage.s3 import Bucket
from dashboard.storage.s3_upload import Stored, Uploader, content_of
from dashboard.storage.state import State
from dashboard.storage.sync_files import FOLLOWING, STATE, copy_state, local_files, whole_lines
from dashboard.storage.sync_ledger import LAKE, LocalFile, OtherUpload, SyncLedger
from dashboard.storage.sync_manifest import MANIFEST, LakeFile, Manifest, from_bytes, to_bytes
from dashboard.storage.sync_plan import HOT_WAIT_S, files_to_upload, is_due, orphans, publication
from dashboard.storage.sync_transfer import Meter, Progress, send_many

if TYPE_CHECKING:
    from dashboard.config import Settings

log = structlog.get_logger(__name__)

STATUS_NAME = "s3"
GRACE_S = 3600
"""So long a reader may still use the manifest that it has read."""
_PUBLISH_EVERY_S = 30
_AUDIT_EVERY_S = 86_400
_STATE_EVERY_S = 300
_ROUNDS = 10
_FORGOTTEN_UPLOAD_S = 3600


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """What one run did, and how the copy is afterwards."""

    is_configured: bool = True
    """False: S3_BUCKET is not set, everything stays on this machine."""
    uploaded_count: int = 0
    uploaded_bytes: int = 0
    deleted_count: int = 0
    """Old objects that no manifest names any more."""
    sequence: int = 0
    """Number of the manifest that is on S3."""
    live_count: int = 0
    synced_count: int = 0
    oldest_unsynced_at: Instant | None = None
    bytes_per_s: float = 0.0
    took_s: float = 0.0


def target_of(settings: Settings) -> str:
    """Where the copy is, for people: server, bucket and prefix."""
    place = settings.s3_endpoint_url or "AWS"
    return f"{place} {settings.s3_bucket}/{settings.s3_prefix}".rstrip("/")


def sync_once(
    settings: Settings,
    *,
    on_progress: Progress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    everything: bool = False,
) -> SyncSummary:
    """Brings the copy on S3 up to date.

    Args:
        settings: Bucket, prefix, keys, data folder.
        on_progress: Is told bytes sent, bytes to send, and what is going on, at most twice a second.
        is_cancelled: Asked all the time; what is sent already is noted.
        everything: Also what came in a moment ago and what grows all the time; a run every half minute
            leaves that to the next one, which has it in fewer and larger pieces.

    Returns:
        What was done; ``is_configured`` is False without a bucket.

    Raises:
        RemoteStorageError: S3 did not take something, in words with the cure; nothing local is lost,
            and the next run goes on from here.
        LockedError: Another process is at it.
        JobCancelled: Somebody asked to stop.
    """
    if not settings.s3_bucket:
        return SyncSummary(is_configured=False)
    lock = FolderLock(settings.data_dir / "cache" / "sync", "sync")
    lock.acquire()
    state = State(settings.data_dir, settings.database_url.get_secret_value())
    try:
        run = _Run(settings, Meter(on_progress), is_cancelled, everything)
        try:
            summary = run.run()
        except StreamLensError as error:
            _tell_status(state, settings, run.summary(), error)
            raise
        finally:
            run.close()
        _tell_status(state, settings, summary, None)
        return summary
    finally:
        state.close()
        lock.release()


def read_manifest(settings: Settings) -> Manifest | None:
    """Reads which files make up the copy on S3 right now; None if there is none yet."""
    if not settings.s3_bucket:
        raise ConfigError("S3_BUCKET: not set. Set it to the bucket's name.")
    body = Bucket(settings).get(MANIFEST)
    return None if body is None else from_bytes(body)


class _Run:
    def __init__(
        self, settings: Settings, meter: Meter, is_cancelled: Callable[[], bool] | None, everything: bool
    ) -> None:
        self._settings = settings
        self._paths = LakePaths(settings.data_dir)
        self._meter = meter
        self._is_cancelled = is_cancelled
        self._everything = everything
        self._hot_wait_s = 0 if everything else HOT_WAIT_S
        self._ledger = SyncLedger(self._paths.catalog)
        self._previous: Manifest | None = None
        self._published_s = time.monotonic()
        self._started_s = time.monotonic()
        self._deleted_count = 0
        self._bucket: Bucket

    def run(self) -> SyncSummary:
        self._bucket = Bucket(self._settings, is_cancelled=self._is_cancelled)
        self._uploader = Uploader(self._bucket, self._ledger, self._meter.sent, self._meter.stored)
        if self._ledger.aim(target_of(self._settings)):
            log.info("S3 is another place than before; everything goes there anew")
        self._previous = self._find_previous()
        self._audit_if_due()
        self._send_lake()
        if self._send_others():
            self._publish()
        self._clean()
        return self.summary()

    def summary(self) -> SyncSummary:
        known = self._ledger.state()
        return SyncSummary(
            uploaded_count=self._meter.sent_count,
            uploaded_bytes=self._meter.sent_bytes,
            deleted_count=self._deleted_count,
            sequence=known.sequence,
            live_count=known.live_count,
            synced_count=known.synced_count,
            oldest_unsynced_at=known.oldest_unsynced_at,
            bytes_per_s=self._meter.bytes_per_s,
            took_s=time.monotonic() - self._started_s,
        )

    def close(self) -> None:
        self._ledger.close()

    def _find_previous(self) -> Manifest | None:
        """The manifest on S3, if it is this folder's own."""
        told = self._bucket.head(MANIFEST)
        sequence = int(self._ledger.about("sequence", "0"))
        if told is None:
            if sequence:
                log.warning("the manifest on S3 is gone; everything is sent again")
                self._ledger.forget_all()
            return None
        remote_sequence = int(told.metadata.get("sequence", "-1"))
        is_ours = told.metadata.get("lake-id") == self._ledger.about("lake_id")
        mark = f"{remote_sequence} {told.metadata.get('sha256')}"
        if is_ours and mark in (self._ledger.about("pending"), self._ledger.about(self._written())):
            # Cut off before it was noted; or the same place under another name, or after a detour.
            self._ledger.remember(sequence=remote_sequence, pending=None)
            sequence = remote_sequence
        if not is_ours or remote_sequence != sequence:
            raise RemoteStorageError(_foreign(target_of(self._settings), is_ours))
        cached = self._cache()
        with suppress(OSError):
            body = cached.read_bytes()
            if hashlib.sha256(body).hexdigest() == told.metadata.get("sha256"):
                return from_bytes(body)
        fetched = self._bucket.get(MANIFEST)
        return from_bytes(fetched) if fetched else None

    def _send_lake(self) -> None:
        for _ in range(_ROUNDS):
            due = files_to_upload(self._ledger.live(), now_us(), self._hot_wait_s)
            if due:
                self._meter.expect(sum(file.byte_count for file in due))
                send_many(
                    due,
                    self._send_lake_file,
                    self._ledger.confirm,
                    on_step=self._meter.tell_files,
                    on_noted=self._publish_now_and_then,
                )
            # Compaction does not wait for us: what it made meanwhile takes the place of what is gone.
            if self._publish():
                return
        log.info("files come faster than they go up; the manifest is as complete as it can be")

    def _send_lake_file(self, file: LakeFile) -> Stored | None:
        self._bucket.stop_if_cancelled()
        try:
            return self._uploader.put(file.name, self._paths.lake / file.path)
        except FileNotFoundError:
            return None
        finally:
            self._ledger.close()

    def _publish_now_and_then(self) -> None:
        # A first sync or one after a day's outage takes hours: what is there already should count.
        if time.monotonic() - self._published_s >= _PUBLISH_EVERY_S:
            self._publish()

    def _publish(self) -> bool:
        """Writes the manifest if it changed; says whether it is complete."""
        now = now_us()
        lake = self._ledger.live()
        plan = publication(lake, self._previous, now, self._hot_wait_s)
        others = tuple(upload.file for upload in self._ledger.others().values())
        before = self._previous
        if before is None or (plan.files, others) != (before.files, before.others):
            sequence = max(before.sequence if before else 0, int(self._ledger.about("sequence", "0"))) + 1
            manifest = Manifest(self._ledger.about("lake_id"), sequence, now, plan.files, others)
            body = to_bytes(manifest)
            mark = f"{sequence} {hashlib.sha256(body).hexdigest()}"
            self._ledger.remember(pending=mark)
            about = {"lake-id": manifest.lake_id, "sequence": str(sequence)}
            self._uploader.put_bytes(MANIFEST, body, about)
            self._previous = manifest
            self._ledger.remember(**{self._written(): mark})
            self._keep(body)
        assert self._previous is not None
        names = {file.name for file in self._previous.files}
        through = plan.through_at if plan.is_complete else None
        self._ledger.published(self._previous.sequence, names, through)
        self._published_s = time.monotonic()
        return plan.is_complete

    def _send_others(self) -> bool:
        """Says whether the next manifest has to name other files than before."""
        known, now = self._ledger.others(), now_us()
        found = list(local_files(self._settings.data_dir))
        wait_share = 0.0 if self._everything else 1.0
        due = [local for local in found if is_due(local, known.get(local.name), now, wait_share)]

        def send(local: LocalFile) -> tuple[Stored, LocalFile] | None:
            return self._send_other(local, self._settings.data_dir / local.name, known.get(local.name))

        send_many(due, send, self._ledger.confirm_others, on_step=self._meter.tell_files)
        names = {local.name for local in found}
        gone = [name for name in known if name.split("/")[0] in FOLLOWING and name not in names]
        self._ledger.drop(gone)
        self._send_state(known.get(STATE), now)
        return {name: known[name].file for name in known} != {
            name: upload.file for name, upload in self._ledger.others().items()
        }

    def _send_other(
        self, local: LocalFile, path: Path, known: OtherUpload | None
    ) -> tuple[Stored, LocalFile] | None:
        self._bucket.stop_if_cancelled()
        try:
            content = content_of(path, whole_lines(path, local.byte_count))
            if known is not None and known.file.sha256 == content.sha256:
                return known.as_stored(), local
            self._meter.expect(content.byte_count)
            return self._uploader.put(local.name, path, content), local
        except FileNotFoundError:
            return None
        finally:
            self._ledger.close()

    def _send_state(self, known: OtherUpload | None, now: Instant) -> None:
        sent_at = int(self._ledger.about("state_sent_at", "0"))
        if not self._everything and 0 <= now - sent_at < _STATE_EVERY_S * 1_000_000:
            return
        copy = self._settings.data_dir / "cache" / "sync" / "state.sqlite"
        is_ours = not self._settings.database_url.get_secret_value()
        try:
            if is_ours and copy_state(self._settings.data_dir, copy):
                local = LocalFile(STATE, copy.stat().st_size, copy.stat().st_mtime_ns)
                if sent := self._send_other(local, copy, known):
                    self._ledger.confirm_others([sent])
            self._ledger.remember(state_sent_at=now)
        finally:
            copy.unlink(missing_ok=True)

    def _audit_if_due(self) -> None:
        """Compares the ledger with what S3 lists, and clears what kills left behind."""
        now = now_us()
        if 0 <= now - int(self._ledger.about("audited_at", "0")) < _AUDIT_EVERY_S * 1_000_000:
            return
        self._meter.tell("comparing with what S3 lists", now=True)
        listed = {found.name: found for found in self._bucket.list(LAKE)}
        known = self._ledger.uploads(LAKE)
        lost = [
            name
            for name, (byte_count, _) in known.items()
            if name not in listed or listed[name].byte_count != byte_count
        ]
        if lost:
            log.warning("objects are gone from S3; they are sent again", count=len(lost))
            self._ledger.forget(lost)
        named = {file.name for file in self._previous.files} if self._previous else set()
        before = Instant(now - GRACE_S * 1_000_000)
        strangers = orphans([(o.name, o.modified_at) for o in listed.values()], named | set(known), before)
        if strangers:
            self._bucket.delete(strangers)
            self._deleted_count += len(strangers)
        halves = {upload_id for _, upload_id in self._ledger.half_uploads()}
        self._uploader.abort_strangers("", halves, now / 1e6 - _FORGOTTEN_UPLOAD_S)
        self._ledger.remember(audited_at=now)

    def _clean(self) -> None:
        # Everything is there: what is still half is of a file that changed or went away.
        for name, upload_id in self._ledger.half_uploads():
            self._uploader.abort(name, upload_id)
        old = self._ledger.dropped(Instant(now_us() - GRACE_S * 1_000_000))
        if old:
            self._bucket.delete(old)
            self._ledger.forget(old)
            self._deleted_count += len(old)

    def _written(self) -> str:
        """Under which name the last manifest of this bucket and prefix is remembered, whatever its server."""
        return f"written {self._settings.s3_bucket}/{self._settings.s3_prefix}"

    def _cache(self) -> Path:
        return self._settings.data_dir / "cache" / "sync" / MANIFEST

    def _keep(self, body: bytes) -> None:
        with suppress(OSError):  # It only saves a download.
            temporary = self._cache().with_suffix(".tmp")
            temporary.write_bytes(body)
            temporary.replace(self._cache())


def _foreign(target: str, is_ours: bool) -> str:
    who = "another copy of this data folder" if is_ours else "another data folder"
    return (
        f"S3: {target} holds the lake of {who}, and two would overwrite each other. To go on with it "
        "here, run `python app.py restore --merge` (nothing of this machine is lost); to keep both, "
        "set S3_PREFIX to a folder of its own. Nothing was changed."
    )


def _tell_status(
    state: State, settings: Settings, summary: SyncSummary, error: StreamLensError | None
) -> None:
    try:
        before = state.read_status(STATUS_NAME)
        payload = dict(before.payload) if before else {}
        if summary.uploaded_bytes:
            payload["bytes_per_s"] = round(summary.bytes_per_s)
        payload |= {"target": target_of(settings), "error": None, "error_at": None}
        payload |= asdict(replace(summary, bytes_per_s=float(payload.get("bytes_per_s", 0))))
        if error is None:
            payload["success_at"] = now_us()
        elif not isinstance(error, JobCancelled):
            payload |= {"error": str(error), "error_at": now_us()}
        state.write_status(STATUS_NAME, payload)
    except StorageError as trouble:
        log.warning("the state of the sync was not noted", error=str(trouble))
