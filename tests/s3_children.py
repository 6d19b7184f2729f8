"""Processes of the S3 fault tests: they sync and restore until they are killed."""

from __future__ import annotations

import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from dashboard.errors import JobCancelled, RemoteStorageError
from dashboard.storage.compaction import Compactor
from dashboard.storage.ingest import Ingest
from dashboard.storage.restore import restore
from dashboard.storage.sync import sync_once
from tests.s3_servers import S3Server
from tests.storage_events import message


def sync_for_ever(server: S3Server, data_dir: Any, pipe: Connection) -> None:
    """Syncs without a pause; tells when it begins and after each run."""
    pipe.send("begun")
    settings = server.settings(data_dir)
    while True:
        sync_once(settings, everything=True)
        pipe.send("synced")


def sync_in_parts(server: S3Server, data_dir: Any, pipe: Connection) -> None:
    """The same with the smallest parts that S3 takes, slow enough to be killed among them."""
    from dashboard.storage import s3_upload

    put_part = s3_upload.Uploader._put_part

    def slowly(uploader: s3_upload.Uploader, *args: Any) -> str:
        time.sleep(1)
        return put_part(uploader, *args)

    s3_upload.Uploader._put_part = slowly  # type: ignore[method-assign]
    s3_upload.LARGEST_PUT_BYTES = s3_upload.PART_BYTES = 5 << 20
    sync_for_ever(server, data_dir, pipe)


def restore_once(server: S3Server, data_dir: Any, pipe: Connection) -> None:
    """Restores and tells when it begins and ends."""
    pipe.send("begun")
    restore(server.settings(data_dir))
    pipe.send("restored")


def collect_and_compact(data_dir: Any, count: int, pipe: Connection) -> None:
    """Puts numbered messages in small groups and compacts like mad; tells when all are in."""
    with Ingest(data_dir, flush_interval_s=0.02) as ingest:
        for number in range(1, count + 1):
            ingest.put([message(number, room=f"room{number % 3}")])
            if number % 20 == 0:
                ingest.flush()
            if number % 100 == 0:
                Compactor(data_dir).run(everything=number % 300 == 0, grace_s=0.3)
                time.sleep(0.2)
    pipe.send("done")


def quietly(action: Any) -> Any:
    """Runs something that S3 may refuse just now."""
    with suppress(RemoteStorageError, JobCancelled):
        return action()
    return None
