"""The catalogue: one complete picture at every instant, also for threads, forks and slow writers."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from dashboard.errors import DiskFullError
from dashboard.events import Instant
from dashboard.storage.catalog import Catalog, NewFile
from dashboard.storage.journal import Position
from dashboard.storage.lake import LakePaths, sweep


def new_file(lake: Path, name: str, first: int = 0, last: int = 9, *, kind: str = "bits") -> NewFile:
    path = lake / f"kind={kind}" / "date=2023-11-14" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"parquet")
    return NewFile(
        path=str(path.relative_to(lake)),
        kind=kind,
        date="2023-11-14",
        level=0,
        row_count=3,
        byte_count=7,
        first_at=Instant(first),
        last_at=Instant(last),
        last_received_at=Instant(last + 100),
        rooms=("alpha",),
        columns=("event_id", "text"),
    )


@pytest.fixture
def paths(tmp_path: Path) -> LakePaths:
    return LakePaths(tmp_path)


@pytest.fixture
def catalog(paths: LakePaths) -> Catalog:
    return Catalog(paths.catalog, paths.lake)


def names(catalog: Catalog, *window: int) -> list[str]:
    span = (Instant(window[0]), Instant(window[1])) if window else None
    return [Path(file.path).name for file in catalog.live("bits", span)]


def test_files_and_the_journal_position_become_visible_together(catalog: Catalog, paths: LakePaths) -> None:
    added = catalog.add(
        [new_file(paths.lake, "a", 0, 9), new_file(paths.lake, "b", 10, 19)],
        writer="collect",
        position=Position(4, 2),
    )

    assert added
    assert names(catalog) == ["a", "b"]
    assert [names(catalog, 9, 9), names(catalog, 10, 50), names(catalog, 5, 15), names(catalog, 20, 30)] == [
        ["a"],
        ["b"],
        ["a", "b"],
        [],
    ]
    assert catalog.position("collect") == Position(4, 2)
    assert catalog.position("import") == Position(0, 0)
    assert catalog.totals() == [("bits", 2, 6, 14)]
    assert catalog.partitions() == [("bits", "2023-11-14")]
    assert catalog.columns(catalog.live("bits")[0].columns_id) == ("event_id", "text")
    assert catalog.live("raids") == []


def test_a_file_that_is_gone_is_not_listed_and_the_position_stays(catalog: Catalog, paths: LakePaths) -> None:
    there, gone = new_file(paths.lake, "a"), new_file(paths.lake, "b")
    (paths.lake / gone.path).unlink()

    assert not catalog.add([there, gone], writer="collect", position=Position(9, 9))
    assert names(catalog) == []
    assert catalog.position("collect") == Position(0, 0)


def test_a_swap_wins_once_and_the_loser_changes_nothing(catalog: Catalog, paths: LakePaths) -> None:
    catalog.add([new_file(paths.lake, "a"), new_file(paths.lake, "b")])
    old = catalog.live("bits")
    watermark = catalog.watermark(["bits"])

    assert catalog.swap(old, [new_file(paths.lake, "ab")])
    assert not catalog.swap(old[:1], [new_file(paths.lake, "a2")])
    assert names(catalog) == ["ab"]
    assert catalog.watermark(["bits"]) > watermark
    assert catalog.superseded_count() == 2


def test_a_swap_never_loses_to_a_new_file_that_is_gone(catalog: Catalog, paths: LakePaths) -> None:
    catalog.add([new_file(paths.lake, "a")])
    gone = new_file(paths.lake, "b")
    (paths.lake / gone.path).unlink()

    assert not catalog.swap(catalog.live("bits"), [gone])
    assert names(catalog) == ["a"]


def test_an_error_inside_leaves_everything_and_the_connection_usable(
    catalog: Catalog, paths: LakePaths
) -> None:
    file = new_file(paths.lake, "a")
    catalog.add([file])
    with pytest.raises(sqlite3.IntegrityError):
        catalog.add([new_file(paths.lake, "b"), file])

    assert names(catalog) == ["a"]
    catalog.add([new_file(paths.lake, "c")])
    assert names(catalog) == ["a", "c"]


def test_the_watermark_moves_with_its_own_kinds_only(catalog: Catalog, paths: LakePaths) -> None:
    start = catalog.watermark(["bits"])
    catalog.add([new_file(paths.lake, "r", kind="raids")])
    assert catalog.watermark(["bits"]) == start
    catalog.add([new_file(paths.lake, "a")])
    after_add = catalog.watermark(["bits"])
    assert after_add > start
    assert catalog.watermark(["bits", "raids"]) > after_add
    catalog.retire(catalog.live("bits"))
    assert catalog.watermark(["bits"]) > after_add
    assert names(catalog) == []


def test_changes_are_the_spans_that_ingest_added_and_not_those_of_compaction(
    catalog: Catalog, paths: LakePaths
) -> None:
    assert catalog.changes("bits", 0) == catalog.changes("bits", 0)
    assert (catalog.changes("bits", 0).watermark, catalog.changes("bits", 0).spans) == (0, [])
    catalog.add([new_file(paths.lake, "a", 10, 19)])
    first = catalog.changes("bits", 0)
    assert (first.watermark, first.spans) == (1, [(10, 19)])

    catalog.swap(catalog.live("bits"), [new_file(paths.lake, "a2", 10, 19)])
    catalog.add([new_file(paths.lake, "r", 50, 60, kind="raids")])
    catalog.add([new_file(paths.lake, "b", 5, 7), new_file(paths.lake, "c", 30, 31)])

    second = catalog.changes("bits", first.watermark)
    assert (second.watermark, second.spans) == (4, [(5, 7), (30, 31)])
    assert catalog.changes("bits", second.watermark).spans == []
    assert catalog.changes("bits", 0).spans == [(10, 19), (5, 7), (30, 31)]


def test_a_watermark_older_than_the_record_gives_all_that_is_live(
    catalog: Catalog, paths: LakePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.add([new_file(paths.lake, "a", 10, 19)])
    old = catalog.changes("bits", 0).watermark
    catalog.add([new_file(paths.lake, "b", 40, 49)])
    catalog.add([new_file(paths.lake, "c", 20, 29)])
    later = time.time_ns() + 2 * 86_400_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    catalog.forget([])

    changes = catalog.changes("bits", old)
    assert (changes.watermark, changes.spans) == (3, [(10, 49)])
    assert catalog.changes("bits", 0).spans == [(10, 49)]
    assert catalog.changes("bits", 3).spans == []
    assert catalog.changes("raids", old).spans == []


def test_expired_files_are_those_whose_newest_event_came_too_long_ago(
    catalog: Catalog, paths: LakePaths
) -> None:
    catalog.add([new_file(paths.lake, "a", 0, 9), new_file(paths.lake, "b", 0, 50)])

    assert [Path(f.path).name for f in catalog.expired("bits", Instant(110))] == ["a"]
    assert catalog.expired("bits", Instant(109)) == []


def test_superseded_rows_go_when_their_files_are_gone(catalog: Catalog, paths: LakePaths) -> None:
    catalog.add([new_file(paths.lake, "a"), new_file(paths.lake, "b")])
    catalog.retire([file for file in catalog.live("bits") if file.path.endswith("a")])

    (path,) = catalog.superseded_paths(Instant(time.time_ns() // 1000 + 1))
    assert path.endswith("/a")
    assert catalog.superseded_paths(Instant(1)) == []
    catalog.forget([path, catalog.live("bits")[0].path])
    assert catalog.known_paths() == {"kind=bits/date=2023-11-14/b"}


def test_lists_read_together_are_of_one_instant(catalog: Catalog, paths: LakePaths) -> None:
    other = Catalog(paths.catalog, paths.lake)
    with catalog.reading():
        assert names(catalog) == []
        other_thread = threading.Thread(target=lambda: other.add([new_file(paths.lake, "a")]))
        other_thread.start()
        other_thread.join()
        assert names(catalog) == []
    assert names(catalog) == ["a"]


def test_many_threads_can_add_at_once(catalog: Catalog, paths: LakePaths) -> None:
    def add(number: int) -> None:
        for step in range(5):
            catalog.add([new_file(paths.lake, f"{number}-{step}")])
        catalog.close()

    threads = [threading.Thread(target=add, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(names(catalog)) == 30
    assert catalog.changes("bits", 0).watermark == 30


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_opens_its_own_connection(catalog: Catalog, paths: LakePaths) -> None:
    catalog.add([new_file(paths.lake, "a")])
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            catalog.add([new_file(paths.lake, "b")])
            code = 0 if names(catalog) == ["a", "b"] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    catalog.add([new_file(paths.lake, "c")])
    assert names(catalog) == ["a", "b", "c"]


def test_a_full_disk_is_said_plainly_and_passes(catalog: Catalog, paths: LakePaths) -> None:
    file = new_file(paths.lake, "a")
    (page_count,) = catalog._database.con.execute("pragma page_count").fetchone()
    catalog._database.con.execute(f"pragma max_page_count = {page_count}")
    many = [new_file(paths.lake, f"{'x' * 150}{number}") for number in range(200)]
    with pytest.raises(DiskFullError, match="while writing the catalogue"):
        catalog.add([file, *many])
    assert names(catalog) == []

    catalog._database.con.execute("pragma max_page_count = 1000000")
    assert catalog.add([file, *many])
    assert len(names(catalog)) == 201


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_the_sweeper_takes_what_nobody_lists_and_nothing_else(paths: LakePaths) -> None:
    catalog = Catalog(paths.catalog, paths.lake)
    catalog._database.con.execute("update about set value = 0")
    listed = new_file(paths.lake, "0-a.parquet")
    catalog.add([listed])
    superseded = new_file(paths.lake, "0-s.parquet")
    catalog.add([superseded])
    catalog.retire(catalog.live("bits")[1:])
    orphan = paths.lake / new_file(paths.lake, "0-b.parquet").path
    young = paths.lake / new_file(paths.lake, "0-c.parquet").path
    temporary = orphan.with_name(".0-d.parquet.tmp")
    temporary.write_bytes(b"half")
    foreign = orphan.with_name("notes.txt")
    foreign.write_text("mine")
    for path in (orphan, temporary, foreign, paths.lake / listed.path, paths.lake / superseded.path):
        age(path, 1000)

    assert sweep(paths.lake, catalog, older_than_s=900) == 2
    assert sorted(path.name for path in orphan.parent.iterdir()) == [
        "0-a.parquet",
        "0-c.parquet",
        "0-s.parquet",
        "notes.txt",
    ]
    assert young.exists()


def test_a_lost_catalogue_does_not_take_the_lake_with_it(paths: LakePaths) -> None:
    file = paths.lake / new_file(paths.lake, "0-a.parquet").path
    age(file, 5000)

    assert sweep(paths.lake, Catalog(paths.catalog, paths.lake), older_than_s=900) == 0
    assert file.exists()


def test_a_file_listed_while_the_sweeper_looks_stays(catalog: Catalog, paths: LakePaths) -> None:
    file = new_file(paths.lake, "0-a.parquet")
    catalog.add([file])

    assert catalog.delete_unlisted([file.path, "kind=bits/date=2023-11-14/never"]) == 1
    assert (paths.lake / file.path).exists()
