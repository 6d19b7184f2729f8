"""The way out: named, parameterised, time-limited questions to the lake.

Every query runs on a cursor of one in-memory DuckDB, over views that list the live files at that
instant. There is no database file, so readers and writers never lock each other out.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pandas as pd
import pyarrow as pa

from dashboard.errors import QueryError, QueryRefused, QueryTimeout
from dashboard.events import Instant
from dashboard.storage.catalog import Catalog, Changes
from dashboard.storage.lake import LakePaths
from dashboard.storage.views import VIEWS, create_views, views_in

_QUERIES = Path(__file__).parent / "queries"
_NAME = re.compile(r"[a-z0-9_]+")
_EXPLAIN = re.compile(
    r"^(\s|--[^\n]*\n|/\*.*?\*/)*explain(\s+analyze\b)?(\s*\([^)]*\))?", re.IGNORECASE | re.DOTALL
)
_ABOUT_ALL = re.compile(
    r"\b(show|information_schema|pg_catalog|sqlite_master|duckdb_\w+|pg_\w+)\b", re.IGNORECASE
)
_MISSING = re.compile(
    r"\.parquet.*(No files found|No such file)|(No files found|No such file).*\.parquet", re.DOTALL
)
_MOST_SPILLED_GB = 8
_INTERRUPT_AGAIN_S = 0.05
_FILES_REMEMBERED = 4_000
"""About 60 kB each: DuckDB keeps the footers it has seen, also those of files long gone."""
_inherited: list[duckdb.DuckDBPyConnection] = []
"""Through a fork: their threads did not come along, so they can neither be used nor closed."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Table:
    """What a free query gives."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_cut: bool
    """Whether there were more rows than asked for."""


class Store:
    """Opens a data folder for reading; safe to share between threads.

    Args:
        data_dir: The data folder.
        threads: DuckDB's, for all queries together.
        memory_mb: DuckDB's limit; what does not fit spills to disk.
        timeout_s: A query that takes longer is stopped.
    """

    def __init__(
        self, data_dir: Path, *, threads: int = 2, memory_mb: int = 1024, timeout_s: float = 30
    ) -> None:
        self._paths = LakePaths(data_dir)
        self._catalog = Catalog(self._paths.catalog, self._paths.lake)
        self._spill = (data_dir / "cache" / "duckdb").absolute()
        self._timeout_s = timeout_s
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": str(self._spill),
            # A question must not take the room that the events need.
            "max_temp_directory_size": f"{_MOST_SPILLED_GB}GB",
        }
        self._opening = threading.Lock()
        self._con: duckdb.DuckDBPyConnection | None = None
        self._opened_in = 0
        self._opened_at_file = 0

    def query(
        self, name: str, *, window: tuple[Instant, Instant] | None = None, **params: Any
    ) -> pd.DataFrame:
        """Asks a named question.

        Args:
            name: Of a file in ``queries/``, without ``.sql``.
            window: Read only files with events sent in it; the query must still filter rows.
            **params: Values for ``$name`` in the text; one whose name ends in ``_at`` is an
                :data:`Instant` and arrives as TIMESTAMPTZ.

        Returns:
            The answer as a frame, with the columns and order that the query says.

        Raises:
            QueryTimeout: It took longer than the limit.
            QueryError: DuckDB could not answer.
        """
        sql = _text(name)

        def run(cursor: duckdb.DuckDBPyConnection) -> pa.Table:
            return cursor.sql(_with_instants(sql), params=params).to_arrow_table()

        return self._answer(run, views_in(sql), window, self._timeout_s).to_pandas()

    def sql(self, text: str, *, max_rows: int = 10_000, timeout_s: float | None = None) -> Table:
        """Runs one read-only query written by a person.

        Args:
            text: A single SELECT (or WITH, DESCRIBE, SUMMARIZE, EXPLAIN, SHOW) over the views.
            max_rows: At most so many rows come back.
            timeout_s: Instead of the store's limit.

        Returns:
            Column names and rows; ``is_cut`` when there were more.

        Raises:
            QueryRefused: It is not a single read-only query.
            QueryTimeout: It took longer than the limit.
            QueryError: DuckDB's own message, for example on a misspelt column.
        """
        _refuse_writes(text)

        def run(cursor: duckdb.DuckDBPyConnection) -> Table:
            reader = cursor.sql(text).to_arrow_reader(2048)
            rows: list[tuple[Any, ...]] = []
            for batch in reader:
                rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
                if len(rows) > max_rows:
                    break
            return Table(reader.schema.names, rows[:max_rows], len(rows) > max_rows)

        # A view costs a millisecond: only who asks what there is, or misspells one, gets them all.
        limit_s = timeout_s or self._timeout_s
        if not _ABOUT_ALL.search(text):
            try:
                return self._answer(run, views_in(text), None, limit_s)
            except QueryError as error:
                if "does not exist" not in str(error):
                    raise
        return self._answer(run, list(VIEWS), None, limit_s)

    def read(
        self,
        run: Callable[[duckdb.DuckDBPyConnection, Catalog, Path], T],
        *,
        timeout_s: float | None = None,
    ) -> T:
        """Lets a part of the storage do its own reading, under the same limits as a named question.

        Args:
            run: Gets a cursor that is closed afterwards, the catalogue and the lake's folder. It is called
                once more, from the start, when a file it listed was gone before it was read.
            timeout_s: For all of it, instead of the store's limit.

        Returns:
            What ``run`` gives.

        Raises:
            QueryTimeout: It took longer than the limit.
            QueryError: DuckDB could not answer.
        """
        return self._answer(
            lambda cursor: run(cursor, self._catalog, self._paths.lake),
            [],
            None,
            timeout_s or self._timeout_s,
        )

    def watermark(self, kinds: Iterable[str]) -> int:
        """A number that changes whenever the live files of these kinds change: a key for caches."""
        return self._catalog.watermark(kinds)

    def changes(self, kind: str, after: int) -> Changes:
        """What ingest added to a kind since an earlier watermark, for caches that grow."""
        return self._catalog.changes(kind, after)

    def totals(self) -> list[tuple[str, int, int, int]]:
        """Files, rows and bytes of each kind."""
        return self._catalog.totals()

    def close(self) -> None:
        """Closes DuckDB and this thread's catalogue connection."""
        with self._opening:
            if self._con is not None and self._opened_in == os.getpid():
                self._con.close()
            self._con = None
        self._catalog.close()

    def _answer(
        self,
        run: Callable[[duckdb.DuckDBPyConnection], T],
        views: list[str],
        window: tuple[Instant, Instant] | None,
        limit_s: float,
    ) -> T:
        try:
            return self._try(run, views, window, limit_s)
        except _FileGoneError:
            # It stayed on the list of a slow query for longer than compaction waits: with a new list.
            try:
                return self._try(run, views, window, limit_s)
            except _FileGoneError as error:
                raise QueryError(str(error)) from None

    def _try(
        self,
        run: Callable[[duckdb.DuckDBPyConnection], T],
        views: list[str],
        window: tuple[Instant, Instant] | None,
        limit_s: float,
    ) -> T:
        cursor = self._cursor()
        is_over = threading.Event()
        threading.Thread(target=_stop_late, args=[cursor, limit_s, is_over], daemon=True).start()
        try:
            create_views(cursor, views, self._catalog, self._paths.lake, window)
            return run(cursor)
        except (duckdb.Error, OSError) as error:
            # What goes wrong while rows are streaming comes through Arrow, as an OSError.
            raise self._explained(str(error), limit_s) from None
        finally:
            is_over.set()
            cursor.close()

    def _explained(self, message: str, limit_s: float) -> QueryError:
        if "INTERRUPT Error" in message:
            return QueryTimeout(
                f"The query took longer than {limit_s:g} s and was stopped. "
                f"Ask for a shorter stretch of time, or raise QUERY_TIMEOUT_S."
            )
        plain = message.replace(str(self._paths.lake.absolute()), "lake")
        return _FileGoneError(plain) if _MISSING.search(message) else QueryError(plain)

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._opening:
            if self._con is not None and self._opened_in != os.getpid():
                _inherited.append(self._con)
                self._con = None
            newest_file = self._catalog.newest_file_id()
            if newest_file > self._opened_at_file + _FILES_REMEMBERED:
                self._con = None  # Queries under way hold the old one until they end.
            if self._con is None:
                self._con, self._opened_in, self._opened_at_file = self._open(), os.getpid(), newest_file
            return self._con.cursor()

    def _open(self) -> duckdb.DuckDBPyConnection:
        self._spill.mkdir(parents=True, exist_ok=True)
        con = duckdb.connect(":memory:", config=self._config)
        con.execute("set global TimeZone = 'UTC'")
        con.execute("load parquet")
        # Files never change, so their footers are read once: a third of what a live query costs.
        con.execute("set global parquet_metadata_cache = true")
        lake = str(self._paths.lake.absolute()).replace("'", "''")
        # After this no text can reach a file outside the lake, or change a setting.
        con.execute(f"set allowed_directories = ['{lake}']")
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
        return con


class _FileGoneError(QueryError):
    """A file went away between the list and the reading."""


def _stop_late(cursor: duckdb.DuckDBPyConnection, limit_s: float, is_over: threading.Event) -> None:
    """Interrupts again and again: between two statements of one question DuckDB forgets an interrupt."""
    wait_s = limit_s
    while not is_over.wait(wait_s):
        with suppress(duckdb.Error):  # Closed a moment ago: the query was just in time.
            cursor.interrupt()
        wait_s = _INTERRUPT_AGAIN_S


@cache
def _text(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise QueryError(f"“{name}” is not the name of a query")
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")


@cache
def _with_instants(sql: str) -> str:
    return re.sub(r"\$([a-z_]+_at)\b", r"make_timestamptz($\1)", sql)


def _refuse_writes(text: str) -> None:
    statement = _only_statement(text)
    if statement.type == duckdb.StatementType.EXPLAIN:
        # EXPLAIN ANALYZE runs what it explains, so that has to be a question too.
        statement = _only_statement(_EXPLAIN.sub("", statement.query, count=1))
    if statement.type != duckdb.StatementType.SELECT:
        raise QueryRefused(
            f"Only reading is possible here; this is a {statement.type.name} statement. "
            f"Write a SELECT over the views: {', '.join(VIEWS)}."
        )


def _only_statement(text: str) -> duckdb.Statement:
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(str(error)) from None
    if len(statements) != 1:
        raise QueryRefused(f"Give one query at a time; this text has {len(statements)}.")
    return statements[0]
