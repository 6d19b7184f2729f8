"""The lake while it changes: compaction, retention, old and new columns; a reader sees each event once."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboard.errors import DiskFullError
from dashboard.events import Instant, now_us
from dashboard.storage import compaction
from dashboard.storage.batch import batches_of
from dashboard.storage.catalog import Catalog, NewFile
from dashboard.storage.compaction import FINAL_LEVEL, CompactionSummary, Compactor
from dashboard.storage.ingest import Ingest
from dashboard.storage.lake import LakePaths, LakeWriter
from dashboard.storage.store import Store
from tests.storage_events import DAY, T0, message, messages


def write_files(data_dir: Path, groups: list[list[Any]]) -> Catalog:
    """One file a group, without an ingest: duplicates are written as they are."""
    paths = LakePaths(data_dir)
    catalog = Catalog(paths.catalog, paths.lake)
    for group in groups:
        catalog.add(LakeWriter(paths.lake).write(batches_of(group)[0]))
    return catalog


def one(data_dir: Path, sql: str) -> tuple[Any, ...]:
    store = Store(data_dir)
    try:
        return store.sql(sql).rows[0]
    finally:
        store.close()


def live_tables(data_dir: Path, catalog: Catalog) -> list[pa.Table]:
    return [pq.read_table(data_dir / "lake" / file.path) for file in catalog.live("chat_messages")]


def test_compaction_sorts_by_room_and_time_and_keeps_the_first_received_of_each(tmp_path: Path) -> None:
    late = message(2, room="beta", text="again")
    late.received_at = Instant(T0 + DAY)
    catalog = write_files(
        tmp_path,
        [
            [late, message(9, room="alpha")],
            [message(2, room="beta"), message(4, room="beta")],
            [message(1, room="beta"), message(3, room="alpha")],
        ],
    )

    summary = Compactor(tmp_path).run(everything=True)

    assert summary == CompactionSummary(
        merged_count=3, made_count=1, row_count=5, duplicate_count=1, deleted_count=0
    )
    (table,) = live_tables(tmp_path, catalog)
    assert table.select(["room_login", "event_id", "text"]).to_pylist() == [
        {"room_login": "alpha", "event_id": "m3", "text": "text 3"},
        {"room_login": "alpha", "event_id": "m9", "text": "text 9"},
        {"room_login": "beta", "event_id": "m1", "text": "text 1"},
        {"room_login": "beta", "event_id": "m2", "text": "text 2"},
        {"room_login": "beta", "event_id": "m4", "text": "text 4"},
    ]
    (file,) = catalog.live("chat_messages")
    assert (file.level, file.row_count, file.first_at, file.last_at) == (
        FINAL_LEVEL,
        5,
        T0 + 1000,
        T0 + 9000,
    )
    assert pq.read_schema(tmp_path / "lake" / file.path).field("sent_at").type == pa.timestamp("us", tz="UTC")
    assert Compactor(tmp_path).run(everything=True).merged_count == 0


def test_compacted_columns_are_exactly_those_of_the_events(tmp_path: Path) -> None:
    catalog = write_files(tmp_path, [messages(1, 2), messages(3, 4)])
    before = pa.concat_tables(live_tables(tmp_path, catalog)).sort_by("event_id")
    Compactor(tmp_path).run(everything=True)
    (after,) = live_tables(tmp_path, catalog)

    assert after.schema.names == before.schema.names
    assert after.sort_by("event_id").to_pylist() == before.to_pylist()
    assert [str(field.type) for field in after.schema] == [str(field.type) for field in before.schema]


def test_sixteen_files_of_a_level_become_one_of_the_next(tmp_path: Path) -> None:
    today = now_us() // DAY * DAY
    catalog = write_files(tmp_path, [[message(number, at=today + number)] for number in range(15)])
    compactor = Compactor(tmp_path, now=lambda: Instant(today + DAY - 1))
    assert compactor.run().merged_count == 0

    write_files(tmp_path, [[message(15, at=today + 15)]])
    assert compactor.run() == CompactionSummary(16, 1, 16, 0, 0)
    assert [file.level for file in catalog.live("chat_messages")] == [1]


def test_a_day_becomes_final_when_it_is_over_and_quiet(tmp_path: Path) -> None:
    catalog = write_files(tmp_path, [[message(number)] for number in range(3)])
    just_written = Compactor(tmp_path, now=lambda: Instant(now_us()))
    assert just_written.run().merged_count == 0

    later = Compactor(tmp_path, now=lambda: Instant(now_us() + 601_000_000))
    assert later.run().merged_count == 3
    assert [file.level for file in catalog.live("chat_messages")] == [FINAL_LEVEL]
    assert later.run().merged_count == 0

    write_files(tmp_path, [[message(7), message(1)]])
    assert later.run() == CompactionSummary(2, 1, 4, 1, 0)


def test_what_a_long_stop_left_is_taken_in_bites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_LARGEST_GROUP", 4)
    catalog = write_files(tmp_path, [[message(number), message(number - 1)] for number in range(1, 12)])

    summary = Compactor(tmp_path).run(everything=True)

    assert [file.level for file in catalog.live("chat_messages")] == [FINAL_LEVEL]
    assert one(tmp_path, "select count(*), count(distinct event_id) from chat_messages") == (12, 12)
    assert (summary.row_count >= 12, summary.duplicate_count) == (True, 10)


def test_large_days_are_cut_by_room_into_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_ROWS_PER_FILE", 10)
    rooms = [f"room{number}" for number in range(20)]
    catalog = write_files(tmp_path, [[message(n, room=rooms[n % 20]) for n in range(40)], messages(40, 41)])

    summary = Compactor(tmp_path).run(everything=True)

    assert summary.made_count == len(catalog.live("chat_messages")) == 5
    seen: list[str] = []
    for table in live_tables(tmp_path, catalog):
        here = table["room_login"].to_pylist()
        assert here == sorted(here)
        seen += sorted(set(here))
    assert sorted(seen) == sorted([*rooms, "alpha"])
    assert one(tmp_path, "select count(*), count(distinct event_id) from chat_messages") == (42, 42)
    assert Compactor(tmp_path).run(everything=True).merged_count == 0


def test_old_files_stay_for_readers_that_have_begun_and_then_go(tmp_path: Path) -> None:
    catalog = write_files(tmp_path, [messages(1, 2), messages(3, 4)])
    old = [tmp_path / "lake" / file.path for file in catalog.live("chat_messages")]
    compactor = Compactor(tmp_path)

    assert compactor.run(everything=True).deleted_count == 0
    assert all(path.exists() for path in old)
    assert compactor.run(grace_s=-1).deleted_count == 2
    assert not any(path.exists() for path in old)
    assert catalog.superseded_count() == 0


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("when", ["before the swap", "after the swap", "while writing"])
def test_a_compaction_that_dies_changes_nothing_for_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    write_files(tmp_path, [messages(1, 5), messages(6, 9)])
    real = Catalog.swap

    def swap(self: Catalog, *args: Any) -> bool:
        if when == "after the swap":
            real(self, *args)
        raise Crash

    def replace(*args: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        if when == "while writing":
            patch.setattr(compaction, "replace_durably", replace)
        else:
            patch.setattr(Catalog, "swap", swap)
        with pytest.raises(Crash):
            Compactor(tmp_path).run(everything=True)

    count = "select count(*), count(distinct event_id) from chat_messages"
    assert one(tmp_path, count) == (9, 9)
    Compactor(tmp_path).run(everything=True, grace_s=-1)
    assert one(tmp_path, count) == (9, 9)
    assert list((tmp_path / "lake").rglob(".*.tmp")) == []


def test_a_compaction_that_lost_the_race_throws_its_work_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = write_files(tmp_path, [messages(1, 5), messages(6, 9)])
    real = Catalog.swap

    def swap(self: Catalog, old: Any, new: Any) -> bool:
        monkeypatch.setattr(Catalog, "swap", real)
        assert Compactor(tmp_path).run(everything=True).merged_count == 2
        return real(self, old, new)

    monkeypatch.setattr(Catalog, "swap", swap)
    assert Compactor(tmp_path).run(everything=True).merged_count == 0
    assert one(tmp_path, "select count(*) from chat_messages") == (9,)
    assert len(list((tmp_path / "lake").rglob("9-*.parquet"))) == len(catalog.live("chat_messages")) == 1


def test_compaction_on_a_full_disk_says_so_and_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, [messages(1, 5), messages(6, 9)])

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compaction, "replace_durably", full)
    with pytest.raises(DiskFullError, match="while writing a compacted file"):
        Compactor(tmp_path).run(everything=True)
    assert one(tmp_path, "select count(*) from chat_messages") == (9,)
    assert len(list((tmp_path / "lake").rglob("*.parquet"))) == 2


def test_the_sweeper_runs_at_first_and_then_once_in_a_while(tmp_path: Path) -> None:
    catalog = write_files(tmp_path, [messages(1, 5)])
    catalog._database.con.execute("update about set value = 0")
    folder = (tmp_path / "lake" / catalog.live("chat_messages")[0].path).parent
    compactor = Compactor(tmp_path)

    def leave_behind(name: str) -> None:
        (folder / name).write_bytes(b"")
        then = time.time() - 1000
        os.utime(folder / name, (then, then))

    leave_behind("0-x.parquet")
    assert compactor.run().deleted_count == 1
    leave_behind("0-y.parquet")
    assert compactor.run().deleted_count == 0
    assert Compactor(tmp_path).run().deleted_count == 1


def test_retention_counts_from_when_an_event_was_received(tmp_path: Path) -> None:
    imported = message(1, at=T0 - 3000 * DAY)
    imported.received_at = Instant(T0 + 20 * DAY)
    catalog = write_files(tmp_path, [[message(2)], [imported]])
    at = {"now": T0 + 30 * DAY}
    compactor = Compactor(tmp_path, now=lambda: Instant(at["now"]))

    assert compactor.retain({"chat_messages": 30, "bits": 0}) == 0
    at["now"] += DAY
    assert compactor.retain({"chat_messages": 0}) == 0
    assert compactor.retain({"chat_messages": 30}) == 1
    assert one(tmp_path, "select list(event_id) from chat_messages") == (["m1"],)
    at["now"] += 20 * DAY
    assert compactor.retain({"chat_messages": 30}) == 1
    assert one(tmp_path, "select count(*) from chat_messages") == (0,)
    assert compactor.run(grace_s=-1).deleted_count == 2
    assert catalog.known_paths() == set()
    assert list((tmp_path / "lake").rglob("*.parquet")) == []


def add_file(data_dir: Path, table: pa.Table) -> None:
    """A file as another version of the program would have written it."""
    paths = LakePaths(data_dir)
    relative = f"kind=chat_messages/date=2023-11-14/0-{time.time_ns()}.parquet"
    (paths.lake / relative).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, paths.lake / relative)
    sent = table["sent_at"].cast("int64").to_pylist()
    Catalog(paths.catalog, paths.lake).add(
        [
            NewFile(
                path=relative,
                kind="chat_messages",
                date="2023-11-14",
                level=0,
                row_count=table.num_rows,
                byte_count=1,
                first_at=min(sent),
                last_at=max(sent),
                last_received_at=max(sent),
                rooms=None,
                columns=tuple(table.column_names),
            )
        ]
    )


def test_files_with_fewer_and_with_unknown_columns_are_read_and_compacted(tmp_path: Path) -> None:
    whole = batches_of(messages(1, 2))[0][0].table
    older = batches_of(messages(3, 4))[0][0].table.select(
        ["text", "event_id", "source", "room_login", "sent_at", "received_at"]
    )
    newer = batches_of(messages(5, 6))[0][0].table.append_column("mood", pa.array(["good", "bad"]))
    for table in (whole, older, newer):
        add_file(tmp_path, table)

    asked = (
        "select string_agg(event_id || coalesce(user_login, '-'), ' ' order by event_id) from chat_messages"
    )
    assert one(tmp_path, asked) == ("m1seven m2seven m3- m4- m5seven m6seven",)
    Compactor(tmp_path).run(everything=True)
    assert one(tmp_path, asked) == ("m1seven m2seven m3- m4- m5seven m6seven",)
    assert one(tmp_path, "select count(color), count(text) from chat_messages") == (0, 6)


def test_a_reader_sees_each_event_once_while_ingest_and_compaction_work(tmp_path: Path) -> None:
    """Messages are numbered from 1: whatever it sees must be 1 to n, each once, and n never falls."""
    total, step = 3_000, 20
    stop, failures = threading.Event(), []
    counts: list[int] = []

    def read() -> None:
        store = Store(tmp_path, threads=1)
        sql = (
            "select count(*), count(distinct event_id), coalesce(max(cast(event_id[2:] as int)), 0) "
            "from chat_messages"
        )
        while not stop.is_set():
            seen = store.sql(sql).rows[0]
            if len(set(seen)) != 1 or (counts and seen[0] < counts[-1]):
                failures.append((seen, counts[-1:]))
            counts.append(seen[0])
        store.close()

    def compact() -> None:
        compactor = Compactor(tmp_path)
        rounds = 0
        while not stop.is_set():
            rounds += 1
            compactor.run(everything=rounds % 5 == 0, grace_s=1.0)

    with Ingest(tmp_path, flush_interval_s=0.01) as ingest:
        threads = [threading.Thread(target=read), threading.Thread(target=compact)]
        for thread in threads:
            thread.start()
        for first in range(1, total, step):
            ingest.put(messages(first, first + step - 1))
            ingest.sync()
            time.sleep(0.01)
        ingest.flush()
        merged = Catalog(LakePaths(tmp_path).catalog).superseded_count()
        time.sleep(0.3)
        stop.set()
        for thread in threads:
            thread.join()

    assert failures == []
    assert len(counts) > 5
    assert len(set(counts)) > 3
    assert merged > 0
    assert one(tmp_path, "select count(*), count(distinct event_id) from chat_messages") == (total, total)
