"""The way out: named questions, questions of people, limits, gaps."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dashboard.errors import QueryError, QueryRefused, QueryTimeout
from dashboard.events import Instant
from dashboard.storage import store as store_module
from dashboard.storage.catalog import Catalog
from dashboard.storage.compaction import Compactor
from dashboard.storage.ingest import Ingest
from dashboard.storage.store import Store
from tests.storage_events import T0, message, messages, observation

SLOW = "select sum(a.range * b.range % 7919) from range(1000000) a, range(1000000) b"
SLOW_ROWS = "select a.range * b.range % 7919 as x from range(1000000) a, range(1000000) b where x = 8000"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = Store(tmp_path)
    yield store
    store.close()


def put(data_dir: Path, *groups: list[Any]) -> None:
    with Ingest(data_dir) as ingest:
        for group in groups:
            ingest.put(group)
            ingest.flush()


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Queries by name, instead of the files."""
    texts: dict[str, str] = {}
    monkeypatch.setattr(store_module, "_text", lambda name: texts[name])
    return texts


def test_a_named_query_gets_its_instants_and_gives_a_frame(
    tmp_path: Path, store: Store, named: dict[str, str]
) -> None:
    put(tmp_path, messages(1, 9), [message(5, room="beta", at=T0 + 5000)])
    named["count"] = (
        "select event_id, epoch_us(sent_at) as sent_at from chat_messages "
        "where room_login = $room and sent_at >= $start_at and sent_at < $end_at order by sent_at"
    )

    frame = store.query("count", room="alpha", start_at=Instant(T0 + 3000), end_at=Instant(T0 + 5000))

    assert frame.to_dict("list") == {"event_id": ["m3", "m4"], "sent_at": [T0 + 3000, T0 + 4000]}


def test_a_window_leaves_out_files_but_never_events_in_it(
    tmp_path: Path, store: Store, named: dict[str, str]
) -> None:
    put(tmp_path, messages(1, 3), messages(4, 6), messages(7, 9))
    named["all"] = "select event_id from chat_messages order by event_id"

    assert list(store.query("all", window=(Instant(T0 + 6000), Instant(T0 + 6500)))["event_id"]) == [
        "m4",
        "m5",
        "m6",
    ]
    assert list(store.query("all", window=(Instant(T0 + 6500), Instant(T0 + 6600)))["event_id"]) == []
    assert len(store.query("all")) == 9


@pytest.mark.parametrize("name", ["../secrets", "UPPER", "a b", ""])
def test_only_names_of_queries_are_names(store: Store, name: str) -> None:
    with pytest.raises(QueryError, match="is not the name of a query"):
        store.query(name)


def test_every_view_can_be_asked_on_an_empty_lake(store: Store) -> None:
    for view in store_module.VIEWS:
        assert store.sql(f"select * from {view}").rows == []
    assert store.sql("select count(*) from chat_messages").rows == [(0,)]
    columns = {row[0]: row[1] for row in store.sql("describe chat_messages").rows}
    assert (columns["sent_at"], columns["bits"], columns["is_mod"], columns["text"]) == (
        "TIMESTAMP WITH TIME ZONE",
        "BIGINT",
        "BOOLEAN",
        "VARCHAR",
    )


def test_rows_are_cut_where_asked(tmp_path: Path, store: Store) -> None:
    put(tmp_path, messages(1, 9))
    cut = store.sql("select event_id, 'x' as x from chat_messages order by 1", max_rows=2)
    assert (cut.columns, cut.rows, cut.is_cut) == (["event_id", "x"], [("m1", "x"), ("m2", "x")], True)
    assert store.sql("select 1", max_rows=1).is_cut is False


@pytest.mark.parametrize(
    "text",
    [
        "create table x (i int)",
        "insert into chat_messages values (1)",
        "delete from chat_messages",
        "copy (select 1) to '/tmp/streamlens-stolen.csv'",
        "attach '/tmp/streamlens.db' as other",
        "set threads = 1",
        "pragma version",
        "install httpfs",
        "load httpfs",
        "call pragma_version()",
        "prepare p as select 1",
        "begin",
        "select 1; drop view chat_messages",
        "select 1; select 2",
        "explain analyze copy (select 1) to '{lake}/x.csv'",
        "EXPLAIN ANALYZE create table x (i int)",
        "-- look\nexplain (analyze) copy (select 1) to '{lake}/x.csv'",
        "explain /* a */ analyze copy (select 1) to '{lake}/x.csv'",
        "",
    ],
)
def test_what_is_not_one_question_is_refused_and_changes_nothing(
    tmp_path: Path, store: Store, text: str
) -> None:
    put(tmp_path, messages(1, 2))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(QueryError):
        store.sql(text.replace("{lake}", str(tmp_path / "lake")))
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before] == []
    assert store.sql("select count(*) from chat_messages").rows == [(2,)]


def test_the_refusal_says_what_is_possible(store: Store) -> None:
    with pytest.raises(QueryRefused, match=r"this is a DROP statement\. Write a SELECT over the views: chat"):
        store.sql("drop table x")
    with pytest.raises(QueryRefused, match="one query at a time; this text has 2"):
        store.sql("select 1; select 2")
    with pytest.raises(QueryRefused, match="this text has 0"):
        store.sql("-- nothing")


@pytest.mark.parametrize(
    "text",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/hostname')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
        "select * from read_parquet('{data}/../*.parquet')",
    ],
)
def test_no_question_reaches_a_file_outside_the_lake(tmp_path: Path, store: Store, text: str) -> None:
    with pytest.raises(QueryError):
        store.sql(text.replace("{data}", str(tmp_path)))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("with a as (select 41 as x) select x + 1 from a", (42,)),
        ("from range(3) select sum(range)", (3,)),
        ("values (1, 'a')", (1, "a")),
        (" -- why\n select 1 ;", (1,)),
    ],
)
def test_every_form_of_a_question_is_answered(store: Store, text: str, first: tuple[Any, ...]) -> None:
    assert store.sql(text).rows == [first]


def test_explain_and_show_are_answered(store: Store) -> None:
    assert "RANGE" in store.sql("explain select * from range(3)").rows[0][1].upper()
    assert store.sql("explain analyze select 1").rows
    assert ("chat_messages",) in store.sql("show tables").rows


def test_a_mistake_is_told_in_the_words_of_duckdb_without_paths(tmp_path: Path, store: Store) -> None:
    put(tmp_path, messages(1, 2))
    with pytest.raises(QueryError, match='"texxt" not found') as caught:
        store.sql("select texxt from chat_messages")
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(QueryError, match="syntax error"):
        store.sql("selekt 1")
    with pytest.raises(QueryError) as caught:
        store.sql(f"select * from read_parquet('{tmp_path}/lake/none.parquet')")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("text", [SLOW, SLOW_ROWS])
def test_a_question_that_takes_too_long_is_stopped(store: Store, text: str) -> None:
    with pytest.raises(QueryTimeout, match=r"took longer than 0\.3 s and was stopped"):
        store.sql(text, timeout_s=0.3)
    assert store.sql("select 1").rows == [(1,)]


def test_a_limit_that_passes_between_two_statements_stops_the_next(store: Store) -> None:
    """DuckDB forgets an interrupt that meets no running statement."""

    def run(cursor: Any, _: Catalog, __: Path) -> list[Any]:
        cursor.sql("select 1").fetchall()
        time.sleep(0.3)
        return list(cursor.sql(SLOW).fetchall())

    with pytest.raises(QueryTimeout, match=r"took longer than 0\.1 s"):
        store.read(run, timeout_s=0.1)


def test_a_question_that_is_just_in_time_is_not_stopped_afterwards(store: Store) -> None:
    for _ in range(30):
        try:
            assert store.sql("select count(*) from range(2000)", timeout_s=0.002).rows == [(2000,)]
        except QueryTimeout:
            continue
    time.sleep(0.05)


def test_many_threads_ask_at_once(tmp_path: Path, store: Store, named: dict[str, str]) -> None:
    put(tmp_path, messages(1, 50))
    named["room"] = "select count(*) as n from chat_messages where room_login = $room"
    failures: list[Any] = []

    def ask(room: str, expected: int) -> None:
        for _ in range(10):
            try:
                found = int(store.query("room", room=room)["n"][0])
            except Exception as error:
                failures.append(error)
                return
            if found != expected:
                failures.append((room, found))

    threads = [threading.Thread(target=ask, args=[*case]) for case in [("alpha", 50), ("beta", 0)] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_can_ask_too(tmp_path: Path, store: Store) -> None:
    put(tmp_path, messages(1, 3))
    assert store.sql("select count(*) from chat_messages").rows == [(3,)]
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if store.sql("select count(*) from chat_messages").rows == [(3,)] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert store.sql("select count(*) from chat_messages").rows == [(3,)]


def test_a_file_that_went_away_under_a_question_is_asked_again_with_a_new_list(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, messages(1, 3), messages(4, 6))
    real = store_module.create_views
    rounds: list[int] = []

    def create_views(*args: Any) -> None:
        real(*args)
        rounds.append(1)
        if len(rounds) == 1:
            Compactor(tmp_path).run(everything=True, grace_s=-1)

    monkeypatch.setattr(store_module, "create_views", create_views)
    assert store.sql("select count(*), count(text) from chat_messages").rows == [(6, 6)]
    assert len(rounds) == 2


def test_a_file_that_stays_away_is_an_error(tmp_path: Path, store: Store) -> None:
    put(tmp_path, messages(1, 3))
    for path in (tmp_path / "lake").rglob("*.parquet"):
        path.unlink()
    with pytest.raises(QueryError):
        store.sql("select count(text) from chat_messages")


def test_duckdb_is_opened_anew_before_it_remembers_too_many_files(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_FILES_REMEMBERED", 2)
    assert store.sql("select 1").rows == [(1,)]
    first = store._con
    put(tmp_path, messages(1, 1), messages(2, 2))
    store.sql("select 1")
    assert store._con is first
    put(tmp_path, messages(3, 3))
    assert store.sql("select count(*) from chat_messages").rows == [(3,)]
    assert store._con is not first


def test_a_large_sort_spills_and_is_answered(tmp_path: Path) -> None:
    store = Store(tmp_path, threads=1, memory_mb=64)
    sql = "select md5(range::varchar) as x, range from range(1000000) order by x limit 1 offset 999999"
    assert len(store.sql(sql).rows) == 1
    store.close()


def test_the_watermark_and_the_changes_are_those_of_the_catalogue(tmp_path: Path, store: Store) -> None:
    start = store.watermark(["chat_messages"])
    put(tmp_path, messages(1, 3))
    assert store.watermark(["chat_messages"]) > start
    changes = store.changes("chat_messages", 0)
    assert changes.spans == [(T0 + 1000, T0 + 3000)]
    put(tmp_path, messages(4, 4))
    assert store.changes("chat_messages", changes.watermark).spans == [(T0 + 4000, T0 + 4000)]
    assert [row[:3] for row in store.totals()] == [("chat_messages", 2, 4)]


def gaps(store: Store) -> list[tuple[Any, ...]]:
    sql = (
        f"select collector, room_login, (epoch_us(started_at) - {T0}) // 1000000, "
        f"(epoch_us(ended_at) - {T0}) // 1000000, duration_s, reason from gaps "
        "order by started_at, room_login"
    )
    return store.sql(sql).rows


def test_gaps_are_the_stretches_out_of_sight(tmp_path: Path, store: Store) -> None:
    put(
        tmp_path,
        [
            observation("joined", 0),
            observation("lost", 10),
            observation("joined", 25),
            observation("left", 40),
            observation("joined", 50),
            observation("lost", 60),
            observation("joined", 5, room="beta"),
            observation("left", 70, room="beta"),
            observation("lost", 12, collector="helix"),
            observation("joined", 12, collector="helix"),
        ],
    )
    assert gaps(store) == [
        ("irc", "alpha", 10, 25, 15.0, "lost at 10"),
        ("helix", "alpha", 12, 12, 0.0, "lost at 12"),
        ("irc", "alpha", 60, None, None, "lost at 60"),
    ]


def test_several_losses_in_a_row_are_one_gap_and_leaving_ends_it(tmp_path: Path, store: Store) -> None:
    put(
        tmp_path,
        [
            observation("lost", 0),
            observation("lost", 5),
            observation("joined", 9),
            observation("joined", 11),
            observation("lost", 20),
            observation("lost", 22),
            observation("left", 30),
        ],
    )
    assert gaps(store) == [
        ("irc", "alpha", 0, 9, 9.0, "lost at 0"),
        ("irc", "alpha", 20, 30, 10.0, "lost at 20"),
    ]


def test_the_ledger_is_read_whole_whatever_the_window(
    tmp_path: Path, store: Store, named: dict[str, str]
) -> None:
    put(tmp_path, [observation("joined", 0), observation("lost", 10)], [observation("joined", 500)])
    named["gaps"] = "select room_login from gaps where ended_at > $start_at"
    window = (Instant(T0 + 400_000_000), Instant(T0 + 450_000_000))
    assert list(store.query("gaps", window=window, start_at=window[0])["room_login"]) == ["alpha"]


def test_several_kinds_of_one_question_are_of_one_instant(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, messages(1, 3))
    real = Catalog.live
    seen: list[str] = []

    def live(self: Catalog, kind: str, *args: Any, **kwargs: Any) -> Any:
        if kind not in seen and not seen:
            seen.append(kind)
            writer = threading.Thread(target=put, args=[tmp_path, [observation("joined", 0)], messages(4, 6)])
            files = real(self, kind, *args, **kwargs)
            writer.start()
            writer.join()
            return files
        return real(self, kind, *args, **kwargs)

    monkeypatch.setattr(Catalog, "live", live)
    sql = "select (select count(*) from chat_messages), (select count(*) from observations)"
    assert store.sql(sql).rows == [(3, 0)]
    assert store.sql(sql).rows == [(6, 1)]


def test_a_misspelt_view_is_answered_with_the_right_name(store: Store) -> None:
    with pytest.raises(QueryError, match='Did you mean "raids"'):
        store.sql("select * from raidz")
