"""Pages of events: the newest (or oldest) of a kind that fit some conditions, one page after the other.

Files are read in the order of time, a few at first and more with every step, and reading ends as soon
as no other file can hold an event of the page. Within a step the times are read before the rows, so
that the wide columns are only opened where the page's rows stand. Bloom filters, which DuckDB writes
into compacted files by itself, make it pass over what a person did not write in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from dashboard.events import Instant
from dashboard.storage.batch import schema_of
from dashboard.storage.catalog import Catalog, LiveFile
from dashboard.storage.store import Store
from dashboard.storage.views import select_files

_QUERIES = Path(__file__).parent / "queries"
_LATEST = Instant(253_402_300_799_999_999)
_FIRST_STEP_ROWS = 60_000
_STEP_GROWTH = 8
_SELECTIVE_STEP_GROWTH = 64
"""Where files can tell that they hold nothing, many at once cost little, and every step its time."""
_SMALL_STEP_ROWS = 20_000
"""Below it the times are not worth a reading of their own."""
_CHUNK_ROWS = 50_000
_ORDER = ("sent_at", "event_id", "room_login")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What events must fit; all that is left out lets everything through."""

    start_at: Instant | None = None
    end_at: Instant | None = None
    """Both ends included."""
    rooms: frozenset[str] | None = None
    """Logins of the rooms; None is every one."""
    equal: tuple[tuple[str, str], ...] = ()
    """Columns and the value each must have."""
    words: tuple[str, ...] = ()
    """What ``text`` must hold, all of it, in any order, whatever the case and the accents."""

    @property
    def window(self) -> tuple[Instant, Instant]:
        """The stretch of time with both ends said."""
        start, end = self.start_at, self.end_at
        return Instant(0) if start is None else start, _LATEST if end is None else end


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: no two events of a kind have the same."""

    sent_at: Instant
    event_id: str
    room_login: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some events and where to go on."""

    table: pa.Table
    """The kind's columns, in the order asked for."""
    next: Place | None
    """None when there are no more."""
    fresh_at: Instant | None
    """When we learnt of the newest event of the kind; None when there is none."""


@dataclass(frozen=True, slots=True)
class _Asked:
    kind: str
    where: str
    params: dict[str, Any]
    is_newest_first: bool
    count: int
    is_times_first: bool
    """Where few rows fit and the file can tell which without unpacking them, one reading is enough."""

    @property
    def first(self) -> str:
        return "desc" if self.is_newest_first else "asc"


@dataclass(slots=True)
class _Found:
    """Rows found so far; never many more than asked for."""

    table: pa.Table | None = None
    bound: int | None = None
    """Nothing beyond this instant can be on the page any more."""
    parts: list[pa.Table] = field(default_factory=list)

    def add(self, part: pa.Table, asked: _Asked) -> None:
        table = part if self.table is None else pa.concat_tables([self.table, part])
        order = "descending" if asked.is_newest_first else "ascending"
        ranks = pc.sort_indices(table, sort_keys=[(name, order) for name in _ORDER])
        self.table = table.take(ranks[: asked.count])
        if self.table.num_rows == asked.count:
            self.bound = self.table["sent_at"].cast(pa.int64())[asked.count - 1].as_py()


def read_page(
    store: Store,
    kind: str,
    conditions: Conditions,
    *,
    limit: int,
    newest_first: bool = True,
    after: Place | None = None,
    timeout_s: float | None = None,
) -> Page:
    """The next events of a kind.

    Args:
        store: Opened data folder.
        kind: Of events.
        conditions: What they must fit.
        limit: At most so many.
        newest_first: Or the oldest.
        after: Where the page before ended.
        timeout_s: Instead of the store's limit.

    Returns:
        At most ``limit`` events, each once. A page with a ``next`` may be shorter than the limit: an event
        that came in twice takes its place among the events read, and is told once.

    Raises:
        QueryTimeout: It took longer than the limit.
        QueryError: DuckDB could not answer.
    """
    where, params = _where(conditions, after, newest_first)
    is_times_first = bool(conditions.words or not conditions.equal)
    asked = _Asked(kind, where, params, newest_first, limit + 1, is_times_first)

    def run(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, lake: Path) -> Page:
        with catalog.reading():
            files = live_files(catalog, kind, conditions, after, newest_first)
            fresh_at = catalog.newest_received_at(kind)
        found = _search(cursor, _Selects(kind, catalog, lake), files, asked)
        table = schema_of(kind).empty_table() if found.table is None else found.table
        place = _place(table, limit - 1) if table.num_rows > limit else None
        return Page(_once_each(table[:limit]), place, fresh_at)

    return store.read(run, timeout_s=timeout_s)


def read_chunks(
    store: Store,
    kind: str,
    conditions: Conditions,
    *,
    limit: int,
    newest_first: bool = True,
    after: Place | None = None,
    chunk_rows: int = _CHUNK_ROWS,
) -> Iterator[pa.Table]:
    """Any number of events, in tables that fit into memory.

    Args:
        chunk_rows: At most so many rows a table; the rest is as for :func:`read_page`.

    Yields:
        Tables of the kind's columns, none of them empty. Nothing is kept open between two of them, so
        whoever takes them may be slow, or go away.
    """
    while limit > 0:
        wanted = min(limit, chunk_rows)
        page = read_page(store, kind, conditions, limit=wanted, newest_first=newest_first, after=after)
        if page.table.num_rows:
            yield page.table
        if page.next is None:
            return
        limit, after = limit - wanted, page.next


def live_files(
    catalog: Catalog,
    kind: str,
    conditions: Conditions,
    after: Place | None = None,
    newest_first: bool = True,
) -> list[LiveFile]:
    """The files that can hold events that fit, in the order in which they matter."""
    start, end = conditions.window
    if after is not None:
        start, end = (start, min(end, after.sent_at)) if newest_first else (max(start, after.sent_at), end)
    rooms = conditions.rooms
    room = next(iter(rooms)) if rooms is not None and len(rooms) == 1 else None
    files = catalog.live(kind, (start, end), room=room)
    if newest_first:
        files.sort(key=lambda file: (-file.last_at, file.file_id))
    return files


@cache
def template(name: str) -> str:
    """The text of a query with places for files and conditions."""
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")


def filled(name: str, **parts: str) -> str:
    """A query with its places filled; none of the parts may come from a caller."""
    text = template(name)
    for part, value in parts.items():
        text = text.replace("{" + part + "}", value)
    return text


def condition_texts(conditions: Conditions) -> tuple[list[str], dict[str, Any]]:
    """Conditions as texts for WHERE, and the values that belong to them (nothing of a caller's is text)."""
    texts, params = ["true"], dict[str, Any]()
    if conditions.start_at is not None:
        texts.append("sent_at >= make_timestamptz($start_at)")
        params["start_at"] = conditions.start_at
    if conditions.end_at is not None:
        texts.append("sent_at <= make_timestamptz($end_at)")
        params["end_at"] = conditions.end_at
    if conditions.rooms is not None:
        texts.append(one_of("room_login", "room", conditions.rooms, params))
    for number, (column, value) in enumerate(conditions.equal):
        texts.append(f"{column} = $equal_{number}")
        params[f"equal_{number}"] = value
    for number, word in enumerate(conditions.words):
        texts.append(f"contains(strip_accents(lower(text)), strip_accents(lower($word_{number})))")
        params[f"word_{number}"] = word
    return texts, params


def one_of(column: str, name: str, values: Collection[str], params: dict[str, Any]) -> str:
    """The text that compares a column with some values, which are added to the parameters."""
    if not values:
        return "false"
    marks = []
    for number, value in enumerate(sorted(values)):
        params[f"{name}_{number}"] = value
        marks.append(f"${name}_{number}")
    # One value is compared, not looked up: only that reaches the row groups' statistics.
    return f"{column} = {marks[0]}" if len(marks) == 1 else f"{column} in ({', '.join(marks)})"


def _where(conditions: Conditions, after: Place | None, newest_first: bool) -> tuple[str, dict[str, Any]]:
    texts, params = condition_texts(conditions)
    if after is not None:
        sign = "<" if newest_first else ">"
        texts.append(f"sent_at {sign}= make_timestamptz($after_at)")
        texts.append(
            f"(sent_at {sign} make_timestamptz($after_at) or event_id {sign} $after_id "
            f"or (event_id = $after_id and room_login {sign} $after_room))"
        )
        params |= {"after_at": after.sent_at, "after_id": after.event_id, "after_room": after.room_login}
    return " and ".join(texts), params


class _Selects:
    """The SELECT over some files."""

    def __init__(self, kind: str, catalog: Catalog, lake: Path) -> None:
        self._kind, self._catalog, self._lake = kind, catalog, lake

    def __call__(self, files: Sequence[LiveFile], *, with_path: bool = False) -> str:
        return select_files(self._kind, files, self._catalog, self._lake, with_path=with_path)

    def of_paths(self, files: Sequence[LiveFile], paths: Collection[str]) -> list[LiveFile]:
        """Those of the files that stand at these paths."""
        return [file for file in files if str((self._lake / file.path).absolute()) in paths]


def _search(
    cursor: duckdb.DuckDBPyConnection, selects: _Selects, files: list[LiveFile], asked: _Asked
) -> _Found:
    found, rows, read_count = _Found(), _FIRST_STEP_ROWS, 0
    while files:
        if found.bound is not None and not _can_hold(files[0], found.bound, asked):
            break
        step = _next_step(files, rows)
        files = files[len(step) :]
        part = _read_step(cursor, selects, step, asked, found.bound)
        if part is not None:
            found.add(part, asked)
        read_count += sum(file.row_count for file in step)
        rows = _rows_still_needed(read_count, found.table, asked)
    return found


def _rows_still_needed(read_count: int, table: pa.Table | None, asked: _Asked) -> int:
    """How much to read next, going by how much of what was read so far fitted."""
    most = read_count * (_STEP_GROWTH if asked.is_times_first else _SELECTIVE_STEP_GROWTH)
    if table is None or not table.num_rows:
        return most
    missing = read_count * (asked.count - table.num_rows) / table.num_rows
    return max(_FIRST_STEP_ROWS, min(most, int(missing * 1.2)))


def _can_hold(file: LiveFile, bound: int, asked: _Asked) -> bool:
    return file.last_at >= bound if asked.is_newest_first else file.first_at <= bound


def _next_step(files: Sequence[LiveFile], rows: int) -> list[LiveFile]:
    step: list[LiveFile] = []
    for file in files:
        if step and file.row_count > rows:
            break
        step.append(file)
        rows -= file.row_count
    return step


def _read_step(
    cursor: duckdb.DuckDBPyConnection,
    selects: _Selects,
    files: list[LiveFile],
    asked: _Asked,
    bound: int | None,
) -> pa.Table | None:
    where, params = asked.where, asked.params
    if asked.is_times_first and sum(file.row_count for file in files) > _SMALL_STEP_ROWS:
        where, params = _bounded(where, params, bound, asked)
        times = cursor.sql(
            filled(
                "api_times",
                files=selects(files, with_path=True),
                conditions=where,
                first=asked.first,
                count=str(asked.count),
            ),
            params=params,
        ).to_arrow_table()
        if not times.num_rows:
            return None
        if times.num_rows == asked.count:
            # Others may hold events of the very same instant.
            bound = times["sent_at"].cast(pa.int64())[asked.count - 1].as_py()
            files = [file for file in files if _can_hold(file, bound, asked)]
        else:
            files = selects.of_paths(files, set(times["filename"].unique().to_pylist()))
    where, params = _bounded(asked.where, asked.params, bound, asked)
    return (
        cursor.sql(
            filled(
                "api_rows",
                columns=", ".join(schema_of(asked.kind).names),
                files=selects(files),
                conditions=where,
                first=asked.first,
                count=str(asked.count),
            ),
            params=params,
        )
        .to_arrow_table()
        .cast(schema_of(asked.kind))
    )


def _bounded(
    where: str, params: dict[str, Any], bound: int | None, asked: _Asked
) -> tuple[str, dict[str, Any]]:
    if bound is None:
        return where, params
    sign = ">=" if asked.is_newest_first else "<="
    return f"{where} and sent_at {sign} make_timestamptz($bound_at)", params | {"bound_at": bound}


def _place(table: pa.Table, row: int) -> Place:
    at = Instant(table["sent_at"].cast(pa.int64())[row].as_py())
    return Place(at, table["event_id"][row].as_py(), table["room_login"][row].as_py())


def _once_each(table: pa.Table) -> pa.Table:
    """Drops what came in twice and is not yet merged by compaction."""
    keys = list(zip(table["room_login"].to_pylist(), table["event_id"].to_pylist(), strict=True))
    if len(set(keys)) == len(keys):
        return table
    seen: set[tuple[str, str]] = set()
    kept = []
    for number, key in enumerate(keys):
        if key not in seen:
            seen.add(key)
            kept.append(number)
    return table.take(kept)
