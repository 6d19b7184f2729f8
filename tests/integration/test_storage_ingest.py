"""From put to query, exactly once: whatever breaks at whichever step."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dashboard.errors import DiskFullError, LockedError, StorageError
from dashboard.events import Bits, Instant
from dashboard.storage import ingest_writer, journal, lake
from dashboard.storage.catalog import Catalog
from dashboard.storage.health import storage_health
from dashboard.storage.ingest import Ingest
from dashboard.storage.journal import Journal
from dashboard.storage.lake import LakePaths, LakeWriter
from dashboard.storage.recovery import recover_orphans
from dashboard.storage.store import Store
from tests.storage_events import T0, message, messages

PATIENCE_S = 60


def ids(data_dir: Path, kind: str = "chat_messages") -> list[str]:
    """The ids that a query sees, each as often as it sees it."""
    store = Store(data_dir)
    try:
        return [row[0] for row in store.sql(f"select event_id from {kind} order by sent_at, event_id").rows]
    finally:
        store.close()


def numbered(first: int, last: int) -> list[str]:
    return [f"m{number}" for number in range(first, last + 1)]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_what_is_put_is_visible_after_flush_and_counted(tmp_path: Path) -> None:
    with Ingest(tmp_path) as ingest:
        ingest.put([*messages(1, 3), message(2)])
        ingest.put([message(3), message(4)])
        assert ingest.flush(PATIENCE_S)
        stats = ingest.stats()
        assert ids(tmp_path) == numbered(1, 4)
    assert (stats.received_count, stats.acknowledged_count, stats.written_count) == (6, 4, 4)
    assert (stats.duplicate_count, stats.queued_count, stats.trouble, stats.flush_lag_s) == (2, 0, None, 0.0)
    assert list((tmp_path / "journal" / "collect").glob("*.journal")) == []


def test_it_becomes_visible_by_itself(tmp_path: Path) -> None:
    with Ingest(tmp_path) as ingest:
        ingest.put(messages(1, 2))
        until(lambda: ingest.stats().written_count == 2)
        assert ids(tmp_path) == numbered(1, 2)


def test_sync_means_durable_not_visible(tmp_path: Path) -> None:
    with Ingest(tmp_path, flush_interval_s=60) as ingest:
        ingest.put(messages(1, 2))
        assert ingest.sync(PATIENCE_S)
        assert ids(tmp_path) == []
        assert ingest.stats().acknowledged_count == 2
        assert 0 < ingest.stats().flush_lag_s < PATIENCE_S
        health = storage_health(tmp_path).journals
    assert [(j.writer, j.is_running, j.segment_count, j.byte_count > 0) for j in health] == [
        ("collect", True, 1, True)
    ]
    assert ids(tmp_path) == numbered(1, 2)
    assert storage_health(tmp_path).orphans == []


class Crash(BaseException):
    """The process ends here."""


def _crash_before(target: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args: Any, **kwargs: Any) -> Any:
        raise Crash

    monkeypatch.setattr(target, name, crash)


def _crash_after(target: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = getattr(target, name)

    def crash(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        raise Crash

    monkeypatch.setattr(target, name, crash)


@pytest.mark.parametrize(
    ("target", "name", "when", "is_acknowledged"),
    [
        (Journal, "append", "before", False),
        (journal, "_write_all", "after", False),
        (Journal, "append", "after", True),
        (LakeWriter, "write", "before", True),
        (lake, "replace_durably", "before", True),
        (lake, "replace_durably", "after", True),
        (LakeWriter, "write", "after", True),
        (Catalog, "add", "before", True),
        (Catalog, "add", "after", True),
        (Journal, "forget", "before", True),
        (Journal, "forget", "after", True),
        (Journal, "start_segment", "before", True),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_crash_at_any_step_keeps_each_acknowledged_event_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: Any,
    name: str,
    when: str,
    is_acknowledged: bool,
) -> None:
    with Ingest(tmp_path) as ingest:
        ingest.put(messages(1, 10))
        ingest.flush(PATIENCE_S)

    with monkeypatch.context() as patch:
        ingest = Ingest(tmp_path, flush_interval_s=60).__enter__()
        (_crash_before if when == "before" else _crash_after)(target, name, patch)
        ingest.put(messages(11, 20))
        _flush_and_close(ingest)
        _abandon(ingest)

    with Ingest(tmp_path) as ingest:
        ingest.put(messages(21, 25))
    expected = numbered(1, 25) if is_acknowledged else [*numbered(1, 10), *numbered(21, 25)]
    assert ids(tmp_path) == expected
    assert list((tmp_path / "journal" / "collect").glob("*.journal")) == []


def _flush_and_close(ingest: Ingest) -> None:
    with suppress(StorageError):
        ingest.flush(PATIENCE_S)
        ingest.close()
    assert isinstance(ingest._failure, Crash)


def _abandon(ingest: Ingest) -> None:
    """Lets go of the lock as the end of a process does, and of nothing else."""
    ingest._closing.set()
    with ingest._work:
        ingest._work.notify_all()
    ingest._thread.join(PATIENCE_S)
    ingest._writer._lock.release()


def test_a_torn_frame_at_every_offset_costs_only_itself(tmp_path: Path) -> None:
    folder = tmp_path / "journal" / "collect"
    with Ingest(tmp_path, flush_interval_s=60) as ingest:
        ingest.put(messages(1, 3))
        ingest.sync(PATIENCE_S)
        good = next(folder.glob("*.journal")).stat().st_size
        ingest.put([message(4)])
        ingest.sync(PATIENCE_S)
        shutil.copytree(folder, tmp_path / "copy")
    whole = next((tmp_path / "copy").glob("*.journal")).read_bytes()
    for length in (good, good + 1, good + 11, good + 12, (good + len(whole)) // 2, len(whole) - 1):
        data_dir = tmp_path / f"cut{length}"
        (data_dir / "journal" / "collect").mkdir(parents=True)
        (data_dir / "journal" / "collect" / "000000000007.journal").write_bytes(whole[:length])
        with Ingest(data_dir) as ingest:
            assert ingest.stats().recovered_count == 3
            ingest.put([message(4)])
        assert ids(data_dir) == numbered(1, 4)


def test_a_replay_is_a_replay_however_often_it_is_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "journal" / "collect"
    with Ingest(tmp_path, flush_interval_s=60) as ingest:
        for first in range(1, 100, 10):
            ingest.put(messages(first, first + 9))
            ingest.sync(PATIENCE_S)
        shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(folder)
    shutil.rmtree(tmp_path / "lake")
    shutil.rmtree(tmp_path / "state")
    shutil.move(tmp_path / "copy", folder)
    monkeypatch.setattr(ingest_writer, "FLUSH_EVENTS", 20)
    real = Catalog.add
    for fatal_call in (1, 2, 3):
        calls = iter(range(1, 1000))

        def add(*args: Any, calls: Any = calls, fatal_call: int = fatal_call, **kwargs: Any) -> bool:
            if next(calls) == fatal_call:
                raise Crash
            return real(*args, **kwargs)

        monkeypatch.setattr(Catalog, "add", add)
        with pytest.raises(Crash):
            Ingest(tmp_path).__enter__()
    monkeypatch.setattr(Catalog, "add", real)

    with Ingest(tmp_path) as ingest:
        assert ingest.stats().recovered_count == 100 - 20 * 3
    assert ids(tmp_path) == numbered(1, 100)


def test_after_a_restart_the_last_messages_sent_again_are_known(tmp_path: Path) -> None:
    with Ingest(tmp_path) as ingest:
        ingest.put(messages(1, 50))
    with Ingest(tmp_path) as ingest:
        ingest.put(messages(41, 60))
        ingest.flush(PATIENCE_S)
        assert ingest.stats().duplicate_count == 10
    assert ids(tmp_path) == numbered(1, 60)


def test_a_second_import_adds_nothing_also_across_the_day_boundary_and_another_writer(tmp_path: Path) -> None:
    midnight = (T0 // 86_400_000_000 + 1) * 86_400_000_000
    events = [message(number, at=midnight + (number - 5) * 1000) for number in range(10)]
    with Ingest(tmp_path, "collect") as ingest:
        ingest.put(events[:7])
    for _ in range(2):
        with Ingest(tmp_path, "import", dedupe_against_lake=True) as ingest:
            # More than the window of recent ids reaches back to after a restart.
            ingest._writer._recent.__init__()  # type: ignore[misc]
            ingest.put(events)
            ingest.flush(PATIENCE_S)
            stats = ingest.stats()
    assert (stats.written_count, stats.duplicate_count) == (0, 10)
    assert ids(tmp_path) == [f"m{number}" for number in range(10)]


def test_a_message_with_bits_is_two_events_with_one_id(tmp_path: Path) -> None:
    cheer = Bits(
        event_id="m1", source="irc", room_login="a", sent_at=Instant(T0), received_at=Instant(T0), bits=100
    )
    with Ingest(tmp_path) as ingest:
        ingest.put([message(1, bits=100), cheer])
    assert (ids(tmp_path), ids(tmp_path, "bits")) == (["m1"], ["m1"])


def test_people_who_opted_out_are_never_on_the_disk(tmp_path: Path) -> None:
    with Ingest(tmp_path, opt_out={"Bob", "42"}, flush_interval_s=60) as ingest:
        ingest.put(
            [
                message(1, user_login="bob", text="secret words"),
                message(2, user_id="42", text="secret words"),
                message(3),
            ]
        )
        ingest.sync(PATIENCE_S)
        on_disk = b"".join(path.read_bytes() for path in (tmp_path / "journal").rglob("*.journal"))
        assert ingest.stats().opted_out_count == 2
    assert b"secret" not in on_disk
    assert ids(tmp_path) == ["m3"]


def test_who_opts_out_between_crash_and_replay_stays_out(tmp_path: Path) -> None:
    with Ingest(tmp_path, flush_interval_s=60) as ingest:
        ingest.put([message(1, user_login="bob"), message(2)])
        ingest.sync(PATIENCE_S)
        shutil.copytree(tmp_path / "journal" / "collect", tmp_path / "other" / "journal" / "collect")
    with Ingest(tmp_path / "other", opt_out={"bob"}) as ingest:
        assert ingest.stats().recovered_count == 1
    assert ids(tmp_path / "other") == ["m2"]


def test_events_that_fit_no_column_go_to_the_reject_file_and_the_writer_lives(tmp_path: Path) -> None:
    with Ingest(tmp_path) as ingest:
        ingest.put([message(1), message(2, bits=2**80)])
        ingest.put([message(3, bits="x")])
        ingest.put([message(4)])
        assert ingest.flush(PATIENCE_S)
        stats = ingest.stats()
    assert (stats.received_count, stats.written_count, stats.rejected_count) == (4, 2, 2)
    assert ids(tmp_path) == ["m1", "m4"]
    (path,) = (tmp_path / "rejects").iterdir()
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [("event_id='m2'" in r["line"], "event_id='m3'" in r["line"]) for r in records] == [
        (True, False),
        (False, True),
    ]


def test_a_second_writer_is_refused_by_name_of_the_first(tmp_path: Path) -> None:
    with Ingest(tmp_path) as first:
        with (
            pytest.raises(LockedError, match=rf"Another collector \(process {os.getpid()}\) already writes"),
            Ingest(tmp_path),
        ):
            pass
        with Ingest(tmp_path, "import") as other:
            other.put([message(2)])
        first.put([message(1)])
    assert ids(tmp_path) == ["m1", "m2"]


class _Gate:
    """Holds the journal until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        real = Journal.append

        def append(journal_: Journal, payload: bytes) -> Any:
            self.open.wait(PATIENCE_S)
            return real(journal_, payload)

        monkeypatch.setattr(Journal, "append", append)


def test_a_full_queue_makes_put_wait_and_nothing_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = _Gate(monkeypatch)
    with Ingest(tmp_path, queue_events=10) as ingest:
        ingest.put(messages(1, 10))
        putter = threading.Thread(target=ingest.put, args=[messages(11, 12)])
        putter.start()
        putter.join(0.3)
        assert putter.is_alive()
        assert ingest.stats().queued_count == 10
        gate.open.set()
        putter.join(PATIENCE_S)
        assert not putter.is_alive()
    assert ids(tmp_path) == numbered(1, 12)


async def test_a_full_queue_lets_the_event_loop_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = _Gate(monkeypatch)
    with Ingest(tmp_path, queue_events=10) as ingest:
        await ingest.aput(messages(1, 10))
        waiting = [asyncio.create_task(ingest.aput([message(number)])) for number in range(11, 61)]
        await asyncio.sleep(0.1)
        assert not any(task.done() for task in waiting)
        gone = waiting.pop()
        gone.cancel()
        gate.open.set()
        await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
    assert ids(tmp_path) == numbered(1, 59)


def test_closing_wakes_who_waits_and_keeps_what_was_queued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = _Gate(monkeypatch)
    errors: list[str] = []
    ingest = Ingest(tmp_path, queue_events=10).__enter__()
    ingest.put(messages(1, 10))

    def put() -> None:
        try:
            ingest.put([message(11)])
        except StorageError as error:
            errors.append(str(error))

    putter = threading.Thread(target=put)
    putter.start()
    closer = threading.Thread(target=ingest.close)
    closer.start()
    putter.join(PATIENCE_S)
    gate.open.set()
    closer.join(PATIENCE_S)

    assert errors == ["The writer is not open."]
    with pytest.raises(StorageError, match="not open"):
        ingest.put([message(12)])
    ingest.close()
    assert ids(tmp_path) == numbered(1, 10)


def test_before_it_is_opened_it_says_so(tmp_path: Path) -> None:
    ingest = Ingest(tmp_path)
    with pytest.raises(StorageError, match="not open"):
        ingest.put([message(1)])
    ingest.close()


def test_many_threads_put_sync_and_flush_at_once(tmp_path: Path) -> None:
    def work(thread: int) -> None:
        for step in range(20):
            ingest.put(messages(thread * 1000 + step * 10, thread * 1000 + step * 10 + 9))
            assert (ingest.sync if step % 2 else ingest.flush)(PATIENCE_S)
            ingest.stats()

    with Ingest(tmp_path, queue_events=50, flush_interval_s=0.01) as ingest:
        threads = [threading.Thread(target=work, args=[number]) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ingest.flush(PATIENCE_S)
        assert ingest.stats().written_count == 1000
    found = ids(tmp_path)
    assert (len(found), len(set(found))) == (1000, 1000)


def _full(*args: Any, **kwargs: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["journal", "parquet", "catalogue"])
def test_a_full_disk_is_told_waited_out_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fill(patch: pytest.MonkeyPatch) -> None:
        if step == "catalogue":
            patch.setattr(Catalog, "add", _raise_full)
        else:
            target = {"journal": (os, "fdatasync"), "parquet": (lake.pq, "write_table")}[step]
            patch.setattr(*target, _full)

    with Ingest(tmp_path, flush_interval_s=0.05) as ingest:
        ingest.put(messages(1, 5))
        ingest.flush(PATIENCE_S)
        with monkeypatch.context() as patch:
            fill(patch)
            ingest.put(messages(6, 9))
            until(lambda: ingest.stats().trouble is not None)
            trouble = ingest.stats().trouble or ""
            assert trouble.startswith("No room left on the disk while writing")
            assert "free some space and writing goes on by itself" in trouble
            assert ingest.flush(0.2) is False
            ingest.put([message(10)])
        assert ingest.flush(PATIENCE_S)
        assert ingest.stats().trouble is None
    assert ids(tmp_path) == numbered(1, 10)
    assert len(list((tmp_path / "lake").rglob("*.parquet"))) <= 4


def _raise_full(*args: Any, **kwargs: Any) -> Any:
    raise DiskFullError(
        "No room left on the disk while writing x; free some space and writing goes on by itself"
    )


def test_closing_while_full_keeps_what_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(lake.pq, "write_table", _full)
        with Ingest(tmp_path, flush_interval_s=60) as ingest:
            ingest.put(messages(1, 5))
            assert ingest.sync(PATIENCE_S)
    assert ids(tmp_path) == []
    assert storage_health(tmp_path).orphans == ["collect"]

    with Ingest(tmp_path) as ingest:
        assert ingest.stats().recovered_count == 5
    assert ids(tmp_path) == numbered(1, 5)


def test_closing_while_full_says_what_was_never_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", _full)
        ingest = Ingest(tmp_path).__enter__()
        ingest.put(messages(1, 5))
        until(lambda: ingest.stats().trouble is not None)
        with pytest.raises(StorageError, match="5 events could not be stored: No room left"):
            ingest.close()
    with Ingest(tmp_path):
        pass
    assert ids(tmp_path) == []


def test_a_file_the_sweeper_took_from_a_slow_writer_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = LakeWriter.write
    taken: list[str] = []

    def write(self: LakeWriter, batches: Any) -> Any:
        files = real(self, batches)
        if not taken:
            taken.append(files[0].path)
            (tmp_path / "lake" / files[0].path).unlink()
        return files

    monkeypatch.setattr(LakeWriter, "write", write)
    with Ingest(tmp_path) as ingest:
        ingest.put(messages(1, 5))
        assert ingest.flush(PATIENCE_S)
    assert len(taken) == 1
    assert ids(tmp_path) == numbered(1, 5)


def test_the_journal_of_a_dead_import_is_recovered_and_that_of_a_live_one_left(tmp_path: Path) -> None:
    journals = LakePaths(tmp_path).journal
    with Ingest(tmp_path, "import", flush_interval_s=60) as ingest:
        ingest.put(messages(1, 5))
        ingest.sync(PATIENCE_S)
        shutil.copytree(journals / "import", journals / "import-2")
        shutil.copytree(journals / "import", journals / "collect")
        assert recover_orphans(tmp_path) == {"import-2": 5}
        assert storage_health(tmp_path).orphans == ["collect"]
    shutil.rmtree(journals / "collect")

    # The live one finds out at its flush only with the lake's ids; compaction takes the rest.
    assert set(ids(tmp_path)) == set(numbered(1, 5))
    assert recover_orphans(tmp_path) == {}
