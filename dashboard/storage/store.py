"""The way out: named, parameterised, time-limited questions to the lake.

Every query runs on a cursor of one in-memory DuckDB, over views that list the live files at that
instant. There is no database file, so readers and writers never lock each other out.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from dashboard.errors import QueryError, QueryRefused, QueryTimeout
from dashboard.events import Instant
from dashboard.storage.catalog import Catalog, Changes
from dashboard.storage.lake import LakePaths
from dashboard.storage.views import VIEWS, create_views, views_in

_QUERIES = Path(__file__).parent / "queries"
_NAME = re.compile(r"[a-z0-9_]+")


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
        self._catalog = Catalog(self._paths.catalog)
        self._timeout_s = timeout_s
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": str((data_dir / "cache" / "duckdb").absolute()),
        }
        self._opening = threading.Lock()
        self._con: duckdb.DuckDBPyConnection | None = None

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
        with self._cursor(views_in(sql), window) as cursor, self._limited(cursor):
            return cursor.sql(_with_instants(sql), params=params).to_arrow_table().to_pandas()

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
        with self._cursor(list(VIEWS), None) as cursor, self._limited(cursor, timeout_s):
            reader = cursor.sql(text).to_arrow_reader(2048)
            rows: list[tuple[Any, ...]] = []
            for batch in reader:
                rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
                if len(rows) > max_rows:
                    break
            return Table(reader.schema.names, rows[:max_rows], len(rows) > max_rows)

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
            if self._con is not None:
                self._con.close()
                self._con = None
        self._catalog.close()

    @contextmanager
    def _cursor(
        self, views: list[str], window: tuple[Instant, Instant] | None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._connection().cursor()
        try:
            create_views(cursor, views, self._catalog, self._paths.lake, window)
            yield cursor
        finally:
            cursor.close()

    def _connection(self) -> duckdb.DuckDBPyConnection:
        with self._opening:
            if self._con is None:
                self._con = duckdb.connect(":memory:", config=self._config)
                lake = str(self._paths.lake.absolute()).replace("'", "''")
                self._con.execute("set global TimeZone = 'UTC'")
                # After this no text can reach a file outside the lake, or change a setting.
                self._con.execute(f"set allowed_directories = ['{lake}']")
                self._con.execute("set enable_external_access = false")
                self._con.execute("set lock_configuration = true")
            return self._con

    @contextmanager
    def _limited(self, cursor: duckdb.DuckDBPyConnection, timeout_s: float | None = None) -> Iterator[None]:
        limit_s = timeout_s or self._timeout_s
        timer = threading.Timer(limit_s, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            raise QueryTimeout(
                f"The query took longer than {limit_s:g} s and was stopped. "
                f"Ask for a shorter stretch of time, or raise QUERY_TIMEOUT_S."
            ) from None
        except duckdb.Error as error:
            raise QueryError(_without_paths(str(error), self._paths.lake)) from None
        finally:
            timer.cancel()


@cache
def _text(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise QueryError(f"“{name}” is not the name of a query")
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")


@cache
def _with_instants(sql: str) -> str:
    return re.sub(r"\$([a-z_]+_at)\b", r"make_timestamptz($\1)", sql)


def _refuse_writes(text: str) -> None:
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(str(error)) from None
    if len(statements) != 1:
        raise QueryRefused(f"Give one query at a time; this text has {len(statements)}.")
    allowed = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.RELATION}
    if statements[0].type not in allowed:
        raise QueryRefused(
            f"Only reading is possible here; this is a {statements[0].type.name} statement. "
            f"Write a SELECT over the views: {', '.join(VIEWS)}."
        )


def _without_paths(message: str, lake: Path) -> str:
    return message.replace(str(lake.absolute()), "lake")
