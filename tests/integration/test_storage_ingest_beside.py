"""The ingest that makes events visible beside: nobody waits for files, and nothing is lost for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.errors import StorageError
from dashboard.storage.ingest import Ingest
from dashboard.storage.lake import LakeWriter
from dashboard.storage.store import Store
from tests.storage_events import messages


def count(data_dir: Path) -> tuple[int, int]:
    store = Store(data_dir)
    rows = store.sql("select count(*), count(distinct event_id) from chat_messages").rows
    store.close()
    return int(rows[0][0]), int(rows[0][1])


def until(condition: Callable[[], object], timeout_s: float = 60) -> None:
    limit_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < limit_s
        time.sleep(0.01)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Files are written only while it is set."""
    gate = threading.Event()
    write = LakeWriter.write

    def wait(writer: LakeWriter, batches: Any) -> Any:
        assert gate.wait(20)
        return write(writer, batches)

    monkeypatch.setattr(LakeWriter, "write", wait)
    return gate


def test_what_comes_during_a_flush_is_durable_at_once_and_visible_without_more(
    tmp_path: Path, gate: threading.Event
) -> None:
    with Ingest(tmp_path, flush_interval_s=0.01, flush_beside=True) as ingest:
        ingest.put(messages(1, 10))
        assert ingest.sync(5)
        until(lambda: ingest._beside is not None)
        ingest.put(messages(11, 30))
        assert ingest.sync(5), "although no file can be written"
        assert ingest.stats().acknowledged_count == 30
        assert ingest.stats().written_count == 0
        assert not ingest.flush(0.05)
        gate.set()
        until(lambda: ingest.stats().written_count == 30)
        assert ingest.stats().flush_lag_s == 0.0
        assert ingest.flush(5)
    assert count(tmp_path) == (30, 30)


def test_a_duplicate_during_a_flush_makes_nothing_visible_early(
    tmp_path: Path, gate: threading.Event
) -> None:
    with Ingest(tmp_path, flush_interval_s=0.01, flush_beside=True) as ingest:
        ingest.put(messages(1, 10))
        assert ingest.sync(5)
        until(lambda: ingest._beside is not None)
        ingest.put(messages(1, 10))
        assert ingest.sync(5)
        assert not ingest.flush(0.05)
        gate.set()
        assert ingest.flush(5)
        assert count(tmp_path) == (10, 10)


def test_closing_waits_for_the_flush_under_way(tmp_path: Path, gate: threading.Event) -> None:
    ingest = Ingest(tmp_path, flush_interval_s=0.01, flush_beside=True).__enter__()
    ingest.put(messages(1, 10))
    ingest.sync(5)
    until(lambda: ingest._beside is not None)
    ingest.put(messages(11, 20))
    threading.Timer(0.1, gate.set).start()
    ingest.close()
    assert count(tmp_path) == (20, 20)
    with Ingest(tmp_path) as again:
        assert again.stats().recovered_count == 0, "nothing was left in the journal"


def test_after_a_flush_that_failed_for_good_everything_is_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = LakeWriter.write
    is_broken = True

    def fail(writer: LakeWriter, batches: Any) -> Any:
        if is_broken:
            raise RuntimeError("a bug")
        return write(writer, batches)

    monkeypatch.setattr(LakeWriter, "write", fail)
    ingest = Ingest(tmp_path, flush_interval_s=0.01, flush_beside=True).__enter__()
    ingest.put(messages(1, 10))
    assert ingest.sync(5)
    until(lambda: ingest.trouble)
    with pytest.raises(StorageError):
        ingest.put(messages(11, 20))
    ingest.close()
    is_broken = False
    with Ingest(tmp_path) as again:
        assert again.stats().recovered_count == 10
    assert count(tmp_path) == (10, 10)


def test_a_flood_with_waits_for_each_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with Ingest(tmp_path, flush_interval_s=0.02, flush_beside=True) as ingest:

        def work(first: int) -> None:
            for number in range(first, first + 250, 5):
                ingest.put(messages(number, number + 4))
                assert ingest.sync(10)

        threads = [threading.Thread(target=work, args=(start * 250 + 1,)) for start in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ingest.stats().acknowledged_count == 2000
    assert count(tmp_path) == (2000, 2000)
