"""S3 with 500s, silence, cut lines and days off; kill −9 in the middle of sync and of restore."""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dashboard.errors import JobCancelled, LockedError, RemoteStorageError
from dashboard.events import now_us
from dashboard.storage import s3
from dashboard.storage.compaction import Compactor
from dashboard.storage.files import FolderLock
from dashboard.storage.ingest import Ingest
from dashboard.storage.restore import restore
from dashboard.storage.state import State
from dashboard.storage.store import Store
from dashboard.storage.sync import read_manifest, sync_once
from dashboard.storage.sync_manifest import MANIFEST, from_bytes
from tests.fault_proxy import FaultProxy
from tests.s3_children import collect_and_compact, quietly, restore_once, sync_for_ever, sync_in_parts
from tests.s3_servers import BUCKET, S3Server
from tests.storage_events import message, messages

pytestmark = pytest.mark.fault


@pytest.fixture
def processes() -> Iterator[Any]:
    """Starts children that are gone at the end, whatever happens."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pandas", "boto3", "tests.s3_children"])
    started: list[Any] = []

    def start(target: Any, *args: Any) -> Any:
        process = context.Process(target=target, args=args, daemon=True)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()
        process.close()


@pytest.fixture
def line(swift: S3Server) -> Iterator[FaultProxy]:
    """A line to Swift that can be made bad."""
    with FaultProxy(swift.url) as proxy:
        yield proxy


@pytest.fixture
def far(swift: S3Server, line: FaultProxy) -> S3Server:
    """Swift at the other end of that line."""
    return replace(swift, url=line.url)


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between tries take no time; gives what they would have been."""
    waits: list[float] = []

    def wait(self: Any, attempt: int) -> None:
        self.stop_if_cancelled()
        waits.append(min(s3._LONGEST_WAIT_S, s3._FIRST_WAIT_S * 2**attempt))

    monkeypatch.setattr(s3.Bucket, "_wait", wait)
    return waits


def put_many(data_dir: Path, files: int, first: int = 1) -> int:
    """So many micro-batches of ten messages; gives the last number."""
    number = first - 1
    with Ingest(data_dir) as ingest:
        for _ in range(files):
            ingest.put(messages(number + 1, number + 10))
            ingest.flush()
            number += 10
    return number


def seen(data_dir: Path) -> Counter[int]:
    store = Store(data_dir)
    try:
        rows = store.sql("select cast(event_id[2:] as bigint) from chat_messages", max_rows=1_000_000).rows
        return Counter(number for (number,) in rows)
    finally:
        store.close()


def seen_on_s3(server: S3Server) -> Counter[str]:
    """What a reader finds who takes exactly what the manifest names."""
    client = server.client()
    names = server.names()
    if MANIFEST not in names:
        return Counter()
    found: Counter[str] = Counter()
    for file in from_bytes(server.body(MANIFEST)).files:
        body = client.get_object(Bucket=BUCKET, Key=f"streamlens/{file.name}")["Body"].read()
        found.update(pq.read_table(io.BytesIO(body), columns=["event_id"])["event_id"].to_pylist())
    return found


class TestABadLine:
    def test_some_500s_are_waited_out(
        self, far: S3Server, line: FaultProxy, tmp_path: Path, short_waits: list[float]
    ) -> None:
        last = put_many(tmp_path, 5)
        line.set("error", 3)
        summary = sync_once(far.settings(tmp_path), everything=True)
        assert (summary.synced_count, line.error_count) == (5, 3)
        assert short_waits == [0.5, 1.0, 2.0]
        assert seen_on_s3(far) == Counter(f"m{n}" for n in range(1, last + 1))

    def test_500s_without_an_end_are_told(
        self, far: S3Server, line: FaultProxy, tmp_path: Path, short_waits: list[float]
    ) -> None:
        put_many(tmp_path, 2)
        line.set("error", 1000)
        with pytest.raises(RemoteStorageError, match="has trouble at the moment"):
            sync_once(far.settings(tmp_path))
        # Growing, and an end: nobody hangs for ever.
        assert short_waits == [0.5, 1.0, 2.0, 4.0]

    def test_silence_is_told_with_its_length(
        self, far: S3Server, line: FaultProxy, tmp_path: Path, short_waits: list[float]
    ) -> None:
        line.set("hang")
        with pytest.raises(RemoteStorageError, match=r"did not answer in 0\.3 s.*S3_READ_TIMEOUT_S"):
            sync_once(far.settings(tmp_path, s3_read_timeout_s=0.3))

    def test_a_download_that_breaks_off_is_begun_again(
        self, far: S3Server, line: FaultProxy, tmp_path: Path, short_waits: list[float]
    ) -> None:
        path = tmp_path / "a" / "raw" / "noise.bin"
        path.parent.mkdir(parents=True)
        path.write_bytes(os.urandom(50_000))
        sync_once(far.settings(tmp_path / "a"), everything=True)
        line.set("cut", 3)
        back = restore(far.settings(tmp_path / "b"))
        assert back.damaged == []
        assert (tmp_path / "b/raw/noise.bin").read_bytes() == path.read_bytes()
        assert short_waits

    def test_stopping_ends_it_at_once_and_the_next_run_goes_on(
        self, far: S3Server, line: FaultProxy, tmp_path: Path
    ) -> None:
        put_many(tmp_path, 30)
        asked = 0

        def is_cancelled() -> bool:
            nonlocal asked
            asked += 1
            return asked > 12

        settings = far.settings(tmp_path)
        with pytest.raises(JobCancelled):
            sync_once(settings, is_cancelled=is_cancelled, everything=True)
        there = len([name for name in far.names() if name.startswith("lake/")])
        assert 0 < there < 30
        assert sync_once(settings, everything=True).uploaded_count < 30 - there + 5


def test_s3_is_down_for_a_day_and_everything_is_caught_up(
    far: S3Server, line: FaultProxy, tmp_path: Path, short_waits: list[float]
) -> None:
    settings = far.settings(tmp_path)
    put_many(tmp_path, 3)
    sync_once(settings, everything=True)
    line.set("down")
    first = 31
    for hour in range(8):
        first = put_many(tmp_path, 2, first) + 1
        Compactor(tmp_path).run(everything=hour % 4 == 3, grace_s=0)
        with pytest.raises(RemoteStorageError, match=r"can't be reached.*Nothing local is lost"):
            sync_once(settings)
    # As if the first of it had come in a day ago.
    _age(tmp_path, 24 * 3600)
    with pytest.raises(RemoteStorageError):
        sync_once(settings)
    row = State(tmp_path).read_status("s3")
    assert row is not None
    assert 86_000 < (now_us() - row.payload["oldest_unsynced_at"]) / 1e6 < 87_000
    assert "can't be reached" in row.payload["error"]

    line.set("pass")
    summary = sync_once(settings, everything=True)

    assert (summary.oldest_unsynced_at, summary.synced_count) == (None, summary.live_count)
    expected = Counter(f"m{n}" for n in range(1, first))
    assert seen_on_s3(far) == expected
    restore(settings, to=tmp_path / "back")
    assert seen(tmp_path / "back") == Counter(range(1, first))


def _age(data_dir: Path, seconds: int) -> None:
    import sqlite3

    con = sqlite3.connect(data_dir / "state" / "catalog.sqlite")
    back_us = seconds * 1_000_000
    con.execute("update files set created_at = created_at - ?", (back_us,))
    con.execute("update additions set created_at = created_at - ?", (back_us,))
    through = "update sync_about set value = value - ? where name = 'synced_through_at'"
    con.execute(through, (back_us,))
    con.commit()
    con.close()


def test_kills_in_the_middle_of_a_sync(swift: S3Server, tmp_path: Path, processes: Any) -> None:
    here, chance = tmp_path / "here", random.Random(3)
    last = 0
    for number in range(5):
        last = put_many(here, 25, last + 1)
        if number % 3 == 2:
            Compactor(here).run(everything=True, grace_s=0)
        reader, writer = multiprocessing.Pipe(duplex=False)
        child = processes(sync_for_ever, swift, here, writer)
        writer.close()
        assert reader.poll(60)
        reader.recv()
        time.sleep(chance.uniform(0.15, 0.6))
        child.kill()
        child.join()
        reader.close()
        # Whenever a reader comes, he finds no event twice, and all that he is told of is there.
        found = seen_on_s3(swift)
        assert [event for event, count in found.items() if count > 1] == []
    summary = sync_once(swift.settings(here), everything=True)
    assert summary.synced_count == summary.live_count
    restore(swift.settings(here), to=tmp_path / "there")
    assert seen(tmp_path / "there") == Counter(range(1, last + 1))


def test_a_kill_in_a_file_of_many_parts(swift: S3Server, tmp_path: Path, processes: Any) -> None:
    path = tmp_path / "raw" / "big.bin"
    path.parent.mkdir()
    path.write_bytes(os.urandom(30 << 20))
    for _ in range(2):
        reader, writer = multiprocessing.Pipe(duplex=False)
        child = processes(sync_in_parts, swift, tmp_path, writer)
        writer.close()
        assert reader.poll(60)
        reader.recv()
        deadline = time.monotonic() + 60
        uploads: list[Any] = []
        while not uploads and time.monotonic() < deadline:
            uploads = swift.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        child.kill()
        child.join()
        reader.close()
        assert len(uploads) == 1, "it was not cut off in the middle"
    assert "raw/big.bin" not in swift.names()

    sync_once(swift.settings(tmp_path), everything=True)

    assert swift.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []
    assert swift.body("raw/big.bin") == path.read_bytes()


def test_kills_in_the_middle_of_a_restore(swift: S3Server, tmp_path: Path, processes: Any) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    last = put_many(here, 80)
    sync_once(swift.settings(here), everything=True)
    for enough in (5, 20, 40, 60):
        reader, writer = multiprocessing.Pipe(duplex=False)
        child = processes(restore_once, swift, there, writer)
        writer.close()
        deadline = time.monotonic() + 60
        while len(list(there.glob("lake/*/*/*"))) < enough and time.monotonic() < deadline:
            time.sleep(0.002)
        child.kill()
        child.join()
        reader.close()
        assert set(seen(there).values()) <= {1}
    assert sum(seen(there).values()) < last, "none of them was cut off in the middle"
    back = restore(swift.settings(there))
    assert back.is_adopted
    assert seen(there) == Counter(range(1, last + 1))


def test_collecting_and_compacting_go_on_meanwhile(swift: S3Server, tmp_path: Path, processes: Any) -> None:
    settings = swift.settings(tmp_path)
    reader, writer = multiprocessing.Pipe(duplex=False)
    processes(collect_and_compact, tmp_path, 1500, writer)
    writer.close()
    rounds, before = 0, 0
    while not reader.poll(0):
        quietly(lambda: sync_once(settings, everything=True))
        found = seen_on_s3(swift)
        assert [event for event, count in found.items() if count > 1] == []
        # What was there once does not go away because it is being merged.
        assert len(found) >= before
        before, rounds = len(found), rounds + 1
        assert rounds < 200
    reader.close()
    assert rounds >= 3
    sync_once(settings, everything=True)
    assert seen_on_s3(swift) == Counter(f"m{n}" for n in range(1, 1501))
    manifest = read_manifest(settings)
    assert manifest is not None
    assert manifest.row_count == 1500


def test_two_syncs_at_a_time_are_one(swift: S3Server, tmp_path: Path) -> None:
    put_many(tmp_path, 3)
    other = FolderLock(tmp_path / "cache" / "sync", "sync")
    other.acquire()
    with pytest.raises(LockedError, match=rf"Another sync \(process {os.getpid()}\)"):
        sync_once(swift.settings(tmp_path))
    assert swift.names() == []
    other.release()
    assert sync_once(swift.settings(tmp_path), everything=True).synced_count == 3


def test_a_full_restore_into_a_folder_that_goes_on_collecting(swift: S3Server, tmp_path: Path) -> None:
    """The disk was lost, the collector was started at once, the restore came after."""
    here, new = tmp_path / "here", tmp_path / "new"
    last = put_many(here, 20)
    sync_once(swift.settings(here), everything=True)
    with Ingest(new) as ingest:
        ingest.put([message(n) for n in range(last - 4, last + 1)])  # Twitch sends the last ones again
        ingest.put([message(n) for n in range(last + 1, last + 50)])
        ingest.flush()
        with pytest.raises(RemoteStorageError, match="restore --merge"):
            sync_once(swift.settings(new), everything=True)
        back = restore(swift.settings(new), merge=True)
        ingest.put([message(last + 50)])
    assert back.duplicate_count == 5
    assert sync_once(swift.settings(new), everything=True).oldest_unsynced_at is None
    assert seen(new) == Counter(range(1, last + 51))
    assert seen_on_s3(swift) == Counter(f"m{n}" for n in range(1, last + 51))
