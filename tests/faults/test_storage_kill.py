"""Kill −9 in the middle of a flood, two writers, a full disk: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dashboard.storage.health import storage_health
from dashboard.storage.ingest import Ingest
from dashboard.storage.store import Store
from tests.storage_children import BLOCK, compact_for_ever, fill_disk, flood

pytestmark = pytest.mark.fault

KILLS = 20


@pytest.fixture
def processes() -> Iterator[Any]:
    """Starts children that are gone at the end, whatever happens."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pandas", "tests.storage_children"])
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


def seen(data_dir: Path) -> Counter[int]:
    store = Store(data_dir)
    try:
        table = store.sql("select cast(event_id[2:] as bigint) from chat_messages", max_rows=10_000_000)
        return Counter(number for (number,) in table.rows)
    finally:
        store.close()


def told_within(pipe: Any, seconds: float) -> list[Any]:
    """All that a child tells in so many seconds (or until it dies)."""
    told, deadline = [], time.monotonic() + seconds
    with suppress(EOFError):
        while pipe.poll(max(0.0, deadline - time.monotonic())):
            told.append(pipe.recv())
    return told


def test_twenty_kills_in_a_flood_lose_nothing_acknowledged_and_double_nothing(
    tmp_path: Path, processes: Any
) -> None:
    chance = random.Random(20)
    acknowledged: dict[int, int] = {}
    compactor = processes(compact_for_ever, tmp_path)
    for child in range(1, KILLS + 1):
        reader, writer = multiprocessing.Pipe(duplex=False)
        process = processes(flood, tmp_path, child, writer)
        writer.close()
        if child % 5 == 0:
            # In the middle of its start, with the replay of the one before.
            told = told_within(reader, chance.uniform(0.0, 0.3))
        else:
            assert reader.poll(60), "the child never came up"
            told = told_within(reader, chance.uniform(0.1, 0.6))
        process.kill()
        process.join()
        told += told_within(reader, 0)
        reader.close()
        acknowledged[child] = max(told, default=child * BLOCK)
        if child % 4 == 0:
            compactor.kill()
            compactor.join()
            compactor = processes(compact_for_ever, tmp_path)
    compactor.kill()
    compactor.join()

    with Ingest(tmp_path):
        pass  # Replays what the last one left.
    counts = seen(tmp_path)
    expected = [
        number for child, last in acknowledged.items() for number in range(child * BLOCK + 1, last + 1)
    ]
    assert [number for number in expected if number not in counts] == []
    assert [number for number, count in counts.items() if count > 1] == []
    assert len(expected) > KILLS * 100
    assert storage_health(tmp_path).orphans == []


def test_a_second_collector_on_the_folder_is_refused_and_told_by_whom(tmp_path: Path, processes: Any) -> None:
    reader, writer = multiprocessing.Pipe(duplex=False)
    first = processes(flood, tmp_path, 1, writer)
    assert reader.poll(60)
    code = (
        "import sys; from pathlib import Path; from dashboard.storage.ingest import Ingest\n"
        "from dashboard.errors import LockedError\n"
        "try:\n    Ingest(Path(sys.argv[1])).__enter__()\nexcept LockedError as error:\n    print(error)"
    )
    second = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60
    )

    folder = tmp_path / "journal" / "collect"
    assert second.stdout == (
        f"Another collector (process {first.pid}) already writes to {folder}. "
        "Stop it first, or give this one its own DATA_DIR.\n"
    )
    assert first.is_alive()
    reader.close()


def _until_trouble(reader: Any) -> tuple[str, int]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert reader.poll(60), "the child says nothing"
        told = reader.recv()
        assert told is not None, "the disk was never full"
        if told[0] is not None:
            return told
    raise AssertionError("no trouble was told")


def _until_done(reader: Any) -> list[tuple[str | None, int]]:
    told = []
    while True:
        assert reader.poll(60), "the child says nothing"
        last = reader.recv()
        if last is None:
            return told
        told.append(last)


def test_a_file_size_limit_is_told_and_writing_goes_on_when_it_is_lifted(
    tmp_path: Path, processes: Any
) -> None:
    if not hasattr(resource, "prlimit"):
        pytest.skip("limits of another process can be changed on Linux only")
    reader, writer = multiprocessing.Pipe(duplex=False)
    child = processes(fill_disk, tmp_path, 3_000, 200_000, writer)
    trouble, acknowledged = _until_trouble(reader)
    assert trouble.startswith("No room left on the disk while writing")
    assert "Everything acknowledged so far is safe in the journal" in trouble
    assert 0 < acknowledged < 3_000
    time.sleep(1.2)  # A retry in between changes nothing.

    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    assert _until_done(reader)[-1] == (None, 3_000)
    child.join(30)
    assert child.exitcode == 0
    assert seen(tmp_path) == Counter(range(1, 3_001))
    reader.close()


def test_a_writer_killed_on_a_full_disk_had_its_journal_intact(tmp_path: Path, processes: Any) -> None:
    reader, writer = multiprocessing.Pipe(duplex=False)
    child = processes(fill_disk, tmp_path, 3_000, 200_000, writer)
    _, acknowledged = _until_trouble(reader)
    child.kill()
    child.join()
    reader.close()

    with Ingest(tmp_path):
        pass
    counts = seen(tmp_path)
    assert set(counts.values()) == {1}
    assert acknowledged <= len(counts) <= 3_000
    assert sorted(counts) == list(range(1, len(counts) + 1))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system can only be mounted by root, and not in every container")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_and_writing_goes_on_when_there_is_room(small_disk: Path, processes: Any) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 2_500_000)
    reader, writer = multiprocessing.Pipe(duplex=False)
    child = processes(fill_disk, small_disk / "data", 4_000, None, writer)
    trouble, acknowledged = _until_trouble(reader)
    assert trouble.startswith("No room left on the disk while writing")
    assert acknowledged < 4_000

    filler.unlink()

    assert _until_done(reader)[-1] == (None, 4_000)
    child.join(30)
    assert child.exitcode == 0
    assert seen(small_disk / "data") == Counter(range(1, 4_001))
    reader.close()
